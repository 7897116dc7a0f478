"""Who did one thing may not do another: the rule, and what the check of a workflow says about rules that could keep everybody away."""

from typing import Any

import pytest

from console import steps
from console.core.documents.environment_check import Surroundings
from console.core.documents.workflow_check import check
from console.core.run.duties import DoneStep, refusal_by_rule, violated_rule

DONE = [
    DoneStep("enter", "usr_a", {"iban": "DE1", "holder": ""}),
    DoneStep("enter", "usr_b", {"iban": None, "holder": "X"}),
    DoneStep("call", None, {}),
]


@pytest.mark.parametrize(
    ("rules", "person", "rule"),
    [
        (["step:enter"], "usr_a", "step:enter"),
        (["step:enter"], "usr_b", "step:enter"),
        (["step:enter"], "usr_c", None),
        (["step:call"], "usr_a", None),
        (["step:enter.iban"], "usr_a", "step:enter.iban"),
        (["step:enter.iban"], "usr_b", None),
        (["step:enter.holder"], "usr_a", None),
        (["step:enter.holder"], "usr_b", "step:enter.holder"),
        (["step:enter.unknown"], "usr_a", None),
        (["starter"], "usr_s", "starter"),
        (["starter"], "usr_a", None),
        (["requester"], "usr_r", "requester"),
        (["requester", "starter"], "usr_s", "starter"),
        (["person:usr_c"], "usr_c", "person:usr_c"),
        (["C@fernwick.example"], "usr_c", "C@fernwick.example"),
        ([], "usr_a", None),
    ],
)
def test_the_first_rule_that_keeps_somebody_away_is_named(
    rules: list[str], person: str, rule: str | None
) -> None:
    assert (
        violated_rule(
            rules, iter(DONE), person, email="c@fernwick.example", starter="usr_s", requester="usr_r"
        )
        == rule
    )


@pytest.mark.parametrize(
    ("rule", "could", "words"),
    [
        ("starter", [], "You began this run, so somebody else has to do “Confirm” (rule “starter”). Save"),
        (
            "step:enter",
            ["Mona"],
            "You did the step “Bank data”, so somebody else has to do “Confirm” (rule “step:enter”). Mona could.",
        ),
        (
            "step:enter.iban",
            ["A", "B", "C"],
            "You filled in iban in the step “Bank data”, so somebody else has to do “Confirm” (rule “step:enter.iban”). A, B or C could.",
        ),
    ],
)
def test_a_refusal_names_the_rule_and_who_could(rule: str, could: list[str], words: str) -> None:
    error = refusal_by_rule(rule, {"enter": "Bank data"}, "Confirm", could)
    assert error.message.startswith(words)
    assert (error.code, error.details) == ("separation_of_duties", [{"field": "rule", "reason": rule}])


# --------------------------------------------------------------------------------------------------------------------- the check


class Rights:
    """Roles by who has them; each may do everything in the workflow."""

    def __init__(self, **people: str) -> None:
        self.holders = {role: frozenset(names.split()) for role, names in people.items()}
        self.roles = frozenset(people)

    def held(self, role: str, team: str | None) -> frozenset[str]:
        return frozenset({role})

    def may(self, role: str, team: str | None, obj: str, act: str) -> bool:
        return True

    def closed(self, role: str, team: str | None, collection: str) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(), frozenset()

    def people(self, role: str, team: str | None) -> frozenset[str]:
        return self.holders[role]

    def allows(self, person: str, team: str | None, obj: str, act: str) -> bool:
        return True


def document(not_by: list[Any], roles: dict[str, list[str]] | None = None) -> dict[str, Any]:
    note = {"form": [{"name": "iban", "label": "IBAN"}]}
    made: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "enter"}},
        {
            "id": "enter",
            "type": "update_data",
            "title": "Enter",
            "config": note,
            "next": {"default": "confirm"},
        },
        {
            "id": "confirm",
            "type": "guidance",
            "title": "Confirm",
            "config": {"text": "x"},
            "not_by": not_by,
            "next": {"default": "after"},
        },
        {
            "id": "after",
            "type": "guidance",
            "title": "After",
            "config": {"text": "x"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ]
    for step in made:
        if roles and step["id"] in roles:
            step["roles"] = roles[step["id"]]
    return {
        "format": 1,
        "slug": "apart",
        "title": "Apart",
        "collection": None,
        "team": "t",
        "roles": [],
        "settings": {},
        "steps": made,
    }


@pytest.mark.parametrize(
    ("rule", "reason", "severity"),
    [
        ("starter", None, None),
        ("step:enter", None, None),
        ("step:enter.iban", None, None),
        ("requester", "A rule is starter, step:<id> or step:<id>.<field>, not requester.", "error"),
        ("step:enterr", "There is no step enterr: is enter meant?", "error"),
        ("step:confirm", "A step cannot be kept from who did it: nobody could do it twice.", "error"),
        ("step:after", "No way leads from after to this step: the rule keeps nobody from it.", "warning"),
        ("step:enter.ibann", "The step enter asks for no ibann: is iban meant?", "error"),
    ],
)
def test_a_rule_that_means_nothing_is_named(rule: str, reason: str | None, severity: str | None) -> None:
    told = [
        (problem.field, problem.reason, problem.severity)
        for problem in check(document([rule]), steps.all_types())
    ]
    assert told == ([] if reason is None else [("not_by[0]", reason, severity)])


@pytest.mark.parametrize(
    ("rules", "roles", "people", "stuck"),
    [
        (["step:enter"], {}, {"clerk": "ann"}, True),
        (["step:enter"], {}, {"clerk": "ann ben"}, False),
        (["starter"], {}, {"clerk": "ann"}, True),
        (["step:enter"], {"enter": ["clerk"], "confirm": ["lead"]}, {"clerk": "ann", "lead": "mona"}, False),
        (["step:enter"], {"enter": ["clerk"], "confirm": ["lead"]}, {"clerk": "mona", "lead": "mona"}, True),
        (
            ["step:enter"],
            {"enter": ["clerk"], "confirm": ["lead"]},
            {"clerk": "mona ann", "lead": "mona"},
            False,
        ),
        (
            ["starter", "step:enter"],
            {"enter": ["clerk"], "confirm": ["lead"]},
            {"clerk": "ann", "lead": "ann ben"},
            False,
        ),
        (["step:enter"], {}, {"clerk": ""}, False),
    ],
)
def test_duties_that_one_person_alone_could_do_are_warned_of(
    rules: list[str], roles: dict[str, list[str]], people: dict[str, str], stuck: bool
) -> None:
    found = check(document(rules, roles), steps.all_types(), Surroundings(rights=Rights(**people)))
    warned = [problem for problem in found if problem.field == "not_by"]
    assert [(problem.step, problem.severity) for problem in warned] == (
        [("confirm", "warning")] if stuck else []
    )
