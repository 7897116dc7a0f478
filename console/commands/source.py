"""Commands about data sources."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from console import sources
from console.automation import triggers
from console.sources import Terms, contact_books

source = click.Group("source", help="Your databases, and what the console knows of them.")
DOCUMENTS = click.Path(exists=True, file_okay=False, path_type=Path)
LIMITS = (
    ("pool", "--pool", "Connections kept by each process."),
    ("overflow", "--overflow", "More of them under load."),
    ("connect_s", "--connect-seconds", "After them it counts as not answering."),
    ("statement_s", "--statement-seconds", "After them the database stops a question."),
)


def _listed(_context: click.Context, _option: click.Parameter, value: str | None) -> list[str] | None:
    """The names between commas, without blanks; None if nothing was given."""
    return None if value is None else [name.strip() for name in value.split(",") if name.strip()]


def _roles_in_words(roles: Sequence[str]) -> str:
    """The roles as a sentence names them."""
    return f"the role{'s' if len(roles) > 1 else ''} {', '.join(roles)}"


def _limits(command: Callable[..., None]) -> Callable[..., None]:
    for name, option, words in reversed(LIMITS):
        least, most = sources.BOUNDS[name]
        command = click.option(option, name, type=click.IntRange(least, most), help=words)(command)
    return command


def _granted(_context: click.Context, _option: click.Parameter, value: str | None) -> Sequence[str]:
    """The acts that the roles get: browsing and reading, and those named between commas. Raises `click.BadParameter`."""
    named = [name.strip() for name in (value or "").split(",") if name.strip()]
    if unknown := [name for name in named if name not in sources.GRANTABLE]:
        raise click.BadParameter(
            f"{unknown[0]!r} cannot be granted here: it takes {', '.join(sources.GRANTABLE)}, with commas between"
        )
    return [*sources.GRANTED, *(act for act in sources.GRANTABLE if act in named)]


def _rights(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which roles get which acts on the records of a new source."""
    grant = "create,update,delete,export: what these roles may do besides, with commas between."
    role = "Who may browse and read its records; may be given several times. Every other role gets nothing."
    command = click.option("--grant", "acts", callback=_granted, help=grant)(command)
    return click.option("--role", "roles", multiple=True, default=["admin"], show_default=True, help=role)(
        command
    )


@source.command(
    "add",
    epilog="Example: console source add shop postgresql://reader:secret@db.example/shop --role operator --role operations_lead",
)
@click.argument("name")
@click.argument("url")
@_rights
@click.option("--documents", type=DOCUMENTS, help="A folder of *.json, one document a collection.")
@click.option("--read-only", is_flag=True, help="Nothing can be changed in it from here.")
@click.option("--schemas", callback=_listed, help="Only tables of these schemas, with commas between.")
@click.option(
    "--tables",
    callback=_listed,
    help="Only these tables and views, with commas between; `schema.table` outside the default schema.",
)
@click.option(
    "--zone",
    default="",
    help="Where its clocks stand, for times that it keeps without a zone, such as Europe/Madrid; UTC without it.",
)
@_limits
def add(
    name: str,
    url: str,
    roles: Sequence[str],
    acts: Sequence[str],
    documents: Path | None,
    read_only: bool,
    schemas: list[str] | None,
    tables: list[str] | None,
    zone: str,
    **limits: int | None,
) -> None:
    """Connect the database at URL under NAME, and list its collections. Nothing is written into it."""
    terms = Terms.of(
        {"read_only": read_only, "zone": zone}
        | {field: value for field, value in limits.items() if value is not None}
    )
    added = sources.add(
        name,
        url,
        documents=_documents(documents),
        terms=terms,
        schemas=schemas,
        chosen=tables,
        may=dict.fromkeys(roles, acts),
    )
    for collection in added:
        click.echo(
            f"{collection.id}  {collection.label} ({len(collection.fields)} fields{'' if collection.key else ', without a key: lists only'})"
        )
    odd = [
        (each, field.name, field.likely_empty)
        for each in added
        for field in each.fields
        if field.likely_empty
    ]
    for collection, column, (value, rows, of) in odd:
        said = "If it means none, say so under Settings, Collections, or by empty_values."
        click.echo(f"{collection.id}.{column}: {value} in {rows} of {of} rows. {said}")
    click.echo(
        f"{len(added)} collections of {name}, for {_roles_in_words(roles)}{', read-only' if read_only else ''}"
    )


@source.command("book", epilog="Example: console source book leads --role campaign_manager")
@click.argument("name")
@click.argument("url", default="")
@_rights
def book(name: str, url: str, roles: Sequence[str], acts: Sequence[str]) -> None:
    """Make a contact book under NAME: tables for contacts and consents in an empty database at URL, or in a new one on the console's own server."""
    made = contact_books.create(sources.SYSTEM, name, dict.fromkeys(roles, acts), url)
    click.echo(f"{', '.join(collection.id for collection in made)} for {_roles_in_words(roles)}")


@source.command("list", epilog="Example: console source list")
def list_() -> None:
    """Every data source, without its password."""
    for item in sources.list_all():
        state = (
            "paused"
            if item.paused_at
            else f"does not answer since {item.down_since:%Y-%m-%d %H:%M} UTC"
            if item.down_since
            else ""
        )
        more = [word for word in ("read-only" if item.read_only else "", state) if word]
        click.echo("  ".join([item.name, item.dialect, item.place, f"{item.collections} collections", *more]))


@source.command("test", epilog="Example: console source test postgresql://reader:secret@db.example/shop")
@click.argument("what", metavar="NAME|URL")
def test(what: str) -> None:
    """Try a connection, of a source by its NAME or of any URL, and say what may be read there, or why it does not work and what to do."""
    is_source = what in {item.name for item in sources.list_all()}
    tested = sources.try_source(
        sources.source_of(what).url if is_source else what,
        by=sources.SYSTEM,
        source=what if is_source else None,
    )
    if tested.trouble is not None:
        raise click.ClickException(f"{tested.place}: {tested.trouble.words}")
    click.echo(f"{tested.place}: {tested.server} answers after {tested.ms} ms")
    click.echo(
        f"{len(tested.tables)} tables and views may be read; {'nothing may be changed there' if tested.read_only else 'changes are possible'}"
    )
    for note in tested.notes:
        click.echo(note)


@source.command("inspect", epilog="Example: console source inspect shop")
@click.argument("name")
def inspect(name: str) -> None:
    """The collections of a source with their fields, what has changed in the database since it was looked at, and what that breaks."""
    inspected = sources.inspect(name)
    click.echo(f"{inspected['name']}  {inspected['dialect']}  {inspected['place']}")
    for collection in inspected["collections"]:
        key = ", ".join(collection["key"]) or "no key"
        click.echo(f"{collection['id']}  {collection['label']} ({collection['kind']}; {key})")
        for field in collection["fields"]:
            click.echo(f"    {field['name']}: {field['type']}, {field['label']}")
        for relation in collection["relations"]:
            click.echo(f"    {relation}")
    for word in ("new", "gone", "changed"):
        if inspected[word]:
            click.echo(
                f"{word} in the database: {', '.join(inspected[word])}. `console source refresh {name}` takes it over."
            )
    if inspected["changed"] or inspected["gone"]:
        for broken in sources.difference(name).breaks:
            click.echo(f"breaks the {broken.kind} {broken.name}: {broken.reason}")


@source.command("listen", epilog="Example: console source listen shop > handrail.sql")
@click.argument("name")
def listen(name: str) -> None:
    """Print the trigger that lets the PostgreSQL database of a source tell of changes at once. Its owner installs it; nothing is written there from here."""
    click.echo(triggers.install_sql(name))


@source.command("refresh", epilog="Example: console source refresh shop")
@click.argument("name")
@click.option("--documents", type=DOCUMENTS, help="New documents of its collections; without it they stay.")
@click.option(
    "--leave-out",
    is_flag=True,
    help="Leave out of the documents what is gone from the database, instead of refusing.",
)
def refresh(name: str, documents: Path | None, leave_out: bool) -> None:
    """Look at the database again and take over new, changed and dropped tables. Rights stay as they are."""
    if leave_out and documents:
        raise click.UsageError(
            "New documents say what is to be there: --leave-out goes with the present ones."
        )
    refreshed = (
        sources.take(name)
        if leave_out
        else sources.refresh(name, _documents(documents) if documents else None)
    )
    click.echo(f"{len(refreshed)} collections of {name}")


@source.command(
    "change",
    epilog="Example: console source change shop --url postgresql://reader:new-secret@db.example/shop",
)
@click.argument("name")
@click.option("--url", help="Its new address; it is tried before it counts.")
@click.option(
    "--read-only/--read-write", default=None, help="Whether nothing can be changed in it from here."
)
@click.option("--schemas", callback=_listed, help="Only tables of these schemas.")
@click.option("--tables", callback=_listed, help="Only these tables and views.")
@click.option("--all-tables", is_flag=True, help="All tables and views again, and those that come later.")
@click.option("--pause/--resume", default=None, help="Let nobody use it, or let it be used again.")
@click.option("--zone", help="Where its clocks stand, for times that it keeps without a zone; UTC for none.")
@_limits
def change(
    name: str,
    url: str | None,
    read_only: bool | None,
    schemas: list[str] | None,
    tables: list[str] | None,
    all_tables: bool,
    pause: bool | None,
    zone: str | None,
    **limits: int | None,
) -> None:
    """Change the address, the limits, the tables or the state of a source; what is not named stays."""
    terms = sources.source_of(name).terms
    given = {
        field: value
        for field, value in {"read_only": read_only, "zone": zone, **limits}.items()
        if value is not None
    }
    changed = sources.change(
        name,
        url=url,
        terms=Terms.of(terms.to_json() | given),
        schemas=schemas,
        chosen=tables,
        all_tables=all_tables,
    )
    if pause is not None:
        (sources.pause if pause else sources.resume)(name)
        changed = [*changed, "paused"]
    click.echo(f"{name}: {', '.join(changed) if changed else 'nothing'} changed")
    if "tables" in changed or "url" in changed:
        click.echo(
            f"`console source inspect {name}` shows what that means, `console source refresh {name}` takes it over"
        )


@source.command("remove", epilog="Example: console source remove shop --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also while runs on its records are live: they stop.")
def remove(name: str, yes: bool, force: bool) -> None:
    """Disconnect a source: its collections go, with their documents and rights. Its database is not touched, nor is the log."""
    ends = sources.consequences(name)
    click.echo(
        f"{len(ends.collections)} collections and {ends.rights} rows of the rights go; {ends.live} live runs"
    )
    for _, title in ends.workflows:
        click.echo(f"the workflow {title} has no records any more")
    for title in ends.actions:
        click.echo(f"the action {title} cannot be done any more")
    if not yes:
        click.confirm(f"Remove {name}?", abort=True)
    sources.remove(name, force=force)
    click.echo(f"{name} is removed")


def _documents(folder: Path | None) -> list[dict[str, Any]]:
    """The documents of a folder in the order of their files' names."""
    documents = []
    for file in sorted(folder.glob("*.json")) if folder else []:
        try:
            documents.append(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise click.ClickException(f"{file.name} is no JSON: {error}") from error
    return documents


commands: list[click.Command] = [source]
