"""Long runs: what is read, opened and put into words is what is needed, and it is the same as if all of it had been."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console import log, runs
from console.activity import sequencing
from console.auth import access
from console.auth.access import policy_store
from console.infra import subjects
from console.infra.db import tables, transaction
from tests.company import Company


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The statements sent to the console's database in this block."""
    sent: list[Any] = []
    execute = psycopg.Cursor.execute

    def noted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        sent.append(query)
        return execute(self, query, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noted)
        yield sent


def test_the_history_opened_is_what_the_chain_says(company: Company) -> None:
    run_id = company.finished()
    sequencing.catch_up()
    whole, closed = log.events_of(run_id), log.history(run_id)
    assert [(event.n, event.id, event.type, event.at, event.body, event.leaf) for event in closed] == [
        (event.n, event.id, event.type, event.at, event.body, event.leaf) for event in whole
    ]
    assert all(not event.sealed and event.pos is None for event in closed)
    opened = log.open_values(run_id, closed)
    assert list(map(opened.get, range(1, len(whole) + 1))) == whole
    assert any(event.values for event in whole)


def test_only_the_events_that_are_asked_for_are_opened(company: Company) -> None:
    run_id = company.finished()
    closed = log.history(run_id)
    wanted = [event for event in closed if event.type == "step_completed"]
    assert sorted(log.open_values(run_id, wanted)) == [event.n for event in wanted]
    assert log.open_values(run_id, []) == {}
    assert log.history("run_that_is_not_there") == []


def test_what_was_erased_stays_closed_and_is_named(company: Company) -> None:
    run_id = company.at("rate")
    assert runs.replay(company.olivia, run_id).run.screen is not None
    with transaction() as connection:
        connection.execute(sa.delete(tables.subject))
    subjects._kept.clear()
    opened = log.open_values(run_id, log.history(run_id))
    for event in opened.values():
        assert event.values == {}
        assert event.missing == dict.fromkeys(event.body["data"]["sealed"], "erased")
    view = runs.replay(company.olivia, run_id)
    assert view.run.screen is None
    assert view.json["run"]["last_event"] == view.last


def test_the_replay_of_a_long_run_sends_as_many_statements_as_that_of_a_short_one(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = company.started(), company.finished("2")
    company.told(short)
    found = []
    for run_id in (short, long):
        last = runs.replay(company.olivia, run_id).last
        with counted(monkeypatch) as sent:
            runs.replay(company.olivia, run_id, last - 1)
        found.append(len(sent))
    assert max(found) <= 8


def test_looking_at_a_run_again_takes_two_statements_and_one_where_the_scope_has_a_limit(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = company.started()
    before = company.told(run_id)
    with counted(monkeypatch) as sent:
        again = company.told(run_id)
    assert again == before
    assert len(sent) == 3  # her scope has a limit, so the rows that the run read are asked for
    company.told(run_id, "mona")
    with counted(monkeypatch) as sent:
        company.told(run_id, "mona")
    assert not [statement for statement in sent if "run_read" in statement]


def test_a_hidden_column_does_not_hide_what_the_run_says_of_itself(company: Company) -> None:
    run_id = company.at("rate")
    company.answer(run_id, risk="low")
    with transaction() as connection:
        rows = [
            access.Row("p", "role:reviewer", "t:operations", f"field:customer/{name}", "read", "deny", "")
            for name in ("risk", "status")
        ]
        policy_store.write(connection, added=rows)
    access.refresh()
    told = runs.get(company.rosa, run_id).json
    number, rated = next(
        (number, each) for number, each in enumerate(told["attempts"]) if each["step"] == "rate"
    )
    assert rated["status"] == "done"
    assert rated["values"]["risk"] is None
    masked = runs.replay(company.rosa, run_id).json["masked"]
    assert f"run.attempts.{number}.values.risk" in masked
    assert all(each["status"] for each in told["attempts"])
