"""The served API against its own description, by schemathesis with a key of each role: no fault of the server, nothing undocumented, nothing accepted
that the description forbids, no other method, nobody without a key.

The same requests each time: the examples and random ones (`HANDRAIL_FUZZ=N`: N for each operation), and of those who change most the edges of each
schema, within and beyond, and walks along the links of answers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import demo_folder
from tests.journeys.conftest import ROOT, Demo, serving

SOME = "examples,fuzzing"
ALL = "examples,coverage,fuzzing,stateful"
ROLES = {
    "operator": ("olivia", ALL),
    "operations_lead": ("mona", ALL),
    "reviewer": ("rosa", SOME),
    "auditor": ("ada", SOME),
    "developer": ("dana", SOME),
    "admin": ("admin", ALL),
}
"""Role → who holds it in the demo, and the phases of schemathesis."""


@pytest.fixture(name="console", scope="module")
def fixture_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of its own: an administrator's requests change anything."""
    data = demo_folder.copied(tmp_path_factory, tmp_path_factory.mktemp("conforms") / "data")
    with serving(data) as made:
        developer = ("user", "create", "dana@fernwick.example", "--role", "developer", "--team", "operations")
        assert made.command(*developer).returncode == 0
        yield made


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("role", ROLES)
def test_each_operation_keeps_what_the_description_says(console: Demo, role: str, tmp_path: Path) -> None:
    who, phases = ROLES[role]
    made = console.command(
        "apikey", "create", "schemathesis", "--user", f"{who}@fernwick.example", "--approve"
    )
    assert made.returncode == 0, made.stderr
    command = f"""run {console.url}/api/openapi.json --phases {phases} --generation-deterministic --max-examples {os.environ.get("HANDRAIL_FUZZ", "2")}
        --checks all --exclude-checks positive_data_acceptance --continue-on-failure --no-shrink --no-color --warnings off
        --report json --report-json-path report.json"""  # what a schema allows may still be refused: a record that is not there, a key sent twice
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", *command.split()),
            *("--header", f"Authorization: Bearer {made.stdout.strip()}"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["operations"]["tested"] == report["operations"]["total"] > 100
    answers = [phase for phases in report["valid_rates"].values() for phase in phases.values()]
    assert sum(phase["accepted"] for phase in answers) > 10
