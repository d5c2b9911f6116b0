"""The ways in which an identifier is found: whole, by a part, by its beginning."""

from plugins.search.analysis import EDGE_MAX, EDGE_MIN
from plugins.search.backend import Clause
from plugins.search.tokenising import Token


def identifier_clauses(forms: set[str]) -> list[Clause]:
    """Return the ways in which an identifier, or half of one, is found."""
    clauses: list[Clause] = []
    for form in sorted(forms):
        clauses += [Clause("ident", (form,), 3.0), Clause("stem", (form,), 0.8)]
        if form.isdigit() and len(form) >= 4:
            clauses.append(Clause("ident", ("~" + form,), 1.5))
            clauses.append(Clause("stem", ("~" + form,), 0.6))
        if EDGE_MIN <= len(form) <= EDGE_MAX:
            clauses.append(Clause("edge", (form,)))
    return clauses


def beginnings(token: Token, wanted: set[str], parts: tuple[str, ...]) -> list[Clause]:
    """Return how an identifier is found that is longer than a kept beginning.

    The parts of an address stand together; a code is found by as much as is kept.
    """
    if token.kind == "email":
        known = tuple(part[:EDGE_MAX] for part in parts if len(part) >= EDGE_MIN)
        return [Clause("edge", known, 0.5, "all")] if known else []
    return [
        Clause("edge", (form[:EDGE_MAX],), 0.5)
        for form in sorted(wanted)
        if len(form) > EDGE_MAX
    ]
