"""The page of the index's health: what it holds, what waits, and having it mended."""

import shutil
from pathlib import Path

import pytest

from core.testing.factories import make_contact, make_user
from core.worker import run_due_jobs
from plugins.search.backend import IndexOp
from plugins.search.engine import backend
from plugins.search.indexing import rebuild


@pytest.fixture
def boss(app, as_user):
    make_contact("Kallion Vesijohto Oy")
    rebuild()
    return as_user(make_user("Ad Min", roles=["admin"]))


def test_it_says_what_the_index_holds_and_what_waits_for_it(boss, deliver):
    deliver()
    page = boss.get("/admin/search").text
    assert "healthy" in page
    assert "0 changes" in page
    assert "<dt>Contact</dt><dd>1</dd>" in page
    assert backend().stats().name in page
    make_contact("Tapio Rakennus Oy")
    assert "1 change, the oldest" in boss.get("/admin/search").text


def test_an_index_that_is_not_there_or_damaged_is_called_so(boss, app):
    root = Path(app.config["SEARCH_FOLDER"]) / "index"
    largest = max(root.rglob("*.seg"), key=lambda one: one.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:100])
    assert "damaged" in boss.get("/admin/search").text
    shutil.rmtree(root)
    page = boss.get("/admin/search").text
    assert "not made yet" in page
    assert "only names of contacts" in page


def test_pressing_the_button_has_the_worker_mend_it(boss, app):
    backend().apply([IndexOp.delete("contact/1")])
    assert "contact/1" not in dict(backend().revisions())
    assert boss.post("/admin/search/compare").status_code == 303
    run_due_jobs(app)
    assert "contact/1" in dict(backend().revisions())
    assert "not yet" not in boss.get("/admin/search").text


def test_only_administrators_see_it_and_are_led_there(boss, as_user):
    assert "/admin/search" in boss.get("/search").text
    places = boss.get("/palette?q=search").json["items"]
    assert "/admin/search" in {one["url"] for one in places}
    anna = as_user(make_user("Anna Laine"))
    assert anna.get("/admin/search").status_code == 403
    assert anna.post("/admin/search/compare").status_code == 403
    assert "/admin/search" not in anna.get("/search").text
