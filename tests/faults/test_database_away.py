"""PostgreSQL stops under a running installation, and comes back."""

import json
import time
import urllib.error
import urllib.request

import pytest
import sqlalchemy as sa

from core import migrate
from core.app import create_app
from core.db import db
from core.events import Delivery
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user
from core.testing.postgres import PostgresMissing, restartable_server
from core.testing.server import live_server
from core.users.defaults import ensure_default_roles
from core.users.services import find_user
from core.users.sessions import create_token

ROUNDS = [
    pytest.param(1, id="once"),
    pytest.param(20, id="often", marks=pytest.mark.soak),
]


def ask(url, token="", sent=None):
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(sent).encode() if sent is not None else None
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers)


def until(true, seconds=40):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come back"
        time.sleep(0.2)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_database_that_was_away_is_found_again_without_a_restart(
    tmp_path, word_lists, rounds
):
    try:
        with restartable_server() as postgres:
            _away_and_back(postgres, tmp_path, word_lists, rounds)
    except PostgresMissing as missing:
        pytest.skip(str(missing))


def _away_and_back(postgres, tmp_path, word_lists, rounds):
    config = {"DATABASE_URL": postgres.url, "SECRET_KEY": "test", "TESTING": True}
    app = create_app(config, instance=tmp_path)
    migrate.upgrade(app)
    with app.app_context():
        with db.transaction():
            ensure_default_roles()
        rep, contact = make_user(), make_contact()
        with db.transaction():
            _row, token = create_token(find_user(rep.email), scopes=["*"])
        contact_id = contact.id
        db.engine.dispose()
    with live_server(tmp_path, postgres.url, word_lists=word_lists) as server:
        note = {"kind": "note", "audience": "staff", "contacts": [contact_id]}
        api = f"{server.url}/api/v1/interactions"
        for number in range(rounds):
            assert ask(api, token, {**note, "body": f"a{number}"})[0] == 201
            postgres.stop()
            for _ in range(3):
                status, headers = ask(api, token, {**note, "body": "lost"})
                assert status == 503
                assert headers["Retry-After"]
                assert headers["Content-Type"] == "application/problem+json"
            assert ask(f"{server.url}/sign-in")[0] in {200, 503}
            assert ask(f"{server.url}/healthz")[0] == 200
            assert ask(f"{server.url}/readyz")[0] == 503
            postgres.start()
            assert ask(api, token, {**note, "body": f"b{number}"})[0] == 201
        until(lambda: ask(f"{server.url}/readyz")[0] == 200)
        with app.app_context():
            until(lambda: not _waiting())
            with db.read_only() as session:
                bodies = session.scalars(sa.select(Interaction.body)).all()
            assert len(bodies) == rounds * 2
            assert "lost" not in bodies
        assert server.child.poll() is None
    app.extensions["rapport_engine"].dispose()


def _waiting():
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Delivery))
