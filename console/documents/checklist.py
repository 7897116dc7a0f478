"""The checklist beside a form: what rules tell of the documents that the step is about, and where it was seen.

A document that was not read before is read in the background; until then the checklist says so. What a person was shown is an event of the run.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from console import log, runs
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound
from console.core.papers.document_checks import Result, check_results, of_values
from console.core.run import Event
from console.documents import named_papers
from console.documents.document_text import Told, kept_text, read
from console.documents.viewed_documents import EMPTY, Document, content_of
from console.infra import files, jobs
from console.infra.db.engine import transaction
from console.runs.commands.run_rights import Seen, may_work, see
from console.runs.engine.stepping import context_of, step_at
from console.runs.store.run_store import retried
from console.runs.views.reading import record_reading
from console.steps.document_check_settings import Checked

MOST_DOCUMENTS = 6
NOBODY = "The run is about nobody under whose key what is read could be kept: look for yourself."
NO_PAGES = "This kind of file is not read by machine: look for yourself."


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the checklist with its results. `why` says why there are none, `pending` that it is being read; then `awaited` results come."""

    document: Document
    results: Sequence[Result] = ()
    why: str = ""
    pending: bool = False
    sha256: str = ""
    awaited: int = 0


@dataclass(frozen=True, slots=True)
class Checklist:
    """What rules tell beside the form of one step, or of the `item` of a list: of each document, and of what the run knows (`values`)."""

    step: str
    n: int
    item: str | None
    entries: Sequence[Entry]
    values: Sequence[Result] = ()

    @property
    def pending(self) -> bool:
        """Whether a document is still being read."""
        return any(entry.pending for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """For the API, and as it is kept."""
        return {
            "step": self.step,
            "item": self.item,
            "status": "reading" if self.pending else "ready",
            "documents": [
                {
                    "document": entry.document.ref,
                    "title": entry.document.title,
                    "pages": entry.document.pages,
                    "sha256": entry.sha256,
                    "status": "reading" if entry.pending else "ready",
                    "message": entry.why or None,
                    "checks": [_result_json(result) for result in entry.results],
                }
                for entry in self.entries
            ],
            "checks": [_result_json(result) for result in self.values],
        }


def _result_json(result: Result) -> dict[str, Any]:
    places = [{"page": place.page, "box": list(place.box)} for place in result.places]
    return {
        "id": result.id,
        "label": result.label,
        "result": result.outcome,
        "message": result.said or None,
        "places": places,
    }


def checklist(actor: Actor, run_id: str, item: str | None = None, *, shown: bool = True) -> Checklist | None:
    """The checklist of the step that the run stands at, for who works on it; of a list that of the `item` they turned to. None where nothing is checked.

    `shown`: that it was shown is an event of the run, once for each person, item and result. Raises NotFound as `runs.get` does.
    """
    seen = see(actor, run_id)
    checked = _checked(actor, seen, item)
    if checked is None or seen.run.attempt is None:
        return None
    entries = [
        _entry(document, seen.loaded.subject, checked, actor)
        for document in _wanted(actor, seen, checked)[:MOST_DOCUMENTS]
    ]
    made = Checklist(
        seen.run.attempt.step,
        seen.run.attempt.n,
        checked.item,
        entries,
        of_values(checked.checks, checked.roots),
    )
    if not runs.words_of_event(actor, seen.run.workflow, seen.run.version, made.step, run=seen.run.id):
        made = _unsaid(made)
    if made.pending:
        _order(actor, seen, [entry.document.ref for entry in entries if entry.pending])
    elif shown:
        _note(actor, run_id, made)
    return made


def _unsaid(made: Checklist) -> Checklist:
    """The same without its sentences: they are made of what the reader may not see."""
    entries = [
        replace(entry, results=[replace(result, said="") for result in entry.results])
        for entry in made.entries
    ]
    return replace(made, entries=entries, values=[replace(result, said="") for result in made.values])


def _checked(actor: Actor, seen: Seen, item: str | None) -> Checked | None:
    run = seen.run
    if (
        run.current is None
        or seen.down is not None
        or run.unknown is not None
        or not may_work(actor, run, seen.definition)
    ):
        return None
    here = step_at(seen.definition, run)
    if here.by_hand or not getattr(here.view.config, "checks", ()):
        return None
    return here.kind.checked(
        here.view, context_of(actor, here, seen.record, log.now(), item=item if here.kind.by_items else None)
    )


def _wanted(actor: Actor, seen: Seen, checked: Checked) -> list[Document]:
    """The documents that are meant: files handed in under a name, files by themselves, or those that the record at hand names."""
    run = seen.run
    about = (run.collection, run.record)
    if checked.collection is not None and checked.key is not None:
        return named_papers.of_record(actor, run.id, about, checked.collection, checked.key)
    return named_papers.files_by_name(actor, run.id, about, checked.documents)


def _entry(document: Document, subject: str | None, checked: Checked, actor: Actor) -> Entry:
    if document.why_not:
        return Entry(document, why=f"{document.why_not}.")
    try:
        opened = content_of(actor, document.ref)
    except ConsoleError as error:
        return Entry(document, why=error.message)
    if opened.media_type not in files.DRAWN:
        return Entry(document, why=NO_PAGES if opened.content else EMPTY, sha256=opened.sha256)
    if subject is None:
        return Entry(document, why=NOBODY, sha256=opened.sha256)
    text = kept_text(opened, subject)
    return (
        Entry(document, pending=True, sha256=opened.sha256, awaited=len(checked.checks))
        if text is None
        else _results(replace(text, document=document), checked)
    )


def _results(text: Told, checked: Checked) -> Entry:
    results = check_results(checked.checks, checked.roots, text.facts, text.pages, text.document.title)
    known = text.document if text.document.pages else replace(text.document, pages=len(text.pages) or None)
    unread = next((page.why for page in text.pages if page.why), "") if not text.facts.read else ""
    return Entry(known, results, unread, sha256=text.sha256)


def _order(actor: Actor, seen: Seen, refs: Sequence[str]) -> None:
    """Have the documents read in the background, under the rights of who wants to see them; what is ordered already is not ordered again."""
    payload = json.dumps({"run": seen.run.id, "person": actor.id, "documents": sorted(refs)})
    mark = hashlib.sha256(payload.encode()).hexdigest()
    with transaction() as connection:
        jobs.enqueue(connection, jobs.READ, payload, dedupe_key=f"{jobs.READ}:{mark}")


def read_ordered(payload: str) -> None:
    """The job: read what somebody wants to see, and keep it. Who may not see it any more, and what is gone, is nothing to read."""
    order = json.loads(payload)
    actor = accounts.actor_of_person(order["person"], "sys:engine")
    try:
        for _ in read(actor, order["run"], only=order["documents"]):
            pass
    except NotFound:
        return


def _note(actor: Actor, run_id: str, made: Checklist) -> None:
    """Note what this person was shown, unless it is what they were shown before at this attempt."""
    body = made.to_json()
    mark = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def once() -> None:
        seen = see(actor, run_id)
        here = seen.run.attempt
        if (
            here is None
            or here.n != made.n
            or runs.already_recorded(seen.run, actor, "checks_shown", {"n": made.n, "digest": mark})
        ):
            return
        found: dict[str, Any] = {"n": here.n, "digest": mark, "results": _counted(body)}
        found |= {"item": made.item} if made.item is not None else {}
        record_reading(
            actor,
            seen,
            Event(
                "checks_shown", log.now(), found, {"checks": _kept(body)}, (here.step, here.attempt), actor.id
            ),
        )

    retried(once)


def _kept(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the log keeps: results and places, without the sentences, which may say values that later readers may not see."""
    plain = {
        "step": stored["step"],
        "item": stored["item"],
        "checks": [_silent(check) for check in stored["checks"]],
    }
    return plain | {
        "documents": [
            {**entry, "checks": [_silent(check) for check in entry["checks"]]}
            for entry in stored["documents"]
        ]
    }


def _silent(check: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in check.items() if name != "message"}


def _counted(stored: Mapping[str, Any]) -> dict[str, int]:
    """How many checks came to what: what may stand open in the log."""
    counts: dict[str, int] = {}
    for check in [*stored["checks"], *(check for entry in stored["documents"] for check in entry["checks"])]:
        counts[check["result"]] = counts.get(check["result"], 0) + 1
    return counts
