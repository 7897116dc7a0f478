"""How the endpoint of the tests answers: from what stands in the prompt, and nothing else. Another prompt gives another answer.

Names and values are read within `<source id="…">`: keys of JSON at any depth, and lines `name: value` of texts. A field whose name is equal to one of these
gets its value with high confidence, one whose name is part of one with less; a field without either is left out; none at all is a decline.
This says nothing about any real model.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SOURCE = re.compile(r"<source\b([^>]*)>(.*?)</source>", re.DOTALL)
_FORM = re.compile(r"<form>(.*?)</form>", re.DOTALL)
_ID = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")
_LINE = re.compile(r"^[ \t>*-]*([A-Za-z][\w .()/-]{0,60}?)\s*[:=]\s*(\S.*?)\s*$", re.MULTILINE)
_SET = re.compile(
    r"\bset\s+(?:the\s+)?[\"'“`]?([A-Za-z][\w ]{0,60}?)[\"'”`]?\s+to\s+[\"'“`]?([^\s\"'”`,;]+?)[\"'”`.]?(?=[\s,;\"'”`.!]|$)",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\bcall\s+(?:the\s+)?tool\s+[\"'“`]?([\w.-]+)[\"'”`]?(?:\s+with\s+(\{.*?\}))?", re.IGNORECASE
)
OUTCOMES = frozenset({"outcome", "decision", "recommendation", "choice", "recommendedoutcome"})


@dataclass(frozen=True)
class Pair:
    """A name and its value as a source holds them."""

    source: str
    name: str
    value: Any


def sources(prompt: str) -> list[tuple[str, Any]]:
    """(id, JSON or text) of each source, as the prompt escapes them."""
    found = []
    for attributes, body in _SOURCE.findall(prompt):
        named = _ID.search(attributes)
        text = html.unescape(body).strip()
        try:
            inner = json.loads(text)
        except ValueError:
            inner = text
        found.append((named[1] if named else "", inner))
    return found


@dataclass(frozen=True)
class Form:
    """What the prompt's `<form>` tells of names: field → label, and field → choices as (id, label)."""

    labels: Mapping[str, str]
    choices: Mapping[str, list[tuple[str, str]]]


def form(prompt: str) -> Form:
    """The form of the prompt, an empty one where it has none that could be read."""
    found = _FORM.search(prompt)
    try:
        fields = json.loads(html.unescape(found[1])) if found else []
    except ValueError:
        fields = []
    named = (
        [field for field in fields if isinstance(field, dict) and "name" in field]
        if isinstance(fields, list)
        else []
    )
    return Form(
        {field["name"]: str(field.get("label", "")) for field in named},
        {
            field["name"]: [(str(each.get("id")), str(each.get("label"))) for each in field["choices"]]
            for field in named
            if field.get("choices")
        },
    )


def pairs(prompt: str) -> list[Pair]:
    """All names with their values, in the order of the prompt."""
    return [pair for source, inner in sources(prompt) for pair in _pairs(source, "", inner)]


def _pairs(source: str, name: str, value: Any) -> Iterator[Pair]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(source, str(key), inner)
    elif isinstance(value, list):
        if name and all(not isinstance(entry, dict | list) for entry in value):
            yield Pair(source, name, value)
        for entry in value:
            if isinstance(entry, dict | list):
                yield from _pairs(source, name, entry)
    elif value is not None:
        if name:
            yield Pair(source, name, value)
        if isinstance(value, str):
            for line in _LINE.finditer(value):
                yield Pair(source, line[1], line[2])


def answer(prompt: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that fits the schema: fields where it asks for some, otherwise each property by its name, else the first thing that fits."""
    found, shown = pairs(prompt), form(prompt)
    properties = schema.get("properties", {})
    made: dict[str, Any] = {}
    for name, inner in properties.items():
        if name == "fields" and inner.get("type") == "array":
            made[name] = [
                item
                for variant in _variants(inner.get("items", {}))
                if (item := _item(variant, found, shown))
            ]
        elif name in {"outcome", "choice"}:
            made[name] = _outcome(inner, found)
    for name, inner in properties.items():
        if name not in made:
            made[name] = _other(name, inner, found, made)
    return {
        name: made[name]
        for name in properties
        if made[name] is not _NOTHING or name in schema.get("required", [])
    }


_NOTHING = object()


def _variants(items: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(items.get("anyOf", [items]))


def _item(variant: Mapping[str, Any], found: list[Pair], shown: Form) -> dict[str, Any] | None:
    """One proposed field by its variant of the schema, None where nothing is known of it."""
    properties = variant.get("properties", {})
    name = properties.get("name", {}).get("const") or next(
        iter(properties.get("name", {}).get("enum", [])), None
    )
    if not isinstance(name, str):
        return None
    schema = properties.get("value", {})
    known = _choice_of(schema, found) if plain(name) in OUTCOMES or name.startswith("step_outcome") else None
    known = known or _best(
        name, schema, _coded(found, name, shown.choices.get(name, [])), shown.labels.get(name, "")
    )
    if known is None:
        return None
    value, confidence, pair = known
    return _filled(properties, name, value, confidence, pair)


def _filled(
    properties: Mapping[str, Any], name: str, value: Any, confidence: str, pair: Pair
) -> dict[str, Any]:
    told = {"name": name, "value": value, "confidence": confidence, "sources": [pair.source]}
    words = f"{pair.source} says {pair.name}: {_short(pair.value)}"
    return {
        key: told[key] if key in told else words if inner.get("type") == "string" else _first(inner)
        for key, inner in properties.items()
    }


def _coded(found: list[Pair], name: str, choices: list[tuple[str, str]]) -> list[Pair]:
    """The pairs with values that are a choice's label replaced by its id, for a field that is chosen by id."""
    ids = {plain(label): code for code, label in choices}
    return (
        [Pair(pair.source, pair.name, ids.get(plain(str(pair.value)), pair.value)) for pair in found]
        if ids and name
        else found
    )


def _best(
    name: str, schema: Mapping[str, Any], found: list[Pair], label: str = ""
) -> tuple[Any, str, Pair] | None:
    """(value, confidence, where) of the first pair of an equal name or label, else of one that shares words with the name."""
    for confidence, same in (("high", _equal), ("medium", _ends), ("low", _shares)):
        for pair in found:
            fits = same(name, pair.name) or (bool(label) and _equal(label, pair.name))
            value = _cast(schema, pair.value) if fits else _NOTHING
            if value is not _NOTHING:
                return value, confidence, pair
    return None


def _outcome(schema: Mapping[str, Any], found: list[Pair]) -> Any:
    """What the schema wants for the outcome: a plain choice, or an object with value and reasons; the null or empty form where no source names one."""
    variants = _variants(schema)
    if not any("enum" in each or "properties" in each or "const" in each for each in variants):
        return next(
            (pair.value for pair in found if plain(pair.name) in OUTCOMES and isinstance(pair.value, str)),
            _empty(variants, schema),
        )
    for variant in variants:
        properties = variant.get("properties")
        inner = variant if properties is None else properties.get("value", properties.get("outcome", {}))
        known = _choice_of(inner, found)
        if known is not None:
            return (
                known[0]
                if properties is None
                else _filled({**properties}, str(known[0]), known[0], known[1], known[2])
            )
    return _empty(variants, schema)


def _empty(variants: list[Mapping[str, Any]], schema: Mapping[str, Any]) -> Any:
    for variant in variants:
        if variant.get("type") == "null":
            return None
        for nothing in ("", "none", "no_proposal"):
            if nothing in variant.get("enum", []):
                return nothing
    return None if isinstance(schema.get("type"), list) and "null" in schema["type"] else _NOTHING


def _choice_of(schema: Mapping[str, Any], found: list[Pair]) -> tuple[Any, str, Pair] | None:
    """The option that a source names as outcome."""
    options = schema.get("enum", [schema["const"]] if "const" in schema else [])
    for pair in found:
        if plain(pair.name) in OUTCOMES:
            for option in options:
                if isinstance(option, str) and option and plain(str(pair.value)) == plain(option):
                    return option, "high", pair
    return None


def _other(name: str, schema: Mapping[str, Any], found: list[Pair], made: Mapping[str, Any]) -> Any:
    nothing = not any(
        made.get(each) not in (None, [], "", _NOTHING) for each in ("fields", "outcome", "choice")
    )
    fills = bool({"fields", "outcome", "choice"} & set(made))
    match name:
        case "decision" if fills:
            return "decline" if nothing else "propose"
        case "decline_reason" if fills:
            return "No source supports any field." if nothing else ""
        case "flags" if fills:
            return []
        case _:
            known = _best(name, schema, found)
            return known[0] if known else _first(schema)


def _first(schema: Mapping[str, Any]) -> Any:
    """The first thing that fits."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("anyOf"):
        return _first(schema["anyOf"][0])
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: _first(inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [_first(schema.get("items", {}))] if schema.get("minItems") else []
        case "boolean":
            return True
        case "integer" | "number":
            return 0
        case "null":
            return None
        case _:
            return ""


def _cast(schema: Mapping[str, Any], value: Any) -> Any:
    """The value as the schema wants it, `_NOTHING` where it cannot be."""
    if "anyOf" in schema:
        return next(
            (made for inner in schema["anyOf"] if (made := _cast(inner, value)) is not _NOTHING), _NOTHING
        )
    options = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if options:
        return next((option for option in options if plain(str(option)) == plain(str(value))), _NOTHING)
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        made = _of_kind(kind, schema, value)
        if made is not _NOTHING:
            return made
    return _NOTHING


def _of_kind(kind: Any, schema: Mapping[str, Any], value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    match kind:
        case "number" | "integer":
            number = re.sub(
                r"(?<=\d),(?=\d{3}\b)", "", re.sub(r"^[A-Z€$£]{1,3}\s?|\s?[A-Z€$£]{1,3}$", "", text)
            )
            if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?", number):
                return _NOTHING
            return (
                float(number)
                if "." in number and kind == "number"
                else _NOTHING
                if "." in number
                else int(number)
            )
        case "boolean":
            return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), _NOTHING)
        case "array":
            entries = value if isinstance(value, list) else [value]
            made = [_cast(schema.get("items", {}), entry) for entry in entries]
            return _NOTHING if not made or _NOTHING in made else made
        case "string" | None:
            return _NOTHING if isinstance(value, dict | list) else value if isinstance(value, str) else text
        case _:
            return _NOTHING


def told(prompt: str) -> tuple[list[tuple[str, str, str]], list[tuple[str, Any]]]:
    """What the sources' texts demand: ([(source, field, value)], [(tool, arguments)]); for the mode that obeys."""
    fields, calls = [], []
    for source, inner in sources(prompt):
        text = (
            inner
            if isinstance(inner, str)
            else json.dumps(inner, ensure_ascii=False).replace('\\"', '"').replace("\\n", "\n")
        )
        fields += [(source, match[1].strip(), match[2]) for match in _SET.finditer(text)]
        calls += [(match[1], _arguments(match[2])) for match in _CALL.finditer(text)]
    return fields, calls


def _arguments(text: str | None) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {"raw": text}


def plain(name: str) -> str:
    """A name without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _words(name: str) -> list[str]:
    return [word.casefold() for word in re.split(r"[\W_]+", name) if word]


def _equal(wanted: str, name: str) -> bool:
    return plain(wanted) == plain(name)


def _ends(wanted: str, name: str) -> bool:
    """refund_amount and amount: one is the other with words before it."""
    one, other = sorted((_words(wanted), _words(name)), key=len)
    return bool(one) and other[-len(one) :] == one


def _shares(wanted: str, name: str) -> bool:
    one, other = sorted((_words(wanted), _words(name)), key=len)
    return bool(one) and set(one) <= set(other)


def _short(value: Any) -> str:
    return str(value)[:80]
