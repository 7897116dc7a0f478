"""Conditions of rules: the values they can test, building one from field, comparison and value, checking it, and counting matching records."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import records
from console.auth import access, accounts
from console.auth.access.rows import EVERY
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.documents.collections.condition_rows import ConditionRow, is_plain, text_of
from console.core.errors import DefinitionError, Invalid, NotFound
from console.core.expressions import Expression, ExpressionError
from console.core.expressions.nodes import Call, Compare, Junction, Node, Path, Within, walk
from console.core.scopes import Scope, stands_alone, unrestricted
from console.infra.db.engine import fetch
from console.permissions.writing import everybody
from console.records import catalogue, connect, relations, sql_conditions
from console.steps.effects import action_cache

ROOTS = {
    "collection": ("record", "$currentUser", "now"),
    "action": ("record", "run", "input", "$currentUser", "now"),
    "workflow": ("record", "run", "$currentUser", "now"),
}
"""Kind of object → roots its conditions can use; all kinds have `$currentUser` and `now`."""

OF_RUN = ("id", "started_by", "holder", "team", "version")
WITHOUT_RUN = frozenset({"see", "start", "edit", "publish", "activate"})
COMPARISONS = {
    "==": "is",
    "!=": "is not",
    "<=": "is at most",
    ">=": "is at least",
    "<": "is less than",
    ">": "is more than",
    "in": "is one of",
    "startsWith": "starts with",
    "contains": "contains",
    "empty": "is empty",
    "filled": "is not empty",
}
NUMBERS = frozenset({"integer", "decimal", "money"})
YES_NO = {"yes": "true", "true": "true", "no": "false", "false": "false"}
COUNTED = 3
NO_INDEX = "No index of the table begins with {}: over many records lists and counts of this rule read them all. Ask for an index."
DEPTH = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a condition can test: path, name and type."""

    path: str
    label: str
    type: str


@dataclass(frozen=True, slots=True)
class Counted:
    """For how many records a condition holds, for some holders of the role; with warnings on performance."""

    total: int
    people: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...] = ()


def choices(obj: str) -> list[Choice]:
    """The values that a condition on this object can test."""
    kind, _, ident = obj.partition(":")
    found: list[Choice] = []
    collection = ident if kind == "collection" else None
    if kind == "action" and ident in action_cache.every():
        action = action_cache.get(ident)
        found += [
            Choice(f"input.{entry.name}", f"{entry.label} (typed)", entry.type) for entry in action.form
        ]
        collection = action.collection
    if collection and collection != EVERY:
        try:
            found += _fields(records.collection(collection), "record", "", DEPTH)
        except NotFound:
            return found
    if kind in ("action", "workflow"):
        found += [
            Choice("run.started_by", "Who started the run", "text"),
            Choice("run.holder", "Who holds the run", "text"),
        ]
    return found


def _fields(collection: Collection, path: str, after: str, depth: int) -> list[Choice]:
    """Fields of the collection, then those of related records."""
    found = [
        Choice(f"{path}.{field.name}", field.label + after, field.type)
        for field in collection.fields
        if is_plain(field.name)
    ]
    for relation in collection.relations if depth else ():
        if not is_plain(relation.name):
            continue
        try:
            step = relations.hop(collection, relation.name, catalogue.find)
        except DefinitionError:
            continue  # it leads to several records, or to another data source
        if step is not None:
            named = f" of the {relation.name.replace('_', ' ')}"
            found += _fields(step.target, f"{path}.{relation.name}", named + after, depth - 1)
    return found


def tags() -> list[str]:
    """People's tags: `$currentUser.tags.<name>`."""
    return [
        name
        for (name,) in fetch(
            "select distinct jsonb_object_keys(tags::jsonb) from console.person order by 1 limit 100"
        )
    ]


def compose(obj: str, path: str, comparison: str, value: str, before: str = "") -> str:
    """The condition, joined to `before` if there is one.

    A value that begins with `$currentUser.` is used as a path. Raises Invalid with the wrong field.
    """
    choice = next((one for one in choices(obj) if one.path == path), None)
    if choice is None:
        raise _wrong("field", "Choose a field.")
    if comparison not in COMPARISONS:
        raise _wrong("comparison", "Choose how it is compared.")
    *_, name = path.split(".")
    field = Field(name, choice.label, choice.type, "decimal" if choice.type in NUMBERS else "any")
    said = value.strip().lower()
    try:
        if choice.type == "boolean" and comparison in ("==", "!=") and not said.startswith("$"):
            made = f"{path} {comparison} {YES_NO[said]}"
        else:
            made = text_of(ConditionRow(path, comparison, value), {path: field})
    except KeyError:
        raise _wrong("value", f"{choice.label} is yes or no.") from None
    except ValueError as error:
        raise _wrong("value", str(error)) from None
    if not before.strip():
        return made
    own = expressions.parse(before)
    return (
        f"({own.text}) && {made}"
        if isinstance(own.node, Junction) and own.node.kind == "any"
        else f"{own.text} && {made}"
    )


def check(obj: str, acts: Sequence[str], text: str) -> Expression:
    """The parsed condition, if it is valid on this object. Raises DefinitionError. If the source is down, only its syntax is checked."""
    parsed = expressions.parse(text)
    kind, _, ident = obj.partition(":")
    allowed = ROOTS.get(kind, ("$currentUser", "now"))
    for node in walk(parsed.node):
        if not isinstance(node, Path):
            continue
        if node.root not in allowed:
            raise ExpressionError(
                f"A condition on {kind} looks at {', '.join(allowed)}, not at {node.root}.", node.position
            )
        if node.root == "run" and (not node.steps or node.steps[0] not in OF_RUN):
            raise ExpressionError(f"Of a run a condition knows {', '.join(OF_RUN)}.", node.position)
        if node.root == "run" and kind == "workflow" and (blind := sorted(WITHOUT_RUN & set(acts))):
            raise ExpressionError(
                f"There is no run to look at for {', '.join(blind)}: make a rule of its own for the other acts.",
                node.position,
            )
        if node.root == "input":
            _require_input(ident, node)
        if node.root == "record" and kind == "action":
            _require_field(
                action_cache.every()[ident].collection if ident in action_cache.every() else None, node
            )
    if kind == "collection" and ident != EVERY:
        try:
            sql_conditions.check(parsed, records.collection(ident), catalogue.find)
        except NotFound:
            raise ExpressionError("There is no such collection.", 0) from None
    return parsed


def count_matching(actor: Actor, obj: str, text: str, role: str, place: str) -> Counted:
    """Number of records for which it holds now, for up to three holders of the role in the place (without any: for the admin).

    Raises NotAllowed, NotFound, DefinitionError, SourceDown.
    """
    access.require(actor, None, "policy", "manage")
    collection = obj.partition(":")[2]
    expression = check(obj, (), text)
    team = None if place == EVERY else place.removeprefix("t:")
    follows = access.subject_of(collection) is not None and not stands_alone(expression)
    have = [
        person
        for person in everybody()
        if any(
            role in access.held(Actor("user", person.id), each)
            for each in ([team] if team else person.teams or ("",))
        )
    ]
    needs = follows or any(
        isinstance(node, Path) and node.root == "$currentUser" for node in walk(expression.node)
    )
    shown = have[:COUNTED] if needs and have else []
    people = []
    for who, asking in [(person.name, accounts.actor_of_person(person.id)) for person in shown] or [
        ("", actor)
    ]:
        alone = stands_alone(expression)
        scope = Scope(
            collection,
            allow=() if alone else (expression,),
            alone=(expression,) if alone else (),
            attributes=asking.attributes,
            subject=None if alone else access.subject_for(asking, collection),
        )
        people.append((who, records.count(collection, scope, cap=None)))
    return Counted(
        records.count(collection, unrestricted(collection), cap=None),
        tuple(people),
        tuple(warnings(obj, expression)),
    )


def warnings(obj: str, expression: Expression) -> list[str]:
    """Probable mistakes in the condition, and fields without an index, which make it slow."""
    return [*_never(expression), *_slow(obj, expression)]


def _never(expression: Expression) -> list[str]:
    """Comparisons with a tag, which is a list and so never equal."""
    compared = [
        node for node in walk(expression.node) if isinstance(node, Compare) and node.operator in ("==", "!=")
    ]
    tags = [
        side
        for node in compared
        for side in (node.left, node.right)
        if isinstance(side, Path) and side.root == "$currentUser" and side.steps[:1] == ("tags",)
    ]
    return [
        f"{tag.dotted} may hold several values, so nothing equals it: write `… in {tag.dotted}`."
        for tag in tags
    ]


def _slow(obj: str, expression: Expression) -> list[str]:
    collection = records.collection(obj.partition(":")[2])
    if collection.kind != "table":
        return []
    indexed = _indexed(collection)
    begins = {
        relation.columns[0][0]: relation for relation in collection.relations if relation.kind == "to_one"
    }
    led = {one.name for column, one in begins.items() if column in indexed}
    if _covered(expression.node, indexed | {f"{name}." for name in led}):
        return []
    looked_at = {
        node.steps
        for node in walk(expression.node)
        if isinstance(node, Path) and node.root == "record" and node.steps
    }
    named = ", ".join(sorted({_column(collection, steps) for steps in looked_at}))
    return [NO_INDEX.format(named)]


def _indexed(collection: Collection) -> set[str]:
    """First columns of the table's indexes."""

    def leading(connection: Connection) -> set[str]:
        inspector, at = sa.inspect(connection), {"schema": collection.schema}
        found: list[Sequence[str | None]] = [
            entry["column_names"] for entry in inspector.get_indexes(collection.table, **at)
        ]
        found += [entry["column_names"] for entry in inspector.get_unique_constraints(collection.table, **at)]
        found.append(inspector.get_pk_constraint(collection.table, **at)["constrained_columns"])
        return {columns[0] for columns in found if columns and columns[0]}

    return connect.read(catalogue.engine_of(collection), collection.source, leading)


def _column(collection: Collection, steps: tuple[str | int, ...]) -> str:
    """The column whose index would help to find the path; for a relation, the relation's column."""
    relation = collection.relation(str(steps[0])) if len(steps) > 1 else None
    return str(steps[0]) if relation is None else relation.columns[0][0]


def of_subject(obj: str) -> list[str]:
    """Performance warning if no index supports the path to the collection's subject."""
    collection = records.collection(obj.partition(":")[2])
    path = access.subject_path(collection.id)
    if not path:
        return []
    try:
        steps = relations.hops(collection, path, catalogue.find)
    except DefinitionError as error:
        return [
            f"The way to its subject cannot be followed, so who sees some subjects only sees nothing here. {error.message}"
        ]
    column = steps[0].relation.columns[0][0]
    return [] if collection.kind != "table" or column in _indexed(collection) else [NO_INDEX.format(column)]


def _covered(node: Node, indexed: set[str]) -> bool:
    """Whether an index leads to the records for which the condition holds."""
    match node:
        case Junction(kind="all", items=items):
            return any(_covered(item, indexed) for item in items)
        case Junction(items=items):
            return all(_covered(item, indexed) for item in items)
        case Compare(operator=operator, left=left, right=right):
            return (operator != "!=" and (_leads(left, indexed) or _leads(right, indexed))) or not _of_record(
                node
            )
        case Within(item=item):
            return _leads(item, indexed) or not _of_record(node)
        case Call(name="startsWith", arguments=(target, *_)):
            return _leads(target, indexed)
    return not _of_record(node)


def _leads(node: Node, indexed: set[str]) -> bool:
    if not isinstance(node, Path) or node.root != "record" or not node.steps:
        return False
    return str(node.steps[0]) + ("." if len(node.steps) > 1 else "") in indexed


def _of_record(node: Node) -> bool:
    return any(isinstance(part, Path) and part.root == "record" for part in walk(node))


def _require_input(action: str, node: Path) -> None:
    if action == EVERY:
        return
    names = (
        [entry.name for entry in action_cache.every()[action].form] if action in action_cache.every() else []
    )
    if not node.steps or node.steps[0] not in names:
        raise ExpressionError(f"The form of {action} has {', '.join(names) or 'no fields'}.", node.position)


def _require_field(collection: str | None, node: Path) -> None:
    if collection is None:
        return
    try:
        here = records.collection(collection)
    except NotFound:
        return
    *path, name = map(str, node.steps or ("",))
    if path and here.relation(path[0]) is not None:
        try:
            here = relations.hops(here, tuple(path), catalogue.find)[-1].target
        except DefinitionError as error:
            raise ExpressionError(error.message, node.position) from None
    elif path:
        name = path[0]  # a JSON field
    if name not in here.by_name:
        raise ExpressionError(f"There is no field {name} in {here.label}.", node.position)


def _wrong(field: str, reason: str) -> Invalid:
    return Invalid(reason, at=field)
