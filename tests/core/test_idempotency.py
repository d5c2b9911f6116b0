"""The same POST sent twice is done once, and only the same one."""

import io
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Blueprint, request

from core.contacts.models import Contact
from core.db import db
from core.errors import Conflict
from core.idempotency import IdempotentAnswer, forget_old_answers
from core.permissions import signed_in
from core.testing.factories import make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import Team
from core.users.services import ensure_team

PEKKA = {"kind": "person", "name": "Pekka Virtanen"}
OUTI = {"kind": "person", "name": "Outi Kallio"}

bp = Blueprint("probe", __name__)


def add_team():
    with db.session.no_autoflush:
        number = db.session.scalar(sa.select(sa.func.count(Team.id)))
    return ensure_team(f"Team {number + 1}").name


@bp.post("/probe/teams")
@signed_in
def add():
    return add_team(), 201


@bp.post("/probe/teams/elsewhere")
@signed_in
def add_elsewhere():
    return add_team(), 201


@bp.post("/probe/page")
@signed_in
def submit():
    add_team()
    return "", 303, {"Location": f"/probe/{request.form['name']}"}


@bp.post("/probe/files")
@signed_in
def upload():
    return f"{add_team()}: {request.files['file'].read().decode()}", 201


@bp.post("/probe/refused/<how>")
@signed_in
def refused(how):
    """Refuse as long as there is no team, in the way that is named."""
    if not db.session.scalar(sa.select(Team.id).limit(1)):
        if how == "raise":
            raise Conflict
        return "not yet", 409
    return "done", 201


@pytest.fixture
def app_plugins():
    return (("probe", make_plugin(register_blueprints=lambda: [bp])),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


def post(client, path="/probe/teams", key="k-1", **sent):
    return client.post(path, headers={"Idempotency-Key": key}, **sent)


def count(model=Team):
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count(model.id)))


def test_the_same_request_is_done_once_and_answered_alike(api):
    client = api(make_user())
    first, again = (post(client, "/api/v1/contacts", json=PEKKA) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == again.headers[name]
    assert count(Contact) == 1


def test_another_body_under_the_same_key_is_refused(api):
    client = api(make_user())
    post(client, "/api/v1/contacts", json=PEKKA)
    other = post(client, "/api/v1/contacts", json=OUTI)
    assert other.status_code == 422
    assert "used with another body" in other.json["detail"]
    assert count(Contact) == 1
    assert post(client, "/api/v1/contacts", json=PEKKA).status_code == 201


def test_without_a_key_or_with_another_one_it_is_done_again(as_user):
    browser = as_user(make_user())
    assert [post(browser, key=key).text for key in ("", "", "a", "b", "b")] == [
        "Team 1",
        "Team 2",
        "Team 3",
        "Team 4",
        "Team 4",
    ]


def test_a_key_belongs_to_its_user_and_its_address(as_user):
    anna, ben = as_user(make_user("Anna Laine")), as_user(make_user("Ben Koski"))
    assert post(anna).text == "Team 1"
    assert post(ben).text == "Team 2"
    assert post(anna, "/probe/teams/elsewhere").text == "Team 3"
    assert post(anna).text == "Team 1"


@pytest.mark.parametrize("how", ["raise", "answer"])
def test_a_failure_is_not_kept(as_user, how):
    browser = as_user(make_user())
    assert post(browser, f"/probe/refused/{how}").status_code == 409
    assert count(IdempotentAnswer) == 0
    with db.transaction():
        ensure_team("Sales")
    assert post(browser, f"/probe/refused/{how}").status_code == 201


def test_a_refused_body_may_be_corrected_under_the_same_key(api):
    client = api(make_user())
    assert post(client, "/api/v1/contacts", json={"nmae": "x"}).status_code == 422
    assert post(client, "/api/v1/contacts", json=PEKKA).status_code == 201


def test_a_key_that_is_too_long_is_refused(api):
    client = api(make_user())
    refused = post(client, "/api/v1/contacts", "k" * 256, json=PEKKA)
    assert refused.status_code == 422
    assert "at most 255 characters" in refused.json["detail"]
    assert count(Contact) == 0
    assert post(client, "/api/v1/contacts", "k" * 255, json=PEKKA).status_code == 201


def test_after_a_day_a_key_is_new_again(as_user, clock):
    browser = as_user(make_user())
    post(browser)
    clock.shift(timedelta(hours=23))
    assert post(browser).text == "Team 1"
    with db.transaction():
        forget_old_answers()
    assert post(browser).text == "Team 1"
    clock.shift(timedelta(hours=1, seconds=1))
    browser = as_user(make_user())
    assert post(browser).text == "Team 2"


def test_an_answer_of_yesterday_is_not_repeated_before_it_is_swept(api, clock):
    anna = make_user()
    client = api(anna)
    first = post(client, "/api/v1/contacts", json=PEKKA).json
    clock.shift(timedelta(hours=24, seconds=1))
    # Another body, which within the day would be refused.
    assert post(client, "/api/v1/contacts", json=OUTI).json["id"] != first["id"]
    assert count(IdempotentAnswer) == 1
    clock.shift(timedelta(hours=24, seconds=1))
    with db.transaction():
        forget_old_answers()
    assert count(IdempotentAnswer) == 0


def upload_file(browser, content, name="a.txt", boundary="one"):
    """Send a file as a browser would that chose this boundary."""
    head = (
        f"--{boundary}\r\nContent-Disposition: form-data; name=file; "
        f"filename={name}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return post(
        browser,
        "/probe/files",
        input_stream=io.BytesIO(body),
        content_type=f"multipart/form-data; boundary={boundary}",
        content_length=len(body),
    )


def test_of_an_upload_the_content_counts_and_not_its_boundary(as_user):
    browser = as_user(make_user())
    first = upload_file(browser, b"prices")
    again = upload_file(browser, b"prices", boundary="two")
    assert first.text == again.text == "Team 1: prices"
    assert upload_file(browser, b"others").status_code == 422
    assert upload_file(browser, b"prices", name="b.txt").status_code == 422
    assert count() == 1


def test_an_upload_of_several_megabytes_is_read_whole_after_it_was_hashed(as_user):
    browser = as_user(make_user())
    large = b"0123456789" * 300_000
    for _ in range(2):
        assert upload_file(browser, large).text == f"Team 1: {large.decode()}"


def test_a_page_s_form_is_told_from_another_one(as_user):
    browser = as_user(make_user())
    first, again = (post(browser, "/probe/page", data={"name": "a"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"] == "/probe/a"
    assert count() == 1
    assert post(browser, "/probe/page", data={"name": "b"}).status_code == 422


def test_two_at_once_have_one_effect_and_one_answer(api):
    anna = make_user()
    clients = [api(anna) for _ in range(4)]
    together = threading.Barrier(len(clients))
    answers = []

    def send(client):
        together.wait()
        answers.append(post(client, "/api/v1/contacts", json=PEKKA))

    threads = [threading.Thread(target=send, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status_code for one in answers] == [201] * 4
    assert len({one.data for one in answers}) == 1
    assert count(Contact) == 1


def test_what_is_kept_does_not_open_what_was_closed_since(api):
    from core.users.services import disable_user, find_user

    anna = make_user()
    client = api(anna)
    post(client, "/api/v1/contacts", json=PEKKA)
    with db.transaction():
        disable_user(find_user(anna.email))
    assert post(client, "/api/v1/contacts", json=PEKKA).status_code == 401
