"""Requests of programs: a question with the schema of its answer, or a tool call to approve. Each is a run that people answer.

A request belongs to the person whose key made it. The run is one of a workflow that the team of the inbox has for it; the first request makes that workflow.
"""

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from console import log, runs, workflows
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core import media
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound, TooMany
from console.core.expressions.operands import moment_of
from console.core.mcp_tools import properties
from console.core.run import Event, Run, commands, decisions, holding
from console.formats import schema_fields
from console.infra import files, settings, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.runs.commands.run_starts import Addressee
from console.runs.commands.transitions import holder_draft
from console.runs.engine import inbox_placement
from console.runs.engine.stepping import plan_of
from console.runs.store.run_store import load, retried, write
from console.steps.answer_request import ANSWERED, BECAUSE, SLOT, AnswerRequest
from console.workflows import Definition, inboxes

logger = logging.getLogger(__name__)
STEP, FOUR_EYES = "answer", "step:start.four_eyes"
LARGEST_SCHEMA, LARGEST_VALUE, MOST_CONTEXT = 16_384, 8_192, 50
AT_ONCE = 200
CANNOT = "The request cannot be asked."
_COLUMNS = "id, run, person, due, on_silence, silent_at, delivered_at"
_MINE = f"select {_COLUMNS} from console.agent_request where id = %s and person = %s"  # noqa: S608 (names of this file)
_OF_RUN = "select id from console.agent_request where run = %s and person = %s"
_OPEN = sa.text(
    f"select count(*) from console.agent_request q join {access.EVERY_RUN.sql()} on r.id = q.run and r.ended_at is null where q.key = :key"  # noqa: S608 (a text of ours)
)
_ALONE = sa.text("select pg_advisory_xact_lock(hashtextextended('agent_request ' || :key, 0))")
_INSERT = sa.text(
    "insert into console.agent_request (id, run, person, key, due, on_silence, at) values (:id, :run, :person, :key, :due, :silence, :at)"
)
_SILENT = sa.text("update console.agent_request set silent_at = :at where id = :id and silent_at is null")
_DELIVERED = "update console.agent_request set delivered_at = coalesce(delivered_at, %s) where id = %s returning delivered_at"
_OVERDUE = f"""
select {", ".join(f"q.{name}" for name in _COLUMNS.split(", "))} from console.agent_request q
join {access.EVERY_RUN.sql()} on r.id = q.run and r.ended_at is null where q.due <= %s and q.silent_at is null order by q.due limit {AT_ONCE}
"""  # noqa: S608 (names of this file)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a program asks: of the inbox or of the person (id or e-mail address), one of the two.

    `context`: `{"label", "value", "kind": "fact" | "claim"}` each; `files`: `{"name", "content": base64, "kind"}`.
    """

    title: str
    schema: Mapping[str, Any]
    text: str = ""
    context: Sequence[Mapping[str, Any]] = ()
    files: Sequence[Mapping[str, Any]] = ()
    tool_call: Mapping[str, Any] | None = None
    inbox: str | None = None
    person: str | None = None
    due: str | None = None
    on_silence: str = "expire"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its program may know it. `status` is open, answered, rejected or expired; `answer` is as the schema says, `changed` are edited arguments."""

    id: str
    run: str
    status: str
    answer: Any = None
    changed: Sequence[str] = ()
    by: str | None = None
    at: datetime | None = None
    reason: str | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    run: str
    person: str
    due: datetime | None
    on_silence: str
    silent_at: datetime | None
    delivered_at: datetime | None


@dataclass(slots=True)
class _Checked:
    """The wish as it is kept, and what is wrong with it."""

    input: dict[str, Any] = field(default_factory=dict)
    due: datetime | None = None
    details: list[tuple[str, str]] = field(default_factory=list)


def ask(actor: Actor, wish: Wish) -> str:
    """Start the run in which people answer, and return the id of the request.

    Raises Invalid with one detail per wrong field, NotAllowed without the right to start the workflow, TooMany where too many requests of the key are open.
    """
    checked = _checked(actor, wish)
    if checked.details:
        raise Invalid(CANNOT, details=checked.details)
    team, to, own = _addressee(actor, wish)
    if wish.tool_call is not None and not own:
        checked.input["four_eyes"] = "Approved by somebody else than whoever asks"
    request_id, key = new_id("req"), actor.key_id or actor.id
    papers = [_paper(actor, request_id, number, each) for number, each in enumerate(wish.files)]
    if papers:
        beside = [_beside(stored, each["kind"]) for (stored, _), each in zip(papers, wish.files, strict=True)]
        checked.input["context"] = json.dumps([*wish.context, *beside], ensure_ascii=False)
    definition = _require_apart(_workflow(team), team)

    def remember(connection: sa.Connection, run_id: str) -> None:
        connection.execute(_ALONE, {"key": key})
        if connection.scalar(_OPEN, {"key": key}) >= settings.current().open_requests:
            most = settings.current().open_requests
            words = f"{most} requests of this key wait for people already: ask when some are answered."
            raise TooMany(words, code="open_requests", retry_after=60)
        values = {"id": request_id, "run": run_id, "person": actor.id, "key": key, "at": log.now()}
        connection.execute(_INSERT, values | {"due": checked.due, "silence": wish.on_silence})
        subject = subjects.subject_of("run", run_id) if papers else ""
        for stored, content in papers:
            files.add(connection, replace(stored, subject=subject, run=run_id), content)

    runs.start(actor, definition.slug, None, None, checked.input, also=remember, to=to)
    return request_id


def find(actor: Actor, request_id: str) -> Request:
    """The request as it stands now. An answer is the same each time; `delivered_at` is when it was first read. Raises NotFound for that of somebody else."""
    row = _row_of(actor, request_id)
    definition = _definition(row.run)
    run = _run_of(row)
    if not access.can(actor, run.team, f"workflow:{definition.slug}", "start"):
        raise NotFound(hidden=True)
    _require_apart(definition, run.team)
    if not run.ended and row.due is not None and row.silent_at is None and row.due <= log.now():
        _end_silence(row)
        row, run = _row_of(actor, request_id), _run_of(row)
    found = _request(row, run)
    if found.status == "open":
        return found
    with transaction() as connection:
        at = connection.exec_driver_sql(_DELIVERED, (log.now(), row.id)).scalar_one()
    return _request(row, run, at)


def of_run(actor: Actor, run_id: str) -> str:
    """The id of the request whose run this is. Raises NotFound for that of somebody else."""
    for (request_id,) in fetch(_OF_RUN, (run_id, actor.id)):
        return str(request_id)
    raise NotFound


def run_of(actor: Actor, request_id: str) -> str:
    """The id of its run. Raises NotFound for that of somebody else."""
    return _row_of(actor, request_id).run


def end_silence() -> int:
    """End or escalate the requests that nobody answered in time, and return how many."""
    ended = 0
    for values in fetch(_OVERDUE, (log.now(),)):
        try:
            ended += _end_silence(_Row(*values))
        except ConsoleError as error:
            logger.info("request %s is not ended yet: %s", values[0], error.message)
        except Exception:
            logger.exception("request %s", values[0])
    return ended


def _row_of(actor: Actor, request_id: str) -> _Row:
    rows = fetch(_MINE, (request_id, actor.id)) if "\x00" not in request_id else []
    if not rows:
        raise NotFound
    return _Row(*rows[0])


def _run_of(row: _Row) -> Run:
    loaded = load(row.run, whole=True)
    if loaded is None:
        raise NotFound
    return loaded.run


def _definition(run_id: str) -> Definition:
    loaded = load(run_id)
    if loaded is None:
        raise NotFound
    return workflows.version(loaded.run.workflow, loaded.run.version)


def _request(row: _Row, run: Run, delivered_at: datetime | None = None) -> Request:
    """What became of it. A run that was ended by hand counts as rejected."""
    if not run.ended:
        return Request(row.id, row.run, "open")
    done = next((each for each in run.attempts.values() if each.step == STEP and each.standing), None)
    if run.status == "completed" and done is not None:
        left = dict(done.context)
        given = done.outcome == ANSWERED
        return Request(
            row.id,
            row.run,
            "answered" if given else "rejected",
            answer=json.loads(left["answer"]) if given and left.get("answer") else None,
            changed=left.get("changed") or (),
            by=done.by,
            at=done.completed_at,
            reason=left.get(BECAUSE),
            delivered_at=delivered_at,
        )
    expired = row.silent_at is not None and row.on_silence == "expire" and run.status == "cancelled"
    status = "expired" if expired else "rejected"
    return Request(row.id, row.run, status, at=run.ended_at, delivered_at=delivered_at)


# ------------------------------------------------------------------------------------------------------------ what is asked


def _checked(actor: Actor, wish: Wish) -> _Checked:
    """The input of the run, and the details of what is wrong."""
    made = _Checked()
    try:
        if len(json.dumps(wish.schema)) > LARGEST_SCHEMA:
            raise ValueError(f"has more than {LARGEST_SCHEMA:,} characters")
        schema = schema_fields.inlined(wish.schema)
        if BECAUSE in properties(schema):
            raise ValueError(f"has a property {BECAUSE}: that is where a person says why not")
    except (ValueError, RecursionError) as error:
        made.details.append(("schema", f"It {error}."))
        return made
    made.details += _wrong_context(wish.context)
    if wish.tool_call is not None:
        made.details += _wrong_call(schema, wish.tool_call)
    if (wish.inbox is None) == (wish.person is None):
        made.details.append(("inbox", "Name an inbox or a person, one of the two."))
    if wish.due is not None:
        made.due = moment_of(wish.due)
        if made.due is None or made.due.tzinfo is None or made.due <= log.now():
            made.details.append(("due", "A moment in the future, such as 2027-01-31T12:00:00Z."))
        else:
            made.due = made.due.astimezone(UTC)
    texts = {"schema": schema, "context": list(wish.context), "tool_call": wish.tool_call}
    kept = {name: json.dumps(value, ensure_ascii=False) for name, value in texts.items() if value}
    made.input = {"title": wish.title, "text": wish.text, "asker": f"{actor.name} (by API key)", **kept}
    return made


def _wrong_context(context: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    wrong = [
        (f"context[{number}].value", f"At most {LARGEST_VALUE:,} characters as JSON.")
        for number, each in enumerate(context)
        if len(json.dumps(each.get("value"))) > LARGEST_VALUE
    ]
    return wrong + ([("context", f"At most {MOST_CONTEXT}.")] if len(context) > MOST_CONTEXT else [])


def _paper(actor: Actor, request_id: str, number: int, sent: Mapping[str, Any]) -> tuple[files.Stored, bytes]:
    """A file as it will be kept with the run, and its bytes. Raises Invalid at `files[number]` if it is refused."""
    at = f"files[{number}]"
    try:
        content = base64.b64decode(sent["content"], validate=True)
    except ValueError:
        raise Invalid(CANNOT, at=(f"{at}.content", "It is not base64.")) from None
    slot, kinds = SLOT + sent["kind"], tuple(media.MEDIA)
    try:
        stored = files.check(
            content, sent["name"], kinds, slot=slot, now=log.now(), request=request_id, by=actor.id
        )
    except Invalid as error:
        raise Invalid(error.message, code=error.code, at=at) from None
    return stored, content


def _beside(stored: files.Stored, kind: str) -> dict[str, Any]:
    """What the context says of a file."""
    value = f"{media.label_of(stored.media_type)}, {media.size(stored.bytes)}"
    return {"label": stored.name, "value": value, "kind": kind, "file": stored.value}


def _wrong_call(schema: Mapping[str, Any], call: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the arguments: each has a field, and they fit the schema."""
    given = call["arguments"]
    strange = [name for name in given if name not in properties(schema)]
    wrong = [(f"tool_call.arguments.{name}"[:200], "The schema has no such property.") for name in strange]
    return wrong or [
        (f"tool_call.arguments.{each['field']}"[:200], each["reason"])
        for each in schema_fields.errors(schema, given)
    ]


def _addressee(actor: Actor, wish: Wish) -> tuple[str, Addressee, bool]:
    """The team, who gets the run, and whether whoever asked may approve it too. Raises Invalid where the actor may not ask them, in the words for what is not there."""
    if wish.inbox is not None:
        place = next((each for each in inboxes.all_inboxes() if each.id == wish.inbox), None)
        if place is None or not _may(replace(actor, key_id=None), place.team, "start"):
            reason = "There is no such inbox, or you may not start requests in its team."
            raise Invalid(CANNOT, at=("inbox", reason))
        access.require(actor, place.team, f"workflow:{_slug(place.team)}", "start")
        return place.team, Addressee(wish.title, inbox=place.id), place.own_tool_calls
    if (asked := _person(wish.person or "")) is not None:
        for team in sorted(actor.teams):
            if _may(replace(actor, key_id=None), team, "start") and _may(asked, team, "resume"):
                access.require(actor, team, f"workflow:{_slug(team)}", "start")
                if wish.tool_call is not None and asked.id == actor.id:
                    raise Invalid(CANNOT, at=("person", "Somebody else has to approve it."))
                deputy = _deputy(asked, team)
                if wish.tool_call is not None and deputy == actor.id:
                    deputy = asked.id  # who asks cannot stand in for whoever approves
                instead = asked.id if deputy != asked.id else None
                return team, Addressee(wish.title, person=deputy, stands_in_for=instead), False
    reason = "There is no such person in a team in which you may start requests, or they may not answer them."
    raise Invalid(CANNOT, at=("person", reason))


def _deputy(asked: Actor, team: str) -> str:
    """Who gets it: who stands in for the person now and could answer it, else the person."""
    other = absences.substitute_of(asked.id, absences.people_away())
    if other is None or other == asked.id:
        return asked.id
    able = _may(accounts.actor_of_person(other), team, "resume")
    return other if able else asked.id


def _person(named: str) -> Actor | None:
    """The person by id or e-mail address, with their rights; None for nobody, a closed account or a service account."""
    try:
        found = accounts.person_of_email(named) if "@" in named else accounts.person(named)
        actor = accounts.actor_of_person(found.id)
    except (ConsoleError, ValueError):
        return None
    return None if actor.service else actor


def _may(actor: Actor, team: str, act: str) -> bool:
    return access.can(actor, team, f"workflow:{_slug(team)}", act)


def _slug(team: str) -> str:
    return f"agent-request-{team.replace('_', '-')}"[:64].rstrip("-")


def _workflow(team: str) -> Definition:
    """The live version of the team's workflow for requests; the first time it is made as it is shipped."""
    slug = _slug(team)
    if workflows.find_known(slug) is None:
        shipped = workflows.templates_folder() / "system" / "agent-request.json"
        document = json.loads(shipped.read_text(encoding="utf-8")) | {"slug": slug, "team": team}
        with log.idempotency_note.apart():  # what the caller's key stands for is the run
            try:
                workflows.import_file(document, publish=True, rights=False)
            except Conflict:  # another process made it at the same moment
                workflows.forget()
    return workflows.live(slug)


def _require_apart(definition: Definition, team: str) -> Definition:
    """The definition. Raises Conflict where its team has edited it to one in which who asks could answer too, or it is of another team."""
    document = definition.document
    kept = any(  # whatever else is typed there
        each.get("name") == "four_eyes" and {name for name in each if each[name]} <= {"name", "label", "type"}
        for each in document.start.config.get("fields", ())
    )
    apart = any(
        each.id == STEP and each.type == AnswerRequest.name and FOUR_EYES in (each.not_by or ())
        for each in document.steps
    )
    if kept and apart and document.team == team:
        return definition
    words = f"The workflow {definition.slug} does not keep apart who asks and who answers"
    raise Conflict(
        f"{words}: whoever edits it gives its step {STEP} the type {AnswerRequest.name} and the rule {FOUR_EYES}, in the team {team}, and leaves the field four_eyes as it was."
    )


# ------------------------------------------------------------------------------------------------------------ nobody answers


def _end_silence(row: _Row) -> bool:
    """Do what the request says about silence, once; False if it was answered meanwhile."""

    def once() -> bool:
        loaded = load(row.run)
        if loaded is None or loaded.run.ended:
            return False
        definition, run, now = (
            workflows.version(loaded.run.workflow, loaded.run.version),
            loaded.run,
            log.now(),
        )
        if row.on_silence == "expire":
            command = commands.Cancel(runs.ENGINE.id, run.revision, "Nobody answered in time.")
            events = decisions.decide(plan_of(definition), run, command, now)
        else:
            events = _escalated(definition, run, holder_draft(run, loaded.subject), now)

        def note(connection: sa.Connection, _run_id: str) -> None:
            connection.execute(_SILENT, {"at": now, "id": row.id})

        if not events:
            with transaction() as connection:
                note(connection, row.run)
            return True
        write(runs.ENGINE, definition, loaded, [event._replace(by=None) for event in events], also=note)
        return True

    return retried(once)


def _escalated(
    definition: Definition, run: Run, draft: Mapping[str, Any] | None, now: datetime
) -> list[Event]:
    """The event that puts it into its inbox again as urgent, or into one of the team; none where nobody could take it there, or it was answered and goes on."""
    if run.status not in ("waiting_person", "saved"):
        return []
    known = (run.ticket or {}).get("inbox")
    place = known or getattr(inbox_placement.place_of(definition, run), "id", None)
    return (
        []
        if place is None
        else [holding.escalated(run, place, "Nobody answered in time.", "urgent", None, now, draft)]
    )
