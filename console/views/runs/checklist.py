"""The checklist beside a form: the results of document checks, each with a link to the page where it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from console import documents, runs
from console.core.papers.document_checks import Place, Result
from console.core.papers.pages import Box, bounding_box
from console.documents import Checklist, Entry
from console.views import formats, frame

blueprint = Blueprint("checks", __name__, url_prefix="/runs")

WORDS = {"pass": "Passes", "fail": "Fails", "unsure": "Look yourself", "not_applicable": "Does not apply"}
ICONS = {"pass": "circle-check", "fail": "alert-triangle", "unsure": "eye", "not_applicable": "minus"}
TITLE = "Checked by rule"
POLL_S = 1.5
MOST_BOXES = 8


@dataclass(frozen=True, slots=True)
class Way:
    """A link to a page of a document."""

    page: int
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """A check, ready to be rendered. `ways` link to the pages where it was found."""

    label: str
    outcome: str
    word: str
    icon: str
    said: str
    ways: Sequence[Way] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A document with its lines; `href` opens it. The part without a document has no title. While it is read, `awaited` lines keep their place."""

    title: str
    lines: Sequence[Line]
    href: str = ""
    why: str = ""
    pending: bool = False
    awaited: int = 0


@blueprint.get("/<run_id>/checks")
def show(run_id: str) -> Response:
    """Show the checklist of the open step. If there is none for this reader, show where the run stands."""
    item = request.args.get("item")
    made = documents.checklist(frame.actor(), run_id, item)
    if made is None:
        return _moved_on(run_id)
    part = frame.dom_id(request.args["part"]) if "part" in request.args else None
    again = frame.run_url(run_id, "checks", item=item, part=part) if made.pending else None
    context = {
        "title": TITLE,
        "run_href": frame.run_url(run_id),
        "run_title": runs.title(frame.actor(), run_id),
    }
    return frame.page(
        "checks/page.html",
        context
        | checklist_context(made.to_json(), _parts(run_id, made))
        | {"again": again, "checks_id": part or "checks"},
        blocks={"*": "checks"},
    )


def _moved_on(run_id: str) -> Response:
    """Show where the run stands now: an old link or form still asked for a checklist."""
    run = runs.get(frame.actor(), run_id, shown=False).json
    current = run["current"]
    context = {
        "title": TITLE,
        "run_href": frame.run_url(run_id),
        "run_title": runs.title(frame.actor(), run_id),
        "replay_href": frame.run_url(run_id, "replay"),
        "going": current is not None,
        "where": f"The run stands at “{current['title']}”."
        if current
        else f"The run has ended: {frame.status_badge(run['status']).label}.",
    }
    return frame.page("checks/over.html", context, blocks={"checks": "checks"}, status=409)


def checklist_context(checklist: dict[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    """Return what the checklist draws; `told` is the stored result."""
    checks = [*checklist["checks"], *(check for entry in checklist["documents"] for check in entry["checks"])]
    counts = {name: sum(check["result"] == name for check in checks) for name in WORDS}
    counted = [
        f"{counts['pass']} passed" if counts["pass"] else "",
        f"{counts['fail']} failed" if counts["fail"] else "",
    ]
    counted.append(f"{counts['unsure']} for you to look at" if counts["unsure"] else "")
    summary = ", ".join(part for part in counted if part)
    return {"parts": parts, "summary": summary, "counts": counts, "poll_s": POLL_S}


def past_checklist(checklist: dict[str, Any]) -> dict[str, Any]:
    """Return what the checklist of a past screen draws, from the log: results and pages without links."""
    parts = [Part("", _kept_lines(checklist["checks"]))] if checklist["checks"] else []
    parts += [
        Part(entry["title"], _kept_lines(entry["checks"]), why=entry["message"] or "")
        for entry in checklist["documents"]
    ]
    return checklist_context(checklist, parts)


def _kept_lines(checks: Sequence[Mapping[str, Any]]) -> list[Line]:
    order = ("fail", "unsure", "pass")
    applying = sorted(
        (check for check in checks if check["result"] in order), key=lambda line: order.index(line["result"])
    )
    return [
        Line(
            line["label"],
            line["result"],
            WORDS[line["result"]],
            ICONS[line["result"]],
            _where(line["places"]),
        )
        for line in applying
    ]


def _where(places: Sequence[Mapping[str, Any]]) -> str:
    """Return in words on which pages it was found."""
    pages = sorted({place["page"] for place in places})
    return f"Seen on page{'' if len(pages) == 1 else 's'} {', '.join(map(str, pages))}" if pages else ""


def _parts(run_id: str, made: Checklist) -> list[Part]:
    parts = [Part("", _lines(run_id, "", made.values, made.item))] if made.values else []
    return parts + [_part(run_id, entry, made.item) for entry in made.entries]


def _part(run_id: str, entry: Entry, item: str | None) -> Part:
    ref = entry.document.ref
    href = "" if entry.document.why_not else document_address(run_id, ref, item=item)
    return Part(
        entry.document.title,
        _lines(run_id, ref, entry.results, item),
        href,
        entry.why,
        entry.pending,
        entry.awaited,
    )


def _lines(run_id: str, ref: str, results: Sequence[Result], item: str | None) -> list[Line]:
    """Return the checks that apply: failed ones first, then those that a person must look at."""
    order = ("fail", "unsure", "pass")
    look = frame.look()
    applying = sorted(
        (result for result in results if result.outcome in order),
        key=lambda result: order.index(result.outcome),
    )
    return [
        Line(
            check.label,
            check.outcome,
            WORDS[check.outcome],
            ICONS[check.outcome],
            formats.in_words(check.said, look),
            _ways(run_id, ref, check.places, item),
        )
        for check in applying
    ]


def _ways(run_id: str, ref: str, places: Sequence[Place], item: str | None) -> list[Way]:
    """Return one link for each page, with all findings on it framed."""
    by_page: dict[int, list[Box]] = {}
    for place in places:
        by_page.setdefault(place.page, []).append(place.box)
    return [
        Way(page, document_address(run_id, ref, page=page, boxes=boxes, item=item))
        for page, boxes in sorted(by_page.items())
    ]


def document_address(
    run_id: str, ref: str, *, page: int | None = None, boxes: Sequence[Box] = (), item: str | None = None
) -> str:
    """Return the address of a document beside the form, with these parts of the page framed."""
    return frame.run_url(
        run_id, tab="documents", doc=ref, page=page, box=boxes_text(boxes) or None, item=item
    )


def boxes_text(boxes: Sequence[Box]) -> str:
    """Return boxes for an address: thousandths `left-top-right-bottom`, separated by spaces. Too many become one box around them all."""
    few = boxes if len(boxes) <= MOST_BOXES else [bounding_box(boxes)]
    return " ".join("-".join(str(round(1000 * edge)) for edge in box) for box in few)
