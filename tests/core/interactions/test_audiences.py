"""Who finds an entry, at every door: generated, one reader after the other."""

import json
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.interactions.services import change_interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team

SECRET = "four developments behind the station"
AUDIENCES = {
    "private": {"author", "named"},
    "teams": {"author", "team mate"},
    "staff": {"author", "named", "team mate", "other team", "no team", "admin"},
    "shared": {
        *("author", "named", "team mate", "other team", "no team", "admin"),
        "customer",
    },
}
DOORS = ("page", "list page", "api", "api list", "timeline", "panel", "feed", "live")


@dataclass
class House:
    """A house with somebody of every sort in it."""

    firm: object
    other_firm: object
    vendor_firm: object
    people: dict = field(default_factory=dict)

    @property
    def author(self):
        return self.people["author"]


@pytest.fixture
def house(app):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    vendor = make_contact("Putkitehdas Ab", roles=["vendor"])
    people = {
        "author": make_user("Anna Laine", teams=["Sales"]),
        "team mate": make_user("Mika Koski", teams=["Sales"]),
        "named": make_user("Nina Named", teams=["Support"]),
        "other team": make_user("Sanna Salo", teams=["Support"]),
        "no team": make_user("Olli Outside"),
        "admin": make_user("Ad Min", roles=["admin"]),
        "customer": make_user("Outi Kallio", kind="customer", contact=firm),
        "other customer": make_user("Tapio Tapio", kind="customer", contact=other),
        "vendor": make_user("Ville Vendor", kind="vendor", contact=vendor),
    }
    return House(firm, other, vendor, people)


def spec_of(kind, house):
    if kind == "teams":
        sales = db.session.scalars(sa.select(Team.id).where(Team.name == "Sales")).one()
        return AudienceSpec("teams", teams=frozenset({sales}))
    if kind == "private":
        readers = {house.author.id, house.people["named"].id}
        return AudienceSpec("private", users=frozenset(readers))
    if kind == "shared":
        return AudienceSpec("shared", shared_with=frozenset({house.firm.id}))
    return AudienceSpec(kind)


class Doors:
    """What one reader finds at each door."""

    def __init__(self, reader, house, as_user, api):
        self.house = house
        self.browser = as_user(reader)
        self.program = api(reader)
        self.inside = reader.kind == "staff"
        self.cursor = self.program.get("/api/v1/events").json["cursor"]

    def finds(self, door, entry):
        return getattr(self, f"by_{door.replace(' ', '_')}")(entry)

    def by_page(self, entry):
        answer = self.browser.get(f"/interactions/{entry.id}")
        assert answer.status_code in {200, 404}
        assert (SECRET in answer.text) == (answer.status_code == 200)
        return answer.status_code == 200

    def by_list_page(self, entry):
        del entry
        return SECRET in self.browser.get("/interactions").text

    def by_api(self, entry):
        answer = self.program.get(f"/api/v1/interactions/{entry.id}")
        assert answer.status_code in {200, 404}
        return answer.status_code == 200

    def by_api_list(self, entry):
        found = self.program.get("/api/v1/interactions").json["items"]
        return entry.id in {one["id"] for one in found}

    def by_timeline(self, entry):
        answer = self.program.get(f"/api/v1/contacts/{self.house.firm.id}/timeline")
        if answer.status_code == 404:
            return False
        return entry.id in {one["id"] for one in answer.json["items"]}

    def by_panel(self, entry):
        del entry
        page = self.browser.get(f"/contacts/{self.house.firm.id}")
        assert page.status_code == (200 if self.inside else 404)
        part = self.browser.get(
            f"/interactions/timeline/{self.house.firm.id}",
            headers={"HX-Request": "true"},
        )
        assert (SECRET in page.text) == (SECRET in part.text)
        return SECRET in page.text

    def by_feed(self, entry):
        url = f"/api/v1/events?cursor={self.cursor}&limit=200"
        heard = self.program.get(url).json["items"]
        assert SECRET not in json.dumps(heard)
        return entry.ref in {one["subject"] for one in heard}

    def by_live(self, entry):
        # An entry for everybody outside comes after it: whoever hears of that one has
        # heard of all they may hear of.
        firms = (self.house.firm, self.house.other_firm, self.house.vendor_firm)
        shared = AudienceSpec("shared", shared_with=frozenset(f.id for f in firms))
        last = make_interaction(self.house.firm, body="For all", audience=shared)
        stream = self.browser.get(f"/live?cursor={self.cursor}", buffered=False)
        heard = ""
        for chunk in stream.iter_encoded():
            heard += chunk.decode()
            if f'"{last.ref}"' in heard:
                break
        stream.close()
        assert SECRET not in heard
        return f'"{entry.ref}"' in heard


# On a contact's page only colleagues look.
def expected(kind, door):
    outside = {"customer"} if door == "panel" else set()
    return AUDIENCES[kind] - outside


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", AUDIENCES)
def test_an_entry_is_found_by_its_readers_and_by_nobody_else(
    house, as_user, api, kind, door
):
    doors = {
        name: Doors(one, house, as_user, api) for name, one in house.people.items()
    }
    entry = make_interaction(
        house.firm, author=house.author, body=SECRET, audience=spec_of(kind, house)
    )
    found = {name for name, one in doors.items() if one.finds(door, entry)}
    assert found == expected(kind, door)


@pytest.mark.parametrize("door", ["page", "api list", "timeline", "feed", "live"])
def test_who_loses_an_entry_hears_that_it_is_gone_and_no_more(
    house, as_user, api, door
):
    entry = make_interaction(
        house.firm, author=house.author, body=SECRET, audience=spec_of("shared", house)
    )
    doors = {
        name: Doors(one, house, as_user, api)
        for name, one in house.people.items()
        if name in {"customer", "no team", "other customer", "team mate"}
    }
    with db.transaction() as session:
        change_interaction(
            session.merge(entry, load=True),
            actor=None,
            audience=spec_of("teams", house),
        )
    found = {name for name, one in doors.items() if one.finds(door, entry)}
    told = {"customer", "no team", "team mate"}
    assert found == (told if door in {"feed", "live"} else {"team mate"})
