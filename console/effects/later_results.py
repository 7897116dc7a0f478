"""What is not final when it is done, such as a refund that the bank may send back days later: how it stands now, by the look-up of its definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from console.core import expressions
from console.core.actor import Actor
from console.core.effect_kinds import Follow, Http
from console.core.run import Effect, Run
from console.effects import http, sql_write
from console.effects.call import Call, prepared, results_beside
from console.errors import ConsoleError, SourceDown

NOT_NOTED = "It could not be noted in the record:"


@dataclass(frozen=True, slots=True)
class Stands:
    """How it stands: pending, or final as succeeded or failed. `values` are what the look-up says, `title` and `text` what a person is asked to do."""

    status: Literal["pending", "succeeded", "failed"]
    values: Mapping[str, Any]
    title: str
    text: str | None


def wanted(effect: Effect) -> Follow | None:
    """How the effect is to be followed, as its definition has it; None where it is final once it is done."""
    define = effect.request.get("define")
    told = define.get("follow") if isinstance(define, Mapping) else None
    return None if told is None else Follow.model_validate(told)


def settled(effect: Effect) -> bool:
    """Whether what came back at once says that nothing else will come of it."""
    told = wanted(effect)
    values = (effect.result or {}).get("values") or {}
    if told is None or not values:
        return told is None
    return expressions.parse(told.pending).denies({"results": {effect.request["define"]["name"]: values}})


def look_up(actor: Actor, effect: Effect, run: Run) -> Stands:
    """Ask the other system, and store its answer if final. Raises IntegrationError, OutcomeUnknown or SourceDown if it cannot say now."""
    call = prepared(actor, effect, run, judged=False)
    define: Http = call.define
    follow, found = define.follow, http.check(call)
    values = dict(found.values) if found is not None and found.status == "succeeded" else {}
    roots = {**call.roots, "results": {**results_beside(effect, run), define.name: values}}
    if follow is None or not values:
        return _stands("pending", values, follow, roots)
    if expressions.parse(follow.failed).test(roots):
        return _noted("failed", call, follow, roots, values)
    return (
        _stands("pending", values, follow, roots)
        if expressions.parse(follow.pending).test(roots)
        else _noted("succeeded", call, follow, roots, values)
    )


def _noted(
    status: Literal["succeeded", "failed"], call: Call, follow: Follow, roots: Mapping[str, Any], values: Mapping[str, Any]
) -> Stands:
    stands = _stands(status, values, follow, roots)
    try:
        if follow.note is not None:
            sql_write.perform(replace(call, define=follow.note, roots=roots, seen={}))
    except SourceDown:
        raise
    except ConsoleError as error:  # the news is told all the same
        stands = replace(stands, text=f"{stands.text or ''}\n\n{NOT_NOTED} {error.message}".strip())
    return stands


def _stands(
    status: Literal["pending", "succeeded", "failed"], values: Mapping[str, Any], follow: Follow | None, roots: Mapping[str, Any]
) -> Stands:
    title = expressions.render(follow.title, roots) if follow is not None else ""
    text = expressions.render(follow.text, roots) if follow is not None and follow.text is not None else None
    return Stands(status, values, title, text)
