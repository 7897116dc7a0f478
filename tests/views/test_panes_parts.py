"""Boxes, addresses, badges, icons and prose as they are drawn, each from its own few words and without a page."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console.views import assets, frame, states
from console.views.formats import EMPTY, Kind, Look
from console.views.frame import Badge
from console.views.run import form_boxes, option_fields
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 10, 30, tzinfo=UTC))
COLOURS = [{"value": "r", "label": "Red"}, {"value": "g", "label": "Green"}]


def field(type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": "f", "label": "F", "type": type_, **more}


# -- addresses


@cases(
    ("key", "part"),
    [
        ("a", "a"), ("A1", "A1"), (7, "7"), (0, "0"), (-1, "-1"), ("", "~"), ("~", "~7E"), ("~~", "~7E~7E"), ("/", "~2F"), ("//", "~2F~2F"),
        (".", "~2E"), ("..", "~2E~2E"), ("...", "..."), ("a.b", "a.b"), (".a", ".a"), ("../a", "..~2Fa"), ("a/b", "a~2Fb"), ("a b", "a%20b"),
        ("a+b", "a%2Bb"), ("a%b", "a%25b"), ("a%2Fb", "a%252Fb"), ("a?b", "a%3Fb"), ("a#b", "a%23b"), ("a&b", "a%26b"), ("a;b", "a%3Bb"),
        ("a:b", "a%3Ab"), ("a@b", "a%40b"), ("a,b", "a%2Cb"), ('"', "%22"), ("'", "%27"), ("<b>", "%3Cb%3E"), ("\\", "%5C"), ("\n", "%0A"),
        ("ž", "%C5%BE"), ("²", "%C2%B2"), ("~2F", "~7E2F"), ("~7E", "~7E7E"), ("~2E", "~7E2E"), (True, "True"), (1.5, "1.5"),
        ("a-b_c", "a-b_c"), ("\0", "%00"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_key_as_one_segment(key: Any, part: str) -> None:
    assert frame.segment(key) == part
    assert "/" not in part
    assert part not in {"", ".", ".."}
    assert frame.key_of(unquote(part)) == str(key)


@cases(
    ("made", "address"),
    [
        (frame.collection_url("shop.orders"), "/c/shop.orders"),
        (frame.collection_url("a/b"), "/c/a%2Fb"),
        (frame.collection_url("a b", q="x y"), "/c/a%20b?q=x+y"),
        (frame.collection_url("a", q=None), "/c/a"),
        (frame.collection_url("a", q=""), "/c/a?q="),
        (frame.collection_url("a", n=0), "/c/a?n=0"),
        (frame.collection_url("a", f=["x", "y"]), "/c/a?f=x&f=y"),
        (frame.collection_url("a", q="a&b=c"), "/c/a?q=a%26b%3Dc"),
        (frame.record_url("a", "1"), "/c/a/1"),
        (frame.record_url("a", ""), "/c/a/~"),
        (frame.record_url("a", ".."), "/c/a/~2E~2E"),
        (frame.record_url("a", "x/y", tab="log"), "/c/a/x~2Fy?tab=log"),
        (frame.record_url("a?b", 1), "/c/a%3Fb/1"),
        (frame.run_url("run_1"), "/runs/run_1"),
        (frame.run_url("run_1", "replay"), "/runs/run_1/replay"),
        (frame.run_url("run_1", "replay", step=3, at=None), "/runs/run_1/replay?step=3"),
        (frame.run_url("a/b"), "/runs/a%2Fb"),
    ],
    ids=lambda made: made if isinstance(made, str) else "",
)
def test_addresses(made: str, address: str) -> None:
    assert made == address


@cases(
    ("at", "changes", "address"),
    [
        ("/c/a", {}, "/c/a"),
        ("/c/a?x=1", {}, "/c/a?x=1"),
        ("/c/a?x=1", {"x": 2}, "/c/a?x=2"),
        ("/c/a?x=1", {"x": None}, "/c/a"),
        ("/c/a?x=1&y=2", {"x": None}, "/c/a?y=2"),
        ("/c/a?x=1&x=2&y=3", {"y": 4}, "/c/a?x=1&x=2&y=4"),
        ("/c/a?x=1&x=2", {"x": 3}, "/c/a?x=3"),
        ("/c/a", {"q": "a b&c"}, "/c/a?q=a+b%26c"),
        ("/c/a?q=%3Cb%3E", {}, "/c/a?q=%3Cb%3E"),
        ("/c/a?x=", {"y": ""}, "/c/a?x=&y="),
    ],
    ids=["bare", "kept", "changed", "dropped", "the other stays", "several stay", "several become one", "quoted", "hostile", "empty"],
)
def test_the_present_address_with_changes(at: str, changes: dict[str, Any], address: str) -> None:
    with Flask(__name__).test_request_context(at):
        assert frame.present_address(**changes) == address


@cases(("cookie", "theme"), [("", ""), ("light", "light"), ("dark", "dark"), ("Dark", ""), ("x", ""), ("dark'", "")])
def test_a_theme_is_one_of_two_or_the_systems(cookie: str, theme: str) -> None:
    with Flask(__name__).test_request_context(headers={"Cookie": f"theme={cookie}"}):
        assert frame.theme() == theme


@cases(
    ("parts", "made"),
    [
        (("f", "name"), "f-name"),
        (("f", "a b"), "f-a_b"),
        (("f", "a-b"), "f-a_b"),
        (("f", "a.b[c]"), "f-a_b_c_"),
        (("f", ""), "f-_"),
        (("f", "ž"), "f-_"),
        (("f", '"><script>'), "f-_script_"),
        (("f", 7), "f-7"),
        (("one",), "one"),
        (("a", "b", "c"), "a-b-c"),
    ],
    ids=["plain", "blank", "dash", "marks", "empty", "letter", "hostile", "number", "one", "three"],
)
def test_an_id_of_an_element(parts: tuple[Any, ...], made: str) -> None:
    assert frame.dom_id(*parts) == made


# -- badges and icons


@cases(
    ("given", "badge"),
    [
        (("running",), Badge("In progress", "info")),
        (("running", "usr_1", "usr_1"), Badge("In progress", "info")),
        (("running", "usr_1", "usr_2"), Badge("With a colleague", "info", "user")),
        (("running", "usr_1", None), Badge("With a colleague", "info", "user")),
        (("running", "usr_1", "usr_2", {"usr_1": "Ana Petrova"}), Badge("With Ana", "info", "user")),
        (("waiting_person", "usr_1", "usr_2", {"usr_1": "Ana"}), Badge("With Ana", "info", "user")),
        (("waiting_person", "usr_1", "usr_2", {"usr_3": "Bo"}), Badge("With a colleague", "info", "user")),
        (("waiting_person", "", "usr_2"), Badge("In progress", "info")),
        (("saved", "usr_1", "usr_2", {"usr_1": "Ana"}), Badge("To Continue", "warn", "player-pause")),
        (("waiting_time",), Badge("Waiting", "", "clock")),
        (("completed", "usr_1", "usr_2"), Badge("Done", "good", "check")),
        (("timed_out",), Badge("Timed out", "bad", "alert-triangle")),
        (("failed",), Badge("Failed", "bad", "alert-triangle")),
        (("gone_fishing",), Badge("Gone fishing")),
    ],
    ids=[
        "mine",
        "held by me",
        "held",
        "no viewer",
        "named",
        "waiting",
        "no name",
        "nobody",
        "saved",
        "time",
        "done",
        "late",
        "failed",
        "new",
    ],
)
def test_the_badge_of_a_run(given: tuple[Any, ...], badge: Badge) -> None:
    assert frame.status_badge(*given) == badge


@cases("name", ["bolt", "check", "x", "clock", "user", "alert-triangle", "player-pause"])
def test_icons_of_badges_are_drawn(name: str) -> None:
    assert f'<path d="{assets.drawn_icons()[name]}"/>' in assets.icon(name)


@cases("name", ["", "Check", "no-such-icon", "<b>", '"></use>', "check "], ids=str.__repr__)
@cases(("size", "classes"), [("", "i"), ("s", "i i-s"), ("l", "i i-l")])
def test_an_icon_that_is_not_drawn_is_a_bolt(name: str, size: str, classes: str) -> None:
    path = assets.drawn_icons()["bolt"]
    assert assets.icon(name, size) == f'<svg class="{classes}" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'


@cases(
    ("sheet", "sent"),
    [
        (".a > .b, .c :is(a, b) { color: red; }  /* why: { } */\n@media (max-width: 760px) { .d { width: calc(1px + 2px); } }",
         ".a>.b,.c :is(a,b){color:red}@media (max-width:760px){.d{width:calc(1px + 2px)}}"),
    ],
)  # fmt: skip
def test_a_sheet_is_sent_without_comments_and_space(sheet: str, sent: str) -> None:
    assert assets._short_sheet(sheet) == sent


@cases(
    ("text", "html"),
    [
        ("", ""),
        ("plain", "<p>plain</p>\n"),
        ("**b** *i* `c`", "<p><strong>b</strong> <em>i</em> <code>c</code></p>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("a\n\nb", "<p>a</p>\n<p>b</p>\n"),
        ("---", "<hr>\n"),
        ("# H", "<h1>H</h1>\n"),
        ("3. x", '<ol start="3">\n<li>x</li>\n</ol>\n'),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("https://a.example", "<p>https://a.example</p>\n"),
    ],
    ids=["empty", "plain", "marks", "signs", "html", "two", "rule", "heading", "list", "quote", "no link of itself"],
)
def test_prose(text: str, html: str) -> None:
    drawn = frame.markdown(text)
    assert isinstance(drawn, Markup)
    assert drawn == html


@cases("scheme", ["javascript:", "JaVaScRiPt:", "data:text/html,", "vbscript:", "file:///", "ftp://", "tel:"])
def test_links_lead_only_where_prose_may(scheme: str) -> None:
    assert f'href="{scheme}' not in frame.markdown(f"[x]({scheme}a)")


# -- boxes


@cases(
    ("source", "limits"),
    [
        (field(), {}),
        (field(max_length=5), {"maxlength": 5}),
        (field(max_length=0), {"maxlength": 0}),
        (field(min=1, max=2), {}),
        (field("date", min="2026-01-01", max="2026-12-31"), {"min": "2026-01-01", "max": "2026-12-31"}),
        (field("time", max="12:00"), {"max": "12:00"}),
        (field("integer", min=1, max=2), {}),
        (field("datetime", min="2026-01-01T00:00:00Z"), {}),
    ],
    ids=["none", "length", "zero", "text", "date", "time", "number", "moment"],
)
def test_what_the_browser_is_told_of_limits(source: dict[str, Any], limits: dict[str, Any]) -> None:
    assert form_boxes.box(source, LOOK).limits == limits


@cases(
    ("type_", "options", "value", "choices"),
    [
        ("boolean", None, None, "Yes No"),
        ("boolean", None, True, "Yes* No"),
        ("boolean", None, False, "Yes No*"),
        ("enum", COLOURS, None, "Red Green"),
        ("enum", COLOURS, "g", "Red Green*"),
        ("enum", COLOURS, "blue", "Red Green blue*"),
        ("multi_enum", COLOURS, ["r", "g"], "Red* Green*"),
        ("multi_enum", COLOURS, ["z", "r", "b"], "Red* Green b* z*"),
        ("multi_enum", COLOURS, [], "Red Green"),
        ("text", None, "x", ""),
    ],
    ids=["unset", "yes", "no", "none", "one", "gone", "both", "gone ones in order", "empty", "text"],
)
def test_choices_and_which_are_chosen(type_: str, options: Any, value: Any, choices: str) -> None:
    made = form_boxes.box(field(type_, options=options), LOOK, value=value).choices
    assert " ".join(one.label + "*" * one.chosen for one in made) == choices


@cases(
    ("type_", "value", "held"),
    [
        ("text", None, None),
        ("text", "x", None),
        ("text", "a\nb", None),
        ("long_text", "a\nb", None),
        ("text", "", '""'),
        ("text", " ", '" "'),
        ("date", "2026-11-20", None),
        ("time", "10:30:00.5", '"10:30:00.5"'),
        ("boolean", True, None),
    ],
    ids=["none", "text", "break in a line", "break in an area", "empty", "blank", "date", "part of a second", "yes"],
)
def test_a_value_that_its_box_cannot_hold_stands_beside_it(type_: str, value: Any, held: str | None) -> None:
    assert form_boxes.box(field(type_), LOOK, value=value).held == held


@cases(
    ("sent", "values"),
    [
        ([], {}),
        ([("v.f", "x")], {}),
        ([("t.f", "text")], {"f": None}),
        ([("t.f", "text"), ("v.f", "x")], {"f": "x"}),
        ([("t.f", "text"), ("v.f", "a"), ("v.f", "b")], {"f": "b"}),
        ([("t.f", "multi_enum"), ("v.f", "a"), ("v.f", "b")], {"f": ["a", "b"]}),
        ([("t.f", "multi_enum")], {"f": []}),
        ([("t.f", "array"), ("v.f", "a\r\n\r\n b ")], {"f": ["a", "b"]}),
        ([("t.f", "text"), ("v.f", "a\r\nb"), ("w.f", '"a\\nb"')], {"f": "a\nb"}),
        ([("t.f", "text"), ("v.f", "ab"), ("w.f", '"a\\nb"')], {"f": "a\nb"}),
        ([("t.f", "text"), ("v.f", "new"), ("w.f", '"a\\nb"')], {"f": "new"}),
        ([("t.f", "text"), ("v.f", "x"), ("w.f", "{broken")], {"f": "x"}),
        ([("t.f", "text"), ("v.f", "x"), ("w.f", "[" * 100_000)], {"f": "x"}),
        ([("t.t.f", "text"), ("v.t.f", "x")], {"t.f": "x"}),
        ([("reason", "x"), ("revision", "3")], {}),
    ],
    ids=[
        "nothing", "no type", "no value", "one", "the last", "several", "no tick", "lines", "as drawn", "break lost", "changed", "torn", "deep",
        "a name with a dot", "not ours",
    ],
)  # fmt: skip
def test_a_form_is_read_by_its_types(sent: list[tuple[str, str]], values: dict[str, Any]) -> None:
    assert form_boxes.read_form(MultiDict(sent), LOOK) == values


@cases(
    ("sent", "kept"),
    [
        ([], {}),
        ([("v.a", "x")], {"a": "x"}),
        ([("v.a", "")], {}),
        ([("v.a", "x"), ("v.a", "y")], {"a": "x\ny"}),
        ([("t.a", "text"), ("w.a", "1"), ("reason", "z")], {}),
        ([("v.v.a", "x")], {"v.a": "x"}),
    ],
    ids=["nothing", "one", "empty", "two", "not typed", "dotted"],
)
def test_nothing_that_was_typed_is_lost(sent: list[tuple[str, str]], kept: dict[str, str]) -> None:
    assert form_boxes.typed_texts(MultiDict(sent)) == kept


@pytest.mark.parametrize(
    ("hint", "error", "ids"), [(None, None, ""), ("h", None, "f-f-help"), (None, "e", "f-f-error"), ("h", "e", "f-f-help f-f-error")]
)
def test_a_box_is_described_by_what_stands_below_it(hint: str | None, error: str | None, ids: str) -> None:
    assert form_boxes.box(field(help=hint), LOOK, error={"reason": error} if error else None).described_by == ids


# -- states


@pytest.mark.parametrize(
    ("options", "is_state"),
    [
        ({}, True),
        ({"approved": "A"}, True),
        ({"person": "P"}, False),
        ({"person": "P", "pending_x": "X"}, True),
        ({"x": "approved"}, True),
        ({"lx7": "approved"}, False),
    ],
    ids=["no list", "a state", "a kind", "one of them", "a short code", "by the stored word"],
)
def test_a_list_of_words_is_a_state_where_one_has_a_tone(options: dict[str, str], is_state: bool) -> None:
    assert states.coloured(Kind("s", "S", "enum", options)) is is_state


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        ("approved", '<span class="badge good">approved</span>'),
        ("On hold", '<span class="badge warn">On hold</span>'),
        ("needs-review", '<span class="badge warn">needs-review</span>'),
        ("<i>", '<span class="badge ">&lt;i&gt;</span>'),
        ("waitings", '<span class="badge ">waitings</span>'),
    ],
)
def test_a_badge_is_the_word_and_its_tone(value: str, drawn: str) -> None:
    assert states.badge(Kind("s", "S"), value, LOOK) == drawn


@pytest.mark.parametrize("value", [None, ""], ids=["none", "empty"])
def test_no_state_is_no_badge(value: Any) -> None:
    assert EMPTY in states.badge(Kind("s", "S"), value, LOOK)
    assert "badge" not in states.badge(Kind("s", "S"), value, LOOK)


# -- fields of options

OUTCOMES: list[dict[str, Any]] = [
    {"value": "go", "label": "Go"},
    {"value": "later", "label": "Later", "fields": ["due", "note"], "required": ["due"]},
    {"value": "no", "label": "No", "fields": ["code", "note"], "required": ["code", "reason"]},
    {"value": "never", "label": "Never", "fields": ["code", "note"], "required": ["code", "note"]},
]


@pytest.mark.parametrize(
    ("name", "options", "needed", "words"),
    [
        ("due", ["later"], ["later"], "Needed for “Later”."),
        ("code", ["no", "never"], ["no", "never"], "Needed for “No” and “Never”."),
        ("note", ["later", "no", "never"], ["never"], "Needed for “Never”. Also for “Later” and “No”."),
        ("reason", [], ["no"], "Needed for “No”."),
    ],
)
def test_a_field_says_to_which_options_it_belongs(name: str, options: list[str], needed: list[str], words: str) -> None:
    found = option_fields.belonging(OUTCOMES)[name]
    assert (list(found.options), list(found.needed), found.words) == (options, needed, words)
    drawn = form_boxes.boxes({"fields": [{"name": name, "label": "X", "help": "A hint."}, {"name": "other", "label": "Y"}]}, LOOK)
    told = option_fields.with_options(drawn, option_fields.belonging(OUTCOMES))
    assert [(box.whose, box.help) for box in told] == [(words, "A hint."), ("", None)]


def test_options_without_fields_change_no_hint() -> None:
    assert option_fields.belonging(OUTCOMES[:1]) == {}
    assert option_fields.belonging(()) == {}
