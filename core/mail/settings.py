"""What an administrator may set about outgoing mail."""

import marshmallow as ma
from marshmallow import fields, validate

from core.schemas import Text


class MailSettings(ma.Schema):
    """How outgoing mail waits, and how it is signed."""

    # Seconds in which whoever wrote a mail can still undo it.
    hold_seconds = fields.Integer(load_default=10, validate=validate.Range(0, 60))
    # Seconds before people outside see what was opened to them, an entry or a ticket:
    # until then it can be taken back.
    portal_hold_seconds = fields.Integer(
        load_default=10, validate=validate.Range(0, 60)
    )
    # The sender's name beside the address; the name of the house when it is empty.
    sender_name = Text(most=100, load_default="")
    # What stands below every mail that somebody wrote, in the recipient's language.
    signature_en = Text(most=1000, load_default="")
    signature_fi = Text(most=1000, load_default="")
    signature_zh = Text(most=1000, load_default="")
    # Days after which sent and cancelled mails are forgotten.
    keep_days = fields.Integer(load_default=180, validate=validate.Range(1, 3650))
