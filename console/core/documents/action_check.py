"""All errors of an action document at once: its shape, and unknown names in it."""

from collections.abc import Collection as Many, Iterable, Mapping
from typing import Any

from console.core import expressions
from console.core.documents.action_document import FORMAT, Action, texts
from console.core.documents.fields import Located
from console.core.documents.json_shape import Spot, read_document
from console.core.documents.references import USER, suggestion
from console.core.documents.workflow_check import Problem
from console.core.effect_kinds import KINDS
from console.core.expressions import ExpressionError

APPROVER = frozenset({"id", "email", "name"})
RUN = frozenset({"id", "started_by", "holder", "team", "version"})


def check(
    document: bytes | str | Mapping[str, Any],
    collections: Mapping[str, Any] | None = None,
    actions: Many[str] | None = None,
    functions: Many[str] | None = None,
    roles: Many[str] | None = None,
) -> list[Problem]:
    """All errors of the document. Collections, ids of actions, function names and roles are checked only if given."""
    action, spots = read_document(document, Action, FORMAT, "An action file")
    # pydantic's place of an effect includes the name of its kind; people know effects by number.
    problems = [
        Problem(None, Spot(tuple(part for part in spot.place if part not in KINDS), "").path, spot.reason)
        for spot in spots
    ]
    if action is None:
        return problems
    problems += [
        problem
        for text, template, results in texts(action)
        for problem in _expression_errors(text, template, results, action, collections)
    ]
    problems += _names(action, collections) if collections is not None else []
    problems += _missing_neighbours(action, actions, functions, roles)
    return list(dict.fromkeys(problems))


def _expression_errors(
    text: Located, template: bool, results: int | None, action: Action, collections: Mapping[str, Any] | None
) -> Iterable[Problem]:
    """The errors in an expression, or in the expressions of a template."""
    try:
        parsed = expressions.templates(text.text) if template else [expressions.parse(text.text)]
    except ExpressionError as error:
        yield Problem(None, text.field, f"{error.reason.rstrip('.')} (at character {error.position + 1}).")
        return
    for path in sorted({path for expression in parsed for path in expressions.paths(expression)}):
        reason = _path(list(path), text, results, action, collections)
        if reason is not None:
            yield Problem(None, text.field, reason)


def _path(
    path: list[str], text: Located, results: int | None, action: Action, collections: Mapping[str, Any] | None
) -> str | None:
    """The error in one path; None if there is none, or if that cannot be known."""
    place = text.field.rpartition(".")[2] if ".look_up." not in text.field else "look_up"
    match path:
        case ["steps" | "tables" | "lead" as root, *_]:
            return f"An action does not know {root}: a workflow gives it values by the fields of its form."
        case ["document" | "found" as root, *_]:
            return f"{root} is not known here: it stands only in checks of documents."
        case ["input", name, *_]:
            return _known(f"The form asks for no {name}", name, [entry.name for entry in action.form])
        case ["related", name, *_]:
            return _known(
                f"Nothing is read under the name {name}", name, [entry.name for entry in action.related]
            )
        case ["variables", name, *_]:
            return _known(f"There is no variable {name}", name, action.variables)
        case ["results", *_] if results is None:
            return "There are no results here: they are known to later effects, to outcomes and to what is said at the end."
        case ["results", name, *_]:
            return _known(
                f"No effect before has the name {name}",
                name,
                [effect.name for effect in action.effects[:results]],
            )
        case ["key", *_] if results is None:
            return "There is no key here: it is known to effects."
        case ["answer", *_] if not _answers(text.field):
            return "There is no answer here: it is known to `result`, `expect`, `refused` and `look_up` of a call."
        case ["item", *_] if place != "look_up" and ".set." not in text.field:
            return (
                "There is no item here: it is known to `look_up`, and to `set` as the record that is changed."
            )
        case ["record", *rest]:
            return _record(rest, text, action, collections)
        case ["run", name, *_]:
            return _known(f"run has no {name}", name, RUN)
        case ["$currentUser", name, *_]:
            return _known(f"$currentUser has no {name}", name, USER)
        case ["approver", *_] if results is None:
            return "Nobody has approved yet here: the approver is known to effects, to outcomes and to what is said at the end."
        case ["approver", name, *_]:
            return _known(f"approver has no {name}", name, APPROVER)
    return None


def _answers(field: str) -> bool:
    return any(part in field for part in (".result.", ".expect", ".refused", ".look_up."))


def _record(
    rest: list[str], text: Located, action: Action, collections: Mapping[str, Any] | None
) -> str | None:
    if action.collection is None and text.relation is None:
        return "The action has no collection, so there is no record."
    of_action = (collections or {}).get(action.collection or "")
    if of_action is not None and text.relation is not None:
        relation = next((entry for entry in of_action.relations if entry.name == text.relation), None)
        of_action = (collections or {}).get(relation.collection) if relation is not None else None
    if of_action is None or not rest:
        return None
    return _known(
        f"{of_action.label} has no field {rest[0]}", rest[0], [entry.name for entry in of_action.fields]
    )


def _names(action: Action, collections: Mapping[str, Any]) -> Iterable[Problem]:
    """Unknown collections, relations and fields."""
    if action.collection is not None and action.collection not in collections:
        yield Problem(
            None, "collection", f"There is no collection {action.collection}: connect its data source first."
        )
    of_action = collections.get(action.collection or "")
    for number, entry in enumerate(action.related):
        if of_action is None:
            break
        relation = next((each for each in of_action.relations if each.name == entry.relation), None)
        if relation is None:
            reason = _known(
                f"{of_action.label} has no relation {entry.relation}",
                entry.relation,
                [each.name for each in of_action.relations],
            )
            yield Problem(None, f"related[{number}].relation", reason or "")
        elif (target := collections.get(relation.collection)) is not None:
            yield from _fields(f"related[{number}].fields", entry.fields, target)
    for number, effect in enumerate(action.effects):
        written = effect.writes()
        named = written.collection or action.collection if written is not None else None
        if written is None or named is None:
            continue
        if named not in collections:
            yield Problem(
                None,
                f"effects[{number}].collection",
                f"There is no collection {named}: connect its data source first.",
            )
        else:
            yield from _fields(f"effects[{number}].{written.place}", list(written.rules), collections[named])


def _fields(where: str, names: list[str], collection: Any) -> Iterable[Problem]:
    names_known = [entry.name for entry in collection.fields]
    for name in names:
        if name not in names_known:
            yield Problem(
                None,
                f"{where}.{name}",
                _known(f"{collection.label} has no field {name}", name, names_known) or "",
            )


def _missing_neighbours(
    action: Action, actions: Many[str] | None, functions: Many[str] | None, roles: Many[str] | None
) -> Iterable[Problem]:
    """Unknown actions, functions and roles."""
    if (
        action.compensation is not None
        and actions is not None
        and action.compensation.action not in {*actions, action.id}
    ):
        yield Problem(
            None,
            "compensation.action",
            f"There is no action {action.compensation.action}: import it first.",
            "warning",
        )
    for number, effect in enumerate(action.effects):
        for setting, reason in effect.warnings(functions):
            yield Problem(None, f"effects[{number}].{setting}", reason, "warning")
    for number, rule in enumerate(action.approval):
        for place, role in enumerate(rule.roles):
            if roles is not None and role not in roles:
                yield Problem(
                    None,
                    f"approval[{number}].roles[{place}]",
                    _known(f"There is no role {role}", role, roles) or "",
                )


def _known(reason: str, name: str, names_known: Iterable[str]) -> str | None:
    """The reason with a similar known name; None if the name is known."""
    names = list(names_known)
    return None if name in names else f"{reason}{suggestion(name, names)}"
