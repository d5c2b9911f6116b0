"""Pages stand still while they come: nothing moves away from under a hand."""

import shutil
from types import SimpleNamespace

import pytest

from core.demo import PASSWORD
from core.testing.server import live_server
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ANNA = SimpleNamespace(email="anna.laine@lehtosupply.example")
# The part of the window that moves, times how far: one line more of a page is 0.5.
MOST = 0.02
# Counts what moves by itself, and says what it was.
WATCH = """() => {
    window.moved = []
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) {
            const what = one.sources.map(({ node }) => node?.outerHTML?.slice(0, 90))
            window.moved.push([one.value, ...what])
        }
    }).observe({ type: 'layout-shift', buffered: true })
}"""
# All is there that is fetched after the page.
SETTLED = """() => {
    const fetched = performance.getEntriesByType('resource')
    const last = Math.max(...fetched.map((one) => one.responseEnd))
    return document.readyState === 'complete' && performance.now() - last > 600
}"""


@pytest.fixture
def house(demo_template, tmp_path, word_lists):
    """A server of its own, on a copy of the demo company."""
    folder = tmp_path / "demo"
    shutil.copytree(demo_template, folder)
    database = f"sqlite:///{folder}/rapport.db"
    with live_server(folder, database, word_lists=word_lists) as running:
        yield running


def test_no_page_of_a_working_day_moves_while_it_comes(house, browser):
    anna = Person(browser, house, ANNA, password=PASSWORD)
    anna.page.add_init_script(f"({WATCH})()")
    found = {}
    for width in (1280, 390):
        anna.page.set_viewport_size({"width": width, "height": 800})
        for path in ("/", "/contacts", "/contacts/1", "/contacts/3"):
            anna.opens(path)
            anna.page.wait_for_function(SETTLED)
            moved = anna.page.evaluate("window.moved")
            if sum(value for value, *_what in moved) > MOST:
                found[path, width] = moved
    assert found == {}
    # What was measured is a page of a house that works.
    assert anna.page.locator("#timeline article").count() > 10
