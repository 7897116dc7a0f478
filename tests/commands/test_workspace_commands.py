"""`console workspace` as somebody at a shell uses it."""

import json
from pathlib import Path

from click.testing import CliRunner

from console.commands.workspace import workspace
from tests.company import Company

DESK = {
    "format": 1,
    "id": "desk",
    "title": "Desk",
    "components": [{"id": "people", "type": "collection", "collection": "customer"}],
}


def test_workspaces_from_the_shell(company: Company, tmp_path: Path) -> None:
    file, shell = tmp_path / "desk.json", CliRunner()
    file.write_text(json.dumps(DESK))
    assert shell.invoke(workspace, ["check", "--sources", str(file)]).output == f"{file}: fine\n"
    assert shell.invoke(workspace, ["import", str(file)]).output == "desk  draft\n"
    assert shell.invoke(workspace, ["list"]).output == ""
    assert shell.invoke(workspace, ["import", "--publish", str(file)]).output == "desk  version 1\n"
    assert shell.invoke(workspace, ["import", "--publish", str(file)]).output == "desk  unchanged\n"
    assert shell.invoke(workspace, ["list"]).output == "desk  Desk  everybody\n"
    exported = shell.invoke(workspace, ["export", "desk"]).output
    assert json.loads(exported) == DESK
    file.write_text(json.dumps({**DESK, "title": "Other"}))
    assert shell.invoke(workspace, ["import", str(file)]).output == "desk  draft\n"
    assert shell.invoke(workspace, ["export", "desk"]).output == exported, "what counts, not the draft"
    file.write_text(json.dumps({**DESK, "components": [{"id": "a", "type": "fields", "of": "nobody"}]}))
    told = shell.invoke(workspace, ["check", str(file)])
    assert (told.exit_code, "a.of: Nothing selects nobody" in told.output) == (1, True)
    refused = shell.invoke(workspace, ["import", str(file)])
    assert (
        refused.exit_code,
        refused.output.count("Nothing selects nobody"),
        refused.exception.__class__,
    ) == (1, 1, SystemExit)
    file.write_text(
        json.dumps({**DESK, "components": [{"id": "a", "type": "collection", "collection": "nowhere"}]})
    )
    assert (
        "There is no collection nowhere here."
        in shell.invoke(workspace, ["check", "--sources", str(file)]).output
    )
    assert shell.invoke(workspace, ["check", str(tmp_path / "none.json")]).exit_code == 1
