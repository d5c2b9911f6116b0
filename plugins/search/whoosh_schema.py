"""How a record is laid out in a Whoosh index."""

from collections.abc import Iterator
from typing import Any

from plugins.search.backend import IndexDoc
from plugins.search.scoring import written
from plugins.search.whoosh_library import (
    COLUMN,
    ID,
    KEYWORD,
    STORED,
    TEXT,
    Analyzer,
    NumericColumn,
    Schema,
    Token,
)

#: Raise it whenever the fields or their meaning change: every index is then rebuilt.
SCHEMA_VERSION = "2"

#: Stands for the contact of a record without one.
NO_CONTACT = "-"


class PreparedTokens(Analyzer):  # type: ignore[misc]  # Whoosh has no types
    """Takes the tokens as they are; an empty one keeps its place and is not stored."""

    def __call__(
        self,
        value: str,
        positions: bool = False,
        start_pos: int = 0,
        **kwargs: Any,
    ) -> Iterator[Token]:
        """Yield one token object again and again, as Whoosh expects."""
        token = Token(positions=positions, **kwargs)
        for place, text in enumerate(value.split(" "), start_pos):
            if text:
                token.text = text
                token.boost = 1.0
                token.pos = place
                yield token


def make_schema() -> Schema:
    """Return the fields of an index; nothing is stored but what a hit carries."""
    tokens = PreparedTokens()
    return Schema(
        key=ID(unique=True, stored=True),
        type=ID(stored=True),
        vis=KEYWORD(),
        facet=KEYWORD(),
        contact=ID(stored=True),
        contact_no=COLUMN(NumericColumn("q")),
        updated=COLUMN(NumericColumn("q")),
        rev=STORED(),
        surf=TEXT(analyzer=tokens, phrase=True),
        stem=ID(analyzer=tokens),
        ident=ID(analyzer=tokens),
        edge=ID(analyzer=tokens),
    )


def to_fields(doc: IndexDoc) -> dict[str, Any]:
    """Return the fields of a record."""
    return {
        "key": doc.key,
        "type": doc.type,
        "vis": list(doc.visibility),
        "facet": list(doc.facets),
        "contact": NO_CONTACT if doc.contact_id is None else str(doc.contact_id),
        "contact_no": doc.contact_id or 0,
        "updated": doc.updated_at,
        "rev": doc.rev,
        "surf": written(doc.tokens),
        "stem": sorted(doc.tokens.stem),
        "ident": sorted(doc.tokens.ident),
        "edge": sorted(doc.tokens.edge),
    }
