"""A test message to oneself, through the channel as it stands: no gate, no contact, and it says that it is a test."""

import sqlalchemy as sa

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra import jobs, subjects
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.messaging.messages.channel_settings import state_of
from console.messaging.messages.recipients import address_of

TEXT = (
    "This is a test message from Handrail. Somebody sent it to themselves to see whether the channel works."
)
_ADD = sa.text(
    "insert into console.message (id, key, channel, direction, status, asked_at, due_at, at, subject, kid, nonce, ct) "
    "values (:id, :id, :channel, 'out', 'waiting', :at, :at, :at, :subject, :kid, :nonce, :ct)"
)


def send_test(actor: Actor, kind: str, to: str) -> str:
    """Ask for a test message to this address; its id. Raises NotAllowed, NotFound, Invalid on `to`."""
    access.require(actor, None, "source", "manage")
    state = state_of(kind)
    address, why = address_of(kind, to, None)
    if why:
        raise Invalid(why, at="to")
    message_id, now = new_id("msg"), log.now()
    subject = subjects.of_person(actor.id)
    content = {"to": address, "subject": "Test message", "text": TEXT, "scripts": [TEXT], "answers": []}
    kid, nonce, ct = subjects.seal(subject, f"message|{message_id}", content)
    with transaction() as connection:
        connection.execute(
            _ADD,
            {
                "id": message_id,
                "channel": kind,
                "at": now,
                "subject": subject,
                "kid": kid,
                "nonce": nonce,
                "ct": ct,
            },
        )
        job = jobs.send(message_id, kind)
        jobs.enqueue(connection, job.entrypoint, job.payload, dedupe_key=job.key)
        data = {"channel": kind, "provider": state.provider, "sandbox": state.sandbox}
        log.note(actor, "message_tested", open=data, connection=connection)
    return message_id
