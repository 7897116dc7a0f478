"""Unknown names in expressions and templates of a workflow."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.core import expressions
from console.core.documents.fields import Located
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Call, Path, walk
from console.core.origins import MOST_HOPS

USER = frozenset({"id", "email", "name", "teams", "roles", "tags"})
ANY_NAME = "*"
ENTERED = "attempt"  # how often the run entered the step
HANDLED = "missing"  # outputs of a manually handled step


@dataclass(frozen=True, slots=True)
class Known:
    """The names that expressions of one step can use.

    `outputs`: step id → its output names (None: unknown); `before`: steps on some path to this one (including itself if its type allows);
    `tables`: policy table → (value columns, number of keys), None if unknown; `input`: fields of the start, None if unknown;
    `collection`: of the workflow, None for runs without a record.
    """

    outputs: Mapping[str, frozenset[str] | None]
    before: Collection[str]
    variables: frozenset[str]
    tables: Mapping[str, tuple[frozenset[str], int] | None]
    input: frozenset[str] | None
    collection: str | None
    collections: Mapping[str, Any] | None
    own: str = ""  # id of the step itself: it may ask how often it was entered
    item: frozenset[str] | None = None  # names under `item`; None without an item, only `ANY_NAME` if unknown


def wrong_references(text: Located, *, template: bool, known: Known) -> list[str]:
    """The errors in an expression, or in the expressions of a template."""
    try:
        parsed = expressions.templates(text.text) if template else [expressions.parse(text.text)]
    except ExpressionError as error:
        return [f"{error.reason.rstrip('.')} (at character {error.position + 1})."]
    paths = sorted({path for expression in parsed for path in expressions.paths(expression)})
    looked = [
        node
        for expression in parsed
        for node in walk(expression.node)
        if isinstance(node, Call) and node.name == "lookup"
    ]
    reasons = [_path_error(list(path), text, known) for path in paths] + [
        _wrong_lookup(call, known) for call in looked
    ]
    return list(dict.fromkeys(reason for reason in reasons if reason is not None))


def _path_error(path: list[str], text: Located, known: Known) -> str | None:
    """The error in one path; None if there is none, or if that cannot be known."""
    match path:
        case ["steps", step, *rest]:
            return _wrong_step(step, rest, known)
        case ["record", *rest]:
            return _wrong_record(rest, text, known)
        case ["input", name, *_] if known.input is not None and name not in known.input:
            return f"The start asks for no {name}{suggestion(name, known.input)}"
        case ["variables", name, *_] if name not in known.variables:
            return f"There is no variable {name}{suggestion(name, known.variables)}"
        case ["$currentUser", name, *_] if name not in USER:
            return f"$currentUser has no {name}{suggestion(name, USER)}"
        case ["item", *rest] if known.item is not None:
            item_known = known.item != {ANY_NAME} and rest and rest[0] not in known.item
            return f"The items have no {rest[0]}{suggestion(rest[0], known.item)}" if item_known else None
        case ["former" | "event" as root, *_] if not text.event:
            return (
                f"{root} is not known here: it stands only in triggers, and in steps that wait for an event."
            )
        case ["item" | "lead" as root, *_]:
            return f"{root} is not known here: it stands only in loops and automations."
        case ["related" | "results" | "key" | "answer" | "approver" as root, *_]:
            return f"{root} is not known here: it stands only in actions."
        case ["entry", *rest]:
            return _wrong_entry(rest, text, known)
        case ["document" | "found" as root, *_] if not text.papers:
            return f"{root} is not known here: it stands only in checks of documents."
    return None


def _wrong_entry(rest: list[str], text: Located, known: Known) -> str | None:
    """The error in a path of an entry of a list, as far as the names of its entries are known."""
    if text.each is None:
        return "entry is known only in parts with each."
    try:
        list_node = expressions.parse(text.each).node
    except ExpressionError:
        return None
    match list_node.names if isinstance(list_node, Path) else ():
        case ("steps", step, *read):
            prefix = ".".join([*read, ""])
            inner = {
                name.removeprefix(prefix) for name in known.outputs.get(step) or () if name.startswith(prefix)
            }
            if inner and rest and rest[0] not in inner:
                return f"The entries of {'.'.join(list_node.names)} have no {rest[0]}{suggestion(rest[0], inner)}"  # type: ignore[union-attr]
    return None


def _wrong_lookup(call: Call, known: Known) -> str | None:
    """The error in table, column or number of keys of a `lookup`."""
    where = call.arguments[0]
    given = len(call.arguments) - 1
    if not isinstance(where, Path) or where.root != expressions.TABLES:
        return (
            None
            if given <= 2
            else f"lookup takes one key and a default to look in an object, not {given} values."
        )
    table, column = (str(part) for part in where.steps)
    if table not in known.tables:
        return f"There is no policy table {table}{suggestion(table, known.tables)}"
    table_known = known.tables[table]
    if table_known is None:
        return None
    columns, keys = table_known
    if column not in columns:
        return f"The policy table {table} has no column {column} to look up{suggestion(column, columns)}"
    if given not in (keys, keys + 1):
        return f"The policy table {table} has {keys} {'key' if keys == 1 else 'keys'}: lookup takes as many, and a default if one is wanted."
    return None


def _wrong_step(step: str, rest: list[str], known: Known) -> str | None:
    if step not in known.outputs:
        return f"There is no step {step}{suggestion(step, known.outputs)}"
    if rest == [ENTERED] and step == known.own:
        return None
    if step not in known.before:
        return f"The step {step} does not come before this one on any path."
    outputs = known.outputs[step]
    if outputs is None or not rest or rest[0] in (HANDLED, ENTERED):
        return None
    if rest[0] not in outputs:
        return f"The step {step} gives no {rest[0]}{suggestion(rest[0], [name for name in outputs if '.' not in name])}"
    inner = {name.partition(".")[2] for name in outputs if name.startswith(f"{rest[0]}.")}
    if inner and len(rest) > 1 and rest[1] not in inner:
        return f"The step {step} reads no {rest[0]}.{rest[1]}{suggestion(rest[1], inner, ': add it to what that step reads.')}"
    return None


def _wrong_record(rest: list[str], text: Located, known: Known) -> str | None:
    if text.collection is None and known.collection is None:
        return "The workflow has no collection, so there is no record."
    own_collection = (known.collections or {}).get(text.collection or known.collection or "")
    if own_collection is None or not rest:
        return None
    if text.relation is not None:
        relation = next((entry for entry in own_collection.relations if entry.name == text.relation), None)
        own_collection = None if relation is None else (known.collections or {}).get(relation.collection)
    hops = 0
    while (
        own_collection is not None
        and hops < MOST_HOPS
        and (text.relation or text.collection) is None
        and len(rest) > 1
        and (led := own_collection.relation(rest[0])) is not None
        and led.kind == "to_one"
    ):
        own_collection, rest, hops = (known.collections or {}).get(led.collection), rest[1:], hops + 1
    if own_collection is None:
        return None
    names = [entry.name for entry in own_collection.fields]
    return (
        None
        if rest[0] in names
        else f"{own_collection.label} has no field {rest[0]}{suggestion(rest[0], names)}"
    )


def roots_of(text: str, *, template: bool = False) -> set[str]:
    """The roots of the paths in an expression, or in the expressions of a template. Raises ExpressionError."""
    parsed = expressions.templates(text) if template else [expressions.parse(text)]
    return {path[0] for expression in parsed for path in expressions.paths(expression)}


def suggestion(name: str, names: Iterable[str], otherwise: str = ".") -> str:
    """End of the sentence: a similar known name, if there is one."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f": is {near[0]} meant?" if near else otherwise
