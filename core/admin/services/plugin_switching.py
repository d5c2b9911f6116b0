"""Plugins switched off and on, taken out and put back, by an administrator's hand.

What runs here and what the next start brings may differ: a running process keeps the
plugins it started with.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.config import load_config
from core.db import db
from core.ddl import MigrationError
from core.errors import Invalid
from core.events import acting, actor, write_note
from core.i18n import _, ngettext
from core.i18n import lazy_gettext as _l
from core.plugin_life import (
    Plan,
    Removed,
    Returned,
    archives_of,
    plan_removal,
    put_back,
    remove_plugin,
    turn_off,
    turn_on,
)
from core.plugin_manager import PluginError, plugin_names

if TYPE_CHECKING:
    from core.app import CRM

T = TypeVar("T")

_PLACES = {
    "menu_items": _l("Menu lines"),
    "record_panels": _l("Panels"),
    "record_actions": _l("Buttons"),
    "day_items": _l("Blocks of my day"),
    "palette_items": _l("What Ctrl-K does"),
    "contact_columns": _l("Columns of the contact list"),
}
SWITCHED, TAKEN_OUT, RETURNED = "plugin.switched", "plugin.removed", "plugin.put_back"


def runs_at_next_start(app: "CRM", name: str) -> bool:
    """Say whether the next start brings a plugin, whatever runs now."""
    return name not in load_config(Path(app.config["INSTANCE"]))["PLUGINS_DISABLED"]


def newest_archive(app: "CRM", name: str) -> Path | None:
    """Give the archive from which a removed plugin comes back, if there is one."""
    found = archives_of(Path(app.config["INSTANCE"]), name)
    return found[-1] if found else None


def switch(app: "CRM", name: str, *, on: bool) -> None:
    """Keep a plugin off from the next start on, or let it run again; data stay."""
    _refused(lambda: (turn_on if on else turn_off)(app, name))
    write_note(SWITCHED, f"plugin/{name}", {"plugin": name, "on": on})


def plan_of(app: "CRM", name: str) -> Plan:
    """Say what removing a plugin would take away; raises `Invalid` if it cannot."""
    with _with_plugin(app, name) as whole:
        return _refused(lambda: plan_removal(whole, name))


def take_out(app: "CRM", name: str, *, typed: str) -> Removed:
    """Archive a plugin's data and take it away; `typed` must be its name.

    Call it with no transaction open. Raises `Invalid` for another name, when the
    plugin's tables are not up to date, and while it runs: each page asks it, and would
    find its tables gone.
    """
    if name in plugin_names(app):
        said = _("%(name)s is running. Turn it off and restart first.", name=name)
        raise Invalid(errors={"_schema": [said]})
    if typed.strip() != name:
        said = _("Type %(name)s to remove it. Nothing was removed.", name=name)
        raise Invalid(errors={"name": [said]})
    gone = _at_work(app, name, lambda whole: remove_plugin(whole, name))
    data = {"plugin": name, "archive": gone.archive.name}
    write_note(TAKEN_OUT, f"plugin/{name}", data)
    return gone


def bring_back(app: "CRM", name: str) -> Returned:
    """Put a removed plugin back from its newest archive, with its data.

    Call it with no transaction open. Raises `Invalid` when there is no archive or it
    does not fit here.
    """
    archive = newest_archive(app, name)
    if archive is None:
        raise Invalid(_("There is no archive of %(name)s here.", name=name))
    back = _at_work(app, name, lambda whole: put_back(whole, archive, name))
    write_note(RETURNED, f"plugin/{name}", {"plugin": name, "archive": archive.name})
    return back


def plan_lines(plan: Plan) -> list[tuple[str, list[str]]]:
    """Put a plan into words: what goes, under a title each, without what is empty."""
    permissions = [
        f"{name} ({', '.join(roles) or _('no role')})"
        for name, roles in plan.permissions.items()
    ]
    tables = [
        ngettext("%(table)s: %(num)d row", "%(table)s: %(num)d rows", rows, table=name)
        for name, rows in plan.tables.items()
    ]
    found = [
        (_("Pages"), plan.pages),
        (_("API"), plan.api),
        *((_PLACES[hook], titles) for hook, titles in plan.on_pages.items()),
        (_("Permissions, and the roles that have them"), permissions),
        (_("Settings"), plan.settings),
        (_("Kinds of import"), plan.imports),
        (_("Jobs"), plan.jobs),
        (_("Subscriptions"), list(plan.subscriptions)),
        (_("Tables"), tables),
        (_("Links to other records"), [str(plan.links)] if plan.links else []),
        (_("Files"), [str(plan.files)] if plan.files else []),
    ]
    return [(str(title), lines) for title, lines in found if lines]


def _at_work(app: "CRM", name: str, work: Callable[["CRM"], T]) -> T:
    who = actor()
    with _with_plugin(app, name) as whole, whole.app_context(), acting(who):
        return _refused(lambda: work(whole))


@contextmanager
def _with_plugin(app: "CRM", name: str) -> Iterator["CRM"]:
    """Give an application in which the plugin is on: this one or another."""
    if name in plugin_names(app):
        yield app
        return
    config: dict[str, Any] = {
        key: app.config[key] for key in ("DATABASE_URL", "SECRET_KEY", "TESTING")
    }
    off = [one for one in app.config["PLUGINS_DISABLED"] if one != name]
    folder = Path(app.config["INSTANCE"])
    whole: CRM = _refused(
        lambda: app.extensions["rapport_build"](
            config | {"PLUGINS_DISABLED": off}, instance=folder
        )
    )
    try:
        yield whole
    finally:
        with whole.app_context():
            db.engine.dispose()


def _refused(work: Callable[[], T]) -> T:
    """Turn a plugin's refusal into one that a page shows."""
    try:
        return work()
    except (PluginError, MigrationError) as error:
        said = str(getattr(error, "message", "") or error)
        raise Invalid(said, errors={"_schema": [said]}) from error
