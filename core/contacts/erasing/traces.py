"""What else holds a person's words, without a foreign key: events, mail, journals."""

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from core.contacts.erasing.emptying import (
    emptied,
    empty_rows,
    personal_columns,
    personal_tables,
)
from core.contacts.erasing.mentions import Called, mentioning
from core.contacts.erasing.reach import Reach, chunks, key_of, reachable
from core.contacts.merging.models import Merge, MovedCell
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


def erase_traces(reach: Reach, known_as: Called, alone: Called) -> None:
    """Take a person out of events, mail, notifications, answers and imports.

    `known_as` is what named them before, and `alone` what of it names nobody else:
    what mentions that elsewhere is emptied.
    """
    refs = set(reach.refs())
    _erase_events(reach, refs, known_as)
    _erase_mail(refs, alone)
    _erase_news(refs)
    _erase_imports(refs, alone)
    _erase_authors(reach, known_as)
    reached = reachable()
    for table in personal_tables():
        if table not in reached:
            _empty_mentions(table, alone)
        _empty_identities(table, alone.addresses)
    # Whoever asks the same again within the day is told that it was done, and where;
    # what the answer said may have been anything.
    db.session.execute(sa.update(IdempotentAnswer).values(body=b""))


def _erase_events(reach: Reach, refs: set[str], known_as: Called) -> None:
    event = table_of(Event)
    nothing = {event.c.personal: sa.null()}
    for some in chunks(reach.contacts):
        of_contact = event.c.contact_id.in_(some)
        db.session.execute(sa.update(event).where(of_contact).values(nothing))
    for some in chunks(refs):
        of_record = event.c.subject.in_(some)
        db.session.execute(sa.update(event).where(of_record).values(nothing))
    for some in chunks(reach.left):
        beside = event.c.subject.in_([f"interaction/{one}" for one in some])
        query = sa.select(event.c.id, event.c.personal).where(beside)
        told = [
            row.id for row in db.session.execute(query) if known_as.is_in(row.personal)
        ]
        of_these = event.c.id.in_(told)
        db.session.execute(sa.update(event).where(of_these).values(nothing))
    _erase_shared_past(reach)
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


def _erase_shared_past(reach: Reach) -> None:
    """Take the person out of the past of those they were merged with for a time.

    What the others' events and journals say of before and after are the person's
    addresses and words too, also where one of them went into a third meanwhile.
    """
    event, cell = table_of(Event), table_of(MovedCell)
    since, parted = _together(reach.contacts)
    for contact_id, begin in since.items():
        told = sa.and_(
            event.c.subject == f"contact/{contact_id}", event.c.time >= begin
        )
        statement = sa.update(event).where(told)
        db.session.execute(statement.values({event.c.personal: sa.null()}))
    for some in chunks(parted):
        # Nobody parts them again: this journal is read no more.
        empty_rows(cell, cell.c.merge_id.in_(some))


def _together(mine: Collection[int]) -> tuple[dict[int, datetime], set[int]]:
    """Give who was merged with these, since when, and the merges that were parted."""
    since: dict[int, datetime] = {}
    parted: set[int] = set()
    todo: list[tuple[int, datetime | None]] = [(one, None) for one in mine]
    while todo:
        contact_id, begin = todo.pop()
        query = sa.select(Merge).where(
            sa.or_(Merge.kept_id == contact_id, Merge.gone_id == contact_id)
        )
        if begin is not None:
            later = sa.or_(Merge.parted_at.is_(None), Merge.parted_at >= begin)
            query = query.where(later)
        for one in db.session.scalars(query).all():
            if one.parted_at is not None:
                parted.add(one.id)
            for other in {one.kept_id, one.gone_id} - set(mine) - since.keys():
                since[other] = max(one.merged_at, begin or one.merged_at)
                todo.append((other, since[other]))
    return since, parted


def _erase_mail(refs: set[str], known_as: Called) -> None:
    """Empty the mails about a person's records or with their name; stop unsent ones."""
    table = table_of(OutgoingMail)
    ids: set[int] = set()
    for some in chunks(refs):
        about = sa.select(table.c.id).where(table.c.about.in_(some))
        ids |= set(db.session.scalars(about))
    ids |= {id_ for (id_,) in mentioning(table, known_as, table.c.id)}
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


def _erase_imports(refs: set[str], known_as: Called) -> None:
    """Forget what other systems call a person, and the files that brought them."""
    runs: set[int] = set()
    for some in chunks(refs):
        db.session.execute(sa.delete(ImportKey).where(ImportKey.ref.in_(some)))
        brought = sa.select(ImportEntry.run_id).where(ImportEntry.ref.in_(some))
        runs |= set(db.session.scalars(brought))
    for key in (table_of(ImportRun).c.id, table_of(ImportRefusal).c.run_id):
        runs |= {id_ for (id_,) in mentioning(key.table, known_as, key)}
    for some in chunks(runs):
        found = sa.select(ImportRun).where(ImportRun.id.in_(some))
        for run in db.session.scalars(found):
            drop_file(run)


def _erase_authors(reach: Reach, known_as: Called) -> None:
    """Take the person's name off what they wrote that concerns others too."""
    table = table_of(Interaction)
    linked = sa.select(InteractionContact.interaction_id).where(
        InteractionContact.contact_id.in_(reach.contacts)
    )
    author = table.c.author_name
    names = known_as.names | known_as.addresses
    small = [one.lower() for one in names]
    wrote = sa.or_(author.in_(names), sa.func.lower(author).in_(small))
    statement = sa.update(table).where(table.c.id.in_(linked), wrote)
    statement = statement.values(author_name=emptied(table.c.author_name))
    db.session.execute(statement.execution_options(unrecorded=True))


def _empty_mentions(table: sa.Table, what: Called) -> None:
    """Empty the rows of a table of nobody's in which the person is named."""
    keys = list(table.primary_key.columns)
    for rows in chunks(mentioning(table, what, *keys)):
        one = keys[0].in_([row[0] for row in rows])
        empty_rows(table, sa.tuple_(*keys).in_(rows) if len(keys) > 1 else one)


def _empty_identities(table: sa.Table, addresses: Iterable[str]) -> None:
    """Empty what says who somebody is, where it is an address of the person."""
    columns = [one for one in personal_columns(table) if one.info.get("identity")]
    small = [one.lower() for one in addresses]
    if not columns or not small or key_of(table) is None:
        return
    same = [sa.func.lower(sa.cast(one, sa.Text)).in_(small) for one in columns]
    values = {one: emptied(one) for one in columns}
    statement = sa.update(table).where(sa.or_(*same)).values(values)
    db.session.execute(statement.execution_options(unrecorded=True))
