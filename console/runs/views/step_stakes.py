"""What is at stake at a step: money, restricting somebody, or what cannot be recalled. There a proposal fills in nothing."""

from collections.abc import Iterator

from console import connectors, records, steps
from console.core import stakes
from console.core.documents.workflow import Stake, Step, Workflow
from console.core.errors import NotFound
from console.steps.base import StepType
from console.steps.effects import action_cache


def at_stake(document: Workflow, step_id: str) -> frozenset[Stake]:
    """What is at stake in the step and in the steps that follow before a person decides again."""
    step = document.step(step_id)
    if step.stakes is not None:
        return frozenset(step.stakes)
    found = set(_own(document, step))
    for led_to in _led_to(document, step):
        found |= _own(document, led_to)
    return frozenset(found)


def _own(document: Workflow, step: Step) -> frozenset[Stake]:
    """What is at stake in the step itself."""
    if step.stakes is not None:
        return frozenset(step.stakes)
    kind, config = steps.get(step.type), steps.view(step).config
    found: set[Stake] = set()
    for use in kind.actions(config):
        if use.field.endswith("action") and use.column is not None:
            found |= _of_action(use.column)
    for use in kind.uses(config):
        if use.changed and use.column is not None:
            found |= stakes.of_column(
                use.column, _type_of(document, use.column, use.relation, use.collection)
            )
    if (tool := kind.tool(config)) is not None and not _reads(*tool):
        found.add("irreversible")
    return frozenset(found)


def _reads(server: str, tool: str) -> bool:
    """Whether a tool is known to change nothing."""
    try:
        return connectors.tool_of(server, tool).reads
    except NotFound:
        return False


def _of_action(action_id: str) -> frozenset[Stake]:
    try:
        return stakes.of_action(action_cache.get(action_id))
    except NotFound:
        return frozenset({"irreversible"})  # an unknown action may do anything


def _type_of(document: Workflow, column: str, relation: str | None, collection: str | None) -> str:
    """The type of a column that is written; empty if it is not known."""
    own = document.collection
    try:
        if collection is None and own is not None:
            link = records.collection(own).relation(relation) if relation is not None else None
            collection = link.collection if link is not None else own
        found = records.collection(collection).by_name.get(column) if collection is not None else None
    except NotFound:
        return ""
    return found.type if found is not None else ""


def _led_to(document: Workflow, start: Step) -> Iterator[Step]:
    """The steps that follow from this one: after a choice up to the next choice, after a form up to the next form of a person."""
    known = {step.id: step for step in document.steps}
    chooses = _chooses(start) or start.config.get("maker") == "ai"
    left, seen = list(start.next.values()), {start.id}
    while left:
        step = known.get(left.pop())
        if step is None or step.id in seen:
            continue
        seen.add(step.id)
        if _chooses(step) or not (chooses or _goes_on(step)):
            continue
        yield step
        left += step.next.values()


def _chooses(step: Step) -> bool:
    """Whether a person chooses between several next steps."""
    kind: StepType = steps.get(step.type)
    ways = set(step.next) - {"default", "error"}
    by_person = step.type == "approval" or (kind.purpose == "decide" and kind.asks(steps.view(step).config))
    return by_person or (kind.by_items and bool(ways))


def _goes_on(step: Step) -> bool:
    """Whether the step is done without a person."""
    kind = steps.get(step.type)
    return not kind.by_items and (
        kind.automatic or kind.by_itself(step.config) or step.completion == "automatic"
    )
