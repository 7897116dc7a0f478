"""Every operator of the expression language with every kind of value, hostile texts, templates, and the truth tables."""

import itertools
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from console.core import expressions
from console.core.expressions import ExpressionError, operands, parse
from console.core.expressions.operands import UNKNOWN
from tests.core.values import UID, VALUES, record
from tests.tables import cases

# --------------------------------------------------------------------------------------------------------- three-valued logic

TRUTHS: dict[str, Any] = {
    "true": True,
    "false": False,
    "record.gone": UNKNOWN,
    "record.null": UNKNOWN,
    "record.text": UNKNOWN,
    "record.n": UNKNOWN,
}
ROOTS = record(null=None, text="yes", n=1)


def strong_and(left: Any, right: Any) -> Any:
    """Kleene's conjunction, by its definition."""
    return False if False in (left, right) else UNKNOWN if UNKNOWN in (left, right) else True


def strong_or(left: Any, right: Any) -> Any:
    return True if True in (left, right) else UNKNOWN if UNKNOWN in (left, right) else False


def negated(value: Any) -> Any:
    return UNKNOWN if value is UNKNOWN else not value


@cases(("left", "right"), list(itertools.product(TRUTHS, TRUTHS)))
def test_the_truth_tables_are_kleenes(left: str, right: str) -> None:
    one, other = TRUTHS[left], TRUTHS[right]
    assert parse(f"{left} && {right}").value(ROOTS) is strong_and(one, other)
    assert parse(f"{left} || {right}").value(ROOTS) is strong_or(one, other)
    assert parse(f"!({left} && {right})").value(ROOTS) is parse(f"!{left} || !{right}").value(ROOTS)
    assert parse(f"!({left} || {right})").value(ROOTS) is parse(f"!{left} && !{right}").value(ROOTS)


@cases("text", TRUTHS)
def test_not_turns_what_is_known(text: str) -> None:
    assert parse(f"!{text}").value(ROOTS) is negated(TRUTHS[text])
    assert parse(f"!!{text}").value(ROOTS) is TRUTHS[text]


@given(st.lists(st.sampled_from(list(TRUTHS)), min_size=1, max_size=6), st.booleans())
def test_long_chains_are_folded_two_by_two(parts: list[str], any_of: bool) -> None:
    fold, expected = (strong_or if any_of else strong_and), TRUTHS[parts[0]]
    for part in parts[1:]:
        expected = fold(expected, TRUTHS[part])
    found = parse((" || " if any_of else " && ").join(parts))
    assert found.value(ROOTS) is expected if len(parts) > 1 else True
    if len(parts) > 1:
        assert (found.test(ROOTS), found.denies(ROOTS)) == (expected is True, expected is False)


# ----------------------------------------------------------------------------------------------------------------- comparing

SAME = {frozenset(pair) for pair in [("decimal", "decimal"), ("day", "date"), ("moment", "datetime")]}
KINDS = {
    "int": "number",
    "zero": "number",
    "decimal": "number",
    "number": "number or text",
    "text": "text",
    "empty": "text",
    "day": "moment or text",
    "moment": "moment or text",
    "date": "moment",
    "datetime": "moment",
    "time": "time",
    "duration": "duration",
    "uuid": "uuid",
    "list": "list",
    "nothing": "list",
    "object": "object",
    "true": "boolean",
}


def comparable(left: str, right: str) -> bool:
    """Whether two values have a type in common, by the words of the reference."""
    return bool(set(KINDS[left].split(" or ")) & set(KINDS[right].split(" or ")))


@cases(("left", "right"), list(itertools.product(KINDS, KINDS)))
def test_which_values_can_be_told_equal(left: str, right: str) -> None:
    roots = record(a=VALUES[left], b=VALUES[right])
    found = parse("record.a == record.b").value(roots)
    assert (found is not UNKNOWN) == comparable(left, right)
    assert parse("record.a != record.b").value(roots) is negated(found)
    if left == right or frozenset((left, right)) in SAME:
        assert found is True


@cases("name", [name for name in VALUES if name != "missing"])
def test_null_equals_null_alone(name: str) -> None:
    roots = record(a=VALUES[name])
    assert parse("record.a == null").value(roots) is (name == "null")
    assert parse("null != record.a").value(roots) is (name != "null")
    assert parse("record.gone == record.a").value(roots) is UNKNOWN
    assert parse("record.gone != null").value(roots) is UNKNOWN


ORDERED = {"number", "moment", "time", "duration"}


@cases(("left", "right"), list(itertools.product([*KINDS, "null", "missing"], [*KINDS, "null", "missing"])))
def test_which_values_have_an_order(left: str, right: str) -> None:
    roots = record(a=VALUES[left], b=VALUES[right])
    found = [parse(f"record.a {sign} record.b").value(roots) for sign in ("<", "<=", ">", ">=")]
    shared = set(KINDS.get(left, "").split(" or ")) & set(KINDS.get(right, "").split(" or ")) & ORDERED
    if not shared:
        assert found == [UNKNOWN] * 4
        return
    less, at_most, more, at_least = found
    assert [less, at_most] == [not at_least, not more]
    assert (at_most and at_least) == (parse("record.a == record.b").value(roots) is True)


@cases(
    ("left", "right", "order"),
    [
        (time(9), "10:00", -1),
        ("09:00", time(9), 0),
        (time(9), "09:00+02:00", UNKNOWN),
        (time(9), "09", UNKNOWN),
        (time(12), "12.5", UNKNOWN),
        (time(9, tzinfo=timezone(timedelta(hours=2))), time(9), UNKNOWN),
        (datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T10:00:00Z", 0),
        ("2026-01-01", "2026-01-01T00:00:00Z", 0),
        ("2026-01-01 00:00", "2026-01-01T00:00:01Z", -1),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", UNKNOWN),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", UNKNOWN),
        ("10", "9", 1),
        ("1e3", "999", UNKNOWN),
        (1.5, "1.50", 0),
        (float("nan"), 1, UNKNOWN),
        (float("inf"), 1, UNKNOWN),
        (Decimal("NaN"), 1, UNKNOWN),
        (10**400, 1, 1),
        (timedelta(1), timedelta(hours=24), 0),
    ],
)
def test_order_at_the_edges(left: Any, right: Any, order: Any) -> None:
    assert operands.ordered(left, right) == order
    assert operands.ordered(right, left) == (order if order is UNKNOWN else -order)


@cases(
    ("value", "items", "found"),
    [
        (UID, [UUID(UID)], True),
        ("12.50", [12.5], True),
        ("2026-01-31", [date(2026, 1, 31)], True),
        ("x", [], False),
        (None, [None], True),
        (None, ["x"], False),
        ("x", [None], False),
        ("x", [1, None], UNKNOWN),
        ("x", [1, "x"], True),
        ("x", "xyz", UNKNOWN),
        ("x", {"x": 1}, UNKNOWN),
        ("x", None, UNKNOWN),
        (UNKNOWN, ["x"], UNKNOWN),
        (True, [1], UNKNOWN),
        (["a"], [["a"]], True),
    ],
)
def test_membership(value: Any, items: Any, found: Any) -> None:
    assert operands.member(value, items) is found
    if value is not UNKNOWN:
        assert parse("record.a in record.b").value(record(a=value, b=items)) is found


# --------------------------------------------------------------------------------------------------------------- calculating

SUMS: list[tuple[str, str, str, Any]] = [
    ("int", "+", "decimal", "5.50"),
    ("number", "+", "number", "25.0"),
    ("int", "-", "number", "-9.5"),
    ("int", "*", "int", 9),
    ("int", "/", "decimal", "1.2"),
    ("int", "/", "zero", None),
    ("zero", "/", "int", "0"),
    ("day", "+", "duration", "2026-02-02"),
    ("duration", "+", "date", "2026-02-02"),
    ("moment", "+", "duration", "2026-02-02T10:00:00Z"),
    ("date", "-", "duration", "2026-01-29"),
    ("datetime", "-", "day", "PT36000S"),
    ("day", "-", "date", "PT0S"),
    ("date", "-", "datetime", "-PT36000S"),
    ("duration", "+", "duration", "P4D"),
    ("duration", "-", "duration", "PT0S"),
    ("duration", "*", "int", "P6D"),
    ("number", "*", "duration", "P25D"),
    ("duration", "/", "decimal", "PT69120S"),
    ("duration", "/", "zero", None),
    ("int", "/", "duration", None),
    ("duration", "*", "duration", None),
    ("day", "-", "day", None),
    ("day", "+", "int", None),
    ("date", "+", "date", None),
    ("date", "*", "int", None),
    ("text", "+", "text", None),
    ("list", "+", "list", None),
    ("true", "+", "true", None),
    ("null", "+", "int", None),
    ("missing", "*", "int", None),
    ("time", "+", "duration", None),
    ("object", "-", "object", None),
]


@cases(("left", "sign", "right", "result"), SUMS, ids=[" ".join(row[:3]) for row in SUMS])
def test_calculating(left: str, sign: str, right: str, result: Any) -> None:
    assert parse(f"record.a {sign} record.b").evaluate(record(a=VALUES[left], b=VALUES[right])) == result


@cases(
    ("text", "result"),
    [
        ("1 / 3", "0." + "3" * 28),
        ("2 / 3", "0." + "6" * 27 + "7"),
        ("1 / 3 * 3", "0." + "9" * 28),
        ("9" * 60 + " + 0", int("9" * 60)),
        ("9" * 60 + " * " + "9" * 60, (10**60 - 1) ** 2),
        (" * ".join(["9" * 60] * 4), None),
        ("days(999999999)", "P999999999D"),
        ("days(1000000000)", None),
        ("days(999999999) + days(1)", None),
        ("days(1) * 1000000000", None),
        ("days(1) / 0.0000000001", None),
        ("date('9999-12-31') + days(1)", None),
        ("date('0001-01-01') - days(1)", None),
        ("hours(0.5)", "PT1800S"),
        ("days('0.1') * 3 == days('0.3')", True),
        ("days(3) / 3 * 3 == days(3)", True),
        ("days(1) / 0", None),
        ("minutes('0.00000001')", "PT0.000001S"),
        ("hours('12345678.123456789')", "P514403DT22044.44444S"),
        ("minutes('1.5')", "PT90S"),
        ("-days(1)", None),
        ("0 - days(1)", None),
        ("days(-1)", "-P1D"),
        ("days(-1) + hours(1)", "-PT82800S"),
        ("hours(0.0000001)", "PT0.00036S"),
    ],
)
def test_calculating_stays_exact_and_within_bounds(text: str, result: Any) -> None:
    assert parse(text).evaluate(record()) == result


numbers = st.decimals(-(10**12), 10**12, places=4)


@given(numbers, numbers, st.sampled_from(["+", "-", "*"]))
def test_decimals_are_calculated_exactly(left: Decimal, right: Decimal, sign: str) -> None:
    with localcontext(prec=60):
        expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    found = parse(f"record.a {sign} record.b").value(record(a=str(left), b=str(right)))
    assert found == expected
    assert Decimal(operands.to_json(found)) == expected


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.integers(-4_000_000, 4_000_000))
def test_days_are_added_as_the_calendar_has_them(start: date, number: int) -> None:
    found = parse(f"addDays(record.a, {number})").value(record(a=start))
    ordinal = start.toordinal() + number
    assert found == (date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else UNKNOWN)


@given(st.dates(), st.integers(-30_000, 30_000))
def test_a_month_later_is_the_same_day_or_the_last_of_its_month(start: date, number: int) -> None:
    found = parse(f"addMonths(record.a, {number})").value(record(a=start.isoformat()))
    if found is UNKNOWN:
        assert not 1 <= (start.year * 12 + start.month - 1 + number) // 12 <= 9999
        return
    assert (found.year * 12 + found.month) - (start.year * 12 + start.month) == number
    assert found.day == start.day or (
        found.day < start.day and (found == date.max or (found + timedelta(days=1)).day == 1)
    )


# ------------------------------------------------------------------------------------------------------------- hostile texts


@cases(
    "text",
    [
        "record.__class__.__mro__",
        "record['__class__']",
        'record["_private"]',
        "record.a.__init__('x')",
        "__import__('os')",
        "steps.__dict__",
        "$currentUser._secret",
        "$other.id",
        "record.a.format('{0.__class__}')",
        "lambda: 1",
        "record.a if true else 1",
        "record.a; record.b",
        "record.a\x00",
        "record.a \u202e== 1",
        "record.a == 1 -- comment",
        "record.a /* x */",
        "`record.a`",
        "record.a := 1",
        "1_000",
        "0x10",
        "1e3",
        ".5",
        "5.",
        "1..2",
        "record..a",
        "record.a.",
        "record[-1]",
        "record[1.5]",
        "record[a]",
        "record[record.a]",
        "true.a",
        "today().a",
        "f'x'",
        "r'x'",
        "'''x'''",
        "a b",
        "!",
        "()",
        "[,]",
        "[1,]",
        "today(,)",
        "in [1]",
        "1 in",
        "== 1",
        "&& true",
        "true & false",
        "true and false",
        "not true",
        "1 = 1",
        "1 <> 2",
        "１ + 1",
        "record.ä",
        "ｒecord.a",
        r"'\x41'",
        r"'\u12'",
        r"'\ud800'",
        r"'\udc00\ud800'",
        r"'\u0000'",
        "'\ud800'",
        "'a\x00b'",
    ],
)
def test_what_is_no_expression_is_refused_with_a_place_inside_the_text(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert 0 <= refused.value.position <= len(text)
    assert refused.value.message.endswith(f"(at character {refused.value.position + 1})")
    assert refused.value.reason[-1] in ".?"


def test_names_that_python_knows_are_only_names_of_values() -> None:
    class Trap(dict[str, Any]):
        """Any attribute of it is a fault."""

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    roots = {"record": Trap({"keys": 1, "items": 2, "class": 3, "get": 4})}
    assert [
        parse(f"record.{name}").evaluate(roots) for name in ("keys", "items", "class", "get", "values")
    ] == [1, 2, 3, 4, None]


@cases(
    "text",
    [
        "(" * 500,
        "[" * 500,
        "!" * 1999,
        "-" * 1999,
        "a." * 900,
        "'" + "\\" * 1500,
        "1+" * 900,
        "record.a && " * 150,
        "size(" * 300,
        "record" + "[0]" * 600,
        "'" * 2000,
        "\n" * 2000,
        "$" * 2000,
    ],
)
def test_a_long_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


# ----------------------------------------------------------------------------------------------------------------- templates


@cases(
    ("template", "text"),
    [
        ("", ""),
        ("{{record.text}}", "Anna"),
        ("{{\n  record.text\n}}", "Anna"),
        ("{{ record.decimal }} {{ record.int }}", "2.50 3"),
        ("{{ record.true }}{{ !record.true }}", "truefalse"),
        ("[{{ record.null }}{{ record.gone }}{{ record.object }}{{ record.nothing }}]", "[]"),
        ("{{ record.list }}", "a, 1"),
        (
            "{{ record.date }} {{ record.datetime }} {{ record.time }}",
            "2026-01-31 2026-01-31T10:00:00Z 09:30:00",
        ),
        ("{{ record.duration }}", "P2D"),
        ("{{ record.uuid }}", UID),
        ("{ {{ record.text }} }}", "{ Anna }}"),
        ("}} {{ record.text }}", "}} Anna"),
        ("{record.text}", "{record.text}"),
        ("%s {0} ${record} {% raw %}", "%s {0} ${record} {% raw %}"),
        ("\u202e{{ record.text }}\x00", "\u202eAnna\x00"),
        ("{{ '{{' }}", "{{"),
        ("{{ 0 }}{{ '' }}{{ 0.0 }}", "00.0"),
        ("{{ [null, '', 'a', [1, [2]], true] }}", "a, 1, 2, true"),
    ],
)
def test_rendering(template: str, text: str) -> None:
    assert expressions.render(template, record(**VALUES)) == text


@cases(
    ("template", "position"),
    [
        ("a {{ foo }}", 5),
        ("a {{foo}}", 4),
        ("{{      foo }}", 8),
        ("{{ record.a }} {{\n\n  1 + }}", 24),
        ("{{ record.a }} {{ record.b", 15),
        ("{{ {{ }}", 3),
    ],
)
def test_a_template_names_the_character_in_the_whole_text(template: str, position: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        expressions.templates(template)
    assert refused.value.position == position


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_value_stands_in_the_text_letter_for_letter(before: str, value: str, after: str) -> None:
    before, after = (part.replace("{", "(").replace("}", ")") for part in (before, after))
    assert (
        expressions.render(f"{before}{{{{ record.a }}}}{after}", record(a=value)) == f"{before}{value}{after}"
    )


@cases(
    ("value", "json"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "-0.00"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (datetime(2026, 1, 1), "2026-01-01T00:00:00Z"),  # noqa: DTZ001
        (
            datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-01T10:00:00.000005Z",
        ),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "0001-01-01T00:00:00+14:00"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))), "9999-12-31T23:00:00-12:00"),
        (timedelta(0), "PT0S"),
        (timedelta(days=-1, seconds=1), "-PT86399S"),
        (timedelta(microseconds=1), "PT0.000001S"),
        ((1, (2, UNKNOWN)), [1, [2, None]]),
        ({1: Decimal(2), "x": {"y": date(2026, 1, 1)}}, {"1": "2", "x": {"y": "2026-01-01"}}),
        (True, True),
    ],
)
def test_values_as_json(value: Any, json: Any) -> None:
    assert operands.to_json(value) == json
