"""Journey 9, whole: `rapport init` to the first customer, on a phone, with real files.

Who leads it leaves a step out, closes the browser, comes back and goes on where it was
left; the server is set up for mail in between, and started anew.
"""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from core.testing.factories import PASSWORD
from core.testing.mail import Mailbox, text_of
from core.testing.server import environment, free_port, live_server
from tests.browser.person import SIDEWAYS, Person
from tests.core.test_northwind import northwind

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>'
)
BOSS = SimpleNamespace(email="helena@house.example")
# Each of 91 rows is an organisation and a person there.
BROUGHT_IN = 182


@pytest.fixture
def mail_server():
    box = Mailbox(free_port())
    yield box
    box.stop()


class Founder(Person):
    """An administrator on a phone; nothing she reads makes her scroll sideways."""

    def at(self, step):
        """Be at a step, all of which a phone shows."""
        self.page.wait_for_url(f"**/admin/first-hour/{step}")
        self.looks()

    def looks(self):
        assert self.page.evaluate(SIDEWAYS) <= 0, self.page.url

    def goes_on(self):
        self.page.locator("main form .btn-primary").first.click()

    def skips(self):
        self.page.locator("button[name=skip]").click()

    def comes_back(self):
        """Go on from the block on "my day"."""
        self.opens("/")
        self.looks()
        self.page.locator("main a.btn-primary[href='/admin/first-hour']").click()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_empty_instance_becomes_a_house_with_its_first_customer(
    browser, tmp_path, word_lists, mail_server, dialect
):
    del dialect
    folder = tmp_path / "instance"
    database = f"sqlite:///{tmp_path}/house.db"
    init = ["init", "--email", BOSS.email, "--name", "Helena", "--password", PASSWORD]
    subprocess.run(
        [sys.executable, "-m", "core", *init],
        env=environment(folder, database),
        check=True,
        capture_output=True,
    )

    def running():
        return live_server(folder, database, word_lists=word_lists)

    def founder():
        return Founder(browser, server, BOSS, width=360)

    with running() as server:
        helena = founder()
        builds_the_house(helena)
        # She closes the browser; another one goes on where this one was.
        assert not helena.complaints
        helena.page.context.close()
        helena = founder()
        helena.comes_back()
        helena.at("import")
        brings_in_customers(helena)
        # No mail server is named, and she leaves with that step open.
        assert "SMTP_HOST" in helena.reads()
        assert not helena.complaints

    wrong = {**mail_server.settings, "MAIL_FROM": "crm at house", "PUBLIC_URL": None}
    configured(folder, wrong)
    with running() as server:
        helena = founder()
        helena.comes_back()
        helena.at("mailbox")
        assert "MAIL_FROM" in helena.reads()
        assert "SMTP_HOST" not in helena.reads()
        helena.page.context.close()

    right = mail_server.settings
    configured(folder, right)
    with running() as server:
        helena = founder()
        helena.comes_back()
        helena.at("mailbox")
        tries_the_mailbox(helena, mail_server)
        invites_anna(helena, mail_server, browser)
        opens_the_first_customer(helena)
        assert not helena.complaints


def builds_the_house(helena):
    page = helena.page
    helena.at("name")
    page.fill("input[name=name]", "Lehto Supply")
    helena.goes_on()
    helena.at("logo")
    picture = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO}
    page.set_input_files("input[name=logo]", [picture])
    helena.goes_on()
    # The language of the house is hers too, from the next page on.
    helena.at("language")
    page.select_option("select[name=language]", "fi")
    page.select_option("select[name=timezone]", "Europe/Helsinki")
    helena.goes_on()
    helena.at("currency")
    assert page.locator("h1").inner_text() == "Ensimmäinen tunti"
    page.locator(".hour-steps a[href$=logo]").click()
    helena.at("logo")
    assert page.locator(".logo-now").evaluate("one => one.naturalWidth > 0")
    page.locator(".hour-steps a[href$=currency]").click()
    helena.at("currency")
    helena.goes_on()
    helena.at("hours")
    page.locator("input[name=open_days][value='6']").check()
    page.fill("input[name=opens]", "08:00")
    helena.goes_on()
    helena.at("colleagues")
    helena.skips()
    helena.at("import")


def brings_in_customers(helena):
    page = helena.page
    page.locator("main a[href='/import']").click()
    page.wait_for_url("**/import")
    helena.looks()
    page.set_input_files("input[type=file]", northwind() / "customers.csv")
    helena.goes_on()
    page.wait_for_url("**/columns")
    helena.looks()
    helena.goes_on()
    page.wait_for_url("**/check")
    bring = page.locator("button[formaction$=bring]")
    bring.wait_for()
    helena.looks()
    bring.click()
    page.locator("a[href$='/undo']").wait_for()
    helena.looks()
    helena.comes_back()
    helena.at("import")
    assert str(BROUGHT_IN) in page.locator("#step").inner_text()
    helena.goes_on()
    helena.at("mailbox")


def tries_the_mailbox(helena, mail_server):
    send = "button[formaction$=test]"
    helena.page.locator(send).click()
    helena.page.locator("#step [role=alert]").wait_for()
    helena.looks()
    mail_server.refuse[BOSS.email] = "550 5.7.1 relaying denied"
    mail_server.start()
    helena.page.locator(send).click()
    helena.page.get_by_text("550 5.7.1 relaying denied").first.wait_for()
    helena.looks()
    mail_server.refuse.clear()
    helena.page.locator(send).click()
    helena.at("mailbox")
    helena.page.get_by_text("Postipalvelin otti viestin vastaan").first.wait_for()
    assert [one["To"] for one in mail_server.messages] == [BOSS.email]
    mail_server.arrived.clear()
    helena.goes_on()


def invites_anna(helena, mail_server, browser):
    """Take up the step that was left out; Anna comes in by the link of her mail."""
    helena.page.get_by_role("heading", name="Talo on pystyssä").wait_for()
    helena.looks()
    helena.page.locator("main a[href$=colleagues]").click()
    helena.at("colleagues")
    helena.page.fill("textarea[name=people]", "Anna Laine anna@house.example")
    helena.page.select_option("select[name=role]", "sales")
    helena.goes_on()
    helena.page.get_by_role("heading", name="Talo on pystyssä").wait_for()
    assert mail_server.arrived.wait(30)
    link = re.search(r"/sign-in/reset/\S+", text_of(mail_server.messages[-1]))[0]
    anna = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    anna.goto(helena.server.url + link)
    assert anna.evaluate(SIDEWAYS) <= 0
    anna.fill("input[name=password]", "a better horse battery")
    anna.locator("main .btn-primary").click()
    anna.wait_for_url(helena.server.url + "/")
    assert anna.locator("html").get_attribute("lang") == "fi"
    assert "Lehto Supply" in anna.title()
    anna.context.close()


def opens_the_first_customer(helena):
    page = helena.page
    page.locator("main a.btn-primary[href='/contacts']").click()
    page.wait_for_url("**/contacts")
    helena.looks()
    page.get_by_role("link", name="Alfreds Futterkiste").first.click()
    page.wait_for_url(re.compile(r"/contacts/\d+"))
    helena.looks()
    assert "Alfreds Futterkiste" in page.title()
    helena.opens("/")
    assert not page.locator("a[href='/admin/first-hour']").count()


def configured(folder, values):
    """Write what an administrator writes into config.py."""
    lines = [f"{name} = {value!r}\n" for name, value in values.items()]
    (folder / "config.py").write_text("".join(lines))
