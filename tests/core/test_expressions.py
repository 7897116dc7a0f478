"""The expression language: what can be written, what it comes to, and what is refused with its place."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core import expressions
from console.core.errors import DefinitionError
from console.core.expressions import ExpressionError, parse
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
        (
            '{{ if record.name == "Ben" }}him{{ else if record.yes }}{{ record.name }}{{ else }}them{{ end }}!',
            "Anna!",
        ),
        ('{{ if record.name == "Ben" }}him{{ else  if !record.yes }}no{{ else }}them{{ end }}', "them"),
        (
            "{{ if record.missing > 1 }}unknown is not enough{{ end }}|{{ if(record.yes) }}yes{{ end }}",
            "|yes",
        ),
        (
            "{{ if record.yes }}a{{ if record.none == null }}b{{ else }}c{{ end }}{{ else }}d{{ if record.yes }}e{{ end }}{{ end }}",
            "ab",
        ),
        ("a\n{{ if record.yes }}\n- b\n  {{ else }}\n- c\n{{ end }}\nd", "a\n- b\nd"),
        (
            "{{ if record.yes }}\n{{ if !record.yes }}\na\n{{ end }}\n{{ end }}\nb {{ if record.yes }}\n{{ end }}",
            "b \n",
        ),
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


def test_what_a_condition_leaves_out_is_no_gap_and_is_still_checked() -> None:
    text = "{{ if record.yes }}a{{ else }}{{ record.missing }}{{ end }}"
    assert not expressions.lacks(text, ROOTS)
    assert expressions.lacks(text, {})
    assert (
        [found.text for found in expressions.templates(text)]
        == expressions.raw_expressions(text)
        == ["record.yes", "record.missing"]
    )
    assert expressions.wrong_choices(text) is None
    assert expressions.wrong_choices("{{ if record. }}{{ else }}") == "This 'if' is never ended by {{ end }}."
