"""Values in other languages and zones, at the odd hours of the year and the ends of the calendar."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st
from werkzeug.datastructures import MultiDict

from console.core.actor import Actor
from console.core.forms import FIELD_TYPES
from console.views import formats
from console.views.formats import Kind, Look
from console.views.runs import form_boxes
from tests.tables import cases

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EN, DE, LT = Look("en", "UTC", NOW), Look("de", "Europe/Berlin", NOW), Look("lt", "Europe/Vilnius", NOW)


def of(type_: str, **more: Any) -> Kind:
    return Kind("field", "Field", type_, **more)


NBSP, NNBSP, MINUS = "\u00a0", "\u202f", "\N{MINUS SIGN}"
SHOWN: list[tuple[str, Any, str, str, str]] = [
    ("text", "Žemė & Co", "Žemė & Co", "Žemė & Co", "Žemė & Co"),
    ("long_text", "one\ntwo", "one\ntwo", "one\ntwo", "one\ntwo"),
    ("integer", 9999, "9999", "9999", "9999"),
    ("integer", 10000, "10,000", "10.000", f"10{NBSP}000"),
    ("integer", -1284500, f"{MINUS}1,284,500", f"{MINUS}1.284.500", f"{MINUS}1{NBSP}284{NBSP}500"),
    ("decimal", "0.10", "0.10", "0,10", "0,10"),
    ("decimal", "999.99", "999.99", "999,99", "999,99"),
    ("decimal", "-1000.00", f"{MINUS}1,000.00", f"{MINUS}1.000,00", f"{MINUS}1{NBSP}000,00"),
    (
        "money",
        "12345678901234567890.123456789",
        "12,345,678,901,234,567,890.123456789",
        "12.345.678.901.234.567.890,123456789",
        NBSP.join(["12", "345", "678", "901", "234", "567", "890,123456789"]),
    ),
    ("money", "0", "0.00", "0,00", "0,00"),
    ("boolean", True, "Yes", "Yes", "Yes"),
    ("boolean", False, "No", "No", "No"),
    ("date", "2026-03-01", "1 Mar 2026", "1 März 2026", "1 kov. 2026"),
    ("date", "2026-02-30", "2026-02-30", "2026-02-30", "2026-02-30"),
    (
        "datetime",
        "2026-11-20T23:30:00Z",
        "20 Nov 2026, 23:30",
        "21 Nov. 2026, 00:30",
        "21 lapkr. 2026, 01:30",
    ),
    (
        "datetime",
        "2026-11-20T23:30:00+05:00",
        "20 Nov 2026, 18:30",
        "20 Nov. 2026, 19:30",
        "20 lapkr. 2026, 20:30",
    ),
    ("datetime", "no moment", "no moment", "no moment", "no moment"),
    ("time", "09:30:00", "09:30", "09:30", "09:30"),
    ("time", "23:59:59.999", "23:59:59", "23:59:59", "23:59:59"),
    ("time", "123:45:00", "123:45", "123:45", "123:45"),
    ("time", "-838:59:59", "-838:59:59", "-838:59:59", "-838:59:59"),
    ("enum", "low", "low", "low", "low"),
    ("multi_enum", ["a", "b"], "a, b", "a, b", "a, b"),
    ("checklist", ["a"], "a", "a", "a"),
    ("reference", "17", "17", "17", "17"),
    ("uuid", "0193463c", "0193463c", "0193463c", "0193463c"),
    ("email", "a@b.example", "a@b.example", "a@b.example", "a@b.example"),
    ("phone", "+31 20 794 6000", "+31 20 794 6000", "+31 20 794 6000", "+31 20 794 6000"),
    ("url", "https://b.example", "https://b.example", "https://b.example", "https://b.example"),
    ("json", {"a": {"b": [1, "x"]}, "c": None, "d": False}, "1, x, D: No", "1, x, D: No", "1, x, D: No"),
    ("array", ["a", None, 2, False], "a, –, 2, No", "a, –, 2, No", "a, –, 2, No"),
    ("binary", "3 bytes", "3 bytes", "3 bytes", "3 bytes"),
    ("file", "report.pdf", "report.pdf", "report.pdf", "report.pdf"),
    (
        "files",
        [
            {
                "file": "fil_00000000000000000000000001",
                "name": "a.pdf",
                "media_type": "application/pdf",
                "sha256": "ab" * 32,
                "bytes": 3,
            }
        ],
        "a.pdf",
        "a.pdf",
        "a.pdf",
    ),
    ("other", "(1,2)", "(1,2)", "(1,2)", "(1,2)"),
]


@cases(("type_", "value", "english", "german", "lithuanian"), SHOWN)
def test_each_type_in_three_languages(
    type_: str, value: Any, english: str, german: str, lithuanian: str
) -> None:
    shown = tuple(formats.text(of(type_), value, look).replace(NNBSP, NBSP) for look in (EN, DE, LT))
    assert shown == (english, german, lithuanian)


@cases(
    ("utc", "zone", "words"),
    [
        ("2026-03-29T00:59:00Z", "Europe/Berlin", "29 Mar 2026, 01:59"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "29 Mar 2026, 03:00"),
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "25 Oct 2026, 02:30 (UTC+2)"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "25 Oct 2026, 02:30 (UTC+1)"),
        ("2026-10-25T02:30:00Z", "Europe/Berlin", "25 Oct 2026, 03:30"),
        ("2026-03-29T01:00:00Z", "Europe/Vilnius", "29 Mar 2026, 04:00"),
        ("2026-03-08T06:59:00Z", "America/New_York", "8 Mar 2026, 01:59"),
        ("2026-03-08T07:00:00Z", "America/New_York", "8 Mar 2026, 03:00"),
        ("2026-07-01T00:00:00Z", "Asia/Kathmandu", "1 Jul 2026, 05:45"),
        ("2026-12-31T12:00:00Z", "Pacific/Kiritimati", "1 Jan 2027, 02:00"),
        ("2026-01-01T05:00:00Z", "Pacific/Pago_Pago", "31 Dec 2025, 18:00"),
    ],
)
def test_a_moment_is_told_in_the_zone_of_that_day(utc: str, zone: str, words: str) -> None:
    shown = formats.text(of("datetime"), utc, Look("en", zone, NOW))
    assert shown == words


ENDS = [
    ("9999-12-31T23:59:59Z", "Europe/Vilnius", "31 Dec 9999, 23:59"),
    ("9999-12-31T23:59:59+00:00", "Asia/Tokyo", "31 Dec 9999, 23:59"),
    ("0001-01-01T00:00:00Z", "America/New_York", "1 Jan 1, 00:00"),
    ("0001-01-01T00:00:00+14:00", "UTC", "1 Jan 1, 00:00"),
    ("9999-12-31T23:59:59-12:00", "UTC", "31 Dec 9999, 23:59"),
]


@pytest.mark.parametrize(("value", "zone", "words"), ENDS)
def test_never_and_the_first_day_of_all_are_shown_though_the_zone_has_no_such_day(
    value: str, zone: str, words: str
) -> None:
    look, what = Look("en", zone, NOW), of("datetime")
    assert formats.text(what, value, look) == words
    assert words in formats.cell(what, look)(value)
    assert words[:-6] in formats.html(what, value, look)
    assert formats.clock(value, look) == words
    assert formats.ago(value, look) == words
    assert formats.full_moment(value, look).startswith(words)


@cases(
    ("type_", "text", "zone"),
    [
        ("datetime", "9999-12-31T23:59", "America/New_York"),
        ("datetime", "0001-01-01T00:00", "Europe/Vilnius"),
        ("datetime", "2026-13-01T00:00", "UTC"),
        ("datetime", "2026-11-20T25:00", "UTC"),
        ("time", "24:01", "UTC"),
        ("json", "[" * 100_000, "UTC"),
        ("json", '{"a": }', "UTC"),
        ("json", "1" * 5_000, "UTC"),
        ("integer", "1" * 5_000, "UTC"),
        ("integer", "1.0", "UTC"),
        ("integer", "0x10", "UTC"),
        ("integer", "\ud800", "UTC"),
    ],
)
def test_what_cannot_be_read_stays_as_it_was_typed(type_: str, text: str, zone: str) -> None:
    assert formats.typed(of(type_), [text], Look("en", zone, NOW)) == text


@cases(
    ("locale", "zone", "known"),
    [
        ("de", "Europe/Berlin", ("de", "Europe/Berlin")),
        ("pt-BR", "America/Sao_Paulo", ("pt_BR", "America/Sao_Paulo")),
        ("zh-Hant-TW", "Asia/Taipei", ("zh_Hant_TW", "Asia/Taipei")),
        ("", "", ("en", "UTC")),
        ("../../etc/passwd", "../../etc/passwd", ("en", "UTC")),
        ("e" * 9_000, "E" * 9_000, ("en", "UTC")),
        ("en\x00", "UTC\x00", ("en", "UTC")),
        ("xx", "Europe", ("en", "UTC")),
        ("\ud800", "\ud800", ("en", "UTC")),
    ],
)
def test_whatever_a_person_has_for_locale_and_zone_a_page_is_drawn(
    locale: str, zone: str, known: tuple[str, str]
) -> None:
    look = Look.of(Actor("user", "usr_1", locale=locale, zone=zone))
    assert (look.locale, look.zone) == known


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "=HYPERLINK(1)",
    "\x00nul",
    "a\u202eb",
    "x" * 200_000,
    "{{ 7 * 7 }}",
]


@cases("type_", FIELD_TYPES)
@cases("value", HOSTILE, ids=[text[:12].strip("\x00\u202e") for text in HOSTILE])
def test_no_type_lets_a_hostile_text_become_markup_or_a_script(type_: str, value: str) -> None:
    what = of(type_)
    drawn = str(formats.html(what, value, EN)) + formats.cell(what, EN)(value)
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert 'href="javascript' not in drawn
    assert formats.box(what, value, EN)


@cases(
    ("type_", "value", "entry"),
    [
        ("datetime", "0800-06-01T00:00:00Z", "0800-06-01T00:00"),
        ("datetime", "2026-11-20T10:00:05Z", "2026-11-20T10:00:05"),
        ("datetime", "not yet", "not yet"),
        ("time", "09:30:00.5", "09:30:00"),
        ("time", "116:28:20", "116:28:20"),
        ("integer", 0, "0"),
        ("decimal", "-0.50", "-0.50"),
        ("array", ["a", 1, True], "a\n1\nYes"),
        ("json", {"ä": [1]}, '{\n  "ä": [\n    1\n  ]\n}'),
        ("text", {"a": 1}, '{\n  "a": 1\n}'),
    ],
)
def test_what_stands_in_a_box(type_: str, value: Any, entry: str) -> None:
    assert formats.box(of(type_), value, EN) == entry


def sent(type_: str, value: Any, look: Look, **changed: str) -> Any:
    """What a browser sends back of the box of a value that nobody touched (or that was changed), read again."""
    drawn = form_boxes.box({"name": "x", "label": "X", "type": type_}, look, value=value)
    entry = (
        drawn.value.replace("\n", "\r\n")
        if drawn.control == "area"
        else as_a_browser_sends(drawn.input_type, drawn.value.replace("\n", ""))
    )
    form = [(f"{form_boxes.TYPES}x", type_), (f"{form_boxes.PREFIX}x", changed.get("to", entry))]
    if drawn.held is not None:
        form.append((f"{form_boxes.HELD}x", drawn.held))
    return form_boxes.read_form(MultiDict(form), look)["x"]


NATIVE = {
    "date": r"\d{4}-\d\d-\d\d",
    "datetime-local": r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?",
    "time": r"\d\d:\d\d(:\d\d)?",
}


def as_a_browser_sends(input_type: str, entry: str) -> str:
    """Its inputs for days and times send nothing of what is none; those for addresses no blanks around. Source: HTML, value sanitization algorithm."""
    if input_type in NATIVE:
        return entry if re.fullmatch(NATIVE[input_type], entry) and not entry.startswith("0000") else ""
    return entry.strip() if input_type in ("email", "url") else entry


KEPT = [
    ("date", "0000-00-00", "a day of MySQL that is none"),
    ("date", "infinity", "a day without end"),
    ("datetime", "0000-00-00 00:00:00", "a moment of MySQL that is none"),
    ("datetime", "-infinity", "before all moments"),
    ("time", "838:59:59", "a time of MySQL that is longer than a day"),
    ("time", "-01:00:00", "a time of MySQL below nothing"),
    ("email", " a@b.example ", "blanks around an address"),
    ("url", "https://b.example ", "blanks behind an address"),
    ("datetime", "2026-07-01T10:00:05.250000Z", "parts of a second"),
    ("datetime", "2026-10-25T01:30:00Z", "the hour that comes twice"),
    ("datetime", "2026-10-25T00:30:00Z", "the first of it"),
    ("datetime", "9999-12-31T23:59:59Z", "never"),
    ("datetime", "0800-06-01T00:00:00Z", "long ago"),
    ("time", "09:30:00.125000", "parts of a second of a day"),
    ("text", "one\ntwo", "a line break in a box of one line"),
    ("text", "  around  ", "blanks around"),
    ("text", "   ", "blanks alone"),
    ("long_text", "one\r\ntwo", "line ends of another system"),
    ("array", ["a", None, "", " b ", "c\nd", 1, True], "entries that are no line of text"),
    ("multi_enum", ["a", "b"], "ticks without options"),
    ("json", {"a": [1, None, "x"]}, "an object"),
    ("json", "words", "a text as JSON"),
    ("decimal", "1e5", "a number as the source writes it"),
    ("integer", 12, "a number"),
    ("date", "2026-11-20", "a day"),
]


@cases(("type_", "value", "what"), KEPT, ids=[row[2] for row in KEPT])
def test_a_box_that_nobody_touched_gives_its_value_back_to_the_last_digit(
    type_: str, value: Any, what: str
) -> None:
    assert sent(type_, value, DE) == value


@cases(
    ("type_", "value", "to", "made"),
    [
        ("datetime", "2026-07-01T10:00:05.250000Z", "2026-07-01T12:00", "2026-07-01T10:00:00Z"),
        ("datetime", "9999-12-31T23:59:59Z", "2026-07-01T12:00", "2026-07-01T10:00:00Z"),
        ("datetime", "2026-07-01T10:00:05.250000Z", "", None),
        ("text", "one\ntwo", "one two", "one two"),
        ("array", ["a", None], "a\r\nb", ["a", "b"]),
        ("multi_enum", ["a", "b"], "a", ["a"]),
    ],
)
def test_a_box_that_was_changed_gives_what_was_typed(type_: str, value: Any, to: str, made: Any) -> None:
    assert sent(type_, value, DE, to=to) == made


moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
        "Australia/Lord_Howe",
    ]
)


@given(moments, zones)
def test_any_moment_in_any_zone_is_shown_and_comes_back_from_its_box(at: datetime, zone: str) -> None:
    value, look = at.isoformat().replace("+00:00", "Z"), Look("en", zone, NOW)
    assert formats.text(of("datetime"), value, look)
    assert formats.when(value, look)
    assert sent("datetime", value, look) == value


@given(st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)), zones)  # noqa: DTZ001
def test_a_typed_moment_is_that_hour_in_the_persons_zone(wall: datetime, zone: str) -> None:
    wall = wall.replace(microsecond=0)
    read = formats.typed(of("datetime"), [wall.isoformat()], Look("en", zone, NOW))
    back = datetime.fromisoformat(read).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert abs(back - wall) <= timedelta(hours=1)  # an hour that the clocks skip is moved on
    assert read.endswith("Z")
