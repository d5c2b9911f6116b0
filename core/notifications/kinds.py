"""The kinds of notifications that core itself sends."""

from core.i18n import lazy_gettext as _l
from core.pages import NotificationKind

IMPORT_ENDED = "imports.ended"
KINDS = [NotificationKind(IMPORT_ENDED, _l("An import of yours ended"), "upload")]
