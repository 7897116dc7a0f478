"""By what a delivery is known again: by an id that its sender has signed or vouches for, or by its body and the id of the event, for as long as firings are kept; by a
mere body for an hour only.

An hour, because whoever gets no answer sends again within seconds or minutes, while two equal events, such as a door that was opened, may honestly lie hours apart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from console import subjects
from console.automation.firing import begin_promised
from console.automation.found_hooks import Hook, note_away
from console.core.actor import Actor
from console.db.engine import fetch
from console.errors import Invalid, Malformed

LONGEST = 200
SENT_AGAIN = timedelta(hours=1)
"""So long the same body without an id counts as the same delivery, from when it first came."""
HEADERS = (
    "x-github-delivery", "x-shopify-event-id", "x-shopify-webhook-id", "x-gitlab-event-uuid", "x-wc-webhook-delivery-id", "i-twilio-idempotency-token",
    "x-atlassian-webhook-identifier", "idempotency-key", "x-idempotency-key", "x-event-id", "x-delivery-id", "x-webhook-id",
)  # fmt: skip
"""Headers in which senders name the event: the same body under another id is another event, as a stock that is empty again."""
FIELDS = ("event_id", "eventId", "sg_event_id", "messageId", "webhookEventId", "notificationId", "notification_id", "delivery_id")
"""Names in a body of what is an event's id everywhere. A mere `id` may be that of a door."""
OF_EVENTS = ("evt_", "Ev")
"""How an `id` begins that is an event's, as Stripe and Paddle have it."""
AGAIN = (
    "The same body came again within an hour, without an id of the event: it counts as sent twice, and nothing was started. "
    "If these were two events, let the sender put the time or an id into the body."
)


@dataclass(frozen=True, slots=True)
class DeliveryName:
    """The name of a delivery. `by_body`: it stands for the body alone; `event` is then the id that the sender gives the event, empty where it gives none."""

    text: str
    by_body: bool = False
    event: str = ""

    def checked(self) -> "DeliveryName":
        """The same. Raises Malformed for one that is too long or cannot be printed."""
        if not (1 <= len(self.text) <= LONGEST and self.text.isprintable()):
            raise Malformed(f"An idempotency key takes 1 to {LONGEST} printable characters.")
        return self

    def numbered(self, number: int, one: bytes, body: Mapping[str, Any]) -> "DeliveryName":
        """The name of one object of a list, spelled as `one`."""
        if not self.by_body:
            return DeliveryName(f"{self.text} {number}")
        return DeliveryName(f"body {hashlib.sha256(one).hexdigest()}", by_body=True, event=self.event).of_event(body)

    def of_event(self, body: Mapping[str, Any]) -> "DeliveryName":
        """The same with the event's id in the body, where no header has one."""
        return replace(self, event=self.event or _event_of(body)) if self.by_body else self

    def key(self, asker: str) -> str:
        """Under which the delivery of this asker is kept."""
        return subjects.digest(f"{asker}|{self.text}".encode("utf-8", "surrogatepass"), "delivery").hex()

    def fingerprint(self, body: bytes) -> bytes:
        """What has to be the same in a delivery that is sent again: the id of the event where it is known by its body, else the body."""
        return subjects.digest(f"event {self.event}".encode("utf-8", "surrogatepass") if self.event else body, "delivery")


def by_body(text: str, headers: Mapping[str, str]) -> DeliveryName:
    """The name of a signed delivery whose sender signs no id."""
    return DeliveryName(text, by_body=True, event=next((f"{name} {headers[name]}" for name in HEADERS if headers.get(name)), ""))


def _event_of(body: Mapping[str, Any]) -> str:
    named: Sequence[tuple[str, Any]] = [(name, body[name]) for name in FIELDS if name in body]
    told = next((f"{name} {value}" for name, value in named if value and isinstance(value, str | int)), "")
    ident = body.get("id")
    return told or (f"id {ident}" if isinstance(ident, str) and ident.startswith(OF_EVENTS) else "")


_LAST = """
select run, status, key, at > clock_timestamp() - %s, extract(epoch from at)::numeric::text from console.firing
where workflow = %s and trigger = %s and key >= %s and key < %s order by at desc, key desc limit 1
"""
_NAMED = "select key from console.firing where workflow = %s and trigger = %s and key >= %s and key < %s and sent = %s limit 1"
_SAME = "select run, sent, status from console.firing where workflow = %s and trigger = %s and key = %s"


def newest_key(hook: Hook, name: DeliveryName, key: str, fingerprint: bytes) -> str:
    """The key under which a delivery is kept that is known by its body: that of the one with this body and the same id of the event; without an id, of the last
    one while this counts as sent again. Else the next.
    """
    if not name.by_body:
        return key
    about = (hook.row.workflow, hook.row.id, key, f"{key}z")
    if name.event:
        found = fetch(_NAMED, (*about, fingerprint))
        return str(found[0][0]) if found else f"{key}e{fingerprint.hex()[:40]}"
    rows = fetch(_LAST, (SENT_AGAIN, *about))
    if not rows:
        return key
    run, status, last, lately, at = rows[0]
    return str(last) if run is None or lately or status == "waiting" else f"{key}{at.replace('.', ''):0>20}"


def before(hook: Hook, name: DeliveryName, key: str, fingerprint: bytes, asker: Actor | None) -> str | None:
    """The run that an earlier delivery under this key, of the same `asker`, has started; None where it was refused. Raises Invalid where its body was another one."""
    rows = fetch(_SAME, (hook.row.workflow, hook.row.id, key))
    if not rows or rows[0][0] is None:
        return None
    if name.by_body:
        if not name.event:
            note_away(hook.row.workflow, hook.row.id, hook.row.version, AGAIN, hook)
    elif bytes(rows[0][1]) != fingerprint:
        raise Invalid(
            f"This {'delivery id' if hook.signed else 'idempotency key'} was used for another body.",
            code="idempotency_mismatch",
            at=("webhook-id" if hook.signed else "X-Idempotency-Key", f"Take a new {'id' if hook.signed else 'key'} for another body."),
        )
    if rows[0][2] == "waiting" and begin_promised(rows[0][0], asker):  # its process has ended in between, or it waits for its turn
        rows = fetch(_SAME, (hook.row.workflow, hook.row.id, key))
    return rows[0][0] if rows else None
