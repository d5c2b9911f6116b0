"""What is measured, each with its budget in multiples of the floor."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from tests.bench import words
from tests.bench.asking import Answer, Ask, Browser, Timing

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


def all_measured(contacts: int, cursor: str, *, searching: bool) -> Iterator[Measured]:
    """Give everything that has a budget, and some that is good to know.

    `contacts` is how many there are, `cursor` where the list's 1,000th page begins.
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
        yield Measured("search, one word", page("/search?q=pallets"), statements=None)
