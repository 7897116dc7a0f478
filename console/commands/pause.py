"""`console pause`: the switch for whatever goes by itself."""

import click

REASON = click.option("--reason", required=True, help="Why, in a few words; it is kept in the log.")


@click.command("pause", epilog='Example: console pause --reason "The payment provider answers wrongly"')
@REASON
def pause(reason: str) -> None:
    """Pause everything that goes by itself, on all machines: automatic steps, timers, sending. What people do by hand goes on."""
    switch(on=False, reason=reason)
    click.echo("Paused. Nothing goes by itself until `console resume`; the pages say so.")


def switch(*, on: bool, reason: str) -> None:
    """Pause or resume, as the command line."""
    from console.activity import sequencing
    from console.operations import status

    status.switch(sequencing.COMMAND_LINE, on=on, reason=reason)


commands: list[click.Command] = [pause]
