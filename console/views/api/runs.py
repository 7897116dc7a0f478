"""Runs as JSON: start, find, read, events and replay. The same service functions as the pages; the commands are in `run_commands`."""

from typing import Annotated, Any, Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints

from console import documents, runs
from console.automation import enrolments
from console.runs.views import run_filters
from console.views.api import listing
from console.views.api.operation import (
    Asked,
    Done,
    Example,
    Limit,
    Media,
    Paged,
    Sent,
    Whole,
    operation,
    parse_query,
    read,
)
from console.views.api.shapes import AbortPreview, Event, Listed, Replay, RevisePreview, Run, RunHead, Status
from console.views.runs import case_file as run_case_file

blueprint = Blueprint("api_runs", __name__, url_prefix="/api/v1")

Text = Annotated[str, StringConstraints(min_length=1)]
START = {"workflow": "kyc-review", "collection": "customer", "record": "17", "input": {}}


class Start(Sent):
    """The run to start."""

    workflow: Text = Field(description="Its slug or id")
    collection: Text | None = Field(
        None, description="Of the record; left out where the workflow is about none"
    )
    record: Text | None = Field(None, description="Key of the record")
    input: dict[str, Any] | None = Field(None, description="Values of the start step's fields")


class Wanted(Paged):
    """Filters of runs."""

    workflow: str | None = Field(None, description="Slug or id")
    status: Status | None = None
    collection: str | None = None
    record: str | None = Field(None, description="Key of the record, with `collection`")
    user: str | None = Field(None, description="Who began it or holds it")
    team: str | None = None
    trigger: str | None = Field(
        None,
        description=f"What started it: {', '.join(run_filters.TRIGGERS)}, or the id of a trigger; whom a schedule enrolled: enrolment",
    )
    mode: Literal["guided", "hands_off"] | None = None
    version: str | None = Field(None, description="Number of the version")
    id: str | None = Field(None, description="The whole id of one run")
    live: Literal["0", "1"] | None = Field(
        None, description="1: those that have not ended; 0: those that have"
    )
    error: str | None = Field(None, description="The code of what made them fail")
    rerun_of: str | None = Field(None, description="Runs that do this one again")
    parts: Literal["0", "1"] | None = Field(
        None, description="0: without the items of loops and the branches of parallel steps"
    )
    test: Literal["0", "1"] | None = Field(None, description="1: tests; 0: all others")
    ended_after: str | None = Field(
        None, alias="ended.gt", description="Of runs that have ended; a moment as for `created_at.gt`"
    )
    ended_since: str | None = Field(None, alias="ended.gte")
    ended_before: str | None = Field(None, alias="ended.lt")
    ended_until: str | None = Field(None, alias="ended.lte")
    since: str | None = Field(None, alias="started.gte", description="As `created_at.gte`")
    after_start: str | None = Field(None, alias="started.gt")
    before: str | None = Field(None, alias="started.lt")
    until: str | None = Field(None, alias="started.lte")
    gt: str | None = Field(None, alias="created_at.gt", description="A moment such as 2026-11-20T06:30:00Z")
    gte: str | None = Field(None, alias="created_at.gte")
    lt: str | None = Field(None, alias="created_at.lt")
    lte: str | None = Field(None, alias="created_at.lte")


class Looked(Asked):
    """Options for reading a run."""

    item: str | None = Field(None, description="At a list: with the form of this item")
    attempts: Literal["all", "latest"] = Field(
        "all",
        description="`latest`: of a long run the latest 100 and what came before by its last of each step",
    )


class Backwards(Asked):
    """An attempt."""

    step: Text = Field(description="Id of a completed step")
    attempt: Whole | None = Field(None, description="Which entry into it; without: the last that stands")


class Moment(Asked):
    """A place in a run."""

    at: Whole | None = Field(None, description="Number of an event; without: the last")


class Form(Asked):
    """Options of a case file."""

    format: Literal["zip", "pdf"] = "zip"


class Following(Asked):
    """A page of events."""

    limit: Limit = 50
    after: Whole | None = Field(None, ge=0, description="The `next` of the page before")


def _begun(done: Done) -> dict[str, Any] | None:
    """Return the started run as it is now."""
    return runs.get(g.actor, done.chain).json if done.chain else None


@blueprint.post("/runs")
@operation(
    "startRun",
    "workflow.start",
    {201: Run},
    body=Start,
    refuses=(404,),
    again=_begun,
    example=Example(body=START),
)
def start() -> ResponseReturnValue:
    """Start a run; 409 `run_is_live` with `run_id` if one is live on the record, `already_enrolled`, `not_again` or `exited` where the workflow says how one leaves it or comes again."""
    sent = read(Start)
    run_id = enrolments.start(g.actor, sent.workflow, sent.collection, sent.record, sent.input or {})
    return runs.get(g.actor, run_id).json, 201


@blueprint.get("/runs")
@operation(
    "findRuns",
    "workflow.see",
    Listed[RunHead],
    query=Wanted,
    example=Example(query={"workflow": "kyc-review", "status": "waiting_person"}),
)
def find() -> ResponseReturnValue:
    """Runs that the caller may see, newest first."""
    return _listed()


@blueprint.get("/executions")
@operation(
    "findExecutions",
    "workflow.see",
    Listed[RunHead],
    query=Wanted,
    example=Example(query={"workflow": "kyc-review", "live": "1"}),
)
def executions() -> ResponseReturnValue:
    """The same runs under the name that pages give them."""
    return _listed()


def _listed() -> ResponseReturnValue:
    wanted = parse_query(Wanted)
    filters = wanted.model_dump(by_alias=True, exclude_unset=True, exclude={"limit", "after"})
    heads, following = runs.find(g.actor, filters, limit=wanted.limit, after=wanted.after)
    return listing([head.to_json() for head in heads], following)


@blueprint.get("/runs/<run_id>")
@operation("getRun", "workflow.see", Run, query=Looked, refuses=(409,))
def get_run(run_id: str) -> ResponseReturnValue:
    """The run as the caller may see it; 409 `not_begun` for one that a webhook promised and that waits, with what for."""
    look = parse_query(Looked)
    return runs.get(g.actor, run_id, look.item, most=None if look.attempts == "all" else runs.PATH_SHOWN).json


@blueprint.get("/runs/<run_id>/revise-preview")
@operation(
    "previewRevise",
    "workflow.see",
    RevisePreview,
    query=Backwards,
    refuses=(409, 422),
    example=Example(query={"step": "decide"}),
)
def revise_preview(run_id: str) -> ResponseReturnValue:
    """What revising would cancel, and what it cannot undo. Changes nothing."""
    wanted = parse_query(Backwards)
    return runs.preview(g.actor, run_id, wanted.step, wanted.attempt).json


@blueprint.get("/runs/<run_id>/abort-preview")
@operation("previewAbort", "workflow.see", AbortPreview)
def abort_preview(run_id: str) -> ResponseReturnValue:
    """The run's effects and what compensates them. Changes nothing."""
    return runs.abort_preview(g.actor, run_id).json


@blueprint.get("/runs/<run_id>/case-file")
@operation(
    "getCaseFile",
    "workflow.see",
    Media(
        "application/*",
        "A zip archive with case-file.pdf, the events with their proofs, verify.py, documents and run.json, or the PDF alone",
    ),
    query=Form,
    refuses=(422,),
    example=Example(query={"format": "zip"}),
)
def case_file(run_id: str) -> ResponseReturnValue:
    """The run, its screens, documents and events with their proofs, as far as the caller may see them; an event of the log. The archive is checked by the `verify.py`
    in it. 422 `too_long` for a PDF of more than 1,000 lines.
    """
    return run_case_file.send_case_file(g.actor, run_id, parse_query(Form).format)


@blueprint.get("/runs/<run_id>/events")
@operation(
    "listRunEvents", "workflow.see", Listed[Event], query=Following, example=Example(query={"limit": 20})
)
def events(run_id: str) -> ResponseReturnValue:
    """The run's events, oldest first."""
    wanted = parse_query(Following)
    rows, following = runs.events(g.actor, run_id, limit=wanted.limit, after=wanted.after or 0)
    return listing(rows, None if following is None else str(following))


@blueprint.get("/runs/<run_id>/replay")
@operation("replayRun", "workflow.see", Replay, query=Moment, example=Example(query={"at": 1}))
def replay(run_id: str) -> ResponseReturnValue:
    """The run and what was on screen after event `at`. Values come from the log, never from today's record."""
    replayed = runs.replay(g.actor, run_id, parse_query(Moment).at).json
    looked = documents.opened_documents(g.actor, run_id, replayed["at"])
    return {**replayed, "documents": [document.to_json() for document in looked]}
