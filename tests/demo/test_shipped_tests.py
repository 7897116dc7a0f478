"""The tests that are kept with the shipped workflows: one at least for each end, and all hold on the demo as it is loaded."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import demo_folder, warm
from tests.journeys.conftest import environment_of

ROOT = Path(__file__).parents[2]
LEADS = {
    "supplier-onboarding": "lena",
    "supplier-bank-change": "lena",
    "nightly-suppliers": "lena",
    "suspicion-report": "malik",
} | dict.fromkeys(("lead-nurture", "re-engage", "welcome", "nightly-contacts"), "gita")
"""Who may publish the workflow; Mona where nothing stands here."""
RUN_ALL = """
import json, sys
from console.cli import console
for file, email in json.loads(sys.argv[1]):
    console(["workflow", "test", file, "--user", email], standalone_mode=False)
"""


def shipped() -> dict[str, dict[str, Any]]:
    """Slug → document."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(ROOT.glob("workflows/*.json"))
    }


def test_every_end_of_a_shipped_workflow_has_a_kept_test() -> None:
    for slug, document in shipped().items():
        ends = {step["config"]["label"] for step in document["steps"] if step["type"] == "end"}
        assert {test["expect"]["outcome"] for test in document["tests"]} == ends, slug


def test_the_kept_tests_of_shipped_workflows_hold_on_the_demo(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    data = demo_folder.copied(tmp_path_factory, tmp_path / "demo")
    documents = shipped()
    asked = [(f"workflows/{slug}.json", f"{LEADS.get(slug, 'mona')}@fernwick.example") for slug in documents]
    done = subprocess.run(
        [warm.python(), "-c", RUN_ALL, json.dumps(asked)],
        env=environment_of(data),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, [line for line in lines if not line.endswith(": holds")]) == (0, []), (
        done.stdout[-2000:] + done.stderr[-2000:]
    )
    assert len(lines) == sum(len(document["tests"]) for document in documents.values())
