"""Commands about collections: what is said of them, as files."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from console import records
from console.commands.workflow import FILES
from console.core.documents.json_shape import Spot
from console.core.errors import Invalid
from console.sources import collections

collection = click.Group(
    "collection", help="Collections as files: labels, fields, rules, relations and layout."
)


@collection.command("check", epilog="Example: console collection check collections/*.json")
@FILES
@click.option(
    "--beside",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Workflows and actions, a file or a folder of them: say which governed fields none of them writes.",
)
def check(files: tuple[Path, ...], beside: tuple[Path, ...]) -> None:
    """Print every problem of the FILES, one a line: file, place, reason. Exits 1 when there is one. Needs no database."""
    for place, reason in collections.check_governed(files, beside) if beside else ():
        click.echo(f"{place}: warning: {reason}")
    print_spots(files, collections.check_file)


def print_spots(files: tuple[Path, ...], check_file: Callable[[Path], Sequence[Spot]]) -> None:
    """Print what `check_file` finds in each file, and exit 1 where it found anything."""
    wrong = False
    for file in files:
        try:
            problems = [(spot.path, spot.reason) for spot in check_file(file)]
        except Invalid as error:
            problems = [("", error.message)]
        for place, reason in problems:
            click.echo(f"{file}: {place + ': ' if place else ''}{reason}")
        if not problems:
            click.echo(f"{file}: fine")
        wrong = wrong or bool(problems)
    if wrong:
        sys.exit(1)


@collection.command("export", epilog="Example: console collection export --all --to collections")
@click.argument("collection_id", metavar="[ID]", required=False)
@click.option("--all", "every", is_flag=True, help="Every collection, a file each.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for --all; it is made where it is not there.",
)
def export(collection_id: str | None, every: bool, to: Path | None) -> None:
    """Print what counts of the collection ID as a file, or write every one into a folder. Reading it in again changes nothing."""
    if every == (collection_id is not None) or every != (to is not None):
        raise click.UsageError("Give an ID, or --all with --to FOLDER.")
    if collection_id is not None:
        click.echo(collections.export(collection_id), nl=False)
        return
    folder = to or Path()
    folder.mkdir(parents=True, exist_ok=True)
    for item in records.collections():
        (folder / f"{item.id}.json").write_bytes(collections.export(item.id))
        click.echo(str(folder / f"{item.id}.json"))


@collection.command("import", epilog="Example: console collection import collections/customer.json --publish")
@FILES
@click.option("--publish", is_flag=True, help="Let it count at once; without it the file becomes the draft.")
def import_(files: tuple[Path, ...], publish: bool) -> None:
    """Read the FILES in, each as the draft of its collection. A file that says what counts already changes nothing."""
    import_documents(files, collections.import_file, publish=publish)


def import_documents(
    files: tuple[Path, ...], import_file: Callable[..., tuple[str, str]], *, publish: bool
) -> None:
    """Read each file in, and print what it became; what is wrong is printed with the name of its file."""
    for file in files:
        try:
            which, outcome = import_file(file, published=publish)
        except Invalid as error:
            for detail in error.details:
                click.echo(f"{file}: {detail['field']}: {detail['reason']}", err=True)
            if error.details:  # each of them is told once, with its file
                raise click.exceptions.Exit(1) from None
            raise
        click.echo(f"{which}  {outcome}")


@collection.command("list", epilog="Example: console collection list")
def list_() -> None:
    """Print every collection: id, data source, table, label."""
    for item in records.collections():
        click.echo(f"{item.id}  {item.source}  {item.table}  {item.label}")


commands: list[click.Command] = [collection]
