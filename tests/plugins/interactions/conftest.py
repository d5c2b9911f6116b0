"""Who most stories about entries are of: a customer, and a colleague in sales."""

from typing import Any

import pytest
from flask import Flask

from core.testing.factories import make_contact, make_user
from tests.plugins.interactions.meeting_world import make_invited


@pytest.fixture
def firm(app: Flask) -> Any:
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app: Flask) -> Any:
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def world(app: Flask) -> Any:
    """A meeting to come, its organiser and somebody to invite."""
    return make_invited()


@pytest.fixture
def program(world: Any, api: Any) -> Any:
    """What the organiser's programs ask by."""
    return api(world.anna)
