"""Rows of calls to the AI, written from the events of runs in the same transaction: the request, the answer, what people made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.moments import moment_text
from console.core.run import Event, Run
from console.core.run.proposal import HIDDEN_MODES, SECOND
from console.infra.jobs import Job

_REQUESTED = sa.text(
    "insert into console.ai_call (id, at, run, n, step, attempt, workflow, version, team, label, person, purpose, mode, deadline_at, status, asked)"
    " values (:id, :at, :run, :n, :step, :attempt, :workflow, :version, :team, :label, :person, :purpose, :mode,"
    " cast(:deadline as timestamptz), 'pending', :asked) on conflict (id) do nothing"
)
_ANSWERED = sa.text(
    "update console.ai_call set status = :status, code = :code, mode = case mode when 'second' then mode else :mode end, provider = :provider, model = :model, prompt_version = :prompt_version,"
    " schema_mode = :schema_mode, prompt_sha256 = :prompt_sha256, request_id = :request_id, from_cache = :from_cache, input_tokens = :input,"
    " cached_tokens = :cached, output_tokens = :output, ms = :ms, cost = cast(:cost as numeric), reserved = null, price_version = :price_version, flags = :flags,"
    " outcome = :outcome, answered_at = :at, shown_at = case when :shown then cast(:at as timestamptz) end where id = :id"
)
_FIELDS = sa.text(
    "insert into console.ai_field (call, name, confidence, sources, trusted, dropped, shown)"
    " select :call, e ->> 'name', e ->> 'confidence', coalesce((e ->> 'sources')::integer, 0), coalesce((e ->> 'trusted')::boolean, false), e ->> 'dropped', (e ->> 'shown')::boolean"
    " from jsonb_array_elements(cast(:fields as jsonb)) e on conflict (call, name) do nothing"
)
_HANDED_IN = sa.text(
    "update console.ai_call set submitted_at = :at, submitted_by = :by, submitted_outcome = :outcome, handled_manually = :manual,"
    " seconds = cast(:seconds as numeric), opened = :opened where id = :id"
)
_OUTCOMES = sa.text(
    "update console.ai_field f set outcome = e.value from jsonb_each_text(cast(:outcomes as jsonb)) e where f.call = :call and f.name = e.key"
)
_REVISED = sa.text(
    "update console.ai_call c set revised_at = :at where c.run = :run and c.n = :n and c.submitted_at is not null"
    " and exists (select from console.ai_field f where f.call = c.id and f.outcome = 'accepted')"
)
_NAMES = (
    "provider",
    "model",
    "prompt_version",
    "schema_mode",
    "prompt_sha256",
    "request_id",
    "ms",
    "cost",
    "price_version",
    "outcome",
    "code",
)


@dataclass(frozen=True, slots=True)
class Transition:
    """What the rows of an event are written from: the transaction, the run before and after, the person whose values it holds, and the job that the transaction has put in."""

    connection: Connection
    before: Run
    after: Run
    subject: str
    job: Job | None = None


def requested(transition: Transition, event: Event) -> None:
    """Insert the row of a call that was just requested."""
    request, step, after = event.open, event.step or ("", 0), transition.after
    run = {
        "run": after.id,
        "workflow": after.workflow,
        "version": after.version,
        "team": after.team,
        "label": after.label,
    }
    call = {
        "id": request["call"],
        "at": event.at,
        "n": request["n"],
        "step": step[0],
        "attempt": step[1],
        "person": request["for"],
    }
    more = {
        "purpose": request["purpose"],
        "mode": _mode(request),
        "deadline": request["deadline"],
        "asked": list(request["fields"]),
    }
    transition.connection.execute(_REQUESTED, run | call | more)


def _mode(request: Mapping[str, Any]) -> str:
    """The mode of a call before its answer is there."""
    return "assist" if request.get("of") is None else SECOND


def answered(transition: Transition, event: Event) -> None:
    """Update the row of the call with its answer, and insert a row for each value that was proposed or dropped."""
    call, usage = event.open["call"], event.open.get("usage") or {}
    row = _answer(event) | {"id": call, "at": event.at, "shown": _shown(event)}
    transition.connection.execute(
        _ANSWERED, row | {name: usage.get(name) for name in ("input", "cached", "output")}
    )
    if fields := _fields(event):
        transition.connection.execute(_FIELDS, {"call": call, "fields": orjson.dumps(fields).decode()})


def _answer(event: Event) -> dict[str, Any]:
    """The columns that the statement and `rows_from_events` share."""
    answer = event.open
    return {name: answer.get(name) for name in _NAMES} | {
        "mode": answer.get("mode") or "assist",
        "from_cache": bool(answer.get("from_cache")),
        "flags": list(answer.get("flags") or ()),
        "status": "ok" if event.type == "proposal_made" else answer.get("status") or "failed",
    }


def _shown(event: Event) -> bool:
    return event.type == "proposal_made" and event.open.get("mode") not in HIDDEN_MODES


def _fields(event: Event) -> list[dict[str, Any]]:
    """The rows of the values that an answer proposes or that were dropped from it."""
    return [
        *_proposed(event.sealed.get("proposal") or {}, shown=_shown(event)),
        *[
            {"name": each["name"], "dropped": each["reason"], "shown": False}
            for each in event.open.get("dropped") or ()
        ],
    ]


def _proposed(proposal: Mapping[str, Any], *, shown: bool) -> list[dict[str, Any]]:
    choice = proposal.get("choice")
    every = [*(proposal.get("fields") or ()), *([{**choice, "name": "outcome"}] if choice else [])]
    return [
        {
            "name": each["name"],
            "confidence": each["confidence"],
            "sources": len(each.get("sources") or ()),
            "trusted": any(source.get("trusted") for source in each.get("sources") or ()),
            "shown": shown,
        }
        for each in every
    ]


def handed_in(connection: Connection, event: Event) -> None:
    """Update the row of the call with what a person made of the proposal when they handed in the step."""
    proposal = event.open["proposal"]
    row = {
        "id": proposal["call"],
        "at": event.at,
        "by": event.by,
        "outcome": event.open.get("outcome"),
        "manual": bool(event.open.get("handled_manually")),
    }
    connection.execute(
        _HANDED_IN, row | {"seconds": proposal.get("seconds"), "opened": proposal.get("opened")}
    )
    connection.execute(
        _OUTCOMES,
        {"call": proposal["call"], "outcomes": orjson.dumps(dict(proposal.get("outcomes") or {})).decode()},
    )


def revised(transition: Transition, event: Event) -> None:
    """Mark the calls of a step that somebody went back to, where a proposed value had been accepted."""
    transition.connection.execute(
        _REVISED, {"at": event.at, "run": transition.after.id, "n": event.open["n"]}
    )


def rows_from_events(events: Sequence[Event]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows of calls, rows of their values) from all the events of a run: the same rows as the statements above have written."""
    made: dict[str, dict[str, Any]] = {}
    fields: dict[tuple[str, str], dict[str, Any]] = {}
    started: Mapping[str, Any] = {}
    for event in events:
        if event.type == "run_started":
            started = event.open
        elif event.type == "proposal_requested":
            made[event.open["call"]] = _row_of_request(started, event)
        elif event.type in ("proposal_made", "proposal_failed") and event.open["call"] in made:
            before = made[event.open["call"]]
            before |= _row_of_answer(event) | ({"mode": SECOND} if before["mode"] == SECOND else {})
            for each in _fields(event):
                fields.setdefault(
                    (event.open["call"], each["name"]), {**NO_VALUE, "call": event.open["call"], **each}
                )
        elif event.type == "step_revised":
            _went_back(made, fields, event)
        if "proposal" in event.open and event.open["proposal"]["call"] in made:
            _submitted(made, fields, event)
    return list(made.values()), list(fields.values())


NOTHING_YET = (
    "code",
    *(name for name in _NAMES if name != "code"),
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "answered_at",
    "shown_at",
    "submitted_at",
    "submitted_by",
    "submitted_outcome",
    "handled_manually",
    "revised_at",
    "seconds",
    "opened",
)


NO_VALUE = {"confidence": None, "sources": 0, "trusted": False, "dropped": None, "outcome": None}


def _row_of_request(started: Mapping[str, Any], event: Event) -> dict[str, Any]:
    request, step = event.open, event.step or ("", 0)
    return dict.fromkeys(NOTHING_YET) | {
        "run": started["id"],
        **{name: started[name] for name in ("workflow", "version", "team")},
        "label": started.get("label"),
        "id": request["call"],
        "at": moment_text(event.at),
        "n": request["n"],
        "step": step[0],
        "attempt": step[1],
        "person": request["for"],
        "purpose": request["purpose"],
        "mode": _mode(request),
        "deadline_at": request["deadline"],
        "status": "pending",
        "asked": list(request["fields"]),
        "flags": [],
        "from_cache": False,
    }


def _row_of_answer(event: Event) -> dict[str, Any]:
    usage, at = event.open.get("usage") or {}, moment_text(event.at)
    tokens = {f"{name}_tokens": usage.get(name) for name in ("input", "cached", "output")}
    return _answer(event) | tokens | {"answered_at": at, "shown_at": at if _shown(event) else None}


def _submitted(
    made: dict[str, dict[str, Any]], fields: dict[tuple[str, str], dict[str, Any]], event: Event
) -> None:
    proposal = event.open["proposal"]
    call = proposal["call"]
    made[call] |= {
        "submitted_at": moment_text(event.at),
        "submitted_by": event.by,
        "submitted_outcome": event.open.get("outcome"),
        "handled_manually": bool(event.open.get("handled_manually")),
        "seconds": proposal.get("seconds"),
        "opened": proposal.get("opened"),
    }
    for name, outcome in (proposal.get("outcomes") or {}).items():
        if (call, name) in fields:
            fields[call, name]["outcome"] = outcome


def _went_back(
    made: dict[str, dict[str, Any]], fields: Mapping[tuple[str, str], Mapping[str, Any]], event: Event
) -> None:
    accepted = {call for (call, _), each in fields.items() if each["outcome"] == "accepted"}
    for call, row in made.items():
        if row["n"] == event.open["n"] and row["submitted_at"] is not None and call in accepted:
            row["revised_at"] = moment_text(event.at)
