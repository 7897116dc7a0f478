"""Effects that were made, and the actions that take them back: for going back, for aborting, and for a step that is done again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console import browse, records
from console.auth import access
from console.core.actor import Actor
from console.core.documents import fields as definitions
from console.core.documents.action_document import Action, wishes
from console.core.documents.approval_rules import required_approval
from console.core.documents.fields import OWN_INPUT, computed, with_own
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.run import Attempt, Effect, Run, repeating
from console.core.run.step_requests import Wish
from console.infra.db.ids import new_id
from console.steps.effects import action_cache, action_preview


@dataclass(frozen=True, slots=True)
class Compensation:
    """An action that takes back an effect, ready to be requested."""

    action: str
    label: str
    wishes: Sequence[Wish] = ()
    ticked: bool = False

    def to_json(self) -> dict[str, Any]:
        """Its shape in a preview."""
        return {"action": self.action, "label": self.label, "ticked": self.ticked}


@dataclass(frozen=True, slots=True)
class DoneEffect:
    """An effect that was made and not taken back, with its attempt and its compensation (None: there is none that this person may execute)."""

    attempt: Attempt
    effect: Effect
    compensation: Compensation | None = field(default=None)

    def to_json(self, actor: Actor) -> dict[str, Any]:
        """Its shape in a preview that the actor sees."""
        effect = self.effect
        undo = self.compensation.to_json() if self.compensation else None
        return {
            "id": effect.id,
            "step": self.attempt.step,
            "kind": effect.kind,
            "summary": _in_labels(actor, effect),
            "compensation": undo,
        }


def _in_labels(actor: Actor, effect: Effect) -> str:
    """The effect as people read it; of a step's own change of a record the labels of the fields, and of which record as far as the actor may see it."""
    changes, collection_id = effect.request.get("changes"), effect.request.get("collection")
    if effect.kind != "sql_write" or not changes or not collection_id:
        return repeating.describe_effect(effect)
    try:
        collection = records.collection(collection_id)
    except NotFound:
        return repeating.describe_effect(effect)
    fields = [
        known.label if (known := collection.field(name)) is not None else name.replace("_", " ")
        for name in changes
    ]
    named = " and ".join([", ".join(fields[:-1]), fields[-1]] if len(fields) > 1 else fields)
    return f"{named} of {_record_title(actor, effect, collection_id) or f'a record in {collection.label}'} written"


def _record_title(actor: Actor, effect: Effect, collection_id: str) -> str | None:
    """The title of the record that was changed; None where the actor does not see it, or its source does not answer."""
    key = str(effect.request.get("key") or effect.request.get("record") or "")
    try:
        return browse.titles(actor, collection_id, [key], access.scope_for(actor, collection_id, "read")).get(
            key
        )
    except ConsoleError:
        return None


def done_effects(actor: Actor, run: Run, attempts: Iterable[Attempt], now: datetime) -> list[DoneEffect]:
    """The outstanding effects of the attempts, in order, with their compensations. All attempts must be loaded."""
    return [
        DoneEffect(attempt, effect, _compensation(actor, run, effect, now))
        for attempt, effect in repeating.outstanding(run, attempts)
    ]


def compensate_former(actor: Actor, run: Run, now: datetime) -> list[Wish]:
    """The wishes that take back what the current step made before, newest first; empty if there is nothing to take back."""
    attempt = run.attempt
    if attempt is None:
        return []
    own = [
        effect for _, effect in repeating.outstanding(run, [attempt]) if effect.kind not in repeating.COMPARED
    ]
    undoings = [
        _compensation(actor, run, effect, now) for effect in [*own, *repeating.former_effects(run, attempt)]
    ]
    return [wish for undo in undoings if undo is not None for wish in undo.wishes]


def chosen_compensations(actor: Actor, run: Run, effects: Sequence[str], now: datetime) -> list[Wish]:
    """The wishes that take back these effects, newest first, whatever their order in `effects`.

    Raises Invalid on the field `compensate` for an effect that was not made, was taken back, or has no compensation.
    """
    newest = [run.attempts[n] for n in sorted(run.attempts, reverse=True)]
    there = {each.effect.id: each for each in done_effects(actor, run, newest, now)} if effects else {}
    wrong = [effect for effect in effects if effect not in there or there[effect].compensation is None]
    if wrong:
        reason = "There is nothing that takes this back: it was not done, was taken back already, or has no action for it that you may execute."
        raise Invalid(
            "This cannot be taken back.",
            details=[{"field": "compensate", "reason": reason, "effect": each} for each in wrong],
        )
    return [
        wish
        for key, each in there.items()
        if key in effects and each.compensation
        for wish in each.compensation.wishes
    ]


def _compensation(actor: Actor, run: Run, effect: Effect, now: datetime) -> Compensation | None:
    """The action that the step or the effect's own action names as compensation; None if there is none, or the actor may not execute it alone."""
    if effect.status != "succeeded":  # an effect with unknown result is not taken back
        return None
    if effect.kind == "task":
        request_of_task = {"key": effect.request["key"]}
        return Compensation(
            "task.close",
            "Close the task",
            [Wish(new_id("eff"), "task", "Close the task", request_of_task, compensates=effect.id)],
        )
    request = effect.request
    own = action_cache.every().get(request.get("action", ""))
    named = request.get("compensation") or (own.compensation.action if own and own.compensation else None)
    undo = action_cache.every().get(named) if named else None
    if undo is None or request.get("index", 0) != 0:
        return None
    if action_preview.may(actor, run.team, undo) != "execute":
        return None
    try:
        made = _wishes(actor, run, effect, undo, _values(run, effect, own, undo), now)
    except ConsoleError:  # the record is gone or its source does not answer: it is not offered
        return None
    ticked = (
        own is not None
        and own.compensation is not None
        and own.compensation.action == undo.id
        and own.compensation.ticked
    )
    return Compensation(undo.id, undo.title, made, ticked) if made else None


def _values(run: Run, effect: Effect, own: Action | None, undo: Action) -> dict[str, Any]:
    """The values for the form of the compensating action: by the rules of the effect's action, else from fields and results of the same name."""
    with_attempt = run.effect(effect.id)
    results = {
        each.request["define"]["name"]: (each.result or {}).get("values", {})
        for each in (with_attempt[0].effects if with_attempt else ())
        if each.status == "succeeded" and each.request.get("action") == effect.request.get("action")
    }
    given = effect.request.get("input", {})
    if (
        own is not None
        and own.compensation is not None
        and own.compensation.action == undo.id
        and own.compensation.values
    ):
        roots = {
            "input": given,
            "results": results,
            "key": effect.request.get("key"),
            "variables": own.variables,
            "record": None,
        }
        return {name: computed(rule, roots) for name, rule in own.compensation.values.items()}
    known_values: dict[str, Any] = {}
    for values in (*results.values(), given):
        known_values |= values
    return {entry.name: known_values[entry.name] for entry in undo.form if entry.name in known_values}


def _wishes(
    actor: Actor, run: Run, effect: Effect, undo: Action, values: Mapping[str, Any], now: datetime
) -> list[Wish]:
    """The wishes of the compensating action; empty if its form is incomplete, it is not possible now, or others must approve it."""
    same = undo.collection is not None and undo.collection == effect.request.get("collection")
    key = effect.request.get("record") if same else run.record if undo.collection == run.collection else None
    act = action_preview.ready(actor, run, undo.id, key, None, now)
    given, wrong = definitions.submitted_values(undo.form, act.roots, {}, OWN_INPUT, dict(values))
    roots = with_own(act.roots, OWN_INPUT, given)
    record = (act.collection, act.record) if act.collection and act.record else None
    if (
        wrong
        or act.problem
        or act.judged(given)[0] != "execute"
        or required_approval(undo, record, given, roots, always=False) is not None
    ):
        return []
    return [
        Wish(new_id("eff"), each.kind, each.summary, each.request(run), compensates=effect.id)
        for each in wishes(undo, list(undo.effects), record=record, given=given, more={})
    ]
