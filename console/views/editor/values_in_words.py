"""Values of a run in words for people who are no programmers, on the page Test."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from console.core.plain_words import named_reason
from console.views import formats, frame
from console.views.formats import Kind

UNSAID = frozenset({"key", "collection", "by", "closed_by", "run", "message", "hash", "define", "action", "record"})
"""Names of values that only programs need."""
MISSING = "This is missing"
SAID = {
    "There is no way on from here: name the step that follows as default.": "Nothing follows yet: choose a step under Leads to.",
    "There is no step of type end: no run could be completed.": "There is no End yet: no run could be completed.",
}
"""Problems as a file has them → as the page says them."""

LABELS = {
    "if": "When",
    "unless": "Not when",
    "required_if": "Required when",
    "needs": "How many have to say yes",
    "not_by": "Who may not answer",
    "to": "To",
    "fields": "Fields",
    "form": "What is asked",
    "maker": "Who decides",
    "outcomes": "Outcomes",
    "items": "List",
    "hours": "Within hours",
    "values": "Values",
    "url": "Address",
    "success": "Statuses that mean done",
    "timeout_s": "Seconds to wait",
}
"""Settings of steps → what their boxes are called, where that is not their name."""


def problem_words(field: str, reason: str, document: Mapping[str, Any]) -> str:
    """The problem at this place of a step or a document, for those who see boxes and no file."""
    if trigger := _of_trigger(document, field):
        return f"{trigger}: {reason}"
    if reason in SAID:
        return SAID[reason]
    place, _, outcome = field.partition(".")
    if place == "next" and " leads nowhere: " in reason:
        return f"“{label_of(outcome)}” leads nowhere yet: choose a step under Leads to."
    if place == "next" and reason.startswith("There is no step "):
        return f"“{label_of(outcome) if outcome != 'default' else 'Leads to'}” names a step that is not there. Choose another one under Leads to."
    setting = re.sub(r"\[\d+\]$", "", field).rpartition(".")[2]
    return named_reason(
        field, reason.replace(MISSING, f"Nothing is entered under {LABELS.get(setting) or label_of(setting)}", 1) if field else reason
    )


def _of_trigger(document: Mapping[str, Any], field: str) -> str:
    """Which trigger a problem is about, and which of its settings."""
    place = re.match(r"triggers\[(\d+)\]\.?(\w*)", field)
    given = document["triggers"][int(place[1])] if place is not None else None
    if place is None or not isinstance(given, Mapping):
        return ""
    return ", ".join(each for each in (f"Trigger {given.get('title') or given.get('id')}", label_of(place[2])) if each)


def pairs(values: Mapping[str, Any], technical: frozenset[str]) -> list[tuple[str, str]]:
    """Label and text of each value that people read."""
    return [
        (label_of(name), words_of(value)) for name, value in values.items() if name not in technical and value not in (None, [], {}, "")
    ]


def label_of(name: str) -> str:
    """The name of a value as a label."""
    return name.replace("_", " ").capitalize()


def words_of(value: Any) -> str:
    """A value as people read it."""
    match value:
        case None:
            return "empty"
        case bool():
            return "Yes" if value else "No"
        case Mapping():
            return "; ".join(f"{label_of(name)}: {words_of(each)}" for name, each in value.items() if name not in UNSAID)[:400]
        case list() | tuple():
            return ", ".join(words_of(each) for each in value[:5])[:400] + (f" and {len(value) - 5} more" if len(value) > 5 else "")
        case datetime():
            return formats.text(Kind("", "", "datetime"), value, frame.look())
        case date():
            return formats.text(Kind("", "", "date"), value, frame.look())
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return _day(value)
        case str() if len(value) >= 20 and value[4:5] == "-" and value[10:11] == "T":
            return formats.text(Kind("", "", "datetime"), value, frame.look())
    return str(value)[:400]


def _day(text: str) -> str:
    """A day as people read it; what only looks like one as it is."""
    try:
        return formats.text(Kind("", "", "date"), date.fromisoformat(text), frame.look())
    except ValueError:
        return text
