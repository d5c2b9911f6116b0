"""Journey 8: a developer makes a plugin; an administrator takes it out and back.

That what the scaffold writes passes the contract is tests/core/test_scaffold.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.plugins import describe_distribution
from core.testing.server import environment, live_server
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_a_plugin_from_its_scaffold_to_its_way_back(
    app, browser, database_url, tmp_path, word_lists, monkeypatch
):
    def rapport(*words):
        done = subprocess.run(
            [sys.executable, "-m", "core", *words],
            env=environment(tmp_path, database_url)
            | {"RAPPORT_SEARCH_LEMMAS": word_lists},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # The developer: one command, then what it says.
    assert "Your plugin is in" in rapport("plugin", "new", "site_visits")
    made = tmp_path / "rapport-site-visits"
    front = {"site_visits": "rapport_site_visits.plugin"}
    describe_distribution(made, "rapport_site_visits", front)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(made), str(ROOT)]))
    rapport("db", "upgrade")

    boss = make_user("Helena Lehto", roles=("admin",), password=PASSWORD)
    firm = make_contact("Kallion Vesijohto Oy")

    def running():
        return live_server(tmp_path, database_url, word_lists=word_lists)

    with running() as server:
        helena = Person(browser, server, boss)
        helena.opens(f"/contacts/{firm.id}")
        helena.page.locator('a[href*="/site-visits/new"]').first.click()
        helena.page.fill("input[name=title]", "Measure the hall")
        helena.presses("Add")
        helena.page.wait_for_url(f"**/contacts/{firm.id}")
        assert "Measure the hall" in helena.page.content()
        # She sees what removing it would take; it runs, so it is turned off first.
        helena.opens("/admin/plugins")
        card = helena.page.locator("#plugin-site_visits")
        card.get_by_role("link", name="Remove").click()
        helena.page.wait_for_url("**/remove")
        assert "site_visits_item: 1 row" in helena.reads()
        helena.page.locator("main").get_by_role("button", name="Turn off").click()
        helena.page.wait_for_url("**/admin/plugins")
        assert "waits for a restart" in card.inner_text()
        assert not helena.complaints

    with running() as server:
        helena = Person(browser, server, boss)
        helena.opens("/admin/plugins/site_visits/remove")
        helena.page.fill("input[name=name]", "site-visits")
        helena.presses("Remove site_visits")
        helena.page.wait_for_load_state()
        assert "Nothing was removed." in helena.reads()
        helena.page.fill("input[name=name]", "site_visits")
        helena.presses("Remove site_visits")
        helena.page.wait_for_url("**/admin/plugins")
        helena.opens(f"/contacts/{firm.id}")
        assert "Measure the hall" not in helena.page.content()
        helena.opens("/admin/plugins")
        helena.page.get_by_role("button", name="Put back site_visits").click()
        helena.page.wait_for_load_state()
        card = helena.page.locator("#plugin-site_visits")
        assert "waits for a restart" in card.inner_text()
        assert not helena.complaints

    with running() as server:
        helena = Person(browser, server, boss)
        helena.opens(f"/contacts/{firm.id}")
        assert "Measure the hall" in helena.page.content()
