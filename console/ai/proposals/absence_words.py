"""Messages for steps without a proposal: what happened, and what people can do."""

from collections.abc import Mapping
from types import MappingProxyType

from console.ai.proposals.budget import Over
from console.core.proposal_types import Code

BY_HAND = "Fill in the form by hand"
NOT_CONFIGURED = (
    f"AI is not configured. {BY_HAND}; an administrator can choose a provider under Settings, AI."
)
RULES_LOOK_ONCE = "Rules propose what is certain, and do not look at it again."
NOTHING_ASKED = f"Nothing of this form may be proposed. {BY_HAND}."

UNREAD = f"The documents were not read in time. {BY_HAND}, or try again in a moment."

_AGAIN = f"{BY_HAND}, or try again"
_ADMIN = f"It stays so until an administrator mends it under Settings, AI. {BY_HAND}"

MESSAGES: Mapping[Code, str] = MappingProxyType(
    {
        "no_key": NOT_CONFIGURED,
        "timeout": f"The model did not answer in {{seconds}} s. {_AGAIN}.",
        "rate_limited": f"The model is being asked more often than its provider allows. {_AGAIN} in a minute.",
        "overloaded": f"The model's provider is overloaded or out of order. {_AGAIN} in a minute.",
        "auth": f"The model's provider does not accept our key. {_ADMIN}.",
        "billing": f"The account with the model's provider cannot pay for this. It stays so until an administrator settles it with the provider. {BY_HAND}.",
        "bad_request": f"The model's provider could not take this request: it may be too long, or ask for what the model cannot do. {BY_HAND}.",
        "model_not_found": f"The model's provider does not know the model, or nothing is at its address. {_ADMIN}.",
        "refused": f"The model refused to answer. {_AGAIN}.",
        "truncated": f"The answer was cut off before its end, so nothing of it was used. {_AGAIN}.",
        "malformed": f"The answer could not be read, so nothing of it was used. {_AGAIN}.",
        "not_in_form": f"The answer did not fit this form, so nothing of it was used. {_AGAIN}.",
        "nothing_supported": f"Nothing that is known here supports a value for this form. {BY_HAND}.",
        "budget": f"The budget for AI is used up. {BY_HAND}.",
        "breaker": f"The model failed several times in a row, so it is left alone for a minute. {_AGAIN} then.",
        "connection": f"The model's provider could not be reached. {_AGAIN}.",
        "internal_error": f"Something went wrong here while the proposal was made. {_AGAIN}.",
    }
)
MENDED_BY_OTHERS: frozenset[Code] = frozenset({"auth", "billing", "model_not_found"})
"""Codes for which asking again is useless until an administrator acts."""

_PERIODS = {"day": "today", "week": "this week", "month": "this month"}


def message(code: Code, seconds: float) -> str:
    """Why there is no proposal, and what to do; `seconds` is how long it might have taken."""
    return MESSAGES[code].format(seconds=f"{seconds:g}")


def reason(code: Code, seconds: float) -> str:
    """Why no model answered, without what to do about it."""
    return f"{message(code, seconds).split('. ')[0].rstrip('.')}."


def exhausted_budget(over: Over) -> str:
    """Which budget is used up."""
    if over.period is None:
        return f"The AI budget of this run is used up. {BY_HAND}."
    whose = "The AI budget" if over.shared else "Your AI budget"
    return f"{whose} of {_PERIODS[over.period]} is used up. {BY_HAND}; an administrator can raise it under Settings, AI."


def off(why: str) -> str:
    """That it is switched off, as an administrator said, and what to do."""
    return f"{why.rstrip('.')}. {BY_HAND}."


def declined(why: str) -> str:
    """That the model found nothing to propose, in its own words where it had some."""
    short_reason = " ".join(why.split())[:300]
    return (
        f"The model proposes nothing here: “{short_reason}” {BY_HAND}."
        if short_reason
        else MESSAGES["nothing_supported"]
    )


def dropped(count: int) -> str:
    """That everything which the model proposed was refused."""
    values = "one value, and it was" if count == 1 else f"{count} values, and all were"
    return f"The model proposed {values} dropped: not supported by what is known here, or not fit for the form. {_AGAIN}."


def banner(titles: list[str]) -> str:
    """The warning above a form, which names where the text stands."""
    named = ", ".join(f"“{title}”" for title in titles)
    return f"Text in {named or 'a source or the form'} reads like instructions to the AI. Nothing was done because of it; look at the source before you rely on this proposal."
