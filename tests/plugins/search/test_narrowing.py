"""What narrows a search means what its reader means, and says where it cannot."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.testing.factories import make_contact, make_interaction, make_user
from tests.plugins.search.test_search import refs

pytestmark = pytest.mark.soak_on_postgresql


# In summer and in winter: Helsinki is two or three hours before UTC, Shanghai eight.
DAYS = [
    ("Europe/Helsinki", (2026, 7, 2), "2026-07-02"),
    ("Europe/Helsinki", (2026, 1, 2), "2026-01-02"),
    ("Asia/Shanghai", (2026, 7, 2), "2026-07-02"),
    ("America/New_York", (2026, 7, 2), "2026-07-02"),
]


@pytest.mark.parametrize(("zone", "day", "said"), DAYS)
def test_a_day_is_that_of_the_readers_zone(app, api, deliver, zone, day, said):
    anna = make_user("Anna Laine", timezone=zone)
    contact = make_contact()
    entries = []
    for hour, minute in ((0, 30), (23, 30)):
        moment = datetime(*day, hour, minute, tzinfo=ZoneInfo(zone))
        made = make_interaction(
            contact, author=anna, body="Valves.", occurred_at=moment
        )
        entries.append(made.ref)
    deliver()
    program = api(anna)
    assert sorted(refs(program, f"valves from:{said} to:{said}")) == sorted(entries)
    before, after = said[:-1] + "1", said[:-1] + "3"
    assert refs(program, f"valves to:{before}") == []
    assert refs(program, f"valves from:{after}") == []
    assert sorted(refs(program, f"type:entry from:{said[:4]}")) == sorted(entries)
