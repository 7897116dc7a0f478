"""One call of a model outside the form of a step: for a turn of the builder, for a question about a case. Like every call it has a row, a budget and a breaker, and its prompt is kept for auditors."""

import contextlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from console import log
from console.ai import calling
from console.ai.calling import Answered, CallFailed
from console.ai.proposals import budget, options, prompts, provider_breaker, service, waits
from console.ai.proposals.options import Chosen, Current
from console.auth import accounts
from console.core.proposal_types import ProviderError, Raw
from console.infra import settings, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

MARGIN_S = 0.25
"""Time before the deadline that is reserved for checking and storing the answer."""

_ASKED = sa.text(
    "insert into console.ai_call (id, at, run, workflow, team, label, person, purpose, mode, deadline_at, status, provider, model, prompt_version, prompt_sha256)"
    " values (:id, :at, :run, :workflow, :team, :label, :person, :purpose, 'assist', :deadline, 'pending', :provider, :model, :version, :sha256)"
)
_ANSWERED = (
    "update console.ai_call set status = %(status)s, code = %(code)s, schema_mode = %(mode)s, request_id = %(request_id)s, input_tokens = %(input)s,"
    " cached_tokens = %(cached)s, output_tokens = %(output)s, ms = %(ms)s, cost = %(cost)s::numeric, price_version = %(price)s, reserved = null,"
    " answered_at = %(at)s where id = %(id)s returning 1"
)


class OverBudget(CallFailed):
    """There is no budget for the call. `budget` is which."""

    def __init__(self, which: budget.Over) -> None:
        super().__init__(ProviderError("budget"), ms=0, tries=0)
        self.budget = which


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of a model, for whom and about what. `subject` is whose key seals the texts; `sha256` is that of everything sent."""

    purpose: str
    person: str
    subject: str
    deadline_at: datetime
    system: str
    user: str
    schema: Mapping[str, Any]
    version: str
    sha256: str
    run: str | None = None
    workflow: str | None = None
    team: str | None = None
    label: str | None = None
    sources: Sequence[Mapping[str, Any]] = ()
    id: str = field(default_factory=lambda: new_id("aic"))

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return (self.deadline_at - log.now()).total_seconds()


def call_model(call: Call, current: Current, hear: Callable[[str], None] | None = None) -> Raw:
    """The model's answer before the deadline; `hear` takes its text while it arrives. Raises CallFailed (OverBudget), and PutBack when this process has to end."""
    chosen = current.chosen(call.purpose)
    row = {
        "id": call.id,
        "at": log.now(),
        "run": call.run,
        "workflow": call.workflow,
        "team": call.team or None,
        "label": call.label,
        "person": call.person,
        "purpose": call.purpose,
        "deadline": call.deadline_at,
        "provider": chosen.config.name,
        "model": chosen.config.model,
        "version": f"{call.version}{current.house_mark}",
        "sha256": call.sha256,
    }
    with transaction() as connection:
        connection.execute(_ASKED, row)
    try:
        answer = _answered(call, current, chosen, hear)
    except CallFailed as error:
        _note(call, current, error.raw, ms=error.ms, code=error.code, request_id=error.request_id)
        if error.tries:
            _keep(call, error.raw.text if error.raw else "", f"{error.code}: {error.detail}")
        if (
            settings.current().ai_breaker
            and error.tries
            and provider_breaker.failed(chosen.config, error.code)
        ):
            service.report_open_breaker(chosen.config, error.code)
        raise
    provider_breaker.answered(chosen.config)
    _note(call, current, answer.raw, ms=answer.ms)
    _keep(call, answer.raw.text, None)
    return answer.raw


def _answered(call: Call, current: Current, chosen: Chosen, hear: Callable[[str], None] | None) -> Answered:
    _require_may_ask(call, current, chosen)
    seconds = call.seconds_left - MARGIN_S
    person = hmac.digest(options.house_key(), f"person|{call.person}".encode(), "sha256").hex()[:32]

    def ask_model() -> Answered:
        try:
            provider = chosen.provider()
        except ProviderError as error:
            raise CallFailed(error, ms=0, tries=0) from error
        most = chosen.max_tokens
        return calling.call(
            provider,
            call.system,
            call.user,
            call.schema,
            seconds=seconds,
            max_tokens=most,
            user_id=person,
            hear=hear,
        )

    try:
        return waits.wait_for(max(0.0, seconds + MARGIN_S / 2), ask_model)
    except waits.Late:
        raise CallFailed(ProviderError("timeout"), ms=round(seconds * 1000), tries=1) from None


def _require_may_ask(call: Call, current: Current, chosen: Chosen) -> None:
    """Raises CallFailed without a key, without time, with an open breaker, or without budget."""
    config = chosen.config
    if not getattr(config, "api_key", None) and config.name == "anthropic":
        raise CallFailed(ProviderError("no_key"), ms=0, tries=0)
    if call.seconds_left <= 2 * MARGIN_S:
        raise CallFailed(ProviderError("timeout"), ms=0, tries=0)
    if settings.current().ai_breaker and not provider_breaker.may_ask(config):
        raise CallFailed(ProviderError(provider_breaker.refused(config) or "breaker"), ms=0, tries=0)
    characters = len(call.system) + len(call.user)
    most = budget.estimate(current, config.model, characters, chosen.max_tokens)
    person = accounts.actor_of_person(call.person, "sys:engine")
    over, standing = budget.reserve(call.id, call.run or "", current.document.budget, most, person)
    if standing is not None:
        service.notify_of_budget(standing)
    if over is not None:
        raise OverBudget(over)


def _note(
    call: Call,
    current: Current,
    raw: Raw | None,
    *,
    ms: int,
    code: str | None = None,
    request_id: str | None = None,
) -> None:
    """Write the result of the call into its row."""
    cost: Decimal | None = None
    row: dict[str, Any] = {
        "mode": None,
        "request_id": request_id,
        "input": None,
        "cached": None,
        "output": None,
    }
    if raw is not None:
        fresh = max(0, raw.input_tokens - raw.cached_tokens)
        cost = current.cost(
            current.chosen(call.purpose).config.model,
            input_tokens=fresh,
            cached_tokens=raw.cached_tokens,
            output_tokens=raw.output_tokens,
        )
        row |= {
            "mode": raw.mode,
            "request_id": raw.request_id,
            "input": raw.input_tokens,
            "cached": raw.cached_tokens,
            "output": raw.output_tokens,
        }
    price = current.price_version if cost is not None else None
    row |= {
        "id": call.id,
        "status": "failed" if code else "ok",
        "code": code,
        "ms": ms,
        "cost": cost,
        "price": price,
        "at": log.now(),
    }
    fetch(_ANSWERED, row)


def _keep(call: Call, answer: str, error: str | None) -> None:
    """Keep what was sent and answered, sealed under the key of the call's subject."""
    texts: dict[str, Any] = {
        "system": call.system,
        "user": call.user,
        "schema": dict(call.schema),
        "answer": answer,
        "sources": list(call.sources),
        "error": error,
    }
    with contextlib.suppress(subjects.Unreadable):
        prompts.keep(call.id, call.subject, texts)
