"""An action that calls a tool of an MCP server: with approval and form like any action, and the same care as the step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console import runs, workflows
from console.actions import connection_settings
from console.core.actor import COMMAND_LINE
from console.runs.commands.transitions import Submission
from tests.company import Company
from tests.runs.simulation.test_dry_runs import said, trial
from tests.servers import mcp_servers
from tests.servers.mcp_servers import Hostile
from tests.steps.test_mcp_task import calling, execute, registered
from tests.support.acting import imported
from tests.support.engine import publish, step

ACTION: dict[str, Any] = {
    "format": 1,
    "id": "letter.write",
    "title": "Write a letter",
    "collection": "customer",
    "form": [{"name": "place", "label": "Place", "type": "text", "required": True}],
    "effects": [
        {
            "kind": "mcp",
            "name": "letter",
            "summary": "Writes it down",
            "server": "files",
            "tool": "write",
            "arguments": {"path": "input.place", "kind": "'letter'"},
            "result": {"id": "answer.id"},
        }
    ],
    "done": "Letter {{ results.letter.id }} is written.",
}


@pytest.fixture
def hostile(company: Company, tmp_path: Path, given_settings: Callable[..., None]) -> Hostile:
    made = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=made.command))
    registered(made.command)
    return made


def acted(company: Company, **values: Any) -> dict[str, Any]:
    """The action, executed with these values by a step; the run afterwards."""
    imported(ACTION)
    steps = [
        step("start", "start", "act"),
        step("act", "trigger_action", "end", {"action": "letter.write"}),
        step("end", "end", None),
    ]
    publish("acting", steps, collection="customer", exclusive=False)
    run_id = runs.start(company.olivia, "acting", "customer", "1", {})
    runs.complete(company.olivia, run_id, Submission("act", None, values))
    company.work()
    return company.told(run_id)


def test_an_action_calls_it_and_later_texts_find_what_came_of_it(company: Company, hostile: Hostile) -> None:
    told = acted(company, place="a.txt")
    assert hostile.calls == [["write", {"path": "a.txt", "kind": "letter"}]]
    assert told["context"]["act"]["result"] == {"id": "f_1"}
    assert told["context"]["act"]["message"] == "Letter f_1 is written."


def test_in_the_sandbox_only_what_an_administrator_says_reads_is_called(
    company: Company, hostile: Hostile, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_SANDBOX="on", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=hostile.command))
    told = acted(company, place="a.txt")
    assert (told["status"], told["simulated"], hostile.calls) == ("completed", True, [])
    assert told["context"]["act"]["result"] == {"simulated": True, "id": None}
    looked = execute(company, calling(company, {"tool": "look"}), path="a")
    assert (looked["status"], looked["simulated"], len(hostile.calls)) == ("completed", False, 1)


def test_a_dry_run_calls_no_tool(company: Company, hostile: Hostile) -> None:
    acted(company, place="a.txt")
    chosen = {"act": said(values={"place": "b.txt"})}
    tried = trial(company, workflows.live("acting").document.to_json(), answers=chosen)
    assert len(hostile.calls) == 1
    assert [(each.kind, each.summary) for each in tried.would_send] == [("mcp", "Writes it down")]


def test_a_tool_that_changed_is_not_called_by_an_action_either(company: Company, hostile: Hostile) -> None:
    hostile.be("changed")
    assert "has changed" in str(acted(company, place="a.txt")["current"])
    connection_settings.remove(COMMAND_LINE, "files")
    assert "was removed" in str(acted(company, place="a.txt")["current"])
    assert hostile.calls == []
