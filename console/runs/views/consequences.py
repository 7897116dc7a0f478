"""The consequences of a step with the values on the screen, before it is completed.

They are computed with the step type's own `complete`; empty required fields are ignored. Nothing is written.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from console import records, steps
from console.auth import access
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.action_document import ActionEffect
from console.core.documents.collections import Collection
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import OWN_INPUT, Case, Computed, computed, with_own
from console.core.errors import ConsoleError, Invalid
from console.core.forms import FormField
from console.core.run import NEXT_ITEM, repeating
from console.core.run.approval_request import Approval
from console.log.masking import Hidden, Within
from console.records.write import alike
from console.runs.engine.stepping import OpenStep, completion_of, plan_of
from console.runs.views.effect_conditions import open_condition
from console.steps.base import Act, Completion, Context, Prompt, StepType, StepView, WriteRecord

Way = dict[str, Any]
LOOK = ("name", "label", "type", "options", "widget", "currency", "minor", "references")
LATER = frozenset({"results", "key", "approver"})
"""What expressions of an effect read that exists only after it is made."""
CONDITION = "condition"
NOT_TOLD = frozenset({"file", "files"})


def ways(
    actor: Actor,
    open_step: OpenStep,
    context: Context,
    prompt: Prompt,
    typed: Mapping[str, Any] | None = None,
    outcome: str | None = None,
) -> list[Way]:
    """The consequences of each offered outcome, or of `outcome` alone. `typed` values win over the first values of the form.

    Each has `outcome` (None without a choice), `effects`, `after` (titles of automatic steps with effects right after it, `after_by_rule` where it depends), `ends`, and
    `refused`: why it would be refused. `unsettled` are the labels of the fields that the step sets by itself, as long as the form is not complete.
    """
    offered = [option.value for option in prompt.outcomes]
    chosen: list[str | None] = [outcome] if outcome in offered else [*offered] or [None]
    values = typed_values(prompt, typed or {}, item=open_step.kind.by_items)
    return [
        _way(actor, open_step, replace(context, foretold=True), prompt, values, choice) for choice in chosen
    ]


def wrong(
    open_step: OpenStep, context: Context, prompt: Prompt, typed: Mapping[str, Any], outcome: str | None
) -> list[dict[str, Any]]:
    """What would be refused of the form as it is typed so far, one detail for each field: contradictions, and what is still empty.

    Files are left out, as they arrive by themselves; a decision has nothing wrong before something is chosen.
    """
    if prompt.outcomes and outcome not in [option.value for option in prompt.outcomes]:
        return []
    try:
        completion_of(open_step, context, typed_values(prompt, typed, item=open_step.kind.by_items), outcome)
    except Invalid as refused:
        judged = {field.name for field in prompt.fields if field.type not in NOT_TOLD}
        return [dict(detail) for detail in refused.details if detail.get("field") in judged]
    except ConsoleError:
        return []  # it is about the step and not about a field: the consequences say it
    return []


def typed_values(prompt: Prompt, typed: Mapping[str, Any], *, item: bool) -> dict[str, Any]:
    """The typed values that belong to the form, without files."""
    known = {field.name for field in prompt.fields if not field.readonly and field.type not in NOT_TOLD}
    values = {name: value for name, value in typed.items() if name in known}
    return values | (
        {"item": prompt.progress.key}
        if item and prompt.progress is not None and prompt.progress.key is not None
        else {}
    )


def _way(
    actor: Actor,
    open_step: OpenStep,
    context: Context,
    prompt: Prompt,
    values: Mapping[str, Any],
    choice: str | None,
) -> Way:
    described: Way = {"outcome": choice, "effects": [], "after": [], "ends": None, "refused": None}
    try:
        completion = completion_of(open_step, context, values, choice)
    except ConsoleError as error:
        reasons = dict.fromkeys(str(detail["reason"]) for detail in error.details if detail.get("reason"))
        return described | {"refused": " ".join(reasons) or error.words}
    by_rule = [field.label for field in prompt.fields if field.by_rule]
    settled = not wrong(open_step, replace(context, foretold=False), prompt, values, choice)
    return described | {
        "effects": list(_effects(actor, open_step, context, prompt, completion)),
        **(
            {"unsettled": by_rule} if by_rule and not settled else {}
        ),  # known only when everything that the rules read is typed
        **_after(open_step, completion, context, settled=settled),
        "ends": completion.ends,
    }


def _effects(
    actor: Actor, open_step: OpenStep, context: Context, prompt: Prompt, completion: Completion
) -> Iterable[dict[str, Any]]:
    """Everything that the completion asks for, in its order."""
    if (request := completion.approval) is not None:
        yield {
            "kind": "approval",
            "roles": list(request.roles),
            "needs": request.needs,
            "decides": request.decides,
        }
    made = repeating.made_here(open_step.run, open_step.attempt)
    for effect in completion.effects:
        if isinstance(effect, WriteRecord):
            yield _write(open_step, context, prompt, effect)
        elif not any(repeating.comes_to_the_same(effect.kind, effect.told, done) for done in made):
            yield _act(actor, context, effect, nobody_asked=completion.approval is None)
    if completion.awaits is not None:
        yield {"kind": completion.awaits.kind}
    if completion.hands_over is not None:
        yield {"kind": "hand_over", "inbox": completion.hands_over.inbox}
    if completion.task is not None:
        yield {"kind": "task", "waits": completion.task.waits}
    if completion.notice is not None:
        yield {"kind": "notice"}
    if completion.message is not None:
        yield {"kind": "message"}
    if completion.tag is not None:
        yield {"kind": "tag", "tag": completion.tag.name, "added": completion.tag.added}
    if completion.question is not None:
        yield {"kind": "question"}
    if completion.asks_ai:
        yield {"kind": "ai"}
    if completion.until is not None:
        yield {"kind": "time"}


def _write(open_step: OpenStep, context: Context, prompt: Prompt, effect: WriteRecord) -> dict[str, Any]:
    """A change of a record by the step itself, field by field."""
    collection, key = (
        (open_step.run.collection, open_step.run.record)
        if effect.collection is None
        else (effect.collection, effect.key)
    )
    fields = [
        {
            **_look(context.forms.get(name) or FormField(name, name)),
            "old": change["old"],
            "new": change["new"],
        }
        for name, change in effect.changes.items()
    ]
    items = prompt.progress.items if prompt.progress is not None else ()
    title = next((item.title for item in items if item.key == key), None)
    return {"kind": effect.kind, "collection": collection, "record": key, "title": title, "fields": fields}


def _look(field: FormField) -> dict[str, Any]:
    described = field.to_json()
    return {name: described[name] for name in LOOK if described.get(name) is not None}


def _act(actor: Actor, context: Context, effect: ActionEffect, *, nobody_asked: bool) -> dict[str, Any]:
    """An effect of an action; of a record that is written the fields with their values, as far as they are known before.

    `nobody_asked`: no approval is asked for, so `approver` is null.
    """
    define, described = effect.told["define"], effect.told
    act = next((one for one in context.acts.values() if one.action.id == described.get("action")), None)
    own = define.get("record") is None and "collection" not in define
    made: dict[str, Any] = {"kind": effect.kind, "summary": effect.summary, "if": bool(define.get("if"))}
    if act is None or effect.kind not in ("sql_write", "sql_insert"):
        return made
    known = _roots(act, described["input"]) | ({"approver": None} if nobody_asked else {})
    if define.get("if") and expressions.parse(define["if"]).denies(known):
        return made | {"left_out": True}
    collection = records.collection(
        define.get("collection") or described.get("collection") or act.collection or ""
    )
    if define.get("if"):
        where = open_condition(expressions.parse(define["if"]), known, collection)
        made |= {"if": where is not None} | ({"where": where} if where else {})
    rules = define["set"] if effect.kind == "sql_write" else define["values"]
    return made | {
        "collection": collection.id,
        "record": act.record if own else None,
        "fields": list(_fields(actor, act, described["input"], collection, rules, act.seen if own else {})),
    }


def _roots(act: Act, given: Mapping[str, Any]) -> dict[str, Any]:
    return with_own(act.roots, OWN_INPUT, given)


def _fields(
    actor: Actor,
    act: Act,
    given: Mapping[str, Any],
    collection: Collection,
    rules: Mapping[str, Computed],
    seen: Mapping[str, Any],
) -> Iterable[dict[str, Any]]:
    """The fields that rules set: what they come to, `later` where that is only known when it is done. What the person may not read is not told."""
    hidden, roots = access.scope_for(actor, collection.id, "read").hidden, _roots(act, given)
    for name, rule in rules.items():
        field = collection.field(name)
        if field is None or name in hidden:
            continue
        later = any(
            path[0] in LATER
            for text in texts_of(name, _rule(rule))
            for path in expressions.paths(expressions.parse(text.text))
        )
        described: dict[str, Any] = {
            key: value for key, value in field.to_json().items() if key in LOOK and value is not None
        }
        described |= {"old": seen[name]} if name in seen else {}
        new = None if later else computed(_rule(rule), roots)
        if new is None or new != roots.get("run", {}).get(
            "id"
        ):  # that the run notes itself is nothing to decide about
            yield described | ({"later": True} if later else {"new": new})


def not_left_out(approval: Approval, now: datetime) -> list[Mapping[str, Any]]:
    """The effects that wait for an approval, without those whose condition certainly does not hold `now`, or did not when it was decided."""
    return [wish for wish in approval.wishes if not _left_out(approval, wish, now)]


def _left_out(approval: Approval, wish: Mapping[str, Any], now: datetime) -> bool:
    if not (condition := wish["request"].get("define", {}).get("if")):
        return False
    rule, roots = expressions.parse(condition), _wish_roots(approval, wish, now)
    seen = _wish_record(approval, wish)
    known = all(
        path[0] in roots and (path[0] != "record" or (path[1:2] and path[1] in seen))
        for path in expressions.paths(rule)
    )
    return known and rule.denies(roots)


def _wish_record(approval: Approval, wish: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the effect as whoever asked saw it."""
    request = wish["request"]
    own = (approval.collection, approval.record) == (request.get("collection"), request.get("record"))
    return {**(approval.shown.get("record", {}) if own else {}), **request.get("seen", {})}


def _wish_roots(approval: Approval, wish: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What expressions of the effect read, as far as the request holds it."""
    request, ended = wish["request"], approval.decided[-1].at if approval.decided else approval.requested_at
    at = now if approval.status == "open" else ended
    roots = {OWN_INPUT: request.get("input", {}), "variables": request.get("variables", {}), "now": at}
    if request.get("collection"):
        roots["record"] = records.collection(request["collection"]).typed(_wish_record(approval, wish))
    return roots


def by_actions(approval: Approval, hidden: Hidden, now: datetime) -> Iterable[dict[str, Any]]:
    """The fields that actions which wait for an approval would set of their own record, if they did it `now`, or did when it was decided.

    Nothing that its condition leaves out is among them. `new` is missing where it is only known when it is done.
    """
    for wish in not_left_out(approval, now):
        request, define = wish["request"], wish["request"].get("define", {})
        if (
            "set" not in define
            or define.get("record") is not None
            or define.get("collection")
            or not request.get("collection")
        ):
            continue
        collection, roots = records.collection(request["collection"]), _wish_roots(approval, wish, now)
        seen = _wish_record(approval, wish)
        closed = hidden(collection.id) | (hidden.names if isinstance(hidden, Within) else frozenset())
        for name, rule in define["set"].items():
            if (field := collection.field(name)) is None:
                continue
            paths = {
                path
                for text in texts_of(name, _rule(rule))
                for path in expressions.paths(expressions.parse(text.text))
            }
            told = {**field.to_json(), "old": seen.get(name), "masked": False}
            if not closed.isdisjoint({name, *(part for path in paths for part in path)}):
                yield told | {"old": None, "masked": True}
            elif not all(path[0] in roots for path in paths):
                yield told
            elif not alike(collection, field, told["old"], new := computed(_rule(rule), roots)):
                yield told | {"new": new}


def _rule(rule: Any) -> Computed:
    """A rule of an effect as it stands in the request."""
    return rule if isinstance(rule, str) else [Case.model_validate(part) for part in rule]


def _after(open_step: OpenStep, completion: Completion, context: Context, *, settled: bool) -> Way:
    """`after`: titles of the steps that change something outside the run by themselves before somebody is asked again; all that may be reached.

    A list is passed only as an empty one. Behind a step that waits for somebody's answer nothing happens by itself. Of a condition that looks only at
    what is known already, and at a form that is filled in (`settled`), the branches that it will not take are left out; `after_by_rule` is there where a
    condition cannot be foretold.
    """
    plan, document, step_id, here = (
        plan_of(open_step.definition),
        open_step.definition.document,
        open_step.attempt.step,
        open_step.kind,
    )
    waits = completion.hands_over is not None or completion.outcome == NEXT_ITEM
    first = None if waits else document.target(step_id, completion.outcome)
    left, passed, found, by_rule = [first] if first else [], {step_id}, [], False
    made_later = (
        here.waits
        or here.asks_others
        or here.by_items
        or any(isinstance(effect, ActionEffect) for effect in completion.effects)
    )
    known = {step_id} if settled and not made_later else set()
    written = completion.values if completion.output is None else completion.output
    context = replace(context, roots=with_own(context.roots, step_id, written)) if known else context
    while left:
        at = left.pop(0)
        if at in passed or at not in plan.automatic:
            continue
        step = document.step(at)
        kind, view = steps.get(step.type), steps.view(step)
        if kind.changes(view):
            found.append(step.title)
        if not (kind.waits or kind.asks_others):
            taken = _taken(kind, view, context, passed - known)
            by_rule |= taken is None and kind.name == CONDITION
            ways = [
                outcome
                for outcome in step.next
                if outcome != "error" and (not kind.by_items or outcome == "default")
            ]
            left += [
                step.next[outcome]
                for outcome in ways
                if taken is None or outcome == taken or taken not in step.next
            ]
        passed.add(at)
    return {"after": found} | ({"after_by_rule": True} if by_rule and found else {})


def _taken(kind: StepType, view: StepView, context: Context, passed: Container[str]) -> str | None:
    """The outcome of a condition that looks at nothing which the steps before it will still change; None for any other step."""
    if kind.name != CONDITION:
        return None
    texts = (expressions.parse(text.text) for text in kind.expressions(view.config))
    looked_at = [path for rule in texts for path in expressions.paths(rule)]
    known = all(
        path[0] == "variables" or (path[0] == "steps" and len(path) > 1 and path[1] not in passed)
        for path in looked_at
    )
    return kind.complete(view, context, {}, None).outcome if known else None
