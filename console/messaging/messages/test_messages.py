"""A message to oneself, through the channel as it stands: no gate, no contact, and it says that it is a test, or a copy of a run's e-mail."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from console import log, runs
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed
from console.infra import jobs, subjects
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.log import masking
from console.messaging.messages import single_messages
from console.messaging.messages.channel_settings import state_of
from console.messaging.messages.recipients import address_of
from console.runs.views import reader_reach

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
    content = {"to": address, "subject": "Test message", "text": TEXT, "scripts": [TEXT], "answers": []}
    return _queue(actor, kind, content, {"provider": state.provider, "sandbox": state.sandbox})


def send_copy(actor: Actor, run_id: str, submission: runs.Submission) -> str:
    """Send the e-mail that the current step would send for these values to the actor's own address; its id. The run stays where it is.

    Raises as `runs.complete`, NotAllowed where the actor may not read all of it, or the run is confidential; Invalid where the step sends no e-mail.
    """
    run, wanted = runs.message_of(actor, run_id, submission)
    if wanted.channel != "email":
        raise Invalid("Only an e-mail has a copy.", at="step")
    hidden = reader_reach.kept_from(actor, run.workflow, run.version, submission.step, run=run.id)
    if actor.service or run.label is not None or masking.sent_hidden(hidden):
        raise NotAllowed("This e-mail holds what may not be sent to you.", code="not_for_you")
    state, content = state_of(wanted.channel), wanted.content
    headline = f"Copy: {content['subject']}"[: single_messages.LONGEST_SUBJECT]
    copy = {"to": actor.email, "subject": headline, "text": content["text"]}
    copy |= {"language": content["language"]} if content.get("language") else {}
    return _queue(actor, "email", copy, {"provider": state.provider, "sandbox": state.sandbox, "run": run.id})


def _queue(actor: Actor, kind: str, content: Mapping[str, Any], open_data: Mapping[str, Any]) -> str:
    message_id, now = new_id("msg"), log.now()
    subject = subjects.of_person(actor.id)
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
        log.note(actor, "message_tested", open={"channel": kind, **open_data}, connection=connection)
    return message_id
