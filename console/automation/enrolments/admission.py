"""Letting people into a workflow: a thousand at a time, in one statement. Each is enrolled, in already, or refused with the reasons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from sqlalchemy.engine import Connection

from console import browse, log, records
from console.automation.enrolments.targets import Target
from console.core.actor import Actor
from console.core.contacting import Consent
from console.core.run.causes import Causes, cause_of_actor, stored
from console.formats import phone_plans
from console.formats.times import moment_of
from console.infra import faults, jobs, subjects
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id
from console.messaging.messages import address_consents, reachable, recipients

Status = Literal["enrolled", "already_enrolled", "refused"]
ENROLLED: Status = "enrolled"
ALREADY: Status = "already_enrolled"
REFUSED: Status = "refused"
AT_ONCE = 1_000
LEAD = "lead"
"""Collection of the subjects that are leads without a record."""
CONSENT = "consent"
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{4,24}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_ENTER = """
with wanted as (
    select * from unnest(%(ids)s::text[], %(whos)s::text[], %(records)s::text[], %(subjects)s::text[], %(kids)s::text[], %(nonces)s::bytea[], %(cts)s::bytea[],
        %(keys)s::text[], %(lines)s::bigint[]) as w (id, who, record, subject, kid, nonce, ct, key, line)
)
insert into console.enrolment (id, workflow, who, collection, record, subject, kid, nonce, ct, status, step, entered_by, origin, trigger, key, batch, line, at, caused_by)
select w.id, %(workflow)s, w.who, %(collection)s, w.record, w.subject, w.kid, w.nonce, w.ct, 'waiting', %(step)s, %(by)s, %(origin)s, %(trigger)s, w.key, %(batch)s,
    w.line, %(now)s, %(caused_by)s::jsonb
from wanted w
where %(barred)s::timestamptz is null or not exists (
    select from console.enrolment f where f.workflow = %(workflow)s and f.who = w.who and f.left_at > %(barred)s and f.status = 'left'
)
order by w.who, w.id on conflict do nothing returning id
"""
_PRESENT = """
select e.who, e.key, e.id, e.batch from console.enrolment e where e.workflow = %s and e.left_at is null and e.who = any(%s)
union all select e.who, e.key, e.id, e.batch from console.enrolment e where e.workflow = %s and e.key = any(%s)
"""
TWICE = "Stands in the list before: one place for both."
_FORMER = """
select distinct f.who from console.enrolment f where f.workflow = %s and f.who = any(%s) and f.left_at > %s and f.status = 'left'
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to be enrolled: a record, or values alone. `line` is their place among all; `wrong` are reasons against them found already."""

    line: int
    record: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    wrong: Sequence[Mapping[str, str]] = ()
    key: str | None = None
    consent: Mapping[str, Consent] = field(default_factory=dict)
    """What a lead without a record agreed to, by channel."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a candidate. `lead` is the enrolment's id, also the one that was there already."""

    line: int
    status: Status
    record: str | None = None
    lead: str | None = None
    reasons: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """How they come in: by whom, through what (`by_hand`, `segment`, `csv`, `api`, a kind of trigger …), by which trigger, in which batch."""

    actor: Actor
    origin: str
    trigger: str | None = None
    batch: str | None = None
    caused_by: Causes = ()
    """What led to it; empty: the actor does it."""
    chain: str | None = None
    """The chain of the log for many events, of the batch or of the request alone; None: that of the actor."""


def who_of(target: Target, candidate: Candidate) -> str:
    """What may be in the workflow once at a time: the record, else a telephone number or address of the lead, else all values."""
    if candidate.record is not None:
        return f"{target.collection}|{candidate.record}"
    given = candidate.values
    phone, email = (str(given.get(name) or "").strip() for name in ("phone", "email"))
    number = recipients.address_of("sms", phone, None)[0] if phone else ""
    identity = (
        re.sub(r"[^0-9]", "", phone_plans.canonical(number) or phone)
        or email.casefold()
        or orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode()
    )
    return "lead|" + subjects.digest(identity.encode(), f"lead|{target.id}").hex()[:32]


def wrong_lead(target: Target, values: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The errors in the values of a lead; of its telephone number and address one each."""
    found = _wrong_contact(values)
    told = {each["field"] for each in found}
    return [*found, *(each for each in target.wrong_values(values) if each["field"] not in told)]


def consent_of(
    target: Target, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Consent], list[dict[str, str]]]:
    """(the values of a lead, what it agreed to by channel, what is wrong with that). Where the start asks for a field `consent`, that is a value."""
    values = dict(given)
    if CONSENT not in given or any(entry.name == CONSENT for entry in target.fields):
        return values, {}, []
    told = values.pop(CONSENT)
    if not isinstance(told, Mapping):
        return (
            values,
            {},
            [
                {
                    "field": CONSENT,
                    "reason": 'Give it by channel: {"call": {"source": "web form", "at": "2026-11-24T10:00:00Z"}}.',
                }
            ],
        )
    consents: dict[str, Consent] = {}
    wrong = []
    for channel, evidence in told.items():
        if reason := _wrong_evidence(channel, evidence):
            wrong.append({"field": f"{CONSENT}.{channel[:60]}", "reason": reason})
        elif not reachable.addresses_of_lead(target.document, channel, values):
            what = "e-mail address" if channel == "email" else "telephone number"
            wrong.append({"field": f"{CONSENT}.{channel}", "reason": f"There is no {what} that it is for."})
        else:
            consents[channel] = Consent(given=True, source=evidence["source"].strip(), at=evidence["at"])
    return values, consents, wrong


def _wrong_evidence(channel: str, evidence: Any) -> str | None:
    """Why this is no evidence of a consent to the channel; None where it is."""
    if channel not in address_consents.LEAD_CHANNELS:
        return f"One of {', '.join(address_consents.LEAD_CHANNELS)}."
    if not isinstance(evidence, Mapping) or not {*evidence} <= {"source", "at"}:
        return "Give `source` and `at`, and nothing else."
    source, at = (
        evidence.get("source"),
        moment_of(evidence.get("at")) if isinstance(evidence.get("at"), str) else None,
    )
    if (
        not isinstance(source, str)
        or not source.strip()
        or len(source) > address_consents.LONGEST
        or "\x00" in source
    ):
        return f"Say in `source` where it was given, in up to {address_consents.LONGEST} characters."
    if at is None:
        return "Say in `at` when it was given, such as 2026-11-24T10:00:00Z."
    return "`at` is in the future: say when it was given." if at > log.now() else None


def _wrong_contact(values: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    phone, email = values.get("phone"), values.get("email")
    if phone not in (None, "") and not (isinstance(phone, str) and PHONE.fullmatch(phone.strip())):
        found.append(
            {"field": "phone", "reason": "This is no telephone number: write it like +353 1 234 5678."}
        )
    if email not in (None, "") and not (isinstance(email, str) and EMAIL.fullmatch(email.strip())):
        found.append({"field": "email", "reason": "This is no e-mail address."})
    return found


def judge(target: Target, candidates: Sequence[Candidate]) -> list[Answer]:
    """What `admit` would answer; nothing is changed. Two statements."""
    good = {candidate.line: who_of(target, candidate) for candidate in candidates if not candidate.wrong}
    present, former = _present(target, good.values(), [])[0], _former(target, good.values())
    answers, met = [], set[str]()
    for candidate in candidates:
        who = good.get(candidate.line)
        if who is None:
            answers.append(Answer(candidate.line, REFUSED, candidate.record, reasons=candidate.wrong))
        elif who in present:
            answers.append(Answer(candidate.line, ALREADY, candidate.record, present[who]))
        elif who in met:
            answers.append(_twice(candidate))
        elif who in former:
            answers.append(_too_early(target, candidate))
        else:
            met.add(who)
            answers.append(Answer(candidate.line, ENROLLED, candidate.record))
    return answers


def admit(
    connection: Connection, target: Target, candidates: Sequence[Candidate], entry: Entry
) -> list[Answer]:
    """Enrol the candidates (at most 1,000) with the transaction of `connection`, in one statement; an answer for each in their order.

    Their events are written too, and a job is put in that begins their runs.
    """
    good = [candidate for candidate in candidates if not candidate.wrong]
    whos = {candidate.line: who_of(target, candidate) for candidate in good}
    ids = dict(zip([candidate.line for candidate in good], sorted(new_id("lead") for _ in good), strict=True))
    entered = _enter(connection, target, good, whos, ids, entry) if good else set()
    left = [candidate for candidate in good if ids[candidate.line] not in entered]
    present, by_key, batches = _present(
        target, [whos[each.line] for each in left], [each.key for each in left if each.key], connection
    )
    answers = []
    for candidate in candidates:
        line, who = candidate.line, whos.get(candidate.line)
        if who is None:
            answers.append(Answer(line, REFUSED, candidate.record, reasons=candidate.wrong))
        elif ids[line] in entered:
            answers.append(Answer(line, ENROLLED, candidate.record, ids[line]))
        elif candidate.key in by_key:
            answers.append(Answer(line, ENROLLED, candidate.record, by_key[candidate.key]))
        elif who in present:
            twice = entry.batch is not None and batches[who] == entry.batch
            answers.append(
                _twice(candidate, present[who])
                if twice
                else Answer(line, ALREADY, candidate.record, present[who])
            )
        else:
            answers.append(_too_early(target, candidate))
    if entered:
        agreed = [each for each in good if each.consent and ids[each.line] in entered]
        given = [
            given
            for each in agreed
            for given in reachable.brought(target.document, ids[each.line], each.values, each.consent)
        ]
        address_consents.keep(connection, given, entry.actor.id)
        jobs.enqueue_look(connection, jobs.BEGIN, target.id, dedupe_key=f"begin|{target.id}")
        _note(
            connection,
            target,
            [answer for answer in answers if answer.lead in entered],
            entry,
            {each.line: sorted(each.consent) for each in agreed},
        )
    faults.point("enrolments.admit")
    return answers


def told_again(target: Target, candidates: Sequence[Candidate]) -> list[Answer]:
    """The results of candidates with these keys that were admitted before. Admits nobody."""
    whos = {candidate.line: who_of(target, candidate) for candidate in candidates if not candidate.wrong}
    present, by_key, _ = _present(
        target, whos.values(), [candidate.key for candidate in candidates if candidate.key]
    )
    gone = [
        {
            "field": "record" if target.collection else "lead",
            "reason": "Not in it now. Send it with a new key to enrol it.",
        }
    ]
    answers = []
    for candidate in candidates:
        if candidate.key in by_key:
            answers.append(Answer(candidate.line, ENROLLED, candidate.record, by_key[candidate.key]))
        elif (lead := present.get(whos.get(candidate.line, ""))) is not None:
            answers.append(Answer(candidate.line, ALREADY, candidate.record, lead))
        else:
            answers.append(Answer(candidate.line, REFUSED, candidate.record, reasons=candidate.wrong or gone))
    return answers


def _enter(
    connection: Connection,
    target: Target,
    good: Sequence[Candidate],
    whos: Mapping[int, str],
    ids: Mapping[int, str],
    entry: Entry,
) -> set[str]:
    """Insert them; returns the ids of those who were new."""
    sealed = _sealed(target, good, ids)
    now = log.now()
    parameters = {
        "ids": [ids[each.line] for each in good],
        "whos": [whos[each.line] for each in good],
        "records": [each.record for each in good],
        **{
            name: [sealed[each.line][place] for each in good]
            for place, name in enumerate(("subjects", "kids", "nonces", "cts"))
        },
        "keys": [each.key for each in good],
        "lines": [each.line if entry.batch else None for each in good],
        "workflow": target.id,
        "collection": target.collection,
        "step": target.first_step,
        "by": entry.actor.id,
        "origin": entry.origin,
        "trigger": entry.trigger,
        "batch": entry.batch,
        "barred": target.barred_since(now),
        "now": now,
        "caused_by": orjson.dumps(stored(entry.caused_by or (cause_of_actor(entry.actor),))).decode(),
    }
    return {row[0] for row in connection.exec_driver_sql(_ENTER, parameters)}


def _sealed(
    target: Target, good: Sequence[Candidate], ids: Mapping[int, str]
) -> dict[int, tuple[str | None, str | None, bytes | None, bytes | None]]:
    """Line → (subject, key id, nonce, ciphertext) of the values, each under the key of whom they are about."""
    with_values = [each for each in good if each.values]
    subject_by_line = _subjects(target, with_values, ids)
    sealed: dict[int, tuple[str | None, str | None, bytes | None, bytes | None]] = {
        each.line: (None, None, None, None) for each in good
    }
    for each in with_values:
        subject = subject_by_line[each.line]
        sealed[each.line] = (
            subject,
            *subjects.seal(subject, seal_context(ids[each.line]), dict(each.values)),
        )
    return sealed


def seal_context(lead: str) -> str:
    """The place that the values of an enrolment are sealed for."""
    return f"enrolment|{lead}"


def _subjects(target: Target, candidates: Sequence[Candidate], ids: Mapping[int, str]) -> dict[int, str]:
    """Line → subject: the lead itself, or whose data the record is."""
    if not candidates:
        return {}
    if target.collection is None:
        of_lead = subjects.subjects_of(LEAD, [ids[each.line] for each in candidates])
        return {each.line: of_lead[ids[each.line]] for each in candidates}
    of_record = browse.subjects_of(
        records.collection(target.collection), [str(each.record) for each in candidates]
    )
    return {each.line: of_record[str(each.record)] for each in candidates}


def _present(
    target: Target, whos: Any, keys: Sequence[str], connection: Connection | None = None
) -> tuple[dict[str, str], dict[str | None, str], dict[str, str | None]]:
    """(who → lead of those who are in, key → lead of what was asked for before, who → batch in which they came)."""
    wanted = sorted(set(whos))
    if not wanted and not keys:
        return {}, {}, {}
    parameters = (target.id, wanted, target.id, list(keys))
    rows = (
        connection.exec_driver_sql(_PRESENT, parameters).all()
        if connection is not None
        else fetch(_PRESENT, parameters)
    )
    return (
        {row[0]: row[2] for row in rows},
        {row[1]: row[2] for row in rows if row[1] in keys},
        {row[0]: row[3] for row in rows},
    )


def _former(target: Target, whos: Any) -> set[str]:
    since = target.barred_since(log.now())
    return (
        set() if since is None else {row[0] for row in fetch(_FORMER, (target.id, sorted(set(whos)), since))}
    )


def _twice(candidate: Candidate, lead: str | None = None) -> Answer:
    reason = {"field": "record" if candidate.record is not None else "lead", "reason": TWICE}
    return Answer(candidate.line, ALREADY, candidate.record, lead, [reason])


def _too_early(target: Target, candidate: Candidate) -> Answer:
    reason = {"field": "record" if candidate.record is not None else "lead", "reason": target.again_words}
    return Answer(candidate.line, REFUSED, candidate.record, reasons=[reason])


def _note(
    connection: Connection,
    target: Target,
    entered: Sequence[Answer],
    entry: Entry,
    agreed: Mapping[int, Sequence[str]],
) -> None:
    data = {"workflow": target.id, "slug": target.slug, "origin": entry.origin}
    data |= {name: value for name, value in (("trigger", entry.trigger), ("batch", entry.batch)) if value}
    about = browse.about_records(
        target.collection, [answer.record for answer in entered if answer.record is not None]
    )
    if entry.chain is None:
        for answer in entered:
            log.note(
                entry.actor,
                "lead_enrolled",
                open=data | _of_lead(answer, agreed),
                collection=target.collection if answer.record is not None else None,
                **about.get(answer.record or "", {"record": answer.record}),
                team=target.team or None,
                label=target.label,
                connection=connection,
            )
        return
    notes = [
        log.Noted(
            data | _of_lead(answer, agreed),
            target.collection if answer.record is not None else None,
            **about.get(answer.record or "", {"record": answer.record}),
        )
        for answer in entered
    ]
    log.note_each(
        entry.actor,
        "lead_enrolled",
        notes,
        chain=entry.chain,
        team=target.team or None,
        label=target.label,
        connection=connection,
    )


def _of_lead(answer: Answer, agreed: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """What the event says of one lead: its id, and the channels to which it brought a consent."""
    return {"lead": answer.lead} | ({"consent": list(agreed[answer.line])} if answer.line in agreed else {})
