"""Addresses, prose and boxes, each drawn from its own few words."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from flask import Flask
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console.views import frame
from console.views.formats import Look
from console.views.runs import form_boxes
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 10, 30, tzinfo=UTC))


def field(type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": "f", "label": "F", "type": type_, **more}


# -- addresses


@cases(
    ("key", "part"),
    [
        ("a", "a"),
        ("A1", "A1"),
        (7, "7"),
        (0, "0"),
        (-1, "-1"),
        ("", "~"),
        ("~", "~7E"),
        ("~~", "~7E~7E"),
        ("/", "~2F"),
        ("//", "~2F~2F"),
        (".", "~2E"),
        ("..", "~2E~2E"),
        ("...", "..."),
        ("a.b", "a.b"),
        (".a", ".a"),
        ("../a", "..~2Fa"),
        ("a/b", "a~2Fb"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a%b", "a%25b"),
        ("a%2Fb", "a%252Fb"),
        ("a?b", "a%3Fb"),
        ("a#b", "a%23b"),
        ("a&b", "a%26b"),
        ("a;b", "a%3Bb"),
        ("a:b", "a%3Ab"),
        ("a@b", "a%40b"),
        ("a,b", "a%2Cb"),
        ('"', "%22"),
        ("'", "%27"),
        ("<b>", "%3Cb%3E"),
        ("\\", "%5C"),
        ("\n", "%0A"),
        ("ž", "%C5%BE"),
        ("²", "%C2%B2"),
        ("~2F", "~7E2F"),
        ("~7E", "~7E7E"),
        ("~2E", "~7E2E"),
        (True, "True"),
        (1.5, "1.5"),
        ("a-b_c", "a-b_c"),
        ("\0", "%00"),
    ],
    ids=repr,
)
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
    ids=[
        "bare",
        "kept",
        "changed",
        "dropped",
        "the other stays",
        "several stay",
        "several become one",
        "quoted",
        "hostile",
        "empty",
    ],
)
def test_the_present_address_with_changes(at: str, changes: dict[str, Any], address: str) -> None:
    with Flask(__name__).test_request_context(at):
        assert frame.present_address(**changes) == address


# -- badges and icons


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
    ids=[
        "empty",
        "plain",
        "marks",
        "signs",
        "html",
        "two",
        "rule",
        "heading",
        "list",
        "quote",
        "no link of itself",
    ],
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
    ids=[
        "none",
        "text",
        "break in a line",
        "break in an area",
        "empty",
        "blank",
        "date",
        "part of a second",
        "yes",
    ],
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
        "nothing",
        "no type",
        "no value",
        "one",
        "the last",
        "several",
        "no tick",
        "lines",
        "as drawn",
        "break lost",
        "changed",
        "torn",
        "deep",
        "a name with a dot",
        "not ours",
    ],
)
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


# -- states


# -- fields of options
