"""The simulator's answer, the door's and Casbin's are one, on random policies and requests with conditions; and what a change does for whom."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.auth.access.decisions import decide
from console.auth.access.index import Index
from console.auth.access.oracle import enforcer
from console.auth.access.policy_changes import Change, between, effects
from console.auth.access.rows import Row, parse
from console.core import expressions

pytestmark = pytest.mark.lengthy

USERS, BASES, BUILT = ("user:u", "user:base1"), ("role:base1", "role:base2"), ("role:built1", "role:built2")
TEAMS, PLACES = ("a", "b", "unnamed"), ("t:a", "t:b", "*")
OBJECTS = {
    "workflow:x": ("see", "start"),
    "action:pay.out": ("execute", "request"),
    "activity": ("read",),
    "collection:c": ("read", "update"),
}
CONDITIONS = (
    "",
    "",
    "record.desk in $currentUser.tags.desks",
    "input.amount <= 100",
    "run.started_by != $currentUser.id",
    "record.gone == 1 || record.desk == 'x'",
)
ROOTS: tuple[dict[str, Any], ...] = (
    {},
    {"record": {"desk": "x"}, "input": {"amount": 100}, "run": {"started_by": "other"}},
    {"record": {"desk": "y"}, "input": {"amount": 101}, "run": {"started_by": "u"}},
    {"record": {"desk": None}, "input": {}},
)

_grants = st.builds(
    lambda who, place, obj, number, every, eft, condition: Row(
        "p",
        who,
        place,
        f"{obj.partition(':')[0]}:*" if every and ":" in obj else obj,
        (*OBJECTS[obj], "*")[number % (len(OBJECTS[obj]) + 1)],
        eft,
        condition,
    ),
    st.sampled_from([*USERS, *BASES, *BUILT]),
    st.sampled_from(PLACES),
    st.sampled_from(list(OBJECTS)),
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from(["allow", "allow", "deny"]),
    st.sampled_from(CONDITIONS),
)
_given = st.builds(
    Row, st.just("g"), st.sampled_from(USERS), st.sampled_from(PLACES), st.sampled_from([*BASES, *BUILT])
)
_nested = st.builds(
    Row, st.just("g"), st.sampled_from(BUILT), st.sampled_from(PLACES), st.sampled_from(BASES)
)
_policies = st.builds(
    lambda *parts: [row for part in parts for row in part],
    st.lists(_grants, min_size=3, max_size=12),
    st.lists(_given, min_size=1, max_size=5),
    st.lists(_nested, max_size=3),
)


def counts(row: Row, roots: dict[str, object]) -> bool:
    """Whether the row takes part, as Casbin is told it: the condition is judged before."""
    if not row.expression:
        return True
    condition = expressions.parse(row.expression)
    return condition.test(roots) if row.eft == "allow" else not condition.denies(roots)


@settings(max_examples=120)
@given(_policies)
def test_the_decision_is_the_doors_and_casbins(rows: list[Row]) -> None:
    index = Index(rows)
    for sub, base in itertools.product(USERS, ROOTS):
        roots = {**base, "currentUser": {"id": sub.partition(":")[2], "tags": {"desks": ["x"]}}}
        judge = enforcer(
            [row for row in rows if row.ptype == "g" or counts(row, roots)],
            teams=[f"t:{team}" for team in TEAMS],
            objects=OBJECTS,
        )
        for team, obj in itertools.product(TEAMS, OBJECTS):
            for act in OBJECTS[obj]:
                told = decide(index, sub, team, obj, act, roots)
                assert told.allowed is index.verdict(sub, team, obj, act).holds(roots), (sub, team, obj, act)
                assert told.allowed is judge.enforce(sub, f"t:{team}", obj, act), (sub, team, obj, act)
                assert (told.row is None) is (
                    not told.allowed and not any(one.counts for one in told.spoken if one.row.eft == "deny")
                )
                if told.row is not None:
                    assert (told.row.eft == "allow") is told.allowed


@settings(max_examples=80)
@given(_policies)
def test_where_no_record_is_named_it_is_asked_whether_there_may_be_one(rows: list[Row]) -> None:
    index = Index(rows)
    for sub, team, act in itertools.product(USERS, (*TEAMS, None), OBJECTS["collection:c"]):
        assert (
            decide(index, sub, team, "collection:c", act, {}, some=True).allowed
            is index.verdict(sub, team, "collection:c", act).possible
        )


@settings(max_examples=60)
@given(_policies, st.lists(_grants, max_size=4), st.integers(0, 3))
def test_who_gains_and_loses_is_who_may_and_might(rows: list[Row], more: list[Row], fewer: int) -> None:
    change = between(rows, [*rows[fewer:], *more])
    after = change.applied(rows)
    assert set(after) == set(rows[fewer:]) | set(more)
    assert set(change.inverse.applied(after)) == set(rows)
    before_index, after_index = Index(rows), Index(after)
    told = {(one.obj, one.act): one for one in effects(before_index, after_index, change, USERS)}
    for sub, obj in itertools.product(USERS, OBJECTS):
        ident = sub.partition(":")[2]
        for act in OBJECTS[obj]:
            was, becomes = (
                [
                    index.verdict(sub, place.removeprefix("t:"), obj, act).possible
                    for place in ("t:a", "t:b", "*")
                ]
                for index in (before_index, after_index)
            )
            concerned = [
                one
                for (other, verb), one in told.items()
                if verb == act and other in (obj, f"{obj.partition(':')[0]}:*")
            ]
            touched = {person for one in concerned for person in (*one.gained, *one.lost, *one.otherwise)}
            if was != becomes and (obj, act) in told:
                assert ident in touched, (sub, obj, act)


def test_a_change_over_a_change_keeps_only_what_is_other_in_the_end() -> None:
    rows = parse("p, role:a, *, workflow:*, see start, allow\np, role:a, *, activity, read, allow")
    first = Change().replacing(rows, [rows[0]], [Row("p", "role:a", "*", "workflow:*", "cancel")])
    assert (len(first.added), len(first.removed)) == (1, 1)
    back = first.replacing(rows, [Row("p", "role:a", "*", "workflow:*", "cancel")], [rows[0]])
    assert not back
    assert Change(frozenset(rows[:1]), frozenset(rows[1:])).on(rows) == Change(removed=frozenset(rows[1:]))
    people = Change(frozenset([Row("g", "user:a", "*", "role:a"), Row("g", "role:b", "*", "role:a")]))
    assert people.of_rules.added == {Row("g", "role:b", "*", "role:a")}
