"""Who may be chosen as readers, and what is asked before more people read an entry."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.columns import UTCDateTime
from core.contacts.models import Affiliation, Contact
from core.contacts.services import rollup_of
from core.errors import Forbidden, Invalid
from core.i18n import _, ngettext
from core.interactions.mentions import with_readers
from core.interactions.permissions import SHARE
from core.permissions import can, me
from core.readers import (
    Readers,
    choose_audience,
    readers_of,
    remember_contact,
    remember_names,
    words_for,
)
from core.statements import prepared
from core.users.models import Team, User
from core.visibility import visible_conditions
from plugins.interactions.follow_ups.reading import OpenFollowUp, open_in_story
from plugins.interactions.hand_overs.reading import OpenHandOver, open_on_contact
from plugins.interactions.seen import Looked, looked_from, looked_rows

# More names than this are folded.
NAMED, NAMED_OF_MANY = 8, 6
MOST_COLLEAGUES = 300
# What only follow-ups have.
_NO_TIME = sa.cast(sa.null(), UTCDateTime()).label("at")
_NO_NAME = sa.cast(sa.null(), sa.String).label("owner")
# A page that listens for more contacts than this listens for all.
MOST_HEARD = 200


@dataclass(frozen=True)
class Choices:
    """What the composer offers, as pairs of id and name.

    `heard` are the contacts whose news belong to the page; None is all of them.
    `looked` is how far the reader has read the contact's story before.
    """

    teams: Sequence[tuple[int, str]] = ()
    colleagues: Sequence[tuple[int, str]] = ()
    outside: Sequence[tuple[int, str]] = ()
    outside_word: str = ""
    heard: Sequence[int] | None = None
    looked: Looked | None = None
    # What is open on the contact, where it was asked for.
    follow_ups: Sequence[OpenFollowUp] = ()
    handed: OpenHandOver | None = None


@dataclass(frozen=True)
class WhoSees:
    """The line under the text: who will read it, and what the button says."""

    words: str
    verb: str = ""
    named: Sequence[str] = ()
    folded: Sequence[str] = ()
    silent: Sequence[str] = ()
    seen: Sequence[int] = ()
    colleagues: int = 0


class ReadersUnseen(Invalid):
    """Somebody would read an entry whom its writer was not shown."""

    def __init__(self, message: object, readers: Readers, *, sure: str = ""):
        """Say what has to be looked at; `sure` is what a yes to it is sent as."""
        super().__init__(message, errors={"audience": [str(message)]})
        self.who = put_into_words(readers)
        self.sure = sure


def choices(
    user: User, contact: Contact | None, *, follow_ups: bool = False
) -> Choices:
    """Give what `user` may choose for an entry on `contact`, in one statement.

    With `follow_ups` also what is open on it, which its page shows.
    """
    sharing = contact is not None and can(SHARE)
    kind = contact.kind if contact is not None else ""
    offered = prepared(user, _offered, kind, sharing, follow_ups)
    about = contact.id if contact is not None else 0
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    open_ones, handed = [], None
    for of, id_, name, at, owner in offered.rows(about=about, me=user.id):
        if of == "follow":
            open_ones.append(OpenFollowUp(id_, name, at, owner or ""))
        elif of == "handed":
            handed = OpenHandOver(id_, name or "", at, owner or "")
        else:
            found[of].append((id_, name))
    for of in ("team", "user", "contact"):
        found[of].sort(key=lambda one: one[1].casefold())
    remember_names("team", dict(found["team"]))
    remember_names("user", {user.id: user.name, **dict(found["user"])})
    if contact is not None:
        remember_contact(contact)
    outside = [(contact.id, contact.name), *found["contact"]] if contact else []
    heard = [one for one, _name in found["heard"]]
    return Choices(
        found["team"],
        found["user"],
        outside if sharing else [],
        _outside_word(contact),
        heard if len(heard) <= MOST_HEARD else None,
        looked_from(found),
        sorted(open_ones, key=lambda one: (one.remind_at, one.id)),
        handed,
    )


def _offered(user: User, kind: str, sharing: bool, follow_ups: bool) -> sa.Select[Any]:
    """Select teams, colleagues, who may be shared with, and whose story it is."""
    teams = sa.select(sa.literal("team").label("of"), Team.id, Team.name)
    colleagues = (
        sa.select(sa.literal("user"), User.id, User.name)
        .where(User.kind == "staff", User.active, User.id != sa.bindparam("me"))
        .order_by(User.name)
        .limit(MOST_COLLEAGUES)
    )
    parts: list[Any] = [teams, sa.select(colleagues.subquery())]
    about = sa.bindparam("about", type_=sa.Integer)
    if sharing:
        parts.append(_beside(user, kind, about))
    if kind:
        story = rollup_of(kind, about)
        heard = story.limit(MOST_HEARD + 1).subquery()
        parts.append(sa.select(sa.literal("heard"), heard.c.id, sa.literal("")))
        parts += looked_rows(user, kind, about)
    parts = [one.add_columns(_NO_TIME, _NO_NAME) for one in parts]
    if kind and follow_ups:
        due = open_in_story(user, story).subquery()
        handed = open_on_contact(user, about).subquery()
        parts.append(sa.select(sa.literal("follow"), due))
        parts.append(sa.select(sa.literal("handed"), handed))
    return sa.select(sa.union_all(*parts).subquery("offered"))


def _beside(user: User, kind: str, about: Any) -> sa.Select[str, int, str]:
    """Select who else outside an entry may be for: a person's firm, a firm's people.

    Of an organisation's people only those are offered who can sign in.
    """
    query = sa.select(sa.literal("contact"), Contact.id, Contact.name).distinct()
    if kind == "person":
        query = query.join(Affiliation, Affiliation.organisation_id == Contact.id)
        query = query.where(Affiliation.person_id == about, Affiliation.active)
    else:
        query = query.join(User, User.person_id == Contact.id)
        query = query.where(User.contact_id == about, User.active)
    return query.where(Contact.trashed_at.is_(None), *visible_conditions(user, Contact))


def _outside_word(contact: Contact | None) -> str:
    roles = contact.roles if contact is not None else []
    if "vendor" in roles and "customer" not in roles:
        return str(_("Vendor sees this"))
    return str(_("Customer sees this"))


def put_into_words(readers: Readers) -> WhoSees:
    """Say who will see an entry: outsiders by name, colleagues by number."""
    if not readers.outside and not readers.silent:
        return WhoSees(words_for(readers))
    names = [_name(one.name, one.organisation) for one in readers.outside]
    shown = len(names) if len(names) <= NAMED else NAMED_OF_MANY
    verb = ngettext(
        "Send to %(num)d person outside", "Send to %(num)d people outside", len(names)
    )
    if not names:
        verb = _("Show to %(names)s", names=", ".join(readers.silent))
    return WhoSees(
        words_for(readers),
        verb,
        names[:shown],
        names[shown:],
        readers.silent,
        [one.id for one in readers.outside],
        len(readers.inside),
    )


def _name(name: str, organisation: str) -> str:
    if not organisation:
        return name
    return str(_("%(name)s (%(firm)s)", name=name, firm=organisation))


def check_seen(
    spec: AudienceSpec,
    *,
    looked: bool,
    seen: Collection[int],
    known: AudienceSpec | None = None,
) -> None:
    """Refuse what somebody outside would read whom its writer was not shown.

    `looked` says that the form listed its readers, `seen` are their accounts, and
    `known` could read the entry before. Raises `ReadersUnseen`.
    """
    if spec.kind != "shared" or spec == known:
        return
    readers = readers_of(spec)
    shown = set(seen)
    if known is not None and known.kind == "shared":
        shown |= {one.id for one in readers_of(known).outside}
        looked = looked or spec.shared_with <= known.shared_with
    if looked and all(one.id in shown for one in readers.outside):
        return
    said = _("This leaves the house. Look at who will read it, then send it.")
    raise ReadersUnseen(said, readers)


def chosen(form: dict[str, Any], contacts: list[Contact]) -> AudienceSpec:
    """Read the audience that a form chose for an entry on `contacts`.

    Raises `Invalid` for what nobody offered, `Forbidden` for who may not share.
    """
    if form["audience"] == "shared" and me().kind == "staff" and not can(SHARE):
        raise Forbidden
    spec = choose_audience(
        me(),
        form["audience"],
        teams=form["teams"],
        users=form["users"],
        shared_with=form["shared_with"],
        contact=contacts[0] if contacts else None,
    )
    return with_readers(spec, form["also"]) if me().kind == "staff" else spec
