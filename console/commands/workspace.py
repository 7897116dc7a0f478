"""Commands about workspaces, as files."""

import sys
from pathlib import Path

import click

from console import workspaces
from console.core.documents.workspaces import check as check_document
from console.errors import Invalid

workspace = click.Group("workspace", help="Workspaces as files: pages made of lists, records, charts and buttons.")
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@workspace.command("check", epilog="Example: console workspace check workspaces/*.json")
@FILES
@click.option("--sources", is_flag=True, help="Also look for collections, fields and relations that are not connected here.")
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, place, reason. Exits 1 when there is one.

    Needs no database; with --sources it asks the one that `console serve` uses.
    """
    wrong = False
    for file in files:
        try:
            content = workspaces.read_file(file)
            found = [(spot.path, spot.reason) for spot in check_document(content)]
            if sources and not found:
                found = [(spot.path, spot.reason) for spot in workspaces.unknown_names(workspaces.read(content))]
        except Invalid as error:
            found = [("", error.message)]
        for place, reason in found:
            click.echo(f"{file}: {place + ': ' if place else ''}{reason}")
        if not found:
            click.echo(f"{file}: fine")
        wrong = wrong or bool(found)
    if wrong:
        sys.exit(1)


@workspace.command("export", epilog="Example: console workspace export refund-desk > refund-desk.json")
@click.argument("slug")
def export(slug: str) -> None:
    """Print what counts of the workspace SLUG (else its draft) as a file. Reading it in again changes nothing."""
    click.echo(workspaces.export(slug), nl=False)


@workspace.command("import", epilog="Example: console workspace import workspaces/refund-desk.json --publish")
@FILES
@click.option("--publish", is_flag=True, help="Let it count at once; without it the file becomes the draft.")
def import_(files: tuple[Path, ...], publish: bool) -> None:
    """Read the FILES in, each as the draft of its workspace. A file that says what counts already changes nothing."""
    for file in files:
        try:
            which, came = workspaces.import_file(file, published=publish)
        except Invalid as error:
            for detail in error.details:
                click.echo(f"{file}: {detail['field']}: {detail['reason']}", err=True)
            raise
        click.echo(f"{which}  {came}")


@workspace.command("list", epilog="Example: console workspace list")
def list_() -> None:
    """Print every published workspace: name, title, teams."""
    for each in workspaces.known().values():
        click.echo(f"{each.id}  {each.title}  {' '.join(each.teams) or 'everybody'}")


commands: list[click.Command] = [workspace]
