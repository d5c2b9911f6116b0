"""Who has gone quiet: without contact for longer than is usual for them."""

from datetime import timedelta

import sqlalchemy as sa

from core import settings
from core.columns import UTCDateTime
from core.contacts import finding
from core.contacts.cleaning import ROLES
from core.contacts.models import Contact
from core.db import now


def usual_days() -> int:
    """Give the days after which a customer counts as quiet where nothing else holds."""
    return int(settings.get("contacts")["quiet_days"])


def days_of_segments() -> list[tuple[str, int]]:
    """Give the tags and roles with days of their own, the fewest days first."""
    lines = settings.get("contacts")["quiet_days_of"]
    found = [(name.strip(), int(days)) for name, _, days in map(_apart, lines)]
    return sorted(found, key=lambda one: (one[1], one[0]))


def _apart(line: str) -> tuple[str, str, str]:
    return line.rpartition(":")


def gone_quiet() -> sa.ColumnElement[bool]:
    """Say as SQL that nobody has been in touch with a contact for too long.

    Of several segments it belongs to, the one with the fewest days counts.
    """
    last = Contact.last_interaction_at
    usual = _before(usual_days())
    segments = [(_in(name), _before(days)) for name, days in days_of_segments()]
    # The first that fits is taken, and they are in the order of their days.
    since = sa.case(*segments, else_=usual) if segments else usual
    return sa.or_(last.is_(None), last < since)


def _in(name: str) -> sa.ColumnElement[bool]:
    if name in ROLES:
        return finding.with_key("role", name)
    return finding.with_tag(name)


def _before(days: int) -> sa.ColumnElement[object]:
    return sa.literal(now() - timedelta(days=days), UTCDateTime())
