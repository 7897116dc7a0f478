"""An action on many records: who is in, each by a run of its own, and what a crash in the middle leaves."""

import pytest

from console import actions, runs
from console.actions import bulk, one_record
from console.actions.bulk import Item
from console.auth import access
from console.browse import BrowseQuery
from console.core.documents.action_document import Action
from console.core.errors import NotFound
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from console.operations import erasure
from console.work import notices
from tests.company import Company
from tests.jobs import do
from tests.support.acting import RATE, go_on, imported


@pytest.fixture
def rate(company: Company) -> Action:
    for role in ("operator", "lead"):
        access.grant(role, "collection:customer", ["act"], team="operations")
    imported(RATE)
    return next(action for action in bulk.offered(company.olivia, "customer") if action.id == "customer.rate")


def begun(company: Company, action: Action, *keys: str, **values: str) -> str:
    items = bulk.refusal_reasons(
        company.olivia,
        "customer",
        action,
        bulk.chosen(company.olivia, "customer", action, keys, None),
        values,
    )
    return bulk.begin(company.olivia, "customer", action, items, values)


def test_the_preview_says_who_is_in_and_why_others_are_not(company: Company, rate: Action) -> None:
    items = bulk.chosen(company.olivia, "customer", rate, ["1", "3", "1", "999"], None)
    assert [item.key for item in items] == ["1", "3"]
    told = bulk.refusal_reasons(company.olivia, "customer", rate, items, {"risk": "high"})
    assert [(item.state, item.why) for item in told] == [
        ("waiting", ""),
        ("refused", "Halcyon Harbour Trading B.V. is no retail customer."),
    ]
    assert company.sql("select count(*) from customer where risk = 'high'") == [(0,)]


def test_a_whole_list_is_that_of_its_filter_and_of_the_person(company: Company, rate: Action) -> None:
    whole = BrowseQuery(segment="unrated", limit=1)
    assert [item.key for item in bulk.chosen(company.olivia, "customer", rate, [], whole)] == ["1", "3", "4"]
    assert [item.key for item in bulk.chosen(company.tom, "customer", rate, [], whole)] == ["1", "4"]


def test_each_is_a_run_of_its_own(company: Company, rate: Action) -> None:
    bulk_id = begun(company, rate, "1", "2", "3", risk="high")
    while (told := go_on(company.olivia, bulk_id)).count(bulk.WAITING):
        continue
    assert [(item.key, item.state) for item in told.items] == [("1", "done"), ("2", "done"), ("3", "refused")]
    assert told.items[0].why == "Adaeze Okonkwo-Bell is rated High."
    assert len({item.run for item in told.items if item.run}) == 2
    assert (told.values, go_on(company.olivia, bulk_id)) == ({}, told)


def test_what_moved_since_the_preview_is_refused_then(company: Company, rate: Action) -> None:
    bulk_id = begun(company, rate, "1", risk="high")
    company.sql("update customer set desk = 'corporate' where id = 1")
    told = go_on(company.olivia, bulk_id)
    assert [(item.state, item.why) for item in told.items] == [
        ("refused", "Adaeze Okonkwo-Bell is no retail customer.")
    ]


def test_an_action_is_not_done_to_what_somebody_changed_after_it_was_checked(
    company: Company, rate: Action
) -> None:
    bulk_id = begun(company, rate, "1", "2", "4", risk="high")
    company.sql("update customer set risk = 'low' where id = 1")
    company.sql("update customer set email = 'new@customers.example' where id = 2")
    told = [(item.key, item.state, item.why) for item in go_on(company.olivia, bulk_id).items]
    assert told[0] == ("1", "refused", one_record.MOVED)
    assert [item[:2] for item in told[1:]] == [("2", "done"), ("4", "done")], (
        "what the action does not look at may change"
    )


def test_what_a_process_left_begun_is_not_done_either_where_somebody_changed_it(
    company: Company, rate: Action
) -> None:
    bulk_id = begun(company, rate, "1", "4", risk="high")
    half = runs.start(company.olivia, rate.slug, "customer", "4")
    for key in ("1", "4"):
        left_by_a_crash(company, bulk_id, key)
    company.sql("update customer set risk = 'low'")
    told = go_on(company.olivia, bulk_id)
    assert [(item.state, item.why) for item in told.items] == [("refused", one_record.MOVED)] * 2
    assert runs.get(company.olivia, half).json["status"] == "aborted"
    assert company.sql("select count(*) from customer where risk = 'high'") == [(0,)]


def test_what_came_to_the_list_since_it_was_checked_is_left_out(company: Company, rate: Action) -> None:
    whole = BrowseQuery(segment="unrated")

    def judged() -> list[Item]:
        found = bulk.chosen(company.olivia, "customer", rate, [], whole)
        return bulk.refusal_reasons(company.olivia, "customer", rate, found, {"risk": "high"})

    company.sql("update customer set risk = 'low' where id = 4")
    checked = {item.seen for item in judged() if item.seen}
    company.sql("update customer set risk = null where id = 4")
    told = bulk.as_checked(judged(), checked)
    assert {item.key: item.why for item in told if item.key != "3"} == {"1": "", "4": bulk.CAME_SINCE}


def test_whom_a_right_is_taken_meanwhile_is_told_that_it_ended_and_what_was_not_done_is_tried_again(
    company: Company, rate: Action
) -> None:
    bulk_id = begun(company, rate, "1", "2", "3", risk="high")
    go_on(company.olivia, bulk_id)
    assert bulk.keys_left(company.olivia, bulk_id) == ["3"]
    with pytest.raises(NotFound):
        bulk.keys_left(company.mona, bulk_id)
    assert notices.notices_of(company.olivia)[0].text == "Rate the customer: 3 customers; 2 done, 1 not done"


def left_by_a_crash(company: Company, bulk_id: str, key: str) -> None:
    fetch(
        "update console.bulk_item set state = 'begun' where bulk = %s and key = %s returning 1",
        (bulk_id, key),
    )


def test_what_a_crash_left_begun_is_done_once(company: Company, rate: Action) -> None:
    bulk_id = begun(company, rate, "1", "2", "4", risk="high")
    done = actions.perform(company.olivia, "customer", "1", "customer.rate", {"risk": "high"})
    half = runs.start(company.olivia, rate.slug, "customer", "2")
    for key in ("1", "2", "4"):
        left_by_a_crash(company, bulk_id, key)
    told = go_on(company.olivia, bulk_id)
    assert [(item.key, item.state) for item in told.items] == [("1", "done"), ("2", "done"), ("4", "done")]
    assert [item.run for item in told.items][:2] == [done, half]
    assert fetch("select count(*) from console.run where collection = 'customer'")[0][0] == 3


def test_a_worker_does_it_and_its_person_is_told(company: Company, rate: Action) -> None:
    bulk_id = begun(company, rate, "1", "2", risk="high")
    assert fetch(
        "select entrypoint, convert_from(payload, 'UTF8') from queue.pgqueuer where entrypoint = 'bulk'"
    ) == [("bulk", bulk_id)]
    do(jobs.BULK, bulk_id)
    assert bulk.get(company.olivia, bulk_id).count(bulk.DONE) == 2
    assert [(notice.text, notice.href) for notice in notices.notices_of(company.olivia)] == [
        ("Rate the customer: 2 customers; 2 done", f"/bulk/{bulk_id}")
    ]
    do(jobs.BULK, bulk_id)
    assert len(notices.notices_of(company.olivia)) == 1


@pytest.mark.parametrize(
    "point", ["bulk.write.before=raise@2", "bulk.write.after=raise@2", "bulk.write.before=raise@1"]
)
def test_a_worker_that_dies_at_the_end_tells_once_all_the_same(
    company: Company, rate: Action, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    bulk_id = begun(company, rate, "1", "2", risk="high")
    monkeypatch.setattr(faults, "_passes", type(faults._passes)())
    monkeypatch.setenv("HANDRAIL_FAULT", point)
    with pytest.raises(faults.Fault):
        do(jobs.BULK, bulk_id)
    monkeypatch.delenv("HANDRAIL_FAULT")
    for _ in range(2):  # the job of a process that died is given again
        do(jobs.BULK, bulk_id)
    assert [item.state for item in bulk.get(company.olivia, bulk_id).items] == ["done", "done"]
    assert [notice.href for notice in notices.notices_of(company.olivia)] == [f"/bulk/{bulk_id}"]


def test_what_is_left_is_put_back_and_stopped_by_who_began_it(
    company: Company, rate: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "IN_ONE_GO_S", 0.0)
    bulk_id = begun(company, rate, "1", "2", "4", risk="high")
    with pytest.raises(jobs.PutBack):
        do(jobs.BULK, bulk_id)
    with pytest.raises(NotFound):
        bulk.stop(company.mona, bulk_id)
    monkeypatch.setattr(bulk, "IN_ONE_GO_S", 60.0)
    go_on(
        company.olivia,
        bulk_id,
        stopping=lambda: company.sql("select count(*) from customer where risk = 'high'") == [(1,)],
    )
    told = bulk.stop(company.olivia, bulk_id)
    assert [item.state for item in told.items] == ["done", "stopped", "stopped"]
    do(jobs.BULK, bulk_id)
    assert company.sql("select id from customer where risk = 'high'") == [(1,)]


def test_a_record_on_which_it_is_going_on_already_is_named(company: Company, rate: Action) -> None:
    from tests.support.acting import run_of

    live = run_of(company, RATE, "1")
    told = go_on(company.olivia, begun(company, rate, "1", risk="high"))
    assert (told.items[0].state, told.items[0].run) == ("refused", live)


def test_only_who_began_it_sees_it(company: Company, rate: Action) -> None:
    bulk_id = begun(company, rate, "1", risk="high")
    for who in (company.mona, company.stan, company.ines):
        with pytest.raises(NotFound):
            bulk.get(who, bulk_id)


def test_nothing_is_offered_without_the_right(company: Company, rate: Action) -> None:
    assert [action.id for action in bulk.offered(company.olivia, "customer")] == ["customer.rate"]
    for who in (company.stan, company.rosa, company.ada, company.ines):
        assert bulk.offered(who, "customer") == []
        with pytest.raises(NotFound):
            actions.perform(who, "customer", "1", "customer.rate", {"risk": "low"})


def test_offered_on_a_record_is_what_its_condition_lets(company: Company) -> None:
    low = {
        **RATE,
        "id": "customer.lower",
        "if": "record.risk == 'high'",
        "why_not": "It is {{ record.risk }}.",
    }
    beside = {
        **RATE,
        "id": "customer.beside",
        "if": "size(related.open) > 0",
        "related": [
            {"name": "open", "relation": "account", "fields": ["status"], "where": "record.status == 'open'"}
        ],
    }
    hidden = {**RATE, "id": "customer.hidden", "on_records": False}
    imported(RATE, low, beside, hidden)
    assert [action.id for action in actions.offered(company.olivia, "customer", "1")] == [
        "customer.beside",
        "customer.rate",
    ]
    assert [action.id for action in actions.offered(company.olivia, "customer", "2")] == ["customer.rate"]
    company.sql("update customer set risk = 'high' where id = 2")
    assert [action.id for action in actions.offered(company.olivia, "customer", "2")] == [
        "customer.lower",
        "customer.rate",
    ]


def test_importing_again_changes_what_counts_and_notes_it_once(company: Company, rate: Action) -> None:
    before = actions.export(rate.id)
    assert actions.import_file(before) == rate
    changed = actions.import_file({**RATE, "title": "Rate them"})
    assert (changed.title, actions.export(rate.id) == before) == ("Rate them", False)
    assert [action.id for action in actions.list_actions()] == ["customer.rate"]


def test_what_records_are_called_and_why_they_were_refused_is_judged_when_it_is_read(
    company: Company, rate: Action
) -> None:
    """Nothing of it outlives a right, or the person."""
    bulk_id = begun(company, rate, "1", "3", risk="low")
    do(jobs.BULK, bulk_id)

    def told() -> list[tuple[str, str]]:
        return [(item.title, item.why) for item in bulk.get(company.olivia, bulk_id).items]

    refused = "Halcyon Harbour Trading B.V. is no retail customer."
    assert told() == [("Adaeze Okonkwo-Bell", told()[0][1]), ("Halcyon Harbour Trading B.V.", refused)]
    company.finished("3", by="mona")
    erasure.erase(company.ines, "customer", "3", "They asked us to.")
    assert "Halcyon" not in str(fetch("select * from console.bulk_item"))
    access.assign(company.olivia.id, [("buyer", "procurement")])
    assert {(title, why) for title, why in told()} == {(bulk.UNSEEN, "")}
