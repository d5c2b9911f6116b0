"""How a record is laid out in PostgreSQL.

Every index has tables of its own, so that one is filled in peace, indexed once it is
full, and dropped in an instant. What it holds of a record is one `tsvector` of the
tokens of all fields, each with the letter of its field before it. The place that a
`tsvector` notes for a token is how often the text has it: a vector knows 16,383 places
and 256 of one token, which is too little for where they are. Phrases are looked for in
the text itself.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from plugins.search.backend import (
    DocumentRefused,
    FieldName,
    IndexDoc,
    IndexOp,
)
from plugins.search.scoring import written

#: Raise it whenever the columns or their meaning change: every index is then rebuilt.
SCHEMA_VERSION = "1"
#: The tables have a schema of their own, apart from what is backed up and migrated.
SCHEMA = "rapport_search"

# The longest token, in bytes, and the largest number, that a vector takes.
_LONGEST, _MOST = 2_000, 16_383
# A vector holds a megabyte of tokens and places; what is over goes beside it. Each
# token takes some bytes for its place.
_ROOM, _PLACE = 1_000_000, 5
_PREFIXES: dict[FieldName, str] = {"surf": "w", "stem": "s", "ident": "i", "edge": "e"}

_metadata = sa.MetaData(schema=SCHEMA)

#: The indexes there are: one is current, another may be being built. `words` is how
#: many all texts have together, `long` how many records have tokens beside the vector.
VERSIONS = sa.Table(
    "index_version",
    _metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("schema_version", sa.Text, nullable=False),
    sa.Column("analysis_version", sa.Text, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("documents", sa.BigInteger, nullable=False),
    sa.Column("words", sa.BigInteger, nullable=False),
    sa.Column("long", sa.BigInteger, nullable=False),
)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("type", sa.Text),
        sa.Column("labels", ARRAY(sa.Text)),
        sa.Column("contact_id", sa.BigInteger),
        sa.Column("updated_at", sa.BigInteger),
        sa.Column("rev", sa.BigInteger),
        sa.Column("facets", ARRAY(sa.Text)),
        sa.Column("length", sa.BigInteger),
        sa.Column("words", TSVECTOR),
        sa.Column("rest", ARRAY(sa.Text)),
        sa.Column("text", sa.Text),
    ]


#: Changes on their way into an index; one without a type deletes its key.
CHANGES = sa.Table("change", _metadata, *_columns())
#: What is written of a record; its number is given by the database.
COLUMNS = [one.name for one in CHANGES.columns if one.name != "number"]

Row = dict[str, Any]


@dataclass(frozen=True)
class IndexTables:
    """The tables of one index: its records, and how many of them have each token."""

    records: sa.Table
    tokens: sa.Table


@lru_cache(maxsize=16)
def tables_of(index: int) -> IndexTables:
    """Give the tables of an index by its number."""
    metadata = sa.MetaData(schema=SCHEMA)
    return IndexTables(
        sa.Table(f"record_{index}", metadata, *_columns()),
        sa.Table(
            f"token_{index}",
            metadata,
            sa.Column("token", sa.Text(collation="C"), primary_key=True),
            sa.Column("documents", sa.BigInteger, nullable=False),
            # Room for the new number beside the old, so that no index is touched.
            postgresql_with={"fillfactor": 70},
        ),
    )


def indexes_of(index: int) -> list[str]:
    """Say how the columns that are searched by are indexed, once the table is full."""
    ways = {
        "words": "gin (words)",
        "rest": "gin (rest)",
        "labels": "gin (labels)",
        "facets": "gin (facets)",
        "contact": "btree (contact_id)",
        "updated": "btree (updated_at)",
    }
    return [
        f"CREATE INDEX record_{index}_{name} ON {SCHEMA}.record_{index} USING {way}"
        for name, way in ways.items()
    ]


def sqlstate(error: sa.exc.DBAPIError) -> str | None:
    """Give PostgreSQL's code of an error."""
    found: str | None = getattr(error.orig, "sqlstate", None)
    return found


def lexeme(field: FieldName, token: str) -> str:
    """Write a token of a field as the vector has it."""
    return _PREFIXES[field] + token


def quoted(lexeme: str) -> str:
    """Write a lexeme in a vector or a query."""
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def row_of(op: IndexOp) -> Row:
    """Give the row of a change; raises DocumentRefused when it cannot be written."""
    deleted: Row = dict.fromkeys(COLUMNS) | {"key": op.key}
    row = deleted if op.doc is None else _row(op.doc)
    for value in row.values():
        for text in [value] if isinstance(value, str) else _texts(value):
            # Half characters and the null character cannot be in a database.
            if "\0" in text or not _is_sound(text):
                raise DocumentRefused(op.key)
    return row


def _texts(value: object) -> Iterable[str]:
    return value if isinstance(value, list) else ()


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(doc: IndexDoc) -> Row:
    text = written(doc.tokens)
    times = Counter(lexeme("surf", token) for token in text.split(" ") if token)
    length = times.total()
    sets: dict[FieldName, Collection[str]] = {
        "ident": doc.tokens.ident,
        "edge": doc.tokens.edge,
        "stem": doc.tokens.stem,
    }
    for name, tokens in sets.items():
        times.update(lexeme(name, token) for token in tokens if token)
    words, rest = _vector(doc.key, times)
    return {
        "key": doc.key,
        "type": doc.type,
        "labels": list(doc.visibility),
        "contact_id": doc.contact_id,
        "updated_at": doc.updated_at,
        "rev": doc.rev,
        "facets": list(doc.facets),
        "length": length,
        "words": words,
        "rest": rest,
        "text": f" {text} ",
    }


def _vector(key: str, times: Counter[str]) -> tuple[str, list[str]]:
    """Write the vector, and what finds no room in it: rather what is said once."""
    room, inside, rest = _ROOM, list[str](), list[str]()
    for token, number in times.most_common():
        size = len(token.encode("utf-8", "replace"))
        if size > _LONGEST:
            raise DocumentRefused(key)
        room -= size + _PLACE
        if room < 0:
            rest.append(token)
        else:
            inside.append(f"{quoted(token)}:{min(number, _MOST)}")
    return " ".join(inside), rest
