"""`console collection`: files that are checked, read in and given out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from console import records
from console.cli import console

if TYPE_CHECKING:
    from tests.company import Company


def told(*arguments: str, status: int = 0) -> str:
    """What the command prints, which must end so."""
    result = CliRunner().invoke(console, ["collection", *arguments])
    assert (result.exit_code != 0) == (status != 0), result.output
    return result.output


def test_given_out_and_read_in_again_nothing_changes(module_company: "Company", tmp_path: Path) -> None:
    files = told("export", "--all", "--to", str(tmp_path / "out")).splitlines()
    assert sorted(Path(file).name for file in files) == ["account.json", "customer.json"]
    assert all(f"{file}: fine" in told("check", *files) for file in files)
    for more in ([], ["--publish"]):
        assert sorted(told("import", *files, *more).splitlines()) == [
            "account  unchanged",
            "customer  unchanged",
        ]
    assert told("export", "customer").encode() == (tmp_path / "out" / "customer.json").read_bytes()
    assert "customer  company  customer  Customers" in told("list")
    del module_company


def test_a_file_is_the_draft_and_then_counts(module_company: "Company", tmp_path: Path) -> None:
    file = tmp_path / "customer.json"
    file.write_text(json.dumps(json.loads(told("export", "customer")) | {"label": "Clients"}))
    assert told("import", str(file)) == "customer  draft\n"
    assert records.collection("customer").label == "Customers"
    assert told("import", str(file), "--publish") == "customer  version 2\n"
    assert records.collection("customer").label == "Clients"
    del module_company


def test_every_problem_is_named_and_nothing_is_read_in(module_company: "Company", tmp_path: Path) -> None:
    file, before = tmp_path / "customer.json", told("export", "customer")
    file.write_text(json.dumps(json.loads(before) | {"title": "{{ x }}", "colour": 1}))
    checked = told("check", str(file), str(tmp_path / "absent.json"), status=1)
    assert f"{file}: colour: There is no setting colour here" in checked
    assert "absent.json: " in checked
    assert "cannot be read" in checked
    file.write_text(json.dumps(json.loads(before) | {"columns": ["gone"], "sort": "gone"}))
    read_in = told("import", str(file), status=1)
    assert "columns: There is no column gone." in read_in
    assert "sort: There is no column gone." in read_in
    assert told("export", "customer") == before
    for wrong in (["export"], ["export", "customer", "--all"], ["export", "--all"], ["export", "nothing"]):
        told(*wrong, status=1)
    del module_company
