"""What reading and writing interactions needs."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

READ = Permission("interactions:read", _l("Read notes, calls and messages"))
WRITE = Permission("interactions:write", _l("Write notes, calls and messages"))
SHARE = Permission("interactions:share", _l("Show entries to customers and vendors"))
MODERATE = Permission(
    "interactions:moderate", _l("Change and remove what colleagues wrote")
)
