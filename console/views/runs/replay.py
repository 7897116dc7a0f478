"""A run as it was after any event, in the same panes, read-only. The page has only links and no commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from console import browse, documents, runs, workflows
from console.core.errors import NotFound
from console.core.forms import BUTTONS
from console.core.run import FINAL
from console.runs import ReplayView, RunView, Today
from console.views import blocks, formats, frame
from console.views.formats import Look, Named
from console.views.runs import (
    blocks_since,
    checklist,
    consequences,
    form_boxes,
    page,
    panes,
    replayed_proposal,
    sources,
    steps_pane,
    then_and_now,
)
from console.views.runs.block_papers import Papers
from console.views.runs.form_boxes import Box
from console.views.work import approvals

blueprint = Blueprint("replay", __name__, url_prefix="/runs")

PAUSE_S = 3600  # longer pauses are drawn as a gap
MOST_TICKS = 60  # what fits beside each other on a wide screen
NEAR = 12  # events on each side that always get a tick
GONE = {
    "erased": "What was on the screen here was erased.",
    "expired": "What was on the screen here was kept for its time, and is gone.",
}
"""What stands in place of a screen, by why it can be opened no more."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One event on the scrubber. `pause` is the time since the event before, in words, or empty."""

    n: int
    href: str
    sentence: str
    when: str
    tone: str
    decision: bool
    here: bool
    pause: str = ""


@blueprint.get("/<run_id>/replay")
def show(run_id: str) -> Response:
    """Show the run after event `at` (default: the first). An unknown event is 404."""
    at = place()
    view = runs.replay(frame.actor(), run_id, 1 if at is None else at)
    if (steps := steps_pane.unfolding(view.run, frame.look(), at=view.at)) is not None:
        return steps
    context = replay_context(view, request.args.get("since") == "1", frame.look())
    context["looked"] = documents.opened_documents(frame.actor(), run_id, view.at)
    context["checked"] = _checked(run_id, view)
    context["asked"] = _past_request(view)
    if view.parts and not context["asked"]:
        context |= _gathered(view, context, request.args.get("since") == "1")
    return frame.page("replay/page.html", context, blocks={"replay": "replay"})


def _checked(run_id: str, view: ReplayView) -> dict[str, Any] | None:
    """Return the checklist that was beside the form; None if there was none."""
    screen = view.run.screen or {}
    if not screen.get("checks"):
        return None
    checks = documents.checks_then(
        frame.actor(),
        run_id,
        screen["step"],
        screen["attempt"],
        view.at,
        item=(screen.get("progress") or {}).get("key"),
    )
    return checklist.past_checklist(checks) if checks else None


def _gathered(view: ReplayView, context: Mapping[str, Any], since: bool) -> dict[str, Any]:
    """Return a screen of several steps, or of the items of a list: each drawn as a part of it, and what all of them do."""
    who, run_id, drawn, does = frame.actor(), str(view.run.json["id"]), list[Markup](), list[Any]()
    for number, part in enumerate(view.parts):
        then = view if part.drawn == view.at else runs.replay(who, run_id, part.drawn)
        own = replay_context(then, since, frame.look()) | {"checked": _checked(run_id, then)}
        title = (own["progress"] or {}).get("title") or own["step_title"]
        own["boxes"] = [
            replace(box, id=f"{box.id}-{number}", name=f"{number}.{box.name}")
            for box in form_boxes.without_buttons(own["boxes"])
        ]
        does += own["consequences"]
        part_of = {
            "part": title,
            "part_id": frame.dom_id("part", str(number)),
            "checks_id": frame.dom_id("checks", str(number)),
        }
        drawn.append(Markup(frame.render("replay/step.html", own | part_of)))  # noqa: S704 (a template of ours)
    first, last = view.parts[0].first, view.parts[-1].last
    moves = {
        "previous": _address(run_id, first - 1, since) if first > 1 else None,
        "next": _address(run_id, last + 1, since) if last < view.last else None,
    }
    screen = workflows.version(view.run.json["workflow"]["id"], view.run.json["version"]).document.screen_of(
        str(view.run.json["current"]["step"])
    )
    return {
        "gathered": drawn,
        "consequences": does,
        "buttons": None,
        "step_title": screen.title if screen is not None else context["step_title"],
        "button": own["button"],
        "pressed": own["pressed"],
        "moves": {**context["moves"], **moves},
        "events": [tick for tick in context["ticks"] if first <= tick.n <= last],
    }


def _past_request(view: ReplayView) -> Markup | None:
    """Return the request for approval that the event is about, where no screen of a step was shown to who acted."""
    event = view.json["event"]
    seen = event["kind"] != "approval_decided" and view.run.screen
    if seen or "approval" not in event["data"]:
        return None
    at = formats.moment_of(event["createdAt"])
    return approvals.asked_at(event["data"]["approval"], at) if at is not None else None


def place() -> int | None:
    """Return the event number in the address; None if there is none."""
    given = request.args.get("at")
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 9:
        raise NotFound("This run has no such event.")
    return int(given)


def replay_context(view: ReplayView, since: bool, look: Look) -> dict[str, Any]:
    """Return everything that the page of a replay draws."""
    at = view.at
    run, screen = view.run.json, view.run.screen or {}
    look = replace(
        frame.naming_of(screen, look),
        people=view.run.names,
        now=formats.moment_of(view.json["event"]["createdAt"]) or look.now,
    )
    record = screen.get("record")
    answered = _answers(view.run, screen, view.json["event"])
    now = view.now_values if since else None
    today = runs.rows_today(frame.actor(), screen) if since else None
    look = _naming_today(screen, now, today, look)
    look = replace(look, renamed=_renamed(look)) if since else look
    context = page.run_context(view.run) | _titles(view, screen)
    context |= page.step_context(
        screen,
        look,
        context["states_of"],
        answers=answered["values"],
        chosen=answered["outcome"],
        papers=Papers(frame.actor(), run, at),
        today=today,
    )
    changed_blocks = blocks_since.since(screen.get("content") or (), view.blocks_today, look) if since else {}
    _mark(context["content"], changed_blocks)
    context["boxes"] = [
        _since(box, screen, answered["values"], _today_of(screen, view, today), look)
        for box in context["boxes"]
    ]
    if view.run.ending:
        context["content"] = blocks.draw_blocks(
            map(dict, view.run.ending), look, papers=Papers(frame.actor(), run, at)
        )
    past = replayed_proposal.replayed_proposal(view, screen, look)
    context |= {"hindsight": past, "became": (past.fields if past else None) or {}}
    context |= band(view, lambda n: _address(run["id"], n, since))
    context["renamed"] = then_and_now.renamed(view, screen) if since else ()
    context["sections"] = (
        panes.sections(record, look, now, context["states_of"].get(record["collection"])) if record else []
    )
    context["changed"] = _changes(context) + sum(map(len, changed_blocks.values())) if since else 0
    context["changed"] += bool(context["renamed"])
    return context | {
        "status": frame.status_badge(run["status"], run["holder"], run["holder"], view.run.names),
        **steps_pane.steps_context(view.run, look, at=at),
        "twin": {
            "label": "Picture",
            "icon": "route",
            "href": frame.run_url(run["id"], "picture", at=view.at),
        },
        "since": since,
        "since_href": _address(run["id"], at, not since),
        "record": record,
        "record_kind": view.run.collection_label,
        "record_number": panes.number_of(record),
        "consequences": consequences.consequences(screen, look, answered["outcome"]),
        "button": str(screen.get("button") or "Done"),
        "buttons": next((box for box in context["boxes"] if box.control == BUTTONS), None),
        "pressed": answered["pressed"],
        "ended": run["status"] in FINAL,
        "gone": GONE.get(view.gone, ""),
        "gave": []
        if screen
        else sources.given_by(view.run, frame.actor(), look, str(view.json["event"]["step"] or "")),
        "results": page.results(run, look, context["result_kinds"]),
        "read_only": True,
        "mode": "form",
        "strip": None,
        "choice": None,
        "can": frozenset(),
    }


def _mark(rows: Sequence[dict[str, Any]], changed: Mapping[int, Sequence[blocks_since.Since]]) -> None:
    """Put beside each block what it shows otherwise today."""
    for block in (block for row in rows for column in row.values() for block in column):
        block["since"] = changed.get(block["at"], ())


def band(view: ReplayView, address: Callable[[int], str]) -> dict[str, Any]:
    """Return the band above a replay: the present event and the addresses of the others."""
    return {
        "at": view.at,
        "last": view.last,
        "event": view.json["event"],
        "happened": formats.worded(
            datetime.fromisoformat(view.json["event"]["createdAt"]), "d MMM y, HH:mm:ss", frame.look()
        ),
        "renamed": (),
        "ticks": ticks(
            view.ticks,
            view.at,
            address,
            frame.look(),
            f"{view.run.json['workflow']['title']} on {view.run.record_title} ",
        ),
        "moves": _moves(view, address),
        "read_only": True,
    }


def _naming_today(
    screen: Mapping[str, Any], now: Mapping[str, Any] | None, today: Today | None, look: Look
) -> Look:
    """Return the look with the records that values of today refer to, as this reader may know them."""
    record = screen.get("record") or {}
    tables = (
        *screen.get("tables", ()),
        *filter(None, (screen.get("picks"), (screen.get("progress") or {}).get("item"))),
    )
    shown: list[tuple[Any, Iterable[Mapping[str, Any]]]] = [(record.get("fields", ()), [now or {}])]
    shown += [(table["columns"], (today or {}).get(table.get("collection"), {}).values()) for table in tables]
    wanted = {
        (str(what["references"]), str(row[what["name"]]))
        for fields, rows in shown
        for what in fields
        for row in rows
        if what.get("references") and row.get(what["name"]) is not None
    } - set(look.records)
    return frame.naming(browse.names_of(frame.actor(), wanted), look) if wanted else look


def _renamed(look: Look) -> dict[tuple[str, str], Named]:
    """Return the records on the screen whose name, as this reader may know it, is another today."""
    then = {
        place: known
        for place, known in look.records.items()
        if not known.absent and known.title != frame.MASKED
    }
    now = frame.naming(browse.names_of(frame.actor(), then), look).records if then else {}
    return {
        place: now[place]
        for place, known in then.items()
        if not now[place].absent and now[place].title not in (known.title, frame.MASKED)
    }


def _answers(view: RunView, screen: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was submitted for the step on the screen, if that had happened by then; what was chosen from the moment that it was."""
    run = view.json
    for attempt in reversed(run["attempts"]):
        if (
            attempt["step"] == screen.get("step")
            and attempt["attempt"] == screen.get("attempt")
            and attempt["status"] in ("done", "performing", "cancelled")
        ):
            return {
                "values": attempt["values"] or {},
                "pressed": attempt["status"] != "cancelled",
                "outcome": view.chosen.get((attempt["step"], attempt["attempt"])),
            }
    draft = (run["current"] or {}).get("draft") or {}
    chosen = (
        event["data"].get("outcome")
        if event["kind"] == "outcome_chosen" and event["step"] == screen.get("step")
        else None
    )
    return {"values": draft.get("values", {}), "pressed": False, "outcome": chosen}


def _titles(view: ReplayView, screen: Mapping[str, Any]) -> dict[str, Any]:
    run = view.run.json
    shown = [
        step
        for step in view.run.steps
        if step["step"] == screen.get("step") and step["attempt"] == screen.get("attempt")
    ]
    present = shown[-1] if shown else next((step for step in view.run.steps if step["state"] == "now"), None)
    title = screen.get("title") or (present["title"] if present else page.ended_title(run))
    return {
        "step_title": title,
        "step_kind": present["kind"] if present else "",
        "step_family": present["family"] if present else "start",
        "step_icon": present["icon"] if present else "flag",
        "step_words": present["type"] if present else "",
        "window_title": ", ".join(
            filter(None, (f"Replay, event {view.at}", run["workflow"]["title"], view.run.record_title))
        ),
    }


def ticks(events: Sequence[Mapping[str, Any]], at: int, address: Any, look: Look, of: str = "") -> list[Tick]:
    """Return the scrubber: every event of a short run; of a long run the events nearby and, spread evenly, what people and models did, decisions first.

    A mark names its moment in the reader's zone, and its day where that is another than of the mark before; it says not again whose run it is (`of`).
    The zone itself and UTC are on hover at the moment of the event at hand.
    """
    made: list[Tick] = []
    before, day = None, ""
    for event in _kept(events, at):
        moment = formats.moment_of(event["at"])
        former, day = day, formats.worded(moment, "d MMM y", look) if moment else ""
        clock = formats.worded(moment, "HH:mm:ss", look) if moment else ""
        said = str(event["sentence"]).removeprefix(of)
        silence = (moment - before).total_seconds() if moment and before else 0
        made.append(
            Tick(
                int(event["n"]),
                address(event["n"]),
                said[:1].upper() + said[1:],
                clock if day == former else f"{day}, {clock}",
                _tone(event),
                bool(event["decision"]),
                event["n"] == at,
                formats.span(silence, look) if silence > PAUSE_S else "",
            )
        )
        before = moment
    return made


def _kept(events: Sequence[Mapping[str, Any]], at: int) -> list[Mapping[str, Any]]:
    if len(events) <= MOST_TICKS:
        return list(events)
    decisions = [event["n"] for event in events if event["decision"]]
    others = [event["n"] for event in events if not event["decision"] and _tone(event) != "automatic"]
    room = MOST_TICKS - 2 * NEAR
    named = {events[0]["n"], events[-1]["n"], *_spread(decisions, room)}
    named |= {*_spread(others, room - len(decisions))}
    return [event for event in events if abs(event["n"] - at) <= NEAR or event["n"] in named]


def _spread(numbers: Sequence[int], most: int) -> Sequence[int]:
    """At most so many of the numbers, evenly."""
    return numbers[:: -(-len(numbers) // most)] if numbers and most > 0 else ()


def _tone(event: Mapping[str, Any]) -> str:
    return "proposal" if event["ai"] else str(event["actor"])


def _moves(view: ReplayView, address: Callable[[int], str]) -> dict[str, str | None]:
    """Return the targets of Previous and Next, by one event and by one decision."""
    at, last = view.at, view.last
    decisions = [event["n"] for event in view.ticks if event["decision"]]
    before = [n for n in decisions if n < at]
    after = [n for n in decisions if n > at]
    return {
        "previous": address(at - 1) if at > 1 else None,
        "next": address(at + 1) if at < last else None,
        "previous_decision": address(before[-1]) if before else None,
        "next_decision": address(after[0]) if after else None,
    }


def _address(run: str, n: int, since: bool) -> str:
    return frame.run_url(run, "replay", at=n, since="1" if since else None)


def _today_of(screen: Mapping[str, Any], view: ReplayView, today: Today | None) -> Mapping[str, Any]:
    """Return what the record of the form holds today: in a list that of the item, else that of the run. Nothing without `today`."""
    if today is None:
        return {}
    progress = screen.get("progress")
    if progress is None:
        return view.now_values or {}
    item = progress.get("item") or {}
    rows = item.get("rows") or [{}]
    return today.get(str(item.get("collection")), {}).get(str(rows[0].get("key")), {})


def _since(
    box: Box, screen: Mapping[str, Any], answers: Mapping[str, Any], now: Mapping[str, Any], look: Look
) -> Box:
    """Return the box with what its record holds today, if that differs from what was answered, or else shown."""
    source = next((field for field in screen.get("fields", ()) if field["name"] == box.source), None)
    if source is None or "collection" not in source or box.source not in now:
        return box
    then = answers.get(box.source, source.get("value"))
    what = formats.kind(source)
    today = formats.with_currencies(now, {what.name: what.currency} if what.currency in now else {})
    return box if now[box.source] == then else replace(box, since=formats.html(what, today[box.source], look))


def _changes(context: Mapping[str, Any]) -> int:
    """Return how many values on the screen differ today, as they are marked: of the record, of the rows beside it, and of the form."""
    progress, picks = context["progress"] or {"facts": (), "gone": ""}, context["picks"]
    lines = [*(line for part in context["sections"] for line in part.lines), *progress["facts"]]
    cells = [cells for table in context["tables"] for *_, cells in table.rows] + [
        cells for *_, cells in (picks.rows if picks else ())
    ]
    marked = sum(line.since is not None for line in lines) + sum(
        cell.count("changed-since") for cell in cells
    )
    return int(marked) + sum(box.since is not None for box in context["boxes"]) + bool(progress["gone"])
