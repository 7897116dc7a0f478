"""Every type of field against everything that can be typed into it: right, wrong, too long, empty, out of range, not an option, hostile."""

import json
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from console.core.documents.fields import (
    NEEDS_OPTIONS,
    NOT_IN_FORMS,
    FieldDefinition,
    coerce_computed,
    submitted_values,
)
from console.core.errors import Invalid
from console.core.forms import (
    CLEANERS,
    FIELD_TYPES,
    LISTS,
    LONGEST,
    LONGEST_OTHERWISE,
    NEVER_TYPED,
    TEXTS,
    FormField,
    Wrong,
    clean,
    cleaned,
    examine,
    is_empty,
)
from tests.tables import cases

UID = "0193463c-0000-7000-8000-000000000001"
OPTIONS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
RIGHT: dict[str, list[tuple[Any, Any]]] = {
    "text": [
        ("x", "x"),
        (" x ", " x "),
        ("e\u0301", "\u00e9"),
        ("a\r\nb", "a\nb"),
        ("\u202e<b>", "\u202e<b>"),
        ("😀", "😀"),
    ],
    "long_text": [("x" * 100_000, "x" * 100_000), ("a\rb", "a\nb"), ("{{ x }}", "{{ x }}")],
    "integer": [
        (0, 0),
        ("0", 0),
        ("-12", -12),
        (" 12 ", 12),
        (-(2**53) + 1, -(2**53) + 1),
        ("007", 7),
        ("-0", 0),
    ],
    "decimal": [
        ("0", "0"),
        ("-0.10", "-0.10"),
        (" 1 ", "1"),
        ("0" * 30, "0" * 30),
        ("1." + "0" * 30, "1." + "0" * 30),
    ],
    "money": [("12.345", "12.345"), ("-1", "-1"), (5, "5")],
    "boolean": [(True, True), (False, False), ("true", True), ("false", False)],
    "date": [
        ("2024-02-29", "2024-02-29"),
        (" 2026-01-01 ", "2026-01-01"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
    ],
    "datetime": [
        ("2026-11-20T09:30Z", "2026-11-20T09:30:00Z"),
        ("2026-11-20t09:30:15.5+02:00", "2026-11-20T07:30:15.500000Z"),
        ("2026-11-20 23:59:59-00:30", "2026-11-21T00:29:59Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
    "time": [
        ("00:00", "00:00:00"),
        ("23:59:59", "23:59:59"),
        ("09:30:00.25", "09:30:00.250000"),
        (" 09:30 ", "09:30:00"),
    ],
    "enum": [("a", "a"), ("b", "b")],
    "multi_enum": [([], []), (["b", "a"], ["a", "b"]), (["a", "a"], ["a"])],
    "checklist": [(["b"], ["b"])],
    "reference": [("a", "a")],
    "uuid": [(UID, UID), (UID.upper(), UID), (f" {UID} ", UID)],
    "email": [
        ("a@b.cd", "a@b.cd"),
        (" a.b+c@sub.example.org ", "a.b+c@sub.example.org"),
        ("ä@exämple.org", "ä@exämple.org"),
    ],
    "phone": [("12345", "12345"), ("+49 (0)30/123-45.6", "+49 (0)30/123-45.6")],
    "url": [
        ("http://a", "http://a"),
        ("HTTPS://A/B?c#d", "HTTPS://A/B?c#d"),
        ("https://[::1]:8080/", "https://[::1]:8080/"),
    ],
    "json": [
        ([], []),
        ({}, {}),
        (False, False),
        (0, 0),
        ("text", "text"),
        ({"a": [{"b": None}]}, {"a": [{"b": None}]}),
    ],
    "array": [([], []), ([None, "", "a", 1, True], [None, "", "a", 1, True]), (["a\r\nb"], ["a\nb"])],
}
NUL, HALF, NOT_TEXT = "NUL character", "lone surrogate", "must be text, in quotes"
WRONG: dict[str, list[tuple[Any, str]]] = {
    "text": [
        (1, f"{NOT_TEXT}; it is a number."),
        (1.5, "a number"),
        (False, "true or false"),
        ([], "a list"),
        ({}, "an object"),
        ("\x00", NUL),
        ("\ud800", HALF),
        ("a\udfff", HALF),
        ("x" * 200_000, "200000 characters, at most 10000 fit"),
    ],
    "long_text": [("x" * 100_001, "at most 100000"), (["x"], "a list")],
    "integer": [
        ("1.0", "whole number"),
        ("1e3", "whole number"),
        ("٣", "whole number"),
        ("1 000", "whole number"),
        (1.0, "whole number"),
        (True, "whole number"),
        (2**53, "at most 9007199254740991"),
        (-(2**53), "too large"),
        ("9" * 17, "whole number"),
        ([], "whole number"),
        ({}, "whole number"),
        ("0x10", "whole number"),
        ("1\x00", "whole number"),
        ("--1", "whole number"),
        (10**400, "too large"),
    ],
    "decimal": [
        ({}, 'such as "12.50"'),
        (1.5, 'such as "12.50"'),
        (True, "must be a number"),
        ([], "must be a number"),
        ("1,5", "point"),
        ("1e5", "point"),
        ("+1", "point"),
        (".5", "point"),
        ("5.", "point"),
        ("NaN", "point"),
        ("Infinity", "point"),
        ("0x1", "point"),
        ("٣", "point"),
        ("1" * 31, "point"),
        ("0." + "1" * 31, "point"),
        ("1\x00", "point"),
        ("−1", "point"),
        ("1 000", "point"),
    ],
    "money": [("€5", "point"), ("5 EUR", "point"), ([5], "must be a number")],
    "boolean": [
        ("True", "true or false"),
        ("yes", "true or false"),
        (0, "true or false"),
        (1, "true or false"),
        ([], "true or false"),
        ({"a": 1}, "true or false"),
        ("on", "true or false"),
    ],
    "date": [
        ("2026-02-29", "no such day"),
        ("2026-00-10", "no such day"),
        ("0000-01-01", "no such day"),
        ("2026-1-1", "2026-11-20"),
        ("20261120", "2026-11-20"),
        ("2026-11-20T00:00", "2026-11-20"),
        ("２０２６-11-20", "day"),
        (20261120, NOT_TEXT),
        ("2026-11-20\x00", NUL),
    ],
    "datetime": [
        ("2026-11-20T09:30", "time zone is missing"),
        ("2026-11-20", "date and time"),
        ("2026-11-20T24:00Z", "no such day or time"),
        ("2026-02-30T09:30Z", "no such day or time"),
        ("2026-11-20T09:30+25:00", "no such day or time"),
        ("2026-11-20T09:60Z", "no such"),
        ("9999-12-31T23:59:59-01:00", "no such day or time"),
        ("0001-01-01T00:00:00+00:01", "no such day or time"),
        ("now", "date and time"),
        ("2026-11-20T09:30:00.1234567Z", "date and time"),
        (0, NOT_TEXT),
        ("\ud800", HALF),
    ],
    "time": [
        ("24:00", "no such time"),
        ("09:60", "no such time"),
        ("9:30", "09:30"),
        ("09:30Z", "09:30"),
        ("0930", "09:30"),
        (930, NOT_TEXT),
    ],
    "enum": [
        ("c", "choose one of a, b"),
        ("A", "choose one of a, b"),
        (" a", "choose one of a, b"),
        (["a"], NOT_TEXT),
        (1, NOT_TEXT),
        ("a\x00", NUL),
    ],
    "multi_enum": [
        ("a", "must be a list; it is a text"),
        (["c"], "choose one of a, b"),
        ([1], NOT_TEXT),
        ([["a"]], NOT_TEXT),
        ({}, "an object"),
        (["a"] * 1001, "at most 1000"),
        ([None], NOT_TEXT),
        ("", "must be a list"),
    ],
    "checklist": [(True, "it is true or false"), (["a", "c"], "choose one of")],
    "reference": [("c", "choose one of a, b"), (17, NOT_TEXT), ("\ud800", HALF)],
    "uuid": [
        ("x", "UUID"),
        (UID[:-1], "UUID"),
        (f"{{{UID}}}", "UUID"),
        (UID.replace("-", ""), "UUID"),
        (1, NOT_TEXT),
        (f"urn:uuid:{UID}", "UUID"),
    ],
    "email": [
        ("a", "name@example.org"),
        ("a@b", "name@example.org"),
        ("@b.cd", "name@example.org"),
        ("a@b..cd", "name@example.org"),
        ("a b@c.de", "name@example.org"),
        ("a@b.cd, e@f.gh", "name@example.org"),
        ("<a@b.cd>", "name@example.org"),
        ("a@b@c.de", "name@example.org"),
        ("x" * 65 + "@b.cd", "name@example.org"),
        ("x" * 260, "at most 254"),
        ("a@b.cd\nBcc: x@y.zz", "name@example.org"),
        ([], NOT_TEXT),
    ],
    "phone": [
        ("1234", "no phone number"),
        ("+" + "1" * 16, "no phone number"),
        ("call", "no phone number"),
        ("1" * 41, "at most 40"),
        ("٣٣٣٣٣٣", "no phone"),
        ("++123456", "no phone number"),
        ("12345;ext=1", "no phone number"),
        (12345, NOT_TEXT),
    ],
    "url": [
        ("a.example", "https://"),
        ("//a.example", "https://"),
        ("javascript:alert(1)", "https://"),
        ("data:text/html,x", "https://"),
        ("ftp://a", "https://"),
        ("https://a:0/", "https://"),
        ("https://a:99999/", "https://"),
        ("https://a b/", "https://"),
        ("http://[::1", "https://"),
        ("https:///x", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://a/" + "x" * 2000, "at most 2000"),
        (1, NOT_TEXT),
    ],
    "json": [
        (1.5, "written as text"),
        ({"a": [1.5]}, "written as text"),
        (2**53, "too large to be kept"),
        ({"a": "\x00"}, "cannot be stored"),
        ({"\x00": 1}, NUL),
        ({"\ud800": 1}, HALF),
        (["\udc00"], "cannot be stored"),
        ("x" * 70_000, "at most 65536"),
        ([0] * 70_000, "at most 65536"),
        ({"k" * 70_000: 1}, "at most 65536"),
    ],
    "array": [
        ("a", "must be a list"),
        ({}, "an object"),
        ([[1]], "one is a list"),
        ([{}], "one is an object"),
        ([1.5], "one is a number"),
        ([2**53], "too large"),
        (["\x00"], NUL),
        (["x" * 10_001], "at most 10000"),
        ([1] * 1001, "at most 1000"),
    ],
    "binary": [("x", "cannot be changed")],
    "file": [("x", "cannot be changed"), ({}, "cannot be changed")],
    "files": [(["x"], "cannot be changed")],
    "other": [(1, "cannot be changed")],
}


def field(kind: str, **more: Any) -> FormField:
    options = OPTIONS if kind in NEEDS_OPTIONS or kind == "reference" else None
    return FormField(**({"name": "x", "label": "The field", "type": kind, "options": options} | more))


def told(made: FormField, typed: Any) -> str:
    """What is said of this value; empty where it is taken."""
    values, details = examine([made], {"x": typed})
    if not details:
        return ""
    assert values == {"x": made.value}, "a wrong field keeps what it had"
    (detail,) = details
    assert detail["field"] == "x"
    assert detail["reason"].endswith((".", ")"))
    return detail["reason"]


def rows(table: dict[str, list[tuple[Any, Any]]]) -> list[Any]:
    return [
        pytest.param(kind, typed, said, id=f"{kind}-{number}")
        for kind, cases in table.items()
        for number, (typed, said) in enumerate(cases)
    ]


@cases(("kind", "typed", "kept"), rows(RIGHT))
def test_what_fits_is_kept_and_stays_the_same_when_it_is_sent_again(kind: str, typed: Any, kept: Any) -> None:
    made = clean([field(kind)], {"x": typed})["x"]
    assert made == kept
    assert isinstance(made, bool) == isinstance(kept, bool)
    assert clean([field(kind)], {"x": made})["x"] == made
    assert json.dumps(made)


@cases(("kind", "typed", "said"), rows(WRONG))
def test_what_does_not_fit_is_said_with_the_way_out(kind: str, typed: Any, said: str) -> None:
    assert said in told(field(kind), typed)


def test_the_tables_have_every_type() -> None:
    assert set(RIGHT) == set(CLEANERS) - {"file", "files"}  # those have a test of their own
    assert set(WRONG) == set(FIELD_TYPES)


@cases("kind", FIELD_TYPES)
@cases("empty", [None, "", "   ", []], ids=["null", "nothing", "blanks", "no entry"])
def test_what_is_empty_is_refused_where_it_is_needed_and_taken_or_named_elsewhere(
    kind: str, empty: Any
) -> None:
    values, details = examine([field(kind)], {"x": empty})
    if details:
        assert empty is not None or kind in NEVER_TYPED
    else:
        assert is_empty(values["x"])
    needed = examine([field(kind, required=True)], {"x": empty})[1]
    assert [detail["field"] for detail in needed] == ["x"]


@cases(
    ("value", "empty"),
    [
        (None, True),
        ("", True),
        (" \t\n", True),
        ("\u00a0", True),
        ([], True),
        ({}, False),
        (0, False),
        (False, False),
        ("0", False),
        ([None], False),
        ("\u200b", False),
    ],
)
def test_what_counts_as_empty(value: Any, empty: bool) -> None:
    assert is_empty(value) is empty


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_each_kind_of_text_has_its_length(kind: str) -> None:
    longest = LONGEST.get(kind, LONGEST_OTHERWISE)
    assert f"{longest + 1} characters, at most {longest} fit" in told(field(kind), "x" * (longest + 1))
    assert f"at most {7} fit" in told(field(kind, max_length=7), "x" * 8)


def test_an_option_may_be_named_when_there_are_many_or_none() -> None:
    many = [{"value": f"o{number}", "label": "O"} for number in range(40)]
    first = ", ".join(f"o{n}" for n in range(12))
    assert told(field("enum", options=many), "x") == f"This is not an option here: choose one of {first} …."
    assert told(field("enum", options=[]), "x") == "There is nothing to choose from here."
    assert told(field("enum", options={"collection": "party"}), "anything") == ""
    assert told(field("text", options=OPTIONS), "c").startswith("This is not an option")
    assert told(field("text", options=OPTIONS, now="c"), "c") == "", "what stands in the record may stay"


# -------------------------------------------------------------------------------------------------------------------- bounds

BOUNDS: list[tuple[str, Any, Any, list[Any], list[Any], list[Any]]] = [
    ("integer", -2, 2, [-2, 0, "2"], [-3], [3]),
    ("integer", "0.5", "1.5", [1], [0], [2]),
    ("decimal", "0.01", "99.99", ["0.010", "99.99"], ["0.0099", "-1"], ["100", "99.991"]),
    ("decimal", 1, 2, ["1", "2.000"], ["0.9"], ["2.1"]),
    ("money", "0", None, ["0", "1" * 30], ["-0.01"], []),
    ("text", 2, 3, ["ab", " abc "], ["a", " a  "], ["abcd"]),
    ("text", "2", "3", ["ab"], ["a"], ["abcd"]),
    ("long_text", None, 2, ["ab"], [], ["abc"]),
    ("email", 7, None, ["ab@c.de"], ["a@b.cd"], []),
    ("date", "2026-01-01", "2026-12-31", ["2026-01-01", "2026-12-31"], ["2025-12-31"], ["2027-01-01"]),
    (
        "datetime",
        "2026-01-01T10:00:00+02:00",
        "2026-01-02",
        ["2026-01-01T08:00:00Z", "2026-01-01T08:00:00.5Z", "2026-01-02T00:00:00Z"],
        ["2026-01-01T07:59:59.999Z"],
        ["2026-01-02T00:00:00.000001Z"],
    ),
    ("time", "09:00", "17:00", ["09:00:00", "17:00"], ["08:59:59.999"], ["17:00:01"]),
    ("multi_enum", 1, 1, [["a"]], [], [["a", "b"]]),
    ("checklist", 2, None, [["a", "b"]], [["a"]], []),
    ("array", 1, 2, [["x"], [1, 2]], [], [[1, 2, 3]]),
]


@cases(
    ("kind", "low", "high", "fits", "below", "above"), BOUNDS, ids=[f"{row[0]}-{row[1]}" for row in BOUNDS]
)
def test_bounds(kind: str, low: Any, high: Any, fits: list[Any], below: list[Any], above: list[Any]) -> None:
    made, unit = (
        field(kind, min=low, max=high),
        {kind in LISTS: " entries", kind in TEXTS: " characters"}.get(True, ""),
    )
    tell = "Tick {0} {1}." if made.options else f"This is too {{2}}: {{0}} {{1}}{unit}."
    for typed in fits:
        assert told(made, typed) == "", typed
    for typed in below:
        assert told(made, typed) == tell.format("at least", low, "little" if unit else "low")
    for typed in above:
        assert told(made, typed) == tell.format("at most", high, "much" if unit else "high")


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_number_is_taken_exactly_within_its_bounds(value: int, low: int, high: int) -> None:
    made = field("decimal", min=str(low), max=high)
    assert (told(made, f"{value}.0") == "") == (low <= value <= high)


@given(st.dates(), st.dates(), st.dates())
def test_a_day_is_taken_exactly_within_its_bounds(value: date, low: date, high: date) -> None:
    made = field("date", min=low.isoformat(), max=high.isoformat())
    assert (told(made, value.isoformat()) == "") == (low <= value <= high)


moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments, st.integers(-14, 14))
def test_a_moment_is_compared_by_its_place_in_time_and_not_by_its_letters(
    value: datetime, low: datetime, hours: int
) -> None:
    shifted = low + timedelta(hours=hours)
    sign = "+" if hours >= 0 else "-"
    written = shifted.replace(tzinfo=None).isoformat() + f"{sign}{abs(hours):02}:00"
    assert (told(field("datetime", min=written), value.isoformat()) == "") == (low <= value)


# --------------------------------------------------------------------------------------------------------- properties of cleaning


@given(st.text(max_size=50))
def test_a_text_is_kept_up_to_its_form_and_its_line_ends(typed: str) -> None:
    said = told(field("text"), typed)
    if "\x00" in typed or any("\ud800" <= letter <= "\udfff" for letter in typed):
        assert said
        return
    kept = clean([field("text")], {"x": typed})["x"]
    assert (kept or "") == unicodedata.normalize("NFC", typed.replace("\r\n", "\n").replace("\r", "\n"))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15))
def test_a_decimal_keeps_its_digits(value: Decimal) -> None:
    text = format(value, "f")
    assert clean([field("decimal")], {"x": text}) == {"x": text}


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_moment_in_utc(value: datetime, minutes: int) -> None:
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    typed = (value + timedelta(minutes=minutes)).replace(
        tzinfo=None
    ).isoformat() + f"{sign}{size // 60:02}:{size % 60:02}"
    assert datetime.fromisoformat(clean([field("datetime")], {"x": typed})["x"]) == value


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6))
def test_ticks_are_a_set_in_the_order_of_the_options(typed: list[str]) -> None:
    said = told(field("multi_enum"), typed)
    assert bool(said) == ("c" in typed)
    if not said:
        assert clean([field("multi_enum")], {"x": typed})["x"] == [
            name for name in ("a", "b") if name in typed
        ]


# ------------------------------------------------------------------------------------------------------------------ whole forms


@cases(
    ("submitted", "wrong"),
    [
        ({}, ["b"]),
        ({"b": "x"}, []),
        ({"b": None}, ["b"]),
        ({"b": "x", "a": "y"}, ["a"]),
        ({"__class__": 1, "b": "x"}, ["__class__"]),
        ({"": 1, "b": "x"}, [""]),
        ({"r": "changed", "b": "x"}, []),
        ({"b": "x", "f": "other"}, ["f"]),
        ({"b": "x", "f": "shown.pdf"}, []),
        ({"B": "x"}, ["B", "b"]),
    ],
)
def test_a_whole_form(submitted: dict[str, Any], wrong: list[str]) -> None:
    fields = [
        field("integer", name="a", value=1),
        field("text", name="b", required=True),
        field("text", name="r", readonly=True, value="r"),
    ]
    fields.append(field("file", name="f", value="shown.pdf"))
    values, details = examine(fields, submitted)
    assert [detail["field"] for detail in details] == wrong
    assert list(values) == ["a", "b", "r", "f"]
    assert (values["r"], values["f"], values["a"]) == ("r", "shown.pdf", 1)
    if wrong:
        with pytest.raises(Invalid) as refused:
            clean(fields, submitted)
        assert refused.value.details == details


# ----------------------------------------------------------------------------------------------------------------- definitions

DEFINED: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {"name": None}, "name"),
    ("name with capitals", {"name": "Amount"}, "pattern"),
    ("dunder name", {"name": "__class__"}, "pattern"),
    ("name too long", {"name": "x" * 65}, "pattern"),
    ("no label", {"label": ""}, "at least 1"),
    ("label too long", {"label": "x" * 201}, "at most 200"),
    ("unknown type", {"type": "colour"}, "literal_error"),
    ("help too long", {"help": "x" * 501}, "at most 500"),
    ("max_length of nought", {"max_length": 0}, "greater than or equal to 1"),
    ("max_length too large", {"max_length": 100_001}, "less than or equal to 100000"),
    ("required as a word", {"required": "yes"}, "valid boolean"),
    ("fraction as a bound", {"min": 1.5}, "min"),
    ("unknown key", {"colour": "red"}, "extra_forbidden"),
    ("option without a value", {"type": "enum", "options": [{"value": "", "label": "A"}]}, "at least 1"),
    (
        "option with more",
        {"type": "enum", "options": [{"value": "a", "label": "A", "x": 1}]},
        "extra_forbidden",
    ),
    (
        "two of the same",
        {"type": "enum", "options": [OPTIONS[0], OPTIONS[0]]},
        "two options have the same value",
    ),
    ("read-only without a value", {"readonly": True}, "a field that is only shown needs a value"),
    ("reference to nothing", {"type": "reference"}, "needs the collection"),
    (
        "default of another type",
        {"type": "integer", "default": "x"},
        "default does not fit the field: This must be a whole number",
    ),
    (
        "default below",
        {"type": "integer", "default": 1, "min": 2},
        "default does not fit the field: This is too low",
    ),
    ("default that is no option", {"type": "enum", "options": OPTIONS, "default": "c"}, "choose one of a, b"),
    (
        "day bounded by a number",
        {"type": "date", "min": 5, "default": "2026-01-01"},
        "min does not bound a field of type date: 5",
    ),
    (
        "day bounded by a moment",
        {"type": "date", "max": "2026-01-01T00:00:00Z"},
        "max does not bound a field of type date",
    ),
    ("text bounded by words", {"min": "few"}, "min does not bound a field of type text: few"),
    (
        "number bounded by none",
        {"type": "decimal", "min": "NaN", "default": "1"},
        "min does not bound a field of type decimal: NaN",
    ),
    ("truth with a bound", {"type": "boolean", "max": 1}, "max does not bound a field of type boolean"),
    ("bounds crossed", {"type": "integer", "min": 3, "max": 2}, "min is above max: 3, 2"),
    ("bounds crossed by value", {"type": "decimal", "min": "10", "max": "9.5"}, "min is above max"),
    ("case without a value", {"value": [{"if": "1 == 1"}]}, "value"),
    *(
        (f"no options for {kind}", {"type": kind}, f"a field of type {kind} needs options")
        for kind in sorted(NEEDS_OPTIONS)
    ),
    *(
        (f"{kind} in a form", {"type": kind}, f"a field of type {kind} cannot be typed")
        for kind in sorted(NOT_IN_FORMS)
    ),
]


@cases(("name", "more", "said"), DEFINED, ids=[row[0] for row in DEFINED])
def test_a_definition_that_cannot_work_is_refused(name: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FieldDefinition.model_validate({"name": "x", "label": "X"} | more)
    assert said in str(refused.value)


@cases("kind", [kind for kind in FIELD_TYPES if kind not in NOT_IN_FORMS | NEVER_TYPED])
def test_each_type_can_be_defined_and_its_default_stands_in_the_form(kind: str) -> None:
    value, kept = RIGHT[kind][-1]
    more = (
        {"options": OPTIONS}
        if kind in NEEDS_OPTIONS
        else {"collection": "party"}
        if kind == "reference"
        else {}
    )
    made = FieldDefinition.model_validate({"name": "x", "label": "X", "type": kind, "default": value} | more)
    assert submitted_values([made], {}, {}, "me", {}) == ({"x": kept}, [])
    assert made.field().options == (
        {"collection": "party"} if kind == "reference" else OPTIONS if more else None
    )


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["1.50", "2026-01-01", "09:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(
    st.sampled_from([kind for kind in FIELD_TYPES if kind not in NEVER_TYPED]),
    JSON_VALUES,
    JSON_VALUES,
    JSON_VALUES,
)
def test_no_bound_and_no_value_makes_cleaning_fail(kind: str, value: Any, low: Any, high: Any) -> None:
    made = field(kind, min=low, max=high)
    try:
        kept = cleaned(made, value)
    except Wrong:
        return
    assert cleaned(made, kept) == kept


@given(st.sampled_from(FIELD_TYPES), JSON_VALUES, JSON_VALUES, JSON_VALUES)
def test_a_definition_is_refused_by_name_or_works(kind: str, default: Any, low: Any, high: Any) -> None:
    try:
        made = FieldDefinition.model_validate(
            {
                "name": "x",
                "label": "X",
                "type": kind,
                "default": default,
                "min": low,
                "max": high,
                "options": OPTIONS,
                "collection": "c",
            }
        )
    except ValidationError:
        return
    values, details = submitted_values([made], {}, {}, "me", {"x": default})
    assert details == []
    assert coerce_computed(made.field(), values["x"]) == values["x"] or values["x"] == []


@cases(
    ("value", "kept"),
    [
        ("0." + "3" * 38, "0." + "3" * 30),
        ("0." + "6" * 31, "0." + "6" * 29 + "7"),
        ("-0." + "5" * 31, "-0." + "5" * 29 + "6"),
        ("1" * 30 + "." + "1" * 40, "1" * 30 + "." + "1" * 30),
        ("1" * 31, None),
        ("x." + "y" * 40, None),
        (12, "12"),
        (12.5, None),
    ],
)
def test_a_computed_number_is_rounded_to_what_a_form_reads(value: Any, kept: Any) -> None:
    assert coerce_computed(field("decimal"), value) == kept


PDF = {
    "file": "fil_00000000000000000000000001",
    "name": "a.pdf",
    "media_type": "application/pdf",
    "sha256": "0" * 64,
    "bytes": 5,
}
PNG = {**PDF, "file": "fil_00000000000000000000000002", "name": "b.png", "media_type": "image/png"}


@cases(
    ("kind", "typed", "said"),
    [
        ("file", PDF, ""),
        ("files", [PDF], ""),
        ("files", [], ""),
        ("files", [PDF, PDF], ""),
        ("file", PNG, "Send it as PDF."),
        ("files", [PDF, PNG], "Send it as PDF."),
        ("file", "fil_00000000000000000000000001", "no file that was sent"),
        ("file", {**PDF, "more": 1}, "no file that was sent"),
        ("file", [PDF], "no file that was sent"),
        ("files", PDF, "must be a list"),
        (
            "files",
            [
                PDF,
                {**PDF, "file": "fil_00000000000000000000000003"},
                {**PDF, "file": "fil_00000000000000000000000004"},
            ],
            "at most 2 entries",
        ),
    ],
)
def test_files_are_handed_in_where_kinds_are_named(kind: str, typed: Any, said: str) -> None:
    made = field(kind, options={"types": ["pdf"]}, max=2 if kind == "files" else None)
    assert said in told(made, typed) if said else told(made, typed) == ""


@cases(
    ("more", "words"),
    [
        ({"type": "text", "types": ["pdf"]}, "types are kinds of files"),
        ({"type": "file", "default": PDF}, "handed in by a person"),
        ({"type": "file", "value": "steps.a.b"}, "handed in by a person"),
        ({"type": "files", "readonly": True, "value": "steps.a.b"}, "handed in by a person"),
        ({"type": "files", "types": []}, "at least 1"),
        ({"type": "files", "types": ["heic"]}, "pdf"),
    ],
)
def test_a_definition_of_files_says_what_can_be_meant(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FieldDefinition.model_validate({"name": "x", "label": "X", **more})
