"""How this installation sends mail, as its configuration says."""

from dataclasses import dataclass

from flask import current_app

from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.mail.addresses import for_server

NO_SERVER = _l("No mail server is set.")
NO_SENDER = _l("Mails have no sender.")
SECURITIES = ("starttls", "tls", "none")


@dataclass(frozen=True)
class MailSetup:
    """The mail server, how to sign in there, and who mails come from."""

    host: str | None
    port: int
    user: str | None
    password: str | None
    security: str
    sender: str | None
    public_url: str | None
    secret_key: str

    @property
    def domain(self) -> str:
        """The domain of the sender, which is in every Message-ID."""
        if not self.sender:
            return "rapport.invalid"
        return for_server(self.sender).rpartition("@")[2]

    @property
    def sends(self) -> bool:
        """Say whether mails can go out at all."""
        return bool(self.host and self.sender)

    @property
    def links(self) -> bool:
        """Say whether mails with links to this server can go out."""
        return self.sends and bool(self.public_url)


def mail_setup() -> MailSetup:
    """Read how the current application sends mail."""
    config = current_app.config
    return MailSetup(
        host=config["SMTP_HOST"] or None,
        port=int(config["SMTP_PORT"]),
        user=config["SMTP_USER"] or None,
        password=config["SMTP_PASSWORD"] or None,
        security=str(config["SMTP_SECURITY"]).lower(),
        sender=config["MAIL_FROM"] or None,
        public_url=config["PUBLIC_URL"] or None,
        secret_key=str(config["SECRET_KEY"]),
    )


def missing() -> str | None:
    """Say what the configuration lacks before mail can go out; None is nothing."""
    setup = mail_setup()
    if not setup.host:
        return _("No mail server is set. Set SMTP_HOST and MAIL_FROM to send mail.")
    if not setup.sender:
        return _("Mails have no sender. Set MAIL_FROM.")
    if not setup.public_url:
        return _("Links in mails need the address of this server: PUBLIC_URL.")
    return None
