"""Boxes, tables and the record panel of a run, drawn from what was shown. No server."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from markdown_it import MarkdownIt
from werkzeug.datastructures import MultiDict

from console import steps
from console.views import assets, formats, frame
from console.views.formats import Look
from console.views.run import form_boxes, panes
from tests.tables import cases

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


def test_a_column_whose_values_the_names_of_the_rows_say_is_not_said_again() -> None:
    """Only where each of them does; a short value may stand there by chance."""
    columns = [field("kind"), field("number"), field("pages", "integer")]

    def shown(*rows: tuple[str, str | None, int, str]) -> list[str]:
        told = [
            {"key": str(n), "title": title, "values": {"kind": kind, "number": number, "pages": pages}}
            for n, (kind, number, pages, title) in enumerate(rows)
        ]
        drawn = panes.table_of({"label": "Papers", "collection": "paper", "columns": columns, "rows": told}, LOOK)
        return [column.name for column in drawn.columns]

    assert shown(("Passport", "RX39", 39, "Passport RX39"), ("Proof of address", None, 1, "Proof of address 1")) == ["pages"]
    assert shown(("Passport", "RX39", 1, "Passport RX39"), ("Letter", "RX39", 1, "Letters RX39")) == ["kind", "pages"]


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
    assert [(one.value, one.chosen) for one in box.choices] == [("low", False), ("high", False), ("prohibited", True)]


def test_now_and_before_stand_only_on_fields_of_the_record() -> None:
    plain, own = form_boxes.box(field(), LOOK, value="x"), form_boxes.box(field(record=True), LOOK, value="x")
    assert (plain.now, plain.before, plain.changed) == (None, None, False)
    assert (own.now, own.before, own.changed) == ("empty", "", True)
    assert not form_boxes.box(field(now="x"), LOOK, value="x").changed


def test_an_error_and_a_hint_describe_the_box() -> None:
    box = form_boxes.box(field(help="As printed."), LOOK, value="b", error={"field": "f", "reason": "Too long.", "theirs": None})
    assert box.described_by == "f-f-help f-f-error"
    assert (box.error, box.theirs, box.after) == ("Too long.", "–", "b")


def test_an_earlier_result_is_said_once_with_what_it_stands_in() -> None:
    last = [("high", ""), ("low", "60 % by Ownership"), ("low", "40 % by Votes"), (None, "Gone")]
    found = [{"value": value, "title": title} for value, title in last]
    box = form_boxes.box(field(type_="enum", options=RISK, last=found), LOOK)
    assert box.last == "High; Low (60 % by Ownership, 40 % by Votes)"


def test_typed_text_wins_over_the_draft_and_the_answer_over_both() -> None:
    screen = {"type": "guidance", "fields": [field("a", value="shown"), field("b", value="shown")]}
    assert [box.value for box in form_boxes.boxes(screen, LOOK, typed={"a": "typed"})] == ["typed", "shown"]
    answered = form_boxes.boxes(screen, LOOK, typed={"a": "typed"}, answers={"a": "handed in"})
    assert [(box.value, box.answered) for box in answered] == [("handed in", True), ("shown", False)]


def test_a_form_says_of_each_box_how_it_is_read() -> None:
    form = MultiDict(
        [
            ("t.note", "long_text"),
            ("v.note", "hello"),
            ("t.risk", "enum"),
            ("v.risk", ""),
            ("t.ticks", "checklist"),
            ("t.yes", "boolean"),
            ("v.yes", "true"),
            ("t.count", "integer"),
            ("v.count", "12"),
            ("v.strange", "?"),
            ("revision", "7"),
            ("note", "no"),
        ]
    )
    assert form_boxes.read_form(form, LOOK) == {"note": "hello", "risk": None, "ticks": [], "yes": True, "count": 12}
    assert form_boxes.typed_texts(form) == {"note": "hello", "yes": "true", "count": "12", "strange": "?"}


def test_the_record_panel_has_its_sections_and_what_changed_since() -> None:
    record = {
        "fields": [
            {"name": "a", "label": "A", "type": "text"},
            {"name": "b", "label": "B", "type": "date"},
            {"name": "c", "label": "C", "type": "text"},
        ],
        "values": {"a": "x", "b": "2026-11-20", "c": "same"},
        "sections": [{"label": "First", "fields": ["b", "hidden"]}, {"label": "None of mine", "fields": ["hidden"]}],
    }
    found = panes.sections(record, LOOK, {"a": "y", "b": "2026-11-20", "c": "same"})
    assert [(section.label, [line.label for line in section.lines]) for section in found] == [("First", ["B"]), ("More", ["A", "C"])]
    assert [str(line.since) for line in found[1].lines if line.since is not None] == ["y"]
    assert all(line.since is None for section in panes.sections(record, LOOK) for line in section.lines)


def test_rows_of_a_step_link_to_their_records() -> None:
    table = panes.table_of(
        {
            "label": "Docs",
            "collection": "doc",
            "columns": [{"name": "n", "label": "N", "type": "integer"}],
            "rows": [{"key": "a/b", "title": "<T>", "values": {"n": 3}}, {"key": None, "title": "", "values": {}}],
        },
        LOOK,
    )
    assert [(href, title) for href, title, _ in table.rows] == [("/c/doc/a~2Fb", "<T>"), (None, "")]
    assert table.rows[0][2] == '<td class="r" data-l="N">3</td>'


def test_the_number_of_a_record_is_no_count() -> None:
    columns = [{"name": name, "label": name, "type": "integer"} for name in ("id", "pages")]
    rows = [{"key": str(key), "title": "", "values": {"id": key, "pages": 12000}} for key in (55077, 55078)]
    table = panes.table_of({"label": "Tickets", "collection": "ticket", "columns": columns, "rows": rows}, LOOK)
    assert [("55077" in cells, "55078" in cells, "12,000" in cells) for *_, cells in table.rows] == [
        (True, False, True),
        (False, True, True),
    ]


def test_a_column_in_which_no_row_says_anything_is_left_out() -> None:
    columns = [{"name": name, "label": name.title(), "type": "text"} for name in ("name", "because")]
    rows = [
        {"key": "1", "title": "A", "values": {"name": "A", "because": None}},
        {"key": "2", "title": "B", "values": {"name": "B", "because": ""}},
    ]
    source = {"label": "Papers", "collection": "paper", "columns": columns, "rows": rows}
    assert [column.name for column in panes.table_of(source, LOOK).columns] == ["name"]
    today = {"paper": {"1": {"name": "A", "because": "Blurred"}, "2": {"name": "B", "because": ""}}}
    assert "Blurred" in panes.table_of(source, LOOK, today).rows[0][2], "what it says today is marked"
    assert len(panes.table_of({**source, "rows": []}, LOOK).columns) == 2


def test_what_is_late_or_has_expired_says_so_beside_a_run_as_on_the_record() -> None:
    """In the panel and in every table; of the day that is looked at, so that a replay says what was true then."""
    expiry = field("identity_expires_on", "date")
    values: dict[str, Any] = {"identity_expires_on": "2026-10-06", "limit": None, "conditions": []}
    record = {"fields": [expiry, field("limit"), field("conditions", "array")], "values": values}
    source = {
        "label": "Papers",
        "columns": [field("name"), expiry],
        "rows": [{"key": "1", "title": "A", "values": {"name": "B", **values}}],
    }
    for day, said in ((20, "Expired"), (6, "")):
        look = Look("en", "Europe/Vilnius", datetime(2026, 11 if said else 10, day, 12, tzinfo=UTC))
        (section,) = panes.sections(record, look)
        assert ("Expired 45 days ago" in str(section.lines[0].shown), [line.empty for line in section.lines]) == (
            bool(said),
            [False, True, True],
        )
        assert ('Oct 2026 <span class="badge bad">Expired<' in panes.table_of(source, look).rows[0][2]) == bool(said)


def test_of_many_earlier_results_it_is_said_how_many_are_left_out() -> None:
    last = [*({"value": "low", "title": name} for name in "ABC"), {"more": 2}]
    (box,) = form_boxes.boxes({"fields": [field("risk", "enum", options=RISK, last=last)]}, LOOK)
    assert box.last == "Low (A, B, C); and 2 more"


@cases("key", ["17", "", "a/b", "~", "~2F", ".", "..", "a b", "ä?#%", "C-1/2~x", "x.y"])
def test_every_key_survives_the_address(key: str) -> None:
    from urllib.parse import unquote

    part = frame.segment(key)
    assert "/" not in part
    assert part not in ("", ".", "..")
    assert frame.key_of(unquote(part)) == key


@cases(
    ("status", "holder", "viewer", "label"),
    [
        ("waiting_person", "usr_1", "usr_1", "In progress"), ("waiting_person", "usr_1", "usr_2", "With Ana"), ("waiting_person", "usr_9", "usr_2", "With a colleague"),
        ("saved", None, "usr_2", "To Continue"), ("completed", None, None, "Done"), ("timed_out", None, None, "Timed out"), ("something_new", None, None, "Something new"),
    ],
)  # fmt: skip
def test_statuses_in_words(status: str, holder: str | None, viewer: str | None, label: str) -> None:
    assert frame.status_badge(status, holder, viewer, {"usr_1": "Ana Lopes"}).label == label


def test_text_of_a_workflow_is_markdown_without_html() -> None:
    drawn = frame.markdown("**bold** <script>x</script> [go](javascript:alert(1)) ![i](https://x.example/i.png)")
    assert "<strong>bold</strong>" in drawn
    assert "&lt;script&gt;" in drawn
    assert 'href="javascript' not in drawn
    assert "<img" not in drawn


@cases(
    ("text", "drawn"),
    [
        ("| a |\n|--:|\n| 1 |", "<th>a</th>"),
        ("3. three", '<ol start="3">'),
        ('[go](https://x.example "there")', '<a href="https://x.example" title="there" rel="noopener noreferrer">go</a>'),
        ("[mail](mailto:a@b.example)", 'href="mailto:a@b.example"'),
        ("[there](/c/customer)", 'href="/c/customer"'),
        ("`<i>`", "<code>&lt;i&gt;</code>"),
        ("> said\n\n---", "<hr>"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("", ""),
    ],
)
def test_what_prose_needs_comes_through(text: str, drawn: str) -> None:
    assert drawn in frame.markdown(text)


@cases(
    "text",
    [
        "| a |\n|--:|\n| 1 |", "[x](vbscript:x)", "[x](data:text/html,x)", "<svg onload=x>", "![x](javascript:x)", "<a href=javascript:x>y</a>",
        "```js onerror=x\nx\n```", "[x](JaVaScRiPt:x)", '<https://x.example/"onclick=x>', "&lt;script&gt;x&lt;/script&gt;",
    ],
)  # fmt: skip
def test_nothing_else_does(text: str) -> None:
    drawn = str(frame.markdown(text))
    assert {tag.strip("/").split()[0] for tag in re.findall(r"<([^>]+)>", drawn)} <= frame.PROSE
    for found in re.findall(r"<[^>]*>", drawn):
        assert not re.search(
            r"style=|class=|\bon\w+=\S|javascript:|vbscript:|data:", re.sub(r'href="https[^"]*"', "", found), re.IGNORECASE
        )


def test_what_the_parser_lets_through_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "_markdown", MarkdownIt("commonmark", {"html": True}))  # as if raw HTML were on
    drawn = frame.markdown('<b onclick="x()">bold</b><script>x()</script><iframe src="//x.example"></iframe>\n\n<p style="x">said</p>')
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


def test_every_step_type_names_an_icon_and_a_family_that_are_drawn() -> None:
    families = set(re.findall(r"\.tile\.(\w+) \{", (assets.STATIC / "css/badge.css").read_text()))
    for found in steps.all_types().values():
        assert found.icon in assets.drawn_icons(), found.name
        assert found.family in families, found.name


def test_a_masked_value_is_dots_and_never_empty() -> None:
    fields = [field("born", "date"), field("risk"), field("note")]
    record = {"fields": fields, "values": {"born": None, "risk": None, "note": "x"}, "masked": ["born"]}
    (part,) = panes.sections(record, LOOK, {"born": "1990-01-01", "risk": None, "note": "x"})
    assert [(line.name, line.empty, line.since, "masked" in line.shown) for line in part.lines] == [
        ("born", False, None, True), ("risk", True, None, False), ("note", False, None, False),
    ]  # fmt: skip
    row = {"key": "1", "title": "One", "values": {"born": None, "risk": None}}
    table = panes.table_of({"label": "Rows", "columns": fields[:2], "rows": [row], "masked": ["born"]}, LOOK)
    assert [column.name for column in table.columns] == ["born"]
    assert "masked" in table.rows[0][2]


def test_what_differs_today_is_marked_and_nothing_else() -> None:
    owner = formats.Named("Ada Ltd", key="7")
    look = replace(LOOK, records={("firm", "7"): owner}, renamed={("firm", "7"): replace(owner, title="Ada B.V.")})
    fields = [
        field("owner", "reference", references="firm"),
        field("paid", "money", currency="currency", minor=True),
        field("currency"),
        field("note"),
    ]
    row: dict[str, Any] = {"key": "1", "title": "One", "values": {"owner": "7", "paid": 1890, "currency": "EUR", "note": "x"}}

    def marks(**now: Any) -> list[str | None]:
        (part,) = panes.sections({"fields": fields, "values": row["values"]}, look, {**row["values"], **now})
        return [None if line.since is None else re.sub(r"<[^>]*>", "", line.since) for line in part.lines]

    assert marks() == ["Ada B.V.", None, None, None]
    assert marks(paid=90, note="y") == ["Ada B.V.", "€0.90", None, "y"]
    assert panes.gone({"collection": "charge", "rows": [row]}, {"charge": {}})
    assert not panes.gone({"collection": "charge", "rows": [row]}, {})
