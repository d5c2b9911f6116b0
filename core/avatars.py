"""Who somebody is at a glance: their initials on a ground of their own."""

from markupsafe import Markup, escape


def draw_avatar(
    name: object, id: int, kind: str = "person", small: bool = False, here: bool = False
) -> Markup:
    """Draw the initials of a name on one of eight grounds; the name stands beside."""
    words = str(name).split()
    letters = words[0][:1] + words[-1][:1] if len(words) > 1 else "".join(words)[:2]
    classes = f"avatar avatar-{int(id) % 8}"
    if kind == "organisation":
        classes += " avatar-organisation"
    if small:
        classes += " avatar-small"
    if here:
        classes += " avatar-here"
    drawn = (
        f'<span class="{classes}" aria-hidden="true">{escape(letters.upper())}</span>'
    )
    return Markup(drawn)  # noqa: S704 - the letters are escaped, the rest is ours
