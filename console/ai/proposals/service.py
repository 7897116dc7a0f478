"""Making the proposal that a call asks for. The person then sees it in the form, or the reason why there is none.

A call has no effect except its answer, which the guard checks before anybody sees it. No database connection is held while the provider works.
"""

import contextlib
import hmac
import logging
import time
from dataclasses import dataclass, replace
from decimal import Decimal

import psycopg
import sqlalchemy as sa

from console import log, runs
from console.ai import breaker, calling, prompt as prompts_of, providers
from console.ai.calling import Answered, CallFailed
from console.ai.prompt import Prompt
from console.ai.proposals import (
    absence_words,
    budget,
    cache,
    context,
    options,
    prompts,
    provider_breaker,
    result,
    waits,
    withheld,
)
from console.ai.proposals.context import Built
from console.ai.proposals.ladder import fingerprint, mode_of
from console.ai.proposals.options import Chosen, Current
from console.ai.proposals.result import CallFacts, Result
from console.ai.safety import guard, injection_scan
from console.auth import access, notify
from console.core.errors import ConsoleError
from console.core.proposal_types import LEVELS, Code, Dropped, Judged, ProviderError, Raw
from console.core.run.proposal import SECOND
from console.infra import settings, subjects
from console.infra.db.engine import borrowed, fetch
from console.infra.jobs import PutBack
from console.runs.engine.proposal_inputs import ProposalContext, unfit

MARGIN_S = 0.25
"""Time before the deadline that is reserved for checking and storing the answer."""
LEAST_S = 0.2
"""With less time left the provider is not asked."""

_log = logging.getLogger(__name__)


def propose(call: str) -> None:
    """Give the call an answer: a proposal, or the reason why there is none. A second time it does nothing.

    Raises PutBack when this process has to end, and errors of the database connection: then the same call is repeated.
    """
    try:
        ask_context = runs.proposal_context(call)
        if ask_context is None:
            return
        outcome = _result(ask_context)
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.OperationalError, PutBack):
        raise
    except ConsoleError as error:
        _store_result(call, result.off(f"{error.message.rstrip('.')}. {absence_words.BY_HAND}."))
        return
    except Exception:  # noqa: BLE001 (a person waits: there is always an answer)
        _log.exception("alarm: the proposal %s failed", call)
        outcome = result.failed("internal_error", absence_words.message("internal_error", 0), CallFacts())
    _store_result(call, outcome)


def make_ready() -> None:
    """Create the provider for proposals before the first call. Where that fails, the first call reports the reason."""
    with contextlib.suppress(ProviderError):
        options.current().chosen("propose").provider()


def _store_result(call: str, outcome: Result) -> None:
    runs.record_answer(call, outcome.kind, outcome.open, outcome.sealed)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A call in progress: the question, the provider and the prompt."""

    ask_context: ProposalContext
    current: Current
    chosen: Chosen
    built: Built
    prompt: Prompt
    facts: CallFacts

    @property
    def subject(self) -> str:
        """The subject whose key seals the texts of the call."""
        return self.ask_context.subject or subjects.subject_of("run", self.ask_context.run.id)

    def judged(self, raw: Raw) -> Judged:
        """The parts of an answer that may be shown."""
        return fitting(self.ask_context, guard.judge(self.built.ask, raw, self.prompt.restore))

    def left(self) -> float:
        """Seconds until the deadline."""
        return (self.ask_context.deadline_at - log.now()).total_seconds()


def fitting(ask_context: ProposalContext, judged: Judged) -> Judged:
    """The answer without values that the step would refuse, for example more than the remaining amount; one that breaks a rule and asks for a sentence is low."""
    wrong, doubted = unfit(ask_context, {each.name: each.value for each in judged.fields})
    if doubted and ask_context.ai.threshold != LEVELS[-1]:
        wrong, doubted = wrong | doubted, frozenset()
    kept = tuple(
        replace(each, confidence=LEVELS[-1]) if each.name in doubted else each
        for each in judged.fields
        if each.name not in wrong
    )
    dropped = (
        *judged.dropped,
        *(Dropped(each.name, "out_of_range", each.value) for each in judged.fields if each.name in wrong),
    )
    code: Code | None = judged.code or (None if kept or judged.choice else "nothing_supported")
    return replace(judged, fields=kept, dropped=dropped, code=code)


def _result(ask_context: ProposalContext) -> Result:
    current = options.current()
    why = current.off(ask_context.run.collection, ask_context.definition.slug, ask_context.step.id)
    if why is not None:
        return result.off(absence_words.off(why))
    chosen = current.chosen(ask_context.purpose)
    with runs.judged_once([ask_context.run.id]):
        built = context.build(ask_context, current.policy)
    if not built.ask.fields and not built.ask.outcomes:
        return result.off(absence_words.NOTHING_ASKED)
    if chosen.rules:
        return (
            _by_rules(ask_context, built)
            if ask_context.review is None
            else result.off(absence_words.RULES_LOOK_ONCE, "no_key", CallFacts(mode=SECOND))
        )
    prompt = prompts_of.rendered(built.ask, installation_key(), withheld.withheld_sources(ask_context))
    version = f"{prompt.version}{current.house_mark}"
    facts = CallFacts(
        provider=chosen.config.name,
        model=chosen.config.model,
        prompt_version=version,
        prompt_sha256=prompt.sha256,
        mode=_mode(ask_context, chosen.config.model, version) if ask_context.review is None else SECOND,
    )
    return _cached_or_asked(_Asking(ask_context, current, chosen, built, prompt, facts))


def _mode(ask_context: ProposalContext, model: str, version: str) -> str:
    """How the proposal may be used, by the trust in the step: shadow, assist or auto."""
    step = ask_context.definition.document.step(ask_context.step.id)
    return mode_of(
        ask_context.definition.id,
        ask_context.step.id,
        fingerprint(step, model, version),
        ask_context.ai.mode,
        call=ask_context.call,
    )


def installation_key() -> bytes:
    """The key for hashes of values and of persons; it is never sent to a provider."""
    return options.house_key()


def _by_rules(ask_context: ProposalContext, built: Built) -> Result:
    """The proposal by rules, without a provider; where the rules find nothing, the result says that AI is not configured."""
    began = time.monotonic()
    raw = providers.rules.answer(built.ask)
    judged = fitting(ask_context, guard.judge(built.ask, raw))  # real values: nothing was masked
    facts = CallFacts(
        provider=result.RULES,
        model=result.RULES,
        raw=raw,
        mode=_mode(ask_context, result.RULES, result.RULES),
    )
    if judged.code is not None:
        return result.off(
            absence_words.UNREAD if built.unread else absence_words.NOT_CONFIGURED, "no_key", facts
        )
    return result.result_of(judged, built, replace(facts, ms=round((time.monotonic() - began) * 1000)))


def _cached_or_asked(asking: _Asking) -> Result:
    """The cached answer to the same question, else that of the provider."""
    key = cache.key_of(
        asking.subject,
        asking.prompt.system,
        asking.prompt.user,
        asking.prompt.schema,
        f"{asking.chosen.config.fingerprint}|{asking.chosen.max_tokens}",
        _record_key(asking.ask_context),
    )
    kept = cache.find(key, asking.subject)
    if kept is not None:
        cached_result = _guarded_result(
            asking,
            kept,
            replace(
                asking.facts,
                raw=replace(kept, input_tokens=0, cached_tokens=0, output_tokens=0),
                from_cache=True,
                ms=0,
                cost=Decimal(0),
            ),
        )
        _store_call(asking, kept.text)
        return cached_result
    if (refused := _reason_not_to_ask(asking)) is not None:
        return refused
    try:
        answer = waits.wait_for(max(0.0, asking.left() - MARGIN_S / 2), lambda: _call(asking))
    except waits.Late:
        error = CallFailed(
            ProviderError("timeout"),
            ms=round((log.now() - asking.ask_context.asked_at).total_seconds() * 1000),
            tries=1,
        )
        return _failed(asking, error)
    except CallFailed as error:
        return _failed(asking, error)
    provider_breaker.answered(asking.chosen.config)
    facts = replace(asking.facts, raw=answer.raw, ms=answer.ms, tries=answer.tries)
    cached_result = _guarded_result(asking, answer.raw, _with_cost(asking, facts))
    _store_call(
        asking,
        answer.raw.text,
        remembered=(key, answer.raw)
        if cached_result.kind == "proposal_made" and not asking.built.unread
        else None,
    )
    return cached_result


def _record_key(ask_context: ProposalContext) -> str:
    """The record and the item of a list, for the cache key: records that look alike have separate answers."""
    return "|".join(
        [
            ask_context.run.collection or "",
            ask_context.run.record or "",
            ask_context.at_hand.key if ask_context.at_hand is not None else "",
        ]
    )


def _reason_not_to_ask(asking: _Asking) -> Result | None:
    """Why the provider is not asked: no key, no time, an open breaker, or no budget; None where it is asked."""
    config = asking.chosen.config
    if not getattr(config, "api_key", None) and config.name == "anthropic":
        return result.failed("no_key", absence_words.message("no_key", 0), asking.facts)
    if asking.left() < LEAST_S + MARGIN_S:
        return result.late(asking.facts, _limit_s(asking))
    if settings.current().ai_breaker and not provider_breaker.may_ask(config):
        code = provider_breaker.refused(config) or "breaker"
        return result.failed(code, absence_words.message(code, 0), asking.facts)
    characters = len(asking.prompt.system) + len(asking.prompt.user)
    most = budget.estimate(asking.current, config.model, characters, asking.chosen.max_tokens)
    about = asking.ask_context
    over, standing = budget.reserve(
        about.call, about.run.id, asking.current.document.budget, most, about.person
    )
    if standing is not None:
        notify_of_budget(standing)
    return (
        None if over is None else result.failed("budget", absence_words.exhausted_budget(over), asking.facts)
    )


def _call(asking: _Asking) -> Answered:
    """The provider's answer before the deadline. Raises CallFailed."""
    prompt, chosen = asking.prompt, asking.chosen
    try:
        provider = chosen.provider()
    except ProviderError as error:
        raise CallFailed(error, ms=0, tries=0) from error
    seconds = asking.left() - MARGIN_S
    person = hmac.digest(
        installation_key(), f"person|{asking.ask_context.person.id}".encode(), "sha256"
    ).hex()[:32]
    return calling.call(
        provider,
        prompt.system,
        prompt.user,
        prompt.schema,
        seconds=max(LEAST_S, seconds),
        max_tokens=chosen.max_tokens,
        user_id=person,
    )


def _guarded_result(asking: _Asking, raw: Raw, facts: CallFacts) -> Result:
    """The result for an answer after the guard checked it."""
    judged = asking.judged(raw)
    if judged.code is None:
        return result.result_of(judged, asking.built, facts)
    if asking.built.unread:
        return result.failed("timeout", absence_words.UNREAD, facts, replace(judged, declined=False))
    if judged.dropped and judged.code == "nothing_supported":
        reason = absence_words.dropped(len(judged.dropped))
    elif judged.declined:
        reason = absence_words.declined(judged.why)
    else:
        reason = absence_words.message(judged.code, _limit_s(asking))
    return _no_proposal(asking, judged, reason, facts)


def _no_proposal(asking: _Asking, judged: Judged, reason: str, facts: CallFacts) -> Result:
    """A result without a proposal, with a warning where text in a source looks like instructions."""
    return result.failed(
        judged.code or "internal_error",
        reason,
        facts,
        judged,
        result.banner(judged, asking.built),
        result.warned_of(judged, asking.built),
    )


def _failed(asking: _Asking, error: CallFailed) -> Result:
    """The result for a call without a usable answer. The breaker counts failures of the provider."""
    _store_call(asking, error.raw.text if error.raw else "", error=f"{error.code}: {error.detail}")
    if settings.current().ai_breaker and provider_breaker.failed(asking.chosen.config, error.code):
        report_open_breaker(asking.chosen.config, error.code)
    facts = _with_cost(
        asking,
        replace(asking.facts, raw=error.raw, ms=error.ms, tries=error.tries, request_id=error.request_id),
    )
    code: Code = error.code
    suspicious = tuple(injection_scan.suspicious(asking.built.ask, asking.prompt.restore.sent))
    judged = Judged(flags=("suspicious_content",) if suspicious else (), suspicious=suspicious, code=code)
    return _no_proposal(asking, judged, absence_words.message(code, _limit_s(asking)), facts)


def notify_of_budget(standing: budget.Standing) -> None:
    """Notify administrators about the budget of all, once a day for each kind."""
    key, people = f"ai|budget|{standing}|{log.now():%Y-%m-%d}", sorted(access.holders("admin"))
    if not fetch("select 1 from console.notice where person = any(%s) and key = %s limit 1", (people, key)):
        notify.notify(people, f"ai_budget_{standing}", key, link="/settings/ai/budgets", mail=False)


def report_open_breaker(config: providers.Config, code: Code) -> None:
    """Write an alarm to the server log when the breaker opens, and notify administrators where only they can help."""
    _log.error("alarm: %s %s is left alone: %s", config.name, config.model, code)
    if code in breaker.LASTING:
        key = f"ai|{config.fingerprint}|{code}|{log.now():%Y-%m-%d}"
        notify.notify(sorted(access.holders("admin")), "model_refused", key, link="/settings/ai")


def _with_cost(asking: _Asking, facts: CallFacts) -> CallFacts:
    """The facts of the call, with its cost and the version of the price table."""
    raw = facts.raw
    fresh, cached, output = (
        (raw.input_tokens - raw.cached_tokens, raw.cached_tokens, raw.output_tokens) if raw else (0, 0, 0)
    )
    cost = asking.current.cost(
        asking.chosen.config.model, input_tokens=max(0, fresh), cached_tokens=cached, output_tokens=output
    )
    return replace(facts, cost=cost, price_version=asking.current.price_version if cost is not None else None)


def _store_call(
    asking: _Asking, answer: str, *, error: str | None = None, remembered: tuple[str, Raw] | None = None
) -> None:
    """Store the prompt and the answer for auditors, and with `remembered` the answer in the cache. A proposal does not fail because of this."""
    sources = [
        {
            "id": source.id,
            "kind": source.kind,
            "title": asking.built.titles.get(source.id),
            "collection": source.collection,
            "record": source.record,
        }
        | {
            "step": source.step,
            "document": source.document,
            "page": source.page,
            "trusted": source.trusted,
            "fields": sorted(source.data),
        }
        | {"read_at": source.read_at.isoformat() if source.read_at is not None else None}
        for source in asking.built.ask.sources
    ]
    texts = {
        "system": asking.prompt.system,
        "user": asking.prompt.user,
        "schema": dict(asking.prompt.schema),
        "answer": answer,
        "sources": sources,
    }
    call, subject = asking.ask_context.call, asking.subject
    try:
        statements = [prompts.keeping(call, subject, {**texts, "error": error})]
        statements += (
            [cache.keeping(remembered[0], call, subject, remembered[1])] if remembered is not None else []
        )
    except subjects.Unreadable:
        _log.warning("the prompt of %s is not kept: whom it is about was erased meanwhile", call)
        return
    with borrowed() as driver, driver.pipeline():
        for statement, values in statements:
            driver.execute(statement, values)


def _limit_s(asking: _Asking) -> float:
    """The time limit of the call in whole seconds."""
    return float(round((asking.ask_context.deadline_at - asking.ask_context.asked_at).total_seconds()))
