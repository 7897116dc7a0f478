"""Workflows as JSON: made, named, changed as drafts, switched on and off, and their published versions."""

from typing import Any, Literal

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import ConfigDict, Field

from console import log, monitoring, workflows
from console.views.api import listing
from console.views.api.operation import (
    Asked,
    Done,
    Example,
    Limit,
    Nothing,
    Paged,
    Sent,
    Whole,
    operation,
    parse_query,
    read,
)
from console.views.api.shapes import (
    Activation,
    Cancellation,
    Definition,
    Listed,
    VersionHead,
    VersionWhole,
    Workflow,
)

blueprint = Blueprint("api_workflows", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
STATUS = "draft, active (also said running), paused, completed or cancelled"


WHOSE = "organisation: of everybody with the right to it; personal: the caller's own, which nobody else sees, edits or starts"


class CreatedWorkflow(Sent):
    """A new workflow."""

    title: str
    description: str | None = ""
    status: str | None = Field("draft", description=STATUS)
    team: str | None = Field(None, description="In which team it works; without: the caller's")
    whose: Literal["organisation", "personal"] = Field("organisation", description=WHOSE)


LEAVE_OUT = (
    "Switch it on although a merge field is empty for some of the contacts: these messages do not leave"
)


class ChangedWorkflow(Sent):
    """Changes; what is left out stays as it is."""

    title: str | None = None
    description: str | None = None
    status: str | None = Field(None, description=STATUS)
    reason: str | None = Field("", description="Why it gets the status; needed for cancelled")
    leave_out: bool = Field(False, description=LEAVE_OUT)
    whose: Literal["organisation", "personal"] | None = Field(
        None,
        description="Whose it becomes; personal only while nobody else works in it, else 409 `others_at_work`",
    )
    owner: str | None = Field(
        None,
        description="With personal: the e-mail address of whom an admin gives it to; without, the caller's own",
    )


class Copied(Sent):
    """A copy."""

    whose: Literal["organisation", "personal"] | None = Field(
        None, description=f"{WHOSE}. Without: as the original"
    )


class Activated(Sent):
    """How it is switched on."""

    leave_out: bool = Field(False, description=LEAVE_OUT)


class Why(Sent):
    """A reason for the log."""

    reason: str | None = Field("", description="Why, in at most 2,000 characters")


class Written(Sent):
    """The document of a workflow, as in its file: `/schema/workflow.json` is its whole schema."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Unchanged(Asked):
    """Which draft the document was made from."""

    revision: int | None = Field(
        None,
        description="Only if the draft is still this revision, as `GET …/draft` tells it; 409 `stale_revision` else",
    )


class Publication(Sent):
    """What is said of a new version."""

    note: str | None = Field("", description="What changes and why, in the words of who publishes")
    revision: int | None = Field(
        None, description="Only if the draft is still this revision; 409 `stale_revision` else"
    )
    accept_failed_tests: str | None = Field(
        "", description="Why it is published although tests of it fail; kept in the log"
    )


class Wanted(Paged):
    """Filters of workflows."""

    status: str | None = Field(None, description=f"{STATUS}; archived, for those that are left out otherwise")
    whose: Literal["mine"] | None = Field(None, description="Only the caller's own personal ones")


class Older(Asked):
    """A page of versions."""

    limit: Limit = 50
    after: Whole | None = Field(None, ge=1, description="The `next` of the page before")


DRAFT: dict[str, Any] = {
    "format": 1,
    "slug": "call-back",
    "title": "Call back",
    "team": "operations",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def _changed(done: Done) -> dict[str, Any] | None:
    """Return the workflow as it is now."""
    named = (request.view_args or {}).get("workflow_id")
    if done.chain is not None:
        named = log.events_of(done.chain, after=done.number - 1, limit=1)[0].open["workflow"]
    return workflows.entry(g.actor, named).to_json() if named is not None else None


@blueprint.post("/workflows")
@operation(
    "createWorkflow",
    "workflow.edit",
    {201: Workflow},
    body=CreatedWorkflow,
    again=_changed,
    example=Example(body={"title": "Call back", "description": "Who asked to be called."}),
)
def create() -> ResponseReturnValue:
    """Create a workflow as a draft with only a start step; 409 `not_ready` with the reasons for any other status."""
    sent = read(CreatedWorkflow)
    made = workflows.create(
        g.actor,
        sent.title,
        description=sent.description or "",
        status=sent.status or "draft",
        team=sent.team,
        whose=sent.whose,
    )
    return made.to_json(), 201


@blueprint.get("/workflows")
@operation(
    "listWorkflows",
    "workflow.see",
    Listed[Workflow],
    query=Wanted,
    example=Example(query={"status": "active"}),
)
def every() -> ResponseReturnValue:
    """Workflows that the caller may see, in the order of their list; `whose=mine`: the caller's own personal ones."""
    wanted = parse_query(Wanted)
    page, following = workflows.entries(
        g.actor, status=wanted.status, mine=wanted.whose is not None, limit=wanted.limit, after=wanted.after
    )
    return listing([head.to_json() for head in page], following)


@blueprint.get("/workflows/<workflow_id>")
@operation("getWorkflow", "workflow.see", Workflow, example=Example(ONE))
def get_workflow(workflow_id: str) -> ResponseReturnValue:
    """One workflow, by id or slug."""
    return workflows.entry(g.actor, workflow_id).to_json()


@blueprint.patch("/workflows/<workflow_id>")
@operation(
    "changeWorkflow",
    "workflow.edit",
    Workflow,
    body=ChangedWorkflow,
    example=Example(ONE, body={"title": "Review of a customer"}),
)
def change(workflow_id: str) -> ResponseReturnValue:
    """Change title, description, status or whose it is; 409 if the status is not possible, or others work in what is to be personal."""
    sent = read(ChangedWorkflow)
    if sent.whose is not None:
        workflows.ownership.hand_over(g.actor, workflow_id, sent.whose, to=sent.owner)
    words = {"title": sent.title, "description": sent.description, "status": sent.status}
    _require_filled(workflow_id, sent.status, leave_out=sent.leave_out)
    if sent.whose is not None and not any(words.values()):
        return workflows.entry(g.actor, workflow_id).to_json()
    return workflows.change(g.actor, workflow_id, **words, reason=sent.reason or "").to_json()


@blueprint.delete("/workflows/<workflow_id>")
@operation("deleteWorkflow", "workflow.edit", {204: None}, refuses=(409,), example=Example(ONE))
def remove(workflow_id: str) -> ResponseReturnValue:
    """Delete a workflow that was never published; 409 for others, which are archived instead."""
    workflows.remove(g.actor, workflow_id)
    return "", 204


@blueprint.get("/workflows/<workflow_id>/activation")
@operation("previewActivation", "workflow.see", Activation, example=Example(ONE))
def activation(workflow_id: str) -> ResponseReturnValue:
    """What activating it would do now: what is published, what starts runs, whom it reaches, and what goes on in the next 24 hours. Changes nothing."""
    return monitoring.activation(g.actor, workflow_id).to_json()


@blueprint.get("/workflows/<workflow_id>/cancellation")
@operation("previewCancellation", "workflow.see", Cancellation, example=Example(ONE))
def cancellation(workflow_id: str) -> ResponseReturnValue:
    """The live runs that cancelling the workflow would end, as far as the caller may see them. Changes nothing."""
    return monitoring.cancellation(g.actor, workflow_id).to_json()


@blueprint.post("/workflows/<workflow_id>/activate")
@operation(
    "activateWorkflow",
    "workflow.activate",
    Workflow,
    body=Activated,
    again=_changed,
    example=Example(ONE, body={}),
)
def activate(workflow_id: str) -> ResponseReturnValue:
    """Switch the workflow on: runs may start. Publishes the draft if nothing is published yet; 409 `not_ready` with a reason per step, `merge_fields` with each merge field that is empty for some of the contacts it was tried on (with `leave_out`: for all)."""
    _require_filled(workflow_id, "active", leave_out=read(Activated).leave_out)
    return workflows.activate(g.actor, workflow_id).to_json()


def _require_filled(workflow_id: str, status: str | None, *, leave_out: bool) -> None:
    """Raise Conflict `merge_fields` where the workflow is to be switched on and somebody would not get a message; one that was paused goes on."""
    if status in ("active", "running") and workflows.entry(g.actor, workflow_id).status not in (
        "paused",
        "active",
    ):
        monitoring.require_filled(g.actor, workflow_id, leave_out=leave_out)


@blueprint.post("/workflows/<workflow_id>/pause")
@operation(
    "pauseWorkflow",
    "workflow.activate",
    Workflow,
    body=Why,
    again=_changed,
    example=Example(ONE, body={}),
)
def pause(workflow_id: str) -> ResponseReturnValue:
    """Pause the workflow: no run starts, timers of live runs wait until it is activated again; people go on with theirs."""
    return workflows.pause(g.actor, workflow_id, read(Why).reason or "").to_json()


@blueprint.post("/workflows/<workflow_id>/complete")
@operation(
    "completeWorkflow",
    "workflow.activate",
    Workflow,
    body=Why,
    again=_changed,
    example=Example(ONE, body={}),
)
def complete(workflow_id: str) -> ResponseReturnValue:
    """Complete the workflow: no run starts, live runs go on to their end."""
    return workflows.complete(g.actor, workflow_id, read(Why).reason or "").to_json()


@blueprint.post("/workflows/<workflow_id>/cancel")
@operation(
    "cancelWorkflow",
    "workflow.activate",
    Workflow,
    body=Why,
    again=_changed,
    example=Example(ONE, body={"reason": "The law has changed."}),
)
def cancel(workflow_id: str) -> ResponseReturnValue:
    """Cancel the workflow: no run starts, and live runs are cancelled with this reason, which is needed. Needs `workflow.cancel` too."""
    return workflows.cancel(g.actor, workflow_id, read(Why).reason or "").to_json()


@blueprint.post("/workflows/<workflow_id>/archive")
@operation(
    "archiveWorkflow",
    "workflow.activate",
    Workflow,
    body=Nothing,
    again=_changed,
    example=Example(ONE, body={}),
)
def archive(workflow_id: str) -> ResponseReturnValue:
    """Archive the workflow: completed where it was active or paused, and left out of lists; live runs go on to their end, and all stay and can be replayed."""
    read(Nothing)
    return workflows.archive(g.actor, workflow_id).to_json()


@blueprint.post("/workflows/<workflow_id>/publish")
@operation(
    "publishWorkflow",
    "workflow.publish",
    Workflow,
    body=Publication,
    again=_changed,
    example=Example(ONE, body={"note": "Asks for the reason first."}),
)
def publish(workflow_id: str) -> ResponseReturnValue:
    """Publish the draft as the live version; live runs keep their version. 422 `not_ready` with a reason per step, 409 `tests_failed` with one per test."""
    sent = read(Publication)
    accepted = sent.accept_failed_tests or ""
    return workflows.publish_draft(
        g.actor, workflow_id, note=sent.note or "", revision=sent.revision, accept_failed_tests=accepted
    ).to_json()


@blueprint.post("/workflows/<workflow_id>/duplicate")
@operation(
    "duplicateWorkflow",
    "workflow.edit",
    {201: Workflow},
    body=Copied,
    again=_changed,
    example=Example(ONE, body={}),
)
def duplicate(workflow_id: str) -> ResponseReturnValue:
    """Copy the draft into a new workflow with its own name. Its triggers are new, with ids and addresses of their own, and off."""
    return workflows.duplicate(g.actor, workflow_id, read(Copied).whose).to_json(), 201


@blueprint.get("/workflows/<workflow_id>/definition")
@operation("getDefinition", "workflow.see", Definition, example=Example(ONE))
def definition(workflow_id: str) -> ResponseReturnValue:
    """The document of the draft; that of the live version for callers who may not edit."""
    return workflows.definition(g.actor, workflow_id)


@blueprint.put("/workflows/<workflow_id>/definition")
@operation(
    "putDefinition",
    "workflow.edit",
    Definition,
    body=Written,
    query=Unchanged,
    example=Example({"workflow_id": "call-back"}, body=DRAFT),
)
def redefine(workflow_id: str) -> ResponseReturnValue:
    """Replace the draft; 422 with a detail per problem, and nothing is stored then. Without `revision` also what others have changed since."""
    workflows.redefine(
        g.actor, workflow_id, read(Written).model_dump(), revision=parse_query(Unchanged).revision
    )
    return workflows.definition(g.actor, workflow_id)


@blueprint.get("/workflows/<workflow_id>/versions")
@operation("listVersions", "workflow.see", Listed[VersionHead], query=Older, example=Example(ONE))
def versions(workflow_id: str) -> ResponseReturnValue:
    """Its published versions, the newest first."""
    wanted = parse_query(Older)
    page, following = workflows.versions_of(g.actor, workflow_id, limit=wanted.limit, after=wanted.after)
    return listing([head.to_json() for head in page], following)


@blueprint.get("/workflows/<workflow_id>/versions/<int:number>")
@operation("getVersion", "workflow.see", VersionWhole, example=Example(ONE | {"number": "1"}))
def version(workflow_id: str, number: int) -> ResponseReturnValue:
    """One version and its document. A version never changes."""
    head, document = workflows.version_of(g.actor, workflow_id, number)
    return head.to_json() | {"definition": document}
