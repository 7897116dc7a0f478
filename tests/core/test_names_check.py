"""Names of what is made elsewhere: each kind that a step or a document can name is judged, with the name that may be meant."""

import copy
from typing import Any

import pytest

from console import steps
from console.core.documents import workflow_check
from console.core.documents.names_check import Names
from console.core.documents.workflow_check import Surroundings
from tests.core.test_workflow_check import GOOD

NAMES = Names(
    frozenset({"shop", "purchase"}),
    {"returns": "shop", "claims": "shop", "invoices": "purchase"},
    {"order-review": None, "secret-case": "confidential"},
    frozenset({"refunds"}),
    frozenset({"usr_1", "tom@shop.example"}),
)
TOM = "'tom@shop.example'"
FINE: list[tuple[str, dict[str, Any]]] = [
    ("escalate", {"inbox": "returns", "text": "Look."}),
    ("create_task", {"title": "Call", "team": "purchase", "assignee": TOM}),
    ("notify", {"people": [TOM, "'usr_1'", "run.started_by"], "team": "shop", "text": "Look."}),
    ("human_input", {"to": {"team": "shop", "people": [TOM.upper()]}, "question": "Why?"}),
    ("sub_workflow", {"workflow": "order-review"}),
    ("chat_message", {"target": "refunds", "text": "Look."}),
]
WRONG: list[tuple[str, dict[str, Any], str, str, str]] = [
    (
        "escalate",
        {"inbox": "retruns", "text": "Look."},
        "config.inbox",
        "error",
        "There is no inbox retruns: is returns meant?",
    ),
    (
        "escalate",
        {"inbox": "xyz", "text": "Look."},
        "config.inbox",
        "error",
        "There is no inbox xyz: this team has claims, returns.",
    ),
    (
        "escalate",
        {"inbox": "invoices", "text": "Look."},
        "config.inbox",
        "error",
        "The inbox invoices is of another team",
    ),
    (
        "create_task",
        {"title": "Call", "team": "shpo"},
        "config.team",
        "error",
        "There is no team shpo: is shop meant?",
    ),
    (
        "create_task",
        {"title": "Call", "assignee": "'tim@shop.example'"},
        "config.assignee",
        "warning",
        "is tom@shop.example meant?",
    ),
    ("notify", {"team": "shpo", "text": "Look."}, "config.team", "error", "is shop meant?"),
    (
        "notify",
        {"people": [TOM, "'usr_2'"], "text": "Look."},
        "config.people[1]",
        "warning",
        "There is no person usr_2: is usr_1 meant?",
    ),
    (
        "human_input",
        {"to": {"team": "shpo"}, "question": "Why?"},
        "config.to.team",
        "error",
        "is shop meant?",
    ),
    (
        "sub_workflow",
        {"workflow": "ordr-review"},
        "config.workflow",
        "warning",
        "There is no workflow ordr-review: is order-review meant?",
    ),
    (
        "chat_message",
        {"target": "refnds", "text": "Look."},
        "config.target",
        "warning",
        "There is no chat refnds: is refunds meant?",
    ),
]


def said(
    step_type: str, config: dict[str, Any], names: Names | None = NAMES, **document: Any
) -> list[tuple[str | None, str, str, str]]:
    """(step, field, severity, words) of the problems of names in a document with such a step."""
    made = copy.deepcopy(GOOD) | {"team": "shop"} | document
    next(step for step in made["steps"] if step["id"] == "fix").update(type=step_type, config=config)
    found = workflow_check.check(made, steps.all_types(), Surroundings(names=names))
    return [
        (each.step, each.field, each.severity, each.reason)
        for each in found
        if each.reason.startswith(("There is no", "The inbox"))
        and each.field.partition("[")[0] not in ("collection", "segments")
    ]


@pytest.mark.parametrize(("step_type", "config"), FINE)
def test_names_that_are_there_are_fine(step_type: str, config: dict[str, Any]) -> None:
    assert said(step_type, config) == []


@pytest.mark.parametrize(("step_type", "config", "field", "severity", "words"), WRONG)
def test_a_misspelt_name_is_told_with_the_one_that_may_be_meant(
    step_type: str, config: dict[str, Any], field: str, severity: str, words: str
) -> None:
    [problem] = said(step_type, config)
    assert problem[:3] == ("fix", field, severity)
    assert words in problem[3]


def test_a_file_that_is_checked_without_a_console_names_what_it_likes() -> None:
    assert [said(step_type, config, None) for step_type, config, *_ in WRONG] == [[]] * len(WRONG)


def test_the_team_and_the_inbox_of_the_workflow_are_judged_too() -> None:
    fine = {"text": "Look."}
    assert said("guidance", fine, team="shpo")[0][1:3] == ("team", "error")
    assert said("guidance", fine, settings={"inbox": "retruns"})[0][1:3] == ("settings.inbox", "error")


def test_who_edits_is_not_told_of_a_workflow_that_they_may_not_see() -> None:
    [problem] = said("sub_workflow", {"workflow": "secret-cas"})
    assert "secret-case" not in problem[3]
    assert said("sub_workflow", {"workflow": "secret-case"}, clearance="confidential") == []


def test_the_builder_hears_of_no_address_of_a_person() -> None:
    told = Names(NAMES.teams, NAMES.inboxes, NAMES.workflows, NAMES.chats, None)
    assert said("notify", {"people": ["'tim@shop.example'"], "text": "Look."}, told) == []
