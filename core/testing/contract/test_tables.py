"""Point 5: migrations, on an empty and on a filled database."""

from core import migrate
from core.db import db
from core.plugin_life import put_back, remove_plugin
from core.testing.contract.looking import fill, row_counts
from core.testing.contract.points import nothing_wrong, point

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]


def _differences(app, plugin):
    return [f"the tables differ: {one}" for one in migrate.differences(app, plugin)]


@point(5)
def test_migrations_lead_to_the_models_and_back_and_leave_core_alone(app, plugin):
    nothing_wrong(_differences(app, plugin))
    before = row_counts(plugin)
    migrate.downgrade(app, plugin)
    left = {one for one in row_counts() if one.startswith(f"{plugin}_")}
    nothing_wrong(f"{one} is left at base" for one in sorted(left))
    assert row_counts(plugin) == before
    migrate.upgrade(app, plugin)
    nothing_wrong(_differences(app, plugin))


@point(5)
def test_each_step_of_the_migrations_keeps_the_rows_of_others(demo_app, plugin):
    fill(plugin)
    before = row_counts(plugin)
    lineage = migrate.lineage_of(demo_app, plugin)
    script = lineage.script
    steps = [one.revision for one in script.walk_revisions()] if script else []
    for target in [*steps[1:], "base"] if steps else ():
        migrate.downgrade(demo_app, plugin, target)
        lost = [k for k, v in row_counts(plugin).items() if before[k] != v]
        nothing_wrong(f"going back to {target} changes rows of {one}" for one in lost)
    migrate.upgrade(demo_app, plugin)
    nothing_wrong(_differences(demo_app, plugin))
    assert row_counts(plugin) == before


@point(5)
def test_a_removed_plugin_comes_back_with_every_row(demo_app, plugin):
    fill(plugin)
    before = {k: v for k, v in row_counts().items() if k.startswith(f"{plugin}_")}
    db.session.close()
    gone = remove_plugin(demo_app, plugin)
    put_back(demo_app, gone.archive)
    after = {k: v for k, v in row_counts().items() if k.startswith(f"{plugin}_")}
    assert after == before
