"""`console hold`: what keeps values longer."""

import click

from console.core.actor import COMMAND_LINE
from console.operations import erasure

hold = click.Group("hold", help="Holds: what may neither be erased nor expire.")


@hold.command("place", epilog="Example: console hold place customer 17 --reason 'Proceedings 4711'")
@click.argument("collection")
@click.argument("key")
@click.option("--reason", required=True, help="Why; kept with the hold, and sealed in the log.")
def place(collection: str, key: str, reason: str) -> None:
    """Let nothing about the person behind the record KEY of COLLECTION be erased or expire."""
    person = erasure.hold(COMMAND_LINE, collection, key, reason)
    click.echo(f"{person[0]} {person[1]} is on hold")


@hold.command(
    "release", epilog="Example: console hold release customer 17 --reason 'Proceedings 4711 are over'"
)
@click.argument("collection")
@click.argument("key")
@click.option("--reason", required=True, help="Why; sealed in the log.")
def release(collection: str, key: str, reason: str) -> None:
    """Lift the hold on the person behind the record KEY of COLLECTION."""
    erasure.release(COMMAND_LINE, collection, key, reason)
    click.echo(f"{collection} {key} is no longer on hold")


@hold.command("list", epilog="Example: console hold list")
def listing() -> None:
    """Every hold: which record, since when, the values of how many events it keeps, and why."""
    for each in erasure.holds(COMMAND_LINE):
        click.echo(
            f"{each.collection} {each.key}  since {each.placed_at:%Y-%m-%d}  {each.events:,} events  {each.reason}"
        )


commands: list[click.Command] = [hold]
