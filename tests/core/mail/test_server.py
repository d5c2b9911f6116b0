"""The mail server: how it is spoken to, and what is said when it does not work."""

import ssl
import subprocess
import sys

import pytest
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner

from core.errors import Invalid
from core.mail.cli import mail
from core.testing.mail import Mailbox
from core.testing.server import environment, free_port
from core.worker import beat
from tests.core.mail.writing import look, write


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine, and the file that says it can be trusted."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


@pytest.fixture
def protected(app, certificate, monkeypatch):
    """Start a mail server that asks for protection, and set Rapport up for it."""
    boxes = []

    def start(security, **options):
        context, trusted = certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        given = {"ssl_context" if security == "tls" else "tls_context": context}
        box = Mailbox(free_port(), **given, **options)
        box.start()
        boxes.append(box)
        app.config.update(box.settings | {"SMTP_SECURITY": security})
        return box

    yield start
    for box in boxes:
        box.stop()


def knows(user, password):
    def check(_server, _session, _envelope, _mechanism, data):
        right = (data.login, data.password) == (user, password)
        return AuthResult(success=right, handled=False)

    return check


def test_mail_goes_out_with_starttls_and_a_sign_in(app, protected, deliver):
    box = protected(
        "starttls",
        require_starttls=True,
        auth_required=True,
        authenticator=knows(b"crm", b"secret"),
    )
    app.config.update(SMTP_USER="crm", SMTP_PASSWORD="secret")
    write(hold=0)
    deliver()
    assert len(box.messages) == 1


def test_mail_goes_out_over_tls(protected, deliver):
    box = protected("tls")
    write(hold=0)
    deliver()
    assert len(box.messages) == 1


def test_a_wrong_password_keeps_mail_waiting_and_says_so(
    app, protected, deliver, caplog
):
    box = protected(
        "starttls", auth_required=True, authenticator=knows(b"crm", b"secret")
    )
    app.config.update(SMTP_USER="crm", SMTP_PASSWORD="wrong-one")
    mail_id = write(hold=0)
    deliver()
    assert box.messages == []
    assert look(mail_id).state == "waiting"
    assert "refused the sign-in: 535" in look(mail_id).error
    assert "wrong-one" not in caplog.text + look(mail_id).error


def test_nothing_is_sent_unprotected_where_protection_is_asked_for(
    app, mailbox, deliver
):
    app.config["SMTP_SECURITY"] = "starttls"
    mail_id = write(hold=0)
    deliver()
    assert mailbox.messages == []
    assert "SMTP_SECURITY" in look(mail_id).error


def test_a_server_nobody_vouches_for_gets_nothing(app, protected, deliver, monkeypatch):
    box = protected("tls")
    monkeypatch.delenv("SSL_CERT_FILE")
    mail_id = write(hold=0)
    deliver()
    assert box.messages == []
    assert "could not be protected" in look(mail_id).error


def test_an_address_the_server_cannot_write_is_refused_with_words(app, deliver):
    box = Mailbox(free_port(), enable_SMTPUTF8=False)
    box.start()
    app.config.update(box.settings)
    mail_id = write(to=["väinö@customer.example"], hold=0)
    deliver()
    box.stop()
    assert box.messages == []
    assert look(mail_id).state == "parked"
    assert "plain letters" in look(mail_id).error


def mail_test(address):
    """Run `rapport mail test`; give its exit code and what it said."""
    done = CliRunner().invoke(mail, ["test", address])
    return done.exit_code, done.output


def test_a_test_mail_says_whether_it_went_out_and_what_failed(mailbox):
    code, said = mail_test("you@house.example")
    assert code == 0, said
    assert "has taken it" in said
    assert mailbox.messages[0]["To"] == "you@house.example"
    mailbox.refuse["you@house.example"] = "550 5.1.1 no such mailbox"
    code, said = mail_test("you@house.example")
    assert (code, "550 5.1.1 no such mailbox" in said) == (2, True)
    mailbox.stop()
    code, said = mail_test("you@house.example")
    assert (code, "does not answer" in said) == (2, True)


def test_a_test_mail_needs_an_address_and_a_server(app, mailbox):
    done = CliRunner().invoke(mail, ["test", "nobody"])
    assert isinstance(done.exception, Invalid)
    app.config["SMTP_HOST"] = None
    code, said = mail_test("you@house.example")
    assert (code, "Set SMTP_HOST" in said) == (2, True)


def test_a_house_without_a_mail_server_is_well_and_gets_a_hint(
    app, client, app_settings, tmp_path
):
    env = environment(tmp_path, app_settings["DATABASE_URL"])
    done = subprocess.run(
        [sys.executable, "-m", "core", "doctor"],
        env=env | {"RAPPORT_SEARCH_LEMMAS": app_settings["SEARCH_LEMMAS"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "mail: No mail server is set." in done.stderr
    assert "(warning)" in done.stderr
    beat(app)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert "No mail server is set." in answer.json["checks"]["mail"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"MAIL_FROM": None}, "Mails have no sender."),
        ({"MAIL_FROM": "Kallio <crm@house.example>"}, "not an e-mail address"),
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY must be starttls, tls or none."),
        ({"PUBLIC_URL": "crm.house.example"}, "PUBLIC_URL"),
    ],
)
def test_a_wrong_configuration_is_said_and_loses_no_mail(
    app, mailbox, deliver, client, clock, wrong, said
):
    right = {key: app.config[key] for key in wrong}
    app.config.update(wrong)
    mail_id = write(hold=0)
    deliver()
    assert said in client.get("/readyz").json["checks"]["mail"]
    app.config.update(right)
    clock.shift(60)
    deliver()
    assert look(mail_id).state == "sent"
