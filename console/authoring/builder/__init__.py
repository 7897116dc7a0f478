"""A person asks in words, and a model proposes changes of a workflow's draft. They are tried on a copy and checked; the person takes them or leaves them."""

from console.authoring.builder.builder_turns import Turn, ask, expire, latest, note_taken, stop, turn
from console.authoring.builder.new_workflows import OWN, Beginning, begin, beginnings, bring_in, nearest
from console.authoring.builder.parts_of_change import Part, apply_parts, parts


def build(turn_id: str) -> None:
    """Answer a turn, as a job: `console.authoring.builder.rounds_with_model`, which is imported at the first call."""
    from console.authoring.builder import rounds_with_model

    rounds_with_model.build(turn_id)


OPEN_MODULES = frozenset({"measuring", "template_binding"})
