"""By what a delivery is known again: by an id that its sender has signed or vouches for, or by its body and the id of the event, for as long as firings are kept; by a
mere body for an hour only. Where its sender names the id is said by `id` of its signature.

An hour, because whoever gets no answer sends again within seconds or minutes, while two equal events, such as a door that was opened, may honestly lie hours apart.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from console.automation.triggers.firing import begin_promised
from console.automation.webhooks.webhook_queries import Hook, add_rejection
from console.core.actor import Actor
from console.core.errors import Invalid, Malformed
from console.core.signatures import Signature
from console.infra import subjects
from console.infra.db.engine import fetch

LONGEST = 200
SENT_AGAIN = timedelta(hours=1)
"""So long the same body without an id counts as the same delivery, from when it first came."""
AGAIN = (
    "The same body came again within an hour, without an id of the event: it counts as sent twice, and nothing was started. "
    "If these were two events, let the sender put the time or an id into the body."
)


@dataclass(frozen=True, slots=True)
class DeliveryName:
    """The name of a delivery. `by_body`: it stands for the body alone; `event` is then the id that the sender gives the event, empty where it gives none, `id_field` the field of the body that has it."""

    text: str
    by_body: bool = False
    event: str = ""
    id_field: str = ""

    def checked(self) -> "DeliveryName":
        """The same. Raises Malformed for one that is too long or cannot be printed."""
        if not (1 <= len(self.text) <= LONGEST and self.text.isprintable()):
            raise Malformed(f"An idempotency key takes 1 to {LONGEST} printable characters.")
        return self

    def numbered(self, number: int, one: bytes, body: Mapping[str, Any]) -> "DeliveryName":
        """The name of one object of a list, spelled as `one`."""
        if not self.by_body:
            return DeliveryName(f"{self.text} {number}")
        return replace(self, text=f"body {hashlib.sha256(one).hexdigest()}").of_event(body)

    def of_event(self, body: Mapping[str, Any]) -> "DeliveryName":
        """The same with the event's id in the body, where that is its place."""
        ident = body.get(self.id_field) if self.id_field else None
        return (
            replace(self, event=f"{self.id_field} {ident}")
            if ident and isinstance(ident, str | int)
            else self
        )

    def key(self, asker: str) -> str:
        """Under which the delivery of this asker is kept."""
        return subjects.digest(f"{asker}|{self.text}".encode("utf-8", "surrogatepass"), "delivery").hex()

    def fingerprint(self, body: bytes) -> bytes:
        """What has to be the same in a delivery that is sent again: the id of the event where it is known by its body, else the body."""
        return subjects.digest(
            f"event {self.event}".encode("utf-8", "surrogatepass") if self.event else body, "delivery"
        )


def name_of(how: Signature, headers: Mapping[str, str], body: bytes) -> DeliveryName:
    """The name of a delivery that is signed like this: its id where that is signed, else what is signed, with the id beside it."""
    ident = headers.get((how.id or "").lower(), "")
    if how.signs_id:
        return DeliveryName(ident)
    event = f"{(how.id or '').lower()} {ident}" if ident else ""
    return DeliveryName(
        how.identity(body),
        by_body=True,
        event=event,
        id_field=(how.id or "").removeprefix("body.") if not ident else "",
    )


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
            add_rejection(hook.row.workflow, hook.row.id, hook.row.version, AGAIN, hook)
    elif bytes(rows[0][1]) != fingerprint:
        raise Invalid(
            f"This {'delivery id' if hook.signed else 'idempotency key'} was used for another body.",
            code="idempotency_mismatch",
            at=(
                "webhook-id" if hook.signed else "X-Idempotency-Key",
                f"Take a new {'id' if hook.signed else 'key'} for another body.",
            ),
        )
    if rows[0][2] == "waiting" and begin_promised(
        rows[0][0], asker
    ):  # its process has ended in between, or it waits for its turn
        rows = fetch(_SAME, (hook.row.workflow, hook.row.id, key))
    return rows[0][0] if rows else None
