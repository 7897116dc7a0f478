"""Sentences of events about outgoing webhooks."""

from collections.abc import Callable, Mapping

from console.formats.sentences.sentence_parts import Parts

DONE = {
    "added": "added",
    "removed": "removed",
    "on": "switched on",
    "off": "switched off",
    "secret": "gave a new secret to",
    "tested": "sent a test to",
}


def _changed(parts: Parts) -> str:
    if parts.text("change") == "sent_again":
        return "{who} had an event sent once more to an outgoing webhook"
    return f"{{who}} {DONE.get(parts.text('change'), 'changed')} an outgoing webhook"


WEBHOOKS: Mapping[str, str | Callable[[Parts], str]] = {
    "webhook_changed": _changed,
    "webhook_stopped": "{who} stopped an outgoing webhook",
}
"""Kind → template, or the function that makes one."""
