"""Kinds of blocks, of which the content of a step is built: one file each in this folder, found by itself, drawn by `templates/blocks/<kind>.html`.

A file here holds one subclass of `Block`, whose `block` is the name of the file.
"""

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from console.core.blocks.base import At, Block, Data, Leaf, Looks, Say, Unfit, texts
from console.core.documents.fields import Located
from console.core.documents.json_shape import Spot, model_errors
from console.core.expressions import ExpressionError
from console.core.kind_files import kinds_in

OPEN_MODULES = frozenset({"base", "comparison", "tree"})


KINDS: Mapping[str, type[Block]] = kinds_in(__name__, __path__, Block, "block")  # type: ignore[type-abstract]  # only its subclasses are made


def parsed(content: Sequence[Mapping[str, Any]] | None) -> list[Block]:
    """The blocks of a step whose document was checked before: a wrong setting is a pydantic error, an unknown kind a KeyError."""
    return [KINDS[block["block"]].model_validate(dict(block)) for block in content or ()]


def problems(content: Any) -> tuple[list[Block | None], list[Spot]]:
    """(the blocks, None in place of each that cannot be read; the errors with their places from `content` on)."""
    made: list[Block | None] = []
    found: list[Spot] = []
    for number, one in enumerate(content if isinstance(content, list) else []):
        name = one.get("block") if isinstance(one, Mapping) else None
        kind = KINDS.get(name) if isinstance(name, str) else None
        block = None
        if kind is None:
            given = (
                f"There is no block {name}" if isinstance(name, str) else "A block names its kind as block"
            )
            found.append(Spot(("content", number, "block"), f"{given}: known are {', '.join(KINDS)}."))
        else:
            try:
                block = kind.model_validate(dict(one))
            except ValidationError as error:
                found += [
                    Spot(("content", number, *spot.place), f"{spot.reason} (In the block {name}.)")
                    for spot in model_errors(error, kind)
                ]
                block = _without_unknown(kind, one, error)
        made.append(block)
    return made, found


def _without_unknown(kind: type[Block], given: Mapping[str, Any], error: ValidationError) -> Block | None:
    """The block without its unknown settings, so that its expressions can be checked; None if there are other errors."""
    left = copy.deepcopy(dict(given))
    for detail in error.errors():
        if detail["type"] == "extra_forbidden":
            *parents, last = detail["loc"]
            there: Any = left
            for part in parents:
                there = there[part]
            there.pop(last, None)
    try:
        return kind.model_validate(left)
    except ValidationError:
        return None


def texts_of(blocks: Sequence[Block | None]) -> Iterator[tuple[Located, bool]]:
    """Every expression and template of the blocks with its place, such as `content[0].facts[2].value`, and whether it is a template."""
    for number, block in enumerate(blocks):
        if block is not None:
            yield from texts(block, f"content[{number}]")


def compute(blocks: Sequence[Block], roots: Mapping[str, Any], looks: Looks) -> list[Data]:
    """What the blocks show of these values. One that cannot be drawn is its heading and a sentence (`trouble`)."""
    cached = functools.lru_cache(maxsize=None)(looks)
    made = []
    for number, block in enumerate(blocks):
        at = At(block, f"content[{number}]", roots, cached)
        if not at.holds():
            continue
        try:
            own = block.found(at)
        except Unfit as error:
            own = {"trouble": error.message}
        except (ArithmeticError, ExpressionError, LookupError, TypeError, ValueError):
            own = {"trouble": "This cannot be drawn: a value is not of the kind that is needed here."}
        head = at.made(title=at.text("title"), remark=at.text("remark"), empty=at.text("empty"))
        made.append(
            {
                "block": block.block,
                "at": number,
                **({"side": block.side} if block.side else {}),
                **head,
                **own,
            }
        )
    return made


def picture(data: Data, say: Say) -> Data:
    """What the template of the block's kind draws. What cannot be drawn becomes its heading and a sentence (`trouble`)."""
    kind = KINDS.get(data["block"])
    if kind is None:
        return {**data, "trouble": "This was drawn by a kind of block that this release does not have."}
    data = {**data, "heads": kind.heads}
    if "trouble" in data:
        return data
    nothing = {"empty": data.get("empty") or {"from": [], "parts": [kind.nothing]}}
    try:
        return {**data, **nothing, **kind.picture(data, say)}
    except (ArithmeticError, LookupError, TypeError, ValueError, Unfit) as error:
        sentence = (
            error.message
            if isinstance(error, Unfit)
            else "This cannot be drawn: a value is not of the kind that is needed here."
        )
        return {**data, "trouble": sentence}
