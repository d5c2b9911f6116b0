"""The story of a contact to take along: on paper, or for a program.

For inside it is all that its reader may read; for outside only what is shared with the
contact itself, without a word of anybody else.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from core.contacts.models import Contact
from core.db import now
from core.i18n import _
from core.interactions import timeline
from core.interactions.entries import EntryView, show_entries
from core.interactions.filters import Wanted
from core.interactions.linked import linked_records
from core.interactions.models import Interaction
from core.users.models import User

# More entries or characters take too long to wait for: a worker makes the dossier then.
MOST = 1_000
MOST_TEXT = 500_000
AT_ONCE = 200


@dataclass(frozen=True)
class Line:
    """One entry of a dossier; `audience` is the word that is printed beside it."""

    entry: Interaction
    # What it says, as its kind has it: the fields, and the text in Markdown.
    facts: Sequence[str]
    body: str
    author: str
    kind: str
    audience: str
    outside: bool
    contacts: Sequence[str]
    # The titles of the files that came with it, and of the records it is linked to.
    files: Sequence[str]
    linked: Sequence[str]
    # Those records by reference.
    refs: Sequence[str]


@dataclass(frozen=True)
class Dossier:
    """What is taken along; not `complete` when there was more than it may hold."""

    contact: Contact
    made_at: datetime
    made_by: str
    shared: bool
    lines: Sequence[Line]
    complete: bool

    @property
    def words(self) -> str:
        """Say at its top, and on each sheet, for whom it is."""
        if self.shared:
            return _("Only what is shared with %(name)s", name=self.contact.name)
        return _("For colleagues only")


def dossier_of(
    contact: Contact,
    user: User,
    wanted: Wanted,
    *,
    shared: bool,
    most: int | None = None,
    on_page: Callable[[int], None] = lambda _done: None,
) -> Dossier:
    """Gather the story of `contact` as `user` may read it, the latest first.

    At most `MOST` entries and about `MOST_TEXT` characters, or as many entries as said,
    however long; `on_page` hears how many there are.
    """
    text = MOST_TEXT if most is None else None
    most = MOST if most is None else most
    if shared:
        wanted = Wanted(**wanted)
        wanted["shared_with"] = contact.id
    # Before anything is read: what is corrected from now on is newer than the dossier.
    made_at = now()
    lines: list[Line] = []
    cursor: str | None = None
    while True:
        page = timeline.timeline(user, contact, cursor=cursor, limit=AT_ONCE, **wanted)
        lines += _lines(page.items, contact, user, shared=shared)
        cursor = page.next
        on_page(len(lines))
        if cursor is None or len(lines) >= most or _beyond(lines, text) < len(lines):
            break
    fit = lines[: min(most, _beyond(lines, text))]
    whole = cursor is None and len(fit) == len(lines)
    return Dossier(contact, made_at, user.name, shared, fit, whole)


def _beyond(lines: Sequence[Line], text: int | None) -> int:
    """Say how many of the latest entries hold `text` characters; one at the least."""
    sums = accumulate(len(one.body) for one in lines)
    within = sum(1 for one in sums if text is None or one <= text)
    return max(1, within)


def _lines(
    found: Sequence[Interaction], contact: Contact, user: User, *, shared: bool
) -> Iterator[Line]:
    views = show_entries(found, user, on=contact)
    # For outside there are no links: what they lead to is not what is shared.
    refs = {} if shared else {one.id: one.parts.get("links", ()) for one in views}
    every = [ref for some in refs.values() for ref in some]
    named = {one.ref: f"{one.kind}: {one.title}" for one in linked_records(every, user)}
    for entry, view in zip(found, views, strict=True):
        yield Line(
            entry,
            # The fields are not for outside, nor is how a kind puts them.
            [] if shared else view.facts,
            entry.body if shared else view.body,
            view.author_name,
            str(view.kind_title),
            _audience(view, contact, shared=shared),
            view.audience.outside,
            [] if shared else [name for name, _url in view.contacts],
            [one.title for one in view.attachments],
            [named[ref] for ref in refs.get(entry.id, ()) if ref in named],
            [ref for ref in refs.get(entry.id, ()) if ref in named],
        )


def _audience(view: EntryView, contact: Contact, *, shared: bool) -> str:
    # Whom else an entry is shared with is nobody's business outside.
    if shared:
        return _("Shared with %(name)s", name=contact.name)
    return str(view.audience.label)


def as_data(dossier: Dossier) -> dict[str, Any]:
    """Give a dossier as plain values, fit for JSON."""
    return {
        "contact": {"id": dossier.contact.id, "name": dossier.contact.name},
        "made_at": dossier.made_at.isoformat(),
        "made_by": dossier.made_by,
        "for": "shared" if dossier.shared else "inside",
        "notice": dossier.words,
        "complete": dossier.complete,
        "entries": [_item(one) for one in dossier.lines],
    }


def _item(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "id": entry.id,
        "kind": entry.kind,
        "subject": entry.subject,
        "facts": list(line.facts),
        "body": entry.body,
        "occurred_at": entry.occurred_at.isoformat(),
        "edited_at": entry.edited_at.isoformat() if entry.edited_at else None,
        "author": line.author,
        "parent": entry.parent_id,
        "contacts": list(line.contacts),
        "files": list(line.files),
        "linked": list(line.linked),
        "audience": {"kind": entry.audience.kind, "words": line.audience},
    }
