"""Several colleagues at once: one a line, a name and an e-mail address."""

import re

from core.admin.services.accounts import add_account
from core.errors import Invalid
from core.i18n import _
from core.settings import get as settings_of
from core.users.models import User

MOST = 100
_ADDRESS = re.compile(r"[^\s<>,;()]+@[^\s<>,;()]+")


def add_colleagues(actor: User, lines: str, role: str, password: str) -> list[User]:
    """Make an account of each line, all or none; without a password each is invited.

    A line is "Anna Laine anna@example.com" or "Anna Laine <anna@example.com>". Raises
    `Invalid` that names every line that cannot be taken, or when nobody can be invited.
    """
    house = settings_of("house")
    wrong: list[str] = []
    added: list[User] = []
    wanted = [one.strip() for one in lines.splitlines() if one.strip()]
    if len(wanted) > MOST:
        said = _("At most %(num)d at once. Use an import for more.", num=MOST)
        raise Invalid(errors={"people": [said]})
    for line in wanted:
        found = _ADDRESS.search(line)
        if found is None:
            wrong.append(_("“%(line)s” has no e-mail address.", line=line[:80]))
            continue
        name = line.replace(found.group(), " ").strip(" \t<>,;()\"'")
        form = {
            "email": found.group(),
            "name": " ".join(name.split())[:200] or found.group().partition("@")[0],
            "password": password,
            "kind": "staff",
            "roles": [role],
            "teams": [],
            "language": house["language"],
            "timezone": house["timezone"],
        }
        try:
            added.append(add_account(actor, form))
        except Invalid as refused:
            if "email" not in refused.errors:
                raise
            wrong += [str(one) for one in refused.errors["email"]]
    if wrong:
        raise Invalid(errors={"people": wrong})
    return added
