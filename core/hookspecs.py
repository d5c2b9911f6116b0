"""The hooks: questions core asks its plugins, and what it does with the answers.

Hooks ask, events tell. `register_*` hooks are called once, at start-up, and return
declarations; the others contribute to a page while it is drawn, or narrow what a user
sees. An implementation takes only the arguments it needs; start-up refuses a name or
an argument that is not listed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluggy import HookspecMarker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click import Command
    from flask import Blueprint, Flask
    from marshmallow import Schema
    from sqlalchemy import ColumnElement

    from core.contacts.models import Contact
    from core.db import Record
    from core.demo import Demo
    from core.events import EventType, Subscriber
    from core.imports import ImportKind
    from core.interactions.models import Interaction
    from core.jobs import Job
    from core.pages import (
        Action,
        Check,
        Column,
        DayItem,
        EntryFiles,
        EntryPart,
        InteractionKind,
        MenuItem,
        NotificationKind,
        PaletteItem,
        Panel,
    )
    from core.permissions import Permission
    from core.records import RecordType
    from core.users.models import User

hookspec = HookspecMarker("rapport")


# -- Start-up: called once by create_app(); each returns declarations ---------------


@hookspec
def init_app(app: Flask) -> None:
    """Set up what no other hook can: a Jinja filter, a Flask extension.

    Called last among the start-up hooks. `app` is the application; the database may
    not be used yet. Example: `app.jinja_env.filters["sku"] = format_sku`.
    """


@hookspec
def register_blueprints() -> list[Blueprint]:
    """Return the plugin's blueprints: pages at its plural noun, API under /api/v1.

    Every route needs `@requires(...)`, `@signed_in` or `@public`, or start-up is
    refused. Example: `return [views.bp, api.bp]`.
    """


@hookspec
def register_permissions() -> list[Permission]:
    """Return the permissions the plugin checks, named `<plugin>:<action>`.

    Roles list them in the administration; they are also the scopes of API tokens.
    Example: `return [permissions.READ, permissions.WRITE]`.
    """


@hookspec
def register_settings() -> type[Schema]:
    """Return one marshmallow schema whose fields are the plugin's settings.

    Every field has a `load_default`, so that `{}` loads. Example:
    `return settings.DocumentSettings`.
    """


@hookspec
def register_event_types() -> list[EventType]:
    """Return the facts the plugin announces beyond created, updated and deleted.

    Example: `return [EventType("portal.order.placed", _l("Order placed"))]`.
    """


@hookspec
def register_subscribers() -> list[Subscriber]:
    """Return who acts on facts; a handler runs in the worker, at least once.

    Example: `return [Subscriber("search", ("*",), index, batch=200)]`.
    """


@hookspec
def register_jobs() -> list[Job]:
    """Return scheduled work; each run is one transaction in one worker.

    Example: `return [Job("documents.sweep", timedelta(days=1), sweep)]`.
    """


@hookspec
def register_records() -> list[RecordType]:
    """Return how the plugin's records are titled, linked, shown and found.

    Example: `return [RecordType(Document, _l("Document"), "file-text", READ, ...)]`.
    """


@hookspec
def register_imports() -> list[ImportKind]:
    """Return the kinds that `rapport import KIND` brings in.

    Example: `return [ImportKind("products", _l("Products"), ProductRow, bring)]`.
    """


@hookspec
def register_checks() -> list[Check]:
    """Return what `rapport doctor` and /readyz ask of the plugin.

    A check may read the database and must answer within a second. Example:
    `return [Check("search", index_is_open)]`.
    """


@hookspec
def register_interaction_kinds() -> list[InteractionKind]:
    """Return kinds of timeline entries: their title, icon and few fields.

    A kind may say its entries its own way: its `renderer` is given the `EntryWords` of
    one and returns them with other `facts` (by name, one line) or another `body`
    (Markdown, so nothing comes in as HTML). It is asked while a page is drawn or a
    dossier made, for colleagues who may read the entry; author, audience and files are
    not its to say. It has plain values and must not read the database: an `EntryPart`
    brings what is more. Where it fails, that is logged and counted, and the entry is
    said as others are. Example: `return [InteractionKind("visit", _l("Visit"),
    "geo-alt", renderer=lambda words: replace(words, facts={"day": day_of(words)}))]`.
    """


@hookspec
def register_entry_parts() -> list[EntryPart]:
    """Return what the plugin adds to every timeline entry, at no statement of its own.

    Example: `return [EntryPart("stars", stars_of_entry, lambda text, user: text)]`.
    """


@hookspec
def register_entry_files() -> list[EntryFiles]:
    """Return what keeps the files that people put into the composer of an entry.

    Of several plugins the first one keeps them. Example:
    `return [EntryFiles(PART, may_add, most_bytes, keep)]`.
    """


@hookspec
def register_notifications() -> list[NotificationKind]:
    """Return the kinds of news the plugin tells people of by `notify(kind=...)`.

    Everybody may switch a kind off under /me. Example:
    `return [NotificationKind("support.assigned", _l("A ticket became yours"))]`.
    """


@hookspec
def register_commands() -> list[Command]:
    """Return commands for `rapport`, grouped under the plugin's name.

    Example: `return [cli.search]`.
    """


# -- Pages: called while a page is drawn; items carry a weight and a permission -----


@hookspec
def menu_items(user: User) -> list[MenuItem]:
    """Return lines of the main menu for `user`; may read, may not write.

    Items with `portal=True` are for the portal's menu, the others for the house's.
    Example: `return [MenuItem(_l("Documents"), "documents.index", READ, "files")]`.
    """


@hookspec
def record_panels(record: Record, user: User) -> list[Panel]:
    """Return panels for the page of `record`; may read, may not write.

    Return an empty list for records the plugin has nothing to say about. Example:
    `return panels.for_contact(record, user) if isinstance(record, Contact) else []`.
    """


@hookspec
def record_actions(record: Record, user: User) -> list[Action]:
    """Return buttons for the page of `record`; may read, may not write.

    Example: `return [Action(_l("New ticket"), url_for("support.new"), WRITE)]`.
    """


@hookspec
def day_items(user: User) -> list[DayItem]:
    """Return blocks of "my day" for `user`; may read, may not write.

    Example: `return [DayItem("support", _l("Tickets"), "support/day.html", {...})]`.
    """


@hookspec
def palette_items(user: User) -> list[PaletteItem]:
    """Return what Ctrl-K can do: go somewhere, start something; may not write.

    Example: `return [PaletteItem(_l("New ticket"), url_for("support.new"), WRITE)]`.
    """


@hookspec
def palette_results(user: User, query: str) -> list[dict[str, Any]]:
    """Return what Ctrl-K found for `query`: dicts of group, title, why and url.

    A record also has its `ref`, so that a note can be linked to it.

    Example: `return services.suggest(user, query)`.
    """


@hookspec
def open_records(contact: Contact, user: User) -> list[Record]:
    """Return what still waits with `contact`, as far as `user` sees it; may read.

    It is named when somebody hands the contact over. Start from `visible_to`. Example:
    `return services.unsolved(contact, user)`.
    """


@hookspec
def contact_columns() -> list[Column]:
    """Return columns for the contact list; called once per page, may not query per row.

    Example: `return [Column("phone", _l("Phone"), lambda c: c.phones[:1])]`.
    """


# -- Rules: called inside the transaction ------------------------------------------


@hookspec
def contact_scope(user: User) -> ColumnElement[bool] | None:
    """Narrow which contacts `user` sees: a condition on `Contact`, or None.

    Conditions are joined with AND, so a plugin can hide and never reveal. What it
    raises is never contained: who-sees-what fails closed. May read.
    Example: `return Contact.tags.contains("retail") if user.kind == "staff" else None`.
    """


@hookspec
def refuse_entry_change(
    entry: Interaction, user: User, changes: Mapping[str, Any]
) -> str | None:
    """Say why `user` may not change `entry` so, or None; may read, may not write.

    Asked after core's own rules, through every door. `changes` are the new values by
    column; putting an entry in the trash or taking it out is `trashed_at`. What this
    raises is never contained: the entry stays as it is. Example:
    `return _("It is signed.") if "body" in changes and is_signed(entry) else None`.
    """


# -- Demo: called once by `rapport demo` -------------------------------------------


@hookspec
def load_demo(demo: Demo) -> None:
    """Add the plugin's part of the demo company, through its own services.

    `demo` gives the contacts and users that core made, by key. Example:
    `upload(demo.contacts["kallio"], ..., actor=demo.users["sales"])`.
    """
