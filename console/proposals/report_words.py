"""Figures about proposals as sentences: what an auditor copies into a report, and the words of codes and outcomes. Pure but for the report it is given."""

from collections.abc import Iterator
from datetime import date

from console.core.plain_words import humanised
from console.proposals.figures import Figures
from console.proposals.measure import Report

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


def paragraph(report: Report) -> str:
    """Sentences about the period for an auditor. Each names the figures that it is based on."""
    return " ".join(_sentences(report))


def _sentences(report: Report) -> Iterator[str]:
    figures, window = report.total, report.window
    yield f"Between {_day(window.since.date())} and {_day(window.until.date())}, {_many(figures.proposed, 'step')} had a proposal, of {figures.asked:,} that asked for one."
    if not figures.values:
        yield "No proposed value has been decided about yet."
    else:
        yield _values(figures)
    if figures.decided:
        yield (
            f"Of {_many(figures.decided, 'step')} that people handed in, {figures.by_hand:,} ({percent(figures.by_hand_rate)}) were handled manually."
        )
    if figures.hidden:
        yield (
            f"In {_many(figures.hidden, 'step')} the proposal was recorded and not shown; in {figures.hidden_agreed:,} of them the person put in the same "
            f"(with 95 % confidence, at least {percent(figures.bound)} of such steps)."
        )
    if figures.taken:
        yield (
            f"Of {_many(figures.taken, 'step')} with an accepted value, {figures.quick:,} ({percent(figures.quick_rate)}) were handed in within two seconds of the proposal being shown, "
            f"{figures.unopened:,} ({percent(figures.unopened_rate)}) without any source being opened, and {figures.revised or 'none'} {'were' if figures.revised > 1 else 'was'} revised later."
        )
    yield (
        f"{_many(figures.automatic, 'step')} ran without a person, under a promotion that is in the activity log."
        if figures.automatic
        else "No step was handed in without a person."
    )
    yield "Confidential runs are not counted."


def _values(figures: Figures) -> str:
    changed = f"people changed {percent(figures.changed_rate)} of the {_many(figures.values, 'value')} that they were shown"
    parts = [
        f"{percent(rate)} {words}"
        for rate, words in (
            (figures.edited_rate, "replaced by another value"),
            (figures.small_rate, "changed in a few letters"),
            (figures.rejected_rate, "taken out or left"),
        )
        if rate
    ]
    braced = f" ({', '.join(parts)})" if parts else ""
    return f"{changed[0].upper()}{changed[1:]}{braced}."


def _many(count: int, singular: str) -> str:
    return f"{count:,} {singular}{'' if count == 1 else 's'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
