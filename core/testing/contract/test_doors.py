"""Points 7 and 13: who may come in, and what programs are told."""

import re

from core.permissions import door_of
from core.plugin_manager import declared
from core.schemas import ApiBlueprint
from core.testing.contract.looking import address_of, ask, asked, own_routes
from core.testing.contract.points import nothing_wrong, point

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]

GUEST, STRANGER = {302, 303, 400, 401}, {403, 404}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _doors(app, plugin):
    for rule in own_routes(app, plugin):
        door = door_of(app.view_functions[rule.endpoint])
        for method in METHODS:
            if method in rule.methods:
                yield method, rule, door, address_of(app, rule)


@point(7)
def test_every_route_lets_the_right_ones_in_and_the_others_not(
    app, visitors, all_but, plugin
):
    wrong = []

    def expect(who, browser, method, address, allowed):
        answered = ask(browser, address, method)
        if not allowed(answered.status):
            wrong.append(f"{method} {address} answers {who} with {answered}")

    for method, _rule, door, address in _doors(app, plugin):
        if not door.signed_in:
            expect("a guest", visitors["guest"], method, address, lambda s: s < 500)
            continue
        expect("a guest", visitors["guest"], method, address, GUEST.__contains__)
        if not door.portal:
            customer = visitors["customer"]
            expect("a customer", customer, method, address, {404}.__contains__)
        if door.permission is not None:
            who = f"somebody without {door.permission.name}"
            others = all_but(door.permission.name)
            for browser in (visitors["nobody"], others):
                expect(who, browser, method, address, STRANGER.__contains__)
        expect(
            "an administrator",
            visitors["admin"],
            method,
            address,
            lambda s: s < 500 and s not in {401, 403},
        )
    nothing_wrong(wrong)


@point(13)
def test_the_api_is_described_and_its_lists_go_page_by_page(app, plugin):
    spec = app.test_client().get("/api/v1/openapi.json").json
    wrong = []
    for method, rule, _door, _address in _doors(app, plugin):
        if not rule.endpoint.startswith(f"{plugin}_api."):
            continue
        path = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule)
        said = spec["paths"].get(path, {}).get(method.lower())
        if said is None:
            wrong.append(f"{method} {path} is not described")
            continue
        told = {k: v for k, v in said.get("responses", {}).items() if k[:1] == "2"}
        if not told:
            wrong.append(f"{method} {path} does not say what it answers")
        if method == "GET" and not rule.arguments:
            names = {
                one.get("name")
                for one in said.get("parameters", [])
                if isinstance(one, dict)
            }
            if "limit" not in names:
                wrong.append(f"{path} has no limit")
    nothing_wrong(wrong)


@point(13)
def test_errors_of_the_api_are_problems(app, visitors, plugin):
    wrong = []
    for method, rule, _door, address in _doors(app, plugin):
        if not rule.endpoint.startswith(f"{plugin}_api."):
            continue
        for who in ("guest", "admin"):
            answered = ask(visitors[who], address, method)
            kind = answered.kind
            if answered.status >= 400 and kind != "application/problem+json":
                wrong.append(f"{method} {address}: {answered} as {kind}")
    nothing_wrong(wrong)


@point(13)
def test_api_routes_are_declared_as_such(make_app, plugin):
    app = make_app()
    assert declared(app, "register_blueprints")
    wrong = []
    for one in asked(plugin, "register_blueprints"):
        if isinstance(one, ApiBlueprint) != one.name.endswith("_api"):
            wrong.append(f"the blueprint {one.name}: an ApiBlueprint ends in _api")
    for _method, rule, _door, _address in _doors(app, plugin):
        in_api = rule.endpoint.startswith(f"{plugin}_api.")
        if in_api != rule.rule.startswith("/api/v1/"):
            wrong.append(f"{rule.rule} is not where its blueprint belongs")
    nothing_wrong(wrong)
