"""Rows of runs are projections: whatever happens to them, the log brings them back."""

from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from console import runs
from console.commands.rebuild import rebuild
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from tests.company import Company
from tests.statements import ROOT

HARM = [
    ("update console.run set status = 'completed', holder = null where id = :run", {("run", "head")}),
    ("update console.run set revision = revision + 5, visits = '{}' where id = :run", {("run", "head")}),
    ("delete from console.attempt where run = :run and n = 2", {("attempt", "2")}),
    (
        'update console.attempt set "values" = \'{"note": "forged"}\' where run = :run and step = \'note\'',
        {("attempt", "4")},
    ),
    (
        'insert into console.attempt select run, 99, step, 9, status, entered_at, completed_at, by, outcome, "values", output, handled_manually, replaces, revised, defaults, errors from console.attempt where run = :run and n = 1',
        {("attempt", "99")},
    ),
    (
        "update console.run_context set output = '{}' where run = :run and step = 'note'",
        {("run_context", "note")},
    ),
    (
        "delete from console.run_context where run = :run",
        {
            ("run_context", "load"),
            ("run_context", "note"),
            ("run_context", "read"),
            ("run_context", "start"),
            ("run_context", "rate"),
            ("run_context", "is_high"),
        },
    ),
    ("update console.effect set status = 'unknown' where run = :run", None),
]


def harm(statement: str, run_id: str) -> None:
    """What a careless person does to the rows behind the console's back."""
    with transaction() as connection:
        connection.execute(sa.text(statement), {"run": run_id})


def rows(run_id: str) -> Any:
    """Everything that the rows say of the run."""
    loaded = load(run_id, whole=True)
    return loaded and (loaded.run, loaded.head, loaded.subject)


def texts(run_id: str) -> list[str]:
    """The rows of the run as PostgreSQL writes them, in which a null of JSON is not one of SQL."""
    found = []
    for table, column in (("run", "id"), ("attempt", "run"), ("effect", "run"), ("run_context", "run")):
        found += [
            row[0]
            for row in fetch(
                f"select t::text from console.{table} t where {column} = %s order by 1 /* every run */",
                (run_id,),
            )
        ]
    return found


def test_nothing_differs_after_a_walk(company: Company) -> None:
    for run_id in (company.finished("1"), company.at("rate", "2"), company.started("3")):
        assert list(runs.rebuild(run_id, check=True)) == []
    assert list(runs.rebuild(check=True)) == []


def test_each_harm_is_named_and_mended(company: Company) -> None:
    run_id = company.at("decide")
    whole = rows(run_id)
    for statement, expected in HARM:
        harm(statement, run_id)
        found = list(runs.rebuild(run_id, check=True))
        assert found, statement
        if expected is not None:
            assert {(each.table, each.key) for each in found} == expected, statement
        assert list(runs.rebuild(run_id, check=True)) == found, "comparing changes nothing"
        assert list(runs.rebuild(run_id)) == found
        assert list(runs.rebuild(run_id, check=True)) == []
        assert rows(run_id) == whole, statement


def test_a_run_whose_rows_are_all_gone_comes_back(company: Company) -> None:
    run_id = company.at("decide")
    whole, told, as_written = rows(run_id), company.told(run_id), texts(run_id)
    for table, column in (("effect", "run"), ("run_context", "run"), ("attempt", "run"), ("run", "id")):
        harm(f"delete from console.{table} where {column} = :run", run_id)
    assert load(run_id) is None
    assert {each.columns for each in runs.rebuild()} == {("missing",)}
    assert rows(run_id) == whole
    assert texts(run_id) == as_written, (
        "what is empty stays SQL's null: statements of lists and counts ask for it"
    )
    assert company.told(run_id) == told
    company.answer(run_id)
    assert company.told(run_id)["status"] == "completed"


def test_the_command_exits_1_and_names_what_it_found(company: Company) -> None:
    run_id = company.at("note")
    calm = CliRunner().invoke(rebuild, ["--check"])
    assert (calm.exit_code, calm.stdout) == (0, "The rows are what the log tells.\n")
    harm("update console.run set status = 'saved' where id = :run", run_id)
    for arguments in (["--check"], [run_id, "--check"], []):
        told = CliRunner().invoke(rebuild, arguments)
        assert told.exit_code == 1
        assert told.stdout == f"{run_id}: run head: status\n"
    assert CliRunner().invoke(rebuild).exit_code == 0


def test_runs_made_anew_by_the_release_before_are_found_again(company: Company) -> None:
    run_id = company.at("decide")
    as_written = texts(run_id)
    nothing = ", ".join(
        f"{name} = coalesce({name}, 'null')" for name in ("waiting", "take_over", "ticket", "origin", "fork")
    )
    harm(f"update console.run set {nothing} where id = :run", run_id)
    harm("update console.attempt set proposal = coalesce(proposal, 'null') where run = :run", run_id)
    assert texts(run_id) != as_written
    for statement in (
        (ROOT / "migrations" / "sql" / "20261216_0470_nothing_in_runs.sql").read_text().split(";")[:-1]
    ):
        harm(f"{statement} and :run <> ''", run_id)
    assert texts(run_id) == as_written
