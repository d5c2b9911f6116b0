"""Each event that is declared happens: in one story that the whole house plays.

A new event type needs an act here, or a reason in `ELSEWHERE` why it cannot have one.
"""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import settings
from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.events import Delivery, Event, acting
from core.interactions.models import Interaction
from core.mail.services import cancel_mail
from core.notifications.choosing import NOW, REST, choose_ways
from core.testing.factories import PASSWORD, make_contact, make_interaction, make_user
from core.users import leaving
from core.users.models import User
from core.users.sessions import create_token
from plugins.interactions.hand_overs.models import HandOverItem
from plugins.interactions.meetings.models import Attendee
from plugins.interactions.meetings.services import answer_invitation
from plugins.portal.models import Order, PurchaseOrder
from plugins.portal.services.orders import place_order
from plugins.portal.services.products import create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    receive_goods,
    send_purchase_order,
)
from plugins.portal.services.vendor_dates import (
    accept_proposal,
    confirm_lines,
    decline_proposal,
    propose_date,
)
from tests.core.mail.writing import PEKKA, look, write

# Event types that no act of a test can bring about, each with its reason.
ELSEWHERE: dict[str, str] = {}


@pytest.fixture
def app_config():
    """What is shared on a page waits, so that people can see that it opens."""
    return {"MAIL_PORTAL_HOLD_SECONDS": 5}


class Story:
    """Who plays: an administrator, a colleague, a customer and a vendor."""

    def __init__(self, app, as_user, api, deliver, mailbox, clock):
        self.app, self.deliver, self.mailbox = app, deliver, mailbox
        self.clock = clock
        self.firm = make_contact("Kallion Vesijohto Oy", roles=["customer", "vendor"])
        self.boss = make_user("Ad Min", roles=("admin",), teams=["Sales"])
        self.anna = make_user("Anna Laine", password=PASSWORD, teams=["Sales"])
        self.outi = make_user("Outi Kallio", kind="customer", contact=self.firm)
        self.browser, self.program = as_user(self.boss), api(self.boss)
        self.guest = app.test_client()

    def does(self, path, **form):
        answer = self.browser.post(path, data=form)
        assert answer.status_code in {200, 303}, (path, answer.status_code)

    def makes(self, path, **sent):
        answer = self.program.post(f"/api/v1/{path}", **sent)
        assert answer.status_code == 201, answer.text
        return answer.json

    def changes(self, path, **sent):
        etag = self.program.get(f"/api/v1/{path}").headers["ETag"]
        headers = {"If-Match": etag}
        answer = self.program.patch(f"/api/v1/{path}", json=sent, headers=headers)
        assert answer.status_code == 200, answer.text


def colleagues(story, as_user):
    """Anna wants her news by mail at once; she and the administrator meet on a page."""
    with db.transaction() as session:
        choose_ways(session.get_one(User, story.anna.id), {REST: NOW}, hour=None)
    for browser in (story.browser, as_user(story.anna)):
        here = {"about": story.firm.ref, "doing": "open"}
        assert browser.post("/presence", data=here).status_code == 200


def twins(story):
    """Two that are one are merged, and parted again."""
    twin = make_contact("Kallion Vesi Oy")
    place, asked = f"contacts/{story.firm.id}", {"contact": twin.id}
    look = f"/api/v1/{place}/merge"
    seen = story.program.get(look, query_string=asked).json
    for act, sent in (("merge", {"accepted": seen["marks"]}), ("part", {})):
        answer = story.program.post(
            f"/api/v1/{place}/{act}", json=asked | sent, headers={"If-Match": "*"}
        )
        assert answer.status_code == 200, answer.text


def entries_and_documents(story):
    body = {
        "body": "@Anna Laine: likes Tuesdays.",
        "contacts": [story.firm.id],
        "audience": "staff",
    }
    entry = story.makes("interactions", json=body)
    story.does(f"/interactions/timeline/{story.firm.id}/dossier", ending="json")
    story.does(f"/interactions/{entry['id']}/react", reaction="thanks")
    parts = {"contact": story.firm.id, "audience": "staff"}
    file = (io.BytesIO(b"Prices"), "prices.txt")
    document = story.makes("documents", data=parts | {"file": file})
    for place in (f"interactions/{entry['id']}", f"documents/{document['id']}"):
        story.changes(place, audience="teams", teams=["Sales"])
        story.changes(place, audience="staff")
    newer = {"file": (io.BytesIO(b"New prices"), "prices.txt")}
    story.makes(f"documents/{document['id']}/versions", data=newer)
    shared = {"contacts": story.firm.id, "body": "Prices.", "audience": "shared"}
    list_ = {"files": (io.BytesIO(b"Old prices"), "old.txt")}
    readers = {"shared_with": story.firm.id, "looked": 1, "seen": story.outi.id}
    story.does("/interactions", **shared, **readers, **list_)
    story.clock.shift(6)
    story.deliver()


def meetings(story):
    soon = (now() + timedelta(days=2)).isoformat()
    body = {"kind": "meeting", "body": "Prices.", "contacts": [story.firm.id]}
    entry = story.makes("interactions", json=body | {"occurred_at": soon})
    place = f"/api/v1/interactions/{entry['id']}/meeting"
    wish = {"title": "Prices", "attendees": [{"address": PEKKA}]}
    assert story.program.put(place, json=wish).status_code == 200
    with db.transaction() as session:
        guest = session.scalars(sa.select(Attendee)).one()
        answer_invitation(guest, session.get_one(Interaction, entry["id"]), "accepted")
    gone = story.program.delete(place, headers={"If-Match": "*"})
    assert gone.status_code == 204


def tickets(story):
    asked = {"contact": story.firm.id, "subject": "Pump", "body": "Loud."}
    inside = {"audience": "teams", "teams": ["Sales"]}
    made = story.makes("tickets", json=asked | inside)
    story.makes(
        f"tickets/{made['id']}/messages", json={"kind": "reply", "body": "Oil it."}
    )
    second = make_contact("Second Oy")
    with db.transaction() as session:
        session.get_one(Contact, story.firm.id).owner_id = story.anna.id
        session.get_one(Contact, second.id).owner_id = story.anna.id
    story.deliver()


def hand_overs(story, as_user):
    """A customer goes to Anna, who looks at the only thing that came along."""
    passed = {"contact": make_contact("Third Oy").id, "receiver": story.anna.id}
    story.does("/hand-overs", **passed, word="Call them on Tuesdays.")
    with db.read_only() as session:
        item = session.scalars(sa.select(HandOverItem)).one()
    looked = f"/hand-overs/{item.hand_over_id}/items/{item.id}"
    assert as_user(story.anna).post(looked).status_code == 303


def orders(story):
    line, later = [{"sku": "KV-1", "quantity": 3}], now().date() + timedelta(days=20)
    with db.transaction() as session, acting(story.boss.id):
        product = {"sku": "KV-1", "name": "Valve", "price": Decimal(4), "on_hand": 1}
        create_product(product, actor=None)
        vendor = session.get_one(Contact, story.firm.id)
        boss = session.get_one(User, story.boss.id)
        asked = create_purchase_order(boss, vendor=vendor, lines=line)
        send_purchase_order(asked)
        confirm_lines(asked)
        buyer = session.get_one(User, story.outi.id)
        order = place_order(buyer, lines=line, back_orders=True)
        numbers = (asked.id, order.id)
    with db.transaction() as session, acting(story.boss.id):
        asked = session.get_one(PurchaseOrder, numbers[0])
        goods = asked.lines[0]
        propose_date(asked, goods, later, reason="Strike")
        decline_proposal(asked, goods)
        propose_date(asked, goods, later, reason="Strike")
        accept_proposal(asked, goods)
        receive_goods(asked)
    with db.read_only() as session:
        number = session.get_one(Order, numbers[1]).number
    story.changes(f"orders/{number}", state="picked")


def mails(story):
    with db.transaction():
        settings.save("mail", {"sender_name": "Sales"})
    write(hold=0)
    story.deliver()
    story.mailbox.refuse[PEKKA] = "550 no such mailbox"
    write(hold=0, author_id=story.boss.id)
    story.deliver()
    held = write()
    with db.transaction():
        cancel_mail(look(held), by=None)


def people(story):
    with db.transaction() as session:
        _token, _secret = create_token(
            session.get_one(User, story.anna.id), scopes=["*"]
        )
        token = _token.id
    story.does(f"/view-as/{story.outi.id}")
    story.does("/view-as/stop")
    account = f"/admin/users/{story.anna.id}"
    story.guest.get("/forgot")
    story.does(f"{account}/sign-out")
    story.does(f"{account}/tokens/{token}/revoke")
    person = make_contact("Outi Kallio", kind="person")
    joined = {"organisation": story.firm.id, "role": "buyer"}
    story.does(f"/contacts/{person.id}/join", **joined)
    page = story.browser.get(f"/contacts/{person.id}").text
    leave = page.split(f'action="/contacts/{person.id}/affiliations/')[1]
    number = leave.split("/")[0]
    story.does(f"/contacts/{person.id}/affiliations/{number}/end")
    why = {"reason": "Asked us to, on the phone.", "confirm": "Outi Kallio"}
    story.does(f"/contacts/{person.id}/erase", **why)
    only = AudienceSpec("private", users=frozenset({story.anna.id}))
    secret = make_interaction(story.firm, author=story.anna, body="x", audience=only)
    story.does(
        f"/admin/private/{secret.id}/open", reason="Anna has left for good, and I ask."
    )
    story.does(f"{account}/leave", to=story.boss.id)
    story.deliver()


def passwords(story):
    other = make_user("Mika Salo", password=PASSWORD)
    with db.transaction() as session:
        from core.users.passwords import ask_for_link, change_password

        ask_for_link(other.email, address="192.0.2.1")
        change_password(session.get_one(User, other.id), PASSWORD + "!")


def machine(story):
    with db.transaction() as session:
        event = session.scalars(sa.select(Event.id).limit(1)).one()
        session.execute(sa.delete(Delivery))
        given = Delivery(event_id=event, subscriber="mail", parked_at=now())
        session.add(given)
        session.flush()
        number = given.id
    story.does("/admin/deliveries/give-up", delivery=number, reason="Closed for good")
    story.does("/admin/jobs/mail.sweep/run")


def plugins_out_and_back(story, make_app, sign_in_to):
    story.does("/admin/plugins/support/off")
    story.browser = sign_in_to(make_app(), story.boss)
    story.does("/admin/plugins/support/remove", name="support")
    story.does("/admin/plugins/support/put-back")


@pytest.mark.timeout(120)
def test_every_event_that_is_declared_happens(
    app, as_user, api, deliver, mailbox, clock, make_app, sign_in_to, monkeypatch
):
    # Handing over goes on in the worker after so many; here soon.
    monkeypatch.setattr(leaving, "STEP", 1)
    monkeypatch.setitem(leaving.hand_over.__kwdefaults__, "most", 1)
    story = Story(app, as_user, api, deliver, mailbox, clock)
    colleagues(story, as_user)
    twins(story)
    entries_and_documents(story)
    meetings(story)
    tickets(story)
    hand_overs(story, as_user)
    orders(story)
    mails(story)
    passwords(story)
    people(story)
    machine(story)
    plugins_out_and_back(story, make_app, sign_in_to)
    with db.read_only() as session:
        seen = set(session.scalars(sa.select(Event.type).distinct()))
    declared = set(app.extensions["rapport_events"].types)
    assert declared - seen == set(ELSEWHERE)
