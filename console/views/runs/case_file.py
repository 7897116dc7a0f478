"""The case file of a run as a person takes it: a paper (PDF), or an archive that an outsider checks alone."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, request
from markupsafe import Markup

from console.activity import sequencing
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound
from console.core.plain_words import uncapitalised
from console.documents import Looked
from console.formats.sentences import cause_words
from console.infra import branding, settings
from console.monitoring import reports
from console.monitoring.reports import CaseFile
from console.runs.views import view
from console.views import assets, formats, frame, step_parts
from console.views.ai import case_questions
from console.views.formats import Look
from console.views.runs import page, source_links, steps_pane
from console.views.runs.block_papers import Papers
from console.views.runs.replayed_proposal import BECAME

blueprint = Blueprint("case_file", __name__, url_prefix="/runs")

READY_S = 5.0
EFFECTS = {"unknown": "outcome unknown", "failed": "not made", "requested": "under way"}
EMPTY: Mapping[str, Any] = dict.fromkeys(
    ("text", "content", "notes", "missing", "tables", "picks", "documents", "outcomes"), ()
)
"""The names of a step's screen that a part of it leaves out."""
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
    name = quote(_file_name(case, form), safe="")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{run_id}.{form}\"; filename*=UTF-8''{name}"
    )
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
    lines = [_line(case, attempt, context, look, papers) for attempt in run["attempts"]]
    decided = next((line for line in reversed(lines) if line["decides"]), None)
    base = settings.current().base_url or request.host_url.rstrip("/")
    drawn = frame.render(
        "case_file/page.html",
        context
        | {
            "title": title_of(case),
            "status": frame.status_badge(run["status"]),
            "decided": decided,
            "results": page.results(run, look, context["result_kinds"]),
            "open_points": _open_points(case, lines),
            "lines": _folded(_with_revisions(case, lines, look)),
            "found": _found_parts(lines, context),
            "approvals": [_approval(line, base) for line in case.approvals],
            "questions": [(each, case_questions.sentences(each)) for each in case.questions],
            "askers": accounts.names({each.person for each in case.questions}),
            "causes": [cause_words(cause, case.names) for cause in run["caused_by"]],
            "looked": [_document(case, each) for each in case.looked],
            "renamed": dict.fromkeys(pair for event in case.events for pair in event["sentence"].renamed),
            "events": case.events,
            "address": f"{base}{frame.run_url(run['id'])}",
            "signed_at": case.signed_at,
            "made_at": reports.made_at(case),
            "moment": lambda value: _moment(value, look),
            "zone": formats.place_words(look.zone),
            "who": lambda person: case.names.get(person, "a former colleague") if person else "",
        },
    )
    return styled(drawn)


def title_of(case: CaseFile) -> str:
    """Return what the case is called: its workflow, and its record."""
    return " – ".join(filter(None, (case.run["workflow"]["title"], case.record_title)))


def _file_name(case: CaseFile, form: str) -> str:
    """Return `KYC review – Sofia Almeida – 2026-11-29.pdf`: the day is that of the end, or of the newest event."""
    day = str(case.run["ended_at"] or case.events[-1]["createdAt"])[:10]
    plain = "".join(
        mark if mark.isprintable() and mark not in '/\\:*?"<>|' else " " for mark in title_of(case)
    )
    return f"{' '.join(plain.split())[:120]} – {day}.{form}"


def styled(drawn: str) -> str:
    """Return a page of paper with its style and fonts in it, and endless words broken."""
    parted = "".join(
        part if part.startswith("<") else _ENDLESS.sub(_breaking, part) for part in _TAG.split(drawn)
    )
    page_styled = parted.replace(
        "</head>", f"<style>{_style()}{branding.current().paper_sheet}</style></head>", 1
    )
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


def _line(
    case: CaseFile, attempt: Mapping[str, Any], context: Mapping[str, Any], look: Look, papers: Papers
) -> dict[str, Any]:
    """Return what the paper says of one attempt, with its screen as it was drawn (`drawn`, empty without one)."""
    about = (attempt["step"], attempt["attempt"])
    screen = case.screens.get(about) or {}
    labels = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    values, look = attempt["values"] or {}, frame.naming_of(screen, look)
    drawn = (
        page.step_context(
            screen, look, context["states_of"], answers=values, chosen=case.chosen.get(about), papers=papers
        )
        if screen
        else {}
    )
    done = attempt["status"] == "done"
    choice = case.chosen.get(about)
    answers = [
        box for box in drawn.get("boxes", ()) if box.value or values.get(box.source) not in (None, "", [])
    ]
    long = {field["name"] for field in screen.get("fields", ()) if field.get("type") == "long_text"}
    return {
        "title": attempt["title"],
        "item": (drawn.get("progress") or {}).get("title") or "",
        "state": steps_pane.STATE_WORDS[view.STATES[attempt["status"]]],
        "cancelled": attempt["status"] == "cancelled",
        "automatic": not screen and not attempt["by"] and attempt["status"] in ("done", "cancelled"),
        "decides": done and attempt["type"] == "decision" and labels.get(str(choice)) is not None,
        "by": case.names.get(attempt["by"], "a former colleague") if attempt["by"] else "",
        "entered_at": attempt["entered_at"],
        "at": _moment(attempt["completed_at"] or attempt["entered_at"], look),
        "by_hand": attempt["handled_manually"],
        "outcome": labels.get(str(choice)),
        "answers": answers,
        "why": [box for box in answers if box.source in long],
        "proposed": _proposed(case, about, screen, look),
        "effects": [
            each for each in attempt["effects"] if each["status"] in ("unknown", "failed", "requested")
        ],
        "drawn": drawn if done else {},
        "type": attempt["type"],
    }


def _proposed(
    case: CaseFile, about: tuple[str, int], screen: Mapping[str, Any], look: Look
) -> list[tuple[str, str, str]]:
    """Return (field, proposed value, what became of it) for each value that was proposed on the screen."""
    proposal = screen.get("proposal") or {}
    told = [
        each["data"]["proposal"]
        for each in case.events
        if (each["step"], each["attempt"]) == about and isinstance(each["data"].get("proposal"), Mapping)
    ]
    became = dict(told[-1].get("outcomes") or {}) if told else {}
    kinds = {field["name"]: formats.kind(field) for field in screen.get("fields", ())}
    made = [
        (kinds[each["name"]].label, formats.text(kinds[each["name"]], each["value"], look), each["name"])
        for each in proposal.get("fields") or ()
        if each["name"] in kinds and each.get("value") not in (None, "", [])
    ]
    labels = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    if proposal.get("outcome") is not None:
        made.append(
            ("Choice", labels.get(str(proposal["outcome"]), str(proposal["outcome"])), source_links.OUTCOME)
        )
    return [
        (label, value, BECAME[became[name]].label.lower() if became.get(name) in BECAME else "")
        for label, value, name in made
    ]


def _with_revisions(case: CaseFile, lines: Sequence[dict[str, Any]], look: Look) -> list[dict[str, Any]]:
    """Return the lines, and among them each revision with its reason, in the order of their moments."""
    revised = [
        {
            "revision": True,
            "title": next(
                (line["title"] for line, step in steps if step == event["data"].get("target_step")), ""
            ),
            "by": event["actor"]["name"] or "",
            "entered_at": event["createdAt"],
            "at": _moment(event["createdAt"], look),
            "reason": event["data"].get("reason") or "",
            "automatic": False,
        }
        for steps in [list(zip(lines, (each["step"] for each in case.run["attempts"]), strict=True))]
        for event in case.events
        if event["kind"] == "step_revised"
    ]
    return sorted([*revised, *lines], key=lambda line: str(line["entered_at"]))


def _open_points(case: CaseFile, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is left open: the step at hand, requests nobody answered, changes of unknown outcome, steps done by hand, documents nobody opened."""
    run, points = case.run, list[str]()
    if run["current"]:
        points.append(f"Not ended: at “{run['current']['title']}”")
    points += [f"Not decided: {line.label}" for line in case.approvals if line.approval.status == "open"]
    for line in lines:
        points += [
            f"{effect['summary']}: {EFFECTS[effect['status']]}"
            for effect in line["effects"]
            if not line["cancelled"]
        ]
        points += [f"Handled manually: {line['title']}"] if line["by_hand"] and not line["cancelled"] else []
    points += [
        f"{each.title}: {uncapitalised(each.words)}" for each in case.looked if not each.opened or each.never
    ]
    return list(dict.fromkeys(points))


def _found_parts(lines: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> list[Markup]:
    """Return the blocks and tables of the screens that count, each once: what has the same head counts as it was seen last."""
    found: dict[Any, Markup] = {}
    for line in lines:
        drawn = line["drawn"]
        blocks = [
            block
            for row in drawn.get("content") or ()
            for block in row.get("blocks") or [*row["left"], *row["right"]]
        ]
        parts = [
            *(
                (("block", block["block"], str(block["title"])), {"content": [{"blocks": [block]}]})
                for block in blocks
            ),
            *((("table", rows.label), {"tables": [rows]}) for rows in drawn.get("tables") or ()),
        ]
        if drawn and step_parts.has_own_part(line["type"], "body"):
            parts = [(("own", line["title"]), {**drawn, "step_kind": line["type"]})]
        for head, part in parts:
            key = (*head, line["item"])
            found.pop(key, None)
            found[key] = Markup(frame.render("case_file/found.html", {**context, **EMPTY, **part}))  # noqa: S704 (a template of ours)
    return list(dict.fromkeys(found.values()))


def _document(case: CaseFile, looked: Looked) -> dict[str, Any]:
    """Return a document with its picture as data and the SHA-256 of its file."""
    digest, picture = case.pictures.get(looked.ref, ("", b""))
    return {
        "title": looked.title,
        "pages": looked.pages,
        "words": f"{looked.status}. {looked.words}" if looked.status else looked.words,
        "sha256": digest,
        "picture": f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else "",
    }


def _folded(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines, automatic steps that follow each other as one line of their titles."""
    made: list[dict[str, Any]] = []
    for line in lines:
        if not line["automatic"]:
            made.append(line)
        elif made and "folded" in made[-1] and made[-1]["cancelled"] == line["cancelled"]:
            made[-1]["folded"].append(line["title"])
        else:
            made.append({"folded": [line["title"]], "cancelled": line["cancelled"]})
    return made


def _approval(line: Any, base: str) -> dict[str, Any]:
    """Return what the paper says of a request for approval, with its address."""
    approval = line.approval
    return {
        "label": line.label,
        "requester": line.requester_name,
        "at": approval.requested_at,
        "why": approval.why,
        "status": approval.status,
        "address": f"{base}/approvals/{line.id}",
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
