"""Who is let into a workflow and who is not, how they begin, move and leave, and that the counts are always those of the rows."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from console import records, runs, workflows
from console.activity import sequencing
from console.automation import enrolments
from console.automation.enrolments import Counts, Question
from console.automation.enrolments.admission import TWICE
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.infra.jobs import PutBack, background, turns
from console.operations import lost_jobs
from tests.company import DOCUMENT, Company
from tests.jobs import BEGINNING, do, work_until_idle, worked
from tests.tables import cases

WHY = {"why": "periodic"}
LEADS: dict[str, Any] = {
    **DOCUMENT,
    "slug": "call-leads",
    "title": "Call leads",
    "collection": None,
    "steps": [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {
                "fields": [
                    {"name": "name", "label": "Name", "required": True},
                    {"name": "phone", "label": "Phone"},
                ]
            },
            "next": {"default": "call"},
        },
        {
            "id": "call",
            "type": "guidance",
            "title": "Call",
            "config": {"text": "Call {{ input.name }}."},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Called"}, "next": {}},
    ],
}


def published(**more: Any) -> None:
    workflows.import_file(DOCUMENT | more, publish=True, rights=False)


def counts(slug: str = "care-review") -> Counts:
    target = enrolments.find(slug)
    assert not list(enrolments.counts.rebuild(check=True))
    return enrolments.counts_for(Actor("system", ""), target.id, None)


def in_now(company: Company, slug: str = "care-review", **more: Any) -> list[enrolments.Lead]:
    return list(enrolments.places.page(company.olivia, enrolments.find(slug), paths=True, **more).rows)


def test_a_selection_is_enrolled_and_each_row_says_what_became_of_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolments.batches, "PREVIEWED", 1)
    asked = Question(keys=["1", "2", "99", "1"], values=WHY)
    seen = enrolments.batches.begin(
        company.olivia, "care-review", replace(asked, keys=["2", "2", "99", "98", "97"]), preview=True
    )
    assert (seen.status, seen.enrolled, seen.already_enrolled, seen.refused) == ("done", 1, 1, 3)
    unseen = enrolments.whom_to_enrol.UNSEEN
    assert enrolments.batches.causes(seen) == [("refused", unseen, 3), ("already_enrolled", TWICE, 1)], (
        "more are counted than kept"
    )
    seen = enrolments.batches.begin(company.olivia, "care-review", asked, preview=True)
    assert (seen.status, seen.enrolled, seen.already_enrolled, seen.refused) == ("done", 2, 1, 1)
    assert counts() == Counts()
    done = enrolments.batches.confirmed(company.olivia, seen.id)
    assert (done.status, done.enrolled, done.already_enrolled, done.refused) == ("done", 2, 1, 1)
    assert enrolments.batches.confirmed(company.olivia, seen.id).id == done.id, (
        "the button pressed twice, or the page opened again"
    )
    told, _ = enrolments.batches.answers(company.olivia, done.id)
    assert [(row.row, row.status, row.record) for row in told] == [
        (3, "refused", None),
        (4, "already_enrolled", "1"),
    ]
    assert [row.reasons[0]["reason"] for row in told] == [unseen, TWICE]
    assert counts() == Counts(waiting=2, steps={"start": 2})
    again = enrolments.batches.begin(company.olivia, "care-review", Question(keys=["1"], values=WHY))
    assert (again.enrolled, again.already_enrolled) == (0, 1)


def test_a_segment_is_enrolled_by_the_worker_within_the_scope_of_who_asked(company: Company) -> None:
    batch = enrolments.batches.begin(company.tom, "care-review", Question(segment="unrated", values=WHY))
    assert batch.status == "running"
    work_until_idle({"enrol"})
    done = enrolments.batches.get(company.tom, batch.id)
    assert (done.status, done.enrolled) == ("done", 2), "customer 3 is of another desk"
    assert {lead.record for lead in in_now(company)} == {"1", "4"}
    stopped = enrolments.batches.begin(
        company.olivia,
        "care-review",
        Question(filter='{"field": "risk", "op": "eq", "value": "low"}', values=WHY),
    )
    enrolments.batches.cancel(company.olivia, stopped.id)
    work_until_idle({"enrol"})
    assert enrolments.batches.get(company.olivia, stopped.id).enrolled == 0


def test_a_long_list_lets_the_one_behind_it_go_first_and_goes_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolments.whom_to_enrol, "AT_ONCE", 1)
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    begin = partial(enrolments.batches.begin, company.olivia, "care-review")
    long, short = (
        begin(Question(filter=f'{{"field": "id", "op": "{op}", "value": 3}}', values=WHY))
        for op in ("lt", "eq")
    )
    told = fetch(
        "select payload from queue.pgqueuer where entrypoint = 'enrol' and payload = %s for update",
        (long.id.encode(),),
    )
    fetch(
        "update queue.pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid() where payload = %s returning 1",
        told[0],
    )
    with pytest.raises(PutBack) as back:
        do(jobs.ENROL, long.id)
    assert (back.value.after_s, enrolments.batches.get(company.olivia, long.id).done) == (turns.BACK_S, 0)
    work_until_idle({"enrol"})
    assert enrolments.batches.get(company.olivia, short.id).status == "done"
    do(jobs.ENROL, long.id)
    assert enrolments.batches.get(company.olivia, long.id).status == "done", "nobody else waits"


def test_who_waits_begins_moves_and_leaves_and_the_counts_follow(company: Company) -> None:
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["1", "2"], values=WHY))
    work_until_idle(BEGINNING)
    enrolments.counts.follow()
    sequencing.sequence()
    enrolments.counts.follow()
    now = counts()
    assert (now.waiting, now.active, now.steps, now.versions) == (0, 2, {"read": 2}, {1: 2})
    lead = in_now(company, step="read")[0]
    assert [passed.step for passed in lead.path] == ["start", "load", "read"]
    runs.cancel(company.mona, str(lead.run), revision=None, reason="Not needed.")
    sequencing.sequence()
    enrolments.counts.follow()
    assert (counts().active, counts().left) == (1, 1)
    [gone] = in_now(company, status="left")
    assert (gone.ending, gone.reason) == ("cancelled", "Not needed.")


def test_taking_somebody_out_ends_their_run_at_once_and_needs_a_reason_and_the_right(
    company: Company,
) -> None:
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["1"], values=WHY))
    work_until_idle({"begin_enrolled"})
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["2"], values=WHY))
    waiting, active = in_now(company)
    with pytest.raises(NotAllowed):
        enrolments.unenrol(company.olivia, "care-review", active.id, "Asked us to stop.")
    with pytest.raises(NotFound):
        enrolments.unenrol(company.stan, "care-review", active.id, "Asked us to stop.")
    with pytest.raises(Invalid):
        enrolments.unenrol(company.mona, "care-review", active.id, " ")
    for lead in (waiting, active):
        left = enrolments.unenrol(company.mona, "care-review", lead.id, "Asked us to stop.")
        assert (left.status, left.reason, left.ending) == ("left", "Asked us to stop.", "unenrolled")
    run = runs.get(company.mona, str(active.run)).json
    assert (run["status"], run["reason"]) == ("cancelled", "Asked us to stop.")
    with pytest.raises(Conflict):
        enrolments.unenrol(company.mona, "care-review", active.id, "Again.")
    work_until_idle({"begin_enrolled"})
    assert fetch("select count(*) from console.run")[0][0] == 1, "who left while waiting never begins"
    assert counts().left == 2


@cases(
    "rule, again",
    [
        ("never", False),
        ("after_end", True),
        ({"days": 3}, False),
        (None, True),
    ],
)
def test_who_was_in_it_before_comes_in_again_as_the_document_says(
    company: Company, rule: Any, again: bool
) -> None:
    published(**({"reenrol": rule} if rule else {}))
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["1"], values=WHY))
    enrolments.unenrol(company.mona, "care-review", in_now(company)[0].id, "Wrong one.")
    for preview in (True, False):
        batch = enrolments.batches.begin(
            company.olivia, "care-review", Question(keys=["1"], values=WHY), preview=preview
        )
        assert bool(batch.enrolled) is again
    if not again:
        told, _ = enrolments.batches.answers(company.olivia, batch.id, "refused")
        assert told[0].reasons
    fetch("delete from console.enrolment returning id")


def test_leads_come_in_with_their_values_also_in_a_draft(company: Company) -> None:
    workflows.import_file(LEADS)
    sent = [
        {"name": "Ana", "phone": "+370 600 00001"},
        {"name": "Ben", "phone": "+370-600-00001"},
        {"phone": "x"},
        {},
    ]
    _, told = enrolments.enrol_leads(company.olivia, "call-leads", sent)
    assert [(each.status, [reason["field"] for reason in each.reasons]) for each in told] == [
        ("enrolled", []),
        ("already_enrolled", []),
        ("refused", ["phone", "name"]),
        ("refused", ["lead"]),
    ]
    [lead] = in_now(company, "call-leads")
    assert (lead.title, lead.values["phone"], lead.status) == ("Ana", "+370 600 00001", "waiting")
    work_until_idle({"begin_enrolled"})
    assert in_now(company, "call-leads")[0].run is None, "nobody begins in a draft"
    workflows.publish("call-leads")
    enrolments.beginning.pick_up()
    work_until_idle({"begin_enrolled"})
    [lead] = in_now(company, "call-leads")
    assert runs.get(company.olivia, str(lead.run)).json["context"]["start"]["name"] == "Ana"


def test_a_lead_is_the_same_by_every_spelling_of_the_number(company: Company) -> None:
    workflows.import_file(LEADS)
    numbers = {
        "Ana": "+54 9 11 2345-6700",
        "Eva": "+54 11 2345-6700",
        "Ida": "+5521 98765-4321",
        "Ivo": "+552187654321",
    }
    sent = [{"name": name, "phone": phone} for name, phone in numbers.items()]
    _, told = enrolments.enrol_leads(company.olivia, "call-leads", sent)
    assert [each.status for each in told] == ["enrolled", "already_enrolled"] * 2


def test_a_trigger_enrols_once_for_each_event(company: Company) -> None:
    first = enrolments.enrol("care-review", record="1", values=WHY, key="evt_1", trigger="tagged")
    same = enrolments.enrol("care-review", record="1", values=WHY, key="evt_1", trigger="tagged")
    other = enrolments.enrol("care-review", record="1", values=WHY, key="evt_2", trigger="tagged")
    assert (first.status, same.status, other.status) == ("enrolled", "enrolled", "already_enrolled")
    assert first.lead == same.lead == other.lead


def test_while_a_workflow_is_paused_nobody_is_let_in_and_a_batch_under_way_waits(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolments.whom_to_enrol, "AT_ONCE", 1)
    published()
    question = Question(keys=["1", "2"], values=WHY)

    def pausing() -> bool:
        if not workflows.paused(workflows.live("care-review")):
            workflows.pause(company.mona, "care-review", "Look at it first")
        return False

    monkeypatch.setattr(enrolments.batches, "AT_ONCE", 1)
    batch = enrolments.batches.begin(company.olivia, "care-review", question)
    with pytest.raises(PutBack):
        enrolments.batches.advance(batch.id, pausing)
    assert enrolments.batches.get(company.olivia, batch.id).status == "running"
    for refused in (
        lambda: enrolments.batches.begin(company.olivia, "care-review", question),
        lambda: enrolments.enrol("care-review", record="2", values=WHY, key="evt_1", trigger="tagged"),
        lambda: enrolments.enrol_leads(company.olivia, "care-review", [{"record": "2", **WHY}]),
    ):
        with pytest.raises(
            Conflict, match="is paused: nobody is enrolled until it is switched on again"
        ) as conflict:
            refused()
        assert conflict.value.code == "not_active"
    workflows.activate(company.mona, "care-review")
    enrolments.batches.advance(batch.id)
    assert enrolments.batches.get(company.olivia, batch.id).enrolled == 2


@pytest.mark.parametrize(
    ("archived", "reason"),
    [(False, "The law has changed"), (True, "The workflow was completed before they began.")],
)
def test_who_waits_to_begin_leaves_when_the_workflow_ends(
    company: Company, archived: bool, reason: str
) -> None:
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["1"], values=WHY))
    work_until_idle({"begin_enrolled"})
    enrolments.batches.begin(company.olivia, "care-review", Question(keys=["2"], values=WHY))
    if archived:
        workflows.archive(company.mona, "care-review")
    else:
        workflows.cancel(company.mona, "care-review", reason)
    left = (enrolments.leaving.leave_unbegun(), enrolments.leaving.leave_unbegun(), runs.end_cancelled())
    assert left == (1, 0, 0 if archived else 1), (
        "who has begun goes on to the end of a workflow that was completed"
    )
    [waiting] = [lead for lead in in_now(company, status="left") if lead.record == "2"]
    assert (waiting.ending, waiting.reason) == ("unenrolled", reason)


def test_a_run_that_ends_before_its_place_is_noted_leaves_nobody_inside(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies in between; by the time another one notes the run, its events are read already."""
    steps = [LEADS["steps"][0] | {"next": {"default": "end"}}, LEADS["steps"][2]]
    workflows.import_file(
        LEADS | {"slug": "quick", "title": "Quick", "steps": steps}, publish=True, rights=False
    )
    enrolments.enrol_leads(company.mona, "quick", [{"name": "Ana"}])
    monkeypatch.setenv("HANDRAIL_FAULT", "enrolments.begin=raise")
    with pytest.raises(RuntimeError):
        work_until_idle(BEGINNING)
    monkeypatch.delenv("HANDRAIL_FAULT")
    company.work()
    sequencing.sequence()
    enrolments.beginning.keep_in_step()
    work_until_idle(BEGINNING)
    assert counts("quick") == Counts(left=1)
    assert enrolments.enrol_leads(company.mona, "quick", [{"name": "Ana"}])[1][0].status == "enrolled"


def test_what_stops_by_a_surprise_says_so_ends_when_it_is_given_up_and_is_gone_on_with(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolments.whom_to_enrol, "AT_ONCE", 1)
    real = enrolments.batches.admit

    def surprised(*given: Any) -> Any:
        if any(each.record == "2" for each in given[2]):
            raise KeyError("a fault of ours")
        return real(*given)

    monkeypatch.setattr(enrolments.batches, "admit", surprised)
    batch = enrolments.batches.begin(
        company.olivia, "care-review", Question(keys=["1", "2", "3"], values=WHY)
    )
    assert (batch.status, batch.why, batch.done) == ("running", background.TRIED_AGAIN, 1), (
        "who asked is not told that nothing was begun"
    )
    monkeypatch.setattr(enrolments.batches, "AT_ONCE", 1)
    with pytest.raises(KeyError):
        worked({"enrol"})
    with transaction() as connection:  # the worker's queue tries it a few times, and keeps it as given up
        jobs.enqueue(connection, jobs.ENROL, batch.id, dedupe_key=batch.id)
    fetch("update queue.pgqueuer set status = 'failed' where dedupe_key = %s returning 1", (batch.id,))
    held_up = enrolments.batches.get(company.olivia, batch.id)
    assert (held_up.status, held_up.why, held_up.done) == ("running", background.TRIED_AGAIN, 1)
    fetch("update console.enrolment_batch set created_at = now() - interval '10 minutes' returning 1")
    assert (background.end_given_up(), background.end_given_up()) == (1, 0)
    broken = enrolments.batches.get(company.olivia, batch.id)
    assert (broken.status, broken.enrolled) == ("failed", 1)
    assert "broke off" in broken.why
    with pytest.raises(NotFound):
        enrolments.batches.resume(company.stan, batch.id)
    monkeypatch.undo()
    assert enrolments.batches.resume(company.olivia, batch.id).status == "running"
    with pytest.raises(Conflict):
        enrolments.batches.resume(company.olivia, batch.id)
    work_until_idle({"enrol"})
    done = enrolments.batches.get(company.olivia, batch.id)
    assert (done.status, done.why, done.enrolled, done.total) == ("done", "", 3, 3)
    fetch("update console.enrolment_batch set status = 'failed' where id = %s returning 1", (batch.id,))
    enrolments.batches.resume(company.olivia, batch.id)
    work_until_idle({"enrol"})
    again = enrolments.batches.get(company.olivia, batch.id)
    assert (again.status, again.enrolled) == ("failed", 3), (
        "what is done has forgotten whom it named, and enrols nobody else"
    )


def test_a_batch_waits_for_a_source_that_is_down_and_says_so(company: Company) -> None:
    batch = enrolments.batches.begin(company.olivia, "care-review", Question(segment="unrated", values=WHY))
    away = company.path.with_suffix(".away")
    records.connect.dispose()
    company.path.rename(away)
    with pytest.raises(PutBack):
        worked({"enrol"})
    waits = enrolments.batches.get(company.olivia, batch.id)
    assert (waits.status, waits.enrolled) == ("running", 0)
    assert waits.why.endswith("It goes on when the source answers.")
    away.rename(company.path)
    enrolments.batches.advance(batch.id)
    done = enrolments.batches.get(company.olivia, batch.id)
    assert (done.status, done.why, done.enrolled) == ("done", "", 3)


def test_a_batch_whose_job_is_gone_as_after_a_restore_goes_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = enrolments.batches.begin(company.olivia, "care-review", Question(segment="unrated", values=WHY))
    assert batch.status == "running"
    fetch("delete from queue.pgqueuer returning 1")
    assert lost_jobs.put_in_again() == 0, "it may be on its way"
    fetch("update console.enrolment_batch set created_at = now() - interval '10 minutes' returning 1")
    assert background.end_given_up() == 0
    assert lost_jobs.put_in_again() == 1
    work_until_idle({"enrol"})
    done = enrolments.batches.get(company.olivia, batch.id)
    assert (done.status, done.why, done.enrolled > 0) == ("done", "", True)
