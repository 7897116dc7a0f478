"""Who acts, what they see of a collection, and the roles that the shipped policy gives them; all of it without a database."""

import csv
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from console.auth.access.rows import ACTS, POLICIES, Row, checked, export, kind_of, parse as parse_policy
from console.core.actor import Actor
from console.core.expressions import parse
from console.core.scopes import Scope, none, unrestricted
from tests.tables import cases

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
MIRA = Actor(
    "user",
    "usr_mira",
    name="Mira",
    email="mira@fernwick.example",
    session="ses_1",
    teams=("operations", "finance"),
    roles=frozenset({("operator", "operations"), ("operator", "finance"), ("auditor", "*")}),
    tags={"desks": ["retail"], "limit": 500},
)


# --- actors -----------------------------------------------------------------------------------------------------------------------


def test_what_an_expression_knows_of_an_actor() -> None:
    assert MIRA.attributes == {
        "id": "usr_mira",
        "email": "mira@fernwick.example",
        "name": "Mira",
        "teams": ["operations", "finance"],
        "roles": ["auditor", "operator"],
        "tags": {"desks": ["retail"], "limit": 500},
    }


@cases("secret", ["session", "key_id", "policy", "kind", "locale", "zone"])
def test_what_no_expression_knows_of_an_actor(secret: str) -> None:
    assert secret not in MIRA.attributes


# --- scopes of that actor -----------------------------------------------------------------------------------------------------------


@cases(
    ("text", "values", "allowed"),
    [
        ("record.owner == $currentUser.id", {"owner": "usr_mira"}, True),
        ("record.owner == $currentUser.id", {"owner": "usr_noa"}, False),
        ("record.owner == $currentUser.id", {}, False),
        ("record.mail == $currentUser.email", {"mail": "mira@fernwick.example"}, True),
        ("record.team in $currentUser.teams", {"team": "finance"}, True),
        ("record.team in $currentUser.teams", {"team": "growth"}, False),
        ("record.team in $currentUser.teams", {"team": None}, False),
        ("record.desk in $currentUser.tags.desks", {"desk": "retail"}, True),
        ("record.desk in $currentUser.tags.desks", {"desk": "Retail"}, False),
        ("record.amount <= $currentUser.tags.limit", {"amount": 500}, True),
        ("record.amount <= $currentUser.tags.limit", {"amount": 501}, False),
        ("record.amount <= $currentUser.tags.limit", {"amount": None}, False),
        ("record.amount <= $currentUser.tags.nothing", {"amount": 1}, False),
        ("'auditor' in $currentUser.roles", {}, True),
        ("'lead' in $currentUser.roles", {}, False),
        ("record.name == $currentUser.name", {"name": "Mira"}, True),
        ("record.due <= now", {"due": datetime(2026, 5, 31, 12, tzinfo=UTC)}, True),
        ("record.due < now", {"due": datetime(2026, 5, 31, 12, tzinfo=UTC)}, False),
        ("true", {}, True),
        ("false", {}, False),
        ("null", {}, False),
        ("record.open", {"open": True}, True),
        ("record.open", {"open": False}, False),
        ("record.open", {"open": None}, False),
    ],
)
def test_a_condition_allows_a_record(text: str, values: dict[str, Any], allowed: bool) -> None:
    assert Scope("c", (parse(text),), attributes=MIRA.attributes).allows(values, NOW) is allowed


@cases(
    ("allow", "deny", "values", "allowed"),
    [
        ("", "", {"a": 1, "b": 1}, False),
        ("a", "", {"a": 1, "b": 2}, True),
        ("ab", "", {"a": 2, "b": 1}, True),
        ("ab", "", {"a": 2, "b": 2}, False),
        ("a", "b", {"a": 1, "b": 1}, False),
        ("a", "b", {"a": 1, "b": 2}, True),
        ("a", "b", {"a": 1, "b": None}, False),
        ("a", "b", {"a": None, "b": 2}, False),
        ("ab", "ab", {"a": 1, "b": 2}, False),
        ("*", "", {}, True),
        ("*", "a", {"a": 1}, False),
        ("*", "a", {"a": 2}, True),
        ("*", "ab", {"a": 2, "b": 1}, False),
        ("*", "ab", {"a": 2, "b": 2}, True),
        ("*a", "", {"a": 2}, True),
        ("", "a", {"a": 2}, False),
    ],
)
def test_any_allow_and_no_deny(allow: str, deny: str, values: dict[str, Any], allowed: bool) -> None:
    allows, denies = (
        tuple(parse(f"record.{name} < 2") for name in text if name != "*") for text in (allow, deny)
    )
    assert Scope("c", allows, denies, everything="*" in allow).allows(values, NOW) is allowed


@cases(
    ("allow", "deny", "everything", "nothing", "unlimited"),
    [
        (0, 0, False, True, False),
        (0, 1, False, True, False),
        (1, 0, False, False, False),
        (1, 1, False, False, False),
        (0, 0, True, False, True),
        (1, 0, True, False, True),
        (0, 1, True, False, False),
    ],
)
def test_nothing_and_unlimited(
    allow: int, deny: int, everything: bool, nothing: bool, unlimited: bool
) -> None:
    made = Scope("c", (parse("true"),) * allow, (parse("true"),) * deny, everything=everything)
    assert (made.nothing, made.unlimited) == (nothing, unlimited)


@pytest.mark.parametrize("values", [{}, {"id": 1}, {"id": None, "x": "y"}], ids=["empty", "key", "nulls"])
def test_the_whole_allows_every_record_and_nothing_allows_none(values: dict[str, Any]) -> None:
    assert unrestricted("c").allows(values)
    assert not none("c").allows(values)
    assert not none("c").allows(values, NOW)


# --- the shipped roles, read as text ------------------------------------------------------------------------------------------------

TEXT = "".join((POLICIES / name).read_text(encoding="utf-8") for name in ("roles.csv", "fernwick.csv"))
LINES = [
    (number, line)
    for number, line in enumerate(TEXT.splitlines(), 1)
    if line.strip() and not line.startswith("#")
]
CELLS = [[cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))] for _, line in LINES]
ROWS = parse_policy(TEXT)
LEVELS = ("operator", "lead", "reviewer", "auditor", "developer", "admin")
BUILT = {cells[1] for cells in CELLS if cells[0] == "g"}
TEAMS = ("*", "t:operations", "t:finance", "t:financial_crime", "t:procurement", "t:growth")
every_line = pytest.mark.parametrize("at", range(len(LINES)), ids=[f"line-{number}" for number, _ in LINES])


@every_line
def test_a_line_parses_by_itself(at: int) -> None:
    rows = parse_policy(LINES[at][1])
    assert rows
    assert [checked(row) for row in rows] == rows


@every_line
def test_a_line_names_known_roles_and_teams(at: int) -> None:
    cells = CELLS[at]
    role, team, other = (cells[1], cells[2], None) if cells[0] == "p" else (cells[1], cells[3], cells[2])
    assert team in TEAMS
    assert other is None or other.removeprefix("role:") in LEVELS
    assert role in BUILT or role.removeprefix("role:") in LEVELS


def test_no_line_stands_twice() -> None:
    assert [line for line, count in Counter(tuple(cells) for cells in CELLS).items() if count > 1] == []


def test_no_right_is_given_by_two_lines() -> None:
    counted: Counter[Row] = Counter(row for _, line in LINES for row in parse_policy(line))
    assert [row for row, count in counted.items() if count > 1] == []


def test_nothing_is_both_allowed_and_denied_to_one_role() -> None:
    sides = {
        effect: {(row.sub, row.dom, row.obj, row.act) for row in ROWS if row.eft == effect}
        for effect in ("allow", "deny")
    }
    assert not sides["allow"] & sides["deny"]


def test_every_act_belongs_to_its_kind_of_object() -> None:
    assert [row for row in ROWS if row.ptype == "p" and row.act not in ACTS[kind_of(row.obj)]] == []


def test_every_condition_can_be_read() -> None:
    conditions = [row.expression for row in ROWS if row.expression]
    assert conditions
    assert [text for text in conditions if not parse(text)] == []


def test_no_line_names_a_person_or_a_key() -> None:
    assert {row.sub.partition(":")[0] for row in ROWS} == {"role"}


def test_no_role_is_given_every_collection() -> None:
    assert "collection:*" not in {row.obj for row in ROWS}


def test_what_no_shipped_role_may_do_to_a_record() -> None:
    assert [row for row in ROWS if row.act == "delete"] == []


def test_who_sees_dots_may_reveal_and_nobody_else_has_to() -> None:
    assert {row.sub for row in ROWS if row.act == "reveal"} == {"role:reviewer"}


@pytest.mark.parametrize("role", ["auditor", "reviewer", "admin"])
def test_who_only_looks_changes_no_record(role: str) -> None:
    acts = {row.act for row in ROWS if row.sub == f"role:{role}" and kind_of(row.obj) == "collection"}
    assert acts <= {"browse", "read", "reveal"}
    assert "read" in acts


def test_the_exported_policy_is_the_same_policy() -> None:
    assert sorted(parse_policy(export(ROWS))) == sorted(ROWS)
