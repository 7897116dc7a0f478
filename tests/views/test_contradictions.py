"""Contradictions are said before Done, by rules of the document: refused at the field, or taken with a sentence that is kept."""

from typing import Any

import pytest

from console import log, runs
from console.core.errors import Invalid
from console.runs.engine import opened_documents
from tests.documents.test_documents_checked import bill, checklist, send
from tests.papers import CHECKED, at_note, pdf, workflow
from tests.views.conftest import Pages

STATUS = [{"value": "same", "label": "The same"}, {"value": "other", "label": "Somebody else"}]
STEP: dict[str, Any] = {
    "type": "update_data",
    "config": {
        "form": [
            {"name": "evidence", "label": "Evidence", "type": "files"},
            {"name": "verdict", "label": "Verdict", "type": "enum", "options": STATUS, "required": True},
            {
                "name": "ground",
                "label": "Because",
                "required_if": "steps.note.verdict == 'other'",
                "must": [
                    {
                        "if": "steps.note.ground != 'age' || record.display_name == 'x'",
                        "message": "Not possible: both are {{ record.display_name }}.",
                        "why": "As on file.",
                        "ways": [{"label": "Set to the same", "set": {"verdict": "same", "ground": None}}],
                    }
                ],
            },
            {
                "name": "taken",
                "label": "Papers",
                "type": "enum",
                "options": [{"value": "accepted", "label": "Accepted"}, {"value": "no", "label": "No"}],
                "must": [
                    {"if": "1 == 1", "message": "Never said.", "severity": "explain", "ask": "Who said so?"},
                    {
                        "if": "steps.note.taken != 'accepted' || size(run.opened) > 0",
                        "message": "Accepted unopened.",
                        "severity": "explain",
                        "ask": "Why unopened?",
                    },
                ],
            },
        ],
    },
    "next": {"default": "rate"},
}


@pytest.fixture
def run_id(pages: Pages) -> str:
    workflow("contradicted", STEP)
    return at_note(pages.company, "contradicted", "2")


def test_a_contradiction_is_refused_at_its_field_with_the_ways_out(pages: Pages, run_id: str) -> None:
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "Why unopened?" not in _shown(page.html)
    typed = {"v.verdict": "other", "v.ground": "age", "v.taken": "accepted"}
    refused = pages.olivia.send(page, f"/runs/{run_id}/complete", status=422, **typed)
    name = runs.get(pages.company.olivia, run_id).record_title
    assert f"Not possible: both are {name}. As on file." in refused.text
    assert "Accepted unopened." in refused.text
    assert "Why unopened?" in _shown(refused.html), "the question of the rule that is broken"
    assert "Who said so?" not in refused.html
    alerts = {
        told["id"]
        for told in refused.with_attribute("role")
        if told["role"] == "alert" and "refusal" in told.get("class", "")
    }
    assert alerts == {"f-ground-error", "f-taken_because-error"}
    described = {
        told["aria-describedby"]
        for told in refused.with_attribute("aria-describedby")
        if "aria-invalid" in told
    }
    assert alerts == {part for told in described for part in told.split() if part in alerts}
    (way,) = [told for told in refused.with_attribute("name") if told["name"] == "change"]
    pages.olivia.send(refused, f"/runs/{run_id}/complete", change=way["value"])
    changed = pages.olivia.get(f"/runs/{run_id}")
    fields = changed.form(f"/runs/{run_id}/complete")["fields"]
    assert (fields["v.verdict"], fields["v.ground"]) == ("same", "")
    assert runs.get(pages.company.olivia, run_id).json["current"]["step"] == "note"


def test_the_sentence_is_kept_and_not_asked_for_once_the_page_was_opened(pages: Pages, run_id: str) -> None:
    told = {"verdict": "same", "taken": "accepted"}
    with pytest.raises(Invalid) as wrong:
        runs.complete(pages.company.olivia, run_id, runs.Submission(step="note", revision=None, values=told))
    assert wrong.value.details == [
        {
            "field": "taken_because",
            "reason": "Accepted unopened.",
            "severity": "explain",
            "ask": "Why unopened?",
        }
    ]
    runs.complete(
        pages.company.olivia,
        run_id,
        runs.Submission(step="note", revision=None, values={**told, "taken_because": "It came by hand."}),
    )
    view = runs.get(pages.company.olivia, run_id)
    assert view.json["context"]["note"]["taken_because"] == "It came by hand."
    done = next(
        event.n
        for event in log.events_of(run_id)
        if event.type == "step_completed" and event.body["step"]["id"] == "note"
    )
    assert "It came by hand." in pages.olivia.get(f"/runs/{run_id}/replay?at={done}").text
    assert "Why unopened?" not in pages.olivia.get(f"/runs/{run_id}/replay?at={done - 1}").text


def test_a_document_counts_as_opened_once_every_page_was(pages: Pages, run_id: str) -> None:
    sent = send(pages.company, run_id, pdf(2))
    assert opened_documents.opened_documents(run_id) == []
    for number, complete in ((1, False), (2, True)):
        assert pages.olivia.client.get(f"/files/{sent.id}/page/{number}?run={run_id}").status_code == 200
        (document,) = opened_documents.opened_documents(run_id)
        assert (document.key, document.complete) == (sent.id, complete)
    runs.complete(
        pages.company.olivia,
        run_id,
        runs.Submission(step="note", revision=None, values={"verdict": "same", "taken": "accepted"}),
    )
    assert "taken_because" not in runs.get(pages.company.olivia, run_id).json["context"]["note"]


def test_a_document_that_failed_beside_the_form_is_not_taken_without_a_sentence(pages: Pages) -> None:
    """Another person's paper: what was shown last counts, and who did not look at the checklist is asked nothing."""
    must = {
        "if": "steps.note.taken != 'yes' || size(lookup(run.failed_checks, steps.note.evidence[0].file, [])) == 0",
        "message": "Taken, but it failed: {{ lookup(run.failed_checks, steps.note.evidence[0].file) }}.",
        "severity": "explain",
    }
    taken = {
        "name": "taken",
        "label": "Taken",
        "type": "enum",
        "options": [{"value": "yes", "label": "Yes"}],
        "must": [must],
    }
    files = {"name": "evidence", "label": "Evidence", "type": "files"}
    workflow(
        "failed",
        {
            **CHECKED,
            "config": {
                "form": [files, taken],
                "documents": "'evidence'",
                "checks": CHECKED["config"]["checks"],
            },
        },
    )
    run_id = at_note(pages.company, "failed", "2")
    assert opened_documents.failed_checks(run_id) == {}
    sent = send(pages.company, run_id, bill(lines="Customer: Somebody Else"))
    checklist(pages.company, run_id)
    assert opened_documents.failed_checks(run_id) == {sent.id: ["Name as in the record"]}
    told = {"evidence": [{"file": sent.id}], "taken": "yes"}
    with pytest.raises(Invalid) as wrong:
        runs.complete(pages.company.olivia, run_id, runs.Submission(step="note", revision=None, values=told))
    (error,) = wrong.value.details
    assert (error["field"], error["reason"]) == (
        "taken_because",
        "Taken, but it failed: Name as in the record.",
    )
    runs.complete(
        pages.company.olivia,
        run_id,
        runs.Submission(step="note", revision=None, values={**told, "taken_because": "A maiden name."}),
    )


def _shown(html: str) -> str:
    """The page without the fields that are hidden."""
    return "".join(
        part.partition("</li>")[2] if part.startswith(" hidden") else part for part in html.split("<li")
    )
