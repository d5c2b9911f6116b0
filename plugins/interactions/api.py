"""What programs ask this plugin for; its parts add their routes to `bp`."""

from core.schemas import ApiBlueprint

bp = ApiBlueprint(
    "interactions_api",
    __name__,
    description="What is to be done about contacts, and when",
)
