"""Telling whoever began an import that it ended."""

from core.db import db
from core.i18n import lazy_gettext as _l
from core.importing.models import ImportRun
from core.notifications.kinds import IMPORT_ENDED
from core.notifications.services import notify
from core.users.models import User


def tell_end(run: ImportRun, state: str) -> None:
    """Tell whoever began an import that it ended."""
    began = db.session.get(User, run.by_id) if run.by_id else None
    if began is None:
        return
    stopped = _l(
        "%(file)s was stopped. What it brought in so far stays.", file=run.file_name
    )
    done = _l(
        "%(file)s is brought in: %(new)d new, %(same)d known, %(refused)d refused.",
        file=run.file_name,
        new=run.created,
        same=run.updated + run.same,
        refused=run.refused,
    )
    undone = _l("%(file)s was taken back.", file=run.file_name)
    texts = {"done": done, "undone": undone}
    notify(
        [began],
        kind=IMPORT_ENDED,
        text=texts.get(state, stopped),
        url=f"/import/{run.id}",
        key=f"{IMPORT_ENDED}:{run.id}:{state}:{run.resume_row}",
    )
