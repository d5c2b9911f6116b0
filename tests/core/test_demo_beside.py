"""The demo company beside what is there already, and by its command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.contacts.models import Contact
from core.db import db
from core.demo import PASSWORD, load_demo_company
from core.errors import Conflict, Invalid
from core.importing.folders import mapping_sets
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED
from core.users.services import find_user

pytestmark = pytest.mark.soak_on_postgresql

ROLES = ["admin", "sales", "support", "outsider", "customer", "customer2", "vendor"]


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


def test_files_that_could_not_all_come_in_may_be_tried_again_or_dropped(
    app: CRM, tmp_path: Path
) -> None:
    for name in mapping_sets()[0].files:
        (tmp_path / name).write_text("")
    for _time in range(2):
        with pytest.raises(Invalid, match="is empty"):
            load_demo_company(app, data=tmp_path)
    assert [one.role for one in load_demo_company(app, reset=True)] == ROLES


# The plugins' parts are most of the company's making, and no part of this promise.
@pytest.mark.parametrize("app_config", [{"PLUGINS_DISABLED": INSTALLED}], ids=["core"])
def test_reset_spares_the_accounts_of_an_installation_without_a_demonstration(
    app: CRM,
) -> None:
    make_user("Ada Admin", email="ada@example.com", roles=["admin"])
    db.session.rollback()
    load_demo_company(app, reset=True)
    assert find_user("ada@example.com").active


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "loaded",
    [
        pytest.param(True, id="once_more"),
        pytest.param(False, id="at_first", marks=pytest.mark.soak),
    ],
)
def test_the_command_prints_the_sign_ins(
    request: pytest.FixtureRequest, tmp_path: Path, word_lists: str, loaded: bool
) -> None:
    if loaded:
        folder = tmp_path / "demo"
        shutil.copytree(request.getfixturevalue("demo_template"), folder)
        database_url = f"sqlite:///{folder}/rapport.db"
    else:
        folder, database_url = tmp_path, request.getfixturevalue("database_url")
    place = {"RAPPORT_INSTANCE": str(folder), "RAPPORT_DATABASE_URL": database_url}
    place["RAPPORT_SEARCH_LEMMAS"] = word_lists
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "core",
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
