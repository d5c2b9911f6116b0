"""Journey 3: a contract is dropped, found, replaced, and shown to its customer."""

import base64
from time import monotonic

import pytest

from core.paper import make_pdf
from core.testing.factories import PASSWORD, make_contact, make_user

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

FIRST = make_pdf(
    ["Price agreement\nAll prices by pallet.", "Notice\nThe okapi clause."]
)
SECOND = make_pdf(
    ["Price agreement\nAll prices by piece.", "Notice\nThe tapir clause."]
)
LIST = b"Prices of spare parts, by the quagga."
FOUND_WITHIN = 20

DROP = """([encoded, name]) => {
  const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    const made = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector("main h1, main").dispatchEvent(made);
  }
}"""


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser, server, user, **options):
        self.server = server
        self.page = browser.new_context(**options).new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        server.sign_in(self.page, user.email, PASSWORD)

    def _hear(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def opens(self, path):
        self.page.goto(f"{self.server.url}{path}")

    def asks(self, path):
        return self.page.request.get(f"{self.server.url}{path}")

    def drops(self, content, name):
        self.page.wait_for_load_state("load")
        self.page.evaluate(DROP, [base64.b64encode(content).decode(), name])


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def person(server, browser):
    def sit_down(name, options=None, **account):
        user = make_user(name, password=PASSWORD, **account)
        return Person(browser, server, user, **(options or {}))

    return sit_down


def found_by_search(somebody, word):
    """Wait until the word is found, and give the hit."""
    until = monotonic() + FOUND_WITHIN
    while True:
        somebody.opens(f"/search?q={word}")
        hit = somebody.page.locator(".hit", has_text="Price agreement")
        if hit.count():
            return hit
        assert monotonic() < until
        somebody.page.wait_for_timeout(200)


def test_a_contract_is_dropped_found_replaced_and_shown_to_its_customer(person, firm):
    anna = person("Anna Laine", teams=["Sales"])
    outi = person("Outi Kallio", kind="customer", contact=firm)
    tuomo = person("Tuomo Tapio", kind="customer", contact=make_contact("Tapio Oy"))
    page = anna.page

    # Dropped on the customer; the text comes to the open page by itself.
    anna.opens(f"/contacts/{firm.id}")
    page.locator("[popovertarget=contact-more]").click()
    page.get_by_role("menuitem", name="Add document").click()
    page.get_by_role("heading", name="Add document to Kallion").wait_for()
    anna.drops(FIRST, "Price agreement 2026.pdf")
    page.locator("[data-drop-list] li", has_text="Price agreement 2026.pdf").wait_for()
    page.get_by_role("button", name="Add document").click()
    page.get_by_role("heading", name="Price agreement 2026", level=1).wait_for()
    page.locator("#document-text", has_text="Prices by pallet.").wait_for()
    address = page.url.removeprefix(anna.server.url)

    # A word of its second page is found, marked, and the page is shown with it.
    hit = found_by_search(anna, "okapi")
    assert hit.locator("mark").first.inner_text().lower() == "okapi"
    hit.get_by_role("link").first.click()
    page.get_by_label("Find in this document").fill("okapi")
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator("mark", has_text="okapi").wait_for()
    page.get_by_text("page 2 of 2").wait_for()

    # Version 2 replaces version 1, which stays reachable for colleagues.
    page.get_by_role("link", name="New version").click()
    page.set_input_files("input[type=file]", {
        "name": "Price agreement 2026 v2.pdf",
        "mimeType": "application/pdf",
        "buffer": SECOND,
    })  # fmt: skip
    page.get_by_role("button", name="Add version 2").click()
    page.get_by_text("version 2 of 2").wait_for()
    found_by_search(anna, "tapir")
    assert anna.asks(f"{address}/versions/1/file").body() == FIRST
    assert anna.asks(f"{address}/versions/2/file").body() == SECOND

    # Nobody outside sees it until a colleague has read who will, and said yes.
    outi.opens("/portal/documents")
    assert "Price agreement" not in outi.page.content()
    anna.opens(address)
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Customer sees this").check()
    page.locator("#who").get_by_text("Outi Kallio").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.locator("main").get_by_text("Outi Kallio").wait_for()
    page.get_by_role("button", name="Show to 1 person outside").click()
    page.locator(".page-head").get_by_text("Customer sees this").wait_for()

    outi.page.reload()
    outi.page.get_by_role("link", name="Price agreement 2026", exact=True).click()
    with outi.page.expect_download() as download:
        outi.page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "Price agreement 2026 v2.pdf"
    assert download.value.path().read_bytes() == SECOND
    assert outi.asks(f"{address}/versions/1/file").status == 404
    for path in (address, f"/portal{address}", f"{address}/versions/2/file"):
        assert tuomo.asks(path).status == 404
    assert "Price agreement" not in tuomo.asks("/search?q=tapir").text()

    anna.opens(address)
    page.locator("#panel-opened").get_by_text("Outi Kallio").wait_for()
    assert [anna.complaints, outi.complaints, tuomo.complaints] == [[], [], []]


def test_a_file_dropped_anywhere_on_a_customer_appears_in_the_panel(person, firm):
    anna = person("Anna Laine", teams=["Sales"])
    anna.opens(f"/documents/new?contact={firm.id}")
    anna.drops(FIRST, "Contract.pdf")
    anna.page.get_by_role("button", name="Add document").click()
    anna.page.get_by_role("heading", name="Contract", level=1).wait_for()
    anna.opens(f"/contacts/{firm.id}")
    panel = anna.page.locator("#slot-documents-list")
    anna.drops(LIST, "Spare parts.txt")
    panel.get_by_role("link", name="Spare parts").wait_for()
    lines = anna.page.locator(".drop-list")
    lines.get_by_text("added").wait_for()
    # The same once more is found to be there already; an empty one says why not.
    anna.drops(LIST, "Spare parts again.txt")
    lines.get_by_text("here already").wait_for()
    anna.drops(b"", "Nothing.txt")
    lines.get_by_text("Nothing.txt is empty.").wait_for()
    assert panel.get_by_role("link", name="Spare parts").count() == 1
    assert anna.complaints == []


def test_without_scripts_a_file_is_kept_and_shared_all_the_same(person, firm):
    anna = person("Anna Laine", {"java_script_enabled": False}, teams=["Sales"])
    person("Outi Kallio", kind="customer", contact=firm)
    page = anna.page
    anna.opens(f"/documents/new?contact={firm.id}")
    file = {"name": "List.txt", "mimeType": "text/plain", "buffer": LIST}
    page.set_input_files("input[type=file]", file)
    page.get_by_label("Customer sees this").check()
    page.get_by_role("button", name="Add document").click()
    # It is kept for colleagues; the next pages say who outside would read it.
    page.get_by_role("button", name="Go on").click()
    page.locator("main").get_by_text("Outi Kallio").wait_for()
    page.get_by_role("button", name="Show to 1 person outside").click()
    page.locator(".page-head").get_by_text("Customer sees this").wait_for()
