"""Who only looks passes no door behind which something changes, of all there are."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Event
from core.testing.factories import make_user
from tests.core.test_forged import counted
from tests.core.test_matrix import address_of, routes
from tests.core.world import make_world

pytestmark = pytest.mark.soak_on_postgresql

# What ends the looking, and what only asks where one's first page is.
OPEN = {"viewing.stop", "users.sign_out", "core.home"}
# The house's own page of the portal: whoever comes to it has a home of their own there.
HOME = "portal.home"


@pytest.mark.timeout(300)
def test_an_onlooker_changes_nothing_and_reads_nothing_personal_through_any_door(
    app, as_user
):
    world = make_world(app)
    seen = world.samples["ours"]["view-as/user_id"]
    browser = as_user(make_user("Anna Laine"))
    assert browser.post(f"/view-as/{seen}").status_code == 303
    before = counted()
    with db.read_only() as session:
        last = session.scalar(sa.select(sa.func.max(Event.id)))
    wrong = []
    for rule, method, door in routes(world):
        if rule.endpoint in OPEN or not door.signed_in:
            continue
        answer = browser.open(address_of(world, rule, "ours"), method=method)
        reads = method == "GET" and door.portal and door.permission is not None
        looks = reads or rule.endpoint == HOME
        if (answer.status_code == 409) == looks:
            wrong.append(f"{method} {rule.rule}: {answer.status_code}")
        answer.close()
    assert wrong == []
    assert counted() == before
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.max(Event.id))) == last
