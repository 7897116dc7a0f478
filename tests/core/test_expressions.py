"""The expression language: what can be written, what it comes to, and what is refused with its place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core import expressions
from console.core.expressions import ExpressionError, parse
from console.core.expressions.operands import UNKNOWN
from console.errors import DefinitionError
from tests.tables import cases

NOW = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)
ROOTS: dict[str, Any] = {
    "record": {
        "name": "Anna",
        "amount": "12.50",
        "count": 3,
        "due": "2026-01-02",
        "at": "2026-05-31T22:00:00Z",
        "none": None,
        "yes": True,
        "tags": ["a", "b"],
        "place": {"city": "Lyon", "my key": 1},
        "order": "taken",
        "in": 7,
    },
    "steps": {"load": {"accounts": [{"iban": "X1"}, {"iban": "X2"}]}},
    "variables": {"points": {"low": 0, "high": 3}},
    "currentUser": {"id": "usr_1", "teams": ["ops"]},
    "now": NOW,
}


@cases(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("-3 + 1", -2),
        ("- record.count", -3),
        ("7 / 2", "3.5"),
        ("0.1 + 0.2", "0.3"),
        ("record.amount * 2", "25.00"),
        ("record.amount + record.amount", "25.00"),
        ("1 / 0", None),
        ("record.name + 'x'", None),
        ("record.none + 1", None),
        ("'a\\n\\u00e4\\\"' ", 'a\nä"'),
        ("'it\\'s'", "it's"),
        ("[1, 'a', null, true, [2.50]]", [1, "a", None, True, ["2.50"]]),
        ("record.place.city", "Lyon"),
        ('record.place["my key"]', 1),
        ("record.order", "taken"),
        ("record.in", 7),
        ("record.tags[1]", "b"),
        ("record.tags[9]", None),
        ("steps.load.accounts[1].iban", "X2"),
        ("steps.nowhere.at.all", None),
        ("record.name.first", None),
        ("$currentUser.id", "usr_1"),
        ("now", "2026-05-31T22:30:00Z"),
        ("today()", "2026-05-31"),
        ("addDays(today(), 30)", "2026-06-30"),
        ("addDays(record.due, -2)", "2025-12-31"),
        ("addDays(now, 1)", "2026-06-01T22:30:00Z"),
        ("addMonths(today(), 1)", "2026-06-30"),
        ("addMonths('2024-02-29', 12)", "2025-02-28"),
        ("addMonths(now, -3)", "2026-02-28T22:30:00Z"),
        ("addMonths(today(), 99999999)", None),
        ("addDays(today(), 9999999)", None),
        ("addDays(today(), 1.5)", None),
        ("today() - record.due", "P149D"),
        ("now - record.at", "PT1800S"),
        ("today() + days(1)", "2026-06-01"),
        ("today() + hours(6)", "2026-05-31T06:00:00Z"),
        ("now - minutes(30)", "2026-05-31T22:00:00Z"),
        ("days(2) * 1.5", "P3D"),
        ("days(1) / 2", "PT43200S"),
        ("days(1) + days(2)", "P3D"),
        ("round_half_up(2.5)", 3),
        ("round_half_up(-2.5)", -3),
        ("round_half_up(93.4375, 2)", "93.44"),
        ("round_half_up('x')", None),
        ("round_half_up(1, 21)", None),
        ("sum(1, 2.5, '3')", "6.5"),
        ("sum([])", 0),
        ("sum([1, null])", None),
        ("sum(['4'])", "4"),
        ("max(1, 3, 2)", 3),
        ("max(['2026-01-01', today()])", "2026-05-31"),
        ("min('a', 'b')", None),
        ("max([])", None),
        ("size('äb')", 2),
        ("size(record.tags)", 2),
        ("record.name.size()", 4),
        ("lower('ÄB')", "äb"),
        ("record.name.upper()", "ANNA"),
        ("trim(' a ')", "a"),
        ("date(record.at)", "2026-05-31"),
        ("date('soon')", None),
        ("minor(12.50, 2)", 1250),
        ("minor('31.250', 3)", 31250),
        ("minor(48000, 0)", 48000),
        ("minor(0.005, 2)", 1),
        ("lookup(variables.points, 'high')", 3),
        ("lookup(variables.points, 'none', 1)", 1),
        ("lookup(variables.points, 'none')", None),
        ("similarity('Bright Water', 'brightwater')", "0.667"),
        ("similarity('a', 'a')", "1.000"),
        ("similarity('', '')", "1"),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert parse(text).evaluate(ROOTS) == value


@cases(
    ("text", "truth"),
    [
        ("record.none == null", True),
        ("record.none != 'a'", True),
        ("record.none == 'a'", False),
        ("record.missing == null", UNKNOWN),
        ("record.missing != 'a'", UNKNOWN),
        ("record.none > 1", UNKNOWN),
        ("!(record.none > 1)", UNKNOWN),
        ("record.name < 'b'", UNKNOWN),
        ("record.name == 5", UNKNOWN),
        ("record.yes > false", UNKNOWN),
        ("record.yes == 1", UNKNOWN),
        ("record.amount == 12.5", True),
        ("record.amount >= 12.5 && record.amount <= 12.50", True),
        ("record.due < today()", True),
        ("record.due < '2026-01-03'", True),
        ("record.at < now", True),
        ("record.due < now", True),
        ("record.at == '2026-06-01T00:00:00+02:00'", False),
        ("record.count in [1, 2, 3]", True),
        ("record.count in []", False),
        ("record.count in record.none", UNKNOWN),
        ("!(record.count in record.missing)", UNKNOWN),
        ("'a' in record.tags", True),
        ("'z' in record.tags", False),
        ("1 in ['a', 1]", True),
        ("2 in ['a', 1]", UNKNOWN),
        ("null in [null]", True),
        ("record.name.startsWith('An')", True),
        ("record.name.endsWith('NA')", False),
        ("record.name.contains('nn')", True),
        ("record.count.contains('3')", UNKNOWN),
        ("record.yes", True),
        ("!record.yes", False),
        ("!record.yes == false", True),
        ("record.name", "Anna"),
        ("true || record.missing", True),
        ("record.missing || true", True),
        ("false || record.missing", UNKNOWN),
        ("false && record.missing", False),
        ("record.missing && false", False),
        ("record.missing && true", UNKNOWN),
        ("record.name || false", UNKNOWN),
        ("!record.name", UNKNOWN),
        ("true || false && false", True),
        ("[1, 2] == [1, 2]", True),
        ("days(1) > hours(23)", True),
        ("days(1) > 5", UNKNOWN),
    ],
)
def test_three_values(text: str, truth: Any) -> None:
    expression = parse(text)
    assert expression.value(ROOTS) is truth or expression.value(ROOTS) == truth
    assert expression.test(ROOTS) is (truth is True)
    assert expression.denies(ROOTS) is (truth is False)


def test_typed_values_compare_by_their_type() -> None:
    typed = {"record": {"a": Decimal("12.50"), "b": Decimal("12.5"), "d": date(2026, 1, 2), "m": datetime(2026, 1, 2, tzinfo=UTC)}}
    for text in (
        "record.a == record.b",
        "record.a == '12.500'",
        "record.d == '2026-01-02'",
        "record.d == record.m",
        "record.d <= record.m",
    ):
        assert parse(text).test(typed), text
    assert not parse("record.a == 'twelve'").test(typed)


@cases(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("record.", 7, "too early"),
        ("1 +", 3, "too early"),
        ("(1", 2, "too early"),
        ("_x", 0, "underscore"),
        ("record._x", 7, "underscore"),
        ("record.__class__", 7, "underscore"),
        ('record["_x"]', 7, "underscore"),
        ("foo", 0, "no 'foo'"),
        ("foo.bar", 0, "no 'foo'"),
        ("1 + eval('x')", 4, "no function 'eval'"),
        ("record.name.format('x')", 12, "no function 'format'"),
        ("today", 0, "is a function"),
        ("today(1)", 0, "no values"),
        ("addDays(1)", 0, "takes 2 values"),
        ("round_half_up(1, 2, 3)", 0, "1 to 2 values"),
        ("sum()", 0, "at least 1"),
        ("record.a = 1", 9, "=="),
        ("record.a === 1", 11, "'='"),
        ("a && ", 0, "no 'a'"),
        ("1 < 2 < 3", 6, "'<'"),
        ("1 in [1] in [2]", 9, "'in'"),
        ("'abc", 0, "closing quote"),
        ("'a\\q'", 2, "escape"),
        ("record.a § 1", 9, "'§'"),
        ("[1, 2].x", 7, "paths"),
        ("'a'.b", 4, "paths"),
        ("x => x", 2, "'='"),
        ("record.a ? 1 : 2", 9, "'?'"),
        ("[x for x in y]", 3, "cannot stand"),
        ("1" * 61, 0, "60 digits"),
        ("1 " * 1001, 2000, "2000 characters"),
        ("(" * 31 + "1" + ")" * 31, 0, "30 levels"),
        ("!" * 31 + "true", 0, "30 levels"),
        ("-" * 31 + "record.a", 0, "30 levels"),
        ("record" + ".a" * 31, 0, "30"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert says in error.value.message
    if text != "[x for x in y]" and says not in {"30", "30 levels"}:
        assert error.value.position == position
    assert isinstance(error.value, DefinitionError)
    assert error.value.details[0]["position"] == error.value.position


def test_long_chains_are_wide_and_not_deep() -> None:
    assert parse(" && ".join(["true"] * 250)).test({})
    assert parse(" + ".join(["1"] * 400)).evaluate({}) == 400
    assert parse("(" * 28 + "1" + ")" * 28).evaluate({}) == 1


def test_names_are_the_paths_as_written() -> None:
    text = "record.a.b == $currentUser.id && steps.load.rows[0].x in [record.c, now] || lower(input.d).contains('record.z')"
    assert expressions.names(parse(text)) == {"record.a.b", "$currentUser.id", "steps.load.rows", "record.c", "now", "input.d"}


@cases(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ record.name }}!", "Anna!"),
        ("{{record.none}}|{{ record.missing }}|{{ steps.a.b }}", "||"),
        ("{{ record.tags }} {{ record.yes }} {{ record.place }}", "a, b true "),
        ("{{ record.amount * 2 }} {{ today() }}", "25.00 2026-05-31"),
        ("{ {{ '}' }} }", "{ } }"),
        ("{{ record.name }}{{ record.name }}", "AnnaAnna"),
        ('{{ if record.name == "Anna" }}her{{ else }}them{{ end }}', "her"),
        ('{{ if record.name == "Ben" }}him{{ else if record.yes }}{{ record.name }}{{ else }}them{{ end }}!', "Anna!"),
        ('{{ if record.name == "Ben" }}him{{ else  if !record.yes }}no{{ else }}them{{ end }}', "them"),
        ("{{ if record.missing > 1 }}unknown is not enough{{ end }}|{{ if(record.yes) }}yes{{ end }}", "|yes"),
        ("{{ if record.yes }}a{{ if record.none == null }}b{{ else }}c{{ end }}{{ else }}d{{ if record.yes }}e{{ end }}{{ end }}", "ab"),
        ("a\n{{ if record.yes }}\n- b\n  {{ else }}\n- c\n{{ end }}\nd", "a\n- b\nd"),
        ("{{ if record.yes }}\n{{ if !record.yes }}\na\n{{ end }}\n{{ end }}\nb {{ if record.yes }}\n{{ end }}", "b \n"),
    ],
)
def test_templates(template: str, text: str) -> None:
    expressions.templates(template)
    assert expressions.render(template, ROOTS) == text


def test_a_value_that_looks_like_a_template_is_not_one() -> None:
    assert expressions.render("{{ record.name }}", {"record": {"name": "{{ today() }}"}}) == "{{ today() }}"


@pytest.mark.parametrize(
    ("template", "position"),
    [
        ("a {{ record. }}", 11),
        ("{{ x", 0),
        ("ok {{ record.a }} {{", 18),
        ("{{ }}", 2),
        ("x" * 20_001, 20_000),
        ("{{ if record. }}a{{ end }}", 13),
        ("a {{ if record.a }}b", 2),
        ("{{ if }}a{{ end }}", 0),
        ("a {{ end }}", 2),
        ("{{ else }}", 0),
        ("{{ if record.a }}{{ else }}{{ else if record.b }}{{ end }}", 27),
        ("{{ if record.a }}{{ else record.b }}{{ end }}", 17),
        ("{{ if record.a }}a{{ elif record.b }}b{{ end }}", 21),
        ("{{ if record.a }}a{{ endif }}", 21),
        ("{{ #if record.a }}a{{ /if }}", 3),
    ],
)
def test_a_template_that_cannot_be_read(template: str, position: int) -> None:
    with pytest.raises(ExpressionError) as error:
        expressions.templates(template)
    assert abs(error.value.position - position) <= 2


TOKENS = [
    "record",
    ".",
    "a",
    "(",
    ")",
    "[",
    "]",
    "&&",
    "||",
    "!",
    "==",
    "<",
    "in",
    "+",
    "-",
    "*",
    "/",
    "1",
    "2.5",
    "'x'",
    "null",
    "true",
    "today()",
    "$currentUser",
    "_",
    "{",
    "lower",
    ",",
    "\\",
    '"',
    "ä",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["12.5", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=400)
@given(text=st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join) | st.text(max_size=60), a=JSON)
def test_any_text_is_an_expression_or_an_error_and_any_value_an_answer(text: str, a: Any) -> None:
    roots = {"record": {"a": a}, "currentUser": {}, "now": NOW}
    refused = -1
    try:
        expression = parse(text)
    except ExpressionError as error:
        refused = error.position
        expression = parse("null")
    assert refused <= len(text)
    assert expression.test(roots) in {True, False}
    expression.evaluate(roots)


BINARY = [
    "{0} == {1}",
    "{0} != {1}",
    "{0} < {1}",
    "{0} + {1}",
    "{0} - {1}",
    "{0} * {1}",
    "{0} / {1}",
    "{0} in {1}",
    "max({0}, {1})",
    "addDays({0}, {1})",
    "addMonths({0}, {1})",
    "minor({0}, {1})",
    "lookup({0}, {1})",
    "similarity({0}, {1})",
    "round_half_up({0}, {1})",
    "record.a.contains({1})",
    "sum({0}, {1})",
]


@settings(max_examples=400)
@given(template=st.sampled_from(BINARY), a=JSON, b=JSON)
def test_no_operator_or_function_fails_for_any_value(template: str, a: Any, b: Any) -> None:
    parse(template.format("record.a", "record.b")).evaluate({"record": {"a": a, "b": b}, "now": NOW})


@given(a=JSON, b=JSON)
def test_equality_is_symmetric_and_order_antisymmetric(a: Any, b: Any) -> None:
    forth, back = ({"record": {"a": x, "b": y}} for x, y in ((a, b), (b, a)))
    assert parse("record.a == record.b").value(forth) is parse("record.a == record.b").value(back)
    assert parse("record.a < record.b").value(forth) is parse("record.a > record.b").value(back)


def test_what_a_condition_leaves_out_is_no_gap_and_is_still_checked() -> None:
    text = "{{ if record.yes }}a{{ else }}{{ record.missing }}{{ end }}"
    assert not expressions.lacks(text, ROOTS)
    assert expressions.lacks(text, {})
    assert [found.text for found in expressions.templates(text)] == expressions.inside(text) == ["record.yes", "record.missing"]
    assert expressions.wrong_choices(text) is None
    assert expressions.wrong_choices("{{ if record. }}{{ else }}") == "This 'if' is never ended by {{ end }}."
