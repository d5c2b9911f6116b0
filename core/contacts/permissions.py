"""What the contact pages and their API need."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

READ = Permission("contacts:read", _l("See contacts"))
WRITE = Permission("contacts:write", _l("Add and change contacts"))
IMPORT = Permission("contacts:import", _l("Bring in files"))
ERASE = Permission("contacts:erase", _l("Erase a person's data for good"))
