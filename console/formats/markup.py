"""Values as HTML, on a record's page and in the cells of a list."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from console.core import media, translations
from console.formats.codes import language_name
from console.formats.kinds import EMPTY, MOMENTS, NUMBERS, Kind, Look, Named
from console.formats.money import is_money
from console.formats.times import day_of, day_words, moment_words, when
from console.formats.words import (
    DEEPEST,
    TOO_DEEP,
    WIDGETS,
    WRITERS,
    absent,
    described,
    file_words,
    in_reading_order,
    label_of,
    named,
    read_json,
    text,
)

CELL_LENGTH = 80
LONG = 2_000
"""Characters of a text that are shown before one asks for the rest."""
LONG_ADDRESS = 28
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
SWATCH = Markup(
    '<svg class="swatch" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="3" fill="{}"/></svg> <span class="mono">{}</span>'
)
"""A colour beside its code; an attribute of a drawing, because a page may hold no style of its own."""


def html(what: Kind, value: Any, look: Look) -> Markup:
    """Return the value for the page of its record: moments with the exact time, addresses and references as links, JSON as labelled lines."""
    if absent(value):
        return _NOT_SHOWN if what.type == "binary" else _EMPTY.format("empty")
    if isinstance(value, list) and all(media.is_value(item) for item in value):
        return Markup("<br>").join(_file(item) for item in value)
    if what.widget == "json":
        value = read_json(value)
    if what.widget == "translations" and (texts := translations.texts_of(value)) is not None:
        value = (
            {language_name(name, look.locale): item for name, item in texts.items()}
            if len(texts) > 1
            else "".join(texts.values())
        )
        if not value:
            return _EMPTY.format("empty")
    if isinstance(value, Mapping):
        return _file(value) if media.is_value(value) else _pairs(value, look)
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return _listed(value, look)
    if what.widget == "tags" and isinstance(value, list):
        return Markup(" ").join(
            Markup('<span class="badge">{}</span>').format(text(what, [item], look)) for item in value
        )
    if isinstance(value, list) and what.references:
        return Markup(", ").join(html(what, item, look) for item in value)
    if known := named(what, value, look):
        return linked(known)
    if what.type == "datetime" and what.widget not in WIDGETS:
        return day_of(value, look) or when(value, look)
    shown = text(what, value, look)
    if (what.type == "email" or what.widget == "email") and "@" in shown:
        return Markup('<a href="mailto:{}">{}</a>').format(shown, breaking(shown))
    if what.widget == "phone" and (number := re.sub(r"[^0-9+]", "", shown)):
        return Markup('<a href="tel:{}">{}</a>').format(number, shown)
    if (what.type == "url" or what.widget == "link") and shown.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(shown, shown)
    if what.type in NUMBERS:
        return Markup('<span class="num">{}</span>').format(shown)
    if what.widget == "colour" and COLOUR.fullmatch(shown):
        return SWATCH.format(shown, shown)
    if what.type in ("uuid", "binary") or what.widget in ("code", "iban"):
        return Markup('<span class="mono">{}</span>').format(shown)
    return unfolding(shown, LONG, lines=what.type == "long_text" or what.widget == "textarea")


def breaking(address: str) -> Markup:
    """Return an e-mail address that breaks at its signs in a narrow column, where it is too long for one, and not inside a word."""
    parts = re.split(r"(?=[@.])", address) if len(address) > LONG_ADDRESS else [address]
    return Markup("<wbr>").join(escape(part) for part in parts)


def unfolding(shown: str, longest: int, *, lines: bool = False) -> Markup:
    """Return a text of which what is longer than this unfolds; a little longer is not worth a click."""
    if len(shown) > longest + longest // 10:
        head, rest = (_written(part, lines=lines) for part in (shown[:longest], shown[longest:]))
        return _CUT.format(head, len(shown) - longest, rest)
    return _written(shown, lines=lines)


_CUT = Markup('{}<details class="rest"><summary>… Show {:,} more characters</summary>{}</details>')


def _written(shown: str, *, lines: bool) -> Markup:
    return (
        Markup("<br>").join(escape(line) for line in shown.splitlines() or [shown])
        if lines
        else escape(shown)
    )


_EMPTY = Markup('<span class="empty-value">–<span class="vh"> {}</span></span>')
_NOT_SHOWN = Markup('<span class="empty-value">Not shown</span>')
"""Bytes: they are not read, so nobody knows whether there are any."""


def _file(value: Mapping[str, Any]) -> Markup:
    """Return a link to a file that was submitted."""
    shape = Markup('<a href="/files/{}">{}</a> <span class="muted">{}</span>')
    return shape.format(value["file"], value["name"], file_words(value))


def linked(known: Named) -> Markup:
    """Return a record's title as a link; why there is none in muted words."""
    if known.absent:
        return Markup('<span class="muted">{}</span>').format(known.alone)
    return (
        Markup('<a href="{}">{}</a>').format(known.href, known.title) if known.href else escape(known.title)
    )


MOST_LINES = 200
"""Lines of an object, and entries of a list, that are written out."""


def _pairs(value: Mapping[str, Any], look: Look, depth: int = 0) -> Markup:
    """Return an object as labelled lines, objects within it indented."""
    if depth >= DEEPEST:
        return escape(TOO_DEEP)
    beside = {str(name): item for name, item in in_reading_order(value).items()}
    rows = [
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
            label_of(name), _inner(name, item, beside, look, depth + 1)
        )
        for name, item in list(beside.items())[:MOST_LINES]
    ]
    more = (
        [Markup("<div><dt></dt><dd>and {} more</dd></div>").format(len(beside) - MOST_LINES)]
        if len(beside) > MOST_LINES
        else []
    )
    return (
        Markup('<dl class="kv">{}</dl>').format(Markup("").join([*rows, *more]))
        if value
        else _EMPTY.format("empty")
    )


def _inner(name: str, value: Any, beside: Mapping[str, Any], look: Look, depth: int) -> Markup:
    if isinstance(value, Mapping) and not media.is_value(value):
        return _pairs(value, look, depth)
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return _listed(value, look, depth)
    what, known = described(name, value, beside)
    return html(what, known, look)


def _listed(value: list[Any], look: Look, depth: int = 0) -> Markup:
    """Return a list of objects as a list, each with its lines."""
    if depth >= DEEPEST:
        return escape(TOO_DEEP)
    rows = [
        Markup("<li>{}</li>").format(_inner("", item, {}, look, depth + 1)) for item in value[:MOST_LINES]
    ]
    more = [Markup("<li>and {} more</li>").format(len(value) - MOST_LINES)] if len(value) > MOST_LINES else []
    return Markup('<ol class="entries">{}</ol>').format(Markup("").join([*rows, *more]))


def cell(
    what: Kind, look: Look, html: Callable[[str], str] | None = None, *, labelled: bool = True
) -> Callable[[Any], str]:
    """Return a function that renders the `<td>` of a value. This is the hot loop of a list: one string for a cell, no template.

    What depends only on the field is computed once; only texts with special characters are escaped. `html` (`marker`) replaces the rendering.
    `labelled`: the cell says its field, for narrow screens.
    """
    html = html or escaped
    start, nothing = _edges(what, labelled=labelled)
    say = _text_writer(what, look)
    if what.references and look.records:
        return _reference_cell(what, look, html, start, nothing)
    if what.widget == "colour":
        return lambda value: (
            nothing
            if absent(value)
            else f"{start}{SWATCH.format(value, value) if COLOUR.fullmatch(str(value)) else html(str(value))}</td>"
        )

    def write(value: Any) -> str:
        kind_of = type(value)
        if kind_of is str or kind_of is int:
            if value == "":
                return nothing
            shown = say(value)
        elif absent(value):
            return nothing
        else:
            shown = text(what, value, look)
        if len(shown) > CELL_LENGTH:
            shown = shown[: CELL_LENGTH - 1] + "…"
        return f"{start}{html(shown)}</td>"

    return write


def column(
    what: Kind, look: Look, html: Callable[[str], str] | None = None, *, labelled: bool = True
) -> Callable[[Sequence[Any]], list[str]]:
    """Like `cell`, for all values of a column at once: checks that hold for all of them are made once."""
    write = cell(what, look, html, labelled=labelled)
    if html not in (None, escaped) or what.widget == "colour" or (what.references and look.records):
        return lambda values: [write(value) for value in values]
    start, nothing = _edges(what, labelled=labelled)
    say = _text_writer(what, look)

    def draw(values: Sequence[Any]) -> list[str]:
        kinds = set(map(type, values))
        if not kinds <= _PLAIN:
            return _distinct_cells(write, values) if kinds <= _FEW else [write(value) for value in values]
        shown = ["" if value is None or value == "" else say(value) for value in values]
        if _SPECIAL("".join(shown)) or max(map(len, shown), default=0) > CELL_LENGTH:
            return [write(value) for value in values]
        return [
            nothing if value is None or value == "" else f"{start}{one}</td>"
            for value, one in zip(values, shown, strict=True)
        ]

    return draw


def _edges(what: Kind, *, labelled: bool) -> tuple[str, str]:
    """Return the start of a field's cell and its complete empty cell. A field without a label says none."""
    said = f' data-l="{escaped(what.label)}"' if labelled and what.label else ""
    tag = (
        ""
        if what.options or what.references
        else "r"
        if what.type in NUMBERS
        else "d"
        if what.type in MOMENTS
        else ""
    )
    return (
        f'<td class="{tag}"{said}>' if tag else f"<td{said}>",
        f'<td class="e{" r" * (tag == "r")}"{said}>{EMPTY}</td>',
    )


_PLAIN = {str, int, type(None)}
_FEW = {bool, type(None)}


def _distinct_cells(write: Callable[[Any], str], values: Sequence[Any]) -> list[str]:
    """Render the cells of a column with few distinct values, each value once."""
    known = {value: write(value) for value in set(values)}
    return [known[value] for value in values]


def _text_writer(what: Kind, look: Look) -> Callable[[Any], str]:
    """Return `text` specialised for the strings and integers of one field."""
    if (what.widget in WIDGETS or is_money(what) or what.type == "json") and not what.options:
        return lambda value: text(what, value, look)
    if what.options:
        return lambda value: what.options.get(str(value)) or text(what, value, look)
    match what.type:
        case "date":
            return lambda value: day_words(str(value), look.locale)
        case "datetime":
            return lambda value: moment_words(str(value), look.locale, look.zone)
    writer = WRITERS.get(what.type)
    return str if writer is None else lambda value: writer(value, what, look)


def _reference_cell(
    what: Kind, look: Look, html: Callable[[str], str], start: str, nothing: str
) -> Callable[[Any], str]:
    """Return a function that renders the cell of a reference: the record's title as a link to it."""

    def write(value: Any) -> str:
        if absent(value):
            return nothing
        known = named(what, value, look)
        if known is None:
            return f"{start}{html(text(what, value, look))}</td>"
        title = known.alone if len(known.title) <= CELL_LENGTH else known.title[: CELL_LENGTH - 1] + "…"
        if known.absent:
            return f'{start}<span class="muted">{escaped(title)}</span></td>'
        return (
            f'{start}<a href="{escaped(known.href)}">{html(title)}</a></td>'
            if known.href
            else f"{start}{html(title)}</td>"
        )

    return write


def escaped(shown: str) -> str:
    """Return the text as HTML. Most text has no special characters, and checking that is faster than escaping."""
    return escape(shown) if _SPECIAL(shown) else shown


def marker(words: Sequence[str]) -> Callable[[str], str]:
    """Return a function that renders text as HTML with these words marked, ignoring case."""
    wanted = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    if not wanted:
        return escaped
    pattern = re.compile(f"({'|'.join(map(re.escape, wanted))})", re.IGNORECASE)

    def write(shown: str) -> str:
        parts = pattern.split(shown)
        return (
            escaped(shown)
            if len(parts) == 1
            else "".join(
                f"<mark>{escape(part)}</mark>" if at % 2 else escape(part) for at, part in enumerate(parts)
            )
        )

    return write


_SPECIAL = re.compile("[&<>\"']").search
