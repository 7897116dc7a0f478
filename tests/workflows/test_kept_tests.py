"""The tests that are kept with a workflow: run before it is published, and from the command line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from console import runs, workflows
from console.cli import console
from console.core.actor import Actor
from console.core.documents.workflow import Workflow, read
from console.core.errors import Conflict
from console.infra.db.engine import fetch
from console.workflows import saved_tests
from tests.company import DOCUMENT, Company
from tests.views.test_api_workflows import written

ANSWERS: dict[str, Any] = {
    "read": {},
    "note": {"values": {"note": "Fine."}},
    "rate": {"values": {"risk": "high"}},
    "decide": {"outcome": "approve"},
}
HOLDS: dict[str, Any] = {
    "name": "High is approved",
    "record": "1",
    "input": {"why": "periodic"},
    "answers": ANSWERS,
    "expect": {
        "path": ["start", "load", "read", "note", "rate", "is_high", "decide", "result", "end"],
        "outcome": "Approved",
        "effects": [{"step": "rate", "summary": "Update risk"}],
    },
}


def changed(**more: Any) -> dict[str, Any]:
    return HOLDS | more


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "holds": (HOLDS, ""),
    "another way": (
        changed(expect={"path": ["start", "load", "note"]}),
        "After “Load the customer” comes “Read this”, and “Take a note” was expected.",
    ),
    "stops": (
        changed(answers={"read": {}}, expect={"outcome": "Approved"}),
        "It should end as Approved, and it stops at “Take a note”.",
    ),
    "sends": (
        changed(expect={"effects": []}),
        "It should send nothing, and would send “Rate the risk”: Update risk.",
    ),
    "fails": (
        changed(effects={"rate": "failed"}, expect={"status": "completed"}),
        "The run should come to its end; here it would wait for a person.",
    ),
    "refused": (
        changed(answers=ANSWERS | {"note": {"values": {"count": 1}}}, expect={}),
        "“Take a note” does not take the answer",
    ),
    "refused by its label": (
        changed(answers=ANSWERS | {"rate": {"values": {"risk": "huge"}}}, expect={}),
        "“Rate the risk” does not take the answer (Risk: This is not an option here: choose one of “Low”, “Medium”, “High”).",
    ),
    "of another workflow": (
        changed(expect={"path": ["start", "load/ask_them"]}),
        "After “Start” comes “Load the customer”, and “Ask them” of “Load the customer” was expected.",
    ),
    "waits": (
        changed(answers={}, expect={"outcome": "Approved"}),
        "It should end as Approved, and it stops at “Read this”.",
    ),
    "gone": (
        changed(record="99"),
        "Its record is not there any more, or you may not see it: remove the test, and keep it again with another record.",
    ),
    "no step": (changed(answers={"lost": {}}), "answers.lost: The workflow has no such step."),
    "input": (changed(input={}), "input.why"),
}


def test_each_test_says_what_is_not_as_expected(company: Company) -> None:
    document = read(DOCUMENT | {"tests": [test | {"name": name} for name, (test, _) in CASES.items()]})
    results = runs.results_of_tests(company.mona, "care-review", "wf_none", document)
    for result in results:
        wanted = CASES[result.name][1]
        assert result.holds == (wanted == ""), (result.name, result.differences)
        assert wanted in " ".join(result.differences), result


def test_failed_tests_stop_publishing_unless_a_reason_is_given_and_logged(company: Company) -> None:
    wrong = changed(name="Ends otherwise", expect={"outcome": "Refused"})
    workflows.import_file(DOCUMENT | {"tests": [HOLDS, wrong]}, company.mona)
    with pytest.raises(Conflict) as stopped:
        workflows.publish_draft(company.mona, "care-review", note="Tests.")
    assert (stopped.value.code, [each["test"] for each in stopped.value.details]) == (
        "tests_failed",
        ["Ends otherwise"],
    )
    assert workflows.live("care-review").number == 1
    made = workflows.publish_draft(
        company.mona, "care-review", note="Tests.", accept_failed_tests="Mended tomorrow."
    )
    assert made.live_version == 2
    assert [event.get("failed_tests") for event in written("workflow_published")][-1] == 1
    workflows.import_file(DOCUMENT | {"title": "Other", "tests": [HOLDS]}, company.mona)
    assert (
        workflows.publish_draft(
            company.mona, "care-review", note="Tests.", accept_failed_tests="Not needed."
        ).live_version
        == 3
    )
    assert "failed_tests" not in written("workflow_published")[-1]


def test_tests_run_before_the_lock_and_on_what_is_published(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they run, somebody else may change the draft; then the tests of the changed draft count."""
    workflows.import_file(DOCUMENT | {"tests": [HOLDS]}, company.mona)
    seen: list[str] = []

    def slow(actor: Actor, slug: str, ident: str, document: Workflow) -> Sequence[workflows.ResultOfTest]:
        seen.append(document.title)
        if len(seen) == 1:  # nobody holds the workflow's row: this would wait for ever
            fetch("select 1 from console.workflow where slug = %s for update nowait", (slug,))
            workflows.import_file(DOCUMENT | {"title": "Changed meanwhile", "tests": [HOLDS]}, company.mona)
        return runs.results_of_tests(actor, slug, ident, document)

    monkeypatch.setattr(saved_tests, "_run_tests", [slow])
    made = workflows.publish_draft(company.mona, "care-review", note="Tests.")
    assert (seen, made.live_version) == ([DOCUMENT["title"], "Changed meanwhile"], 2)
    assert workflows.live("care-review").title == "Changed meanwhile"


def test_the_commands_that_publish_run_the_tests(company: Company, tmp_path: Path) -> None:
    wrong = changed(name="Ends otherwise", expect={"outcome": "Refused"})
    file = tmp_path / "care-review.json"
    file.write_text(json.dumps(DOCUMENT | {"title": "Read in", "tests": [HOLDS, wrong]}))
    shell, user = CliRunner(), ["--user", company.mona.email]
    failed = shell.invoke(console, ["workflow", "import", str(file), "--publish", *user])
    assert failed.output.count("It should end as Refused, and it ends as Approved.") == 1
    assert (failed.exit_code, workflows.draft_document("care-review")["title"]) == (1, DOCUMENT["title"])
    assert shell.invoke(console, ["workflow", "import", str(file)]).exit_code == 0
    failed = shell.invoke(console, ["workflow", "publish", "care-review", *user])
    assert ("Ends otherwise" in failed.output, failed.exit_code, workflows.live("care-review").number) == (
        True,
        1,
        1,
    )
    made = shell.invoke(console, ["workflow", "publish", "care-review", "--reason", "Mended tomorrow", *user])
    assert (made.exit_code, workflows.live("care-review").number) == (0, 2)
    assert written("workflow_published")[-1]["failed_tests"] == 1


def test_the_command_runs_the_tests_of_a_file_or_a_draft(company: Company, tmp_path: Path) -> None:
    file = tmp_path / "care-review.json"
    file.write_text(
        json.dumps(
            DOCUMENT | {"tests": [HOLDS, changed(name="Ends otherwise", expect={"outcome": "Refused"})]}
        )
    )
    mail = company.mona.email
    failed = CliRunner().invoke(console, ["workflow", "test", str(file), "--user", mail])
    assert failed.exit_code == 1, failed.output
    assert failed.output.splitlines() == [
        "care-review: High is approved: holds",
        "care-review: Ends otherwise: It should end as Refused, and it ends as Approved.",
    ]
    workflows.import_file(DOCUMENT | {"tests": [HOLDS]}, company.mona)
    held = CliRunner().invoke(console, ["workflow", "test", "care-review", "--user", mail])
    assert (held.exit_code, held.output) == (0, "care-review: High is approved: holds\n")
    alone = CliRunner().invoke(console, ["workflow", "test", "care-review"])
    assert (alone.exit_code, "High is approved: holds" in alone.output) == (0, True)
    none = CliRunner().invoke(console, ["workflow", "test", "nowhere", "--user", mail])
    assert none.exit_code == 1
    stranger = CliRunner().invoke(console, ["workflow", "test", "care-review", "--user", company.stan.email])
    assert (stranger.exit_code, "holds" in stranger.output) == (1, False)
