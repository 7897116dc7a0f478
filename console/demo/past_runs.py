"""What the people of the demo did in the past weeks: which records, who, how far, and what they typed."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from console import log, records, runs
from console.auth import access
from console.auth.accounts import absences
from console.automation import triggers
from console.core import expressions
from console.demo import past_campaigns, stories
from console.infra.db.engine import fetch
from console.work import notices, tickets

if TYPE_CHECKING:
    from console.demo.past_weeks import Stage, Tale

GOOD = (
    "approve",
    "approved",
    "refund",
    "done",
    "yes",
    "confirmed",
    "continue",
    "ok",
    "go",
    "stop",
    "low",
    "paid",
    "told",
    "sent",
)
TYPED: Mapping[str, Any] = {
    "document_status": "accepted",
    "owners": "confirmed",
    "in_register": "yes",
    "verdict": "false_positive",
    "because": "dob_mismatch",
    "compared": ["birth_date", "id_number"],
    "pep_status": "none",
    "pep_role": "Member of the city council",
    "pep_wealth": "Salary, and a flat that was inherited",
    "searched": "The full name, with and without accents",
    "sources": ["search_engine", "court_register"],
    "media_result": "none",
    "source_of_funds": "business_income",
    "source_of_wealth": "Sale of shares in 2019, shown by the contract.",
    "why_acceptable": "Known for nine years; the turnover fits the business.",
    "impression": "An ordinary customer; nothing strikes.",
    "flags": [],
}
"""Field → what people usually type there, where a form has such a field and it takes that value."""
SAID: Mapping[str, Any] = {
    "explanation": "Two larger orders within the twelve months; the invoices for both are on file.",
    "flags.over_expected": True,
    "flags.pep": True,
    "evidence": "The answers of this review, and twelve months of turnover on the account.",
    "why": "Nothing that was found speaks against it.",
}
"""Field → what the stand-in for a model proposes, where its form has the field."""


def borne_out(name: str, seen: Mapping[str, Any]) -> bool:
    """Whether sources with these values bear out what the stand-in would propose for the field."""
    over = float(seen.get("ratio_to_expected") or 0) > 1.5
    exposed = seen.get("pep_status") in ("pep", "family", "associate")
    return {
        "flags.over_expected": over,
        "explanation": over,
        "flags.pep": exposed,
        "evidence": over or exposed,
    }.get(name, True)


NOTHING_TYPED = {
    "text": "Looked at it, nothing strikes.",
    "long_text": "Looked at the papers and the account; nothing strikes.",
}
TURNOVER = "The turnover is four times what was expected."
NO_PAPERS = "They will not send a VAT certificate before the contract is signed. May we go on without it?"
"""Why a run is handed on."""
EXPLAINED = "Seen on paper at the counter; the copy on file is the same."
EXPLAINED_OF_CHARGE = "The shop's own records bear the customer out."
"""What people write where a rule asks for a sentence."""
BECAUSE = {
    "did not arrive": "not_received",
    "not as described": "not_as_described",
    "within the 14 days": "withdrawal",
    "charged me twice": "duplicate",
    "price on the page": "price_error",
}
"""What a customer wrote → the reason that an operator chooses for it."""
PAYABLE = 'record.status == "succeeded" && record.currency == "EUR" && record.amount_minor > 20000 && record.captured_at > addDays(today(), -170)'
"""Charges of which a refund needs a second person's yes."""
REVIEW, REFUND, PURCHASE = "kyc-review", "customer-refund", "supplier-onboarding"
ABOUT = {REVIEW: "customer", REFUND: "charge", PURCHASE: "supplier_request"}
SKIPPED = 14
"""Places at the head of each inbox that stay as they are, for those who try the console."""


def all_of(stage: "Stage") -> Iterator[tuple[timedelta, "Tale"]]:
    """Each tale with how long ago it begins."""
    customers = _waiting(
        stage,
        "kyc",
        {str(number) for number in (*stories.KYC_RECORDS, stories.YURI, stories.HALCYON, *stories.PLAIN)},
    )
    charges = _waiting(stage, "refund-requests", set(stories.STORY_CHARGES))
    yield days(23.2), told_long(stage, next(customers))
    yield days(5.2), stopped(stage, "olivia", REVIEW, next(customers))
    yield days(6.1), saved(stage, "tom", REVIEW, next(customers), 2)
    yield days(4.2), held(stage, next(customers), 2)
    yield hours(5), held(stage, next(customers), 1)
    for risky in islice(_fitting(stage, customers, "customer", 'record.risk_band == "high"'), 1):
        yield days(1.2), review(stage, "olivia", risky)
    yield (
        days(3.1),
        handed_up(stage, "olivia", REVIEW, next(customers), 3, TURNOVER, "compliance-desk"),
    )
    for ago in (days(8.2), hours(6.2), hours(3.3)):
        yield ago, refund(stage, "tom" if ago > days(1) else "olivia", next(charges))
    yield hours(3.6), stopped(stage, "tom", REFUND, next(charges))
    yield days(1.4), saved(stage, "tom", REFUND, next(charges), 1)
    large = _waiting(stage, "refund-requests", set(stories.STORY_CHARGES), 0)
    for ago, charge in zip((hours(2.6), hours(4.4)), _fitting(stage, large, "charge", PAYABLE), strict=False):
        yield ago, refund(stage, "tom", charge, decided=False)
    yield hours(0.4), taken(stage, "tom", "refund-requests")
    requests = iter([str(number) for number in range(200, 231) if number not in stories.STORY_REQUESTS])
    yield days(2.2), purchase(stage, next(requests))
    yield days(1.6), saved(stage, "stan", PURCHASE, next(requests), 1)
    past_campaigns.sandbox(stage)
    yield days(9.1), away_for_a_day(stage)
    yield days(6.1), waited_for(stage, "tom", next(_fitting(stage, large, "charge", PAYABLE)))
    reviewed = islice(
        _fitting(stage, customers, "customer", 'record.kyc_status in ["approved", "expired"]'), 4
    )
    yield days(2.9), past_campaigns.enrolled(stage, "mona", "kyc-rereview", list(reviewed), reason="periodic")
    yield from past_campaigns.all_of(stage, last_night(stage.started))
    yield stage.started - last_night(stage.started), nightly(stage)
    yield days(past_campaigns.LEAD_DAYS), time_passes(stage, days(past_campaigns.LEAD_DAYS))
    yield hours(5.2), caught_up(stage)
    yield hours(0.1), begun(stage, "stan", PURCHASE, next(requests))
    yield (
        hours(6.5),
        handed_up(stage, "stan", PURCHASE, next(requests), 1, NO_PAPERS, "supplier-exceptions"),
    )


def away_for_a_day(stage: "Stage") -> "Tale":
    """Mona is away, and says who stands in."""
    actor, today = stage.actor("mona"), log.now().astimezone(ZoneInfo("Europe/Vilnius")).date()
    absences.plan(actor, actor.id, first=today, last=today, substitute=stage.actor("petra").email)
    yield from ()


def caught_up(stage: "Stage") -> "Tale":
    """Everybody has read what they were told until this morning."""
    for address in stage.passwords:
        notices.read_all(stage.actor(address.partition("@")[0]))
    yield from ()


def last_night(now: datetime) -> datetime:
    """Two o'clock of the last night at Fernwick."""
    at_home = now.astimezone(ZoneInfo("Europe/Vilnius"))
    night = at_home.replace(hour=2, minute=0, second=0, microsecond=0)
    return (night if night <= at_home else night - timedelta(days=1)).astimezone(UTC)


def nightly(stage: "Stage") -> "Tale":
    """The schedules of the night were due, and their runs go through what they find."""
    triggers.synchronise()
    fetch(_DUE, (last_night(stage.started), ["nightly-check", "nightly-contacts", "nightly-suppliers"]))
    triggers.fire_due()
    for _ in range(ROUNDS):
        stage.settle()
    fetch(_ON_TIME)
    yield from ()


_ON_TIME = "update console.firing set done_at = at where kind = 'schedule' and status = 'started' returning 1"
_DUE = "update console.trigger t set next_at = %s from console.workflow w where w.id = t.workflow and t.kind = 'schedule' and w.slug = any(%s) returning 1"
ROUNDS = 10


def time_passes(stage: "Stage", ago: timedelta) -> "Tale":
    """Until today, what is due is done every eight hours."""
    for _ in range(int(ago / hours(8))):
        stage.pass_on()
        yield hours(8)
    stage.pass_on()


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=number)


def _waiting(stage: "Stage", inbox: str, left: set[str], skipped: int = SKIPPED) -> Iterator[str]:
    """Keys of records from the middle of an inbox, without those that stories are told of."""
    page = tickets.to_do(stage.actor("tom"), inbox, limit=100)
    found = list(page.tickets)
    while page.next is not None:
        page = tickets.to_do(stage.actor("tom"), inbox, limit=100, after=page.next)
        found += page.tickets
    keys = (
        ticket.record
        for ticket in found
        if ticket.run is None and ticket.record and ticket.record not in left
    )
    return islice(keys, skipped, None)


def _fitting(stage: "Stage", keys: Iterator[str], collection: str, condition: str) -> Iterator[str]:
    """The keys of records that fit the condition."""
    scope = access.scope_for(stage.actor("mona"), collection, "read")
    fits = expressions.parse(condition)
    return (
        key
        for key in keys
        if fits.test({"record": records.get(collection, key, scope).values, "now": log.now()})
    )


def filled(form: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a form: those given and usual ones that its fields take, what it offers already, and something for what it requires."""
    sent = {}
    for field in (form or {}).get("fields", ()):
        if field.get("readonly"):
            continue
        offered = [
            option["value"] if isinstance(option, Mapping) else option
            for option in field.get("options") or ()
        ]
        wanted = given.get(field["name"], TYPED.get(field["name"]))
        if field.get("value") in (None, "", []) or field["name"] in given:
            value = wanted if _takes(offered, wanted) else _something(field, offered)
            if value is not None:
                sent[field["name"]] = value
    return sent


def taken_over(proposal: Mapping[str, Any] | None, number: int) -> dict[str, Any]:
    """What the person takes over from a proposal: mostly all of it; a sentence of theirs in place of every fourth text, nothing of every ninth."""
    if not proposal or number % 9 == 0:
        return {}
    fields = {
        field["name"]: field["value"]
        for field in proposal.get("fields") or ()
        if field.get("value") is not None
    }
    if number % 4 == 0:
        return {
            name: "Compared by hand; it fits what the account shows."
            if isinstance(value, str) and " " in value
            else value
            for name, value in fields.items()
        }
    return fields


def _takes(offered: Sequence[Any], value: Any) -> bool:
    if value is None:
        return False
    return (
        set(value if isinstance(value, list) else [value]) <= set(offered)
        if offered
        else not isinstance(value, list)
    )


def _something(field: Mapping[str, Any], offered: Sequence[Any]) -> Any:
    """A value for a field that has to be filled in; None for one that may stay empty."""
    kind = str(field.get("type"))
    if kind == "checklist":
        return list(offered)
    if not field.get("required"):
        return None
    if offered:
        return [offered[0]] if kind in ("array", "multi_choice", "tags") else offered[0]
    return {"boolean": True, "integer": 1, "decimal": "1", "money": "1", "percent": "1"}.get(
        kind, NOTHING_TYPED.get(kind)
    )


def usual_way(offered: Sequence[str], *, used: Sequence[str]) -> str | None:
    """The way that people usually take: a good one that was not taken twice already."""
    fresh = [way for way in offered if used.count(way) < 2]
    return next((way for way in fresh if way in GOOD), next(iter(fresh or offered), None))


# ---------------------------------------------------------------------------------------------------------------- tales


def work(stage: "Stage", by: str, run: str, steps: int = 60, **values: Any) -> "Tale":
    """Go on with the run for so many steps, a few minutes each, until it waits for somebody or something else."""
    for number in range(steps):
        if not stage.step(by, run, values=values):
            return
        yield timedelta(minutes=1 + number % 4, seconds=17)


def review(stage: "Stage", by: str, customer: str) -> "Tale":
    """A KYC review that waits for a second person's yes."""
    run = start(stage, by, REVIEW, customer)
    yield timedelta(minutes=1)
    yield from work(stage, by, run)


def answered(stage: "Stage", by: str, run: str, *, decided: bool = True) -> "Tale":
    """Approvals that the run waits for are given, each after some hours, and the run goes on."""
    for _ in range(3):
        waiting = stage.waits_for(by, run)
        if waiting.get("for") != "approval" or not decided:
            return
        yield timedelta(hours=2, minutes=40)
        decider = _decider(stage, by, waiting["key"])
        if decider is None:
            return
        runs.approve(stage.actor(decider), waiting["key"], reason="Looked at what was found; agreed.")
        stage.settle()
        yield timedelta(minutes=25)
        yield from work(stage, by, run)


def _decider(stage: "Stage", by: str, approval: str) -> str | None:
    """Somebody else who is asked to decide it."""
    from console.work import approvals

    for first in ("mona", "tom", "olivia", "malik", "petra", "lena", "rosa"):
        if first != by and any(
            line.id == approval for line in approvals.to_review(stage.actor(first), limit=100).lines
        ):
            return first
    return None


def told_long(stage: "Stage", customer: str) -> "Tale":
    """The run to watch: begun, saved, taken up by a colleague who changes their mind about a step, decided and approved."""
    run = start(stage, "olivia", REVIEW, customer)
    yield timedelta(minutes=2)
    yield from work(stage, "olivia", run, 5)
    runs.save(stage.actor("olivia"), run, revision=None)
    yield timedelta(hours=19)
    runs.resume(stage.actor("tom"), run, revision=None)
    stage.settle()
    yield from work(stage, "tom", run, 4, flags=["pep", "cdd_incomplete"])
    done = [
        attempt
        for attempt in stage.see("tom", run)["attempts"]
        if attempt["status"] == "done" and attempt["by"] == stage.actor("tom").id
    ]
    if done:
        step = done[max(0, len(done) - 2)]["step"]
        runs.revise(
            stage.actor("tom"),
            run,
            revision=None,
            step=step,
            attempt=None,
            reason="A second search found more; I look again.",
        )
        stage.settle()
        yield timedelta(minutes=31)
    yield from work(stage, "tom", run)
    yield from answered(stage, "tom", run)


def start(stage: "Stage", by: str, workflow: str, record: str) -> str:
    """Begin a run about the record; its id."""
    given = {"reason": "periodic"} if workflow == REVIEW else {}
    return stage.start(by, workflow, ABOUT[workflow], record, **given)


def begun(
    stage: "Stage", by: str, workflow: str, record: str, steps: int = 0
) -> Generator[timedelta, None, str]:
    """Begun, worked on for some steps, and in hand; the run."""
    run = start(stage, by, workflow, record)
    yield timedelta(minutes=3)
    yield from work(stage, by, run, steps)
    return run


def saved(stage: "Stage", by: str, workflow: str, record: str, steps: int) -> "Tale":
    """Begun and put aside."""
    run = yield from begun(stage, by, workflow, record, steps)
    runs.save(stage.actor(by), run, revision=None)


def held(stage: "Stage", customer: str, steps: int) -> "Tale":
    """Begun, and still in hand: the last step was a few minutes ago."""
    run = yield from begun(stage, "olivia", REVIEW, customer, steps)
    yield max(timedelta(), stage.started - log.now() - timedelta(minutes=3))
    stage.step("olivia", run)


def stopped(stage: "Stage", by: str, workflow: str, record: str) -> "Tale":
    """Begun and ended before its end."""
    run = yield from begun(stage, by, workflow, record, 1)
    runs.abort(stage.actor(by), run, revision=None, reason="Begun twice; the other one goes on.")


def handed_up(
    stage: "Stage", by: str, workflow: str, record: str, steps: int, reason: str, inbox: str
) -> "Tale":
    """A run that its holder hands on to an inbox, with the reason."""
    run = yield from begun(stage, by, workflow, record, steps)
    runs.escalate(stage.actor(by), run, revision=None, inbox=inbox, reason=reason, priority="high")
    stage.settle()


def taken(stage: "Stage", by: str, inbox: str) -> "Tale":
    """A ticket that somebody took from the inbox and has not worked on yet."""
    tickets.take(stage.actor(by), inbox, tickets.to_do(stage.actor(by), inbox, limit=50).tickets[-1].id)
    stage.settle()
    yield timedelta(minutes=1)


def refund(
    stage: "Stage", by: str, charge: str, *, decided: bool = True, after: timedelta = timedelta()
) -> "Tale":
    """A refund from start to end, or until somebody else has to say yes, which they do `after` some time."""
    run = start(stage, by, REFUND, charge)
    yield timedelta(minutes=1)
    yield from work(stage, by, run, why=said_of(stage, by, run))
    yield after
    yield from answered(stage, by, run, decided=decided)


def said_of(stage: "Stage", by: str, run: str) -> str:
    """The reason for a refund that fits what the customer wrote."""
    body = str((stage.see(by, run)["context"].get("facts") or {}).get("letter") or "")
    return next((why for words, why in BECAUSE.items() if words in body), "goodwill")


def waited_for(stage: "Stage", by: str, charge: str) -> "Tale":
    """A refund whose approval is given on the fourth day: who may give it is reminded, then who stands in for them is told."""
    yield from refund(stage, by, charge, after=days(3.6))


def purchase(stage: "Stage", request: str) -> "Tale":
    """A supplier's request that a buyer works on."""
    run = yield from begun(stage, "stan", PURCHASE, request, 2)
    yield from answered(stage, "stan", run)
