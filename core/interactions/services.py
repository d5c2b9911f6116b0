"""Writing down what was said and done: the only code that changes interactions."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.changes import tell_beside
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Invalid
from core.events import announce
from core.i18n import _
from core.interactions.about import change_contacts, concerned, link, parent_of
from core.interactions.details import read_details
from core.interactions.linked import link_records
from core.interactions.mentions import mark_text
from core.interactions.models import Interaction
from core.interactions.opening import hold_opening, opening_of, tell_of_opening
from core.interactions.rules import (
    PLAIN_KIND,
    audience_for,
    check_changes,
    check_may_change,
    check_sharing,
    check_words,
    gains_readers,
)
from core.kinds import kind_of
from core.users.models import User


def write_interaction(
    contacts: Contact | Iterable[Contact],
    *,
    author: User | None,
    body: str,
    kind: str = PLAIN_KIND,
    audience: AudienceSpec | None = None,
    occurred_at: datetime | None = None,
    parent: Interaction | None = None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    direction: str = "",
    source: str = "",
    author_name: str = "",
    links: Iterable[str] = (),
) -> Interaction:
    """Write an entry on `contacts`, the first of which it belongs to.

    A reply takes the audience and contacts of what it answers; what is shared also
    concerns those it is shared with; without `audience` it is for the author's teams.
    `author_name` is of somebody without an account; `links` are references of records.
    Raises `Invalid` for an empty body, an unknown kind or field of it, or a reply that
    more would read than `audience` says, and `Forbidden` for an author who may not show
    entries to people outside.
    """
    spec = audience_for(author, audience, parent)
    check_sharing(author, spec)
    check_words(body, kind)
    moment = occurred_at or now()
    written = Interaction(
        kind=kind,
        subject=subject,
        body=body,
        details=read_details(kind, details or {}),
        direction=direction,
        source=source,
        occurred_at=moment,
        author=author,
        author_name=author_name,
        audience=intern_audience(spec),
        parent_id=parent.id if parent else None,
        opens_at=opening_of(author, spec, parent),
    )
    link(written, concerned(contacts, parent, spec))
    db.session.add(written)
    mark_text(written)
    db.session.flush()
    if links:
        link_records(written, links, author)
    tell_of_opening(written)
    _note_contact(written)
    return written


def change_interaction(
    interaction: Interaction,
    *,
    actor: User | None,
    body: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    occurred_at: datetime | None = None,
    audience: AudienceSpec | None = None,
    details: Mapping[str, Any] | None = None,
    direction: str | None = None,
    source: str | None = None,
    contacts: Iterable[Contact] | None = None,
    links: Iterable[str] | None = None,
) -> Interaction:
    """Change an entry; what is None stays as it is.

    `details` replace the former, and so do `contacts` and `links` those that the actor
    can see.

    Announces `interaction.audience_widened` to those who may read it from now on and
    `interaction.audience_narrowed` to those who could until now. Raises `Forbidden`
    for somebody who may not change it, or not open it to people outside, and
    `Invalid` for an empty body, an unknown kind, or a reply that would be read by
    people who cannot read what it answers.
    """
    check_may_change(actor, interaction)
    if details is not None:
        former = interaction.details
        details = read_details(kind or interaction.kind, details, former)
    changes = _changes(
        interaction,
        body=body,
        kind=kind,
        subject=subject,
        occurred_at=occurred_at,
        details=details,
        direction=direction,
        source=source,
    )
    check_changes(actor, interaction, changes)
    if changes:
        words = interaction.body if body is None else body
        known = interaction.kind if kind_of(interaction.kind) else PLAIN_KIND
        check_words(words, kind or known)
    # One act is one event, so that it is taken back as one.
    with db.session.no_autoflush:
        for name, value in changes.items():
            setattr(interaction, name, value)
        beside = _change_beside(interaction, contacts, links, actor)
        if changes or beside:
            interaction.edited_at = now()
        if "body" in changes:
            mark_text(interaction)
        if "occurred_at" in changes:
            for one in interaction.links:
                one.occurred_at = interaction.occurred_at
    if audience is not None:
        _change_audience(interaction, audience, actor)
    db.session.flush()
    _note_contact(interaction)
    return interaction


def _change_beside(
    interaction: Interaction,
    contacts: Iterable[Contact] | None,
    links: Iterable[str] | None,
    actor: User | None,
) -> bool:
    """Change whom an entry is about and what it is linked to; its history tells it."""
    before = set(interaction.contact_ids)
    if contacts is not None:
        change_contacts(interaction, contacts, actor)
    after = set(interaction.contact_ids)
    told: dict[str, tuple[set[Any], set[Any]]] = {}
    if before != after:
        told["about"] = (before - after, after - before)
    if links is not None:
        unlinked, linked = link_records(interaction, links, actor)
        if unlinked or linked:
            told["linked"] = (unlinked, linked)
    if told:
        tell_beside(interaction, **told)
    return bool(told)


def _changes(interaction: Interaction, **given: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in given.items()
        if value is not None and value != getattr(interaction, name)
    }


def trash_interaction(interaction: Interaction, *, actor: User | None) -> None:
    """Put an entry and the replies to it into the trash."""
    check_may_change(actor, interaction)
    if interaction.trashed_at is not None:
        return
    thread = [interaction, *_replies_below(interaction)]
    _move([one for one in thread if one.trashed_at is None], now(), actor)


def restore_interaction(interaction: Interaction, *, actor: User | None) -> None:
    """Take an entry out of the trash, with the replies that went there with it.

    Raises `Invalid` for a reply to something that is still in the trash.
    """
    check_may_change(actor, interaction)
    moment = interaction.trashed_at
    if moment is None:
        return
    parent = parent_of(interaction)
    if parent is not None and parent.trashed_at is not None:
        raise Invalid(_("What this answers is in the trash. Take that out first."))
    thread = [interaction, *_replies_below(interaction)]
    _move([one for one in thread if one.trashed_at == moment], None, actor)


def _move(
    entries: list[Interaction], trashed_at: datetime | None, actor: User | None
) -> None:
    """Put entries into the trash or take them out: all, or none of them."""
    for one in entries:
        check_changes(actor, one, {"trashed_at": trashed_at})
    for one in entries:
        one.trashed_at = trashed_at
    db.session.flush()


def pin_interaction(interaction: Interaction, *, pinned: bool = True) -> None:
    """Keep an entry at the top of its timelines, or let it go back to its place."""
    if pinned != (interaction.pinned_at is not None):
        interaction.pinned_at = now() if pinned else None
        db.session.flush()


def _note_contact(interaction: Interaction) -> None:
    """Tell the contacts when something last happened with them.

    The date stands on the contact, where every colleague sees it, so only entries
    that every colleague may read count; `timeline.last_contacts` knows each reader's
    own. A planned meeting has not happened yet.
    """
    at = interaction.occurred_at
    if interaction.audience.kind not in {"staff", "shared"} or at > now():
        return
    # Unrecorded: a note is no change of the contact. With a new version, everybody
    # who has its form open would be told that somebody saved first.
    db.session.execute(
        sa.update(Contact)
        .where(
            Contact.id.in_(interaction.contact_ids),
            sa.or_(
                Contact.last_interaction_at.is_(None),
                Contact.last_interaction_at < at,
            ),
        )
        .values(last_interaction_at=at, updated_at=Contact.updated_at),
        execution_options={"unrecorded": True, "synchronize_session": False},
    )


def _change_audience(
    interaction: Interaction, spec: AudienceSpec, actor: User | None
) -> None:
    before = interaction.audience.spec
    if spec == before:
        return
    writer = interaction.author
    gains = gains_readers(before, spec, writer)
    loses = gains_readers(spec, before, writer)
    parent = parent_of(interaction)
    if parent is not None and gains_readers(parent.audience.spec, spec, writer):
        said = _("A reply cannot be read by more people than what it answers.")
        raise Invalid(errors={"audience": [said]})
    if gains:
        check_sharing(actor, spec)
    data = {"before": before.kind, "after": spec.kind}
    if loses:
        # An event is for those who may read its record while it is written: this one
        # has to reach those who are about to lose it, so that it leaves their screens.
        announce("interaction.audience_narrowed", interaction, data)
    # Both in one flush: in between it would be told of outside.
    audience = intern_audience(spec)
    hold_opening(interaction, spec, actor, opens=gains)
    interaction.audience = audience
    link(interaction, sorted(spec.shared_with))
    for reply in _replies_below(interaction):
        # Replies were written for the readers of then, so they are never opened; but
        # nobody goes on reading answers to what they cannot read any more.
        if gains_readers(spec, reply.audience.spec, reply.author):
            announce("interaction.audience_narrowed", reply, data)
            reply.audience = interaction.audience
    if gains:
        announce("interaction.audience_widened", interaction, data)
        tell_of_opening(interaction)


def _replies_below(interaction: Interaction) -> list[Interaction]:
    """Find the replies to an entry, the replies to those, and so on."""
    found: list[Interaction] = []
    level = [interaction.id]
    while level:
        below = db.session.scalars(
            sa.select(Interaction).where(Interaction.parent_id.in_(level))
        ).all()
        found.extend(below)
        level = [one.id for one in below]
    return found
