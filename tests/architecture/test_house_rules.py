"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted(
    path
    for folder in ("core", "plugins")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted(
    path for folder in ("core", "plugins") for path in (ROOT / folder).rglob("*.html")
)
STYLES = sorted(
    path for folder in ("core", "plugins") for path in (ROOT / folder).rglob("*.css")
)

LINES, FUNCTION = 300, 40


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_module_fits_one_sitting():
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in CODE}
    assert {name: count for name, count in lines.items() if count > LINES} == {}


def test_a_function_fits_one_screen():
    long = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and node.end_lineno - body[0].lineno >= FUNCTION:
                    long.append(f"{named(path)}: {node.name}")
    assert not long


def test_only_the_edges_commit():
    edges = {"core/db.py", "core/app.py"}
    committing = {
        named(path)
        for path in CODE
        if re.search(r"session\.commit\(|\.commit\(\)", path.read_text("utf-8"))
    }
    # The search engine commits its own index, which is no database session.
    assert {p for p in committing if not p.startswith("plugins/search/whoosh")} <= edges


@pytest.mark.parametrize(
    "inline",
    [
        r"\sstyle\s*=",
        r"\son[a-z]+\s*=\s*[\"']",
        r"<script(?![^>]*\bsrc=)[^>]*>",
        r"hx-on",
        r"\|\s*safe\b",
    ],
)
def test_templates_have_no_inline_style_or_script(inline):
    found = [named(one) for one in TEMPLATES if re.search(inline, one.read_text())]
    assert not found


def test_colours_are_tokens():
    stray = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)")
    others = [one for one in STYLES if one.name != "tokens.css"]
    assert not [named(one) for one in others if stray.search(one.read_text("utf-8"))]


def test_nothing_is_named_after_what_says_nothing():
    bad = {"utils", "helpers", "common", "constants", "manager", "misc"}
    assert not [named(path) for path in CODE if path.stem in bad]


def test_the_layers_are_kept():
    command = [str(Path(sys.executable).parent / "lint-imports")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:]
