"""Each setting that is declared changes something that somebody notices.

A setting without a line in `TRIED` fails the first test; one that changes nothing fails
its own.
"""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import settings
from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import contacts_with_phone
from core.db import db, now
from core.importing.keeping import forget_old
from core.importing.models import ImportRun
from core.mail.jobs import forget_old_mail
from core.mail.models import OutgoingMail
from core.mail.words import from_text
from core.notifications.choosing import NOW, REST, choose_ways
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User
from core.users.services import create_user
from plugins.portal.services.products import create_product
from plugins.search.indexing import rebuild
from plugins.support.models import Ticket
from tests.core.mail.writing import look, write

SHA = "a" * 64
STAFF = AudienceSpec("staff")
KINDS = [{"name": "inspection", "title": "Inspection", "fields": []}]


class House:
    """An administrator, a customer with a product to order, and their programs."""

    def __init__(self, as_user, api, mailbox, deliver):
        self.mailbox, self.deliver, self.turn = mailbox, deliver, 0
        self.firm = make_contact("Kallion Vesijohto Oy", roles=["customer", "vendor"])
        self.boss = make_user("Ad Min", roles=("admin",))
        self.outi = make_user("Outi Kallio", kind="customer", contact=self.firm)
        self.browser, self.program = as_user(self.boss), api(self.boss)
        self.customer, self.buyer = as_user(self.outi), api(self.outi)
        with db.transaction():
            about = {"sku": "KV-1", "name": "Valve", "price": Decimal(4), "on_hand": 40}
            create_product(about, actor=None)

    def posts(self, program, path, **sent):
        answer = program.post(f"/api/v1/{path}", json=sent)
        assert answer.status_code == 201, answer.text
        return answer.json


def head_of_a_page(house):
    page = house.browser.get("/contacts").text
    return page.partition("<title>")[2].split("<")[0], f"/admin/logo/{SHA}" in page


def portal_of_a_customer(house):
    page = house.customer.get("/portal").text
    foot = page.partition("<footer")[2].partition("</footer>")[0]
    return page.partition("<html")[2].split(">")[0], foot


def new_account(house):
    house.turn += 1
    with db.transaction():
        made = create_user(f"new{house.turn}@x.example", name="New", roles=["sales"])
        return made.language, made.timezone


def price_of_a_product(house):
    return house.program.get("/api/v1/products/KV-1").json["price"]


def stock_a_customer_sees(house):
    return house.buyer.get("/api/v1/products/KV-1").json["stock"]


def day_promised(house):
    lines = [{"sku": "KV-1", "quantity": 1}]
    return house.posts(house.buyer, "orders", lines=lines)["lines"][0]["promised_on"]


def day_wanted(house):
    lines = [{"sku": "KV-1", "quantity": 1}]
    vendor = house.firm.id
    asked = house.posts(house.program, "purchase-orders", vendor=vendor, lines=lines)
    return asked["lines"][0]["wanted_on"]


def found_by_a_phone(house):
    house.turn += 1
    number = f"040 123456{house.turn}"
    phones = [{"number": number, "label": "work"}]
    house.posts(
        house.program, "contacts", kind="person", name=f"P {house.turn}", phones=phones
    )
    abroad = f"+35840123456{house.turn}"
    with db.read_only():
        return [one.name[:1] for one in contacts_with_phone(abroad)]


def gone_quiet(house):
    with db.transaction() as session:
        firm = session.get_one(Contact, house.firm.id)
        firm.last_interaction_at = now() - timedelta(days=45)
    return "Kallion Vesijohto Oy" in house.browser.get("/contacts?view=quiet").text


def state_of_a_new_mail(house):
    return look(write()).state


def wait_of_what_is_shared(house):
    firm, readers = house.firm.id, {"looked": "1", "seen": house.outi.id}
    ask = {"contacts": firm, "body": "Comes.", "audience": "shared"}
    sent = house.browser.post(
        "/interactions", data=ask | {"shared_with": firm} | readers
    )
    assert sent.status_code == 303, sent.text
    latest = house.program.get("/api/v1/interactions").json["items"][0]
    return latest["opens_outside_at"] is None


def sender_of_a_mail(house):
    write(hold=0)
    house.deliver()
    return str(house.mailbox.messages[-1]["From"])


def words_in(language):
    def mail(house):
        with db.read_only():
            return from_text("Offer", "Here.", language=language).text

    return mail


def mails_kept(house):
    mail_id = write(hold=0)
    with db.transaction() as session:
        mail = session.get_one(OutgoingMail, mail_id)
        mail.state, mail.created_at = "sent", now() - timedelta(days=30)
    with db.transaction():
        forget_old_mail()
    with db.read_only() as session:
        return session.scalar(
            sa.select(sa.func.count()).where(OutgoingMail.id == mail_id)
        )


def big_file(house):
    sent = {"file": (io.BytesIO(b"x" * 3000), "big.txt"), "contact": house.firm.id}
    return house.program.post("/api/v1/documents", data=sent).status_code


def file_of_a_customer(house):
    house.turn += 1
    sent = {"subject": f"Pump {house.turn}", "body": "It drips."}
    sent |= {"files": [(io.BytesIO(b"x" * 3000), "pump.txt")]}
    return house.customer.post("/portal/messages/new", data=sent).status_code


def big_table(house):
    table = b"Name\n" + b"Kallio Oy\n" * 300
    sent = {"file": (io.BytesIO(table), "firms.csv"), "kind": "contacts"}
    return house.browser.post("/import", data=sent).status_code


def drafts_kept(house):
    sent = {"file": (io.BytesIO(b"Name\nTapio Oy\n"), "f.csv"), "kind": "contacts"}
    assert house.browser.post("/import", data=sent).status_code == 303
    with db.transaction() as session:
        for run in session.scalars(sa.select(ImportRun)):
            run.started_at = now() - timedelta(days=9)
    with db.transaction():
        forget_old()
    with db.read_only() as session:
        return bool(session.scalar(sa.select(sa.func.count(ImportRun.id))))


def composer_of_a_colleague(house):
    address = f"/interactions/new?contact={house.firm.id}&kind=call"
    page = house.browser.get(address).text
    return "Inspection</option>" in page, "Asked for:</textarea>" in page


def mails_of_news(house):
    """Have a colleague call the administrator, who wants such news by mail at once."""
    house.turn += 1
    with db.transaction() as session:
        boss = session.get_one(User, house.boss.id)
        choose_ways(boss, {REST: NOW}, hour=None)
    mika = make_user(f"Mika {house.turn}")
    make_interaction(house.firm, author=mika, body="@Ad Min: look.", audience=STAFF)
    for _turn in range(3):
        house.deliver()
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count(OutgoingMail.id)))


# What it is set to, and where somebody notices.
def unhappy_customers(house):
    """One waits for five hours, another's ticket is open for five days."""
    house.turn += 1
    if house.turn == 1:
        for hours in (5, 120):
            ask = {"contact": house.firm.id, "subject": "Pump", "body": "Loud."}
            ticket = house.posts(house.program, "tickets", **ask)["id"]
            with db.transaction() as session:
                made = session.get_one(Ticket, ticket)
                made.created_at = now() - timedelta(hours=hours)
                made.asked_at = made.created_at if hours == 5 else None
    return house.browser.get("/").text.count("Unhappy:")


def found_by_a_word(house):
    """What is found by `pump` and `valves`, in an index that is made once."""
    if not house.turn:
        house.turn = 1
        make_interaction(house.firm, body="Kysyivät lämpöpumpusta.")
        rebuild()
    found = house.program.get("/api/v1/search", query_string={"q": "lämpöpumppu Valve"})
    other = house.program.get("/api/v1/search", query_string={"q": "warmbox"})
    return [one["ref"] for one in [*found.json["items"], *other.json["items"]]]


TRIED = {
    "search.synonyms": (["warmbox, lämpöpumppu"], found_by_a_word),
    "search.stop_words": (["Valve"], found_by_a_word),
    "house.name": ("Lehto Supply", head_of_a_page),
    "house.logo": (SHA, head_of_a_page),
    "house.brand": ("#0E6655", portal_of_a_customer),
    "house.currency": ("SEK", price_of_a_product),
    "house.language": ("fi", new_account),
    "house.timezone": ("Asia/Shanghai", new_account),
    "house.open_days": ([3], day_promised),
    "house.opens": ("07:15", portal_of_a_customer),
    "house.closes": ("21:45", portal_of_a_customer),
    "house.entry_kinds": (KINDS, composer_of_a_colleague),
    "house.entry_templates": ({"call": "Asked for:"}, composer_of_a_colleague),
    "contacts.region": ("US", found_by_a_phone),
    "contacts.quiet_days": (30, gone_quiet),
    "contacts.quiet_days_of": (["vendor: 30"], gone_quiet),
    "mail.hold_seconds": (0, state_of_a_new_mail),
    "mail.portal_hold_seconds": (0, wait_of_what_is_shared),
    "mail.sender_name": ("Kallio sales", sender_of_a_mail),
    "mail.signature_en": ("Yours, the house", words_in("en")),
    "mail.signature_fi": ("Terveisin talo", words_in("fi")),
    "mail.signature_zh": ("此致", words_in("zh")),
    "mail.keep_days": (7, mails_kept),
    "notifications.mail_after_minutes": (0, mails_of_news),
    "documents.max_upload": (1000, big_file),
    "documents.portal_room": (2000, file_of_a_customer),
    "importing.max_upload": (1000, big_table),
    "importing.keep_days": (5, drafts_kept),
    "support.answer_hours": (1, unhappy_customers),
    "support.unsolved_days": (2, unhappy_customers),
    "portal.few_left": (1000, stock_a_customer_sees),
    "portal.wanted_days": (99, day_wanted),
    "portal.delivery_days": (30, day_promised),
}


def test_every_setting_is_tried(app):
    schemas = app.extensions["rapport_settings"]
    fields = {owner: schemas[owner]().fields for owner in schemas}
    declared = {f"{owner}.{one}" for owner in fields for one in fields[owner]}
    assert set(TRIED) == declared


@pytest.fixture
def app_config():
    """Pin nothing: in tests nobody waits otherwise."""
    return {"MAIL_PORTAL_HOLD_SECONDS": None}


@pytest.fixture
def house(as_user, api, mailbox, deliver):
    return House(as_user, api, mailbox, deliver)


@pytest.mark.parametrize("name", sorted(TRIED))
def test_a_setting_changes_what_somebody_notices(house, name):
    value, noticed = TRIED[name]
    before = noticed(house)
    # What changes by itself would prove nothing.
    assert noticed(house) == before
    owner, _dot, field = name.partition(".")
    with db.transaction():
        settings.save(owner, {field: value})
    assert noticed(house) != before
