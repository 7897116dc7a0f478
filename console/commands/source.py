"""Commands about data sources."""

import json
from pathlib import Path
from typing import Any

import click

from console import sources

source = click.Group("source", help="Your databases, and what the console knows of them.")


@source.command("add", epilog="Example: console source add shop postgresql://reader:secret@db.example/shop --role operator")
@click.argument("name")
@click.argument("url")
@click.option(
    "--role",
    default="admin",
    show_default=True,
    help="Who may browse, read, create, update and export its records; every other role gets nothing.",
)
@click.option(
    "--documents", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder of *.json, one document a collection."
)
def add(name: str, url: str, role: str, documents: Path | None) -> None:
    """Connect the database at URL under NAME, and list its collections. Nothing is written into it."""
    made = sources.add(name, url, role, _documents(documents))
    for collection in made:
        click.echo(
            f"{collection.id}  {collection.label} ({len(collection.fields)} fields{'' if collection.key else ', without a key: lists only'})"
        )
    click.echo(f"{len(made)} collections of {name}, for the role {role}")


@source.command("list", epilog="Example: console source list")
def list_() -> None:
    """Every data source, without its password."""
    for item in sources.list_all():
        click.echo(f"{item.name}  {item.dialect}  {item.place}  {item.collections} collections")


@source.command("inspect", epilog="Example: console source inspect shop")
@click.argument("name")
def inspect(name: str) -> None:
    """The collections of a source with their fields, and what has changed in the database since it was added."""
    found = sources.inspect(name)
    click.echo(f"{found['name']}  {found['dialect']}  {found['place']}")
    for collection in found["collections"]:
        key = ", ".join(collection["key"]) or "no key"
        click.echo(f"{collection['id']}  {collection['label']} ({collection['kind']}; {key})")
        for field in collection["fields"]:
            click.echo(f"    {field['name']}: {field['type']}, {field['label']}")
        for relation in collection["relations"]:
            click.echo(f"    {relation}")
    for word in ("new", "gone", "changed"):
        if found[word]:
            click.echo(f"{word} in the database: {', '.join(found[word])}. `console source refresh {name}` takes it over.")


@source.command("refresh", epilog="Example: console source refresh shop")
@click.argument("name")
@click.option(
    "--documents",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="New documents of its collections; without it they stay.",
)
def refresh(name: str, documents: Path | None) -> None:
    """Look at the database again and take over new, changed and dropped tables. Rights stay as they are."""
    made = sources.refresh(name, _documents(documents) if documents else None)
    click.echo(f"{len(made)} collections of {name}")


def _documents(folder: Path | None) -> list[dict[str, Any]]:
    """The documents of a folder in the order of their files' names."""
    found = []
    for file in sorted(folder.glob("*.json")) if folder else []:
        try:
            found.append(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise click.ClickException(f"{file.name} is no JSON: {error}") from error
    return found


commands: list[click.Command] = [source]
