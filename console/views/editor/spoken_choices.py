"""Expressions that people choose by words: who does a task, and by when."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from console.auth import accounts
from console.core.actor import Actor

Options = Sequence[tuple[str, str]]
OTHER = "As an expression …"
"""Chosen, it leaves an expression that is none of the others, so that its text is shown and can be changed."""
DAYS = (
    ("today()", "The same day"),
    ("addDays(today(), 1)", "The next day"),
    *((f"addDays(today(), {days})", f"{days} days later") for days in (2, 3, 5, 7, 14, 30)),
    ("addDays(now, 1)", OTHER),
)
TASK = "create_task"
NAMED = {
    "title": "Title of the task",
    "waits": "The run waits for it",
    "once": "Only one for each",
    "assignee": "Who does it",
    "due": "Due on",
}
"""Settings of a task → what their boxes are called."""
SAID = {
    "assignee": "Without anybody, the team below does it.",
    "due": "Counted from the day on which the run comes here.",
}


def offered(actor: Actor, document: Mapping[str, Any], name: str, value: Any) -> Options:
    """The choices for the setting; none where it holds another expression, which is shown as its text."""
    found = _people(actor, document) if name == "assignee" else DAYS
    return found if value in ("", None, *(each for each, label in found if label != OTHER)) else ()


def _people(actor: Actor, document: Mapping[str, Any]) -> Options:
    """Who works in the workflow's team or in one of the editor's, and who has to do with the run where a person does."""
    teams = {document.get("team"), *actor.teams}
    known = [
        each
        for each in accounts.people()
        if each.state == "active" and not each.service and teams.intersection(each.teams)
    ]
    held = (
        []
        if document.get("run_as")
        else [("run.holder", "Whoever holds the run"), ("run.started_by", "Whoever started it")]
    )
    return [*((json.dumps(each.email), each.name) for each in known), *held, ("record.owner", OTHER)]
