"""The operations of the step type `action`, each as the effect that does it: add, change or delete a record, or ask another system, by a connector or by its address."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from console.core import expressions
from console.core.connectors import CONNECTORS, operation
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Computed, Located, Use, computed
from console.core.effect_kinds import Connector, Http, Kind, SqlDelete, SqlInsert, SqlWrite
from console.core.errors import Invalid
from console.core.expressions.operands import UNKNOWN, to_json
from console.core.speaking import fill_text

Operation = Literal["create", "update", "delete", "connector", "http"]
SETTINGS: Mapping[Operation | None, tuple[str, ...]] = {
    "create": ("collection", "values", "unique"),
    "update": ("collection", "record", "values"),
    "delete": ("collection", "record"),
    "connector": ("connector", "call", "connection", "path", "values", "timeout_s"),
    "http": (
        "method",
        "url",
        "headers",
        "body",
        "secret",
        "secret_header",
        "success",
        "idempotent",
        "timeout_s",
    ),
    None: ("effect", "values"),
}
"""Operation → its settings in the order of the form; None: an effect as in an action file."""
ALL = tuple(dict.fromkeys(name for names in SETTINGS.values() for name in names))
NEEDED: Mapping[Operation, tuple[str, ...]] = {
    "create": ("collection", "values"),
    "update": ("values",),
    "delete": (),
    "connector": ("connector", "call"),
    "http": ("url",),
}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
SENT = ("url", "headers", "body")


def effect_of(config: Any) -> Kind:
    """The effect of the operation. Its expressions find what the step has computed as `input`. Raises ValueError for what cannot be one."""
    made_by = {
        "create": _create,
        "update": _update,
        "delete": _delete,
        "connector": _connector,
        "http": _http,
    }
    return made_by[config.operation](config)


def effect_input(config: Any, roots: Mapping[str, Any]) -> dict[str, Any]:
    """What the effect finds as `input`: the values of the fields, or what is put into the request. Raises Invalid for a value that is not known."""
    if config.operation == "http":
        url = _pieces(config.url, roots)
        headers = {name: expressions.render(text, roots) for name, text in config.headers.items()}
        return {"url": url, "headers": headers} | (
            {"body": expressions.render_json(config.body, roots)} if config.body is not None else {}
        )
    record = {"record": expressions.parse(config.record).evaluate(roots)} if config.record is not None else {}
    more = {RECORD: record["record"]} if record else {}
    if config.path is not None:
        more = {"path": _pieces(config.path, roots)}
    return {name: _value(name, rule, roots) for name, rule in config.values.items()} | more


def _pieces(template: str, roots: Mapping[str, Any]) -> list[Any]:
    return [
        expressions.parse(match[1].strip()).evaluate(roots)
        for match in expressions.TEMPLATE.finditer(template)
    ]


def values_before(config: Any, roots: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the run's own record that the operation changes, as they are when it is asked for: what somebody else changes until then is a conflict."""
    record = roots.get("record")
    if (
        config.operation not in ("update", "delete")
        or config.record is not None
        or not isinstance(record, Mapping)
    ):
        return {}
    names = config.values if config.operation == "update" else record
    return {name: to_json(record[name]) for name in names if name in record}


RECORD = "record_key"
"""Where the effect finds the key of the record."""


def texts(config: Any) -> Iterator[tuple[Located, bool]]:
    """Every expression and template in the settings of the operation, with its place, and whether it is a template."""
    if config.record is not None:
        yield Located("record", config.record), False
    for name, rule in config.values.items():
        if _is_template(rule):
            yield Located(f"values.{name}", str(rule)), True
        else:
            yield from ((text, False) for text in texts_of(f"values.{name}", rule))
    yield from (
        (Located(name, text), True)
        for name, text in (("path", config.path), ("url", config.url))
        if text is not None
    )
    yield from ((Located("headers", text), True) for text in config.headers.values())
    yield from ((Located("body", text), True) for text in expressions.texts_in(config.body))


def uses(config: Any) -> list[Use]:
    """The collection and the fields that the operation changes, with the right that it needs."""
    if config.operation not in ("create", "update", "delete"):
        return []
    act, own = config.operation, config.collection
    whole = [Use("collection" if own else "operation", changed=True, collection=own, act=act)]
    return [
        *whole,
        *(Use(f"values.{name}", name, changed=True, collection=own, act=act) for name in config.values),
    ]


def outputs(config: Any) -> frozenset[str]:
    """What later steps find under the step, besides `result`."""
    return (
        frozenset(SENT)
        if config.operation == "http"
        else frozenset(
            [
                *config.values,
                *([RECORD] if config.record is not None else []),
                *(["path"] if config.path is not None else []),
            ]
        )
    )


# ------------------------------------------------------------------------------------------------------------------- effects


def _create(config: Any) -> Kind:
    values = {name: _input(name) for name in config.values}
    effect_fields = {"collection": config.collection, "values": values, "unique": config.unique}
    return SqlInsert.model_validate(
        {
            "kind": "sql_insert",
            "name": "create",
            "summary": f"Add to {_words(config.collection)}",
            **effect_fields,
        }
    )


def _update(config: Any) -> Kind:
    summary = "Update " + ", ".join(name.replace("_", " ") for name in sorted(config.values))
    effect_fields = {"set": {name: _input(name) for name in config.values}, **_whose(config)}
    return SqlWrite.model_validate(
        {"kind": "sql_write", "name": "update", "summary": summary[:200], **effect_fields}
    )


def _delete(config: Any) -> Kind:
    where = f" from {_words(config.collection)}" if config.collection else ""
    return SqlDelete.model_validate(
        {"kind": "sql_delete", "name": "delete", "summary": f"Delete the record{where}", **_whose(config)}
    )


def _whose(config: Any) -> dict[str, Any]:
    return {"collection": config.collection, "record": _input(RECORD) if config.record is not None else None}


def _connector(config: Any) -> Kind:
    connector, does = (
        CONNECTORS.get(config.connector),
        operation({"connector": config.connector, "operation": config.call}),
    )
    summary = (
        f"{connector.title}: {does.title}" if connector is not None and does is not None else config.call
    )
    effect_fields = {name: getattr(config, name) for name in ("connector", "connection", "timeout_s")}
    return Connector.model_validate(
        {
            "kind": "connector",
            "name": config.call,
            "summary": summary[:200],
            "operation": config.call,
            "path": _numbered("path", config.path) if config.path is not None else None,
            "values": {name: _input(name) for name in config.values},
            **effect_fields,
        }
    )


def _numbered(name: str, template: str) -> str:
    """The template with what the step has computed for each expression of it."""
    numbers = iter(range(len(template)))
    return expressions.TEMPLATE.sub(lambda _: f"{{{{ input.{name}[{next(numbers)}] }}}}", template)


def _http(config: Any) -> Kind:
    effect_fields = {
        "url": _numbered("url", config.url),
        "body": "input.body" if config.body is not None else None,
        "headers": {name: f"input.headers[{quoted(name)}]" for name in config.headers},
        **{
            name: getattr(config, name)
            for name in ("method", "success", "timeout_s", "idempotent", "secret", "secret_header")
        },
    }
    effect = Http.model_validate(
        {"kind": "http", "name": "http", "summary": "Ask another system", **effect_fields}
    )
    return effect.model_copy(update={"summary": f"{config.method} to {effect.system}"[:200]})


def _input(name: str) -> str:
    return f"input.{name}" if _IDENTIFIER.fullmatch(name) else f"input[{quoted(name)}]"


def quoted(text: str) -> str:
    """The text as an expression writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(collection: str) -> str:
    return collection.rpartition(".")[2].replace("_", " ")[:150]


# -------------------------------------------------------------------------------------------------------------------- values


def _is_template(rule: Computed) -> bool:
    return isinstance(rule, str) and "{{" in rule


def _value(name: str, rule: Computed, roots: Mapping[str, Any]) -> Any:
    """The value of a field, as JSON: of an expression, of cases, or a text with expressions filled in as people say them."""
    if isinstance(rule, str) and _is_template(rule):
        return fill_text(rule, roots)
    if isinstance(rule, str) and expressions.parse(rule).value(roots) is UNKNOWN:
        reason = f"There is no value for {name.replace('_', ' ')}: {rule} is not known here."
        raise Invalid(reason, at=name)
    return computed(rule, roots)
