"""Change stage: which option is meant. With a record: tests/messaging/messages/test_going_on.py."""

from dataclasses import replace
from typing import Any

import pytest

from console import records
from console.core.documents import workflow_check
from console.core.errors import Invalid
from console.core.forms import FormField
from console.steps import all_types
from console.steps.base import StepView, WriteRecord
from console.steps.change_stage import ChangeStage, ChangeStageConfig
from tests.company import Company
from tests.steps.walk import context
from tests.support.contact_club import found_club

SMALLEST: dict[str, Any] = {"stage": "high", "field": "risk"}
FURTHER: list[dict[str, Any]] = []
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"stage": "{{ record.desk }}", "field": "risk"}, [], ["stage"])
]
MASKED: dict[str, Any] = {"stage": "{{ record.tax_id }}", "field": "risk"}
OPTIONS = [{"value": "new", "label": "New"}, {"value": "won", "label": "Is a customer"}]


def test_a_stage_is_named_by_value_or_label_and_one_that_is_there_changes_nothing() -> None:
    kind = ChangeStage()

    def done(stage: str) -> Any:
        field = FormField("state", "State", "enum", value="new", now="new", options=OPTIONS)
        view = StepView("go", kind.name, "Go", ChangeStageConfig(stage=stage, field=None), ("default",))
        return kind.complete(view, replace(context(), forms={"state": field}), {}, None)

    assert done("won").effects == (
        WriteRecord({"state": {"old": "new", "new": "won"}}, tells={"stage": "state"}),
    )
    assert done("is a customer").output == {"stage": "won", "former": "new"}
    assert done("New").effects == ()
    with pytest.raises(Invalid, match="There is no stage “lost”; there are New, Is a customer"):
        done("lost")


def test_a_stage_that_the_collection_does_not_have_stops_publishing(company: Company) -> None:
    found_club(company)
    known = {each.id: each for each in records.collections()}

    def told(collection: str, **config: str) -> list[str]:
        step = {
            "id": "go",
            "type": "change_stage",
            "title": "Go",
            "config": config,
            "next": {"default": "over"},
        }
        ends = [
            {"id": "first", "type": "start", "title": "First", "next": {"default": "go"}},
            {"id": "over", "type": "end", "title": "Over"},
        ]
        document = {
            "format": 1,
            "slug": "moving",
            "title": "Moving",
            "collection": collection,
            "run_as": "x@fernwick.example",
            "steps": [ends[0], step, ends[1]],
        }
        return [
            problem.reason
            for problem in workflow_check.check(document, all_types(), known)
            if problem.step == "go"
        ]

    assert (
        told("contact", stage="engaged")
        == told("contact", stage=" Lost")
        == told("contact", stage="{{ record.stage }}")
        == []
    )
    assert told("contact", stage="contacted") == [
        "Contacts: Stage is never “contacted”; it is New, Engaged, Lost."
    ]
    assert told("customer", stage="high", field="risk") == []
    assert told("customer", stage="huge", field="risk") == [
        "Customers: Risk is never “huge”; it is Low, Medium, High."
    ]
    assert told("customer", stage="new")[0].startswith("Customers have no stage: name the field")
