"""What contacts put on their own page, on "my day" and in the palette."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import flask_babel

from core.contacts.affiliations import MOST_SHOWN, related
from core.contacts.models import Contact
from core.contacts.permissions import READ, WRITE
from core.contacts.quiet import days_of_segments, usual_days
from core.contacts.steps import count_due, due_steps, quiet_customers
from core.db import Record, now
from core.i18n import _, ngettext
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.markup import excerpt, to_text
from core.pages import DayItem, DayLine, MenuItem, PaletteItem, Panel
from core.parts import actions_on
from core.users.models import User

# Lines of a panel, and of a block of "my day".
FEW = 5
_TYPES = ("contact.",)


def for_record(record: Record, user: User) -> list[Panel]:
    """Give the panels of a contact's own page."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    return [_strip(), _know(record), _details(record), _people(record, user)]


def _strip() -> Panel:
    return Panel(
        "contacts.strip",
        _l("In short"),
        "core/contacts/strip.html",
        {},
        READ,
        weight=1,
        place="strip",
        types=_TYPES,
    )


def _know(contact: Contact) -> Panel:
    return Panel(
        "contacts.know",
        _l("Know this first"),
        "core/contacts/know.html",
        {},
        READ,
        weight=1,
        types=_TYPES,
        empty=not (contact.know_first or contact.do_not_contact),
        add_url=url_for("contacts.edit", contact_id=contact.id, _anchor="f-know_first"),
    )


def _details(contact: Contact) -> Panel:
    filled = (
        *(contact.phones, contact.emails, contact.addresses, contact.website),
        *(contact.language, contact.job_title, contact.tags, contact.custom),
    )
    return Panel(
        "contacts.details",
        _l("Details"),
        "core/contacts/details.html",
        {},
        READ,
        weight=2,
        types=_TYPES,
        empty=not any(filled),
        add_url=url_for("contacts.edit", contact_id=contact.id),
    )


def _people(contact: Contact, user: User) -> Panel:
    beside = related([contact.id], user, most=MOST_SHOWN, children=True)
    by_relation = {
        name: [one for one in beside if one.relation == name]
        for name in ("organisation", "person", "parent", "child")
    }
    person = contact.kind == "person"
    members = by_relation["organisation" if person else "person"]
    all_url = url_for("contacts.index", organisation=contact.id)
    context = {
        "members": [one for one in members if one.active],
        "former": [one for one in members if not one.active],
        "parent": next(iter(by_relation["parent"]), None),
        "children": by_relation["child"],
        "count": members[0].total if members else None,
        "all_url": "" if person or len(members) <= FEW else all_url,
        "few": FEW,
    }
    add = url_for("contacts.join", contact_id=contact.id)
    if not person:
        add = url_for("contacts.new", kind="person", organisation=contact.id)
    return Panel(
        "contacts.people",
        _l("Organisations") if person else _l("People"),
        "core/contacts/people.html",
        context,
        READ,
        weight=3,
        types=_TYPES,
        empty=not beside,
        add_url=add,
    )


def menu(user: User) -> list[MenuItem]:
    """Give the lines of the main menu; outside the house there are none."""
    if user.kind != "staff":
        return []
    return [
        MenuItem(
            _l("My day"),
            "core.home",
            READ,
            "sun",
            weight=10,
            count=count_due(user, _today()),
            key="d",
        ),
        MenuItem(_l("Contacts"), "contacts.index", READ, "people", weight=20, key="c"),
    ]


def palette(_user: User) -> list[PaletteItem]:
    """Give what Ctrl-K can start here."""
    person = url_for("contacts.new", kind="person")
    organisation = url_for("contacts.new", kind="organisation")
    return [
        PaletteItem(_l("New person"), person, WRITE, "new"),
        PaletteItem(_l("New organisation"), organisation, WRITE, "new"),
    ]


def _today() -> date:
    found: date = flask_babel.to_user_timezone(now()).date()
    return found


def _begin(day: date | None) -> datetime:
    """Give when a day begins for the reader; a step has no hour, so it comes first."""
    begins = datetime.combine(day or _today(), time())
    found: datetime = flask_babel.to_utc(begins).replace(tzinfo=UTC)
    return found


def day(user: User) -> Sequence[DayItem]:
    """Give the steps of one's own contacts that are due, and who has gone quiet."""
    today = _today()
    found = due_steps(user, today, most=FEW + 1)
    items = []
    if found:
        more = {"more_url": url_for("contacts.index", view="mine")}
        items.append(
            DayItem(
                "contacts.due",
                _l("Follow up"),
                "core/contacts/due.html",
                more if len(found) > FEW else {},
                READ,
                weight=10,
                lines=[
                    DayLine(_begin(one.next_step_on), {"one": _due(one, user, today)})
                    for one in found[:FEW]
                ],
                joins="follow_up",
            )
        )
    quiet = quiet_customers(user)
    if quiet:
        context = {"count": quiet, "days": usual_days()}
        if days_of_segments():
            # They went quiet after different times.
            context["days"] = 0
        template = "core/contacts/quiet.html"
        items.append(
            DayItem(
                "contacts.quiet",
                _l("Quiet"),
                template,
                context,
                READ,
                weight=90,
                waits=False,
            )
        )
    return items


def _due(contact: Contact, user: User, today: date) -> dict[str, Any]:
    know = excerpt(to_text(contact.know_first[:1000]), 120)
    if contact.do_not_contact:
        know = " · ".join(filter(None, [_("Do not contact"), know]))
    step_on = contact.next_step_on or today
    late = (today - step_on).days
    when = _("today")
    if late > 14:
        when = flask_babel.format_date(step_on, "medium", rebase=False)
    elif late > 0:
        when = ngettext("%(num)d day late", "%(num)d days late", late)
    acts = [one for one in actions_on(contact, user) if one.day]
    return {
        "contact": contact,
        "know": know,
        "when": when,
        "late": late > 0,
        "actions": acts,
    }
