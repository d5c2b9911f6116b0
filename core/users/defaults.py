"""The roles a new installation starts with; administrators shape them afterwards."""

from core.users.services import ensure_role

_TEAMWORK = (
    "contacts:read",
    "contacts:write",
    "interactions:read",
    "interactions:write",
    "interactions:share",
    "documents:read",
    "documents:write",
    "documents:share",
    "search:read",
    "portal:products",
    "portal:orders",
    "portal:purchase_orders",
    "support:read",
    "support:write",
    "users:view_as",
)

ROLES: dict[str, tuple[str, ...]] = {
    "admin": ("*",),
    "sales": (*_TEAMWORK, "contacts:import", "portal:manage_orders"),
    "buyer": (
        *_TEAMWORK,
        "portal:manage_products",
        "portal:manage_purchase_orders",
    ),
    "support": _TEAMWORK,
    "staff": _TEAMWORK,
    "customer": (
        "contacts:read",
        "interactions:read",
        "interactions:write",
        "documents:read",
        "search:read",
        "portal:products",
        "portal:orders",
        "portal:place_orders",
        "support:read",
        "support:write",
    ),
    "vendor": (
        "contacts:read",
        "interactions:read",
        "documents:read",
        "search:read",
        "portal:purchase_orders",
        "portal:confirm_purchase_orders",
    ),
}


def ensure_default_roles() -> None:
    """Make the roles that are missing; an existing one is left as it is."""
    for name, permissions in ROLES.items():
        ensure_role(name, permissions)
