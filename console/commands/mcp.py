"""Commands about MCP servers whose tools steps call."""

import shlex
import sys

import click

from console.actions import connection_settings
from console.core.actor import COMMAND_LINE

mcp = click.Group("mcp", help="MCP servers whose tools steps of type mcp_task call.")


@mcp.command("list", epilog="Example: console mcp list")
def list_() -> None:
    """Every server by name: where it is, and the tools that steps may call."""
    for each in connection_settings.list_connections(COMMAND_LINE):
        state = each.problem or f"{len(each.tools)} of {len(each.offered)} tools accepted"
        click.echo(f"{each.name}  {each.place}  {state}")
        for tool in each.tools.values():
            click.echo(
                f"  {tool.name}  {'reads' if tool.reads else 'may change something'}  {tool.hash[:12]}"
            )


@mcp.command(
    "add",
    epilog="Example: console mcp add files --url https://mcp.example/mcp --tool read_file --reads read_file",
)
@click.argument("name")
@click.option("--url", help="Its address.")
@click.option("--command", help="Or a program that CONSOLE_MCP_COMMANDS names, with its arguments.")
@click.option(
    "--key", is_flag=True, help="Read a key from the first line of the standard input; it is sealed."
)
@click.option(
    "--tool", "tools", multiple=True, help="A tool that steps may call; none: all that it offers now."
)
@click.option("--reads", multiple=True, help="One of them that changes nothing.")
def add(
    name: str,
    url: str | None,
    command: str | None,
    *,
    key: bool,
    tools: tuple[str, ...],
    reads: tuple[str, ...],
) -> None:
    """Register the server NAME, ask which tools it has, and accept them as they are now."""
    auth = {"kind": connection_settings.KEY} if key else None
    secret = sys.stdin.readline().strip() if key else ""
    found = connection_settings.register(
        COMMAND_LINE, name, url=url, command=shlex.split(command or ""), auth=auth, secret=secret
    )
    if found.problem:
        raise click.ClickException(f"{name} is registered, and has no tools yet. {found.problem}")
    wanted = tools or tuple(found.offered)
    connection_settings.accept(COMMAND_LINE, name, wanted, reads=reads)
    click.echo(f"{name} is registered with {', '.join(wanted) or 'no tools'}")


@mcp.command("remove", epilog="Example: console mcp remove files")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the server NAME. Steps that call its tools say so, and are done by hand."""
    connection_settings.remove(COMMAND_LINE, name)
    click.echo(f"{name} is removed")


commands: list[click.Command] = [mcp]
