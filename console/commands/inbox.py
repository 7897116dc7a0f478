"""Commands about inboxes."""

from pathlib import Path

import click

from console.workflows import inboxes

inbox = click.Group("inbox", help="Queues of records and runs that wait for people.")


@inbox.command("import", epilog="Example: console inbox import inboxes.json")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Make or change the inboxes that FILE lists, in its order; those that it does not name stay as they are."""
    for each in inboxes.import_file(file):
        click.echo(_line(each))


@inbox.command("list", epilog="Example: console inbox list")
def list_() -> None:
    """Every open inbox: id, title, team, who works in it, and where its records come from."""
    for each in inboxes.all_inboxes():
        click.echo(_line(each))


@inbox.command("close", epilog="Example: console inbox close disputes")
@click.argument("name")
def close(name: str) -> None:
    """Close an inbox in which no run waits. Imported again, it opens."""
    inboxes.close(name)
    click.echo(f"{name} is closed.")


def _line(one: inboxes.Inbox) -> str:
    gets = f"{one.source.collection} into {one.source.workflow}" if one.source else "what is handed on"
    return f"{one.id}  {one.title}  {one.team}  {' '.join(one.roles) or 'everybody with the right'}  {gets}"


commands: list[click.Command] = [inbox]
