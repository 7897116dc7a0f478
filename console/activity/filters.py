"""The filters of the log, once for its page, the API and the command. `log/event_lists.py` says which column each is.

No pydantic here: every command that speaks to the log imports this.
"""

from typing import NamedTuple


class Filter(NamedTuple):
    """One filter of events: how the page calls it, what it finds, and of a moment its name in `LogFilter`."""

    title: str
    description: str | None = None
    moment: str | None = None


FILTERS = {
    "user": Filter("Person", "Only what this person did: an id (usr_…) or an e-mail address"),
    "team": Filter("Team", "Only events of this team"),
    "collection": Filter("Collection", "Only events about records of this collection"),
    "record": Filter("Record", "Only events about the record with this key"),
    "run": Filter("Run", "Only events of this run"),
    "workflow": Filter("Workflow", "Only events of this workflow and its runs: an id (wf_…) or its slug"),
    "kind": Filter("Event", "Only events of this kind; may be given several times"),
    "createdAt.gt": Filter("After", "A moment such as 2026-11-20T06:30:00Z", "gt"),
    "createdAt.gte": Filter("From", moment="gte"),
    "createdAt.lt": Filter("Before", moment="lt"),
    "createdAt.lte": Filter("To", moment="lte"),
}
"""Filters by their names in an address; `event_list` validates what is given."""

LABELS = {name: known.title for name, known in FILTERS.items()}
MOMENTS = {name: known.moment for name, known in FILTERS.items() if known.moment}
"""Name in an address → name in `LogFilter`."""
TEXTS = {
    name: str(known.description) for name, known in FILTERS.items() if name != "kind" and not known.moment
}
"""Filters by one text, and what each finds."""
