"""What was opened of the documents beside a run, as its expressions read it: `run.opened`. It comes from the log."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console import log, records, steps, subjects
from console.core import expressions
from console.core.expressions import ExpressionError
from console.workflows import Definition

OPENED = ("run", "opened")


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document of which somebody opened something while the run was worked on.

    `key` is the key of its record, or the id of a file that was handed in. `pages` is how many pages it has, None where nobody counted them;
    `opened` are the numbers of those that were opened. `whole`: it was opened or taken as a whole.
    """

    key: str
    collection: str | None
    pages: int | None
    opened: tuple[int, ...]
    whole: bool

    @property
    def counted(self) -> tuple[int, int | None]:
        """(how many pages were opened, how many it has); a document taken as a whole was opened in full."""
        return (self.pages or 1, self.pages) if self.whole else (len(self.opened), self.pages)

    @property
    def complete(self) -> bool:
        """Whether every page was opened."""
        return self.whole or (bool(self.opened) and set(range(1, (self.pages or 1) + 1)) <= set(self.opened))


def opened_documents(run_id: str) -> list[OpenedDocument]:
    """The documents of which something was opened in the run, by anybody, in the order of their first opening; one statement and the log's own."""
    found: dict[tuple[str | None, str], list[log.Stored]] = {}
    for event in log.recent(run_id, "source_opened", 0):
        if event.open.get("source") == "document" and event.open.get("key") is not None:
            found.setdefault((event.open.get("collection"), str(event.open["key"])), []).append(event)
    made = []
    for (collection, named), events in found.items():
        key = _key_of(collection, named)
        if key is not None:
            made.append(OpenedDocument(key, collection, *_pages_of(events)))
    return made


def reads_opened(definition: Definition, step_id: str) -> bool:
    """Whether the step asks what was opened, in an expression or by its setting `opened`."""
    return _reads(definition, step_id)


@functools.lru_cache(maxsize=1024)
def _reads(definition: Definition, step_id: str) -> bool:
    step = definition.document.step(step_id)
    kind, view = steps.get(step.type), steps.view(step)
    if getattr(view.config, "opened", None) is not None:
        return True
    texts = [located.text for located in kind.expressions(view.config)]
    texts += [text for located in kind.templates(view.config) for text in _inside(located.text)]
    return any(path[:2] == OPENED for text in texts for path in _paths(text))


def _inside(template: str) -> list[str]:
    """The expressions of a template."""
    return [match[1].strip() for match in expressions.TEMPLATE.finditer(template)]


def _paths(text: str) -> Sequence[tuple[Any, ...]]:
    """The names in an expression; none where it cannot be read."""
    try:
        return [tuple(path) for path in expressions.paths(expressions.parse(text))]
    except ExpressionError:
        return []


def _key_of(collection: str | None, named: str) -> str | None:
    """The key of the record that the log names; None where that cannot be resolved any more."""
    if collection is None:
        return named
    known = next((each for each in records.collections() if each.id == collection), None)
    return subjects.record_behind(collection, named) if known is not None and known.personal_key else named


def _pages_of(events: Sequence[log.Stored]) -> tuple[int | None, tuple[int, ...], bool]:
    """(how many pages, those opened, whether it was taken whole) of the events of one document."""
    counted = [event.open["pages"] for event in events if isinstance(event.open.get("pages"), int)]
    opened = {event.open["page"] for event in events if isinstance(event.open.get("page"), int)}
    return (max(counted) if counted else None, tuple(sorted(opened)), any("page" not in event.open for event in events))
