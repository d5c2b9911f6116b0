"""What reading, keeping and showing documents needs."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

READ = Permission("documents:read", _l("See documents"))
WRITE = Permission("documents:write", _l("Add and change documents"))
SHARE = Permission("documents:share", _l("Show documents to customers and vendors"))
