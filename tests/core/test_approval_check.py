"""An approval that nobody could give is named before it is published: roles, what they may see, rules and the people there are, taken together."""

from collections.abc import Mapping
from typing import Any

import pytest

from console import steps
from console.auth.access import RoleRights, parse
from console.auth.access.index import Index
from console.core.documents.action_document import ApprovalRule
from console.core.documents.environment_check import Surroundings
from console.core.documents.workflow_check import check

POLICY = """
p, role:clerk, *, workflow:asking, see start resume, allow
p, role:lead, *, workflow:asking, see, allow
p, role:lead, *, action:pay.out, approve, allow
p, role:judge, *, collection:customer, read, allow
p, role:payer, *, workflow:asking, see, allow
p, role:lead clerk, *, collection:customer, read, allow
"""
NAMES = {"usr_ann": "Ann", "usr_ben": "Ben", "usr_cyd": "Cyd"}


def document(config: Mapping[str, Any] | None, action: bool = False) -> dict[str, Any]:
    ask = {
        "id": "ask",
        "type": "approval",
        "title": "Ask",
        "config": {"text": "May we?", **(config or {})},
        "next": {"default": "end"},
    }
    pay = {
        "id": "ask",
        "type": "trigger_action",
        "title": "Pay",
        "config": {"action": "pay.out"},
        "next": {"default": "end"},
    }
    made = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "note"}},
        {
            "id": "note",
            "type": "guidance",
            "title": "Note",
            "config": {"text": "x"},
            "next": {"default": "ask"},
        },
        pay if action else ask,
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ]
    return {"format": 1, "slug": "asking", "title": "Asking", "collection": None, "team": "t", "steps": made}


def around(
    people: Mapping[str, str], *, closed: str = "", approval: dict[str, Any] | None = None
) -> Surroundings:
    """`people`: name → roles in the team."""
    policy = "".join(f"{line}\n" for line in POLICY.strip().splitlines() if "lead clerk" not in line)
    rows = "".join(
        f"g, user:usr_{name}, role:{role}, t:t\n" for name, roles in people.items() for role in roles.split()
    )
    rules = {"pay.out": [ApprovalRule.model_validate(approval)]} if approval is not None else {}
    there = {
        person: name
        for person, name in NAMES.items()
        if person.removeprefix("usr_") in people and person != f"usr_{closed}"
    }
    return Surroundings(
        None,
        RoleRights(Index(parse(policy + rows))),
        {"pay.out": None},
        approvals=rules,
        people=there,
        managers=("Ines", "Ida"),
    )


def said(made: dict[str, Any], here: Surroundings) -> list[str]:
    return [
        problem.reason for problem in check(made, steps.all_types(), here) if "approval" in problem.reason
    ]


@pytest.mark.parametrize(
    ("config", "people", "closed", "why"),
    [
        ({"roles": ["lead"]}, {"ann": "clerk", "ben": "lead"}, "", None),
        ({"roles": ["lead"]}, {"ann": "clerk"}, "", "nobody has the role lead in the team t"),
        ({"roles": ["lead"]}, {"ann": "clerk", "ben": "lead"}, "ben", "nobody has the role lead"),
        (
            {"roles": ["judge"]},
            {"ann": "clerk", "ben": "judge"},
            "",
            "(Ben) may not see runs of this workflow",
        ),
        ({"roles": ["judge", "lead"]}, {"ann": "clerk", "ben": "judge", "cyd": "lead"}, "", None),
        (
            {"roles": ["lead"], "needs": 2},
            {"ann": "clerk", "ben": "lead"},
            "",
            "1 of the 2 who are needed has",
        ),
        ({"roles": ["lead"], "needs": 2}, {"ann": "clerk", "ben": "lead", "cyd": "lead"}, "", None),
        ({"roles": ["clerk"]}, {"ann": "clerk"}, "", "nobody else has the role clerk"),
        ({"roles": ["clerk"]}, {"ann": "clerk", "ben": "clerk"}, "", None),
        ({"roles": ["clerk"], "not_by": []}, {"ann": "clerk"}, "", None),
        (
            {"roles": ["lead"], "not_by": ["requester", "step:note"]},
            {"ann": "clerk lead"},
            "",
            "nobody else has the role lead",
        ),
        ({"roles": ["lead"], "not_by": ["step:note"]}, {"ann": "clerk lead", "ben": "clerk"}, "", None),
    ],
)
def test_an_answer_that_nobody_could_give(
    config: dict[str, Any], people: dict[str, str], closed: str, why: str | None
) -> None:
    found = said(document(config), around(people, closed=closed))
    assert len(found) == (why is not None)
    if why is not None:
        assert why in found[0]
        assert "Ask Ines and Ida" in found[0]


@pytest.mark.parametrize(
    ("people", "closed", "able"),
    [
        ({"ann": "clerk"}, "", True),
        ({"ann": "lead"}, "", False),
        ({"ann": "clerk", "ben": "lead"}, "ann", False),
        ({"ann": "judge clerk"}, "", True),
    ],
)
def test_a_step_that_nobody_could_do_is_remarked_with_whom_to_ask(
    people: dict[str, str], closed: str, able: bool
) -> None:
    """The role may work in the workflow; it is people that are missing."""
    made = document({"roles": ["lead"], "not_by": []})
    made["steps"][1]["roles"] = ["clerk"]
    found = [
        problem
        for problem in check(made, steps.all_types(), around(people, closed=closed))
        if problem.step == "note"
    ]
    assert (
        not found
        if able
        else [(problem.field, problem.severity) for problem in found] == [("roles", "warning")]
    )
    if not able:
        assert found[0].reason.startswith("Nobody can do this step: nobody has the role clerk in the team t")
        assert "Ask Ines and Ida" in found[0].reason


@pytest.mark.parametrize(
    ("rule", "people", "why"),
    [
        ({"roles": ["lead"]}, {"ann": "clerk", "ben": "lead"}, None),
        ({"roles": ["payer"]}, {"ann": "clerk", "ben": "payer"}, "(Ben) may not approve pay.out"),
        ({"roles": ["lead"], "needs": 2}, {"ann": "clerk", "ben": "lead"}, "1 of the 2 who are needed"),
        ({"roles": ["lead"]}, {"ann": "clerk lead"}, "nobody else has the role lead"),
    ],
)
def test_an_action_that_nobody_could_approve(
    rule: dict[str, Any], people: dict[str, str], why: str | None
) -> None:
    found = said(document(None, action=True), around(people, approval=rule))
    assert (len(found), why is None or why in found[0]) == (why is not None, True)


def test_nothing_is_said_where_people_are_not_known() -> None:
    assert said(document({"roles": ["lead"]}), Surroundings()) == []


@pytest.mark.parametrize(
    ("ways", "reads", "heard"),
    [
        ({"default": "end"}, "", False),
        ({"approved": "end", "default": "end"}, "", False),
        ({"default": "end", "rejected": "refused"}, "", True),
        ({"approved": "end", "default": "refused"}, "", True),
        ({"default": "end"}, "{{ steps.ask.decision }}", True),
    ],
)
def test_a_no_that_leads_where_a_yes_does_is_remarked(ways: dict[str, str], reads: str, heard: bool) -> None:
    told = document({"roles": ["lead"]})
    told["steps"][2]["next"] = ways
    refused = {
        "id": "refused",
        "type": "guidance",
        "title": "Refused",
        "config": {"text": f"No. {reads}"},
        "next": {"default": "end"},
    }
    told["steps"].insert(3, refused)
    found = [each for each in check(told, steps.all_types()) if each.field == "next.rejected"]
    assert [each.severity for each in found] == ([] if heard else ["warning"])
