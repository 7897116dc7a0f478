"""What the label of the button and `completion` do: a click is skipped only where nothing is asked of a person."""

from typing import Any

import pytest

from console import runs, steps, workflows
from console.core.documents.workflow_check import check
from tests.company import Company
from tests.support.engine import step
from tests.tables import cases

NOTE = {"name": "note", "label": "Note"}
OPTIONS = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
GOES_ON: list[tuple[str, dict[str, Any]]] = [
    ("get_data", {"fields": ["desk"]}),
    ("update_data", {"set": [{"field": "updated_at", "value": "run.id"}]}),
    ("update_data", {"form": [{**NOTE, "readonly": True, "value": "'x'"}]}),
]
STAYS: list[tuple[str, dict[str, Any]]] = [
    ("guidance", {"text": "Read."}),
    ("update_data", {"form": [NOTE]}),
    ("update_data", {"form": [{**NOTE, "required": True}]}),
    ("update_data", {"fields": ["email"]}),
    ("decision", {"options": OPTIONS}),
    ("loop", {"items": {"relation": "account", "fields": ["iban"]}, "form": [NOTE]}),
    ("load_related", {"items": {"relation": "account", "fields": ["iban"]}}),
]


def document(kind: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = [
        step("start", "start", "here"),
        step("here", kind, "end", config) | {"completion": "automatic"} | more,
        step("end", "end", None),
    ]
    return {
        "format": 1,
        "slug": "toggle",
        "title": "Toggle",
        "collection": "customer",
        "team": "operations",
        "steps": made,
    }


def begin(company: Company, kind: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    workflows.import_file(document(kind, config, **more), publish=True)
    return company.told(runs.start(company.olivia, "toggle", "customer", "1", {}))


@pytest.mark.parametrize(
    ("kind", "config"), GOES_ON, ids=[f"{kind} {number}" for number, (kind, _) in enumerate(GOES_ON)]
)
def test_without_anything_to_fill_in_no_click_is_needed(
    company: Company, kind: str, config: dict[str, Any]
) -> None:
    assert begin(company, kind, config)["status"] == "completed"


@pytest.mark.parametrize(
    ("kind", "config"), STAYS, ids=[f"{kind} {number}" for number, (kind, _) in enumerate(STAYS)]
)
def test_a_form_or_a_choice_is_never_skipped(company: Company, kind: str, config: dict[str, Any]) -> None:
    told = begin(company, kind, config, button="Execute")
    assert (told["status"], told["current"]["step"], told["current"]["take_over"]) == (
        "waiting_person",
        "here",
        None,
    )
    assert told["current"]["button"] == "Execute"


@cases(("kind", "config"), [*GOES_ON, *STAYS[:5]])
def test_the_check_says_where_it_has_no_effect(kind: str, config: dict[str, Any]) -> None:
    said = [
        (problem.field, problem.severity)
        for problem in check(document(kind, config), steps.all_types())
        if problem.field == "completion"
    ]
    assert said == ([("completion", "warning")] if (kind, config) in STAYS else [])
