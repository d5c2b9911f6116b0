"""/api/v1/contacts/<id>/merge: merging and parting for programs."""

from typing import Any

from core.contacts import permissions
from core.contacts.lists import load_contact, sent
from core.contacts.merging import services
from core.contacts.merging.fields import OTHER, Choice, outcome, rows_of
from core.contacts.merging.parting import part
from core.contacts.merging.readers import marks_of, new_readers
from core.contacts.merging.schemas import (
    MergeArguments,
    MergeLookSchema,
    MergeSchema,
    PartSchema,
)
from core.contacts.schemas import ContactSchema
from core.errors import NotFound
from core.permissions import me, requires
from core.schemas import ApiBlueprint, check_version, etag_of

bp = ApiBlueprint(
    "merging_api", __name__, description="Merging contacts, and parting them again"
)


@bp.route("/contacts/<int:contact_id>/merge", methods=["GET"])
@requires(permissions.WRITE)
@bp.arguments(MergeArguments, location="query")
@bp.response(200, MergeLookSchema)
def look_at_merge(arguments: dict[str, Any], contact_id: int) -> Any:
    """Say what a merge would take, and who would come to see what by it."""
    kept = load_contact(me(), contact_id)
    gone = load_contact(me(), arguments["contact"])
    services.check_mergeable(kept, gone)
    readers = new_readers(kept, gone, outcome(kept, gone, Choice()), me())
    return {
        "fields": [
            {"field": one.name, "differs": one.differs, "take": one.side}
            for one in rows_of(kept, gone)
        ],
        "readers": [
            {
                "name": one.name,
                "outside": one.outside,
                "of": {"id": one.of_id, "name": one.of},
                "sees": one.sees,
            }
            for one in readers
        ],
        "marks": sorted(marks_of(readers)),
    }


@bp.route("/contacts/<int:contact_id>/merge", methods=["POST"])
@requires(permissions.WRITE)
@bp.arguments(MergeSchema)
@bp.response(200, ContactSchema)
def merge_contact(values: dict[str, Any], contact_id: int) -> Any:
    """Merge another contact into this one; needs `If-Match`."""
    kept = load_contact(me(), contact_id)
    check_version(kept)
    gone = load_contact(me(), values["contact"])
    sides = dict(values["take"])
    if "name" in values:
        sides["name"] = OTHER
    services.merge(
        kept,
        gone,
        actor=me(),
        choice=Choice(sides, values.get("name", "")),
        accepted=values["accepted"],
        versions={gone.id: values["version"]} if "version" in values else None,
    )
    return sent([kept], me())[0], 200, etag_of(kept)


@bp.route("/contacts/<int:contact_id>/part", methods=["POST"])
@requires(permissions.WRITE)
@bp.arguments(PartSchema)
@bp.response(200, ContactSchema)
def part_contact(values: dict[str, Any], contact_id: int) -> Any:
    """Part a contact again that was merged into this one; needs `If-Match`."""
    kept = load_contact(me(), contact_id)
    check_version(kept)
    gone = load_contact(me(), values["contact"], trashed=True)
    merge = services.standing_merge(gone)
    if merge is None or merge.kept_id != kept.id:
        raise NotFound
    part(merge)
    return sent([kept], me())[0], 200, etag_of(kept)
