"""`console backup` and `console restore`: the whole state as one archive, and back."""

import sys
from pathlib import Path

import click

from console.core.actor import Actor
from console.upkeep import backup as backups, restore as restoring

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")


@click.command("backup", epilog="Example: console backup /srv/backups/monday.zip")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the console's state to FILE: its database, the signed heads and the list of erasures, without any key. Also while it serves."""
    made = backups.write(COMMAND_LINE, file.absolute(), _progress)
    _progress("")
    click.echo(
        f"{file}: {made.bytes / 1e6:,.1f} MB, a log of {made.size:,} signed events. Keep apart from it: the master key {made.master}"
    )
    click.echo(f"and the signing key of {made.signing}")


@click.command("restore", epilog="Example: console restore /srv/backups/monday.zip --replace")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Over a database that is not empty: the present state is gone afterwards.")
@click.option("--accept-loss", is_flag=True, help="Do not ask where events are known that are not in the backup.")
@click.option(
    "--erasures",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A further erasures.jsonl, of another data folder; may be given several times.",
)
def restore(file: Path, *, replace: bool, accept_loss: bool, erasures: tuple[Path, ...]) -> None:
    """Put the state of FILE in the place of the present one, with the console stopped. It is loaded beside it, its log verified, what was
    erased is erased again, and only then it goes live; whatever fails before leaves the present state as it was.
    """

    def agree(words: str) -> bool:
        _progress("")
        return accept_loss or (sys.stdin.isatty() and click.confirm(f"{words} Restore it all the same?", err=True))

    done = restoring.restore(COMMAND_LINE, file, replace=replace, agree=agree, erasures=erasures, say=_progress)
    _progress("")
    click.echo(f"Restored as of {done.made_at}: {done.size:,} events, verified up to the signed head of {done.verified:,}.")
    if done.lost:
        lost = "1 event is" if done.lost == 1 else f"{done.lost:,} events are"
        click.echo(f"{lost} lost that came after position {done.size:,}; the log says so.")
    if done.erased:
        click.echo(f"Erased again: what was held about {done.erased} {'person' if done.erased == 1 else 'persons'}.")
    click.echo("It is live: `console doctor`, then `console serve`.")


def _progress(text: str) -> None:
    """One line of a terminal that is written over; nothing elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


commands: list[click.Command] = [backup, restore]
