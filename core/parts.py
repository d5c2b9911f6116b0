"""Draw what plugins put on a page, so that a failing part never takes the page along.

In tests and debug what a part raises goes on up; in production it is logged, and one
line stands in its place.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from flask import current_app, render_template
from markupsafe import Markup

from core.db import db
from core.pages import Action, Failure, Panel, allowed
from core.plugin_manager import contributions

log = logging.getLogger("rapport.parts")


class Part(Protocol):
    """What has a template and its context: a panel, a block of "my day"."""

    @property
    def template(self) -> str:
        """The template to draw."""

    @property
    def context(self) -> Mapping[str, Any]:
        """What it is given."""


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Drawn(Generic[P]):
    """A part and its HTML."""

    part: P
    html: Markup


def draw(part: Part, **more: object) -> Markup | None:
    """Give the HTML of a part, or None when it failed in production."""
    try:
        with db.contained():
            return Markup(render_template(part.template, **{**part.context, **more}))  # noqa: S704 - a template's own output
    except Exception:
        if current_app.testing or current_app.debug:
            raise
        log.exception("the part %s failed", part.template)
        return None


def drawn_panels(record: Any, user: Any) -> tuple[list[Drawn[Panel]], list[object]]:
    """Ask all plugins for their panels on `record`, and draw those `user` may see.

    Gives them lightest first, and the titles of those that failed.
    """
    found = contributions("record_panels", record=record, user=user)
    failed: list[object] = [one.title for one in found if isinstance(one, Failure)]
    shown: list[Drawn[Panel]] = []
    for panel in allowed([one for one in found if isinstance(one, Panel)]):
        html = Markup("") if panel.empty else draw(panel, record=record)
        if html is None:
            failed.append(panel.title)
        else:
            shown.append(Drawn(panel, html))
    return shown, failed


def actions_on(record: Any, user: Any) -> list[Action]:
    """Ask all plugins for their buttons on `record`: those `user` may use."""
    found = contributions("record_actions", record=record, user=user)
    return allowed([one for one in found if isinstance(one, Action)])


def find_panel(record: Any, user: Any, name: str) -> Panel | None:
    """Give one panel by its name; only the plugin that is named in it is asked."""
    owner = name.partition(".")[0]
    given = {"record": record, "user": user}
    hook = current_app.extensions["rapport_pm"].hook.record_panels
    for one in hook.get_hookimpls():
        if one.plugin_name in {owner, f"core.{owner}"}:
            taken = {key: given[key] for key in one.argnames}
            panels: list[Panel] = one.function(**taken)
            for panel in allowed(panels):
                if panel.name == name:
                    return panel
    return None
