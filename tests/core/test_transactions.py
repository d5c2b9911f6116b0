"""The transaction rule: what returns has committed, what raises has changed nothing."""

import pytest
import sqlalchemy as sa
from flask import Blueprint, abort
from marshmallow import ValidationError
from sqlalchemy.orm.exc import StaleDataError

from core.db import db, in_steps, writes
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.permissions import public, signed_in
from core.settings import Setting
from core.testing.factories import make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import Team
from core.users.services import ensure_team

bp = Blueprint("probe", __name__)

REFUSALS = {
    "invalid": (Invalid(), 422),
    "not_found": (NotFound(), 404),
    "forbidden": (Forbidden(), 403),
    "conflict": (Conflict(), 409),
    "schema": (ValidationError({"name": ["Missing."]}), 422),
    "stale": (StaleDataError(), 409),
    "bug": (RuntimeError("a bug"), 500),
}


@bp.post("/probe/keep/<name>")
@signed_in
def keep(name):
    ensure_team(name)
    return "kept"


@bp.post("/probe/raise/<kind>")
@signed_in
def refuse(kind):
    ensure_team("Half done")
    raise REFUSALS[kind][0]


@bp.post("/probe/abort")
@signed_in
def give_up():
    ensure_team("Half done")
    abort(409)


@bp.post("/probe/promise")
@signed_in
def promise():
    ensure_team("Half done")
    db.session.execute(sa.text("INSERT INTO promise (id, team_id) VALUES (1, 999)"))
    return "this looks well until the commit"


@bp.post("/probe/aside")
@signed_in
def aside():
    db.aside(lambda: ensure_team("Aside"))
    db.aside(_fail)
    db.aside(lambda: ensure_team("Aside too"))
    ensure_team("Half done")
    raise Invalid


def _fail():
    raise RuntimeError("this fact cannot be written")


@bp.get("/probe/peek")
@signed_in
def peek():
    ensure_team("Written by a GET")
    return "peeked"


@bp.get("/probe/late")
@signed_in
def peek_late():
    # Nothing flushes it before the commit.
    db.session.add(Team(name="Written by a GET"))
    return "peeked"


@bp.get("/probe/bulk")
@signed_in
def peek_in_bulk():
    db.session.execute(sa.insert(Setting).values(key="probe", value=1))
    return "peeked"


@bp.get("/probe/seen")
@signed_in
@writes
def seen():
    ensure_team("Seen")
    return "seen"


@bp.get("/probe/open")
@writes
@public
def open_seen():
    ensure_team("Seen by a guest")
    return "seen"


@pytest.fixture
def app_plugins():
    return (("probe", make_plugin(register_blueprints=lambda: [bp])),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED, "TESTING": False}


@pytest.fixture
def browser(as_user):
    return as_user(make_user("Anna Laine"))


def teams():
    with db.read_only() as session:
        return set(session.scalars(sa.select(Team.name)))


def test_a_view_that_returns_has_committed(browser):
    assert browser.post("/probe/keep/Sales").status_code == 200
    assert teams() == {"Sales"}


@pytest.mark.parametrize("kind", sorted(REFUSALS))
def test_a_view_that_raises_has_changed_nothing(browser, kind):
    assert browser.post(f"/probe/raise/{kind}").status_code == REFUSALS[kind][1]
    assert teams() == set()


def test_a_view_that_aborts_has_changed_nothing(browser):
    assert browser.post("/probe/abort").status_code == 409
    assert teams() == set()


def test_what_fails_at_the_commit_is_a_conflict_and_changes_nothing(browser):
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE promise (id INTEGER PRIMARY KEY, team_id INTEGER "
            "REFERENCES team (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    answer = browser.post("/probe/promise")
    assert answer.status_code == 409
    assert "Look at it again, then save." in answer.text
    assert teams() == set()
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM promise").all() == []


def test_what_was_put_aside_outlives_a_refusal_and_each_other(browser):
    assert browser.post("/probe/aside").status_code == 422
    assert teams() == {"Aside", "Aside too"}


@pytest.mark.parametrize("address", ["/probe/peek", "/probe/late", "/probe/bulk"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_that_writes_is_refused(browser, address, method):
    assert browser.open(address, method=method).status_code == 500
    assert teams() == set()
    with db.read_only() as session:
        assert session.get(Setting, "probe") is None


def test_a_get_that_says_it_writes_may(browser, client):
    assert browser.get("/probe/seen").status_code == 200
    assert client.get("/probe/open").status_code == 200
    assert teams() == {"Seen", "Seen by a guest"}


def test_code_outside_every_edge_cannot_write(app):
    with pytest.raises(RuntimeError, match=r"db\.transaction"):
        ensure_team("Nobody's")
    db.session.rollback()
    assert teams() == set()


def test_a_step_of_a_command_that_raises_has_changed_nothing_but_asides(app):
    def step():
        with db.transaction():
            ensure_team("Half done")
            db.aside(lambda: ensure_team("Aside"))
            raise Invalid

    with pytest.raises(Invalid):
        step()
    assert teams() == {"Aside"}


def test_a_transaction_inside_another_stands_for_itself(app):
    def outer():
        with db.transaction():
            db.session.scalar(sa.select(sa.func.count(Team.id)))
            raise Invalid

    with db.transaction():
        with pytest.raises(Invalid):
            outer()
        ensure_team("Sales")
    assert teams() == {"Sales"}


def test_what_is_contained_does_no_harm_to_what_is_around_it(app):
    def fail(name=None):
        with db.contained():
            if name:
                ensure_team(name)
            db.session.execute(sa.text("SELECT * FROM nowhere"))

    with db.transaction():
        ensure_team("Sales")
        with pytest.raises(sa.exc.DBAPIError):
            fail("Contained")
        ensure_team("Support")
    assert teams() == {"Sales", "Support"}
    with db.read_only() as session:
        with pytest.raises(sa.exc.DBAPIError):
            fail()
        assert session.scalar(sa.select(sa.func.count(Team.id))) == 2
        with pytest.raises(RuntimeError, match="only reads"), db.contained():
            session.add(Team(name="Written by a page hook"))
        assert session.scalar(sa.select(sa.func.count(Team.id))) == 2


# -- Long work ---------------------------------------------------------------------


class PowerCut(Exception):
    """The process ends here."""


def _resumable(names, *, fails_at=None):
    """Make the teams that are still to be made, three in a step."""
    with db.read_only() as session:
        mark = session.get(Setting, "probe.done")
        done = mark.value if mark else 0

    def work(step):
        for name in step:
            if name == fails_at:
                raise PowerCut
            ensure_team(name)
        reached = names.index(step[-1]) + 1
        db.session.merge(Setting(key="probe.done", value=reached))

    in_steps(names[done:], work, size=3)


def test_long_work_keeps_its_finished_steps_and_goes_on_after_them(app):
    names = [f"Team {number:02}" for number in range(10)]
    with pytest.raises(PowerCut):
        _resumable(names, fails_at="Team 07")
    assert teams() == set(names[:6])
    _resumable(names)
    assert teams() == set(names)
    _resumable(names)
    with db.read_only() as session:
        assert session.get_one(Setting, "probe.done").value == 10


def test_a_long_list_is_read_in_short_transactions(app):
    with db.transaction():
        for number in range(7):
            ensure_team(f"Team {number}")
    sizes, names = [], []
    for page in db.pages(sa.select(Team).order_by(Team.name.desc()), size=3):
        sizes.append(len(page))
        names += [team.name for team in page]
        # Others may write while it goes on.
        with db.transaction() as session:
            session.get_one(Team, page[0].id).name += " seen"
    assert sizes == [3, 3, 1]
    assert names == [f"Team {number}" for number in range(7)]
