"""What a trigger fires for, as it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.core.run.causes import Causes
from console.core.run.origin import RecordRef, StartedBy
from console.infra.subscribers import Subscribers


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """Something that a trigger fires for. `key` names it for this trigger, `at` is when it happened, `values` are the input of the run.

    `caused_by` is what led to it, the nearest first. `segment`: whoever is in it is enrolled.
    `unjudged`: whether the trigger lets it pass is judged when it would start, and `record` is the one that it happened to.
    """

    key: str
    at: datetime
    event: Mapping[str, Any] | None = None
    record: RecordRef | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    caused_by: Causes = ()
    segment: str | None = None
    sort: str | None = None
    unjudged: bool = False


@dataclass(slots=True)
class Counts:
    """What is only counted: occasions that the filter refused, and times that were left out."""

    passed: int = 0
    left_out: int = 0


deferred_filters = Subscribers[[str, str, StartedBy, RecordRef | None], TriggerEvent | None](
    "automation.triggers.judges"
)
"""Who judges what came when nobody could (`following.judge_kept`), by its workflow and trigger; raises Conflict `nobody_acts` where still nobody can."""
