"""What a list draws for each row: functions, which cost less than macros."""

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


def draw_name(name: object, id: int, kind: str, url: str) -> Markup:
    """Draw the avatar and the linked name; its text has an id, `name-<id>`."""
    drawn = (
        f'<a class="name-cell" href="{escape(url)}" data-stop>'
        f"{draw_avatar(name, id, kind, small=True)}"
        f'<span id="name-{int(id)}">{escape(name)}</span></a>'
    )
    return Markup(drawn)  # noqa: S704 - what came from outside is escaped


def draw_pick(name: str, value: int, form: str, checked: bool = False) -> Markup:
    """Draw the box that selects a row, named by what `draw_name` drew in it."""
    drawn = (
        f'<input class="form-check-input pick" type="checkbox" name="{escape(name)}"'
        f' value="{int(value)}" aria-labelledby="name-{int(value)}"'
        f' form="{escape(form)}"{" checked" if checked else ""}>'
    )
    return Markup(drawn)  # noqa: S704 - what came from outside is escaped
