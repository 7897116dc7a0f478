"""Commands about workflows: check files, read them in, give them out, publish."""

import sys
from pathlib import Path

import click

from console import workflows
from console.core.documents.workflow import MAX_BYTES

workflow = click.Group("workflow", help="Workflows as files and versions.")


@workflow.command("check", epilog="Example: console workflow check workflows/*.json")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--sources", is_flag=True, help="Also judge fields, relations, roles, rights and actions by what is connected and granted here."
)
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, step, field, reason. Exits 1 when there is an error.

    Needs no database, so that it serves in a pipeline; with --sources it asks the one that `console serve` uses.
    """
    here = workflows.around() if sources else None
    wrong = False
    for file in files:
        try:
            with file.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            click.echo(f"{file}: cannot be read: {error.strerror}")
            wrong = True
            continue
        problems = workflows.check(content, here)
        for problem in problems:
            place = ": ".join(part for part in (f"step {problem.step}" if problem.step else "", problem.field) if part)
            click.echo(f"{file}: {place + ': ' if place else ''}{'warning: ' if problem.severity == 'warning' else ''}{problem.reason}")
        if any(problem.severity == "error" for problem in problems):
            wrong = True
        else:
            click.echo(f"{file}: fine")
    if wrong:
        sys.exit(1)


@workflow.command("import", epilog="Example: console workflow import my-review.json --publish")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--publish", is_flag=True, help="Make it the live version at once.")
def import_(file: Path, publish: bool) -> None:
    """Read FILE in as the draft of the workflow that it names."""
    known = workflows.import_file(file, publish=publish)
    click.echo(f"{known.slug}  {known.title}  " + (f"version {known.live} is live" if known.live else "draft"))


@workflow.command("export", epilog="Example: console workflow export kyc-review > kyc-review.json")
@click.argument("slug")
def export(slug: str) -> None:
    """Print the live version of SLUG (else its draft) as the bytes that it was published with."""
    click.echo(workflows.export(slug), nl=False)


@workflow.command("publish", epilog="Example: console workflow publish kyc-review")
@click.argument("slug")
def publish(slug: str) -> None:
    """Make the draft of SLUG its live version; runs under way keep theirs."""
    made = workflows.publish(slug)
    click.echo(f"{made.slug}  version {made.number} is live  {made.hash}")


commands: list[click.Command] = [workflow]
