"""/admin/settings: the house, its logo and colour, and every plugin's settings."""

import io
import struct
import zlib
from datetime import timedelta

import pytest
import sqlalchemy as sa
from marshmallow import Schema, fields, validate

from core import settings
from core.colours import contrast, darkened_enough
from core.db import db
from core.events import Event
from core.testing.factories import make_contact, make_user
from core.testing.plugins import make_plugin

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h4"/></svg>'


class ProbeSettings(Schema):
    size = fields.Integer(
        strict=True, load_default=10, validate=validate.Range(min=1, max=100)
    )
    open = fields.Boolean(load_default=True)
    look = fields.String(
        load_default="plain", validate=validate.OneOf(["plain", "fancy"])
    )
    words = fields.List(fields.String(), load_default=list)
    rate = fields.Decimal(load_default="1.10", as_string=True)
    wait = fields.TimeDelta(load_default=timedelta(seconds=60))
    key = fields.String(load_default="", load_only=True)


@pytest.fixture
def app_plugins():
    return (("probe", make_plugin(register_settings=lambda: ProbeSettings)),)


@pytest.fixture
def browser(as_user, app):
    return as_user(make_user("Ad Min", roles=("admin",)))


def png(width=2, height=2):
    def chunk(kind, data):
        size, crc = struct.pack(">I", len(data)), zlib.crc32(kind + data)
        return size + kind + data + struct.pack(">I", crc)

    rows = zlib.compress(b"".join(b"\0" + b"\xff" * 3 * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HOUSE = {
    "name": "Rapport",
    "brand": "",
    "currency": "EUR",
    "language": "en",
    "timezone": "UTC",
    "open_days": ["1", "2", "3", "4", "5"],
    "opens": "09:00",
    "closes": "17:00",
}


def save_house(browser, **changes):
    return browser.post("/admin/settings/house", data={**HOUSE, **changes})


def test_the_house_has_the_name_it_is_given_on_every_page(browser, client):
    assert "· Rapport</title>" in client.get("/sign-in").text
    assert save_house(browser, name="Lehto Supply").status_code == 303
    assert "· Lehto Supply</title>" in client.get("/sign-in").text


@pytest.mark.parametrize(
    ("field", "wrong", "good"),
    [
        ("name", "", "Lehto"),
        ("currency", "XXZ", "CNY"),
        ("language", "tlh", "zh"),
        ("timezone", "Moon/Base", "Asia/Shanghai"),
        ("opens", "25:00", "08:30"),
        ("open_days", [], ["1", "6"]),
        ("brand", "green", "#0E6655"),
    ],
)
def test_a_wrong_setting_is_refused_beside_its_field(browser, field, wrong, good):
    refused = save_house(browser, **{field: wrong})
    assert refused.status_code == 422
    assert "field-error" in refused.text
    with browser.application.app_context():
        before = settings.get("house")[field]
    assert save_house(browser, **{field: good}).status_code == 303
    with browser.application.app_context():
        assert settings.get("house")[field] != before


def test_a_pale_brand_colour_is_refused_with_the_shade_that_works(browser):
    refused = save_house(browser, brand="#33CC99")
    shade = darkened_enough("#33CC99")
    assert refused.status_code == 422
    assert shade in refused.text
    assert contrast(shade, "#FFFFFF") >= 4.5
    assert save_house(browser, brand=shade).status_code == 303
    assert f'data-brand="{shade}"' in browser.get("/").text


def test_the_currency_is_that_of_every_price_from_then_on(browser, api):
    user = make_user("Anna", roles=("admin",))
    product = {"sku": "KV-1", "name": "Pipe", "price": "12.50"}
    assert save_house(browser, currency="CNY").status_code == 303
    answer = api(user).post("/api/v1/products", json=product)
    assert answer.status_code == 201, answer.json
    assert answer.json["price"] == {"amount": "12.50", "currency": "CNY"}


def test_customers_read_the_business_hours(browser, as_user):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    outi = as_user(make_user("Outi", kind="customer", contact=firm))
    save_house(browser, open_days=["1", "2", "3", "6"], opens="08:00")
    page = outi.get("/", follow_redirects=True).text
    assert "Mon–Wed, Sat 8:00" in page.replace("\u202f", " ")


def test_what_the_configuration_pins_is_shown_and_cannot_be_changed(
    make_app, sign_in_to
):
    app = make_app(HOUSE_NAME="Pinned Ltd", CURRENCY="USD")
    with app.app_context():
        browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
        page = browser.get("/admin/settings/house").text
        assert "Set in the configuration of the server" in page
        assert 'name="currency"' not in page
        save_house(browser, name="Mine", currency="EUR")
        assert "· Pinned Ltd</title>" in browser.get("/admin/settings/house").text
    with app.app_context():
        assert settings.get("house")["currency"] == "USD"


# -- The logo -------------------------------------------------------------------------


def send_logo(browser, content):
    data = {"logo": (io.BytesIO(content), "logo")}
    return browser.post("/admin/settings/house/logo", data=data)


@pytest.mark.parametrize(
    ("content", "kind"), [(png(), "image/png"), (SVG, "image/svg+xml")]
)
def test_a_logo_is_taken_shown_to_everybody_and_removed(browser, client, content, kind):
    assert send_logo(browser, content).status_code == 303
    page = client.get("/sign-in").text
    address = "/admin/logo/" + page.partition("/admin/logo/")[2].partition('"')[0]
    shown = client.get(address)
    assert (shown.data, shown.mimetype) == (content, kind)
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert browser.post("/admin/settings/house/logo/remove").status_code == 303
    assert "/admin/logo/" not in client.get("/sign-in").text
    assert client.get(address).status_code == 404


def svg(inside):
    return SVG.replace(b'<path d="M0 0h4"/>', inside)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"hello",
        png()[:-20],
        png(5000, 1),
        b"\x89PNG\r\n\x1a\n",
        SVG + b" " * 300_000,
        SVG.decode().encode("utf-16"),
        svg(b"<script>alert(1)</script>"),
        svg(b"<foreignObject/>"),
        svg(b'<g onclick="alert(1)"/>'),
        svg(b'<use href="https://evil.example/x.svg#a"/>'),
        svg(b'<use xmlns:l="http://www.w3.org/1999/xlink" l:href="data:x"/>'),
        svg(b'<image href="https://evil.example/x.png"/>'),
        svg(b"<style>@import 'https://evil.example/x.css'</style>"),
        svg(b"<style>*{fill:url(https://evil.example/x)}</style>"),
        svg(b'<g fill="url(https://evil.example/x)"/>'),
        svg(b'<a xmlns:x="http://www.w3.org/1999/xlink"/>'),
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG,
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
    ],
)
def test_a_picture_that_could_do_harm_is_refused_with_the_reason(browser, content):
    refused = send_logo(browser, content)
    assert refused.status_code == 422
    assert "field-error" in refused.text
    harmless = svg(b'<g fill="url(#a)"><use href="#b"/></g>')
    assert send_logo(browser, harmless).status_code == 303


# -- Forms drawn from schemas ---------------------------------------------------------

PROBE = {
    "size": "10",
    "open": "1",
    "look": "plain",
    "words": "",
    "rate": "1.10",
    "wait": "60",
    "key": "",
}


def save_probe(browser, **changes):
    form = {k: v for k, v in {**PROBE, **changes}.items() if v is not None}
    return browser.post("/admin/settings/probe", data=form)


def probe(browser):
    with browser.application.app_context():
        return settings.get("probe")


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("size", "20", "20"),
        ("open", None, "False"),
        ("look", "fancy", "fancy"),
        ("words", "a\r\n\r\nb c\r\n", "['a', 'b c']"),
        ("rate", "1.15", "1.15"),
        ("wait", "90", "0:01:30"),
        ("key", "s3cret", "s3cret"),
    ],
)
def test_every_kind_of_setting_is_drawn_saved_and_reset(browser, field, typed, value):
    before = probe(browser)[field]
    assert save_probe(browser, **{field: typed}).status_code == 303
    assert str(probe(browser)[field]) == value
    with db.read_only() as session:
        (told,) = session.scalars(
            sa.select(Event).where(Event.type == "setting.changed")
        )
    assert told.data["fields"] == [field]
    assert told.actor_id is not None
    assert browser.post(f"/admin/settings/probe/reset/{field}").status_code == 303
    assert probe(browser)[field] == before


def test_a_secret_is_never_shown_nor_written_down(browser):
    assert save_probe(browser, key="s3cret").status_code == 303
    assert "s3cret" not in browser.get("/admin/settings/probe").text
    assert save_probe(browser, size="20").status_code == 303
    assert probe(browser)["key"] == "s3cret"
    with db.read_only() as session:
        told = session.scalars(sa.select(Event.data)).all()
    assert "s3cret" not in str(told)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("size", "0"), ("size", "many"), ("look", "odd"), ("rate", "x"), ("wait", "x")],
)
def test_a_wrong_value_is_refused_and_what_was_typed_stays(browser, field, wrong):
    refused = save_probe(browser, **{field: wrong, "words": "kept as typed"})
    assert refused.status_code == 422
    assert "field-error" in refused.text
    assert "kept as typed" in refused.text
    assert probe(browser)["words"] == []


def test_two_administrators_who_change_different_settings_both_keep_theirs(browser):
    base = '{"size": 10, "look": "plain", "open": true, "words": [], "rate": "1.10"}'
    assert save_probe(browser, size="20", base=base).status_code == 303
    assert save_probe(browser, look="fancy", base=base).status_code == 303
    found = probe(browser)
    assert (found["size"], found["look"]) == (20, "fancy")
    clash = save_probe(browser, size="30", base=base)
    assert clash.status_code == 422
    assert "Somebody saved this meanwhile: 20" in clash.text
    assert probe(browser)["size"] == 20


def test_settings_nobody_declared_are_not_found(browser):
    assert browser.get("/admin/settings/nothing").status_code == 404
    assert browser.post("/admin/settings/nothing", data={}).status_code == 404
