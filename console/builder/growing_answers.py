"""While a model's answer arrives, its changes in words are kept with the turn: the person sees the draft grow, and can stop it."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from console import steps, subjects
from console.ai import builder_answer
from console.ai.builder_prompt import BuilderPrompt
from console.builder import builder_turns
from console.builder.builder_turns import Question

PAUSE_S = 0.3
"""Between two looks at what has arrived."""
DONE = {"add_step": "Added", "remove_step": "Removed", "add_trigger": "Added", "remove_trigger": "Removed"}


class Growing:
    """Takes the text of an answer so far, as often as it grows."""

    def __init__(self, question: Question, prompt: BuilderPrompt) -> None:
        self.asked, self.prompt = question, prompt
        self.titles = {step["id"]: str(step.get("title") or step["id"]) for step in question.document["steps"]}
        self.due, self.lines = 0.0, list[str]()

    def hear(self, text: str) -> None:
        """Keep what is new. A database that does not answer now is asked again with the next part."""
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + PAUSE_S
        lines = self.spoken(builder_answer.so_far(text))
        if lines and lines != self.lines:
            with contextlib.suppress(sa.exc.DBAPIError, psycopg.OperationalError, subjects.Unreadable):
                builder_turns.note_growing(self.asked, lines)
                self.lines = lines

    def spoken(self, changes: Sequence[Mapping[str, Any]]) -> list[str]:
        """A line for each step that a change is about, in the order of the changes."""
        lines = dict[str, None]()
        for number, change in enumerate(changes, 1):
            place, op = change.get("step"), str(change.get("op"))
            if op == "add_step" and isinstance(place, Mapping):
                title = self.prompt.words(str(place.get("title") or ""))
                title = title or (_kind(place) if number < len(changes) else "")  # the title of the last may be on its way
                self.titles[str(place.get("id"))] = title
            elif "trigger" in op:
                title = "What starts it"
            elif op == "set_document":
                title = "What holds for the whole workflow"
            else:
                title = self.titles.get(str(place), "")
            if title:
                lines[f"{DONE.get(op, 'Changed')}: {title}"] = None
        return [line for line in lines if not line.startswith("Changed: ") or f"Added: {line.removeprefix('Changed: ')}" not in lines]


def _kind(step: Mapping[str, Any]) -> str:
    found = steps.all_types().get(str(step.get("type")))
    return found.title if found else ""
