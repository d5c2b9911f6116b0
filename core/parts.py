"""Draw what plugins put on a page, so that a failing part never takes the page along.

In tests and debug what a part raises goes on up; in production it is logged, and one
line stands in its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from flask import Flask, current_app, has_request_context, render_template
from markupsafe import Markup

from core.db import Record, reading
from core.i18n import _
from core.pages import Action, EntryWords, Failure, InteractionKind, Panel, allowed
from core.permissions import can
from core.plugin_manager import (
    contained,
    contributions,
    declared_by,
    named,
    plugin_of,
)
from core.records import RecordType, SearchDocument, record_types


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
    drawn = None
    with contained(plugin_of(part), part.template):
        drawn = Markup(render_template(part.template, **{**part.context, **more}))  # noqa: S704 - a template's own output
    return drawn


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


def actions_on(
    record: Any, user: Any, failed: list[object] | None = None
) -> list[Action]:
    """Ask all plugins for their buttons on `record`: those `user` may use.

    The titles of those that failed are added to `failed`.
    """
    found = contributions("record_actions", record=record, user=user)
    if failed is not None:
        failed += [one.title for one in found if isinstance(one, Failure)]
    return allowed([one for one in found if isinstance(one, Action)])


def hosted(record: Any, user: Any) -> dict[str, Any]:
    """Give a record's page what plugins put on it: panels, buttons, and what failed."""
    panels, failed = drawn_panels(record, user)
    actions = actions_on(record, user, failed)
    shown = [one for one in panels if not one.part.empty]
    return {"panels": shown, "failed": failed, "actions": actions}


def open_records(contact: Any, user: Any) -> list[Record]:
    """Ask all plugins what of theirs still waits with a contact, as `user` sees it."""
    found = contributions("open_records", contact=contact, user=user)
    records = [one for one in found if isinstance(one, Record)]
    types = record_types()
    return [
        one
        for one in records
        if (kind := types.get(one.record_name())) and can(kind.permission, user)
    ]


def found_refs(words: str, user: Any) -> list[str]:
    """Ask all plugins which records `user` finds by `words`, as Ctrl-K does."""
    found = contributions("palette_results", user=user, query=words)
    refs = [one.get("ref") for one in found if not isinstance(one, Failure)]
    return [one for one in refs if one]


def find_panel(record: Any, user: Any, name: str) -> Panel | Failure | None:
    """Give one panel by its name; only the plugin that is named in it is asked."""
    owner = name.partition(".")[0]
    given = {"record": record, "user": user}
    hook = current_app.extensions["rapport_pm"].hook.record_panels
    for one in hook.get_hookimpls():
        if one.plugin_name in {owner, f"core.{owner}"}:
            taken = {key: given[key] for key in one.argnames}
            panels: list[Panel] = []
            with contained(one.plugin_name, "record_panels") as failure:
                panels = allowed(one.function(**taken))
            for panel in panels:
                if panel.name == name:
                    return panel
            if failure:
                return failure[0]
    return None


def contained_type(plugin: str, kind: RecordType) -> RecordType:
    """Keep what a plugin's record type raises from the page that shows the record.

    The worker is told as before: there a failure is tried again.
    """

    def kept(part: str, ask: Callable[..., Any], instead: Any) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if not has_request_context():
                return ask(*given)
            answer = instead(*given)
            # In what is being saved there is no savepoint for a mere word: it would
            # flush what is half made.
            with contained(plugin, f"{part} of {kind.name}", alone=reading()):
                answer = ask(*given)
            return answer

        return call

    def nameless(record: Any, *_rest: Any) -> str:
        return _("%(what)s: not available.", what=record.ref)

    return replace(
        kind,
        label=kept("label", kind.label, nameless),
        url=kept("url", kind.url, lambda *_: None),
        document=kind.document
        and kept(
            "document", kind.document, lambda one: SearchDocument(title=nameless(one))
        ),
    )


def contained_kinds(app: Flask) -> dict[str, InteractionKind]:
    """Keep what the kinds' renderers raise from the entries, said as others are then.

    Gives the kinds lightest first. What is no text fails too; no HTML comes in.
    """
    hook = "register_interaction_kinds"
    kinds = named(app, hook, InteractionKind)
    return {
        name: _contained_kind(declared_by(app, hook, name), one)
        for name, one in sorted(kinds.items(), key=lambda item: item[1].weight)
    }


def _contained_kind(plugin: str, kind: InteractionKind) -> InteractionKind:
    own = kind.renderer
    if own is None:
        return kind

    def said(words: EntryWords) -> EntryWords:
        found = words
        with contained(plugin, f"renderer of {kind.name}", alone=reading()):
            answer = own(words)
            facts = {name: str(fact) for name, fact in answer.facts.items()}
            found = replace(words, facts=facts, body=str(answer.body))
        return found

    return replace(kind, renderer=said)
