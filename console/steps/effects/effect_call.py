"""An effect of an action, prepared for one try: its definition, its idempotency key and the values that its expressions read.

Records are read again at every try, with the rights of the person who acts. Nothing is cached here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field as default
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from console import log, records
from console.auth import access
from console.core import expressions
from console.core.actor import Actor
from console.core.documents import action_document as documents
from console.core.documents.action_document import Beside, Requirement
from console.core.documents.collections import Field
from console.core.documents.fields import Computed, coerce_computed, computed
from console.core.errors import Conflict, Invalid, NotFound
from console.core.forms import FormField
from console.core.run import SIMULATED, Effect, Run
from console.core.scopes import Scope
from console.core.speaking import SPOKEN, fill_text
from console.infra.db import tables
from console.infra.db.engine import read_row
from console.records import Record
from console.steps.effects import spoken_values

SHAPED = frozenset({"decimal", "money", "text", "long_text", "datetime"})
"""Types of fields whose values are brought into the shape of the field."""
_EFFECT: TypeAdapter[documents.Effect] = TypeAdapter(documents.Effect)
HELD = "It was interrupted, and while the sandbox is on the other system is not asked. Look there, then say what you found."


class Refused(Conflict):
    """What must hold for the effect does not hold any more; nothing was done."""

    default_code = "require"


@dataclass(frozen=True, slots=True)
class TryResult:
    """Result of one try: succeeded, failed (nothing was done) or unknown. Expressions read `values` as `results.<name>`; `sent` is for the person who looks.

    `passing`: nothing was done, and another try may succeed. `unsure`: only the other system says that nothing was done. `asks`: a right is
    missing, so a person is asked whatever the workflow says about errors. `wait_s`: how long the other system asks to wait before another try.
    """

    status: str
    code: str = ""
    message: str = ""
    errors: list[Mapping[str, Any]] = default(default_factory=list)
    values: Mapping[str, Any] = default(default_factory=dict)
    sent: Mapping[str, Any] = default(default_factory=dict)
    passing: bool = False
    unsure: bool = False
    asks: bool = False
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One effect, ready for its target. `define` is its definition, `key` the same text at every try, `roots` what its expressions look at.

    `unsure`: an earlier try may have done it, so the other system is asked before anything is sent.
    """

    actor: Actor
    define: Any
    key: str
    roots: Mapping[str, Any]
    collection: str | None
    record: str | None
    seen: Mapping[str, Any]
    effect: Effect
    workflow: str | None
    unsure: bool = False

    @property
    def as_form(self) -> bool:
        """Whether it is checked as the record's own form is: what is read-only stays, and only the rights to add, change and delete records count."""
        return bool(self.effect.request.get("as_form"))

    def scope(self, collection: str, act: str) -> Scope:
        """Which records the actor may add, change or delete by this effect."""
        return (
            access.scope_for(self.actor, collection, act)
            if self.as_form
            else scope_of(self.actor, collection, act)
        )

    def value(self, rule: Computed, **more: Any) -> Any:
        """The value of a rule, as JSON; null where it is unknown."""
        return computed(rule, {**self.roots, **more})

    def values(self, rules: Mapping[str, Computed], **more: Any) -> dict[str, Any]:
        """The values of rules, by name."""
        return {name: self.value(rule, **more) for name, rule in rules.items()}


def not_really_asked(call: Call, values: Mapping[str, Any], sent: Mapping[str, Any]) -> TryResult:
    """The result of a call that the sandbox holds back: simulated, or unknown where an earlier try may have been made for good."""
    if call.unsure:
        return TryResult("unknown", "sandbox", HELD, sent=sent)
    return TryResult(
        "succeeded", SIMULATED, values={SIMULATED: True, **values}, sent={**sent, SIMULATED: True}
    )


def prepared(actor: Actor, effect: Effect, run: Run, *, judged: bool) -> Call:
    """The effect with its records read now. `judged`: before the first effect of an action, its requirements are checked too.

    Raises Refused for what does not hold, NotFound for a record out of the actor's scope, SourceDown.
    """
    request = effect.request
    collection, key = request["collection"], request["record"]
    reads = [Beside.model_validate(entry) for entry in request.get("related", ())]
    record = _own_record(actor, effect, collection, key, judged=judged) if collection and key else None
    roots = roots_of(
        actor,
        run,
        record,
        request["input"],
        related_records(actor, record, reads),
        request.get("variables", {}),
    )
    roots |= {"key": request["key"], "results": results_before(effect, run)}
    roots |= {"approver": _approver(request.get("approver"))}
    roots |= {SPOKEN: spoken_values.of_action(request.get("action"))}
    if judged and request["index"] == 0:
        must_hold([Requirement.model_validate(entry) for entry in request.get("require", ())], roots)
    define = _EFFECT.validate_python(request["define"])
    return Call(
        actor,
        define,
        request["key"],
        roots,
        collection,
        key,
        request.get("seen") or {},
        effect,
        run.workflow,
        run.unsure,
    )


def _approver(person: str | None) -> dict[str, str] | None:
    """Who approved the effect, as `approver` in its expressions; null where nobody had to."""
    if person is None:
        return None
    wanted = tables.person.c
    row = read_row(sa.select(wanted.id, wanted.email, wanted.name).where(wanted.id == person))
    return dict(row._mapping) if row is not None else {"id": person}


def _own_record(actor: Actor, effect: Effect, collection: str, key: str, *, judged: bool) -> Record | None:
    """The record that the action is about; None if the question is whether it was deleted, and it is gone. Raises NotFound, SourceDown."""
    try:
        return records.get(collection, key, access.scope_for(actor, collection, "read"))
    except NotFound:
        if effect.kind == "sql_delete" and not judged:
            return None
        raise


def roots_of(
    actor: Actor,
    run: Run,
    record: Record | None,
    given: Mapping[str, Any],
    rows: Mapping[str, Any],
    variables: Mapping[str, Any],
    now: datetime | None = None,
) -> dict[str, Any]:
    """The values that the expressions of an action can use, by root."""
    return {
        "record": records.collection(record.collection).typed(record.values) if record is not None else None,
        "input": given,
        "related": rows,
        "variables": variables,
        "run": {
            "id": run.id,
            "started_by": run.started_by,
            "holder": run.holder,
            "team": run.team,
            "version": run.version,
        },
        "currentUser": actor.attributes,
        "now": now or log.now(),
    }


def related_records(actor: Actor, record: Record | None, reads: list[Beside]) -> dict[str, Any]:
    """The related records that the actor may see, by name: a list of values, or with `one` the first one or null."""
    related_rows: dict[str, Any] = {}
    for entry in reads:
        relation = (
            records.collection(record.collection).relation(entry.relation) if record is not None else None
        )
        if record is None or record.key is None or relation is None:
            related_rows[entry.name] = None if entry.one else []
            continue
        target = records.collection(relation.collection)
        where = expressions.parse(entry.where) if entry.where else None
        page = records.related(
            record.collection,
            record.key,
            entry.relation,
            access.scope_for(actor, target.id, "read"),
            limit=1 if entry.one else entry.limit,
            sort=entry.sort,
            where=where,
        )
        rows = [
            {"key": row.key, **target.typed({name: row.values.get(name) for name in entry.fields})}
            for row in page.rows
        ]
        related_rows[entry.name] = (rows[0] if rows else None) if entry.one else rows
    return related_rows


def must_hold(requirements: list[Requirement], roots: Mapping[str, Any]) -> None:
    """Raises Refused with the sentence of the first requirement that does not certainly hold."""
    for entry in requirements:
        if not expressions.parse(entry.if_).test(roots):
            sentence = fill_text(entry.message, roots)
            raise Refused(sentence, at=entry.field or "")


def results_before(effect: Effect, run: Run) -> dict[str, Any]:
    """Name → values of earlier effects of the same action at this attempt. If two have one name, the later one."""
    return _results(effect, run, lambda index: index < effect.request["index"])


def results_beside(effect: Effect, run: Run) -> dict[str, Any]:
    """Name → values of all other effects of the same action, for a look-up after everything is done."""
    return _results(effect, run, lambda index: index != effect.request["index"])


def _results(effect: Effect, run: Run, counts: Callable[[int], bool]) -> dict[str, Any]:
    attempt_and_effect, own_request = run.effect(effect.id), effect.request
    return {
        each.request["define"]["name"]: (each.result or {}).get("values", {})
        for each in (attempt_and_effect[0].effects if attempt_and_effect else ())
        if each.status == "succeeded"
        and each.request.get("action") == own_request.get("action")
        and counts(each.request.get("index", own_request["index"]))
    }


def scope_of(actor: Actor, collection: str, act: str) -> Scope:
    """Which records the actor may change by an action: by the right `act` on the collection, or else by the right to change them by hand."""
    by_action = access.scope_for(actor, collection, "act")
    return access.scope_for(actor, collection, act) if by_action.nothing else by_action


def shaped(call: Call, field: Field, value: Any) -> Any:
    """A computed value as the field holds it. Raises Invalid for one that does not fit where the effect is checked as the record's own form is."""
    if field.type not in SHAPED:
        return value
    fitting = coerce_computed(FormField(field.name, field.label, field.type), value)
    if call.as_form and fitting is None and value not in (None, ""):
        raise Invalid(
            "A value does not fit.", at=(field.name, f"{field.label}: this is not what the field holds.")
        )
    return fitting


def key_of(named: Any) -> str:
    """The key that a value names: a text or number, or a related record, which has its own; the empty text where it names none."""
    key = named.get("key") if isinstance(named, dict) else named
    return "" if key is None or isinstance(key, dict | list | bool) else str(key)
