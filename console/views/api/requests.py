"""Requests of programs to people as JSON: ask a question or for the approval of a tool call, and read the answer."""

from typing import Annotated, Any, Literal

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints

from console.formats import with_numbers
from console.log import body as canonical
from console.views.api.operation import Done, Example, Sent, operation, read
from console.views.api.shapes import Request, RequestAsked
from console.work import agent_requests

blueprint = Blueprint("api_requests", __name__, url_prefix="/api/v1/requests")

POLL_S = 3
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
EXAMPLE: dict[str, Any] = {
    "title": "Refund order 4711?",
    "text": "The customer says that the parcel never came.",
    "schema": {
        "type": "object",
        "properties": {"refund": {"type": "boolean"}, "note": {"type": "string"}},
        "required": ["refund"],
    },
    "context": [{"label": "Amount", "value": "42.50 EUR", "kind": "fact"}],
    "files": [{"name": "mail.txt", "content": "VGhlIHBhcmNlbCBuZXZlciBjYW1lLg==", "kind": "claim"}],
    "inbox": "desk",
}


class ContextValue(Sent):
    """What the people should know."""

    label: Label
    value: Any = Field(description="A text, a number or other JSON")
    kind: Literal["fact", "claim"] = Field("claim", description="Whether the program vouches for it")


class ContextFile(Sent):
    """A file that the people should see."""

    name: Label
    content: str = Field(
        description="Base64 of a PDF, PNG, JPEG, text, CSV, Word or Excel file",
        json_schema_extra={"contentEncoding": "base64"},
    )
    kind: Literal["fact", "claim"] = Field("claim", description="Whether the program vouches for it")


class ToolCall(Sent):
    """A tool call that waits for the answer."""

    name: Label
    arguments: dict[str, Any] = Field(description="They fit the schema")


class NewRequest(Sent):
    """A question, or a tool call to approve."""

    title: Label
    text: str = Field("", max_length=8000, description="Shown letter by letter, not as Markdown")
    schema_: dict[str, Any] = Field(
        alias="schema",
        description="JSON Schema of the answer, an object; of a tool call that of its arguments, where `readOnly` ones cannot be edited. References to #/$defs only; patterns are not checked",
    )
    context: list[ContextValue] = Field(default_factory=list, max_length=50)
    files: list[ContextFile] = Field(
        default_factory=list,
        max_length=10,
        description="Shown under Documents. The whole body has at most 2 MiB, so about 1.5 MB of files: make larger ones smaller, or say in `context` where they are",
    )
    tool_call: ToolCall | None = None
    inbox: str | None = Field(None, max_length=60, description="Id of the inbox; or a person")
    person: str | None = Field(None, max_length=254, description="Id or e-mail address")
    due: str | None = Field(None, max_length=40, description="Until when an answer is needed; none: it waits")
    on_silence: Literal["expire", "escalate"] = Field(
        "expire", description="After `due`: it ends, or goes into the inbox as urgent"
    )


def ask_of(sent: NewRequest) -> agent_requests.Wish:
    """The wish as the service takes it."""
    wish: dict[str, Any] = with_numbers(sent.model_dump(by_alias=True, exclude={"idempotency_key"}))
    return agent_requests.Wish(**wish)


def to_json(found: agent_requests.Request) -> dict[str, Any]:
    """A request in the shape of the API; without the answer while it is open."""
    told: dict[str, Any] = {"id": found.id, "run_id": found.run, "status": found.status}
    if found.status == "open":
        return told
    told |= {"answer": found.answer, "changed": list(found.changed), "reason": found.reason}
    told |= {"answered_by": found.by, "answered_at": canonical.moment(found.at) if found.at else None}
    return told | {"delivered_at": canonical.moment(found.delivered_at) if found.delivered_at else None}


def _request_again(done: Done) -> dict[str, Any] | None:
    """Return the request that was asked, as it is now."""
    return (
        to_json(agent_requests.find(g.actor, agent_requests.of_run(g.actor, done.chain)))
        if done.chain
        else None
    )


@blueprint.post("")
@operation(
    "askPeople",
    "workflow.start",
    {202: RequestAsked},
    body=NewRequest,
    refuses=(403,),
    again=_request_again,
    example=Example(body=EXAMPLE),
)
def ask() -> ResponseReturnValue:
    """Ask people, and go on: 202 with the id under which the answer is read. 422 `inbox` or `person` where they may not be asked, `files[0]` for a file that is not taken, 429 `open_requests` where too many of the key are open.

    A tool call is approved by somebody else than whoever is behind the key, unless its inbox allows it.
    """
    request_id = agent_requests.ask(g.actor, ask_of(read(NewRequest)))
    return to_json(agent_requests.find(g.actor, request_id)), 202


@blueprint.get("/<request_id>")
@operation("getRequest", "workflow.start", Request, refuses=(409,))
def get_request(request_id: str) -> ResponseReturnValue:
    """A request of the key's person: `open` with the header Retry-After, or what became of it. The answer is the same each time."""
    found = agent_requests.find(g.actor, request_id)
    response = jsonify(to_json(found))
    if found.status == "open":
        response.headers["Retry-After"] = str(POLL_S)
    return response
