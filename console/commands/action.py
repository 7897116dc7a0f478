"""Commands about actions: check files, read them in, give them out."""

from pathlib import Path

import click

from console import actions
from console.commands.workflow import FILES, print_problems
from console.core.errors import DefinitionError

action = click.Group("action", help="Actions as files: what can be done to records.")


@action.command("check", epilog="Example: console action check actions/*.json")
@FILES
@click.option(
    "--sources",
    is_flag=True,
    help="Also judge names of fields, roles and functions by what is connected here.",
)
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, field, reason. Exits 1 when there is an error.

    Needs no database, so that it serves in a pipeline; with --sources it asks the one that `console serve` uses.
    """
    print_problems(files, lambda content: actions.check(content, connected=sources))


@action.command("import", epilog="Example: console action import actions/charge.refund.json")
@FILES
def import_(files: tuple[Path, ...]) -> None:
    """Read the FILES in; each action counts from then on, with the workflow in which it is done from a record."""
    for file in files:
        try:
            action_imported = actions.import_file(file)
        except DefinitionError as error:
            for detail in error.details:
                click.echo(f"{file}: {detail['field']}: {detail['reason']}", err=True)
            raise
        click.echo(f"{action_imported.id}  {action_imported.title}  {action_imported.hash[:12]}")


@action.command("export", epilog="Example: console action export charge.refund > charge.refund.json")
@click.argument("action_id", metavar="ID")
def export(action_id: str) -> None:
    """Print the action of this ID as a file."""
    click.echo(actions.export(action_id), nl=False)


@action.command("list", epilog="Example: console action list")
def list_() -> None:
    """Print every action: id, collection, title."""
    for action_listed in actions.list_actions():
        click.echo(f"{action_listed.id}  {action_listed.collection or '-'}  {action_listed.title}")


commands: list[click.Command] = [action]
