"""Points 1 and 11: starting, and settings."""

from core.testing.contract.looking import ALL, own_routes
from core.testing.contract.points import nothing_wrong, point
from core.testing.factories import make_contact, make_user

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]

# Pages of core that must stand whichever plugins are there.
CORE_PAGES = ("/", "/contacts", "/contacts/{id}", "/me", "/admin/plugins")


@point(1)
def test_a_plugin_starts_alone_with_core(make_app, plugin, sign_in_to):
    alone = make_app(PLUGINS_DISABLED=[one for one in ALL if one != plugin])
    assert alone.extensions["rapport_pm"].has_plugin(plugin)
    nothing_wrong(_broken(alone, sign_in_to))


@point(1)
def test_core_starts_without_a_plugin_and_its_pages_are_whole(
    make_app, plugin, sign_in_to
):
    with_it = make_app()
    rules = {rule.rule for rule in own_routes(with_it, plugin)}
    without = make_app(PLUGINS_DISABLED=[plugin])
    left = rules & {rule.rule for rule in without.url_map.iter_rules()}
    nothing_wrong(f"{one} is there without the plugin" for one in sorted(left))
    nothing_wrong(_broken(without, sign_in_to))


def _broken(app, sign_in_to):
    with app.app_context():
        contact = make_contact()
        browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
    for page in CORE_PAGES:
        status = browser.get(page.format(id=contact.id)).status_code
        if status != 200:
            yield f"{page} answers {status}"


@point(11)
def test_settings_load_from_nothing_and_wrong_ones_are_refused(make_app, plugin):
    schema = make_app().extensions["rapport_settings"].get(plugin)
    if schema is None:
        return
    fields = set(schema().fields)
    loaded = set(schema().load({}))
    nothing_wrong(f"{one} has no load_default" for one in sorted(fields - loaded))
    refused = schema().validate(dict.fromkeys(fields, object()))
    nothing_wrong(f"{one} takes anything" for one in sorted(fields - set(refused)))
    silent = [one for one, said in refused.items() if not said]
    nothing_wrong(f"{one} is refused without a message" for one in silent)
