"""A contact as a card (vCard 3.0), which address books and telephones read."""

from typing import Any

import vobject

from core.imports import Row


def vcard_of(row: Row) -> str:
    """Write the card of a contact's row."""
    card = vobject.vCard()
    card.add("fn").value = row["name"] or "?"
    if row["kind"] == "person":
        family, given = row.get("family_name", ""), row.get("given_name", "")
        card.add("n").value = vobject.vcard.Name(family=family, given=given)
    else:
        card.add("n").value = vobject.vcard.Name(family=row["name"])
        card.add("x-abshowas").value = "COMPANY"
    organisation = row["name"] if row["kind"] != "person" else row.get("organisation")
    if organisation:
        card.add("org").value = [organisation]
    for name, field in (("title", "job_title"), ("url", "website")):
        if row.get(field):
            card.add(name).value = row[field]
    if row.get("tags"):
        card.add("categories").value = list(row["tags"])
    for one in row.get("emails", ()):
        _typed(card.add("email"), one["address"], one.get("label"))
    for one in row.get("phones", ()):
        _typed(card.add("tel"), one["number"], one.get("label"))
    for one in row.get("addresses", ()):
        card.add("adr").value = vobject.vcard.Address(
            street=one.get("street", ""),
            city=one.get("city", ""),
            region=one.get("region", ""),
            code=one.get("postcode", ""),
            country=one.get("country", ""),
        )
    return str(card.serialize())


def _typed(line: Any, value: str, label: str | None) -> None:
    line.value = value
    # A parameter takes no text of people's own: what is no plain word is left out.
    if label and label.isascii() and label.isalpha():
        line.type_param = label.upper()
