"""Runs that nobody holds: a service account acts, a worker does the steps, an inbox is asked only when a person is needed."""

from typing import Any

import pytest

from console import log, runs, workflows
from console.auth import accounts
from console.core.errors import Conflict, DefinitionError, Invalid, NotAllowed, NotFound
from console.core.run.causes import Cause
from console.core.run.origin import RecordRef, StartedBy
from console.infra import jobs as queue
from console.infra.db.engine import fetch
from console.runs.commands import hands_off
from console.runs.store.run_store import load
from tests.company import Company
from tests.support.engine import jobs, overdue, step, whole

ROBOT = "robot@fernwick.test"
NIGHTLY, CALLED_IN = StartedBy("nightly", "schedule"), StartedBy("called", "webhook")
STEPS = [
    step("start", "start", "rate")
    | {"config": {"fields": [{"name": "level", "label": "Level", "type": "text", "required": True}]}},
    step("rate", "output", "end", {"values": {"level": "input.level", "name": "record.display_name"}}),
    step("end", "end", None),
]

RATED = (("2", ["high"]), ("3", "high"))
WRONG = "The run was started with a wrong input. Level: This must be text, in quotes; it is a list."


def robot(role: str = "operations_lead", email: str = ROBOT) -> accounts.Person:
    return accounts.create_service_account(email, [(role, "operations")])


def document(steps: list[dict[str, Any]] = STEPS, **more: Any) -> dict[str, Any]:
    settings = {"exclusive": False} | more.pop("settings", {})
    head = {
        "format": 1,
        "slug": "nightly-check",
        "title": "Nightly check",
        "team": "operations",
        "collection": "customer",
        "run_as": ROBOT,
    }
    return head | {"settings": settings, "steps": steps} | more


def began(key: str = "k1", by: StartedBy = NIGHTLY, record: str | None = "1", **values: Any) -> str:
    ref = RecordRef("customer", record) if record is not None else None
    return runs.start_hands_off(
        "nightly-check", by=by, record=ref, values=values or {"level": "low"}, key=key
    )


def test_a_run_that_nobody_holds_goes_to_its_end_in_a_worker(company: Company) -> None:
    account = robot()
    workflows.import_file(document(), publish=True)
    causes = (Cause("tag", person="usr_1", run="run_before", workflow="wf_before", record="7", depth=1),)
    run_id = began(
        by=StartedBy(
            "rated", "event", {"on": "record.updated", "id": "42", "former": {"risk": "low"}}, causes
        )
    )
    run = load(run_id).run  # type: ignore[union-attr]
    assert (run.status, run.holder, run.started_by, run.mode) == ("running", None, account.id, "hands_off")
    assert jobs() == [("queued", f"{run_id}:{run.seq}")]
    assert fetch("select priority from queue.pgqueuer") == [(queue.BEHIND,)]
    company.work()
    whole(run_id)
    told = company.told(run_id, "mona")
    assert (told["status"], told["holder"], told["context"]["rate"]["name"]) == (
        "completed",
        None,
        "Adaeze Okonkwo-Bell",
    )
    assert told["trigger"] == {
        "id": "rated",
        "kind": "event",
        "event": {"on": "record.updated", "id": "42"},
    }  # no value of the record
    assert (told["mode"], told["test"], told["parent"]) == ("hands_off", False, None)
    event = {"on": "record.updated", "id": "42", "former": {"risk": "low"}}
    assert (run.origin, run.caused_by) == ({"id": "rated", "event": event}, causes)
    assert told["caused_by"] == [causes[0].to_json()]
    assert list(runs.rebuild(run_id, check=True)) == []


def test_the_same_start_at_the_same_moment_is_told_the_run_and_no_refusal(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot()
    workflows.import_file(document(settings={"exclusive": True}), publish=True)
    first, known = began(), hands_off.started_with
    late: list[str] = []
    monkeypatch.setattr(
        hands_off, "started_with", lambda key: known(key) if late else late.append(key)
    )  # the first has not been written yet
    assert began() == first
    with pytest.raises(Conflict):
        began("another")


def test_a_wrong_input_that_nobody_can_be_told_of_fails_the_run_at_its_start(company: Company) -> None:
    robot()
    workflows.import_file(document(), publish=True)
    wanted = [
        runs.WantedStart(f"k{record}", NIGHTLY, RecordRef("customer", record), {"level": level})
        for record, level in RATED
    ]
    alone, *together = (began(level=["high"]), *runs.start_many_hands_off("nightly-check", wanted, places=9))
    company.work()
    for run_id in (alone, together[0]):
        whole(str(run_id))
        told = company.told(str(run_id), "mona")
        assert (told["status"], told["reason"]) == ("failed", WRONG)
        with pytest.raises(Invalid):
            runs.rerun(company.mona, str(run_id), origin="start", version="current")
        again = runs.rerun(
            company.mona, str(run_id), origin="start", version="current", given={"level": "high"}
        )
        company.work()
        assert company.told(again, "mona")["status"] == "completed"
    assert company.told(str(together[1]), "mona")["status"] == "completed"
    for by in (CALLED_IN, StartedBy("call", "enrolment")):
        with pytest.raises(Invalid):
            began("k9", by=by, level=["high"])
    assert list(runs.rebuild(check=True)) == []


def test_what_a_start_refuses_leaves_no_run(company: Company) -> None:
    robot()
    workflows.import_file(document(settings={"exclusive": True}), publish=True)
    with pytest.raises(Invalid) as invalid:
        runs.start_hands_off(
            "nightly-check", by=CALLED_IN, record=RecordRef("customer", "1"), values={}, key="a"
        )
    assert invalid.value.details[0]["field"] == "input.level"
    with pytest.raises(NotFound):
        began("b", record="999")
    first = began("c")
    with pytest.raises(Conflict, match="ongoing"):
        began("d")
    assert began("c") == first
    accounts.disable_person(accounts.person_of_email(ROBOT).id)
    with pytest.raises(Conflict, match="robot@fernwick.test"):
        began("e", record="2")
    assert fetch("select id from console.run") == [(first,)]


def test_a_person_who_starts_it_does_not_hold_it(company: Company) -> None:
    account = robot()
    workflows.import_file(document(), publish=True)
    run_id = runs.start(company.olivia, "nightly-check", "customer", "1", {"level": "low"})
    run = load(run_id).run  # type: ignore[union-attr]
    assert (run.holder, run.started_by, run.trigger) == (None, account.id, "record")
    assert log.events_of(run_id)[0].body["actor"]["id"] == company.olivia.id
    for who, record in (
        (company.stan, "1"),
        (company.tom, "3"),
    ):  # of another team; the record is of another desk than his
        with pytest.raises((NotAllowed, NotFound)):
            runs.start(who, "nightly-check", "customer", record, {"level": "low"})


def test_publishing_needs_the_account_and_the_right_to_let_runs_act_as_it(company: Company) -> None:
    with pytest.raises(DefinitionError, match="no open service account robot@fernwick.test"):
        workflows.import_file(document(), publish=True)
    robot("reviewer")
    with pytest.raises(DefinitionError, match="may not start this workflow"):
        workflows.import_file(document(), publish=True)
    robot(email="night@fernwick.test")
    workflows.import_file(
        document(run_as="night@fernwick.test"), company.mona, publish=True
    )  # a lead may, in a team of the account
    made = accounts.create_person("dev@fernwick.test", role="developer", team="operations")
    developer = accounts.actor_of_person(made.person.id)
    with pytest.raises(NotAllowed, match="night@fernwick.test"):
        workflows.import_file(
            document(run_as="night@fernwick.test", title="Changed"), developer, publish=True
        )
    with pytest.raises(NotAllowed, match="account.use"):
        workflows.publish_draft(developer, "nightly-check")


def test_nobody_signs_in_to_a_service_account_and_its_key_acts_as_it(company: Company) -> None:
    account = robot()
    assert accounts.sign_in(ROBOT, "correct horse battery staple", "10.0.0.1", "test") is None
    with pytest.raises(Conflict, match="nobody signs in"):
        accounts.set_password(account.id)
    assert account.id not in {one.id for one in accounts.search("", 100)}
    key = accounts.create_key_for(company.ines, account.id, "callbacks", days=30)
    actor = accounts.actor_of_key(key.text)
    assert actor is not None
    assert (actor.id, actor.email, actor.service, actor.role_names) == (
        account.id,
        ROBOT,
        True,
        ["operations_lead"],
    )
    with pytest.raises(NotFound):
        accounts.create_key_for(company.ines, company.olivia.id, "not mine", days=30)
    with pytest.raises(NotAllowed):
        accounts.create_key_for(company.mona, account.id, "not hers", days=30)
    with pytest.raises(NotAllowed):
        accounts.create_service_account("other@fernwick.test", [("operator", "operations")], by=company.mona)


def test_a_way_back_passes_a_wait_and_steps_know_how_often_they_were_entered(company: Company) -> None:
    robot()
    again = step(
        "again", "condition", "pause", {"branches": [{"if": "steps.say.attempt >= 3", "outcome": "enough"}]}
    )
    again["next"]["enough"] = "end"
    steps = [
        step("start", "start", "say"),
        step(
            "say",
            "output",
            "again",
            {"values": {"first": "steps.say.attempt == 1", "times": "steps.say.attempt"}},
        ),
        again,
        step("pause", "wait", "say", {"duration": "hours(1)"}),
        step("end", "end", None),
    ]
    workflows.import_file(document(steps, collection=None), publish=True)
    run_id = runs.start_hands_off("nightly-check", by=NIGHTLY, record=None, values={}, key="round")
    for _ in range(2):
        company.work()
        assert load(run_id).run.status == "waiting_time"  # type: ignore[union-attr]
        overdue(run_id)
    company.work()
    told = company.told(run_id, "mona")
    assert (told["status"], told["context"]["say"]) == ("completed", {"first": False, "times": 3})
    whole(run_id)
