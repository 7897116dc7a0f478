"""Arguments of a tool, proposed by a model that obeys every text that a server wrote: nothing is filled in, nothing unsupported stands there, nothing is called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console import runs
from console.actions import connection_settings
from console.core.actor import COMMAND_LINE
from tests.ai.proposals import hostile
from tests.ai.proposals.conftest import House
from tests.conftest import web_app
from tests.servers import mcp_servers
from tests.servers.mcp_hostile import ORDER
from tests.servers.mcp_servers import Hostile
from tests.support.engine import publish, step
from tests.views.conftest import Pages

CITED = [["s1"], ["s2"], ["s1", "s2"], ["s2", "s1"]]


@pytest.fixture
def tools(house: House, tmp_path: Path, given_settings: Callable[..., None]) -> Hostile:
    made = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=made.command))
    found = connection_settings.register(COMMAND_LINE, "files", command=made.command)
    connection_settings.accept(COMMAND_LINE, "files", list(found.offered), reads=["look", "orders"])
    return made


def asked(house: House, tool: str = "write", **more: Any) -> str:
    """A run at a step that lets arguments be proposed, behind one whose answer gives orders."""
    load = {"fields": ["display_name", "email"]}
    steps = [
        step("start", "start", "load"),
        step("load", "get_data", "orders", load) | {"completion": "automatic"},
        step("orders", "mcp_task", "write", {"server": "files", "tool": "orders"})
        | {"completion": "automatic"},
        step("write", "mcp_task", "end", {"server": "files", "tool": tool}) | {"ai": {}, **more},
        step("end", "end", None),
    ]
    publish("telling", steps, collection="customer", exclusive=False)
    run_id = runs.start(house.company.olivia, "telling", "customer", "1", {})
    house.company.work()
    return run_id


def test_what_a_result_orders_is_never_filled_in_nor_called(house: House, tools: Hostile) -> None:
    for cited in CITED:
        run_id = asked(house)
        house.model.obey(hostile.answer({"path": "/etc/passwd", "amount": 99999, "done_by": "tool"}, cited))
        found = house.proposed(run_id)
        assert [one["name"] for one in found["fields"] if one["confidence"] == "high"] == [], cited
        assert "done_by" not in {one["name"] for one in found["fields"]}, (
            "whether it is called is not proposed"
        )
        assert found["fill"] == "none"
        form = {one["name"]: one["value"] for one in house.company.told(run_id)["current"]["form"]["fields"]}
        assert form == {"path": None, "amount": None, "kind": None, "done_by": "tool"}
        assert found["flags"] == ["suspicious_content"]
    assert [tool for tool, _ in tools.calls] == ["orders"] * len(CITED)


def test_what_no_source_says_is_dropped_and_what_one_says_is_offered_beside_the_form(
    house: House, tools: Hostile
) -> None:
    run_id = asked(house)
    house.model.obey(
        hostile.answer({"path": "Adaeze Okonkwo-Bell", "amount": 4711, "kind": "letter"}, ["s1"])
    )
    found = house.proposed(run_id)
    assert [one["name"] for one in found["fields"]] == ["path"]
    assert [one["name"] for one in found["dropped"]] == ["amount", "kind"]
    unsupported = asked(house)
    house.model.obey(hostile.answer({"path": "/etc/passwd", "kind": "note"}, ["s1"]))
    assert not house.proposed(unsupported)["fields"]
    page = Pages(house.company, web_app()).olivia.get(f"/runs/{run_id}").html
    assert "Nothing is filled in" in page
    assert len(tools.calls) == 2


def test_no_text_of_a_tool_goes_to_a_model_unless_it_was_accepted(house: House, tools: Hostile) -> None:
    house.proposed(asked(house))
    asked_of_model = json.loads(house.sent)["messages"][0]["content"]
    form, _, sources = asked_of_model.partition("</form>")
    assert ORDER not in form, "a description is not sent"
    assert 'title="orders" trusted="false"' in sources, "a result is a claim"
    house.model.requests.clear()
    found = connection_settings.connection(COMMAND_LINE, "files")
    connection_settings.accept(
        COMMAND_LINE, "files", list(found.offered), reads=["orders"], described=["write"]
    )
    house.model.obey(hostile.answer({"path": "Adaeze Okonkwo-Bell", "amount": 99999}, ["s1"]))
    proposal = house.proposed(asked(house))
    assert ORDER in json.loads(house.sent)["messages"][0]["content"].partition("</form>")[0]
    assert proposal["flags"] == ["suspicious_content"]
    assert [(one["name"], one["confidence"]) for one in proposal["fields"]] == [("path", "low")]


def test_a_step_that_goes_on_by_itself_calls_nothing_that_may_change_something(
    house: House, tools: Hostile
) -> None:
    run_id = asked(house, completion="automatic")
    house.model.obey(hostile.answer({"path": "/etc/passwd"}, ["s1"]))
    house.work()
    house.company.work()
    assert house.company.told(run_id)["status"] == "waiting_person"
    assert [tool for tool, _ in tools.calls] == ["orders"]
