"""How this installation sends mail, as its configuration says."""

from dataclasses import dataclass

from flask import current_app

from core.i18n import _
from core.mail.addresses import for_server

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
        if self.sender is None or not _is_address(self.sender):
            return "rapport.invalid"
        return for_server(self.sender).rpartition("@")[2]

    def lacks(self) -> str | None:
        """Say what keeps all mail from going out; None when nothing does."""
        if not self.host:
            return _("No mail server is set. Set SMTP_HOST and MAIL_FROM to send mail.")
        if self.security not in SECURITIES:
            return _("SMTP_SECURITY must be starttls, tls or none.")
        if self.sender is None:
            return _("Mails have no sender. Set MAIL_FROM.")
        if not _is_address(self.sender):
            return _("MAIL_FROM is not an e-mail address.")
        return None

    def lacks_for_links(self) -> str | None:
        """Say what keeps mails with links from going out; None when nothing does."""
        if lacking := self.lacks():
            return lacking
        if not (self.public_url or "").startswith(("https://", "http://")):
            return _("Links in mails need the address of this server: PUBLIC_URL.")
        return None


def _is_address(text: str) -> bool:
    try:
        for_server(text)
    except ValueError:
        return False
    return True


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
