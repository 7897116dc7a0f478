"""`console seal`: the head of the log signed now."""

import click

from console.activity import sequencing
from console.log import tree_heads


@click.command("seal", epilog="Example: console seal")
def seal() -> None:
    """Give every committed event its place in the log, sign the head of the log, and print it."""
    sequencing.catch_up()
    behind, note = sequencing.lag(), sequencing.seal()
    head = tree_heads.newest()
    click.echo(note or (head[1] if head else "The log is empty; there is nothing to sign.\n"), nl=False)
    if behind.pending:
        raise click.ClickException(
            f"{behind.pending} events have no place yet: a transaction is open on the database server, or another process is placing them. Run it again."
        )


commands: list[click.Command] = [seal]
