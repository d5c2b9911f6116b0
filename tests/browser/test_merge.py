"""Two that are one: picked, compared, agreed to, merged and parted again."""

import pytest

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.testing.factories import (
    PASSWORD,
    make_contact,
    make_interaction,
    make_user,
)
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]


def look(contact):
    with db.read_only() as session:
        found = session.get_one(Contact, contact.id)
        session.expunge_all()
    return found


@pytest.mark.parametrize("scripts", [True, False])
def test_two_that_are_one_are_merged_and_parted_again(server, browser, scripts):
    firm = make_contact("Kallion Vesijohto Oy", language="fi")
    twin = make_contact(
        "Kallion Vesi Oy", language="zh", phones=[{"number": "+358 40 555 1212"}]
    )
    make_user("Outi Kallio", kind="customer", contact=firm)
    shared = AudienceSpec("shared", shared_with=frozenset({twin.id}))
    make_interaction(twin, body="Wants one window per site.", audience=shared)
    rep = make_user("Anna Laine", password=PASSWORD)
    anna = Person(browser, server, rep, scripts=scripts, width=1280 if scripts else 390)
    page = anna.page

    if scripts:
        anna.opens("/contacts")
        for one in (firm, twin):
            page.locator(f"input.pick[value='{one.id}']").check()
        anna.presses("Merge")
    else:
        anna.opens(f"/contacts/{firm.id}/merge?q=Kallion")
        page.get_by_role("link", name="Choose Kallion Vesi Oy").click()
    page.get_by_role("button", name="Merge these two").wait_for()
    assert "Outi Kallio (portal) would see what is shared" in anna.reads()
    languages = page.get_by_role("group", name="Language")
    languages.get_by_role("radio").nth(1).check()

    # Without the yes it is asked for, and what was chosen stays.
    anna.presses("Merge these two")
    page.get_by_text("say that it is right").first.wait_for()
    assert languages.get_by_role("radio").nth(1).is_checked()
    page.get_by_label("That is right").check()
    anna.presses("Merge these two")
    page.wait_for_url(f"**/contacts/{firm.id}")
    assert "Wants one window per site." in anna.reads()
    found = look(firm)
    assert (found.language, len(found.phones)) == ("zh", 1)

    # The old address leads here, where the way back stays.
    anna.opens(f"/contacts/{twin.id}")
    assert page.url.endswith(f"/contacts/{firm.id}")
    anna.opens(f"/contacts/{firm.id}/merged")
    anna.presses("Part again Kallion Vesi Oy")
    page.wait_for_url(f"**/contacts/{twin.id}")
    assert "Wants one window per site." in anna.reads()
    assert (look(firm).language, look(twin).language) == ("fi", "zh")
    assert anna.complaints == []
