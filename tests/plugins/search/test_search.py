"""Search through pages, API and command: what is found is what one may see."""

import json

import pytest

from core.audiences import AudienceSpec
from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team


@pytest.fixture
def house(app):
    """A customer, colleagues of two teams, and accounts outside."""
    kallio = make_contact(
        "Kallion Vesijohto Oy",
        roles=["customer"],
        emails=[{"address": "outi@kallio.example", "label": "work"}],
        phones=[{"number": "+358 40 123 4567", "label": "mobile"}],
    )
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    people = {
        "kallio": kallio,
        "other": other,
        "rep": make_user("Anna Laine", roles=("sales",), teams=("Sales",)),
        "agent": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
        "outsider": make_user("Ulla Ulkona", roles=("staff",)),
        "admin": make_user("Ad Min", roles=("admin",)),
        "outi": make_user("Outi Kallio", kind="customer", contact=kallio),
        "tapio": make_user("Tapio Tapio", kind="customer", contact=other),
    }
    with db.read_only() as session:
        people["teams"] = {team.name: team.id for team in session.query(Team)}
    return people


def found(client, text, **more):
    answer = client.get("/api/v1/search", query_string={"q": text} | more)
    assert answer.status_code == 200
    return answer.json


def refs(client, text, **more):
    return [one["ref"] for one in found(client, text, **more)["items"]]


@pytest.mark.parametrize(
    "text",
    [
        "kallio",
        "vesijohdon",
        "outi@kallio.example",
        "123 4567",
        "040 1234567",
        "KALLION",
    ],
)
def test_a_contact_is_found_by_name_inflection_mail_and_phone(
    house, api, deliver, text
):
    deliver()
    assert house["kallio"].ref in refs(api(house["rep"]), text)


@pytest.mark.parametrize("text", ["kallion vesijohto", "Vesijohto", "kallio"])
def test_a_customer_comes_before_what_was_written_about_them(house, api, deliver, text):
    for body in ("Kallion Vesijohto called.", "Kallio, Kallio, Kallio Vesijohto"):
        make_interaction(house["kallio"], author=house["rep"], body=body)
    deliver()
    assert refs(api(house["rep"]), text)[0] == house["kallio"].ref


def test_a_note_is_found_by_those_who_may_read_it_and_leaves_no_trace_elsewhere(
    house, api, as_user, deliver
):
    spec = AudienceSpec("teams", teams=frozenset({house["teams"]["Sales"]}))
    note = make_interaction(
        house["kallio"],
        author=house["rep"],
        body="They asked about xylophones.",
        audience=spec,
    )
    deliver()
    assert refs(api(house["rep"]), "xylophones") == [note.ref]
    for name in ("agent", "outsider", "admin", "outi", "tapio"):
        nothing = found(api(house[name]), "xylophones")
        assert nothing == found(api(house[name]), "neverwritten"), name
        assert (nothing["total"], nothing["items"]) == (0, []), name
        page = as_user(house[name]).get("/search?q=xylophones").text
        assert "They asked" not in page
        assert "1 hit" not in page
    palette = as_user(house["agent"]).get("/palette?q=xyloph").json
    assert not [one for one in palette["items"] if "note" in one["title"].lower()]


def test_a_shared_note_is_found_by_its_customer_and_no_other(house, api, deliver):
    spec = AudienceSpec("shared", shared_with=frozenset({house["kallio"].id}))
    note = make_interaction(
        house["kallio"], author=house["rep"], body="Xylophones leave.", audience=spec
    )
    deliver()
    assert refs(api(house["outi"]), "xylophones") == [note.ref]
    assert refs(api(house["tapio"]), "xylophones") == []
    assert refs(api(house["agent"]), "xylophones") == [note.ref]


def test_a_portal_user_finds_their_own_firm_and_no_other(house, api, deliver):
    deliver()
    assert refs(api(house["outi"]), "kallion") == [house["kallio"].ref]
    assert refs(api(house["outi"]), "tapio") == []


def test_a_changed_audience_is_in_force_before_the_index_knows(house, api, deliver):
    note = make_interaction(house["kallio"], author=house["rep"], body="Xylophones.")
    deliver()
    assert refs(api(house["agent"]), "xylophones") == [note.ref]
    body = {"audience": "teams", "teams": ["Sales"]}
    changed = api(house["rep"]).patch(
        f"/api/v1/interactions/{note.id}", json=body, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200, changed.json
    assert found(api(house["agent"]), "xylophones")["total"] == 0
    deliver()
    assert found(api(house["agent"]), "xylophones")["total"] == 0


def test_what_is_deleted_is_gone(house, api, deliver):
    note = make_interaction(house["kallio"], author=house["rep"], body="Xylophones.")
    deliver()
    api(house["rep"]).delete(
        f"/api/v1/interactions/{note.id}", headers={"If-Match": '"1"'}
    )
    deliver()
    assert refs(api(house["rep"]), "xylophones") == []


def test_types_narrow_and_unknown_ones_find_nothing(house, api, deliver):
    make_interaction(house["kallio"], author=house["rep"], body="About Kallion pipes.")
    deliver()
    rep = api(house["rep"])
    assert refs(rep, "kallion", type="contact") == [house["kallio"].ref]
    assert house["kallio"].ref not in refs(rep, "kallion", type="interaction")
    assert refs(rep, "kallion", type="nonsense") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        '"',
        "-",
        "* OR 1=1",
        "AND NOT",
        "\x00",
        "a" * 5000,
        "ääkköset 合同",
        "(((",
    ],
)
def test_no_query_is_an_error(house, api, as_user, deliver, text):
    deliver()
    assert "items" in found(api(house["rep"]), text)
    page = as_user(house["rep"]).get("/search", query_string={"q": text})
    assert page.status_code == 200


def test_the_page_marks_the_words_and_escapes_the_rest(house, as_user, deliver):
    body = "<script>alert(1)</script> pallets of xylophones"
    make_interaction(house["kallio"], author=house["rep"], body=body)
    deliver()
    page = as_user(house["rep"]).get("/search?q=xylophone").text
    assert "<mark>xylophones</mark>" in page
    assert "<script>alert" not in page


def test_a_broken_index_is_said_and_names_are_still_found(house, app, as_user, deliver):
    deliver()
    folder = app.extensions["search_backend"].root
    for path in folder.rglob("*.seg"):
        path.write_bytes(b"")
    for path in folder.rglob("CURRENT"):
        path.write_text("nowhere")
    browser = as_user(house["rep"])
    page = browser.get("/search?q=kallion").text
    assert "The index is being mended." in page
    assert "Kallion" in page
    # SQLite refuses a pattern of more than 50,000 bytes.
    assert browser.get("/search", query_string={"q": "x" * 60_000}).status_code == 200


def test_the_commands_rebuild_and_search_as_somebody(house, app, deliver):
    deliver()
    runner = app.test_cli_runner()
    command = app.extensions["rapport_commands"]["search"]
    built = runner.invoke(command, ["rebuild"])
    assert "records" in built.output, built.output
    asked = ["query", "kallion", "--as", house["rep"].email, "--json"]
    result = runner.invoke(command, asked)
    assert [house["kallio"].ref, "Kallion Vesijohto Oy"] in json.loads(result.output)
    nobody = runner.invoke(command, ["query", "x", "--as", "nobody@example.com"])
    assert nobody.exit_code != 0


def test_a_page_of_hits_costs_as_many_statements_as_one_hit(
    house, as_user, deliver, count_queries
):
    for number in range(22):
        firm = make_contact(f"Firm {number} Oy")
        body = "Pallets came. #late" + (" Only here: xylophone." if not number else "")
        make_interaction(firm, author=house["rep"], body=body)
    deliver()
    browser = as_user(house["rep"])
    browser.get("/search?q=pallets")

    def cost(text):
        with count_queries() as counted:
            assert browser.get(f"/search?q={text}").status_code == 200
        return counted.count

    assert cost("pallets") == cost("xylophone") <= 12
