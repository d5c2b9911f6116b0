"""The fixtures of the contract: one plugin after the other, and who comes to it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from core.app import CRM
from core.db import db
from core.testing.contract.looking import ALL
from core.testing.factories import make_contact, make_user
from core.users.services import ensure_role

Browsers = dict[str, FlaskClient]


@pytest.fixture(params=ALL)
def plugin(request: pytest.FixtureRequest) -> str:
    """One installed plugin after the other."""
    return str(request.param)


@pytest.fixture
def visitors(app: CRM, as_user: Callable[[Any], FlaskClient]) -> Browsers:
    """Who comes: nobody, somebody without a role, a customer, an administrator."""
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    return {
        "guest": app.test_client(),
        "nobody": as_user(make_user("No Role", roles=())),
        "customer": as_user(outi),
        "admin": as_user(make_user("Ad Min", roles=("admin",))),
    }


@pytest.fixture
def all_but(app: CRM, as_user: Callable[[Any], FlaskClient]) -> Callable[[str], Any]:
    """Give the browser of somebody who may do everything but one thing."""
    known: dict[str, FlaskClient] = {}

    def sign_in(permission: str) -> FlaskClient:
        if permission not in known:
            declared = set(app.extensions["rapport_permissions"]) - {permission}
            name = f"all but {permission}"
            with db.transaction():
                ensure_role(name, sorted(declared))
            known[permission] = as_user(make_user("All But", roles=(name,)))
        return known[permission]

    return sign_in
