"""`rapport plugin new` writes a plugin that installs, works and passes the contract."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.scaffold import ScaffoldError, write_plugin
from core.testing.plugins import describe_distribution

ROOT = Path(__file__).parents[2]


def rapport(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "core", "plugin", "new", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT), "RAPPORT_INSTANCE": str(cwd / "i")},
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def run_pytest(*words, place, cwd, **environment):
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-k", "not postgresql", *words),
        ],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}
        | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
    )


@pytest.mark.timeout(300)
def test_what_it_writes_passes_the_contract_and_its_own_tests(tmp_path, demo_template):
    made = rapport("site_visits", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    place = tmp_path / "rapport-site-visits"
    assert "rapport plugin check site_visits" in made.stdout
    again = rapport("site_visits", cwd=tmp_path)
    assert (again.returncode, "there already" in again.stderr) == (2, True)
    describe_distribution(
        place, "rapport_site_visits", {"site_visits": "rapport_site_visits.plugin"}
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    contract = run_pytest(
        *("--pyargs", "core.testing.contract", "-c", os.devnull),
        *(f"--rootdir={elsewhere}", "-k", "site_visits and not postgresql"),
        place=place,
        cwd=elsewhere,
        RAPPORT_DEMO_TEMPLATE=str(demo_template),
    )
    assert contract.returncode == 0, contract.stdout[-3000:]
    own = run_pytest(place=place, cwd=place)
    assert own.returncode == 0, own.stdout[-3000:]


@pytest.mark.parametrize("name", ["pods", "site_visits", "abcdefghij_klmnopqrs"])
def test_its_code_is_as_the_house_wants_it_whatever_its_name(tmp_path, name):
    place = write_plugin(name, into=tmp_path)
    ruff = Path(sys.executable).parent / "ruff"
    config = ["--config", str(ROOT / "pyproject.toml")]
    code = str(place / f"rapport_{name}")
    for words in (["check", "--ignore", "ANN001,ANN201,D103"], ["format", "--check"]):
        told = subprocess.run(
            [ruff, words[0], *config, *words[1:], code], capture_output=True, text=True
        )
        assert told.returncode == 0, told.stdout
    left = [p for p in place.rglob("*") if p.is_file() and "@" in p.name]
    assert not left
    for path in place.rglob("*.cfg"):
        assert "@" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Visits", "small letters"),
        ("9lives", "small letters"),
        ("a-b", "small letters"),
        ("../x", "small letters"),
        ("", "small letters"),
        ("class", "word of Python"),
        ("match", "word of Python"),
        ("contacts", "name of Rapport"),
        ("orders", "name of Rapport"),
        ("visits_api", "name of Rapport"),
        ("support", "is installed"),
        ("a" * 40, "too long"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_reason(tmp_path, name, said):
    with pytest.raises(ScaffoldError, match=said):
        write_plugin(name, into=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_package_may_have_a_name_of_its_own(tmp_path):
    place = write_plugin("visits", into=tmp_path, package="acme_crm_visits")
    assert place.name == "acme-crm-visits"
    assert "from acme_crm_visits import" in (
        place / "acme_crm_visits" / "plugin.py"
    ).read_text("utf-8")
    for wrong in ("core", "Acme", "import", "a/b"):
        with pytest.raises(ScaffoldError):
            write_plugin("calls", into=tmp_path, package=wrong)
