"""House rules with the days from which they are valid: what holds on a day, and what a document may not say."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console import steps
from console.core import expressions
from console.core.documents import workflow_check
from console.core.documents.workflow import Workflow, read
from console.core.expressions.operands import UNKNOWN
from console.core.policy import on_day, rules
from tests.tables import cases

OWNERS: dict[str, Any] = {"dated": [{"value": False}, {"valid_from": "2027-07-10", "value": True}]}
LIMITS: dict[str, Any] = {
    "keys": ["role", "exponent"],
    "columns": [
        {"name": "role"},
        {"name": "exponent", "type": "integer"},
        {"name": "eur", "type": "decimal", "label": "Limit"},
        {"name": "since", "type": "date"},
        {"name": "alone", "type": "boolean"},
    ],
    "rows": [
        {"role": "operator", "exponent": 2, "eur": "200.00", "since": "2026-01-01", "alone": True},
        {"valid_from": "2027-01-01", "role": "operator", "exponent": 2, "eur": 250},
        {"valid_from": "2026-11-20", "role": "lead", "exponent": 2, "eur": "2000"},
    ],
}


def document(**more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "slug": "a-try",
        "title": "A try",
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "done"}},
            {"id": "done", "type": "end", "title": "Done"},
        ],
        **more,
    }


MADE: Workflow = read(document(variables={"owners": OWNERS, "days": 90}, tables={"limits": LIMITS}))


@cases(
    ("day", "text", "value"),
    [
        ("2027-07-09", "variables.owners", False),
        ("2027-07-10", "variables.owners", True),
        ("2020-01-01", "variables.days", 90),
        ("2026-12-31", "lookup(tables.limits.eur, 'operator', 2)", "200.00"),
        ("2027-01-01", "lookup(tables.limits.eur, 'operator', 2)", "250"),
        ("2027-01-01", "lookup(tables.limits.alone, 'operator', 2)", None),
        ("2026-12-31", "lookup(tables.limits.since, 'operator', '2.0') == date('2026-01-01')", True),
        ("2026-12-31", "lookup(tables.limits.eur, 'operator', 2) == 200", True),
        ("2026-11-19", "lookup(tables.limits.eur, 'lead', 2)", None),
        ("2026-11-19", "lookup(tables.limits.eur, 'lead', 2, 0)", 0),
        ("2026-11-20", "lookup(tables.limits.eur, 'lead', 2, 0)", "2000"),
        ("2026-11-20", "lookup(tables.limits.eur, 2, 'lead', 0)", None),
        ("2026-11-20", "lookup(tables.limits.eur, null, 2, 0)", None),
        ("2026-11-20", "lookup(tables.limits.eur, 'lead', true, 0)", None),
        ("2026-11-20", "lookup(tables.limits.eur, 'lead')", None),
        ("2026-11-20", "lookup(tables.none.eur, 'lead', 2, 0)", None),
    ],
)
def test_what_holds_on_a_day(day: str, text: str, value: Any) -> None:
    assert expressions.parse(text).evaluate(on_day(MADE, date.fromisoformat(day)).roots) == value


@pytest.mark.parametrize(
    ("at", "owners"),
    [
        ("2027-07-09T23:59:59+00:00", False),
        ("2027-07-10T01:00:00+02:00", False),
        ("2027-07-10T00:00:00Z", True),
    ],
)
def test_days_begin_at_midnight_in_utc(at: str, owners: bool) -> None:
    assert rules(MADE, datetime.fromisoformat(at)).variables["owners"] is owners


def test_what_is_not_valid_yet_is_unknown() -> None:
    made = read(document(variables={"later": {"dated": [{"valid_from": "2030-01-01", "value": 1}]}}))
    assert expressions.parse("variables.later").value(on_day(made, date(2029, 12, 31)).roots) is UNKNOWN
    assert rules(made, datetime(2030, 1, 1, tzinfo=UTC)).variables == {"later": 1}


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab")), unique=True, max_size=12),
    st.integers(-1, 41),
)
def test_the_row_of_the_latest_day_is_valid_in_whatever_order_they_stand(
    begun: list[tuple[int, str]], today: int
) -> None:
    first = date(2026, 1, 1)
    rows = [
        {"valid_from": (first + timedelta(days=day)).isoformat(), "key": key, "n": day} for day, key in begun
    ]
    table = {"keys": ["key"], "columns": [{"name": "key"}, {"name": "n", "type": "integer"}], "rows": rows}
    roots = on_day(read(document(tables={"t": table})), first + timedelta(days=today)).roots
    for key in "ab":
        expected = max((day for day, other in begun if other == key and day <= today), default=None)
        assert expressions.parse(f"lookup(tables.t.n, '{key}')").evaluate(roots) == expected


def test_a_table_is_read_once_and_looked_up_in_one_step() -> None:
    rows = [{"key": f"k{number}", "n": number} for number in range(5_000)]
    made = read(
        document(
            tables={
                "t": {
                    "keys": ["key"],
                    "columns": [{"name": "key"}, {"name": "n", "type": "integer"}],
                    "rows": rows,
                }
            }
        )
    )
    answers = on_day(made, date(2026, 1, 1)).tables["t"]["n"]
    assert len(answers.found) == 5_000
    assert answers.at(("k4999",)) == 4999


def test_rules_come_back_as_they_were_written() -> None:
    text = MADE.canonical()
    assert read(text) == MADE
    assert read(text).canonical() == text
    told = json.loads(text)
    assert told["variables"] == {"days": 90, "owners": OWNERS}
    assert told["tables"]["limits"]["rows"][1] == {
        "eur": 250,
        "exponent": 2,
        "role": "operator",
        "valid_from": "2027-01-01",
    }
    assert "description" not in told["tables"]["limits"]
    assert "tables" not in json.loads(read(document()).canonical())


def changed(**more: Any) -> dict[str, Any]:
    return {**LIMITS, **more}


ROW = LIMITS["rows"][0]
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"variables": {"a": {"dated": []}}}, "variables.a.dated", "This may not be empty."),
    ({"variables": {"a": {"dated": 5}}}, "variables.a.dated", "This must be a list."),
    (
        {"variables": {"a": {"dated": [{"value": 1}], "other": 1}}},
        "variables.a.other",
        "There is no setting other here",
    ),
    (
        {"variables": {"a": {"dated": [{"value": 1, "valid_form": "2026-01-01"}]}}},
        "variables.a.dated[0].valid_form",
        "is valid_from meant?",
    ),
    (
        {"variables": {"a": {"dated": [{"valid_from": "2026-02-30", "value": 1}]}}},
        "variables.a.dated[0].valid_from",
        "a day of the calendar",
    ),
    (
        {"variables": {"a": {"dated": [{"value": 1}, {"value": 2}]}}},
        "variables.a",
        "Only the first value may do without valid_from.",
    ),
    (
        {
            "variables": {
                "a": {
                    "dated": [
                        {"valid_from": "2027-01-01", "value": 1},
                        {"valid_from": "2026-01-01", "value": 2},
                    ]
                }
            }
        },
        "variables.a",
        "in the order",
    ),
    (
        {"variables": {"a": {"dated": [{"valid_from": "2027-01-01", "value": 1}] * 2}}},
        "variables.a",
        "Two values are valid from 2027-01-01: keep one.",
    ),
    (
        {"variables": {"a": {"dated": [{"value": 1}, {"valid_from": "2027-01-01", "value": "many"}]}}},
        "variables.a",
        "different kinds",
    ),
    ({"tables": {"t": changed(keys=[])}}, "tables.t.keys", "This may not be empty."),
    ({"tables": {"t": changed(keys=["rolle"])}}, "tables.t", "Keys names what is no column: rolle."),
    ({"tables": {"t": changed(keys=["role", "role"])}}, "tables.t", "Keys names a column twice."),
    (
        {"tables": {"t": changed(keys=["role", "exponent"], columns=LIMITS["columns"][:2])}},
        "tables.t",
        "there is nothing to look up",
    ),
    (
        {"tables": {"t": changed(columns=[*LIMITS["columns"], {"name": "eur"}])}},
        "tables.t",
        "Two columns are named eur.",
    ),
    (
        {"tables": {"t": changed(columns=[*LIMITS["columns"], {"name": "valid_from"}])}},
        "tables.t",
        "No column can be named valid_from",
    ),
    (
        {"tables": {"t": changed(columns=[{"name": "role", "typ": "text"}])}},
        "tables.t.columns[0].typ",
        "is type meant?",
    ),
    (
        {"tables": {"t": changed(columns=[{"name": "role", "type": "float"}, *LIMITS["columns"][1:]])}},
        "tables.t.columns[0].type",
        "This must be one of",
    ),
    ({"tables": {"t": changed(rows=[{**ROW, "euro": 1}])}}, "tables.t", "Row 1: there is no column euro."),
    (
        {"tables": {"t": changed(rows=[ROW, {"role": "lead", "eur": 1}])}},
        "tables.t",
        "Row 2: the key exponent is missing.",
    ),
    (
        {"tables": {"t": changed(rows=[{**ROW, "eur": "much"}])}},
        "tables.t",
        'Row 1: eur is of type decimal: "much" is not.',
    ),
    (
        {"tables": {"t": changed(rows=[{**ROW, "alone": "true"}])}},
        "tables.t",
        'Row 1: alone is of type boolean: "true" is not.',
    ),
    (
        {"tables": {"t": changed(rows=[{**ROW, "exponent": True}])}},
        "tables.t",
        "Row 1: exponent is of type integer: true is not.",
    ),
    (
        {"tables": {"t": changed(rows=[{**ROW, "since": "2026-13-01"}])}},
        "tables.t",
        "Row 1: since is of type date",
    ),
    (
        {"tables": {"t": changed(rows=[{**ROW, "valid_from": "soon"}])}},
        "tables.t",
        "Row 1: valid_from must be a day",
    ),
    (
        {"tables": {"t": changed(rows=[ROW, {**ROW, "eur": "1"}])}},
        "tables.t",
        "Rows 1 and 2 overlap: the same keys, valid from the same day.",
    ),
    ({"tables": {"T": LIMITS}}, "tables.T", "a small letter first"),
]


@cases(("more", "place", "said"), WRONG, ids=[f"{row[1]}-{number}" for number, row in enumerate(WRONG)])
def test_what_cannot_be_a_rule_is_named_with_its_place(more: dict[str, Any], place: str, said: str) -> None:
    found = [
        (problem.field, problem.reason)
        for problem in workflow_check.check(document(**more), steps.all_types())
    ]
    assert [reason for field, reason in found if field == place and said in reason], found


def test_a_step_may_not_have_the_name_of_the_tables() -> None:
    made = document()
    made["steps"][0]["next"] = {"default": "tables"}
    made["steps"][1]["id"] = "tables"
    assert [problem.reason for problem in workflow_check.check(made, steps.all_types())] == [
        "tables is a word of the expression language: choose another id."
    ]


def test_values_of_a_table_are_exact() -> None:
    assert on_day(MADE, date(2026, 6, 1)).tables["limits"]["eur"].at(("operator", 2)) == Decimal("200.00")
