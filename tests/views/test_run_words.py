"""The page of a run from views made by hand: its face, its steps, errors at their boxes, amounts. No server."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from console.core.errors import Invalid
from console.core.run import FINAL
from console.runs import RunView
from console.views import formats
from console.views.formats import Kind, Look
from console.views.runs import effects, notices, page, sources, step_values, steps_pane
from tests.tables import cases

pytestmark = pytest.mark.lengthy

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
NAMES = {"usr_ana": "Ana Lopes", "usr_tom": "Tom Jansen"}
STEP: dict[str, Any] = {
    "n": 2,
    "step": "rate",
    "attempt": 1,
    "title": "Rate",
    "type": "Update data",
    "kind": "update_data",
    "family": "action",
    "icon": "pencil",
    "state": "now",
    "by_name": None,
    "at": "2026-11-20T10:04:00Z",
    "automatic": False,
    "handled_manually": False,
    "revised": False,
    "revisable": False,
    "outcome": None,
    "person": True,
}
CURRENT: dict[str, Any] = {
    "step": "rate",
    "type": "update_data",
    "title": "Rate the risk",
    "attempt": 1,
    "button": "Done",
    "form": None,
    "outcomes": [],
    "errors": [],
    "draft": None,
    "proposal": None,
    "take_over": None,
    "waiting": None,
}
RUN: dict[str, Any] = {
    "id": "run_1",
    "workflow": {"id": "wf_1", "slug": "kyc", "title": "KYC review"},
    "version": 3,
    "status": "waiting_person",
    "revision": 4,
    "last_event": 9,
    "collection": "customer",
    "record": "1",
    "holder": "usr_ana",
    "created_at": "2026-11-20T10:00:00Z",
    "ended_at": None,
    "reason": None,
    "ending": None,
    "current": CURRENT,
    "context": {},
    "attempts": [],
}
ALL = frozenset({"complete", "save", "abort", "revise", "settle", "resume", "take_over", "retry"})


def view(
    can: frozenset[str] = ALL,
    screen: Mapping[str, Any] | None = None,
    current: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    **run: Any,
) -> RunView:
    told = RUN | run
    if current is not None:
        told["current"] = {**CURRENT, **current}
    made = RunView(
        json=told,
        screen=dict(screen) if screen is not None else None,
        can=can,
        steps=[STEP],
        names=NAMES,
        record_title="Northwind",
        collection_label="Customers",
    )
    return replace(made, **(more or {}))


SCREEN: dict[str, Any] = {
    "step": "rate",
    "attempt": 1,
    "type": "update_data",
    "title": "Rate",
    "button": "Execute",
    "fields": [{"name": "risk", "label": "Risk", "type": "text"}],
    "record": {"collection": "customer", "key": "1", "values": {"risk": None}},
}


@cases(
    ("seen", "face"),
    [
        (view(screen=SCREEN), "form"),
        (view(), "look"),
        (view(frozenset(), SCREEN), "look"),
        (view(frozenset(), status="saved"), "look"),
        (view(current={"type": "settle"}), "settle"),
        (view(frozenset(), current={"type": "settle"}), "look"),
        *(
            (view(frozenset(), status=status), "wait")
            for status in ("running", "waiting_time", "waiting_event")
        ),
        *((view(screen=SCREEN, status=status, current=None), "ended") for status in sorted(FINAL)),
    ],
)
def test_the_face_that_a_run_shows(seen: RunView, face: str) -> None:
    assert page.mode(seen) == face


def test_steps_are_counted_without_those_that_do_not_stand() -> None:
    steps = [
        STEP | {"state": state, "revisable": state == "done", "handled_manually": state == "failed"}
        for state in ("done", "cancelled", "done", "skipped", "failed", "now", "todo")
    ]
    drawn = steps_pane.outline(view(more={"steps": steps}), LOOK)
    assert [step["number"] for step in drawn] == [1, 1, 2, 2, 3, 4, 5]
    assert [step["state_word"] for step in drawn] == [
        "Done",
        "Cancelled",
        "Done",
        "Skipped",
        "Handled manually",
        "Current step",
        "To do",
    ]
    assert [bool(step["revise_url"]) for step in drawn] == [True, False, True, False, False, False, False]
    assert [step["last_done"] for step in drawn].index(True) == 2
    assert not any(
        step["revise_url"] for step in steps_pane.outline(view(more={"steps": steps}), LOOK, links=False)
    )
    assert not any(
        step["revise_url"] for step in steps_pane.outline(view(frozenset(), more={"steps": steps}), LOOK)
    )


@pytest.mark.parametrize(
    ("can", "code", "retry", "tone"),
    [
        (frozenset({"retry"}), "no_answer", "Retry", "warn"),
        (frozenset[str](), "no_answer", "", "warn"),
        (frozenset({"retry"}), "already_done", "", "warn"),
        (frozenset({"retry"}), "no_address", "", "info"),
    ],
)
def test_a_stopped_step_offers_to_try_again_where_that_is_allowed_and_of_use(
    can: frozenset[str], code: str, retry: str, tone: str
) -> None:
    note = notices._take_over(view(can, current={"take_over": {"message": "No rate.", "code": code}}), LOOK)
    assert note is not None
    assert note.text.startswith("No rate.")
    assert ("keep its result" in note.text) == (code == "already_done")
    assert (note.post, note.button, note.tone) == ("/runs/run_1/retry" if retry else "", retry, tone)


def test_what_is_wrong_is_listed_with_the_labels_of_its_boxes() -> None:
    wrong = Invalid(
        "No.",
        details=[
            {"field": "risk", "reason": "is needed"},
            {"field": "outcome", "reason": "Choose one."},
            {"field": "reason", "reason": "Say why."},
            {"field": "x", "reason": "Risk: odd"},
        ],
    )
    note = notices._wrong(view(screen=SCREEN), wrong, wrong.details)
    assert note is not None
    assert note.head == "Not done yet: 4 things need another look."
    assert list(note.fields) == [
        ("f-risk", "Risk: is needed"),
        ("outcome", "Your decision: Choose one."),
        ("reason", "Say why."),
        ("", "Risk: odd"),
    ]
    one = notices._wrong(view(screen=SCREEN), wrong, wrong.details[:1])
    assert one is not None
    assert one.head == "Not done yet: 1 thing needs another look."
    refused = notices._wrong(view(screen=SCREEN), None, [{"field": "risk", "reason": "Iris changed it."}])
    assert refused is not None
    assert refused.head == "The change was refused. What you typed is still here."
    assert notices._wrong(view(), None, []) is None
    bare = notices._wrong(view(), Invalid("The form is empty."), [])
    assert bare is not None
    assert bare.head == "The form is empty."


@cases("currency", ["record.currency", "steps.facts.record.currency"])
def test_an_amount_of_a_form_has_the_currency_that_its_expression_finds(currency: str) -> None:
    amount = Kind("amount", "Amount", "decimal", widget="money")
    context = {"facts": {"record": {"currency": "SEK"}}}
    assert (
        formats.text(*sources._of_currency(amount, "1234.5", currency, context), Look()) == "SEK\xa01,234.50"
    )
    assert sources._of_currency(amount, "1234.5", currency, {}) == (amount, "1234.5"), "the run holds none"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("minor(steps.choose.amount, 2)", "€42.50"),
        ("steps.facts.record.amount_minor", "€42.50"),
        (
            [
                {"if": "input.all", "value": "steps.facts.remaining_minor"},
                {"value": "minor(steps.choose.amount, 2)"},
            ],
            "€42.50",
        ),
        ([{"if": "input.all", "value": "steps.facts.remaining_minor"}, {"value": "input.amount"}], "4250"),
        ("steps.facts.record.amount_minor / 100", "4250"),
    ],
)
def test_an_amount_that_a_step_makes_in_cents_is_said_in_its_currency(rule: Any, words: str) -> None:
    own = step_values._with_results(
        {"facts": step_values.NOTHING}, step_values.NOTHING, {"amount": rule, "currency": "lower(input.code)"}
    )
    assert effects.line("amount", 4250, own.kinds, {"currency": "eur"}, LOOK) == ("Amount", words)
    assert effects.line("currency", "eur", own.kinds, {}, LOOK) == ("Currency", "Euro")
