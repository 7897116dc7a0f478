"""A form for values that a JSON Schema describes: its fields, the arguments that come of what was filled in, and what is wrong with them."""

import math
import re
from collections.abc import Mapping
from typing import Any

from console.core.expressions.operands import number_of
from console.core.forms import FormField
from console.core.mcp_tools import Schema, plain, properties, required
from console.core.plain_words import humanised, one_line

TYPES = {"integer": "integer", "number": "decimal", "boolean": "boolean", "object": "json", "array": "json"}
FORMATS = {"date": "date", "date-time": "datetime", "email": "email", "uuid": "uuid"}
LONG = 200
LONGEST_LABEL, LONGEST_HELP = 100, 500
MOST_FIELDS, MOST_PARTS, DEEPEST = 40, 2_000, 24
MOST_CHECKS = 100_000
"""Rules of a schema that are tried on one value: references and `unevaluated…` double with each level, and nobody waits for 2^30."""
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
REFUSED = frozenset({"$dynamicRef", "$recursiveRef", "$vocabulary"})
_MISSING = re.compile(r"'(.+)' is a required property")


def fields(schema: Schema) -> list[FormField]:
    """The fields of the form, one for each property, those that are required first; what has no field of its own is typed as JSON. A default is not filled in."""
    known, needed = properties(schema), required(schema)
    order = [*(name for name in needed if name in known), *(name for name in known if name not in needed)]
    return [_field(name, _resolved(schema, known[name]), required=name in needed) for name in order]


def inlined(schema: Schema) -> dict[str, Any]:
    """The schema of a form that somebody sends, with what it refers to put in its place.

    Raises ValueError for one that is no form, that refers to itself or to something outside it, or that is too large with all that it refers to.
    """
    named = {
        f"#/{key}/{name}": each
        for key in ("$defs", "definitions")
        if isinstance(schema.get(key), Mapping)
        for name, each in schema[key].items()
    }
    left = MOST_PARTS

    def part(value: Any, depth: int) -> Any:
        nonlocal left
        left -= 1 + (len(value) // 100 if isinstance(value, str) else 0)
        if left < 0 or depth > DEEPEST:
            raise ValueError(
                f"is too large or refers to itself: at most {MOST_PARTS} parts, {DEEPEST} levels"
            )
        if isinstance(value, list):
            return [part(each, depth + 1) for each in value]
        if not isinstance(value, Mapping):
            return value
        if REFUSED & value.keys():
            raise ValueError(f"uses {min(REFUSED & value.keys())}, which is not taken")
        if (target := value.get("$ref")) is not None:
            if not isinstance(target, str) or not isinstance(named.get(target), Mapping):
                raise ValueError("refers to something outside it: only #/$defs/<name> is taken")
            rest = {key: each for key, each in value.items() if key != "$ref"}
            return part({**named[target], **rest}, depth + 1)
        return {str(key): part(each, depth + 1) for key, each in value.items()}

    made: dict[str, Any] = part(
        {key: each for key, each in schema.items() if key not in ("$defs", "definitions", "$schema", "$id")},
        0,
    )
    known = properties(made)
    if made.get("type") != "object" or not 1 <= len(known) <= MOST_FIELDS:
        raise ValueError(f"is of type object, with 1 to {MOST_FIELDS} properties")
    if strange := [name for name in known if not FIELD_NAME.fullmatch(name)]:
        raise ValueError(f"names a property {strange[0][:80]!r}: letters, digits and _ are taken")
    require_schema(made)
    return made


def require_schema(schema: Schema) -> None:
    """Raises ValueError for what is no JSON Schema, or too deep for one."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(_without_patterns(schema))
    except (SchemaError, RecursionError) as error:
        raise ValueError(
            f"is no JSON Schema: {one_line(str(getattr(error, 'message', 'too deep')), 200)}"
        ) from None


def typed(schema: Schema, value: Any) -> Any:
    """The value with numbers in place of the texts that JSON in a run has for them, as the schema (without references) takes them."""
    if isinstance(value, list):
        items = schema.get("items")
        return [typed(items, each) for each in value] if isinstance(items, Mapping) else value
    if isinstance(value, Mapping):
        known = properties(schema)
        return {name: typed(known.get(name, {}), each) for name, each in value.items()}
    number = (
        number_of(value) if isinstance(value, str) and _kind(_resolved(schema, schema)) == "decimal" else None
    )
    return value if number is None else float(number)


def arguments(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the schema takes them: numbers in place of the texts that forms have, and nothing for what is empty."""
    kinds = {field.name: field.type for field in fields(schema)}
    return {
        name: float(value) if kinds[name] == "decimal" and isinstance(value, str) else value
        for name, value in values.items()
        if name in kinds and value is not None and value != ""
    }


def errors(schema: Schema, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is wrong with the arguments, `{"field", "reason"}` each. Nothing outside the schema is looked up, no pattern of it is tried, and no more than `MOST_CHECKS` rules."""
    from jsonschema import Draft202012Validator, validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    left = MOST_CHECKS

    def counted(name: str, rule: Any) -> Any:
        def check(validator: Any, value: Any, instance: Any, within: Any) -> Any:
            nonlocal left
            left -= 1 + (len(value) if isinstance(value, list) else 0)
            if name == "uniqueItems" and isinstance(instance, list):  # each is compared with each
                left -= len(instance) ** 2 // 20
            if left < 0:
                raise RecursionError
            return rule(validator, value, instance, within)

        return check

    known = {name: counted(name, rule) for name, rule in Draft202012Validator.VALIDATORS.items()}
    try:
        require_schema(rules := _without_patterns(plain(schema)))
        validator = validators.extend(Draft202012Validator, known)(rules, registry=Registry())
        found = list(validator.iter_errors(dict(given)))
    except (ValueError, Unresolvable, RecursionError):
        return [{"field": "", "reason": "The tool describes its arguments in a way that cannot be read."}]
    details = []
    for error in found[:10]:
        missing = _MISSING.match(error.message) if not error.path else None
        place = str(error.path[0]) if error.path else missing[1] if missing else ""
        details.append({"field": place, "reason": one_line(error.message, 200)})
    return details


def _field(name: str, schema: Schema, *, required: bool) -> FormField:
    kind, options = _kind(schema), _options(schema)
    items = found if isinstance(found := schema.get("items"), Mapping) else {}
    entries = _options(items)
    if options:
        kind = "enum"
    elif entries and kind == "json":
        kind, options = "multi_enum", entries
    elif kind == "json" and schema.get("type") == "array" and items.get("type") == "string":
        kind = "array"
    elif kind == "text":
        longest = schema.get("maxLength")
        kind = FORMATS.get(str(schema.get("format")), "long_text" if (longest or LONG) >= LONG else "text")
    numeric = kind in ("integer", "decimal")
    return FormField(
        name,
        one_line(str(schema.get("title") or humanised(name)), LONGEST_LABEL),
        kind,
        required=required,
        options=options,
        min=_bound(schema.get("minimum"), kind) if numeric else None,
        max=_bound(schema.get("maximum"), kind) if numeric else None,
        max_length=schema.get("maxLength") if kind in ("text", "long_text") else None,
        help=one_line(str(schema.get("description") or ""), LONGEST_HELP) or None,
        lines=2 if kind == "long_text" else None,
    )


def _kind(schema: Schema) -> str:
    named = schema.get("type")
    types = [each for each in (named if isinstance(named, list) else [named]) if each != "null"]
    return (
        ("text" if types == ["string"] else TYPES.get(str(types[0]), "json")) if len(types) == 1 else "json"
    )


def _options(schema: Schema) -> list[dict[str, str]] | None:
    """The choices of a schema that lists texts."""
    listed = schema.get("enum")
    if (
        not isinstance(listed, list)
        or not listed
        or not all(isinstance(each, str) and each for each in listed)
    ):
        return None
    return [{"value": each, "label": each} for each in listed]


def _bound(value: Any, kind: str) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return str(value) if kind == "decimal" else int(value)


def _resolved(schema: Schema, part: Schema) -> Schema:
    """The part itself, or what it refers to within the schema; of two alternatives the one that is not null."""
    for key in ("anyOf", "oneOf"):
        ways = [
            each for each in part.get(key) or () if isinstance(each, Mapping) and each.get("type") != "null"
        ]
        if len(ways) == 1:
            part = {**part, **ways[0]}
    *_, name = str(part.get("$ref") or "").rpartition("/")
    named = {**(schema.get("definitions") or {}), **(schema.get("$defs") or {})}.get(name)
    return {**named, **part} if name and isinstance(named, Mapping) else part


def _without_patterns(schema: Any) -> Any:
    """The schema without regular expressions: its server wrote them, and one can be made to run for ever. The server tries them itself. Without another dialect, too."""
    if isinstance(schema, list):
        return [_without_patterns(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    named = {
        key: {name: _without_patterns(each) for name, each in schema[key].items()}
        for key in ("properties", "$defs", "definitions")
        if isinstance(schema.get(key), Mapping)
    }
    rest = {
        key: _without_patterns(value)
        for key, value in schema.items()
        if key not in ("$schema", "pattern", "patternProperties", *named)
    }
    return named | rest
