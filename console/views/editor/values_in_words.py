"""Problems of a document, and values in it, in words for people who are no programmers."""

import re
from collections.abc import Mapping
from typing import Any

from console import log
from console.core import outcome_words
from console.core.documents.json_shape import MISSING
from console.core.documents.workflow_check import NO_END, NO_WAY_ON
from console.core.plain_words import named_reason, with_titles
from console.views import formats, frame
from console.views.formats import label_of

SAID = {
    NO_WAY_ON: "Nothing follows yet: choose a step under Leads to.",
    NO_END: "There is no End yet: no run could be completed.",
}
"""Problems as a file has them → as the page says them."""

NOBODY_ACTS = re.compile("(.* while nobody is there): name the service account")
NO_EVENT = re.compile("This is missing: say which event, .*", re.DOTALL)
UNSEEN = re.compile(
    "(Only changes made in the console are seen|No deletion in .* is seen|Other programs' changes to .* are not seen, only their new rows): "
)
TRIGGERS = {
    "manual": "Manual",
    "record": "From a record",
    "api": "By a program",
    "mcp": "By an assistant",
    "schedule": "At set times",
    "event": "When something happens",
    "webhook": "When another program calls",
}
"""Kind of a trigger → what its part of the page is called."""
SETTINGS = {
    "on": "What happens",
    "collection": "In",
    "filter": "Only where",
    "record": "Which record",
    "find_by": "Found by",
    "signed": "Signed by the sender",
    "signature": "How it signs",
    "title": "Name",
    "enabled": "Begins switched on",
    "missed": "Missed times",
    "if": "Leaves where",
    "reason": "Because",
    "cron": "Times",
    "zone": "Time zone",
}
"""Settings of triggers and exits → what their boxes are called."""
OFFERED = re.compile(r": (?:known are|it has) .*$", re.DOTALL)
"""What could stand there, as a file names it: a page offers it in its boxes."""

LABELS = {
    "ai": "Proposals",
    "at": "Place on the canvas",
    "id": "Name in expressions",
    "if": "When",
    "unless": "Not when",
    "required_if": "Required when",
    "needs": "How many have to say yes",
    "not_by": "Who may not answer",
    "to": "To",
    "fields": "Fields",
    "form": "What is asked",
    "maker": "Who decides",
    "actions": "Further actions",
    "outcomes": "Outcomes",
    "items": "List",
    "values": "Values",
    "url": "Address",
    "success": "Statuses that mean done",
    "timeout_s": "Seconds to wait",
    "timeout": "Waits at most",
    "expires": "May wait",
    "written_in": "Language of subject and text",
    "also": "Or until",
}
"""Settings of steps → what their boxes are called, where that is not their name."""


def unseen_words(reason: str) -> str:
    """Which changes by other programs start nothing, for those who see no file; empty for another reason."""
    unseen = UNSEEN.match(reason)
    chosen = "Whoever manages data sources can change that on the collection's page, under Changes by other programs."
    return f"{unseen[1]}. {chosen}" if unseen else ""


def problem_words(field: str, reason: str, document: Mapping[str, Any], step: str | None) -> str:
    """The problem at this place of the step or of the document, for those who see boxes and no file. A way on has the name that its box has."""
    own: Mapping[str, Any] = next((each for each in document["steps"] if each["id"] == step), {})
    if acts := NOBODY_ACTS.match(reason) if field == "run_as" else None:
        return f"{acts[1]}: choose an account under Runs as."
    if unseen := unseen_words(reason):
        return unseen
    if named := trigger_named(document, field):
        return named + NO_EVENT.sub("Choose what happens.", OFFERED.sub(".", reason))
    if reason in SAID:
        return SAID[reason]
    place, _, outcome = field.partition(".")
    if place == "next" and " leads nowhere: " in reason:
        return f"“{outcome_words.words(own, outcome)}” leads nowhere yet: choose a step under Leads to."
    if place == "next" and reason.startswith("There is no step "):
        return f"“{outcome_words.words(own, outcome) if outcome != 'default' else 'Leads to'}” names a step that is not there. Choose another one under Leads to."
    if place == "next" and (no := re.match(r"The step has no outcome (\S+): it has (.*)\.$", reason)):
        offered = ", ".join(f"“{outcome_words.words(own, each)}”" for each in no[2].split(", "))
        return f"The step has no outcome “{outcome_words.words(own, no[1])}”: it has {offered}."
    reason = OFFERED.sub(".", with_titles(reason, lambda other: _title(document, other)))
    setting = re.sub(r"\[\d+\]$", "", field).rpartition(".")[2]
    label = LABELS.get(setting) or label_of(setting)
    return (
        named_reason(label, reason.replace(MISSING.rstrip("."), f"Nothing is entered under {label}", 1))
        if field
        else reason
    )


def _title(document: Mapping[str, Any], step: str) -> str:
    return next((str(each.get("title") or "") for each in document["steps"] if each["id"] == step), "")


def trigger_named(document: Mapping[str, Any], field: str) -> str:
    """Which trigger a problem is about, and which of its settings, before what is wrong there; empty for any other problem."""
    place = re.match(r"triggers\[(\d+)\]\.?(\w*)", field)
    given = document["triggers"][int(place[1])] if place is not None else None
    if place is None or not isinstance(given, Mapping):
        return ""
    title = given.get("title") or TRIGGERS.get(str(given.get("kind"))) or given.get("id")
    return (
        ", ".join(each for each in (f"“{title}”", SETTINGS.get(place[2]) or label_of(place[2])) if each)
        + ": "
    )


def words_of(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "empty"
    given = log.body.canonical_value(value)
    return formats.text(formats.undescribed("", given), given, frame.look())[:400]
