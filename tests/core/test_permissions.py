"""The door: every route says whom it lets in, and lets in nobody else."""

import pytest
from flask import Blueprint

from core.db import db
from core.permissions import (
    Permission,
    can,
    expand,
    me,
    public,
    requires,
    signed_in,
)
from core.plugin_manager import PluginError
from core.schemas import ApiBlueprint
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import User
from core.users.services import ensure_role, find_user

LOOK = Permission("probe:look", "Look")
BUY = Permission("probe:buy", "Buy")

bp = Blueprint("probe", __name__)
api_bp = ApiBlueprint("probe_api", __name__)


@bp.get("/probe/staff")
@requires(LOOK)
def staff():
    return "staff"


@bp.get("/probe/portal")
@requires(BUY, portal=True)
def portal():
    return "portal"


@bp.get("/probe/anybody")
@signed_in
def anybody():
    return "anybody"


@bp.get("/probe/public")
@public
def everybody():
    return "public"


@api_bp.route("/probe/staff", methods=["GET"])
@requires(LOOK)
def api_staff():
    return {"can": [can(LOOK), can(LOOK, me()), can(BUY), can(BUY, me())]}


@api_bp.route("/probe/portal", methods=["GET"])
@requires(BUY, portal=True)
def api_portal():
    return {}


@api_bp.route("/probe/public", methods=["GET"])
@public
def api_public():
    return {}


@api_bp.route("/probe/colleague", methods=["GET"])
@signed_in
def api_colleague():
    return {"can": can(BUY, find_user("colleague@example.com"))}


@pytest.fixture
def app_plugins():
    plugin = make_plugin(
        register_blueprints=lambda: [bp, api_bp],
        register_permissions=lambda: [LOOK, BUY],
    )
    return (("probe", plugin),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


@pytest.fixture
def visitors(app):
    """One of each kind, with and without permissions."""
    firm = make_contact()
    with db.transaction():
        ensure_role("probe looker", ["probe:look"])
        ensure_role("probe buyer", ["probe:buy"])
        ensure_role("probe all", ["*"])
        ensure_role("probe old", ["probe:look", "gone:forever"])

    def person(role, kind="staff"):
        roles = (f"probe {role}",) if role else ()
        contact = firm if kind != "staff" else None
        return make_user(role or "Nobody", kind=kind, roles=roles, contact=contact)

    return {
        "nobody": person(None),
        "looker": person("looker"),
        "buyer": person("buyer"),
        "all": person("all"),
        "old": person("old"),
        "customer without": person(None, "customer"),
        "customer": person("buyer", "customer"),
        "customer with all": person("all", "customer"),
        "vendor": person("buyer", "vendor"),
    }


# The statuses of /probe/staff, /probe/portal, /probe/anybody and /probe/public.
MATRIX = {
    "nobody": (403, 403, 200, 200),
    "looker": (200, 403, 200, 200),
    "buyer": (403, 200, 200, 200),
    "all": (200, 200, 200, 200),
    "old": (200, 403, 200, 200),
    # Whether a page of the house exists is not a portal user's business.
    "customer without": (404, 404, 200, 200),
    "customer": (404, 200, 200, 200),
    "customer with all": (404, 200, 200, 200),
    "vendor": (404, 200, 200, 200),
}


def test_each_visitor_passes_the_doors_that_are_theirs(visitors, as_user, api):
    for name, user in visitors.items():
        browser, program = as_user(user), api(user)
        doors = ("staff", "portal", "anybody", "public")
        pages = tuple(browser.get(f"/probe/{door}").status_code for door in doors)
        assert pages == MATRIX[name], name
        answers = [program.get(f"/api/v1/probe/{door}") for door in doors[:2]]
        # A program of theirs is told that it may not.
        told = (404, 403) if name == "customer without" else MATRIX[name][:2]
        assert tuple(one.status_code for one in answers) == told, name
        for one in answers:
            if one.status_code >= 400:
                assert one.content_type == "application/problem+json"


def test_a_guest_is_sent_to_the_sign_in_and_back(client):
    answer = client.get("/probe/staff?page=2")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/probe/staff?page%3D2"
    assert client.get("/probe/anybody").status_code == 302
    assert client.get("/probe/public").status_code == 200
    refused = client.get("/api/v1/probe/staff")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/api/v1/probe/public").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "status", "may"),
    [
        (("*",), 200, [True, True, True, True]),
        (("probe:look", "probe:buy"), 200, [True, True, True, True]),
        (("probe:look",), 200, [True, True, False, False]),
        (("probe:buy",), 403, None),
        (("contacts:read",), 403, None),
    ],
)
def test_a_token_may_what_its_user_and_its_scopes_allow(
    visitors, api, scopes, status, may
):
    answer = api(visitors["all"], *scopes).get("/api/v1/probe/staff")
    assert answer.status_code == status
    if may is not None:
        assert answer.json["can"] == may


def test_a_token_never_allows_more_than_its_user_may(visitors, api):
    assert api(visitors["nobody"], "*").get("/api/v1/probe/staff").status_code == 403
    program = api(visitors["buyer"], "probe:look", "probe:buy")
    assert program.get("/api/v1/probe/staff").status_code == 403
    assert program.get("/api/v1/probe/portal").status_code == 200


def test_a_token_does_not_limit_what_a_colleague_may(visitors, api):
    make_user("Colleague", email="colleague@example.com", roles=("probe buyer",))
    program = api(visitors["all"], "probe:look")
    assert program.get("/api/v1/probe/colleague").json == {"can": True}


def test_a_role_grants_only_what_is_declared(app):
    assert expand(["probe:look", "gone:forever"]) == {"probe:look"}
    assert {"probe:look", "probe:buy", "contacts:read"} <= expand(["*"])
    assert expand([]) == set()


def test_losing_a_role_closes_the_door_at_once(visitors, as_user, api):
    user = visitors["looker"]
    browser, program = as_user(user), api(user)
    assert browser.get("/probe/staff").status_code == 200
    with db.transaction() as session:
        session.get_one(User, user.id).roles = []
    assert browser.get("/probe/staff").status_code == 403
    assert program.get("/api/v1/probe/staff").status_code == 403


# -- Start-up refuses --------------------------------------------------------------


def plugin_with(view, *permissions, name="careless"):
    blueprint = Blueprint(name, __name__)
    blueprint.add_url_rule(f"/{name}", "page", view)
    return make_plugin(
        register_blueprints=lambda: [blueprint],
        register_permissions=lambda: list(permissions),
    )


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_route_that_asks_nobody_is_refused(make_app):
    plugin = plugin_with(lambda: "open to everybody by mistake")
    with pytest.raises(PluginError, match=r"careless\.page"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_route_added_late_that_asks_nobody_is_refused(make_app):
    plugin = make_plugin(
        init_app=lambda app: app.add_url_rule("/late", "late", lambda: "late")
    )
    with pytest.raises(PluginError, match="late"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_permission_that_nobody_declares_is_refused(make_app):
    plugin = plugin_with(requires(Permission("careless:look", "Look"))(lambda: "page"))
    with pytest.raises(PluginError, match="careless:look"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_permission_that_two_declare_is_refused(make_app):
    plugins = [
        (name, make_plugin(register_permissions=lambda: [LOOK]))
        for name in ("first", "second")
    ]
    with pytest.raises(PluginError, match="'first' and 'second' both declare"):
        make_app(tuple(plugins), PLUGINS_DISABLED=INSTALLED)


def test_every_route_of_the_installation_has_a_door(make_app):
    app = make_app()
    for endpoint, view in app.view_functions.items():
        assert hasattr(view, "door"), endpoint
    open_to_all = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if not view.door.signed_in
    }
    assert open_to_all == {
        "admin.logo",
        "assets",
        "core.api_docs",
        "core.healthz",
        "core.openapi",
        "core.readyz",
        # Opened by the secret in their address, which went to one person.
        "interactions.answer_invitation",
        "interactions.calendar",
        "interactions.invitation",
        "passwords.ask",
        "passwords.forgot",
        "passwords.renew",
        "passwords.reset",
        "unsubscribe.show",
        "unsubscribe.stop",
        "users.enter",
        "users.sign_in",
    }
