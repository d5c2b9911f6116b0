"""Stylesheets, scripts and icons: where they come from and how long they keep.

Files are named by an alias from one fixed table, or `plugins/<name>/<file>` for the
`static/` folder of a plugin. Their address carries a digest of their content, so a
browser keeps them for a year and asks again the moment they change. Each is packed once
and tighter than a page, which is packed for one reader.

The icons that most pages draw lie together in `icons.svg`, so that a page names them in
some hundred bytes; any other icon of the set is drawn where it stands.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import brotli
from flask import Flask, Response, current_app, has_request_context, request
from markupsafe import Markup

from core.errors import NotFound
from core.links import url_for
from core.permissions import public

YEAR: Final = 365 * 24 * 60 * 60

OWN_FILES: Final = (
    "admin.css",
    "app.css",
    "app.js",
    "attach.js",
    "charts.css",
    "composer.js",
    "drafts.js",
    "drawer.js",
    "drop.js",
    "favicon.svg",
    "fields.js",
    "imports.css",
    "keys.js",
    "kinds.js",
    "live.js",
    "me.css",
    "menus.js",
    "merge.css",
    "morph.js",
    "pages.css",
    "palette.js",
    "portal.css",
    "presence.js",
    "suggest.js",
    "theme.js",
    "tokens.css",
    "viewing.js",
)
FILES: Final = {
    "bootstrap.css": ("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css"),
    "htmx.js": ("js_lib_htmx", "static/htmx/htmx.min.js"),
    **{name: ("core", f"static/{name}") for name in OWN_FILES},
}
ICONS: Final = "static/bootstrap5/icons/bootstrap-icons.svg"
# What the shell, the lists and the timeline draw on every page or in every row.
SHARED_ICONS: Final = (
    "bell",
    "box-arrow-right",
    "box-seam",
    "building-add",
    "calendar-event",
    "cart",
    "chat-left-text",
    "check-lg",
    "check2-circle",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "clock-history",
    "envelope",
    "eye",
    "file-earmark-arrow-up",
    "folder2",
    "funnel",
    "gear",
    "hand-thumbs-up",
    "heart",
    "house",
    "journal-text",
    "keyboard",
    "life-preserver",
    "list",
    "lock",
    "pencil",
    "people",
    "person-check",
    "person-plus",
    "pin-angle",
    "plus-lg",
    "search",
    "sun",
    "tag",
    "telephone",
    "telephone-outbound",
    "three-dots",
    "trash3",
    "truck",
    "upload",
    "x-lg",
)

_PLUGIN_FILE = re.compile(r"plugins/(?P<name>[a-z][a-z0-9_]*)/(?P<path>.+)")
_SAFE_PATH = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*", re.ASCII)
_ICON_NAME = re.compile(r"[a-z0-9-]+")
_SHARED = frozenset(SHARED_ICONS)
# How a file may be sent, the tighter first. Brotli's highest quality, 11, saves another
# tenth and takes five times as long.
_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": partial(brotli.compress, quality=9),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}
_PACKED: Final = ("text/", "image/svg+xml")


@dataclass(frozen=True)
class Asset:
    """One file as it is served: its bytes, their media type and their digest."""

    content: bytes
    media_type: str
    digest: str


def init_assets(app: Flask) -> None:
    """Serve `/assets/…` and give templates `asset(alias)` and `icon(name)`."""
    app.extensions["rapport_assets"] = {}
    app.add_url_rule("/assets/<digest>/<path:alias>", "assets", public(_serve))
    app.jinja_env.globals.update(asset=asset, icon=icon)


def asset(alias: str) -> str:
    """Give the address of a file; raises `NotFound` for an alias nobody declared."""
    return url_for("assets", digest=load(alias).digest, alias=alias)


def load(alias: str) -> Asset:
    """Read a file by its alias, once per process (each time while debugging).

    Raises `NotFound` if the table and the plugins know no such file.
    """
    known: dict[str, Asset] = current_app.extensions["rapport_assets"]
    found = known.get(alias)
    if found is None or current_app.debug:
        found = known[alias] = _read(alias)
    return found


def icon(name: str, size: int = 16) -> Markup:
    """Draw an icon as SVG, `size` pixels square, silent for screen readers.

    A name the set lacks raises `LookupError` in debug and tests; elsewhere the word
    beside it has to do.
    """
    drawn = _drawn(name, size, request.script_root if has_request_context() else None)
    if drawn is None:
        if current_app.debug or current_app.testing:
            raise LookupError(f"There is no icon {name!r}.")
        current_app.logger.error("There is no icon %r.", name)
        return Markup("")
    return drawn


@lru_cache(maxsize=512)
def _drawn(name: str, size: int, root: str | None) -> Markup | None:
    """Draw an icon for a page under `root`; in a mail, which is no page, under none."""
    shared = root is not None and name in _SHARED
    shape = _named(name) if shared else _shape(name)
    if shape is None:
        return None
    return Markup(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 16 16"'
        ' aria-hidden="true">{1}</svg>'
    ).format(size, shape)


def _named(name: str) -> Markup:
    return Markup('<use href="{}#{}"/>').format(asset("icons.svg"), name)


def _serve(digest: str, alias: str) -> Response:
    found = load(alias)
    response = _sent(found)
    if digest == found.digest:
        response.cache_control.public = True
        response.cache_control.max_age = YEAR
        response.cache_control.immutable = True
    else:
        # An older page, or the other half of a rolling update, asks: it gets what
        # there is, but must not keep it under a name that is not its own.
        response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def _sent(found: Asset) -> Response:
    """Answer with a file, packed in the tightest way that the browser takes."""
    takes = request.accept_encodings
    ways = _PACKERS if found.media_type.startswith(_PACKED) else ()
    way = next((one for one in ways if takes.quality(one) > 0), None)
    content = _packed(found.content, way) if way else found.content
    response = Response(content, content_type=found.media_type)
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{found.digest}-{way}" if way else found.digest)
    if way:
        response.content_encoding = way
    return response


@lru_cache(maxsize=256)
def _packed(content: bytes, way: str) -> bytes:
    return _PACKERS[way](content)


def _read(alias: str) -> Asset:
    content = _icons() if alias == "icons.svg" else _locate(alias).read_bytes()
    if alias == "bootstrap.css":
        content = _in_a_layer(content)
    media_type, _encoding = mimetypes.guess_type(alias)
    media_type = media_type or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Asset(content, media_type, hashlib.sha256(content).hexdigest()[:16])


def _locate(alias: str) -> Traversable:
    if alias in FILES:
        package, path = FILES[alias]
    else:
        package, path = _plugin_file(alias)
    found = resources.files(package).joinpath(*path.split("/"))
    if not found.is_file():
        raise NotFound
    return found


def _plugin_file(alias: str) -> tuple[str, str]:
    match = _PLUGIN_FILE.fullmatch(alias)
    if match is None or not _SAFE_PATH.fullmatch(match["path"]):
        raise NotFound
    plugin = current_app.extensions["rapport_pm"].get_plugin(match["name"])
    if plugin is None:
        raise NotFound
    return plugin.__name__.rpartition(".")[0], f"static/{match['path']}"


def _in_a_layer(css: bytes) -> bytes:
    # In a cascade layer Bootstrap is the ground that our own rules always win over,
    # so its hard-coded colours need neither `!important` nor longer selectors.
    # `@charset` must stand first in a file; its map is not served.
    css = css.removeprefix(b'@charset "UTF-8";')
    css = re.sub(rb"/\*# sourceMappingURL=.*?\*/\s*$", b"", css)
    return b"@layer bootstrap{" + css + b"}"


def _icons() -> bytes:
    drawn = (
        f'<symbol id="{name}" viewBox="0 0 16 16">{_shape(name)}</symbol>'
        for name in SHARED_ICONS
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}</svg>'.encode()


def _shape(name: str) -> Markup | None:
    # The sprite has 1.1 MB; only the few shapes that pages draw are kept.
    if not _ICON_NAME.fullmatch(name):
        return None
    sprite = resources.files("flask_bootstrap").joinpath(*ICONS.split("/"))
    _, found, rest = sprite.read_bytes().partition(f' id="{name}">'.encode())
    return Markup(rest.partition(b"</symbol>")[0].decode()) if found else None  # noqa: S704 - a file of ours
