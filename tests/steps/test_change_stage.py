"""Change stage: which option is meant. With a record: tests/messages/test_going_on.py."""

from dataclasses import replace
from typing import Any

import pytest

from console.core.forms import FormField
from console.errors import Invalid
from console.steps.base import StepView, WriteRecord
from console.steps.change_stage import ChangeStage, ChangeStageConfig
from tests.steps.walk import context

SMALLEST: dict[str, Any] = {"stage": "high", "field": "risk"}
FURTHER: list[dict[str, Any]] = []
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [({"stage": "{{ record.desk }}", "field": "risk"}, [], ["stage"])]
MASKED: dict[str, Any] = {"stage": "{{ record.tax_id }}", "field": "risk"}
OPTIONS = [{"value": "new", "label": "New"}, {"value": "won", "label": "Is a customer"}]


def test_a_stage_is_named_by_value_or_label_and_one_that_is_there_changes_nothing() -> None:
    kind = ChangeStage()

    def done(stage: str) -> Any:
        field = FormField("state", "State", "enum", value="new", now="new", options=OPTIONS)
        view = StepView("go", kind.name, "Go", ChangeStageConfig(stage=stage, field=None), ("default",))
        return kind.complete(view, replace(context(), forms={"state": field}), {}, None)

    assert done("won").effects == (WriteRecord({"state": {"old": "new", "new": "won"}}),)
    assert done("is a customer").output == {"stage": "won", "former": "new"}
    assert done("New").effects == ()
    with pytest.raises(Invalid, match="There is no stage “lost”; there are New, Is a customer"):
        done("lost")
