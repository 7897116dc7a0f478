"""The case file of a run: the run as its reader may see it, every event, and the documents that came with it. That it was made is an event."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from console import documents, log, runs
from console.core.actor import Actor
from console.documents import Looked
from console.errors import Invalid, NotFound, TooMany
from console.files.confined import Busy, Confined
from console.runs.changing import attachments

PAGE = 100
MOST_LINES = 1_000
TOO_LONG = "This run is too long for a paper. Take the archive (format=zip): it holds all of it."

_press = Confined(Path(__file__).with_name("press.py"), memory=2 << 30, cpu_s=50, seconds=60.0, at_once=1)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What stands in a case file: the run and its events in the shapes of the API, the files by name, and which pages of which documents were opened."""

    run: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    documents: Sequence[tuple[str, bytes]]
    looked: Sequence[Looked] = ()


def case_file(actor: Actor, run_id: str, form: str, *, with_documents: bool = True) -> CaseFile:
    """The case file of a run, its making noted. Raises NotFound where the actor may not see the run."""
    run = runs.get(actor, run_id, most=None).json
    events: list[Mapping[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page, after = runs.events(actor, run_id, limit=PAGE, after=after)
        events += page
    looked = documents.looked_at(actor, run_id)
    found = attachments.files_of_draft(actor, run_id)
    kept = (
        [] if not with_documents else [(f"{number:03d}-{_plain(one.name)}", _content(actor, one.id)) for number, one in enumerate(found, 1)]
    )
    told = {"run": run_id, "format": form, "events": len(events), "documents": len(kept)}
    log.note(actor, "case_file_made", open=told, team=str(run["team"]) or None, collection=run["collection"], record=None)
    return CaseFile(run, events, kept, looked)


def archive(case: CaseFile) -> bytes:
    """A zip archive: `run.json`, `events.jsonl` (one event a line, oldest first), the files in `documents/`, and in `opened.json` which pages were opened."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("run.json", json.dumps(case.run, ensure_ascii=False, indent=2))
        made.writestr("events.jsonl", "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in case.events))
        for name, content in case.documents:
            made.writestr(f"documents/{name}", content)
        made.writestr("opened.json", json.dumps([one.to_json() for one in case.looked], ensure_ascii=False, indent=2))
    return out.getvalue()


def paper(case: CaseFile) -> bytes:
    """The case file as PDF, drawn by a process of its own that reads nothing but what it is handed.

    Raises Invalid for a run that is too long for a paper, TooMany while another is drawn.
    """
    if len(case.events) + len(case.run["attempts"]) > MOST_LINES:
        raise Invalid(TOO_LONG, code="too_long", details=[{"field": "format", "reason": "Ask for zip."}])
    try:
        made = _press.ask(_page(case).encode("utf-8", "replace"))
    except Busy:
        raise TooMany("Another case file is being drawn. Try again in a moment.", retry_after=5) from None
    except TimeoutError:
        raise Invalid(TOO_LONG, code="too_long") from None
    if not made.startswith(b"%PDF"):
        raise Invalid("The paper could not be drawn here. Take the archive (format=zip): it holds the same.", code="no_paper")
    return made


def _content(actor: Actor, file_id: str) -> bytes:
    """The bytes of a file, its taking noted; a line about it where they are gone."""
    try:
        return documents.download(actor, file_id).content
    except NotFound:
        return b"This file is gone.\n"


def _plain(name: str) -> str:
    """A name that is no path on any system."""
    return "".join(mark if mark.isalnum() or mark in " .-_()" else "_" for mark in name).strip(". ")[:120] or "file"


STYLE = """
@page { size: A4; margin: 18mm 16mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }
body { font: 9.5pt/1.5 "DejaVu Sans", sans-serif } h1 { font-size: 16pt; margin: 0 0 2mm } h2 { font-size: 11.5pt; margin: 7mm 0 2mm }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: 1.2mm 2mm; border-bottom: .4pt solid #999; overflow-wrap: anywhere }
th { font-weight: normal; color: #555 } .struck td { text-decoration: line-through; color: #666 }
"""


def _page(case: CaseFile) -> str:
    """The paper as HTML; every value is text in it."""
    run = case.run
    head = {
        "Run": run["id"],
        "Workflow": f"{run['workflow']['title']}, version {run['version']}",
        "Record": f"{run['collection'] or ''} {run['record'] or ''}".strip() or "none",
        "Team": run["team"],
        "Status": f"{run['status']}{', ' + run['ending'] if run['ending'] else ''}",
        "Begun": run["created_at"],
        "Ended": run["ended_at"] or "not yet",
        "Reason": run["reason"] or "",
    }
    attempts = "".join(
        _row(
            [each["title"], each["attempt"], each["status"], each["by"] or "", each["outcome"] or "", _values(each["values"])],
            struck=each["status"] == "cancelled",
        )
        for each in run["attempts"]
    )
    looked = "".join(_row([one.title, one.pages or "", one.words]) for one in case.looked)
    papers = f"<h2>Documents</h2><table><tr><th>Document</th><th>Pages</th><th>Opened</th></tr>{looked}</table>" if looked else ""
    events = "".join(_row([event["n"], event["createdAt"], event["sentence"]]) for event in case.events)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(run["id"])}</title><style>{STYLE}</style></head><body>'
        f"<h1>{escape(run['workflow']['title'])}</h1><table>{''.join(_row([name, value]) for name, value in head.items() if value)}</table>"
        f"<h2>Steps</h2><table><tr><th>Step</th><th>Attempt</th><th>Status</th><th>By</th><th>Outcome</th><th>Values</th></tr>{attempts}</table>{papers}"
        f"<h2>Events</h2><table><tr><th>n</th><th>When</th><th>What</th></tr>{events}</table></body></html>"
    )


def _row(cells: Sequence[Any], *, struck: bool = False) -> str:
    return f"<tr{' class=struck' if struck else ''}>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _values(values: Mapping[str, Any] | None) -> str:
    return "; ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in (values or {}).items()
    )
