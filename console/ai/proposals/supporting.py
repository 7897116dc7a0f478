"""For which values the conditions of a step's document hold, over what our staff and our code wrote alone: what others wrote is unknown to them."""

from collections.abc import Mapping
from typing import Any

from console import records
from console.ai.grounds import ANY
from console.ai.proposals import field_disclosure
from console.ai.proposals.prompt_pieces import open_of
from console.core import expressions
from console.core.documents.collections import Collection
from console.core.documents.fields import condition_holds
from console.runs.engine.proposal_inputs import ProposalContext

OWN = frozenset({"variables", "tables", "run", "now", "currentUser"})


def supported(
    ask_context: ProposalContext, foreign: frozenset[str], outside: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Field (`outcome`: the choice) → values whose condition holds. `foreign` are names of fields that others write, `outside` steps whose output others wrote."""
    if not ask_context.ai.supports:
        return {}
    roots = trusted_roots(ask_context, foreign, outside)
    supported_by: dict[str, tuple[str, ...]] = {}
    for name, written in ask_context.ai.supports.items():
        if isinstance(written, str):
            supported_by[name] = (ANY,) if _holds(written, roots) else ()
        else:
            supported_by[name] = tuple(
                value for value, condition in written.items() if _holds(condition, roots)
            )
    return supported_by


def _holds(condition: str, roots: Mapping[str, Any]) -> bool:
    """Whether it holds; one that cannot be worked out does not."""
    try:
        return condition_holds(condition, roots)
    except expressions.ExpressionError:
        return False


def trusted_roots(
    ask_context: ProposalContext, foreign: frozenset[str], outside: frozenset[str]
) -> dict[str, Any]:
    """The values that expressions can read, without everything that others wrote."""
    roots = ask_context.at_hand.roots if ask_context.at_hand is not None else ask_context.context.roots
    kept: dict[str, Any] = {name: value for name, value in roots.items() if name in OWN}
    document = ask_context.definition.document
    if isinstance(record := roots.get("record"), Mapping) and ask_context.run.collection is not None:
        kept["record"] = _values_written_by_us(record, records.collection(ask_context.run.collection))
    if document.start.id not in outside:
        kept["input"] = roots.get("input")
    kept["steps"] = {
        name: {key: open_of(value, foreign) for key, value in output.items()}
        for name, output in (roots.get("steps") or {}).items()
        if name not in outside and isinstance(output, Mapping)
    }
    if ask_context.at_hand is not None and ask_context.at_hand.collection is not None:
        kept["item"] = _values_written_by_us(
            ask_context.at_hand.values, records.collection(ask_context.at_hand.collection)
        )
    return kept


def _values_written_by_us(values: Mapping[str, Any], collection: Collection) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if field_disclosure.is_written_by_us(collection, name)
    }
