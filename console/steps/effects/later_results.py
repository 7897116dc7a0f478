"""Results that become final only later, such as a refund that the bank may send back days after: found by the look-up of the definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from console.core import expressions
from console.core.actor import Actor
from console.core.effect_kinds import Connector, Follow, Http
from console.core.errors import ConsoleError, SourceDown
from console.core.run import Effect, Run
from console.infra import jobs
from console.steps.effects import connector, http, sql_write
from console.steps.effects.effect_call import Call, prepared, results_beside

NOT_NOTED = "It could not be noted in the record:"


@dataclass(frozen=True, slots=True)
class LaterResult:
    """The result now: pending, or final (succeeded or failed). `values` come from the look-up; `title` and `text` are for the task of a person."""

    status: Literal["pending", "succeeded", "failed"]
    values: Mapping[str, Any]
    title: str
    text: str | None


def follow_rule(effect: Effect) -> Follow | None:
    """How to follow the effect, from its definition; None if its first result is final."""
    define = effect.request.get("define")
    rule = define.get("follow") if isinstance(define, Mapping) else None
    return None if rule is None else Follow.model_validate(rule)


def is_final(effect: Effect) -> bool:
    """Whether the first answer already says that the result will not change."""
    rule = follow_rule(effect)
    values = (effect.result or {}).get("values") or {}
    if rule is None or not values:
        return rule is None
    return expressions.parse(rule.pending).denies({"results": {effect.request["define"]["name"]: values}})


def look_up(actor: Actor, effect: Effect, run: Run) -> LaterResult:
    """Ask the other system, and store its answer if final. Raises IntegrationError, OutcomeUnknown or SourceDown if it cannot say now."""
    call = prepared(actor, effect, run, judged=False)
    define: Http | Connector = call.define
    follow = define.follow
    with jobs.outside_places.waiting() as answered:
        answer = (connector if isinstance(define, Connector) else http).check(call)
        answered()
    values = dict(answer.values) if answer is not None and answer.status == "succeeded" else {}
    roots = {**call.roots, "results": {**results_beside(effect, run), define.name: values}}
    if follow is None or not values:
        return _later_result("pending", values, follow, roots)
    if expressions.parse(follow.failed).test(roots):
        return _store_in_record("failed", call, follow, roots, values)
    return (
        _later_result("pending", values, follow, roots)
        if expressions.parse(follow.pending).test(roots)
        else _store_in_record("succeeded", call, follow, roots, values)
    )


def _store_in_record(
    status: Literal["succeeded", "failed"],
    call: Call,
    follow: Follow,
    roots: Mapping[str, Any],
    values: Mapping[str, Any],
) -> LaterResult:
    later = _later_result(status, values, follow, roots)
    try:
        if follow.note is not None:
            sql_write.perform(replace(call, define=follow.note, roots=roots, seen={}))
    except SourceDown:
        raise
    except ConsoleError as error:  # the news is told all the same
        later = replace(later, text=f"{later.text or ''}\n\n{NOT_NOTED} {error.message}".strip())
    return later


def _later_result(
    status: Literal["pending", "succeeded", "failed"],
    values: Mapping[str, Any],
    follow: Follow | None,
    roots: Mapping[str, Any],
) -> LaterResult:
    title = expressions.render(follow.title, roots) if follow is not None else ""
    text = expressions.render(follow.text, roots) if follow is not None and follow.text is not None else None
    return LaterResult(status, values, title, text)
