"""Commands about workflows: check files, read them in, give them out, publish."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from console import workflows
from console.core.documents.workflow import MAX_BYTES
from console.core.documents.workflow_check import Problem

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
workflow = click.Group("workflow", help="Workflows as files and versions.")


@workflow.command("check", epilog="Example: console workflow check workflows/*.json")
@FILES
@click.option(
    "--sources", is_flag=True, help="Also judge fields, relations, roles, rights and actions by what is connected and granted here."
)
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, step, field, reason. Exits 1 when there is an error.

    Needs no database, so that it serves in a pipeline; with --sources it asks the one that `console serve` uses.
    """
    surroundings = workflows.around() if sources else None
    print_problems(files, lambda content: workflows.check(content, surroundings))


@workflow.command("import", epilog="Example: console workflow import my-review.json --publish")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--publish", is_flag=True, help="Make it the live version at once.")
def import_(file: Path, publish: bool) -> None:
    """Read FILE in as the draft of the workflow that it names."""
    imported = workflows.import_file(file, publish=publish)
    click.echo(f"{imported.slug}  {imported.title}  " + (f"version {imported.live} is live" if imported.live else "draft"))


@workflow.command("export", epilog="Example: console workflow export kyc-review > kyc-review.json")
@click.argument("slug")
def export(slug: str) -> None:
    """Print the live version of SLUG (else its draft) as the bytes that it was published with."""
    click.echo(workflows.export(slug), nl=False)


@workflow.command("publish", epilog="Example: console workflow publish kyc-review")
@click.argument("slug")
def publish(slug: str) -> None:
    """Make the draft of SLUG its live version; runs under way keep theirs."""
    published = workflows.publish(slug)
    click.echo(f"{published.slug}  version {published.number} is live  {published.hash}")


def print_problems(files: Sequence[Path], check: Callable[[bytes], Sequence[Problem]]) -> None:
    """Print every problem of the files, one a line: file, step, field, reason; `fine` for a file without an error. Exits 1 if one has an error."""
    wrong = False
    for file in files:
        try:
            with file.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            click.echo(f"{file}: cannot be read: {error.strerror}")
            wrong = True
            continue
        problems = check(content)
        for problem in problems:
            severity = "warning" if problem.severity == "warning" else ""
            click.echo(
                ": ".join(
                    part for part in (str(file), problem.step and f"step {problem.step}", problem.field, severity, problem.reason) if part
                )
            )
        if any(problem.severity == "error" for problem in problems):
            wrong = True
        else:
            click.echo(f"{file}: fine")
    if wrong:
        sys.exit(1)


commands: list[click.Command] = [workflow]
