"""What refuses a row of a file, and how that is said."""

import marshmallow as ma
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from core.errors import CRMError
from core.i18n import _
from core.problems import flatten

REFUSALS = (
    CRMError,
    ma.ValidationError,
    DataError,
    IntegrityError,
    OverflowError,
    StaleDataError,
)


def reason_of(error: Exception) -> str:
    """Say in plain sentences why a row was refused."""
    details = getattr(error, "errors", None) or getattr(error, "messages", None)
    if details:
        return " ".join(
            f"{field}: {' '.join(said)}" if field else " ".join(said)
            for field, said in flatten(details).items()
        )
    if isinstance(error, CRMError):
        return str(error.message)
    if isinstance(error, IntegrityError):
        return str(_("This contradicts what is there already."))
    if isinstance(error, StaleDataError):
        return str(_("Somebody changed this record at the same moment."))
    return str(_("Something in this row is too large, or not of the right form."))
