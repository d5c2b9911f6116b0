"""Settings: default, stored by an administrator, or pinned by the configuration."""

import pytest
from marshmallow import Schema, fields, validate

from core import settings
from core.config import load_config
from core.db import db
from core.errors import Invalid
from core.settings import Setting
from core.testing.plugins import INSTALLED, make_plugin


class ProbeSettings(Schema):
    size = fields.Integer(
        strict=True, load_default=10, validate=validate.Range(min=1, max=100)
    )
    word = fields.String(load_default="plain")
    rate = fields.Decimal(load_default="1.10", as_string=True)
    open = fields.Boolean(load_default=False)
    names = fields.List(fields.String(), load_default=list)


PROBE = make_plugin(register_settings=lambda: ProbeSettings)


@pytest.fixture
def app_plugins():
    return (("probe", PROBE),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


def save(**values):
    with db.transaction():
        settings.save("probe", values)


def test_without_a_word_the_default_holds(app):
    found = settings.get("probe")
    assert (found["size"], found["word"], found["open"]) == (10, "plain", False)


def test_what_is_stored_wins_over_the_default_in_every_process(app, make_app):
    other = make_app((("probe", PROBE),), PLUGINS_DISABLED=INSTALLED)
    for size in (10, 20):
        if size != 10:
            save(size=size)
        for one in (app, other):
            with one.app_context():
                assert settings.get("probe")["size"] == size


def test_what_the_configuration_pins_wins_over_what_is_stored(app, make_app):
    save(size=20, word="stored")
    other = make_app((("probe", PROBE),), PLUGINS_DISABLED=INSTALLED, PROBE_SIZE=30)
    with other.app_context():
        assert settings.get("probe")["size"] == 30
        assert settings.get("probe")["word"] == "stored"


def test_what_is_pinned_cannot_be_saved_and_nothing_beside_it_is(make_app):
    app = make_app((("probe", PROBE),), PLUGINS_DISABLED=INSTALLED, PROBE_SIZE=30)
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            save(size=20, word="new")
        assert list(refused.value.errors) == ["size"]
        assert "configuration" in str(refused.value.errors["size"][0])
        assert settings.get("probe")["word"] == "plain"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"size": 0}, "size"),
        ({"size": 101}, "size"),
        ({"size": "many"}, "size"),
        ({"size": 1.5}, "size"),
        ({"word": 7}, "word"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(app, values, field):
    with pytest.raises(Invalid) as refused:
        save(**values)
    assert list(refused.value.errors) == [field]
    with db.read_only() as session:
        assert session.query(Setting).count() == 0


def test_a_stored_value_that_is_no_longer_valid_gives_way_to_the_default(app):
    save(size=20, word="kept")
    with db.transaction() as session:
        session.get_one(Setting, "probe.size").value = 1000
        session.add(Setting(key="probe.gone", value=1))
    with app.app_context():
        found = settings.get("probe")
        assert (found["size"], found["word"]) == (10, "kept")


def test_plugins_whose_names_begin_alike_do_not_share_settings(make_app):
    other = make_plugin(register_settings=lambda: ProbeSettings)
    plugins = (("probe", PROBE), ("probe_x", other))
    app = make_app(plugins, PLUGINS_DISABLED=INSTALLED)
    with app.app_context():
        save(size=20)
        assert settings.get("probe_x")["size"] == 10


def test_settings_are_read_once_per_request(app, count_queries):
    with app.app_context(), count_queries() as statements:
        for _ in range(3):
            settings.get("probe")
    assert statements.count == 1


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("size", "30", 30),
        ("word", "30", "30"),
        ("word", "[a]", "[a]"),
        ("rate", "1.15", "1.15"),
        ("open", "true", True),
        ("open", "yes", True),
        ("names", '["a", "b"]', ["a", "b"]),
    ],
)
def test_a_variable_pins_a_setting_of_any_type(
    make_app, monkeypatch, field, text, value
):
    monkeypatch.setenv(f"RAPPORT_PROBE_{field.upper()}", text)
    app = make_app((("probe", PROBE),), PLUGINS_DISABLED=INSTALLED)
    with app.app_context():
        found = settings.get("probe")[field]
    assert (str(found) if field == "rate" else found) == value


def test_a_real_setting_can_be_pinned_by_its_variable(make_app, monkeypatch):
    monkeypatch.setenv("RAPPORT_DOCUMENTS_MAX_UPLOAD", "5000")
    with make_app().app_context():
        assert settings.get("documents")["max_upload"] == 5000


@pytest.mark.parametrize("text", ["many", "0", "1.5", ""])
def test_a_wrong_variable_stops_the_start_and_is_named(make_app, monkeypatch, text):
    monkeypatch.setenv("RAPPORT_PROBE_SIZE", text)
    with pytest.raises(ValueError, match=r"^PROBE_SIZE in the configuration: "):
        make_app((("probe", PROBE),), PLUGINS_DISABLED=INSTALLED)


# -- The configuration of a deployment ----------------------------------------------


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(
    tmp_path, monkeypatch
):
    (tmp_path / "config.py").write_text("HOUSE_NAME = 'File'\nTHREADS = 5\nlow = 1\n")
    monkeypatch.setenv("RAPPORT_THREADS", "7")
    found = load_config(tmp_path)
    assert (found["HOUSE_NAME"], found["THREADS"], found["CURRENCY"]) == (
        "File",
        7,
        None,
    )
    assert "low" not in found


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("TRUSTED_HOSTS", "crm.example, crm2.example", ["crm.example", "crm2.example"]),
        ("TRUSTED_HOSTS", '["crm.example"]', ["crm.example"]),
        ("SESSION_COOKIE_SECURE", "True", True),
        ("SESSION_COOKIE_SECURE", "0", False),
        ("SESSION_DAYS", "3", 3),
    ],
)
def test_a_variable_is_read_as_its_default_s_type(
    tmp_path, monkeypatch, key, text, value
):
    monkeypatch.setenv(f"RAPPORT_{key}", text)
    assert load_config(tmp_path)[key] == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("SESSION_DAYS", "a month"),
        ("SESSION_DAYS", "-1"),
        ("SESSION_COOKIE_SECURE", "ture"),
        ("TRUSTED_HOSTS", "[crm.example"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(tmp_path, monkeypatch, key, text):
    monkeypatch.setenv(f"RAPPORT_{key}", text)
    with pytest.raises(ValueError, match=f"^RAPPORT_{key} must be "):
        load_config(tmp_path)


def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path):
    (tmp_path / "config.py").write_text("THREADS = 5\nHOUSE_NAME = (\n")
    with pytest.raises(ValueError, match=r"config\.py, line 2: "):
        load_config(tmp_path)
