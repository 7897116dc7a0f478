"""What the check of a workflow says about roles, rights and actions: what is not there, and what nobody could do."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from console import steps
from console.auth.access.index import Index
from console.auth.access.role_rights import RoleRights
from console.auth.access.rows import parse
from console.core.documents import workflow_check
from console.core.documents.workflow_check import Surroundings
from console.steps.base import StepConfig, StepType
from tests.core.test_workflow_check import COLLECTIONS, GOOD
from tests.tables import cases

POLICY = """
p, role:operator, *, workflow:*, see start resume, allow
p, role:reader,   *, workflow:*, see, allow
p, role:lead,     *, workflow:*, see start resume takeover, allow
g, role:chief, role:lead, *
p, role:operator, t:shop, collection:order order_line, browse read update, allow, record.state == 'open'
p, role:lead,     t:shop, collection:order order_line, browse read, allow
p, role:buyer,    t:purchase, workflow:*, start, allow
p, role:buyer,    t:purchase, collection:order, read update, allow
p, role:operator, t:shop, action:order.ship, execute, allow
p, role:lead,     t:shop, action:order.ship order.stop, request, allow
"""
ACTIONS = {"order.ship": "order", "order.stop": "order", "note.send": None, "line.pack": "order_line"}
Change = Callable[[dict[str, dict[str, Any]], dict[str, Any]], Any]


class ActConfig(StepConfig):
    """An action, perhaps on another record."""

    action: str
    record: str | None = None
    compensation: str | None = None


class Act(StepType):
    """A type that names actions as every type does."""

    name, title, family, icon = "act", "Act", "action", "bolt"
    Config: ClassVar[type[StepConfig]] = ActConfig


def acting(**config: Any) -> Change:
    return lambda step, _: step["fix"].update(type="act", config=config)


def said(
    change: Change, policy: str = POLICY, *, actions: Any = ACTIONS, collections: Any = COLLECTIONS
) -> list[tuple[Any, ...]]:
    """(step, field, whether it is a warning, a few words) of each problem of the good document after the change."""
    made = copy.deepcopy(GOOD) | {"collection": "order", "team": "shop", "variables": {"limit": "10"}}
    change({step["id"]: step for step in made["steps"]}, made)
    around = Surroundings(collections, RoleRights(Index(parse(policy))), actions)
    found = workflow_check.check(made, {**steps.all_types(), "act": Act()}, around)
    return [(problem.step, problem.field, problem.severity, problem.reason) for problem in found]


def less(*lines: str) -> str:
    """The policy without the lines that begin so."""
    return "".join(f"{line}\n" for line in POLICY.splitlines() if not line.startswith(lines))


def deny(role: str, field: str, act: str) -> str:
    return f"{POLICY}p, role:{role}, t:shop, field:order/{field}, {act}, deny\n"


def test_a_workflow_that_somebody_can_do_is_fine() -> None:
    assert said(lambda *_: None) == []


ROLES = [
    (
        "a role that is not there",
        ["operatr"],
        [("fix", "roles[0]", "error", "There is no role operatr: is operator meant?")],
    ),
    ("one of two", ["operator", "boss"], [("fix", "roles[1]", "error", "There is no role boss.")]),
    (
        "roles built from others count",
        ["chief"],
        [
            (
                "fix",
                "config.fields[0]",
                "error",
                "No role that may do this step may change order in the team shop.",
            )
        ],
    ),
    (
        "the level of a role counts",
        ["lead"],
        [
            (
                "fix",
                "config.fields[0]",
                "error",
                "No role that may do this step may change order in the team shop.",
            )
        ],
    ),
    (
        "a role without a right in the workflow",
        ["reader"],
        [
            (
                "fix",
                "roles",
                "error",
                "None of these roles may work in this workflow in the team shop: nobody could do the step.",
            )
        ],
    ),
    (
        "a role of another team",
        ["buyer"],
        [
            (
                "fix",
                "roles",
                "error",
                "None of these roles may work in this workflow in the team shop: nobody could do the step.",
            )
        ],
    ),
]


@cases(("name", "roles", "expected"), ROLES, ids=[row[0] for row in ROLES])
def test_roles_of_a_step(name: str, roles: list[str], expected: list[Any]) -> None:
    assert said(lambda step, _: step["fix"].update(roles=roles)) == expected


def test_roles_that_are_asked_or_told_are_there() -> None:
    def add(step: Any, raw: Any) -> None:
        asked = {
            "id": "ask",
            "type": "approval",
            "title": "Ask",
            "config": {"text": "Well?", "roles": ["leed"]},
            "next": {"default": "tell"},
        }
        told = {
            "id": "tell",
            "type": "notify",
            "title": "Tell",
            "config": {"text": "So.", "roles": ["lead", "boss"]},
            "next": step["fix"]["next"],
        }
        raw["steps"] += [asked, told]
        step["fix"]["next"] = {"default": "ask"}

    found = [
        (step, field, severity)
        for step, field, severity, reason in said(add)
        if reason.startswith("There is no role")
    ]
    assert found == [("ask", "config.roles[0]", "error"), ("tell", "config.roles[1]", "warning")]


def test_roles_of_the_workflow_are_only_meant() -> None:
    assert said(lambda _, raw: raw.update(roles=["operator", "seller", 3])) == [
        (None, "roles[2]", "error", "This must be text."),
        (None, "roles[1]", "warning", "There is no role seller."),
    ]


RIGHTS = [
    ("nobody may work in it", less("p, role:operator, *", "p, role:lead,     *"), [(None, "team", "error")]),
    (
        "nobody may change",
        POLICY.replace("browse read update, allow, record", "browse read, allow, record"),
        [("fix", "config.fields[0]", "error")],
    ),
    (
        "nobody may read",
        less("p, role:operator, t:shop, c", "p, role:lead,     t:shop, c"),
        [
            (None, "collection", "error"),
            ("load", "config.fields[0]", "error"),
            ("load", "config.related[0].relation", "error"),
            ("fix", "config.fields[0]", "error"),
        ],
    ),
    ("a condition is no hindrance", less("p, role:lead,     t:shop, c"), []),
    ("hidden for one role", deny("operator", "state", "read"), [("fix", "config.fields[0]", "error")]),
    (
        "hidden for all",
        deny("operator", "amount", "read") + "p, role:lead, t:shop, field:order/amount, read, deny\n",
        [("load", "config.fields[0]", "warning")],
    ),
    (
        "fixed for all that may change",
        deny("operator", "state", "update"),
        [("fix", "config.fields[0]", "error")],
    ),
    ("fixed for one that may not change anyway", deny("lead", "state", "update"), []),
    (
        "readable in another team only",
        less("p, role:operator, t:shop, c", "p, role:lead,     t:shop, c")
        + "p, role:operator, t:other, collection:order order_line, read, allow\n",
        [
            (None, "collection", "warning"),
            ("load", "config.fields[0]", "warning"),
            ("load", "config.related[0].relation", "warning"),
            ("fix", "config.fields[0]", "error"),
        ],
    ),
]


@cases(("name", "policy", "expected"), RIGHTS, ids=[row[0] for row in RIGHTS])
def test_rights_in_what_a_step_reads_and_changes(name: str, policy: str, expected: list[Any]) -> None:
    def change(step: dict[str, dict[str, Any]], _: dict[str, Any]) -> None:
        step["load"]["config"] = {
            "fields": ["amount"],
            "related": [{"name": "lines", "relation": "line", "fields": ["title"]}],
        }
        step["fix"]["config"] = {"fields": ["state"]}

    assert [problem[:3] for problem in said(change, policy)] == expected


def test_a_workflow_of_no_team_needs_somebody_in_some_team() -> None:
    def change(step: dict[str, dict[str, Any]], raw: dict[str, Any]) -> None:
        raw.pop("team")
        step["fix"]["config"] = {"fields": ["state"]}

    assert said(change) == []
    assert [
        problem[:2]
        for problem in said(
            change, less("p, role:operator, t:shop", "p, role:lead,     t:shop", "p, role:buyer")
        )
    ] == [
        (None, "collection"),
        ("load", "config.fields[0]"),
        ("load", "config.related[0].relation"),
        ("fix", "config.fields[0]"),
    ]


ACTS = [
    ("one of its records", {"action": "order.ship"}, []),
    (
        "one that is done to no record, which nobody may do",
        {"action": "note.send"},
        ["No role that may do this step may execute or request note.send."],
    ),
    (
        "one that is not there",
        {"action": "order.shipp"},
        ["There is no action order.shipp: is order.ship meant?"],
    ),
    (
        "one for other records",
        {"action": "line.pack"},
        [
            "The action line.pack is done to records of order_line, and the run is about order: say on which one (record), or choose another action.",
            "No role that may do this step may execute or request line.pack.",
        ],
    ),
    (
        "one for another record that is named",
        {"action": "line.pack", "record": "steps.load.record.line"},
        ["No role that may do this step may execute or request line.pack."],
    ),
    ("what undoes it", {"action": "order.ship", "compensation": "order.stop"}, []),
    (
        "what would undo it",
        {"action": "order.ship", "compensation": "order.undo"},
        ["There is no action order.undo: is order.stop meant?"],
    ),
    ("a right to ask is enough", {"action": "order.stop"}, []),
]


@cases(("name", "config", "expected"), ACTS, ids=[row[0] for row in ACTS])
def test_actions_that_settings_name(name: str, config: dict[str, Any], expected: list[str]) -> None:
    found = [problem for problem in said(acting(**config)) if problem[0] == "fix"]
    assert [(problem[1].startswith("config."), problem[2], problem[3]) for problem in found] == [
        (True, "error", words) for words in expected
    ]


def test_what_is_not_known_is_not_judged() -> None:
    bad = acting(action="no.such", record=None)
    assert [problem[3] for problem in said(bad, actions=None) if problem[0] == "fix"] == []
    made = copy.deepcopy(GOOD) | {"team": "nowhere"}
    made["steps"][1]["roles"] = ["nobody"]
    assert (
        workflow_check.check(made, steps.all_types(), COLLECTIONS)
        == workflow_check.check(made, steps.all_types(), Surroundings(COLLECTIONS))
        == []
    )


def test_everything_is_said_at_once_and_in_order() -> None:
    def change(step: dict[str, dict[str, Any]], raw: dict[str, Any]) -> None:
        raw["roles"] = ["seller"]
        step["load"]["roles"] = ["nobody"]
        step["fix"].update(roles=["reader"], config={"fields": ["made_at", "colour"]})
        step["ask"]["config"]["form"] = [
            {"name": "who", "label": "Who", "type": "reference", "collection": "people"}
        ]

    assert [problem[:3] for problem in said(change)] == [
        (None, "roles[0]", "warning"),
        ("load", "roles[0]", "error"),
        ("fix", "config.fields[0]", "error"),
        ("fix", "config.fields[1]", "error"),
        ("fix", "roles", "error"),
        ("ask", "config.form[0].collection", "error"),
    ]
