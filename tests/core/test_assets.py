"""Stylesheets, scripts and icons, and the promises of the look they carry."""

import contextvars
import gzip
import importlib
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import assets
from core.app import create_app
from core.errors import NotFound

STATIC = Path(assets.__file__).parent / "static"
TEMPLATES = Path(assets.__file__).parent / "templates" / "core"
PLUGIN_TEMPLATES = Path(assets.__file__).parents[1] / "plugins"
HEX = re.compile(r"#[0-9A-Fa-f]{3,8}\b")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application with one more plugin, `shelf`, that has a `static` folder."""
    package = tmp_path / "shelf"
    (package / "static" / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text('"""A shelf."""\n')
    (package / "plugin.py").write_text('"""Adds nothing but files."""\n')
    (package / "static" / "shelf.css").write_text(".shelf{}")
    (package / "static" / "deep" / "board.js").write_text("// board")
    (package / "secret.txt").write_text("not for everybody")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("shelf.plugin")
    settings = {
        "TESTING": True,
        "SECRET_KEY": "test",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}",
    }
    made = create_app(settings, instance=tmp_path, extra_plugins=[("shelf", module)])
    with made.test_request_context():
        yield made
    made.extensions["rapport_engine"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("alias", sorted(assets.FILES))
def test_every_file_of_the_table_is_served_to_everybody_and_kept_a_year(
    app: Flask, client: FlaskClient, alias: str
) -> None:
    answer = client.get(assets.asset(alias))
    assert answer.status_code == 200
    assert answer.cache_control.immutable
    assert answer.cache_control.public
    assert answer.cache_control.max_age == 31536000
    expected = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert answer.mimetype == expected[alias.rpartition(".")[2]]
    assert len(answer.data) > 100


def test_every_own_file_is_in_the_table() -> None:
    assert {path.name for path in STATIC.iterdir()} == set(assets.OWN_FILES)


def test_an_old_address_gives_the_new_file_but_is_not_kept(
    app: Flask, client: FlaskClient
) -> None:
    answer = client.get("/assets/0000000000000000/app.css")
    assert answer.status_code == 200
    assert answer.cache_control.no_cache
    assert not answer.cache_control.immutable


def test_a_file_is_sent_in_the_tightest_way_a_browser_takes(
    app: Flask, client: FlaskClient
) -> None:
    address = assets.asset("bootstrap.css")
    sent = {
        said: client.get(address, headers={"Accept-Encoding": said})
        for said in ("", "identity", "gzip", "gzip, br", "br;q=0, gzip", "*;q=0")
    }
    ways = {said: one.headers.get("Content-Encoding") for said, one in sent.items()}
    assert ways == {
        "": None,
        "identity": None,
        "gzip": "gzip",
        "gzip, br": "br",
        "br;q=0, gzip": "gzip",
        "*;q=0": None,
    }
    plain = sent[""].data
    assert gzip.decompress(sent["gzip"].data) == plain
    assert brotli.decompress(sent["gzip, br"].data) == plain
    assert len(plain) > 5 * len(sent["gzip"].data) > 5 * len(sent["gzip, br"].data)
    for one in sent.values():
        assert "Accept-Encoding" in one.headers["Vary"]
        assert one.content_length == len(one.data)
    # A cache on the way must not take one for the other.
    assert len({sent[said].headers["ETag"] for said in ("", "gzip", "gzip, br")}) == 3


@pytest.mark.parametrize("said", ["", "gzip", "br"])
def test_what_was_sent_packed_is_not_sent_again_either(
    app: Flask, client: FlaskClient, said: str
) -> None:
    address, asked = assets.asset("app.css"), {"Accept-Encoding": said}
    etag = client.get(address, headers=asked).headers["ETag"]
    answer = client.get(address, headers={**asked, "If-None-Match": etag})
    assert answer.status_code == 304
    assert answer.data == b""


@pytest.mark.parametrize(
    "alias",
    [
        "setup.cfg",
        "../setup.cfg",
        "static/app.css",
        "plugins/shelf/none.css",
        "plugins/nobody/shelf.css",
        "plugins/shelf/../secret.txt",
        "plugins/shelf/deep/../../secret.txt",
        "plugins/shelf/.hidden",
        "plugins/shelf/deep",
        "plugins/shelf/\\..\\secret.txt",
        "plugins/core.users/x.css",
        "plugins/shelf/x\x00.css",
    ],
)
def test_nothing_but_declared_files_can_be_asked_for(app: Flask, alias: str) -> None:
    with pytest.raises(NotFound):
        assets.load(alias)


def test_an_unknown_file_is_not_found_by_its_address(client: FlaskClient) -> None:
    assert client.get("/assets/1/plugins/shelf/%2e%2e/secret.txt").status_code == 404


@pytest.mark.parametrize("path", ["shelf.css", "deep/board.js"])
def test_a_plugins_static_files_are_served(
    app: Flask, client: FlaskClient, path: str
) -> None:
    answer = client.get(assets.asset(f"plugins/shelf/{path}"))
    assert answer.status_code == 200
    assert answer.cache_control.immutable


def test_bootstrap_lies_in_a_layer_that_our_rules_win_over(app: Flask) -> None:
    css = assets.load("bootstrap.css").content
    assert css.startswith(b"@layer bootstrap{")
    assert css.endswith(b"}")
    assert b"sourceMappingURL" not in css
    assert css.count(b"{") == css.count(b"}")


@pytest.mark.parametrize("name", ["people", "plug"])
def test_an_icon_is_drawn_silent_and_in_its_size(app: Flask, name: str) -> None:
    drawn = assets.icon(name, 12)
    assert drawn.startswith("<svg")
    assert 'class="icon" width="12" height="12"' in drawn
    assert 'aria-hidden="true"' in drawn
    assert "style" not in drawn


def test_an_icon_of_many_pages_is_named_and_any_other_is_drawn_where_it_stands(
    app: Flask, client: FlaskClient
) -> None:
    named, drawn = assets.icon("people"), assets.icon("plug")
    assert "people" in assets.SHARED_ICONS
    assert "plug" not in assets.SHARED_ICONS
    assert "<path" not in named
    assert "<path" in drawn
    address, _, shape = re.search(r'href="([^"]+)"', named)[1].partition("#")  # type: ignore[index]
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.cache_control.immutable
    assert f'<symbol id="{shape}" viewBox="0 0 16 16"><path' in answer.text


@pytest.mark.parametrize("name", assets.SHARED_ICONS)
def test_each_shared_icon_has_a_shape(app: Flask, name: str) -> None:
    drawn = assets.load("icons.svg").content.decode()
    assert drawn.count(f'<symbol id="{name}" viewBox="0 0 16 16"><') == 1


def test_an_icon_of_what_is_no_page_is_drawn_where_it_stands(app: Flask) -> None:
    def in_a_mail() -> str:
        with app.app_context():
            return assets.icon("people")

    assert "<use" in assets.icon("people")
    assert "<path" in contextvars.Context().run(in_a_mail)


@pytest.mark.parametrize("name", ["no-such-icon", "", '"><script>', "../people"])
def test_an_unknown_icon_is_an_error_while_testing_and_nothing_in_production(
    app: Flask, name: str
) -> None:
    with pytest.raises(LookupError):
        assets.icon(name)
    app.testing = False
    assert assets.icon(name) == ""


def _templates() -> list[Path]:
    return sorted([*TEMPLATES.rglob("*.html"), *PLUGIN_TEMPLATES.rglob("*.html")])


def test_every_icon_named_in_a_template_exists(app: Flask) -> None:
    for path in _templates():
        for name in re.findall(r"""icon\(\s*["']([\w-]+)""", path.read_text("utf-8")):
            assert assets.icon(name), path


def test_no_template_has_what_the_content_security_policy_refuses() -> None:
    for path in _templates():
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle\s*=", text), path
        # A mail's readers know no stylesheet of ours.
        if path.parts[-2:] != ("mail", "frame.html"):
            assert not re.search(r"<style\b", text), path
        assert not re.search(r"""\son[a-z]+\s*=\s*["']""", text), path
        assert not re.search(r"\bhx-on\b|\bjs:|javascript:", text), path
        for script in re.findall(r"<script\b[^>]*>", text):
            assert " src=" in script, path


def test_colours_have_their_names_in_the_tokens_alone() -> None:
    own = [STATIC / name for name in assets.OWN_FILES if name.endswith((".css", ".js"))]
    for path in own:
        if path.name != "tokens.css":
            code = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
            found = [one for one in HEX.findall(code) if not one[1:].isalpha()]
            assert not found, path
            assert not re.search(r"\b(rgb|hsl)a?\(", code), path


def test_every_token_in_use_is_declared() -> None:
    sheets = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.css")}
    everything = "".join(sheets.values())
    declared = set(re.findall(r"(--[\w-]+)\s*:", everything)) | {"--brand"}
    used = set(re.findall(r"var\((--[\w-]+)", everything))
    assert used <= declared


def test_the_stylesheets_stay_small(app: Flask) -> None:
    size = {
        name: len(assets.load(name).content)
        for name in assets.OWN_FILES
        if name.endswith(".css")
    }
    assert size.pop("tokens.css") + size.pop("app.css") < 54_000
    # What only some pages ask for besides.
    assert max(size.values()) < 4_000, size


def _tokens(portal: bool) -> dict[str, tuple[str, str]]:
    css = (STATIC / "tokens.css").read_text("utf-8")
    first, _, second = css.partition(':root[data-shell="portal"] {')
    pairs = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
    found = {name: (light, dark) for name, light, dark in pairs.findall(first)}
    if portal:
        own = second.partition("}")[0]
        found |= {name: (light, dark) for name, light, dark in pairs.findall(own)}
    return found


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, between 1 and 21."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("canvas", "surface", "raised", "sunken", "hover", "selected", "tint")


@pytest.mark.parametrize("portal", [False, True])
@pytest.mark.parametrize("theme", [0, 1])
def test_words_and_edges_can_be_seen_on_every_ground(portal: bool, theme: int) -> None:
    token = {name: pair[theme] for name, pair in _tokens(portal).items()}
    pairs = [*product(("text", "text-2", "text-3"), GROUNDS)]
    pairs += [("accent", "surface"), ("accent", "tint"), ("accent", "canvas")]
    pairs += [("on-accent", "accent"), ("on-accent", "accent-hover")]
    pairs += [("on-out", "out"), ("out", "outt"), ("on-danger", "danger")]
    pairs += [(name, f"{name}t") for name in ("ok", "warn", "danger")]
    pairs += [("text", "mark"), ("text", "innt")]
    for ink, ground in pairs:
        ratio = _contrast(token[ink], token[ground])
        assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.2f}"
    for edge, ground in product(("control", "ring"), GROUNDS):
        ratio = _contrast(token[edge], token[ground])
        assert ratio >= 3, f"{edge} on {ground}: {ratio:.2f}"
