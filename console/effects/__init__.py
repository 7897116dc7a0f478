"""Perform an effect, and say what came of it: succeeded, failed (refused, nothing was done) or unknown.

A step's own change of the run's record is `record`; an effect of an action has its definition in its request and a kind: each of `core.effect_kinds` has a
module of its name here. A kind does it (`perform`), finds out after a crash (`recover`), and looks without doing anything (`check`).
"""

import importlib
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from console import faults
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.action_document import SUCCEEDED
from console.core.effect_kinds import KINDS as DEFINED
from console.core.run import Effect, Run
from console.core.run.commands import Report
from console.core.speaking import fill_text
from console.effects import record
from console.effects.call import Call, Came, prepared
from console.errors import ConsoleError, IntegrationError, NotAllowed, OutcomeUnknown, SourceDown

logger = logging.getLogger(__name__)
KINDS: Mapping[str, Any] = MappingProxyType({name: importlib.import_module(f"{__name__}.{name}") for name in DEFINED})
"""Each kind by its name: a module with `perform`, `recover` and `check`."""
UNKNOWN = "Something unexpected went wrong; it cannot be told whether it was done. Look, then say what you found."


def perform(actor: Actor, effect: Effect, run: Run) -> Report:
    """Do it with the rights of `actor`, who completed the step."""
    if "define" not in effect.request:
        return record.perform(actor, effect, run)
    faults.point("effects.perform.before")
    report = _report(effect, lambda: _did(actor, effect, run))
    faults.point("effects.perform.after")
    return report


def recover(actor: Actor, effect: Effect, run: Run) -> Report:
    """What came of an effect whose process died, as far as it can be found out; done now where that is harmless. Raises SourceDown."""
    if "define" not in effect.request:
        return record.recover(actor, effect, run)

    def found() -> tuple[Call, Came]:
        call = prepared(actor, effect, run, judged=False)
        return call, KINDS[effect.kind].recover(call)

    return _report(effect, found, doubtful=True)


def check(actor: Actor, effect: Effect, run: Run) -> Report | None:
    """What a look-up says of an effect whose result is unknown; None where it cannot be told.

    Raises IntegrationError, OutcomeUnknown or SourceDown where the other side does not answer: it is as unknown as before.
    """
    if "define" not in effect.request:
        return record.check(actor, effect, run)
    call = prepared(actor, effect, run, judged=False)
    came = KINDS[effect.kind].check(call)
    return None if came is None else _report_of(effect, call, came)


def _did(actor: Actor, effect: Effect, run: Run) -> tuple[Call, Came]:
    call = prepared(actor, effect, run, judged=True)
    if call.define.if_ is not None and not expressions.parse(call.define.if_).test(call.roots):
        return call, Came("succeeded", values={"left_out": True})
    return call, KINDS[effect.kind].perform(call)


def _report(effect: Effect, act: Callable[[], tuple[Call, Came]], *, doubtful: bool = False) -> Report:
    """What came of it, errors too: those of ours say that nothing was done, unless it was begun before (`doubtful`)."""
    call: Call | None = None
    try:
        call, came = act()
    except OutcomeUnknown as error:
        came = Came("unknown", error.code, error.message)
    except SourceDown as error:
        if doubtful:
            raise
        came = Came("failed", error.code, error.message, passing=error.passing)
    except ConsoleError as error:
        passing = isinstance(error, IntegrationError) and not error.permanent
        came = Came(
            "unknown" if doubtful else "failed",
            error.code,
            error.message,
            [dict(detail) for detail in error.details],
            passing=passing,
            asks=isinstance(error, NotAllowed),
        )
    except Exception:
        logger.exception("effect %s", effect.id)
        came = Came("unknown", "internal_error", UNKNOWN)
    return _report_of(effect, call, came)


def _report_of(effect: Effect, call: Call | None, came: Came) -> Report:
    """The report, with what later effects, the step and a person who looks need to know."""
    result: dict[str, Any] = {"name": effect.request["define"]["name"], "values": dict(came.values), "sent": dict(came.sent)}
    if came.status == "succeeded" and "outcomes" in effect.request and call is not None:
        result |= _closing(effect, call, came)
    errors = came.errors or ([{"field": "", "reason": came.message}] if came.status == "failed" else [])
    return Report(effect.id, came.status, came.code, came.message, errors, result, passing=came.passing, unsure=came.unsure, asks=came.asks)


def _closing(effect: Effect, call: Call, came: Came) -> dict[str, str]:
    """What the whole action came to, after its last effect: the outcome, and the sentence that says it."""
    results = {**call.roots["results"], effect.request["define"]["name"]: dict(came.values)}
    roots = {**call.roots, "results": results}
    rules = effect.request["outcomes"]
    outcome = next((rule["outcome"] for rule in rules if expressions.parse(rule["if"]).test(roots)), SUCCEEDED)
    said = effect.request.get("done")
    return {"outcome": outcome, **({"message": fill_text(said, roots)} if said else {})}


__all__ = ["KINDS", "action_preview", "check", "kept", "lookups", "perform", "python", "recover", "spoken_values"]
