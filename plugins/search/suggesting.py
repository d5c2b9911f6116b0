"""Finding while somebody types: what Ctrl-K shows."""

from core.contacts.models import Contact
from core.i18n import _
from core.links import url_for
from core.users.models import User
from plugins.search.asking import allowed_for
from plugins.search.operators import offered
from plugins.search.services import Found, Results, plain, search
from plugins.search.spelling import did_you_mean


def _begins(one: Found, text: str) -> bool:
    """Say whether a word of a contact's name begins with what was typed."""
    wanted = text.strip().casefold()
    return one.record.record_name() == Contact.record_name() and any(
        one.title.casefold()[at:].startswith(wanted)
        for at in range(len(one.title))
        if at == 0 or one.title[at - 1] in " -."
    )


def _operators(user: User, text: str) -> list[dict[str, str]]:
    """Offer what narrows a search whose last word begins like it."""
    before, _space, last = text.rpartition(" ")
    if len(last) < 2:
        return []
    return [
        {
            "group": str(_("Narrow the search")),
            "ref": "",
            "title": one,
            "why": before,
            "url": url_for("search.index", q=f"{before} {one}".strip()),
        }
        for one in offered(allowed_for(user))
        if one.startswith(last.lower())
    ]


def _meant(user: User, text: str, results: Results) -> list[dict[str, str]]:
    """Offer what is found instead, where nothing is."""
    meant = did_you_mean(user, text, results)
    if meant is None:
        return []
    return [
        {
            "group": str(_("Did you mean")),
            "ref": "",
            "title": meant,
            "why": "",
            "url": url_for("search.index", q=meant),
        }
    ]


def suggest(user: User, text: str) -> list[dict[str, str]]:
    """Find while somebody types: what Ctrl-K shows."""
    results = search(user, text, limit=16, typing=True)
    operators = _operators(user, text)
    # Somebody with the phone at the ear types the beginning of a name.
    items = sorted(results.items, key=lambda one: not _begins(one, text))[:8]
    if not items:
        return operators + _meant(user, text, results)
    return operators + [
        {
            "group": str(one.type_title),
            "ref": one.record.ref,
            "title": one.title,
            "why": plain(one.snippet)[:120],
            "url": one.url,
        }
        for one in items
        if one.url is not None
    ]
