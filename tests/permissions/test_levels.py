"""Levels are names of sets of acts: what they never hold, what is Custom, and what setting one writes."""

from itertools import pairwise

import pytest

from console import permissions
from console.auth.access.rows import ACTS, Row
from console.core.errors import Invalid, NotAllowed, NotFound
from console.permissions import levels, role_rules
from console.permissions.role_rules import Rule
from tests.company import Company

ACCOUNT, TEAM = "collection:account", "t:operations"
ONE_BY_ONE = {"export", "reveal", "delete", "approve", "erase", "report"}


def rows(company: Company, role: str, obj: str) -> set[Row]:
    """What the draft holds of the role on the object."""
    held = permissions.draft(company.ines).rows()
    return {row for row in held if (row.sub, row.dom, row.obj) == (f"role:{role}", TEAM, obj)}


def test_no_level_holds_what_is_given_one_by_one_and_each_adds_to_the_one_below() -> None:
    for kind, acts in ACTS.items():
        found = list(levels.levels_of(kind).values())
        assert all(set(level) <= acts - ONE_BY_ONE for level in found)
        assert all(set(one) < set(more) for one, more in pairwise(found))
        assert len({frozenset(level) for level in found}) == len(found)
        for name, level in levels.levels_of(kind).items():
            assert levels.level_of(kind, level) == name
            assert levels.level_of(kind, {*level, *(acts & ONE_BY_ONE)}) == (
                "Custom" if acts & ONE_BY_ONE else name
            )
    assert levels.level_of("collection", ["read"]) == "Custom"


def test_setting_a_level_writes_exactly_its_acts_and_keeps_condition_and_fields(company: Company) -> None:
    made = permissions.create(company.ines, "Helper", level="operator")
    stored = role_rules.rules_of(permissions.draft(company.ines).rows(), made, TEAM, ACCOUNT)
    assert stored == []
    for level in ("View", "Edit", "Manage"):
        levels.set_level(company.ines, made, TEAM, ACCOUNT, level)
        acts = levels.levels_of("collection")[level]
        assert rows(company, made, ACCOUNT) == {Row("p", f"role:{made}", TEAM, ACCOUNT, act) for act in acts}
    fields: dict[str, role_rules.FieldRight] = {"status": "hidden"}
    only = Rule("allow", ("read",), "record.status == 'open'")
    role_rules.edit(company.ines, made, TEAM, ACCOUNT, [only], fields)
    levels.set_level(company.ines, made, TEAM, ACCOUNT, "View")
    assert {(row.act, row.expression) for row in rows(company, made, ACCOUNT)} == {
        ("browse", only.condition),
        ("read", only.condition),
    }
    assert role_rules.fields_of(permissions.draft(company.ines).rows(), made, TEAM, "account") == fields
    levels.set_level(company.ines, made, TEAM, ACCOUNT, "None")
    assert rows(company, made, ACCOUNT) == set()


def test_several_rules_and_other_names_are_left_alone(company: Company) -> None:
    made = permissions.create(company.ines, "Helper", level="operator")
    rules = [Rule("allow", ("read",), ""), Rule("deny", ("read",), "record.status == 'closed'")]
    role_rules.edit(company.ines, made, TEAM, ACCOUNT, rules, {})
    before = rows(company, made, ACCOUNT)
    assert levels.level_of_rules(ACCOUNT, rules) == "Custom"
    for level in ("View", "Custom", "Owner"):
        with pytest.raises(Invalid):
            levels.set_level(company.ines, made, TEAM, ACCOUNT, level)
    assert rows(company, made, ACCOUNT) == before
    with pytest.raises(NotFound):
        levels.set_level(company.ines, made, TEAM, "collection:nothing", "View")
    with pytest.raises(NotAllowed):
        levels.set_level(company.olivia, made, TEAM, ACCOUNT, "View")
