"""Points 10 and 12: subscribers, jobs and records."""

from urllib.parse import quote

import sqlalchemy as sa

from core.db import db
from core.events import Event
from core.testing.contract.looking import ALL, asked, fill, row_counts
from core.testing.contract.points import nothing_wrong, point
from core.users.models import User
from core.worker import deliver_due

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]

HISTORY = {"event", "delivery", "job_run"}


@point(10)
def test_jobs_run_twice_on_an_empty_database(app, plugin):
    for job in asked(plugin, "register_jobs"):
        for _ in range(2):
            with db.transaction():
                job.run()


@point(10)
def test_subscribers_may_hear_everything_twice(demo_app, plugin):
    wrong = []
    for subscriber in asked(plugin, "register_subscribers"):
        counts = []
        with db.read_only() as session:
            events = [
                one.id
                for one in session.scalars(sa.select(Event).order_by(Event.id))
                if subscriber.wants(one.type)
            ][:300]
        for _ in range(2):
            with db.transaction() as session:
                heard = list(
                    session.scalars(sa.select(Event).where(Event.id.in_(events)))
                )
                if subscriber.batch > 1:
                    subscriber.handler(heard)
                else:
                    for one in heard:
                        subscriber.handler(one)
            counts.append(row_counts())
        wrong += [
            f"{subscriber.name}, run twice, writes into {one} again"
            for one in counts[0]
            if one not in HISTORY and counts[0][one] != counts[1][one]
        ]
    nothing_wrong(wrong)


@point(12)
def test_records_have_a_title_an_address_and_words(demo_app, plugin):
    fill(plugin)
    wrong = []
    with demo_app.test_request_context():
        users = db.session.scalars(sa.select(User)).all()
        for kind in asked(plugin, "register_records"):
            query = sa.select(kind.model).limit(20)
            for record in db.session.scalars(query).unique():
                wrong += _problems_of(kind, record, users)
    nothing_wrong(wrong)


def _problems_of(kind, record, users):
    if not kind.label(record):
        yield f"{record.ref} has no title"
    for user in users:
        address = kind.url(record, user)
        if address is not None and not address.startswith("/"):
            yield f"{record.ref} has the address {address!r}"
    document = kind.document(record) if kind.document is not None else None
    if document is not None and not document.title:
        yield f"the search document of {record.ref} has no title"


@point(12)
def test_a_deleted_record_leaves_the_index(demo_app, plugin, sign_in_demo):
    if "search" not in ALL or plugin == "search":
        return
    fill(plugin)
    _deliver(demo_app)
    browser, _counting = sign_in_demo("admin")
    wrong = []
    for kind in asked(plugin, "register_records"):
        found = _findable(browser, kind)
        if found is None:
            continue
        title, ref = found
        with db.transaction() as session:
            record = session.get_one(kind.model, int(ref.rpartition("/")[2]))
            session.delete(record)
        _deliver(demo_app)
        with db.read_only() as session:
            told = sa.select(Event.id).where(
                Event.subject == ref, Event.type == f"{kind.name}.deleted"
            )
            if session.scalar(told) is None:
                wrong.append(f"nobody was told that {ref} was deleted")
        if ref in _search(browser, title):
            wrong.append(f"{ref} is found after it was deleted")
    nothing_wrong(wrong)


def _deliver(app):
    while deliver_due(app):
        continue


def _findable(browser, kind):
    """Give the title and ref of a record that search finds by its title."""
    if kind.document is None:
        return None
    with browser.application.test_request_context():
        query = sa.select(kind.model).order_by(kind.model.id.desc()).limit(5)
        records = db.session.scalars(query).unique().all()
        documents = [(kind.document(one), one.ref) for one in records]
    for document, ref in documents:
        if document is not None and ref in _search(browser, document.title):
            return document.title, ref
    return None


def _search(browser, title):
    answer = browser.get(f"/api/v1/search?limit=100&q={quote(title)}")
    assert answer.status_code == 200, answer.text
    return [one["ref"] for one in answer.json["items"]]
