"""Runs are read for a reader, or said aloud for the engine: every statement that the suite sends is looked at (tests/statements.py)."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from console import log, sources
from console.auth import access, accounts
from console.auth.access import EVERY_RUN, Runs
from console.auth.accounts import teamwork
from console.core.actor import Actor
from console.core.errors import Conflict, NotFound
from console.infra.db.engine import fetch, transaction
from console.operations import erasure
from console.runs.views import queues
from console.work import leavers
from console.workflows import inboxes
from tests.company import Company
from tests.statements import reads_for_nobody

CONSOLE = Path(__file__).parents[3] / "console"

ENGINES = {
    "infra/db/run_reach.py": "says what it is",
    "auth/access/__init__.py": "offers it to other rooms",
    "auth/access/clearance_lookup.py": "hands it to whoever has the shell",
    "automation/triggers/event_waits.py": "runs that go on after what they waited for",
    "automation/triggers/orphaned_waits.py": "runs that wait for what will not happen to a record that is gone",
    "automation/triggers/source_waits.py": "runs that go on after a change of their record by another program",
    "work/questions.py": "runs that go on after their answers",
    "actions/bulk_starts.py": "the next of the runs that somebody started together, judged before it is told",
    "actions/untouched_records.py": "whether anything has touched what an import added; a run with a label is told as something that was done",
    "actions/bulk.py": "the run that a worker began before it died",
    "actions/bulk_ends.py": "which of the runs that somebody began together have ended: numbers for that person",
    "documents/requests/request_letters.py": "runs that have just come to ask for documents",
    "infra/files/file_store.py": "files of runs that ended long ago",
    "operations/erasure.py": "what erasing takes along, of the person alone",
    "operations/retention.py": "values of runs that ended long ago",
    "ai/evaluation/measure.py": "records of runs without a clearance, which are judged by the reader's record scope",
    "runs/store/loaded_rows.py": "which rows a run that was judged has read",
    "runs/store/typed_drafts.py": "what its holder types",
    "runs/views/parts.py": "what a run that was judged has started; each part is judged before it is named",
    "runs/views/items_of_loops.py": "of which item runs are that were judged",
    "runs/views/reading.py": "what stands beside a run that was judged",
    "runs/store/rebuild.py": "rows made again from the log",
    "runs/commands/cleared_notices.py": "runs of which who changes something under them must not hear",
    "runs/commands/run_rights.py": "how long the holder of a run that was judged was idle",
    "runs/store/run_store.py": "who holds the key of the one live run; judged by who asks",
    "runs/engine/sweep.py": "runs that are due, stuck or idle",
    "work/tasks.py": "runs that go on after their tasks",
    "work/work_moves.py": "the labels of runs that were moved, by which the move is logged",
    "work/work_list.py": "the tickets of inboxes, each compared with the reader's runs; who holds any, of whom only those with a count are named",
    "automation/enrolments/beginning.py": "how many places are taken",
    "automation/enrolments/counts.py": "where enrolled records stand, made again from their runs",
    "automation/enrolments/erasing.py": "runs that a run of somebody who is erased has started: they end with it",
    "automation/enrolments/exits.py": "whose run is at work or over: those are not judged now",
    "automation/enrolments/direct_enrolment.py": "the run that a record was just started with",
    "automation/enrolments/leaving.py": "runs of records that left",
    "automation/enrolments/places.py": "how the run of an enrolment that was judged ended",
    "runs/engine/made_by_runs.py": "what the branches of a run that was judged have made",
    "monitoring/alerts.py": "whom a rule tells of which failed run; judged for each person when the notice is shown",
    "work/approval_times.py": "runs whose approval waits too long; only who may decide about it is told",
    "work/agent_requests.py": "open requests of a key, counted, and those that nobody answered in time; only the engine ends them",
    "work/due_times.py": "runs that are late by a rule, and by when live runs are due, for their order",
    "monitoring/failed_runs.py": "failed runs copied with their label, which their readers are judged by",
    "runs/commands/ending.py": "runs of a workflow that was cancelled",
    "runs/engine/children.py": "runs that a run started and waits for",
    "runs/store/version_origins.py": "which run handed values to a run that was judged",
    "work/substitutions.py": "which runs tell somebody who is away; judged for the person who stands in",
    "runs/engine/run_causes.py": "what caused a run, to keep who set it off from approving it; their names are told to nobody",
}
"""Where runs are read for the engine, and why nobody is told of them there."""


def test_the_engine_s_reader_is_taken_where_it_is_known_why() -> None:
    taken = {
        str(path.relative_to(CONSOLE))
        for path in CONSOLE.rglob("*.py")
        if re.search(r"\bEVERY_RUN\b", path.read_text(encoding="utf-8"))
    }
    assert taken == set(ENGINES)


@pytest.mark.parametrize(
    ("statement", "stray"),
    [
        ("select count(*) from console.run where holder = %s", True),
        ("select 1 from console.run r join console.run s on s.id = r.linked_to where r.label is null", True),
        ("SELECT console.run.id FROM console.run WHERE console.run.team = 'a'", True),
        ("SELECT console.run.id FROM console.run WHERE console.run.label IS NULL", False),
        (f"select 1 from {EVERY_RUN.sql()}", False),
        (f"select 1 from {Runs(('confidential',)).sql('x')}", False),
        ("select 1 from console.run_context c", False),
        ("update console.run set team = 'b'", False),
    ],
)
def test_a_statement_is_known_for_what_it_is(statement: str, stray: bool) -> None:
    assert reads_for_nobody(statement) is stray


def test_a_reader_knows_of_the_runs_whose_label_they_are_cleared_for(company: Company) -> None:
    plain, labelled = company.started("1"), company.started("2")
    fetch("update console.run set label = 'confidential' where id = %s returning id", (labelled,))
    access.grant("reviewer", "label:confidential", ["see"])
    access.refresh()

    def found(reader: Actor) -> set[str]:
        return {row[0] for row in fetch(f"select r.id from {access.runs(reader).sql()}")}

    assert found(company.rosa) == {plain, labelled}
    for who in ("olivia", "mona", "ines", "ada"):
        assert found(company.people[who]) == {plain}, who
    assert found(Actor("system", "sys_cli")) == {plain, labelled}


def test_a_label_that_is_no_name_reaches_nothing() -> None:
    assert "drop" not in Runs(("x'); drop table console.run; --", "fine")).sql()
    assert "'fine'" in Runs(("fine",)).sql()


@pytest.fixture(name="confidential")
def fixture_confidential(company: Company) -> str:
    """A run that Olivia holds, handed to the desk and about the person of customer 2, under a label that Rosa alone is cleared for."""
    run_id = company.started("2")
    ticket = '{"inbox": "desk", "at": "2026-11-20T08:00:00.000Z", "priority": "high", "by": "", "reason": "Hushed"}'
    fetch(
        "update console.run set label = 'confidential', ticket = %s, team = 'quiet' where id = %s returning id",
        (ticket, run_id),
    )
    with transaction() as connection:
        connection.execute(sa.text("insert into console.team (id, name) values ('quiet', 'Quiet')"))
    access.grant("reviewer", "label:confidential", ["see"])
    access.refresh()
    return run_id


def test_nothing_is_refused_counted_or_named_because_of_it(company: Company, confidential: str) -> None:
    ines, shell = company.ines, Actor("system", "sys_cli", "Command line", session="sys:config")
    assert leavers.runs_held(ines, company.olivia.id) == ([], 0)
    assert sources.consequences("company", by=ines).live == 0
    assert sources.consequences("company", by=shell).runs == (confidential,)
    with pytest.raises(Conflict, match="1 live run"):
        teamwork.archive(shell, "quiet")
    teamwork.archive(ines, "quiet")
    with pytest.raises(Conflict, match="1 run waits"):
        inboxes.close("desk", by=shell)
    inboxes.close("desk", by=ines)
    assert queues.live_keys(company.olivia, "wf", "customer", ["2"]) == set()
    assert (
        queues.live_records(company.olivia, fetch("select workflow from console.run")[0][0], "customer") == []
    )
    assert sources.remove("company", by=ines).live == 0
    told = [event.open for event in log.events_of("sys:config") if event.type == "source_removed"]
    assert [one["runs"] for one in told] == [0]
    assert fetch("select ended_at from console.run where id = %s", (confidential,)) == [(None,)]


def test_it_is_told_of_to_who_is_cleared(company: Company, confidential: str) -> None:
    access.assign(company.rosa.id, [("admin", "*"), ("reviewer", "operations")])
    rosa = accounts.actor_of_person(company.rosa.id, "ses_rosa")
    assert leavers.runs_held(rosa, company.olivia.id)[1] == 1
    assert sources.consequences("company", by=rosa).runs == (confidential,)
    with pytest.raises(Conflict, match="1 live run"):
        teamwork.archive(rosa, "quiet")
    with pytest.raises(Conflict, match="1 run waits"):
        inboxes.close("desk", by=rosa)
    with pytest.raises(Conflict, match="1 live run works"):
        sources.remove("company", by=rosa)


def test_a_record_with_a_label_by_rule_is_not_there_to_be_erased(company: Company) -> None:
    """Until the rule is there it is; where the record cannot be looked at, it counts as labelled."""
    company.finished("1")
    company.finished("2")
    assert erasure.preview(company.ines, "customer", "1").events > 0
    fetch(
        "update console.collection set document = jsonb_set(document, '{clearance}', %s) where id = 'customer' returning id",
        ('{"label": "confidential", "when": "record.id == 1"}',),
    )
    access.grant("reviewer", "label:confidential", ["see"])
    access.refresh()
    with pytest.raises(NotFound, match="Nothing is held about this record"):
        erasure.preview(company.ines, "customer", "1")
    assert erasure.preview(company.ines, "customer", "2").events > 0
    company.sql("drop table account")
    company.sql("alter table customer rename to elsewhere")
    with pytest.raises(NotFound, match="Nothing is held about this record"):
        erasure.preview(company.ines, "customer", "2")
