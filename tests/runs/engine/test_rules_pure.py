"""A run keeps the rules of the day on which it began."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.core import expressions
from console.core.actor import Actor
from console.core.documents.workflow import read
from console.core.run import Run, commands, decisions, fold
from console.runs.engine.stepping import context_of, plan_of, step_at
from console.workflows import Definition

pytestmark = pytest.mark.usefixtures("clean")
BEFORE, AFTER = datetime(2027, 7, 9, 23, 59, tzinfo=UTC), datetime(2027, 7, 10, 0, 1, tzinfo=UTC)
OLIVIA = Actor("user", "usr_olivia")
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "slug": "owners",
    "title": "Owners",
    "variables": {"inclusive": {"dated": [{"value": False}, {"valid_from": "2027-07-10", "value": True}]}},
    "tables": {
        "share": {
            "keys": ["kind"],
            "columns": [{"name": "kind"}, {"name": "percent", "type": "decimal"}],
            "rows": [
                {"kind": "company", "percent": "25"},
                {"valid_from": "2027-07-10", "kind": "company", "percent": "15"},
            ],
        }
    },
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "read"}},
        {
            "id": "read",
            "type": "guidance",
            "title": "Read",
            "config": {"text": "x"},
            "next": {"default": "done"},
        },
        {"id": "done", "type": "end", "title": "Done"},
    ],
}
RULE = expressions.parse("lookup(tables.share.percent, 'company') == 25 && !variables.inclusive")


@pytest.mark.parametrize(
    ("began", "worked_on", "former"), [(BEFORE, BEFORE, True), (BEFORE, AFTER, True), (AFTER, AFTER, False)]
)
def test_a_run_keeps_the_rules_of_its_first_day(began: datetime, worked_on: datetime, former: bool) -> None:
    definition = Definition("wf_1", "owners", "Owners", 1, "00", read(DOCUMENT))
    command = commands.Start(OLIVIA.id, "run_1", "operations", 1, "wf_1", None, None, None, {}, {})
    run = fold(decisions.decide(plan_of(definition), Run(), command, began), Run())
    roots = context_of(OLIVIA, step_at(definition, run), None, worked_on).roots
    assert RULE.test(roots) is former
    assert roots["now"] == worked_on
