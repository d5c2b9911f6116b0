"""What is announced about interactions beyond created, updated and deleted."""

from marshmallow import fields, validate

from core.audiences import KINDS
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class AudienceChange(Schema):
    """From which kind of audience to which."""

    before = fields.String(required=True, validate=validate.OneOf(KINDS))
    after = fields.String(required=True, validate=validate.OneOf(KINDS))


class Mentioned(Schema):
    """Whom the text calls who were not called before: colleagues and teams, by id."""

    users = fields.List(fields.Integer(), required=True)
    teams = fields.List(fields.Integer(), required=True)


MENTIONED = EventType("interaction.mentioned", _l("Somebody was mentioned"), Mentioned)
WIDENED = EventType(
    "interaction.audience_widened", _l("Opened to more readers"), AudienceChange
)
# Told inside when something is opened to people outside, and heard when they see it.
OPENING = EventType("interaction.opening", _l("Opens to people outside"))
OPENED = EventType("interaction.opened", _l("People outside see it from now on"))
# Written for those who could read the entry until now, so that it leaves their pages.
NARROWED = EventType(
    "interaction.audience_narrowed", _l("Closed to some readers"), AudienceChange
)
