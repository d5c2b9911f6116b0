"""A disk that is full: said clearly, nothing half saved, and on it goes with room."""

import io
import resource
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Event
from core.files import file_store
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user
from core.users.services import find_user
from core.users.sessions import create_token
from core.worker import deliver_due

ROUNDS = [
    pytest.param(2, id="few"),
    pytest.param(50, id="many", marks=pytest.mark.soak),
]


@pytest.fixture(params=["sqlite"])
def dialect(request):
    """Let the disk of this process fill; PostgreSQL's server is another process."""
    return request.param


@contextmanager
def no_room(bytes_left=2048):
    """Let no file of this process grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def counted(model, *where):
    with db.read_only() as session:
        return session.scalar(
            sa.select(sa.func.count()).select_from(model).where(*where)
        )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_what_finds_no_room_in_the_database_is_refused_and_can_be_repeated(
    make_app, sign_in_to, rounds
):
    app = make_app(TESTING=False)
    with app.app_context():
        contact, rep = make_contact(), make_user()
        browser = sign_in_to(app, rep)
        with db.transaction():
            _row, token = create_token(find_user(rep.email), scopes=["*"])
        program = app.test_client()
        program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        note = {"kind": "note", "contacts": [contact.id], "audience": "staff"}
        for number in range(rounds):
            sent = {**note, "body": f"note {number} " + "word " * 2000}
            form = {"name": "Shop", "scopes": ["contacts:read"], "days": "30"}
            with no_room():
                refused = program.post("/api/v1/interactions", json=sent)
                page = browser.post("/me/tokens", data=form)
                assert browser.get(f"/contacts/{contact.id}").status_code == 200
            assert (refused.status_code, page.status_code) == (503, 503)
            assert "no room left on the disk" in refused.json["detail"]
            assert "no room left on the disk" in page.text
            assert refused.headers["Retry-After"]
            assert counted(Interaction) == number
            again = program.post("/api/v1/interactions", json=sent)
            assert again.status_code == 201
        assert counted(Interaction) == rounds
        assert counted(Event, Event.type == "interaction.created") == rounds


def test_a_file_that_finds_no_room_leaves_nothing_behind(make_app, sign_in_to):
    app = make_app(TESTING=False)
    with app.app_context():
        contact = make_contact()
        browser = sign_in_to(app, make_user())

        def upload():
            return browser.post(
                "/documents",
                data={
                    "file": (io.BytesIO(b"large words " * 10_000), "a.txt"),
                    "title": "Contract",
                    "contact": str(contact.id),
                    "audience": "staff",
                },
            )

        # The small rows still fit into the database; the file does not.
        with no_room(100_000):
            refused = upload()
        assert refused.status_code == 503
        assert "no room" in refused.text
        assert list(file_store().hashes()) == []
        assert not list(file_store().root.rglob("*.part"))
        assert upload().status_code in {200, 303}
        assert len(list(file_store().hashes())) == 1


def test_an_index_that_finds_no_room_is_made_when_there_is_some(app, as_user, clock):
    browser = as_user(make_user(roles=("admin",)))
    assert deliver_due(app) >= 0
    contact = make_contact("Xylophone Oy")
    assert counted(Delivery)
    with no_room(), pytest.raises(sa.exc.OperationalError):
        # The worker's own loop waits and asks again.
        deliver_due(app)
    assert counted(Delivery)
    while counted(Delivery):
        clock.shift(120)
        deliver_due(app)
    assert f"/contacts/{contact.id}" in browser.get("/search?q=xylophone").text
