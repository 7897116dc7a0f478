"""Incidents and metrics of workflows as JSON."""

from typing import Any, Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log, monitoring, workflows
from console.core.errors import NotFound
from console.monitoring import alerts, incidents
from console.views.api import idempotency
from console.views.api.operation import (
    Asked,
    Done,
    Example,
    Paged,
    Sent,
    named,
    operation,
    page_of,
    parse_query,
    read,
)
from console.views.api.shapes import Alert, DueTime, Incident, Listed, RetriedGroup, WorkflowMetrics
from console.work import due_times
from console.workflows import Known

blueprint = Blueprint("api_monitoring", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}


class Wanted(Paged):
    """Filters of incidents."""

    workflow: str | None = Field(None, description="Slug or id")


class Window(Asked):
    """How far back."""

    days: Literal["7", "30", "90"] = Field("30", description="Days back from now")


class RetryAll(Sent):
    """How the runs are done again."""

    from_: Literal["start", "failure"] = Field("failure", alias="from")
    version: Literal["same", "live"] = "live"
    preview: bool = Field(False, description="Say which runs it would be, and start none")


class Closed(Sent):
    """Why they are set aside."""

    reason: str = Field(description="In at most 2,000 characters; kept in the log")


class NewAlert(Sent):
    """An alert."""

    kind: Literal["failed", "error", "slow"]
    minutes: int | None = Field(
        None,
        description="For slow: live for longer than so many minutes; without them, for longer than its due time",
    )
    pattern: str | None = Field(
        None, description="For error: words of the error or its code; * stands for any characters"
    )
    people: list[str] = Field(
        default_factory=list, max_length=50, description="E-mail addresses or ids of who is told"
    )
    mail: bool = True
    starts: str | None = Field(
        None,
        description="Slug of a workflow that runs by itself; its start gets run, step, code, error, workflow; record, input, workflow_title, step_title and link, where its account may read them",
    )


class NewDueTime(Sent):
    """Within how much working time something has to end."""

    minutes: int
    zone: str = "UTC"
    days: list[str] | None = Field(None, description="mon to sun; left out: every day")
    opens: str = Field("00:00", description="When work begins, in the zone")
    closes: str = Field("00:00", description="When it ends; 00:00 is the end of the day")
    holidays: list[str] = Field(default_factory=list, description="Days on which nobody works")
    stages: list[dict[str, Any]] = Field(
        description="percent, do (remind, tell or move), people (ids), inbox"
    )
    approvals: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Of a workflow: minutes of working time that an approval has waited, do (remind or substitute)",
    )


ALERT = {"kind": "slow", "minutes": 120, "people": ["mona@fernwick.example"]}
DUE_TIME = {
    "minutes": 960,
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "opens": "09:00",
    "closes": "17:00",
    "stages": [{"percent": 80, "do": "remind"}],
}


def _known(slug_or_id: str) -> Known:
    """Return the workflow. Raises NotFound as for one that is not there."""
    found = workflows.find_known(slug_or_id)
    if found is None or not workflows.may(g.actor, found, "see"):
        raise NotFound(hidden=found is not None and found.label is None)
    return found


def _retried(done: Done) -> dict[str, Any]:
    """Return the runs that were done again since the first request, and how many are left; why others were refused is not kept."""
    if read(RetryAll).preview:
        return _preview_json(incidents.preview(g.actor, _known(named("workflow_id")), named("incident_id")))
    return _retry_json(
        incidents.retried_since(g.actor, _known(named("workflow_id")), named("incident_id"), done.at)
    )


def _retry_json(done: incidents.Retried) -> dict[str, Any]:
    return {
        "started": dict(done.started),
        "refused": dict(done.refused),
        "left": done.left,
        "runs": None,
        "acted": None,
    }


def _preview_json(seen: incidents.Preview) -> dict[str, Any]:
    return {
        "started": {},
        "refused": {},
        "left": seen.count,
        "runs": [head.id for head in seen.heads],
        "acted": seen.acted,
    }


def _closed(_done: Done) -> dict[str, Any]:
    """Return nothing, to who still sees the workflow."""
    _known(named("workflow_id"))
    return {}


def _alert_made(done: Done) -> dict[str, Any]:
    """Return the alert as it is now. Raises NotFound where it was removed since."""
    made = done.made
    if made is None and done.chain is not None:
        made = log.events_of(done.chain, after=done.number - 1, limit=1, opened=False)[0].open["alert"]
    for rule in alerts.rules_of(_known(named("workflow_id"))):
        if rule.id == made:
            return rule.to_json()
    raise NotFound("The alert was taken away since.")


@blueprint.get("/incidents")
@operation(
    "listIncidents",
    "workflow.see",
    Listed[Incident],
    query=Wanted,
    refuses=(404,),
    example=Example(query={"workflow": "kyc-review"}),
)
def every() -> ResponseReturnValue:
    """Failed runs by cause that nobody has done again or set aside, the latest first; at most 100 causes."""
    wanted = parse_query(Wanted)
    found = incidents.open_incidents(g.actor, _known(wanted.workflow).id if wanted.workflow else None)
    return page_of(found, asked=wanted)


@blueprint.post("/workflows/<workflow_id>/incidents/<incident_id>/retry")
@operation(
    "retryIncident",
    "workflow.start",
    RetriedGroup,
    body=RetryAll,
    again=_retried,
    example=Example(ONE | {"incident_id": "0"}, body={}),
)
def retry(workflow_id: str, incident_id: str) -> ResponseReturnValue:
    """Do the failed runs of this cause again, at most 100, each as a new run; what one refuses keeps no other back. `preview` says which, and starts none."""
    sent = read(RetryAll)
    if sent.preview:
        return _preview_json(incidents.preview(g.actor, _known(workflow_id), incident_id))
    done = incidents.retry_all(
        g.actor,
        _known(workflow_id),
        incident_id,
        origin=sent.from_,
        version=incidents.checked_version(sent.version),
    )
    return _retry_json(done)


@blueprint.post("/workflows/<workflow_id>/incidents/<incident_id>/close")
@operation(
    "closeIncident",
    "workflow.cancel",
    {204: None},
    body=Closed,
    again=_closed,
    example=Example(ONE | {"incident_id": "0"}, body={"reason": "Done by hand."}),
)
def close(workflow_id: str, incident_id: str) -> ResponseReturnValue:
    """Set the failed runs of this cause aside, without doing them again."""
    incidents.close(g.actor, _known(workflow_id), incident_id, read(Closed).reason)
    return "", 204


@blueprint.get("/workflows/<workflow_id>/alerts")
@operation("listAlerts", "workflow.see", Listed[Alert], query=Paged, example=Example(ONE))
def list_alerts(workflow_id: str) -> ResponseReturnValue:
    """Rules that tell people, or start a workflow, when a run fails or takes too long; each at most once an hour."""
    return page_of(alerts.rules_of(_known(workflow_id)))


@blueprint.post("/workflows/<workflow_id>/alerts")
@operation(
    "addAlert",
    "workflow.activate",
    {201: Alert},
    body=NewAlert,
    again=_alert_made,
    example=Example(ONE, body=ALERT),
)
def add_alert(workflow_id: str) -> ResponseReturnValue:
    """Set an alert; 422 with a detail per field."""
    made = alerts.add(g.actor, _known(workflow_id), **_given(read(NewAlert)))
    idempotency.name_result(made.id)
    return made.to_json(), 201


@blueprint.put("/workflows/<workflow_id>/alerts/<alert_id>")
@operation(
    "changeAlert",
    "workflow.activate",
    Alert,
    body=NewAlert,
    example=Example(ONE | {"alert_id": "0"}, body=ALERT | {"minutes": 240}),
)
def change_alert(workflow_id: str, alert_id: str) -> ResponseReturnValue:
    """Make an alert another one. When it told last, and what it kept back since, stay; 422 with a detail per field."""
    return alerts.change(g.actor, _known(workflow_id), alert_id, **_given(read(NewAlert))).to_json()


def _given(sent: NewAlert) -> dict[str, Any]:
    """The alert as `alerts.add` takes it."""
    return {**dict(sent), "pattern": sent.pattern or "", "starts": sent.starts or ""}


@blueprint.delete("/workflows/<workflow_id>/alerts/<alert_id>")
@operation(
    "removeAlert",
    "workflow.activate",
    {204: None},
    example=Example(ONE | {"alert_id": "0"}),
)
def remove_alert(workflow_id: str, alert_id: str) -> ResponseReturnValue:
    """Take an alert away."""
    alerts.remove(g.actor, _known(workflow_id), alert_id)
    return "", 204


@blueprint.get("/workflows/<workflow_id>/due-time")
@operation("getDueTime", "workflow.see", DueTime, example=Example(ONE))
def due_time(workflow_id: str) -> ResponseReturnValue:
    """Within how much working time its runs have to end; 404 where it has no due time."""
    return _terms(due_times.rule_of_workflow(_known(workflow_id).id))


@blueprint.put("/workflows/<workflow_id>/due-time")
@operation(
    "setDueTime",
    "workflow.activate",
    DueTime,
    body=NewDueTime,
    example=Example(ONE, body=DUE_TIME),
)
def set_due_time(workflow_id: str) -> ResponseReturnValue:
    """Set the due time of its runs, live ones too; 422 with a detail per field."""
    return _terms(
        due_times.set_for_workflow(
            g.actor, _known(workflow_id), read(NewDueTime).model_dump(exclude_unset=True)
        )
    )


@blueprint.delete("/workflows/<workflow_id>/due-time")
@operation("removeDueTime", "workflow.activate", {204: None}, example=Example(ONE))
def remove_due_time(workflow_id: str) -> ResponseReturnValue:
    """Take the due time away."""
    due_times.set_for_workflow(g.actor, _known(workflow_id), None)
    return "", 204


@blueprint.put("/inboxes/<name>/due-time")
@operation(
    "setInboxDueTime",
    "inbox.manage",
    DueTime,
    body=NewDueTime,
    example=Example({"name": "desk"}, body=DUE_TIME),
)
def set_inbox_due_time(name: str) -> ResponseReturnValue:
    """Set the time in which its tickets have to be worked off, from when each came in; 422 with a detail per field."""
    return _terms(due_times.set_for_inbox(g.actor, name, read(NewDueTime).model_dump(exclude_unset=True)))


@blueprint.delete("/inboxes/<name>/due-time")
@operation(
    "removeInboxDueTime",
    "inbox.manage",
    {204: None},
    example=Example({"name": "desk"}),
)
def remove_inbox_due_time(name: str) -> ResponseReturnValue:
    """Take the due time away."""
    due_times.set_for_inbox(g.actor, name, None)
    return "", 204


def _terms(rule: due_times.Rule | None) -> ResponseReturnValue:
    if rule is None:
        raise NotFound("There is no due time here.")
    return rule.to_json()


@blueprint.get("/workflows/<workflow_id>/metrics")
@operation(
    "getMetrics", "workflow.see", WorkflowMetrics, query=Window, example=Example(ONE, query={"days": "7"})
)
def metrics(workflow_id: str) -> ResponseReturnValue:
    """Figures of the last days, by day (of the caller's zone), by step and by way from step to step; `success` leaves out live runs, those that people ended, and of the `failed` those `done_again`."""
    days = int(parse_query(Window).days)
    known, zone = _known(workflow_id), g.actor.zone
    ways = monitoring.endings.ways(g.actor, known, days, zone)
    return monitoring.metrics(g.actor, known, days, zone).to_json() | {"ways": ways}
