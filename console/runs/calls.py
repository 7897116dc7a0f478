"""The rows of calls to the AI, made from the events of runs in their transaction: what was asked, what came, what became of it."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.proposal import HIDDEN_MODES
from console.core.run import Event, Run

_REQUESTED = sa.text(
    "insert into console.ai_call (id, at, run, n, step, attempt, workflow, version, team, label, person, purpose, mode, deadline_at, status, asked)"
    " values (:id, :at, :run, :n, :step, :attempt, :workflow, :version, :team, :label, :person, :purpose, 'assist',"
    " cast(:deadline as timestamptz), 'pending', :asked) on conflict (id) do nothing"
)
_ANSWERED = sa.text(
    "update console.ai_call set status = :status, code = :code, mode = :mode, provider = :provider, model = :model, prompt_version = :prompt_version,"
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
    connection.execute(_REQUESTED, run | call | {"purpose": told["purpose"], "deadline": told["deadline"], "asked": list(told["fields"])})


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
