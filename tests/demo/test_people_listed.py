"""Who works at Fernwick Pay, against the policy."""

import re
from pathlib import Path
from typing import Any

import pytest

from console.demo import loading, staff
from tests.tables import cases

POLICY = "".join(
    (Path(__file__).parents[2] / "policies" / name).read_text(encoding="utf-8")
    for name in ("roles.csv", "fernwick.csv")
)
LEVELS = {"operator", "lead", "reviewer", "auditor", "developer", "admin"}
PEOPLE = [
    ("olivia", "operator", "operations"),
    ("tom", "operator", "operations"),
    ("mona", "operations_lead", "operations"),
    ("stan", "buyer", "procurement"),
    ("lena", "procurement_lead", "procurement"),
    ("petra", "finance_controller", "finance"),
    ("malik", "mlro", "financial_crime"),
    ("gita", "campaign_manager", "growth"),
    ("rosa", "reviewer", "financial_crime"),
    ("ada", "auditor", "audit"),
    ("ines", "admin", "admin"),
]


def lines(kind: str) -> list[list[str]]:
    """The lines of the policy of that kind, its cells without blanks."""
    read = [line for line in POLICY.splitlines() if line.startswith(f"{kind},")]
    return [[cell.strip() for cell in line.split(",", 6)] for line in read]


def roles_of(role: str) -> set[str]:
    """A role and the level that it is built from."""
    return {role} | {line[2].removeprefix("role:") for line in lines("g") if line[1] == f"role:{role}"}


def grants(person: dict[str, Any]) -> list[list[str]]:
    """Lines that allow this person something, in the teams that it is in."""
    teams = {f"t:{team}" for team in (person["team"], *person.get("also", ()))} | {"*"}
    who = {f"role:{role}" for role in roles_of(person["role"])}
    return [line for line in lines("p") if line[1] in who and line[2] in teams and line[5] == "allow"]


@pytest.fixture(scope="module")
def by_name() -> dict[str, dict[str, Any]]:
    return {person["first"]: person for person in staff.listed()}


@cases(("first", "role", "team"), PEOPLE)
def test_roles_lead_to_lines_of_the_policy(
    by_name: dict[str, dict[str, Any]], first: str, role: str, team: str
) -> None:
    assert roles_of(role) & LEVELS, "a role that is no level must be built from one"
    assert grants(by_name[first])


@cases(
    ("first", "collection", "act", "allowed"),
    [
        ("olivia", "customer", "update", True),
        ("tom", "customer", "export", False),
        ("mona", "customer", "export", True),
        ("stan", "customer", "read", False),
        ("stan", "supplier", "read", True),
        ("lena", "customer", "read", False),
        ("lena", "contract", "update", True),
        ("gita", "customer", "read", False),
        ("gita", "contact", "update", True),
        ("petra", "supplier_bank_account", "update", True),
        ("stan", "supplier_bank_account", "update", False),
        ("lena", "supplier_bank_account", "update", False),
        ("malik", "sar_case", "read", True),
        ("mona", "sar_case", "read", False),
        ("olivia", "sar_case", "read", False),
        ("rosa", "sar_case", "read", False),
        ("ada", "sar_case", "read", False),
        ("ines", "sar_case", "read", False),
        ("rosa", "customer", "read", True),
        ("rosa", "customer", "update", False),
        ("ada", "charge", "read", True),
        ("ada", "charge", "update", False),
        ("ines", "customer", "update", False),
    ],
)
def test_policy_gives_what_the_description_says(
    by_name: dict[str, dict[str, Any]], first: str, collection: str, act: str, allowed: bool
) -> None:
    found = [
        line
        for line in grants(by_name[first])
        if line[3].startswith("collection:")
        and collection in line[3].removeprefix("collection:").split()
        and act in line[4].split()
    ]
    assert bool(found) == allowed


def test_passwords_are_new_each_time_and_kept_for_whom_we_know() -> None:
    first, second = staff.with_passwords({}), staff.with_passwords({"tom@fernwick.example": "kept"})
    assert {person["email"] for person in first} == {person["email"] for person in second}
    assert len({person["password"] for person in first}) == len(first)
    assert not {person["password"] for person in first} & {person["password"] for person in second}
    assert [person["password"] for person in second if person["email"] == "tom@fernwick.example"] == ["kept"]
    assert all(re.fullmatch(r"\S{12,}", person["password"]) for person in first)


@cases("story", loading.listed_stories(), ids=lambda story: f"{story['workflow']} {story['record']}")
def test_stories_are_told_to_somebody_who_may_start_them(
    by_name: dict[str, dict[str, Any]], story: dict[str, str]
) -> None:
    """Who is named beside a story sees its collection and starts workflows in the team."""
    told = grants(by_name[story["by"]])
    assert any(line[3] == "workflow:*" and "start" in line[4].split() for line in told)
    assert any(
        line[3].startswith("collection:")
        and story["collection"] in line[3].removeprefix("collection:").split()
        for line in told
    )
