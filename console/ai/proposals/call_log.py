"""The log of calls, for whoever may audit the AI: what was asked when for which step, what it took, and what came of it. No words of a prompt are here.

Only calls in teams where the reader may audit, and none of a run with a label that they are not cleared for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import NotFound
from console.core.list_addresses import cursor_of, one_of, require_known
from console.core.moments import moment_text
from console.infra.db.engine import fetch

FILTERS = frozenset(
    {"run", "workflow", "step", "status", "code", "provider", "model", "mode", "person", "team"}
)
STATUSES = ("pending", "ok", "declined", "failed", "off")
COLUMNS = (
    "id",
    "at",
    "run",
    "n",
    "step",
    "attempt",
    "workflow",
    "version",
    "team",
    "person",
    "purpose",
    "provider",
    "model",
    "ms",
    "status",
    "code",
    "flags",
    "mode",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost",
    "price_version",
    "prompt_version",
    "schema_mode",
    "prompt_sha256",
    "request_id",
    "from_cache",
    "answered_at",
    "outcome",
    "submitted_at",
    "submitted_by",
    "submitted_outcome",
    "handled_manually",
    "seconds",
    "opened",
)
_FIND = f"select {', '.join(COLUMNS)} from console.ai_call c where {{}} order by c.at desc, c.id desc limit %(limit)s"  # noqa: S608 (names of this file)
_FIELDS = "select name, confidence, sources, trusted, dropped, shown, outcome from console.ai_field where call = %s order by name"


@dataclass(frozen=True, slots=True)
class Call:
    """A call as one of a list; times are aware UTC."""

    id: str
    at: datetime
    run: str | None
    n: int | None
    step: str | None
    attempt: int | None
    workflow: str | None
    version: int | None
    team: str | None
    person: str | None
    purpose: str
    provider: str | None
    model: str | None
    ms: int | None
    status: str
    code: str | None
    flags: list[str]
    mode: str
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    price_version: str | None
    prompt_version: str | None
    schema_mode: str | None
    prompt_sha256: str | None
    request_id: str | None
    from_cache: bool
    answered_at: datetime | None
    outcome: str | None
    submitted_at: datetime | None
    submitted_by: str | None
    submitted_outcome: str | None
    handled_manually: bool | None
    seconds: Decimal | None
    opened: int | None

    def to_json(self) -> dict[str, Any]:
        """The call in the shape of the API."""
        columns = {name: getattr(self, name) for name in COLUMNS if name != "n"}
        columns |= {name: moment_text(columns[name]) for name in ("at", "answered_at", "submitted_at")}
        return columns | {
            name: None if columns[name] is None else f"{columns[name]:f}" for name in ("cost", "seconds")
        }


@dataclass(frozen=True, slots=True)
class Field:
    """A value that was proposed or dropped, without the value: how sure, from how many sources, and what became of it."""

    name: str
    confidence: str | None
    sources: int
    trusted: bool
    dropped: str | None
    shown: bool
    outcome: str | None


def find(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> tuple[list[Call], str | None]:
    """Calls that the actor may read of, newest first, and the cursor of the next page.

    Raises NotAllowed without `ai.audit`, NotFound for a run that is not the actor's to know of, Malformed for an unknown filter, value or cursor.
    """
    access.require(actor, None, "ai", "audit")
    parameters = _checked(filters or {})
    if "run" in parameters:
        _known(actor, parameters["run"])
    conditions = [*(f"c.{name} = %({name})s" for name in parameters), *_readable(actor, parameters)]
    if after is not None:
        parameters["at"], parameters["id"] = cursor_of(after, "aic_")
        conditions.append("(c.at, c.id) < (%(at)s::timestamptz, %(id)s)")
    rows = fetch(_FIND.format(" and ".join(conditions)), {**parameters, "limit": limit + 1})
    calls = [Call(*row) for row in rows[:limit]]
    return calls, f"{moment_text(calls[-1].at)}~{calls[-1].id}" if len(rows) > limit else None


def get(actor: Actor, call: str) -> tuple[Call, Sequence[Field]]:
    """One call, and what of it was proposed or dropped. Raises NotAllowed and NotFound as `find` does."""
    access.require(actor, None, "ai", "audit")
    parameters: dict[str, Any] = {"call": call}
    conditions = ["c.id = %(call)s", *_readable(actor, parameters)]
    rows = (
        fetch(_FIND.format(" and ".join(conditions)), {**parameters, "limit": 1})
        if "\x00" not in call
        else []
    )
    if not rows:
        raise NotFound
    return Call(*rows[0]), [Field(*row) for row in fetch(_FIELDS, (call,))]


def _readable(actor: Actor, parameters: dict[str, Any]) -> list[str]:
    """Conditions that a call is for this reader; what they compare with goes to `parameters`."""
    parameters["cleared"] = sorted(access.clearance(actor))
    parameters["teams"] = [
        team for team in [team.id for team in accounts.teams()] if access.can(actor, team, "ai", "audit")
    ]
    return ["(c.label is null or c.label = any(%(cleared)s))", "(c.team is null or c.team = any(%(teams)s))"]


def _known(actor: Actor, run: str) -> None:
    """Raises NotFound for a run that is not there, or of which this reader must not know."""
    parameters: dict[str, Any] = {"run": run}
    conditions = " and ".join(each.replace("c.", "r.") for each in _readable(actor, parameters))
    if not fetch(f"select 1 from console.run r where r.id = %(run)s and {conditions}", parameters):  # noqa: S608 (conditions of this file)
        raise NotFound


def _checked(filters: Mapping[str, str]) -> dict[str, Any]:
    require_known(filters, FILTERS)
    one_of("status", filters.get("status", STATUSES[0]), STATUSES)
    return dict(filters)
