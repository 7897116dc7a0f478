"""Errors in the shape of a JSON document, in words, each with its place."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from console.core.documents.workflow import MAX_BYTES, MAX_DEPTH

TYPE_WORDS = {
    "string": "text",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
}
MISSING = "This is missing."
SAFE_INTEGER = 2**53 - 1
UNION_TAG = re.compile(
    r"^(str|int|bool|none|list\[.*\]|dict\[.*\]|constrained-.*|function-.*|nullable\[.*\])$"
)


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a document, as keys and indexes from the top, and the error there."""

    place: tuple[str | int, ...]
    reason: str

    @property
    def path(self) -> str:
        """The place for people: `steps[3].config.text`."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place]
        return "".join(parts).removeprefix(".")


def read_document(
    document: bytes | str | Mapping[str, Any], model: type[M], newest: int, what: str
) -> tuple[M | None, list[Spot]]:
    """(the document as the model has it, all that is wrong with its shape); None where it has none. `newest`: the newest format that is read."""
    raw, spots = loaded(document, what)
    if raw is None:
        return None, spots
    spots += problems_of_values(raw)
    if (newer := newer_format(raw, newest)) is not None:
        return None, [*spots, newer]
    try:
        return model.model_validate(raw), spots
    except ValidationError as error:
        return None, [*spots, *model_errors(error, model)]


def newer_format(raw: Mapping[str, Any], newest: int) -> Spot | None:
    """The error of a document that a newer release wrote."""
    written = raw.get("format")
    if type(written) is not int or written <= newest:
        return None
    return Spot(
        ("format",),
        f"This file has format {written}; this console reads formats up to {newest}: use a newer release.",
    )


def loaded(
    document: bytes | str | Mapping[str, Any], what: str = "A workflow file"
) -> tuple[dict[str, Any] | None, list[Spot]]:
    """(the JSON object, errors in the text); None if the text is not a JSON object. `what` it is called."""
    if isinstance(document, Mapping):
        return dict(document), []
    size = len(document) if isinstance(document, bytes) else len(document.encode(errors="replace"))
    if size > MAX_BYTES:
        return None, [Spot((), f"The file is too large: {size} bytes, at most {MAX_BYTES} are read.")]
    twice: list[str] = []
    try:
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
        parsed = json.loads(
            text, object_pairs_hook=lambda pairs: _object(pairs, twice), parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        return None, [Spot((), f"The file is not UTF-8 text: byte {error.start + 1} cannot be read.")]
    except json.JSONDecodeError as error:
        return None, [
            Spot((), f"The file is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.")
        ]
    except RecursionError:
        return None, [Spot((), "The file is nested too deep.")]
    except ValueError as error:
        return None, [Spot((), f"The file is no JSON: {error}.")]
    if not isinstance(parsed, dict):
        return None, [Spot((), f"{what} holds one object, in braces.")]
    return parsed, [
        Spot((), f"The key {name} stands twice in the same object: keep one.")
        for name in dict.fromkeys(twice)
    ]


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice += [name for name in members if names.count(name) > 1]
    return members


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def problems_of_values(raw: Mapping[str, Any]) -> list[Spot]:
    """Values that cannot be stored exactly: fractions, huge numbers, invalid characters, too much nesting."""
    return list(_values(raw, (), 0))


def _values(value: Any, place: tuple[str | int, ...], depth: int) -> Iterator[Spot]:
    if depth > MAX_DEPTH:
        yield Spot(place[:8], f"This is nested too deep: at most {MAX_DEPTH} levels.")
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            if not isinstance(key, str) or not _storable(key):
                yield Spot(place, f"The key {key!r} cannot be stored.")
            if not isinstance(entry, str) or not _storable(
                entry
            ):  # most entries are texts: a document of a thousand steps has ten thousand
                yield from _values(entry, (*place, str(key)), depth + 1)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _values(entry, (*place, number), depth + 1)
    elif isinstance(value, float):
        yield Spot(place, f'Numbers with decimals are written as text: "{value}".')
    elif isinstance(value, str) and not _storable(value):
        yield Spot(place, "There is a character in this text that cannot be stored (NUL or half of one).")
    elif isinstance(value, int) and abs(value) > SAFE_INTEGER:
        yield Spot(place, "This number is too large to be kept exactly: write it as text.")


def _storable(text: str) -> bool:
    return "\x00" not in text and (
        text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
    )


def model_errors(error: ValidationError, model: type[BaseModel]) -> list[Spot]:
    """The errors of a model, without duplicates; if no alternative shape fits, those of the first."""
    spots: dict[tuple[str | int, ...], Spot] = {}
    for detail in error.errors(include_url=False):
        place = tuple(
            part
            for part in detail["loc"]
            if not (isinstance(part, str) and UNION_TAG.match(part)) and part != "[key]"
        )
        spots.setdefault(place, Spot(place, reason(detail, model)))
    return list(spots.values())


def reason(detail: ErrorDetails, model: type[BaseModel] | None) -> str:
    """The error in words, with how to fix it; of a model that is not ours, without the names that it knows."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return MISSING
        case "extra_forbidden":
            return _unknown(str(detail["loc"][-1]), model, detail["loc"])
        case "string_pattern_mismatch":
            return f"This does not have the form asked for: {_pattern(context['pattern'])}."
        case "string_too_short" | "too_short":
            return (
                "This may not be empty."
                if context.get("min_length") == 1
                else f"This is too short: at least {context.get('min_length')}."
            )
        case "too_long":
            count = (
                "" if context.get("actual_length") is None else f": {context['actual_length']:,}"
            )  # unknown where a list was not read to its end
            return (
                f"This has too many entries{count}{',' if count else ':'} at most {context['max_length']:,}."
            )
        case "string_too_long":
            return f"This is too long: at most {context.get('max_length')}."
        case "greater_than_equal":
            return f"This is too low: at least {context['ge']}."
        case "less_than_equal":
            return f"This is too high: at most {context['le']}."
        case "greater_than":
            return f"This must be more than {context['gt']}."
        case "less_than":
            return f"This must be less than {context['lt']}."
        case "literal_error":
            return f"This must be one of {context['expected'].replace(' or ', ', ')}."
        case "value_error":
            return _sentence(str(context["error"]))
        case "assertion_error":
            return _sentence(str(context["error"]))
    kind = detail["type"].removesuffix("_type")
    return f"This must be {TYPE_WORDS[kind]}." if kind in TYPE_WORDS else _sentence(detail["msg"])


def _unknown(name: str, model: type[BaseModel] | None, place: tuple[str | int, ...]) -> str:
    """An unknown setting; a similar known one is suggested."""
    names = _known(model, place) if model is not None else []
    near = difflib.get_close_matches(name, names, 1)
    return f"There is no setting {name} here: " + (
        f"is {near[0]} meant?" if near else f"known are {', '.join(names)}." if names else "remove it."
    )


def _known(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """The keys that the model allows at that place."""
    schema = model.model_json_schema()
    part_schema: Any = schema
    for part in place[:-1]:
        part_schema = _inside(part_schema, part, schema)
    return list(_resolved(part_schema, schema).get("properties", {}))


def _inside(part_schema: Any, part: str | int, schema: Mapping[str, Any]) -> Any:
    part_schema = _resolved(part_schema, schema)
    if isinstance(part, int):
        return part_schema.get("items", {})
    by_name = next(iter(part_schema.get("patternProperties", {}).values()), None)
    others = part_schema.get("additionalProperties")
    inner = part_schema.get("properties", {}).get(
        part, by_name or (others if isinstance(others, dict) else None)
    )
    return inner if inner is not None else part_schema


def _resolved(part_schema: Any, schema: Mapping[str, Any]) -> Any:
    """The schema behind a reference, or the only object or list among alternatives."""
    for entry in (*part_schema.get("anyOf", ()), *part_schema.get("oneOf", ())):
        if "$ref" in entry or "properties" in entry or "items" in entry:
            return _resolved(entry, schema)
    if "$ref" in part_schema:
        return schema["$defs"][part_schema["$ref"].rsplit("/", 1)[1]]
    return part_schema


def _pattern(pattern: str) -> str:
    """A regular expression of ours in words."""
    by_pattern = {
        r"^[a-z][a-z0-9_]{0,63}$": "a small letter first, then small letters, digits and _, at most 64",
        r"^[a-z][a-z0-9-]{0,62}[a-z0-9]$": "small letters, digits and hyphens, a letter first, 2 to 64",
    }
    return by_pattern.get(pattern, pattern)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
