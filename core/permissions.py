"""Permissions, and the door that every request passes.

Every route names the permission it needs with `@requires`, or says `@public`; an
application with a route that does neither does not start. Pages are for colleagues
unless they say `portal=True`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, current_app, g, request
from flask_login import current_user

from core.errors import Forbidden, NotFound, NotSignedIn, OnlyLooking

if TYPE_CHECKING:
    from core.users.models import User

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Permission:
    """A thing a role may allow, and a scope of API tokens: `documents:read`."""

    name: str
    title: object

    @property
    def owner(self) -> str:
        """The slice or plugin that declares it: the part before the colon."""
        return self.name.partition(":")[0]


@dataclass(frozen=True)
class Door:
    """What a route asks of who comes; `permission` None asks for none."""

    permission: Permission | None
    portal: bool
    signed_in: bool


def _mark(view: Callable[..., Any], door: Door) -> Callable[..., Any]:
    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        return view(*args, **kwargs)

    guarded.door = door  # type: ignore[attr-defined]
    return guarded


def requires(permission: Permission, *, portal: bool = False) -> Callable[[F], F]:
    """Let only those pass who have `permission`; portal users only if `portal`."""
    return lambda view: _mark(view, Door(permission, portal, True))  # type: ignore[return-value]


def public(view: F) -> F:
    """Let everybody pass, signed in or not."""
    return _mark(view, Door(None, True, False))  # type: ignore[return-value]


def sent_from_anywhere(view: F) -> F:
    """Take a form that is on no page of ours: its address holds a secret instead."""
    view.sent_from_anywhere = True  # type: ignore[attr-defined]
    return view


def signed_in(view: F) -> F:
    """Let everybody pass who is signed in: one's own page, sign-out, live."""
    return _mark(view, Door(None, True, True))  # type: ignore[return-value]


def colleagues_only(view: F) -> F:
    """Let every colleague pass; for portal users the page does not exist."""
    return _mark(view, Door(None, False, True))  # type: ignore[return-value]


def me() -> "User":
    """Give the account that is signed in; use it behind a door that asks for one."""
    user: User = current_user._get_current_object()
    return user


def onlooker() -> "User | None":
    """Give the colleague who looks at what `me()` sees, if one does.

    See `core.users.viewing`. Whatever is told of `me()` without a form, such as that
    they opened a file, is not told while somebody else looks.
    """
    found: User | None = g.get("onlooker")
    return found


def open_to_onlookers(view: F) -> F:
    """Let in who looks as somebody else, though no permission is asked for."""
    view.open_to_onlookers = True  # type: ignore[attr-defined]
    return view


def can(permission: Permission | str, user: Any = None) -> bool:
    """Say whether `user` (the current one by default) may do this.

    A request with an API token may do what both its user and its scopes allow.
    """
    name = permission if isinstance(permission, str) else permission.name
    who = me() if user is None else user
    if not who.is_authenticated or name not in who.permissions:
        return False
    scopes: frozenset[str] | None = g.get("token_scopes")
    if scopes is None or "*" in scopes or name in scopes:
        return True
    # The token limits its own user, not a colleague who is asked about.
    return bool(who.id != current_user.id)


def declared_permissions() -> dict[str, Permission]:
    """Give the permissions that core and the plugins declared, by name."""
    found: dict[str, Permission] = current_app.extensions["rapport_permissions"]
    return found


def expand(names: Iterable[str]) -> frozenset[str]:
    """Turn what a role stores into permission names; `*` is all that are declared."""
    given = frozenset(names)
    declared = frozenset(declared_permissions())
    return declared if "*" in given else given & declared


def door_of(view: Any) -> Door:
    """Give what a view asks of who comes."""
    door: Door = view.door
    return door


def check_door() -> None:
    """Refuse a request its route does not allow; runs before every request.

    Raises `NotSignedIn`, `Forbidden`, or `NotFound` for a portal user on a page
    of the house, whose existence is not their business.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return
    door = door_of(view)
    if not door.signed_in:
        return
    if not current_user.is_authenticated:
        raise NotSignedIn
    if onlooker() is not None:
        _keep_to_looking(view, door)
    if current_user.kind != "staff" and not door.portal:
        raise NotFound
    if door.permission is None or can(door.permission):
        return
    if current_user.kind != "staff" and not request.path.startswith("/api/"):
        # Nor is a page that their role does not give them; a program is told.
        raise NotFound
    raise Forbidden


def _keep_to_looking(view: Any, door: Door) -> None:
    """Refuse an onlooker what changes something, and what is personal.

    Raises `OnlyLooking`, also for pages of the house, which are open in another tab.
    """
    if getattr(view, "open_to_onlookers", False):
        return
    reads = request.method in {"GET", "HEAD"} and not getattr(view, "writes", False)
    if not (reads and door.portal and door.permission):
        raise OnlyLooking


def undeclared_routes(app: Flask) -> list[str]:
    """Name the endpoints that neither require a permission nor say they are public."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if not hasattr(view, "door")
    )
