"""Nothing is offered that nobody has tried: each hook, each permission."""

import pytest

from core.db import db
from core.permissions import door_of
from core.testing.contract.looking import address_of
from core.testing.factories import make_user
from core.users.services import ensure_role

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def test_every_hook_is_answered_by_a_plugin_that_comes_along(make_app):
    # And by the probe of tests/core/test_plugins.py, which tries each on its page.
    pm = make_app().extensions["rapport_pm"]
    hooks = [name for name in vars(pm.hook) if not name.startswith("_")]
    assert len(hooks) > 15
    # What only other people's plugins need so far; the probe alone tries it.
    spare = {"contact_columns", "contact_scope"}
    unused = {one for one in hooks if not getattr(pm.hook, one).get_hookimpls()}
    assert unused <= spare


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_permission_lets_in_and_keeps_out(app, as_user):
    """Somebody with it alone passes its doors; somebody with all but it does not."""
    permissions = app.extensions["rapport_permissions"]
    doors = {}
    for rule in app.url_map.iter_rules():
        door = door_of(app.view_functions[rule.endpoint])
        if door.permission is not None:
            doors.setdefault(door.permission.name, []).append(rule)
    wrong = []
    for name in sorted(doors):
        with db.transaction():
            ensure_role(f"only {name}", (name,))
            ensure_role(f"all but {name}", sorted(set(permissions) - {name}))
        only = as_user(make_user("Only", roles=(f"only {name}",)))
        others = as_user(make_user("Others", roles=(f"all but {name}",)))
        for rule in doors[name]:
            address = address_of(app, rule)
            for method in METHODS:
                if method not in rule.methods:
                    continue
                if others.open(address, method=method).status_code != 403:
                    wrong.append(f"{method} {address} without {name}")
                if only.open(address, method=method).status_code in {401, 500}:
                    wrong.append(f"{method} {address} with {name} alone")
    assert wrong == []
