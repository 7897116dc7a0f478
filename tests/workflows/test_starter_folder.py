"""`console workflow init`: a folder in which an AI-powered editor has what it needs."""

import json
import re
from pathlib import Path

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from console import steps
from console.commands.workflow import workflow
from console.core.documents.triggers import Trigger
from console.core.errors import Conflict
from console.core.expressions.functions import FUNCTIONS, METHODS


def test_the_folder_checks_itself_and_names_every_type_trigger_and_function(tmp_path: Path) -> None:
    folder, shell = tmp_path / "mine", CliRunner()
    made = shell.invoke(workflow, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    files = sorted(folder.glob("workflows/*.json"))
    assert [line for line in made.output.splitlines() if line.endswith((".json", ".md"))]
    assert len(files) >= 3
    assert shell.invoke(workflow, ["check", *map(str, files)]).exit_code == 0
    for file in files:
        document = json.loads(file.read_text())
        schema = json.loads((file.parent / document["$schema"]).read_text())
        Draft202012Validator(schema).validate(document)
    text = (folder / "AGENTS.md").read_text()
    assert set(re.findall(r"^### `(\w+)`", text, re.MULTILINE)) == set(steps.all_types())
    for name, kind in steps.all_types().items():
        part = text.partition(f"### `{name}`")[2].partition("\n###")[0]
        named = kind.Config.model_json_schema().get("properties", {})
        assert [one for one in named if f"- `{one}`" not in part] == [], name
    assert [name for name in Trigger.model_json_schema()["properties"] if f"- `{name}`" not in text] == []
    assert [name for name in FUNCTIONS if f"| `{name}` (" not in text] == []
    assert [name for name in METHODS if f"| `text.{name}` (" not in text] == []
    assert not re.search(r"\{(steps|triggers|functions)\}", text)


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("Mine.")
    done = CliRunner().invoke(workflow, ["init", str(tmp_path)])
    assert isinstance(done.exception, Conflict)
    assert [path.name for path in tmp_path.iterdir()] == ["AGENTS.md"]
    assert (tmp_path / "AGENTS.md").read_text() == "Mine."
