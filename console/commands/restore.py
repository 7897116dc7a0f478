"""`console restore`: the state of a backup in the place of the present one."""

import sys
from pathlib import Path

import click

from console.commands.backup import progress
from console.core.actor import COMMAND_LINE
from console.operations import restore as restoring


@click.command("restore", epilog="Example: console restore /srv/backups/monday.zip --replace")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--replace", is_flag=True, help="Over a database that is not empty: the present state is gone afterwards."
)
@click.option(
    "--accept-loss", is_flag=True, help="Do not ask where events are known that are not in the backup."
)
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
        progress("")
        return accept_loss or (
            sys.stdin.isatty() and click.confirm(f"{words} Restore it all the same?", err=True)
        )

    done = restoring.restore(
        COMMAND_LINE, file, replace=replace, agree=agree, erasures=erasures, say=progress
    )
    progress("")
    click.echo(
        f"Restored as of {done.made_at}: {done.size:,} events, verified up to the signed head of {done.verified:,}."
    )
    if done.lost:
        lost = "1 event is" if done.lost == 1 else f"{done.lost:,} events are"
        click.echo(f"{lost} lost that came after position {done.size:,}; the log says so.")
    if done.erased:
        click.echo(
            f"Erased again: what was held about {done.erased} {'person' if done.erased == 1 else 'persons'}."
        )
    click.echo(
        "It is live, and sending is paused: `console doctor`, then `console serve`; when it is to go on, `console resume`."
    )


commands: list[click.Command] = [restore]
