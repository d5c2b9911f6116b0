"""Errors a user can understand; each carries its HTTP status.

Services raise them, views do not catch them, and one place shows them: as a page
for people and as RFC 9457 problem details for programs (`core.app`).
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from core.i18n import lazy_gettext as _l

Messages: TypeAlias = Mapping[str, Any]


class CRMError(Exception):
    """The root of everything Rapport refuses with a sentence for the user."""

    status = 500
    title = _l("Something went wrong")
    message = _l("This did not work. Try again; if it fails again, tell us the id.")

    def __init__(self, message: object = None, *, errors: Messages | None = None):
        """Say `message` to the user; `errors` name the fields it concerns."""
        self.message = message or type(self).message
        self.errors = dict(errors or {})
        super().__init__(str(message or type(self).__name__))


class Invalid(CRMError):
    """What was sent cannot be taken as it is; `errors` says which field and why."""

    status = 422
    title = _l("This could not be saved")
    message = _l("Some fields need another look. The words beside them say why.")


class BadRequest(CRMError):
    """The request itself cannot be understood."""

    status = 400
    title = _l("This could not be understood")
    message = _l("The request is not complete. Go back and try again.")


class NotSignedIn(CRMError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    status = 401
    title = _l("Sign in first")
    message = _l("Sign in to see this page.")


class Forbidden(CRMError):
    """The user is known and may not do this."""

    status = 403
    title = _l("You may not do this")
    message = _l("Your role does not allow this. An administrator can change that.")


class OnlyLooking(CRMError):
    """A colleague looks at what somebody else sees, and this is more than looking."""

    status = 409
    title = _l("You only look")
    message = _l("You see what somebody else sees. Press Stop to work on.")


class NotFound(CRMError):
    """The record does not exist, or is not open to this user: never say which."""

    status = 404
    title = _l("Page not found")
    message = _l("This page does not exist, or is not open to you.")


class Conflict(CRMError):
    """Somebody else was faster."""

    status = 409
    title = _l("Somebody saved first")
    message = _l("This was changed or already exists. Look at it again, then save.")


class PreconditionFailed(CRMError):
    """`If-Match` names a version that is no longer the current one (RFC 9110)."""

    status = 412
    title = _l("This has changed meanwhile")
    message = _l("Somebody changed this record. Read it again, then change it.")


class PreconditionRequired(CRMError):
    """A change must say which version it changes (RFC 6585)."""

    status = 428
    title = _l("Say which version you change")
    message = _l("Send If-Match with the ETag you read.")


class TooLarge(CRMError):
    """More bytes were sent than is allowed."""

    status = 413
    title = _l("This is too large")
    message = _l("The file is larger than allowed here.")


class TooMany(CRMError):
    """Too many requests or attempts; `retry_after` is in seconds."""

    status = 429
    title = _l("Too many attempts")
    message = _l("Wait a little, then try again.")

    def __init__(self, message: object = None, *, retry_after: int = 60):
        """Ask the client to wait `retry_after` seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(CRMError):
    """A part of the installation cannot answer now."""

    status = 503
    title = _l("Not available now")
    message = _l("This part is not available now. Try again in a moment.")


class WrongConfiguration(ValueError):
    """A key of the configuration cannot be what it is; says what it may be.

    Raised at the start, by core or by a plugin in `init_app`: the administrator reads
    it as it is.
    """
