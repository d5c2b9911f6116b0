"""Calling colleagues and teams, tags, participants, dates in words, a preview."""

import re

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User
from core.users.services import ensure_role

NARROW = ("interactions:read", "interactions:write", "contacts:read")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


@pytest.fixture
def sanna(app):
    return make_user("Sanna Virta", teams=["Warehouse"])


def written():
    db.session.rollback()
    return db.session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()


def told():
    db.session.rollback()
    query = sa.select(User.name, Notification.text).join(
        User, User.id == Notification.user_id
    )
    return sorted(tuple(row) for row in db.session.execute(query))


def note(firm, body, **more):
    return {"contacts": firm.id, "kind": "note", "body": body, **more}


# -- Calling somebody ------------------------------------------------------------------


def test_who_is_called_is_told_once_and_sees_a_badge(
    firm, anna, mika, as_user, deliver
):
    browser = as_user(anna)
    sent = note(firm, "Ask @Mika Koski, or @mika koski. mail@mika.example")
    assert browser.post("/interactions", data=sent).status_code == 303
    deliver()
    deliver()
    assert told() == [("Mika Koski", "Anna Laine mentions you: Kallion Vesijohto Oy")]
    page = as_user(mika).get(f"/contacts/{firm.id}").text
    assert '<span class="mention mention-me">@Mika Koski</span>' in page
    [entry] = written()
    sent = note(firm, "Ask @Mika Koski soon.", audience="teams", teams="Sales")
    sent |= {"version": entry.version}
    assert browser.post(f"/interactions/{entry.id}/edit", data=sent).status_code == 303
    deliver()
    assert len(told()) == 1


def test_a_team_is_called_by_its_name_and_each_member_is_told(
    firm, anna, mika, as_user, deliver
):
    left = make_user("Ville Vanha", teams=["Sales"])
    with db.transaction() as session:
        session.get_one(User, left.id).active = False
    as_user(anna).post("/interactions", data=note(firm, "@Sales and @mika: look!"))
    deliver()
    assert [name for name, _text in told()] == ["Mika Koski"]


def test_the_badge_follows_a_new_name_and_the_text_stays(firm, anna, mika, as_user):
    browser = as_user(anna)
    browser.post("/interactions", data=note(firm, "Ask @Mika Koski."))
    with db.transaction() as session:
        session.get_one(User, mika.id).name = "Mika Lahti"
    page = browser.get(f"/contacts/{firm.id}").text
    assert '<span class="mention">@Mika Lahti</span>' in page
    [entry] = written()
    assert entry.body == "Ask @Mika Koski."
    sent = note(firm, "Do ask @Mika Koski.", audience="teams", teams="Sales")
    sent |= {"version": entry.version}
    assert browser.post(f"/interactions/{entry.id}/edit", data=sent).status_code == 303
    assert "@Mika Lahti</span>" in browser.get(f"/contacts/{firm.id}").text


def test_names_without_blanks_around_them_are_found(firm, anna, as_user):
    make_user("李伟", teams=["Sales"])
    make_user("Mikael Berg", teams=["Sales"])
    make_user("Mika Koski", teams=["Sales"])
    browser = as_user(anna)
    browser.post("/interactions", data=note(firm, "请问@李伟你好 @Mikael Berg `@Mika`"))
    page = browser.get(f"/contacts/{firm.id}").text
    assert '请问<span class="mention">@李伟</span>你好' in page
    assert '<span class="mention">@Mikael Berg</span>' in page
    [entry] = written()
    assert len(entry.mentions) == 2


# -- Somebody outside the audience -----------------------------------------------------


def test_calling_somebody_who_may_not_read_it_is_refused_and_adding_is_one_click(
    firm, anna, sanna, as_user, deliver
):
    browser = as_user(anna)
    sent = note(firm, "Ask @Sanna Virta.")
    asks = browser.post("/interactions", data=sent)
    assert asks.status_code == 422
    assert written() == []
    said = "Sanna Virta is not in Sales. Add them, or remove the mention."
    assert said in asks.text
    assert "Ask @Sanna Virta.</textarea>" in asks.text
    add = re.search(r'name="also" value="([^"]+)"', asks.text)[1]
    in_place = browser.post("/interactions", data=sent, headers=HTMX)
    assert said in in_place.text
    assert f'name="also" value="{add}"' in in_place.text
    saved = browser.post("/interactions", data=sent | {"also": add})
    assert saved.status_code == 303
    deliver()
    [entry] = written()
    assert entry.audience.users == [sanna.id]
    assert [name for name, _text in told()] == ["Sanna Virta"]
    assert "Sales, Sanna Virta" in browser.get(f"/contacts/{firm.id}").text
    assert as_user(sanna).get(f"/interactions/{entry.id}").status_code == 200
    edit = browser.get(f"/interactions/{entry.id}/edit").text
    assert f'name="also" value="user:{sanna.id}"' in edit
    left = make_user("Olli Outside", teams=["Warehouse"])
    assert as_user(left).get(f"/interactions/{entry.id}").status_code == 404


def test_a_team_that_is_called_in_a_private_note_may_be_added(
    firm, anna, sanna, as_user, deliver
):
    browser = as_user(anna)
    sent = note(firm, "For @Warehouse.", audience="private")
    asks = browser.post("/interactions", data=sent)
    assert "Warehouse: only you and who you named will read this." in asks.text
    add = re.search(r'name="also" value="([^"]+)"', asks.text)[1]
    assert browser.post("/interactions", data=sent | {"also": add}).status_code == 303
    deliver()
    [entry] = written()
    assert (entry.audience.kind, len(entry.audience.teams)) == ("teams", 1)
    assert [name for name, _text in told()] == ["Sanna Virta"]


def test_a_reply_cannot_call_who_cannot_read_the_conversation(
    firm, anna, sanna, as_user, api
):
    sales = AudienceSpec("teams", teams=frozenset(anna.team_ids))
    entry = make_interaction(firm, author=anna, audience=sales)
    asks = as_user(anna).post(
        "/interactions", data={"parent": entry.id, "body": "@Sanna Virta?"}
    )
    assert asks.status_code == 422
    assert "Sanna Virta cannot read this conversation." in asks.text
    assert 'name="also"' not in asks.text
    sent = {"parent": entry.id, "body": "@Sanna Virta?"}
    answer = api(anna).post("/api/v1/interactions", json=sent)
    assert answer.status_code == 422
    assert "cannot read" in answer.json["errors"]["body"][0]


def test_a_program_names_colleagues_beside_the_teams(firm, anna, sanna, api):
    sent = {"contacts": [firm.id], "body": "@Sanna Virta!", "audience": "teams"}
    program = api(anna)
    refused = program.post("/api/v1/interactions", json=sent | {"teams": ["Sales"]})
    assert "is not in Sales" in refused.json["errors"]["body"][0]
    sent |= {"teams": ["Sales"], "users": [sanna.id]}
    made = program.post("/api/v1/interactions", json=sent)
    assert made.status_code == 201, made.text
    assert (made.json["teams"], made.json["users"]) == (["Sales"], [sanna.id])
    assert api(sanna).get(f"/api/v1/interactions/{made.json['id']}").status_code == 200


def test_a_customer_calls_nobody_and_sees_no_badge(firm, anna, as_user, api, deliver):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    sent = {"body": "@Anna Laine is it ready? #order"}
    made = api(outi).post("/api/v1/interactions", json=sent)
    assert made.status_code == 201, made.text
    deliver()
    assert told() == []
    page = as_user(outi).get("/interactions").text
    assert "@Anna Laine is it ready?" in page
    assert "mention" not in page.partition("<main")[2]


def test_who_is_added_by_a_false_number_is_not_known(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    for added in (f"user:{outi.id}", "user:99999", "team:99999", "x", "user:0x1"):
        sent = note(firm, "x", also=added)
        assert as_user(anna).post("/interactions", data=sent).status_code == 422
    assert written() == []


# -- Suggestions -----------------------------------------------------------------------


def test_suggestions_are_colleagues_and_teams_and_tags_one_may_read(
    firm, anna, mika, sanna, as_user
):
    make_user("Outi Kallio", kind="customer", contact=firm)
    browser = as_user(anna)

    def offered(query):
        answer = browser.get(f"/interactions/suggest?{query}")
        return [one["name"] for one in answer.json["items"]]

    assert offered("mark=@&q=s") == ["Sales", "Sanna Virta"]
    assert offered("mark=@&q=kos") == ["Mika Koski"]
    assert offered("mark=@&q=outi") == []
    private = AudienceSpec("private", users=frozenset({mika.id}))
    make_interaction(firm, author=mika, body="#secret", audience=private)
    make_interaction(firm, author=mika, body="#Season and #sea")
    assert offered("mark=%23&q=se") == ["sea", "season"]
    # All tags there are would be counted at each key.
    assert offered("mark=%23&q=") == []


def test_names_of_all_letters_are_called_and_one_alike_is_not(
    firm, anna, mika, as_user, deliver
):
    for name in ("Rolf Groß", "İlker Öz"):
        make_user(name, teams=["Sales"])
    body = "@Rolf Groß, @İlker Öz, but not @Mıka Koski"
    answer = as_user(anna).post("/interactions", data=note(firm, body))
    assert answer.status_code == 303
    deliver()
    assert [name for name, _text in told()] == ["Rolf Groß", "İlker Öz"]
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert page.count('<span class="mention">') == 2


def test_a_tag_that_grows_in_small_letters_is_kept_and_found(firm, anna, as_user):
    body = "About #" + "ß" * 60
    browser = as_user(anna)
    assert browser.post("/interactions", data=note(firm, body)).status_code == 303
    page = browser.get(f"/contacts/{firm.id}").text
    [address] = re.findall(r'href="(/interactions\?tag=[^"]+)"', page)
    assert "About" in browser.get(address).text.partition('id="timeline"')[2]


def test_who_reads_an_entry_still_reads_it_when_its_form_is_saved(
    firm, anna, sanna, as_user
):
    spec = AudienceSpec(
        "teams", teams=frozenset(anna.team_ids), users=frozenset({sanna.id})
    )
    entry = make_interaction(firm, author=anna, audience=spec)
    with db.transaction() as session:
        session.get_one(User, sanna.id).active = False
    browser = as_user(anna)
    form = browser.get(f"/interactions/{entry.id}/edit").text
    also = re.findall(r'name="also" value="([^"]+)"', form)
    assert also == [f"user:{sanna.id}"]
    sent = note(firm, "Changed.", version=entry.version, audience="teams", also=also)
    sent["teams"] = "Sales"
    answer = browser.post(f"/interactions/{entry.id}/edit", data=sent)
    assert answer.status_code == 303, answer.text
    [found] = written()
    assert found.audience.users == [sanna.id]


def test_a_tag_leads_to_what_has_it(firm, anna, as_user):
    make_interaction(firm, author=anna, body="About the #Price-list.")
    make_interaction(firm, author=anna, body="No #prices here, #12 neither.")
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}").text
    assert 'href="/interactions?tag=price-list"' in page
    found = browser.get("/interactions?tag=Price-list").text
    assert "About the" in found
    assert "here" not in found.partition('id="timeline"')[2]
    assert 'name="tag" value="Price-list" checked' in found
    with db.transaction() as session:
        entry = session.scalars(sa.select(Interaction)).first()
        entry_id, version = entry.id, entry.version
    sent = note(firm, "No more.", version=version, audience="staff")
    browser.post(f"/interactions/{entry_id}/edit", data=sent)
    assert "No more." not in browser.get("/interactions?tag=price-list").text


def test_what_was_written_is_shown_before_it_is_saved(firm, anna, mika, as_user):
    sent = {"body": "**Bold** @Mika Koski #tag <script>alert(1)</script>"}
    shown = as_user(anna).post("/interactions/preview", data=sent).text
    assert "<strong>Bold</strong>" in shown
    assert '<span class="mention">@Mika Koski</span>' in shown
    assert "<script>" not in shown
    assert written() == []


# -- Participants ----------------------------------------------------------------------


def test_an_entry_is_about_several_people_named_with_commas(firm, anna, as_user):
    other = make_contact("Tapio Rakennus Oy")
    pekka = make_contact("Pekka Virtanen", kind="person")
    outi = make_contact("Outi Kallio", kind="person")
    browser = as_user(anna)
    sent = note(firm, "Lunch.", **{"with": "Pekka Virtanen, outi，Tapio Rakennus"})
    assert browser.post("/interactions", data=sent).status_code == 303
    [entry] = written()
    assert entry.contact_ids == [firm.id, other.id, pekka.id, outi.id]
    assert "Lunch." in browser.get(f"/contacts/{outi.id}").text
    edit = browser.get(f"/interactions/{entry.id}/edit").text
    assert re.findall(r'type="checkbox" name="contacts" value="(\d+)" checked', edit)
    sent = note(firm, "Lunch.", audience="teams", teams="Sales")
    sent |= {"version": entry.version, "contacts": [firm.id, pekka.id]}
    assert browser.post(f"/interactions/{entry.id}/edit", data=sent).status_code == 303
    [entry] = written()
    assert entry.contact_ids == [firm.id, pekka.id]
    assert "Lunch." not in browser.get(f"/contacts/{outi.id}").text


def test_a_name_that_fits_nobody_or_many_is_said_beside_its_field(firm, anna, as_user):
    make_contact("Pekka Virtanen", kind="person")
    make_contact("Pekka Salo", kind="person")
    browser = as_user(anna)
    many = browser.post("/interactions", data=note(firm, "x", **{"with": "Pekka"}))
    assert many.status_code == 422
    assert "fits more than one: Pekka Salo, Pekka Virtanen." in many.text
    assert 'value="Pekka"' in many.text
    nobody = browser.post("/interactions", data=note(firm, "x", **{"with": "Xyz"}))
    assert "There is no contact “Xyz”." in nobody.text
    assert written() == []


def test_whom_one_cannot_see_one_neither_finds_nor_takes_away(firm, anna, as_user, api):
    hidden = make_contact("Salainen Oy")
    boss = make_user("Ad Min", roles=("admin",))
    with db.transaction():
        ensure_role("narrow", NARROW, reach="own")
    nina = make_user("Nina Narrow", roles=("narrow",))
    with db.transaction() as session:
        session.get_one(Contact, firm.id).owner_id = nina.id
    browser = as_user(nina)
    assert browser.get("/interactions/people?q=Salainen").json["items"] == []
    assert as_user(boss).get("/interactions/people?q=Salainen").json["items"] == [
        {"id": hidden.id, "name": "Salainen Oy"}
    ]
    # Nor what a draft had chosen before.
    kept = {"chosen": [firm.id, hidden.id, 2**40, "odd"]}
    for reader, ids in ((boss, {firm.id, hidden.id}), (nina, {firm.id})):
        found = as_user(reader).get("/interactions/people", query_string=kept).json
        assert {one["id"] for one in found["items"]} == ids
    sent = {"contacts": [firm.id], "body": "x", "audience": "staff"}
    made = api(nina).post("/api/v1/interactions", json=sent)
    address = f"/api/v1/interactions/{made.json['id']}"
    etag = {"If-Match": made.headers["ETag"]}
    both = {"contacts": [firm.id, hidden.id]}
    assert api(nina).patch(address, json=both, headers=etag).status_code == 422
    changed = api(boss).patch(address, json=both, headers=etag)
    assert changed.status_code == 200, changed.text
    etag = {"If-Match": changed.headers["ETag"]}
    alone = api(nina).patch(address, json={"contacts": [firm.id]}, headers=etag)
    assert alone.status_code == 200
    assert written()[0].contact_ids == [firm.id, hidden.id]


# -- When ------------------------------------------------------------------------------


def test_a_time_in_words_is_read_back_and_taken_without_scripts(
    firm, anna, as_user, clock
):
    clock.move_to("2026-03-03T08:30:00+00:00")
    browser = as_user(anna)
    read = browser.get("/interactions/when?text=tomorrow 14:00").json
    assert read["value"] == "2026-03-04T14:00"
    assert "Wednesday" in read["words"]
    assert browser.get("/interactions/when?text=soonish").json["value"] == ""
    refused = browser.post("/interactions", data=note(firm, "x", occurred_at="soonish"))
    assert "Write a date such as 5.3. or tomorrow" in refused.text
    sent = note(firm, "x", occurred_at="huomenna klo 14")
    assert browser.post("/interactions", data=sent).status_code == 303
    assert written()[0].occurred_at.isoformat() == "2026-03-04T14:00:00+00:00"


# -- What it costs ---------------------------------------------------------------------


def test_mentions_tags_and_fields_add_no_statement_to_the_page_of_a_contact(
    firm, anna, mika, sanna, as_user, count_queries
):
    browser = as_user(anna)

    def cost():
        browser.get(f"/contacts/{firm.id}")
        with count_queries() as counted:
            assert browser.get(f"/contacts/{firm.id}").status_code == 200
        return counted.count

    make_interaction(firm, author=anna, body="Plain.")
    before = cost()
    for number in range(6):
        make_interaction(
            firm,
            author=anna,
            body=f"@Mika Koski @Sanna Virta @Sales @Warehouse #tag{number}",
            kind="call",
            source="ad",
            details={"outcome": "reached", "duration": number},
        )
    assert cost() == before
    assert before <= 12
