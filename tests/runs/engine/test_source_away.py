"""Runs while their data source is away, changes its tables, or holds values that no rule allows."""

from typing import Any

import pytest

from console import runs
from console.activity import sequencing
from console.core.errors import ConsoleError
from console.records import connect
from console.runs.commands import transitions
from tests.company import Company
from tests.runs.commands.test_midway import away, said, whole
from tests.support.engine import overdue


def test_every_command_while_the_source_is_away(company: Company) -> None:
    run_id, other = company.at("rate"), company.at("note", "2", by="tom")
    told = company.told(run_id)
    with away(company):
        assert said(lambda: company.started("4")) == "source_down"
        view = runs.get(company.olivia, run_id)
        assert view.down is not None
        assert "company" in view.down
        assert view.screen is not None
        assert [field["name"] for field in view.screen["fields"]] == ["risk", "email"], (
            "what was last shown stays on the screen"
        )
        assert (
            said(
                lambda: runs.draft(
                    company.olivia, run_id, step="rate", revision=told["revision"], values={"risk": "high"}
                )
            )
            == "done"
        )
        assert said(lambda: company.answer(run_id, "olivia", told, risk="high")) == "source_down"
        for who, found in [
            ("olivia", {run_id}),
            ("tom", {other}),
            ("mona", {run_id, other}),
            ("ada", {run_id, other}),
            ("stan", set()),
        ]:
            assert {head.id for head in runs.find(company.people[who])[0]} == found, who
            assert {head.id for head in runs.held_by(company.people[who])} == found - (
                {run_id, other} if who in ("mona", "ada") else set()
            )
        assert said(lambda: runs.get(company.tom, run_id)) == "source_down", (
            "whether it is in Tom's scope cannot be told"
        )
        assert said(lambda: runs.get(company.stan, run_id)) == "not_found"
        assert (
            said(
                lambda: runs.revise(
                    company.olivia, run_id, revision=None, step="note", attempt=None, reason="Again."
                )
            )
            == "done"
        )
        assert said(lambda: runs.save(company.olivia, run_id, revision=None)) == "done"
        assert said(lambda: runs.resume(company.olivia, run_id, revision=None)) == "source_down"
        assert said(lambda: runs.resume(company.mona, run_id, revision=None)) == "done"
        runs.advance(run_id)
        assert sequencing.catch_up() > 0
    assert company.sql("select risk from customer where id = 1") == [(None,)]
    company.answer(run_id, "mona", note="Back again.")
    assert company.told(run_id, "mona")["current"]["step"] == "rate"
    whole(run_id)


def test_a_write_that_finds_the_source_away_is_made_once_when_it_is_back(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = company.at("rate")
    put = transitions.write

    def going(*given: Any, **more: Any) -> Any:
        made = put(*given, **more)
        if company.path.is_file() and any(
            attempt.status == "performing" for attempt in made.run.attempts.values()
        ):
            connect.dispose()
            company.path.rename(company.path.with_suffix(".away"))
        return made

    monkeypatch.setattr(transitions, "write", going)
    company.answer(run_id, risk="high")
    monkeypatch.undo()
    connect.dispose()
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_time", "rate")
    company.path.with_suffix(".away").rename(company.path)
    assert company.sql("select risk from customer where id = 1") == [(None,)]
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["step"] != "rate"
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    whole(run_id)


CHANGED: list[tuple[str, str]] = [
    (
        "alter table customer rename column risk to risk_now",
        "alter table customer rename column risk_now to risk",
    ),
    ("alter table customer rename to customers", "alter table customers rename to customer"),
    (
        "alter table customer rename column display_name to name",
        "alter table customer rename column name to display_name",
    ),
]


def test_a_source_that_changes_its_form_under_an_open_run_is_told_and_nothing_is_written(
    company: Company,
) -> None:
    run_id = company.at("rate")
    told = company.told(run_id)
    for there, back in CHANGED:
        company.sql(there)
        connect.dispose()
        with pytest.raises(ConsoleError) as refused:
            company.answer(run_id, "olivia", told, risk="high")
        assert (refused.value.status, refused.value.code) == (503, "source_changed"), there
        assert runs.get(company.olivia, run_id).down, there
        company.sql(back)
        connect.dispose()
        assert company.told(run_id)["revision"] == told["revision"], there
    company.answer(run_id, risk="high")
    assert company.told(run_id)["current"]["step"] == "decide"
