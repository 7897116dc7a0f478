"""Words for codes and outcomes of proposals, and figures as people read them. Pure."""

from console.core.plain_words import humanised

REASONS = {
    "chosen": "The person chose to",
    "nothing_supported": "Nothing was certain enough",
    "declined": "Nothing was certain enough",
    "not_in_form": "No proposed value fitted",
    "no_key": "No key is set",
    "timeout": "No answer in time",
    "rate_limited": "The provider was asked too often",
    "overloaded": "The provider was overloaded",
    "auth": "The key was refused",
    "billing": "The provider wants to be paid",
    "bad_request": "The provider refused the request",
    "model_not_found": "The model does not exist",
    "refused": "The model refused",
    "truncated": "The answer broke off",
    "malformed": "The answer could not be read",
    "budget": "The budget was spent",
    "breaker": "The provider was left alone after failures",
    "connection": "The provider could not be reached",
    "internal_error": "A fault of the console",
    "off": "Switched off",
    "failed": "No proposal came",
}
OUTCOMES = {
    "accepted": "taken as it was",
    "small_edit": "changed in a few letters",
    "edited": "changed",
    "cleared": "taken out",
    "ignored": "left, handled manually",
    "blind_equal": "hidden, the same",
    "blind_different": "hidden, another",
}


def reason(code: str) -> str:
    """Why a step was done by hand, in a few words."""
    return REASONS.get(code, humanised(code))


def percent(value: float | None, digits: int = 1) -> str:
    """`9.3 %`; a dash where there is nothing to divide by."""
    return "–" if value is None else f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def seconds(value: float | None) -> str:
    """`41 s`, `3 min 20 s`, `1 h 5 min`; a dash where nothing was measured."""
    if value is None:
        return "–"
    whole = round(value)
    if whole < 120:
        return f"{value:.1f} s" if value < 10 else f"{whole} s"
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
