"""Where the parts of an entry's page are, which is a plugin's."""

from flask import current_app

from core.interactions.models import Interaction
from core.links import url_for


def part_of_page(interaction: Interaction, name: str) -> str | None:
    """Give the address of a part of an entry's page, if the plugin has such a part."""
    page = f"interactions.{name}"
    if page not in current_app.view_functions:
        return None
    return url_for(page, interaction_id=interaction.id)
