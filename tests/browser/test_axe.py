"""Every page, in both shells, full, empty and refused, light and dark: axe is content.

Each also has one heading, says in its title what it is and in which house, asks for one
thing first, and scrolls sideways on no phone, tablet or wide screen, and on a phone in
letters of twice the size neither.

The pages come from the application's own map of addresses, so none can be forgotten.
They are drawn in one browser whose requests this process answers itself.
"""

from datetime import timedelta
from threading import Thread

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from core.contacts.merging.readers import marks_of, new_readers
from core.contacts.merging.services import merge
from core.contacts.models import Contact
from core.contacts.saved import keep_view
from core.contacts.services import create_contact
from core.db import db, now
from core.importing.tasks import do_waiting
from core.interactions.services import write_interaction
from core.mail.models import PARKED, OutgoingMail
from core.notifications.choosing import unsubscribe_token
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.models import Role, User
from core.users.passwords import send_link
from core.users.sessions import hash_secret
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.hand_overs.services import hand_over
from plugins.interactions.meetings.services import invite
from plugins.interactions.meetings.wishes import Guest, wished
from tests.browser.crawl import Crawl, Visit
from tests.core.test_import_pages import columns_of, newest, upload

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Rows that are like the ones before them take time and say nothing new.
FEWER = """() => document.querySelectorAll(
    'tbody > tr:nth-child(n+6), .entries > li:nth-child(n+6),'
    + '.products > li:nth-child(n+5),'
    + 'option:nth-child(n+9), .plain > li:nth-child(n+9)'
).forEach((one) => one.remove())"""
EMPTY = 'class="empty"'
SIDEWAYS = """size => {
    const page = document.documentElement
    page.style.fontSize = size
    return page.scrollWidth - page.clientWidth
}"""
# A wide screen, a tablet and a phone; letters of twice the size are read on the phone.
WIDTHS = [
    (1920, 1080, ["100%"]),
    (768, 1024, ["100%"]),
    (360, 740, ["100%", "200%"]),
]
# What the head of a page promises; a menu beside the first button is part of it.
HEAD = """() => {
    const seen = (what) => [...document.querySelectorAll(what)].filter(
        (one) => one.checkVisibility() && !one.closest('dialog')
    ).length
    const found = []
    if (seen('h1') !== 1) found.push(`it has ${seen('h1')} first headings`)
    const first = seen('.btn-primary:not(.split > .btn + *)')
    if (first > 1) found.push(`${first} buttons want to be first`)
    if (!/\\S · \\S/.test(document.title)) found.push(`its title is ${document.title}`)
    return found
}"""
# It shows each component in all of its states.
SHOWS_COMPONENTS = "styleguide.show"
# Addresses that answer with a part of a page or a file, or need what a link cannot say.
NOT_PAGES = {
    "documents.text": "the text of a document's page, asked for page by page",
    "admin.logo": "the picture of the house, which the demo company has not",
    "imports.progress": "how far an import is, a part of its page",
    "imports.refused": "a file",
    "interactions.calendar": "a calendar, for a calendar program",
    "interactions.changed": "what is new of a contact, a part of its page",
    "interactions.dossier_file": "a file",
    "interactions.dossier_json": "a file",
    "interactions.dossier_pdf": "a file",
    "interactions.history": "former versions, a part of an entry",
    "presence.show": "who else is here, a part of a page's head",
}
SECRET = "a-link-in-a-mail"


class Eyes:
    """One browser page that looks at what an application draws."""

    def __init__(self, browser, app):
        self.page = browser.new_context(
            viewport={"width": 1280, "height": 800}
        ).new_page()
        self.page.add_init_script(Axe().axe_script)
        self.html = ""
        self.app = app
        # A server of its own, so that the browser keeps styles and scripts.
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def _answer(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/assets/"):
            return self.app.wsgi_app(environ, start_response)
        asked_for_page = environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        answer = Response(
            self.html if asked_for_page else "",
            status=200 if asked_for_page else 404,
            content_type="text/html; charset=utf-8",
        )
        return answer(environ, start_response)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def complaints(self, visit):
        """Give what axe finds on a page: in light everything, in dark the contrast."""
        self.html = visit.html
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.goto(self.url + visit.url, wait_until="load")
        self.page.evaluate(FEWER)
        found = self._run({"runOnly": RULES})
        self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        found += self._run({"runOnly": {"type": "rule", "values": ["color-contrast"]}})
        found += self._at_every_width()
        if visit.endpoint != SHOWS_COMPONENTS:
            found += self.page.evaluate(HEAD)
        if ' style="' in visit.html:
            found.append("it has a style of its own")
        return [f"{visit.role} {visit.status} {visit.url}: {one}" for one in found]

    def _at_every_width(self):
        """Say by how much the page scrolls sideways, and where."""
        found = []
        for width, height, sizes in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": height})
            wide = {size: self.page.evaluate(SIDEWAYS, size) for size in sizes}
            found += [
                f"scrolls {by} px at {width} px in letters of {size}"
                for size, by in wide.items()
                if by > 0
            ]
        self.page.set_viewport_size({"width": 1280, "height": 800})
        return found

    def _run(self, options):
        result = self.page.evaluate(
            "options => axe.run(document, options)",
            {**options, "resultTypes": ["violations"], "preload": False},
        )
        return [
            f"{one['id']}: {node['target']} {node['html'][:160]}"
            for one in result["violations"]
            for node in one["nodes"][:3]
        ]


@pytest.fixture
def look_at(browser):
    opened = []

    def look(app, visits):
        eyes = Eyes(browser, app)
        opened.append(eyes)
        return [one for visit in visits for one in eyes.complaints(visit)]

    yield look
    for eyes in opened:
        eyes.close()


@pytest.fixture
def eventful(demo_app):
    """A guest is asked, a customer handed over, two merged; gives where to begin."""
    # The mails wait: no worker runs that would send them.
    sender = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM": "crm@house.example"}
    demo_app.config.update(sender, PUBLIC_URL="http://localhost")
    with db.transaction() as session:
        people = session.scalars(
            sa.select(User).where(User.roles.any(Role.name == "sales")).limit(2)
        )
        rep, colleague = people.unique().all()
        firms = session.scalars(
            sa.select(Contact).where(Contact.kind == "organisation").limit(2)
        )
        first, second = firms.unique().all()
        entry = write_interaction(
            first,
            author=rep,
            kind="meeting",
            body="Prices for next year.",
            occurred_at=now() + timedelta(days=3),
        )
        guest = Guest("guest@example.com", "Gwen Guest")
        words = {"title": "Prices", "place": "Gate B", "text": "Coffee is ready."}
        wish = wished(**words, minutes=60, zone=rep.timezone, guests=[guest])
        made = invite(entry, wish, actor=rep)
        made.guests[0].secret_hash = hash_secret(SECRET)
        hand_over(second, colleague, actor=rep, word="They like to be called early.")
        twin = create_contact({"kind": "organisation", "name": "Twin Oy"}, actor=None)
        agreed = marks_of(new_readers(first, twin, {}, rep))
        merge(first, twin, actor=rep, accepted=agreed)
        other = f"/contacts/{second.id}/merge?other={first.id}"
        kept = KeptDossier(user_id=rep.id, contact_id=first.id, ending="pdf")
        view = keep_view(rep, "Wholesalers", {"tag": "wholesale"})
        session.add(kept)
        session.flush()
        dossier = f"/interactions/dossiers/{kept.id}"
        return [
            dossier,
            f"/interactions/{entry.id}",
            f"/contacts/{first.id}/merged",
            f"/contacts/views/{view.id}",
            other,
        ]


def see(crawl, role, browser, url, state=""):
    """Keep a page as it stands now, beside what the same address shows at others."""
    answer = browser.get(url)
    assert "<!doctype html>" in answer.text, (url, answer.status)
    endpoint = crawl.endpoint_of(url)
    crawl.met.add(endpoint)
    name = f"{endpoint} {state}".strip()
    crawl.keep(Visit(role, url, name, answer.text, answer.status_code))


def see_an_import(crawl, browser):
    """Bring a file in and take it back, with a look at every page on the way."""
    upload(browser)
    run = newest()
    page = f"/import/{run.id}"
    see(crawl, "sales", browser, f"{page}/columns", "of a file")
    browser.post(f"{page}/columns", data=columns_of(run))
    see(crawl, "sales", browser, f"{page}/check", "under way")
    do_waiting(crawl.app)
    see(crawl, "sales", browser, f"{page}/check", "with a refused row")
    browser.post(f"{page}/bring")
    see(crawl, "sales", browser, page, "under way")
    do_waiting(crawl.app)
    see(crawl, "sales", browser, page, "done")
    see(crawl, "sales", browser, f"{page}/undo")
    browser.post(f"{page}/undo")
    do_waiting(crawl.app)
    see(crawl, "sales", browser, page, "undone")


def see_what_mails_lead_to(crawl, browser):
    """Follow the links of mails, good and spoilt; look at a mail that was refused."""
    with db.transaction() as session:
        mail = session.scalars(
            sa.select(OutgoingMail).where(OutgoingMail.author_id.is_not(None)).limit(1)
        ).one()
        mail.state, mail.error = PARKED, "550 No such mailbox"
        user = session.get_one(User, mail.author_id)
        link = send_link(
            user,
            lasts=timedelta(hours=1),
            template="core/mail/password_reset.txt",
        )
        link.secret_hash = hash_secret(SECRET)
        token = unsubscribe_token(user, ["task.assigned"])
        mail_id = mail.id
    see(crawl, "sales", browser, f"/mail/{mail_id}")
    guest = crawl.app.test_client()
    for page, secret in (("sign-in/reset", SECRET), ("unsubscribe", token)):
        see(crawl, "guest", guest, f"/{page}/{secret}")
        see(crawl, "guest", guest, f"/{page}/spoilt", "spoilt")


def test_the_pages_of_a_full_house_are_for_everybody(
    look_at, demo_app, sign_in_demo, eventful
):
    roles = ("admin", "sales", "customer", "vendor")
    browsers = {role: sign_in_demo(role)[0] for role in roles}
    crawl = Crawl(demo_app)
    crawl.walk("guest", demo_app.test_client(), [f"/invitation/{SECRET}"])
    for role, browser in browsers.items():
        crawl.walk(role, browser, eventful)
    see_an_import(crawl, browsers["sales"])
    see_what_mails_lead_to(crawl, browsers["sales"])
    assert sorted(crawl.never_met() - set(NOT_PAGES)) == []
    assert len(crawl.pages) > 50
    found = look_at(demo_app, crawl.pages.values())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_pages_of_an_empty_house_and_its_refusals_are_for_everybody(
    look_at, app, as_user, client
):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    supplier = make_contact("Nord Valve Ab", roles=["vendor"])
    people = {
        "admin": make_user("Helena Lehto", roles=["admin"], password=PASSWORD),
        "customer": make_user("Outi Kallio", kind="customer", contact=firm),
        "vendor": make_user("Lena Sjöberg", kind="vendor", contact=supplier),
    }
    browsers = {role: as_user(user) for role, user in people.items()}
    crawl = Crawl(app)
    for role, browser in browsers.items():
        crawl.walk(role, browser)
    browsers["nobody"] = client
    crawl.keep(Visit("nobody", "/sign-in", "sign-in", client.get("/sign-in").text))
    refused = [
        Visit(role, "/not-there", "404", browser.get("/not-there").text, 404)
        for role, browser in browsers.items()
    ]
    for role, browser in browsers.items():
        refused += crawl.refusals(role, browser)
    assert len(refused) > 8
    # Forms are as they are in the full house; what is empty says so.
    empty = [one for one in crawl.pages.values() if EMPTY in one.html]
    assert len(empty) > 12
    found = look_at(app, [*empty, crawl.pages["staff", "sign-in"], *refused])
    assert not found, "\n".join(found)
