"""What happens to a run that is under way: rights are taken away, the source goes or changes its form, texts are hostile, accounts close, processes die."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from console import log, runs
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import Row, policy_store
from console.core.errors import ConsoleError, Invalid
from console.core.run import fold
from console.infra import faults, jobs
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.records import connect
from console.runs.store import typed_drafts
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests.company import Company

pytestmark = pytest.mark.lengthy

TO_HOLDER = {"complete", "draft", "save", "release", "abort", "revise", "escalate"}


@contextmanager
def ruled(*rows: Row) -> Iterator[None]:
    """Rows of the policy that hold meanwhile."""
    with transaction() as connection:
        policy_store.write(connection, added=rows)
    access.refresh()
    try:
        yield
    finally:
        with transaction() as connection:
            policy_store.write(connection, removed=rows)
        access.refresh()


def denied(person: str, obj: str, act: str) -> Row:
    """A right taken away from one person."""
    return Row("p", f"user:{person}", "*", obj, act, "deny")


@contextmanager
def failing(fault: str) -> Iterator[None]:
    """The process fails at this point meanwhile."""
    os.environ["HANDRAIL_FAULT"] = fault
    try:
        yield
    finally:
        del os.environ["HANDRAIL_FAULT"]


def said(act: Callable[[], Any]) -> str:
    """The code of the refusal, `done` where there was none."""
    try:
        act()
    except ConsoleError as error:
        return error.code
    return "done"


@contextmanager
def away(company: Company) -> Iterator[None]:
    """The database of the records does not answer meanwhile."""
    aside = company.path.with_suffix(".away")
    company.path.rename(aside)
    connect.dispose()
    try:
        yield
    finally:
        connect.dispose()
        aside.rename(company.path)


def aged(run_id: str, minutes: float) -> None:
    """As if nothing had happened to the run, and nothing had been typed in it, for so long."""
    with hot_engine().connect() as connection:
        for table, column in ((tables.run, "active_at"), (tables.draft, "saved_at")):
            key = table.c.id if table is tables.run else table.c.run
            connection.execute(
                sa.update(table)
                .where(key == run_id)
                .values({column: table.c[column] - timedelta(minutes=minutes)})
            )


def whole(run_id: str) -> None:
    """The log folds to the rows."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    then = fold(as_event(event) for event in log.events_of(run_id))
    assert (then.status, then.seq, then.holder, then.take_over) == (
        loaded.run.status,
        loaded.run.seq,
        loaded.run.holder,
        loaded.run.take_over,
    )
    assert (then.attempts, then.context) == (loaded.run.attempts, loaded.run.context)


# ------------------------------------------------------------------------------------------------------ rights taken away

TAKEN: list[tuple[str, str, str, set[str]]] = [
    # what is taken away                     looking       handing in    what the page still offers
    ("workflow:care-review *", "not_found", "not_found", set()),
    ("workflow:care-review see", "not_found", "not_found", set()),
    ("collection:customer read", "not_found", "not_found", set()),
    ("workflow:care-review start+resume", "done", "not_allowed", TO_HOLDER - {"complete"}),
    ("workflow:care-review start", "done", "done", TO_HOLDER),
    ("workflow:care-review resume", "done", "done", TO_HOLDER),
    ("collection:customer update", "done", "not_allowed", TO_HOLDER - {"complete"}),
    ("field:customer/email read", "done", "invalid", TO_HOLDER),
    ("field:customer/risk read", "done", "invalid", TO_HOLDER),
    ("field:customer/risk update", "done", "done", TO_HOLDER),
    ("collection:account read", "done", "done", TO_HOLDER),
]


def test_a_right_taken_away_counts_from_the_next_command(company: Company) -> None:
    run_id, me = company.at("rate"), company.olivia
    for what, looking, handing_in, offered in TAKEN:
        before = company.told(run_id)
        obj, acts = what.split()
        with ruled(*[denied(me.id, obj, act) for act in acts.split("+")]):
            assert said(lambda: runs.get(me, run_id)) == looking, what
            if looking == "done":
                assert runs.get(me, run_id).can == offered, what
            submission = runs.Submission(step="rate", revision=before["revision"], values={"risk": "high"})
            got = said(lambda submission=submission: runs.complete(me, run_id, submission))  # type: ignore[misc]
            assert got == handing_in, what
            written = company.sql("select risk from customer where id = 1") == [("high",)]
            assert written == (handing_in == "done" and what != "field:customer/risk update"), what
            for call in (runs.save, runs.release) if looking == "not_found" else ():
                assert said(lambda call=call: call(me, run_id, revision=None)) == "not_found", what  # type: ignore[misc]
            whole(run_id)
        after = company.told(run_id)
        if after["current"]["step"] == "rate":
            assert after["revision"] == before["revision"], what
        else:
            runs.revise(
                me, run_id, revision=after["revision"], step="rate", attempt=None, reason="Once more."
            )
            company.sql("update customer set risk = null where id = 1")


def test_who_may_no_longer_hand_in_can_still_let_go(company: Company) -> None:
    run_id = company.at("note")
    access.assign(company.olivia.id, [("reviewer", "operations")])
    view = runs.get(company.olivia, run_id)
    assert (view.json["holder"], "complete" in view.can, "save" in view.can) == (
        company.olivia.id,
        False,
        True,
    )
    assert said(lambda: company.answer(run_id, note="x")) == "not_allowed"
    runs.save(company.olivia, run_id, revision=None)
    assert runs.get(company.olivia, run_id).can == frozenset()
    assert said(lambda: runs.resume(company.olivia, run_id, revision=None)) == "not_allowed"
    runs.resume(company.tom, run_id, revision=None)
    company.answer(run_id, "tom", note="Mine now.")
    access.assign(company.olivia.id, [])
    for act in (lambda: runs.get(company.olivia, run_id), lambda: runs.replay(company.olivia, run_id)):
        assert said(act) == "not_found"
    assert runs.find(company.olivia) == ([], None)


def test_fields_that_are_denied_are_in_no_form_and_no_context(company: Company) -> None:
    run_id = company.at("rate")
    with ruled(denied(company.olivia.id, "field:customer/email", "read")):
        view = runs.get(company.olivia, run_id)
        assert view.screen is not None
        assert [field["name"] for field in view.screen["fields"]] == ["risk"]
        assert "email" in (view.screen["text"] or "")
        assert view.screen["record"] is not None
        assert "email" not in view.screen["record"]["values"]
        assert view.json["context"]["load"]["record"]["email"] is None
        assert "run.context.load.record.email" in view.masked
        with pytest.raises(Invalid) as told:
            company.answer(run_id, risk="high", email="x@customers.example")
        assert {detail["field"] for detail in told.value.details} == {"email"}
        assert "adaeze@customers.example" not in str(runs.events(company.olivia, run_id))
    with ruled(denied(company.olivia.id, "field:customer/risk", "update")):
        view = runs.get(company.olivia, run_id)
        assert view.screen is not None
        assert [(field["name"], field["readonly"]) for field in view.screen["fields"]] == [
            ("risk", True),
            ("email", False),
        ]


# -------------------------------------------------------------------------------------------------------- closed accounts


def test_what_a_closed_account_left_under_way_is_for_somebody_else(company: Company) -> None:
    writing, waiting = company.at("rate"), company.at("note", "2")
    with failing("effects.perform.before=raise"), pytest.raises(faults.Fault):
        company.answer(writing, risk="high")
    with failing("runs.write.after=raise"), pytest.raises(faults.Fault):
        company.started("3")
    (head,) = runs.on_record(company.mona, "customer", "3")
    accounts.disable_person(company.olivia.id)
    for run_id in (writing, waiting, head.id):
        runs.advance(run_id)
        runs.advance(run_id)
        whole(run_id)
    unknown, began = company.told(writing, "mona"), company.told(head.id, "mona")
    assert (unknown["current"]["type"], unknown["current"]["take_over"]["code"]) == (
        "settle",
        "account_closed",
    )
    assert (began["status"], began["current"]["step"], began["current"]["take_over"]["code"]) == (
        "waiting_person",
        "load",
        "account_closed",
    )
    assert company.told(waiting, "mona")["current"]["take_over"] is None
    for run_id in (writing, waiting, head.id):
        assert "take_over" in runs.get(company.mona, run_id).can
        runs.take_over(company.mona, run_id, revision=None)
    (effect,) = unknown["attempts"][-1]["effects"]
    runs.settle(
        company.mona, writing, revision=None, effect=effect["id"], done=False, reason="Olivia has left."
    )
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    runs.retry(company.mona, head.id, revision=None)
    assert company.told(head.id, "mona")["current"]["step"] == "read"
    for run_id in (writing, waiting, head.id):
        whole(run_id)


# -------------------------------------------------------------------------------------------------------- hostile texts


def test_characters_that_no_database_holds_stop_neither_a_run_nor_the_order_of_the_log(
    company: Company,
) -> None:
    company.sql("update customer set display_name = ? where id = 2", "a\x00b\u202e")
    run_id = company.started("2")
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "read")
    assert told["context"]["load"]["record"]["display_name"] == "a\ufffdb\u202e"
    runs.source_opened(
        company.olivia, run_id, source="related", collection="account", key="x\x00", name="\ud800"
    )
    log.note(
        company.olivia,
        "record_viewed",
        open={"a\x00": "b\x00"},
        sealed={"c\x00": "d\x00"},
        collection="customer",
        record="k\x00",
    )
    log.note(company.olivia, "record_viewed", open={"said": "the six characters \\u0000"})
    whole(run_id)
    assert sequencing.catch_up() > 0
    assert sequencing.lag().pending == 0
    noted = [event for event in log.events_of("ses_olivia") if event.type == "record_viewed"]
    assert (noted[0].open, noted[0].values, noted[0].body["target"]["key"]) == (
        {"a\ufffd": "b\ufffd"},
        {"c\ufffd": "d\ufffd"},
        "k\ufffd",
    )
    assert noted[1].open == {"said": "the six characters \\u0000"}
    company.answer(run_id)
    runs.draft(company.olivia, run_id, step="note", revision=None, values={"note": "half\x00 \ud800"})
    assert company.told(run_id)["current"]["draft"]["values"] == {"note": "half\ufffd ?"}
    assert said(lambda: company.answer(run_id, note="\x00")) == "invalid"
    company.answer(run_id, note="the six characters \\u0000")
    assert company.told(run_id)["context"]["note"]["note"] == "the six characters \\u0000"
    runs.save(company.olivia, run_id, revision=None)
    assert runs.replay(company.olivia, run_id).json["run"]["status"] == "saved"
    whole(run_id)


# ----------------------------------------------------------------------------------------------------------- what is typed


def test_a_draft_is_kept_or_refused_and_never_lost_silently(company: Company) -> None:
    run_id, me = company.at("note"), company.olivia
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.subject is not None
    n, now = loaded.run.current, log.now()
    assert n is not None
    keep = [
        (run_id, n, me.id, True),
        (run_id, n, company.tom.id, False),
        (run_id, n + 1, me.id, False),
        ("run_x", n, me.id, False),
    ]
    for run, place, who, kept in keep:
        assert typed_drafts.keep(run, place, who, loaded.subject, {"note": "typed"}, now) is kept
    runs.take_over(company.mona, run_id, revision=None)
    runs.draft(company.mona, run_id, step="note", revision=None, values={"note": "hers"})
    assert (
        said(lambda: runs.draft(me, run_id, step="note", revision=None, values={"note": "his"}))
        == "not_holder"
    )
    assert company.told(run_id, "mona")["current"]["draft"]["values"] == {"note": "hers"}
    assert company.told(run_id)["current"]["draft"] is None, (
        "what another person types is theirs until they let go"
    )
    runs.release(company.mona, run_id, revision=None)
    assert company.told(run_id)["current"]["draft"]["by"] == company.mona.id
    (released,) = [event for event in log.events_of(run_id) if event.type == "run_released"]
    assert released.values == {"draft": {"note": "hers"}}


def test_what_is_typed_while_the_run_is_taken_away_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = company.at("note")
    keep = typed_drafts.keep

    def late(*given: Any) -> bool:
        monkeypatch.undo()
        runs.take_over(company.mona, run_id, revision=None)
        return keep(*given)

    monkeypatch.setattr(typed_drafts, "keep", late)
    assert (
        said(lambda: runs.draft(company.olivia, run_id, step="note", revision=None, values={"note": "mine"}))
        == "stale_revision"
    )
    assert company.told(run_id, "mona")["current"]["draft"] is None


# ------------------------------------------------------------------------------------------------------------- the sweep


def test_an_idle_run_is_saved_with_what_was_typed_and_a_busy_one_is_not(company: Company) -> None:
    idle, typing, fresh = company.at("note", "1"), company.at("note", "2"), company.at("read", "3")
    saved = company.at("note", "4")
    runs.draft(company.olivia, idle, step="note", revision=None, values={"note": "half"})
    runs.draft(company.olivia, typing, step="note", revision=None, values={"note": "still"})
    runs.save(company.olivia, saved, revision=None)
    for run_id in (idle, typing, saved):
        aged(run_id, 31)
    runs.draft(company.olivia, typing, step="note", revision=None, values={"note": "still at it"})
    assert runs.sweep() == 1
    assert runs.sweep() == 0
    states = {
        run_id: (company.told(run_id)["status"], company.told(run_id)["holder"])
        for run_id in (idle, typing, fresh, saved)
    }
    mine = company.olivia.id
    assert states == {
        idle: ("saved", None),
        typing: ("waiting_person", mine),
        fresh: ("waiting_person", mine),
        saved: ("saved", None),
    }
    (event,) = [event for event in log.events_of(idle) if event.type == "run_saved"]
    assert (event.values, event.body["actor"]["kind"], event.open["former_holder"]) == (
        {"draft": {"note": "half"}},
        "system",
        mine,
    )
    runs.resume(company.tom, idle, revision=None)
    assert company.told(idle, "tom")["current"]["draft"]["values"] == {"note": "half"}
    whole(idle)


def test_the_background_moves_what_is_stuck_and_leaves_what_is_under_way(company: Company) -> None:
    writing = company.at("rate")
    with failing("effects.perform.before=raise"), pytest.raises(faults.Fault):
        company.answer(writing, risk="high")
    with failing("runs.write.after=raise"), pytest.raises(faults.Fault):
        company.started("2")
    (starting,) = [head.id for head in runs.on_record(company.mona, "customer", "2")]
    assert runs.pick_up() == 0, "whoever committed it is still at it"
    for run_id in (writing, starting):
        aged(run_id, 1)
    with away(company):
        company.work()
        assert company.told(writing)["status"] == "waiting_event", "it cannot be told yet"
    for run_id in (writing, starting):
        aged(run_id, 1)
    company.work()
    assert company.told(writing)["current"]["step"] == "decide"
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    told = company.told(starting)
    assert told["current"]["step"] in ("read", "load")
    assert [effect["status"] for effect in company.told(writing)["attempts"][4]["effects"]] == ["succeeded"]
    for run_id in (writing, starting):
        whole(run_id)


def test_jobs_that_come_several_times_at_once_do_everything_once(company: Company) -> None:
    stuck = []
    for record in ("1", "2"):
        run_id = company.at("rate", record)
        with failing("effects.perform.before=raise"), pytest.raises(faults.Fault):
            company.answer(run_id, risk="high")
        aged(run_id, 1)
        stuck.append(run_id)
    assert (runs.pick_up(), runs.pick_up()) == (2, 0), "one job each"

    with ThreadPoolExecutor() as pool:
        assert {
            type(job.exception()) for job in [pool.submit(runs.advance, run_id) for run_id in stuck * 3]
        } <= {type(None), jobs.PutBack}
    for run_id in stuck:
        runs.advance(
            run_id
        )  # a job that was put back, since as much was under way as may be at once, comes again
        kinds = [event.type for event in log.events_of(run_id)]
        assert (kinds.count("effect_requested"), kinds.count("effect_succeeded")) == (1, 1)
        assert company.told(run_id)["current"]["step"] == "decide"
        whole(run_id)


def test_one_run_that_cannot_be_swept_does_not_stop_the_others(
    company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, idle = company.at("note", "1"), company.at("note", "2")
    for run_id in (broken, idle):
        aged(run_id, 40)
    save = runs.sweep.__globals__["save_idle_run"]

    def odd(run_id: str) -> None:
        if run_id == broken:
            raise RuntimeError("no")
        save(run_id)

    monkeypatch.setitem(runs.sweep.__globals__, "save_idle_run", odd)
    assert runs.sweep() == 1
    assert [company.told(run_id)["status"] for run_id in (broken, idle)] == ["waiting_person", "saved"]
    assert f"sweep: run {broken}" in caplog.text
