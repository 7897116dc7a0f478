"""Sending: a message is judged when it is about to leave, marked as leaving, handed to its provider, and recorded; then its run goes on.

One process at a time works on a message. What may have left is looked up by our own id before anything is sent again; where nobody can tell,
a person is asked. A message is never sent twice by itself.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from console import log, workflows
from console.core.actor import Actor
from console.core.contacting import AskAgain, Contact, Outgoing, SendNow, Skip, Verdict, WaitUntil, judge
from console.core.errors import IntegrationError, NotFound, OutcomeUnknown, SourceDown
from console.core.message_codes import BY_CODE
from console.core.message_words import announced
from console.core.stop_words import is_stop
from console.formats.times import moment_of
from console.infra import faults, jobs
from console.infra.db.engine import alone, fetch
from console.infra.outbound import retry_after
from console.messaging import providers
from console.messaging.channels import sandbox
from console.messaging.channels.base import Handed, Letter, Provider
from console.messaging.messages import (
    contact_trials,
    held_messages,
    message_receipts,
    message_results,
    message_rows,
    recipients,
    rules as kept_rules,
)
from console.messaging.messages.call_answers import result_of, unknown_answer
from console.messaging.messages.channel_settings import in_sandbox, script_of
from console.messaging.messages.message_events import WRITER, Note, noted, noting
from console.messaging.messages.message_reasons import in_words
from console.messaging.messages.message_rows import LEFT, PENDING, WEEK, Message, change, kind_of
from console.messaging.messages.outside_addresses import callback_url, unsubscribe_url

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PAUSED_S, BUSY_S = 5.0, 0.5
AT_ONCE = 500
MOST_TRIES = 6
"""How often a message is handed over that its provider does not take for now: over three hours, so that an outage of an hour loses none."""
MOST_FAILURES = 3
"""How often a call is begun again that the provider could not make."""
FIRST_PAUSE = timedelta(seconds=30)
NOT_THERE = "The provider did not get it: it is sent again."
LOOKS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800))
"""Pauses before each look-up of a message that may have left."""
CALL_LOOKS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(hours=17))
"""When a call is looked up whose callback did not come, one after another."""
GONE = "The record is gone."
_log = logging.getLogger(__name__)
_DUE = f"""
select m.id, m.channel from unnest(array['email', 'sms', 'call', 'chat']) c
cross join lateral (select id, channel from console.message where due_at <= %s and channel = c order by due_at limit %s) m
where {jobs.no_job("'send:' || m.id")}
"""  # noqa: S608 (texts of ours)
"""Of each channel so many, those of a provider that is slow hide none of another; of these, the ones without a job: while many wait for their turn, a look costs little."""


def pick_up() -> int:
    """Add a job for each message that is due; returns how many were new. Messages that a crash left behind are due too."""
    return (
        0
        if jobs.paused()
        else jobs.enqueue_all([jobs.send(*row) for row in fetch(_DUE, (log.now(), AT_ONCE))])
    )


def send(message_id: str) -> None:
    """The job: send the message, or check on it, whichever is due. Raises PutBack while another process does it, or everything is paused."""
    message = message_rows.by_id(message_id)
    if message is None or message.direction != "out":
        return
    if jobs.paused():
        raise jobs.PutBack(PAUSED_S)
    if message.status == "waiting" and in_sandbox(message.channel):
        _send_if_allowed(message)  # which nothing outside gets: whoever marks it as leaving first has sent it
        return
    with alone(f"message|{message_id}") as mine:
        message = message_rows.by_id(message_id) if mine else None
        if not mine:
            raise jobs.PutBack(BUSY_S)
        if message is not None:
            _take_up(message)


def _take_up(message: Message) -> None:
    """Do what is due with the message, which no other process takes up now."""
    match message.status:
        case "waiting":
            _send_if_allowed(message)
        case "sending" | "unknown":
            _find_out(message)
        case "sent" if message.outcome is None and message.channel == "call":
            _look_at_call(message)
        case _:
            change(
                message, [message.status], due_at=None
            )  # nothing is due any more: it would be picked up for ever


def _send_if_allowed(message: Message) -> None:
    """Judge it, and let it leave, wait or be skipped."""
    if message.due_at is not None and message.due_at > log.now():
        return
    if (
        message.run
        and message.workflow
        and message.version
        and workflows.paused(workflows.version(message.workflow, message.version))
    ):
        _later(message, timedelta(seconds=PAUSED_S))
        return
    leaving = _judged(message)
    if leaving is not None:
        _hand_over(*leaving)


def _judged(message: Message) -> tuple[Message, Letter] | None:
    """(the message, marked as leaving, its letter); None where it does not leave now."""
    now, rules = log.now(), kept_rules.current()
    facts = message_rows.facts_of(message)
    content = message.content
    if not facts.wanted or content is None:
        code = "erased" if facts.wanted else facts.left if facts.left in BY_CODE else "not_wanted"
        change(message, ["waiting"], status="cancelled", due_at=None, at=now, code=code)
        return None
    if message.code == held_messages.RESTORED and not in_sandbox(message.channel):
        _settle(
            message,
            "unknown",
            "unknown",
            held_messages.RESTORED,
            message_results.unsure(BY_CODE[held_messages.RESTORED]),
        )
        return None
    try:
        contact = recipients.contact_of(message, facts.taken_back)
    except NotFound:
        _settle(message, "skipped", "skipped", "record_gone", GONE)
        return None
    except SourceDown as error:
        _later(
            message,
            _pause(min(message.looks, 2)),
            code="source_down",
            reason=error.message,
            looks=message.looks + 1,
        )
        return None
    to, why = recipients.address_for(message, content, contact)
    expires, empty = timedelta(seconds=message.expires_s), contact_trials.empty_fields(message, content)
    outgoing = Outgoing(
        kind_of(message), message.consent, message.asked_at, expires, why, empty, message.about
    )
    judged_contact = contact and replace(contact, country=recipients.country_of(contact, to))
    address = recipients.address_digest(to) if contact is not None and to else None
    busy = [recipients.contact_lock(message)] + ([recipients.address_lock(address)] if address else [])
    with (
        alone(*busy) as mine
    ):  # two messages to one contact, or to one address of two contacts, are judged one after another, or both would find room under the cap
        if not mine:
            raise jobs.PutBack(BUSY_S)
        used = message_rows.used_before(message, address, now - rules.longest)
        zones = held_messages.zones_at(message, contact, to, rules)
        verdict = judge(outgoing, judged_contact, zones, used, now, rules)
        if isinstance(verdict, SendNow) and (another := recipients.somebody_else(message, contact, to)):
            verdict = AskAgain(another)
        return _decided(message, verdict, content, contact, to)


def _decided(
    message: Message, verdict: Verdict, content: Any, contact: Contact | None, to: str
) -> tuple[Message, Letter] | None:
    """As `_judged`, by this verdict."""
    match verdict:
        case SendNow(basis):
            return _leaving(message, content, contact, to, basis)
        case WaitUntil(until, code, reason):
            held = {"held_for": contact.name, "held_to": to} if contact is not None else {}
            address = recipients.address_digest(
                to
            )  # by which it is found where who has the address wants no more
            change(
                message,
                ["waiting"],
                code=code,
                due_at=until,
                address=address,
                result={"reason": reason} | held,
            )
        case Skip(code, reason):
            _settle(message, "skipped", "skipped", code, reason)
        case AskAgain(reason):
            _settle(message, "expired", "expired", "expired", reason)
    return None


def _leaving(
    message: Message, content: Any, contact: Contact | None, to: str, basis: str
) -> tuple[Message, Letter] | None:
    """(the message, marked as leaving, its letter): from here on it may have left. None where another process was first."""
    sandboxed, now = in_sandbox(message.channel), log.now()
    language = str(content.get("language") or (contact.language if contact else None) or "en")
    if message.channel == "call":
        scripts = content.get("scripts") or [""]
        script = announced(str(scripts[min(message.number, len(scripts)) - 1]), language)
        content = {**content, "script": script}
    provider = "sandbox" if sandboxed else providers.provider_of(message.channel).name
    bar = _bar_of(message, contact, to)
    field = recipients.field_of(message, content, contact)
    others = recipients.addresses_of(message.channel, field, contact.country if contact else None)[1:]
    said = {
        "basis": basis,
        "to": to,
        "not_to": ", ".join(others),
        "script": str(content.get("script", "")),
        "reason": "",
    }
    marked = change(
        message,
        ["waiting"],
        status="sending",
        due_at=now + LOOKS[0] * 12,
        at=now,
        code=None,
        provider=provider,
        sandbox=sandboxed,
        tries=message.tries + 1,
        looks=0,
        address=recipients.address_digest(to),
        result=said,
        unless=bar,
        still_due=True,
    )
    if marked is None and bar is not None and message_rows.is_barred(bar):
        _settle(
            message,
            "skipped",
            "skipped",
            "consent_withdrawn",
            "Somebody with this address asked for no more messages.",
        )
    if marked is None:
        return None
    unsubscribe = unsubscribe_url(message) if message.channel == "email" and contact is not None else None
    name = (contact.name if contact else None) or ""
    back = callback_url(message.channel, provider, message.id)
    return marked, Letter(
        message.id, kind_of(message), to, content, name, language, back, unsubscribe, at=now
    )


def _bar_of(message: Message, contact: Contact | None, to: str) -> message_rows.Bar | None:
    """What bars the address itself: another contact who has it may have said STOP. None for a message that needs no consent."""
    if contact is None or message.consent is None:
        return None
    said = contact.consent.get(message.consent)
    given_at = moment_of(said.at) if said is not None and said.at else None
    return message_rows.Bar(
        [each.hex() for each in recipients.address_digests(to)], message.consent, given_at or LONG_AGO
    )


def _hand_over(message: Message, letter: Letter) -> None:
    """Send it, and record the result."""
    faults.point("channels.send.before")
    try:
        handed = (
            sandbox.handed(letter, script_of(letter.kind))
            if message.sandbox
            else _carrier(message).send(letter)
        )
    except IntegrationError as error:
        _not_sent(message, error)
        return
    except Exception as error:  # noqa: BLE001 (whatever went wrong, it may have left)
        code, reason = (
            ("unknown", error.message) if isinstance(error, OutcomeUnknown) else ("internal_error", "")
        )
        if not reason:
            _log.exception("message %s", message.id)
        change(
            message,
            ["sending"],
            status="unknown",
            due_at=log.now() + LOOKS[0],
            at=log.now(),
            code=code,
            result={"reason": reason},
        )
        return
    faults.point("channels.send.after")
    record_sent(message, handed, in_worker=True)


def _carrier(message: Message) -> Provider:
    """The provider that the message is marked with; where that is gone, who carries its kind now."""
    return providers.provider_by_name(message.channel, message.provider or "") or providers.provider_of(
        message.channel
    )


def record_sent(message: Message, handed: Handed, *, in_worker: bool = False) -> None:
    """The provider has the message: record it and let its run go on, at once `in_worker`. A call's run waits for its end."""
    now = log.now()
    call = message.channel == "call"
    arrived = handed.outcome == "delivered" and not call
    due = (
        now + CALL_LOOKS[0] if call and not message.sandbox else None
    )  # in the sandbox a person says how it ends
    columns: dict[str, Any] = {
        "status": "delivered" if arrived else "sent",
        "at": now,
        "provider_id": handed.provider_id
        if message.sandbox
        else message_rows.own_id(message, handed.provider_id),
    }
    columns |= {"sent_at": now, "outcome": None if call else "sent", "due_at": due, "looks": 0, "code": None}
    about = {
        "channel": message.channel,
        "provider": message.provider,
        "sandbox": message.sandbox,
        "number": message.number,
    }
    notes: list[Note] = [("message_sent", about, {"basis": message.result.get("basis")}, WRITER)]
    if call and handed.outcome:
        _call_ended(message, handed, in_worker=in_worker, left=(columns, notes))
        return
    reason = handed.reason if arrived else ""
    result = (
        {"reason": reason} if reason or message.result.get("reason") else None
    )  # why it was not known before
    sent = _record(message, PENDING, notes, in_worker=in_worker, result=result, **columns)
    faults.point("channels.recorded")
    if sent is not None and handed.outcome and not arrived:
        _ended(sent, handed, in_worker=in_worker)


def _record(
    message: Message,
    was: Sequence[str],
    notes: Sequence[Note],
    *,
    in_worker: bool,
    again: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
    opted_out: bool = False,
    **columns: Any,
) -> Message | None:
    """The message after it is changed and that is noted in the log; where it has an outcome then, its run goes on. None where another process was first.

    `again` adds the next call.
    """

    def write(connection: Connection, told_at: datetime | None) -> None:
        if change(message, was, connection=connection, result=result, told_at=told_at, **columns) is None:
            raise log.Overtaken
        if again is not None:
            message_rows.add_again(connection, message, **again)
        for note in notes:
            noted(message, *note, connection=connection)

    def beside(told_at: datetime) -> log.Beside:
        first = message_rows.changing(message, was, result=result, told_at=told_at, **columns)
        return log.Beside(first, notes=[noting(message, *note) for note in notes])

    changed = message_rows.foreseen(message, result, **columns)
    at_once = beside if again is None else None
    return (
        changed
        if message_results.record(changed, write, in_worker=in_worker, opted_out=opted_out, beside=at_once)
        else None
    )


def record_outcome(message_id: str, handed: Handed, *, by: Actor | None = None) -> bool:
    """Keep the result of a sent message as a callback, a look-up or the sandbox says it, or as somebody chose it there (`by`); False if it is known already."""
    message = message_rows.by_id(message_id)
    if message is None or not (
        message_receipts.failed(message) or (message.status in LEFT and message.outcome in (None, "sent"))
    ):
        return False
    if message.status in (
        "sending",
        "unknown",
    ):  # the answer to the request itself is late or lost: it has left
        record_sent(message, Handed(handed.provider_id))
        message = message_rows.by_id(message_id) or message
    data = {"channel": message.channel, "outcome": handed.outcome}
    notes: list[Note] = (
        [("message_outcome_chosen", data, {"label": handed.label}, by)] if by is not None else []
    )
    return _ended(message, handed, in_worker=False, notes=notes) is not None


def _ended(
    message: Message, handed: Handed, *, in_worker: bool, notes: Sequence[Note] = ()
) -> Message | None:
    """The sent message with what became of it; None if that is known already."""
    call = message.channel == "call"
    return (
        _call_ended(message, handed, in_worker=in_worker, left=({}, notes))
        if call
        else message_receipts.keep(message, handed, notes)
    )


def _call_ended(
    message: Message,
    handed: Handed,
    *,
    in_worker: bool,
    left: tuple[Mapping[str, Any], Sequence[Note]] = ({}, ()),
) -> Message | None:
    """A call ended: the run goes on, or it is called again. What the provider could not do is no attempt. `left`: what is kept of it if that it left is not yet, and noted first."""
    if message.outcome is not None or not handed.outcome:
        return None
    now, outcome = log.now(), handed.outcome
    again_at: datetime | None = None
    number, failures = message.number, 0
    if message.content is None:
        pass  # whom it was about was erased: nobody is called again
    elif outcome == "failed" and message.failures < MOST_FAILURES:
        again_at, failures = now + _pause(message.failures), message.failures + 1
    elif outcome in ("no_answer", "voicemail", "busy") and message.number < message.most:
        again_at, number = now + timedelta(seconds=message.again_s), message.number + 1
    said, unknown = result_of(message, handed, now), unknown_answer(message, handed)
    opted_out = bool(handed.label) and is_stop(handed.label.replace("_", " "))
    if opted_out:
        message_receipts.opted_out(message)
    status = "failed" if outcome == "failed" else "delivered"
    columns = {
        **left[0],
        "status": status,
        "outcome": None if again_at else outcome,
        "at": now,
        "due_at": None,
        "code": outcome,
    }
    again = {"number": number, "failures": failures, "due_at": again_at} if again_at is not None else None
    data = {"outcome": outcome, "number": message.number, "sandbox": message.sandbox}
    data |= {"unknown_label": True} if unknown else {}
    notes = [*left[1], ("call_ended", data, {"label": handed.label, "reason": said["reason"]}, WRITER)]
    was = PENDING if left[0] else ["sent"]
    ended = _record(
        message, was, notes, in_worker=in_worker, again=again, result=said, opted_out=opted_out, **columns
    )
    faults.point("channels.recorded")
    return ended


def _not_sent(message: Message, error: IntegrationError) -> None:
    """Nothing left: another try later, or the message has failed."""
    if not error.permanent and message.tries < MOST_TRIES:
        change(
            message,
            ["sending"],
            status="waiting",
            due_at=log.now() + retry_after.pause(_pause(message.tries - 1), error.wait_s),
            at=log.now(),
            code="retry",
            result=in_words(error.message, error.said),
        )
        return
    if error.code == "opted_out":
        message_receipts.opted_out(message)
        _settle(message, "skipped", "skipped", "consent_withdrawn", error.message, error.said)
        return
    _settle(message, "failed", "failed", error.code, error.message, error.said)


def _find_out(message: Message) -> None:
    """Ask the provider about a message that may have left: its process died, or no answer came."""
    if message.due_at is None or message.due_at > log.now():
        return
    letter = _letter_again(message)
    provider = None if message.sandbox else _carrier(message)
    if letter is None or (provider is not None and not provider.looks):
        _settle(
            message,
            "unknown",
            "unknown",
            "unknown",
            message_results.unsure(str(message.result.get("reason", ""))),
        )
        return
    try:
        found = (
            Handed(f"sandbox-{message.id}")
            if provider is None
            else providers.looked_up(provider, letter, message.provider_id)
        )
    except (IntegrationError, OutcomeUnknown) as error:
        if message.looks + 1 >= len(LOOKS):
            _settle(message, "unknown", "unknown", "unknown", message_results.unsure(error.message))
        else:
            change(
                message,
                ["sending", "unknown"],
                status="unknown",
                looks=message.looks + 1,
                due_at=log.now() + LOOKS[message.looks + 1],
            )
        return
    if found is not None:
        if provider is None:
            found = sandbox.handed(letter, script_of(letter.kind))
        record_sent(message, found)
    elif message.looks == 0:  # a request may be slow: only the second look that finds nothing counts
        change(message, ["sending", "unknown"], status="unknown", looks=1, due_at=log.now() + LOOKS[1])
    else:
        now, why = log.now(), {"reason": NOT_THERE}
        change(
            message,
            ["sending", "unknown"],
            status="waiting",
            looks=0,
            due_at=now,
            at=now,
            code="not_sent",
            result=why,
        )


def _look_at_call(message: Message) -> None:
    """Look a call up whose callback did not come."""
    if message.due_at is None or message.due_at > log.now():
        return
    letter, found = _letter_again(message), None
    try:
        if letter is not None:
            answers = (
                message.sandbox
            )  # of the sandbox only a process that died in between leaves one without its end
            known = None if answers else providers.looked_up(_carrier(message), letter, message.provider_id)
            found = sandbox.handed(letter, script_of(letter.kind)) if answers else known
    except (IntegrationError, OutcomeUnknown) as error:
        _log.warning("call %s: %s", message.id, error.message)
    if found is not None and found.outcome:
        record_outcome(message.id, found)
    elif message.looks + 1 < len(CALL_LOOKS):
        change(message, ["sent"], looks=message.looks + 1, due_at=log.now() + CALL_LOOKS[message.looks + 1])
    else:
        _settle(message, "unknown", "unknown", "no_callback", message_results.NO_CALLBACK)


def _letter_again(message: Message) -> Letter | None:
    """The letter as it left, for a look-up; None where its text was erased."""
    content, result = message.content, message.result
    if content is None:
        return None
    to = str(result.get("to", ""))
    taken = message_rows.taken_ids(message, recipients.address_digest(to), message.asked_at - WEEK)
    content = {**content, "script": result.get("script", "")}
    return Letter(message.id, kind_of(message), to, content, since=message.at, taken=taken, at=log.now())


def _settle(message: Message, status: str, outcome: str, code: str, reason: str, said: str = "") -> None:
    """Record that it did not leave, or that nobody can tell, and let its run go on."""
    kind, reason = (
        "message_skipped" if outcome in ("skipped", "expired") else "message_failed",
        message_results.for_whom(message, reason),
    )
    notes = [(kind, {"channel": message.channel, "code": code}, in_words(reason, said), WRITER)]
    columns: dict[str, Any] = {
        "status": status,
        "outcome": outcome,
        "code": code,
        "at": log.now(),
        "due_at": None,
    }
    _record(message, [*PENDING, "sent"], notes, in_worker=True, result=in_words(reason, said), **columns)


def _later(
    message: Message, span: timedelta, *, code: str | None = None, reason: str = "", **columns: Any
) -> None:
    sealed: dict[str, Any] = {"result": {"reason": reason}} if reason else {}
    change(message, ["waiting"], due_at=log.now() + span, code=code, **sealed, **columns)


def _pause(tries: int) -> timedelta:
    """The pause before the next try: each is four times as long, with a random part."""
    return FIRST_PAUSE * float(4 ** min(tries, 5)) * random.uniform(0.75, 1.25)  # noqa: S311 (spread, not secrecy)
