"""Sentences of events about messages to people outside, and what they agree to."""

from collections.abc import Callable, Mapping

from console.core.contact_consents import BY_RECORD
from console.core.contacting import WORDS
from console.core.message_codes import within_a_sentence
from console.formats.sentences.sentence_parts import Parts, after, escape_braces

KINDS = {"sms": "An SMS", "email": "An e-mail", "call": "A call", "chat": "A chat message"}


def _message(words: str) -> Callable[[Parts], str]:
    return lambda parts: KINDS.get(parts.text("channel"), "A message") + words


ASKED = {"sms": "an SMS", "email": "an e-mail", "call": "a call", "chat": "a chat message"}
ENDS = {
    "answered": "was answered",
    "no_answer": "was not answered",
    "voicemail": "met a voicemail",
    "busy": "met a busy line",
}


def _call_ended(parts: Parts) -> str:
    if parts.text("outcome") == "failed":
        return "A call could not be made{on_record}"
    answer = ", with an answer that its step does not know" if parts.open.get("unknown_label") else ""
    return f"A call {ENDS.get(parts.text('outcome'), 'ended')}{{on_record}}{answer}"


def _outcome_chosen(parts: Parts) -> str:
    channel, outcome = parts.text("channel"), parts.text("outcome")
    failed = "could not be made" if channel == "call" else "did not arrive"
    ended = {**ENDS, "failed": failed, "delivered": "arrived", "opened": "was opened"}.get(outcome, "ended")
    return f"{{who}} chose in the sandbox that {ASKED.get(channel, 'a message')} {ended}{{on_record}}"


def _unsent(words: str) -> Callable[[Parts], str]:
    def template(parts: Parts) -> str:
        why = within_a_sentence(parts.text("code"), parts.text("channel"))
        return _message(f"{words}{{on_record}}" + (escape_braces(f": {why}") if why else "{why}"))(parts)

    return template


def _message_failed(parts: Parts) -> str:
    late = parts.text("code") == "not_delivered"
    return (
        _message(" left{on_record}, but did not arrive")(parts)
        if late
        else _unsent(" could not be sent")(parts)
    )


def _channels(parts: Parts) -> str:
    return escape_braces(
        after(
            " to ",
            " and ".join(
                ", ".join(WORDS.get(each, each) for each in parts.listed("channels")).rsplit(", ", 1)
            ),
        )
    )


def _consent_withdrawn(parts: Parts) -> str:
    about = "onsent" + _channels(parts)
    if parts.text("source") in ("told us", BY_RECORD) or parts.text("source").startswith("file "):
        return "{who} noted that c" + about + " is withdrawn{on_record}"
    return "C" + about + " was withdrawn{on_record}"


MESSAGES: Mapping[str, str | Callable[[Parts], str]] = {
    "message_asked": lambda parts: (
        "{who} asked for " + ASKED.get(parts.text("channel"), "a message") + "{on_record}"
    ),
    "message_requested": lambda parts: (
        "{who} asked for " + ASKED.get(parts.text("channel"), "a message") + "{on_record}"
    ),
    "message_sent": lambda parts: (
        "A call was placed{on_record}"
        if parts.text("channel") == "call"
        else _message(" left{on_record}")(parts)
    ),
    "message_skipped": _unsent(" was not sent"),
    "message_failed": _message_failed,
    "message_arrived": _message(" arrived after all{on_record}"),
    "message_opened": _message(" was opened{on_record}"),
    "message_received": lambda parts: _message(
        " came in{on_record}" + (": it asks for no more" if parts.open.get("stop") else "")
    )(parts),
    "message_outcome_chosen": _outcome_chosen,
    "messages_put_aside": "{who} put messages of unknown senders aside",
    "message_tested": "{who} sent a test message",
    "call_ended": _call_ended,
    "consent_given": lambda parts: "{who} noted consent" + _channels(parts) + "{on_record}",
    "consent_withdrawn": _consent_withdrawn,
}
"""Kind → a template, or the function that makes one."""
