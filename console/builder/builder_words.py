"""What a person is told where the builder has no answer."""

from console.ai.types import Code
from console.proposals import absence_words
from console.proposals.options import Current
from console.workflows import Draft

BY_HAND = "Change the draft by hand"
OWN: dict[str, str] = {
    "malformed": f"What the model answered could not be read, so nothing of it was used. {BY_HAND}, or say it in other words.",
    "not_in_form": f"What the model answered was no change of a workflow, so nothing of it was used. {BY_HAND}, or say it in other words.",
    "internal_error": f"Something went wrong here while this was worked on. {BY_HAND}, or try again.",
    "timeout": f"There was no answer in {{seconds:g}} s. {BY_HAND}, or ask for less at once.",
}


def absence(code: Code, seconds: float) -> str:
    """Why there is no answer, and what to do; `seconds` is how long it might have taken."""
    if code in OWN:
        return OWN[code].format(seconds=seconds)
    return _by_hand(absence_words.message(code, seconds))


def over(budget: str) -> str:
    """Which budget is used up."""
    return _by_hand(absence_words.over(budget))


def off(current: Current, draft: Draft) -> tuple[Code, str] | None:
    """The code and the sentence if no model can be asked: the AI is off, or there is no model."""
    why = current.off(draft.document.get("collection"), draft.slug)
    if why is not None:
        return "no_key", _by_hand(absence_words.off(why))
    return ("no_key", absence("no_key", 0)) if current.chosen("build").rules else None


def _by_hand(text: str) -> str:
    return text.replace(absence_words.BY_HAND, BY_HAND)
