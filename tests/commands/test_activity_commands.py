"""`console activity export` as somebody at a shell uses it, and `console verify` on what it wrote."""

import csv
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import cli, log
from console.activity import sequencing
from console.commands.activity import activity
from console.commands.verify import verify
from console.db import fetch
from console.log import tree_heads
from tests.company import Company

pytestmark = pytest.mark.slow


def export(*arguments: str) -> Result:
    return CliRunner().invoke(activity, ["export", *arguments])


@pytest.fixture(name="out")
def fixture_out(company: Company, tmp_path: Path) -> Path:
    """Where to write, beside a company in which something happened."""
    company.finished("1")
    company.at("note", "3")
    log.note(company.olivia, "record_changed", sealed={"values": {"tax_id": "IE124"}}, collection="customer", record="1")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (["--kind", "run_started", "--kind", "run_completed"], "kind in ('run_started', 'run_completed')"),
        (["--user", "olivia@fernwick.example", "--collection", "customer", "--record", "3"], "record = '3' and origin = 'user'"),
        (["--team", "operations", "--since-time", "2020-01-01", "--until", "2090-01-01T00:00:00Z"], "team = 'operations'"),
        (["--until", "2020-01-01"], "false"),
    ],
)
def test_filters_choose_what_is_written(out: Path, options: list[str], where: str) -> None:
    done = export("--format", "jsonl", "--out", str(out), *options)
    assert done.exit_code == 0, done.output
    rows = fetch(f"select e.body from console.activity a join console.event e on e.id = a.event where {where} order by pos")
    assert out.read_bytes().splitlines() == [bytes(body) for (body,) in rows]
    assert done.output == f"{len(rows)} events in {out}\n"
    made = export("--out", str(out), *options)
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(verify, [str(out), "--key", str(tree_heads.verifier_key())])
    assert checked.output.startswith(f"verified {len(rows)} events, chosen from"), checked.output


def test_nothing_is_hidden_from_the_shell(out: Path) -> None:
    assert export("--format", "csv", "--out", str(out), "--kind", "record_changed").exit_code == 0
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"), newline=""))
    assert (json.loads(row["data"]), row["masked"]) == ({"values": {"tax_id": "IE124"}}, "")
    assert export("--out", str(out)).exit_code == 0
    with zipfile.ZipFile(out) as made:
        assert json.loads(made.read("proofs.json"))["complete"] is True
        assert not [line for line in made.read("values.jsonl").splitlines() if "missing" in json.loads(line)]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_dash_is_standard_output(out: Path) -> None:
    done = export("--format", "jsonl", "--out", "-", "--kind", "run_started")
    assert [json.loads(line)["type"] for line in done.stdout_bytes.splitlines()] == ["run_started", "run_started"]
    assert zipfile.ZipFile(io.BytesIO(export("--out", "-").stdout_bytes)).testzip() is None
    assert not out.exists()


def test_a_pipe_is_written_to_and_stays_one(out: Path) -> None:
    os.mkfifo(out)
    read = subprocess.Popen(["cat", str(out)], stdout=subprocess.PIPE)
    assert export("--out", str(out), "--format", "jsonl", "--kind", "run_started").exit_code == 0
    assert read.communicate()[0].count(b"\n") == 2
    assert out.is_fifo()


def test_what_no_text_is_cannot_be_looked_for(out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["console", "activity", "export", "--record", os.fsdecode(b"\xff"), "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capsys.readouterr().err) == (2, "console: an argument holds bytes that are no UTF-8 text\n")


def test_an_archive_since_a_kept_checkpoint(out: Path, company: Company) -> None:
    sequencing.sealed()
    size, note, _ = tree_heads.newest() or (0, "", None)
    kept = out.with_name("kept")
    kept.write_text(note)
    company.finished("2")
    assert export("--out", str(out), "--since", str(size), "--kind", "run_started").exit_code == 0
    assert "unchanged since" in CliRunner().invoke(verify, [str(out), "--since", str(kept)]).output


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--kind", "nonsense"], "--kind: There is no kind of event"), (["--since-time", "soon"], "--since-time: This must be a date"),
        (["--until", "2026-13-01"], "--until: This must be a date"), (["--since", "3", "--format", "csv"], "--since: Only an archive"),
        (["--since", "x"], "--since: This must be the size"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_named(out: Path, options: list[str], named: str) -> None:
    done = export("--out", str(out), *options)
    assert (done.exit_code, named in done.output) == (2, True), done.output
    assert not out.exists()


def test_an_export_that_fails_leaves_what_was_there(out: Path) -> None:
    out.write_text("the one of yesterday")
    assert export("--out", str(out), "--user", "nobody@fernwick.example").exit_code != 0
    (out.parent / "out.part").mkdir()
    for place in (out, out.parent / "no" / "such"):
        failed = export("--out", str(place))
        assert (failed.exit_code, f"{place} cannot be written: " in failed.output) == (1, True), failed.output
    assert out.read_text() == "the one of yesterday"
