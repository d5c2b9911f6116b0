"""`rapport user …` and `rapport token …`."""

import json
import secrets
from datetime import datetime

import click
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.events import announce
from core.users import leaving, passwords, services
from core.users.deputies import name_deputy
from core.users.models import User, UserKind
from core.users.sessions import create_token as create_token_for
from core.users.sessions import find_token, tokens_of
from core.users.sessions import revoke_token as revoke_token_of


@click.group()
def user() -> None:
    """Look after accounts.

    Example: rapport user create anna@example.com --role sales --team Sales
    """


@user.command()
@click.argument("email")
@click.option("--name", help="The name on screen; by default the e-mail's first part.")
@click.option("--role", "roles", multiple=True, default=["staff"], show_default=True)
@click.option("--team", "teams", multiple=True)
@click.option(
    "--kind", type=click.Choice(["staff", "customer", "vendor"]), default="staff"
)
@click.option("--contact", type=int, help="A portal user's organisation, by id.")
@click.option("--password", help="One is made up and printed when it is left out.")
def create(
    email: str,
    name: str | None,
    roles: tuple[str, ...],
    teams: tuple[str, ...],
    kind: UserKind,
    contact: int | None,
    password: str | None,
) -> None:
    """Add an account. Example: rapport user create anna@example.com --role sales."""
    made_up = password or secrets.token_urlsafe(12)
    if kind != "staff" and roles == ("staff",):
        roles = (kind,)
    with db.transaction() as session:
        if contact is not None and session.get(Contact, contact) is None:
            raise click.UsageError(f"There is no contact {contact}.")
        services.create_user(
            email,
            name=name or email.partition("@")[0],
            password=made_up,
            kind=kind,
            roles=roles,
            teams=teams,
            contact_id=contact,
        )
    click.echo(f"{email} may sign in." + ("" if password else f" Password: {made_up}"))


@user.command(name="list")
@click.option("--json", "as_json", is_flag=True)
def list_users(as_json: bool) -> None:
    """List the accounts. Example: rapport user list."""
    with db.transaction():
        rows = [
            {
                "email": one.email,
                "name": one.name,
                "kind": one.kind,
                "roles": [role.name for role in one.roles],
                "teams": [team.name for team in one.teams],
                "active": one.active,
            }
            for one in db.session.scalars(sa.select(User).order_by(User.email))
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        state = "" if row["active"] else "  (closed)"
        roles = ", ".join(row["roles"])  # type: ignore[arg-type]
        click.echo(f"{row['email']:<40} {row['kind']:<9} {roles}{state}")


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Close an account and sign it out. Example: rapport user disable a@example.com."""
    with db.transaction():
        services.disable_user(services.find_user(email))
    click.echo(f"{email} can no longer sign in.")


@user.command(name="leave")
@click.argument("email")
@click.option("--to", "to", required=True, help="Who takes over.")
def leave_house(email: str, to: str) -> None:
    """Close an account and hand over what hung on it.

    Example: rapport user leave a@example.com --to b@example.com
    """
    with db.transaction():
        leaver = services.find_user(email)
        chosen = leaving.close_for_leaver(leaver, to=services.find_user(to))
    moved = 0
    while True:
        with db.transaction():
            step = leaving.hand_over(services.find_user(email), chosen)
        moved += step
        if step < leaving.STEP:
            break
    with db.transaction():
        announce("user.left", services.find_user(email), {"to": chosen})
    click.echo(f"{email} can no longer sign in. {to} took over {moved} records.")


@user.command()
@click.argument("email")
@click.option("--to", "to", required=True, help="Who stands in.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), required=True)
def deputy(email: str, to: str, first: datetime, last: datetime) -> None:
    """Have somebody stand in for a colleague who is away.

    Example: rapport user deputy a@example.com --to b@example.com
    --from 2027-03-01 --until 2027-03-05
    """
    with db.transaction():
        name_deputy(
            services.find_user(email),
            services.find_user(to),
            from_on=first.date(),
            until_on=last.date(),
        )
    click.echo(f"{to} stands in for {email} until {last.date()}.")


@user.command()
@click.argument("email")
@click.option("--password", help="One is made up and printed when it is left out.")
def password(email: str, password: str | None) -> None:
    """Set a new password. Example: rapport user password anna@example.com."""
    made_up = password or secrets.token_urlsafe(12)
    with db.transaction():
        passwords.change_password(services.find_user(email), made_up)
    click.echo("Changed." + ("" if password else f" Password: {made_up}"))


@click.group()
def token() -> None:
    """Look after API tokens.

    Example: rapport token create --user anna@example.com --scope contacts:read
    """


@token.command(name="create")
@click.option("--user", "email", required=True)
@click.option("--scope", "scopes", multiple=True, required=True, help="`*` is all.")
@click.option("--expires", "days", type=click.IntRange(min=1), help="In days.")
@click.option("--name", default="", help="What it is for.")
def create_token(
    email: str, scopes: tuple[str, ...], days: int | None, name: str
) -> None:
    """Make a token and print it last.

    Example: rapport token create --user anna@example.com --scope contacts:read
    """
    with db.transaction():
        _row, secret = create_token_for(
            services.find_user(email), scopes=scopes, name=name, days=days
        )
    click.echo(f"Keep it: it is shown only now. {secret}")


@token.command(name="list")
@click.option("--user", "email", help="Only the tokens of this account.")
@click.option("--json", "as_json", is_flag=True)
def list_tokens(email: str | None, as_json: bool) -> None:
    """List the tokens that open something. Example: rapport token list."""
    with db.transaction():
        found = tokens_of(services.find_user(email) if email else None)
        rows = [
            {
                "id": one.id,
                "token": one.shown,
                "user": one.user.email,
                "name": one.name,
                "scopes": one.scopes,
                "expires": one.expires_at.isoformat() if one.expires_at else None,
                "used": one.used_at.isoformat() if one.used_at else None,
            }
            for one in found
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        used = f"used {row['used']}" if row["used"] else "never used"
        click.echo(f"{row['id']:<6} {row['token']:<10} {row['user']:<40} {used}")


@token.command()
@click.argument("token")
def revoke(token: str) -> None:
    """Make a token open nothing; its id, or the leaked secret itself.

    Example: rapport token revoke 7
    """
    with db.transaction():
        found = find_token(token)
        revoke_token_of(None, found.id)
        said = f"The token {found.shown} of {found.user.email} opens nothing any more."
    click.echo(said)
