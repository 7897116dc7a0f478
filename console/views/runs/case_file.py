"""The case file of a run as a person takes it: a paper (PDF), or an archive that an outsider checks alone."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, make_response, request
from markupsafe import Markup

from console.activity import sequencing
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound
from console.formats.sentences import cause_words
from console.monitoring import reports
from console.monitoring.reports import CaseFile
from console.runs.views import view
from console.views import assets, formats, frame
from console.views.formats import Look
from console.views.runs import page, steps_pane
from console.views.runs.block_papers import Papers

blueprint = Blueprint("case_file", __name__, url_prefix="/runs")

READY_S = 5.0
_TAG = re.compile(r"(<[^>]*>)")
_ENDLESS = re.compile(r"[^\s&;]{101,}")
"""A word longer than any hash: WeasyPrint takes minutes to break it where it has to find the place itself."""
_PIECE = re.compile(r".{12}(?!$)")
_PICTURE = re.compile(r'<svg class="pic[^>]*>')
_NAME = re.compile(r'aria-label="([^"]*)"')


@blueprint.get("/<run_id>/case-file")
def take(run_id: str) -> Response:
    """Send the case file: `format` pdf (default) or zip."""
    form = request.args.get("format", "pdf")
    if form not in ("pdf", "zip"):
        raise NotFound
    return send_case_file(frame.actor(), run_id, form)


def send_case_file(actor: Actor, run_id: str, form: str) -> Response:
    """Return the case file as an attachment. An archive holds the paper too, or why there is none: the run is too long for one, or none can be drawn here."""
    case = reports.case_file(
        actor, run_id, form, ready=lambda: sequencing.head_asked_for(READY_S), with_documents=form == "zip"
    )
    if form == "pdf":
        reports.require_short(case)
        content = reports.paper(case, html(case, actor))
    else:
        content = reports.archive(case, _paper_or_why_not(case, actor))
    answer = make_response(content)
    answer.mimetype = f"application/{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{run_id}.{form}"'
    return answer


def _paper_or_why_not(case: CaseFile, actor: Actor) -> bytes | str:
    try:
        reports.require_short(case)
        return reports.paper(case, html(case, actor))
    except ConsoleError as none:
        return f"This archive holds no paper. {none.message}"


def html(case: CaseFile, actor: Actor) -> str:
    """Return the page of the paper. It refers to nothing outside: its style and fonts stand in it."""
    run, look = (
        case.run,
        replace(
            Look.of(actor),
            now=reports.made_at(case),
            people=case.names,
            accounts=accounts.AccountNames(),
            lasting=True,
        ),
    )
    papers = Papers(actor, run, run["last_event"])
    context = page.context_of_run(run, case.record_title, "", case.then) | {
        "ending": formats.label_of(str(run["ending"])) if run["ending"] else "",
        "read_only": True,
        "mode": "look",
        "icon": lambda *_: "",
        "block_sheets": lambda _: (),
    }
    drawn = frame.render(
        "case_file/page.html",
        context
        | {
            "title": f"{run['workflow']['title']}, {case.record_title}"
            if case.record_title
            else run["workflow"]["title"],
            "status": frame.status_badge(run["status"]),
            "results": page.results(run, look, context["result_kinds"]),
            "sections": _folded(
                _section(case, attempt, context, look, papers) for attempt in run["attempts"]
            ),
            "approvals": [_approval(line) for line in case.approvals],
            "causes": [cause_words(cause, case.names) for cause in run["caused_by"]],
            "looked": case.looked,
            "events": case.events,
            "renamed": _marked_once(case.events),
            "signed_at": case.signed_at,
            "made_at": reports.made_at(case),
            "moment": lambda value: _moment(value, look),
            "zone": formats.place_words(look.zone),
            "who": lambda person: case.names.get(person, "a former colleague") if person else "",
        },
    )
    return styled(drawn)


def styled(drawn: str) -> str:
    """Return a page of paper with its style and fonts in it, and endless words broken."""
    parted = "".join(
        part if part.startswith("<") else _ENDLESS.sub(_breaking, part) for part in _TAG.split(drawn)
    )
    page_styled = parted.replace("</head>", f"<style>{_style()}</style></head>", 1)
    return _PICTURE.sub(_explained, page_styled)


def _explained(picture: re.Match[str]) -> str:
    """Return the head of a picture with its style and, for who has the paper read aloud, its name."""
    name = _NAME.search(picture[0])
    return f"{picture[0]}<title>{name[1] if name else 'Drawn from the figures beside it'}</title><style>{_picture_style()}</style>"


def _breaking(word: re.Match[str]) -> str:
    return _PIECE.sub("\\g<0>&#8203;", word[0])


def _moment(value: Any, look: Look) -> str:
    """Return a moment in the reader's zone, which the paper names once."""
    at = formats.moment_of(value)
    return formats.times.worded(at, "d MMM y, HH:mm:ss", look) if at is not None else ""


def _section(
    case: CaseFile, attempt: Mapping[str, Any], context: Mapping[str, Any], look: Look, papers: Papers
) -> dict[str, Any]:
    """Return what the paper says of one attempt: its title and outcome, its screen, and what was answered."""
    screen = case.screens.get((attempt["step"], attempt["attempt"])) or {}
    labels = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    values, look = attempt["values"] or {}, frame.naming_of(screen, look)
    drawn = (
        page.step_context(
            screen,
            look,
            context["states_of"],
            answers=values,
            chosen=case.chosen.get((attempt["step"], attempt["attempt"])),
            papers=papers,
        )
        if screen
        else {}
    )
    return {
        "title": attempt["title"],
        "state": steps_pane.STATE_WORDS[view.STATES[attempt["status"]]],
        "cancelled": attempt["status"] == "cancelled",
        "automatic": not screen and not attempt["by"] and attempt["status"] == "done",
        "by": case.names.get(attempt["by"], "a former colleague") if attempt["by"] else "",
        "at": _moment(attempt["completed_at"] or attempt["entered_at"], look),
        "by_hand": attempt["handled_manually"],
        "outcome": labels.get(str(attempt["outcome"])),
        "body": Markup(  # noqa: S704 (a template of ours)
            frame.render("case_file/step.html", {**context, **drawn, "step_kind": attempt["type"]})
        )
        if drawn
        else "",
        "answers": [
            box for box in drawn.get("boxes", ()) if box.value or values.get(box.source) not in (None, "", [])
        ],
    }


def _marked_once(events: Iterable[Mapping[str, Any]]) -> dict[int, list[tuple[str, str]]]:
    """Return number of an event → the names in its sentence that are others today, each where it stands first."""
    seen: set[tuple[str, str]] = set()
    marked = {}
    for event in events:
        marked[event["n"]] = [pair for pair in event["sentence"].renamed if pair not in seen]
        seen.update(marked[event["n"]])
    return marked


def _folded(sections: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sections, automatic steps that follow each other as one line of their titles."""
    made: list[dict[str, Any]] = []
    for section in sections:
        if not section["automatic"]:
            made.append(section)
        elif made and "folded" in made[-1]:
            made[-1]["folded"].append(section["title"])
        else:
            made.append({"folded": [section["title"]]})
    return made


def _approval(line: Any) -> dict[str, Any]:
    """Return what the paper says of a request for approval."""
    approval = line.approval
    return {
        "label": line.label,
        "requester": line.requester_name,
        "at": approval.requested_at,
        "why": approval.why,
        "status": approval.status,
        "votes": [
            {
                "who": line.names.get(vote.by, "a former colleague"),
                "yes": vote.decision == "approve",
                "at": vote.at,
                "reason": vote.reason,
            }
            for vote in approval.decided
        ],
    }


@lru_cache(maxsize=1)
def _style() -> str:
    """Return the style of the paper, with its font in it."""
    font = base64.b64encode((assets.STATIC / assets.FONT).read_bytes()).decode()
    face = f'@font-face {{ font-family: Inter; font-weight: 400 700; src: url("data:font/woff2;base64,{font}") }}'
    return "\n".join(
        [
            face,
            *((assets.STATIC / sheet).read_text() for sheet in ("css/case-file.css", "css/blocks/paper.css")),
        ]
    )


@lru_cache(maxsize=1)
def _picture_style() -> str:
    """Return the style of the pictures of blocks: WeasyPrint looks for it in each of them."""
    return (assets.STATIC / "css/blocks/paper-picture.css").read_text()
