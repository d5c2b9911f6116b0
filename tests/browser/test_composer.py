"""The composer in a real browser: a call in three acts, names, people, time, drafts."""

import os
import re
from time import monotonic, sleep

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.models import User
from core.users.services import disable_user, find_user
from plugins.interactions.follow_ups.models import FollowUp
from plugins.support.services import open_ticket
from tests.browser.person import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.soak_on_postgresql,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]

ACTIONS, SECONDS = 3, 5


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(server, browser, firm):
    make_user("Mika Koski", teams=["Sales"])
    make_user("Sanna Virta", teams=["Warehouse"])
    user = make_user("Anna Laine", password=PASSWORD, teams=["Sales"])
    return Person(browser, server, user)


def written():
    with db.read_only() as session:
        found = session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()
        session.expunge_all()
        return found


def shot(page, name):
    """Keep a picture where somebody asked for it."""
    folder = os.environ.get("RAPPORT_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


class Hand:
    """What somebody does, counted: a key or a click, some words, a key or a click."""

    def __init__(self, page):
        self.page, self.acts = page, 0

    def press(self, key):
        self.acts += 1
        self.page.keyboard.press(key)

    def type(self, words):
        self.acts += 1
        self.page.keyboard.type(words)


def test_a_call_is_logged_from_the_contact_in_three_acts_and_five_seconds(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page, hand = anna.page, Hand(anna.page)
    began = monotonic()
    hand.press("c")
    hand.type("Asked for prices of valves.")
    hand.press("Control+Enter")
    entry = page.locator("#timeline article", has_text="Asked for prices")
    entry.wait_for()
    assert monotonic() - began < SECONDS
    assert hand.acts <= ACTIONS
    assert "Call" in entry.inner_text()
    [one] = written()
    assert (one.kind, one.details) == ("call", {"duration": 1})
    # The composer begins anew as it always does.
    expect(page.locator("#composer select[name=kind]")).to_have_value("note")
    expect(page.locator("#composer [data-timer]")).to_have_count(0)
    assert anna.complaints == []


def test_a_call_that_says_nothing_more_is_logged_in_two_clicks(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.get_by_role("link", name="Log call").first.click()
    page.get_by_role("button", name="Save note").click()
    entry = page.locator("#timeline article", has_text="Call")
    expect(entry).to_contain_text("1 minute")
    [one] = written()
    assert (one.kind, one.body, one.details) == ("call", "", {"duration": 1})
    # A note has to say something, and the browser asks for it.
    page.locator("#composer textarea").focus()
    page.get_by_role("button", name="Save note").click()
    assert page.evaluate("document.querySelector('#composer :invalid').name") == "body"
    assert len(written()) == 1
    assert anna.complaints == []


@pytest.mark.parametrize("comes", [True, False], ids=["late", "never"])
def test_a_call_saved_before_its_fields_are_here_waits_for_them(anna, firm, comes):
    def slowly(route):
        sleep(0.5)
        if comes:
            route.continue_()
        else:
            route.abort()

    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.route("**/fields*", slowly)
    page.keyboard.press("c")
    page.keyboard.type("Asked for prices of valves.")
    page.keyboard.press("Control+Enter")
    page.locator("#timeline article", has_text="Asked for prices").wait_for()
    [one] = written()
    assert (one.kind, one.details) == ("call", {"duration": 1} if comes else {})


def test_the_clock_of_a_call_starts_and_stops(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.get_by_role("link", name="Log call").first.click()
    timer = page.locator("#composer .timer")
    expect(timer).to_have_text(re.compile(r"0:0[1-9]"))
    shot(page, "call")
    minutes = page.get_by_label("Duration, minutes")
    page.get_by_role("button", name="Stop timer").click()
    expect(minutes).to_have_value("1")
    minutes.fill("12")
    page.get_by_label("Outcome").select_option("no_answer")
    page.get_by_label("Source").fill("trade-journal ad")
    page.locator("#composer textarea").fill("Rang about the ad.")
    page.get_by_role("button", name="Save note").click()
    facts = page.locator("#timeline .entry-facts")
    expect(facts).to_have_text("Source: trade-journal ad · No answer · 12 minutes")
    shot(page, "logged")
    assert anna.complaints == []


def test_colleagues_are_found_by_their_first_letters_with_the_keys_alone(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Ask @mi")
    options = page.locator("#composer .suggest [role=option]")
    expect(options).to_have_text(["Mika Koski"])
    shot(page, "suggest")
    page.keyboard.press("Enter")
    text = page.locator("#composer textarea")
    expect(text).to_have_value("Ask @Mika Koski ")
    page.keyboard.type("and @s")
    expect(options).to_have_text(["Sales", "Sanna Virta"])
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(text).to_have_value("Ask @Mika Koski and @Sanna Virta ")
    page.keyboard.type("@m")
    expect(options).to_have_text(["Mika Koski"])
    page.keyboard.press("Escape")
    expect(page.locator("#composer .suggest").first).to_be_hidden()
    expect(text).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.get_by_role("button", name="Save note").click()
    refused = page.locator("#composer-error")
    expect(refused).to_contain_text("Sanna Virta is not in Sales.")
    shot(page, "outside")
    assert written() == []
    page.get_by_role("button", name="Add Sanna Virta and save").click()
    entry = page.locator("#timeline article", has_text="Ask")
    expect(entry.locator(".mention")).to_have_text(["@Mika Koski", "@Sanna Virta"])
    expect(entry.locator(".aud")).to_have_text("Sales, Sanna Virta")
    shot(page, "mentioned")
    assert anna.complaints == []


def test_a_word_that_is_being_composed_is_left_alone(anna, firm):
    make_user("李伟", teams=["Sales"])
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("请问@")
    text = page.locator("#composer textarea")
    options = page.locator("#composer .suggest [role=option]")
    expect(options.first).to_be_visible()
    fire = """(field, [type, key]) => field.dispatchEvent(new KeyboardEvent(type, {
        key, bubbles: true, cancelable: true, isComposing: true, keyCode: 229 }))"""
    text.evaluate(fire, ["keydown", "Enter"])
    expect(text).to_have_value("请问@")
    # What the input method has put in is looked for when it is done.
    text.evaluate(
        """(field) => {
        field.setRangeText("李", field.selectionStart, field.selectionStart, "end");
        const composing = { bubbles: true, isComposing: true };
        field.dispatchEvent(new InputEvent("input", composing));
        field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
    }"""
    )
    expect(options).to_have_text(["李伟"])
    page.keyboard.press("Enter")
    expect(text).to_have_value("请问@李伟 ")


def test_people_are_chosen_as_one_types_and_time_is_written_in_words(anna, firm):
    make_contact("Pekka Virtanen", kind="person")
    make_contact("Outi Kallio", kind="person")
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Lunch.")
    people = page.get_by_role("combobox", name="With")
    people.fill("pek")
    page.locator(".people-field [role=option]", has_text="Pekka").click()
    chips = page.locator("#composer .people-chosen .chip")
    expect(chips).to_have_text(["Pekka Virtanen"])
    people.fill("outi")
    expect(page.locator(".people-field [role=option]")).to_have_text(["Outi Kallio"])
    people.press("Enter")
    expect(chips).to_have_text(["Pekka Virtanen", "Outi Kallio"])
    page.get_by_text("At another time").click()
    words = page.get_by_label("When, in words")
    words.fill("soonish")
    said = page.locator("#composer .date-read")
    expect(said).to_have_text("Write a date such as 5.3. or tomorrow")
    words.fill("huomenna klo 14")
    expect(said).to_contain_text("2:00")
    shot(page, "people")
    page.get_by_role("button", name="Save note").click()
    entry = page.locator("#timeline article", has_text="Lunch.")
    expect(entry).to_contain_text("with Outi Kallio, Pekka Virtanen")
    expect(chips).to_have_count(0)
    [one] = written()
    assert one.occurred_at.strftime("%H:%M") == "14:00"
    assert anna.complaints == []


def test_a_preview_shows_what_will_stand_there(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("**Four** windows @Mika Koski ")
    page.get_by_role("button", name="Preview").click()
    shown = page.locator("#composer-preview")
    expect(shown.locator("strong")).to_have_text("Four")
    expect(shown.locator(".mention")).to_have_text("@Mika Koski")
    shot(page, "preview")
    assert written() == []
    page.locator("#composer textarea").press("Control+Enter")
    page.locator("#timeline article", has_text="windows").wait_for()
    expect(shown).to_be_empty()


def test_what_was_written_outlives_a_lost_connection_and_a_closed_tab(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Wants four windows.")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#faults")).to_have_text(
        "No connection. Nothing was sent; what you wrote is still here."
    )
    text = page.locator("#composer textarea")
    expect(text).to_have_value("Wants four windows.")
    shot(page, "offline")
    # The tab is closed before the line is back.
    again = page.context.new_page()
    page.close()
    again.context.set_offline(False)
    again.goto(f"{anna.server.url}/contacts/{firm.id}")
    kept = again.locator("#composer textarea")
    expect(kept).to_have_value("Wants four windows.")
    expect(again.get_by_text("Your draft is back")).to_be_visible()
    kept.press("Control+Enter")
    again.locator("#timeline article", has_text="Wants four").wait_for()
    again.reload()
    expect(again.locator("#composer textarea")).to_have_value("")
    assert len(written()) == 1


def closed_and_opened(anna, path):
    """Close the tab, as a browser does, and open the page in a new one."""
    page = anna.page.context.new_page()
    page.on("console", anna._hear)
    anna.page.close(run_before_unload=True)
    anna.page = page
    anna.opens(path)
    return page


def leaks(firm):
    """Open a ticket that waits with the customer; gives its number."""
    with db.transaction() as session:
        contact = session.get(Contact, firm.id)
        writer = session.scalars(sa.select(User).where(User.name == "Anna Laine")).one()
        ticket = open_ticket(contact, author=writer, subject="Leak", body="It drips.")
        return ticket.number


def written_by_anna(firm):
    """Have an entry of hers there; gives its number."""
    with db.transaction() as session:
        contact = session.get(Contact, firm.id)
        writer = session.scalars(sa.select(User).where(User.name == "Anna Laine")).one()
        return write_interaction(contact, author=writer, body="Four windows.").id


def test_a_draft_brings_back_all_that_was_chosen(anna, firm, tmp_path):
    make_contact("Pekka Virtanen", kind="person")
    number = leaks(firm)
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Sat down with them.")
    page.locator("#composer select[name=kind]").select_option("meeting")
    page.get_by_label("Place").fill("Gate B")
    people = page.get_by_role("combobox", name="With")
    people.fill("pek")
    page.locator(".people-field [role=option]", has_text="Pekka").click()
    people.fill("Out")
    page.get_by_text("Link to a record").click()
    page.get_by_role("combobox", name="Ticket, order or document").click()
    page.get_by_role("option", name="Leak").click()
    page.get_by_text("At another time").click()
    page.locator("#composer input[name=occurred_at]").fill("2026-03-05T10:30")
    chosen = tmp_path / "Windows.txt"
    chosen.write_text("four")
    page.locator("#composer input[type=file]").set_input_files(chosen)
    page.locator("#composer .aud-button").click()
    page.locator("#composer .choice-staff").check()
    page.get_by_text(re.compile("Draft kept")).wait_for()

    page = closed_and_opened(anna, f"/contacts/{firm.id}")
    text = page.locator("#composer textarea")
    expect(text).to_have_value("Sat down with them.")
    expect(page.locator("#composer select[name=kind]")).to_have_value("meeting")
    expect(page.get_by_label("Place")).to_have_value("Gate B")
    chips = page.locator("#composer .people-chosen .chip")
    expect(chips).to_have_text(["Pekka Virtanen", f"Ticket: #{number} Leak"])
    expect(page.get_by_role("combobox", name="With")).to_have_value("Out")
    when = page.locator("#composer input[name=occurred_at]")
    expect(when).to_have_value("2026-03-05T10:30")
    expect(when).to_be_visible()
    expect(page.locator("#composer .choice-staff")).to_be_checked()
    expect(page.locator("#composer .aud-name")).to_have_text("All colleagues")
    # A browser gives no page a file that was chosen before.
    expect(page.locator(".composer-draft")).to_have_text(
        "Choose these files again: Windows.txt"
    )
    shot(page, "draft-back")
    page.locator("#composer input[type=file]").set_input_files(chosen)
    expect(page.locator(".composer-draft")).to_have_text("")
    page.get_by_role("combobox", name="With").fill("")
    text.press("Control+Enter")
    page.locator("#timeline article", has_text="Sat down").wait_for()
    [one] = [one for one in written() if one.body == "Sat down with them."]
    assert (one.kind, one.details["place"]) == ("meeting", "Gate B")
    assert one.audience.kind == "staff"
    page.reload()
    expect(page.locator("#composer textarea")).to_have_value("")
    expect(page.locator("#composer select[name=kind]")).to_have_value("note")
    assert anna.complaints == []


def test_words_about_the_wrong_customer_go_on_about_the_right_one(anna, firm):
    right = make_contact("Zacharias Putki Oy", roles=["customer"])
    anna.opens(f"/interactions/new?contact={firm.id}")
    page, words = anna.page, "Wants valves by Friday."
    page.locator("#composer textarea").fill(words)
    page.get_by_role("link", name="About somebody else").click()
    page.get_by_label("About whom?").fill("Zach")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=right.name).click()
    page.get_by_text(f"About {right.name}").wait_for()
    expect(page.locator("#composer textarea")).to_have_value(words)
    page.get_by_role("button", name="Save note").click()
    page.wait_for_url(re.compile(rf"/contacts/{right.id}"))
    [one] = written()
    assert (one.body, one.contact_id) == (words, right.id)
    anna.opens(f"/contacts/{firm.id}")
    expect(page.locator("#composer textarea")).to_have_value("")
    # So do those in the drawer of another page.
    anna.opens("/documents")
    page.keyboard.press("n")
    page.locator(".drawer-found").get_by_text(firm.name).click()
    page.locator("#drawer textarea").fill("Rang about prices.")
    page.get_by_role("link", name="About somebody else").click()
    page.locator(".drawer-found").get_by_text(right.name).click()
    page.get_by_text(f"About {right.name}").wait_for()
    expect(page.locator("#drawer textarea")).to_have_value("Rang about prices.")
    assert anna.complaints == []


def test_a_draft_never_brings_back_readers_outside(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Your windows come on Friday.")
    page.locator("#composer .aud-button").click()
    page.locator("#composer .choice-shared").check()
    page.get_by_text(re.compile("Draft kept")).wait_for()
    kept = page.evaluate("JSON.parse(Object.values(localStorage)[0])[0].readers")
    assert kept is None
    # It stays said until somebody chooses, however often the tab is closed.
    for _time in range(2):
        page = closed_and_opened(anna, f"/contacts/{firm.id}")
        text = page.locator("#composer textarea")
        expect(text).to_have_value("Your windows come on Friday.")
        expect(page.locator("#composer .choice-teams")).to_be_checked()
        expect(page.locator("#composer")).not_to_have_class(re.compile("is-outside"))
        expect(page.locator(".composer-draft")).to_have_text(
            "Your draft was for readers outside. Nobody outside is chosen now:"
            " choose again who sees it."
        )
        text.press("End")
        text.type(" Or")
        text.press("Backspace")
        text.press("Backspace")
        text.press("Backspace")
        page.get_by_text(re.compile("Draft kept")).wait_for()
    shot(page, "draft-inside")
    page.locator("#composer .aud-button").click()
    page.locator("#composer .choice-private").check()
    expect(page.locator(".composer-draft")).to_have_text("")
    page.keyboard.press("Escape")
    text.press("Control+Enter")
    page.locator("#timeline article", has_text="on Friday").wait_for()
    [one] = written()
    assert one.audience.kind == "private"
    assert anna.complaints == []


def test_a_draft_opens_to_nobody_whom_its_writer_had_not_chosen(anna, firm):
    mika = make_user("Mika Salo", teams=["Sales"])
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("He may be leaving.")
    page.locator("#composer .aud-button").click()
    page.locator("#composer .choice-private").check()
    page.get_by_label("Mika Salo").check()
    page.get_by_text(re.compile("Draft kept")).wait_for()
    page = closed_and_opened(anna, f"/contacts/{firm.id}")
    expect(page.get_by_label("Mika Salo")).to_be_checked()
    expect(page.locator(".composer-draft")).to_have_count(0)
    with db.transaction():
        disable_user(find_user(mika.email))
    page = closed_and_opened(anna, f"/contacts/{firm.id}")
    expect(page.locator("#composer textarea")).to_have_value("He may be leaving.")
    expect(page.locator("#composer .choice-private")).to_be_checked()
    expect(page.locator("#composer .aud-name")).to_have_text("Only you")
    expect(page.locator(".composer-draft")).to_have_text(
        "Whom your draft was for is not on offer any more. Only you see it now:"
        " choose again who sees it."
    )
    page.locator("#composer textarea").press("Control+Enter")
    page.locator("#timeline article", has_text="leaving").wait_for()
    [one] = written()
    assert one.audience.kind == "private"
    assert anna.complaints == []


def test_two_tabs_never_take_each_others_words(anna, firm):
    path = f"/contacts/{firm.id}"
    anna.opens(path)
    first = anna.page
    text = first.locator("#composer textarea")
    text.fill("Wants four windows.")
    first.get_by_text(re.compile("Draft kept")).wait_for()
    second = first.context.new_page()
    second.goto(f"{anna.server.url}{path}")
    more = second.locator("#composer textarea")
    expect(more).to_have_value("Wants four windows.")
    more.fill("Wants four windows. And two doors.")
    second.get_by_text(re.compile("Draft kept")).wait_for()
    # Closing the older tab changes nothing; neither does a letter typed and taken back.
    first.close(run_before_unload=True)
    third = second.context.new_page()
    third.goto(f"{anna.server.url}{path}")
    expect(third.locator("#composer textarea")).to_have_value(
        "Wants four windows. And two doors."
    )
    third.locator("#composer textarea").fill("Something else.")
    third.get_by_text(re.compile("Draft kept")).wait_for()
    # Both have gone on: both are there, and what was sent does not come back.
    more.fill("Wants four windows. And three doors.")
    second.wait_for_timeout(1500)
    more.press("Control+Enter")
    second.locator("#timeline article", has_text="three doors").wait_for()
    second.close(run_before_unload=True)
    third.reload()
    expect(third.locator("#composer textarea")).to_have_value("Something else.")
    third.locator("#composer textarea").press("Control+Enter")
    third.locator("#timeline article", has_text="Something else").wait_for()
    third.reload()
    expect(third.locator("#composer textarea")).to_have_value("")
    assert len(written()) == 2


def test_a_change_that_never_arrived_is_still_a_draft(anna, firm):
    number = written_by_anna(firm)
    path = f"/interactions/{number}/edit"
    anna.opens(path)
    page = anna.page
    text = page.locator("#composer textarea")
    text.fill("Five windows.")
    page.context.set_offline(True)
    text.press("Control+Enter")
    page.wait_for_url("chrome-error://**")
    page.context.set_offline(False)
    page = closed_and_opened(anna, "/")
    anna.opens(path)
    text = page.locator("#composer textarea")
    expect(text).to_have_value("Five windows.")
    text.press("Control+Enter")
    page.wait_for_url(re.compile(r"/(contacts|interactions)/\d+(#.*)?$"))
    drafts = "Object.keys(localStorage).filter(k => k.includes('draft'))"
    assert page.evaluate(drafts) == []
    [one] = written()
    assert one.body == "Five windows."


def test_a_draft_of_a_change_comes_back_unless_the_entry_was_changed(anna, firm):
    number = written_by_anna(firm)
    path = f"/interactions/{number}/edit"
    anna.opens(path)
    page = anna.page
    page.locator("#composer textarea").fill("Five windows.")
    page.locator("#composer .aud-button").click()
    page.locator("#composer .choice-private").check()
    page.get_by_text(re.compile("Draft kept")).wait_for()
    page = closed_and_opened(anna, path)
    expect(page.locator("#composer textarea")).to_have_value("Five windows.")
    expect(page.locator("#composer .choice-private")).to_be_checked()
    with db.transaction() as session:
        session.get(Interaction, number).body = "Six windows."
    page = closed_and_opened(anna, path)
    expect(page.locator("#composer textarea")).to_have_value("Six windows.")
    expect(page.locator("#composer .choice-teams")).to_be_checked()


def test_the_clock_of_a_call_is_part_of_its_draft_and_alone_is_none(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("c")
    expect(page.locator("#composer .timer")).to_have_text(re.compile(r"0:0[1-9]"))
    page = closed_and_opened(anna, f"/contacts/{firm.id}")
    expect(page.locator("#composer select[name=kind]")).to_have_value("note")
    page.keyboard.press("c")
    page.keyboard.type("Rang.")
    page.get_by_text(re.compile("Draft kept")).wait_for()
    page = closed_and_opened(anna, f"/contacts/{firm.id}")
    expect(page.locator("#composer select[name=kind]")).to_have_value("call")
    expect(page.get_by_label("Duration, minutes")).to_have_value("1")
    expect(page.get_by_role("button", name="Start timer")).to_be_visible()


def test_the_text_of_a_kind_begins_an_empty_note_and_leaves_a_written_one(
    anna, firm, browser, server
):
    boss = make_user("Ad Min", password=PASSWORD, roles=("admin",))
    chief = Person(browser, server, boss)
    chief.opens("/admin/kinds/meeting")
    chief.page.get_by_label("Text", exact=True).fill("**Present:**")
    chief.presses("Save text")
    chief.opens("/admin/kinds/new")
    chief.page.get_by_label("Name", exact=True).fill("Site inspection")
    chief.page.get_by_label("Name of field 1").fill("Result")
    shot(chief.page, "kind")
    chief.presses("Add kind")
    expect(chief.page.locator("main")).to_contain_text("Site inspection")
    shot(chief.page, "kinds")

    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    kind = page.locator("#composer select[name=kind]")
    text = page.locator("#composer textarea")
    kind.select_option("meeting")
    expect(text).to_have_value("**Present:**")
    kind.select_option("site_inspection")
    expect(page.get_by_role("textbox", name="Result")).to_be_visible()
    expect(text).to_have_value("")
    text.fill("Seen it.")
    kind.select_option("meeting")
    expect(page.get_by_label("Place")).to_be_visible()
    expect(text).to_have_value("Seen it.")
    assert anna.complaints == chief.complaints == []


def test_without_scripts_a_call_has_its_fields_and_a_mention_its_page_in_between(
    anna, firm, browser, server
):
    plain = Person(
        browser,
        server,
        make_user("Pirjo Plain", password=PASSWORD, teams=["Sales"]),
        scripts=False,
        width=390,
    )
    plain.opens(f"/interactions/new?contact={firm.id}&kind=call")
    page = plain.page
    page.locator("textarea[name=body]").fill("Rang. Ask @Sanna Virta")
    page.get_by_label("Outcome").select_option("reached")
    page.get_by_label("Duration, minutes").fill("7")
    plain.presses("Save note")
    assert "Sanna Virta is not in Sales." in plain.reads()
    shot(page, "plain")
    plain.presses("Add Sanna Virta and save")
    assert "Reached · 7 minutes" in plain.reads()
    [entry] = written()
    assert entry.details == {"outcome": "reached", "duration": 7}


DROP = """(target, [name, text, type]) => {
    const files = new DataTransfer();
    files.items.add(new File([text], name));
    if (type === "paste" && text.startsWith("words")) files.setData("text/plain", text);
    const how = { bubbles: true, cancelable: true };
    const event = type === "paste"
        ? new ClipboardEvent("paste", { ...how, clipboardData: files })
        : new DragEvent(type, { ...how, dataTransfer: files });
    target.dispatchEvent(event);
}"""


def test_files_are_dropped_pasted_chosen_and_taken_out(anna, firm, tmp_path):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    text = page.locator("#composer textarea")
    page.keyboard.type("Here they are.")
    text.evaluate(DROP, ["Dropped.txt", "one", "drop"])
    text.evaluate(DROP, ["Pasted.txt", "two", "paste"])
    text.evaluate(DROP, ["Picture of a table.png", "words\tof a table", "paste"])
    chosen = tmp_path / "Chosen.txt"
    chosen.write_text("three")
    page.locator("#composer input[type=file]").set_input_files(chosen)
    chips = page.locator("#composer .files-field .chip")
    expect(chips).to_have_text(["Dropped.txt×", "Pasted.txt×", "Chosen.txt×"])
    shot(page, "files")
    page.get_by_role("button", name="Remove Pasted.txt").click()
    expect(chips).to_have_count(2)
    page.get_by_role("button", name="Save note").click()
    entry = page.locator("#timeline article", has_text="Here they are.")
    expect(entry.locator(".entry-files a")).to_have_text(["Dropped", "Chosen"])
    expect(chips).to_have_count(0)
    shot(page, "files-saved")
    page.keyboard.press("n")
    page.keyboard.type("No more files.")
    page.get_by_role("button", name="Save note").click()
    entry = page.locator("#timeline article", has_text="No more files.")
    expect(entry.locator(".entry-files")).to_have_count(0)
    assert anna.complaints == []


def test_a_note_is_linked_to_what_waits_with_the_customer(anna, firm):
    number = leaks(firm)
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("The part is on its way.")
    page.get_by_text("Link to a record").click()
    field = page.get_by_role("combobox", name="Ticket, order or document")
    # Enter in a field that only finds saves nothing.
    field.fill("nothing like it")
    field.press("Enter")
    field.fill("")
    field.click()
    page.get_by_role("option", name="Leak").click()
    expect(page.locator(".chip", has_text="Leak")).to_be_visible()
    page.keyboard.press("Control+Enter")
    entry = page.locator("#timeline article", has_text="The part is on its way.")
    expect(entry.get_by_role("link", name=f"#{number} Leak")).to_be_visible()
    assert [one.body for one in written()][-1] == "The part is on its way."
    # Another entry comes: what was fetched stays as it is.
    entry.evaluate("one => (one.seen = true)")
    with db.transaction() as session:
        contact = session.get(Contact, firm.id)
        writer = session.scalars(sa.select(User).where(User.name == "Mika Koski")).one()
        write_interaction(contact, author=writer, body="It will fit.")
    page.locator("#timeline article", has_text="It will fit.").wait_for()
    assert entry.evaluate("one => one.seen === true")
    assert anna.complaints == []


def test_a_reminder_is_said_below_the_words_that_ask_for_it(anna, firm):
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Has four developments; remind me in 3 days")
    said = page.locator("[data-asked]")
    expect(said).to_contain_text("Reminder ")
    shot(page, "reminder")
    said.get_by_role("button", name="No reminder").click()
    expect(said).to_contain_text("No reminder.")
    expect(said.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(said.get_by_role("button", name="No reminder")).to_be_visible()
    page.locator("#composer-body").press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("Reminder ")
    expect(said).to_be_empty()
    with db.read_only() as session:
        [planned] = session.scalars(sa.select(FollowUp)).all()
        assert planned.text.startswith("Has four developments")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Moved to trash.")
