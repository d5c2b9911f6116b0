"""The reference pages say what the code says, and the tutorial's plugin works."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

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


def test_the_plugin_of_the_tutorial_runs_and_passes_the_contract(tmp_path):
    files = tutorial_files()
    assert {"setup.cfg", "rapport_quiet/plugin.py", "rapport_quiet/views.py"} <= set(
        files
    )
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    # What an installer writes down: the package and its entry point.
    info = tmp_path / "rapport_quiet-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: rapport-quiet\nVersion: 0.1\n"
    )
    (info / "entry_points.txt").write_text(
        "[rapport.plugins]\nquiet = rapport_quiet.plugin\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--pyargs", "core.testing.contract", "-k", "quiet", "-c", "/dev/null"]
    result = subprocess.run(
        [*command, f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-3000:]
