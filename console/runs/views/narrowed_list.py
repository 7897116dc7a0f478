"""A long list that a person goes through, narrowed by how its items compare: each line of the step's comparison is the same, differs or is unknown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import log
from console.core import blocks
from console.core.actor import Actor
from console.core.blocks.comparison import WORDS, Comparison, verdicts_alone
from console.log import masking
from console.runs.commands.run_rights import may_work, see
from console.runs.engine.stepping import context_of, step_at
from console.runs.views import reader_reach
from console.steps.base import Item

Verdicts = Mapping[str, str]
"""Label of a line → same, differs or unknown."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The items that fit, in their order, and for each line how many items of each verdict there are among those that fit the other lines."""

    items: tuple[Item, ...]
    counts: Mapping[str, Counter[str]]


def narrowed(actor: Actor, run_id: str, wanted: Verdicts) -> Narrowed | None:
    """The list of the current step, narrowed to the items with these verdicts; None where the step compares nothing for a list, or not for this person."""
    seen = see(actor, run_id)
    run = seen.run
    if (
        run.current is None
        or run.status != "waiting_person"
        or seen.down is not None
        or not may_work(actor, run, seen.definition)
    ):
        return None
    open_step = step_at(seen.definition, run)
    written = seen.definition.document.step(open_step.attempt.step).content
    compared = [verdicts_alone(block) for block in blocks.parsed(written) if isinstance(block, Comparison)]
    if not open_step.kind.by_items or open_step.by_hand or not compared:
        return None
    closed = reader_reach.kept_from(
        actor, run.workflow, run.version, open_step.attempt.step, run=run.id, fresh=run.loaded
    )
    context = context_of(
        actor, open_step, seen.record, log.now(), hidden=closed if masking.names_closed(closed) else None
    )
    listed = open_step.kind.each_item(open_step.view, context)
    told = [_verdicts(blocks.compute(compared, roots, lambda _text, _each: {})) for _, roots in listed]
    counts: dict[str, Counter[str]] = {label: Counter() for verdicts in told for label in verdicts}
    for verdicts in told:
        for label, verdict in verdicts.items():
            if _fits(verdicts, {name: word for name, word in wanted.items() if name != label}):
                counts[label][verdict] += 1
    fitting = tuple(item for (item, _), verdicts in zip(listed, told, strict=True) if _fits(verdicts, wanted))
    return Narrowed(fitting, counts)


def _verdicts(content: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    lines = (line for block in content for line in block.get("lines", ()))
    return {"".join(map(str, line["label"]["parts"])): str(line["verdict"]["value"]) for line in lines}


def _fits(verdicts: Verdicts, wanted: Verdicts) -> bool:
    return all(verdicts.get(label) == verdict for label, verdict in wanted.items() if verdict in WORDS)
