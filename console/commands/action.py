"""Commands about actions: check files, read them in, give them out."""

import sys
from pathlib import Path

import click

from console import actions
from console.core.documents.workflow import MAX_BYTES
from console.errors import DefinitionError

action = click.Group("action", help="Actions as files: what can be done to records.")
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@action.command("check", epilog="Example: console action check actions/*.json")
@FILES
@click.option("--sources", is_flag=True, help="Also judge names of fields, roles and functions by what is connected here.")
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, field, reason. Exits 1 when there is an error.

    Needs no database, so that it serves in a pipeline; with --sources it asks the one that `console serve` uses.
    """
    wrong = False
    for file in files:
        try:
            with file.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            click.echo(f"{file}: cannot be read: {error.strerror}")
            wrong = True
            continue
        problems = actions.check(content, connected=sources)
        for problem in problems:
            click.echo(
                f"{file}: {problem.field + ': ' if problem.field else ''}{'warning: ' if problem.severity == 'warning' else ''}{problem.reason}"
            )
        if any(problem.severity == "error" for problem in problems):
            wrong = True
        else:
            click.echo(f"{file}: fine")
    if wrong:
        sys.exit(1)


@action.command("import", epilog="Example: console action import actions/charge.refund.json")
@FILES
def import_(files: tuple[Path, ...]) -> None:
    """Read the FILES in; each action counts from then on, with the workflow in which it is done from a record."""
    for file in files:
        try:
            made = actions.import_file(file)
        except DefinitionError as error:
            for detail in error.details:
                click.echo(f"{file}: {detail['field']}: {detail['reason']}", err=True)
            raise
        click.echo(f"{made.id}  {made.title}  {made.hash[:12]}")


@action.command("export", epilog="Example: console action export charge.refund > charge.refund.json")
@click.argument("action_id", metavar="ID")
def export(action_id: str) -> None:
    """Print the action of this ID as a file."""
    click.echo(actions.export(action_id), nl=False)


@action.command("list", epilog="Example: console action list")
def list_() -> None:
    """Print every action: id, collection, title."""
    for made in actions.listed():
        click.echo(f"{made.id}  {made.collection or '-'}  {made.title}")


commands: list[click.Command] = [action]
