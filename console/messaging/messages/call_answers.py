"""What is kept of a call that ended: how the provider tells it, and that its answer is none that the step knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.core.contacting import label_among
from console.core.plain_words import one_line
from console.messaging.channels.base import Handed
from console.messaging.messages import recipients
from console.messaging.messages.message_rows import Message

LONGEST_LABEL = 100
NOT_MADE = "The provider could not make the call."


def result_of(message: Message, handed: Handed, now: datetime) -> dict[str, Any]:
    """What is sealed of the call. `reason` is why it failed, or that its answer is unknown."""
    failed = NOT_MADE if handed.outcome == "failed" else ""
    return {
        "label": handed.label,
        "transcript": handed.transcript,
        "recording": handed.recording,
        "reason": handed.reason or failed or unknown_answer(message, handed),
        "call_back_at": recipients.call_back_at(message, handed, now)
        if handed.outcome == "answered"
        else None,
    }


def unknown_answer(message: Message, handed: Handed) -> str:
    """The label of an answer that the step does not know, in a sentence; empty where it knows it, or asks for none."""
    asked_for: Sequence[str] = (message.content or {}).get("answers") or ()
    if handed.outcome != "answered" or not handed.label.strip() or not asked_for:
        return ""
    if label_among(handed.label, (*asked_for, *message.outcomes)) is not None:
        return ""
    known = ", ".join(each.replace("_", " ") for each in asked_for)
    return f"The provider says “{one_line(handed.label, LONGEST_LABEL)}”, which is none of the answers of the step ({known}): the run goes on as for any other answer."
