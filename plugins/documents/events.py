"""What is announced about documents beyond created, updated and deleted.

People outside may learn of these facts when the document is shared with them, so
they name neither colleagues nor files.
"""

from marshmallow import fields, validate

from core.audiences import KINDS
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class AudienceChange(Schema):
    """From which kind of audience to which."""

    before = fields.String(required=True, validate=validate.OneOf(KINDS))
    after = fields.String(required=True, validate=validate.OneOf(KINDS))


class VersionNumber(Schema):
    """Which version it is about."""

    number = fields.Integer(required=True)


class TextRead(VersionNumber):
    """Which version was read, and how that went."""

    state = fields.String(required=True)


VERSION_ADDED = EventType(
    "documents.document.version_added", _l("New version"), VersionNumber
)
TEXT_READ = EventType("documents.document.text_read", _l("Text was read"), TextRead)
WIDENED = EventType(
    "documents.document.audience_widened", _l("Opened to more readers"), AudienceChange
)
# Written for those who could read the document until now.
NARROWED = EventType(
    "documents.document.audience_narrowed",
    _l("Closed to some readers"),
    AudienceChange,
)

OPENED = EventType("documents.document.opened", _l("People outside see it from now on"))

ALL = [VERSION_ADDED, TEXT_READ, WIDENED, NARROWED, OPENED]
