"""What programs do with an entry: pin, follow, look back, take out, mark as read."""

import pytest

from core.audiences import AudienceSpec
from core.testing.factories import make_contact, make_interaction, make_user


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


@pytest.fixture
def olli(app):
    return make_user("Olli Outo", roles=["staff"])


@pytest.fixture
def outi(firm):
    return make_user("Outi Kallio", kind="customer", contact=firm)


@pytest.fixture
def entry(firm, anna):
    """A note for the team of sales."""
    spec = AudienceSpec("teams", teams=[anna.teams[0].id])
    return make_interaction(firm, author=anna, body="Wants two", audience=spec)


def at(entry, act=""):
    return f"/api/v1/interactions/{entry.id}{act}"


def version(client, entry, of=""):
    return {"If-Match": client.get(at(entry, of)).headers["ETag"]}


# -- Pinning ---------------------------------------------------------------------------


def test_a_program_pins_an_entry_and_lets_it_go(entry, mika, api):
    program = api(mika)
    now = version(program, entry)
    answer = program.put(at(entry, "/pin"), headers=now)
    assert answer.status_code == 200
    assert answer.json["pinned"] is True
    assert answer.headers["ETag"] == version(program, entry)["If-Match"]
    # Nobody lets go of what they have not seen.
    assert program.delete(at(entry, "/pin")).status_code == 428
    assert program.delete(at(entry, "/pin"), headers=now).status_code == 412
    assert program.get(at(entry)).json["pinned"] is True
    now = version(program, entry)
    assert program.delete(at(entry, "/pin"), headers=now).status_code == 204
    assert program.get(at(entry)).json["pinned"] is False


@pytest.mark.parametrize("act", ["pin", "restore", "history", "follow"])
def test_what_one_may_not_see_is_not_there_for_any_act(entry, mika, olli, api, act):
    every = {"If-Match": "*"}
    ways = {"pin": ["PUT", "DELETE"], "restore": ["POST"], "history": ["GET"]}
    for way in ways.get(act, ["GET", "PUT", "DELETE"]):
        ask = {"method": way, "headers": every}
        assert api(olli).open(at(entry, f"/{act}"), **ask).status_code == 404
        assert api(mika).open(at(entry, f"/{act}"), **ask).status_code < 400 or (
            act == "restore"
        )


def test_customers_and_tokens_without_the_scope_do_none_of_it(
    firm, entry, outi, mika, api
):
    every = {"If-Match": "*"}
    shared = make_interaction(
        firm, author=mika, audience=AudienceSpec("shared", shared_with=[firm.id])
    )
    reader = api(mika, "interactions:read")
    nothing = api(mika, "contacts:read")
    assert reader.get(at(entry, "/history")).status_code == 200
    for way, act in (("PUT", "pin"), ("DELETE", "pin"), ("POST", "restore")):
        ask = {"method": way, "headers": every}
        assert reader.open(at(entry, f"/{act}"), **ask).status_code == 403
        assert api(outi).open(at(shared, f"/{act}"), **ask).status_code == 404
    for way, act in (("GET", "history"), ("GET", "follow"), ("PUT", "follow")):
        assert nothing.open(at(entry, f"/{act}"), method=way).status_code == 403
        assert api(outi).open(at(shared, f"/{act}"), method=way).status_code == 404
    for act in ("follow", "seen"):
        where = f"/api/v1/contacts/{firm.id}/{act}"
        # Reading entries is not enough to ask by contact.
        for one, said in ((reader, 403), (nothing, 403), (api(outi), 404)):
            assert one.get(where).status_code == said
            assert one.put(where, json={"upto": 1}).status_code == said


# -- The trash, and what was said before -----------------------------------------------


def test_an_author_takes_an_entry_out_of_the_trash(entry, anna, mika, api):
    program = api(anna)
    answer = program.delete(at(entry), headers=version(program, entry))
    assert answer.status_code == 204
    assert program.get(at(entry)).status_code == 404
    # To a reader who may not put it back it is gone.
    every = {"If-Match": "*"}
    assert api(mika).get(at(entry, "/history")).status_code == 404
    assert api(mika).post(at(entry, "/restore"), headers=every).status_code == 404
    assert program.post(at(entry, "/restore")).status_code == 428
    stale = {"If-Match": '"1"'}
    assert program.post(at(entry, "/restore"), headers=stale).status_code == 412
    now = version(program, entry, "/history") | {"Idempotency-Key": "back-1"}
    for _ in range(2):
        answer = program.post(at(entry, "/restore"), headers=now)
        assert answer.status_code == 200
        assert answer.json["body"] == "Wants two"
    assert api(mika).get(at(entry)).status_code == 200


def test_a_reply_does_not_come_back_before_what_it_answers(entry, anna, api):
    program = api(anna)
    words = {"kind": "note", "body": "Four now", "parent": entry.id}
    reply = program.post("/api/v1/interactions", json=words).json["id"]
    program.delete(at(entry), headers=version(program, entry))
    every = {"If-Match": "*"}
    where = f"/api/v1/interactions/{reply}"
    answer = program.post(f"{where}/restore", headers=every)
    assert answer.status_code == 422
    assert "Take that out first" in answer.text
    assert program.post(at(entry, "/restore"), headers=every).status_code == 200
    assert program.get(where).status_code == 200


def test_a_program_reads_what_an_entry_said_before(entry, anna, mika, olli, api):
    program = api(anna)
    for body in ("Wants four", "Wants five"):
        now = version(program, entry)
        program.patch(at(entry), json={"body": body}, headers=now)
    page = api(mika).get(at(entry, "/history"), query_string={"limit": 1})
    [edit] = page.json["items"]
    assert edit["who"] == "Anna Laine"
    [text] = edit["differences"]
    assert text["field"] == "body"
    assert [(one["state"], one["text"]) for one in text["pieces"]] == [
        ("same", "Wants "),
        ("gone", "four"),
        ("new", "five"),
    ]
    assert 'rel="next"' in page.headers["Link"]
    older = {"limit": 1, "cursor": page.json["next"]}
    rest = api(mika).get(at(entry, "/history"), query_string=older).json
    assert rest["items"][0]["differences"][0]["pieces"][1]["text"] == "two"
    assert rest["next"] is None
    wrong = api(mika).get(at(entry, "/history"), query_string={"cursor": "x"})
    assert wrong.status_code == 400
    # Opened to all, the words from before stay with who could read them then.
    opened = {"audience": "staff"}
    program.patch(at(entry), json=opened, headers=version(program, entry))
    said = api(olli).get(at(entry, "/history")).text
    assert "two" not in said
    assert "four" not in said
    assert "Sales" not in said


# -- Following and reading -------------------------------------------------------------


def test_a_program_follows_a_contact_and_a_thread_and_stops(
    firm, entry, anna, mika, api
):
    program = api(mika)
    for where in (f"/api/v1/contacts/{firm.id}/follow", at(entry, "/follow")):
        assert program.get(where).json["following"] is False
        for _ in range(2):
            answer = program.put(where)
            assert answer.status_code == 200
            assert answer.json["following"] is True
            assert "Mika Koski" in answer.json["followers"]
        assert program.delete(where).status_code == 204
        assert program.get(where).json["following"] is False
    # Who wrote in a thread follows it without asking.
    said = {"following": True, "count": 1, "followers": ["Anna Laine"]}
    assert api(anna).get(at(entry, "/follow")).json == said


def test_a_program_marks_a_story_as_read_and_never_back(firm, entry, anna, mika, api):
    program, where = api(mika), f"/api/v1/contacts/{firm.id}/seen"
    nothing = {"upto": None, "looked_at": None, "unread": 0, "unread_is_exact": True}
    assert program.get(where).json == nothing
    # Who looks for the first time has seen all there is.
    first = program.put(where, json={"upto": 0})
    assert (first.json["upto"], first.json["unread"]) == (entry.id, 0)
    new = [make_interaction(firm, author=anna) for _ in range(2)]
    make_interaction(firm, author=mika)
    secret = AudienceSpec("private", users=[anna.id])
    make_interaction(firm, author=anna, audience=secret)
    assert program.get(where).json["unread"] == 2
    assert program.put(where, json={"upto": new[0].id}).json["unread"] == 1
    back = program.put(where, json={"upto": 0}).json
    assert (back["upto"], back["unread"]) == (new[0].id, 1)
    assert program.put(where, json={"upto": 2**31 - 1}).json["unread"] == 0
    # Nobody else's mark has moved.
    assert api(anna).get(where).json["upto"] is None


def test_a_reading_mark_takes_only_numbers_and_only_of_contacts_one_sees(
    firm, mika, api
):
    program, where = api(mika), f"/api/v1/contacts/{firm.id}/seen"
    for wrong in ({}, {"upto": -1}, {"upto": 2**31}, {"upto": "x"}, {"until": 1}):
        assert program.put(where, json=wrong).status_code == 422
    for act in ("seen", "follow"):
        gone = f"/api/v1/contacts/{firm.id + 1000}/{act}"
        assert program.put(gone, json={"upto": 1}).status_code == 404
        assert program.get(gone).status_code == 404


def test_more_than_can_be_counted_at_a_glance_is_said_to_be_so(firm, anna, mika, api):
    program, where = api(mika), f"/api/v1/contacts/{firm.id}/seen"
    program.put(where, json={"upto": 0})
    for _ in range(100):
        make_interaction(firm, author=anna)
    told = program.get(where).json
    assert (told["unread"], told["unread_is_exact"]) == (99, False)
    assert make_contact("Another Oy").id != firm.id
