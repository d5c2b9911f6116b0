"""Names of uploaded files: what strangers send, made fit to keep and to give back."""

import mimetypes
import re
import unicodedata
from pathlib import PurePosixPath

from plugins.documents.models import FILENAME_LENGTH, TITLE_LENGTH

# What Windows refuses in a name; a colon also opens hidden streams there.
_REFUSED = re.compile(r'[<>:"|?*]')
# Names that mean a device on Windows, whatever follows the dot (Microsoft, "Naming
# Files, Paths, and Namespaces").
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
# Control and format characters, half characters and line ends: a mark that turns
# the writing round makes "exe.fdp" look like "pdf.exe".
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LONGEST_SUFFIX = 20
# Most file systems take 255 bytes.
_MOST_BYTES = 240


def clean_filename(name: str | None) -> str:
    """Give the last part of `name` without what hides, misleads or cannot be saved."""
    last = re.split(r"[/\\]", name or "")[-1]
    seen = "".join(
        one
        for one in unicodedata.normalize("NFC", last)
        if unicodedata.category(one) not in _UNSEEN
    )
    plain = _REFUSED.sub("_", " ".join(seen.split())).strip(" .")
    if _DEVICE.match(plain):
        plain = f"_{plain}"
    return _shortened(plain) or "file"


def _shortened(name: str) -> str:
    """Cut a long name before its suffix."""
    suffix = PurePosixPath(name).suffix
    if len(suffix) > _LONGEST_SUFFIX:
        suffix = ""
    stem = name.removesuffix(suffix)[: FILENAME_LENGTH - len(suffix)]
    while len(f"{stem}{suffix}".encode()) > _MOST_BYTES:
        stem = stem[:-1]
    return f"{stem.rstrip(' .')}{suffix}"


def media_type_of(filename: str) -> str:
    """Say by its name what a file is; what the sender claims is not believed."""
    found, encoding = mimetypes.guess_type(filename, strict=True)
    if found is None or encoding is not None or len(found) > 100:
        return "application/octet-stream"
    return found


def title_of(filename: str) -> str:
    """Make a title of a file's name: without its ending and its underscores."""
    stem = PurePosixPath(filename).stem.replace("_", " ").strip()
    return (stem or filename)[:TITLE_LENGTH]
