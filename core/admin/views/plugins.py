"""/admin/plugins: which plugins are here, and how they are."""

from typing import Any

from flask import current_app, render_template

from core.admin.permissions import SYSTEM
from core.admin.services.plugins import plugin_states
from core.admin.views.blueprint import bp
from core.permissions import requires


@bp.get("/plugins")
@requires(SYSTEM)
def plugins() -> Any:
    """Every installed plugin: on or off, healthy or not, what it keeps."""
    app: Any = current_app
    return render_template("core/admin/plugins.html", plugins=plugin_states(app))
