"""`rapport mail …`: does mail go out, and if not, why."""

import sys

import click

from core.mail.setup import mail_setup
from core.mail.trying import send_test_mail


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
    if setup.lacks() is None:
        place = f"{setup.host}:{setup.port} ({setup.security})"
        click.echo(f"To {place}, from {setup.sender}")
    if failed := send_test_mail(address, setup):
        click.echo(f"rapport: {failed}", err=True)
        sys.exit(2)
    click.echo("The mail server has taken it. Look into the mailbox.")
