"""What on the overview needs somebody: few lines, each with where to go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core.admin.services import system
from core.admin.services.queue import worker_seen
from core.db import db, now
from core.events import Delivery
from core.i18n import _, ngettext
from core.mail.setup import mail_setup
from core.users.models import User

SILENT = timedelta(seconds=90)


@dataclass(frozen=True)
class Concern:
    """Something that needs somebody: words, how bad, and the endpoint that helps."""

    words: str
    kind: str
    endpoint: str
    arguments: Mapping[str, Any]


def concerns(config: Mapping[str, Any], behind: list[str]) -> list[Concern]:
    """Say what needs attention, the worst first; `behind` names old tables."""
    found = [
        _tables(behind),
        _worker(),
        _parked(),
        _disk(config),
        _without_role(),
        _mail(),
    ]
    return [one for one in found if one is not None]


def _tables(behind: list[str]) -> Concern | None:
    if not behind:
        return None
    said = _(
        "Tables are not up to date: %(names)s. Run: rapport db upgrade",
        names=", ".join(behind),
    )
    return Concern(said, "danger", "admin.system_page", {})


def _worker() -> Concern | None:
    seen = worker_seen()
    if seen is not None and now() - seen < SILENT:
        return None
    said = _("No worker runs. Search, mail and reminders stand still. Run: rapport run")
    return Concern(said, "danger", "admin.jobs", {})


def _parked() -> Concern | None:
    query = sa.select(sa.func.count(Delivery.parked_at))
    count = db.session.scalar(query) or 0
    if not count:
        return None
    said = ngettext(
        "%(num)d delivery was given up after many tries.",
        "%(num)d deliveries were given up after many tries.",
        count,
    )
    return Concern(said, "danger", "admin.deliveries", {})


def _disk(config: Mapping[str, Any]) -> Concern | None:
    found = system.disk(config)
    if not found.low:
        return None
    free = system.readable_size(found.free)
    said = _("The disk is almost full: %(free)s free.", free=free)
    return Concern(said, "danger", "admin.system_page", {})


def _without_role() -> Concern | None:
    query = sa.select(sa.func.count()).select_from(User)
    count = db.session.scalar(query.where(User.active, ~User.roles.any())) or 0
    if not count:
        return None
    said = ngettext(
        "%(num)d account has no role and can do nothing.",
        "%(num)d accounts have no role and can do nothing.",
        count,
    )
    return Concern(said, "warn", "admin.list_users", {"state": "no_role"})


def _mail() -> Concern | None:
    said = mail_setup().lacks()
    return Concern(said, "warn", "mail.outbox", {}) if said else None
