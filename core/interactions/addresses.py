"""Where an entry is read. Its pages are a plugin's; without it entries have none."""

from flask import current_app

from core.interactions.models import Interaction
from core.links import url_for

PAGE = "interactions.show"
LIST = "interactions.index"


def page_of(interaction: Interaction) -> str | None:
    """Give the address of an entry's own page, if there is such a page."""
    if PAGE not in current_app.view_functions:
        return None
    return url_for(PAGE, interaction_id=interaction.id)


def part_of_page(interaction: Interaction, name: str) -> str | None:
    """Give the address of a part of an entry's page, if the plugin has such a part."""
    page = f"interactions.{name}"
    if page not in current_app.view_functions:
        return None
    return url_for(page, interaction_id=interaction.id)


def tags_address() -> str:
    """Give the address of the list of a tag, to which the tag is added."""
    if LIST not in current_app.view_functions:
        return ""
    return url_for(LIST) + "?tag="
