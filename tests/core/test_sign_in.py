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
