"""What removing a plugin would take away, before anything is touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask, g

from core.contacts.models import Contact
from core.db import db
from core.events import Delivery
from core.files import file_store
from core.imports import ImportKind
from core.plugin_life.archive import own_tables
from core.plugin_life.belongings import Belongings, belongings, table
from core.plugin_manager import answers, declared
from core.records import Link
from core.settings import Setting
from core.users.models import Role, User

# Page hooks, and the attribute that names what each contributes.
_PAGE_HOOKS = {
    "menu_items": "title",
    "record_panels": "title",
    "record_actions": "title",
    "day_items": "title",
    "palette_items": "title",
    "contact_columns": "title",
}


@dataclass
class Plan:
    """Everything that would go, by name; `tables` has the number of rows of each."""

    plugin: str
    pages: list[str] = field(default_factory=list)
    api: list[str] = field(default_factory=list)
    on_pages: dict[str, list[str]] = field(default_factory=dict)
    permissions: dict[str, list[str]] = field(default_factory=dict)
    settings: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    subscriptions: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    links: int = 0
    files: int = 0
    file_bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)

    @property
    def rows(self) -> int:
        """The number of rows in all its tables."""
        return sum(self.tables.values())


def plan_removal(app: Flask, name: str) -> Plan:
    """Say what removing the plugin `name` would take away; only reads.

    Raises `PluginError` when it is not on in `app`.
    """
    with app.app_context(), db.read_only():
        own = belongings(app, name)
        plan = Plan(name, jobs=list(own.jobs))
        kinds = declared(app, "register_imports", ImportKind)
        plan.imports = [one.name for who, one in kinds if who == name]
        _plan_addresses(app, own, plan)
        _plan_roles(own, plan)
        _plan_rows(own, plan)
        plan.on_pages = _on_pages(app, name)
        return plan


def _plan_addresses(app: Flask, own: Belongings, plan: Plan) -> None:
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if rule.endpoint.partition(".")[0] in own.blueprints:
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            line = f"{' '.join(methods)} {rule.rule}"
            (plan.api if rule.rule.startswith("/api/") else plan.pages).append(line)


def _plan_roles(own: Belongings, plan: Plan) -> None:
    roles = db.session.scalars(sa.select(Role).order_by(Role.name)).all()
    for name in own.permissions:
        plan.permissions[name] = [
            role.name for role in roles if {name, "*"} & set(role.permissions)
        ]


def _plan_rows(own: Belongings, plan: Plan) -> None:
    connection = db.session.connection()

    def count(source: Any, *where: Any) -> int:
        query = sa.select(sa.func.count()).select_from(source).where(*where)
        return connection.scalar(query) or 0

    kept = dict(own.kept_by_core())
    plan.settings = list(
        connection.scalars(
            sa.select(Setting.key).where(kept[table(Setting)]).order_by(Setting.key)
        )
    )
    plan.links = count(Link, kept[table(Link)])
    for one in own.subscribers:
        plan.subscriptions[one] = count(Delivery, Delivery.subscriber == one)
    for found in own_tables(connection, own.tables(connection)):
        plan.tables[found.name] = count(found)
    for sha256 in file_hashes(own):
        if file_store().exists(sha256):
            plan.files += 1
            plan.file_bytes += file_store().path(sha256).stat().st_size


def file_hashes(own: Belongings) -> Iterator[str]:
    """Name the stored content that the plugin's rows mention, each once."""
    connection = db.session.connection()
    columns = [
        one.columns["sha256"]
        for one in own_tables(connection, own.tables(connection))
        if "sha256" in one.columns
    ]
    found: set[str] = set()
    for column in columns:
        query = sa.select(column).where(column.is_not(None)).distinct()
        found.update(connection.scalars(query))
    yield from sorted(found)


def _on_pages(app: Flask, name: str) -> dict[str, list[str]]:
    """Ask the plugin what it puts on core's pages, as an administrator sees them."""
    admin = db.session.scalar(
        sa.select(User).where(User.active, User.kind == "staff").order_by(User.id)
    )
    if admin is None:
        return {}
    record = db.session.scalar(sa.select(Contact).order_by(Contact.id).limit(1))
    found: dict[str, list[str]] = {}
    with _seen_by(app, admin):
        for hook, attribute in _PAGE_HOOKS.items():
            if record is None and hook.startswith("record_"):
                continue
            for who, items in answers(app, hook, user=admin, record=record):
                if who == name and items:
                    titles = [str(getattr(one, attribute)) for one in items]
                    found[hook] = titles
    return found


@contextmanager
def _seen_by(app: Flask, user: User) -> Iterator[None]:
    session = db.session
    with app.test_request_context("/"):
        before, g.rapport_session = g.get("rapport_session"), session
        g._login_user = user
        try:
            yield
        finally:
            g.rapport_session = before
            g.pop("_login_user", None)
