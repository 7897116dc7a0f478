"""Blocks of a step's content as its page draws them: from the data that was recorded with the screen, in words for this reader."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import cache
from typing import Any

from babel.numbers import format_compact_currency, format_compact_decimal

from console.core import blocks
from console.core.blocks import Data, Leaf
from console.core.currencies import decimals
from console.core.expressions.operands import number_of
from console.views import assets, formats
from console.views.formats import Amount, Kind, Look

HIDDEN = "You may not see this"
TYPES = {
    "text": "text",
    "country": "text",
    "language": "text",
    "number": "decimal",
    "percent": "decimal",
    "money": "decimal",
    "day": "date",
    "moment": "datetime",
}
WIDGETS = {"percent": "percent", "money": "money", "country": "country", "language": "language"}
MOST_DECIMALS, MOST_SHORT = 2, 15
"""Decimals of a number that was calculated; digits of one that is said in few characters."""


def draw_blocks(
    content: Iterable[Data] | None,
    look: Look,
    ways: Sequence[Mapping[str, Any]] = (),
    papers: Callable[[Data], Data | None] | None = None,
) -> list[dict[str, Any]]:
    """Return the blocks in rows: `{"blocks": […]}` over the whole width, `{"left": […], "right": […]}` beside each other.

    `ways` are the consequences of the step, for the blocks that draw what it would change; `papers` finds the document of a block's data.
    """
    rows: list[dict[str, Any]] = []
    for data in content or ():
        kind = blocks.KINDS.get(data["block"])
        more: Data = {"ways": ways} if kind is not None and kind.foretells else {}
        if kind is not None and kind.opens and "trouble" not in data:
            more = {"paper": papers(data) if papers is not None else None}
        if kind is not None and kind.cites and papers is not None and "trouble" not in data:
            more = {
                "papers": {
                    source["id"]: papers(source)
                    for source in data["sources"]
                    if source.get("document") is not None
                }
            }
        block = with_words({**data, **more}, look)
        if not (
            block["title"]
            or block.get("facts", True)
            or block.get("trouble")
            or data.get("empty", {}).get("from")
        ):
            continue  # facts of which none holds, under no head: nobody misses them
        side = block.get("side")
        if side is None:
            rows.append({"blocks": [block]})
        else:
            if not rows or "left" not in rows[-1]:
                rows.append({"left": [], "right": []})
            rows[-1][side].append(block)
    return [_over_the_width(row) for row in rows]


def _over_the_width(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of which one side is empty as blocks over the whole width."""
    return (
        row if "blocks" in row or (row["left"] and row["right"]) else {"blocks": row["left"] or row["right"]}
    )


def with_words(data: Data, look: Look) -> Data:
    """Return what the template of one block draws; head and sentences in words."""

    def say(leaf: Leaf | None) -> str:
        return words(leaf, look)

    block = blocks.picture(data, say)
    return (
        block
        | {name: say(block.get(name)) for name in ("title", "remark", "empty")}
        | {"id": f"block-{data['at']}", "say": say}
    )


def words(leaf: Leaf | None, look: Look, *, inside: bool = False) -> str:
    """Return a leaf in words (`inside` a sentence): the only place where a block's value becomes text. A text without a label stays as it was written.

    What is missing from a sentence is a dash in it; a text that is nothing but values leaves it out.
    """
    if leaf is None:
        return ""
    if leaf.get("hidden"):
        return HIDDEN
    if "parts" in leaf:
        gap = (
            "–"
            if any(isinstance(part, str) and any(map(str.isalnum, part)) for part in leaf["parts"])
            else ""
        )
        return "".join(
            part
            if isinstance(part, str)
            else words(part, look, inside=True)
            if part["value"] is not None
            else gap
            for part in leaf["parts"]
        )
    form, value = leaf.get("look", {}), leaf.get("value")
    if (
        leaf.get("short")
        and (number := number_of(value)) is not None
        and abs(Decimal(number).adjusted()) < MOST_SHORT
    ):
        return _compact(Decimal(number), form, look)
    if not form:
        return formats.in_words(formats.text(Kind("", ""), value, look), look)
    if known := _record(form, value, look):
        return known.title if inside else known.alone
    shape = form.get("as")
    if shape in ("month", "month of a year"):
        return formats.month_words(str(value), look.locale, year=shape != "month")
    what = formats.kind(
        form
        if shape is None
        else {**form, "type": TYPES[shape], "widget": WIDGETS.get(shape), "options": None}
    )
    number = number_of(value) if what.type in formats.NUMBERS else None
    if number is None:
        return formats.text(what, value, look)
    return formats.text(what, _amount(number, form), look)


def _record(leaf: Mapping[str, Any], value: Any, look: Look) -> formats.Named | None:
    """Return the record that a reference leads to: as it was named when it was recorded, else as the reader knows it."""
    if "named" in leaf:  # nothing there: the title is masked for this reader
        return formats.Named(str(leaf["named"] or HIDDEN), absent=bool(leaf.get("absent")))
    return look.records.get((str(leaf.get("references")), str(value)))


def _amount(number: Decimal | int, leaf: Mapping[str, Any]) -> Any:
    """Return the number without digits that only a calculation has, joined to its currency."""
    code = str(leaf.get("currency") or "")
    money = leaf.get("as") == "money" or leaf.get("widget") == "money"
    known = decimals(code)
    places = (
        (0 if leaf.get("minor") else MOST_DECIMALS if known is None else known) if money else MOST_DECIMALS
    )
    exact, most = Decimal(number), max(places, int(leaf.get("places", MOST_DECIMALS)))
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most:
        with localcontext(prec=len(exact.as_tuple().digits) + most + 1):
            exact = (
                round(exact, places) + 0
                if money
                else Decimal(f"{round(exact, most):f}".rstrip("0").rstrip("."))
            )
    return Amount(str(exact), code) if money and len(code) > 1 else str(exact)


SHORTENED = {"K": "k", "M": "m", "B": "bn", "T": "tn"}


def _compact(number: Decimal, leaf: Mapping[str, Any], look: Look) -> str:
    """Return a figure in few characters, such as €1.2m."""
    code = str(leaf.get("currency") or "")
    places = (
        decimals(code) if code else MOST_DECIMALS
    )  # where nobody can say it is cents; of an unknown currency it is as it is stored
    exact = number.scaleb(-(places or 0)) if leaf.get("minor") else number
    exact = Decimal(f"{exact:.3g}")  # 999,999,999.99 is €1bn and not €1000m
    shown = (
        format_compact_currency(
            exact,
            code,
            locale=look.locale,
            fraction_digits=_digits(exact),
        )
        if len(code) == 3
        else format_compact_decimal(exact, locale=look.locale, fraction_digits=1 if exact % 1000 else 0)
    )
    return (
        re.sub(r"(?<=[0-9])[KMBT]", lambda found: SHORTENED[found[0]], shown)
        if look.locale.startswith("en")
        else shown
    )


def _digits(number: Decimal) -> int:
    """Return how many decimals a shortened amount has: €1.01k beside €800, €1.2m, €24k."""
    above = _thousands(number)
    return 0 if not above or abs(number) >= 10 ** (3 * above + 1) else 2 if above == 1 else 1


def _thousands(number: Decimal) -> int:
    return max(0, number.adjusted() // 3) if number else 0


def sheets(rows: Iterable[Mapping[str, Any]] | None = None) -> list[str]:
    """Return the style sheets that these rows of blocks (None: any) need: what all share, then one for each kind that has one."""
    kinds = (
        set(blocks.KINDS)
        if rows is None
        else {block["block"] for row in rows for column in row.values() for block in column}
    )
    names = ("block", *(name for name in sorted(kinds) if _has_sheet(name)))
    return [f"css/blocks/{name}.css" for name in names]


@cache
def _has_sheet(name: str) -> bool:
    return (assets.STATIC / "css" / "blocks" / f"{name}.css").is_file()
