"""Signing in, and what keeps strangers out."""

from datetime import timedelta

import pytest

from core.testing.factories import PASSWORD, make_contact, make_user


def sign_in(client, email, password=PASSWORD, **more):
    page = client.get("/sign-in").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": email, "password": password, "csrf_token": token} | more
    return client.post("/sign-in", data=form)


def test_a_colleague_signs_in_and_out(client):
    user = make_user("Anna Laine", password=PASSWORD)
    answer = sign_in(client, user.email)
    assert answer.status_code == 303
    assert client.get("/me").status_code == 200
    token = client.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/me").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [("anna@example.com", "wrong"), ("nobody@example.com", PASSWORD)],
)
def test_wrong_words_are_refused_in_the_same_way(client, email, password):
    make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
    answer = sign_in(client, email, password)
    assert answer.status_code == 422
    assert "The e-mail address or the password is not right." in answer.text
    assert f'value="{email}"' in answer.text


def test_guessing_is_slowed_down_and_the_window_ends(client, clock):
    user = make_user("Anna Laine", password=PASSWORD)
    for _ in range(10):
        assert sign_in(client, user.email, "wrong").status_code == 422
    refused = sign_in(client, user.email)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    clock.shift(timedelta(minutes=16))
    assert sign_in(client, user.email).status_code == 303


def test_a_stranger_cannot_lock_somebody_out(app, client):
    user = make_user("Anna Laine", password=PASSWORD)
    stranger = app.test_client()
    stranger.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    for _ in range(12):
        sign_in(stranger, user.email, "wrong")
    assert sign_in(client, user.email).status_code == 303


def test_a_closed_account_is_out_at_once(app, client):
    user = make_user("Anna Laine", password=PASSWORD)
    sign_in(client, user.email)
    runner = app.test_cli_runner()
    del runner
    from core.db import db
    from core.users.services import disable_user, find_user

    with db.transaction():
        disable_user(find_user(user.email))
    assert client.get("/me").status_code == 302
    assert sign_in(client, user.email).status_code == 422


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example"]
)
def test_signing_in_never_leads_to_another_server(client, address):
    user = make_user("Anna Laine", password=PASSWORD)
    answer = sign_in(client, user.email, next=address)
    assert answer.headers["Location"] == "/"


def test_a_form_without_its_token_is_refused(client):
    user = make_user("Anna Laine", password=PASSWORD)
    answer = client.post("/sign-in", data={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 400


def test_me_names_the_organisation_of_a_portal_user(api):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    user = make_user("Outi Kallio", kind="customer", contact=firm)
    body = api(user).get("/api/v1/me").json
    assert body["organisation"] == {"id": firm.id, "name": "Kallion Vesijohto Oy"}
    assert body["roles"] == ["customer"]


def test_a_token_opens_the_api_within_its_scopes_and_no_page(api):
    user = make_user("Anna Laine")
    narrow = api(user, "interactions:read")
    assert narrow.get("/api/v1/me").json["permissions"] == ["interactions:read"]
    assert narrow.get("/api/v1/contacts").status_code == 403
    assert api(user).get("/api/v1/contacts").status_code == 200
    assert narrow.get("/me").status_code == 302


@pytest.mark.parametrize("secret", ["", "rap_unknown", "rap_" + "x" * 5000])
def test_an_unknown_token_is_refused_as_a_problem(client, secret):
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_when_it_says(app, client, clock):
    from core.db import db
    from core.users.services import find_user
    from core.users.sessions import create_token

    user = make_user("Anna Laine")
    with db.transaction():
        _row, secret = create_token(find_user(user.email), scopes=["*"], days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    clock.shift(timedelta(days=2))
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_my_settings_change_the_language_of_the_page(as_user):
    browser = as_user(make_user("Anna Laine"))
    form = {"language": "fi", "timezone": "Europe/Helsinki", "theme": "dark"}
    assert browser.post("/me", data=form).status_code == 303
    page = browser.get("/me").text
    assert '<html lang="fi"' in page
    assert 'data-bs-theme="dark"' in page


def test_a_wrong_setting_is_refused_beside_its_field(as_user):
    browser = as_user(make_user("Anna Laine"))
    form = {"language": "fi", "timezone": "Mars/Olympus", "theme": "dark"}
    answer = browser.post("/me", data=form)
    assert answer.status_code == 422
    assert "This time zone is not known." in answer.text


# -- Addresses that lead away --------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "https:evil.example",
        "https:/evil.example",
        "HTTPS://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "%2f%2fevil.example",
        "/me\r\nLocation: https://evil.example",
        "//[evil",
        "http://[::1",
        "@evil.example",
        "",
    ],
)
def test_no_address_leads_from_the_sign_in_to_another_server(
    app, client, as_user, address
):
    user = make_user("Anna Laine", password=PASSWORD)
    answer = sign_in(client, user.email, next=address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    again = as_user(user).get("/sign-in", query_string={"next": address})
    assert again.headers["Location"] == "/"


@pytest.mark.parametrize(
    "address", ["/contacts?q=a%2Fb", "/support/1001#last", "/%2f%2fevil", "/products/ä"]
)
def test_an_address_of_ours_is_where_one_goes_on(client, address):
    user = make_user("Anna Laine", password=PASSWORD)
    location = sign_in(client, user.email, next=address).headers["Location"]
    assert location.startswith(address[:9])
    assert not location.startswith("//")


# -- Sessions --------------------------------------------------------------------------


def copy_of(app, client):
    """A thief's browser with the cookie of another."""
    thief = app.test_client()
    thief.set_cookie("rapport", client.get_cookie("rapport").value)
    return thief


def test_a_copied_cookie_opens_nothing_after_sign_out(app, client):
    user = make_user("Anna Laine", password=PASSWORD)
    sign_in(client, user.email)
    thief = copy_of(app, client)
    assert thief.get("/me").status_code == 200
    token = client.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/sign-out", data={"csrf_token": token})
    assert thief.get("/me").status_code == 302
    assert thief.get("/api/v1/me").status_code == 401


def test_each_sign_in_has_a_secret_of_its_own_and_ends_the_one_before(app, client):
    user = make_user("Anna Laine", password=PASSWORD)
    other = make_user("Mika Salo", password=PASSWORD)
    sign_in(client, user.email)
    first = copy_of(app, client)
    page = client.get("/me").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": other.email, "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert client.get("/api/v1/me").json["name"] == "Mika Salo"
    assert first.get("/me").status_code == 302
    # A token for forms that somebody planted before is worth nothing afterwards.
    assert client.post("/me", data={"csrf_token": token}).status_code == 400


def test_the_cookie_of_another_instance_with_the_same_key_opens_nothing(
    app, client, tmp_path, make_app
):
    from core import migrate
    from core.users.defaults import ensure_default_roles

    elsewhere = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere.db")
    migrate.upgrade(elsewhere)
    foreign = elsewhere.test_client()
    with elsewhere.app_context():
        from core.db import db

        with db.transaction():
            ensure_default_roles()
        twin = make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
    make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
    assert sign_in(foreign, twin.email).status_code == 303
    assert foreign.get("/me").status_code == 200
    assert elsewhere.secret_key == app.secret_key
    client.set_cookie("rapport", foreign.get_cookie("rapport").value)
    assert client.get("/me").status_code == 302
    assert client.get("/api/v1/me").status_code == 401


def test_a_changed_password_signs_out_everywhere_else(app, as_user):
    user = make_user("Anna Laine", password=PASSWORD)
    here, there = as_user(user), as_user(user)
    form = {"old_password": PASSWORD, "new_password": "another horse battery"}
    assert here.post("/me/password", data=form).status_code == 303
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 302


def test_one_or_all_other_browsers_are_signed_out(app, as_user):
    user = make_user("Anna Laine")
    here, there, third = as_user(user), as_user(user), as_user(user)
    stranger = as_user(make_user("Mika Salo"))
    page = here.get("/me/access").text
    address = page.split('action="/me/sessions/')[1].split('"')[0]
    assert stranger.post(f"/me/sessions/{address}").status_code == 404
    assert here.post(f"/me/sessions/{address}").status_code == 303
    left = [one.get("/me").status_code for one in (there, third)]
    assert sorted(left) == [200, 302]
    assert here.post("/me/sessions/end-others").status_code == 303
    assert [one.get("/me").status_code for one in (there, third)] == [302, 302]
    assert here.get("/me").status_code == 200
    assert stranger.get("/me").status_code == 200


def test_a_browser_nobody_uses_signs_in_again_and_so_does_every_one_in_the_end(
    app, client, clock
):
    app.config.update(SESSION_DAYS=30, SESSION_IDLE_DAYS=7)
    user = make_user("Anna Laine", password=PASSWORD)
    sign_in(client, user.email)
    for _ in range(4):
        clock.shift(timedelta(days=6))
        assert client.get("/me").status_code == 200
    clock.shift(timedelta(days=6, hours=1))
    assert client.get("/me").status_code == 302
    sign_in(client, user.email)
    clock.shift(timedelta(days=8))
    assert client.get("/me").status_code == 302


def test_a_role_that_is_narrowed_counts_from_the_next_request(app, as_user, api):
    import sqlalchemy as sa

    from core.db import db
    from core.users.models import Role, User

    user = make_user("Anna Laine")
    browser, program = as_user(user), api(user, "contacts:read")
    for who, path in ((browser, "/contacts"), (program, "/api/v1/contacts")):
        assert who.get(path).status_code == 200
    with db.transaction() as session:
        narrow = session.scalars(sa.select(Role).where(Role.name == "vendor")).one()
        narrow.permissions = ["interactions:read"]
        session.get_one(User, user.id).roles = [narrow]
    for who, path in ((browser, "/contacts"), (program, "/api/v1/contacts")):
        assert who.get(path).status_code == 403
    assert program.get("/api/v1/me").json["permissions"] == []


# -- Tokens that leak ------------------------------------------------------------------


def test_a_stolen_token_is_known_by_its_ending_and_revoked_at_once(app, as_user):
    import json

    from core.db import db
    from core.users.services import find_user
    from core.users.sessions import create_token

    user = make_user("Anna Laine")
    with db.transaction():
        anna = find_user(user.email)
        _row, secret = create_token(anna, scopes=["*"], name="ERP")
        _other, other = create_token(anna, scopes=["*"], name="Till")
    thief, till = ({"Authorization": f"Bearer {one}"} for one in (secret, other))
    program = app.test_client()
    assert program.get("/api/v1/me", headers=thief).status_code == 200
    shown = f"rap_…{secret[-4:]}"
    page = as_user(user).get("/me/tokens").text
    assert shown in page
    assert secret not in page
    command = app.extensions["rapport_commands"]["token"]
    listed = app.test_cli_runner().invoke(command, ["list", "--json"])
    row = next(one for one in json.loads(listed.output) if one["name"] == "ERP")
    assert (row["token"], row["user"]) == (shown, user.email)
    assert row["used"] is not None
    told = app.test_cli_runner().invoke(command, ["revoke", secret])
    assert told.exit_code == 0, told.output
    assert secret not in told.output
    assert program.get("/api/v1/me", headers=thief).status_code == 401
    assert program.get("/api/v1/me", headers=till).status_code == 200


def test_an_answer_does_not_tell_why_a_token_opens_nothing(app, client, clock):
    from core.db import db
    from core.users.services import disable_user, find_user
    from core.users.sessions import create_token, revoke_token

    emails = [make_user("Anna Laine").email, make_user("Gone Away").email]
    with db.transaction():
        anna, gone = map(find_user, emails)
        row, revoked = create_token(anna, scopes=["*"])
        revoke_token(anna, row.id)
        _row, expired = create_token(anna, scopes=["*"], days=1)
        _row, closed = create_token(gone, scopes=["*"])
        disable_user(gone)
    clock.shift(timedelta(days=2))
    told = set()
    for secret in (revoked, expired, closed, "rap_unknown"):
        sent = {"Authorization": f"Bearer {secret}", "X-Request-Id": "the-same"}
        answer = client.get("/api/v1/me", headers=sent)
        assert answer.status_code == 401
        told.add((answer.text, answer.headers["WWW-Authenticate"]))
    assert len(told) == 1


def test_the_last_use_of_a_token_is_noted_every_five_minutes_at_most(
    app, api, clock, count_queries
):
    user = make_user("Anna Laine")
    program = api(user)
    program.get("/api/v1/me")
    with count_queries() as counted:
        program.get("/api/v1/me")
    assert not any("UPDATE" in one for one in counted.statements)
    clock.shift(timedelta(minutes=6))
    with count_queries() as counted:
        program.get("/api/v1/me")
    assert any("UPDATE api_token" in one for one in counted.statements)
