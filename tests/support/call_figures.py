"""Rows of calls and their values as the projections write them, for figures over many of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from console import workflows
from console.core.documents.workflow import StepAI
from console.infra.db.engine import transaction

MODEL, PROMPT = "claude-haiku-5-5", "7"
_numbers = count(1)
_CALL = sa.text(
    "insert into console.ai_call (id, at, run, n, step, attempt, workflow, version, team, label, person, purpose, mode, status, code, provider, model, prompt_version,"
    " ms, cost, asked, answered_at, shown_at, submitted_at, submitted_by, handled_manually, revised_at, seconds, opened)"
    " values (:id, :at, :run, 1, :step, 1, :workflow, :version, :team, :label, :person, 'propose', :mode, :status, :code, 'anthropic', :model, :prompt_version,"
    " :ms, :cost, :asked, :at, :shown_at, :submitted_at, :submitted_by, :manual, :revised_at, :seconds, :opened)"
)
_FIELD = sa.text(
    "insert into console.ai_field (call, name, confidence, sources, trusted, dropped, shown, outcome) values (:call, :name, :confidence, 1, true, :dropped, :shown, :outcome)"
)


def now() -> datetime:
    """This moment: a suite takes longer than the minutes that some of its tests are about."""
    return datetime.now(UTC)


def call(
    company: Any,
    outcomes: Mapping[str, str | tuple[str | None, str]] | None = None,
    *,
    by: str | None = "olivia",
    ago: timedelta = timedelta(hours=1),
    took: float = 40,
    **told: Any,
) -> str:
    """One call at "Take a note", with what became of each value: an outcome, or (outcome, confidence); `dropped:<reason>` for what the guard took out."""
    number = next(_numbers)
    here = workflows.live("care-review")
    at = now() - ago
    person = company.people[by].id if by in company.people else by
    mode, status = told.get("mode", "assist"), told.get("status", "ok")
    row = {
        "id": f"aic_{number:026d}",
        "at": at,
        "run": f"run_{number:026d}",
        "step": "note",
        "workflow": here.id,
        "version": here.number,
        "team": company.olivia.teams[0],
        "label": None,
        "person": person,
        "mode": mode,
        "status": status,
        "code": None,
        "model": MODEL,
        "prompt_version": PROMPT,
        "ms": 800,
        "cost": "0.002",
        "asked": ["note", "count"],
        "shown_at": at if mode == "assist" and status == "ok" else None,
        "submitted_at": at + timedelta(seconds=took) if by else None,
        "submitted_by": person,
        "manual": False if by else None,
        "revised_at": None,
        "seconds": took if by else None,
        "opened": 1,
    } | told
    with transaction() as connection:
        connection.execute(_CALL, row)
        for name, became in (outcomes or {}).items():
            outcome, confidence = became if isinstance(became, tuple) else (became, "high")
            dropped = str(outcome).removeprefix("dropped:") if str(outcome).startswith("dropped:") else None
            value = {
                "call": row["id"],
                "name": name,
                "confidence": None if dropped else confidence,
                "dropped": dropped,
                "shown": mode == "assist",
            }
            connection.execute(_FIELD, value | {"outcome": None if dropped else outcome})
    return str(row["id"])


def calls(company: Any, many: int, outcomes: Mapping[str, str | tuple[str | None, str]], **told: Any) -> None:
    """As many, one minute apart."""
    for number in range(many):
        call(company, outcomes, **{"ago": timedelta(hours=1, minutes=number), **told})


def with_ai(step: str = "note", **told: Any) -> int:
    """Publish "Care review" with this step asking for proposals; the number of the version."""
    document = workflows.live("care-review").document.to_json()
    for one in document["steps"]:
        if one["id"] == step:
            one["ai"] = StepAI.model_validate(told).model_dump(mode="json", exclude_none=True)
    workflows.import_file(document, publish=True)
    return workflows.live("care-review").number
