"""Measurements are run by hand; here only that each script still starts, and that the table names it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.tables import cases

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parent.parent / "bench"
SCRIPTS = sorted(file.name for file in BENCH.glob("*.py") if file.name not in {"rig.py", "step.py"})
README = (BENCH / "README.md").read_text(encoding="utf-8")


@cases("script", SCRIPTS)
def test_each_script_says_what_it_takes(script: str) -> None:
    told = subprocess.run(
        [warm.python(), BENCH / script, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.startswith(f"usage: {script}")
    docstring = ast.get_docstring(ast.parse((BENCH / script).read_text(encoding="utf-8")))
    assert docstring is not None
    assert script in docstring


def test_the_table_names_every_script_and_no_other() -> None:
    named = re.findall(r"`python bench/(\w+\.py)", README)
    assert set(named) == set(SCRIPTS)


def test_every_row_of_the_table_has_five_cells() -> None:
    rows = [
        line.strip("| ").split(" | ")
        for line in README.splitlines()
        if line.startswith("| ") and "---" not in line
    ]
    assert len(rows) > len(SCRIPTS)
    assert all(
        len(row) == 5 and row[2] in ("yes", "no", "held") and all(cell.strip() for cell in row)
        for row in rows
    )


@cases(
    ("peer", "named"),
    [
        ("viewflow", {"django", "django-viewflow"}),
        ("dbos", {"dbos"}),
        ("admin_lists", {"datasette", "django", "flask-admin", "sqladmin"}),
    ],
)
def test_what_is_measured_against_is_locked_with_hashes(peer: str, named: set[str]) -> None:
    lock = (BENCH / "peers" / f"{peer}.txt").read_text(encoding="utf-8")
    versions = re.findall(r"^(\S+)==\S+", lock, re.MULTILINE)
    assert named <= set(versions)
    blocks = re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    wanted = [
        line
        for line in (BENCH / "peers" / f"{peer}.in").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert {re.split(r"[\[<>=~]", line)[0] for line in wanted} <= {
        re.sub(r"\[.*?\]", "", name) for name in versions
    }
