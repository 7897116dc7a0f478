"""The rows of the policy and the file that people write them in."""

import pytest
from hypothesis import given, strategies as st

from console.auth.access.rows import ACTS, EVERY, LEVELS, POLICIES, WHOLE, PolicyError, Row, export, parse
from tests.tables import cases


def test_a_line_stands_for_each_object_and_act() -> None:
    rows = parse('p, role:lead, t:ops, collection:account charge, read update, allow, "record.a in [1, 2]"\n')
    assert rows == [
        Row("p", "role:lead", "t:ops", f"collection:{name}", act, "allow", "record.a in [1, 2]")
        for name in ("account", "charge")
        for act in ("read", "update")
    ]


def test_comments_blank_lines_and_doubled_rows_are_passed_over() -> None:
    assert parse("# told, so\n\n  \ng, user:u, role:lead, *\ng, user:u, role:lead, *\n") == [
        Row("g", "user:u", "*", "role:lead")
    ]


@cases(
    ("text", "told"),
    [
        ("p, role:lead, *, workflow:*, strat, allow", "workflow knows activate"),
        ("p, role:lead, *, workflow:*, start, Deny", "takes `p, who"),
        ("p, role:lead, *, workflows:*, start, allow", "no object of the kind 'workflows'"),
        ("p, role:lead, *, workflow, start, allow", "takes workflow:<id> or workflow:*"),
        ("p, role:lead, *, activity:x, read, allow", "activity is named without an id"),
        ("p, lead, *, workflow:*, start, allow", "the subject takes"),
        ("p, role:, *, workflow:*, start, allow", "the subject takes"),
        ("p, key:key_1, *, collection:customer, read, deny", "a key has no rules of its own"),
        ("g, key:key_1, role:lead, *", "a key has no rules of its own"),
        ("p, role:lead, operations, workflow:*, start, allow", "the place takes t:<team> or *"),
        ("p, role:lead, t:, workflow:*, start, allow", "the place takes t:<team> or *"),
        ("p, role:lead, *, field:customer/tax_id, update, allow", "a field is denied"),
        ("p, role:lead, *, field:customer/tax_id, read, deny, record.a == 1", "a field is denied"),
        ("p, role:lead, *, field:customer, read, deny", "field:<collection>/<name>"),
        ("p, role:lead, *, workflow:*, , allow", "names no object or no act"),
        ("p, role:lead, *, workflow:*", "takes `p, who"),
        ("p, role:lead, *, workflow:*, start, allow, a, b", "takes `p, who"),
        ("g, user:u, lead, *", "what is given is role:<id>"),
        ("g, user:u, role:lead", "takes `p, who"),
        ("q, user:u, role:lead, *", "takes `p, who"),
        ('p, role:lead, *, workflow:*, start, allow, "open', "unexpected end of data"),
    ],
)
def test_what_means_nothing_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(f"# a comment\n{text}\n")
    assert "roles.csv, line 2" in refused.value.message
    assert told in refused.value.message


def test_a_new_installation_gets_the_levels_alone_and_no_right_to_any_record() -> None:
    rows = parse((POLICIES / "roles.csv").read_text(encoding="utf-8"))
    assert {row.sub.removeprefix("role:") for row in rows} == set(LEVELS)
    assert {row.dom for row in rows} == {EVERY}
    assert [row for row in rows if row.obj.startswith(("collection:", "field:", "label:"))] == []
    assert [row for row in rows if ":" in row.obj and not row.obj.endswith(":*")] == []


_word = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
_place = st.just("*") | _word.map(lambda word: f"t:{word}")
_who = st.builds("{}:{}".format, st.sampled_from(["user", "role"]), _word)


@st.composite
def _right(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from(sorted(set(ACTS) - {"field"})))
    obj = kind if kind in WHOLE else f"{kind}:{draw(_word | st.just('*'))}"
    act = draw(st.sampled_from([*sorted(ACTS[kind]), "*"]))
    expression = draw(
        st.sampled_from(["", 'record.desk in ["a, b", "c"]', "run.started_by != $currentUser.id"])
    )
    return Row("p", draw(_who), draw(_place), obj, act, draw(st.sampled_from(["allow", "deny"])), expression)


_hidden = st.builds(
    lambda who, place, name, act: Row("p", who, place, f"field:c/{name}", act, "deny"),
    _who,
    _place,
    _word,
    st.sampled_from(["read", "update"]),
)
_given = st.builds(lambda who, place, role: Row("g", who, place, f"role:{role}"), _who, _place, _word)


@given(st.lists(_right() | _hidden | _given, max_size=12))
def test_an_export_gives_the_same_rows_back(rows: list[Row]) -> None:
    assert set(parse(export(rows))) == set(rows)
