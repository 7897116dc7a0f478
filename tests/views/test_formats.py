"""How values are shown and read back: each type in both directions, hostile values, zones and locales. No server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from markupsafe import Markup

from console.core.actor import Actor
from console.core.plain_words import spoken_range
from console.views import formats
from console.views.formats import Kind, Look
from tests.tables import cases

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOOK = Look("en", "Europe/Vilnius", NOW)
GERMAN = Look("de", "Europe/Berlin", NOW)
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
        (of("json"), {"line1": "Keizersgracht 12", "line2": None, "city": "Amsterdam"}, "Keizersgracht 12, Amsterdam"),
        (of("text", widget="json"), '{"din": "933", "ma\\u00dfe": [1, 2]}', "933, 1, 2"),
        (of("text", widget="json"), "{no json", "{no json"),
        (of("array"), ["a", 1, True, None], "a, 1, Yes, –"),
        (of("other"), "\\x00ff", "\\x00ff"),
    ],
)
def test_each_type_as_text(kind: Kind, value: object, shown: str) -> None:
    assert formats.text(kind, value, LOOK) == shown


def test_numbers_and_days_in_german() -> None:
    assert formats.text(of("money"), "1284500.10", GERMAN) == "1.284.500,10"
    assert formats.text(of("date"), "2026-10-03", GERMAN) == "3 Okt. 2026"


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
        (of("email"), '"><script>@x', '<a href="mailto:&#34;&gt;&lt;script&gt;@x">&#34;&gt;&lt;script&gt;@x</a>'),
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
        (of("json"), [{"a": "<"}], '<ol class="entries"><li><dl class="kv"><div><dt>A</dt><dd>&lt;</dd></div></dl></li></ol>'),
    ],
)
def test_html_escapes_and_links(kind: Kind, value: object, html: str) -> None:
    assert formats.html(kind, value, LOOK) == html


def test_absent_values_are_said_not_left_blank() -> None:
    absent: tuple[object, ...] = (None, "", [], {})
    for value in absent:
        assert "empty" in formats.html(of("json"), value, LOOK)


def test_cells_are_escaped_labelled_and_cut() -> None:
    write = formats.cell(Kind("n", 'La"bel', "text"), LOOK)
    assert write("<x>") == '<td data-l="La&#34;bel">&lt;x&gt;</td>'
    assert write(None) == '<td class="e" data-l="La&#34;bel">–</td>'
    assert "…" in write("x" * 500)
    assert len(write("x" * 500)) < 130
    assert formats.cell(Kind("n", "N", "integer"), LOOK)(20000) == '<td class="r" data-l="N">20,000</td>'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(10, "just now"), (120, "2 minutes ago"), (7300, "2 hours ago"), (90_000, "19 Nov 2026, 13:00"), (-60, "20 Nov 2026, 14:01")],
)
def test_moments_are_relative_under_a_day(seconds: int, words: str) -> None:
    assert formats.ago(NOW - timedelta(seconds=seconds), LOOK) == words


def test_on_paper_no_moment_is_relative() -> None:
    paper = replace(LOOK, lasting=True)
    assert [formats.ago(NOW - timedelta(seconds=passed), paper) for passed in (0, 300, 80_000)] == [
        "20 Nov 2026, 14:00", "20 Nov 2026, 13:55", "19 Nov 2026, 15:46",
    ]  # fmt: skip


def test_the_exact_moment_and_utc_are_at_hand() -> None:
    assert formats.full_moment("2026-11-20T10:07:03Z", LOOK) == "20 Nov 2026, 12:07:03 in Vilnius (10:07:03 UTC)"
    assert formats.full_moment("2026-11-20T10:07:03Z", Look("en", "UTC", NOW)) == "20 Nov 2026, 10:07:03 UTC"
    drawn = formats.when("2026-11-20T10:07:03Z", LOOK)
    assert 'datetime="2026-11-20T10:07:03+00:00"' in drawn
    assert "(10:07:03 UTC)" in drawn
    assert ">1 hour ago<" in drawn
    assert (formats.when("nonsense", LOOK), formats.when(None, LOOK)) == ("nonsense", "–")
    said = [formats.clock(value, LOOK) for value in ("2026-11-20T10:07:03Z", "2026-11-19T10:07:03Z", "2025-11-20T22:07:03Z")]
    assert said == ["12:07", "19 Nov, 12:07", "21 Nov 2025, 00:07"]
    assert formats.clock(None, LOOK) == formats.full_moment(None, LOOK) == formats.ago(None, LOOK) == "–"
    assert formats.span(3 * 3600, LOOK) == "3 hours"


def test_unknown_locales_and_zones_do_not_break_a_page() -> None:
    assert Look.of(Actor("user", "usr_1", locale="de-DE", zone="Europe/Berlin")).locale == "de_DE"
    strange = Look.of(Actor("user", "usr_1", locale="xx-nowhere!", zone="Mars/Crater"))
    assert (strange.locale, strange.zone) == ("en", "UTC")


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
    ("type_", "value"),
    [
        ("text", "Keizersgracht 12"), ("long_text", "one\n\ntwo"), ("integer", -12000), ("decimal", "12.50"), ("date", "2026-11-20"),
        ("datetime", "2026-07-01T10:00:00Z"), ("datetime", "2026-11-20T10:00:05Z"), ("time", "09:30:00"), ("array", ["a", "b"]), ("json", {"a": [1, None]}), ("text", None),
    ],
)  # fmt: skip
def test_a_box_gives_back_what_it_was_given(type_: str, value: object) -> None:
    assert formats.typed(of(type_), [formats.box(of(type_), value, LOOK)], LOOK) == value


@cases(("value", "shown"), [("0.039", "3.9"), ("1", "100"), ("-0.5", "-50"), ("0.00001", "0.001"), ("much", "much")])
def test_a_part_of_one_is_typed_in_per_cent_as_it_is_read(value: str, shown: str) -> None:
    part = formats.kind({"name": "share", "type": "decimal", "widget": "fraction"})
    assert (formats.box(part, value, LOOK), formats.typed(part, [f"{shown} %"], LOOK), formats.unit_words(part)) == (
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
        {"name": "risk", "label": "Risk", "type": "enum", "options": [{"value": "low", "label": "Low"}], "sensitive": True}
    )
    assert formats.kind({"name": "id", "type": "integer"}, key=("id",)).grouped is False
    assert formats.kind({"name": "ref", "type": "reference", "options": {"collection": "customer"}}).options == {}


@pytest.mark.parametrize(
    ("title", "letters"), [("Northwind Trading Ltd", "NT"), ("greta", "G"), ("", "?"), ("(x) Ä", "Ä"), ("李 小", "李小")]
)
def test_initials(title: str, letters: str) -> None:
    assert formats.initials(title) == letters


@given(st.text(max_size=60), st.sampled_from(["text", "email", "url", "json", "date", "datetime", "integer", "long_text", "uuid", "other"]))
def test_no_value_gets_markup_into_a_page(value: str, type_: str) -> None:
    for drawn in (formats.html(of(type_), value, LOOK), Markup(formats.cell(of(type_), LOOK)(value))):
        assert "<script" not in drawn
        assert "<img" not in drawn
        assert all(piece not in drawn.replace("<br>", "") for piece in ("<>", "< "))


def test_a_column_is_written_as_its_cells_are() -> None:
    strange = [
        "plain",
        "",
        None,
        0,
        12345,
        -7,
        True,
        False,
        "a<b",
        "x" * 200,
        "2026-11-20",
        "2026-11-20T09:00:00Z",
        "12.50",
        ["a", "b"],
        {"a": 1},
        "NaN",
    ]
    for type_ in ("text", "integer", "decimal", "money", "boolean", "date", "datetime", "time", "enum", "json", "array", "uuid"):
        for options in ({}, {"plain": "Pl<ain", "1": "One"}):
            what = Kind("n", 'La"bel', type_, options)
            for values in (
                [],
                strange,
                strange[:6],
                ["plain"],
                [None, None],
                [True, None, False],
                [1, "1", None],
                ["a", "b<", ""],
                ["x" * 81],
            ):
                for html in (None, formats.escaped, formats.marker(["pl"])):
                    write = formats.cell(what, LOOK, html)
                    assert list(map(str, formats.column(what, LOOK, html)(values))) == [str(write(value)) for value in values], (
                        type_,
                        values,
                    )


@cases(
    ("text", "said"),
    [
        ("Of 2026-10-20.", "Of 20 Oct 2026."),
        ("From 2026-10-20 to 2027-01-02, seen 2026-10-20T22:30:00Z.", "From 20 Oct 2026 to 2 Jan 2027, seen 21 Oct 2026, 01:30."),
        ("Seen 2026-10-20 22:30:00+00:00", "Seen 21 Oct 2026, 01:30"),
        (
            "Number AB-2026-10-20, 2026-10-20-3, 12026-10-20 and 2026-10-20.5",
            "Number AB-2026-10-20, 2026-10-20-3, 12026-10-20 and 2026-10-20.5",
        ),
        ("No day: 2026-13-40", "No day: 2026-13-40"),
        ("", ""),
    ],
)
def test_days_and_moments_in_a_text_are_said_as_the_reader_writes_them(text: str, said: str) -> None:
    assert formats.in_words(text, LOOK) == said


def test_an_account_is_shown_as_the_name_of_its_person_and_another_text_as_it_is() -> None:
    look = Look("en", "UTC", NOW, accounts={"mona": "Mona Verbeek", "mona@fernwick.example": "Mona Verbeek"})
    kind = of("text", widget="person")
    assert [formats.text(kind, value, look) for value in ("mona", "Mona@fernwick.example", "monitoring", None)] == [
        "Mona Verbeek", "Mona Verbeek", "monitoring", "–",
    ]  # fmt: skip


@pytest.mark.parametrize("type_", ["text", "long_text"])
def test_a_very_long_text_is_cut_and_its_rest_is_a_click_away(type_: str) -> None:
    assert "<details" not in formats.html(of(type_), "x" * 2_100, LOOK), "a little more is not worth a click"
    drawn = formats.html(of(type_), "<b>" * 10_000, LOOK)
    assert "Show 28,000 more characters" in drawn
    assert drawn.count("&lt;b&gt;") > 9_990
    assert "<b>" not in drawn


@pytest.mark.parametrize(
    ("range_", "said"),
    [
        ("from 2026-11-20 08:00:00+00", "from 20 Nov 2026, 10:00"),
        ("2026-11-20 to before 2026-12-01, above 2027-01-01", "20 Nov 2026 to before 1 Dec 2026, above 1 Jan 2027"),
        ("2026-11-20 08:00:00 to 2026-11-20 09:00:00", "20 Nov 2026, 10:00 to 20 Nov 2026, 11:00"),
        ("1 to before 5", "1 to before 5"),
        ("before 2026-99-99", "before 2026-99-99"),
        ("order 2026-11-20", "order 2026-11-20"),
    ],
)
def test_days_and_moments_of_a_range_are_said_in_words(range_: str, said: str) -> None:
    assert formats.text(of("other"), range_, LOOK) == said


@pytest.mark.parametrize("value", ["infinity", "<b>soon</b>", "4713-01-01 00:00:00 BC"])
def test_what_is_no_moment_of_a_calendar_is_shown_as_it_is_stored(value: str) -> None:
    assert formats.html(of("datetime"), value, LOOK) == Markup.escape(value)


@pytest.mark.parametrize(("kind", "value"), [("date", "0000-00-00"), ("datetime", "0000-00-00 00:00:00")])
def test_the_zero_day_of_mysql_reads_as_no_date(kind: str, value: str) -> None:
    assert formats.text(of(kind), value, LOOK) == formats.html(of(kind), value, LOOK) == "No date"


def test_lists_of_names_that_a_step_made_are_in_words() -> None:
    told = {"failed": ["mrz_digits", "readable"], "sites": ["shop.example"], "days": ["2026-11-20"]}
    shown = str(formats.html(*formats.described("checks", told, {}), Look()))
    assert [words in shown for words in ("MRZ digits, Readable", "shop.example", "2026-11-20")] == [True, True, True]
    assert str(formats.html(*formats.described("flags", ["doc_expired", "name"], {}), Look())).strip() == "Doc expired, Name"


def test_a_range_that_is_part_of_a_key_is_said_in_words_too() -> None:
    of_key = '["2026-03-01 07:00:00+00","2026-03-03 17:00:00+00")'
    assert formats.text(of("other"), of_key, LOOK) == "1 Mar 2026, 09:00 to before 3 Mar 2026, 19:00"
    assert formats.text(of("other"), "(53.5,9.9)", LOOK) == "(53.5,9.9)"
    assert spoken_range(of_key) == "1 Mar 2026 to before 3 Mar 2026"
    assert spoken_range('["2026-04-01 06:00:00+00",)') == "from 1 Apr 2026"
    assert spoken_range("[8,18)") == "8 to before 18"


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
    assert formats.ago(at, look) == formats.worded(datetime.fromisoformat(at), "d MMM y, HH:mm", look) == words
    assert words.partition(", ")[2] in formats.when_there(at, zone, replace(look, zone="Asia/Tokyo"))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vilnius"])
def test_what_comes_in_a_moment_is_not_just_now(zone: str) -> None:
    soon = NOW + timedelta(seconds=10)
    shown = formats.when_there(soon.isoformat(), "UTC", Look("en", zone, NOW))
    assert "just now" not in shown
    assert formats.worded(soon, "d MMM y, HH:mm", Look("en", "UTC", NOW)) in shown


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
