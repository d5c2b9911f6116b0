"""The house's logo: taken if it is a harmless picture, refused with the reason."""

import hashlib
import struct
from xml.etree import ElementTree

import sqlalchemy as sa

from core import settings
from core.admin.models import HouseLogo
from core.db import db
from core.errors import Invalid
from core.i18n import _

MOST_BYTES = 300_000
MOST_PIXELS = 4000
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"
# Shapes and paints; nothing that runs, loads or embeds.
_ELEMENTS = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
    "text", "tspan", "defs", "use", "symbol", "clipPath", "mask", "title", "desc",
    "linearGradient", "radialGradient", "stop", "metadata", "pattern", "style",
}  # fmt: skip


def keep_logo(content: bytes) -> str:
    """Make `content` the logo of the house; give its hash; raises `Invalid`."""
    media_type = _media_type(content)
    sha256 = hashlib.sha256(content).hexdigest()
    if db.session.get(HouseLogo, sha256) is None:
        db.session.execute(sa.delete(HouseLogo))
        db.session.add(HouseLogo(sha256=sha256, media_type=media_type, content=content))
        db.session.flush()
    settings.save("house", {"logo": sha256})
    return sha256


def remove_logo() -> None:
    """Go back to the first letter of the name."""
    db.session.execute(sa.delete(HouseLogo))
    settings.reset("house", ["logo"])


def _media_type(content: bytes) -> str:
    if not content:
        raise _refused(_("Choose a picture first."))
    if len(content) > MOST_BYTES:
        raise _refused(_("This picture is larger than 300 kB. Use a smaller one."))
    if content.startswith(_PNG):
        _check_png(content)
        return "image/png"
    _check_svg(content)
    return "image/svg+xml"


def _refused(said: str) -> Invalid:
    return Invalid(errors={"logo": [said]})


def _check_png(content: bytes) -> None:
    if len(content) < 33 or content[12:16] != b"IHDR" or b"IEND" not in content[-16:]:
        raise _refused(_("This PNG picture is not whole."))
    width, height = struct.unpack(">II", content[16:24])
    if not 0 < width <= MOST_PIXELS or not 0 < height <= MOST_PIXELS:
        raise _refused(_("This picture has too many pixels. Use a smaller one."))


def _check_svg(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(_("Use a PNG or SVG picture.")) from error
    # Without a document type there are no entities, so nothing can be blown up.
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise _refused(_("This SVG has a document type. Save it as plain SVG."))
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - entities are refused above
    except (ElementTree.ParseError, ValueError) as error:
        raise _refused(_("Use a PNG or SVG picture.")) from error
    if root.tag != f"{_SVG}svg":
        raise _refused(_("Use a PNG or SVG picture."))
    for element in root.iter():
        _check_element(element)


def _check_element(element: ElementTree.Element) -> None:
    name = str(element.tag)
    if name.startswith(_SVG) and name.removeprefix(_SVG) not in _ELEMENTS:
        said = _(
            "This SVG contains “%(name)s”, which a logo does not need. Save it as "
            "plain SVG.",
            name=name.removeprefix(_SVG),
        )
        raise _refused(said)
    values = [*element.attrib.items()]
    if name == f"{_SVG}style":
        values.append(("style", element.text or ""))
    for key, value in values:
        plain, text = key.rpartition("}")[2].lower(), value.strip().lower()
        leads_away = plain == "href" and not text.startswith("#")
        loads = "@import" in text or any(
            not part.lstrip(" '\"").startswith("#") for part in text.split("url(")[1:]
        )
        if plain.startswith("on") or leads_away or loads or "javascript:" in text:
            said = _("This SVG runs or loads something. Save it as plain SVG.")
            raise _refused(said)
