"""`console inbox` as somebody at a shell uses it."""

import json
from pathlib import Path

from click.testing import CliRunner

from console.commands.inbox import inbox
from console.core.errors import DefinitionError, NotFound
from tests.company import DESK, Company
from tests.work.test_inbox import UNRATED


def test_inboxes_from_the_shell(company: Company, tmp_path: Path) -> None:
    file = tmp_path / "inboxes.json"
    file.write_text(json.dumps([DESK | {"roles": ["lead"]}, UNRATED]))
    shell = CliRunner()
    expected = "desk  Compliance desk  operations  lead  what is handed on\nunrated  Unrated  operations  everybody with the right  customer into care-review\n"
    assert shell.invoke(inbox, ["import", str(file)]).output == expected
    assert shell.invoke(inbox, ["list"]).output == expected
    assert shell.invoke(inbox, ["close", "desk"]).output == "desk is closed.\n"
    assert shell.invoke(inbox, ["list"]).output == expected.splitlines(keepends=True)[1]
    assert isinstance(shell.invoke(inbox, ["close", "desk"]).exception, NotFound)
    file.write_text("{}")
    assert isinstance(shell.invoke(inbox, ["import", str(file)]).exception, DefinitionError)
