"""Triggers of a workflow as calls: what they are, when they fire next, what became of the last firings, and the addresses of webhooks."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import ConfigDict, Field

from console.automation import triggers
from console.core.documents.triggers import TriggerKind
from console.log import body as canonical
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Nothing, Paged, Sent, named, operation, page_of, read
from console.views.api.shapes import Listed, Moment, Open, Shape
from console.views.automation.hooks_in import hook_url

blueprint = Blueprint("api_triggers", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
HOOK = {"workflow_id": "call-back", "trigger": "shop"}


class Fired(Shape):
    """One firing."""

    at: Moment
    status: str = Field(description="waiting, started, refused or stopped")
    run: str | None
    why: str | None = Field(description="Why there is no run")
    made_up_at: Moment | None = Field(description="When a time of a schedule that was missed was made up for")


class TriggerListed(Open):
    """A trigger as it stands in the file, and what became of it."""

    id: str
    kind: TriggerKind
    enabled: bool
    next_at: list[Moment] = Field(description="The next five firings of a schedule")
    last: list[Fired]
    matched: int | None = Field(
        description="So often what it waits for came; null for an event or a webhook where the caller may see some of the records only, so with the four below"
    )
    passed: int | None = Field(description="So often of these its filter let it pass, and it was taken in")
    left_out: int | None = Field(description="So many times were missed and not made up for")
    stopped: int | None = Field(description="So often it led to itself and started nothing")
    waiting: int | None = Field(
        description="How many of those taken in have not begun yet; 10001 where there are more than 10,000"
    )
    problem: str | None = Field(description="What keeps it from working now")
    url: str | None = Field(None, description="Of a webhook, for who may edit the workflow")


class TriggerMade(Shape):
    """A trigger that was added or changed."""

    id: str
    kind: TriggerKind
    enabled: bool
    url: str | None = Field(description="Of a webhook")
    secret: str | None = Field(
        description="That a signed webhook is signed with; shown once, never to a repeated request"
    )


class CreatedTrigger(Sent):
    """A trigger as it stands in the file of a workflow; the id may be left out."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    kind: TriggerKind


class SenderSecret(Sent):
    """The secret that the sender made; without it one is drawn and shown once."""

    secret: str = Field("", max_length=300, description="As Standard Webhooks writes it: whsec_ and base64")


class SwitchedTrigger(Sent):
    """The switch."""

    enabled: bool


@blueprint.get("/workflows/<workflow_id>/triggers")
@operation("listTriggers", "workflow.see", Listed[TriggerListed], query=Paged, example=Example(ONE))
def every(workflow_id: str) -> ResponseReturnValue:
    """What starts runs of the workflow: with the next runs, the last ones, and why something did not start."""
    _, found = triggers.list_triggers(g.actor, workflow_id)
    return page_of([_trigger_json(trigger) for trigger in found])


def _trigger_json(trigger: triggers.Listed) -> dict[str, Any]:
    taken, kept_out = (trigger.counts.get(name) for name in ("matched", "passed"))
    counts = {"matched": None if taken is None or kept_out is None else taken + kept_out, "passed": taken}
    counts |= {name: trigger.counts.get(name) for name in ("left_out", "stopped", "waiting")}
    body = {
        **trigger.definition.to_json(),
        "enabled": trigger.enabled,
        "next_at": [canonical.moment(at) for at in trigger.next_at],
        "last": [fired.to_json() for fired in trigger.last],
        **counts,
        "problem": trigger.problem,
    }
    return body | ({"url": hook_url(trigger.address)} if trigger.address is not None else {})


def _made(made: triggers.Made) -> dict[str, Any]:
    return {
        "id": made.id,
        "kind": made.kind,
        "enabled": made.enabled,
        "url": hook_url(made.address),
        "secret": made.secret,
    }


def _added(done: Done) -> dict[str, Any]:
    """Return the trigger as it is now, without its secret."""
    made = done.made or (read(CreatedTrigger).model_extra or {}).get("id")
    if made is None:
        raise idempotency.lost("The trigger", "the list of the workflow’s triggers")
    return _now(str(made))


def _renewed(_done: Done) -> dict[str, Any]:
    """Return the webhook as it is now, without its secret: that was shown once, and whoever lost it renews it with a new key."""
    return _now(named("trigger"))


def _now(ident: str) -> dict[str, Any]:
    return _made(triggers.current_trigger(g.actor, named("workflow_id"), ident))


@blueprint.post("/workflows/<workflow_id>/triggers")
@operation(
    "createTrigger",
    "workflow.edit",
    {201: TriggerMade},
    body=CreatedTrigger,
    again=_added,
    example=Example({"workflow_id": "call-back"}, body={"kind": "webhook", "enabled": True}),
)
def create(workflow_id: str) -> ResponseReturnValue:
    """Add a trigger to the draft. A webhook has its address at once and works while the workflow is active; others begin when it is published."""
    made = triggers.add(g.actor, workflow_id, read(CreatedTrigger).model_dump())
    idempotency.name_result(made.id)
    return _made(made), 201


@blueprint.patch("/workflows/<workflow_id>/triggers/<trigger>")
@operation(
    "switchTrigger",
    "workflow.activate",
    TriggerMade,
    body=SwitchedTrigger,
    example=Example(HOOK, body={"enabled": True}),
)
def switch(workflow_id: str, trigger: str) -> ResponseReturnValue:
    """Switch a published trigger on or off, at once. What happened while it was off is not made up for."""
    return _made(triggers.switch(g.actor, workflow_id, trigger, enabled=read(SwitchedTrigger).enabled))


@blueprint.post("/workflows/<workflow_id>/triggers/<trigger>/rotate")
@operation(
    "rotateWebhook",
    "workflow.edit",
    TriggerMade,
    body=Nothing,
    again=_renewed,
    example=Example(HOOK, body={}),
)
def rotate(workflow_id: str, trigger: str) -> ResponseReturnValue:
    """Give a webhook a new address. The old one is worthless from now on: whoever sends there gets 400."""
    read(Nothing)
    return _made(triggers.rotate(g.actor, workflow_id, trigger))


@blueprint.post("/workflows/<workflow_id>/triggers/<trigger>/secret")
@operation(
    "renewWebhookSecret",
    "workflow.edit",
    TriggerMade,
    body=SenderSecret,
    again=_renewed,
    example=Example({"workflow_id": "call-back", "trigger": "signed"}, body={}),
)
def renew_secret(workflow_id: str, trigger: str) -> ResponseReturnValue:
    """Give a signed webhook a new secret, shown once, or the one that its sender made. What is signed with the old one is refused from now on."""
    return _made(triggers.renew_secret(g.actor, workflow_id, trigger, read(SenderSecret).secret))
