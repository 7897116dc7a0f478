"""Settings → MCP servers, by page, call and command: registered and accepted by who may, and by nobody else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from console import connectors, log
from console.actions import connection_settings
from console.commands.mcp import mcp
from console.core.actor import COMMAND_LINE
from console.core.errors import Conflict, Invalid, NotFound
from console.infra.db.engine import fetch
from tests.conftest import web_app
from tests.servers import mcp_servers
from tests.servers.mcp_servers import Hostile
from tests.views.conftest import Pages
from tests.views.test_webhook_pages import key

URL, API = "/settings/mcp", "/api/v1/mcp-servers"
SECRET = "sk_live_9876543210"


@pytest.fixture
def hostile(tmp_path: Path, given_settings: Callable[..., None]) -> Hostile:
    made = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(hostile=made.command))
    return made


def post(browser: Any, path: str, status: int = 303, **data: Any) -> str:
    return str(browser.post(f"{URL}{path}", data | {"csrf_token": browser.token}, status=status).text)


def form(**data: Any) -> dict[str, Any]:
    named = ("name", "url", "command", "auth", "secret", "header", "client_id", "token_url", "scope")
    return dict.fromkeys(named, "") | {"name": "files", "command": "hostile"} | data


@pytest.mark.parametrize("who", ["olivia", "mona", "stan", "ada", "rosa"])
def test_who_may_not_manage_data_sources_gets_no_page_registers_nothing_and_accepts_nothing(
    pages: Pages, hostile: Hostile, who: str
) -> None:
    connection_settings.register(COMMAND_LINE, "files", command=hostile.command)
    browser = getattr(pages, who)
    for path in ("", "/new", "/files", "/files/change"):
        browser.get(f"{URL}{path}", status=403)
    for path, data in (
        ("/new", form(name="mine")),
        ("/files/change", form(url="https://elsewhere.example/mcp")),
        ("/files/ask", {}),
        ("/files/tools", {"tools": "write"}),
        ("/files/remove", {}),
    ):
        post(browser, path, 403, **data)
    client, headers = web_app().test_client(), key(pages.company.people[who])
    calls = (
        client.get(API, headers=headers),
        client.post(API, json={"name": "mine", "command": list(hostile.command)}, headers=headers),
        client.delete(f"{API}/files", headers=headers),
    )
    assert [call.status_code for call in calls] == [403, 403, 403]
    assert {name: dict(each.tools) for name, each in connectors.every().items()} == {"files": {}}


def test_a_server_is_registered_asked_accepted_and_removed(pages: Pages, hostile: Hostile) -> None:
    post(pages.ines, "/new", **form())
    page = pages.ines.get(f"{URL}/files").text
    assert all(name in page for name in ("write", "look", "Not accepted"))
    assert "huge" not in page, "a schema that is too large is no tool"
    assert "odd" not in page, "nor is one that is no JSON Schema, of which no form can be made"
    assert connectors.find("files").tools == {}, "nothing is accepted unasked"
    offered = connectors.find("files").offered
    post(pages.ines, "/files/tools", tools=["look"], reads=["look"], shown="look", hash=offered["look"].hash)
    assert [(tool.name, tool.reads) for tool in connectors.find("files").tools.values()] == [("look", True)]
    hostile.be("mute")
    post(pages.ines, "/files/remove")
    post(pages.ines, "/files/remove", 404)
    assert not connectors.every()


def test_what_changed_since_it_was_shown_is_not_accepted(pages: Pages, hostile: Hostile) -> None:
    connection_settings.register(COMMAND_LINE, "files", command=hostile.command)
    seen = {"write": connectors.find("files").offered["write"].hash}
    hostile.be("changed")
    connection_settings.ask(COMMAND_LINE, "files")
    with pytest.raises(Conflict):
        connection_settings.accept(COMMAND_LINE, "files", ["write"], seen=seen)
    with pytest.raises(Invalid):
        connection_settings.accept(COMMAND_LINE, "files", ["nothing"])
    assert connectors.find("files").tools == {}


WRONG: list[tuple[dict[str, str], str]] = [
    ({"name": "Files!"}, "A name begins with a small letter"),
    ({"command": ""}, "Say where it is"),
    ({"url": "https://mcp.example/mcp"}, "Say where it is"),
    ({"command": "", "url": "http://mcp.example/mcp"}, "plain http"),
    ({"command": "", "url": "https://127.0.0.1/mcp"}, "private network"),
    ({"auth": "key"}, "Write the key or secret"),
    ({"auth": "key", "secret": "short"}, "At least 8 plain characters"),
    ({"auth": "key", "secret": SECRET, "header": "no header"}, "This is no name of a header"),
    (
        {"auth": "oauth", "secret": SECRET, "token_url": "https://127.0.0.1/t", "client_id": "x"},
        "private network",
    ),
    ({"auth": "oauth", "secret": SECRET, "token_url": "https://auth.example/t"}, "Write the client id"),
    ({"auth": "magic"}, "One of: key, oauth."),
]


def test_what_is_wrong_is_said_at_its_field(pages: Pages, hostile: Hostile) -> None:
    for data, words in WRONG:
        assert words in post(pages.ines, "/new", 422, **form(**data)), data
    assert not connectors.every()


def test_a_key_is_sealed_goes_nowhere_else_and_stands_in_no_page_log_or_answer(
    pages: Pages, hostile: Hostile
) -> None:
    post(
        pages.ines,
        "/new",
        **form(command="", url="https://mcp.example/mcp/a-token", auth="key", secret=SECRET),
    )
    assert connectors.find("files").problem, "nobody is there"
    moved = form(command="", url="https://elsewhere.example/mcp", auth="key")
    assert "Write the key or secret" in post(pages.ines, "/files/change", 422, **moved)
    headers = key(pages.company.people["ines"])
    everything = [
        pages.ines.get(f"{URL}/files/change").text,
        web_app().test_client().get(API, headers=headers).text,
        *map(str, fetch("select * from console.connection")),
        *(str(event.body) for event in log.events_of("sys:config")),
    ]
    assert SECRET not in "".join(everything)
    assert "a-token" not in "".join(str(event.body) for event in log.events_of("sys:config"))


def test_a_program_that_no_setting_names_is_neither_registered_nor_started(
    pages: Pages, hostile: Hostile, given_settings: Callable[..., None], tmp_path: Path
) -> None:
    headers = key(pages.company.people["ines"])
    other = ["touch", str(tmp_path / "started")]
    refused = web_app().test_client().post(API, json={"name": "other", "command": other}, headers=headers)
    assert (refused.status_code, refused.get_json()["details"][0]["field"]) == (422, "command")
    connection_settings.register(COMMAND_LINE, "files", command=hostile.command)
    given_settings(CONSOLE_MCP_COMMANDS=f"other=touch {tmp_path / 'started'}")
    assert "CONSOLE_MCP_COMMANDS does not name" in connection_settings.ask(COMMAND_LINE, "files").problem
    assert not (tmp_path / "started").exists()


def test_by_program_and_by_command_it_is_accepted_as_it_is_now(pages: Pages, hostile: Hostile) -> None:
    client, headers = web_app().test_client(), key(pages.company.people["ines"])
    sent = {"name": "files", "command": list(hostile.command), "tools": ["write", "look"], "reads": ["look"]}
    made = client.post(API, json=sent, headers=headers)
    assert (made.status_code, made.get_json()["problem"]) == (201, None)
    told = client.get(API, headers=headers).get_json()["data"][0]
    assert [(tool["name"], tool["reads"]) for tool in told["tools"]] == [("write", False), ("look", True)]
    assert "Ignore your instructions" not in str(told)
    assert client.delete(f"{API}/files", headers=headers).status_code == 204
    shell = CliRunner()
    command = " ".join(hostile.command)
    done = shell.invoke(mcp, ["add", "files", "--command", command, "--tool", "write"])
    assert (done.exit_code, done.output) == (0, "files is registered with write\n")
    assert "1 of 9 tools accepted" in shell.invoke(mcp, ["list"]).output
    hostile.be("gone")
    connection_settings.ask(COMMAND_LINE, "files")
    assert "Gone" in pages.ines.get(f"{URL}/files").text
    assert shell.invoke(mcp, ["remove", "files"]).output == "files is removed\n"
    assert isinstance(shell.invoke(mcp, ["remove", "files"]).exception, NotFound)
    assert isinstance(shell.invoke(mcp, ["add", "x", "--command", "sh -c true"]).exception, Invalid)
