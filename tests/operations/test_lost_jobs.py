"""What is under way in the background when a backup is made goes on where it is restored: its job, which no backup has, is put in again as it was."""

from typing import Any

import pytest

from console import sources, workflows
from console.actions import bulk
from console.actions.bulk_starts import offered
from console.auth import access
from console.authoring import builder, publication
from console.authoring.publication import run_moves
from console.automation import enrolments
from console.browse import BrowseQuery, list_files
from console.infra import jobs as queue
from console.infra.db.engine import fetch
from console.operations import lost_jobs
from console.sources import connecting
from tests.company import DOCUMENT, Company
from tests.jobs import work_until_idle
from tests.support.acting import RATE, imported

WHY = {"why": "periodic"}
ELSEWHERE = {
    queue.ADVANCE: "runs.pick_up",
    queue.ADVANCE_HANDS_OFF: "runs.pick_up",
    queue.FOLLOW: "runs.wake",
    queue.TEND: "runs.pick_up",
    queue.PROPOSE: "runs.fail_overdue_proposals",
    **dict.fromkeys((queue.SEND, *queue.SENDING.values()), "messages.pick_up"),
    queue.BEGIN: "enrolments.beginning.keep_in_step",
    queue.FIRE: "automation.pick_up",
    queue.WAKE: "automation.pick_up_waking",
    queue.DELIVER: "outgoing_webhooks.pick_up",
    queue.READ: "asked for again by the page that shows it",
}
"""Jobs whose loss somebody else sees, and who."""
JOBS = "select entrypoint, convert_from(payload, 'UTF8') from queue.pgqueuer order by 1, 2"
AGED = "update console.{} set created_at = now() - interval '10 minutes' returning 1"


def test_every_kind_of_job_is_put_in_again_by_somebody() -> None:
    assert {each.entrypoint for each in lost_jobs.UNDER_WAY} == queue.JOBS - ELSEWHERE.keys()


def test_what_is_under_way_without_its_job_gets_the_same_one_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_moves, "AT_ONCE", 0)
    access.grant("operator", "collection:customer", ["act", "export"], team="operations")
    imported(RATE)
    company.started("2", by="olivia")
    workflows.import_file(DOCUMENT | {"description": "Said better"}, publish=True, rights=False)
    fetch("delete from queue.pgqueuer returning 1")
    olivia = company.olivia
    rate = next(action for action in bulk.offered(olivia, "customer") if action.id == "customer.rate")
    items = bulk.refusal_reasons(
        olivia, "customer", rate, bulk.chosen(olivia, "customer", rate, ["1"], None), {"risk": "high"}
    )
    begun = bulk.begin(olivia, "customer", rate, items, {"risk": "high"})
    looked_at = bulk.look(olivia, "customer", offered(olivia, "customer")[0], [], BrowseQuery(), WHY)
    file = list_files.ask(olivia, "customer", BrowseQuery(), "csv")
    move = publication.move_runs(company.mona, "care-review", 1, 2, steps={}, reason="Said better")
    batch = enrolments.batches.begin(
        olivia, "care-review", enrolments.Question(segment="unrated", values=WHY), preview=True
    )
    terms: Any = sources.Terms()
    connecting.ask(
        "other", f"sqlite:///{company.path}", 3, terms=terms, chosen=["customer"], may={}, by=company.ines
    )
    builder.ask(
        company.mona, "care-review", "Add a step", workflows.open_draft(company.mona, "care-review").revision
    )
    jobs = fetch(JOBS)
    fetch("delete from queue.pgqueuer returning 1")
    lost_jobs.put_in_again()
    assert {each[0] for each in fetch(JOBS)} <= {queue.MOVE, queue.CONNECT, queue.BUILD}, (
        "the others may be on their way"
    )
    for table in ("bulk", "list_export", "enrolment_batch"):
        fetch(AGED.format(table))
    lost_jobs.put_in_again()
    assert fetch(JOBS) == jobs
    assert lost_jobs.put_in_again() == 0
    fetch("delete from queue.pgqueuer where entrypoint = %s returning 1", (queue.BUILD,))
    work_until_idle()
    assert bulk.get(olivia, begun).count(bulk.DONE) == 1
    assert not bulk.get(olivia, looked_at).under_way
    assert list_files.get(olivia, file).ready
    assert run_moves.move_of(company.mona, "care-review", move.id).status == "done"
    assert enrolments.batches.get(olivia, batch.id).status == "done"
    bulk.confirm(olivia, looked_at)
    fetch("delete from queue.pgqueuer returning 1")
    assert lost_jobs.put_in_again() == 1
    assert fetch(JOBS) == [(queue.BULK, looked_at)]
