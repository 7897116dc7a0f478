"""Words become changes of a workflow's draft: what somebody asks for is put to a model, its changes are tried on a copy and checked, and a person takes them or not."""

from console.builder.builder_turns import Turn, ask, expire, latest, note_taken, stop, turn
from console.builder.new_workflows import Beginning, begin, beginnings, nearest
from console.builder.parts_of_change import Part, parts, taken


def build(turn_id: str) -> None:
    """Answer a turn, as a job; see `console.builder.rounds_with_model`. What that needs is loaded at the first one."""
    from console.builder import rounds_with_model

    rounds_with_model.build(turn_id)


__all__ = [
    "Beginning",
    "Part",
    "Turn",
    "ask",
    "begin",
    "beginnings",
    "build",
    "expire",
    "latest",
    "measuring",
    "nearest",
    "note_taken",
    "parts",
    "stop",
    "taken",
    "turn",
]
