"""Replay is what was: the run after event N is what its viewer got when N was the last one, whatever happens to the record later."""

from typing import Any

import pytest

from console import log, records, runs, sources
from console.activity import sequencing
from console.auth import access
from console.auth.access import policy_store
from console.core.errors import NotFound
from console.core.run import fold
from console.infra.db import transaction
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from console.runs.views import reader_reach
from console.views.runs import loaded_values
from tests.company import DOCUMENTS, Company


def walked(company: Company) -> tuple[str, dict[int, dict[str, Any]]]:
    """A run with a save, another person, a revision and a write that conflicted; what GET said after each event."""
    seen: dict[int, dict[str, Any]] = {}
    run_id = company.started()

    def look(by: str = "olivia") -> dict[str, Any]:
        told = company.told(run_id, by)
        seen[told["last_event"]] = told
        return told

    company.answer(run_id, told=look())
    told = look()
    runs.save(company.olivia, run_id, revision=told["revision"])
    runs.resume(company.tom, run_id, revision=look()["revision"])
    company.answer(run_id, "tom", look("tom"))
    told = look("tom")
    company.sql("update customer set risk = 'medium' where id = 1")
    company.answer(run_id, "tom", told, risk="low")
    company.answer(run_id, "tom", look("tom"), risk="high")
    told = look("tom")
    runs.revise(
        company.tom, run_id, revision=told["revision"], step="note", attempt=None, reason="Look again."
    )
    while look("tom")["current"] is not None:
        company.answer(run_id, "tom")
    return run_id, seen


def test_every_state_that_was_seen_is_replayed_key_by_key(company: Company) -> None:
    run_id, seen = walked(company)
    assert len(seen) >= 8
    for change in (
        None,
        "update customer set display_name = 'Somebody else', email = null, risk = null where id = 1",
    ):
        if change:
            company.sql(change)
        for at, live in seen.items():
            got = runs.replay(company.olivia, run_id, at).json
            expected = {**live, "current": live["current"] and {**live["current"], "draft": None}}
            assert got["run"] == expected, at
            assert (got["at"], got["event"]["n"], got["read_only"]) == (at, at, True)


def test_every_position_can_be_replayed_and_no_other(company: Company) -> None:
    run_id, seen = walked(company)
    last = max(seen)
    for at in range(1, last + 1):
        view = runs.replay(company.rosa, run_id, at)
        assert (view.json["run"]["last_event"], view.json["last"], len(view.ticks), view.run.can) == (
            at,
            last,
            last,
            frozenset(),
        )
    for at in (0, -1, last + 1, 10**9):
        with pytest.raises(NotFound):
            runs.replay(company.rosa, run_id, at)
    assert runs.replay(company.rosa, run_id).at == last
    assert log.events_of(run_id)[-1].n == last


def test_what_the_viewer_may_not_read_is_null_and_named(company: Company) -> None:
    run_id, seen = walked(company)
    with transaction() as connection:  # a right taken away after the run
        policy_store.write(
            connection,
            added=[
                access.Row("p", "role:reviewer", "t:operations", "field:customer/email", "read", "deny", "")
            ],
        )
    access.refresh()
    told = runs.replay(company.rosa, run_id, max(at for at in seen if seen[at]["current"])).json
    assert "screen.record.values.email" in told["masked"]
    assert told["screen"]["record"]["values"]["email"] is None
    assert "run.context.load.record.email" in told["masked"]
    assert "adaeze@" not in str(told)
    screen = runs.replay(company.rosa, run_id, min(seen)).run.screen
    assert screen is not None
    assert (screen["text"], screen["record"]["masked"]) == (
        "About **Adaeze Okonkwo-Bell**.",
        ["email"],
    )  # a text that does not name it stays
    assert "adaeze@" in str(runs.replay(company.olivia, run_id, min(seen)).json)


def test_what_has_a_masked_title_is_called_as_its_reader_may_call_it(company: Company) -> None:
    company.sql("create table paper (id integer primary key, kind text, number text)")
    company.sql("insert into paper values (1, 'Passport', 'QX7731'), (2, 'Letter', 'QX7732')")
    fields = {"number": {"sensitive": True}}
    paper = {
        "id": "paper",
        "source": "company",
        "table": "paper",
        "label": "Papers",
        "label_one": "Paper",
        "title": "{{ record.kind }} {{ record.number }}",
    }
    sources.refresh("company", [*DOCUMENTS, paper | {"fields": fields}])
    access.grant("reviewer", "collection:paper", ["read", "reveal"])
    rows: list[dict[str, Any]] = [{"key": key, "title": None, "values": {}} for key in ("1", "9")]
    item: dict[str, Any] = {"collection": "paper", "columns": [], "rows": rows[:1]}
    listed: list[dict[str, Any]] = [
        {"key": "1", "title": None, "state": "done", "values": {}},
        {"key": "2", "title": None, "state": "todo", "values": {}},
    ]
    masked = {
        "record": {"collection": "paper", "key": "2", "title": None},
        "tables": [item | {"rows": rows}],
        "progress": {"items": listed, "item": item},
    }
    told = reader_reach.named_for(company.rosa, dict(masked))
    assert told["record"]["title"] == "Letter"
    assert [row["title"] for row in told["tables"][0]["rows"]] == ["Passport", "Paper ••••••"], "one is gone"
    assert [each["title"] for each in told["progress"]["items"]] == ["Passport", "Letter"]
    assert told["progress"]["item"]["rows"][0]["title"] == "Passport"
    whom = company.stan
    assert reader_reach.named_for(whom, dict(masked))["record"]["title"] == "Paper ••••••", (
        "who may not read it is told its kind"
    )
    reads = loaded_values.Loading(
        records.collection("customer"), {("check", "items"): (None, "paper")}, company.rosa
    )
    access.grant("reviewer", "collection:paper", ["browse"])
    assert [
        each["title"] for each in loaded_values.with_titles(reads, "check", {"items": listed})["items"]
    ] == ["Passport", "Letter"]


def test_the_fold_of_the_log_is_the_live_rows_after_every_command(company: Company) -> None:
    run_id, _ = walked(company)
    for number in range(2):
        loaded = load(run_id, whole=True)
        assert loaded is not None
        then = fold(as_event(event) for event in log.events_of(run_id))
        live = loaded.run
        for name in [
            "id",
            "workflow",
            "version",
            "status",
            "revision",
            "seq",
            "team",
            "collection",
            "record",
            "started_by",
            "holder",
            "last_holder",
            "current",
            "made",
            "visits",
            "automatic",
        ]:
            assert getattr(then, name) == getattr(live, name), name
        for name in [
            "waiting",
            "take_over",
            "input",
            "reason",
            "ending",
            "exclusive_key",
            "created_at",
            "ended_at",
            "active_at",
            "context",
            "attempts",
        ]:
            assert getattr(then, name) == getattr(live, name), name
        if number == 0:
            run_id = company.at("rate", "2")


def test_events_in_order_with_places_once_they_are_sequenced(company: Company) -> None:
    run_id, _ = walked(company)
    rows, following = runs.events(company.olivia, run_id, limit=5)
    assert [row["n"] for row in rows] == [1, 2, 3, 4, 5]
    assert following == 5
    assert rows[0]["pos"] is None
    sequencing.catch_up()
    everything: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        rows, after = runs.events(company.olivia, run_id, limit=7, after=after)
        everything += rows
    assert [row["n"] for row in everything] == list(range(1, len(everything) + 1))
    places = [row["pos"] for row in everything]
    assert places == sorted(places)
    assert everything[0]["kind"] == "run_started"
    assert {
        "step_shown",
        "run_saved",
        "run_resumed",
        "effect_failed",
        "step_reopened",
        "effect_succeeded",
        "step_revised",
        "run_completed",
    } <= {row["kind"] for row in everything}


def test_a_personal_value_is_nowhere_in_the_bodies(company: Company) -> None:
    run_id, _ = walked(company)
    for event in log.events_of(run_id):
        assert "Adaeze" not in str(event.body)
        assert "adaeze@" not in str(event.body)
        assert "Look again." not in str(event.body)
