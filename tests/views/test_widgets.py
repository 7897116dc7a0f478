"""How a widget draws a value, as a line of words and as HTML."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.views import formats
from console.views.formats import Amount, Kind, Look
from console.views.runs import form_boxes

LOOK = Look("en", "Europe/Berlin", datetime(2026, 11, 20, 12, tzinfo=UTC))


def kind(widget: str, type_: str = "text", **more: Any) -> Kind:
    return formats.kind({"name": "x", "label": "X", "type": type_, "widget": widget, **more})


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        (kind("money", "decimal", currency="EUR"), "1234.5", "€1,234.50"),
        (kind("money", "integer", currency="EUR", minor=True), 123456, "€1,234.56"),
        (kind("money", "integer", currency="JPY", minor=True), 5000, "¥5,000"),
        (kind("money", "integer", currency="currency", minor=True), Amount(5000, "USD"), "$50.00"),
        (kind("money", "integer", currency="currency", minor=True), Amount(5000, "JPY"), "¥5,000"),
        (
            kind("money", "integer", currency="currency", minor=True),
            Amount(5000, "Taler"),
            "5,000 Taler (unknown currency, in its smallest unit)",
        ),
        (kind("money", "decimal", currency="EUR"), "-3", "-€3.00"),
        (kind("money", "decimal", currency="EUR"), "1.005", "€1.005"),
        (kind("money", "decimal"), "12", "12"),
        (kind("money", "integer", minor=True), 1299, "12.99"),
        (kind("money", "integer", minor=True), 1200, "12.00"),
        (kind("money", "integer", currency="KWD", minor=True), 12005, "KWD 12.005"),
        (
            kind("money", "integer", currency="currency", minor=True),
            4900,
            "4,900 (no currency, in its smallest unit)",
        ),
        (kind("money", "integer", currency="EUR", minor=True), 12000000, "€120,000.00"),
        (kind("country"), "LV", "Latvia"),
        (kind("country"), "XQ", "XQ"),
        (kind("country", "array"), ["LV", "EE"], "Latvia, Estonia"),
        (kind("language"), "lt", "Lithuanian"),
        (kind("currency"), "SEK", "Swedish Krona"),
        (kind("money", "decimal", currency="EUR"), "many", "many"),
        (kind("money", "decimal", currency="EUR"), "NaN", "NaN"),
        (kind("money", "decimal", currency="EUR"), None, "–"),
        (kind("percent", "decimal"), "12.5", "12.5 %"),
        (kind("plain", "integer"), 1234567, "1234567"),
        (kind("number", "integer"), 1234567, "1,234,567"),
        (kind("day", "datetime"), "2026-11-20T23:30:00Z", "21 Nov 2026"),
        (kind("long_day", "date"), "2026-11-02", "2 November 2026"),
        (kind("long_day", "datetime"), "2026-11-20T23:30:00Z", "21 November 2026"),
        (kind("iso", "date"), "2026-11-02", "2026-11-02"),
        (kind("iso", "datetime"), "2026-11-20T08:30:00Z", "2026-11-20 09:30"),
        (kind("ago", "datetime"), "2026-11-20T10:00:00Z", "2 hours ago"),
        (kind("day", "date"), "someday", "someday"),
        (kind("iban"), "NL91ABNA0417164300", "NL91 ABNA 0417 1643 00"),
        (kind("radio", "enum", options=[{"value": "a", "label": "Alpha"}]), "a", "Alpha"),
    ],
)
def test_in_words(what: Kind, value: Any, words: str) -> None:
    assert formats.text(what, value, LOOK).replace("\xa0", " ") == words
    assert words[:20] in formats.cell(what, LOOK)(value).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("what", "value", "html"),
    [
        (
            kind("link"),
            "https://example.org/a",
            '<a href="https://example.org/a" rel="noreferrer noopener" target="_blank">https://example.org/a</a>',
        ),
        (kind("link"), "javascript:alert(1)", "javascript:alert(1)"),
        (kind("email"), "a@b.example", '<a href="mailto:a@b.example">a@b.example</a>'),
        (kind("phone"), "+31 (20) 794-6000", '<a href="tel:+31207946000">+31 (20) 794-6000</a>'),
        (kind("phone"), "none", "none"),
        (kind("code"), "<b>", '<span class="mono">&lt;b&gt;</span>'),
        (kind("iban"), "NL91ABNA", '<span class="mono">NL91 ABNA</span>'),
        (kind("textarea"), "a\n<b>", "a<br>&lt;b&gt;"),
        (
            kind("json", "json"),
            [1, {"a": "<"}],
            '<ol class="entries"><li><span class="num">1</span></li><li><dl class="kv"><div><dt>A</dt><dd>&lt;</dd></div></dl></li></ol>',
        ),
        (kind("json"), '{"a":true}', '<dl class="kv"><div><dt>A</dt><dd>Yes</dd></div></dl>'),
        (
            kind("json"),
            '{"amount_minor": 1250, "currency": "SEK"}',
            '<dl class="kv"><div><dt>Amount</dt><dd><span class="num">SEK\xa012.50</span></dd></div><div><dt>Currency</dt><dd>Swedish Krona</dd></div></dl>',
        ),
        (kind("json"), "{", "{"),
        (
            kind("tags", "array"),
            ["a", "<b>"],
            '<span class="badge">a</span> <span class="badge">&lt;b&gt;</span>',
        ),
    ],
)
def test_as_html(what: Kind, value: Any, html: str) -> None:
    assert str(formats.html(what, value, LOOK)) == html


@pytest.mark.parametrize(
    ("source", "control"),
    [
        ({"type": "enum", "widget": "radio", "options": [{"value": "a", "label": "A"}]}, "yesno"),
        ({"type": "enum", "options": [{"value": "a", "label": "A"}]}, "select"),
        ({"type": "boolean", "widget": "switch"}, "switch"),
        ({"type": "boolean", "widget": "select"}, "select"),
        ({"type": "boolean"}, "yesno"),
        ({"type": "text", "widget": "textarea", "lines": 9}, "area"),
        ({"type": "text", "widget": "textarea", "readonly": True}, "static"),
    ],
)
def test_what_is_typed_into(source: dict[str, Any], control: str) -> None:
    box = form_boxes.box({"name": "x", "label": "X", **source}, LOOK, value=None)
    assert (box.control, box.lines) == (control, source.get("lines", 3))
