"""Changes in other people's systems, through the whole house: made once, tried again where that may help, checked, settled, kept, taken back."""

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from console import access, log, runs, workflows
from console.core.commands import Report
from console.db.engine import alone, fetch
from console.errors import Conflict, ConsoleError, Invalid, NotFound
from console.runs.effecting import noted
from console.runs.store import load
from tests.company import Company
from tests.services.acting import imported
from tests.services.engine import kinds, overdue, until, whole, workers
from tests.services.paying import PAY, RECALL, Provider, at_pay, paying, providing
from tests.services.test_runs_crash import act, together
from tests.services.test_runs_midway import failing


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def pay(company: Company, run_id: str, amount: int = 5, by: str = "olivia", **more: Any) -> dict[str, Any]:
    """Hand in the payment; the run as it stands then."""
    told = company.told(run_id, by)
    runs.complete(company.people[by], run_id, step="pay", revision=told["revision"], values={"amount": amount}, **more)
    return company.told(run_id, by)


def effects(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["summary"], each["status"]) for attempt in told["attempts"] for each in attempt["effects"]]


def back(company: Company, run_id: str, step: str = "pay", compensate: tuple[str, ...] = ()) -> dict[str, Any]:
    runs.revise(company.olivia, run_id, revision=None, step=step, attempt=None, reason="again", compensate=compensate)
    return company.told(run_id)


def made(told: dict[str, Any]) -> list[str]:
    """Ids of what was made, in order."""
    return [each["id"] for attempt in told["attempts"] for each in attempt["effects"] if each["status"] == "succeeded"]


# -------------------------------------------------------------------------------------------------------------- may pass


def test_a_busy_provider_is_asked_again_under_the_same_key_until_it_is_done(company: Company, provider: Provider) -> None:
    paying(retries=2)
    run_id = at_pay(company)
    provider.mood = "busy"
    told = pay(company, run_id)
    waiting = told["current"]["waiting"]
    assert (told["status"], waiting["for"], waiting["tries"], waiting["code"]) == ("waiting_time", "retry", 1, "busy")
    assert runs.get(company.olivia, run_id).can >= {"stop_trying"}
    assert not runs.get(company.olivia, run_id).can & {"abort", "revise", "complete"}
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["waiting"]["tries"] == 2
    provider.mood = "good"
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["step"] == "after"
    assert (len(provider.asked()), len(set(provider.asked())), provider.payments) == (3, 1, [5])
    whole(run_id)


def test_when_the_tries_are_used_up_the_form_is_open_again(company: Company, provider: Provider) -> None:
    paying(retries=1)
    run_id = at_pay(company)
    provider.mood = "busy"
    pay(company, run_id, 7)
    overdue(run_id)
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], effects(told)) == ("waiting_person", "pay", [("Pay through the provider", "failed")])
    assert {field["name"]: field["value"] for field in told["current"]["form"]["fields"]} == {"amount": 7}
    assert kinds(run_id).count("retry_set") == 1
    provider.mood = "good"
    assert pay(company, run_id, 7)["current"]["step"] == "after"
    assert len(set(provider.asked())) == 2, "a new wish has a new key"
    whole(run_id)


def test_who_stops_the_trying_has_the_form_and_nobody_else_may(company: Company, provider: Provider) -> None:
    paying()
    run_id = at_pay(company)
    provider.mood = "busy"
    revision = pay(company, run_id)["revision"]
    for who, code in (("tom", "not_holder"), ("stan", "not_found")):
        with pytest.raises(ConsoleError) as refused:
            runs.stop_trying(company.people[who], run_id, revision=revision)
        assert refused.value.code == code
    runs.stop_trying(company.olivia, run_id, revision=revision)
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], effects(told)) == ("waiting_person", "pay", [("Pay through the provider", "failed")])
    assert "busy" in told["current"]["errors"][0]["reason"]
    assert company.work() == 0
    with pytest.raises(Conflict):
        runs.stop_trying(company.olivia, run_id, revision=None)
    whole(run_id)


def test_what_is_refused_or_unknown_is_not_tried_again(company: Company, provider: Provider) -> None:
    paying()
    refused, mute = at_pay(company), None
    provider.mood = "refuses"
    assert pay(company, refused)["status"] == "waiting_person"
    runs.abort(company.olivia, refused, revision=None, reason="next")
    provider.mood = "mute"
    mute = at_pay(company)
    told = pay(company, mute)
    assert (told["status"], told["current"]["type"], len(provider.asked())) == ("waiting_person", "settle", 2)
    company.work()
    assert len(provider.asked()) == 2


def test_an_automatic_step_tries_again_and_then_takes_its_way_for_errors(company: Company, provider: Provider) -> None:
    paying(by_itself=True, error=True, retries=1)
    provider.mood = "busy"
    run_id = at_pay(company)
    assert company.told(run_id)["status"] == "waiting_time"
    overdue(run_id)
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], [each["status"] for each in told["attempts"]][-2:]) == (
        "waiting_person",
        "mend",
        ["failed", "open"],
    )
    company.answer(run_id)
    assert company.told(run_id)["status"] == "completed"
    whole(run_id)


# ----------------------------------------------------------------------------------------------------------- nobody knows


def unknown(company: Company, provider: Provider, mood: str = "mute") -> tuple[str, dict[str, Any]]:
    paying()
    run_id = at_pay(company)
    provider.mood = mood
    told = pay(company, run_id)
    provider.mood = "good"
    assert told["current"]["type"] == "settle"
    return run_id, told


def test_a_look_up_that_finds_it_settles_it(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider)
    effect = told["current"]["effect"]
    assert (effect["status"], effect["key"], effect["values"], effect["record"]) == ("unknown", provider.asked()[0], {"amount": 5}, "1")
    assert (effect["sent"]["target"], effect["sent"]["path"]) == ("provider", "/payments")
    assert runs.get(company.olivia, run_id).can == {"settle", "check", "save", "release", "escalate"}
    assert runs.check(company.olivia, run_id, revision=told["revision"], effect=effect["id"]) == "done"
    after = company.told(run_id)
    assert (after["current"]["step"], after["context"]["pay"]["results"], provider.payments) == (
        "after",
        {"payment": {"payment": "pay_1"}},
        [5],
    )
    assert kinds(run_id).count("effect_checked") == 1
    whole(run_id)


def test_a_look_up_that_does_not_find_it_has_it_done_under_the_same_key(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider, "deaf")
    assert provider.payments == []
    assert runs.check(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"]) == "not_done"
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == ("after", [5], 1)


def test_a_look_up_without_an_answer_says_so_and_moves_nothing(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider)
    provider.receiver.raw = lambda handler: handler.connection.close()
    assert runs.check(company.olivia, run_id, revision=told["revision"], effect=told["current"]["effect"]["id"]) == "unclear"
    after = company.told(run_id)
    assert (after["revision"], after["current"]["type"]) == (told["revision"], "settle")
    (event,) = [event for event in log.events_of(run_id) if event.type == "effect_checked"]
    assert (event.open["result"], "cannot be told" in event.values["message"]) == ("unclear", True)
    whole(run_id)


@pytest.mark.parametrize(("who", "code"), [("tom", "not_holder"), ("ada", "not_holder"), ("stan", "not_found")])
def test_only_the_holder_checks(company: Company, provider: Provider, who: str, code: str) -> None:
    run_id, told = unknown(company, provider)
    asked = len(provider.receiver.received)
    with pytest.raises(ConsoleError) as refused:
        runs.check(company.people[who], run_id, revision=None, effect=told["current"]["effect"]["id"])
    assert (refused.value.code, len(provider.receiver.received)) == (code, asked)


def test_what_is_not_unknown_is_not_checked(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider)
    effect = told["current"]["effect"]["id"]
    with pytest.raises(Conflict):
        runs.check(company.olivia, run_id, revision=None, effect="eff_other")
    with pytest.raises(Conflict) as stale:
        runs.check(company.olivia, run_id, revision=told["revision"] - 1, effect=effect)
    assert stale.value.code == "stale_revision"
    runs.settle(company.olivia, run_id, revision=None, effect=effect, done=True, reason="It is in their list.")
    with pytest.raises(Conflict):
        runs.check(company.olivia, run_id, revision=None, effect=effect)


def test_a_record_tells_what_came_of_a_write(company: Company) -> None:
    for new, found, step in (("high", "done", "decide"), ("low", "not_done", "decide"), ("medium", "unclear", "rate")):
        company.sql("update customer set risk = 'low' where id = 1")
        run_id = company.at("rate")
        with failing("effects.perform.before=raise"), pytest.raises(Exception, match="effects"):
            company.answer(run_id, risk="high")
        company.sql("update customer set risk = 'medium' where id = 1")
        runs.advance(run_id)
        company.sql("update customer set risk = ? where id = 1", new)
        effect = company.told(run_id)["current"]["effect"]
        assert (effect["key"], effect["values"]) == (None, {"risk": {"old": "low", "new": "high"}})
        assert runs.check(company.olivia, run_id, revision=None, effect=effect["id"]) == found
        assert company.told(run_id)["current"]["step"] == step
        if found == "unclear":
            runs.settle(company.olivia, run_id, revision=None, effect=effect["id"], done=True, reason="Mona's")
        assert company.sql("select risk from customer where id = 1") == [("high" if found != "unclear" else "medium",)]
        runs.abort(company.olivia, run_id, revision=None, reason="next")


def test_what_was_sent_is_shown_only_to_who_may_see_what_it_was_made_of(company: Company, provider: Provider) -> None:
    told_of = PAY | {"effects": [PAY["effects"][0] | {"body": {"amount": "input.amount", "tax": "record.tax_id"}}]}
    paying(document=told_of)
    run_id = at_pay(company)
    provider.mood = "mute"
    pay(company, run_id)
    for who in ("olivia", "mona", "ada"):
        view = runs.get(company.people[who], run_id)
        may_not = "tax_id" in access.scope_for(company.people[who], "customer", "read").hidden
        assert (view.json["current"]["effect"]["sent"] is None) == may_not
        assert ("run.current.effect.sent" in view.masked) == may_not
    assert any("tax_id" in access.scope_for(company.people[who], "customer", "read").hidden for who in ("olivia", "mona", "ada"))


# ------------------------------------------------------------------------------------------------------------- dies, freezes


@pytest.mark.parametrize(
    ("point", "paid", "step"),
    [
        ("effects.perform.before", [], "settle"),
        ("effects.perform.after", [5], "after"),
        ("effects.report.before", [5], "after"),
        ("log.write.before@3", [5], "after"),
        ("log.write.after@3", [5], "after"),
    ],
)
def test_a_process_that_dies_around_a_payment_never_pays_twice(
    company: Company, provider: Provider, point: str, paid: list[int], step: str
) -> None:
    """Where the provider can be asked, what was done is found; where it finds nothing, a person is asked and the same key is used."""
    paying()
    run_id = at_pay(company)
    place, _, number = point.partition("@")
    with failing(f"{place}=raise" + (f"@{number}" if number else "")), pytest.raises(Exception, match=place):
        pay(company, run_id)
    assert provider.payments == paid
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    told = company.told(run_id)
    assert (told["current"]["type"] if step == "settle" else told["current"]["step"]) == step
    if step == "settle":
        runs.settle(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"], done=False, reason="It is not there.")
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == ("after", [5], 1)
    whole(run_id)


def test_a_slow_payment_becomes_a_question_and_its_answer_settles_it(company: Company, provider: Provider) -> None:
    paying(step_seconds=60)
    run_id = at_pay(company)
    wanted: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        with alone(run_id) as mine:
            assert mine
            entered.set()
            leave.wait(30)

    with failing("effects.perform.before=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    thread = threading.Thread(target=slow)
    thread.start()
    entered.wait(30)
    runs.pick_up()
    assert company.told(run_id)["status"] == "waiting_event", "there is time left"
    fetch("update console.run set active_at = now() - interval '61 seconds' returning 1")
    runs.pick_up()
    told = company.told(run_id)
    assert (told["status"], told["current"]["type"], told["current"]["take_over"]["code"]) == ("waiting_person", "settle", "timeout")
    wanted.append(told["current"]["effect"]["id"])
    loaded = load(run_id)
    assert loaded is not None
    noted(workflows.version(loaded.run.workflow, loaded.run.version), loaded, Report(wanted[0], "succeeded"))
    leave.set()
    thread.join()
    assert (company.told(run_id)["current"]["step"], kinds(run_id).count("effect_succeeded")) == ("after", 1)
    whole(run_id)


def test_what_nobody_is_at_is_looked_at_and_not_timed_out(company: Company, provider: Provider) -> None:
    paying(step_seconds=1)
    run_id = at_pay(company)
    with failing("effects.perform.after=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    fetch("update console.run set active_at = now() - interval '1 hour' returning 1")
    company.work()
    assert (company.told(run_id)["current"]["step"], "effect_unknown" in kinds(run_id)) == ("after", False)


def test_a_worker_that_freezes_while_it_pays_and_thaws_pays_once(company: Company, provider: Provider) -> None:
    paying(by_itself=True, step_seconds=2)
    provider.mood = "busy"
    run_id = at_pay(company)
    provider.mood = "held"
    overdue(run_id)
    with workers() as (worker,):
        assert until(lambda: len(provider.asked()) == 2)
        worker.send_signal(signal.SIGSTOP)
        provider.held.set()
        fetch("update console.run set active_at = now() - interval '1 minute' where id = %s returning 1", (run_id,))
        runs.pick_up()
        assert company.told(run_id)["current"]["take_over"]["code"] == "timeout"
        worker.send_signal(signal.SIGCONT)
        assert until(
            lambda: (
                company.told(run_id)["current"]["step"] == "after"
                or "effect_reported" in kinds(run_id)
                or kinds(run_id).count("effect_unknown") > 1
            )
        )
    effect = company.told(run_id)["current"]["effect"]
    if effect is not None:
        assert runs.check(company.olivia, run_id, revision=None, effect=effect["id"]) == "done"
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == ("after", [5], 1)
    whole(run_id)


def test_two_workers_and_killed_ones_pay_once_each(company: Company, provider: Provider) -> None:
    paying(by_itself=True)
    provider.mood = "busy"
    run_ids = []
    for record in ("1", "2", "4"):
        run_ids.append(runs.start(company.olivia, "paying", "customer", record))
        company.answer(run_ids[-1])
        overdue(run_ids[-1])
    provider.mood = "held"
    with workers(2) as (one, _two):
        assert until(lambda: len(provider.asked()) >= 4)
        os.kill(one.pid, signal.SIGKILL)
        provider.held.set()
        provider.mood = "good"
        done = "select count(*) from console.run where id = any(%s) and status = 'waiting_person'"
        assert until(lambda: fetch(done, (run_ids,))[0][0] == 3)
    for run_id in run_ids:
        told = company.told(run_id)
        if told["current"]["effect"]:
            runs.check(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"])
        assert company.told(run_id)["current"]["step"] == "after"
        whole(run_id)
    assert (provider.payments, len(set(provider.asked()))) == ([5, 5, 5], 3)


def test_a_connection_cut_between_commit_and_reply_asks_for_nothing_twice(company: Company, provider: Provider) -> None:
    """The client learns nothing; asked again with the revision it had, it is told that the run moved, and the payment was made once."""
    paying()
    run_id = at_pay(company)
    told = company.told(run_id)
    with failing("log.write.after=raise@1"), pytest.raises(Exception, match="log"):
        pay(company, run_id)
    with pytest.raises(Conflict) as stale:
        runs.complete(company.olivia, run_id, step="pay", revision=told["revision"], values={"amount": 5})
    assert stale.value.code == "stale_revision"
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    now = company.told(run_id)
    assert now["current"]["type"] == "settle", "it may have left: a person is asked"
    assert runs.check(company.olivia, run_id, revision=None, effect=now["current"]["effect"]["id"]) == "not_done"
    assert (kinds(run_id).count("effect_requested"), provider.payments) == (1, [5])


def test_several_at_once_pay_once(company: Company, provider: Provider) -> None:
    paying()
    run_id = at_pay(company)
    told = company.told(run_id)

    def click() -> None:
        runs.complete(company.olivia, run_id, step="pay", revision=told["revision"], values={"amount": 5})

    assert sorted(together(click, click, click)) == ["done", "stale_revision", "stale_revision"]
    assert provider.payments == [5]
    runs.cancel(company.mona, run_id, revision=None, reason="next")


def test_what_comes_after_the_end_is_noted_and_changes_nothing(company: Company, provider: Provider) -> None:
    paying()
    run_id = at_pay(company)
    with failing("effects.perform.before=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.wanted is not None
    runs.end_for_erasure(run_id)
    noted(workflows.version(loaded.run.workflow, loaded.run.version), loaded, Report(loaded.run.wanted.id, "succeeded"))
    assert (company.told(run_id)["status"], kinds(run_id)[-1]) == ("cancelled", "effect_reported")
    whole(run_id)


# ------------------------------------------------------------------------------------------------- kept, again, taken back


def paid(company: Company, provider: Provider, **more: Any) -> str:
    paying(**more)
    run_id = at_pay(company)
    assert pay(company, run_id)["current"]["step"] == "after"
    return run_id


def test_the_preview_names_what_was_done_and_what_takes_it_back(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    told = runs.preview(company.olivia, run_id, "look").json
    (done,) = made(company.told(run_id))
    entry = {
        "id": done,
        "step": "pay",
        "kind": "http",
        "summary": "Pay through the provider",
        "compensation": {"action": "customer.recall", "label": "Recall the payment"},
    }
    assert (told["effects_done"], told["approvals_void"]) == ([entry], [])
    assert runs.abort_preview(company.olivia, run_id).json == {"effects_done": [entry]}
    assert runs.preview(company.ada, run_id, "look").json["effects_done"] == [entry | {"compensation": None}], "not hers to execute"
    with pytest.raises(NotFound):
        runs.abort_preview(company.stan, run_id)


@pytest.mark.parametrize("look", [False, True])
def test_coming_to_the_payment_again_asks_and_keeps_it(company: Company, provider: Provider, look: bool) -> None:
    run_id = paid(company, provider)
    back(company, run_id, "look" if look else "pay")
    if look:
        company.answer(run_id)
    for hand_in in (runs.complete, runs.complete_and_look):
        with pytest.raises(Conflict) as asked:
            hand_in(company.olivia, run_id, step="pay", revision=None, values={"amount": 5})
        assert (asked.value.code, [each["value"] for each in asked.value.details]) == ("already_done", ["keep", "again", "compensate"])
    with pytest.raises(Conflict) as other:
        pay(company, run_id, 6)
    assert [each["value"] for each in other.value.details] == ["again", "compensate"]
    told = pay(company, run_id, 5, repeat="keep")
    assert (told["current"]["step"], provider.payments, told["context"]["pay"]["results"]) == (
        "after",
        [5],
        {"payment": {"payment": "pay_1"}},
    )
    assert kinds(run_id).count("effect_kept") == 1
    whole(run_id)


def test_again_needs_a_reason_and_pays_twice(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    back(company, run_id)
    with pytest.raises(Invalid) as refused:
        pay(company, run_id, 5, repeat="again")
    assert refused.value.details[0]["field"] == "reason"
    assert pay(company, run_id, 5, repeat="again", reason="The bank lost it.")["current"]["step"] == "after"
    assert (provider.payments, len(set(provider.asked()))) == ([5, 5], 2)
    whole(run_id)


def test_compensate_recalls_the_payment_before_it_is_made_anew(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    back(company, run_id)
    told = pay(company, run_id, 9, repeat="compensate")
    assert (told["current"]["step"], provider.recalls, provider.payments) == ("after", ["pay_1"], [5, 9])
    assert effects(told) == [
        ("Pay through the provider", "succeeded"),
        ("Recall the payment", "succeeded"),
        ("Pay through the provider", "succeeded"),
    ]
    entry = told["attempts"][-2]["effects"][0]
    assert entry["compensates"] == told["attempts"][2]["effects"][0]["id"]
    whole(run_id)


def test_an_automatic_step_that_comes_again_asks_a_person(company: Company, provider: Provider) -> None:
    paying(by_itself=True, on_error="fail")
    run_id = at_pay(company)
    assert company.told(run_id)["current"]["step"] == "after"
    back(company, run_id, "look")
    company.answer(run_id)
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], told["current"]["take_over"]["code"]) == ("waiting_person", "pay", "already_done")
    assert pay(company, run_id, 5, repeat="keep")["current"]["step"] == "after"
    assert provider.payments == [5]


def test_a_revision_takes_back_what_is_named_and_nothing_else(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    (done,) = made(company.told(run_id))
    for wrong in ("eff_other", run_id):
        with pytest.raises(Invalid) as refused:
            back(company, run_id, "look", (done, wrong))
        assert refused.value.details[0] == refused.value.details[0] | {"field": "compensate", "effect": wrong}
    told = back(company, run_id, "look", (done,))
    assert (told["status"], told["current"]["step"], provider.recalls) == ("waiting_person", "look", ["pay_1"])
    company.answer(run_id)
    assert pay(company, run_id, 5)["current"]["step"] == "after", "it was taken back: nobody is asked"
    with pytest.raises(Invalid):
        back(company, run_id, "look", (done,))
    assert (provider.payments, provider.recalls) == ([5, 5], ["pay_1"])
    whole(run_id)


def test_the_run_is_aborted_when_its_payment_is_recalled(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    (done,) = made(company.told(run_id))
    provider.moods["/recalls"] = "busy"
    runs.abort(company.olivia, run_id, revision=None, reason="Not wanted", compensate=[done])
    assert company.told(run_id)["status"] == "waiting_time"
    provider.moods.clear()
    overdue(run_id)
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["reason"], provider.recalls) == ("aborted", "Not wanted", ["pay_1"])
    whole(run_id)


@pytest.mark.parametrize("mood", ["refuses", "mute"])
def test_a_recall_that_fails_is_for_a_person_to_settle(company: Company, provider: Provider, mood: str) -> None:
    run_id = paid(company, provider)
    (done,) = made(company.told(run_id))
    provider.moods["/recalls"] = mood
    told = back(company, run_id, "look", (done,))
    effect = told["current"]["effect"]
    assert (told["current"]["type"], effect["compensates"], effect["status"]) == (
        "settle",
        done,
        "failed" if mood == "refuses" else "unknown",
    )
    assert ("check" in runs.get(company.olivia, run_id).can) == (mood == "mute")
    runs.settle(company.olivia, run_id, revision=None, effect=effect["id"], done=False, reason="They say no.", left=True)
    assert company.told(run_id)["current"]["step"] == "look"
    company.answer(run_id)
    with pytest.raises(Conflict) as asked:
        pay(company, run_id, 5)
    assert asked.value.code == "already_done"
    whole(run_id)


def test_who_does_not_hold_the_run_takes_nothing_back(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    done = made(company.told(run_id))
    for who, code in (("tom", "not_holder"), ("ada", "not_holder"), ("stan", "not_found")):
        actor = company.people[who]
        with pytest.raises(ConsoleError) as aborting:
            runs.abort(actor, run_id, revision=None, reason="x", compensate=done)
        with pytest.raises(ConsoleError) as revising:
            runs.revise(actor, run_id, revision=None, step="look", attempt=None, reason="x", compensate=done)
        assert (aborting.value.code, revising.value.code) == (code, code)
    assert provider.recalls == []


# ----------------------------------------------------------------------------------------------- killed at every point there is


def settle_all(company: Company, run_id: str) -> dict[str, Any]:
    """What a worker and then the person do about what a killed process left, until nothing is open."""
    for _ in range(6):
        fetch("update console.run set active_at = now() - interval '1 minute' where id = %s returning 1", (run_id,))
        company.work()
        told = company.told(run_id)
        effect = (told["current"] or {}).get("effect")
        if effect is None or effect["status"] != "unknown":
            break
        runs.check(company.olivia, run_id, revision=None, effect=effect["id"])
    return company.told(run_id)


def do(company: Company, run_id: str, verb: str) -> None:
    """What a person asks for."""
    told = company.told(run_id)
    match verb:
        case "pay":
            pay(company, run_id)
        case "compensate":
            pay(company, run_id, 6, repeat="compensate")
        case "abort":
            runs.abort(company.olivia, run_id, revision=told["revision"], reason="enough", compensate=made(told))
        case "revise":
            runs.revise(company.olivia, run_id, revision=told["revision"], step="look", attempt=None, reason="again", compensate=made(told))


@pytest.mark.parametrize("verb", ["pay", "compensate", "abort", "revise"])
def test_killed_at_every_point_nothing_is_done_twice_or_lost(company: Company, provider: Provider, verb: str) -> None:
    """SIGKILL at the first, second, … point that is passed, until none is left; then a worker, the person, and the same once more where it was not taken."""
    recall = RECALL | {"effects": [RECALL["effects"][0] | {"look_up": PAY["effects"][0]["look_up"] | {"result": {}}}]}
    paying()
    imported(recall)
    for number in range(1, 40):
        provider.done.clear()
        run_id = at_pay(company)
        if verb != "pay":
            pay(company, run_id)
        if verb == "compensate":
            back(company, run_id)
        before = company.told(run_id)
        status = act(company, run_id, verb, f"*=kill@{number}", do)
        whole(run_id)
        after = settle_all(company, run_id)
        if after["revision"] == before["revision"]:
            do(company, run_id, verb)
            after = settle_all(company, run_id)
        wanted = {
            "pay": ([5], [], "after"),
            "compensate": ([5, 6], ["pay_1"], "after"),
            "abort": ([5], ["pay_1"], None),
            "revise": ([5], ["pay_1"], "look"),
        }
        assert (provider.payments, provider.recalls, (after["current"] or {}).get("step")) == wanted[verb], number
        assert len(provider.done) == len(provider.payments) + len(provider.recalls)
        whole(run_id)
        if after["current"]:
            runs.abort(company.olivia, run_id, revision=None, reason="next")
        if status == 0:
            assert number > 4
            return
    pytest.fail("a point is passed again and again")


def test_the_preview_names_the_approvals_that_become_void(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    for number, (n, status) in enumerate([(3, "approved"), (4, "open"), (4, "rejected"), (1, "approved")]):
        told = (f"apr_{number}", run_id, n, status, company.olivia.id)
        fetch(APPROVAL, told)
    void = runs.preview(company.olivia, run_id, "look").json["approvals_void"]
    assert sorted(each["id"] for each in void) == ["apr_0", "apr_1"]


APPROVAL = """
insert into console.approval (id, run, n, step, attempt, action, team, status, requested_by, requested_at)
values (%s, %s, %s, 'pay', 1, 'customer.pay', 'operations', %s, %s, now()) returning 1
"""
