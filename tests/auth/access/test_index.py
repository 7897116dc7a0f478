"""The compiled index: small cases one by one, and equality with Casbin on random policies."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from console.auth.access.index import Index, Verdict
from console.auth.access.oracle import enforcer
from console.auth.access.rows import PolicyError, Row, parse
from console.core import expressions
from tests.tables import cases

POLICY = """
p, role:base,   *,      workflow:*,          see start, allow
p, role:base,   t:a,    collection:customer, read, allow, record.desk in $currentUser.tags.desks
p, role:chief,  *,      workflow:kyc,        *, allow
p, role:chief,  t:b,    collection:customer, read, allow
p, role:barred, *,      workflow:kyc,        start, deny
p, role:barred, *,      field:customer/iban, read, deny
p, role:fixed,  *,      field:customer/iban, update, deny
p, role:eyes,   *,      workflow:*,          resume, allow, run.started_by != $currentUser.id
p, role:closed, *,      collection:customer, read, deny, record.secret
p, user:lone,   t:a,    activity,            read, allow
g, role:local,  role:base, t:a
g, role:own,    role:base, *
g, user:anna,   role:base, t:a
g, user:boris,  role:base, t:b
g, user:boris,  role:chief, t:a
g, user:carol,  role:own, t:b
g, user:dora,   role:local, *
g, user:emil,   role:base, *
g, user:emil,   role:barred, t:b
g, user:base,   role:fixed, *
g, user:fay,    role:base, t:a
g, user:fay,    role:closed, *
g, user:gus,    role:eyes, t:a
g, user:hana,   role:base, t:a
g, user:hana,   role:chief, t:b
"""
INDEX = Index(parse(POLICY))


@cases(
    ("who", "team", "obj", "act", "allowed"),
    [
        ("anna", "a", "workflow:kyc", "start", True),
        ("anna", "b", "workflow:kyc", "start", False),
        ("anna", None, "workflow:kyc", "start", True),
        ("anna", "a", "workflow:new-one", "see", True),
        ("anna", "a", "workflow:kyc", "cancel", False),
        ("anna", "a", "workflow", "start", False),
        ("boris", "a", "workflow:kyc", "cancel", True),  # every act, on one workflow
        ("boris", "a", "workflow:other", "see", False),
        ("boris", "b", "workflow:kyc", "cancel", False),
        ("boris", None, "workflow:other", "see", True),
        ("carol", "b", "workflow:kyc", "start", True),  # her role is built from base
        ("carol", "a", "workflow:kyc", "start", False),
        (
            "dora",
            "a",
            "workflow:kyc",
            "start",
            True,
        ),  # everywhere local, which is built from base in team a only
        ("dora", "b", "workflow:kyc", "start", False),
        ("dora", None, "workflow:kyc", "start", True),
        ("emil", "a", "workflow:kyc", "start", True),
        ("emil", "nobody-named-it", "workflow:kyc", "start", True),
        ("emil", "b", "workflow:kyc", "start", False),  # denied there, which wins
        ("emil", "b", "workflow:kyc", "see", True),
        ("emil", None, "workflow:kyc", "start", False),  # where teams add up, a deny counts too
        ("lone", "a", "activity", "read", True),
        ("lone", "b", "activity", "read", False),
        ("lone", None, "activity", "read", True),
        ("base", "a", "workflow:kyc", "start", False),  # a person called like a role has not got it
        ("nobody", "a", "workflow:kyc", "start", False),
        ("nobody", None, "workflow:kyc", "start", False),
    ],
)
def test_what_the_rows_say(who: str, team: str | None, obj: str, act: str, allowed: bool) -> None:
    assert INDEX.verdict(f"user:{who}", team, obj, act).plain is allowed


@cases(
    ("who", "team", "obj", "act", "roots", "allowed"),
    [
        (
            "anna",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "retail"}, "currentUser": {"tags": {"desks": ["retail"]}}},
            True,
        ),
        (
            "anna",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "retail"}, "currentUser": {"tags": {"desks": []}}},
            False,
        ),
        (
            "anna",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "retail"}, "currentUser": {"tags": {}}},
            False,
        ),
        (
            "anna",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": None}, "currentUser": {"tags": {"desks": ["retail"]}}},
            False,
        ),
        ("anna", "a", "collection:customer", "read", {"currentUser": {"tags": {"desks": ["retail"]}}}, False),
        (
            "hana",
            None,
            "collection:customer",
            "read",
            {"record": {}, "currentUser": {}},
            True,
        ),  # whole in team b
        ("hana", "a", "collection:customer", "read", {"record": {}, "currentUser": {}}, False),
        (
            "gus",
            "a",
            "workflow:kyc",
            "resume",
            {"run": {"started_by": "anna"}, "currentUser": {"id": "gus"}},
            True,
        ),
        (
            "gus",
            "a",
            "workflow:kyc",
            "resume",
            {"run": {"started_by": "gus"}, "currentUser": {"id": "gus"}},
            False,
        ),
        (
            "gus",
            "a",
            "workflow:kyc",
            "resume",
            {"currentUser": {"id": "gus"}},
            False,
        ),  # four eyes, and nobody knows whose the first are
        (
            "fay",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "x", "secret": False}, "currentUser": {"tags": {"desks": ["x"]}}},
            True,
        ),
        (
            "fay",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "x", "secret": True}, "currentUser": {"tags": {"desks": ["x"]}}},
            False,
        ),
        (
            "fay",
            "a",
            "collection:customer",
            "read",
            {"record": {"desk": "x"}, "currentUser": {"tags": {"desks": ["x"]}}},
            False,
        ),  # unknown denies
    ],
)
def test_conditions(
    who: str, team: str | None, obj: str, act: str, roots: dict[str, object], allowed: bool
) -> None:
    verdict = INDEX.verdict(f"user:{who}", team, obj, act)
    assert verdict.possible
    assert verdict.holds(roots) is allowed


@pytest.mark.parametrize(
    ("who", "team", "unreadable", "unwritable"),
    [
        ("anna", "a", set(), set()),
        ("emil", "b", {"iban"}, {"iban"}),
        ("emil", "a", set(), set()),
        ("emil", None, {"iban"}, {"iban"}),
        ("base", "a", set(), {"iban"}),
    ],
)
def test_hidden_fields(who: str, team: str | None, unreadable: set[str], unwritable: set[str]) -> None:
    hidden = INDEX.hidden(f"user:{who}", team, "customer")
    assert (set(hidden.unreadable), set(hidden.unwritable)) == (unreadable, unwritable)
    assert not any(INDEX.hidden(f"user:{who}", team, "account"))


def test_roles_teams_and_holders() -> None:
    assert INDEX.roles("user:boris") == {("base", "b"), ("chief", "a")}
    assert INDEX.roles("user:carol") == {("own", "b")}
    assert INDEX.roles("user:nobody") == set()
    assert INDEX.held("user:carol", "b") == {"own", "base"}
    assert INDEX.held("user:dora", "a") == {"local", "base"}
    assert INDEX.held("user:dora", "b") == {"local"}
    assert INDEX.teams("user:emil") == {"b"}
    assert INDEX.holders("base") == {"user:anna", "user:boris", "user:emil", "user:fay", "user:hana"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("g, role:a, role:b, *\ng, role:b, role:c, *", "one level deep"),
        ("g, role:a, role:a, *", "one level deep"),
        ("p, role:a, *, workflow:*, see, allow, record.__class__", "cannot be read"),
        ("p, role:a, *, workflow:*, see, allow, record.a ==", "cannot be read"),
    ],
)
def test_a_policy_that_means_nothing_is_not_compiled(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        Index(parse(text))


USERS, BASES, BUILT = ("user:u", "user:base1"), ("role:base1", "role:base2"), ("role:built1", "role:built2")
TEAMS, PLACES = ("a", "b", "unnamed"), ("t:a", "t:b", "*")
OBJECTS, ACTS = (
    ("workflow:x", "workflow:y", "activity", "collection:workflow"),
    {"workflow": ("see", "start"), "activity": ("read",), "collection": ("read",)},
)

_grants = st.builds(
    lambda who, place, obj, act, eft: Row(
        "p",
        who,
        place,
        obj,
        ACTS[obj.partition(":")[0]][act % len(ACTS[obj.partition(":")[0]])] if act < 4 else "*",
        eft,
    ),
    st.sampled_from([*USERS, *BASES, *BUILT]),
    st.sampled_from(PLACES),
    st.sampled_from([*OBJECTS, "workflow:*", "collection:*"]),
    st.integers(0, 4),
    st.sampled_from(["allow", "allow", "deny"]),
)
_roles = st.builds(
    Row, st.just("g"), st.sampled_from(USERS), st.sampled_from(PLACES), st.sampled_from([*BASES, *BUILT])
)
_nested = st.builds(
    Row, st.just("g"), st.sampled_from(BUILT), st.sampled_from(PLACES), st.sampled_from(BASES)
)
REQUESTS = [(obj, act) for obj in OBJECTS for act in ACTS[obj.partition(":")[0]]]


@settings(max_examples=150)
@given(
    st.lists(_grants, min_size=3, max_size=10),
    st.lists(_roles, min_size=2, max_size=5),
    st.lists(_nested, min_size=1, max_size=3),
)
def test_the_index_answers_as_casbin_does(grants: list[Row], roles: list[Row], nested: list[Row]) -> None:
    rows = [*grants, *roles, *nested]
    index, judge = Index(rows), enforcer(rows, teams=[f"t:{team}" for team in TEAMS], objects=OBJECTS)
    for who, team, (obj, act) in itertools.product(USERS, TEAMS, REQUESTS):
        assert index.verdict(who, team, obj, act).plain is judge.enforce(who, f"t:{team}", obj, act), (
            who,
            team,
            obj,
            act,
        )


@settings(max_examples=40)
@given(st.lists(_grants, max_size=10), st.lists(_roles, max_size=6), st.lists(_nested, max_size=3))
def test_all_teams_add_up_and_a_deny_in_one_of_them_wins(
    grants: list[Row], roles: list[Row], nested: list[Row]
) -> None:
    index = Index([*grants, *roles, *nested])
    for who, (obj, act) in itertools.product(USERS, REQUESTS):
        each = [index.verdict(who, place.removeprefix("t:"), obj, act) for place in index.domains(who)]
        added = index.verdict(who, None, obj, act)
        assert added.plain is (any(one.free for one in each) and not any(one.barred for one in each))


@settings(max_examples=40)
@given(
    st.lists(_grants, min_size=3, max_size=10), st.lists(_roles, max_size=6), st.lists(_nested, max_size=3)
)
def test_what_may_be_done_nowhere_may_be_done_to_no_object(
    grants: list[Row], roles: list[Row], nested: list[Row]
) -> None:
    """`somewhere` is asked first, so that thousands of objects are not asked one by one: it may only say too much, never too little."""
    index = Index([*grants, *roles, *nested])
    for who, team, (obj, act) in itertools.product(USERS, (*TEAMS, None), REQUESTS):
        if index.verdict(who, team, obj, act).possible:
            assert index.somewhere(who, team, obj.partition(":")[0], act), (who, team, obj, act)


@cases(
    ("record", "holds", "may_hold"),
    [({"secret": True}, False, False), ({"secret": False}, True, True), ({}, False, True)],
)
def test_a_condition_that_denies_wins_and_what_is_not_known_refuses(
    record: dict[str, bool], holds: bool, may_hold: bool
) -> None:
    verdict = Verdict(free=True, deny=(expressions.parse("record.secret"),))
    assert (verdict.holds({"record": record}), verdict.may_hold({"record": record})) == (holds, may_hold)
