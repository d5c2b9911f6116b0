"""What the timeline of a contact is drawn with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from core.contacts.models import Contact
from core.interactions import timeline
from core.interactions.entries import EntryView, show_entries
from core.interactions.filters import Wanted
from core.kinds import interaction_kinds, owners_of_kinds
from core.users.models import User
from plugins.interactions.readers import Choices
from plugins.interactions.schemas import FilterForm, sent
from plugins.interactions.seen import (
    Looked,
    is_new,
    line_before,
    looked_until,
)

# What narrows a list, as an address says it.
FILTERS = ("kind", "team", "author", "plugin", "from", "to", "q", "tag")
# Two automatic entries in a row are read as fast as a line that says so.
FEWEST_FOLDED = 3


@dataclass(frozen=True)
class Asked:
    """What an address asks for: how to narrow, from where on, and what was new."""

    wanted: Wanted = field(default_factory=Wanted)
    # The same as it stands in the address, for the form and for other addresses.
    filters: Mapping[str, Any] = field(default_factory=dict)
    cursor: str | None = None
    new: str = ""
    unseen: bool = False


def asked(arguments: MultiDict[str, str]) -> Asked:
    """Read an address; raises what marshmallow does for what nobody offered."""
    form = FilterForm().load(sent(arguments))
    filters = {one: arguments[one] for one in FILTERS if arguments.get(one)}
    wanted = Wanted(
        kind=form["kind"],
        team=form["team"],
        author=form["author"],
        plugin=form["plugin"],
        since=form["since"],
        until=form["until"],
        q=form["q"],
        tag=form["tag"],
    )
    return Asked(wanted, filters, form["cursor"], form["new"], form["unseen"])


def filter_choices(user: User, offered: Choices) -> dict[str, Any]:
    """Give the form of filters what it offers."""
    people = sorted([*offered.colleagues, (user.id, user.name)], key=_by_name)
    owners = dict.fromkeys(owners_of_kinds().values())
    return {
        "filter_kinds": [(one.name, one.title) for one in interaction_kinds().values()],
        "filter_teams": offered.teams,
        "filter_people": people,
        "filter_plugins": [(one, _spoken(one)) for one in owners],
    }


def _by_name(one: tuple[int, str]) -> str:
    return one[1].casefold()


def _spoken(plugin: str) -> str:
    return plugin.rpartition(".")[2].replace("_", " ").capitalize()


def story(
    contact: Contact,
    user: User,
    *,
    offered: Choices | None = None,
    wanted: Asked | None = None,
) -> dict[str, Any]:
    """Give a template the entries of a contact that `wanted` asks for.

    With `offered` it is the whole timeline, without it only its lines.
    """
    wanted = wanted or Asked()
    looked = _looked(contact, user, offered, wanted)
    narrowed = Wanted(**wanted.wanted)
    if wanted.unseen and looked is not None:
        narrowed |= Wanted(unseen=looked.entry, reader=user.id)
    filtered = bool(wanted.filters) or wanted.unseen
    page = timeline.timeline(
        user,
        contact,
        cursor=wanted.cursor,
        replies=wanted.unseen,
        pinned_first=not filtered,
        **narrowed,
    )
    entries = show_entries(page.items, user, on=contact)
    here = dict(wanted.filters) | ({"unseen": 1} if wanted.unseen else {})
    kept = here | ({"new": looked.mark} if looked else {})
    context = {
        "contact": contact,
        "entries": entries,
        "lines": folded(entries),
        "filters": wanted.filters,
        "filtered": filtered,
        "looked": looked,
        "new_words": looked.words() if looked else "",
        "new_ids": {one.id for one in entries if looked and is_new(one, looked, user)},
        "new_line": None if filtered else line_before(entries, looked, user),
        "live_url": _address(contact, kept),
        "older_url": _address(contact, {**kept, "cursor": page.next})
        if page.next
        else "",
    }
    if offered is None:
        return context
    return context | filter_choices(user, offered) | {"live_contacts": offered.heard}


@dataclass(frozen=True)
class Fold:
    """Entries that nobody wrote by hand, in a row: one line that opens.

    It is called by the latest of them: what follows later may be on another page.
    """

    entries: Sequence[EntryView]

    @property
    def id(self) -> int:
        """The id of its first entry, which stands for the whole."""
        return self.entries[0].id


def folded(entries: Sequence[EntryView]) -> list[EntryView | Fold]:
    """Put automatic entries that follow each other together, unless they are few."""
    found: list[EntryView | Fold] = []
    for noise, run in groupby(entries, lambda one: one.automatic and not one.pinned):
        together = list(run)
        if noise and len(together) >= FEWEST_FOLDED:
            found.append(Fold(together))
        else:
            found += together
    return found


def _looked(
    contact: Contact, user: User, offered: Choices | None, wanted: Asked
) -> Looked | None:
    """Say what is new since the page was opened, or since the reader last looked."""
    if wanted.new:
        return looked_until(user, contact, wanted.new)
    return offered.looked if offered else None


def _address(contact: Contact, arguments: Mapping[str, Any]) -> str:
    return url_for("interactions.story", contact_id=contact.id, **arguments)
