"""Commands about actions: check files, read them in, give them out."""

import json
from pathlib import Path
from typing import get_args

import click

from console import actions
from console.actions import collection_actions
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


@action.command(
    "draft", epilog="Example: console action draft customer change --approver operations_lead > change.json"
)
@click.argument("collection")
@click.argument("act", type=click.Choice(get_args(collection_actions.Act)))
@click.option("--approver", "approvers", multiple=True, help="A role that has to agree; each an option.")
@click.option("--team", help="Team whose runs these are.")
def draft(collection: str, act: collection_actions.Act, approvers: tuple[str, ...], team: str | None) -> None:
    """Print an action that adds, changes or deletes a record of the COLLECTION, as a file to look at and import."""
    click.echo(
        json.dumps(
            collection_actions.document_of(collection, act, approvers, team), indent=2, ensure_ascii=False
        )
    )


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
