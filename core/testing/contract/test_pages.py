"""Points 8 and 14: pages and templates."""

import re

import sqlalchemy as sa

from core.db import db
from core.testing.contract.looking import ask, asked, fill, own_routes, templates
from core.testing.contract.points import nothing_wrong, point
from core.testing.factories import make_user
from core.users.models import Role, User

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]

BUDGET = 12
FINE = {200, 302, 303, 304, 404, 422}


def _drawn(browser, addresses, count_queries):
    for address in addresses:
        with count_queries() as queries:
            answered = ask(browser, address)
        if answered.status not in FINE:
            yield f"{address} answers {answered}"
        if queries.count > BUDGET:
            yield f"{address} takes {queries.count} statements, not {BUDGET}"


def _pages(app, plugin):
    for rule in own_routes(app, plugin):
        plain = "GET" in rule.methods and not rule.arguments
        if plain and not rule.rule.startswith("/api/"):
            yield rule.rule


@point(8)
def test_every_page_draws_on_an_empty_database(app, as_user, plugin, count_queries):
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    nothing_wrong(_drawn(browser, _pages(app, plugin), count_queries))


@point(8)
def test_every_page_draws_on_the_demo_company(demo_app, plugin, sign_in_demo):
    fill(plugin)
    browser, counting = sign_in_demo("admin")
    nothing_wrong(_drawn(browser, _pages(demo_app, plugin), counting))


@point(8)
def test_the_page_of_each_record_draws(demo_app, plugin, sign_in_demo):
    fill(plugin)
    browser, counting = sign_in_demo("admin")
    addresses = []
    with demo_app.test_request_context():
        admin = db.session.scalars(
            sa.select(User).where(User.roles.any(Role.name == "admin")).limit(1)
        ).one()
        for kind in asked(plugin, "register_records"):
            records = db.session.scalars(sa.select(kind.model).limit(2)).unique()
            found = [kind.url(one, admin) for one in records]
            addresses += [one.partition("#")[0] for one in found if one]
    nothing_wrong(_drawn(browser, addresses, counting))


_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TRANS = re.compile(r"\{%-?\s*trans.*?endtrans\s*-?%\}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_SAID = re.compile(
    r"\b(?:title|alt|placeholder|aria-label)=\"([^\"{]*[A-Za-zÀ-ÿ]{3,}[^\"{]*)\""
)


@point(14)
def test_every_word_of_a_template_is_marked_for_translation(plugin):
    wrong = []
    for path in templates(plugin):
        if path.suffix != ".html":
            continue
        text = _TRANS.sub("", path.read_text("utf-8"))
        plain = _JINJA.sub("", text)
        bare = re.sub(r"&\w+;", " ", _TAG.sub(" ", plain))
        words = re.findall(r"[A-Za-zÀ-ÿ]{3,}", bare)
        if words:
            wrong.append(f"{path.name} says {' '.join(words[:5])!r} unmarked")
        for tag in _TAG.findall(_JINJA.sub("{}", text)):
            wrong += [
                f"{path.name} says {one!r} unmarked" for one in _SAID.findall(tag)
            ]
    nothing_wrong(wrong)


@point(14)
def test_templates_live_in_the_house(plugin):
    wrong = []
    for path in templates(plugin):
        text = path.read_text("utf-8")
        for base in re.findall(r"\{%-?\s*extends\s+[\"']([^\"']+)", text):
            if not base.startswith(("core/", f"{plugin}/")):
                wrong.append(f"{path.name} extends {base}")
        if re.search(r"<html|<!doctype", text, re.IGNORECASE):
            wrong.append(f"{path.name} is a page of its own: extend core/base.html")
    nothing_wrong(wrong)
