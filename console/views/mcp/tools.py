"""The tools of an assistant: they read what the owner of the key may see and a model may get, begin runs, and decide nothing.

Values of fields that no model gets whole are hidden from what is read here. No tool hands in a step: what is begun or proposed waits for a person.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from flask import g, request
from pydantic import Field, StringConstraints

from console import actions, browse, records, runs, workflows
from console.auth import access
from console.automation import enrolments
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound
from console.core.moments import moment_text
from console.infra import settings
from console.views import frame
from console.views.api import idempotency
from console.views.api.operation import Sent
from console.views.api.requests import NewRequest, ask_of, to_json
from console.work import agent_requests, my_work

MOST = 50
WAITS_FOR = {
    "waiting_person": "a person who does the step",
    "waiting_time": "its time",
    "waiting_event": "an answer or an approval",
    "saved": "a person who goes on",
}
ASKED = ("name", "label", "type", "required", "options", "help")
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ONCE = "The same key and arguments again give the same run, for a day: send one of your own, and send it again where no answer came"


class Arguments(Sent):
    """What a tool is called with: every name known, every value of its type."""


class Nothing(Arguments):
    """Nothing."""


class OfCollection(Arguments):
    """A collection."""

    collection: Text = Field(description="Its id, as listCollections tells it")


class Sought(OfCollection):
    """Which records."""

    q: str | None = Field(None, description="Words, a number or a name to look for")
    filter: dict[str, Any] | None = Field(
        None, description='Conditions, such as {"field": "country", "op": "eq", "value": "LV"}'
    )
    segment: str | None = Field(None, description="Id of a segment of the collection")
    sort: str | None = Field(None, description="A field, with - before it for descending")
    limit: int = Field(20, ge=1, le=MOST)
    after: str | None = Field(None, description="The next of the page before")


class Beside(OfCollection):
    """Which related records."""

    record_id: Text = Field(description="Key of the record")
    relation: Text = Field(description="Name of a relation, as describeCollection tells it")
    limit: int = Field(20, ge=1, le=MOST)
    after: str | None = Field(None, description="The next of the page before")


class OfWorkflow(Arguments):
    """A workflow."""

    workflow_id: Text = Field(description="Slug or id of the workflow")


class Triggered(Arguments):
    """Which run to start."""

    workflow_id: Text = Field(description="Slug or id of the workflow")
    record_id: Text | None = Field(None, description="Key of the record, where the workflow is about one")
    input: dict[str, Any] = Field(
        default_factory=dict, description="Values of its start fields, as listWorkflows tells them"
    )
    idempotency_key: Key = Field(description=ONCE)


class OfRun(Arguments):
    """A run."""

    run_id: Text


class OfAction(OfCollection):
    """An action on a record, or one that adds one."""

    record_id: Text | None = Field(None, description="Key of the record; none where the action adds one")
    action: Text = Field(description="Its id, as describeCollection tells it")


class Proposed(OfAction):
    """An action to propose on a record."""

    values: dict[str, Any] = Field(
        default_factory=dict, description="What stands in its form for the person who decides"
    )
    idempotency_key: Key = Field(description=ONCE)


class PersonAsked(NewRequest, Arguments):
    """What to ask people."""

    idempotency_key: Key = Field(description=ONCE)


class OfRequest(Arguments):
    """A request."""

    request_id: Text = Field(description="As ask_person answered it")


@dataclass(frozen=True, slots=True)
class AssistantTool:
    """A tool: what it is told to an assistant as, and what it does."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    do: Callable[[Any], dict[str, Any]]
    changes: bool = False

    def described(self) -> dict[str, Any]:
        """As the protocol tells it."""
        marks = {
            "readOnlyHint": not self.changes,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        }
        schema = self.arguments.model_json_schema()
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": schema,
            "annotations": marks,
        }


def _reader() -> Actor:
    """Who reads: the owner of the key, without what a model may not get."""
    actor: Actor = g.actor
    return replace(actor, for_model=True)


def _address(path: str) -> str:
    return f"{(settings.current().base_url or request.host_url).rstrip('/')}{path}"


# ---------------------------------------------------------------------------------------------------------------- records


def _list_collections(_asked: Nothing) -> dict[str, Any]:
    return {"collections": [item.head() for item in browse.collections(_reader())]}


def _describe_collection(asked: OfCollection) -> dict[str, Any]:
    reader = _reader()
    told = browse.describe(reader, asked.collection)
    offered = [
        {
            "id": action.id,
            "title": action.title,
            "adds": action.collection is None,
            "form": [
                _asked_for(entry.model_dump(mode="json")) for entry in action.form if not entry.readonly
            ],
        }
        for action in [
            *actions.offered(reader, asked.collection),
            *actions.offered_to_add(reader, asked.collection),
        ]
    ]
    return told | {"actions": offered}


def _asked_for(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A field of a form, as far as it says what to fill in."""
    return {name: entry[name] for name in ASKED if entry.get(name)}


def _kept_key(reader: Actor, collection: str) -> bool:
    """Whether records of the collection are named by a value that no model gets, such as the IBAN of an account. Raises NotFound."""
    return bool(access.scope_for(reader, collection, "read").hidden & set(records.collection(collection).key))


def _find_records(asked: Sought) -> dict[str, Any]:
    query = BrowseQuery(
        segment=asked.segment or None,
        filter=json.dumps(asked.filter) if asked.filter else None,
        q=asked.q or None,
        sort=asked.sort or None,
        limit=asked.limit,
        after=asked.after or None,
    )
    reader = _reader()
    _require_named(reader, asked.collection)
    page = browse.page(reader, asked.collection, query)
    rows = [
        row.to_json() | {"url": _address(frame.record_url(asked.collection, row.key)) if row.key else None}
        for row in page.rows
    ]
    return {"records": rows, "next": page.next}


def _list_related(asked: Beside) -> dict[str, Any]:
    reader = _reader()
    link = browse.browsed_collection(reader, asked.collection)[0].relation(asked.relation)
    if link is None:
        raise NotFound("There is no such relation: describeCollection tells which there are.")
    for place in (asked.collection, link.collection):
        _require_named(reader, place)
    found = browse.related(
        reader, asked.collection, asked.record_id, asked.relation, asked.limit, asked.after
    )
    shown = {column.name for column in found.columns}
    rows = [
        {
            "key": row.key,
            "title": row.title,
            "values": {name: value for name, value in row.values.items() if name in shown},
            "url": _address(frame.record_url(found.collection.id, row.key)) if row.key else None,
        }
        for row in found.rows
    ]
    return {"collection": found.collection.id, "records": rows, "next": found.next}


def _require_named(reader: Actor, collection: str) -> None:
    if _kept_key(reader, collection):
        raise NotAllowed(
            "What names these records is kept from models, so they cannot be told here.",
            need=("collection", "read"),
        )


# ------------------------------------------------------------------------------------------------------------------- runs


def _list_workflows(_asked: Nothing) -> dict[str, Any]:
    entries, _ = workflows.entries(g.actor, status="active", limit=500)
    made = actions.made_of_actions()
    return {
        "workflows": [_workflow(entry) for entry in entries if entry.slug not in made and _offered(entry)]
    }


def _offered(entry: workflows.Entry) -> bool:
    may = access.can(g.actor, entry.team or None, f"{workflows.OBJECT}:{entry.slug}", "start")
    return may and "assistant" not in workflows.live(entry.id).document.settings.hidden_in


def _workflow(entry: workflows.Entry) -> dict[str, Any]:
    document = workflows.live(entry.id).document
    fields = [_asked_for(entry) for entry in document.start.config.get("fields", ())]
    return {
        "id": entry.id,
        "slug": entry.slug,
        "title": entry.title,
        "description": entry.description,
        "collection": document.collection,
        "input": fields,
        "done_by": "an account of its own" if document.run_as is not None else "people",
    }


def _describe_workflow(asked: OfWorkflow) -> dict[str, Any]:
    entries, _ = workflows.entries(g.actor, status="active", limit=500)
    entry = next((each for each in entries if asked.workflow_id in (each.id, each.slug)), None)
    if entry is None or entry.slug in actions.made_of_actions() or not _offered(entry):
        raise NotFound("There is no such workflow for you to start: listWorkflows tells which there are.")
    steps = workflows.live(entry.id).document.steps
    told = [
        {"id": step.id, "title": step.title, "type": step.type, "next": dict(step.next)} for step in steps
    ]
    return _workflow(entry) | {"steps": told}


def _trigger_workflow(asked: Triggered) -> dict[str, Any]:
    actor = g.actor

    def begin() -> str:
        collection = (
            workflows.live(asked.workflow_id).document.collection if asked.record_id is not None else None
        )
        return enrolments.start(actor, asked.workflow_id, collection, asked.record_id, asked.input)

    return _run(
        idempotency.begun_once(f"triggerWorkflow|{asked.idempotency_key}", asked.model_dump_json(), begin)
    )


def _get_run(asked: OfRun) -> dict[str, Any]:
    return _run(asked.run_id)


def _run(run_id: str) -> dict[str, Any]:
    """Where a run stands, without values of records and steps."""
    reader = _reader()
    head = runs.head(reader, run_id)
    if head is None:
        raise NotFound
    view = runs.get(reader, run_id, most=runs.PATH_SHOWN)
    return _head(reader, head) | {
        "steps": [{"title": step["title"], "state": step["state"]} for step in view.steps]
    }


def _head(reader: Actor, head: runs.RunHead) -> dict[str, Any]:
    """A run as in a list, without what people typed."""
    record = None
    if head.collection is not None and head.record is not None and not _kept_key(reader, head.collection):
        record = {"collection": head.collection, "id": head.record, "title": head.record_title}
    return {
        "run_id": head.id,
        "workflow": {"slug": head.slug, "title": head.workflow_title},
        "record": record,
        "status": head.status,
        "ended": head.ended_at is not None,
        "waits_for": _waits_for(head),
        "current_step": head.step_title,
        "with": head.holder_name or None,
        "ending": head.ending,
        "started_at": moment_text(head.created_at),
        "ended_at": moment_text(head.ended_at),
        "url": _address(frame.run_url(head.id)),
    }


def _waits_for(head: runs.RunHead) -> str | None:
    """What a live run waits for, in words."""
    if head.ended_at is not None:
        return None
    return WAITS_FOR.get(head.status, "nothing: it is being worked on")


def _list_my_work(_asked: Nothing) -> dict[str, Any]:
    """Runs by what they are; what colleagues ask as numbers, because it is in their words."""
    reader = _reader()
    found = my_work.work_of(reader)
    heads = [*found.in_hand, *found.to_continue, *(head for head, _ in found.instead)]
    due = {run: reason.due.isoformat() for run, reason in found.why.items() if reason.due is not None}
    return {
        "runs": [_head(reader, head) | {"due": due.get(head.id)} for head in heads],
        "to_decide": len(found.to_decide) + len(found.publishing),
        "asked_of_you": len(found.questions) + len(found.tasks),
        "inboxes": [{"inbox": inbox.title, "waiting": count.to_do} for inbox, count in found.inboxes],
        "more": found.more,
        "url": _address("/"),
    }


def _get_action_form(asked: OfAction) -> dict[str, Any]:
    found = actions.sheet(_reader(), asked.collection, asked.record_id, asked.action)
    return {
        "action": found.action.id,
        "title": found.action.title,
        "form": [
            _asked_for({name: getattr(field, name) for name in ASKED})
            for field in found.prompt.fields
            if not field.readonly
        ],
        "approved_by_others": bool(found.action.approval),
    }


def _propose_action(asked: Proposed) -> dict[str, Any]:
    actor = g.actor

    def begin() -> str:
        return actions.propose(
            actor, _reader(), asked.collection, asked.record_id, asked.action, asked.values
        )

    begun = idempotency.begun_once(f"proposeAction|{asked.idempotency_key}", asked.model_dump_json(), begin)
    actions.fill_in(actor, begun, asked.values)  # asked again, of one whose process died before
    return _run(begun) | {
        "note": "Nothing is done yet: a person looks at what you filled in, changes it or not, and decides."
    }


def _ask_person(asked: PersonAsked) -> dict[str, Any]:
    actor = g.actor

    def begin() -> str:
        return agent_requests.run_of(actor, agent_requests.ask(actor, ask_of(asked)))

    begun = idempotency.begun_once(f"ask_person|{asked.idempotency_key}", asked.model_dump_json(), begin)
    return to_json(agent_requests.find(actor, agent_requests.of_run(actor, begun)))


def _request_answer(asked: OfRequest) -> dict[str, Any]:
    return to_json(agent_requests.find(g.actor, asked.request_id))


_ALL: Sequence[AssistantTool] = (
    AssistantTool(
        "listCollections",
        "List collections",
        "Every collection of records that you may read.",
        Nothing,
        _list_collections,
    ),
    AssistantTool(
        "describeCollection",
        "Describe a collection",
        "Fields, relations, segments and actions of a collection.",
        OfCollection,
        _describe_collection,
    ),
    AssistantTool(
        "findRecords",
        "Find records",
        "Records of a collection, a page at a time. Fields that no model may get are left out.",
        Sought,
        _find_records,
    ),
    AssistantTool(
        "listRelated",
        "List related records",
        "Records that a relation of one record leads to, a page at a time.",
        Beside,
        _list_related,
    ),
    AssistantTool(
        "listWorkflows",
        "List workflows",
        "Every workflow that you may start, with what its start asks for.",
        Nothing,
        _list_workflows,
    ),
    AssistantTool(
        "describeWorkflow",
        "Describe a workflow",
        "What the start of a workflow asks for, and its steps.",
        OfWorkflow,
        _describe_workflow,
    ),
    AssistantTool(
        "triggerWorkflow",
        "Start a workflow",
        "Start a run. It waits for people where a step is theirs: you cannot do a step.",
        Triggered,
        _trigger_workflow,
        changes=True,
    ),
    AssistantTool(
        "getWorkflowRun",
        "Read a run",
        "Where a run stands, what it waits for and what was done.",
        OfRun,
        _get_run,
    ),
    AssistantTool(
        "myWork", "My work", "What waits for the person whose key this is.", Nothing, _list_my_work
    ),
    AssistantTool(
        "getActionForm",
        "Read the form of an action",
        "What an action asks for on one record, and whether somebody else has to approve it.",
        OfAction,
        _get_action_form,
    ),
    AssistantTool(
        "proposeAction",
        "Propose an action",
        "Lay an action on a record before a person, with its form filled in. Nothing is done until they decide.",
        Proposed,
        _propose_action,
        changes=True,
    ),
    AssistantTool(
        "ask_person",
        "Ask a person",
        "Ask people a question with the schema of its answer, or for the approval of a tool call. It waits for them: read it with request_answer.",
        PersonAsked,
        _ask_person,
        changes=True,
    ),
    AssistantTool(
        "request_answer",
        "Read an answer",
        "What became of what ask_person asked: open, answered, rejected or expired. Ask again later while it is open.",
        OfRequest,
        _request_answer,
    ),
)
TOOLS: Mapping[str, AssistantTool] = {tool.name: tool for tool in _ALL}
