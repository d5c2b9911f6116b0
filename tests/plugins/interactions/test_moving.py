"""A house moves: what was said and planned goes out, and comes in as it was."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.contacts.permissions import IMPORT
from core.db import db, now
from core.errors import Invalid
from core.event_visibility import visible_events
from core.events import Delivery
from core.exporting import export_kind, export_rows
from core.exporting.writers import WRITERS
from core.importing.running import run_import
from core.importing.undoing import undo_import
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE
from core.interactions.services import pin_interaction, write_interaction
from core.mail.models import OutgoingMail
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Role, Team, User
from plugins.interactions.follow_ups.jobs import tell_due
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import finish_follow_up, plan_follow_up
from plugins.interactions.hand_overs.models import HandOver
from plugins.interactions.hand_overs.services import acknowledge, hand_over

KINDS = ("contacts", "interactions", "follow-ups", "hand-overs")
LONG_AGO = datetime(2019, 3, 5, 9, 30, tzinfo=UTC)
# Whatever else is the same elsewhere, numbers and what is made of them are not.
NUMBERS = {"id", "key", "remind_at", "items", "left"}
POINTERS = {"parent_key", "interaction_key", "contact_key", "previous_key"}
ONE_BY_ONE = ("INSERT INTO event ", "INSERT INTO interaction (", "INSERT INTO delivery")
MANY = {"contact_keys", "shared_with_keys", "links"}


@pytest.fixture
def elsewhere(dialect, request, tmp_path, make_app):
    """Another house: its own empty database."""
    if dialect == "sqlite":
        path = tmp_path / "elsewhere.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield make_app(DATABASE_URL=f"sqlite:///{path}")
        return
    with request.getfixturevalue("postgres").database() as url:
        other = make_app(DATABASE_URL=url)
        yield other
        other.extensions["rapport_engine"].dispose()


@pytest.fixture
def staff(app):
    return colleagues()


def colleagues():
    people = ("Ad Min", ["admin"], []), ("Mika Koski", ["sales"], ["Sales"])
    return [
        make_user(name, email=f"{name[:2].lower()}@house.example", roles=r, teams=t)
        for name, r, t in people
    ]


def written(app, kind, user, form="json"):
    out = io.BytesIO()
    declared = export_kind(app, kind)
    WRITERS[form](declared, export_rows(declared, user), out)
    return out.getvalue()


def bring(app, tmp_path, kind, content, user, *, form="json", **more):
    path = tmp_path / f"{kind}.{form}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run_import(app, kind, path, None, actor_id=user.id, **more)


def bring_rows(app, tmp_path, kind, rows, user, **more):
    return bring(app, tmp_path, kind, json.dumps(rows), user, **more)


def count(model):
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def entries():
    with db.read_only() as session:
        found = session.scalars(sa.select(Interaction)).unique().all()
        return {one.body: one for one in found}


@pytest.fixture
def house(staff):
    """A small house with a thread, readers of all sorts, links, and things to do."""
    admin, mika = staff
    firm = make_contact("=Kallio Oy", roles=["customer"], tags=["a b"])
    person = make_contact("Sanna Aalto", kind="person")
    with db.read_only() as session:
        team = session.scalars(sa.select(Team.id)).one()
    first = make_interaction(
        firm, author=mika, body="=1+1 about #Roof,\n@Ad Min", occurred_at=LONG_AGO,
        audience=AudienceSpec("teams", frozenset({team}), frozenset({admin.id})),
    )  # fmt: skip
    with db.transaction() as session:
        parent = session.get_one(Interaction, first.id)
        contacts = [session.get_one(Contact, one.id) for one in (firm, person)]
        me, other = (session.get_one(User, one.id) for one in (admin, mika))
        reply = write_interaction([], author=me, body="A reply", parent=parent)
        write_interaction([], author=other, body="Deeper 黄山", parent=reply)
        call = write_interaction(
            contacts, author=None, author_name="Somebody Gone", body="", kind="call",
            direction="in", source="Phone", occurred_at=LONG_AGO,
            details={"outcome": "no_answer", "duration": 3},
            audience=AudienceSpec("staff"),
        )  # fmt: skip
        pin_interaction(call)
        write_interaction(
            contacts[0], author=me, body="For outside",
            links=[reply.ref],
            audience=AudienceSpec("shared", shared_with=frozenset({person.id})),
        )  # fmt: skip
        write_interaction(
            contacts[0], author=other, body="Between us",
            audience=AudienceSpec("private", users=frozenset({admin.id, mika.id})),
        )  # fmt: skip
        again = plan_follow_up(
            contacts[0], author=me, owner=other, text="Ring", entry=call,
            due_at=now() - timedelta(days=2), repeat_every=2, repeat_unit="week",
        )  # fmt: skip
        finish_follow_up(again)
        plan_follow_up(
            contacts[1], author=me, text="+358 late", due_at=now() - timedelta(days=9)
        )
        hand_over(contacts[0], other, actor=me, word="=They ring on Mondays.")
        done = hand_over(contacts[1], me, actor=other, word="Likes tea.")
        done.created_at = LONG_AGO
        for item in done.items:
            acknowledge(done, item.id, actor=me)
    return admin


def picture(app, user):
    """Give what went out with names instead of numbers."""
    rows = {kind: json.loads(written(app, kind, user)) for kind in KINDS}
    names = {
        row["key"]: row.get("name")
        or row.get("text")
        or row.get("word")
        or f"{row['kind']} {row['body']}"
        for kind in KINDS
        for row in rows[kind]
    }
    found = []
    for kind in KINDS:
        for row in rows[kind]:
            said = {k: v for k, v in row.items() if k not in NUMBERS}
            said |= {k: names.get(row[k]) for k in POINTERS & row.keys()}
            said |= {k: [names[one] for one in row[k]] for k in MANY & row.keys()}
            found.append((kind, said))
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True, default=str))


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_a_small_house_moves_and_is_as_it_was(app, house, elsewhere, tmp_path, form):
    before = picture(app, house)
    files = {kind: written(app, kind, house, form) for kind in KINDS}
    with elsewhere.app_context():
        boss, _mika = colleagues()
        for kind in KINDS:
            report = bring(elsewhere, tmp_path, kind, files[kind], boss, form=form)
            assert report.refused == 0, report.refusals
        assert picture(elsewhere, boss) == before
        for kind in KINDS:
            again = bring(elsewhere, tmp_path, kind, files[kind], boss, form=form)
            assert (again.created, again.updated, again.refused) == (0, 0, 0), kind
        assert picture(elsewhere, boss) == before


def test_history_that_comes_in_tells_nobody(app, house, elsewhere, tmp_path):
    files = {kind: written(app, kind, house) for kind in KINDS}
    with elsewhere.app_context():
        boss, _mika = colleagues()
        with db.transaction() as session:
            session.execute(sa.delete(Delivery))
        for kind in KINDS:
            bring(elsewhere, tmp_path, kind, files[kind], boss)
        with db.transaction():
            tell_due()
        with db.read_only() as session:
            told = session.scalars(sa.select(Notification.kind)).all()
            waiting = set(session.scalars(sa.select(Delivery.subscriber)))
        # The ends of the imports themselves are told to who began them.
        assert not [one for one in told if one.startswith("interactions.")]
        assert not {one for one in waiting if one.startswith("interactions.")} - {
            "interactions.follow_up_moves"
        }
        assert count(OutgoingMail) == 0


def test_an_import_is_undone_with_its_threads(app, house, elsewhere, tmp_path):
    files = {kind: written(app, kind, house) for kind in KINDS}
    with elsewhere.app_context():
        boss, _mika = colleagues()
        runs = [bring(elsewhere, tmp_path, k, files[k], boss).run_id for k in KINDS]
        for run in reversed(runs):
            report = undo_import(elsewhere, run, actor_id=boss.id)
            assert (report.left, report.gone) == (0, 0), report.kept
        assert [count(m) for m in (FollowUp, Interaction, Contact)] == [0, 0, 0]


def test_a_file_of_this_house_means_the_records_of_this_house(app, house, tmp_path):
    before = picture(app, house)
    for kind in KINDS:
        report = bring(app, tmp_path, kind, written(app, kind, house), house)
        assert (report.created, report.refused) == (0, 0), (kind, report.refusals)
    assert picture(app, house) == before


def test_a_reply_may_stand_before_what_it_answers(app, staff, tmp_path):
    make_contact("A Oy")
    rows = [
        {"key": f"r{n}", "parent_key": f"r{n + 1}", "body": f"{n}"} for n in range(250)
    ]
    rows += [{"key": "r250", "contact": "A Oy", "body": "250"}]
    report = bring_rows(app, tmp_path, "interactions", rows, staff[0])
    assert (report.created, report.refused) == (251, 0), report.refusals
    found = entries()
    assert all(found[f"{n}"].parent_id == found[f"{n + 1}"].id for n in range(250))
    again = bring_rows(app, tmp_path, "interactions", rows, staff[0])
    assert (again.created, again.same) == (0, 251)


def test_a_trial_lets_a_reply_stand_anywhere(app, staff, tmp_path):
    make_contact("A Oy")
    rows = [{"key": f"r{n}", "parent_key": "top", "body": f"{n}"} for n in range(150)]
    rows += [{"key": "top", "contact": "A Oy", "body": "top"}]
    report = bring_rows(app, tmp_path, "interactions", rows, staff[0], dry_run=True)
    assert (report.created, report.refused) == (151, 0), report.refusals
    assert count(Interaction) == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"parent_key": "nowhere"}, "“nowhere” was not brought in as interactions"),
        ({"contact_keys": ["nobody"]}, "“nobody” was not brought in as contacts"),
        ({"teams": ["Nobodies"]}, "There is no team Nobodies"),
        ({"kind": "seance"}, "There is no kind seance"),
        ({"audience": "everybody"}, "Choose private, teams, staff or shared"),
        ({"users": ["x@y.example"]}, "There is no colleague x@y.example"),
        ({"links": ["contact/1@0"]}, "no record “contact/1@0”"),
        ({"details": {"mood": "good"}}, "details.mood"),
        ({"body": "a\x00b"}, "signs that are not text"),
        ({"body": "\ud800"}, "signs that are not text"),
        ({"body": 7}, "body"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"shared_with_keys": ["interaction/1"]}, "was not brought in as contacts"),
    ],
)
def test_a_row_that_refers_to_nothing_says_so_and_the_rest_comes_in(
    app, staff, tmp_path, row, said
):
    make_contact("A Oy")
    good = {"contact": "A Oy", "body": "Good"}
    rows = [{"key": "1", **good}, {"key": "2", **good, **row}, {"key": "3", **good}]
    report = bring_rows(app, tmp_path, "interactions", rows, staff[0])
    assert report.created == 2
    [refusal] = report.refusals
    assert refusal.line == 3
    assert said in refusal.reason


def test_replies_in_a_circle_are_refused_and_so_is_what_hangs_on_them(
    app, staff, tmp_path
):
    make_contact("A Oy")
    about = {"contact": "A Oy", "body": "x"}
    rows = [
        {"key": "a", "parent_key": "b", **about},
        {"key": "b", "parent_key": "a", **about},
        {"key": "c", "parent_key": "c", **about},
        {"key": "d", "parent_key": "a", **about},
        {"key": "e", **about},
    ]
    report = bring_rows(app, tmp_path, "interactions", rows, staff[0])
    assert report.created == 1
    assert [one.line for one in report.refusals] == [2, 3, 4, 5]
    assert {one.reason for one in report.refusals} == {
        "What this row refers to refers back to it."
    }


@pytest.mark.parametrize("text", ["=1+1", "+358", "-x", "@SUM(A1)", "\t=x", "'quoted"])
def test_naughty_words_come_in_as_they_went_out(app, staff, tmp_path, text):
    make_contact("A Oy")
    rows = [{"key": "=1", "contact": "A Oy", "body": f"{text} 👩‍👩‍👧", "subject": text}]
    report = bring_rows(app, tmp_path, "interactions", rows, staff[0])
    assert report.created == 1
    for form in ("csv", "xlsx", "json"):
        content = written(app, "interactions", staff[0], form)
        back = bring(app, tmp_path, "interactions", content, staff[0], form=form)
        assert (back.created, back.updated, back.refused) == (0, 0, 0), back.refusals


def test_an_import_opens_nothing_to_outside_without_the_permission(
    app, staff, tmp_path
):
    firm = make_contact("A Oy")
    boss = staff[0]
    outside = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    make_interaction(firm, author=boss, body="Open", audience=outside)
    [key] = [one["key"] for one in json.loads(written(app, "interactions", boss))]
    rows = [
        {"key": "1", "contact": "A Oy", "body": "Said", "audience": "shared"},
        {"key": "2", "body": "Answered", "parent_key": key},
        {"key": "3", "contact": "A Oy", "body": "Inside"},
    ]
    with db.transaction() as session:
        role = Role(name="mover", permissions=[IMPORT.name, "interactions:read"])
        session.add(role)
    mover = make_user("Mo Ver", roles=["mover"])
    assert SHARE.name not in mover.permissions
    report = bring_rows(app, tmp_path, "interactions", rows, mover)
    assert [one.line for one in report.refusals] == [2, 3], report.refusals
    assert all("may not show" in one.reason for one in report.refusals)
    assert entries().keys() == {"Open", "Inside"}
    assert bring_rows(app, tmp_path, "interactions", rows, boss).refused == 0


def test_the_words_of_a_colleague_are_theirs_also_in_a_file(app, staff, tmp_path):
    boss, mika = staff
    firm = make_contact("A Oy")
    make_interaction(firm, author=mika, body="As Mika said it")
    with db.transaction() as session:
        powers = [IMPORT.name, "interactions:read", "interactions:write"]
        session.add(Role(name="mover", permissions=powers))
    mover = make_user("Mo Ver", roles=["mover"])
    [row] = json.loads(written(app, "interactions", boss))
    del row["id"]
    # As it is, the file changes nothing; nor does that make it anybody else's.
    assert bring_rows(app, tmp_path, "interactions", [row], mover).same == 1
    row["body"] = "As Mika says it now"
    [refusal] = bring_rows(app, tmp_path, "interactions", [row], mover).refusals
    assert "Only its author may" in refusal.reason
    assert entries().keys() == {"As Mika said it"}
    assert bring_rows(app, tmp_path, "interactions", [row], mika).updated == 1
    assert entries().keys() == {"As Mika says it now"}


def test_a_reply_is_never_opened_to_more_than_read_what_it_answers(
    app, staff, tmp_path
):
    admin, _mika = staff
    make_contact("A Oy")
    rows = [
        {"key": "1", "contact": "A Oy", "body": "Team", "teams": ["Sales"]},
        {"key": "2", "parent_key": "1", "body": "Wider", "audience": "staff"},
        {"key": "3", "contact": "A Oy", "body": "All", "audience": "staff"},
        {"key": "4", "parent_key": "3", "body": "Fewer", "teams": ["Sales"]},
    ]
    report = bring_rows(app, tmp_path, "interactions", rows, admin)
    assert report.refused == 0
    found = {body: one.audience.kind for body, one in entries().items()}
    assert found == {
        "Team": "teams",
        "Wider": "teams",
        "All": "staff",
        "Fewer": "teams",
    }


def test_what_its_reader_may_not_see_is_not_named_in_a_file(app, staff):
    admin, mika = staff
    firm = make_contact("A Oy")
    own = AudienceSpec("private", users=frozenset({admin.id}))
    secret = make_interaction(firm, author=admin, body="Mine", audience=own)
    with db.transaction() as session:
        parent = session.get_one(Interaction, secret.id)
        reply = write_interaction([], author=None, body="Reply", parent=parent)
        # Such as a mail answered it before it was closed.
        reply.audience = intern_audience(AudienceSpec("staff"))
        me = session.get_one(User, admin.id)
        plan_follow_up(
            session.get_one(Contact, firm.id), author=me, text="Hush", entry=parent,
            due_at=now(),
        )  # fmt: skip
    [row] = json.loads(written(app, "interactions", mika))
    assert (row["body"], row["parent_key"]) == ("Reply", None)
    assert json.loads(written(app, "follow-ups", mika)) == []
    [planned] = json.loads(written(app, "follow-ups", admin))
    assert planned["interaction_key"].startswith(secret.ref)


def test_events_of_what_hangs_on_a_closed_entry_stay_with_its_readers(
    app, staff, tmp_path
):
    admin, mika = staff
    make_contact("A Oy")
    entry = {"key": "e", "contact": "A Oy", "body": "Mine", "audience": "private"}
    bring_rows(app, tmp_path, "interactions", [entry], admin)
    todo = {"key": "f", "interaction_key": "e", "text": "x", "due_at": "2026-01-01"}
    report = bring_rows(
        app, tmp_path, "follow-ups", [todo | {"due_at": now().isoformat()}], admin
    )
    assert report.created == 1, report.refusals
    with db.read_only() as session:
        seen = {
            user.id: {
                one.type
                for one in session.scalars(
                    visible_events(session.get_one(User, user.id))
                )
            }
            for user in (admin, mika)
        }
    assert "interactions.follow_up.created" in seen[admin.id]
    assert "interactions.follow_up.created" not in seen[mika.id]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"contact": "Nobody Oy"}, "There is no contact “Nobody Oy”"),
        ({"contact_key": "gone"}, "“gone” was not brought in as contacts"),
        ({"interaction_key": "gone"}, "“gone” was not brought in as interactions"),
        ({"previous_key": "gone"}, "“gone” was not brought in as follow-ups"),
        ({"owner": "x@y.example"}, "There is no colleague x@y.example"),
        ({"repeat": "2 years"}, "Repeat every so many"),
        ({"due_at": "3026-01-01T00:00:00Z"}, "within ten years"),
        ({"text": ""}, "text"),
    ],
)
def test_a_follow_up_that_makes_no_sense_is_refused(app, staff, tmp_path, row, said):
    make_contact("A Oy")
    good = {"contact": "A Oy", "text": "Ring", "due_at": now().isoformat()}
    rows = [{"key": "1", **good}, {"key": "2", **good, **row}, {"key": "3", **good}]
    report = bring_rows(app, tmp_path, "follow-ups", rows, staff[0])
    assert report.created == 2
    [refusal] = report.refusals
    assert (refusal.line, said in refusal.reason) == (3, True), refusal.reason


@pytest.mark.parametrize("content", ["[", '[{"a": NaN}]', "[" * 90_000, '[{"a":1}] x'])
def test_what_is_no_json_is_refused_whole(app, staff, tmp_path, content):
    with pytest.raises(Invalid):
        bring(app, tmp_path, "interactions", content, staff[0])


def test_a_hundred_rows_cost_few_statements(app, staff, tmp_path, count_queries):
    make_contact("A Oy")
    about = {"contact": "A Oy", "author": "Mika Koski", "audience": "staff"}

    def file(name, many):
        first = [{"key": f"{name}0", "body": "First #tag @Mika", **about}]
        more = [
            {"key": f"{name}{n}", "parent_key": f"{name}{n // 2}", "body": f"{n} @Mika"}
            for n in range(1, many)
        ]
        return first + more

    taken = []
    for name, many in (("a", 10), ("b", 90)):
        with count_queries() as counted:
            bring_rows(app, tmp_path, "interactions", file(name, many), staff[0])
        # SQLite takes rows that shall tell their numbers one by one.
        kept = [one for one in counted.statements if not one.startswith(ONE_BY_ONE)]
        taken.append(len(kept))
    assert taken[1] - taken[0] < 10, taken


HANDED = {"contact": "Kallio Oy", "receiver": "Mika Koski", "word": "They ring."}


def test_a_hand_over_of_long_ago_is_history_and_makes_nobody_the_owner(
    app, staff, tmp_path
):
    admin, mika = staff
    firm = make_contact("Kallio Oy")
    past = {"created_at": "2019-03-05T09:30:00Z", "finished_at": "2019-03-06T09:30:00Z"}
    row = HANDED | past | {"key": "7", "giver": "Somebody Gone"}
    report = bring_rows(app, tmp_path, "hand-overs", [row], admin)
    assert (report.created, report.refused) == (1, 0)
    with db.read_only() as session:
        made = session.scalars(sa.select(HandOver)).one()
        assert (made.created_at, made.giver_id, made.receiver_id) == (
            LONG_AGO,
            None,
            mika.id,
        )
        assert made.finished_at > made.created_at
        assert session.get_one(Contact, firm.id).owner_id is None
    with db.read_only() as session:
        told = session.scalars(sa.select(Notification.kind)).all()
    assert set(told) <= {"imports.ended"}
    again = bring_rows(app, tmp_path, "hand-overs", [row], admin)
    assert (again.created, again.updated) == (0, 0)
    undo_import(app, report.run_id, actor_id=admin.id)
    assert count(HandOver) == 0


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"receiver": "Nobody Here"}, "receiver"),
        ({"contact": "Unknown Oy"}, "contact"),
        ({"contact": ""}, "contact"),
        ({"receiver": None}, "receiver"),
        ({"word": "x" * 5_001}, "word"),
    ],
)
def test_a_hand_over_to_or_about_nobody_is_refused_by_its_field(
    app, staff, tmp_path, said, field
):
    make_contact("Kallio Oy")
    report = bring_rows(app, tmp_path, "hand-overs", [HANDED | said], staff[0])
    assert report.refused == 1
    assert field in str(report.refusals)
    assert count(HandOver) == 0
