"""Who may write what for whom, and who may change it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import current_app

from core.audiences import AudienceSpec, widens
from core.db import db
from core.errors import Forbidden, Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.permissions import MODERATE, SHARE
from core.kinds import interaction_kinds, kind_of
from core.permissions import can
from core.plugin_manager import answers
from core.readers import choose_audience
from core.users.models import TeamMember, User

PLAIN_KIND = "note"


def may_change(user: User, interaction: Interaction) -> bool:
    """Say whether `user` may change an entry they can see, or put it in the trash.

    That is its author; for an entry whose author has no account, every colleague;
    and whoever may put other people's entries right.
    """
    if interaction.author_id == user.id:
        return True
    if user.kind != "staff":
        return False
    return interaction.author_id is None or can(MODERATE, user)


def check_may_change(actor: User | None, interaction: Interaction) -> None:
    """Refuse with `Forbidden` somebody who may not change an entry."""
    # No actor is the house itself: an import being undone, a mailbox.
    if actor is not None and not may_change(actor, interaction):
        raise Forbidden(_("Only its author may change this entry."))


def check_changes(
    actor: User | None, interaction: Interaction, changes: Mapping[str, Any]
) -> None:
    """Refuse with `Forbidden` what a plugin says that `actor` may not change."""
    if actor is None or not changes:
        return
    asked = {"entry": interaction, "user": actor, "changes": changes}
    for _plugin, said in answers(current_app, "refuse_entry_change", **asked):
        if said:
            raise Forbidden(said)


def check_sharing(author: User | None, spec: AudienceSpec) -> None:
    """Refuse with `Forbidden` a colleague who may not write to people outside."""
    if author is None or author.kind != "staff" or spec.kind != "shared":
        return
    if not can(SHARE, author):
        raise Forbidden(_("Your role may not show entries to customers or vendors."))


def check_words(body: str, kind: str) -> None:
    """Refuse with `Invalid` a kind that nobody declared, and a text that is missing."""
    known = kind_of(kind)
    if not body.strip() and not (known and known.wordless):
        said = _("Write what a colleague should know.")
        raise Invalid(errors={"body": [said]})
    if kind != PLAIN_KIND and known is None:
        said = _(
            "There is no kind %(name)s. There are: %(names)s",
            name=kind,
            names=", ".join(interaction_kinds()),
        )
        raise Invalid(errors={"kind": [said]})


def audience_for(
    author: User | None, asked: AudienceSpec | None, parent: Interaction | None
) -> AudienceSpec:
    """Say who reads a new entry: as asked, or as what it answers, or the default.

    Raises `Invalid` for a reply that more people would read than its author asked for.
    """
    if parent is not None:
        inherited = parent.audience.spec
        # Somebody who asks for fewer readers than the entry has must not find out
        # afterwards that more have read the reply.
        if asked is not None and gains_readers(asked, inherited, author):
            said = _("A reply is read by everybody who reads what it answers.")
            raise Invalid(errors={"audience": [said]})
        return inherited
    if author is None:
        return asked or AudienceSpec("staff")
    if author.kind != "staff":
        return choose_audience(author, None)
    return asked or choose_audience(author, None)


def gains_readers(
    before: AudienceSpec, after: AudienceSpec, writer: User | None
) -> bool:
    """Say whether `after` opens an entry to somebody who could not read it before.

    Who wrote it could, and a colleague who is named may be in one of the teams.
    """
    if after.kind != "private" or before.kind in {"staff", "shared"}:
        return widens(before, after)
    newcomers = after.users - before.users
    if writer is not None:
        newcomers -= {writer.id}
    if newcomers and before.teams:
        members = sa.select(TeamMember.user_id).where(
            TeamMember.team_id.in_(before.teams), TeamMember.user_id.in_(newcomers)
        )
        newcomers -= set(db.session.scalars(members))
    return bool(newcomers)
