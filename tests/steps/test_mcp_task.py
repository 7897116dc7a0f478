"""A tool of an MCP server as a step: its form, the call, what comes back, and what happens where the server is not as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console import connectors, log, runs
from console.actions import connection_settings
from console.core.actor import COMMAND_LINE
from console.core.errors import Conflict, Invalid
from console.infra.db.engine import fetch
from console.runs.commands.transitions import Submission
from tests.company import Company
from tests.servers import mcp_servers
from tests.servers.mcp_hostile import ORDER
from tests.servers.mcp_servers import Hostile
from tests.support.engine import publish, step

FORM = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "amount": {"type": "integer"}},
    "required": ["path"],
}
SMALLEST: dict[str, Any] = {"server": "files", "tool": "write", "schema": FORM}
HANDED_IN: tuple[dict[str, Any], str | None] = ({"done_by": "hand"}, None)
FURTHER: list[dict[str, Any]] = [
    {"locked": ["path"], "timeout_s": 5, "result": {"id": "answer.id"}, "text": "Write it down."}
]
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"arguments": {"path": "record.email"}, "text": "For {{ record.email }}"}, ["arguments.path"], ["text"])
]
MASKED: dict[str, Any] = {
    "server": "files",
    "tool": "write",
    "schema": FORM,
    "arguments": {"path": "record.tax_id"},
    "text": "Of {{ record.tax_id }}",
}


@pytest.fixture
def hostile(company: Company, tmp_path: Path, given_settings: Callable[..., None]) -> Hostile:
    made = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=made.command))
    registered(made.command)
    return made


def registered(command: tuple[str, ...], name: str = "files", reads: tuple[str, ...] = ("look",)) -> None:
    """The server, with all of its tools accepted."""
    found = connection_settings.register(COMMAND_LINE, name, command=command)
    assert not found.problem, found.problem
    connection_settings.accept(COMMAND_LINE, name, list(found.offered), reads=reads)


def calling(company: Company, config: dict[str, Any], **more: Any) -> str:
    """A run that stands at the step."""
    steps = [
        step("start", "start", "call"),
        step("call", "mcp_task", "after", {"server": "files", **config}) | more,
        step("after", "output", "end", {"values": {"came": "steps.call.result", "by": "steps.call.done_by"}}),
        step("end", "end", None),
    ]
    publish("calling", steps, collection="customer", exclusive=False)
    return runs.start(company.olivia, "calling", "customer", "1", {})


def execute(company: Company, run_id: str, **values: Any) -> dict[str, Any]:
    runs.complete(company.olivia, run_id, Submission("call", None, values))
    company.work()
    return company.told(run_id)


def test_the_arguments_are_filled_in_from_the_run_shown_and_sent_by_a_click(
    company: Company, hostile: Hostile
) -> None:
    config = {"tool": "write", "arguments": {"path": "record.email", "kind": "'letter'"}, "locked": ["kind"]}
    run_id = calling(company, config)
    company.work()
    current = company.told(run_id)["current"]
    shown = {
        field["name"]: (field["type"], field["value"], field["readonly"])
        for field in current["form"]["fields"]
    }
    email = shown["path"][1]
    assert email
    assert shown == {
        "path": ("long_text", email, False),
        "amount": ("integer", None, False),
        "kind": ("enum", "letter", True),
        "done_by": ("enum", "tool", False),
    }
    assert (current["button"], hostile.calls) == ("Execute", []), "nothing is called before the click"
    told = execute(company, run_id, path="a.txt", amount=7)
    sent = {"path": "a.txt", "amount": 7, "kind": "letter"}
    assert hostile.calls == [["write", sent]]
    assert told["status"] == "completed"
    assert told["context"]["after"] == {"came": {"wrote": sent, "id": "f_1", "share": "0.5"}, "by": "tool"}


def test_what_does_not_fit_the_schema_is_said_at_its_field_and_not_sent(
    company: Company, hostile: Hostile
) -> None:
    run_id = calling(company, {"tool": "write"})
    for values, field in (
        ({}, "path"),
        ({"path": "a", "amount": 0}, "amount"),
        ({"path": "a", "kind": "poem"}, "kind"),
        ({"path": "a", "other": 1}, "other"),
    ):
        with pytest.raises(Invalid) as refused:
            execute(company, run_id, **values)
        assert [detail["field"] for detail in refused.value.details] == [field]
    assert hostile.calls == []


def test_the_result_is_mapped_by_the_step_and_counts_as_a_claim(company: Company, hostile: Hostile) -> None:
    run_id = calling(company, {"tool": "write", "result": {"id": "answer.id", "none": "answer.no"}})
    assert execute(company, run_id, path="a")["context"]["after"]["came"] == {"id": "f_1", "none": None}
    from console import steps

    assert steps.get("mcp_task").by_others


@pytest.mark.parametrize("tool", ["silent", "crash", "broken"])
def test_no_answer_is_unknown_and_a_person_settles_it(company: Company, hostile: Hostile, tool: str) -> None:
    run_id = calling(company, {"tool": tool, "timeout_s": 2})
    told = execute(company, run_id)
    assert (told["status"], told["current"]["type"]) == ("waiting_person", "settle")
    assert len(hostile.calls) == 1
    effect = told["attempts"][-1]["effects"][0]
    assert effect["status"] == "unknown"
    runs.settle(
        company.olivia,
        run_id,
        revision=told["revision"],
        effect=effect["id"],
        done=True,
        reason="I saw it there.",
    )
    company.work()
    assert company.told(run_id)["status"] == "completed"
    assert len(hostile.calls) == 1, "never a second call by itself"


def test_what_the_server_refuses_opens_the_form_again(company: Company, hostile: Hostile) -> None:
    run_id = calling(company, {"tool": "refuses"})
    told = execute(company, run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "call")
    assert "There is no such path." in str(told["current"])


def test_three_megabytes_are_cut_to_what_is_kept(company: Company, hostile: Hostile) -> None:
    came = execute(company, calling(company, {"tool": "big"}))["context"]["after"]["came"]
    assert (set(came["text"]), len(came["text"])) == ({"x"}, 32 * 1024)
    assert "cut" in came


def test_a_changed_tool_stops_with_what_changed_asks_administrators_and_can_be_done_by_hand(
    company: Company, hostile: Hostile
) -> None:
    run_id = calling(company, {"tool": "write"})
    hostile.be("changed")
    told = execute(company, run_id, path="a")
    assert told["status"] == "waiting_person"
    for words in ("has changed", "iban is new and required", "kind is gone", "path takes "):
        assert words in str(told["current"])
    assert hostile.calls == []
    notices = fetch("select kind, link from console.notice where kind = 'mcp_tool_changed'")
    assert set(notices) == {("mcp_tool_changed", "/settings/mcp/files")}
    told = execute(company, run_id, done_by="hand")
    assert (told["status"], told["context"]["after"]) == ("completed", {"came": None, "by": "hand"})
    offered = connectors.find("files").offered["write"]
    connection_settings.accept(COMMAND_LINE, "files", ["write"], seen={"write": offered.hash})
    told = execute(company, calling(company, {"tool": "write"}), path=3, iban="LT1")
    assert told["status"] == "completed"
    assert hostile.calls == [["write", {"path": 3, "iban": "LT1"}]]


@pytest.mark.parametrize("how", ["server", "tool", "offer", "program"])
def test_what_was_taken_away_while_a_run_waits_is_said_and_done_by_hand(
    company: Company, hostile: Hostile, how: str, given_settings: Callable[..., None]
) -> None:
    run_id = calling(company, {"tool": "write"})
    company.work()
    if how == "server":
        connection_settings.remove(COMMAND_LINE, "files")
    elif how == "tool":
        connection_settings.accept(COMMAND_LINE, "files", ["look"])
    elif how == "offer":
        hostile.be("gone")
    else:
        given_settings(CONSOLE_MCP_COMMANDS="")
    words = {
        "server": "was removed",
        "tool": "is not accepted",
        "offer": "it is gone",
        "program": "CONSOLE_MCP_COMMANDS does not name",
    }[how]
    if how in ("server", "tool"):
        with pytest.raises(Conflict, match=words):
            execute(company, run_id, path="a")
    else:
        assert words in str(execute(company, run_id, path="a")["current"])
    assert hostile.calls == []
    assert execute(company, run_id, done_by="hand")["status"] == "completed"


def test_only_what_an_administrator_says_reads_is_called_without_a_click(
    company: Company, hostile: Hostile
) -> None:
    run_id = calling(company, {"tool": "write", "arguments": {"path": "'a'"}}, completion="automatic")
    company.work()
    assert (company.told(run_id)["status"], hostile.calls) == ("waiting_person", [])
    run_id = calling(company, {"tool": "look", "arguments": {"path": "'a'"}}, completion="automatic")
    company.work()
    assert (company.told(run_id)["status"], hostile.calls) == ("completed", [["look", {"path": "a"}]])


def test_what_a_server_says_of_its_tools_is_told_to_nobody_at_the_step_unless_it_was_accepted(
    company: Company, hostile: Hostile
) -> None:
    run_id = calling(company, {"tool": "write"})
    company.work()
    assert ORDER not in str(company.told(run_id))
    assert "passwd" not in str(company.told(run_id)), "nor is its default filled in"
    connection_settings.accept(COMMAND_LINE, "files", ["write"], described=["write"])
    run_id = calling(company, {"tool": "write"})
    company.work()
    assert ORDER in str(company.told(run_id)["current"])


def test_the_reference_servers_are_called(
    company: Company, tmp_path: Path, given_settings: Callable[..., None]
) -> None:
    commands = {
        "everything": mcp_servers.reference("everything"),
        "filesystem": mcp_servers.reference("filesystem", str(tmp_path)),
        "memory": mcp_servers.reference("memory"),
    }
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(**commands))
    for name, command in commands.items():
        registered(command, name, reads=())
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("everything", "get-sum", {"a": "1.5", "b": "2"}, "3.5"),
        ("filesystem", "write_file", {"path": str(tmp_path / "a.txt"), "content": "Zażółć"}, "Successfully"),
        ("memory", "search_nodes", {"query": "nobody"}, "entities"),
    ]
    for server, tool, values, words in cases:
        told = execute(company, calling(company, {"server": server, "tool": tool}), **values)
        assert told["status"] == "completed", told
        assert words in str(told["context"]["after"]["came"])
    assert (tmp_path / "a.txt").read_text() == "Zażółć"
    told = execute(
        company, calling(company, {"server": "filesystem", "tool": "read_file"}), path="/etc/passwd"
    )
    assert "denied" in str(told["current"]).lower()


def test_the_log_says_what_was_sent(company: Company, hostile: Hostile) -> None:
    run_id = calling(company, {"tool": "write"})
    execute(company, run_id, path="a")
    requested = next(event for event in log.events_of(run_id) if event.type == "effect_requested")
    assert (requested.open["effect_kind"], requested.open["summary"]) == ("mcp", "files: write")
