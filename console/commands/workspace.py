"""Commands about workspaces, as files."""

from pathlib import Path

import click

from console import workspaces
from console.authoring.versioned_documents import read_file
from console.commands.collection import import_documents, print_spots
from console.commands.workflow import FILES
from console.core.documents.json_shape import Spot
from console.core.documents.workspaces import check as check_document

workspace = click.Group(
    "workspace", help="Workspaces as files: pages made of lists, records, charts and buttons."
)


@workspace.command("check", epilog="Example: console workspace check workspaces/*.json")
@FILES
@click.option(
    "--sources",
    is_flag=True,
    help="Also look for collections, fields and relations that are not connected here.",
)
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, place, reason. Exits 1 when there is one.

    Needs no database; with --sources it asks the one that `console serve` uses.
    """

    def check_file(file: Path) -> list[Spot]:
        content = read_file(file)
        found = check_document(content)
        return found if found or not sources else list(workspaces.unknown_names(workspaces.read(content)))

    print_spots(files, check_file)


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
    import_documents(files, workspaces.import_file, publish=publish)


@workspace.command("list", epilog="Example: console workspace list")
def list_() -> None:
    """Print every published workspace: name, title, teams."""
    for each in workspaces.published().values():
        click.echo(f"{each.id}  {each.title}  {' '.join(each.teams) or 'everybody'}")


commands: list[click.Command] = [workspace]
