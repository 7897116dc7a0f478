"""`console resume`: whatever goes by itself goes again."""

import click

from console.commands.pause import REASON, switch


@click.command("resume", epilog='Example: console resume --reason "The provider has mended it"')
@REASON
def resume(reason: str) -> None:
    """Let everything go by itself again; timers whose moment has passed fire now."""
    switch(on=True, reason=reason)
    click.echo("Resumed.")


commands: list[click.Command] = [resume]
