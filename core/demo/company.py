"""Core's part of the demo company: colleagues, teams, firms, people and accounts."""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.contacts.affiliations import affiliate
from core.contacts.models import Contact
from core.contacts.services import create_contact
from core.db import db
from core.demo.stage import PASSWORD, ZONE, cast, open_demo
from core.users.models import Team, User, UserKind
from core.users.services import create_user

_DATA = Path(__file__).parent / "data"
# Those of company.toml first: the others may name them.
_FILES = ("company", "finland", "islands", "china", "vendors")
_SAME = ("name", "roles", "language", "website", "tags", "know_first", "next_step")


def make_company() -> None:
    """Make everybody the data files name, in the current transaction."""
    files = [
        tomllib.loads((_DATA / f"{name}.toml").read_text("utf-8")) for name in _FILES
    ]
    for one in files[0]["colleagues"]:
        _make_colleague(one, files[0]["domain"])
    firms = [one for file in files for one in file["organisations"]]
    for one in firms:
        _make_organisation(one)
    known = {one["key"]: one for one in firms}
    for file in files:
        for key, rows in file.get("people_of", {}).items():
            _make_more(rows, known[key])


def _make_more(rows: list[list[Any]], firm: Mapping[str, Any]) -> None:
    """Make people who joined a firm after those that stand with it."""
    organisation = open_demo().contacts[firm["key"]]
    for one in _written_short(rows, firm):
        _make_person(one, organisation)


def _written_short(
    rows: list[list[Any]], firm: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Read people written as rows: key, given name, family name, title, and more."""
    domain = firm.get("domain") or firm["people"][0].get("email", "@").split("@")[1]
    for number, row in enumerate(rows, start=1):
        key, given, family, title = row[:4]
        more = row[4] if len(row) > 4 else {}
        local = more.get("email") or f"{_plain(given)}.{_plain(family)}"
        said = {
            "key": key,
            "given": given,
            "family": family,
            "title": title,
            "language": firm["language"],
            "email": f"{local}@{domain}" if domain else "",
        }
        if "mobile" in firm:
            said["phone"] = f"{firm['mobile']}{number:02}"
        yield {**said, **{k: v for k, v in more.items() if k != "email"}}


def _plain(name: str) -> str:
    """Write a name as it stands in a mail address."""
    spread = unicodedata.normalize("NFD", name.lower().replace("ß", "ss"))
    return "".join(letter for letter in spread if letter.isascii() and letter.isalpha())


def _make_colleague(said: Mapping[str, Any], domain: str) -> None:
    local = said.get("email") or said["name"].lower().replace(" ", ".")
    user = create_user(
        f"{local}@{domain}",
        name=said["name"],
        password=PASSWORD,
        roles=said["roles"],
        teams=said["teams"],
        language=said.get("language", "en"),
        timezone=said.get("timezone", ZONE),
    )
    _cast_user(user, said["key"], said.get("as"))


def _cast_user(user: User, *keys: str | None) -> None:
    for key in keys:
        if key is not None:
            cast("users", key, user)


def _make_organisation(said: Mapping[str, Any]) -> None:
    demo = open_demo()
    values = {name: said[name] for name in _SAME if name in said}
    values |= {
        "kind": "organisation",
        "emails": [{"address": one, "label": "office"} for one in _office_mail(said)],
        "phones": [
            {"number": one, "label": "office"} for one in said.get("phones", [])
        ],
        "addresses": [{"label": "office", **said["address"]}],
        "owner": demo.users[said["owner"]].id,
    }
    if "parent" in said:
        values["parent"] = demo.contacts[said["parent"]].id
    if "in_days" in said:
        values["next_step_on"] = demo.today + timedelta(days=said["in_days"])
    organisation = create_contact(values, actor=None)
    if "team" in said:
        organisation.team_id = db.session.scalars(
            sa.select(Team.id).where(Team.name == said["team"])
        ).one()
    cast("contacts", said["key"], organisation)
    people = [*said.get("people", []), *_written_short(said.get("persons", []), said)]
    for person in people:
        _make_person(person, organisation)


def _office_mail(said: Mapping[str, Any]) -> list[str]:
    if "domain" in said:
        return [f"office@{said['domain']}"]
    return list(said.get("emails", []))


def _make_person(said: Mapping[str, Any], organisation: Contact) -> None:
    mobile, mail = said.get("phone"), said.get("email")
    person = create_contact(
        {
            "kind": "person",
            "given_name": said["given"],
            "family_name": said["family"],
            "job_title": said["title"],
            "emails": [{"address": mail, "label": "work"}] if mail else [],
            "phones": [{"number": mobile, "label": "mobile"}] if mobile else [],
            "language": said["language"],
            "know_first": said.get("know_first", ""),
            "do_not_contact": said.get("do_not_contact", False),
            "owner": organisation.owner_id,
        },
        actor=None,
    )
    affiliate(person, organisation=organisation, role=said["title"])
    cast("contacts", said["key"], person)
    if "account" in said:
        _make_account(said, person, organisation)


def _make_account(
    said: Mapping[str, Any], person: Contact, organisation: Contact
) -> None:
    kind: UserKind = "customer" if "customer" in organisation.roles else "vendor"
    # The sign-ins that are printed are read by everybody, so they are in English.
    printed = said["account"] in ("customer", "customer2", "vendor")
    language = said["language"] if said["language"] in ("fi", "zh") else "en"
    user = create_user(
        said["email"],
        name=person.name,
        password=PASSWORD,
        kind=kind,
        roles=[kind],
        contact_id=organisation.id,
        person_id=person.id,
        language="en" if printed else language,
        timezone=ZONE,
    )
    _cast_user(user, said["key"], said["account"])
