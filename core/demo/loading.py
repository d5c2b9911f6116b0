"""Loading the demo company, or a folder of files instead; each part exactly once."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from pluggy import HookImpl, PluginManager

from core import migrate
from core.contacts.models import Contact
from core.db import db
from core.demo.company import make_company
from core.demo.stage import PASSWORD, open_demo
from core.errors import Conflict, CRMError
from core.events import acting
from core.i18n import _
from core.importing.folders import MappingSet, find_set, load_folder
from core.importing.refusing import reason_of
from core.plugin_manager import PluginError
from core.settings import Setting
from core.users.defaults import ensure_default_roles
from core.users.models import User
from core.users.services import create_user, disable_user

# The sign-ins of the demonstration, in the order they are printed.
ROLES = ("admin", "sales", "support", "outsider", "customer", "customer2", "vendor")
COMPANY = "company"

_MARK = "demo.loaded"
_FILES = "files"


@dataclass(frozen=True)
class SignIn:
    """Somebody to look around as; `url` is where they begin."""

    role: str
    email: str
    password: str
    url: str


def load_demo_company(
    app: Flask,
    *,
    reset: bool = False,
    data: Path | None = None,
    url: str = "http://127.0.0.1:8000",
) -> list[SignIn]:
    """Bring the tables up to date and load the demo company; give its sign-ins.

    With `data` a folder of files comes in instead, by the mappings kept for it. What
    was loaded before stays as its users shaped it; `reset` starts over. Raises
    `Conflict` for an installation that holds something else, and `Invalid` when no
    mappings fit the folder.
    """
    with app.app_context():
        chosen = find_set(data) if data is not None else None
    wanted = chosen.name if chosen else COMPANY
    migrate.upgrade(app)
    with app.app_context():
        _refuse_to_mix(wanted, reset=reset)
        loaded = bool(_mark())
    if reset and loaded:
        _start_over(app)
    with app.app_context():
        with db.transaction():
            ensure_default_roles()
        if chosen is None or data is None:
            _load_parts(app)
            people = [(role, _email_of(role)) for role in ROLES]
        else:
            _load_files(app, chosen, data)
            people = list(chosen.sign_ins)
        return [_sign_in(role, email, url) for role, email in people]


def _mark() -> dict[str, Any]:
    with db.read_only() as session:
        found = session.get(Setting, _MARK)
        return dict(found.value) if found else {}


def _set_mark(name: str, parts: Sequence[str]) -> None:
    value = {"name": name, "parts": sorted(parts)}
    db.session.merge(Setting(key=_MARK, value=value))


def _refuse_to_mix(wanted: str, *, reset: bool) -> None:
    """Keep made-up customers away from real ones, and real ones from a reset."""
    mark = _mark()
    if mark.get("name") == wanted or (mark and reset):
        return
    if mark:
        raise Conflict(
            _("Another demonstration is loaded here. Start over with --reset.")
        )
    with db.read_only() as session:
        if session.scalar(sa.select(Contact.id).limit(1)) is not None:
            raise Conflict(
                _(
                    "This installation has contacts of its own. Load the demonstration "
                    "into another one: set RAPPORT_INSTANCE to another folder."
                )
            )


def _start_over(app: Flask) -> None:
    """Empty the database, the uploaded files and the search index."""
    migrate.downgrade(app)
    for folder in ("FILES_FOLDER", "SEARCH_FOLDER"):
        shutil.rmtree(app.config[folder], ignore_errors=True)
    migrate.upgrade(app)


def _load_parts(app: Flask) -> None:
    """Load core's part, then each plugin's, each in one transaction with its mark."""
    done = _mark().get("parts", [])
    if "core" not in done:
        with db.transaction(), acting(None, bulk=True):
            make_company()
            done = [*done, "core"]
            _set_mark(COMPANY, done)
    pm: PluginManager = app.extensions["rapport_pm"]
    for part in pm.hook.load_demo.get_hookimpls():
        if part.plugin_name in done:
            continue
        with db.transaction(), acting(None, bulk=True):
            _load_part(part)
            done = [*done, part.plugin_name]
            _set_mark(COMPANY, done)


def _load_part(part: HookImpl) -> None:
    demo = open_demo()
    try:
        part.function(*[demo for _argument in part.argnames])
    except Exception as error:
        said = reason_of(error) if isinstance(error, CRMError) else repr(error)
        raise PluginError(
            f"plugin {part.plugin_name!r} failed in load_demo: {said} If the demo "
            "company was changed much, start over with --reset."
        ) from error


def _load_files(app: Flask, chosen: MappingSet, folder: Path) -> None:
    if _FILES in _mark().get("parts", []):
        return
    # It has no password, so nobody signs in with it, and it is closed afterwards.
    email = f"import@{chosen.name}.example"
    with db.transaction() as session:
        user = session.scalar(sa.select(User).where(User.email == email))
        if user is None:
            title = _("Import of %(name)s", name=chosen.title)
            user = create_user(email, name=title, roles=["admin"])
        user.active = True
        actor_id = user.id
        # If it is cut off, the next run goes on with it.
        _set_mark(chosen.name, [])
    load_folder(app, folder, actor_id=actor_id, rest=False)
    with db.transaction() as session:
        disable_user(session.get_one(User, actor_id))
        _set_mark(chosen.name, [_FILES])


def _email_of(role: str) -> str:
    with db.read_only():
        found = open_demo().users.get(role)
        return found.email if found else ""


def _sign_in(role: str, email: str, url: str) -> SignIn:
    with db.read_only() as session:
        user = session.scalar(sa.select(User).where(User.email == email))
    inside = user is None or user.kind == "staff"
    return SignIn(role, email, PASSWORD, f"{url}/" if inside else f"{url}/portal")
