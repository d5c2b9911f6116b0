"""What searching needs; what is found is decided by each record's own door."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

READ = Permission("search:read", _l("Search"))
MANAGE = Permission("search:manage", _l("See the health of the search index"))
