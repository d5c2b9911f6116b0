"""Taking a plugin out and putting it back: what goes, where it is kept, how it returns.

`plan_removal(app, name)` says what would go; `remove_plugin(app, name)` archives it and
takes it away; `put_back(app, archive)` returns it. `turn_off` and `turn_on` leave all
data where it is. Each needs an application in which the plugin is on, but `turn_*`.
"""

from core.plugin_life.planning import Plan, plan_removal
from core.plugin_life.removing import Removed, remove_plugin
from core.plugin_life.returning import Returned, archives_of, put_back
from core.plugin_life.switch import turn_off, turn_on

__all__ = [
    "Plan",
    "Removed",
    "Returned",
    "archives_of",
    "plan_removal",
    "put_back",
    "remove_plugin",
    "turn_off",
    "turn_on",
]
