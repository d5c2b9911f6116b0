"""`rapport mail …`: does mail go out, and if not, why."""

import sys

import click

from core.db import db, now
from core.i18n import _
from core.mail import smtp
from core.mail.message import test_parcel
from core.mail.setup import mail_setup


@click.group()
def mail() -> None:
    """Look after outgoing mail.

    Example: rapport mail test you@example.com
    """


@mail.command()
@click.argument("address")
def test(address: str) -> None:
    """Send a test mail now and say what failed. Example: rapport mail test a@b.fi."""
    setup = mail_setup()
    if lacking := setup.lacks():
        _fail(lacking)
    with db.read_only():
        parcel = test_parcel(address, setup, at=now())
    click.echo(f"To {setup.host}:{setup.port} ({setup.security}), from {setup.sender}")
    try:
        outcome = smtp.send(parcel, setup)
    except smtp.TryLaterError as why:
        _fail(str(why))
    for said in {**outcome.later, **outcome.refused}.values():
        _fail(_("The mail server answered: %(said)s", said=said))
    click.echo("The mail server has taken it. Look into the mailbox.")


def _fail(said: str) -> None:
    click.echo(f"rapport: {said}", err=True)
    sys.exit(2)
