"""/admin/users and /admin/teams: accounts, and who may change them."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Event
from core.testing.factories import make_contact, make_user
from core.users.models import Team, User
from core.users.services import disable_user, find_user
from core.users.sessions import create_token

PASSWORD = "a long enough one"


@pytest.fixture
def boss(app):
    return make_user("Ad Min", roles=("admin",))


@pytest.fixture
def browser(as_user, boss):
    return as_user(boss)


def read(user):
    with db.read_only() as session:
        found = session.get_one(User, user.id)
        _ = found.roles, found.teams
        session.expunge_all()
    return found


def form_of(user, **changes):
    fresh = read(user)
    return {
        "name": fresh.name,
        "email": fresh.email,
        "roles": [one.name for one in fresh.roles],
        "teams": [one.name for one in fresh.teams],
        "language": fresh.language,
        "timezone": fresh.timezone,
        "version": str(fresh.version),
        **changes,
    }


def save(browser, user, **changes):
    return browser.post(f"/admin/users/{user.id}", data=form_of(user, **changes))


def test_a_colleague_is_added_changed_and_found(browser):
    make_user("Mika Koski", teams=("Sales", "Support"))
    new = {"name": "Sanna Salo", "email": "sanna@example.com", "roles": ["sales"]}
    answer = browser.post("/admin/users", data={**new, "password": PASSWORD})
    assert answer.status_code == 303
    sanna = find_user("sanna@example.com")
    changes = {"name": "Sanna Virta", "teams": ["Support"], "language": "fi"}
    assert save(browser, sanna, **changes).status_code == 303
    found = read(sanna)
    assert (found.name, found.language) == ("Sanna Virta", "fi")
    assert [one.name for one in found.teams] == ["Support"]
    page = browser.get("/admin/users?q=virta").text
    assert "Sanna Virta" in page
    assert "Mika Koski" not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"email": "nowhere"}, "not an e-mail address"),
        ({"name": ""}, "error"),
        ({"roles": []}, "Choose at least one role"),
        ({"roles": ["wizard"]}, "not there any more"),
        ({"password": "short"}, "at least 10 characters"),
        ({"timezone": "Moon/Base"}, "time zone is not known"),
    ],
)
def test_a_wrong_account_is_refused_beside_the_field_and_keeps_what_was_typed(
    browser, changes, said
):
    good = {"name": "Sanna Salo", "email": "sanna@example.com", "roles": ["sales"]}
    form = {**good, "password": PASSWORD, **changes}
    answer = browser.post("/admin/users", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    assert form["email"] in answer.text
    with pytest.raises(Exception, match="no account"):
        find_user("sanna@example.com")
    assert (
        browser.post(
            "/admin/users",
            data={**form, **good, "password": PASSWORD, "timezone": "Europe/Helsinki"},
        ).status_code
        == 303
    )


def test_a_new_account_begins_with_the_house_s_language_and_zone(browser, app):
    house = {"language": "fi", "timezone": "Europe/Helsinki"}
    assert browser.post("/admin/settings/house", data={**house_form(browser), **house})
    new = {"name": "Sanna", "email": "sanna@example.com", "roles": ["sales"]}
    browser.post("/admin/users", data={**new, "password": PASSWORD})
    made = find_user("sanna@example.com")
    assert (made.language, made.timezone) == ("fi", "Europe/Helsinki")


def house_form(_browser):
    return {
        "name": "Rapport",
        "currency": "EUR",
        "brand": "",
        "open_days": ["1", "2", "3", "4", "5"],
        "opens": "09:00",
        "closes": "17:00",
    }


def test_a_portal_user_needs_an_organisation_that_is_there(browser):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    form = {
        "kind": "customer",
        "name": "Outi",
        "email": "outi@example.com",
        "password": PASSWORD,
        "roles": ["customer"],
    }
    for wrong in ("", "Nobody Ltd"):
        answer = browser.post("/admin/users", data={**form, "organisation": wrong})
        assert answer.status_code == 422
    good = {**form, "organisation": "kallion vesijohto oy"}
    assert browser.post("/admin/users", data=good).status_code == 303
    assert find_user("outi@example.com").contact_id == firm.id


def test_of_two_organisations_of_one_name_the_address_says_which(browser):
    make_contact("Twin Oy")
    twin = make_contact("Twin Oy")
    form = {
        "kind": "customer",
        "name": "Outi",
        "email": "outi@example.com",
        "password": PASSWORD,
        "roles": ["customer"],
        "organisation": "Twin Oy",
    }
    refused = browser.post("/admin/users", data=form)
    assert refused.status_code == 422
    assert f"/contacts/{twin.id}" in refused.text
    form["organisation"] = f"/contacts/{twin.id}"
    assert browser.post("/admin/users", data=form).status_code == 303
    assert find_user("outi@example.com").contact_id == twin.id


def test_two_administrators_who_change_one_account_are_told_so(browser):
    anna = make_user("Anna Laine")
    old = form_of(anna)
    assert save(browser, anna, name="Anna Virta").status_code == 303
    answer = browser.post(f"/admin/users/{anna.id}", data={**old, "name": "Anna Mine"})
    assert answer.status_code == 409
    assert "Somebody saved this while you were writing" in answer.text
    assert "Anna Mine" in answer.text
    assert read(anna).name == "Anna Virta"


def test_the_last_administrator_cannot_be_locked_out(browser, boss, as_user):
    other = make_user("Second Admin", roles=("admin",))
    assert browser.post(f"/admin/users/{other.id}/close").status_code == 303
    refused = [
        save(browser, boss, roles=["sales"]),
        browser.post(f"/admin/users/{boss.id}/close"),
    ]
    for answer in refused:
        assert answer.status_code == 422
    assert "Nobody would be left who may change users" in refused[0].text
    assert [one.name for one in read(boss).roles] == ["admin"]
    assert browser.post(f"/admin/users/{other.id}/open").status_code == 303
    assert save(browser, boss, roles=["sales"]).status_code == 303


def test_a_closed_account_lets_nobody_in_until_it_is_opened(browser, as_user):
    anna = make_user("Anna Laine")
    hers = as_user(anna)
    assert hers.get("/me").status_code == 200
    assert browser.post(f"/admin/users/{anna.id}/close").status_code == 303
    assert hers.get("/me").status_code == 302
    assert "Open account again" in browser.get(f"/admin/users/{anna.id}").text
    assert browser.post(f"/admin/users/{anna.id}/open").status_code == 303
    assert as_user(anna).get("/me").status_code == 200


def test_an_administrator_ends_sessions_and_tokens_and_it_is_written_down(
    browser, as_user, app
):
    anna = make_user("Anna Laine")
    hers = as_user(anna)
    with db.transaction():
        token, secret = create_token(find_user(anna.email), scopes=["*"], name="Sync")
        token_id = token.id
    page = browser.get(f"/admin/users/{anna.id}").text
    assert "Sync" in page
    program = app.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert program.get("/api/v1/me", headers=headers).status_code == 200
    revoke = f"/admin/users/{anna.id}/tokens/{token_id}/revoke"
    assert browser.post(revoke).status_code == 303
    assert browser.post(revoke).status_code == 404
    assert program.get("/api/v1/me", headers=headers).status_code == 401
    assert hers.get("/me").status_code == 200
    assert browser.post(f"/admin/users/{anna.id}/sign-out").status_code == 303
    assert hers.get("/me").status_code == 302
    with db.read_only() as session:
        told = set(session.scalars(sa.select(Event.type)))
    assert {"user.token_revoked", "user.signed_out"} <= told


def test_who_may_do_less_changes_nobody_who_may_do_more(browser, boss, as_user):
    role = {"name": "clerk", "permissions": ["admin:users"], "reach": "all"}
    assert browser.post("/admin/roles", data=role).status_code == 303
    clerk = as_user(make_user("Clerk", roles=("clerk",)))
    anna = make_user("Anna Laine", roles=("clerk",))
    assert save(clerk, anna, name="Anna Virta").status_code == 303
    taken = save(clerk, boss, password="mine from now on")
    assert taken.status_code == 422
    assert "may do more than you" in taken.text
    assert clerk.post(f"/admin/users/{boss.id}/close").status_code == 422
    given = save(clerk, anna, roles=["admin"])
    assert given.status_code == 422
    assert "only what you have yourself" in given.text


@pytest.mark.parametrize(
    "path",
    ["/admin/users", "/admin/users/new", "/admin/teams", "/admin/roles", "/admin/why",
     "/admin/settings", "/admin/plugins", "/admin/deliveries", "/admin/jobs",
     "/admin/system", "/admin/first-hour", "/admin"],
)  # fmt: skip
def test_only_administrators_come_in(browser, as_user, path):
    firm = make_contact()
    assert browser.get(path, follow_redirects=True).status_code == 200
    assert as_user(make_user("Anna")).get(path).status_code == 403
    outside = make_user("Outi", kind="customer", contact=firm)
    assert as_user(outside).get(path).status_code == 404


def test_three_hundred_accounts_are_shown_page_by_page(browser, count_queries):
    for number in range(60):
        make_user(f"Many{number:02} Person", roles=("sales",), teams=("Sales",))
    with count_queries() as counted:
        page = browser.get("/admin/users?role=sales")
    assert "1–50 of 60" in page.text
    assert counted.count <= 12
    assert "Many59" in browser.get("/admin/users?role=sales&page=2").text
    assert "No account matches" in browser.get("/admin/users?q=nobody-at-all").text


# -- Teams ----------------------------------------------------------------------------


def team_named(name):
    with db.read_only() as session:
        found = session.scalars(sa.select(Team).where(Team.name == name)).one()
        _ = found.members
        session.expunge_all()
    return found


def test_a_team_is_made_renamed_and_filled(browser):
    anna = make_user("Anna Laine")
    assert browser.post("/admin/teams", data={"name": "Export"}).status_code == 303
    team = team_named("Export")
    twice = browser.post("/admin/teams", data={"name": "export"})
    assert twice.status_code == 422
    assert "team of this name already" in twice.text
    form = {"name": "Export North", "members": [anna.id], "version": team.version}
    assert browser.post(f"/admin/teams/{team.id}", data=form).status_code == 303
    assert [one.id for one in team_named("Export North").members] == [anna.id]


def test_a_team_goes_only_when_nothing_refers_to_it(browser):
    anna = make_user("Anna Laine", teams=("Export",))
    team = team_named("Export")
    contact = make_contact("Kallio Oy")
    with db.transaction() as session:
        session.get_one(type(contact), contact.id).team_id = team.id
    refused = browser.post(f"/admin/teams/{team.id}/delete")
    assert refused.status_code == 409
    assert "Contact (1)" in refused.text
    assert "Colleagues (1)" in refused.text
    with db.transaction() as session:
        session.get_one(type(contact), contact.id).team_id = None
        session.get_one(User, anna.id).teams = []
    assert browser.post(f"/admin/teams/{team.id}/delete").status_code == 303
    assert browser.get(f"/admin/teams/{team.id}").status_code == 404


def test_a_closed_colleague_does_not_count_as_an_administrator(browser, boss):
    other = make_user("Second Admin", roles=("admin",))
    with db.transaction():
        disable_user(find_user(other.email))
    assert save(browser, boss, roles=["sales"]).status_code == 422
