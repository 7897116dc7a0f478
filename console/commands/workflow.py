"""Commands about workflows: check files, read them in, give them out, publish."""

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from console import runs, workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.core.actor import Actor
from console.core.documents.workflow import MAX_BYTES, Workflow, read
from console.core.documents.workflow_check import Problem
from console.core.errors import Conflict, NotFound
from console.infra.jobs import background
from console.runs import simulation
from console.workflows import starter_folder

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
USER = click.option(
    "--user",
    "email",
    help="E-mail of whose rights count in tests; none: the account that the workflow runs as, else somebody who may publish it.",
)
REASON = click.option(
    "--reason", default="", help="Why it is published although tests fail; it is kept in the log."
)
workflow = click.Group("workflow", help="Workflows as files and versions.")


@workflow.command("check", epilog="Example: console workflow check workflows/*.json")
@FILES
@click.option(
    "--sources",
    is_flag=True,
    help="Also judge fields, relations, roles, rights and actions by what is connected and granted here.",
)
def check(files: tuple[Path, ...], sources: bool) -> None:
    """Print every problem of the FILES, one a line: file, step, field, reason. Exits 1 when there is an error.

    Needs no database, so that it serves in a pipeline; with --sources it asks the one that `console serve` uses.
    """
    surroundings = workflows.validation_context() if sources else None
    print_problems(files, lambda content: workflows.check(content, surroundings))


@workflow.command("init", epilog="Example: console workflow init my-workflows")
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write FOLDER for workflows as files: JSON Schemas, examples, and an AGENTS.md that tells an AI-powered editor what there is.

    Needs no database. What is there already is left alone: then nothing is written.
    """
    for path in starter_folder.write(folder):
        click.echo(path)


@workflow.command("import", epilog="Example: console workflow import my-review.json --publish")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--publish", is_flag=True, help="Make it the live version at once.")
@click.option("--personal", is_flag=True, help="Where it is new: personal, of the person named by --user.")
@REASON
@USER
def import_(file: Path, publish: bool, personal: bool, reason: str, email: str | None) -> None:
    """Read FILE in as the draft of the workflow that it names. With --publish its tests are run first; where one fails, nothing is read in."""
    if personal and email is None:
        raise click.UsageError("Say by --user whose it is to be.")
    owner = accounts.person_of_email(email).id if personal and email is not None else None
    with _said_tests():
        imported = workflows.import_file(file, publish=publish, tests=_tests(reason, email), owner=owner)
    click.echo(
        f"{imported.slug}  {imported.title}  "
        + (f"version {imported.live} is live" if imported.live else "draft")
    )


@workflow.command("export", epilog="Example: console workflow export kyc-review > kyc-review.json")
@click.argument("slug")
def export(slug: str) -> None:
    """Print the live version of SLUG (else its draft) as the bytes that it was published with."""
    click.echo(workflows.export(slug), nl=False)


@workflow.command("publish", epilog="Example: console workflow publish kyc-review")
@click.argument("slug")
@REASON
@USER
def publish(slug: str, reason: str, email: str | None) -> None:
    """Make the draft of SLUG its live version, when the tests kept with it hold; runs under way keep theirs."""
    with _said_tests():
        published = workflows.publish(slug, tests=_tests(reason, email))
    click.echo(f"{published.slug}  version {published.number} is live  {published.hash}")


@workflow.command(
    "enrol",
    epilog="Example: console workflow enrol welcome contacts.csv --user gita@fernwick.example --preview",
)
@click.argument("slug")
@click.argument("file", type=click.File("rb"))
@click.option("--user", "email", required=True, help="E-mail of who enrols them: their rights count.")
@click.option("--preview", is_flag=True, help="Say who would be enrolled, and enrol nobody.")
@click.option(
    "--left-out",
    type=click.File("w", encoding="utf-8"),
    help="Write the lines of those who are not enrolled into this CSV file.",
)
def enrol(slug: str, file: IO[bytes], email: str, preview: bool, left_out: IO[str] | None) -> None:
    """Enrol who stands in FILE (CSV or a workbook) in the workflow SLUG. A worker does it, and goes on where this command is ended.

    Prints how many are enrolled, in already and left out, then each cause with its number. Exits 1 where it broke off.
    """
    actor = accounts.actor_of_person(accounts.person_of_email(email).id)
    asked = enrolments.batches.question_of_file(actor, enrolments.require_target(actor, slug, "start"), file)
    batch = enrolments.batches.begin(actor, slug, asked, preview=preview)
    while batch.under_way:
        click.echo(f"\r{batch.done:,} of about {batch.about or batch.done:,} read", nl=False, err=True)
        time.sleep(1)
        batch = enrolments.batches.get(actor, batch.id)
    click.echo(err=True)
    done = "would be enrolled" if preview else "enrolled"
    click.echo(
        f"{batch.enrolled:,} {done}, {batch.already_enrolled:,} in already, {batch.refused:,} left out of {batch.done:,}"
    )
    for status, reason, count in enrolments.batches.causes(batch):
        click.echo(f"{count:,}  {reason or status.replace('_', ' ')}")
    for reason, count in batch.exits.items():
        click.echo(f"{count:,}  would leave again at once, by the exit “{reason}”")
    if left_out is not None:
        write_left_out(actor, batch.id, left_out)
    if batch.status != background.DONE:
        raise Conflict(batch.why or f"It was {batch.status}.")


def write_left_out(actor: Actor, batch_id: str, file: IO[str]) -> None:
    """The number of each line that was not enrolled, with the reasons."""
    table = csv.writer(file)
    table.writerow(["Line", "Why"])
    after: int | None = None
    while True:
        rows, after = enrolments.batches.answers(actor, batch_id, limit=1_000, after=after)
        table.writerows(
            [row.row, " ".join(each["reason"] for each in row.reasons) or "Is in the workflow now."]
            for row in rows
        )
        if after is None:
            return


@workflow.command("test", epilog="Example: console workflow test my-review.json --user mona@fernwick.example")
@click.argument("what", metavar="FILE|SLUG")
@USER
def test(what: str, email: str | None) -> None:
    """Run the tests that are kept with a workflow: of FILE, or of the draft of SLUG. Nothing is written or sent.

    Prints a line for each test: the workflow, the test, and `holds` or what differs. Exits 1 if one does not hold.
    """
    document, ident = _document_of(what)
    actor = _whose_rights(document, email)
    if ident is not None:
        document = simulation.workflow_trials.definition_to_try(actor, ident).document
    results = runs.results_of_tests(actor, document.slug, ident or document.slug, document)
    for result in results:
        click.echo(
            f"{document.slug}: {result.name}: {'holds' if result.holds else ' '.join(result.differences)}"
        )
    if not results:
        click.echo(f"{document.slug}: no tests")
    if not all(result.holds for result in results):
        sys.exit(1)


def _tests(reason: str, email: str | None) -> workflows.TestsBefore:
    return workflows.TestsBefore(lambda document: _whose_rights(document, email), reason)


@contextmanager
def _said_tests() -> Iterator[None]:
    """Says each test that fails, before the error is said."""
    try:
        yield
    except Conflict as error:
        if error.code == "tests_failed":
            for detail in error.details:
                click.echo(f"{detail['test']}: {detail['reason']}", err=True)
            raise Conflict(error.message, code=error.code) from None
        raise


def _document_of(what: str) -> tuple[Workflow, str | None]:
    """(the document, the slug of its draft; None: it is a file). Raises NotFound, DefinitionError."""
    if not Path(what).is_file():
        if workflows.find_known(what) is None:
            raise NotFound(f"There is no file {what}, and no workflow of that name.")
        return workflows.readable(workflows.draft_document(what)), what
    with Path(what).open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    problems = workflows.check(content, workflows.connected())
    if any(problem.severity == "error" for problem in problems):
        raise workflows.refused(what, problems)
    return read(content), None


def _whose_rights(document: Workflow, email: str | None) -> Actor:
    """The person of the address, the account that the workflow runs as, or the first by name who may publish it. Raises NotFound."""
    if email is not None:
        return accounts.actor_of_person(accounts.person_of_email(email).id)
    if document.run_as is not None:
        return accounts.service_account(document.run_as)
    for person in accounts.people():
        may = access.can(Actor("user", person.id), document.team, f"workflow:{document.slug}", "publish")
        if may and person.kind == "person" and not person.disabled:
            click.echo(f"With the rights of {person.name}.", err=True)
            return accounts.actor_of_person(person.id)
    raise NotFound("Nobody may publish this workflow here. Name somebody by --user.")


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
                    part
                    for part in (
                        str(file),
                        problem.step and f"step {problem.step}",
                        problem.field,
                        severity,
                        problem.reason,
                    )
                    if part
                )
            )
        if any(problem.severity == "error" for problem in problems):
            wrong = True
        else:
            click.echo(f"{file}: fine")
    if wrong:
        sys.exit(1)


commands: list[click.Command] = [workflow]
