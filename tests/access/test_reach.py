"""Runs are read for a reader, or said aloud for the engine: every statement that the suite sends is looked at (tests/statements.py)."""

import re
from pathlib import Path

import pytest

from console import access
from console.access import EVERY_RUN, Runs
from console.core.actor import Actor
from console.db.engine import fetch
from tests.company import Company
from tests.statements import reads_for_nobody

CONSOLE = Path(__file__).parents[2] / "console"

ENGINES = {
    "access/reach.py": "says what it is",
    "access/__init__.py": "hands it to whoever has the shell",
    "answers.py": "runs that go on after their answers",
    "bulk.py": "the run that a worker began before it died",
    "document_requests/letters.py": "runs that have just come to ask for documents",
    "files/store.py": "files of runs that ended long ago",
    "privacy.py": "what erasing takes along, of the person alone",
    "retention.py": "values of runs that ended long ago",
    "runs/drafts.py": "what its holder types",
    "runs/reading.py": "what stands beside a run that was judged",
    "runs/rebuild.py": "rows made again from the log",
    "runs/rights.py": "how long the holder of a run that was judged was idle",
    "runs/store.py": "who holds the key of the one live run; judged by who asks",
    "runs/sweep.py": "runs that are due, stuck or idle",
    "tasks.py": "runs that go on after their tasks",
}
"""Where runs are read for the engine, and why nobody is told of them there."""


def test_the_engine_s_reader_is_taken_where_it_is_known_why() -> None:
    taken = {
        str(path.relative_to(CONSOLE)) for path in CONSOLE.rglob("*.py") if re.search(r"\bEVERY_RUN\b", path.read_text(encoding="utf-8"))
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
