"""`/runs/<run>/ask` and `/c/<collection>/<key>/ask`: questions about a case, beside it or as a page of their own, each sentence of an answer with its source."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import browse, runs
from console.ai import cases
from console.ai.cases import Place, Question
from console.core.errors import Invalid, TooMany
from console.views import formats, frame
from console.views.runs import source_links

blueprint = Blueprint("case_questions", __name__)

EVENT = "event_"
SUGGESTED = 3


@blueprint.route("/runs/<run_id>/ask", methods=["GET", "POST"])
def of_run(run_id: str) -> Response:
    """Show the questions of the reader about the run; a POST asks one (`question`)."""
    view = runs.get(frame.actor(), run_id, shown=False)
    return _page(
        Place(run=run_id),
        view.record_title or view.json["workflow"]["title"],
        frame.run_url(run_id),
        _of_step(view.json),
        view.masked,
    )


@blueprint.route("/c/<collection>/<part>/ask", methods=["GET", "POST"])
def of_record(collection: str, part: str) -> Response:
    """Show the questions of the reader about the record; a POST asks one (`question`)."""
    key = frame.key_of(part)
    page = browse.record(frame.actor(), collection, key)
    suggested = [*(each.label for each in page.relations), *(field.label for field in page.fields)]
    return _page(
        Place(collection=collection, record=key),
        page.record.title,
        frame.record_url(collection, key),
        suggested[:SUGGESTED],
    )


def _of_step(run: Mapping[str, Any]) -> list[str]:
    """Return what may be asked at the step: what its form is about, else what came of the steps before."""
    form = ((run["current"] or {}).get("form") or {}).get("fields") or ()
    done = [attempt["title"] for attempt in reversed(run["attempts"]) if attempt["status"] == "done"]
    asked = [*(field["label"] for field in form if not field.get("readonly")), *done]
    return list(dict.fromkeys(asked))[:SUGGESTED]


def _page(place: Place, title: str, back: str, suggested: list[str], masked: Sequence[str] = ()) -> Response:
    wrong: Invalid | TooMany | None = None
    if request.method == "POST":
        try:
            cases.ask(frame.actor(), place, request.form.get("question", ""))
        except (Invalid, TooMany) as error:
            wrong = error
        else:
            if not frame.wants_fragment():
                return frame.redirect_to(f"{back}/ask")
    asked = cases.questions(frame.actor(), place, masked)
    context = {
        "title": title,
        "back": back,
        "here": f"{back}/ask",
        "asked": [(each, sentences(each)) for each in asked],
        "pending": any(each.pending for each in asked),
        "suggested": suggested,
        "wrong": wrong,
        "typed": request.form.get("question", "") if wrong else "",
    }
    return frame.page("case/ask.html", context, blocks={"ask-talk": "talk", "*": "ask"}, error=wrong)


def sentences(asked: Question) -> list[tuple[str, str, str]]:
    """Return text, title of the source and its address for each sentence."""
    return [
        (
            each["text"] or _line(each["source"]),
            source_links.title_of(each["source"]),
            _address(asked.place, each["source"]),
        )
        for each in asked.sentences
    ]


def _line(source: Mapping[str, Any]) -> str:
    """Return what search found, a value of a record as it is written there: names for keys and codes, days in words."""
    label, quote = str(source.get("label") or ""), str(source.get("quote") or "")
    value = quote.removeprefix(f"{label}: ")
    kinds = {each.name: each for each in source_links.kinds_of(str(source.get("collection") or ""))}
    kind = kinds.get(str(source.get("field")))
    if kind is None or value == quote or formats.is_money(kind):
        return quote
    wanted = {(kind.references, value)} if kind.references else ()
    look = frame.naming(browse.names_of(frame.actor(), wanted), frame.look())
    return f"{label}: {formats.text(kind, value, look)}"


def _address(place: Place, source: Mapping[str, Any]) -> str:
    """Return where the source is seen; empty where no page shows it alone."""
    happened = str(source.get("field") or "")
    if place.run is not None and happened.startswith(EVENT):
        return frame.run_url(place.run, "replay", at=happened.removeprefix(EVENT))
    if place.run is not None and source.get("document"):
        return source_links.document_url(place.run, source)
    if source.get("collection") and source.get("record"):
        return frame.record_url(str(source["collection"]), str(source["record"]))
    return frame.run_url(place.run, tab="context", loaded=source.get("step")) if place.run else ""
