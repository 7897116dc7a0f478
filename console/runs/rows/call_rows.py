"""The rows of calls to the AI, made from the events of runs in their transaction: what was asked, what came, what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.moments import moment_text
from console.core.run import Event, Run
from console.core.run.proposal import HIDDEN_MODES, SECOND

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


def requested(connection: Connection, _: Run, after: Run, __: str, event: Event, ___: int) -> None:
    """The row of a call that was just asked for."""
    told, step = event.open, event.step or ("", 0)
    run = {"run": after.id, "workflow": after.workflow, "version": after.version, "team": after.team, "label": after.label}
    call = {"id": told["call"], "at": event.at, "n": told["n"], "step": step[0], "attempt": step[1], "person": told["for"]}
    more = {"purpose": told["purpose"], "mode": _mode(told), "deadline": told["deadline"], "asked": list(told["fields"])}
    connection.execute(_REQUESTED, run | call | more)


def _mode(told: Mapping[str, Any]) -> str:
    """How the answer is to be used, before it is there."""
    return "assist" if told.get("of") is None else SECOND


def answered(connection: Connection, _: Run, __: Run, ___: str, event: Event, ____: int) -> None:
    """What came of it, and a row for each value that was proposed or dropped."""
    told, usage = event.open, event.open.get("usage") or {}
    shown = event.type == "proposal_made" and told.get("mode") not in HIDDEN_MODES
    row: dict[str, Any] = {name: told.get(name) for name in _NAMES}
    row |= {
        "id": told["call"],
        "at": event.at,
        "shown": shown,
        "mode": told.get("mode") or "assist",
        "from_cache": bool(told.get("from_cache")),
    }
    row |= {"flags": list(told.get("flags") or ()), "status": "ok" if event.type == "proposal_made" else told.get("status") or "failed"}
    connection.execute(_ANSWERED, row | {name: usage.get(name) for name in ("input", "cached", "output")})
    fields = [*_proposed(event.sealed.get("proposal") or {}, shown=shown), *_dropped(told.get("dropped") or ())]
    if fields:
        connection.execute(_FIELDS, {"call": told["call"], "fields": orjson.dumps(fields).decode()})


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


def _dropped(dropped: Any) -> list[dict[str, Any]]:
    return [{"name": each["name"], "dropped": each["reason"], "shown": False} for each in dropped]


def handed_in(connection: Connection, event: Event) -> None:
    """What became of a proposal when its step was handed in."""
    told = event.open["proposal"]
    row = {
        "id": told["call"],
        "at": event.at,
        "by": event.by,
        "outcome": event.open.get("outcome"),
        "manual": bool(event.open.get("handled_manually")),
    }
    connection.execute(_HANDED_IN, row | {"seconds": told.get("seconds"), "opened": told.get("opened")})
    connection.execute(_OUTCOMES, {"call": told["call"], "outcomes": orjson.dumps(dict(told.get("outcomes") or {})).decode()})


def revised(connection: Connection, _: Run, after: Run, __: str, event: Event, ___: int) -> None:
    """That somebody went back to a step at which something proposed had been accepted."""
    connection.execute(_REVISED, {"at": event.at, "run": after.id, "n": event.open["n"]})


def rows_from_events(events: Sequence[Event]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows of calls, rows of their values) as all the events of a run tell them: what the statements above have written."""
    made: dict[str, dict[str, Any]] = {}
    fields: dict[tuple[str, str], dict[str, Any]] = {}
    began: Mapping[str, Any] = {}
    for event in events:
        if event.type == "run_started":
            began = event.open
        elif event.type == "proposal_requested":
            made[event.open["call"]] = _row_of_request(began, event)
        elif event.type in ("proposal_made", "proposal_failed") and event.open["call"] in made:
            before = made[event.open["call"]]
            before |= _came(event) | ({"mode": SECOND} if before["mode"] == SECOND else {})
            for each in _values(event):
                fields.setdefault((each["call"], each["name"]), each)
        elif event.type == "step_revised":
            _went_back(made, fields, event)
        if "proposal" in event.open and event.open["proposal"]["call"] in made:
            _submitted(made, fields, event)
    return list(made.values()), list(fields.values())


NOTHING_YET = ("code", *(name for name in _NAMES if name != "code"), "input_tokens", "cached_tokens", "output_tokens", "answered_at", "shown_at",
    "submitted_at", "submitted_by", "submitted_outcome", "handled_manually", "revised_at", "seconds", "opened")  # fmt: skip


def _row_of_request(began: Mapping[str, Any], event: Event) -> dict[str, Any]:
    asked, step = event.open, event.step or ("", 0)
    run = {
        "run": began["id"],
        "workflow": began["workflow"],
        "version": began["version"],
        "team": began["team"],
        "label": began.get("label"),
    }
    call = {"id": asked["call"], "at": moment_text(event.at), "n": asked["n"], "step": step[0], "attempt": step[1], "person": asked["for"]}
    more = {
        "purpose": asked["purpose"],
        "mode": _mode(asked),
        "deadline_at": asked["deadline"],
        "status": "pending",
        "asked": list(asked["fields"]),
    }
    return dict.fromkeys(NOTHING_YET) | run | call | more | {"flags": [], "from_cache": False}


def _came(event: Event) -> dict[str, Any]:
    came, usage = event.open, event.open.get("usage") or {}
    row: dict[str, Any] = {name: came.get(name) for name in _NAMES}
    row |= {f"{name}_tokens": usage.get(name) for name in ("input", "cached", "output")}
    row |= {"mode": came.get("mode") or "assist", "from_cache": bool(came.get("from_cache")), "flags": list(came.get("flags") or ())}
    row["status"] = "ok" if event.type == "proposal_made" else came.get("status") or "failed"
    return row | {"answered_at": moment_text(event.at), "shown_at": moment_text(event.at) if _shown(event) else None}


def _shown(event: Event) -> bool:
    return event.type == "proposal_made" and event.open.get("mode") not in HIDDEN_MODES


def _values(event: Event) -> list[dict[str, Any]]:
    usual = {"confidence": None, "sources": 0, "trusted": False, "dropped": None, "outcome": None, "call": event.open["call"]}
    found = [*_proposed(event.sealed.get("proposal") or {}, shown=_shown(event)), *_dropped(event.open.get("dropped") or ())]
    return [usual | each for each in found]


def _submitted(made: dict[str, dict[str, Any]], fields: dict[tuple[str, str], dict[str, Any]], event: Event) -> None:
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


def _went_back(made: dict[str, dict[str, Any]], fields: Mapping[tuple[str, str], Mapping[str, Any]], event: Event) -> None:
    accepted = {call for (call, _), each in fields.items() if each["outcome"] == "accepted"}
    for call, row in made.items():
        if row["n"] == event.open["n"] and row["submitted_at"] is not None and call in accepted:
            row["revised_at"] = moment_text(event.at)
