"""What the outcomes of a step are called, at one place: by the labels that the workflow gives them, else in words."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from console.core.plain_words import humanised, uncapitalised

OTHERWISE = "Otherwise"
BRANCHES = "branches"
OFFERING = ("options", "outcomes", "answers", BRANCHES)
"""Settings of a step that name its outcomes, each with a label: those that a person is offered, and those of rules."""
SENT_WORDS = {
    "sent": "Sent",
    "skipped": "Not sent",
    "expired": "Not sent: it waited too long",
    "failed": "It could not be sent",
}
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "": {"default": OTHERWISE, "error": "It failed", "next_item": "The next item follows"},
        "approval": {"expired": "Nobody decided in time"},
        "create_task": {"done": "It was done", "not_done": "It was not done"},
        "load_related": {"found": "Found", "none": "None of these"},
        "request_documents": {
            "received": "The documents are here",
            "expired": "The documents did not come in time",
        },
        "wait": {"event": "It happened", "timeout": "It did not happen in time"},
        "ai_call": {
            "skipped": "Not called",
            "expired": "Not called: it waited too long",
            "failed": "It could not be called",
        },
        **dict.fromkeys(("email", "sms", "chat_message"), SENT_WORDS),
    }
)
"""Step type → outcome → words, where the name of the outcome alone says too little; under "" those of every type."""


def labels(step: Mapping[str, Any]) -> dict[str, str]:
    """Outcome → the label that the workflow gives it, of a step of a document."""
    return {str(value): str(label) for value, label in _offered(step.get("config") or {})}


def spoken(step: Mapping[str, Any], outcome: str) -> str:
    """The same within a sentence: a label of the workflow in quotation marks."""
    own = labels(step).get(outcome)
    return f"“{own}”" if own else uncapitalised(words(step, outcome))


def words(step: Mapping[str, Any], outcome: str) -> str:
    """What the outcome of the step is called: "Approve with conditions", "The documents are here", "Not done"."""
    own = WORDS.get(str(step.get("type") or ""), {})
    return labels(step).get(outcome) or own.get(outcome) or WORDS[""].get(outcome) or humanised(outcome)


def _offered(config: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for name in OFFERING:
        options = config.get(name)
        for option in options if isinstance(options, list) else ():
            if isinstance(option, Mapping) and option.get("label"):
                value = option.get("outcome" if name == BRANCHES else "value")
                yield from [(value, option["label"])] if value is not None else []
