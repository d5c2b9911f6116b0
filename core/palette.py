"""What Ctrl-K finds and does: records, places, actions, in groups of five.

A sign in front narrows it: `>` actions and places, `+` something new, `@` people,
`#` tags. The menu's places come by themselves; plugins add the rest.
"""

from collections.abc import Iterable
from typing import Any, Final

from core.contacts import rail
from core.contacts.finding import as_typed, looks_like_phone
from core.i18n import _
from core.pages import Failure, PaletteItem, allowed
from core.plugin_manager import contributions
from core.shell import menu
from core.users.models import User

MOST: Final = 5
SIGNS: Final = frozenset(">+@#")
Line = dict[str, Any]


def find(user: User, text: str) -> list[Line]:
    """Give the lines for what `user` typed, best first, at most five of a group."""
    sign, words = _apart(text)
    if not text:
        found = rail.visited(user, most=8)
        return [_line(_("Recent"), one) for one in found]
    if sign == ">":
        return _grouped(_matching(_doings(user), words))
    if sign == "+":
        return _grouped(one for one in _matching(_doings(user), words) if one["new"])
    if sign == "@":
        return [_line(_("People"), one) for one in rail.named(user, words)]
    if sign == "#":
        return [_line(_("Tags"), one) for one in rail.tagged(user, words)]
    results = contributions("palette_results", user=user, query=words)
    found = [one for one in results if not isinstance(one, Failure)]
    acts = _matching(_doings(user), words)
    # Whoever types the name of an act in full means it, and no record with such words.
    named = any(str(one["title"]).casefold() == words.casefold() for one in acts)
    return _grouped([*acts, *found] if named else [*found, *acts])


def stranger(text: str) -> dict[str, str]:
    """Say what a new person begins with, when `text` was typed and nobody was meant."""
    return as_typed(_apart(text)[1])


def _apart(text: str) -> tuple[str, str]:
    """Take the sign off; the plus of a number from abroad is none."""
    if text[:1] not in SIGNS or looks_like_phone(text):
        return "", text
    return text[:1], text[1:].strip()


def _line(group: str, one: Line) -> Line:
    return {"group": group, "why": "", **one}


def _doings(user: User) -> list[Line]:
    """Give what can be started and where one can go, by the menu and by plugins."""
    items = [
        one
        for one in contributions("palette_items", user=user)
        if isinstance(one, PaletteItem)
    ]
    titles = {"new": _("New"), "actions": _("Actions"), "places": _("Go to")}
    lines = [
        {
            "group": titles.get(one.group, one.group),
            "title": str(one.title),
            "why": "",
            "url": one.url,
            "new": one.group == "new",
        }
        for one in allowed(items)
    ]
    return lines + [
        {
            "group": titles["places"],
            "title": str(one.title),
            "why": f"g {one.key}" if one.key else "",
            "url": one.url,
            "new": False,
        }
        for one in menu()
    ]


def _matching(lines: Iterable[Line], words: str) -> list[Line]:
    wanted = words.casefold()
    return [one for one in lines if wanted in str(one["title"]).casefold()]


def _grouped(lines: Iterable[Line]) -> list[Line]:
    """Keep one line of every record, whoever found it, and five of a group."""
    kept: list[Line] = []
    seen: set[tuple[str, str]] = set()
    count: dict[str, int] = {}
    for one in lines:
        group = str(one["group"])
        same = (str(one["url"]), str(one["title"]))
        if same in seen or count.get(group, 0) == MOST:
            continue
        seen.add(same)
        count[group] = count.get(group, 0) + 1
        kept.append(
            {
                "why": "",
                **{k: v for k, v in one.items() if k not in {"new", "ref"}},
                "group": group,
            }
        )
    return kept
