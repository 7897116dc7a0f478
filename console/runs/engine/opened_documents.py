"""What was seen of the documents beside a run, as its expressions read it: `run.opened` and `run.failed_checks`. It comes from the log."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import log, records, steps
from console.core import expressions
from console.core.expressions import ExpressionError
from console.infra import subjects
from console.workflows import Definition

OPENED, FAILED = "opened", "failed_checks"


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


def failed_checks(run_id: str) -> dict[str, list[str]]:
    """The labels of the checks that failed when they were last shown beside a form: of each document, named as in `OpenedDocument`, and of each item."""
    shown = log.recent(run_id, "checks_shown", 0)
    values = log.open_values(run_id, shown) if shown else {}
    failed: dict[str, list[str]] = {}
    for kept in [
        each for event in shown if (each := values[event.n].values.get("checks"))
    ]:  # erased values are gone
        found = {paper["document"].split(":", 2)[-1]: _failed(paper["checks"]) for paper in kept["documents"]}
        every = _failed(
            [*(check for paper in kept["documents"] for check in paper["checks"]), *kept["checks"]]
        )
        failed |= found | ({kept["item"]: every} if kept["item"] is not None else {})
    return failed


def _failed(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(check["label"] for check in checks if check["result"] == "fail"))


@functools.lru_cache(maxsize=1024)
def asked_by(definition: Definition, step_id: str) -> frozenset[str]:
    """Which of `OPENED` and `FAILED` the step reads, in an expression or by its setting `opened`."""
    step = definition.document.step(step_id)
    kind, view = steps.get(step.type), steps.view(step)
    texts = [located.text for located in kind.expressions(view.config)]
    texts += [
        text for located in kind.templates(view.config) for text in expressions.raw_expressions(located.text)
    ]
    named = {path[1] for text in texts for path in _paths(text) if path[0] == "run" and len(path) > 1}
    return frozenset(
        {OPENED, FAILED} & (named if getattr(view.config, "opened", None) is None else {*named, OPENED})
    )


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
    return (
        max(counted) if counted else None,
        tuple(sorted(opened)),
        any("page" not in event.open for event in events),
    )
