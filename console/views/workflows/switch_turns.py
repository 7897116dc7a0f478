"""The ways to turn the switch of a workflow, and which of them its status allows."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.workflows import Known, lifecycle


@dataclass(frozen=True, slots=True)
class Turn:
    """One way to turn the switch: the words of its button, what it does in a sentence, and whether it asks for a reason (`ends`: it must be given)."""

    to: str
    label: str
    done: str
    gist: str
    asks: bool = True
    ends: bool = False


TURNS: Mapping[str, Turn] = {
    turn.to: turn
    for turn in (
        Turn("active", "Activate", "is active", "Runs start from now on.", asks=False),
        Turn(
            *("paused", "Pause", "is paused"),
            "No run starts, and what happens meanwhile starts none afterwards either. Runs that wait go no further, also where their time comes, and go on in their order when it is resumed. Runs that a person holds can be gone on with, and calls and messages that were sent finish.",
        ),
        Turn(
            "completed",
            "Complete",
            "is completed",
            "No run starts any more. Those that are inside go on to their end.",
        ),
        Turn(
            "cancelled",
            "Cancel",
            "is cancelled",
            "No run starts any more, and every live run ends with your reason. What was done stays done.",
            ends=True,
        ),
        Turn(
            *("archived", "Archive", "is archived"),
            "It is left out of lists, and no run starts any more. Its versions and runs stay, and can be replayed. You can activate it again.",
            asks=False,
        ),
        Turn(
            "deleted",
            "Delete",
            "is deleted",
            "The draft and its history are gone for good. It was never published.",
            asks=False,
        ),
    )
}


def turns(known: Known) -> list[Turn]:
    """Return what the status of the workflow allows, for its menu."""
    found = [
        turn for to, turn in TURNS.items() if to in lifecycle.FROM and known.status in lifecycle.FROM[to]
    ]
    found = [turn for turn in found if known.live is not None or turn.to == "active"]
    if known.live is None:
        return [*found, TURNS["deleted"]]
    return found if known.archived else [*found, TURNS["archived"]]
