"""Effects that were made before: nothing is done a second time unless a person says so.

An effect is *outstanding* if it was made and not taken back. After a revision the run may come to the same step again. Then the person who
completes the step chooses: keep the result, do it again, or take the earlier one back first.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.connectors import operation
from console.core.errors import Conflict, Invalid
from console.core.run import Attempt, Effect, Run
from console.core.run.commands import Complete
from console.core.run.moves import require_reason
from console.core.run.step_requests import Wish

COMPARED = frozenset({"sql_write"})
"""Kinds whose write compares the old value first: repeated, they change only what a person saw, so nobody has to choose."""

BESIDE = frozenset({"task", "notice", "documents", "message"})
"""Kinds that stand for rows of the console itself: `console.core.run.side_work` decides about them."""

_FORM_VALUE = re.compile(r"\binput\b(?:\s*\.\s*(\w+))?")
"""A value of the form as expressions name it; `input` alone is all of them."""

LABELS = {
    "keep": "Keep the result: nothing is done again.",
    "again": "Do it again, with a reason.",
    "compensate": "Take back what was done before, then do it.",
}


def outstanding(run: Run, attempts: Iterable[Attempt]) -> list[tuple[Attempt, Effect]]:
    """Effects of these attempts that were made and not taken back, in the order of the attempts; within an attempt the later ones first.

    An effect whose result was kept is named once, as it was made. Requests that only read from another system, functions that may be repeated and what a condition left out do not count. An unknown effect of
    a step that was left by its edge for errors counts, because it may have been made.
    """
    back = {
        effect.compensates
        for attempt in run.attempts.values()
        for effect in attempt.effects
        if effect.status == "succeeded"
    }
    by_id: dict[str, tuple[Attempt, Effect]] = {}
    for attempt in attempts:
        for effect in reversed(attempt.effects):
            origin = run.effect(effect.keeps) if effect.keeps else (attempt, effect)
            may_stand = effect.status == "succeeded" or (
                effect.status == "unknown" and attempt.status != "performing"
            )
            if not may_stand or effect.compensates is not None or _only_asked(effect):
                continue
            if origin is not None and origin[1].id not in back:
                by_id.setdefault(origin[1].id, (attempt, origin[1]))
    return list(by_id.values())


def _only_asked(effect: Effect) -> bool:
    """Whether the effect only read from another system, its condition left it out, or its action says that doing it again is harmless."""
    if ((effect.result or {}).get("values") or {}).get("left_out") is True:
        return True
    define = effect.request.get("define")
    if not isinstance(define, Mapping):
        return False
    if effect.kind == "connector":
        return (does := operation(define)) is not None and does.reads
    return define.get("repeatable") is True or (effect.kind == "http" and define.get("method") == "GET")


def former_changes(run: Run, attempt: Attempt) -> list[Effect]:
    """As `former_effects`, without those that stand for rows of the console itself."""
    return [effect for effect in former_effects(run, attempt) if effect.kind not in BESIDE]


def former_effects(run: Run, current: Attempt) -> list[Effect]:
    """Outstanding effects of earlier, cancelled attempts of this step, newest first, back to the last attempt that still stands and made one.

    Raises ValueError if an attempt that it looks at is not loaded.
    """
    same = [
        run.attempts[n]
        for n in sorted(run.attempts, reverse=True)
        if n < current.n and same_place(run.attempts[n], current)
    ]
    gone: list[Attempt] = []
    for attempt in same:
        if stands_with_effects(attempt):
            break
        if not attempt.standing:
            gone.append(attempt)
    else:
        if current.attempt > 1 and len(run.attempts) < run.made:
            raise ValueError(f"run {run.id}: every attempt is needed to tell what was done before")
    return [effect for _, effect in outstanding(run, gone) if effect.kind not in COMPARED]


def stands_with_effects(attempt: Attempt) -> bool:
    """Whether it still stands and made something: what was done at its step before it does not matter any more."""
    return attempt.standing and any(
        effect.kind not in COMPARED and effect.status == "succeeded" for effect in attempt.effects
    )


def same_place(first: Attempt, second: Attempt) -> bool:
    """Whether both attempts are of the same step, and in a loop of the same item."""
    return first.step == second.step and _item(first) == _item(second)


def _item(attempt: Attempt) -> Any:
    item = getattr(attempt, "item", None)
    return item.get("key", item.get("index")) if item else None


def matches_effect(wish: Wish, effect: Effect) -> bool:
    """Whether the wish has the same kind and input as the effect. The idempotency key does not matter."""
    return (wish.kind, _input(wish.request)) == (effect.kind, _input(effect.request))


def same_wish(first: Wish, second: Wish) -> bool:
    """Whether both have the same kind and request, with the same values seen in the record."""
    return first.kind == second.kind and {**first.request, "key": None} == {**second.request, "key": None}


def comes_to_the_same(kind: str, request: Mapping[str, Any], effect: Effect) -> bool:
    """Whether the request would do what the effect has done: values of the form that it does not use make no difference."""
    return (kind, _used(request)) == (effect.kind, _used(effect.request))


def _used(request: Any) -> dict[str, Any]:
    told = _input(request)
    names = set(_FORM_VALUE.findall(json.dumps([told.get("define"), told.get("related")], default=str)))
    if "define" in told and "" not in names and isinstance(told.get("input"), Mapping):
        told["input"] = {name: told["input"].get(name) for name in names}
    return told


def _input(request: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in request.items()
        if name not in ("key", "seen", "irreversible", "approver")
    }


def match_former(run: Run, attempt: Attempt, command: Complete) -> list[tuple[Wish, Effect | None]]:
    """The step's wishes that are left to make, in order, each with the earlier effect whose result it keeps (None: make it).

    Wishes that this attempt has made already are left out. Raises Conflict `already_done` if a person has to choose, with the choices in
    `details` and the earlier effects in `effects`; Invalid if the choice needs a reason.
    """
    own = made_here(run, attempt)
    wishes: list[Wish] = []
    for wish in command.effects:
        done = next((effect for effect in own if comes_to_the_same(wish.kind, wish.request, effect)), None)
        if done is None:
            wishes.append(wish)
        else:
            own.remove(done)
    asking = [wish for wish in wishes if wish.kind not in COMPARED]
    before = [*own, *former_changes(run, attempt)] if asking else []
    if not before:
        return [(wish, None) for wish in wishes]
    matched = _matched(asking, before)
    back = {wish.compensates for wish in command.compensations}
    offered = [
        *(
            ["keep"]
            if len(matched) == len(asking) and all(each.status == "succeeded" for each in matched.values())
            else []
        ),
        "again",
        *(["compensate"] if all(effect.id in back for effect in before) else []),
    ]
    match command.repeat:
        case choice if choice not in offered:
            raise already_done(before, offered, choice)
        case "keep":
            return [(wish, matched.get(wish.id)) for wish in wishes]
        case "again":
            require_reason(command.reason)
            return [(wish, None) for wish in wishes]
    return [(wish, None) for wish in (*command.compensations, *wishes)]


def made_here(run: Run, attempt: Attempt) -> list[Effect]:
    """Outstanding effects of this very attempt: a later one was refused, or nobody knew of one."""
    return [effect for _, effect in outstanding(run, [attempt]) if effect.kind not in COMPARED | BESIDE]


def _matched(wishes: Sequence[Wish], before: Sequence[Effect]) -> dict[str, Effect]:
    """Wish id → an earlier effect with the same input. No effect is used twice; wishes without one are left out."""
    left, matches = list(before), {}
    for wish in wishes:
        same = next((effect for effect in left if comes_to_the_same(wish.kind, wish.request, effect)), None)
        if same is not None:
            left.remove(same)
            matches[wish.id] = same
    return matches


def describe_effect(effect: Effect) -> str:
    """The effect as people read it; a task with its title, unless that was erased."""
    title = (effect.request.get("asked") or {}).get("title") if effect.kind == "task" else None
    return f"Task “{title}” was made" if title else effect.summary


def already_done(before: Sequence[Effect], offered: Sequence[str], choice: str | None) -> Exception:
    """The error that asks a person to choose."""
    details = [{"field": "repeat", "value": each, "reason": LABELS[each]} for each in offered]
    if choice is not None and choice not in LABELS:
        return Invalid(f"repeat is {' or '.join(offered)}.", at=("repeat", f"One of: {', '.join(offered)}."))
    unsure = any(effect.status == "unknown" for effect in before)
    done = "; ".join(describe_effect(effect) for effect in before)
    why = {
        "keep": " The result can be kept only for the same input.",
        "compensate": " There is nothing that takes it back.",
    }.get(choice or "", "")
    return Conflict(
        f"This {'may have been' if unsure else 'was'} done already: {done}.{why} Say what to do about it.",
        code="already_done",
        details=details,
        effects=[
            {"id": effect.id, "kind": effect.kind, "summary": describe_effect(effect)} for effect in before
        ],
    )
