"""What the administration pages need."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

SYSTEM = Permission("admin:system", _l("See plugins, deliveries and health"))
USERS = Permission("admin:users", _l("Change users, teams and roles"))
SETTINGS = Permission("admin:settings", _l("Change the house and its settings"))
