"""Core's part of the demo company: colleagues, teams, firms, people and accounts."""

import tomllib
from collections.abc import Mapping
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

_FILE = Path(__file__).parent / "data" / "company.toml"
_SAME = ("name", "roles", "language", "website", "tags", "know_first", "next_step")


def make_company() -> None:
    """Make everybody the data file names, in the current transaction."""
    written = tomllib.loads(_FILE.read_text("utf-8"))
    for one in written["colleagues"]:
        _make_colleague(one, written["domain"])
    for one in written["organisations"]:
        _make_organisation(one)


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
        "emails": [
            {"address": one, "label": "office"} for one in said.get("emails", [])
        ],
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
    for person in said.get("people", []):
        _make_person(person, organisation)


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
