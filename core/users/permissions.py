"""What roles may allow around accounts, beside administering them."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

VIEW_AS = Permission("users:view_as", _l("See the portal as a customer or vendor does"))
