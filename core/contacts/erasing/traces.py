"""What else holds a person's words, without a foreign key: events, mail, journals."""

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from core.contacts.erasing.emptying import (
    emptied,
    empty_rows,
    personal_columns,
    personal_tables,
)
from core.contacts.erasing.reach import Reach, chunks, key_of, reachable
from core.contacts.models import Contact
from core.db import db, table_of
from core.events import Event
from core.idempotency import IdempotentAnswer
from core.importing.keeping import drop_file
from core.importing.models import ImportEntry, ImportKey, ImportRefusal, ImportRun
from core.interactions.models import Interaction, InteractionContact
from core.mail.models import (
    CANCELLED,
    HELD,
    PARKED,
    WAITING,
    MailAttachment,
    OutgoingMail,
)
from core.notifications.models import Notification
from core.presence.models import Presence
from core.records import parse_ref

# A shorter name stands in too many other words.
_SHORTEST = 5


def names_of(contacts: Iterable[Contact]) -> set[str]:
    """Give what names a person in others' words: name, addresses, numbers."""
    found: set[str] = set()
    for one in contacts:
        name = one.name.strip()
        if len(name) >= (_SHORTEST if name.isascii() else 2):
            found.add(name)
        found |= {str(mail["address"]) for mail in one.emails}
        found |= {str(phone["number"]) for phone in one.phones}
    return {one for one in found if one}


def erase_traces(reach: Reach, names: set[str]) -> None:
    """Take a person out of events, mail, notifications, answers and imports.

    `names` is what named them before: what mentions it elsewhere is emptied.
    """
    refs = set(reach.refs())
    _erase_events(reach, refs, names)
    _erase_mail(refs, names)
    _erase_news(refs)
    _erase_imports(refs, names)
    _erase_authors(reach, names)
    for table in personal_tables():
        if table not in reachable():
            _empty_mentions(table, names)
        _empty_identities(table, names)
    # Whoever asks the same again within the day is told that it was done, and where;
    # what the answer said may have been anything.
    db.session.execute(sa.update(IdempotentAnswer).values(body=b""))


def _erase_events(reach: Reach, refs: set[str], names: set[str]) -> None:
    event = table_of(Event)
    nothing = {event.c.personal: sa.null()}
    for some in chunks(reach.contacts):
        of_contact = event.c.contact_id.in_(some)
        db.session.execute(sa.update(event).where(of_contact).values(nothing))
    for some in chunks(refs):
        of_record = event.c.subject.in_(some)
        db.session.execute(sa.update(event).where(of_record).values(nothing))
    mentioned = _has_one_of(event.c.personal, names)
    for some in chunks(reach.left):
        beside = event.c.subject.in_([f"interaction/{one}" for one in some])
        where = sa.and_(beside, mentioned)
        db.session.execute(sa.update(event).where(where).values(nothing))
    own = [f"contact/{one}" for one in reach.contacts]
    words = {one.name for one in personal_columns(table_of(Contact))}
    query = sa.select(Event.id, Event.data).where(Event.subject.in_(own))
    for event_id, data in db.session.execute(query).all():
        values = data.get("values", {})
        if words & set(values):
            # From before the column was marked.
            kept = {k: v for k, v in values.items() if k not in words}
            changed = {event.c.data: data | {"values": kept}}
            where = event.c.id == event_id
            db.session.execute(sa.update(event).where(where).values(changed))


def _erase_mail(refs: set[str], names: set[str]) -> None:
    """Empty the mails about a person's records or with their name; stop unsent ones."""
    table = table_of(OutgoingMail)
    ids: set[int] = set()
    for some in chunks(refs):
        about = sa.select(table.c.id).where(table.c.about.in_(some))
        ids |= set(db.session.scalars(about))
    mentioned = mentions(table, names)
    if mentioned is not None:
        ids |= set(db.session.scalars(sa.select(table.c.id).where(mentioned)))
    for some in chunks(ids):
        empty_rows(table, table.c.id.in_(some))
        unsent = table.c.id.in_(some) & table.c.state.in_((HELD, WAITING, PARKED))
        stop = sa.update(table).where(unsent).values(state=CANCELLED)
        db.session.execute(stop)
        files = MailAttachment.mail_id.in_(some)
        db.session.execute(sa.delete(MailAttachment).where(files))


def _erase_news(refs: set[str]) -> None:
    """Remove notifications of a person's records, and who has them open."""
    for name, ids in _by_type(refs).items():
        for some in chunks(ids):
            for model in (Notification, Presence):
                about = sa.and_(model.about == name, model.about_id.in_(some))
                db.session.execute(sa.delete(model).where(about))


def _by_type(refs: set[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for ref in refs:
        parsed = parse_ref(ref)
        if parsed is not None:
            found.setdefault(parsed[0], set()).add(parsed[1])
    return found


def _erase_imports(refs: set[str], names: set[str]) -> None:
    """Forget what other systems call a person, and the files that brought them."""
    runs: set[int] = set()
    for some in chunks(refs):
        db.session.execute(sa.delete(ImportKey).where(ImportKey.ref.in_(some)))
        brought = sa.select(ImportEntry.run_id).where(ImportEntry.ref.in_(some))
        runs |= set(db.session.scalars(brought))
    journals = ((ImportRun, ImportRun.id), (ImportRefusal, ImportRefusal.run_id))
    for model, key in journals:
        mentioned = mentions(table_of(model), names)
        if mentioned is not None:
            runs |= set(db.session.scalars(sa.select(key).where(mentioned)))
    for some in chunks(runs):
        found = sa.select(ImportRun).where(ImportRun.id.in_(some))
        for run in db.session.scalars(found):
            drop_file(run)


def _erase_authors(reach: Reach, names: set[str]) -> None:
    """Take the person's name off what they wrote that concerns others too."""
    table = table_of(Interaction)
    linked = sa.select(InteractionContact.interaction_id).where(
        InteractionContact.contact_id.in_(reach.contacts)
    )
    author = table.c.author_name
    small = [one.lower() for one in names]
    wrote = sa.or_(author.in_(names), sa.func.lower(author).in_(small))
    statement = sa.update(table).where(table.c.id.in_(linked), wrote)
    statement = statement.values(author_name=emptied(table.c.author_name))
    db.session.execute(statement.execution_options(unrecorded=True))


# -- Mentions ----------------------------------------------------------------------


def mentions(table: sa.Table, names: set[str]) -> sa.ColumnElement[bool] | None:
    """Say as SQL that a row of `table` has one of `names` in a personal column."""
    columns = personal_columns(table)
    if not columns or not names:
        return None
    return sa.or_(*(_has_one_of(one, names) for one in columns))


def _has_one_of(column: sa.Column[Any], names: set[str]) -> sa.ColumnElement[bool]:
    text = sa.func.lower(sa.cast(column, sa.Text))
    spelled = {spelling for name in names for spelling in _spellings(name)}
    found = [text.contains(one, autoescape=True) for one in sorted(spelled)]
    return sa.or_(sa.false(), *found)


def _spellings(name: str) -> set[str]:
    """Give how a name may stand in a column: as it is, and as JSON writes it."""
    # SQLite makes only ASCII small.
    ascii_only = "".join(one.lower() if one.isascii() else one for one in name)
    found = {ascii_only, name.lower()}
    for plain in (True, False):
        found |= {json.dumps(one, ensure_ascii=plain)[1:-1].lower() for one in found}
    return found


def _empty_mentions(table: sa.Table, names: set[str]) -> None:
    mentioned = mentions(table, names)
    if mentioned is not None:
        empty_rows(table, mentioned)


def _empty_identities(table: sa.Table, names: set[str]) -> None:
    """Empty what says who somebody is, where it is an address of the person."""
    columns = [one for one in personal_columns(table) if one.info.get("identity")]
    addresses = [one.lower() for one in names if "@" in one]
    if not columns or not addresses or key_of(table) is None:
        return
    same = [sa.func.lower(sa.cast(one, sa.Text)).in_(addresses) for one in columns]
    values = {one: emptied(one) for one in columns}
    statement = sa.update(table).where(sa.or_(*same)).values(values)
    db.session.execute(statement.execution_options(unrecorded=True))
