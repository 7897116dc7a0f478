"""What a page says of a refused form: labels everywhere, each once; programs get names."""

import re
from collections.abc import Sequence
from pathlib import Path

from console.core.forms import refusal
from console.errors import ConsoleError, Invalid, NotAllowed
from console.views import refusals
from tests.tables import cases

TEMPLATES = Path(__file__).parents[2] / "templates"
ALL_DETAILS = re.compile(r"for \w+ in (wrong\w*\.)?details( or \(\))? %}")
LABELS = {"reason": "Reason", "why": "Why do you ask?", "amount_minor": "Amount"}


def wrong(*names: str) -> Invalid:
    return refusal([{"field": name, "reason": "x"} for name in names])


def of_input(*names: str) -> Invalid:
    made = wrong(*names)
    return Invalid(made.message, details=[{**detail, "field": f"input.{detail['field']}"} for detail in made.details])


@cases(
    ("error", "head"),
    [
        (None, ""),
        (wrong("reason"), "Nothing was saved: please look at Reason."),
        (of_input("reason"), "Nothing was saved: please look at Reason."),
        (of_input("amount_minor", "why"), "Nothing was saved: please look at Amount, “Why do you ask?”."),
        (wrong("stranger", "reason"), "Nothing was saved: please look at stranger, Reason."),
        (wrong(*["reason"] * 6), "Nothing was saved: please look at Reason, Reason, Reason, Reason, Reason …."),
        (Invalid("Too late.", details=[{"field": "reason", "reason": "x"}]), "Too late."),
        (Invalid("Closed on Mondays.", details=[{"field": "why", "reason": "Closed on Mondays."}]), "Nothing was saved."),
        (Invalid("It is there. Another has it.", details=[{"field": "why", "reason": "Another has it."}]), "It is there."),
        (Invalid("Amount: too much", details=[{"field": "why", "reason": "too much"}]), "Amount: too much"),
        (Invalid("Closed on Mondays.", details=[{"field": "x", "reason": "Closed on Mondays."}]), "Closed on Mondays."),
        (NotAllowed("Needs action.execute on refund.", words="You may not do “Refund”."), "You may not do “Refund”."),
    ],
)
def test_the_head_names_fields_by_their_labels(error: ConsoleError | None, head: str) -> None:
    assert refusals.head(error, LABELS) == head


@cases(
    ("field", "reason", "line"),
    [
        ("reason", "Reason is needed.", ("f-reason", "Reason is needed.")),
        ("input.reason", "Reason is needed.", ("f-reason", "Reason is needed.")),
        ("reason", "At most 10 characters.", ("f-reason", "Reason: At most 10 characters.")),
        ("why", "“Why do you ask?” is needed.", ("f-why", "“Why do you ask?” is needed.")),
        ("why", "At most 10 characters.", ("f-why", "Why do you ask? At most 10 characters.")),
        ("stranger", "There is no such field in this form.", ("", "There is no such field in this form.")),
        (None, "A run is live.", ("", "A run is live.")),
    ],
)
def test_the_list_says_a_label_once(field: str | None, reason: str, line: Sequence[str]) -> None:
    assert refusals.lines([{"field": field, "reason": reason}], LABELS) == [line]


def test_nothing_is_said_twice() -> None:
    whole = Invalid(
        "It is paused.", details=[{"field": "workflow", "reason": "It is paused."}, {"reason": "Resume it."}, {"reason": "Resume it."}]
    )
    assert whole.reasons == ["Resume it."]
    assert refusals.lines(whole.details[:2], LABELS, refusals.head(whole, LABELS)) == [("", "Resume it.")]
    twice = [path.name for path in TEMPLATES.rglob("*.html") if ALL_DETAILS.search(path.read_text())]
    assert twice == [], "the macro refusal_notice leaves out what the message says already"
