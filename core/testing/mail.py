"""A real mail server for tests: it keeps what it takes and refuses what it is told."""

import asyncio
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """An SMTP server in a thread of its own.

    `messages` came in, with their envelopes in `envelopes`. `refuse` maps an address,
    or `DATA`, to the answer it gets, such as `550 No such mailbox`.
    """

    def __init__(self, port: int, **options: Any):
        """Listen on `port` of this machine once `start()` is called."""
        self.port = port
        self.options = options
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Any] = []
        self.refuse: dict[str, str] = {}
        # Set when a mail came in; the answer waits for `go_on`.
        self.arrived, self.go_on = Event(), Event()
        self.go_on.set()
        self._controller: Any = None

    @property
    def settings(self) -> dict[str, Any]:
        """The configuration with which Rapport sends here."""
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.port,
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "crm@house.example",
            "PUBLIC_URL": "http://localhost",
        }

    def start(self) -> None:
        """Take mail from now on."""
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, **self.options
        )
        self._controller.start()

    def stop(self) -> None:
        """Take no more mail; stopping twice is harmless."""
        self.go_on.set()
        if self._controller is not None:
            with suppress(AssertionError):
                self._controller.stop()
            self._controller = None

    async def handle_RCPT(  # noqa: N802 - the library calls it so
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take an address, or say what `refuse` says."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library calls it so
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Keep a mail, or say what `refuse` says."""
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.messages.append(found)
        self.envelopes.append(envelope)
        self.arrived.set()
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        return "250 Taken"


def text_of(message: EmailMessage) -> str:
    """Give the plain text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    """Give the HTML of a mail."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
