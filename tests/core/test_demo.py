"""The demo company: loaded once, kept as its users change it, started over on wish."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.app import CRM, create_app
from core.contacts.models import Contact
from core.contacts.services import change_contact, trash_contact
from core.db import db, now
from core.demo import PASSWORD, SignIn, load_demo_company
from core.demo.stage import open_demo
from core.errors import Conflict, Invalid
from core.importing.folders import mapping_sets
from core.interactions.models import Interaction
from core.testing.postgres import PostgresServer
from core.users.models import User
from core.users.services import check_sign_in, find_user
from core.visibility import visible_to

pytestmark = pytest.mark.soak_on_postgresql

ROLES = ["admin", "sales", "support", "outsider", "customer", "customer2", "vendor"]


# The company is loaded once a database, or was already; each test takes a copy.
_loaded: dict[str, tuple[str, list[SignIn]]] = {}


@pytest.fixture
def database_url(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    if dialect not in _loaded:
        _loaded[dialect] = _load(dialect, request)
    first = _loaded[dialect][0]
    if dialect == "sqlite":
        path = tmp_path / "rapport.db"
        shutil.copy(first.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(of=first) as url:
        yield url


def _load(dialect: str, request: pytest.FixtureRequest) -> tuple[str, list[SignIn]]:
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("company")
    if dialect == "postgresql":
        url = request.getfixturevalue("postgres").clone()
    else:
        shutil.copytree(
            request.getfixturevalue("demo_template"), folder, dirs_exist_ok=True
        )
        url = f"sqlite:///{folder}/rapport.db"
    settings = {"TESTING": True, "SECRET_KEY": "test", "DATABASE_URL": url}
    app = create_app(settings, instance=folder)
    signs = load_demo_company(app)
    with app.app_context():
        if dialect == "sqlite":
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return url, signs


@pytest.fixture
def signs(app: CRM, dialect: str) -> dict[str, SignIn]:
    return {one.role: one for one in _loaded[dialect][1]}


def user(sign: SignIn) -> User:
    return find_user(sign.email)


def seen_by(sign: SignIn) -> set[str]:
    entries = db.session.scalars(visible_to(user(sign), Interaction)).unique()
    return {one.audience.kind for one in entries}


def test_everybody_on_the_list_can_sign_in(signs: dict[str, SignIn]) -> None:
    assert list(signs) == ROLES
    for one in signs.values():
        assert one.password == PASSWORD
        assert check_sign_in(one.email, one.password, address="127.0.0.1").active
        assert one.url.startswith("http://127.0.0.1:8000/")
    teams = {role: [t.name for t in user(signs[role]).teams] for role in ROLES[:4]}
    assert teams["sales"] == ["Sales"]
    assert teams["support"] == ["Support"]
    assert not {"Sales", "Support"} & {*teams["outsider"], *teams["admin"]}
    firms = {user(signs[role]).contact_id for role in ROLES[4:]}
    assert None not in firms
    assert len(firms) == 3


def test_it_looks_like_a_company_that_works_today(signs: dict[str, SignIn]) -> None:
    people = db.session.scalars(sa.select(Contact)).all()
    assert len(people) > 50
    assert {"en", "fi", "zh"} <= {one.language for one in people}
    assert any(one.parent_id for one in people)
    assert any(one.next_step_on and one.next_step_on >= now().date() for one in people)
    assert any(one.roles == ["customer", "vendor"] for one in people)
    entries = db.session.scalars(sa.select(Interaction)).unique().all()
    newest = max(one.occurred_at for one in entries if one.occurred_at <= now())
    assert (now() - newest).total_seconds() < 24 * 3600
    assert {one.audience.kind for one in entries} == {
        "private",
        "teams",
        "staff",
        "shared",
    }


def test_notes_of_the_teams_stay_with_the_teams(signs: dict[str, SignIn]) -> None:
    assert "teams" in seen_by(signs["sales"]) & seen_by(signs["support"])
    assert "teams" not in seen_by(signs["outsider"])
    for role in ("customer", "customer2", "vendor"):
        assert seen_by(signs[role]) == {"shared"}


def test_running_it_again_keeps_what_was_changed(
    app: CRM, signs: dict[str, SignIn]
) -> None:
    with db.transaction():
        demo = open_demo()
        change_contact(demo.contacts["kallio"], {"name": "Kallio & Co"}, actor=None)
        trash_contact(demo.contacts["tapio"])
        db.session.delete(demo.contacts["arto"])
    before = db.session.scalars(sa.select(sa.func.count(Contact.id))).one()
    db.session.rollback()
    assert load_demo_company(app) == list(signs.values())
    assert db.session.scalars(sa.select(sa.func.count(Contact.id))).one() == before
    demo = open_demo()
    assert demo.contacts["kallio"].name == "Kallio & Co"
    assert demo.contacts["tapio"].trashed_at is not None
    assert "arto" not in demo.contacts


def test_reset_starts_over(app: CRM, signs: dict[str, SignIn]) -> None:
    with db.transaction():
        change_contact(open_demo().contacts["kallio"], {"name": "Gone"}, actor=None)
    db.session.rollback()
    files = Path(app.config["FILES_FOLDER"])
    files.mkdir(parents=True, exist_ok=True)
    (files / "left").write_text("over")
    again = load_demo_company(app, reset=True)
    assert again == list(signs.values())
    assert open_demo().contacts["kallio"].name == "Kallion Vesijohto Oy"
    assert not (files / "left").exists()


def test_a_folder_without_mappings_is_refused_before_anything_changes(
    app: CRM, signs: dict[str, SignIn], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Invalid, match="No mappings fit"):
        load_demo_company(app, reset=True, data=tmp_path / "empty")
    assert user(signs["sales"]).active


def test_files_do_not_come_in_beside_the_demo_company(
    app: CRM, signs: dict[str, SignIn], tmp_path: Path
) -> None:
    for name in mapping_sets()[0].files:
        (tmp_path / name).write_text("")
    with pytest.raises(Conflict, match="--reset"):
        load_demo_company(app, data=tmp_path)
    assert user(signs["sales"]).active
