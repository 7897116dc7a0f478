"""`/workflows/<slug>/incidents`: failed runs grouped by cause, done again together or set aside; and runs that ask the same, answered together."""

from flask import Blueprint, Response, flash, request

from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotFound
from console.monitoring import asking_runs, incidents
from console.monitoring.incidents import Incident
from console.views import frame, refusals
from console.views.workflows import tabs
from console.views.workflows.tabs import Section
from console.workflows import OBJECT, Known

blueprint = Blueprint("workflow_incidents", __name__)


def _open(actor: Actor, known: Known) -> int:
    return incidents.count_open(actor, known.id) + asking_runs.count(actor, known)


tabs.register(Section("Executions", 30, "incidents", "Incidents", "/incidents", count=_open, alarming=True))


@blueprint.get("/workflows/<slug>/incidents")
def listed(slug: str) -> Response:
    """Show the open incidents, the latest first."""
    known, who = tabs.known_of(slug), frame.actor()
    obj = f"{OBJECT}:{known.slug}"
    context = tabs.context(known, "incidents") | {
        "groups": incidents.open_incidents(who, known.id),
        "asking": asking_runs.groups(who, known),
        "may_retry": access.can(who, known.team or None, obj, "start"),
        "may_close": access.can(who, known.team or None, obj, "cancel"),
        "address": tabs.address,
    }
    return frame.page("workflows/incidents.html", context)


@blueprint.route(
    "/workflows/<slug>/incidents/<cause>/<any(retry, close, answer):word>", methods=["GET", "POST"]
)
def settle(slug: str, cause: str, word: str) -> Response:
    """Show which runs are done again, set aside or answered, and how; a POST does it."""
    known, who, form = tabs.known_of(slug), frame.actor(), request.form
    access.require(
        who, known.team or None, f"{OBJECT}:{known.slug}", "cancel" if word == "close" else "start"
    )
    open_now = asking_runs.groups(who, known) if word == "answer" else incidents.open_incidents(who, known.id)
    incident = next((each for each in open_now if each.cause == cause), None)
    if incident is None:
        raise NotFound("Nothing of this incident is open any more.")
    if request.method != "POST":
        return _dialog(known, incident, word)
    try:
        match word:
            case "close":
                count = incidents.close(who, known, cause, form.get("reason", ""))
                flash(f"{count} {'run' if count == 1 else 'runs'} set aside")
            case "answer":
                done = asking_runs.answer_all(
                    who, known, cause, form.get("outcome", ""), form.get("reason", "")
                )
                flash(_words_of_retry(done, "answered"))
            case _:
                flash(_words_of_retry(_retried(known, cause), "started again"))
    except NotFound:
        raise
    except ConsoleError as wrong:
        return _dialog(known, incident, word, wrong)
    return frame.redirect_to(tabs.address(known.slug, "/incidents"))


def _retried(known: Known, cause: str) -> incidents.Retried:
    origin = incidents.checked_origin(request.form.get("from", "failure"))
    version = incidents.checked_version(request.form.get("version", "live"))
    return incidents.retry_all(frame.actor(), known, cause, origin=origin, version=version)


def _words_of_retry(done: incidents.Retried, what: str) -> str:
    """What was done, in words. Raises Conflict where every run has refused: the question stays, and says why."""
    if done.refused and not done.started:
        raise Conflict(next(iter(done.refused.values())), code="not_possible")
    refused = (
        f"; {len(done.refused)} could not be: {next(iter(done.refused.values()))}" if done.refused else ""
    )
    return f"{len(done.started)} {what}{refused}"


def _dialog(known: Known, incident: Incident, word: str, wrong: ConsoleError | None = None) -> Response:
    by_field = refusals.reasons_by_field(wrong)
    who, asks = frame.actor(), word == "answer"
    heads = (
        asking_runs.runs_of(who, known, incident) if asks else incidents.runs_of(who, known, incident.cause)
    )
    context = {
        "answers": asking_runs.answers(who, incident) if asks else (),
        "outcome": request.form.get("outcome", ""),
        "known": known,
        "incident": incident,
        "word": word,
        "heads": heads,
        "most": incidents.AT_ONCE,
        "acts": word == "retry" and incidents.acted([head.id for head in heads]),
        "origin": request.form.get("from", "failure"),
        "version": request.form.get("version", "live"),
        "reason": request.form.get("reason", ""),
        "reason_error": by_field.get("reason"),
        "error": wrong.message if wrong and "reason" not in by_field else None,
        "title": {"retry": "Retry", "close": "Set aside", "answer": "Answer"}[word],
        "action": tabs.address(known.slug, f"/incidents/{incident.cause}/{word}"),
        "back": tabs.address(known.slug, "/incidents"),
    }
    return frame.page("workflows/settle_incident.html", context, blocks={"*": "dialog"}, error=wrong)
