"""Escalate: into an inbox with a text; the run stands at the next step, in nobody's hands."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import runs, workflows
from console.core.errors import Invalid
from console.core.run.step_requests import Handover
from console.steps.escalate import EscalateConfig
from console.work import tickets
from console.workflows import inboxes
from tests.company import DESK, DOCUMENT, STEPS, Company
from tests.steps.walk import complete, context, prepare
from tests.support.engine import whole
from tests.tables import cases

SMALLEST: dict[str, Any] = {"inbox": "desk", "text": "Look."}

FORM = [{"name": "seen", "label": "What did you see?", "required": True}]


def test_the_text_is_filled_in_and_goes_with_the_run() -> None:
    config = {
        "inbox": "desk",
        "text": "Look at {{ record.name }}: {{ steps.here.seen }}",
        "priority": "high",
        "form": FORM,
    }
    made = context(record={"name": "*Ana*"})
    prompt = prepare("escalate", config, made)
    assert (prompt.text, [field.name for field in prompt.fields], prompt.button) == (
        r"Look at \*Ana\*: ",
        ["seen"],
        "Hand on",
    )
    done = complete("escalate", config, made, {"seen": "A list"})
    assert (done.outcome, done.values) == ("default", {"seen": "A list"})
    assert done.hands_over == Handover("desk", "Look at *Ana*: A list", "high")
    assert prepare("escalate", config, made, button="Pass it up").button == "Pass it up"


@cases(
    "config",
    [
        {},
        {"inbox": "desk"},
        {"text": "x"},
        {"inbox": "", "text": "x"},
        {"inbox": "desk", "text": "x", "priority": "now"},
        {"inbox": "desk", "text": "x", "form": FORM * 2},
    ],
)
def test_settings_that_lead_nowhere_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EscalateConfig.model_validate(config)


# -- in a run


def published(**more: Any) -> None:
    """The small workflow with an escalation after the note; the next step is a lead's."""
    over = {
        "id": "over",
        "type": "escalate",
        "title": "Over",
        "config": {"inbox": "desk", "text": "About: {{ steps.note.note }}"},
        "next": {"default": "rate"},
    } | more
    steps = [
        step
        | (
            {"next": {"default": "over"}}
            if step["id"] == "note"
            else {"roles": ["lead"]}
            if step["id"] == "rate"
            else {}
        )
        for step in STEPS
    ]
    workflows.import_file(DOCUMENT | {"steps": [*steps[:4], over, *steps[4:]]}, publish=True)


def test_who_takes_it_goes_on_at_the_next_step_with_everything_that_was_done(company: Company) -> None:
    inboxes.import_all([DESK | {"roles": ["lead"]}])
    published()
    run = company.at("over")
    company.answer(run)
    told = company.told(run)
    assert (told["holder"], told["status"], told["current"]["step"]) == (None, "waiting_person", "rate")
    assert (told["ticket"]["inbox"], told["ticket"]["reason"]) == ("desk", "About: Looked at it.")
    assert tickets.take_next(company.mona, "desk") == run
    told = company.told(run, "mona")
    assert (told["holder"], told["ticket"], told["context"]["note"]["note"]) == (
        company.mona.id,
        None,
        "Looked at it.",
    )
    company.answer(run, "mona")
    assert company.told(run, "mona")["current"]["step"] == "decide"
    whole(run)


@pytest.mark.parametrize("completion", ["manual", "automatic"])
def test_an_inbox_that_is_not_there_loses_no_run(company: Company, completion: str) -> None:
    inboxes.import_all([DESK | {"team": "procurement"}])
    published(completion=completion)
    run = company.at("note")
    company.answer(run)
    if completion == "manual":
        with pytest.raises(Invalid) as caught:
            company.answer(run)
        assert caught.value.details[0]["field"] == "inbox"
    told = company.told(run)
    assert (told["holder"], told["current"]["step"], told["ticket"]) == (company.olivia.id, "over", None)
    assert (told["current"]["take_over"] is not None) == (completion == "automatic")
    inboxes.import_all([DESK])
    if completion == "automatic":
        runs.retry(company.olivia, run, revision=told["revision"])
    else:
        company.answer(run)
    assert company.told(run)["ticket"]["inbox"] == "desk"
