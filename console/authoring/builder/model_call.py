"""One call of the model for a turn. Like every call it has a row, a budget and a breaker, and its prompt is kept for auditors."""

import hmac
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from console import log
from console.ai import calling
from console.ai.builder_prompt import BUILDER_VERSION, SCHEMA, BuilderPrompt
from console.ai.calling import Answered, CallFailed
from console.ai.proposals import budget, options, prompts, provider_breaker, service, waits
from console.ai.proposals.options import Chosen, Current
from console.authoring.builder.builder_turns import Question
from console.core.proposal_types import ProviderError, Raw
from console.infra import settings, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

MARGIN_S = 0.25
"""Time before the deadline that is reserved for checking and storing the answer."""

_ASKED = sa.text(
    "insert into console.ai_call (id, at, workflow, team, label, person, purpose, mode, deadline_at, status, provider, model, prompt_version, prompt_sha256)"
    " values (:id, :at, :workflow, :team, :label, :person, 'build', 'assist', :deadline, 'pending', :provider, :model, :version, :sha256)"
)
_ANSWERED = (
    "update console.ai_call set status = %(status)s, code = %(code)s, schema_mode = %(mode)s, request_id = %(request_id)s, input_tokens = %(input)s,"
    " cached_tokens = %(cached)s, output_tokens = %(output)s, ms = %(ms)s, cost = %(cost)s::numeric, price_version = %(price)s, reserved = null,"
    " answered_at = %(at)s where id = %(id)s returning 1"
)


class OverBudget(CallFailed):
    """There is no budget for the call. `budget` is which."""

    def __init__(self, which: str) -> None:
        super().__init__(ProviderError("budget"), ms=0, tries=0)
        self.budget = which


def call_model(
    question: Question, current: Current, prompt: BuilderPrompt, user: str, hear: Callable[[str], None]
) -> Raw:
    """The model's answer within what is left of the turn's time; `hear` takes its text while it arrives. Raises CallFailed (OverBudget), and PutBack when this process has to end."""
    chosen, call = current.chosen("build"), new_id("aic")
    row = {
        "id": call,
        "at": log.now(),
        "workflow": question.workflow,
        "team": question.team or None,
        "label": question.label,
        "person": question.person,
        "deadline": question.deadline_at,
        "provider": chosen.config.name,
        "model": chosen.config.model,
    }
    with transaction() as connection:
        connection.execute(
            _ASKED, row | {"version": f"{BUILDER_VERSION}{current.house_mark}", "sha256": prompt.digest(user)}
        )
    try:
        answer = _answered(question, current, chosen, call, prompt, user, hear)
    except CallFailed as error:
        _note(current, call, error.raw, ms=error.ms, code=error.code, request_id=error.request_id)
        if error.tries:
            _keep(
                question,
                call,
                prompt,
                user,
                error.raw.text if error.raw else "",
                f"{error.code}: {error.detail}",
            )
        if (
            settings.current().ai_breaker
            and error.tries
            and provider_breaker.failed(chosen.config, error.code)
        ):
            service.report_open_breaker(chosen.config, error.code)
        raise
    provider_breaker.answered(chosen.config)
    _note(current, call, answer.raw, ms=answer.ms)
    _keep(question, call, prompt, user, answer.raw.text, None)
    return answer.raw


def seconds_left(question: Question) -> float:
    """Seconds until the deadline."""
    return (question.deadline_at - log.now()).total_seconds()


def _answered(
    question: Question,
    current: Current,
    chosen: Chosen,
    call: str,
    prompt: BuilderPrompt,
    user: str,
    hear: Callable[[str], None],
) -> Answered:
    _require_may_ask(question, current, chosen, call, len(prompt.system) + len(user))
    seconds = seconds_left(question) - MARGIN_S
    person = hmac.digest(options.house_key(), f"person|{question.person}".encode(), "sha256").hex()[:32]

    def ask_model() -> Answered:
        try:
            provider = chosen.provider()
        except ProviderError as error:
            raise CallFailed(error, ms=0, tries=0) from error
        most = chosen.max_tokens
        return calling.call(
            provider, prompt.system, user, SCHEMA, seconds=seconds, max_tokens=most, user_id=person, hear=hear
        )

    try:
        return waits.wait_for(max(0.0, seconds + MARGIN_S / 2), ask_model)
    except waits.Late:
        raise CallFailed(ProviderError("timeout"), ms=round(seconds * 1000), tries=1) from None


def _require_may_ask(
    question: Question, current: Current, chosen: Chosen, call: str, characters: int
) -> None:
    """Raises CallFailed without a key, without time, with an open breaker, or without budget."""
    config = chosen.config
    if not getattr(config, "api_key", None) and config.name == "anthropic":
        raise CallFailed(ProviderError("no_key"), ms=0, tries=0)
    if seconds_left(question) <= 2 * MARGIN_S:
        raise CallFailed(ProviderError("timeout"), ms=0, tries=0)
    if settings.current().ai_breaker and not provider_breaker.may_ask(config):
        raise CallFailed(ProviderError(provider_breaker.refused(config) or "breaker"), ms=0, tries=0)
    cost = budget.estimate(current, config.model, characters, chosen.max_tokens)
    over, day = budget.reserve(call, "", current.document.budget, cost)
    if day is not None:
        service.notify_of_budget(day)
    if over is not None:
        raise OverBudget(over)


def _note(
    current: Current,
    call: str,
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
            current.chosen("build").config.model,
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
        "id": call,
        "status": "failed" if code else "ok",
        "code": code,
        "ms": ms,
        "cost": cost,
        "price": price,
        "at": log.now(),
    }
    fetch(_ANSWERED, row)


def _keep(
    question: Question, call: str, prompt: BuilderPrompt, user: str, answer: str, error: str | None
) -> None:
    """Keep what was sent and answered, sealed under the key of who asked."""
    texts: dict[str, Any] = {
        "system": prompt.system,
        "user": user,
        "schema": dict(SCHEMA),
        "answer": answer,
        "sources": [],
        "error": error,
    }
    try:
        prompts.keep(call, question.subject, texts)
    except subjects.Unreadable:
        return
