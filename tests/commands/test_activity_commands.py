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

from console import log
from console.activity import sequencing
from console.commands.activity import activity
from console.commands.verify import verify
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
    log.note(
        company.olivia,
        "record_changed",
        sealed={"values": {"tax_id": "IE124"}},
        collection="customer",
        record="1",
    )
    return tmp_path / "out"


def test_nothing_is_hidden_from_the_shell(out: Path) -> None:
    assert export("--format", "csv", "--out", str(out), "--kind", "record_changed").exit_code == 0
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"), newline=""))
    assert (json.loads(row["data"]), row["masked"]) == ({"values": {"tax_id": "IE124"}}, "")
    assert export("--out", str(out)).exit_code == 0
    with zipfile.ZipFile(out) as made:
        assert json.loads(made.read("proofs.json"))["complete"] is True
        assert not [line for line in made.read("values.jsonl").splitlines() if "missing" in json.loads(line)]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_pipe_is_written_to_and_stays_one(out: Path) -> None:
    os.mkfifo(out)
    read = subprocess.Popen(["cat", str(out)], stdout=subprocess.PIPE)
    assert export("--out", str(out), "--format", "jsonl", "--kind", "run_started").exit_code == 0
    assert read.communicate()[0].count(b"\n") == 2
    assert out.is_fifo()


def test_an_archive_since_a_kept_checkpoint(out: Path, company: Company) -> None:
    sequencing.sequence_and_sign()
    size, note, _ = tree_heads.newest() or (0, "", None)
    kept = out.with_name("kept")
    kept.write_text(note)
    company.finished("2")
    assert export("--out", str(out), "--since", str(size), "--kind", "run_started").exit_code == 0
    assert "unchanged since" in CliRunner().invoke(verify, [str(out), "--since", str(kept)]).output


def test_an_export_that_fails_leaves_what_was_there(out: Path) -> None:
    out.write_text("the one of yesterday")
    assert export("--out", str(out), "--user", "nobody@fernwick.example").exit_code != 0
    (out.parent / "out.part").mkdir()
    for place in (out, out.parent / "no" / "such"):
        failed = export("--out", str(place))
        assert (failed.exit_code, f"{place} cannot be written: " in failed.output) == (1, True), failed.output
    assert out.read_text() == "the one of yesterday"
