"""What `rapport plugin new NAME` writes: a small plugin that works and passes.

The files lie in `files/` as `*.tmpl`; `@name@`, `@package@`, `@Name@`, `@words@` and
`@title@` stand for the new plugin's own names, in the text and in the files' names.
"""

import keyword
import re
from importlib.metadata import entry_points
from pathlib import Path

from core import __version__

FILES = Path(__file__).parent / "files"
MOST = 20
# Names that Rapport itself has, in addresses, tables, templates or permissions.
TAKEN = {
    "access", "admin", "affiliation", "api", "app", "assets", "audience", "audit",
    "basket", "contact", "contacts", "core", "day", "delivery", "demo", "doctor",
    "event", "events", "export", "healthz", "import", "imports", "init", "interaction",
    "interactions", "job", "jobs", "link", "live", "mail", "me", "metrics",
    "notifications", "orders", "palette", "plugin", "plugins", "products", "readyz",
    "record", "records", "role", "roles", "run", "session", "setting", "settings",
    "setup", "static", "tests", "tickets", "token", "user", "users", "worker",
}  # fmt: skip


class ScaffoldError(ValueError):
    """The plugin cannot be made under this name or at this place; says why."""


def write_plugin(name: str, *, into: Path, package: str | None = None) -> Path:
    """Write an installable plugin `name` into a new folder below `into`; give it.

    `package` is its import name, `rapport_NAME` by default. Raises `ScaffoldError`.
    """
    package = package or f"rapport_{name}"
    check_name(name)
    _check_package(package)
    folder = into.expanduser().resolve() / package.replace("_", "-")
    if folder.exists():
        raise ScaffoldError(f"{folder} is there already; nothing was written")
    names = words_for(name, package)
    for source in sorted(FILES.rglob("*.tmpl")):
        relative = source.relative_to(FILES).as_posix().removesuffix(".tmpl")
        target = folder / _filled(relative, names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(source.read_text("utf-8"), names), "utf-8")
    return folder


def check_name(name: str) -> None:
    """Refuse what cannot be a plugin's one name; raises `ScaffoldError`."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ScaffoldError(
            f"{name!r} cannot be a plugin's name: use small letters, digits and _, "
            "beginning with a letter, as in site_visits"
        )
    if len(name) > MOST:
        raise ScaffoldError(f"{name!r} is too long: at most {MOST} characters")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ScaffoldError(f"{name!r} is a word of Python: choose another name")
    if name in TAKEN or name.endswith("_api"):
        raise ScaffoldError(f"{name!r} is a name of Rapport itself: choose another")
    if name in {point.name for point in entry_points(group="rapport.plugins")}:
        raise ScaffoldError(f"a plugin {name!r} is installed: choose another name")


def _check_package(package: str) -> None:
    sound = re.fullmatch(r"[a-z][a-z0-9_]*", package)
    if not sound or keyword.iskeyword(package) or package in {"core", "plugins"}:
        raise ScaffoldError(
            f"{package!r} cannot be a package's name: use small letters, digits and _"
        )


def words_for(name: str, package: str) -> dict[str, str]:
    """Say what stands for what in the files."""
    words = name.replace("_", " ")
    return {
        "name": name,
        "package": package,
        "Name": "".join(part.capitalize() for part in name.split("_")),
        "words": words,
        "Words": words.capitalize(),
        "address": name.replace("_", "-"),
        "distribution": package.replace("_", "-"),
        "core": __version__,
    }


def _filled(text: str, names: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda found: names[found[1]], text)
