"""A record that cannot be indexed is left out and named; all others are found."""

import pytest

from core.permissions import Permission
from core.records import RecordType, SearchDocument
from core.testing.factories import make_contact, make_user
from core.testing.plugins import make_plugin
from core.users.models import Team

READ = Permission("teams:read", "Read teams")


def document(team):
    if team.name == "Cursed":
        raise KeyError(team.name)
    return SearchDocument(title=team.name)


@pytest.fixture
def house(make_app):
    """A house in which a plugin has teams searched, and one of them fails."""
    kind = RecordType(
        Team, "Team", "people", READ, lambda one: one.name, lambda *_: "/x", document
    )
    plugin = make_plugin(
        register_permissions=lambda: [READ], register_records=lambda: [kind]
    )
    app = make_app((("teams", plugin),))
    with app.app_context():
        make_contact("Kallion Vesijohto Oy")
        make_user("Anna Laine", teams=("Before", "Cursed", "Behind"))
        yield app


def test_a_record_that_cannot_be_indexed_leaves_the_rest_of_the_index_whole(
    house, caplog
):
    command = house.extensions["rapport_commands"]["search"]
    built = house.test_cli_runner().invoke(command, ["rebuild"])
    assert built.exit_code == 0, built.output
    assert "1 could not be indexed: team/" in built.stderr
    assert "KeyError: 'Cursed'" in caplog.text
    counts = house.extensions["search_backend"].stats().counts
    assert (counts["team"], counts["contact"]) == (2, 1)
