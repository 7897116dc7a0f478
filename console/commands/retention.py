"""`console retention` and `console hold`: how long values are kept, and what keeps them longer."""

import click

from console.core.actor import Actor
from console.upkeep import erasure, retention as keeping

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
hold = click.Group("hold", help="Holds: what may neither be erased nor expire.")


@click.command("retention", epilog="Example: console retention --dry-run")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def retention(*, dry_run: bool) -> None:
    """Delete the values that are past the limits of CONSOLE_KEEP_…_DAYS; the events stay, and the log says what went. The worker does it once a day."""
    found = keeping.look() if dry_run else keeping.expire()
    for due in found:
        kept = f", {due.held:,} more are on hold (`console hold list`)" if due.held else ""
        click.echo(f"{due.category}, {due.days} days: values of {due.events:,} events {'would go' if dry_run else 'deleted'}{kept}")
    if not found:
        click.echo("No limit is set (CONSOLE_KEEP_RUNS_DAYS and others), or another process is at it: nothing to do.")


@hold.command("place", epilog="Example: console hold place customer 17 --reason 'Proceedings 4711'")
@click.argument("collection")
@click.argument("key")
@click.option("--reason", required=True, help="Why; kept with the hold, and sealed in the log.")
def place(collection: str, key: str, reason: str) -> None:
    """Let nothing about the person behind the record KEY of COLLECTION be erased or expire."""
    whose = erasure.hold(COMMAND_LINE, collection, key, reason)
    click.echo(f"{whose[0]} {whose[1]} is on hold")


@hold.command("release", epilog="Example: console hold release customer 17 --reason 'Proceedings 4711 are over'")
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
        click.echo(f"{each.collection} {each.key}  since {each.placed_at:%Y-%m-%d}  {each.events:,} events  {each.reason}")


commands: list[click.Command] = [retention, hold]
