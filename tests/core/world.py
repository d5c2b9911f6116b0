"""A small house with one record of everything, for tests that try every route.

`World.samples` gives what stands in an address for each of its parameters. A new kind
of record in an address needs a line there; the tests say which.
"""

import io
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from core import settings
from core.admin.models import HouseLogo
from core.app import CRM
from core.audiences import AudienceSpec
from core.contacts.merging.readers import marks_of, new_readers
from core.contacts.merging.services import merge
from core.contacts.models import Affiliation, Contact, SavedView
from core.contacts.services import create_contact
from core.db import db, now
from core.events import Event, acting
from core.importing.drafts import begin_draft
from core.importing.running import import_kinds
from core.interactions.services import write_interaction
from core.mail.services import queue_mail
from core.mail.words import from_text
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_user
from core.users.defaults import ROLES
from core.users.models import ApiToken, Role, Team, User, UserDeputy, UserSession
from core.users.services import ensure_role, ensure_team
from core.users.sessions import create_token, hash_secret, open_session
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.hand_overs.models import HandOver, HandOverItem
from plugins.interactions.meetings.models import Attendee, CalendarFeed, Meeting
from plugins.portal.services.orders import place_order
from plugins.portal.services.products import create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    send_purchase_order,
)
from plugins.search.models import SavedSearch
from plugins.support.models import Message

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"
TEAM = "Sales"
LOGO = "a" * 64

# What everybody may ask for whom the route lets in.
COMMON = {
    "reactions/name",
    "assets/digest",
    "alias",
    "panels/name",
    "versions/number",
    "products/sku",
    "act",
    "users/user_id",
    "plugins/name",
    "logo/sha256",
    "roles/role_id",
    "teams/team_id",
    "reset/secret",
    "unsubscribe/token",
    "settings/owner",
    "reset/name",
    "first-hour/step",
    "jobs/name",
    "kinds/name",
    "invitation/secret",
    "calendar/file",
    "undo/number",
}
# What belongs to the administrator of the samples alone.
PERSONAL = {
    "sessions/session_id",
    "tokens/token_id",
    "deputies/line_id",
    "import/run_id",
    "mail/mail_id",
    "notifications/notification_id",
    "undo/change_id",
    "dossiers/dossier_id",
    "views/view_id",
    "saved/search_id",
}
# What has an audience, and so also a sample for one team of colleagues.
AUDIENCED = {
    "interactions/interaction_id",
    "follow-ups/follow_up_id",
    "attendees/attendee_id",
    "documents/document_id",
    "support/number",
    "tickets/ticket_id",
}


@dataclass(frozen=True)
class Visitor:
    """Somebody who comes: who they are, what they have in hand, what that gives."""

    name: str
    kind: str = "nobody"
    permissions: frozenset[str] = frozenset()
    client: FlaskClient | None = None
    cookie: str = ""
    token: bool = False
    team: bool = False
    # Whose records they see: `ours`, `theirs`, or both.
    sees: frozenset[str] = frozenset()

    def passes(self, rule: Rule, door: Any) -> bool:
        """Say whether the declared door of a route lets this visitor in."""
        if not door.signed_in:
            return True
        if self.kind == "nobody" or (
            self.token and not rule.rule.startswith(("/api/", "/metrics"))
        ):
            return False
        if self.kind != "staff" and not door.portal:
            return False
        return door.permission is None or door.permission.name in self.permissions

    def finds(self, place: str, house: str) -> bool:
        """Say whether this visitor may know of the sample record of `house`."""
        if place in COMMON:
            return True
        if place in PERSONAL:
            return self.name == "admin"
        if house == "team":
            return self.team
        return house in self.sees


@dataclass
class World:
    """Who comes, and what stands in addresses: of `ours`, `theirs`, or for a `team`."""

    app: CRM
    visitors: list[Visitor] = field(default_factory=list)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)


def place_of(rule: Rule, name: str) -> str:
    """Name a parameter with the word before it: `orders/number`, or by itself."""
    parts = rule.rule.strip("/").split("/")
    at = next(i for i, one in enumerate(parts) if one.partition(">")[0].endswith(name))
    before = parts[at - 1] if at else "<"
    return name if before.startswith("<") else f"{before}/{name}"


def make_world(app: CRM) -> World:
    """Fill the database; gives who comes and what stands in addresses."""
    world = World(app)
    both = ["customer", "vendor"]
    firms = {
        "ours": make_contact("Kallion Vesijohto Oy", roles=both),
        "theirs": make_contact("Tapio Rakennus Oy", roles=both),
    }
    chief = make_user("Ada Admin", roles=["admin"], email="chief@example.com")
    spare = make_user("Spare Hand", teams=[TEAM])
    with db.transaction():
        product = {"sku": "KV-1", "name": "Valve", "price": Decimal(4), "on_hand": 9}
        create_product(product, actor=None)
    client = _with_token(app, chief, "*")
    for house, firm in firms.items():
        world.samples[house] = _records(client, chief, house, firm)
        world.samples[house]["users/user_id"] = spare.id
        outside = make_user("Outi Kallio", kind="customer", contact=firm)
        world.samples[house]["view-as/user_id"] = outside.id
    with db.transaction():
        kind = {"name": "inspection", "title": "Inspection", "fields": []}
        settings.save("house", {"entry_kinds": [kind]})
    world.samples["team"] = world.samples["ours"] | _for_a_team(client, firms["ours"])
    for house, samples in world.samples.items():
        samples |= _meeting(house, samples["interactions/interaction_id"], chief)
    _invite(world, chief, firms)
    return world


def _records(client: Any, chief: User, house: str, firm: Contact) -> dict[str, Any]:
    person = make_contact("Outi Kallio", kind="person")
    buyer = make_user(f"Buyer {house}", kind="customer", contact=firm)
    with db.transaction() as session:
        joined = Affiliation(person_id=person.id, organisation_id=firm.id)
        session.add(joined)
        line = [{"sku": "KV-1", "quantity": 1}]
        user = session.get_one(User, buyer.id)
        order = place_order(user, lines=line, back_orders=True)
        asked = create_purchase_order(
            session.get_one(User, chief.id),
            vendor=session.get_one(Contact, firm.id),
            lines=line,
        )
        send_purchase_order(asked)
        line_id = asked.lines[0].id
        orders = (order.id, order.number, asked.id, asked.number)
        token, _secret = create_token(session.get_one(User, chief.id), scopes=["*"])
        open_session(session.get_one(User, chief.id), days=1)
        away = UserDeputy(
            user_id=chief.id,
            deputy_id=chief.id,
            from_on=date(2020, 1, 1),
            until_on=date(2020, 1, 1),
        )
        session.add(away)
        session.flush()
        newest = sa.select(sa.func.max(UserSession.id))
        drafted = begin_draft(
            io.BytesIO(b"Name\nKallio Oy\n"),
            filename="firms.csv",
            kind=import_kinds(client.application)["contacts"],
            actor=chief,
        ).id
        mail = queue_mail(
            ["outi@example.com"],
            words=from_text("Offer", "Here.", language="en"),
            author_id=chief.id,
        )
        secret = write_interaction(
            session.get_one(Contact, firm.id),
            author=session.get_one(User, chief.id),
            body="Between us.",
            audience=AudienceSpec("private", users=frozenset({chief.id})),
        )
        with acting(chief.id):
            session.get_one(Contact, firm.id).next_step = "Call"
            session.flush()
        rest = _of_the_house(session, chief)
        handed = HandOver(contact_id=firm.id, giver_id=chief.id, receiver_id=chief.id)
        handed.items = [HandOverItem(kind="word")]
        session.add(handed)
        session.flush()
        handed_ids = handed.id, handed.items[0].id
        merged_id = _merged_into(session, firm)
        kept = KeptDossier(user_id=chief.id, contact_id=firm.id, ending="pdf")
        session.add(kept)
        session.flush()
        view = SavedView(user_id=chief.id, name="Mine", asked={"view": "mine"})
        sought = SavedSearch(user_id=chief.id, text=firm.name)
        session.add_all([view, sought])
        session.flush()
        kept_id, view_id, sought_id = kept.id, view.id, sought.id
        own = (session.scalar(newest), token.id, away.id, mail.id, secret.id, *rest)
        joined_id = joined.id
    shared = {"audience": "shared", "shared_with": [firm.id]}
    return _shared(client, firm, shared) | {
        "contacts/contact_id": firm.id,
        "timeline/contact_id": firm.id,
        "reactions/name": "thanks",
        "of/contact_id": firm.id,
        "hand-overs/hand_over_id": handed_ids[0],
        "dossiers/dossier_id": kept_id,
        "views/view_id": view_id,
        "saved/search_id": sought_id,
        "related/ref": firm.ref,
        "items/item_id": handed_ids[1],
        "merged/merge_id": merged_id,
        "follow/contact_id": firm.id,
        "agreements/contact_id": firm.id,
        "affiliations/affiliation_id": joined_id,
        "panels/name": "contacts.strip",
        "versions/number": 1,
        "products/sku": "KV-1",
        "assets/digest": "x",
        "alias": "app.css",
        "act": "cancel",
        "orders/number": orders[1],
        "orders/key": orders[0],
        "purchase-orders/number": orders[3],
        "purchase-orders/key": orders[2],
        "lines/line_id": line_id,
        "sessions/session_id": own[0],
        "tokens/token_id": own[1],
        "deputies/line_id": own[2],
        "import/run_id": drafted,
        "mail/mail_id": own[3],
        "private/interaction_id": own[4],
        "plugins/name": "support",
        "notifications/notification_id": own[5],
        "undo/change_id": own[6],
        "logo/sha256": LOGO,
        "roles/role_id": own[7],
        "teams/team_id": own[8],
        "reset/secret": "x",
        "unsubscribe/token": "x",
        "settings/owner": "mail",
        "reset/name": "hold_seconds",
        "first-hour/step": "name",
        "jobs/name": "mail.sweep",
        "kinds/name": "inspection",
        "undo/number": 1,
    }


def _merged_into(session: Any, firm: Contact) -> int:
    """Let another contact have gone into `firm`; give the number of the merge."""
    gone = create_contact({"kind": firm.kind, "name": "Kallion Vesi"}, actor=None)
    kept = session.get_one(Contact, firm.id)
    agreed = marks_of(new_readers(kept, gone, {}, None))
    return merge(kept, gone, actor=None, accepted=agreed).id


def _of_the_house(session: Any, chief: User) -> tuple[int, ...]:
    """Give a notification and a change of `chief`, a role and a team, by id."""
    told = Notification(
        user_id=chief.id, key=f"k{now().isoformat()}", kind="imports.ended", text="x"
    )
    if session.get(HouseLogo, LOGO) is None:
        logo = HouseLogo(sha256=LOGO, media_type="image/png", content=b"x")
        session.add(logo)
    session.add(told)
    session.flush()
    change = sa.select(sa.func.max(Event.id)).where(Event.actor_id == chief.id)
    role = sa.select(Role.id).where(Role.name == "support")
    team = sa.select(Team.id).where(Team.name == TEAM)
    return (told.id, *(session.scalar(one) for one in (change, role, team)))


def _made(answer: Any) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json


def _shared(client: Any, firm: Contact, readers: dict[str, Any]) -> dict[str, Any]:
    """Make an entry, a document and a ticket for these readers."""
    body = {"contacts": [firm.id], "body": "Likes Tuesdays.", **readers}
    entry = _made(client.post("/api/v1/interactions", json=body))
    parts = {"file": (io.BytesIO(PDF), "Prices.pdf"), "contact": firm.id, **readers}
    document = _made(client.post("/api/v1/documents", data=parts))
    ask = {"contact": firm.id, "subject": "Pump", "body": "Loud.", **readers}
    ticket = _made(client.post("/api/v1/tickets", json=ask))
    with db.read_only() as session:
        of_ticket = Message.ticket_id == ticket["id"]
        message = session.scalars(sa.select(Message.interaction_id).where(of_ticket))
        message_id = message.first()
    later = {"text": "Ask again", "due_at": "2026-03-01T08:00:00Z"}
    later |= {"interaction": entry["id"]}
    follow_up = _made(client.post("/api/v1/follow-ups", json=later))
    return {
        "follow-ups/follow_up_id": follow_up["id"],
        "interactions/interaction_id": entry["id"],
        "documents/document_id": document["id"],
        "support/number": ticket["number"],
        "messages/number": ticket["number"],
        "take-back/entry_id": message_id,
        "tickets/ticket_id": ticket["id"],
    }


def _meeting(house: str, entry_id: int, chief: User) -> dict[str, Any]:
    """Invite somebody to an entry, and let the chief have a calendar."""
    with db.transaction() as session:
        meeting = Meeting(interaction_id=entry_id, uid=f"{house}@x", title="Lunch")
        guest = Attendee(
            address="outi@x.example",
            seal=house,
            secret_hash=hash_secret(f"link-{house}"),
        )
        meeting.guests.append(guest)
        session.add(meeting)
        if session.get(CalendarFeed, chief.id) is None:
            feed = CalendarFeed(
                user_id=chief.id, secret_hash=hash_secret("feed"), ending="feed"
            )
            session.add(feed)
        session.flush()
        return {
            "attendees/attendee_id": guest.id,
            "invitation/secret": f"link-{house}",
            "calendar/file": "feed.ics",
        }


def _for_a_team(client: Any, firm: Contact) -> dict[str, Any]:
    return _shared(client, firm, {"audience": "teams", "teams": [TEAM]})


# -- Who comes -----------------------------------------------------------------------


def _with_token(app: CRM, user: User, *scopes: str) -> Any:
    """Give a client that sends a token of `user`; without scopes, one that has none."""
    secret = f"rap_{user.id}-{'-'.join(scopes)}"
    with db.transaction() as session:
        row = ApiToken(
            secret_hash=hash_secret(secret), user_id=user.id, scopes=list(scopes)
        )
        session.add(row)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def _with_cookie(app: CRM, user: User) -> FlaskClient:
    from core.testing.signing_in import browser_of

    return browser_of(app, user.email)


def _invite(world: World, chief: User, firms: dict[str, Contact]) -> None:
    app, everything = world.app, frozenset(app_permissions(world.app))
    both = frozenset({"ours", "theirs"})
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
        ensure_team("Others")
    sales = frozenset(ROLES["sales"])

    def add(name: str, user: User | None, kind: str, **more: Any) -> None:
        client = _with_cookie(app, user) if user else app.test_client()
        cookie = client.get_cookie("rapport")
        value = cookie.value if cookie else ""
        world.visitors.append(Visitor(name, kind, client=client, cookie=value, **more))

    add("anonymous", None, "nobody")
    for role, names in ROLES.items():
        same = role != "support" and names == ROLES["support"]
        if role in {"customer", "vendor"} or same:
            # Portal roles come below; who may the same is the same to every door.
            continue
        user = chief if role == "admin" else make_user(role, roles=[role], teams=[TEAM])
        may = everything if role == "admin" else frozenset(names)
        # The administrator of the samples wrote them all.
        add(role, user, "staff", permissions=may, sees=both, team=True)
    add("staff without roles", make_user(roles=[]), "staff", sees=both)
    other = make_user("Other", teams=["Others"])
    add("outsider team", other, "staff", permissions=sales, sees=both)
    add("limited to own", make_user(roles=["narrow"]), "staff", permissions=sales)
    for kind in ("customer", "vendor"):
        for house, firm in firms.items():
            user = make_user(f"{kind} {house}", kind=kind, contact=firm)
            may = frozenset(ROLES[kind])
            sees = frozenset({house})
            add(f"{kind} of {house}", user, kind, permissions=may, sees=sees)
    _add_keys(world, make_user("Key", teams=[TEAM]), both)
    _add_disabled(world)


def _add_keys(world: World, user: User, both: frozenset[str]) -> None:
    for name, scopes in (("no scopes", ()), ("one scope", ("search:read",))):
        client = _with_token(world.app, user, *scopes)
        may = frozenset(scopes)
        world.visitors.append(
            Visitor(
                f"token with {name}",
                "staff",
                may,
                client,
                token=True,
                team=True,
                sees=both,
            )
        )


def _add_disabled(world: World) -> None:
    gone = make_user("Gone Away", roles=["admin"])
    browser, program = _with_cookie(world.app, gone), _with_token(world.app, gone, "*")
    with db.transaction() as session:
        # As by another hand than our service, which also ends what is signed in.
        session.get_one(User, gone.id).active = False
    world.visitors.append(Visitor("disabled user", client=browser))
    world.visitors.append(Visitor("token of a disabled user", client=program))


def app_permissions(app: CRM) -> list[str]:
    """Name every permission that is declared."""
    return list(app.extensions["rapport_permissions"])
