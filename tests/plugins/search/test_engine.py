"""Which engine searches is said in the configuration; both are the same to people."""

import pytest

from core.app import create_app
from core.testing.factories import make_contact, make_interaction, make_user
from core.worker import run_due_jobs
from plugins.search.backend import IndexOp
from plugins.search.engine import backend
from plugins.search.reconciling import compare


@pytest.fixture
def app_config():
    return {"SEARCH": "postgresql"}


@pytest.fixture
def house(app, as_user):
    firm = make_contact("Kallion Vesijohto Oy", phones=["+358 40 123 4567"])
    anna = make_user("Anna Laine", teams=["Sales"])
    make_interaction(firm, author=anna, body="Sopimuksesta sovittiin puhelimessa.")
    make_user("Outi Kallio", kind="customer", contact=firm)
    return as_user(anna)


on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"])


@on_postgresql
def test_a_house_on_postgresql_searches_there(house, app, deliver):
    page = house.get("/search?q=kallion").text
    assert "only names of contacts" in page
    deliver()
    assert backend().name == "postgresql"
    for words in ("sopimus", "040 123 4567", "Kallion Vesi", "vesijohto sopimus"):
        page = house.get("/search", query_string={"q": words}).text
        assert '<li class="hit">' in page, words
        assert "only names of contacts" not in page
    assert house.get("/palette?q=kall").json["items"]


@on_postgresql
def test_commands_and_the_page_of_health_look_after_it(house, app, as_user, deliver):
    deliver()
    run = app.test_cli_runner().invoke
    command = app.extensions["rapport_commands"]["search"]
    assert "The index is as the database is." in run(command, ["verify"]).output
    backend().apply([IndexOp.delete("contact/1")])
    assert run(command, ["verify"]).exit_code == 1
    boss = as_user(make_user("Ad Min", roles=["admin"]))
    assert "Postgresql" in boss.get("/admin/search").text
    boss.post("/admin/search/compare")
    run_due_jobs(app)
    assert "contact/1" not in compare().stale
    assert run(command, ["rebuild"]).exit_code == 0
    assert "records" in run(command, ["status"]).output


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("postgresql", "set SEARCH to whoosh, or move to PostgreSQL"),
        ("elastic", "set it to whoosh or postgresql"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_at_the_start(
    tmp_path, dialect, chosen, said
):
    config = {"SECRET_KEY": "test", "SEARCH": chosen}
    with pytest.raises(ValueError, match=said):
        create_app(config, instance=tmp_path)
