"""The page of a run in words, drawn from views of runs that were made by hand. No server."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from markupsafe import Markup

from console.core.actor import Actor
from console.core.run import FINAL
from console.db import request_writes
from console.errors import Conflict, Invalid
from console.runs import Preview, RunView
from console.views import assets, formats, frame
from console.views.formats import Kind, Look
from console.views.run import done_before, effects, notices, page, phases, sources, step_values, steps_pane
from console.views.run.notices import Typed
from console.views.run.wait_words import wait_words
from console.views.workflows import executions
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
ANA = Actor(
    kind="user",
    id="usr_ana",
    name="Ana Lopes",
    email="ana@x.example",
    session="ses_1",
    teams=(),
    roles=frozenset(),
    tags={},
    locale="en",
    zone="UTC",
)
NAMES = {"usr_ana": "Ana Lopes", "usr_tom": "Tom Jansen"}
STEP: dict[str, Any] = {
    "n": 2, "step": "rate", "attempt": 1, "title": "Rate", "type": "Update data", "kind": "update_data", "family": "action", "icon": "pencil", "state": "now", "by_name": None,
    "at": "2026-11-20T10:04:00Z", "automatic": False, "handled_manually": False, "revised": False, "revisable": False, "outcome": None, "person": True,
}  # fmt: skip
CURRENT: dict[str, Any] = {
    "step": "rate", "type": "update_data", "title": "Rate the risk", "attempt": 1, "button": "Done", "form": None, "outcomes": [], "errors": [], "draft": None,
    "proposal": None, "take_over": None, "waiting": None,
}  # fmt: skip
RUN: dict[str, Any] = {
    "id": "run_1", "workflow": {"id": "wf_1", "slug": "kyc", "title": "KYC review"}, "version": 3, "status": "waiting_person", "revision": 4, "last_event": 9, "collection": "customer",
    "record": "1", "holder": "usr_ana", "created_at": "2026-11-20T10:00:00Z", "ended_at": None, "reason": None, "ending": None, "current": CURRENT, "context": {}, "attempts": [],
}  # fmt: skip
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
        *((view(frozenset(), status=status), "wait") for status in ("running", "waiting_time", "waiting_event")),
        *((view(screen=SCREEN, status=status, current=None), "ended") for status in sorted(FINAL)),
    ],
)
def test_the_face_that_a_run_shows(seen: RunView, face: str) -> None:
    assert page.mode(seen) == face


@cases(
    ("seen", "seconds"),
    [
        (view(status="running"), 1),
        (view(status="waiting_event", current={"waiting": {"for": "effect", "until": None}}), 1),
        (view(status="waiting_event", current={"waiting": {"for": "approval", "until": None}}), 15),
        (view(status="waiting_time"), 15),
        (view(), None),
        (view(holder="usr_tom"), 15),
        (view(status="saved", holder=None), 15),
        (view(status="completed"), None),
        (view(status="aborted", holder="usr_tom"), None),
    ],
)
def test_how_often_a_page_asks_again(seen: RunView, seconds: int | None) -> None:
    assert page._poll(seen, ANA) == seconds


@cases(
    ("waiting", "words"),
    [
        (None, "Working. This page follows by itself."),
        ({"for": "time", "until": "2026-11-21T10:00:00Z"}, "Waiting. Continues at 21 Nov 2026, 12:00:00 in Vilnius (10:00:00 UTC)."),
        ({"for": "time", "until": None}, "Waiting. Continues at later."),
        ({"for": "retry", "code": "source_down", "until": None}, "The data source does not answer. It is asked again at later; the run goes on by itself when it answers."),
        ({"for": "event"}, "Waiting for something to happen outside."),
        ({"for": "approval"}, "Waiting for an approval."),
        ({"for": "run"}, "Waiting for another run to end."),
        ({"for": "effect", "until": None}, "Making the change. Should no answer come, the console looks what came of it; this page follows."),
        ({"for": "something new"}, "Waiting."),
    ],
)  # fmt: skip
def test_what_a_run_waits_for(waiting: Mapping[str, Any] | None, words: str) -> None:
    assert wait_words(RUN | {"current": CURRENT | {"waiting": waiting}}, LOOK) == words
    if waiting is None or waiting["for"] == "run":
        looping = RUN | {"current": CURRENT | {"waiting": waiting, "type": "loop", "step": "all"}, "context": {"all": {"total": 69_500}}}
        assert "69,500 so far" in wait_words(looping, LOOK)


@cases(
    ("step", "words"),
    [
        ({}, "Update data, started 12:04"),
        ({"at": None}, "Update data"),
        ({"state": "todo"}, "Update data"),
        ({"state": "done", "by_name": "Ana Lopes"}, "Update data, Ana Lopes, 12:04"),
        ({"state": "done", "automatic": True, "type": "Condition"}, "Condition, automatic"),
        ({"state": "done", "by_name": "Ana Lopes", "attempt": 2}, "Update data, Ana Lopes, 12:04, attempt 2"),
        ({"state": "cancelled", "by_name": None}, "Update data"),
        ({"type": "", "by_name": None, "state": "done"}, ""),
        ({"items": 1, "state": "done", "at": None}, "Update data, 2 done"),
    ],
)
def test_what_stands_under_a_step(step: dict[str, Any], words: str) -> None:
    assert steps_pane._step_words(STEP | step, LOOK) == words
    assert steps_pane._step_words(STEP | {"items": 139, "at": None}, LOOK, alone=True) == "Update data, 139 parts done"
    left = {"items": [], "done": 99_999, "total": 100_000}
    for state, said in (
        ("now", "99,999 done so far, 1 failed"),
        ("cancelled", "99,999 done until then, 1 failed"),
        ("done", "99,999 of 100,000 done, 1 of 100,000 failed"),
    ):
        assert (
            steps_pane._step_words(STEP | {"items": 200, "at": None, "state": state}, LOOK, alone=True, left=left) == f"Update data, {said}"
        )


@cases(
    ("total", "done", "words", "state"),
    [(41, 41, "", "done"), (41, 38, ", 3 of 41 failed", "done"), (41, 0, ", all 41 failed", "failed"), (0, 0, "", "done")],
)
def test_a_list_of_which_nothing_could_be_done_is_not_said_to_be_done(total: int, done: int, words: str, state: str) -> None:
    one, left = STEP | {"state": "done", "automatic": True}, {"items": [], "total": total, "done": done}
    [drawn] = steps_pane.outline(view(more={"steps": [one]}, context={one["step"]: left}), LOOK)
    assert (drawn["words"], drawn["state"]) == (f"Update data, automatic{words}", state)
    assert (executions._badge({"step": one["step"], "status": "done"}, {one["step"]: left}).label == "Done") is (not words)


def test_steps_are_counted_without_those_that_do_not_stand() -> None:
    steps = [
        STEP | {"state": state, "revisable": state == "done", "handled_manually": state == "failed"}
        for state in ("done", "cancelled", "done", "skipped", "failed", "now", "todo")
    ]
    drawn = steps_pane.outline(view(more={"steps": steps}), LOOK)
    assert [step["number"] for step in drawn] == [1, 1, 2, 2, 3, 4, 5]
    assert [step["state_word"] for step in drawn] == ["Done", "Cancelled", "Done", "Skipped", "Handled manually", "Current step", "To do"]
    assert [bool(step["revise_url"]) for step in drawn] == [True, False, True, False, False, False, False]
    assert [step["last_done"] for step in drawn].index(True) == 2
    assert not any(step["revise_url"] for step in steps_pane.outline(view(more={"steps": steps}), LOOK, links=False))
    assert not any(step["revise_url"] for step in steps_pane.outline(view(frozenset(), more={"steps": steps}), LOOK))


@cases(
    ("status", "ending", "words"),
    [
        ("completed", "Approved", "KYC review is done: Approved"), ("completed", "existing", "KYC review is done: Existing"), ("completed", None, "KYC review is done"), ("aborted", "Approved", "KYC review was aborted"),
        ("cancelled", None, "KYC review was cancelled"), ("failed", None, "KYC review failed"), ("timed_out", None, "KYC review ran out of time"), ("saved", None, "KYC review"),
    ],
)  # fmt: skip
def test_how_a_run_ended(status: str, ending: str | None, words: str) -> None:
    assert page.ended_title(RUN | {"status": status, "ending": ending}) == words


@cases(
    ("screen", "current", "words", "button"),
    [
        (SCREEN, {}, "", "Execute"),
        (SCREEN | {"type": "settle"}, {"type": "settle"}, "A change was sent and the answer never came.", "Execute"),
        (SCREEN | {"type": "guidance", "button": ""}, {"button": "Read it"}, "", "Read it"),
        (None, {"button": ""}, "", "Done"),
    ],
)
def test_what_a_step_does_and_what_its_button_says(
    screen: Mapping[str, Any] | None, current: Mapping[str, Any], words: str, button: str
) -> None:
    told = page._titles(view(screen=screen, current=current), LOOK, "form")
    assert (told["step_words"], told["button"]) == (words, button)
    assert told["window_title"].endswith("KYC review, Northwind")


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (None, ""),
        ({"saved_at": "2026-11-20T10:07:00Z", "by": "usr_ana"}, "Draft saved 12:07"),
        ({"saved_at": "2026-11-20T10:07:00Z", "by": "usr_tom"}, "Draft of Tom Jansen, 12:07"),
        ({"saved_at": "2026-11-20T10:07:00Z", "by": "usr_gone"}, "Draft of a colleague, 12:07"),
    ],
)
def test_what_was_saved_when(draft: Mapping[str, Any] | None, words: str) -> None:
    assert page._saved_words(view(current={"draft": draft}), ANA, LOOK) == words


@cases(
    ("seen", "heads"),
    [
        (view(), []),
        (view(status="saved", holder=None), ["Saved, to continue"]),
        (view(holder="usr_tom"), ["Tom Jansen has this run open"]),
        (view(holder="usr_gone"), ["A colleague has this run open"]),
        (view(status="completed", holder="usr_tom", more={"newer_version": 4}), []),
        (view(more={"newer_version": 4}), ["Version 4 is live"]),
        (view(more={"gone": True}), ["The record is no longer there"]),
        (view(more={"down": "erp does not answer.", "gone": True}), ["The data source does not answer"]),
        (view(current={"take_over": {"message": "No rate."}}), ["This step stopped and asks a person"]),
        (view(current={"take_over": {"code": "no_rule", "message": "No rule applies here: please decide."}}), ["This step asks a person"]),
        (view(current={"take_over": {"code": "stepped_in", "message": "Handled manually instead of waiting."}}),
         ["Waiting was stopped: fill this in by hand"]),
        (view(current={"take_over": {"message": "No rate."}}, holder="usr_tom", more={"newer_version": 4, "down": "x"}),
         ["This step stopped and asks a person", "Tom Jansen has this run open", "The data source does not answer", "Version 4 is live"]),
    ],
)  # fmt: skip
def test_what_stands_above_the_form(seen: RunView, heads: list[str]) -> None:
    assert [note.head for note in notices.notices_of(seen, ANA, LOOK, None, [])] == heads


@pytest.mark.parametrize(
    ("can", "idle", "parts", "without"),
    [
        (frozenset({"take_over"}), True, ["The step began 1 hour ago.", "over 10 minutes", "You can take over"], []),
        (frozenset({"take_over"}), False, ["You can take over"], ["over 10 minutes"]),
        (frozenset(), True, ["over 10 minutes"], ["You can take over"]),
    ],
)
def test_who_holds_a_run_since_when_and_whether_one_may_take_it(
    can: frozenset[str], idle: bool, parts: list[str], without: list[str]
) -> None:
    note = notices._holder(view(can, holder="usr_tom", more={"holder_idle": idle}), ANA, LOOK)
    assert note is not None
    assert all(part in note.text for part in parts)
    assert not any(part in note.text for part in without)


@pytest.mark.parametrize(
    ("can", "code", "retry", "tone"),
    [
        (frozenset({"retry"}), "no_answer", "Retry", "warn"),
        (frozenset[str](), "no_answer", "", "warn"),
        (frozenset({"retry"}), "already_done", "", "warn"),
        (frozenset({"retry"}), "no_address", "", "info"),
    ],
)
def test_a_stopped_step_offers_to_try_again_where_that_is_allowed_and_of_use(can: frozenset[str], code: str, retry: str, tone: str) -> None:
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


TYPED = Typed("rate", 3, {"risk": "high"}, None, {"risk": "high"})


@pytest.mark.parametrize(
    ("code", "seen", "head", "text"),
    [
        ("not_holder", view(holder="usr_tom"), "This run is no longer with you", "Tom Jansen holds it now. What you typed is kept below."),
        ("not_holder", view(holder=None), "This run is no longer with you", "Refused."),
        ("stale_revision", view(), "This run moved on", "It now stands at “Rate the risk”. What you typed is kept below."),
        (
            "stale_revision",
            view(holder="usr_tom"),
            "This run moved on",
            "It now stands at “Rate the risk”, with Tom Jansen. What you typed is kept below.",
        ),
        ("other", view(), "Not done", "Refused."),
    ],
)
def test_a_screen_of_the_past_says_what_happened_and_keeps_what_was_typed(code: str, seen: RunView, head: str, text: str) -> None:
    request_writes.begin()  # as every request does
    note = notices.refused_note(seen, Conflict("Refused.", code=code, details=[{"reason": "Because."}]), ANA, TYPED)
    assert (note.head, note.text, note.alert, note.href) == (head, text, True, "/runs/run_1")
    assert note.typed == {"risk": "high"}
    assert notices.refused_note(seen, Conflict("Refused.", code=code), ANA, None).typed == {}
    assert "you typed" not in notices.refused_note(seen, Conflict("Refused.", code=code), ANA, None, kept=False).text, "Resume has no form"


def test_a_run_that_has_ended_meanwhile_is_said_to_have() -> None:
    ended = view(status="aborted", holder=None)
    ended.json["current"] = None
    assert (
        notices.refused_note(ended, Conflict("x", code="stale_revision"), ANA, None).text
        == "It has ended: Aborted. What you typed is kept below."
    )


@pytest.mark.usefixtures("clean")
def test_results_read_like_the_record_and_leave_out_what_is_empty() -> None:
    kinds = {"kyc_status": Kind("kyc_status", "KYC status", "enum", {"approved": "Approved"})}
    attempts = [
        {"step": "a", "type": "output", "status": "done"},
        {"step": "b", "type": "output", "status": "done"},
        {"step": "c", "type": "output", "status": "cancelled"},
    ]
    context = {
        "a": {"x": 1},
        "b": {"kyc_status": "approved", "next_step": "call", "hits": None, "flags": [], "note": "", "score": 0, "missing": ["x"]},
        "c": {"y": 1},
    }
    drawn = page.results(RUN | {"attempts": attempts, "context": context}, LOOK, kinds)
    assert [(line.label, Markup(line.shown).striptags()) for line in drawn] == [
        ("KYC status", "Approved"),
        ("Next step", "call"),
        ("Score", "0"),
    ]
    assert page.results(RUN, LOOK, {}) == []


def test_what_a_revision_cancels_names_people_and_machines() -> None:
    cancels = [{"step": "a", "title": "A", "by": by, "completed_at": None} for by in ("usr_ana", None, "usr_gone")]
    told = done_before.revise_context(Preview({"cancels": cancels, "effects_done": []}, 4, "Rate", NAMES), None)
    assert [one["by_name"] for one in told["preview"]["cancels"]] == ["Ana Lopes", "automatic", "a former colleague"]
    assert told["preview_title"] == "Rate"


@pytest.mark.parametrize(
    ("role", "words"), [("role:operations_lead", "Operations lead"), ("operator", "Operator"), ("role:mlro", "MLRO"), ("role:", "")]
)
def test_roles_as_people_write_them(role: str, words: str) -> None:
    assert formats.role_words(role) == words


@cases("status", ["running", "waiting_person", "waiting_time", "waiting_event", "saved", *sorted(FINAL)])
def test_every_status_has_a_word_and_its_icon_is_drawn(status: str) -> None:
    badge = frame.status_badge(status)
    assert badge.label
    assert badge.icon in {*assets.drawn_icons(), ""}
    assert badge.tone in ("", "good", "warn", "bad", "info")


@cases("currency", ["record.currency", "steps.facts.record.currency"])
def test_an_amount_of_a_form_has_the_currency_that_its_expression_finds(currency: str) -> None:
    amount = Kind("amount", "Amount", "decimal", widget="money")
    context = {"facts": {"record": {"currency": "SEK"}}}
    assert formats.text(*sources._of_currency(amount, "1234.5", currency, context), Look()) == "SEK\xa01,234.50"
    assert sources._of_currency(amount, "1234.5", currency, {}) == (amount, "1234.5"), "the run holds none"


def test_results_come_in_the_order_of_the_steps_they_are_from_and_foreign_keys_are_technical() -> None:
    steps = {"ticket": step_values.Described(), "choose": step_values.Described(), "refund": step_values.Described()}
    values = {
        "amount": "steps.refund.amount",
        "decision": "steps.choose.option",
        "their_no": "steps.refund.results.provider.id",
        "rate": "variables.rate",
    }
    own = step_values._with_results(steps, step_values.Described(), values)
    assert min(own.places, key=lambda name: own.places[name]) == "decision"
    assert own.technical == {"their_no"}
    assert "rate" not in own.places


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("minor(steps.choose.amount, 2)", "€42.50"),
        ("steps.facts.record.amount_minor", "€42.50"),
        ([{"if": "input.all", "value": "steps.facts.remaining_minor"}, {"value": "minor(steps.choose.amount, 2)"}], "€42.50"),
        ([{"if": "input.all", "value": "steps.facts.remaining_minor"}, {"value": "input.amount"}], "4250"),
        ("steps.facts.record.amount_minor / 100", "4250"),
    ],
)
def test_an_amount_that_a_step_makes_in_cents_is_said_in_its_currency(rule: Any, words: str) -> None:
    own = step_values._with_results({"facts": step_values.NOTHING}, step_values.NOTHING, {"amount": rule, "currency": "lower(input.code)"})
    assert effects.line("amount", 4250, own.kinds, {"currency": "eur"}, LOOK) == ("Amount", words)
    assert effects.line("currency", "eur", own.kinds, {}, LOOK) == ("Currency", "Euro")


@pytest.mark.parametrize(("people", "engine", "folded"), [(1, 1, 1), (2, 3, 3), (0, 1, 0), (2, 0, 0)])
def test_automatic_steps_of_a_phase_fold_beside_those_of_people(people: int, engine: int, folded: int) -> None:
    entries = [STEP | {"step": f"p{n}", "state": "todo"} for n in range(people)]
    entries += [STEP | {"step": f"e{n}", "state": "todo", "automatic": True, "person": False} for n in range(engine)]
    made = phases._phase(phases.Plan({}, {}, {}, {}, "Start", 0), 0, 1, "todo", entries, LOOK, {})
    assert (len(made.folded), len(made.steps)) == (folded, people + engine - folded)
