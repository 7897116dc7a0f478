"""Webhooks: addresses that start runs. The address alone opens nothing: a key says who asks, or a signature that the sender knows the secret.

Order of checks: 404 off, 400 an address that was replaced or never existed, 401, 415, 413, 403, 400 the body, 422, 409, 202.
"""

import functools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console import log, runs, workflows
from console.auth import access
from console.automation import enrolments
from console.automation.triggers import record_lookup
from console.automation.triggers.firing import looping, note_started, note_stopped, start_key, take_in
from console.automation.triggers.refused_firings import words_of
from console.automation.triggers.trigger_events import TriggerEvent
from console.automation.triggers.trigger_expressions import (
    document_of,
    evaluate_filter,
    house_roots,
    read_inputs,
    record_of_event,
)
from console.automation.webhooks import (
    bodies as sent_bodies,
    delivery_names,
    hook_addresses,
    senders,
    stored_deliveries,
    webhook_queries,
)
from console.automation.webhooks.bodies import FORM
from console.automation.webhooks.delivery_names import DeliveryName
from console.automation.webhooks.field_values import coerce_to_field_types
from console.automation.webhooks.webhook_queries import Hook, Off, OldAddress
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound
from console.core.run.causes import Cause, Causes
from console.core.run.origin import RecordRef, StartedBy
from console.core.signatures import NO_MATCH, TOO_NEW, TOO_OLD, Signature
from console.infra import jobs, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import id_at, new_id
from console.runs.engine.run_causes import Place, causes_passed_on

if TYPE_CHECKING:
    from standardwebhooks import Webhook

__all__ = [
    "FORM",
    "Delivery",
    "Hook",
    "Moved",
    "NotVerified",
    "Off",
    "OldAddress",
    "Taken",
    "find",
    "receive",
    "record_rejection",
    "record_unreadable",
]
KIND = "webhook"
LARGEST = 1024 * 1024
TOO_LARGE = "The body is larger than 1 MB."
MOST_UNUSED, LONGEST_NAME = 20, 60
SIGNATURE = "webhook-signature"
STANDARD = ("webhook-id", "webhook-timestamp", SIGNATURE)
NO_RECORD = "There is no such record, or whoever starts the workflow may not see it. Nothing was started."
UNSIGNED = (
    f"There is no signature that this webhook takes: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature), or that of {senders.NAMES}. "
    "For another sender that signs by HMAC, say how under “signature” of the trigger in the text of the workflow, and publish."
)
WAY_OUT = " For a sender that does not sign, make a webhook with a key, or let Zapier, Make or a program of yours take what it sends, and send it on with a key."
PUBLIC_KEY = "What is kept as the secret is a public key of SendGrid, whose signatures are not taken any more: everybody may know it. Make a new secret on the page of the triggers."
NO_KEY_HERE = (
    " A key opens nothing here: for one, make a webhook without “Signed by the sender” in the editor."
)
UNREADABLE = {
    "Missing required headers": "Of webhook-id, webhook-timestamp and webhook-signature one is missing or empty.",
    "Invalid Signature Headers": "The header webhook-timestamp is no time in seconds since 1970.",
}
"""What the library says of headers that it cannot read, in our words."""
WAYS_OUT = {
    NO_MATCH: " Enter the sender's own secret on the page of the triggers; if it is there, something has changed the body on the way.",
    TOO_OLD: " It was signed more than five minutes ago: an old delivery that was sent again, or a sender whose clock is behind.",
    TOO_NEW: " The sender's clock is more than five minutes ahead.",
}
"""What to do about a signature that does not fit, behind why it does not."""
SENT_WITHIN = timedelta(minutes=5)
"""A delivery that comes so soon after a run has sent it counts as the run's."""


class NotVerified(ConsoleError):
    """The sender of a webhook could not be verified; nothing was started."""

    status = 401
    default_code = "not_verified"


class TooLarge(ConsoleError):
    """The body is larger than a webhook takes; nothing was started."""

    status = 413
    default_code = "too_large"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was sent: the raw body, and the headers by small letters. `sender` is the owner of the key, None without a key that opens something.

    `address` gives where it was sent to, as the sender has it; `form`: it is a form, no JSON; `client_ip` is where it came from.
    """

    body: bytes
    headers: Mapping[str, str]
    sender: Actor | None = None
    address: Callable[[], str] = str
    form: bool = False
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The run that a delivery has started; None where the filter did not let it pass. `duplicate`: an earlier delivery has started it.

    `unused` are names of values, sent by who signs by Standard Webhooks, that the start does not ask for: one of them may be misspelt.
    `each` is what came of the objects of a list, in their order. `challenge`: nothing was to be started, the sender wants this back. `reply`: (text, media type)
    that the sender of a form wants in place of the run.
    """

    run: str | None
    duplicate: bool = False
    unused: Sequence[str] = ()
    each: "Sequence[Taken | ConsoleError] | None" = None
    challenge: Mapping[str, str] | None = None
    reply: tuple[str, str] | None = None


class Moved(Conflict):
    """The webhook was changed at the moment when the delivery came, and nothing was started. Send it again."""

    default_code = "webhook_changed"


def find(token: str) -> Hook:
    """The webhook of this address. Raises Off, and OldAddress for one that was replaced or never existed."""
    return webhook_queries.find(token)


# --------------------------------------------------------------------------------------------------------------- delivery


def receive(hook: Hook, delivery: Delivery) -> Taken:
    """Start the run that a delivery asks for.

    Raises Moved, NotVerified, Malformed, NotAllowed, Invalid (`input.…`; `idempotency_mismatch`), Conflict (`run_is_live` with `run_id`), what a start raises.
    """
    try:
        named = verify(hook, delivery)
        if (
            not hook.signed and delivery.sender is not None
        ):  # before the body, whose words are kept for whoever wonders
            definition = workflows.live(hook.row.workflow)
            access.require(
                delivery.sender,
                definition.document.team or "",
                f"{workflows.OBJECT}:{definition.slug}",
                "start",
            )
        how, known = _signature_of(hook, delivery)
        bodies, listed = sent_bodies.objects_in(
            delivery.body,
            form=delivery.form,
            fields=known is None or known.reply is not None,
            as_json=how is None or "{form}" not in how.signed,
        )
        if known is not None and (back := known.challenge(delivery.headers, bodies[0])) is not None:
            record_unreadable(
                hook,
                f"{known.name} asked whether somebody is there. It was answered, and nothing was started.",
            )
            return Taken(None, challenge=back)
        stored_deliveries.require_room(hook.row.workflow)
        key = named and named.checked()
    except ConsoleError as error:
        record_rejection(hook, error)
        raise
    if not listed:
        taken = _started(hook, delivery, bodies[0], key and key.of_event(bodies[0]))
        return replace(taken, reply=known.reply) if known is not None and delivery.form else taken
    return Taken(None, each=_each_started(hook, delivery, bodies, key))


def _each_started(
    hook: Hook, delivery: Delivery, bodies: Sequence[Mapping[str, Any]], named: DeliveryName | None
) -> list[Taken | ConsoleError]:
    """What came of each object of a list: one that is refused keeps no other out. Sent again, it finds the runs of those that were started. Raises where all were refused."""
    answers: list[Taken | ConsoleError] = []
    for number, body in enumerate(bodies):
        one = sent_bodies.spelled(body)
        try:
            answers.append(
                _started(hook, replace(delivery, body=one), body, named and named.numbered(number, one, body))
            )
        except ConsoleError as error:
            answers.append(error)
    refused = [each for each in answers if isinstance(each, ConsoleError)]
    if len(refused) == len(answers):
        raise refused[0]
    return answers


def signed_instead(hook: Hook, headers: Mapping[str, str]) -> str:
    """What to do about a delivery without a key whose sender signs; empty where it does not."""
    sender = senders.sender_of(headers)
    way = sender.signature.header if sender is not None else SIGNATURE if SIGNATURE in headers else ""
    if not way:
        return ""
    return (
        f"The webhook {hook.row.id} takes a key, and this is signed ({way}). In the editor of the workflow, switch “Signed by the sender” on and publish; "
        "then enter the sender's secret on the page of the triggers. Or let the sender send the header Authorization: Bearer with a key."
    )


def record_rejection(hook: Hook, error: ConsoleError) -> None:
    """Write down among the firings that a sender was turned away, for whoever wonders why nothing began."""
    record_unreadable(hook, WHY_AWAY.get(error.code) or words_of(error))


def record_unreadable(hook: Hook, why: str) -> None:
    """The same of a delivery that could not be read, or whose run could not begin."""
    webhook_queries.add_rejection(hook.row.workflow, hook.row.id, hook.row.version, why, hook)


def verify(hook: Hook, delivery: Delivery) -> DeliveryName | None:
    """The name by which the delivery is known again; None: it has none. Where its id is not signed it is known by its body, too.

    Raises NotVerified where a signature is missing, wrong or more than five minutes old, or there is no key that opens something.
    Raises Malformed for a body of bytes that are no text: what is signed by Standard Webhooks is text.
    """
    headers = delivery.headers
    if not hook.signed:
        if delivery.sender is None:
            raise NotVerified("Send the header Authorization: Bearer with a key that may start the workflow.")
        return next(
            (
                DeliveryName(headers[name])
                for name in ("x-idempotency-key", "idempotency-key")
                if name in headers
            ),
            None,
        )
    from standardwebhooks import WebhookVerificationError  # of those who need it: most processes never do

    secret = _secret(hook)
    how, _ = _signature_of(hook, delivery)
    if how is not None:
        url = delivery.address() if "{url}" in how.signed else ""
        if how.header.lower() not in headers:
            raise NotVerified(
                f"The header {how.header} is missing, which has to sign what this webhook takes."
            )
        if wrong := how.mismatch(secret, headers, delivery.body, log.now(), url=url, form=delivery.form):
            raise NotVerified(f"The signature does not fit: {wrong}.{WAYS_OUT.get(wrong, '')}")
        return delivery_names.name_of(how, headers, delivery.body)
    if not _standard(headers):
        raise NotVerified(f"{UNSIGNED}{NO_KEY_HERE if 'authorization' in headers else WAY_OUT}")
    if odd := [name for name in STANDARD if not headers.get(name, "").isascii()]:
        raise NotVerified(
            f"The header {odd[0]} has characters beyond ASCII, which do not come through as they were signed."
        )
    _require_text(delivery.body)
    try:
        _verifier(secret).verify(
            delivery.body, {name: headers[name] for name in STANDARD if name in headers}, json_parse=False
        )
    except (WebhookVerificationError, ValueError, TypeError) as error:
        reason = (
            str(error)
            if isinstance(error, WebhookVerificationError)
            else "the body or the signature cannot be read"
        )
        reason = f"{reason[:1].lower()}{reason[1:]}" if reason not in UNREADABLE else reason
        words = UNREADABLE.get(reason) or f"The signature does not fit: {reason}.{WAYS_OUT.get(reason, '')}"
        raise NotVerified(words) from None
    return DeliveryName(headers["webhook-id"]) if "webhook-id" in headers else None


@functools.lru_cache(maxsize=64)
def _verifier(secret: str) -> "Webhook":
    from standardwebhooks import Webhook

    return Webhook(secret)


def _standard(headers: Mapping[str, str]) -> bool:
    """Whether a delivery is signed by Standard Webhooks; others name a header of theirs alike."""
    return SIGNATURE in headers and ("webhook-id" in headers or "webhook-timestamp" in headers)


def _signature_of(hook: Hook, delivery: Delivery) -> tuple[Signature | None, senders.Sender | None]:
    """(how a delivery has to be signed, who of the table signs like this); None twice for a key, for Standard Webhooks and for nobody who is known."""
    if not hook.signed or hook.row.definition.signature is not None:
        return (hook.row.definition.signature if hook.signed else None), None
    known = senders.sender_of(delivery.headers) if not _standard(delivery.headers) else None
    return (known.signature if known is not None else None), known


def _secret(hook: Hook) -> str:
    """The secret of a signed webhook. Raises NotVerified where it has none yet, or what an earlier release took for one."""
    if hook.secret is None:
        raise NotVerified("This webhook has no secret yet: make one on the page of the workflow's triggers.")
    secret = _opened(hook.row.workflow, hook.row.id, hook.secret, subjects.master_id())
    if hook_addresses.is_public_key(secret):
        raise NotVerified(PUBLIC_KEY)
    return secret


@functools.lru_cache(maxsize=64)
def _opened(workflow_id: str, trigger: str, secret: bytes, _master_id: str) -> str:
    return hook_addresses.open_token(workflow_id, trigger, "secret", secret)


def _require_text(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise Malformed(
            "The body is not in UTF-8, so its signature cannot be checked: nothing was started."
        ) from None


WHY_AWAY = {
    "not_signed_in": "The sender's key is missing or unknown. Where a sender takes only an address, the key is its password, as in https://key:cns_…@ before the rest of it.",
    "not_allowed": "The owner of the sender's key may not start this workflow.",
    "narrowed_key": "The sender's key is not made for this.",
}
_PASSED = "update console.trigger set passed = passed + 1 where workflow = %s and id = %s returning 1"


def _started(hook: Hook, delivery: Delivery, body: Mapping[str, Any], named: DeliveryName | None) -> Taken:
    """Start the run, or find the one that the same delivery has started."""
    row = hook.row
    fingerprint = (
        subjects.digest(delivery.body, "delivery") if named is None else named.fingerprint(delivery.body)
    )
    who = "" if hook.signed or delivery.sender is None else delivery.sender.session
    ident = new_id("fir")
    key = ident if named is None else delivery_names.newest_key(hook, named, named.key(who), fingerprint)
    document = document_of(row)
    looks = document.collection is not None or enrolments.judges_entries(
        document
    )  # else writing it down says as much
    identity = None if hook.signed else delivery.sender
    if (
        named is not None
        and (looks or named.by_body)
        and (before := _before(hook, named, key, fingerprint, identity)) is not None
    ):
        return before
    reads = row.definition.filter or row.definition.input or row.definition.record
    roots = {**(house_roots(row, log.now()) if reads else {}), "input": body}
    passed = evaluate_filter(row, roots)
    if passed is None:
        fetch(_PASSED, (row.workflow, row.id))
        return Taken(None)
    try:
        record, values = _about(
            hook,
            delivery,
            body,
            passed.found if row.definition.find_by is not None else passed.record,
            passed.values,
        )
    except ConsoleError as error:
        record_unreadable(hook, error.message)  # what its details say of the record stands in it
        raise
    causes, unused = _caused_by(hook, delivery), _unused(hook, delivery, body, values)
    occasion = TriggerEvent(
        ident, log.now(), {"on": KIND, "id": ident, "at": log.body.moment(log.now())}, record, values, causes
    )
    if (why := looping(row.workflow, occasion)) is not None:
        with transaction() as connection:
            halted = take_in(connection, row, [occasion])
        note_stopped(row, halted)
        raise Conflict(why, code="loop")
    why = f"Sent, and not asked for by the start: {', '.join(unused)}." if unused else None
    try:
        run_id = _run_of(hook, occasion, key, fingerprint, identity, why)
    except NotFound:
        gone = Invalid(NO_RECORD, at=("record", "Send the key of a record that is there."))
        record_unreadable(hook, gone.message)
        raise gone from None
    except ConsoleError as error:
        error.message = error.message.replace("Nothing was saved", "Nothing was started")
        record_unreadable(hook, words_of(error))  # without its record: what was sent as one may be anything
        raise
    if run_id is not None:
        return Taken(run_id, unused=unused)
    if named is None or (before := _before(hook, named, key, fingerprint, identity)) is None:
        raise Moved("The webhook was changed at this moment, and nothing was started. Send it again.")
    return before


_SENT = "select run, n from console.effect where id > %s and kind = 'http' and request->>'key' = %s limit 1"


def _caused_by(hook: Hook, delivery: Delivery) -> Causes:
    """The delivery itself, with the key that it came with; behind it the run of this console that has sent it under the key of an effect."""
    address = delivery.client_ip or None
    own = Cause(
        "delivery", trigger=hook.row.id, address=address, signed=hook.signed, workflow=hook.row.workflow
    )
    if delivery.sender is not None and not hook.signed:
        own = replace(own, person=delivery.sender.id, key=delivery.sender.key_id)
    named = {
        delivery.headers[name]
        for name in ("idempotency-key", "x-idempotency-key")
        if name in delivery.headers
    }
    for key in sorted(name for name in named if re.fullmatch(r"[0-9a-f]{32}", name)):
        for run_id, n in fetch(_SENT, (id_at("eff", log.now() - SENT_WITHIN), key)):
            return (own, *causes_passed_on([Place(run_id, n=n)])[0])
    return (own,)


def _run_of(
    hook: Hook, occasion: TriggerEvent, key: str, sent: bytes, asker: Actor | None, why: str | None
) -> str | None:
    """The run that is started, or will be; None where an earlier delivery has this key. Where the document says how one leaves the workflow or comes again,
    it has its place there. Raises what a start raises.
    """
    row, record, run_id = hook.row, occasion.record, new_id("run")
    definition = workflows.version(row.workflow, hook.live)
    document = definition.document
    start: dict[str, Any] = {
        "by": StartedBy(row.id, KIND, occasion.event, occasion.caused_by),
        "record": record,
        "values": occasion.values,
        "key": start_key(row.id, key),
        "identity": asker,
    }
    account = asker if asker is not None and document.run_as is None else None
    paused = jobs.paused()
    if (
        not paused
        and enrolments.judges_entries(document)
        and (record is not None or document.collection is None)
    ):
        run_id = enrolments.enrol_at_once(row.workflow, **start)
        return (
            run_id if stored_deliveries.keep(hook, occasion, key, run_id, sent, why=why, done=True) else None
        )

    settings = document.settings
    later = (
        paused
        or stored_deliveries.is_burst()
        or settings.per_minute is not None
        or settings.per_day is not None
    )  # a worker keeps the pace
    stored_deliveries.lately.append(time.monotonic())
    if paused or (later and document.run_as is not None):
        if account is None:
            exclusive = stored_deliveries.ready_lately(definition).check(record, occasion.values, asker)
        else:
            exclusive = runs.check_hands_off(
                account, definition, record=record, values=occasion.values, asker=None
            )
        first = stored_deliveries.keep(
            hook, occasion, key, run_id, sent, why=why, exclusive=exclusive, later=True
        )
        return run_id if first else None
    if not stored_deliveries.keep(hook, occasion, key, run_id, sent, why=why):
        account = account or runs.account_of(definition)
        runs.check_hands_off(
            account, definition, record=record, values=occasion.values, asker=asker, alone=True
        )
        return None
    try:
        run_id = runs.start_hands_off(row.workflow, **start, run_id=run_id)
    except ConsoleError:
        stored_deliveries.discard(occasion.key)
        raise
    note_started([(occasion.key, run_id)])
    return run_id


def _before(
    hook: Hook, named: DeliveryName, key: str, fingerprint: bytes, asker: Actor | None
) -> Taken | None:
    """What an earlier delivery under this key, of the same `asker`, has started; None where it was refused. Raises Invalid where its body was another one."""
    try:
        run_id = delivery_names.before(hook, named, key, fingerprint, asker)
    except Invalid as other_body:
        record_rejection(hook, other_body)
        raise
    return Taken(run_id, duplicate=True) if run_id is not None else None


def _about(
    hook: Hook, delivery: Delivery, body: Mapping[str, Any], named: Any, values: Mapping[str, Any]
) -> tuple[RecordRef | None, dict[str, Any]]:
    """(the record, the input) of the run: as the trigger says, else `record` and the rest of the body.

    What the sender tells only for the filter or the record, and the start does not ask for, is no input. Raises Invalid where no record, or several, are found by a field.
    """
    row, document = hook.row, document_of(hook.row)
    collection, given = (
        document.collection,
        coerce_to_field_types(document, values if row.definition.input else body, row.zone),
    )
    asked = {entry["name"] for entry in document.start.config.get("fields", ())}
    own_words = (
        hook.signed and not row.definition.input
    )  # whoever signs writes what they like: of that only what is asked for counts
    for name in (
        (set(given) if own_words else read_inputs(row.definition))
        - asked
        - ({"record"} if own_words and collection else set())
    ):
        given.pop(name, None)
    if collection is None:
        return None, given
    key = body.get("record") if row.definition.record is None else named
    if row.definition.record is None and not row.definition.input:
        given.pop("record", None)
    if row.definition.find_by is not None:
        actor = (
            delivery.sender
            if delivery.sender is not None and not hook.signed
            else runs.account_of(workflows.live(row.workflow))
        )
        scope = access.scope_for(actor, collection, "read")
        return record_lookup.find_record(actor, collection, scope, row.definition.find_by, key), given
    if row.definition.record is not None:
        return record_of_event(row, named), given
    usable = isinstance(key, str | int) and not isinstance(key, bool) and "\x00" not in str(key)
    return RecordRef(collection, str(key)) if usable else None, given


def _unused(hook: Hook, delivery: Delivery, body: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Names in the body of one's own program that nothing asks for, as far as they are fit to be shown. Other services write what they like."""
    definition = hook.row.definition
    if (
        not hook.signed
        or definition.signature
        or not _standard(delivery.headers)
        or definition.input
        or definition.filter
    ):
        return []
    read = {*values, *read_inputs(definition)} | ({"record"} if document_of(hook.row).collection else set())
    return [name for name in body if name not in read and name.isprintable() and len(name) <= LONGEST_NAME][
        :MOST_UNUSED
    ]
