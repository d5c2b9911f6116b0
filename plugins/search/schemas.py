"""What comes in and goes out of a search."""

from typing import get_args

import marshmallow as ma
from marshmallow import fields, validate

from core.schemas import Schema
from plugins.search.backend import Order


class SearchArguments(ma.Schema):
    """What to look for; `type` may be given several times or with commas."""

    class Meta:
        """Leave out what is not declared."""

        unknown = ma.EXCLUDE

    q = fields.String(load_default="")
    type = fields.List(fields.String(), load_default=list)
    sort = fields.String(load_default="best", validate=validate.OneOf(get_args(Order)))
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=100))


class HitSchema(Schema):
    """One hit."""

    ref = fields.String()
    type = fields.String()
    title = fields.String()
    snippet = fields.String()
    url = fields.String(allow_none=True)


class ResultsSchema(Schema):
    """A page of hits; counting may stop at 1,000."""

    total = fields.Integer()
    total_is_exact = fields.Boolean()
    is_relaxed = fields.Boolean(
        metadata={"description": "Nothing has all the words: these have some of them."}
    )
    is_partial = fields.Boolean(
        metadata={"description": "The time was up, so some hits may be missing."}
    )
    is_degraded = fields.Boolean(
        metadata={"description": "The index is being mended: only names are searched."}
    )
    too_many = fields.List(
        fields.String(),
        metadata={
            "description": "Operators that mean too many contacts: taken as words."
        },
    )
    did_you_mean = fields.String(
        allow_none=True,
        metadata={"description": "The query with words that are found, if any."},
    )
    items = fields.List(fields.Nested(HitSchema))
