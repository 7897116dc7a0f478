"""Commands about keys of the API."""

import re
from datetime import timedelta

import click

from console.auth import accounts
from console.auth.access import Scopes
from console.auth.access.narrowing import ASSISTANT_TOOLS
from console.infra import settings
from console.infra.processes import supervisor

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def duration(text: str) -> timedelta:
    """The time that `90d`, `12h` or `8w` stands for. Raises `click.BadParameter`."""
    match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text.strip().lower())
    if match is None:
        raise click.BadParameter(f"{text!r} is no time: 90d, 12h or 8w are", param_hint="--expires")
    return int(match[1]) * _UNITS[match[2]]


apikey = click.Group("apikey", help="Keys with which programs use the API.")


@apikey.command(
    "create", epilog="Example: console apikey create nightly-report --user ana@example.com --expires 90d"
)
@click.argument("name")
@click.option(
    "--user", "email", required=True, help="Whose rights the key has, at each request those of that moment."
)
@click.option(
    "--scope",
    type=click.Choice(["mcp"]),
    help="mcp: a key for an assistant. It opens /mcp and nothing else, and approves nothing.",
)
@click.option(
    "--tool",
    "tools",
    multiple=True,
    type=click.Choice(ASSISTANT_TOOLS),
    help="With --scope mcp: a tool that the assistant may call, each by an option of its own. None: all.",
)
@click.option(
    "--approve",
    is_flag=True,
    help="It may also approve, reject and be the second person, as far as its owner may.",
)
@click.option(
    "--expires", default="90d", show_default=True, help="How long it lasts, a year at most: 12h, 90d, 8w."
)
def create(
    name: str, email: str, expires: str, scope: str | None, tools: tuple[str, ...], approve: bool
) -> None:
    """Make a key and print it. Standard output holds nothing else, and it is said only now. Without a scope it may be used for all that its owner may do, except to approve."""
    lasts = duration(expires)
    if approve and scope == "mcp":
        raise click.UsageError("An assistant never approves: leave out --approve, or --scope mcp.")
    if tools and scope != "mcp":
        raise click.UsageError("Only an assistant has tools: add --scope mcp, or leave out --tool.")
    owner = accounts.person_of_email(email)
    if approve and owner.service:
        raise click.UsageError(f"{email} is a service account, which never approves: leave out --approve.")
    scopes = Scopes(approves=approve, assistant=scope == "mcp", tools=frozenset(tools) or None)
    key = accounts.create_key(name, owner.id, lasts=lasts, scopes=scopes)
    click.echo(key.text)
    configured = settings.current()
    served = next((str(note["url"]) for note in supervisor.serving(configured.data_dir)), "")
    if address := configured.base_url or served:
        call = f'curl -H "Authorization: Bearer $KEY" {address}/api/v1/me'
        click.echo(
            f"MCP server of the assistant: {address}/mcp" if scope else f"First call: {call}", err=True
        )


@apikey.command("revoke", epilog="Example: console apikey revoke key_01jd…")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Make a key useless from now on. Its id is the part between the two lines: cns_ID_… is key_ID."""
    accounts.revoke_key(key_id)
    click.echo(f"{key_id} opens nothing any more")


commands: list[click.Command] = [apikey]
