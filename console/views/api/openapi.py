"""`/api/openapi.json`: the description of the API, built only from the URL map and from the declarations beside the views."""

import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

import console
from console.views.api import samples
from console.views.api.operation import OPERATION, Media, Operation
from console.views.api.shapes import Error

blueprint = Blueprint("openapi", __name__)

BASE = "/api/v1"
REFERENCE = "#/components/schemas/{model}"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
INTRODUCTION = """\
Everything that the pages do with records, runs and workflows, for programs, with the same rights and the same checks.

A key acts as its person: `Authorization: Bearer cns_…`. Lists take `limit` (1 to 100) and `after`, the `next` of the answer before. Decimals are text, moments RFC 3339
in UTC, ids begin with what they name. Releases may add names to answers: ignore those that you do not know. A name in a body or an address that the call does not know is refused.

Every POST takes `X-Idempotency-Key`: sent again within a day with the same body, it does nothing and tells how what it made stands now.
"""
TAGS = {
    "me": "Who the key speaks for",
    "people": "Service accounts, and who is away",
    "collections": "Collections and their records",
    "notes": "Notes on records",
    "tags": "Tags of records, and contacts from a file",
    "reveal": "Masked values, one by one",
    "reports": "Reports that their reporter does not see again",
    "runs": "Runs: start, read, and every command",
    "workflows": "Workflows, their drafts and versions",
    "enrolments": "Who is in a workflow: enrolling, leads, counts",
    "triggers": "What starts a workflow by itself, and the addresses of its webhooks",
    "webhooks": "Addresses outside to which events of the log are sent",
    "connections": "Connections of connectors, with a test",
    "connectors": "Connectors, their operations and their usual connection",
    "mcp_servers": "MCP servers whose tools steps call",
    "secrets": "Keys for other systems: set, never read",
    "workspaces": "Pages for a team's day: their documents.",
    "approvals": "What waits for a second person",
    "inbox": "Inboxes and their tickets",
    "requests": "Questions and tool calls of programs that people answer",
    "work": "The work of the caller's teams",
    "messages": "Messages to people outside, and the channels that carry them",
    "files": "Files that are handed in with a step",
    "activity": "The activity log and its export",
    "ai": "What the AI was asked, and what came of it",
    "checkpoint": "Signed heads of the log",
}
WITHIN = {
    "runs_commands": "runs",
    "monitoring": "workflows",
    "contact_hours": "messages",
    "reveal": "collections",
    "workflow_drafts": "workflows",
    "workflow_graph": "workflows",
    "workflow_configuration": "workflows",
    "dry_runs": "workflows",
    "publishing_reviews": "workflows",
    "run_moves": "workflows",
    "absences": "people",
    "contact_imports": "tags",
    "draft_wishes": "workflows",
    "case_questions": "runs",
}
"""Blueprints whose calls stand among those of another."""
ALWAYS = (400, 401, 429, 503)
WITH_BODY = (409, 413, 415, 422)
REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("Malformed", "What was sent cannot be read; `details` name the parameter"),
    401: ("NotSignedIn", "No key, or one that is unknown, expired or revoked"),
    403: ("NotAllowed", "The right is missing; `message` names it and who can grant it"),
    404: ("NotFound", "It is not there, or not within what the key's person may see; the answer is the same"),
    409: ("Conflict", "Things moved, or the same request is under way; nothing was done"),
    413: ("TooLarge", "What was sent is larger than the console takes"),
    415: ("NotJson", "The body is of a type that is not taken here"),
    422: ("Invalid", "Readable, and wrong; one detail per field"),
    429: ("TooMany", "The limit of the key is reached; `Retry-After` says when it goes on"),
    503: (
        "Unavailable",
        "The database or the data source does not answer; `Retry-After` says when to ask again",
    ),
}
HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-Id": ("string", "The name of this request, in the log too"),
    "X-RateLimit-Limit": ("integer", "How many requests the window that is nearest to its end takes"),
    "X-RateLimit-Remaining": ("integer", "How many of them are left"),
    "X-RateLimit-Reset": ("integer", "When that window begins again, in seconds since 1970"),
}
EXAMPLE_ID = "_01j0000000000000000000000a"
PARAMETERS: Mapping[str, tuple[str, str]] = {
    "collection": ("Id of the collection", "customer"),
    "key": ("Key of the record, as it was read, percent-encoded", "17"),
    "identity_id": ("Id of an identity of the person", "idn_"),
    "run_id": ("The run", "run_"),
    "request_id": ("The request", "req_"),
    "question_id": ("The question", "cqu_"),
    "workflow_id": ("Id or slug of the workflow", "kyc-review"),
    "import_id": ("Id of an import of contacts", "imp_"),
    "enrolment_id": ("Id of the enrolment of many", "enr_"),
    "unenrolment_id": ("Id of the taking out of many", "out_"),
    "node_id": ("Id of the node", "node_wait"),
    "edge_id": ("Id of the edge", "edge_wait-default"),
    "turn_id": ("Id of a question to the builder of workflows", "bld_01"),
    "lead_id": ("Id of the lead", "lead_"),
    "message_id": ("The message", "msg_"),
    "trigger": ("Id of the trigger in the file of the workflow", "shop"),
    "alert_id": ("The alert of the workflow", "alr_"),
    "incident_id": ("The incident of the workflow", "9c1185a5c5e9fc54"),
    "approval_id": ("The request for approval", "apr_"),
    "review_id": ("The request to publish", "rev_"),
    "move_id": ("The move of runs", "mov_"),
    "export_id": ("The file of a list", "exp_"),
    "file_id": ("The file", "fil_"),
    "note_id": ("The note", "rnt_"),
    "name": ("Id of the inbox", "desk"),
    "number": ("Number of the version", "1"),
    "slug": ("Name of the workspace", "refund-desk"),
    "webhook_id": ("The webhook", "whk_"),
    "delivery_id": ("The delivery", "dlv_"),
    "secret": ("Name of the secret", "bank"),
    "connector": ("Id of a connector, such as stripe", "stripe"),
    "connection": ("Name of a connection of a connector", "stripe"),
    "server": ("Name of the MCP server", "files"),
    "person_id": ("The person", "usr_"),
    "absence_id": ("The absence", "abs_"),
    "tag": ("The tag, percent-encoded; capitals do not count", "lead"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """An operation: `path` below `/api/v1` with parameters in braces, `method` in capitals, `about` its description."""

    path: str
    method: str
    operation: Operation
    about: str
    tag: str

    @property
    def parameters(self) -> list[str]:
        """Return the names of the path's parameters."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def statuses(self) -> list[int]:
        """Return every error status that it may be answered with."""
        statuses = {*ALWAYS, *self.operation.refuses}
        statuses |= {*WITH_BODY} if self.operation.body is not None or self.method == "POST" else set()
        statuses |= {404} if self.parameters or self.operation.again is not None else set()
        statuses |= {403} if self.method != "GET" and not self.operation.open else set()
        return sorted(statuses)


def calls(app: Flask) -> list[Call]:
    """Return every call below `/api/v1`, in the order of `TAGS`, then of declaration. Raises `LookupError` for a route without a declaration."""
    declared = [
        call
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{BASE}/")
        for call in _calls(app, rule)
    ]
    return sorted(
        declared,
        key=lambda call: (list(TAGS).index(call.tag), call.method == "POST" and bool(call.parameters)),
    )


def _calls(app: Flask, rule: Rule) -> Iterator[Call]:
    view = app.view_functions[rule.endpoint]
    declared = getattr(view, OPERATION, None)
    if declared is None:
        raise LookupError(f"{rule.rule} has no declaration: {rule.endpoint}")
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(BASE))
    family = rule.endpoint.partition(".")[0].removeprefix("api_")
    tag = WITHIN.get(family, family)
    for method in METHODS:
        if method in (rule.methods or ()):
            yield Call(path, method, declared, inspect.getdoc(view) or "", tag)


@blueprint.get("/api/openapi.json")
def show() -> Response:
    """Return the description, the same for everybody; 304 if the client has it."""
    answer = Response(
        rendered(current_app), mimetype="application/json", headers={"Cache-Control": "no-cache"}
    )
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@functools.lru_cache(maxsize=4)
def rendered(app: Flask) -> bytes:
    """Return the description as bytes, built once for each application."""
    return orjson.dumps(document(cast(Flask, getattr(app, "_get_current_object", lambda: app)())))


def document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    every = calls(app)
    schemas = _schemas(every)
    paths: dict[str, dict[str, Any]] = {}
    for call in every:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, every)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handrail",
            "version": console.__version__,
            "summary": "The API of an operations console",
            "description": INTRODUCTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{"key": []}],
        "tags": [
            {"name": name, "description": about}
            for name, about in TAGS.items()
            if any(call.tag == name for call in every)
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": {name: {"value": samples.example(name, schemas)} for name in _answered(every)},
            "responses": {name: _refusal(status, about) for status, (name, about) in REFUSALS.items()},
            "headers": {
                name: {"description": about, "schema": {"type": kind}}
                for name, (kind, about) in HEADERS.items()
            },
            "parameters": {
                "IdempotencyKey": {
                    "name": "X-Idempotency-Key",
                    "in": "header",
                    "description": "A text of your own: the same key and body within a day are done once and what was made is read again, another body is 422",
                    "schema": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 200,
                        "pattern": "^[!-~]([ -~]*[!-~])?$",
                    },
                    "example": "order-4711",
                }
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "cns_…",
                    "description": "A key of a person, from Settings, API keys",
                }
            },
        },
    }


def _schemas(every: Iterable[Call]) -> dict[str, Any]:
    """Return the schemas of all bodies and responses, by name."""
    models: list[type[BaseModel]] = [Error]
    for call in every:
        for content in (call.operation.body, *call.operation.answers.values()):
            model = content.model if isinstance(content, Media) else content
            if model is not None and model not in models:
                models.append(model)
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)
    names = {name: _readable_name(name) for name in schemas["$defs"]}
    made = {names[name]: _readable_schema(schema, names) for name, schema in sorted(schemas["$defs"].items())}
    sent = _reached(
        made, [_content(call.operation.body) for call in every if call.operation.body is not None]
    )
    for name in made.keys() - sent:
        if made[name].get("additionalProperties") is False:  # releases may add names to answers
            del made[name]["additionalProperties"]
    return made


def _reached(schemas: Mapping[str, Any], part: Any) -> set[str]:
    """Return the names of the schemas that a part of the document refers to, those below them too."""
    reached, left = set[str](), [part]
    while left:
        each = left.pop()
        if isinstance(each, Mapping):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in reached:
                reached.add(name)
                left.append(schemas[name])
        left += each.values() if isinstance(each, Mapping) else each if isinstance(each, list) else ()
    return reached


def _readable_name(name: str) -> str:
    """Return a readable name for `Listed_RunHead_`."""
    listed = re.fullmatch(r"Listed_(\w+?)_", name)
    return f"{listed[1]}Page" if listed else name


def _schema_name(model: type[BaseModel]) -> str:
    return _readable_name(model.__name__.replace("[", "_").replace("]", "_"))


def _readable_schema(schema: Any, names: Mapping[str, str], *, properties: bool = False) -> Any:
    """Return the schema without titles that only repeat names, and with our names."""
    if isinstance(schema, list):
        return [_readable_schema(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        name: _readable_schema(value, names, properties=name in ("properties", "$defs") and not properties)
        for name, value in schema.items()
        if properties or not (name == "title" and isinstance(value, str))
    }
    if isinstance(plain.get("$ref"), str) and not properties:
        head, _, last = plain["$ref"].rpartition("/")
        plain["$ref"] = f"{head}/{names.get(last, last)}"
    return plain


def _operation(call: Call, every: Iterable[Call]) -> dict[str, Any]:
    declared = call.operation
    summary, _, more = call.about.partition("\n\n")
    described: dict[str, Any] = {
        "operationId": declared.id,
        "tags": [call.tag],
        "summary": " ".join(summary.split()).rstrip("."),
        **({"description": " ".join(more.split())} if more else {}),
        "security": [] if declared.open else [{"key": []}],
        "x-permission": declared.permission,
        "parameters": [*_in_path(call), *_in_query(declared)],
    }
    if call.method == "POST":
        described["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    if declared.body is not None:
        described["requestBody"] = {
            "required": isinstance(declared.body, Media)
            or any(each.is_required() for each in declared.body.model_fields.values()),
            "content": _content(declared.body, declared.example.body),
        }
    described["responses"] = {
        **{str(status): _answer(status, model, every) for status, model in declared.answers.items()},
        **{
            str(status): {"$ref": f"#/components/responses/{REFUSALS[status][0]}"} for status in call.statuses
        },
    }
    return described


def _in_path(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARAMETERS[name][0],
            "schema": {"type": "integer", "minimum": 1}
            if name == "number"
            else {"type": "string", "minLength": 1},
            "example": (int if name == "number" else str)(
                call.operation.example.path.get(name, re.sub("_$", EXAMPLE_ID, PARAMETERS[name][1]))
            ),
        }
        for name in call.parameters
    ]


def _in_query(declared: Operation) -> list[dict[str, Any]]:
    if declared.query is None:
        return []
    schema = declared.query.model_json_schema(ref_template=REFERENCE)
    parameters = []
    for name, schema_of in schema["properties"].items():
        kept = _without_null(schema_of)
        about = kept.pop("description", "")
        shown = {"example": declared.example.query[name]} if name in declared.example.query else {}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                **({"description": about} if about else {}),
                "schema": kept,
                **shown,
            }
        )
    return parameters


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null: an absent parameter is left out of the address."""
    kept = {
        name: value
        for name, value in schema.items()
        if name not in ("title", "anyOf") and not (name == "default" and value is None)
    }
    for each in schema.get("anyOf", ()):
        if each != {"type": "null"}:
            kept |= each
    return kept


def _content(content: type[BaseModel] | Media, example: Any = None) -> dict[str, Any]:
    shown = {} if example is None else {"example": example}
    if not isinstance(content, Media):
        return {
            "application/json": {
                "schema": {"$ref": REFERENCE.format(model=_schema_name(content))},
                **shown,
            }
        }
    if content.model is not None:
        return {content.kind: {"schema": {"$ref": REFERENCE.format(model=content.model.__name__)}, **shown}}
    return {content.kind: {"schema": {"type": "string"} if content.kind.startswith("text/") else {}}}


def _answer(status: int, content: type[BaseModel] | Media | None, every: Iterable[Call]) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    if content is None:
        return {
            "description": "Done; there is nothing more to say" if status == 204 else "Done",
            "headers": headers,
        }
    about = (
        content.description
        if isinstance(content, Media)
        else (inspect.getdoc(content) or "").partition("\n")[0]
    )
    links = _links(content, every)
    return {
        "description": about,
        "headers": headers,
        "content": {kind: each | _example_of(content) for kind, each in _content(content).items()},
        **({"links": links} if links else {}),
    }


def _example_of(content: type[BaseModel] | Media) -> dict[str, Any]:
    """Return the name under which the description of a response holds its example; none of a file."""
    if isinstance(content, Media):
        return {"example": content.example} if content.example else {}
    return {"examples": {"typical": {"$ref": f"#/components/examples/{_schema_name(content)}"}}}


def _answered(every: Iterable[Call]) -> list[str]:
    """Return the names of the schemas of all responses."""
    models = {content for call in every for content in call.operation.answers.values() if content is not None}
    return sorted(_schema_name(model) for model in models if not isinstance(model, Media))


LINKED: Mapping[str, tuple[str, ...]] = {"Run": ("run_id",), "Workflow": ("workflow_id",)}
"""A thing that an answer is, and the parameters that its `id` fills."""


def _links(content: type[BaseModel] | Media, every: Iterable[Call]) -> dict[str, Any]:
    """Return the calls that can follow with the id in the response."""
    if isinstance(content, Media) or content.__name__ not in LINKED:
        return {}
    return {
        call.operation.id: {"operationId": call.operation.id, "parameters": {name: "$response.body#/id"}}
        for name in LINKED[content.__name__]
        for call in every
        if call.parameters == [name]
    }


def _refusal(status: int, about: str) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status in (409, 429, 503):
        headers["Retry-After"] = {
            "description": "Seconds to wait, where waiting helps",
            "schema": {"type": "integer"},
        }
    return {
        "description": about,
        "headers": headers,
        "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model="Error")}}},
    }
