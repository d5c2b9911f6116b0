"""The papers of the demo company: contracts, price lists and plans, with their text."""

import io
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.demo import Demo
from core.paper import make_docx, make_pdf
from core.readers import choose_audience
from core.users.models import User
from plugins.documents.models import Document
from plugins.documents.services import add_version, upload_document

_DATA = Path(__file__).parent / "data"
_FILES = ("demo", "papers")
_PAGE = "\n---\n"


def load(demo: Demo) -> None:
    """Keep what the data files name, each version on its day, the oldest first."""
    papers = [
        one
        for name in _FILES
        for one in tomllib.loads((_DATA / f"{name}.toml").read_text("utf-8"))[
            "documents"
        ]
    ]
    for said in sorted(papers, key=lambda one: one["versions"][0]["day"]):
        contact = demo.contacts.get(said.get("contact", ""))
        if contact is not None or "contact" not in said:
            with demo.acting(said["by"]):
                _keep(demo, said, contact)


def _keep(demo: Demo, said: Mapping[str, Any], contact: Contact | None) -> None:
    author = demo.users[said["by"]]
    first, *more = said["versions"]
    document = upload_document(
        _paper(first),
        filename=first["file"],
        author=author,
        contact=contact,
        title=said["title"],
        audience=_audience(said["audience"], author, contact),
    )
    _date(document, demo.day(first["day"]))
    document.created_at = demo.day(first["day"])
    for one in more:
        add_version(document, _paper(one), filename=one["file"], actor=author)
        _date(document, demo.day(one["day"]))
    db.session.flush()


def _date(document: Document, moment: datetime) -> None:
    """Let the newest version have come at `moment`."""
    document.versions[0].created_at = moment
    document.updated_at = moment


def _audience(said: Any, author: User, contact: Contact | None) -> AudienceSpec:
    if isinstance(said, list):
        return choose_audience(author, "teams", teams=said)
    return choose_audience(author, said, contact=contact)


def _paper(said: Mapping[str, Any]) -> io.BytesIO:
    text = said["text"].strip()
    if said["form"] == "docx":
        return io.BytesIO(make_docx(text.split("\n")))
    return io.BytesIO(make_pdf(text.split(_PAGE)))
