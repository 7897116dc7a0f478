"""How values are shown and read back: each type in both directions, and hostile values. No server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from console.views import formats
from console.views.formats import Kind, Look
from tests.tables import cases

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOOK = Look("en", "Europe/Vilnius", NOW)
RISK = {"low": "Low", "high": "High risk"}


def of(type_: str, **more: object) -> Kind:
    return Kind("field", "Field", type_, **more)  # type: ignore[arg-type]


@cases(
    ("kind", "value", "shown"),
    [
        (of("text"), None, "–"),
        (of("text"), "", "–"),
        (of("array"), [], "–"),
        (of("text"), "Northwind", "Northwind"),
        (of("text"), "LT459999900012345678", "LT45 9999 9000 1234 5678"),
        (of("text"), "LT45 9999 90001234 5678", "LT45 9999 9000 1234 5678"),
        (of("text"), "LT469999900012345678", "LT469999900012345678"),
        (of("text", widget="iban"), "LT469999900012345678", "LT46 9999 9000 1234 5678"),
        (of("json"), {"account": "DE66999999991234567890"}, "DE66 9999 9999 1234 5678 90"),
        (of("boolean"), True, "Yes"),
        (of("boolean"), False, "No"),
        (of("integer"), 0, "0"),
        (of("integer"), 1234, "1234"),
        (of("money"), "1234.50", "1,234.50"),
        (of("integer"), 1284500, "1,284,500"),
        (of("integer", grouped=False), 1284500, "1284500"),
        (of("decimal"), "-12.50", "−12.50"),
        (of("money"), "1284500.10", "1,284,500.10"),
        (of("decimal"), "not a number", "not a number"),
        (of("decimal"), "NaN", "NaN"),
        (of("date"), "2026-11-20", "20 Nov 2026"),
        (of("date"), "tomorrow", "tomorrow"),
        (of("datetime"), "2026-11-20T10:00:00Z", "20 Nov 2026, 12:00"),
        (of("time"), "09:30:00", "09:30"),
        (of("time"), "-P4DT4H10M10S", "-P4DT4H10M10S"),
        (of("text", widget="badge"), "in_progress", "In progress"),
        (of("text", widget="badge"), "PAID", "PAID"),
        (of("text", widget="badge"), "fixed", "Fixed"),
        (of("text", widget="word"), "e-mail", "E-mail"),
        (of("text", widget="badge"), "iPad", "iPad"),
        (of("text"), "fixed", "fixed"),
        (of("text"), "in_progress", "in_progress"),
        (of("enum", options=RISK), "high", "High risk"),
        (of("enum", options=RISK), "gone", "gone"),
        (of("multi_enum", options=RISK), ["low", "odd"], "Low, odd"),
        (of("checklist", options=RISK), ["low"], "Low"),
        (
            of("json"),
            {"line1": "Keizersgracht 12", "line2": None, "city": "Amsterdam"},
            "Keizersgracht 12, Amsterdam",
        ),
        (of("text", widget="json"), '{"din": "933", "ma\\u00dfe": [1, 2]}', "933, 1, 2"),
        (of("text", widget="json"), "{no json", "{no json"),
        (of("array"), ["a", 1, True, None], "a, 1, Yes, –"),
        (of("other"), "\\x00ff", "\\x00ff"),
    ],
)
def test_each_type_as_text(kind: Kind, value: object, shown: str) -> None:
    assert formats.text(kind, value, LOOK) == shown


@cases(
    ("kind", "value", "html"),
    [
        (of("text"), "<b>&", "&lt;b&gt;&amp;"),
        (of("long_text"), "one\n<i>two", "one<br>&lt;i&gt;two"),
        (of("email"), "a@b.example", '<a href="mailto:a@b.example">a@b.example</a>'),
        (
            of("email"),
            "long.name.of.member@far-away.example",
            '<a href="mailto:long.name.of.member@far-away.example">long<wbr>.name<wbr>.of<wbr>.member<wbr>@far-away<wbr>.example</a>',
        ),
        (
            of("email"),
            '"><script>@x',
            '<a href="mailto:&#34;&gt;&lt;script&gt;@x">&#34;&gt;&lt;script&gt;@x</a>',
        ),
        (of("email"), "no address", "no address"),
        (
            of("url"),
            "https://x.example/?a=1&b=2",
            '<a href="https://x.example/?a=1&amp;b=2" rel="noreferrer noopener" target="_blank">https://x.example/?a=1&amp;b=2</a>',
        ),
        (of("url"), "javascript:alert(1)", "javascript:alert(1)"),
        (of("integer"), 12, '<span class="num">12</span>'),
        (of("uuid"), "0193", '<span class="mono">0193</span>'),
        (of("json"), {"line1": "<b>"}, '<dl class="kv"><div><dt>Line 1</dt><dd>&lt;b&gt;</dd></div></dl>'),
        (
            of("json"),
            [{"a": "<"}],
            '<ol class="entries"><li><dl class="kv"><div><dt>A</dt><dd>&lt;</dd></div></dl></li></ol>',
        ),
    ],
)
def test_html_escapes_and_links(kind: Kind, value: object, html: str) -> None:
    assert formats.html(kind, value, LOOK) == html


@cases(
    ("type_", "sent", "value"),
    [
        ("text", [" as typed "], " as typed "),
        ("text", [""], None),
        ("text", ["   "], None),
        ("decimal", ["12 500,50"], "12500,50"),
        ("decimal", ["1 00.5"], "1 00.5"),
        ("integer", ["10 00"], "10 00"),
        ("text", [], None),
        ("long_text", ["one\r\ntwo"], "one\ntwo"),
        ("integer", ["12"], 12),
        ("integer", ["−12 000"], -12000),
        ("integer", ["1_000"], "1_000"),
        ("integer", ["twelve"], "twelve"),
        ("decimal", ["12.50"], "12.50"),
        ("money", ["1 284 500.10"], "1284500.10"),
        ("boolean", ["true"], True),
        ("boolean", ["false"], False),
        ("boolean", [], None),
        ("checklist", ["a", "", "b"], ["a", "b"]),
        ("multi_enum", [], []),
        ("array", ["a\r\n\r\n b "], ["a", "b"]),
        ("date", ["2026-11-20"], "2026-11-20"),
        ("datetime", ["2026-11-20T12:00"], "2026-11-20T10:00:00Z"),
        ("datetime", ["2026-11-20T12:00:00+01:00"], "2026-11-20T11:00:00Z"),
        ("datetime", ["soon"], "soon"),
        ("time", ["09:30"], "09:30:00"),
        ("time", ["late"], "late"),
        ("json", ['{"a": 1}'], {"a": 1}),
        ("json", ["{"], "{"),
        ("email", ["a@b.example"], "a@b.example"),
    ],
)
def test_what_a_form_sends_becomes_a_value(type_: str, sent: list[str], value: object) -> None:
    assert formats.typed(of(type_), sent, LOOK) == value


@cases(
    ("value", "shown"),
    [("0.039", "3.9"), ("1", "100"), ("-0.5", "-50"), ("0.00001", "0.001"), ("much", "much")],
)
def test_a_part_of_one_is_typed_in_per_cent_as_it_is_read(value: str, shown: str) -> None:
    part = formats.kind({"name": "share", "type": "decimal", "widget": "fraction"})
    assert (
        formats.box(part, value, LOOK),
        formats.typed(part, [f"{shown} %"], LOOK),
        formats.unit_words(part),
    ) == (
        shown,
        value if value != "much" else "much",
        "%",
    )


def test_the_kind_of_a_field_is_read_from_objects_and_mappings() -> None:
    class Option:
        value, label = "low", "Low"

    class Field:
        name, label, type, options, references, sensitive = "risk", "Risk", "enum", (Option(),), None, True

    assert formats.kind(Field()) == formats.kind(
        {
            "name": "risk",
            "label": "Risk",
            "type": "enum",
            "options": [{"value": "low", "label": "Low"}],
            "sensitive": True,
        }
    )
    assert formats.kind({"name": "id", "type": "integer"}, key=("id",)).grouped is False
    assert (
        formats.kind({"name": "ref", "type": "reference", "options": {"collection": "customer"}}).options
        == {}
    )


@pytest.mark.parametrize("value", ["infinity", "<b>soon</b>", "4713-01-01 00:00:00 BC"])
def test_what_is_no_moment_of_a_calendar_is_shown_as_it_is_stored(value: str) -> None:
    assert formats.html(of("datetime"), value, LOOK) == Markup.escape(value)


@pytest.mark.parametrize(("kind", "value"), [("date", "0000-00-00"), ("datetime", "0000-00-00 00:00:00")])
def test_the_zero_day_of_mysql_reads_as_no_date(kind: str, value: str) -> None:
    assert formats.text(of(kind), value, LOOK) == formats.html(of(kind), value, LOOK) == "No date"


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "25 Oct 2026, 02:30 (UTC+2)"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "25 Oct 2026, 02:30 (UTC+1)"),
        ("Europe/Berlin", "2026-10-25T02:00:00Z", "25 Oct 2026, 03:00"),
        ("Europe/Berlin", "2027-03-28T01:00:00Z", "28 Mar 2027, 03:00"),
        ("America/New_York", "2026-11-01T06:30:00Z", "1 Nov 2026, 01:30 (UTC-5)"),
        ("Australia/Lord_Howe", "2027-04-03T15:10:00Z", "4 Apr 2027, 01:40 (UTC+10:30)"),
    ],
)
def test_an_hour_that_clocks_show_twice_says_which_of_the_two_it_is(zone: str, at: str, words: str) -> None:
    look = Look("en", zone, NOW - timedelta(days=200))
    assert (
        formats.ago(at, look) == formats.worded(datetime.fromisoformat(at), "d MMM y, HH:mm", look) == words
    )
    assert words.partition(", ")[2] in formats.when_there(at, zone, replace(look, zone="Asia/Tokyo"))


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Vilnius", "Vilnius, 2 hours ahead of UTC"),
        ("Asia/Kolkata", "Kolkata, 5 hours 30 minutes ahead of UTC"),
        ("America/New_York", "New York, 5 hours behind UTC"),
        ("Africa/Abidjan", "Abidjan, the same as UTC"),
        ("Etc/GMT-1", "1 hour ahead of UTC"),
        ("UTC", "UTC"),
        ("Nowhere/At all", "Nowhere/At all"),
        ("", ""),
    ],
)
def test_a_time_zone_is_told_by_its_city_and_how_far_it_is_from_utc(zone: str, words: str) -> None:
    assert formats.zone_words(zone, Look("en", "UTC", datetime(2026, 11, 20, 12, 0, tzinfo=UTC))) == words
