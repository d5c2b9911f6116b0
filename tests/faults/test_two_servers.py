"""Two web processes and two workers on one SQLite file, under people in a hurry."""

import threading
import time
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.app import CRM, create_app
from core.db import db
from core.events import Delivery
from core.interactions.models import Interaction
from core.testing.factories import PASSWORD, make_contact, make_user
from tests.bench.asking import Browser
from tests.bench.running import served, working

CLIENTS = 8


@pytest.fixture
def house(sqlite_template: Path, tmp_path: Path) -> CRM:
    """A house on SQLite with some customers and a colleague who writes."""
    path = tmp_path / "rapport.db"
    path.write_bytes(sqlite_template.read_bytes())
    settings = {"SECRET_KEY": "test", "DATABASE_URL": f"sqlite:///{path}"}
    app = create_app(settings, instance=tmp_path)
    with app.app_context():
        make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
        for number in range(20):
            make_contact(f"Firm {number} Oy", kind="organisation")
    return app


class Person(threading.Thread):
    """Somebody who reads and writes without a pause until the time is over."""

    def __init__(self, url: str, number: int, until: float):
        """Sign in at `url`; stop at `until` of the monotonic clock."""
        super().__init__()
        self.browser = Browser(url)
        self.browser.sign_in("anna@example.com", PASSWORD)
        self.number, self.until = number, until
        self.written: list[str] = []
        self.answers: set[int] = set()

    def run(self) -> None:
        """Write a note, look at its contact, look at the list."""
        for at in count():
            if time.monotonic() > self.until:
                return
            body = f"note {self.number} {at}"
            contact = (self.number + at) % 20 + 1
            form = {"contacts": contact, "audience": "staff", "body": body}
            status, _answer, _body = self.browser.post("/interactions", form)
            if status == 303:
                self.written.append(body)
            self.answers.add(status)
            for path in (f"/contacts/{contact}", "/contacts"):
                self.answers.add(self.browser.get(path)[0])


def hurry(house: CRM, seconds: float) -> None:
    """Let eight people work so long; nothing is refused, nothing is lost."""
    url, folder = house.config["DATABASE_URL"], Path(house.config["INSTANCE"])
    with working(folder, url), working(folder, url):
        with served("rapport", folder, url) as running:
            until = time.monotonic() + seconds
            people = [Person(running.url, one, until) for one in range(CLIENTS)]
            for one in people:
                one.start()
            for one in people:
                one.join()
                one.browser.close()
        _wait_until_delivered(house)
    assert set().union(*(one.answers for one in people)) == {200, 303}
    written = sorted(body for one in people for body in one.written)
    with house.app_context(), db.read_only() as session:
        assert sorted(session.scalars(sa.select(Interaction.body))) == written
        assert not session.scalars(sa.select(Delivery.error)).all()
    assert len(written) >= CLIENTS
    assert "does not answer" not in (folder / "bench.log").read_text()


def _wait_until_delivered(house: CRM) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with house.app_context(), db.read_only() as session:
            waiting = sa.select(sa.func.count()).select_from(Delivery)
            if not session.scalar(waiting):
                return
        time.sleep(0.2)
    raise AssertionError("the workers did not deliver everything")


@pytest.mark.timeout(180)
def test_two_servers_and_two_workers_share_one_sqlite_file(house: CRM) -> None:
    hurry(house, 5)


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_two_servers_and_two_workers_share_it_for_ten_minutes(house: CRM) -> None:
    hurry(house, 600)
