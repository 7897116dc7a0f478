"""The log checked by whoever doubts it: as it is, exported, and after a superuser has been at it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from console import runs
from console.activity import exports, sequencing
from console.commands.activity import activity
from console.commands.verify import verify
from console.core.errors import Conflict, NotAllowed
from console.infra.db import fetch
from console.log import tree_heads
from console.operations import erasure
from tests.company import Company

pytestmark = pytest.mark.lengthy


def checked(*arguments: str) -> Result:
    """What `console verify` says."""
    return CliRunner().invoke(verify, list(arguments))


def worked(company: Company) -> str:
    """A log with runs, a change of a record, and a refusal or two."""
    run_id = company.finished("1")
    runs.abort(company.olivia, company.at("note", "2"), revision=None, reason="enough")
    return run_id


def exported(folder: Path, name: str = "log.zip") -> Path:
    """The whole log as an archive."""
    done = CliRunner().invoke(activity, ["export", "--out", str(folder / name)])
    assert done.exit_code == 0, done.output
    return folder / name


def test_a_log_that_nobody_touched_is_verified(company: Company, tmp_path: Path) -> None:
    worked(company)
    told = checked()
    assert (told.exit_code, told.output.startswith("verified ")) == (0, True), told.output
    archive = exported(tmp_path)
    assert checked(str(archive)).exit_code == 0
    key = str(tree_heads.verifier_key())
    assert "unchanged since" not in checked(str(archive), "--key", key).output


def test_the_file_in_the_archive_checks_it_with_python_alone(company: Company, tmp_path: Path) -> None:
    worked(company)
    archive = exported(tmp_path)
    with zipfile.ZipFile(archive) as made:
        assert set(made.namelist()) == {
            "events.jsonl",
            "values.jsonl",
            "leaves",
            "checkpoint",
            "proofs.json",
            "key",
            "verify.py",
            "README.txt",
        }
        made.extract("verify.py", tmp_path)
        bodies = made.read("events.jsonl").splitlines()
        values = [json.loads(line) for line in made.read("values.jsonl").splitlines()]
    command = [sys.executable, "-I", str(tmp_path / "verify.py"), str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith(f"verified {len(bodies)} events")
    assert {"event", "name", "salt", "value"} == set(values[0])


@contextmanager
def superuser() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Somebody with all rights and bad intentions: triggers are off, and the check of the hash is gone."""
    from console.infra.settings import current

    url = str(current().database_migration_url)
    with psycopg.connect(
        url.split("?", maxsplit=1)[0]
        + "?"
        + "&".join(part for part in url.split("?")[1].split("&") if not part.startswith("options")),
        autocommit=True,
    ) as connection:
        connection.execute("alter table console.event disable trigger all")
        connection.execute("alter table console.event drop constraint if exists event_leaf_is_hash")
        yield connection


CHANGED = "convert_to(replace(convert_from(body, 'UTF8'), '\"outcome\":\"default\"', '\"outcome\":\"changed\"'), 'UTF8')"
FORGED: list[tuple[str, list[str]]] = [
    ("edited", [f"update console.event set body = {CHANGED} where id = {{id}}"]),
    (
        "edited",
        [
            f"update console.event set body = {CHANGED} where id = {{id}}",
            "update console.event set leaf = sha256('\\x00'::bytea || body) where id = {id}",
        ],
    ),
    ("dropped", ["delete from console.activity where event = {id}"]),
    ("dropped", ["delete from console.event where id = {id}"]),
]


@pytest.mark.parametrize(("kind", "statements"), FORGED)
def test_what_a_superuser_did_is_named_with_its_place(
    company: Company, kind: str, statements: list[str]
) -> None:
    run_id = worked(company)
    assert checked().exit_code == 0
    row = fetch(
        "select e.id, e.run_seq, a.pos from console.event e join console.activity a on a.event = e.id where e.run = %s and e.body like %s order by 2 limit 1",
        (run_id, b'%"outcome":"default"%'),
    )[0]
    with superuser() as connection:
        for statement in statements:
            connection.execute(statement.format(id=row[0]))
    told = checked()
    assert told.exit_code == 1, told.output
    assert kind in told.output
    assert f"position {row[2]}" in told.output, told.output


def test_an_erasure_is_the_only_thing_that_is_missing(company: Company, tmp_path: Path) -> None:
    worked(company)
    before = exported(tmp_path, "before.zip")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    after = exported(tmp_path, "after.zip")
    for archive in (before, after):
        assert checked(str(archive)).exit_code == 0, checked(str(archive)).output
    assert " 0 erased" in checked(str(before)).output
    assert " 0 erased" not in checked(str(after)).output
    with zipfile.ZipFile(before) as old:
        (tmp_path / "kept.txt").write_bytes(old.read("checkpoint"))
    assert "unchanged since" in checked(str(after), "--since", str(tmp_path / "kept.txt")).output
    assert checked("--since", str(tmp_path / "kept.txt")).exit_code == 0


def test_lines_are_the_hashed_bytes(company: Company, tmp_path: Path) -> None:
    worked(company)
    out = tmp_path / "log.jsonl"
    done = CliRunner().invoke(activity, ["export", "--format", "jsonl", "--out", str(out)])
    assert done.exit_code == 0
    bodies = [
        bytes(row[0])
        for row in fetch(
            "select e.body from console.activity a join console.event e on e.id = a.event order by a.pos"
        )
    ]
    assert out.read_bytes().splitlines() == bodies[: len(out.read_bytes().splitlines())]
    assert done.output.startswith(f"{len(out.read_bytes().splitlines())} events")


def test_who_may_export(company: Company) -> None:
    worked(company)
    asked = exports.ExportQuery(proofs=True)
    with pytest.raises(Conflict):
        exports.begin(company.ada, asked, ready=sequencing.catch_up)
    for name in ("olivia", "mona", "stan", "rosa", "ines"):
        with pytest.raises(NotAllowed):
            exports.begin(company.people[name], asked, ready=sequencing.sequence_and_sign)
    assert b"".join(exports.begin(company.ada, asked, ready=sequencing.sequence_and_sign).parts()).startswith(
        b"PK"
    )
    kinds = [
        row[0]
        for row in fetch(
            "select convert_from(body, 'UTF8')::jsonb->>'type' from console.event where run = 'ses_ada'"
        )
    ]
    assert kinds == ["log_exported"]
