"""The `rapport` command, as its users type it."""

import json
import os
import stat
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from core.cli import rapport
from core.db import db
from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.plugins import INSTALLED
from core.users.services import find_user
from core.worker import beat


@pytest.fixture
def run(app):
    """Run a command in this process, on the application of the test."""

    def start(*words, **more):
        result = CliRunner().invoke(rapport, words, obj=app, **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return start


@pytest.fixture
def shell(tmp_path):
    """Run a command in a process of its own, in an empty folder."""

    def start(*words, **variables):
        place = {
            "RAPPORT_INSTANCE": str(tmp_path / "house"),
            "RAPPORT_LOG_LEVEL": "WARNING",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
        return subprocess.run(
            [sys.executable, "-m", "core", *words],
            env=kept | place | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def is_one_sentence(result, said):
    """Check that a refusal is exit code 2, and one line that says `said`."""
    code = getattr(result, "returncode", getattr(result, "exit_code", None))
    assert code == 2, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    # Click says beforehand how the command is used.
    spoken = [one for one in lines if not one.startswith(("Usage:", "Try "))]
    assert len([one for one in spoken if one]) == 1, result.stderr
    return True


def every_command(app):
    """Name all commands and groups by the words one types."""
    root = click.Context(rapport, obj=app, info_name="rapport")
    waiting = [((), rapport)]
    with root:
        while waiting:
            words, command = waiting.pop()
            yield words
            if isinstance(command, click.Group):
                for name in command.list_commands(root):
                    found = command.get_command(root, name)
                    waiting.append(((*words, name), found))


def test_every_command_explains_itself_with_an_example(app, run):
    names = list(every_command(app))
    assert len(names) > 30
    assert {("init",), ("db", "upgrade"), ("token", "create")} <= set(names)
    for words in names:
        result = run(*words, "--help")
        assert result.exit_code == 0, words
        example = " ".join(result.stdout.partition("Example: ")[2].split())
        assert " ".join(("rapport", *words)) in example, words
        assert result.stderr == "", words


def test_what_nobody_knows_is_refused_with_a_hint(run):
    for words in (
        ("nonsense",),
        ("db", "nonsense"),
        ("user", "create"),
        ("user", "create", "a@example.com", "--kind", "robot"),
        ("user", "list", "--nonsense"),
        ("run", "--port", "70000"),
        ("run", "--port", "http"),
        ("token", "create", "--user", "a@example.com"),
        ("demo", "--data", "/no/such/folder"),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert "Error: " in result.stderr
        assert "Traceback" not in result.stderr


# -- Starting out ------------------------------------------------------------------


def test_a_new_house_is_made_once_and_left_alone_the_second_time(shell, tmp_path):
    house = tmp_path / "house"
    words = ("init", "--email", "ada@example.com", "--password", PASSWORD)
    made = shell(*words)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == [
        f"The instance is in {house}.",
        "ada@example.com may sign in. Start with: rapport run",
    ]
    key = house / "secret_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_text()
    again = shell("init", "--email", "eve@example.com", "--password", PASSWORD)
    assert again.returncode == 0, again.stderr
    assert "It has accounts already; none was added." in again.stdout
    assert key.read_text() == before
    listed = json.loads(shell("user", "list", "--json").stdout)
    assert [(one["email"], one["roles"]) for one in listed] == [
        ("ada@example.com", ["admin"])
    ]


def test_an_init_that_was_refused_can_be_repeated(shell):
    email = ("init", "--email", "ada@example.com")
    assert is_one_sentence(
        shell(*email, "--password", "short"), "at least 10 characters"
    )
    assert shell(*email, "--password", PASSWORD).returncode == 0


def test_before_init_a_command_says_what_is_missing(shell):
    for words in (("doctor",), ("user", "list"), ("db", "status")):
        assert is_one_sentence(shell(*words), "rapport init")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"RAPPORT_THREADS": "many"}, "RAPPORT_THREADS must be a whole number"),
        ({"RAPPORT_DATABASE_URL": "nonsense"}, "DATABASE_URL is no address"),
        (
            {"RAPPORT_DATABASE_URL": "postgresql://127.0.0.1:1/none"},
            "The database does not answer: ",
        ),
        ({"RAPPORT_INSTANCE": "/dev/null/house"}, "/dev/null/house"),
        ({"RAPPORT_CONTACTS_REGION": "Finland"}, "CONTACTS_REGION in the config"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(shell, variables, said):
    words = ("init", "--email", "a@example.com", "--password", PASSWORD)
    assert is_one_sentence(shell(*words, **variables), said)


# -- Accounts ----------------------------------------------------------------------


def test_an_account_is_made_with_a_password_that_opens_it(app, run, client):
    made = run("user", "create", "Anna@Example.com", "--role", "sales", "--team", "A")
    assert made.exit_code == 0, made.stderr
    password = made.stdout.split()[-1]
    rows = json.loads(run("user", "list", "--json").stdout)
    assert rows == [
        {
            "email": "anna@example.com",
            "name": "Anna",
            "kind": "staff",
            "roles": ["sales"],
            "teams": ["A"],
            "active": True,
        }
    ]
    assert signs_in(client, "anna@example.com", password)


def signs_in(client, email, password):
    page = client.get("/sign-in").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": email, "password": password, "csrf_token": token}
    return client.post("/sign-in", data=form).status_code == 303


def test_a_given_password_is_not_repeated_on_the_screen(run):
    made = run("user", "create", "anna@example.com", "--password", PASSWORD)
    assert made.exit_code == 0
    assert PASSWORD not in made.output


def test_a_portal_user_has_the_role_of_the_kind(run):
    firm = make_contact()
    words = ("user", "create", "outi@example.com", "--kind", "customer")
    assert run(*words, "--contact", str(firm.id)).exit_code == 0
    listed = json.loads(run("user", "list", "--json").stdout)
    assert (listed[0]["kind"], listed[0]["roles"]) == ("customer", ["customer"])
    assert "customer" in run("user", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "nonsense"], "This is not an e-mail address: nonsense"),
        (["create", "anna@example.com"], "anna@example.com has an account already."),
        (["create", "b@example.com", "--role", "king"], "There is no role king."),
        (["create", "b@example.com", "--password", "short"], "at least 10 characters"),
        (["create", "b@example.com", "--contact", "999"], "There is no contact 999."),
        (["disable", "b@example.com"], "There is no account b@example.com."),
        (["password", "b@example.com"], "There is no account b@example.com."),
        (["password", "anna@example.com", "--password", "x"], "at least 10"),
    ],
)
def test_what_cannot_be_done_with_an_account_is_one_sentence(run, words, said):
    make_user("Anna Laine", email="anna@example.com")
    assert is_one_sentence(run("user", *words), said)
    assert len(json.loads(run("user", "list", "--json").stdout)) == 1


def test_a_closed_account_is_signed_out_and_listed_as_closed(app, run, client, as_user):
    make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
    browser = as_user("anna@example.com")
    assert browser.get("/me").status_code == 200
    assert run("user", "disable", "anna@example.com").exit_code == 0
    assert browser.get("/me").status_code == 302
    assert not signs_in(client, "anna@example.com", PASSWORD)
    assert "(closed)" in run("user", "list").stdout


def test_a_new_password_opens_and_the_old_one_and_its_sessions_do_not(
    app, run, client, as_user
):
    make_user("Anna Laine", email="anna@example.com", password=PASSWORD)
    browser = as_user("anna@example.com")
    made = run("user", "password", "anna@example.com")
    assert browser.get("/me").status_code == 302
    assert not signs_in(client, "anna@example.com", PASSWORD)
    assert signs_in(client, "anna@example.com", made.stdout.split()[-1])


def test_a_token_is_printed_last_and_opens_what_it_names(run, client, clock):
    make_user("Anna Laine", email="anna@example.com")
    words = ("token", "create", "--user", "anna@example.com", "--expires", "2")
    made = run(*words, "--scope", "contacts:read", "--name", "night")
    assert made.exit_code == 0, made.stderr
    headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    assert client.get("/api/v1/contacts", headers=headers).status_code == 200
    sent = {"kind": "person", "name": "Pekka"}
    refused = client.post("/api/v1/contacts", json=sent, headers=headers)
    assert refused.status_code == 403
    clock.shift(3 * 24 * 3600)
    assert client.get("/api/v1/contacts", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--user", "b@example.com", "--scope", "*"], "There is no account"),
        (["--user", "anna@example.com", "--scope", "all"], "There is no scope all."),
        (["--user", "anna@example.com", "--scope", "*", "--expires", "0"], "0 is not"),
    ],
)
def test_a_token_for_nobody_or_nothing_is_refused(run, words, said):
    make_user("Anna Laine", email="anna@example.com")
    assert is_one_sentence(run("token", "create", *words), said)


# -- Looking after it --------------------------------------------------------------


def test_the_state_of_the_tables_is_told_line_by_line(app, run):
    rows = json.loads(run("db", "status", "--json").stdout)
    names = [one["name"] for one in rows]
    assert names[0] == "core"
    assert set(INSTALLED) >= set(names[1:])
    assert all(one["current"] == one["head"] for one in rows)
    lines = run("db", "status").stdout.splitlines()
    assert [one.split()[0] for one in lines] == names
    assert all(one.endswith("up to date") for one in lines)
    assert run("db", "upgrade").stdout == "Nothing to do.\n"


def test_tables_that_are_behind_are_named_and_brought_up(app, run):
    back = run("db", "downgrade", "--plugin", "support", "--yes")
    assert back.exit_code == 0, back.stderr
    behind = next(
        one
        for one in run("db", "status").stdout.splitlines()
        if one.startswith("support")
    )
    assert behind.endswith("run: rapport db upgrade")
    assert is_one_sentence(run("doctor"), "tables of support: run rapport db upgrade")
    assert is_one_sentence(run("worker"), "The database is not up to date (support).")
    assert "support" in run("db", "upgrade").stdout
    assert run("db", "upgrade").stdout == "Nothing to do.\n"


def test_nothing_is_taken_back_unless_one_agrees(run):
    refused = run("db", "downgrade", "--plugin", "support", input="n\n")
    assert refused.exit_code == 1
    rows = json.loads(run("db", "status", "--json").stdout)
    assert all(one["current"] == one["head"] for one in rows)


def test_a_lineage_or_revision_nobody_knows_is_one_sentence(run):
    for words in (
        ("db", "upgrade", "--plugin", "nope"),
        ("db", "downgrade", "--plugin", "nope", "--yes"),
        ("db", "revision", "nope", "tags"),
    ):
        assert is_one_sentence(run(*words), "There is no nope here, only: core, ")
    wrong = run("db", "downgrade", "--plugin", "support", "--to", "zzz", "--yes")
    assert is_one_sentence(wrong, "Can't locate revision")


def test_doctor_says_what_is_wrong_and_then_that_all_is_well(app, run):
    assert run("search", "rebuild").exit_code == 0
    index = app.extensions["search_backend"].root
    for part in index.rglob("*.toc"):
        part.write_bytes(b"")
    sick = run("doctor")
    assert sick.exit_code == 2
    assert sick.stdout == ""
    for line in sick.stderr.strip().splitlines():
        name, colon, advice = line.partition(": ")
        assert name
        assert colon
        assert advice
    assert "run rapport search rebuild" in sick.stderr
    assert run("search", "rebuild").exit_code == 0
    beat(app)
    well = run("doctor")
    assert (well.exit_code, well.stdout) == (0, "Nothing is wrong.\n")
    assert well.stderr.startswith("mail: No mail server is set.")
    app.config |= {"SMTP_HOST": "mail.example", "MAIL_FROM": "crm@house.example"}
    app.config["PUBLIC_URL"] = "https://crm.house.example"
    again = run("doctor")
    assert again.stdout == "All is well.\n", again.stderr


def test_the_plugins_are_listed_with_those_that_are_off(make_app, run):
    rows = json.loads(run("plugin", "list", "--json").stdout)
    assert [one["name"] for one in rows] == INSTALLED
    assert all(one["on"] for one in rows)
    lean = make_app(PLUGINS_DISABLED=["support"])
    said = CliRunner().invoke(rapport, ["plugin", "list"], obj=lean).stdout
    states = {line.split()[0]: line.split()[1] for line in said.splitlines()}
    assert states == dict.fromkeys(INSTALLED, "on") | {"support": "off"}


def test_every_json_is_alone_on_standard_output(app, run):
    make_user("Anna Laine", email="anna@example.com", roles=["admin"])
    run("search", "rebuild")
    for words in (
        ("user", "list"),
        ("plugin", "list"),
        ("db", "status"),
        ("import", "list"),
        ("search", "status"),
        ("search", "query", "pallet", "--as", "anna@example.com"),
    ):
        result = run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        json.loads(result.stdout)


def test_what_a_command_refused_has_changed_nothing(app, run):
    refused = run("user", "create", "b@example.com", "--team", "New", "--role", "king")
    assert refused.exit_code == 2
    with db.read_only() as session:
        from core.users.models import Team

        assert session.query(Team).count() == 0
    assert make_user(email="c@example.com").id == find_user("c@example.com").id
