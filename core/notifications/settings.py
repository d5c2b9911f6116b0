"""What an administrator may set about notifications."""

import marshmallow as ma
from marshmallow import fields, validate


class NotificationSettings(ma.Schema):
    """How long a mail waits for its reader to see the news in the app."""

    # Minutes before news are mailed at once; who has read them by then gets no mail.
    mail_after_minutes = fields.Integer(load_default=5, validate=validate.Range(0, 60))
