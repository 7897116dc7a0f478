"""Commands about the log."""

import click

from console import operations
from console.log import select


@click.command("seal", epilog="Example: console seal")
def seal() -> None:
    """Give every committed event its place in the log, and say how far the log is in order."""
    placed = operations.catch_up()
    reached, behind = select.reached(), operations.lag()
    click.echo(f"{placed} {'event' if placed == 1 else 'events'} placed, last position {reached.pos}")
    if behind.pending:
        raise click.ClickException(
            f"{behind.pending} events have no place yet: a transaction is open on the database server, or another process is placing them. Run it again."
        )


commands: list[click.Command] = [seal]
