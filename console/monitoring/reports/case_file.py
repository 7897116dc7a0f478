"""The case file of a run: the run as its reader may see it, what was on its screens, the documents that came with it, and the proof of its events.

As a paper (PDF) and as an archive. That it was made is an event.
"""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from console import browse, documents, log, runs, workflows
from console.activity import exports
from console.ai import cases
from console.ai.cases import Question
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, Invalid, NotFound, TooMany
from console.documents import Looked
from console.formats.spreadsheets import escape_formula
from console.infra.files.confined_process import Busy, Confined
from console.log import bundle
from console.runs.commands import attachments
from console.runs.views import replay
from console.runs.views.screens import Screen
from console.work import approvals

PAGE = 100
MOST_LINES = 1_000
MOST_PICTURES = 12
TOO_LONG = "This run is too long for a paper. Take the archive (format=zip): it holds all of it."
TOO_SLOW = "The paper was not done within a minute. Try again when less is going on here, or take the archive (format=zip): it holds all of it."
PAPER, NO_PAPER, PROOFS, EVENTS = "case-file.pdf", "case-file.txt", "proofs.zip", "events.csv"

_press = Confined(
    Path(__file__).with_name("pdf_process.py"),
    memory=2 << 30,
    cpu_s=50,
    seconds=60.0,
    at_once=1,
    writes=1 << 20,
)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What stands in a case file. `run` and `events` are in the shapes of the API; `screens` by (step, attempt) as they were last shown, `chosen` what was chosen there, `then` collections as they were called at the end; `documents` by name, and
    `looked` which of their pages were opened, `pictures` (SHA-256 of the file, first page as a PNG) by their reference; `proofs` are files of an export by name, which lead to a head of the log signed at `signed_at`:
    none, and None, while no head has all of the run.
    """

    run: Mapping[str, Any]
    record_title: str
    names: Mapping[str, str]
    events: Sequence[Mapping[str, Any]]
    screens: Mapping[tuple[str, int], Screen]
    approvals: Sequence[approvals.Line]
    documents: Sequence[tuple[str, bytes]]
    proofs: Sequence[tuple[str, bytes]]
    signed_at: datetime | None
    looked: Sequence[Looked] = ()
    chosen: Mapping[tuple[str, int], str] = field(default_factory=dict)
    then: Mapping[str, Collection] = field(default_factory=dict)
    pictures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    questions: Sequence[Question] = ()


def case_file(
    actor: Actor, run_id: str, form: str, *, ready: Callable[[], object], with_documents: bool = True
) -> CaseFile:
    """The case file of a run, its making noted. `ready` brings the signed head of the log up to now, if it does not have all of the run yet.

    Raises NotFound where the actor may not see the run.
    """
    view = runs.replay(actor, run_id)
    run = view.json["run"]
    events: list[Mapping[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page, after = runs.events(actor, run_id, limit=PAGE, after=after)
        events += page
    export, signed_at = exports.of_run(actor, run_id, run["last_event"], ready=ready) or (None, None)
    proofs = [(name, b"".join(parts)) for name, parts in export.files()] if export else []
    looked = documents.opened_documents(actor, run_id)
    found = attachments.files_of_draft(actor, run_id) if with_documents else []
    kept = [
        (f"{number:03d}-{_plain(file.name)}", _content(actor, file.id))
        for number, file in enumerate(found, 1)
    ]
    noted = {"run": run_id, "format": form, "events": len(events), "documents": len(kept)}
    about = browse.about_reference((run["collection"], run["record"]) if run["record"] is not None else None)
    log.note(actor, "case_file_made", open=noted, team=str(run["team"]) or None, **about)
    asked_for = approvals.find(actor, {"run": run_id}, limit=PAGE).lines
    screens = replay.screens_shown(actor, run_id)
    return CaseFile(
        run,
        view.run.record_title,
        view.run.names,
        events,
        screens,
        asked_for,
        kept,
        proofs,
        signed_at,
        looked,
        view.run.chosen,
        view.run.then,
        {each.ref: _picture(actor, each.ref) for each in looked[:MOST_PICTURES]},
        _questions(actor, view.run),
    )


def _questions(actor: Actor, run: runs.RunView) -> Sequence[Question]:
    """What was asked about the run, where its workflow wants that here. An answer says what its asker could see: who sees less of the run gets none."""
    document = workflows.version(run.json["workflow"]["id"], run.json["version"]).document
    wanted = document.settings.questions_in_case_file and not run.masked
    return cases.asked_of_run(actor, run.json["id"]) if wanted else ()


def _picture(actor: Actor, ref: str) -> tuple[str, bytes]:
    try:
        return documents.first_page(actor, ref)
    except (ConsoleError, OSError):
        return "", b""


def archive(case: CaseFile, drawn: bytes | str) -> bytes:
    """A zip archive that `verify.py` in it checks: the run's events, values and proofs, its documents by their SHA-256, and to read the paper
    `drawn` (a text: why there is none), `run.json` and in `opened.json` which pages were opened.
    """

    def files() -> Iterator[tuple[str, Iterable[bytes]]]:
        yield (NO_PAPER, [f"{drawn}\n".encode()]) if isinstance(drawn, str) else (PAPER, [drawn])
        for name, content in case.proofs:
            yield name, [content]
        listed = [(f"documents/{name}", content) for name, content in case.documents]
        lines = [{"file": name, "sha256": hashlib.sha256(content).hexdigest()} for name, content in listed]
        yield (
            "documents.jsonl",
            [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines],
        )
        for name, content in listed:
            yield name, [content]
        yield "run.json", [json.dumps(case.run, ensure_ascii=False, indent=2).encode()]
        yield (
            "opened.json",
            [json.dumps([looked.to_json() for looked in case.looked], ensure_ascii=False, indent=2).encode()],
        )

    return b"".join(bundle.zipped(files(), made_at(case)))


def made_at(case: CaseFile) -> datetime:
    """The moment that the files of a case bear: that of the signed head, else of the newest event. It is the same for the same case."""
    return case.signed_at or datetime.fromisoformat(case.events[-1]["createdAt"])


def require_short(case: CaseFile) -> None:
    """Raise Invalid for a run that is too long for a paper."""
    if len(case.events) + len(case.run["attempts"]) > MOST_LINES:
        raise Invalid(TOO_LONG, code="too_long", at=("format", "Ask for zip."))


def paper(case: CaseFile, page: str) -> bytes:
    """The case file as PDF/A-3 and PDF/UA-1 with its events and their proofs attached, drawn by a process of its own that reads nothing but what it is handed.

    `page` is its HTML. The same page and proofs give the same bytes. Raises Invalid where it cannot be drawn, TooMany while another is drawn.
    """
    attached = {EVENTS: _events_csv(case)}
    if case.proofs:
        proofs = ((name, [content]) for name, content in case.proofs)
        attached[PROOFS] = b"".join(bundle.zipped(proofs, made_at(case)))
    return pressed(page, made_at(case), attached)


def _events_csv(case: CaseFile) -> bytes:
    """Every event, the oldest first: its number, its moment in UTC, and its sentence."""
    made = io.StringIO()
    lines = csv.writer(made)
    lines.writerow(["No.", "At (UTC)", "What"])
    lines.writerows(
        [each["n"], each["createdAt"], escape_formula(str(each["sentence"]))] for each in case.events
    )
    return made.getvalue().encode()


def pressed(page: str, at: datetime, attached: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """The PDF of a page of HTML that bears the moment `at`, with files `attached` by name. Raises as `paper`."""
    files = {name: base64.b64encode(content).decode() for name, content in attached.items()}
    order = {"page": page, "attached": files, "at": log.body.moment(at)}
    try:
        made = _press.ask(json.dumps(order).encode("utf-8", "replace"))
    except Busy:
        raise TooMany("Another paper is being drawn. Try again in a moment.", retry_after=5) from None
    except TimeoutError:
        raise Invalid(TOO_SLOW, code="too_slow") from None
    if not made.startswith(b"%PDF"):
        raise Invalid(
            "The paper could not be drawn here. Take the other format: it holds the same.", code="no_paper"
        )
    return made


def _content(actor: Actor, file_id: str) -> bytes:
    """The bytes of a file, its taking noted; a line about it where they are gone."""
    try:
        return documents.download(actor, file_id).content
    except NotFound:
        return b"This file is gone.\n"


def _plain(name: str) -> str:
    """A name that is no path on any system."""
    return (
        "".join(mark if mark.isalnum() or mark in " .-_()" else "_" for mark in name).strip(". ")[:120]
        or "file"
    )
