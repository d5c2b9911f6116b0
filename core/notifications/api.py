"""/api/v1/notifications: one's own lines, and marking them read."""

from typing import Any

from core.notifications import services
from core.notifications.models import Notification
from core.notifications.schemas import (
    NotificationArguments,
    NotificationSchema,
    ReadSchema,
)
from core.notifications.services import Line
from core.permissions import me, signed_in
from core.schemas import ApiBlueprint, keyset_page, next_link, page_schema

bp = ApiBlueprint("notifications_api", __name__, description="What one should know of")


def _sent(line: Line) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.id,
        "kind": row.kind,
        "text": row.text,
        "ref": row.ref or None,
        "url": line.url,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }


@bp.route("/notifications", methods=["GET"])
@signed_in
@bp.arguments(NotificationArguments, location="query")
@bp.response(200, page_schema(NotificationSchema))
def list_notifications(arguments: dict[str, Any]) -> Any:
    """List one's own notifications, the latest first."""
    query = services.seen_by(me())
    if arguments["unread"]:
        query = query.where(Notification.read_at.is_(None))
    page = keyset_page(
        query,
        [Notification.created_at, Notification.id],
        cursor=arguments["cursor"],
        limit=arguments["limit"],
        descending=True,
    )
    items = [_sent(one) for one in services.lines(page.items, me())]
    return {"items": items, "next": page.next}, 200, next_link(page)


@bp.route("/notifications/<int:notification_id>", methods=["PATCH"])
@signed_in
@bp.arguments(ReadSchema)
@bp.response(200, NotificationSchema)
def change_notification(changes: dict[str, Any], notification_id: int) -> Any:
    """Mark one of one's own notifications read, or new again."""
    row = services.load_notification(me(), notification_id)
    services.mark_read(me(), row, read=changes["read"])
    return _sent(services.lines([row], me())[0])
