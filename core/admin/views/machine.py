"""/admin/system: versions, disk and clock, to read or to send to support."""

import os
from typing import Any

from flask import Response, current_app, render_template

from core import migrate
from core.admin.permissions import SYSTEM
from core.admin.services import plugins, queue, system
from core.admin.views.blueprint import bp
from core.permissions import requires


def _facts() -> dict[str, Any]:
    app: Any = current_app
    return {
        "versions": system.versions(),
        "lineages": migrate.status(app),
        "disk": system.disk(app.config),
        "clock": system.clock(),
        "seen": queue.worker_seen(),
        "queues": queue.queues(),
        "pid": os.getpid(),
        "threads": app.config["THREADS"],
        "size": system.readable_size,
    }


@bp.get("/system")
@requires(SYSTEM)
def system_page() -> Any:
    """How this installation is."""
    facts = _facts()
    return render_template("core/admin/system.html", text=_text(facts), **facts)


@bp.get("/system.txt")
@requires(SYSTEM)
def system_text() -> Any:
    """The same as text, without anything personal, for a support request."""
    return Response(_text(_facts()), mimetype="text/plain")


def _text(facts: dict[str, Any]) -> str:
    """Write the facts for support: no names, addresses or contents of anybody."""
    app: Any = current_app
    lines = [f"{name} {number}" for name, number in facts["versions"].items()]
    for one in facts["lineages"]:
        state = "" if one.current == one.head else f" (code: {one.head})"
        lines.append(f"tables of {one.name}: {one.current}{state}")
    for one in plugins.plugin_states(app):
        state = "on" if one.on else "off"
        lines.append(
            f"plugin {one.name} {one.version} {state}: {one.rows} rows, "
            f"{one.waiting} waiting, {one.parked} parked"
        )
    disk = facts["disk"]
    lines.append(f"disk: {system.readable_size(disk.free)} free")
    lines += [f"{one.name}: {system.readable_size(one.size)}" for one in disk.parts]
    seen = facts["seen"]
    lines.append(f"worker seen: {seen.isoformat() if seen else 'never'}")
    clock = facts["clock"]
    lines.append(f"clock: {clock.server.isoformat()} {clock.zone}")
    return "\n".join(lines) + "\n"
