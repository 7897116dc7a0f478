"""`console pause` and `console resume` as somebody at a shell uses them."""

from click.testing import CliRunner

from console import log
from console.commands.pause import pause
from console.commands.resume import resume
from console.core.errors import Conflict
from console.infra import jobs
from tests.conftest import Database


def test_the_switch_from_the_shell(clean: Database) -> None:
    shell = CliRunner()
    assert shell.invoke(pause, []).exit_code == 2
    assert "console resume" in shell.invoke(pause, ["--reason", "The provider lies"]).output
    assert jobs.paused()
    assert isinstance(shell.invoke(pause, ["--reason", "again"]).exception, Conflict)
    assert shell.invoke(resume, ["--reason", "Mended"]).output == "Resumed.\n"
    assert not jobs.paused()
    assert [event.type for event in log.events_of("sys:config")] == ["engine_paused", "engine_resumed"]
