"""The words, icons and the form's token of what can be done with an entry."""

from typing import Any

from flask import url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from core.assets import icon
from core.i18n import _
from core.interactions.permissions import WRITE
from core.permissions import can
from plugins.interactions.reactions import REACTIONS


def acts_words() -> dict[str, Any]:
    """Give templates what the acts of every entry of a list have in common.

    A timeline has dozens of entries with the same few words: looked up and drawn for
    each of them, they cost as much as the entries themselves.
    """
    field = '<input type="hidden" name="csrf_token" value="{}">'
    may_write = can(WRITE)
    return {
        "may_write": may_write,
        "url": url_for("interactions.index"),
        "token": Markup(field).format(generate_csrf()),  # noqa: S704 - a constant
        "signs": [(n, title, icon(i, 12)) for n, (title, i) in REACTIONS.items()],
        "react": _react() if may_write else Markup(""),
        "reply": _("Reply"),
        "open": _("Open entry"),
        "more": _("More about this entry"),
        "follow": _("Follow"),
        "bell": icon("bell"),
        "pin": _("Pin"),
        "unpin": _("Unpin"),
        "pinned": _("Pinned"),
        "edit": _("Edit"),
        "trash": _("Move to trash"),
        "remind": _("Remind me"),
        "remind_url": url_for("interactions.follow_up_new"),
        "alarm": icon("alarm"),
        "answers": _("What this answers"),
        "dots": icon("three-dots"),
        "pin_icon": icon("pin-angle"),
        "pin_small": icon("pin-angle", 12),
        "pencil": icon("pencil"),
        "bin": icon("trash3"),
    }


def _react() -> Markup:
    button = (
        '<button class="menu-item" type="submit" role="menuitem" name="reaction"'
        ' value="{}">{}{}</button>'
    )
    return Markup("").join(
        Markup(button).format(name, icon(symbol), title)  # noqa: S704 - a constant
        for name, (title, symbol) in REACTIONS.items()
    )
