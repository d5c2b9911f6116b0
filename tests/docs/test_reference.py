"""The reference pages say what the code says, and the tutorial's plugin works."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.testing.plugins import describe_distribution

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_are_as_the_code_is():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, text in generate.pages().items():
        written = (ROOT / "docs" / name).read_text("utf-8")
        assert written == text, f"{name} is stale: run python docs/generate.py"


def test_every_link_of_the_docs_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def tutorial_files():
    text = (ROOT / "docs/tutorial-first-plugin.md").read_text("utf-8")
    found = re.findall(r"^`([\w/.-]+)`\n\n```\w+\n(.*?)^```", text, re.M | re.S)
    return dict(found)


def commands_of_the_tutorial():
    text = (ROOT / "docs/tutorial-first-plugin.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def test_the_tutorial_begins_with_a_plugin_that_works(tmp_path):
    told = commands_of_the_tutorial()
    assert told[0] == ".venv/bin/rapport plugin new visits --into .."
    # The commands as they stand, but for the installer, which the network might refuse.
    env = os.environ | {
        "RAPPORT_INSTANCE": str(tmp_path / "instance"),
        "PYTHONPATH": f"{tmp_path / 'rapport-visits'}:{ROOT}",
    }
    place = tmp_path / "checkout"
    place.mkdir()

    def rapport(*words):
        command = [sys.executable, "-m", "core", *words]
        return subprocess.run(command, cwd=place, env=env, capture_output=True)

    start = ("init", "--email", "a@example.com", "--password", "correct horse battery")
    assert rapport(*start).returncode == 0
    for line in told:
        words = line.split()
        if words[0] != ".venv/bin/rapport" or words[1] == "run":
            continue
        if words[2:3] == ["check"] or "quiet" in words:
            continue
        yes = ["--yes"] if "remove" in words else []
        ran = rapport(*words[1:], *yes)
        assert ran.returncode == 0, (line, ran.stderr)
        if "new" in words:
            describe_distribution(
                tmp_path / "rapport-visits",
                "rapport_visits",
                {"visits": "rapport_visits.plugin"},
            )
    listed = rapport("plugin", "list", "--json").stdout
    assert {"name": "visits", "module": "rapport_visits.plugin", "on": True} in (
        json.loads(listed)
    )


# The demo company may have to be made first.
@pytest.mark.timeout(600)
def test_the_plugin_of_the_tutorial_runs_and_passes_the_contract(
    tmp_path, demo_template
):
    files = tutorial_files()
    assert {"setup.cfg", "rapport_quiet/plugin.py", "rapport_quiet/views.py"} <= set(
        files
    )
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    describe_distribution(tmp_path, "rapport_quiet", {"quiet": "rapport_quiet.plugin"})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--pyargs", "core.testing.contract", "-k", "quiet", "-c", "/dev/null"]
    result = subprocess.run(
        [*command, f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env={
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "PATH": "/usr/bin:/bin",
            "RAPPORT_DEMO_TEMPLATE": str(demo_template),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-3000:]
