"""What an administrator may set about search: the words of this house."""

from marshmallow import fields, validate

from core.i18n import lazy_gettext as _l
from core.schemas import Schema, Text

# More than any house has; every search reads them.
MOST_LINES = 500


class SearchSettings(Schema):
    """Words that mean the same here, and words that say nothing."""

    synonyms = fields.List(
        Text(most=300),
        load_default=list,
        validate=validate.Length(max=MOST_LINES),
        metadata={
            "title": _l("Words that mean the same"),
            "description": _l(
                "With commas between them: heat pump, lämpöpumppu, 热泵. Who looks for "
                "one finds the others too."
            ),
        },
    )
    stop_words = fields.List(
        Text(most=100),
        load_default=list,
        validate=validate.Length(max=MOST_LINES),
        metadata={
            "title": _l("Words that say nothing here"),
            "description": _l(
                "They are left out of a search that has other words, such as the name "
                "of this house."
            ),
        },
    )
