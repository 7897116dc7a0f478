"""A box that nobody touched is read back as the value that it was drawn with, whatever a browser makes of the text in it."""

import unicodedata
from typing import Any

from werkzeug.datastructures import MultiDict

from console.core.forms import FormField, clean
from console.steps.update_data import changes_of
from console.views.formats import Look
from console.views.runs import form_boxes
from tests.tables import cases

VALUES: list[tuple[str, Any]] = [
    ("text", "x\ry"),
    ("text", "x\r"),
    ("long_text", "a\r\nb"),
    ("long_text", "\nafter a blank line"),
    ("long_text", "\n\nafter two"),
    ("long_text", "  a\rb  \n"),
    ("text", unicodedata.normalize("NFD", "é")),
    ("long_text", "x" * 200_000),
    ("integer", 2**53 + 1),
    ("integer", -(2**63)),
    ("boolean", 7),
    ("boolean", "t"),
    ("boolean", True),
    ("json", {"n": 12345678901234567890, "z": 1.1, "flag": True}),
    ("json", [1, True, "a\r\nb"]),
    ("email", "not an address"),
    ("datetime", "0044-03-15T12:00:00 BC"),
    ("date", "0000-00-00"),
    ("datetime", "2026-01-02T03:04:05.123456Z"),
]


def sent_by_browser(box: form_boxes.Box) -> list[str]:
    """What a browser sends of a box as it is drawn: HTML's rules for each kind of control."""
    text = box.value.replace("\r\n", "\n").replace("\r", "\n")
    match box.control:
        case "area":
            return [text.replace("\n", "\r\n")]
        case "yesno" | "select" | "checks":
            return [choice.value for choice in box.choices if choice.chosen]
        case "switch":
            return ["false", *(["true"] if box.value == "true" else [])]
    text = text.replace("\n", "")
    return [text.strip() if box.input_type in ("email", "url") else text]


def read(source: dict[str, Any], value: Any) -> Any:
    look = Look("en", "Europe/Vilnius")
    made = form_boxes.box(source, look, value=value)
    form: MultiDict[str, str] = MultiDict([(form_boxes.TYPES + made.source, made.marker)])
    if made.held is not None:
        form[form_boxes.HELD + made.source] = made.held
    for each in [made, *made.parts]:
        if each is not made:
            form[form_boxes.TYPES + each.source] = each.marker
        for text in sent_by_browser(each) if each.control != "parts" else ():
            form.add(each.name, text)
    return form_boxes.read_form(form, look)["it"]


@cases("kind, value", VALUES)
def test_an_untouched_box_keeps_its_value(kind: str, value: Any) -> None:
    for widget in (None, "switch", "textarea"):
        got = read({"name": "it", "label": "It", "type": kind, "widget": widget}, value)
        field = FormField("it", "It", kind, value=value, now=value)
        typed = clean([field], {"it": got})
        assert (typed["it"], type(typed["it"]), changes_of([field], typed, {})) == (value, type(value), {}), (
            widget
        )
