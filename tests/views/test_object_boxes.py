"""Boxes of objects, part by part, and of references: what is drawn, and what a form brings back."""

from typing import Any

from werkzeug.datastructures import MultiDict

from console.views.formats import Look
from console.views.runs import form_boxes
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius")


def field(type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": "f", "label": "F", "type": type_, **more}


def test_a_box_that_finds_records_takes_a_name_longer_than_the_key() -> None:
    source = field("reference", references="country", max_length=2)
    assert form_boxes.box(source, LOOK, value="LT").limits == {}


@cases(
    ("value", "control"),
    [("one line", "input"), ("one line\ntwo", "area"), ("one\r\ntwo", "area"), (None, "input")],
)
def test_a_text_of_several_lines_has_a_box_that_keeps_them(value: str | None, control: str) -> None:
    assert form_boxes.box(field(), LOOK, value=value).control == control


ADDRESS = {
    "city": "Kaunas",
    "line1": "Vilniaus g. 50",
    "country": "LT",
    "floor": 3,
    "lift": True,
    "share": 0.5,
    "note": None,
}


def sent_of(box: form_boxes.Box, **typed: str) -> MultiDict[str, str]:
    """What a browser sends of a box of parts, where some are typed over."""
    form = MultiDict({f"t.{box.source}": box.marker, f"w.{box.source}": box.held or ""})
    for part in box.parts:
        name = part.source.removeprefix(f"{box.source}.")
        form.add(f"t.{part.source}", part.marker)
        form.add(part.name, typed.get(name, part.value))
    return form


def test_an_object_is_asked_for_part_by_part_and_what_is_not_touched_stays_exact() -> None:
    box = form_boxes.box(field("json"), LOOK, value=ADDRESS)
    assert [(part.label, part.control) for part in box.parts] == [
        ("Line 1", "input"),
        ("City", "input"),
        ("Country", "select"),
        ("Floor", "input"),
        ("Lift", "yesno"),
        ("Share", "input"),
        ("Note", "input"),
    ]
    assert form_boxes.read_form(sent_of(box), LOOK) == {box.source: ADDRESS}
    typed = form_boxes.read_form(
        sent_of(box, city="Rīga", country="LV", floor="12", lift="false", share="0.25", line1=""), LOOK
    )[box.source]
    assert typed == ADDRESS | {
        "city": "Rīga",
        "country": "LV",
        "floor": 12,
        "lift": False,
        "share": 0.25,
        "line1": None,
    }


HOSTILE: dict[str, Any] = {
    "<b>bold</b>": "<script>alert(1)</script>",
    "a.b": "dotted",
    "": "no name",
    "t.f": "like a marker",
    "\u202eright": "مرحبا",
    "many": "x" * 40_000,
    "lines": "one\r\ntwo\nthree",
    "blank": "  ",
    "big": 2**60,
    "minus": -0.0,
    "empty": "",
    "date": "2026-11-20",
}


def test_a_hostile_object_comes_back_to_the_letter_and_is_escaped() -> None:
    box = form_boxes.box(field("json"), LOOK, value=HOSTILE)
    assert form_boxes.read_form(sent_of(box), LOOK) == {box.source: HOSTILE}
    assert {part.source: part.control for part in box.parts}["f.lines"] == "area", (
        "a line would drop its breaks"
    )
    changed = form_boxes.read_form(sent_of(box, **{"a.b": "other"}), LOOK)[box.source]
    assert changed == HOSTILE | {"a.b": "other"}
    assert "<script>" not in str(box.shown)


@cases("value", [None, {}, [1], {"a": {"b": 1}}, {"a": [1]}, {"amount_minor": 5507}, "text", 5], ids=str)
def test_what_is_no_object_of_plain_values_is_asked_for_as_before(value: Any) -> None:
    box = form_boxes.box(field("json"), LOOK, value=value)
    assert (box.parts, box.control) == ((), "area")


@cases("held", ["", "[1]", "{", "null", '{"a": 1}'], ids=str)
def test_a_hostile_form_of_parts_reads_as_nothing_worse_than_empty(held: str) -> None:
    form = MultiDict(
        {"t.x": "parts", "w.x": held, "v.x.a": "2", "t.x.a": "integer", "v.x.b": "9", "t.x.b": "integer"}
    )
    assert form_boxes.read_form(form, LOOK)["x"] in (None, {}, {"a": 2})
