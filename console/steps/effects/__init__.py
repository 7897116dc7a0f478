"""Effects: changes outside the console's own tables. The result is succeeded, failed (refused, nothing was done) or unknown.

A step's own change of the run's record is `record`. An effect of an action has its definition in its request, and a kind: for each kind of
`core.effect_kinds` there is a module of that name here. A kind makes the change (`perform`), finds out its result after a crash (`recover`),
and looks without changing anything (`check`). How a refund is kept from being sent twice: docs/explanation/how-a-run-works.md.
"""

import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from console import records
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.action_document import SUCCEEDED
from console.core.effect_kinds import KINDS as DEFINED
from console.core.errors import ConsoleError, IntegrationError, NotAllowed, OutcomeUnknown, SourceDown
from console.core.run import Effect, Run
from console.core.run.commands import Report
from console.core.speaking import fill_text
from console.infra import faults, jobs
from console.steps.effects import record
from console.steps.effects.effect_call import Call, TryResult, prepared

logger = logging.getLogger(__name__)
Result = TypeVar("Result", TryResult, TryResult | None)
KINDS: Mapping[str, Any] = MappingProxyType(
    {name: importlib.import_module(f"{__name__}.{name}") for name in DEFINED}
)
"""Each kind by its name: a module with `perform`, `recover` and `check`."""
COPY = "Nothing was sent: this is a restored backup or a copy, and sending is paused until an administrator says on the page Operations that it goes on."
UNKNOWN = (
    "Something unexpected went wrong; it cannot be told whether it was done. Look, then say what you found."
)


def perform(actor: Actor, effect: Effect, run: Run) -> Report:
    """Make the effect with the rights of `actor`, who completed the step."""
    if "define" not in effect.request:
        return record.perform(actor, effect, run)
    faults.point("effects.perform.before")
    report = _report(effect, lambda: _perform_define(actor, effect, run))
    faults.point("effects.perform.after")
    return report


def recover(actor: Actor, effect: Effect, run: Run) -> Report:
    """The result of an effect whose process died, if it can be found out; made again only where that is harmless. Raises SourceDown."""
    if "define" not in effect.request:
        return record.recover(actor, effect, run)

    def prepare_and_recover() -> tuple[Call, TryResult]:
        call = prepared(actor, effect, run, judged=False)
        return call, _result_of_asking(effect, KINDS[effect.kind].recover, call)

    return _report(effect, prepare_and_recover, doubtful=True)


def check(actor: Actor, effect: Effect, run: Run) -> Report | None:
    """The result of an unknown effect, by a look-up; None if there is no look-up.

    Raises IntegrationError, OutcomeUnknown or SourceDown if the other system does not answer: the result stays unknown.
    """
    if "define" not in effect.request:
        return record.check(actor, effect, run)
    call = prepared(actor, effect, run, judged=False)
    result = _result_of_asking(effect, KINDS[effect.kind].check, call)
    return None if result is None else _report_of(effect, call, result)


def _perform_define(actor: Actor, effect: Effect, run: Run) -> tuple[Call, TryResult]:
    call = prepared(actor, effect, run, judged=True)
    if call.define.if_ is not None and not expressions.parse(call.define.if_).test(call.roots):
        return call, TryResult("succeeded", values={"left_out": True})
    if (call.define.outside or call.define.goes_to) and jobs.paused_because():
        return call, TryResult("failed", "paused", COPY)
    return call, _result_of_asking(effect, KINDS[effect.kind].perform, call)


def _result_of_asking(effect: Effect, ask: Callable[[Call], Result], call: Call) -> Result:
    """The result of one try or look; where somebody outside has to answer, others work in this thread's stead meanwhile."""
    if not target_of(effect):
        return ask(call)
    with jobs.outside_places.waiting() as answered:
        result = ask(call)
        if result is None or result.status == "succeeded":
            answered()
    return result


def target_of(effect: Effect) -> str:
    """Whom the effect waits for outside: a host, a target, or a function that may ask anybody; empty for nobody."""
    define = effect.request.get("define") or {}
    if effect.kind == "connector":
        return f"connection {define.get('connection') or define.get('connector')}"
    if effect.kind == "http":
        return str(
            define.get("target")
            or define.get("connection")
            or urlsplit(str(define.get("url") or "")).netloc
            or "http"
        )
    if effect.kind == "mcp":
        return f"mcp {define.get('server')}"
    return f"function {define.get('function')}" if effect.kind == "python" else ""


def _report(effect: Effect, act: Callable[[], tuple[Call, TryResult]], *, doubtful: bool = False) -> Report:
    """The report of a try, errors included. An error of ours means that nothing was done, unless an earlier try was begun (`doubtful`)."""
    call: Call | None = None
    source: str | None = None
    try:
        call, result = act()
    except OutcomeUnknown as error:
        result = TryResult("unknown", error.code, error.message)
    except SourceDown as error:
        if doubtful:
            raise
        source = error.awaited_source
        result = TryResult("failed", error.code, error.message, passing=error.passing)
    except ConsoleError as error:
        passing = isinstance(error, IntegrationError) and not error.permanent
        result = TryResult(
            "unknown" if doubtful else "failed",
            error.code,
            _message_with_reasons(effect, error),
            [_in_form(effect, detail) for detail in error.details],
            passing=passing,
            asks=isinstance(error, NotAllowed),
            wait_s=error.wait_s if isinstance(error, IntegrationError) else None,
        )
    except Exception:
        logger.exception("effect %s", effect.id)
        result = TryResult("unknown", "internal_error", UNKNOWN)
    return replace(_report_of(effect, call, result), source=source)


def _in_form(effect: Effect, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The error, at the name that the field has where the step offers several actions."""
    start, name = effect.request.get("fields_begin", ""), detail.get("field")
    return (
        {**detail, "field": f"{start}{name}"} if name in (effect.request.get("input") or ()) else {**detail}
    )


def _message_with_reasons(effect: Effect, error: ConsoleError) -> str:
    """The message; with what is wrong with each field where nobody has a form at which it could stand."""
    if not effect.request.get("as_form") or not error.details:
        return error.message
    about = effect.request["define"].get("collection") or effect.request.get("collection")
    collection = records.catalogue.find(about) if about else None
    parts = [error.message]
    for detail in error.details:
        field = collection.field(str(detail.get("field"))) if collection is not None else None
        reason = str(detail.get("reason") or "")
        if reason and not any(reason in before for before in parts):
            parts.append(reason if field is None or field.label in reason else f"{field.label}: {reason}")
    return " ".join(parts)


def _report_of(effect: Effect, call: Call | None, try_result: TryResult) -> Report:
    """The report, with what later effects, the step and a person who looks need to know."""
    result: dict[str, Any] = {
        "name": effect.request["define"]["name"],
        "values": dict(try_result.values),
        "sent": dict(try_result.sent),
    }
    if try_result.status == "succeeded" and "outcomes" in effect.request and call is not None:
        result |= _outcome_and_sentence(effect, call, try_result)
    errors = try_result.errors or (
        [{"field": "", "reason": try_result.message}] if try_result.status == "failed" else []
    )
    return Report(
        effect.id,
        try_result.status,
        try_result.code,
        try_result.message,
        errors,
        result,
        passing=try_result.passing,
        unsure=try_result.unsure,
        asks=try_result.asks,
        wait_s=try_result.wait_s,
    )


def _outcome_and_sentence(effect: Effect, call: Call, try_result: TryResult) -> dict[str, str]:
    """The outcome of the whole action after its last effect, and the sentence about it."""
    results = {**call.roots["results"], effect.request["define"]["name"]: dict(try_result.values)}
    roots = {**call.roots, "results": results}
    rules = effect.request["outcomes"]
    outcome = next(
        (rule["outcome"] for rule in rules if expressions.parse(rule["if"]).test(roots)), SUCCEEDED
    )
    sentence = effect.request.get("done")
    return {"outcome": outcome, **({"message": fill_text(sentence, roots)} if sentence else {})}


OPEN_MODULES = frozenset({"action_cache", "action_preview", "later_results", "python", "spoken_values"})
