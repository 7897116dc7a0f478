"""Boxes and the record panel of a run, drawn from what was shown. No server."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from markdown_it import MarkdownIt

from console.views import formats, frame
from console.views.formats import Look
from console.views.runs import form_boxes, panes
from tests.tables import cases

pytestmark = pytest.mark.lengthy

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 12, tzinfo=UTC))
RISK = [{"value": "low", "label": "Low"}, {"value": "high", "label": "High"}]


def field(name: str = "f", type_: str = "text", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": type_,
        "required": False,
        "readonly": False,
        "value": None,
        "now": None,
        "options": None,
    } | more


@cases(
    ("source", "control", "input_type"),
    [
        (field(), "input", "text"),
        (field(type_="date"), "input", "date"),
        (field(type_="datetime"), "input", "datetime-local"),
        (field(type_="email"), "input", "email"),
        (field(type_="integer"), "input", "text"),
        (field(type_="long_text"), "area", "text"),
        (field(type_="json"), "area", "text"),
        (field(type_="array"), "area", "text"),
        (field(type_="enum", options=RISK), "select", "text"),
        (field(type_="checklist", options=RISK), "checks", "text"),
        (field(type_="multi_enum"), "area", "text"),
        (field(type_="boolean"), "yesno", "text"),
        (field(readonly=True), "static", "text"),
        (field(type_="binary"), "static", "text"),
        (field(type_="reference", options={"collection": "customer"}), "input", "text"),
    ],
)
def test_each_type_has_its_control(source: dict[str, Any], control: str, input_type: str) -> None:
    box = form_boxes.box(source, LOOK)
    assert (box.control, box.input_type) == (control, input_type)


def test_a_value_that_is_no_option_any_more_is_kept_and_chosen() -> None:
    box = form_boxes.box(field(type_="enum", options=RISK), LOOK, value="prohibited")
    assert [(one.value, one.chosen) for one in box.choices] == [
        ("low", False),
        ("high", False),
        ("prohibited", True),
    ]


def test_typed_text_wins_over_the_draft_and_the_answer_over_both() -> None:
    screen = {"type": "guidance", "fields": [field("a", value="shown"), field("b", value="shown")]}
    assert [box.value for box in form_boxes.boxes(screen, LOOK, typed={"a": "typed"})] == ["typed", "shown"]
    answered = form_boxes.boxes(screen, LOOK, typed={"a": "typed"}, answers={"a": "handed in"})
    assert [(box.value, box.answered) for box in answered] == [("handed in", True), ("shown", False)]


@cases(
    "text",
    [
        "| a |\n|--:|\n| 1 |",
        "[x](vbscript:x)",
        "[x](data:text/html,x)",
        "<svg onload=x>",
        "![x](javascript:x)",
        "<a href=javascript:x>y</a>",
        "```js onerror=x\nx\n```",
        "[x](JaVaScRiPt:x)",
        '<https://x.example/"onclick=x>',
        "&lt;script&gt;x&lt;/script&gt;",
    ],
)
def test_nothing_else_does(text: str) -> None:
    drawn = str(frame.markdown(text))
    assert {tag.strip("/").split()[0] for tag in re.findall(r"<([^>]+)>", drawn)} <= frame.PROSE
    for found in re.findall(r"<[^>]*>", drawn):
        assert not re.search(
            r"style=|class=|\bon\w+=\S|javascript:|vbscript:|data:",
            re.sub(r'href="https[^"]*"', "", found),
            re.IGNORECASE,
        )


def test_what_the_parser_lets_through_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        frame, "_markdown", MarkdownIt("commonmark", {"html": True})
    )  # as if raw HTML were on
    drawn = frame.markdown(
        '<b onclick="x()">bold</b><script>x()</script><iframe src="//x.example"></iframe>\n\n<p style="x">said</p>'
    )
    assert drawn.strip() == "<p>bold</p>\n<p>said</p>"


@cases(
    ("headers", "part"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "false"}, False),
        ({"HX-Request": "TRUE"}, False),
        ({"HX-Target": "list"}, False),
        ({"HX-Request": "true", "HX-Boosted": "true"}, True),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "false"}, True),
    ],
)
def test_what_htmx_asks_for_is_a_part_unless_it_goes_back(headers: dict[str, str], part: bool) -> None:
    app = Flask("test")
    frame.htmx.init_app(app)
    with app.test_request_context("/", headers=headers):
        assert frame.wants_fragment() is part
        assert frame.htmx.target == headers.get("HX-Target")
        assert app.htmx is frame.htmx  # type: ignore[attr-defined]


def test_a_masked_value_is_dots_and_never_empty() -> None:
    fields = [field("born", "date"), field("risk"), field("note")]
    record = {"fields": fields, "values": {"born": None, "risk": None, "note": "x"}, "masked": ["born"]}
    (part,) = panes.sections(record, LOOK, {"born": "1990-01-01", "risk": None, "note": "x"})
    assert [(line.name, line.empty, line.since, "masked" in line.shown) for line in part.lines] == [
        ("born", False, None, True),
        ("risk", True, None, False),
        ("note", False, None, False),
    ]
    row = {"key": "1", "title": "One", "values": {"born": None, "risk": None}}
    table = panes.table_of({"label": "Rows", "columns": fields[:2], "rows": [row], "masked": ["born"]}, LOOK)
    assert [column.name for column in table.columns] == ["born"]
    assert "masked" in table.rows[0][2]


def test_what_differs_today_is_marked_and_nothing_else() -> None:
    owner = formats.Named("Ada Ltd", key="7")
    look = replace(
        LOOK, records={("firm", "7"): owner}, renamed={("firm", "7"): replace(owner, title="Ada B.V.")}
    )
    fields = [
        field("owner", "reference", references="firm"),
        field("paid", "money", currency="currency", minor=True),
        field("currency"),
        field("note"),
    ]
    row: dict[str, Any] = {
        "key": "1",
        "title": "One",
        "values": {"owner": "7", "paid": 1890, "currency": "EUR", "note": "x"},
    }

    def marks(**now: Any) -> list[str | None]:
        (part,) = panes.sections({"fields": fields, "values": row["values"]}, look, {**row["values"], **now})
        return [None if line.since is None else re.sub(r"<[^>]*>", "", line.since) for line in part.lines]

    assert marks() == ["Ada B.V.", None, None, None]
    assert marks(paid=90, note="y") == ["Ada B.V.", "€0.90", None, "y"]
    assert panes.gone({"collection": "charge", "rows": [row]}, {"charge": {}})
    assert not panes.gone({"collection": "charge", "rows": [row]}, {})
