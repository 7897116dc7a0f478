"""The rules of one role on one object in one place, as a form shows them: rows with the same effect and condition are one rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from console import records
from console.auth import access
from console.auth.access.policy_words import acts_of
from console.auth.access.rows import ACTS, EVERY, WHOLE, Row, kind_of
from console.core.actor import COMMAND_LINE, Actor
from console.core.errors import ConsoleError, DefinitionError, Invalid, NotFound
from console.core.expressions import ExpressionError
from console.permissions import roles, rule_conditions, rule_drafts

FieldRight = Literal["write", "read", "hidden"]
MOST_RULES = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """Acts that are allowed (with `deny`: denied) under a condition (empty: always)."""

    effect: Literal["allow", "deny"] = "allow"
    acts: tuple[str, ...] = ()
    condition: str = ""


def rules_of(rows: Iterable[Row], role: str, place: str, obj: str) -> list[Rule]:
    """The rules in the rows: allowing ones first, then those without a condition."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if (row.ptype, row.sub, row.dom, row.obj) == ("p", f"role:{role}", place, obj):
            found.setdefault((row.eft, row.expression), set()).update(
                ACTS[kind_of(obj)] if row.act == EVERY else {row.act}
            )
    order = acts_of(kind_of(obj))
    return [
        Rule("allow" if effect == "allow" else "deny", tuple(sorted(acts, key=order.index)), condition)
        for (effect, condition), acts in sorted(found.items())
    ]


def fields_of(rows: Iterable[Row], role: str, place: str, collection: str) -> dict[str, FieldRight]:
    """Field → `read` or `hidden`, for fields that the role may not write or not see in this place."""
    found: dict[str, FieldRight] = {}
    for row in _field_rows(rows, role, place, collection):
        name = row.obj.partition("/")[2]
        hidden = row.act in ("read", EVERY)
        found[name] = "hidden" if hidden or found.get(name) == "hidden" else "read"
    return found


def edit(
    actor: Actor, role: str, place: str, obj: str, wanted: Sequence[Rule], fields: Mapping[str, FieldRight]
) -> rule_drafts.Draft:
    """Replace these rules, and for a collection these field rights, in the actor's draft.

    Raises NotAllowed, NotFound for an unknown role, team or object, Invalid with a detail per rule (`r0.acts`, `r0.condition`).
    """
    roles.read_role(actor, role)
    require_object(actor, obj, place)
    details = [detail for number, rule in enumerate(wanted) for detail in _wrong(obj, number, rule)]
    if details:
        raise Invalid("These rules mean nothing yet.", details=details)
    rows = rule_drafts.draft(actor).rows()
    sub = f"role:{role}"
    former = [row for row in rows if (row.ptype, row.sub, row.dom, row.obj) == ("p", sub, place, obj)]
    new = [
        Row("p", sub, place, obj, act, rule.effect, rule.condition.strip())
        for rule in wanted
        for act in rule.acts
    ]
    if kind_of(obj) == "collection":
        collection = obj.partition(":")[2]
        former += _field_rows(rows, role, place, collection)
        acts = {"hidden": "read", "read": "update"}
        new += [
            Row("p", sub, place, f"field:{collection}/{name}", acts[right], "deny")
            for name, right in fields.items()
            if right in acts
        ]
    return rule_drafts.put(actor, former, new)


def require_object(actor: Actor, obj: str, place: str) -> None:
    """Raises NotFound unless rules can be about this object and the actor may know of it."""
    kind, colon, ident = obj.partition(":")
    known = (
        kind in ACTS
        and kind != "field"
        and (kind in WHOLE) != bool(colon)
        and (kind in WHOLE or (bool(ident) and not any(map(str.isspace, ident))))
    )
    if (
        not known
        or (kind == "collection" and ident == EVERY)
        or not (place == EVERY or place.startswith("t:"))
    ):
        raise NotFound
    if actor is not COMMAND_LINE and not access.exists_for(actor, obj):
        raise NotFound(hidden=True)
    if kind == "collection":
        records.collection(ident)


def _wrong(obj: str, number: int, rule: Rule) -> list[tuple[str, str]]:
    details = []
    kind = kind_of(obj)
    if not rule.acts or not set(rule.acts) <= ACTS[kind]:
        details.append((f"r{number}.acts", "Choose what may be done, or take the rule away."))
    if rule.condition.strip():
        try:
            rule_conditions.check(obj, rule.acts, rule.condition.strip())
        except (ExpressionError, DefinitionError) as error:
            details.append((f"r{number}.condition", error.message))
        except ConsoleError as error:
            details.append((f"r{number}.condition", f"It cannot be checked at the moment: {error.message}"))
    return details


def _field_rows(rows: Iterable[Row], role: str, place: str, collection: str) -> list[Row]:
    start = f"field:{collection}/"
    denied = [
        row for row in rows if (row.ptype, row.eft, row.sub, row.dom) == ("p", "deny", f"role:{role}", place)
    ]
    return [row for row in denied if row.obj.startswith(start)]


def effective_right(
    index: access.Index, role: str, place: str, obj: str, act: str
) -> Literal["yes", "partly", "denied", "no"]:
    """The role's effective right in the place: allowed, under a condition, denied, or none."""
    verdict = index.verdict(f"role:{role}", "" if place == EVERY else place.removeprefix("t:"), obj, act)
    if verdict.barred:
        return "denied"
    return "yes" if verdict.plain else "partly" if verdict.possible else "no"
