"""What the page of a run draws: its face for this reader, the path taken, the present step and the words of its buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from flask import request
from markupsafe import Markup

from console import browse, documents, runs, steps
from console.actions import bulk_starts
from console.ai.evaluation import measure
from console.ai.proposals import absence_words, feedback, provider_standing
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError
from console.core.forms import BUTTONS
from console.core.run import FINAL
from console.core.run.proposal import MARKS, READY
from console.documents import requests
from console.runs import Candidate, RunView, Today
from console.runs.store import typed_drafts
from console.views import blocks, concurrent_changes, formats, frame
from console.views.browse import reference_boxes
from console.views.formats import Kind, Look
from console.views.runs import (
    block_papers,
    consequences,
    effects,
    form_boxes,
    gathered,
    narrow_sheet,
    notices,
    pane,
    panes,
    proposal,
    step_values,
    steps_pane,
    workspace_return,
)
from console.views.runs.block_papers import Papers
from console.views.runs.notices import Note, Typed
from console.views.runs.option_fields import belonging, with_options
from console.views.runs.parts import parts_context
from console.views.runs.wait_words import asks_ai, awaited_run, wait_words, words_of_pause
from console.views.work.approvals import of_wait
from console.work import tickets
from console.workflows import inboxes

UNOPENED = "unopened_because"
_ITEM_WORDS = {
    "todo": "To do",
    "done": "Done",
    "failed": "Could not be done",
    "second": "Waits for a second person",
}
_ENDED = {
    "completed": "{title} is done",
    "aborted": "{title} was aborted",
    "cancelled": "{title} was cancelled",
    "failed": "{title} failed",
    "timed_out": "{title} ran out of time",
}


def run_context(view: RunView) -> dict[str, Any]:
    """Return what every page about the run needs: its JSON, its record's title, its collection."""
    return context_of_run(view.json, view.record_title, view.collection_label, view.then)


def context_of_run(
    run: Mapping[str, Any],
    record_title: str,
    collection_label: str,
    then: Mapping[str, Collection] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the same for a run in the shape of the API; `then` are collections as they were called at its moment."""
    who = frame.actor()
    seen = browse.visible_collection(who, run["collection"])
    collection_of_run = then.get(seen.id, seen) if seen else None
    badged = browse.collections(who, lambda each: each.summary.get("badge"))
    return {
        "run": run,
        "record_title": record_title,
        "collection_label": collection_of_run.label if collection_of_run else collection_label,
        "result_kinds": {
            item.name: formats.kind(item, collection_of_run.key) for item in collection_of_run.fields
        }
        if collection_of_run
        else {},
        "states_of": {collection.id: str(collection.summary["badge"]) for collection in badged},
    }


def page_context(
    view: RunView,
    actor: Actor,
    look: Look,
    *,
    typed: Typed | None = None,
    wrong: ConsoleError | None = None,
    tab: str = "record",
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """Return everything that the page of a run draws."""
    run, screen, face = view.json, view.screen or {}, mode(view)
    look = replace(frame.naming_of(screen, look), people=view.names)
    details = (
        list(wrong.details)
        if wrong
        else list((run["current"] or {}).get("errors") or screen.get("errors") or [])
    )
    listed = screen.get("progress") or {}
    own = (
        (listed["item"]["collection"], listed["key"])
        if listed.get("item")
        else (run["collection"], run["record"])
    )
    details = concurrent_changes.with_changers(details, *own)
    context = run_context(view) | {
        "mode": face,
        "can": view.can,
        "status": frame.status_badge(
            run["status"], run["holder"], actor.id, view.names, ticket=bool(run.get("ticket"))
        ),
        **steps_pane.steps_context(view, look),
        "guarded": face in ("form", "settle"),
        "poll": _poll(view, actor),
        "notices": [
            *notes,
            *notices.notices_of(view, actor, look, wrong, details, notices.lost_texts(typed, screen)),
        ],
        "saved_words": _saved_words(view, actor, look),
        "copies": face == "form" and run["current"]["type"] == "email",
        "foot_words": "",
        "read_only": False,
    }
    context["next_inbox"] = _next_inbox(view, actor, face)
    context["started_in"] = workspace_return.way_back(run["id"]) if face in ("ended", "wait") else None
    context["next_chosen"] = (
        bulk_starts.next_chosen(actor, run["id"], run["collection"]) if face == "ended" else None
    )
    context["results"] = results(run, look, context["result_kinds"]) if face == "ended" else []
    context["news"] = _news(run["id"], look) if face == "ended" else []
    now = next((step for step in view.steps if step["state"] == "now"), None)
    context["parts"] = (
        parts_context(actor, run["id"], now["step"], look) if now and now["starts_runs"] else None
    )
    context |= _titles(view, look, face)
    chosen = typed.outcome if typed else None
    kept = dict(_typed_values(run, typed, screen))
    drafted = proposal.marks_of(kept.pop(MARKS, None))
    marks = typed.marks if typed and typed.marks else drafted
    chosen = chosen if typed else marks.outcome or screen.get("chosen")
    papers = Papers(actor, run)
    proposed = (
        proposal.proposal_context(
            run,
            screen,
            look,
            reader=actor.id,
            kept=kept,
            chosen=chosen,
            marks=marks,
            rates=_rates(run),
            **_refused(run, actor),
        )
        if face == "form"
        else proposal.Drawn()
    )
    chosen = proposed.proposed if proposed.choice and proposed.choice.state == "fill" else chosen
    stands = {**kept, **proposed.fills}
    foretold = _foretold(run, screen, stands, chosen) if face == "form" else None
    errors = [each for each in details if not each.get("step")] or consequences.contradictions(foretold)
    look = reference_boxes.look_for(screen.get("fields", ()), stands, look)
    if foretold is not None:  # what is typed decides which fields are asked for
        asked = {field["name"]: field.get("asked") for field in foretold["fields"]}
        fields = [{**field, "asked": asked.get(field["name"])} for field in screen["fields"]]
        screen = {**screen, "fields": fields}
    context |= step_context(
        screen, look, context["states_of"], typed=stands, errors=errors, chosen=chosen, papers=papers
    )
    if face == "ended":
        context["content"] = blocks.draw_blocks(map(dict, view.ending), look, papers=papers)
    if face == "form" and context["progress"] is not None:
        context["progress"] = _worded(narrow_sheet.narrow_context(run["id"], context["progress"], screen))
    context["consequences"] = (
        consequences.consequences(foretold or screen, look, chosen) if face == "form" else ()
    )
    below = gathered.parts(run["id"], stands, chosen) if face == "form" and view.screen_title else []
    if below:
        context["consequences"] = gathered.combined_consequences(context["consequences"], below, look)
        listed = context["progress"]
        context |= {
            "first_title": listed["title"] if listed else context["step_title"],
            "step_title": view.screen_title,
            "button": below[-1].screen["button"],
        }
    lacking = consequences.lacking(foretold)
    context["boxes"] = [
        replace(
            box,
            hint=proposed.hints.get(box.source),
            lacks=box.source in lacking and not box.required and not box.error,
        )
        for box in context["boxes"]
        if face != "form" or box.error or not box.by_rule  # the consequences tell what the step sets
    ]
    if below or any(box.hint for box in context["boxes"] if box.control == BUTTONS):
        context["boxes"] = form_boxes.without_buttons(context["boxes"])
    context["buttons"] = next((box for box in context["boxes"] if box.control == BUTTONS), None)
    context["gathered"] = [
        part_html(part, context, look, values=stands, errors=details, papers=papers) for part in below
    ]
    context["told_above"] = (
        not context["boxes"] and not context["outcomes"] and consequences.told_by(screen.get("content") or ())
    )
    context["feedback"] = _feedback(run, actor) if proposed.strip and proposed.strip.status == READY else None
    context |= {"strip": proposed.strip, "choice": proposed.choice, "proposed_option": proposed.proposed}
    if face == "form":
        context |= _checks(run, screen)
    context |= _settling(run, screen, wrong, look)
    context["asked"] = (
        requests.state(actor, run["id"]) if face == "wait" and _waits_for_documents(run) else None
    )
    if context["asked"] is not None:
        context["asked_until"] = formats.text(
            Kind("until", "Until", "datetime"), context["asked"].request.until.isoformat(), look
        )
    context |= pane.pane(
        view, actor, look, tab, context["states_of"], block_papers.first_open(screen.get("content"), papers)
    )
    if face == "form" and context["unopened"]:
        context["unopened"] = _with_ways(view, actor, context["unopened"])
    context["said"] = (
        f"{context['step_title']}. {context['status'].label}." if face != "ended" else context["ended_title"]
    )
    if context["progress"] is not None and context["progress"]["title"]:
        context["said"] = (
            f"{context['progress']['title']}. {context['progress']['done']} of {context['progress']['total']} done."
        )
    return context


def _foretold(
    run: Mapping[str, Any], screen: Mapping[str, Any], stands: Mapping[str, Any], chosen: str | None
) -> Mapping[str, Any] | None:
    """Return the screen with the values in the boxes; None where they are those of the form's start. `stands` are those that differ from it."""
    return (
        runs.preview_screen(frame.actor(), run["id"], {**stands, **_item_of(screen)}, chosen)
        if stands
        else None
    )


def _item_of(screen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field that names the list item whose form is on the screen."""
    key = (screen.get("progress") or {}).get("key")
    return {"item": key} if key is not None else {}


def _rates(run: Mapping[str, Any]) -> proposal.Rates:
    """Return how often people accepted proposals for the open step."""
    current = run["current"] or {}
    return measure.measured(run["workflow"]["id"], current["step"]) if current.get("proposal") else {}


def _feedback(run: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Return this reader's feedback on the proposal: it is shown as it was given, and may be changed."""
    call = run["current"]["proposal"]["call"]
    thumb = feedback.thumb_of(actor, call)
    return {
        "run_id": run["id"],
        "call": call,
        "thumb": thumb,
        "comment": feedback.commented(actor, call) if thumb else "",
    }


def _refused(run: Mapping[str, Any], actor: Actor) -> dict[str, bool]:
    """Return whether asking again is useless for now, and whether this reader may mend the cause."""
    proposal = (run["current"] or {}).get("proposal")
    if proposal is None or proposal["code"] not in absence_words.MENDED_BY_OTHERS:
        return {}
    return {
        "refused": provider_standing.refused(proposal["purpose"]) is not None,
        "mends": access.can(actor, None, "ai", "manage"),
    }


def _waits_for_documents(run: Mapping[str, Any]) -> bool:
    return ((run["current"] or {}).get("waiting") or {}).get("for") == "documents"


def _next_inbox(view: RunView, actor: Actor, face: str) -> inboxes.Inbox | None:
    """Return the inbox whose next ticket is offered: the run's inbox, to somebody who worked on the run or held it last."""
    run = view.json
    if (
        face in ("form", "settle")
        or run["holder"] == actor.id
        or actor.id not in {view.last_holder, *(attempt["by"] for attempt in run["attempts"])}
    ):
        return None
    return tickets.inbox_of_run(actor, run["id"], run["workflow"]["slug"])


def mode(view: RunView) -> str:
    """Return the face of the page: form, settle, look (read-only), wait or ended."""
    run = view.json
    if run["status"] in FINAL:
        return "ended"
    current = run["current"] or {}
    if current.get("type") == "settle":
        return "settle" if "settle" in view.can else "look"
    if "complete" in view.can and view.screen is not None:
        return "form"
    return "wait" if run["status"] in ("running", "waiting_time", "waiting_event") else "look"


def step_context(
    screen: Mapping[str, Any],
    look: Look,
    states_of: Mapping[str, str],
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    answers: Mapping[str, Any] | None = None,
    chosen: str | None = None,
    papers: Papers | None = None,
    today: Today | None = None,
) -> dict[str, Any]:
    """Return the middle pane: text, blocks, gaps, tables, documents, boxes and choices. `states_of` maps collection → its state field."""
    wrong = {str(detail.get("field")): str(detail.get("reason", "")) for detail in errors}
    belongs = belonging(screen.get("outcomes", ()))
    boxes = with_options(form_boxes.boxes(screen, look, typed=typed, errors=errors, answers=answers), belongs)
    if answers is not None and chosen in {option["value"] for option in screen.get("outcomes", ())}:
        others = {name for name, part in belongs.items() if part.options and chosen not in part.options}
        boxes = [box for box in boxes if box.source not in others]
    return {
        "text": frame.prose(screen["text"], look) if screen.get("text") else None,
        "instruction": frame.prose(screen["instruction"], look) if screen.get("instruction") else None,
        "notes": screen.get("notes", ()),
        "missing": screen.get("missing", ()),
        "content": blocks.draw_blocks(screen.get("content"), look, consequences.named_ways(screen), papers),
        "tables": panes.tables(screen, look, states_of, today),
        "documents": screen.get("documents", ()),
        "checks_url": None,
        "boxes": [box for box in boxes if not _only_shown(box, belongs) and _bare(box) != UNOPENED],
        "shown_facts": [box for box in boxes if _only_shown(box, belongs) and box.value]
        if not screen.get("content")
        else [],
        "unopened": screen.get("unopened", ()),
        "reason_box": next((replace(box, explains=None) for box in boxes if _bare(box) == UNOPENED), None),
        "outcomes": screen.get("outcomes", ()),
        "not_offered": screen.get("not_offered") or (),
        "picks": panes.picks(screen["picks"], look, states_of, today) if screen.get("picks") else None,
        "progress": _progress(screen.get("progress"), look, states_of, today),
        "belongs": belongs,
        "outcome_error": wrong.get("outcome"),
        "chosen": chosen,
    }


def part_html(
    part: gathered.Part,
    context: Mapping[str, Any],
    look: Look,
    *,
    values: Mapping[str, Any],
    errors: Sequence[Mapping[str, Any]] = (),
    papers: Papers | None = None,
    swapped: bool = False,
) -> Markup:
    """Return a step below the present one as it is drawn in the form, or sent with a draft (`swapped`)."""
    drawn = step_context(
        part.screen,
        reference_boxes.look_for(part.screen["fields"], values, frame.naming_of(part.screen, look)),
        context["states_of"],
        typed=values,
        errors=part.wrong(errors) or consequences.contradictions(part.screen),
        chosen=part.chosen,
        papers=papers,
    )
    drawn["boxes"] = form_boxes.without_buttons(drawn["boxes"])
    drawn |= _checks(context["run"], part.screen, frame.dom_id("checks", part.step))
    only_here = {"missing": (), "strip": None, "choice": None, "consequences": (), "swapped": swapped}
    kind = steps.get(str(part.screen["type"])).name
    return Markup(  # noqa: S704 (a template of ours)
        frame.render("runner/part.html", {**context, **drawn, **only_here, "part": part, "step_kind": kind})
    )


def _checks(run: Mapping[str, Any], screen: Mapping[str, Any], place: str = "checks") -> dict[str, Any]:
    """Return where the checklist of the step's documents, or of its item, is read; `place` is its id on the page."""
    if not screen.get("checks"):
        return {}
    item = (screen.get("progress") or {}).get("key")
    part = place if place != "checks" else None
    return {
        "checks_id": place,
        "checks_url": frame.run_url(run["id"], "checks", item=item, part=part),
        "checks_awaited": int(screen["checks"]),
    }


def said_at(screen: Mapping[str, Any], boxes: Sequence[form_boxes.Box]) -> list[form_boxes.Box]:
    """Return the boxes of a form at which something can be said while it is typed: not those that are drawn in a way of their own."""
    return [
        box
        for box in boxes
        if box.control != "static" and _bare(box) not in {UNOPENED, "key" if screen.get("picks") else None}
    ]


def _bare(box: form_boxes.Box) -> str:
    """Return the name of the box's field at its step."""
    return box.source.rpartition(typed_drafts.MARK)[2]


def _with_ways(view: RunView, actor: Actor, unopened: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the documents that were never opened, each with the address that opens it beside the form."""
    run = view.json
    refs = {
        (each.collection, each.record): each.ref
        for each in documents.documents_of_run(actor, run["id"], run["collection"], run["record"])
        if not each.why_not
    }
    found = [(dict(each), refs.get((each["collection"], each["key"]))) for each in unopened]
    return [
        each | {"href": frame.run_url(run["id"], tab="documents", doc=ref) if ref else None}
        for each, ref in found
    ]


def _only_shown(box: form_boxes.Box, belongs: Mapping[str, Any]) -> bool:
    """Return whether a box only shows a value, so that it stands among the facts: not a change of a record, not a part of an option."""
    return box.control == "static" and box.now is None and box.source not in belongs and not box.error


def _progress(
    given: Mapping[str, Any] | None, look: Look, states_of: Mapping[str, str], today: Today | None = None
) -> dict[str, Any] | None:
    """Return the list that a step goes through: its lines and the facts of the present item."""
    if given is None:
        return None
    place_now = next(
        (place for place, item in enumerate(given["items"]) if item["key"] == given["key"]), None
    )
    title = given["items"][place_now]["title"] if place_now is not None else None
    return _worded(given) | {
        "title": title,
        "facts": panes.facts(given["item"], look, states_of, today) if given["item"] else (),
        "gone": panes.GONE if panes.gone(given["item"], today) else "",
    }


def _worded(given: Mapping[str, Any]) -> dict[str, Any]:
    items = [
        dict(item) | {"word": _ITEM_WORDS[item["state"]], "here": item["key"] == given["key"]}
        for item in given["items"]
    ]
    return dict(given) | {"items": items}


def _titles(view: RunView, look: Look, face: str) -> dict[str, Any]:
    run = view.json
    current, present = (
        run["current"] or {},
        next((step for step in view.steps if step["state"] == "now"), None),
    )
    title = "What came of the change?" if current.get("type") == "settle" else current.get("title", "")
    heading = ended_title(run) if face == "ended" else title
    decision = of_wait(run) if face == "wait" else None
    awaited = awaited_run(frame.actor(), run) if face == "wait" else None
    return {
        "step_title": title,
        "step_kind": present["kind"] if present and current.get("type") != "settle" else "",
        "step_family": present["family"] if present else "action",
        "step_icon": present["icon"] if present else "bolt",
        "step_words": _what_it_does(view, present),
        "ended_title": ended_title(run),
        "ended_by": view.ended_by,
        "ended_because": view.ended_because,
        "retry_href": _retry_url(run) if face == "ended" else None,
        "record_gone": view.gone,
        "window_title": ", ".join(
            part for part in (heading, run["workflow"]["title"], view.record_title) if part
        ),
        "button": (view.screen or {}).get("button") or current.get("button") or "Done",
        "wait_words": decision["words"]
        if decision
        else f"Waiting for {awaited.workflow_title} to end."
        if awaited
        else f"{wait_words(run, look)} {words_of_pause(run)}".strip(),
        "wait_href": decision["href"] if decision else frame.run_url(awaited.id) if awaited else None,
        "wait_asked": decision,
    }


def _retry_url(run: Mapping[str, Any]) -> str | None:
    """Return where a run that nobody held and that failed is done again, for who may."""
    slug = run["workflow"]["slug"]
    failed = run.get("mode") == "hands_off" and run["status"] in ("failed", "timed_out")
    may = failed and access.can(frame.actor(), run["team"] or None, f"workflow:{slug}", "start")
    return f"/workflows/{quote(slug, safe='')}/executions/{run['id']}/retry" if may else None


_MADE_LATE = {
    "succeeded": "A change that was under way when the run ended was made.",
    "failed": "A change that was under way when the run ended was not made.",
}


def _news(run_id: str, look: Look) -> list[tuple[str, str]]:
    """Return (when, what) for results of changes that arrived after the run had ended."""
    news = [
        (event.at, str(event.sealed.get("message") or _MADE_LATE.get(str(event.open.get("result")), "")))
        for event in runs.late_reports(run_id)
    ]
    return [
        (formats.text(Kind("at", "At", "datetime"), at.isoformat(), look), words)
        for at, words in news
        if words
    ]


def ended_title(run: Mapping[str, Any]) -> str:
    """Return the heading of an ended run; of an open one the workflow's title."""
    shown = _ENDED.get(run["status"], "{title}").format(title=run["workflow"]["title"])
    return (
        f"{shown}: {formats.label_of(str(run['ending']))}"
        if run.get("ending") and run["status"] == "completed"
        else shown
    )


def list_words(progress: Mapping[str, Any]) -> str:
    """Return where in its list a step is: `2 of 5, 1 done`."""
    total, done = progress["total"], progress["done"]
    place = next(
        (number for number, item in enumerate(progress["items"], 1) if item["key"] == progress["key"]), None
    )
    here = f"{place:,} of {total:,}, " if place is not None and progress["earlier"] is None else ""
    return f"{here}{f'{done:,}' if done else 'none'} done"


def _what_it_does(view: RunView, present: Mapping[str, Any] | None) -> str:
    screen = view.screen or {}
    if screen.get("type") == "settle":
        return "A change was sent and the answer never came."
    if (progress := screen.get("progress")) is not None:
        return list_words(progress)
    found = screen.get("content") or screen.get("tables") or screen.get("documents")
    return (
        "What was found, then what you decide about it"
        if found and present and present["kind"] == "decision"
        else ""
    )


def _poll(view: RunView, actor: Actor) -> int | None:
    """Return the seconds until the page asks again: 1 while the console works, 15 while it waits for somebody or a time; None while the reader may be typing."""
    status = view.json["status"]
    if status in FINAL or (view.json["holder"] == actor.id and status == "waiting_person"):
        return None
    waiting = (view.json["current"] or {}).get("waiting") or {}
    works = waiting.get("for") in ("effect", "retry", "run", "message") or asks_ai(view.json)
    return 1 if status == "running" or works else 15


def _typed_values(
    run: Mapping[str, Any], typed: Typed | None, screen: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the values that replace the form's start: the draft and what was just sent; in a list only those of the present item."""
    draft = (run["current"] or {}).get("draft") or {}
    kept = [dict(draft.get("values", {})), dict(typed.values if typed else {})]
    if "progress" in screen:
        key = screen["progress"]["key"]
        others = [typed_drafts.drafts_of_items(values) for values in kept]
        below = [
            typed_drafts.named_values(typed_drafts.item_part(screen["step"], other), values)
            for items in others
            for other, values in items.items()
            if other != key
        ]
        kept = [*below, *(items[key] for items in others if key in items)]
    return {name: value for values in kept for name, value in values.items()}


def _saved_words(view: RunView, actor: Actor, look: Look) -> str:
    draft = (view.json["current"] or {}).get("draft")
    if not draft:
        return ""
    at = formats.clock(draft["saved_at"], look)
    return (
        f"Draft saved {at}"
        if draft["by"] == actor.id
        else f"Draft of {view.names.get(draft['by'], 'a colleague')}, {at}"
    )


def assign_context(view: RunView, people: Sequence[Candidate], sent: Mapping[str, str]) -> dict[str, Any]:
    """Return what the dialog to assign the run draws."""
    run = view.json
    about = (
        f"{run['workflow']['title']} of {view.record_title}"
        if view.record_title
        else run["workflow"]["title"]
    )
    return {
        "head": f"Assign {about}",
        "crumbs": [(frame.run_url(run["id"]), run["workflow"]["title"])],
        "action": frame.run_url(run["id"], "assign"),
        "back": frame.run_url(run["id"]),
        "hidden": [("revision", run["revision"])],
        "people": people,
        "q": sent.get("q", ""),
        "reason": sent.get("reason", ""),
        "chosen": sent.get("user", ""),
        "target": "#run",
    }


def _settling(
    run: Mapping[str, Any], screen: Mapping[str, Any], wrong: ConsoleError | None, look: Look
) -> dict[str, Any]:
    current, described = run["current"] or {}, step_values.of_version(run["workflow"]["id"], run["version"])
    kinds = described.get(current.get("step", ""), step_values.NOTHING).kinds
    effect, kept = current.get("effect"), effects.settling_of_draft(current.get("draft"))
    return {
        "effect": effect,
        "facts": effects.facts(effect, look, kinds, (screen.get("record") or {}).get("values") or {}),
        "sent": effects.request_sent(effect, look),
        "settle_errors": {str(detail.get("field")): detail.get("reason") for detail in wrong.details}
        if wrong
        else {},
        "typed_result": request.form.get("result", kept.get("result", "")),
        "typed_reason": request.form.get("reason", kept.get("reason", "")),
    }


def results(run: Mapping[str, Any], look: Look, kinds: Mapping[str, formats.Kind]) -> list[panes.Line]:
    """Return the results that the last output step named, in the order of the steps that they come from, without empty ones and what only programs need.

    A result with the name of a record's field is formatted like it; an amount has the currency that stands beside it.
    """
    outputs = [
        attempt for attempt in run["attempts"] if attempt["type"] == "output" and attempt["status"] == "done"
    ]
    shown = run["context"].get(outputs[-1]["step"], {}) if outputs else {}
    described = (
        step_values.of_version(run["workflow"]["id"], run["version"]).get(
            outputs[-1]["step"], step_values.NOTHING
        )
        if outputs
        else step_values.NOTHING
    )
    named_so = [
        (described.kinds[name], value)
        if name in described.kinds
        else (kinds[name], value)
        if name in kinds
        else formats.described(name, value, shown)
        for name, value in shown.items()
        if name not in described.technical
    ]
    beside = {"missing", "currency"} if any(formats.is_money(what) for what, _ in named_so) else {"missing"}
    there = [
        (what, value) for what, value in named_so if what.name not in beside and value not in (None, "", [])
    ]
    there.sort(key=lambda one: (described.places.get(one[0].name, len(described.places)), one[0].label))
    return [
        panes.Line(what.label, formats.html(what, effects.with_currency(what, value, shown), look))
        for what, value in there
    ]
