"""The item of a list that a proposal is about: what is known of it as sources, and what was told of the others taken out of everything else."""

from collections.abc import Iterator, Mapping
from typing import Any

from console import records, steps
from console.ai.proposals.prompt_pieces import Piece, filled, open_of
from console.auth import access
from console.core import expressions
from console.core.documents.collections import Collection
from console.runs.engine.proposal_inputs import CaseContext, ProposalContext
from console.steps.base import AtHand

OF_ITEMS = ("items", "item")
"""Names in the output of a list step under which its results by item stand."""


def item_for_prompt(ask_context: ProposalContext) -> dict[str, Any] | None:
    """How the prompt names the item; None where the step goes through no list."""
    item = ask_context.at_hand
    if item is None:
        return None
    kind = records.collection(item.collection).label_one if item.collection is not None else "Item"
    return {"kind": kind, "title": item.title, "number": item.number, "of": item.total}


def item_source(item: AtHand, ask_context: ProposalContext, kind: str) -> Piece:
    """The item as a source, still without data."""
    name = f"{kind} {item.number} of {item.total}, which this form is about"
    return Piece(
        "related",
        name,
        item.title,
        {},
        collection=item.collection,
        record=item.key if item.collection else None,
        read_at=ask_context.asked_at,
    )


def entry(
    item: AtHand, ask_context: ProposalContext, closed: frozenset[str], foreign: frozenset[str]
) -> Iterator[Piece]:
    """An entry of a list that the run knows: what of it stands in fields that others write, or came from outside as a whole, is a claim."""
    values = filled(open_of(dict(item.values), closed))
    ours = _from_us(ask_context)
    for trusted in (True, False):
        data = {name: value for name, value in values.items() if (ours and name not in foreign) is trusted}
        if data:
            yield Piece(
                "step",
                item_source(item, ask_context, "Item").name,
                item.title,
                data,
                trusted=trusted,
                read_at=ask_context.asked_at,
            )


def _from_us(ask_context: ProposalContext) -> bool:
    """Whether the list that is gone through was made by our staff or our code."""
    source = getattr(ask_context.step.config, "items", None)
    if source is None or source.entries is None:
        return True
    foreign = {
        step.id
        for step in ask_context.definition.document.steps
        if step.type == "start" or steps.get(step.type).is_foreign(step.config)
    }
    for path in expressions.paths(expressions.parse(source.entries)):
        if path[0] == "input" or (path[0] == "steps" and len(path) > 1 and path[1] in foreign):
            return False
    return True


def values_of(item: AtHand, ask_context: ProposalContext, collection: Collection) -> dict[str, Any]:
    """The fields of the item's record that this person may see."""
    names = {
        each.name for each in collection.readable(access.scope_for(ask_context.person, collection.id, "read"))
    }
    return {name: value for name, value in item.values.items() if name in names}


def narrowed(ask_context: CaseContext, step_id: str, output: Mapping[str, Any]) -> dict[str, Any]:
    """The step's output with only the notes of this item, not those of other items of the list."""
    item = ask_context.at_hand
    if item is None:
        return dict(output)
    kept = dict(output)
    if steps.get(ask_context.definition.document.step(step_id).type).by_items:
        noted = kept.get("items")
        for name in OF_ITEMS:
            kept.pop(name, None)
        if ask_context.step is not None and step_id == ask_context.step.id:
            own = (
                [each for each in noted if isinstance(each, Mapping) and each.get("key") == item.key]
                if isinstance(noted, list)
                else []
            )
            return {"noted_before": own[0].get("values")} if own else {}
    return {name: _without_others(value, dict(item.values)) for name, value in kept.items()}


def _without_others(value: Any, mine: Mapping[str, Any]) -> Any:
    """A list in which the item stands is the item alone, at any depth."""
    if isinstance(value, Mapping):
        return {name: _without_others(each, mine) for name, each in value.items()}
    if isinstance(value, list):
        alone = [each for each in value if mine in (each, {"value": each})]
        return alone or [_without_others(each, mine) for each in value]
    return value
