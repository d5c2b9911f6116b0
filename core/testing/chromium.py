"""The Chromium of the machine, for the browser tests, and its pytest fixtures."""

import os
import shutil
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

VARIABLE = "RAPPORT_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A browser under test asks nobody but the server under test.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class LaunchOptions(TypedDict):
    """What Playwright's `chromium.launch(**options)` takes."""

    executable_path: str
    args: list[str]


class ChromiumMissing(RuntimeError):
    """There is no Chromium on this machine; the message says how to get one."""


def find_chromium() -> str:
    """Give the path of `RAPPORT_CHROMIUM`, or of the first Chromium on the PATH.

    Raises `ChromiumMissing` when there is none.
    """
    asked = os.environ.get(VARIABLE)
    for name in [asked] if asked else NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise ChromiumMissing(
        f"{VARIABLE} names {asked}, which cannot be run."
        if asked
        else f"No Chromium: install the package chromium, or set {VARIABLE}."
    )


def launch_options() -> LaunchOptions:
    """Tell Playwright which browser to start, and how."""
    # Chromium's sandbox does not work for root; it only sees our own pages.
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": find_chromium(), "args": [*QUIET, *as_root]}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium, started once for all tests of a process."""
    from playwright.sync_api import sync_playwright

    try:
        options = launch_options()
    except ChromiumMissing as missing:
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**options)
        yield launched
        launched.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """A headless Chromium; `browser.new_context()` gives somebody's own."""
    yield chromium
    for context in chromium.contexts:
        context.close()
