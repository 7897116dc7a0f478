"""A workflow that is for records in some segments alone takes no others, whichever way they come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from console import browse, runs, workflows
from console.actions import bulk, bulk_starts
from console.automation import enrolments
from console.automation.enrolments import Question
from console.core.errors import Conflict
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.automation.triggers.test_triggers import publish, told
from tests.company import Company
from tests.jobs import work_until_idle
from tests.runs.engine.test_hands_off import document, robot
from tests.support.engine import step, until, workers

WHY = {"why": "periodic"}
WORDS = "This workflow is only for records in Unrated."
ONLY = {"only_in": ["unrated"]}
RESTING = [step("start", "start", "rest"), step("rest", "wait", "end", {"days": 2}), step("end", "end", None)]


def unrated(company: Company) -> set[str]:
    return {str(row[0]) for row in company.sql("select id from customer where risk is null")}


def test_a_start_by_hand_is_refused_in_words(company: Company) -> None:
    assert unrated(company) >= {"1", "4"}
    workflows.configure(company.mona, "care-review", settings=ONLY)
    assert runs.start(company.olivia, "care-review", "customer", "1", WHY)
    with pytest.raises(Conflict, match=WORDS) as refused:
        runs.start(company.olivia, "care-review", "customer", "2", WHY)
    assert refused.value.code == "outside_segments"
    with pytest.raises(Conflict, match=WORDS):
        runs.try_start(company.olivia, "care-review", "customer", "2", WHY)
    workflows.configure(company.mona, "care-review", settings={"only_in": None})
    assert runs.start(company.olivia, "care-review", "customer", "2", WHY), (
        "without a segment it is for all again"
    )


@contextmanager
def looks() -> Iterator[list[str]]:
    """The statements meanwhile that ask which segments records are in."""
    seen: list[str] = []

    def noted(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("SELECT") and "CASE WHEN" in statement:
            seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", noted)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", noted)


def test_the_records_of_a_list_are_judged_before_they_are_started(company: Company) -> None:
    workflows.configure(company.mona, "care-review", settings=ONLY)
    (deed,) = bulk_starts.offered(company.olivia, "customer")
    chosen = bulk.chosen(company.olivia, "customer", deed, ["1", "2"], None)
    assert {
        each.key: each.why for each in bulk.refusal_reasons(company.olivia, "customer", deed, chosen, WHY)
    } == {
        "1": "",
        "2": WORDS,
    }


@pytest.mark.parametrize("way", ["keys", "list", "rows"])
def test_a_preview_of_whom_to_enrol_is_true(company: Company, way: str) -> None:
    workflows.configure(company.mona, "care-review", settings=ONLY)
    seen = {
        str(row.key) for row in browse.page(company.olivia, "customer", browse.BrowseQuery(limit=100)).rows
    }
    inside, keys = unrated(company) & seen, sorted(seen)
    asked = {
        "keys": Question(keys=keys, values=WHY),
        "list": Question(whole=True, values=WHY),
        "rows": Question(rows=[{"id": key} for key in keys], values=WHY),
    }[way]
    with looks() as asking:
        preview = enrolments.batches.begin(company.olivia, "care-review", asked, preview=True)
        work_until_idle({"enrol"})
    preview = enrolments.batches.get(company.olivia, preview.id)
    assert (preview.enrolled, preview.refused) == (len(inside), len(seen - inside))
    assert enrolments.batches.causes(preview) == [("refused", WORDS, len(seen - inside))]
    assert len(asking) == 1
    enrolments.batches.confirmed(company.olivia, preview.id)
    work_until_idle({"enrol"})
    there = fetch("select record from console.enrolment where status = 'waiting'")
    assert {record for (record,) in there} == inside


def test_leads_of_a_program_are_told_and_the_others_come_in(company: Company) -> None:
    workflows.configure(company.mona, "care-review", settings=ONLY)
    _, answers = enrolments.enrol_leads(
        company.olivia, "care-review", [{"record": "1"} | WHY, {"record": "2"} | WHY]
    )
    assert [(each.status, [why["reason"] for why in each.reasons]) for each in answers] == [
        ("enrolled", []),
        ("refused", [WORDS]),
    ]


def test_who_left_the_segment_before_it_was_their_turn_does_not_begin_and_keeps_nobody_waiting(
    company: Company,
) -> None:
    robot()
    workflows.import_file(document(RESTING, settings=ONLY), publish=True)
    enrolments.batches.begin(company.mona, "nightly-check", Question(keys=["1", "4"]))
    company.sql("update customer set risk = 'low' where id = 1")
    work_until_idle({jobs.BEGIN})
    there = fetch("select record, status, ending, reason from console.enrolment order by record")
    assert there == [("1", "refused", "refused", WORDS), ("4", "active", None, None)]


def test_an_event_of_another_record_starts_nothing_and_is_counted_as_passed_by(company: Company) -> None:
    robot()
    rated = {"id": "rated", "kind": "event", "on": "record.updated"}
    publish("watch", rated, collection="customer", settings=ONLY)
    with workers():
        for key in (2, 4):
            change(company, key)
        until(lambda: told("watch", "rated")[:2] == (1, 1))
        until(lambda: fetch("select record, status from console.firing") == [("4", "started")])


def change(company: Company, key: int) -> None:
    browse.change(company.mona, "customer", str(key), {"display_name": f"Customer {key}"}, {})
