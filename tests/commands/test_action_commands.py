"""`console action`: files checked without a database, read in, listed and given out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.cli import console
from tests.company import Company
from tests.support.acting import RATE


def said(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(console, ["action", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return result.output


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rate.json"
    path.write_text(json.dumps(RATE))
    return path


def test_check_names_every_problem_with_its_file(tmp_path: Path, file: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({**RATE, "if": "steps.x", "done": "{{ results.y }}"}))
    told = said("check", str(file), str(wrong), str(tmp_path / "none.json"), status=1)
    assert f"{file}: fine" in told
    assert f"{wrong}: if: An action does not know steps" in told
    assert f"{wrong}: done: No effect before has the name y" in told
    assert "none.json: cannot be read" in told


def test_import_list_and_export(company: Company, file: Path) -> None:
    assert said("import", str(file)).startswith("customer.rate  Rate the customer  ")
    assert said("list") == "customer.rate  customer  Rate the customer\n"
    again = file.with_name("again.json")
    again.write_text(said("export", "customer.rate"))
    assert said("check", "--sources", str(again)) == f"{again}: fine\n"
    del company


def test_what_cannot_be_used_changes_nothing(company: Company, file: Path) -> None:
    file.write_text(
        json.dumps(
            {
                **RATE,
                "effects": [{**RATE["effects"][0], "set": {"colour": "1"}}],
                "approval": [{"roles": ["boss"]}],
            }
        )
    )
    told = said("import", str(file), status=1)
    assert "effects[0].set.colour: Customers has no field colour" in told
    assert "approval[0].roles[0]: There is no role boss" in told
    assert said("list") == ""
    del company


@pytest.mark.parametrize("act", ["change", "delete"])
def test_an_action_of_a_collection_is_drafted_and_can_be_imported(
    company: Company, tmp_path: Path, act: str
) -> None:
    file = tmp_path / "draft.json"
    file.write_text(said("draft", "customer", act, "--approver", "lead", "--team", "operations"))
    drafted = json.loads(file.read_text())
    assert drafted["approval"] == [{"roles": ["lead"]}]
    assert "id" not in {field["name"] for field in drafted["form"]}, "nobody writes the key"
    assert said("import", str(file)).startswith(f"customer.{act}  ")
    said("draft", "nowhere", act, status=1)
