"""What is measured, each with its budget in multiples of the floor."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from itertools import count

from tests.bench import words
from tests.bench.asking import Answer, Ask, Browser, Timing, text_of

PAGE = 50


@dataclass
class Measured:
    """A page or act: what it may cost, and what it did."""

    name: str
    ask: Ask
    times: int = 200
    # In multiples of the floor's median; None is shown without a budget.
    budget: float | None = None
    # The most SQL statements it may take; None is shown without a budget.
    statements: int | None = 12
    timing: Timing = field(default_factory=Timing)
    # The floor's answers between its own: its time is divided by their median.
    floor: Timing = field(default_factory=Timing)


def far_list(cursor: str) -> str:
    """Give the address of the contact list behind a cursor."""
    return f"/contacts?after={cursor}"


# The first of these lines is measured where scrolling begins, the last where it ends.
SCROLLING = "scrolling it,"


def scrolled(browser: Browser) -> tuple[str, str]:
    """Scroll through the busy contact; give where its next and last parts are from."""
    path, parts = "/contacts/1", list[str]()
    while True:
        _status, answer, body = browser.get(path, in_place=bool(parts))
        found = re.search(r'rel="next" hx-get="([^"]+)"', text_of(answer, body))
        if found is None:
            return parts[0], parts[-1]
        path = unescape(found[1])
        parts.append(path)


def all_measured(
    contacts: int, cursor: str, scroll: tuple[str, str], *, searching: bool
) -> Iterator[Measured]:
    """Give everything that has a budget, and some that is good to know.

    `contacts` is how many there are, `cursor` where the list's 1,000th page begins,
    `scroll` the addresses of the first and last further entries of the busy contact.
    """
    numbers = count(1)

    def any_contact(browser: Browser) -> Answer:
        # Steps by a prime, so that neighbours in the table do not follow each other.
        return browser.get(f"/contacts/{next(numbers) * 7_919 % (contacts - 2) + 2}")

    def note(browser: Browser) -> Answer:
        at = next(numbers)
        about = at * 104_729 % (contacts - 2) + 2
        form = {"contacts": about, "audience": "teams", "teams": ["Sales", "Support"]}
        body = f"Asked for samples of pallet {at}."
        return browser.post("/interactions", {**form, "body": body})

    def calling_note(browser: Browser) -> Answer:
        at = next(numbers)
        about = at * 104_729 % (contacts - 2) + 2
        body = f"@{words.GIVEN[0]} {words.FAMILY[0]}, @{words.GIVEN[1]} "
        body += f"{words.FAMILY[1]} and @Support: samples of pallet {at}. #samples"
        return browser.post(
            "/interactions", {"contacts": about, "audience": "staff", "body": body}
        )

    def page(path: str) -> Ask:
        return lambda browser: browser.get(path)

    yield Measured("contact list, first page", page("/contacts"), budget=5)
    yield Measured("contact list, 1,000th next", page(far_list(cursor)), budget=5)
    yield Measured("contact list, name filter", page("/contacts?q=virt"), budget=5)
    yield Measured("contact page", any_contact, budget=7)
    yield Measured("contact page, 1,000 entries", page("/contacts/1"), budget=8)
    for name, where in zip(("next", "last"), scroll, strict=True):
        part = partial(Browser.get, path=where, in_place=True)
        yield Measured(f"{SCROLLING} the {name} part", part)
    yield Measured(
        "a note written",
        note,
        budget=6,
        statements=None,
    )
    yield Measured(
        "a note that calls two and a team",
        calling_note,
        budget=7,
        statements=None,
    )
    yield Measured("my day", page("/"))
    yield Measured("documents", page("/documents"))
    yield Measured("tickets", page("/support"))
    yield Measured("orders", page("/orders"))
    yield Measured("products", page("/products"))
    if searching:
        looked_for = {"one word": "pallets", "three words": "pallets+samples+price"}
        for name, asked in looked_for.items():
            ask = page(f"/search?q={asked}")
            yield Measured(f"search, {name}", ask, budget=10)
