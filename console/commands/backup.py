"""`console backup`: the whole state as one archive."""

import sys
from pathlib import Path

import click

from console.core.actor import COMMAND_LINE
from console.operations import backup as backups


@click.command("backup", epilog="Example: console backup /srv/backups/monday.zip")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the console's state to FILE: its database, the signed heads and the list of erasures, without any key. Also while it serves."""
    written = backups.write(COMMAND_LINE, file.absolute(), progress)
    progress("")
    click.echo(
        f"{file}: {written.bytes / 1e6:,.1f} MB, a log of {written.size:,} signed events. Keep apart from it: the master key {written.master}"
    )
    click.echo(f"and the signing key of {written.signing}")


def progress(text: str) -> None:
    """One line of a terminal that is written over; nothing elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


commands: list[click.Command] = [backup]
