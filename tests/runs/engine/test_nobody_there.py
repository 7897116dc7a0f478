"""A run that needs a person while whoever had it in hand is gone, or nobody had: it is in an inbox where somebody takes it, and never just ends."""

from collections.abc import Iterator

import pytest

from console import runs
from console.auth import access, accounts
from console.core.errors import NotFound
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from console.work import tickets
from tests.company import Company
from tests.support.engine import kinds, overdue, publish, step, waiting, whole
from tests.support.paying import Provider, at_pay, paying, providing

pytestmark = pytest.mark.slow


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def in_inbox(company: Company, run_id: str) -> bool:
    """Whether Tom finds the run at the desk, may take it, and holds it then."""
    found = [ticket.id for ticket in tickets.to_do(company.tom, "desk").tickets]
    if run_id not in found:
        return False
    assert tickets.take(company.tom, "desk", run_id) == run_id
    return bool(company.told(run_id, "tom")["holder"] == company.tom.id)


def gone(company: Company, how: str) -> None:
    """Olivia is no longer one of those who work here."""
    if how == "closed":
        accounts.disable_person(company.olivia.id)
    else:
        access.assign(
            company.olivia.id,
            [("reviewer", "operations")] if how == "reads only" else [("operator", "procurement")],
        )


LEFT = ("closed", "reads only", "another team")


@pytest.mark.parametrize("how", LEFT)
@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_the_starter_is_gone_when_the_timer_fires(company: Company, on_error: str, how: str) -> None:
    waiting({"duration": "hours(1)"}, on_error=on_error)
    run_id = runs.start(company.olivia, "waiting", None, None)
    company.answer(run_id)
    gone(company, how)
    overdue(run_id)
    company.work()
    assert load(run_id).run.status == "waiting_person"  # type: ignore[union-attr]
    assert in_inbox(company, run_id)
    company.answer(run_id, "tom")
    assert company.told(run_id, "tom")["status"] == "completed"
    whole(run_id)


@pytest.mark.parametrize("how", LEFT)
@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_the_starter_is_gone_before_an_automatic_step_after_a_wait(
    company: Company, provider: Provider, on_error: str, how: str
) -> None:
    paying(by_itself=True, on_error=on_error)
    run_id = at_pay_after_a_wait(company, on_error)
    gone(company, how)
    overdue(run_id)
    company.work()
    told = load(run_id)
    assert told is not None
    assert (told.run.status, told.run.holder, provider.payments) == ("waiting_person", None, []), kinds(
        run_id
    )
    assert in_inbox(company, run_id)
    runs.retry(company.tom, run_id, revision=None)
    assert (provider.payments, company.told(run_id, "tom")["status"]) == ([5], "completed")
    whole(run_id)


def at_pay_after_a_wait(company: Company, on_error: str) -> str:
    """A run of Olivia's that waits, and then pays by itself."""
    pay = step("pay", "trigger_action", "end", {"action": "customer.pay", "values": {"amount": "5"}}) | {
        "completion": "automatic"
    }
    steps = [
        step("start", "start", "pause"),
        step("pause", "wait", "pay", {"duration": "hours(1)"}),
        pay,
        step("end", "end", None),
    ]
    publish("later", steps, "customer", on_error=on_error)
    return runs.start(company.olivia, "later", "customer", "1")


@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_the_starter_is_gone_while_a_change_is_under_way(
    company: Company, provider: Provider, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    paying(by_itself=True, on_error=on_error)
    from console.runs.engine import advancing

    with monkeypatch.context() as patch:  # the process dies between asking and doing
        patch.setattr(advancing, "make_effect", died)
        run_id = runs.start(company.olivia, "paying", "customer", "1")
        with pytest.raises(KeyboardInterrupt):
            company.answer(run_id)
    gone(company, "closed")
    fetch(
        "update console.run set active_at = active_at - interval '1 minute' where id = %s returning 1",
        (run_id,),
    )
    company.work()
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.status == "waiting_person"
    assert loaded.run.unknown is not None, "nobody knows, so somebody looks"
    assert in_inbox(company, run_id)
    whole(run_id)


def died(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("mood", ["refuses", "deaf"])
@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_nobody_holds_the_run_whose_change_goes_wrong(
    company: Company, provider: Provider, on_error: str, mood: str
) -> None:
    handed_on_before_paying(company, on_error)
    provider.mood = mood
    run_id = runs.start(company.olivia, "handed-on", "customer", "1")
    company.answer(run_id)
    loaded = load(run_id, whole=True)
    assert loaded is not None
    if on_error == "fail":
        assert (loaded.run.status, kinds(run_id)[-2:]) == ("failed", ["step_failed", "run_failed"])
        assert [effect.status for attempt in loaded.run.attempts.values() for effect in attempt.effects] == [
            "failed"
        ], "the look-up told"
    else:
        assert (loaded.run.status, loaded.run.holder) == ("waiting_person", None)
        assert (loaded.run.unknown is not None) == (mood == "deaf")
        assert in_inbox(company, run_id)
    assert len(set(provider.asked())) == 1
    whole(run_id)


def handed_on_before_paying(company: Company, on_error: str) -> None:
    """A workflow whose payment is made by itself after the run was handed on, so that nobody holds it then."""
    paying(by_itself=True)
    pay = step("pay", "trigger_action", "end", {"action": "customer.pay", "values": {"amount": "5"}}) | {
        "completion": "automatic"
    }
    hand = step("hand", "escalate", "pay", {"inbox": "desk", "text": "Yours."})
    publish(
        "handed-on",
        [step("start", "start", "hand"), hand, pay, step("end", "end", None)],
        "customer",
        on_error=on_error,
    )


def test_where_a_team_has_no_inbox_the_run_is_among_the_saved_ones(company: Company) -> None:
    from console.workflows import inboxes

    inboxes.close("desk")
    waiting({"duration": "hours(1)"}, on_error="fail")
    run_id = runs.start(company.olivia, "waiting", None, None)
    company.answer(run_id)
    gone(company, "closed")
    overdue(run_id)
    company.work()
    assert [head.id for head in runs.to_continue(company.tom)] == [run_id]
    runs.resume(company.tom, run_id, revision=None)
    company.answer(run_id, "tom")
    assert company.told(run_id, "tom")["status"] == "completed"


def test_the_inbox_that_the_workflow_names_comes_first_where_somebody_works_there(company: Company) -> None:
    from console.workflows import inboxes

    inboxes.import_all(
        [
            {"id": "second", "title": "Second", "team": "operations"},
            {"id": "empty", "title": "Empty", "team": "operations", "roles": ["auditor"]},
        ]
    )
    for named, place in (("second", "second"), ("empty", "desk"), (None, "desk")):
        slug = f"waiting-{named or 'none'}"
        waiting({"duration": "hours(1)"}, slug=slug, **({"inbox": named} if named else {}))
        run_id = runs.start(company.olivia, slug, None, None)
        company.answer(run_id)
        access.assign(company.olivia.id, [("reviewer", "operations")])
        overdue(run_id)
        company.work()
        loaded = load(run_id)
        assert loaded is not None
        assert (loaded.run.ticket or {}).get("inbox") == place
        access.assign(company.olivia.id, [("operator", "operations")])


def test_what_a_closed_account_has_in_hand_goes_to_the_inbox_with_what_was_typed(company: Company) -> None:
    run_id = company.at("note")
    runs.draft(company.olivia, run_id, step="note", revision=None, values={"note": "Half a sen"})
    gone(company, "closed")
    fetch(
        "update console.run set active_at = active_at - interval '2 hours' where id = %s returning 1",
        (run_id,),
    )
    fetch(
        "update console.draft set saved_at = saved_at - interval '2 hours' where run = %s returning 1",
        (run_id,),
    )
    runs.sweep()
    assert in_inbox(company, run_id)
    assert company.told(run_id, "tom")["current"]["draft"]["values"] == {"note": "Half a sen"}


def test_who_is_there_keeps_the_run(company: Company, provider: Provider) -> None:
    paying(by_itself=True)
    provider.mood = "refuses"
    run_id = at_pay(company)
    told = company.told(run_id)
    assert (told["status"], told["holder"], told["ticket"]) == ("waiting_person", company.olivia.id, None)
    assert "run_escalated" not in kinds(run_id)


def split(slug: str, on_error: str) -> None:
    """Publish a workflow of two branches, each of which waits an hour."""
    branches = [{"id": name, "start": f"pause_{name}"} for name in ("left", "right")]
    steps = [
        step("start", "start", "both"),
        step("both", "parallel", "end", {"branches": branches, "until": "all"}),
        step("end", "end", None),
    ]
    for name in ("left", "right"):
        pause = step(f"pause_{name}", "wait", f"say_{name}", {"duration": "hours(1)"})
        steps += [pause, step(f"say_{name}", "output", "end", {"values": {"desk": "record.desk"}})]
    publish(slug, steps, "customer", on_error=on_error)


@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_the_starter_is_gone_while_a_branch_waits(company: Company, on_error: str) -> None:
    split("split", on_error)
    run_id = runs.start(company.olivia, "split", "customer", "1")
    company.work()
    made = [child.id for child in runs.children_of(run_id)]
    gone(company, "closed")
    for child in made:
        overdue(child)
    company.work()
    told = {each: load(each).run.status for each in (run_id, *made)}  # type: ignore[union-attr]
    assert told == {run_id: "waiting_event", **dict.fromkeys(made, "waiting_person")}
    for child in made:
        assert in_inbox(company, child)
        runs.retry(company.tom, child, revision=None)
    company.work()
    taken = {each.id: (each.status, each.acts_for) for each in (load(child).run for child in made)}  # type: ignore[union-attr]
    assert taken == dict.fromkeys(made, ("completed", company.tom.id))
    assert in_inbox(company, run_id)  # what comes after the branches is not theirs
    runs.retry(company.tom, run_id, revision=None)
    assert load(run_id).run.status == "completed"  # type: ignore[union-attr]


def test_who_takes_a_branch_is_judged_by_their_own_rights(company: Company) -> None:
    """Tom sees no record of another desk, so neither does a branch that he takes from somebody who is gone."""
    split("split-other-desk", "ask")
    run_id = runs.start(company.olivia, "split-other-desk", "customer", "3")
    company.work()
    child = runs.children_of(run_id)[0].id
    gone(company, "closed")
    overdue(child)
    company.work()
    with pytest.raises(NotFound):
        tickets.take(company.tom, "desk", child)
    tickets.take(company.mona, "desk", child)
    runs.retry(company.mona, child, revision=None)
    company.work()
    assert (load(child).run.status, load(child).run.acts_for) == ("completed", company.mona.id)  # type: ignore[union-attr]
