"""The demo company: loaded once, kept as its users change it, started over on wish."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.contacts.models import Contact
from core.contacts.services import change_contact, trash_contact
from core.db import db, now
from core.demo import PASSWORD, SignIn, load_demo_company
from core.demo.stage import open_demo
from core.errors import Conflict, Invalid
from core.importing.folders import mapping_sets
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user
from core.users.models import User
from core.users.services import check_sign_in, find_user
from core.visibility import visible_to

ROLES = ["admin", "sales", "support", "outsider", "customer", "customer2", "vendor"]


@pytest.fixture
def signs(app: CRM) -> dict[str, SignIn]:
    return {one.role: one for one in load_demo_company(app)}


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


@pytest.mark.parametrize("reset", [False, True])
def test_it_never_mixes_with_an_installation_that_has_contacts(
    app: CRM, reset: bool
) -> None:
    make_contact("Real Customer Oy")
    db.session.rollback()
    with pytest.raises(Conflict, match="contacts of its own"):
        load_demo_company(app, reset=reset)
    names = db.session.scalars(sa.select(Contact.name)).all()
    assert names == ["Real Customer Oy"]


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


def test_files_that_could_not_all_come_in_may_be_tried_again_or_dropped(
    app: CRM, tmp_path: Path
) -> None:
    for name in mapping_sets()[0].files:
        (tmp_path / name).write_text("")
    for _time in range(2):
        with pytest.raises(Invalid, match="no headings"):
            load_demo_company(app, data=tmp_path)
    assert [one.role for one in load_demo_company(app, reset=True)] == ROLES


def test_reset_spares_the_accounts_of_an_installation_without_a_demonstration(
    app: CRM,
) -> None:
    make_user("Ada Admin", email="ada@example.com", roles=["admin"])
    db.session.rollback()
    load_demo_company(app, reset=True)
    assert find_user("ada@example.com").active


@pytest.mark.timeout(300)
def test_the_command_prints_the_sign_ins(database_url: str, tmp_path: Path) -> None:
    place = {"RAPPORT_INSTANCE": str(tmp_path), "RAPPORT_DATABASE_URL": database_url}
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "core.cli",
            "demo",
            "--json",
            "--url",
            "http://crm.test",
        ],
        env={**os.environ, **place},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert [one["role"] for one in found] == ROLES
    assert found[0] == {
        "role": "admin",
        "email": "helena.lehto@lehtosupply.example",
        "password": PASSWORD,
        "url": "http://crm.test/",
    }
