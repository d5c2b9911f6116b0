"""Drawing something in the worker as somebody would see it on a page of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, g

from core.users.models import User


@contextmanager
def on_behalf_of(user: User) -> Iterator[None]:
    """Have the block run as in a request of `user`: their language, zone and rights.

    The block has a session of its own; `user` must be read whole, as by a door.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    # A `g` of its own: the worker's knows another language, and another session.
    with app.app_context(), app.test_request_context("/"):
        # Where flask-login keeps whom it found.
        g._login_user = user
        yield
