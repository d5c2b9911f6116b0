"""Merging two contacts: nothing is lost, and it can be undone."""

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.affiliations import affiliate
from core.contacts.merging.fields import Choice
from core.contacts.merging.models import Merge, MovedCell
from core.contacts.merging.parting import follow, follow_all, part
from core.contacts.merging.readers import marks_of, new_readers
from core.contacts.merging.references import (
    audience_columns,
    contact_columns,
)
from core.contacts.merging.services import Unconfirmed, became, merge, standing_merge
from core.contacts.models import Contact, ContactKey
from core.contacts.services import change_contact, restore_contact, trash_contact
from core.db import Model, db
from core.errors import Conflict, Invalid
from core.events import Event, acting
from core.importing.running import run_import
from core.interactions.models import Interaction
from core.interactions.services import change_interaction, write_interaction
from core.records import Link
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.defaults import ROLES
from core.users.models import User, UserDesk
from core.users.services import ensure_role
from plugins.portal.models import Agreement
from tests.core.contacts.merging_world import (
    cells,
    counts,
    point_everything_to,
)


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy")


@pytest.fixture
def other(app):
    return make_contact("Kallion Vesi Oy")


def join(kept, gone, by=None, *, yes=True, **more):
    """Merge two contacts as somebody, who says yes to whoever sees more."""
    with db.transaction() as session, acting(by.id if by else None):
        actor = session.get_one(User, by.id) if by else None
        both = [session.get_one(Contact, one.id) for one in (kept, gone)]
        try:
            made = merge(*both, actor=actor, **more)
        except Unconfirmed as asked:
            if not yes:
                raise
            agreed = marks_of(asked.readers)
            made = merge(*both, actor=actor, **more | {"accepted": agreed})
        return made.id


def undo(number, by=None):
    with db.transaction() as session, acting(by.id if by else None):
        part(session.get_one(Merge, number))


def look(record):
    with db.read_only() as session:
        found = session.get_one(type(record), record.id)
        session.expunge_all()
    return found


def pointing(column, value):
    with db.read_only() as session:
        query = sa.select(sa.func.count()).where(column == value)
        return session.scalar(query.select_from(column.table))


# -- Nothing is lost ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["organisation", "person"])
def test_every_column_that_points_to_a_contact_moves_and_comes_back(app, kind):
    kept, gone = (make_contact(one, kind=kind) for one in ("Kallio", "Outi Kallio"))
    with db.transaction() as session:
        point_everything_to(session, session.get_one(Contact, gone.id))
    before, rows = cells(), counts()
    number = join(kept, gone)
    assert counts() == rows
    for column in contact_columns():
        assert pointing(column, gone.id) == 0, column
        assert pointing(column, kept.id) > 0, column
    for column in audience_columns():
        labels = sa.text("SELECT audience_id FROM audience_label WHERE label = :label")
        with db.read_only() as session:
            old = session.scalar(labels, {"label": f"shared:{gone.id}"})
        assert pointing(column, old) == 0, column
    undo(number)
    assert cells() == before


def test_where_both_have_a_row_in_every_table_none_is_lost_either(app):
    kept, gone = make_contact("Kallio"), make_contact("Kallio Oy")
    with db.transaction() as session:
        for one in (kept, gone):
            point_everything_to(session, session.get_one(Contact, one.id))
    before, rows = cells(), counts()
    number = join(kept, gone)
    assert counts() == rows
    undo(number)
    assert cells() == before


def test_a_merge_remembers_every_cell_it_moved(app, firm, other):
    with db.transaction() as session:
        made = point_everything_to(session, session.get_one(Contact, other.id))
    number = join(firm, other)
    with db.read_only() as session:
        query = sa.select(MovedCell).where(MovedCell.merge_id == number)
        kept = {(one.table_name, one.column_name) for one in session.scalars(query)}
    assert {(table, column) for table, column, _key in made} <= kept


def test_what_would_stand_twice_stays_with_the_one_that_went(app, firm, other, anna):
    person = make_contact("Pekka Virtanen", kind="person")
    with db.transaction() as session:
        found = session.get_one(Contact, person.id)
        for one in (firm, other):
            affiliate(found, organisation=session.get_one(Contact, one.id))
            session.add(Agreement(contact_id=one.id))
        both = [session.get_one(Contact, one.id) for one in (firm, other)]
        entry = write_interaction(
            both, author=None, body="Both.", kind="note", audience=AudienceSpec("staff")
        ).id
    before = cells()
    number = join(firm, other, anna)
    with db.read_only() as session:
        links = session.get_one(Interaction, entry).contact_ids
    assert sorted(links) == sorted([firm.id, other.id])
    undo(number)
    assert cells() == before


def test_what_could_not_move_is_not_tried_again_for_ever(
    app, firm, other, count_queries
):
    one, two = make_contact("Aho"), make_contact("Aho Oy")
    join(one, two)

    def cost():
        with count_queries() as counted, db.transaction():
            follow_all()
        return counted.count

    without = cost()
    with db.transaction() as session:
        for contact in (firm, other):
            session.add(Agreement(contact_id=contact.id))
    join(firm, other)
    assert cost() == without


def test_what_was_parted_meanwhile_is_not_followed(app, firm, other):
    number = join(firm, other)
    undo(number)
    entry = make_interaction(other)
    with db.transaction() as session:
        follow(session.get_one(Merge, number))
    assert look(entry).contact_id == other.id


def test_pins_and_links_to_the_one_that_went_follow_and_come_back(app, firm, other):
    mika = make_user("Mika Koski")
    with db.transaction() as session:
        session.add(
            UserDesk(
                user_id=mika.id, single_keys=True, changed_keys={}, pinned=[other.id]
            )
        )
        session.add(Link(from_ref=other.ref, to_ref="support.ticket/1"))
    number = join(firm, other)
    with db.read_only() as session:
        assert session.scalars(sa.select(UserDesk.pinned)).one() == [firm.id]
        assert session.scalars(sa.select(Link.from_ref)).one() == firm.ref
    undo(number)
    with db.read_only() as session:
        assert session.scalars(sa.select(UserDesk.pinned)).one() == [other.id]
        assert session.scalars(sa.select(Link.from_ref)).one() == other.ref


# -- What the survivor says --------------------------------------------------------


def test_lists_are_united_and_an_empty_field_is_filled(app, anna):
    kept = make_contact(
        "Kallio",
        emails=[{"address": "a@kallio.example"}],
        phones=[{"number": "+358 40 123 4567", "label": "mobile"}],
        roles=["customer"],
        tags=["retail"],
        language="fi",
    )
    gone = make_contact(
        "Kallio Oy",
        emails=[{"address": "A@kallio.example"}, {"address": "b@kallio.example"}],
        phones=[{"number": "040 1234567"}, {"number": "+358 9 1234"}],
        roles=["vendor"],
        tags=["Retail", "wholesale"],
        language="zh",
        website="https://kallio.example",
        owner=anna.id,
        custom={"Region": "North"},
        do_not_contact=True,
    )
    join(kept, gone)
    found = look(kept)
    assert [one["address"] for one in found.emails] == [
        "a@kallio.example",
        "b@kallio.example",
    ]
    assert len(found.phones) == 2
    assert found.roles == ["customer", "vendor"]
    assert found.tags == ["retail", "wholesale"]
    assert (found.name, found.language) == ("Kallio", "fi")
    assert found.website == "https://kallio.example"
    assert found.owner_id == anna.id
    assert found.custom == {"Region": "North"}
    assert found.do_not_contact
    with db.read_only() as session:
        query = sa.select(ContactKey.value).where(ContactKey.contact_id == kept.id)
        assert "b@kallio.example" in set(session.scalars(query))


def test_each_field_can_be_chosen(app):
    kept = make_contact("Kallio", website="https://a.example", know_first="Call.")
    gone = make_contact(
        "Kallio Oy",
        website="https://b.example",
        know_first="No mail.",
        tags=["x", "y"],
    )
    choice = Choice(
        {"name": "other", "website": "gone"},
        name="Kallion Vesi",
        left_out={"tags": frozenset({"x"})},
    )
    join(kept, gone, choice=choice)
    found = look(kept)
    assert found.name == "Kallion Vesi"
    assert found.sort_name == "kallion vesi"
    assert found.website == "https://b.example"
    # Neither warning is dropped without being asked.
    assert found.know_first == "Call.\n\nNo mail."
    assert found.tags == ["y"]


@pytest.mark.parametrize(
    "choice",
    [
        Choice({"website": "third"}),
        Choice({"shoe_size": "kept"}),
        Choice({"name": "other"}, name="  "),
    ],
)
def test_a_choice_that_cannot_be_is_refused(app, firm, other, choice):
    with pytest.raises(Invalid):
        join(firm, other, choice=choice)
    assert look(other).merged_into_id is None


def test_more_entries_than_fit_are_refused_with_a_word_at_the_field(app):
    kept, gone = (
        make_contact(name, emails=[{"address": f"{n}@{name}.example"} for n in many])
        for name, many in (("a", range(15)), ("b", range(15)))
    )
    with pytest.raises(Invalid) as refused:
        join(kept, gone)
    assert "emails" in refused.value.errors


def test_what_is_below_the_other_takes_its_place_and_nothing_is_above_itself(app):
    top = make_contact("Group")
    gone = make_contact("Kallio", parent=top.id)
    middle = make_contact("Kallio North", parent=gone.id)
    kept = make_contact("Kallio Oy", parent=middle.id)
    before = cells()
    number = join(kept, gone)
    assert look(kept).parent_id == top.id
    assert look(middle).parent_id == kept.id
    undo(number)
    assert cells() == before
    # The other way round the one below goes.
    number = join(gone, kept)
    assert look(gone).parent_id == top.id
    undo(number)
    assert cells() == before


# -- What is refused ---------------------------------------------------------------


def test_what_can_never_be_one_is_refused(app, firm, other):
    person = make_contact("Pekka Virtanen", kind="person")
    for kept, gone in ((firm, firm), (firm, person), (person, firm)):
        with pytest.raises(Invalid) as refused:
            join(kept, gone)
        assert "contact" in refused.value.errors


def test_what_is_in_the_trash_or_merged_already_is_refused(app, firm, other):
    third = make_contact("Tapio Rakennus Oy")
    with db.transaction() as session:
        trash_contact(session.get_one(Contact, third.id))
    for kept, gone in ((firm, third), (third, firm)):
        with pytest.raises(Conflict, match="in the trash"):
            join(kept, gone)
    join(firm, other)
    fourth = make_contact("Vesi")
    for kept, gone in ((fourth, other), (other, fourth)):
        with pytest.raises(Conflict, match="was merged already"):
            join(kept, gone)


def test_who_was_merged_does_not_come_back_from_the_trash(app, firm, other):
    join(firm, other)
    with db.transaction() as session, pytest.raises(Conflict, match="Part the two"):
        restore_contact(session.get_one(Contact, other.id))


def test_what_changed_meanwhile_is_looked_at_again(app, firm, other, anna):
    versions = {firm.id: firm.version, other.id: other.version}
    with db.transaction() as session:
        change_contact(
            session.get_one(Contact, other.id), {"language": "fi"}, actor=None
        )
    with pytest.raises(Conflict, match="Kallion Vesi Oy was changed"):
        join(firm, other, anna, versions=versions)
    assert look(other).merged_into_id is None


# -- Who would see it --------------------------------------------------------------


def shared(contact, body="Price list."):
    audience = AudienceSpec("shared", shared_with=frozenset({contact.id}))
    return make_interaction(contact, body=body, audience=audience)


def asked(kept, gone, by=None, **more):
    with pytest.raises(Unconfirmed) as found:
        join(kept, gone, by, yes=False, **more)
    return found.value.readers


def test_who_outside_would_see_more_is_listed_and_nothing_happens_without_a_yes(
    app, firm, other, anna
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    for n in range(3):
        shared(other, f"Note {n}.")
    shared(firm)
    make_interaction(other, body="Between us.")
    found = asked(firm, other, anna)
    assert [(one.name, one.of, one.outside) for one in found] == [
        ("Outi Kallio", "Kallion Vesi Oy", True)
    ]
    assert [(one.name, one.count) for one in found[0].sees] == [("interaction", 3)]
    assert look(other).merged_into_id is None
    # Somebody of the other firm would see what this one has.
    make_user("Tapio Vesi", kind="customer", contact=other)
    found = asked(firm, other, anna)
    assert {(one.name, one.of) for one in found} == {
        ("Outi Kallio", "Kallion Vesi Oy"),
        ("Tapio Vesi", "Kallion Vesijohto Oy"),
    }
    assert outi.id in {one.user_id for one in found}


def test_a_yes_is_for_exactly_that_list(app, firm, other, anna):
    make_user("Outi Kallio", kind="customer", contact=firm)
    shared(other)
    agreed = marks_of(asked(firm, other, anna))
    shared(other, "Another.")
    more = asked(firm, other, anna, accepted=agreed)
    make_user("Pekka Kallio", kind="customer", contact=firm)
    asked(firm, other, anna, accepted=marks_of(more))
    assert look(other).merged_into_id is None


def test_after_the_yes_they_see_it_and_after_parting_no_more(
    app, firm, other, anna, api
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    tapio = make_user("Tapio Vesi", kind="customer", contact=other)
    theirs, ours = shared(other), shared(firm)

    def read(who):
        answer = api(who).get("/api/v1/interactions")
        return {one["id"] for one in answer.json["items"]}

    number = join(firm, other, anna)
    assert read(outi) == read(tapio) == {theirs.id, ours.id}
    undo(number, anna)
    assert read(outi) == {ours.id}
    assert read(tapio) == {theirs.id}


def test_a_colleague_whose_role_is_limited_is_listed_too(app, firm, other):
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    mika = make_user("Mika Koski", roles=["narrow"])
    assert asked_names(firm, other) == []
    with db.transaction() as session:
        change_contact(
            session.get_one(Contact, firm.id), {"owner": mika.id}, actor=None
        )
    assert asked_names(firm, other) == [("Mika Koski", "Kallion Vesi Oy", False)]


def asked_names(kept, gone):
    with db.read_only() as session:
        both = [session.get_one(Contact, one.id) for one in (kept, gone)]
        found = new_readers(*both, {}, None)
        return [(one.name, one.of, one.outside) for one in found]


def test_more_people_outside_and_inside_cost_the_page_of_a_merge_no_statements(
    as_user, firm, other, count_queries
):
    admin = as_user(make_user("Helena Lehto", roles=["admin"]))
    path = f"/contacts/{firm.id}/merge?other={other.id}"
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")

    def cost(number):
        person = make_contact(f"Pekka {number}", kind="person")
        make_user(f"Outside {number}", kind="customer", contact=other, person=person)
        make_user(f"Narrow {number}", roles=["narrow"])
        with count_queries() as counted:
            page = admin.get(path)
        assert page.status_code == 200
        assert f"Outside {number}" in page.text
        return counted.count

    cost(0)
    once = cost(1)
    assert [cost(number) for number in range(2, 6)] == [once] * 4


# -- Parting -----------------------------------------------------------------------


def test_what_was_changed_since_stays_as_it_was_left(app, firm, anna):
    other = make_contact("Vesi", tags=["wholesale"], language="fi")
    third = make_contact("Tapio Rakennus Oy")
    moved, kept_there = make_interaction(other), make_interaction(other)
    number = join(firm, other)
    with db.transaction() as session:
        found = session.get_one(Contact, firm.id)
        change_contact(found, {"tags": [*found.tags, "new"]}, actor=None)
        change_contact(found, {"language": "zh"}, actor=None)
        entry = session.get_one(Interaction, moved.id)
        change_interaction(
            entry, contacts=[session.get_one(Contact, third.id)], actor=None
        )
    since = make_interaction(firm, body="Written since.")
    undo(number)
    back = look(firm)
    assert (back.tags, back.language) == (["new"], "zh")
    assert look(other).tags == ["wholesale"]
    assert look(moved).contact_id == third.id
    assert look(kept_there).contact_id == other.id
    assert look(since).contact_id == firm.id


def test_two_that_went_into_one_are_parted_in_any_order(app, firm):
    both = [
        make_contact(f"Vesi {n}", tags=["both", f"t{n}"], do_not_contact=True)
        for n in range(2)
    ]
    for one in both:
        make_interaction(one)
    with db.transaction() as session:
        found = [session.get_one(Contact, one.id) for one in both]
        entry = write_interaction(
            found, author=None, body="B", kind="note", audience=AudienceSpec("staff")
        ).id
    before = cells()
    numbers = [join(firm, one) for one in both]
    undo(numbers[0])
    half = look(firm)
    assert sorted(half.tags) == ["both", "t1"]
    assert half.do_not_contact
    with db.read_only() as session:
        ids = session.get_one(Interaction, entry).contact_ids
    assert sorted(ids) == sorted([both[0].id, firm.id])
    undo(numbers[1])
    assert cells() == before


def test_one_that_was_merged_on_is_parted_first(app, firm, other, anna):
    last = make_contact("Vesi")
    first, second = join(firm, other), join(last, firm)
    with db.read_only() as session:
        user = session.get_one(User, anna.id)
        assert became(session.get_one(Contact, other.id), user).id == last.id
    with pytest.raises(Conflict, match="Part that first"):
        undo(first)
    undo(second)
    undo(first)
    with pytest.raises(Conflict, match="parted already"):
        undo(first)


def test_the_journal_needs_no_code_of_a_plugin_and_follows_one_that_was_off(
    app, firm, other
):
    table = sa.Table(
        "gadgets_box",
        Model.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("contact_id", sa.ForeignKey("contact.id", ondelete="CASCADE")),
    )
    table.create(db.engine)

    def standing():
        with db.read_only() as session:
            return session.scalars(sa.select(table.c.contact_id)).one()

    try:
        with db.transaction() as session:
            session.execute(sa.insert(table).values(contact_id=other.id))
        Model.metadata.remove(table)
        # It is off, so that nobody knows of its table.
        number = join(firm, other)
        assert standing() == other.id
        Model.metadata._add_table(table.name, None, table)
        with db.transaction():
            follow_all()
        assert standing() == firm.id
        Model.metadata.remove(table)
        undo(number)
        assert standing() == other.id
        # A plugin that was removed has no table any more.
        Model.metadata._add_table(table.name, None, table)
        number = join(firm, other)
    finally:
        if table.name in Model.metadata.tables:
            Model.metadata.remove(table)
        table.drop(db.engine)
    undo(number)


# -- What is told of it ------------------------------------------------------------


def test_what_moved_is_read_again_by_whoever_listens(app, firm, other, anna):
    entry = make_interaction(other)
    make_user("Outi Kallio", kind="customer", contact=other)
    number = join(firm, other, anna)
    with db.read_only() as session:
        query = sa.select(Event).where(Event.actor_id == anna.id)
        told = {(one.type, one.subject) for one in session.scalars(query)}
        merged = session.scalar(sa.select(Event).where(Event.type == "contact.merged"))
        assert merged.data == {"merge": number, "kept": firm.id, "gone": other.id}
    assert told >= {
        ("contact.merged", firm.ref),
        ("contact.updated", firm.ref),
        ("contact.updated", other.ref),
        ("interaction.updated", entry.ref),
    }
    undo(number, anna)
    with db.read_only() as session:
        query = sa.select(Event.subject).where(Event.type == "contact.parted")
        assert session.scalars(query).all() == [firm.ref]


def test_the_search_finds_what_moved_with_the_survivor(
    app, firm, other, anna, api, deliver
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = shared(other, "Gleaming manifold.")
    deliver()

    def found(who, text):
        answer = api(who).get("/api/v1/search", query_string={"q": text})
        return [one["ref"] for one in answer.json["items"]]

    assert found(outi, "manifold") == []
    number = join(firm, other, anna)
    deliver()
    assert found(outi, "manifold") == [entry.ref]
    assert other.ref not in found(anna, "Vesi")
    undo(number, anna)
    deliver()
    assert found(outi, "manifold") == []
    assert other.ref in found(anna, "Vesi")


def test_a_row_saved_on_the_one_that_went_at_the_same_moment_follows(
    app, firm, other, deliver
):
    number = join(firm, other)
    with db.transaction() as session:
        session.execute(
            sa.update(Interaction)
            .where(Interaction.id == make_interaction(firm).id)
            .values(contact_id=other.id)
            .execution_options(unrecorded=True)
        )
    deliver()
    with db.read_only() as session:
        assert session.scalars(sa.select(Interaction.contact_id)).all() == [firm.id]
    undo(number)
    with db.read_only() as session:
        gone = session.get_one(Contact, other.id)
        assert standing_merge(gone) is None
        assert session.scalars(sa.select(Interaction.contact_id)).all() == [other.id]


def test_a_file_that_names_who_went_brings_its_row_to_the_survivor(
    app, firm, tmp_path, anna
):
    boss = make_user("Ad Min", roles=["admin"])
    file = tmp_path / "firms.csv"

    def bring(name, website):
        text = f"key,kind,name,website\n1,organisation,{name},{website}\n"
        file.write_text(text, "utf-8")
        run_import(app, "contacts", file, actor_id=boss.id)

    bring("Kallion Vesi Oy", "https://old.example")
    with db.read_only() as session:
        query = sa.select(Contact).where(Contact.name == "Kallion Vesi Oy")
        twin = session.scalars(query).one()
        session.expunge_all()
    join(firm, twin)
    bring("Kallion Vesijohto Oy", "https://new.example")
    assert look(firm).website == "https://new.example"
    assert look(twin).website == "https://old.example"


def test_an_entry_with_both_shows_the_one_that_stayed(app, firm, other, anna, api):
    with db.transaction() as session:
        both = [session.get_one(Contact, one.id) for one in (other, firm)]
        made = write_interaction(
            both, author=None, body="B", kind="note", audience=AudienceSpec("staff")
        ).id
    join(firm, other, anna)
    client, path = api(anna), f"/api/v1/interactions/{made}"
    shown = client.get(path)
    assert shown.json["contacts"] == [firm.id]
    sent = {"contacts": shown.json["contacts"], "body": "Both."}
    fresh = {"If-Match": shown.headers["ETag"]}
    assert client.patch(path, json=sent, headers=fresh).status_code == 200


def test_the_same_name_keeps_its_parts(app):
    kept = make_contact("Outi Kallio", kind="person")
    gone = make_contact(
        "Outi Kallio", kind="person", given_name="Outi", family_name="Kallio"
    )
    join(kept, gone)
    assert (look(kept).given_name, look(kept).family_name) == ("Outi", "Kallio")


def test_two_who_merge_at_once_do_it_once(app, firm, other):
    join(firm, other)
    for kept, gone in ((firm, other), (other, firm)):
        with pytest.raises(Conflict):
            join(kept, gone)
    with db.read_only() as session:
        assert len(session.scalars(sa.select(Merge)).all()) == 1
