"""One contact on their way through a workflow, thought through: which steps they come to, what would reach them, and where they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console import log
from console.core import policy
from console.core.actor import Actor
from console.core.run.simulation import Delivery, Script
from console.enrolments import exits
from console.enrolments.exits import Place
from console.errors import ConsoleError, SourceDown
from console.messages.delivery_gate import DeliveryGate
from console.records import Record
from console.runs.trying import dry_runs
from console.runs.trying.dry_runs import Simulation
from console.workflows import Definition

LONGEST = timedelta(seconds=2)
COMPLETED, FAILED, LEFT, STAYS, REFUSED = "completed", "failed", "left", "stays", "refused"
"""How somebody's way ends: at an end, by a fault, by an exit, at a step that waits for what never comes or for a person, or before it begins."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The way of one contact. `steps` in the order entered, each once; `last` is where it ended, `why` in words; `models` are the steps at which a model was asked."""

    key: str
    steps: Sequence[str]
    end: str
    last: str
    why: str
    began: datetime
    ended: datetime
    deliveries: Sequence[tuple[str, Delivery]]
    models: Sequence[str] = ()

    @property
    def lasted_s(self) -> int:
        """How long it took, in seconds."""
        return int((self.ended - self.began).total_seconds())


def walk(
    actor: Actor, definition: Definition, about: Record, given: Mapping[str, Any], script: Script, gate: DeliveryGate, began: datetime
) -> Walk:
    """The way of this record from `began` on, by the rules of every run. Raises SourceDown."""
    key = str(about.key)
    try:
        dry = dry_runs.begun(actor, definition, key, given, script, now=began, about=about, gate=gate)
    except SourceDown:
        raise
    except ConsoleError as error:
        return Walk(key, (), REFUSED, "", error.message, began, began, ())
    dry.until -= dry_runs.LONGEST_S - LONGEST.total_seconds()
    dry.watch = _Exits(definition, about)
    question = dry.play()
    path, sent = dry.path(), [(each.step, told) for each in dry.sent() for told in each.deliveries]
    steps = list(dict.fromkeys(each.step for each in path))
    last, end, why = (path[-1].step if path else ""), COMPLETED, dry.run.ending or ""
    if dry.left is not None:
        end, why = LEFT, dry.left
    elif question is not None:
        end, last, why = STAYS, question.step, question.why or "Waits for a person."
    elif dry.run.status != "completed":
        end, why = FAILED, dry.run.reason or dry.run.status.replace("_", " ")
    return Walk(key, steps, end, last, why, began, dry.now, sent, tuple(dry.asked_models))


class _Exits:
    """Whether somebody leaves by an exit of the workflow: judged when something happens to them, and of what the run itself has changed when it rests."""

    def __init__(self, definition: Definition, about: Record) -> None:
        document = definition.document
        self._exits, self._about, self._workflow = document.exits, about, definition.id
        self._variables = policy.rules(document, log.now()).variables if document.exits else {}
        self._known: tuple[dict[str, Any], Any] = ({}, None)

    def __call__(self, dry: Simulation) -> str | None:
        if not self._exits or dry.run.ended or self._known == (dry.changed, dry.happened):
            return None
        event = dry.happened if dry.happened is not self._known[1] else None
        if event is None and (dry.run.status == "running" or (dry.run.waiting or {}).get("for") == "effect"):
            return None
        self._known = (dict(dry.changed), dry.happened)
        values = {**self._about.values, **dry.changed}
        place = Place("", self._workflow, self._exits, self._variables, self._about.collection, values, dry.run.input, None)
        return exits.applying(place, event)
