"""Commands about the log."""

import click

from console import operations
from console.log import heads


@click.command("seal", epilog="Example: console seal")
def seal() -> None:
    """Give every committed event its place in the log, sign the head of the log, and print it."""
    operations.catch_up()
    behind, note = operations.lag(), operations.seal()
    head = heads.newest()
    click.echo(note or (head[1] if head else "The log is empty; there is nothing to sign.\n"), nl=False)
    if behind.pending:
        raise click.ClickException(
            f"{behind.pending} events have no place yet: a transaction is open on the database server, or another process is placing them. Run it again."
        )


commands: list[click.Command] = [seal]
