import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.paper import make_pdf
from core.users.models import User
from plugins.documents import services
from plugins.documents.models import Document
from tests.plugins.documents.looking import find

PDF = make_pdf(["Price agreement 2026\nThe price per pallet is 310 euro.", "Notice."])

Keep = Callable[..., Document]
Send = Callable[..., Any]


@pytest.fixture
def keep(app: Any) -> Keep:
    """Keep a document as a service does, committed."""

    def keep(
        author: User,
        *,
        contact: Contact | None = None,
        content: bytes = PDF,
        filename: str = "Price agreement.pdf",
        audience: AudienceSpec | None = None,
        interaction: Interaction | None = None,
        **fields: Any,
    ) -> Document:
        with db.transaction() as session:
            document_id = services.upload_document(
                io.BytesIO(content),
                filename=filename,
                author=session.get_one(User, author.id),
                contact=session.get_one(Contact, contact.id) if contact else None,
                audience=audience or AudienceSpec("staff"),
                interaction=session.get_one(Interaction, interaction.id)
                if interaction
                else None,
                **fields,
            ).id
        return find(Document, document_id)

    return keep


@pytest.fixture
def send() -> Send:
    """Upload a file through the API, or through a page that `to` names."""

    def send(
        client: FlaskClient,
        content: bytes = PDF,
        filename: str = "Price agreement.pdf",
        *,
        to: str = "/api/v1/documents",
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> Any:
        parts = {"file": (io.BytesIO(content), filename)}
        return client.post(to, data=parts | fields, headers=headers)

    return send
