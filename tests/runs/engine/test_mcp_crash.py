"""A process that dies around the call of a tool: it is called once, or a person is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console import runs
from console.infra.db.engine import fetch
from tests.company import Company
from tests.runs.commands.test_midway import failing
from tests.servers import mcp_servers
from tests.servers.mcp_servers import Hostile
from tests.steps.test_mcp_task import calling, execute, registered
from tests.support.engine import whole

pytestmark = pytest.mark.slow

POINTS = [
    ("effects.perform.before", 0),
    ("effects.perform.after", 1),
    ("effects.report.before", 1),
    ("log.write.before@3", 1),
    ("log.write.after@3", 1),
]


@pytest.fixture
def hostile(company: Company, tmp_path: Path, given_settings: Callable[..., None]) -> Hostile:
    made = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=made.command))
    registered(made.command)
    return made


def died(company: Company, run_id: str, point: str) -> None:
    """The process dies there, and another one picks up what it left."""
    place, _, number = point.partition("@")
    with failing(f"{place}=raise" + (f"@{number}" if number else "")), pytest.raises(Exception, match=place):
        execute(company, run_id, path="a")
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()


@pytest.mark.parametrize(("point", "called"), POINTS)
@pytest.mark.parametrize("done", [True, False])
def test_a_tool_is_never_called_again_by_itself(
    company: Company, hostile: Hostile, point: str, called: int, done: bool
) -> None:
    run_id = calling(company, {"tool": "write"})
    died(company, run_id, point)
    told = company.told(run_id)
    assert len(hostile.calls) == called
    if told["status"] == "waiting_person":
        assert (told["current"]["type"], told["current"]["effect"]["status"]) == ("settle", "unknown")
        effect = told["current"]["effect"]["id"]
        runs.settle(company.olivia, run_id, revision=None, effect=effect, done=done, reason="I looked.")
        company.work()
        called += not done
    assert company.told(run_id)["status"] == "completed"
    assert len(hostile.calls) == called, "once more where a person says that it was not done, and not else"
    whole(run_id)


@pytest.mark.parametrize(("point", "called"), POINTS)
def test_a_tool_that_only_reads_is_called_again(
    company: Company, hostile: Hostile, point: str, called: int
) -> None:
    run_id = calling(company, {"tool": "look"})
    died(company, run_id, point)
    assert company.told(run_id)["status"] == "completed"
    assert len(hostile.calls) in (called, called + 1)
    whole(run_id)
