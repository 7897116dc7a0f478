"""`console activity export`: the log as files."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from console.activity import archive, exports, sequencing
from console.activity.filters import TEXTS
from console.auth import accounts
from console.core.actor import COMMAND_LINE
from console.core.errors import Malformed

PARAMETERS = {"since_time": "createdAt.gte", "until": "createdAt.lt"}
"""Option → parameter of the API, where the two differ."""


def _text_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each filter by a text."""
    for name, what in reversed(TEXTS.items()):
        command = click.option(f"--{name}", help=f"{what}.")(command)
    return command


activity = click.Group("activity", help="The activity log.")


@activity.command(
    "export",
    epilog="Example: console activity export --format csv --kind run_completed --since-time 2026-11-01 --out done.csv",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "zip"]),
    default="zip",
    show_default=True,
    help="zip: with everything that proves it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The file to write; - for standard output.",
)
@click.option("--kind", multiple=True, help="Only events of this kind; may be given several times.")
@_text_options
@click.option(
    "--since-time", help="Only events from this day or moment on: 2026-11-20 or 2026-11-20T06:30:00Z."
)
@click.option("--until", help="Only events before this day or moment.")
@click.option(
    "--since",
    help="zip: the size of a checkpoint that somebody kept; the archive proves that the log has only grown since.",
)
def export(form: str, out: Path, **given: Any) -> None:
    """Write the log to a file, whole or what fits the filters, oldest first.

    jsonl is the hashed bytes of each event, a line each; csv a table for people; zip an archive that `verify.py` checks anywhere.
    """
    query = _parse_options(form, given)
    if str(out) == "-":
        try:
            sys.stdout.buffer.writelines(_with_progress(_start_export(query)))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(
                f"Standard output cannot be written: {error.strerror}. What is there is not the whole."
            ) from None
        return
    click.echo(f"{write(query, out)} events in {out}")


def _start_export(query: exports.ExportQuery) -> exports.Export:
    return exports.begin(
        COMMAND_LINE, query, ready=sequencing.sequence_and_sign if query.proofs else sequencing.catch_up
    )


def _parse_options(form: str, given: Mapping[str, Any]) -> exports.ExportQuery:
    """The query for these options. Raises UsageError that names the option."""
    if given["user"] and "@" in given["user"]:
        given = {**given, "user": accounts.person_of_email(given["user"]).id}
    parameters = [
        ("format", "csv" if form == "csv" else "jsonl"),
        *([("proofs", "1")] if form == "zip" else []),
    ]
    parameters += [("kind", kind) for kind in given["kind"]]
    parameters += [
        (PARAMETERS.get(name, name), value)
        for name, value in given.items()
        if name != "kind" and value is not None
    ]
    try:
        return exports.parse_query(parameters)
    except Malformed as error:
        options = {parameter: option.replace("_", "-") for option, parameter in PARAMETERS.items()}
        raise click.UsageError(
            " ".join(
                f"--{options.get(detail['field'], detail['field'])}: {detail['reason']}"
                for detail in error.details
            )
        ) from None


def write(query: exports.ExportQuery, out: Path) -> int:
    """Write the whole file, or none. Returns how many events are in it. A device or pipe is written to directly."""
    file_like = out.is_file() or not out.exists()
    part = out.with_name(f"{out.name}.part") if file_like else out
    try:
        with part.open("wb") as file:
            begun = _start_export(query)
            file.writelines(_with_progress(begun))
        if file_like:
            part.replace(out)
    except OSError as error:
        raise click.ClickException(
            f"{out} cannot be written: {error.strerror}. What was there before still is."
        ) from None
    finally:
        with suppress(OSError):
            if file_like:
                part.unlink(missing_ok=True)
    return begun.count


def _with_progress(begun: exports.Export) -> Iterator[bytes]:
    """The parts of the export, with a progress bar on a terminal."""
    if not sys.stderr.isatty():
        yield from begun.parts()
        return
    with click.progressbar(length=1000, label="Exporting", file=sys.stderr) as bar:
        for part in begun.parts():
            bar.update(int(begun.share * 1000) - bar.pos)
            yield part
        bar.update(1000 - bar.pos)


@activity.command(
    "archive", epilog="Example: console activity archive --before 2026-06 --out /srv/archive --dry-run"
)
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m"]),
    required=True,
    metavar="YYYY-MM",
    help="Archive the months that ended before this one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder for the archives, one a month.",
)
@click.option("--dry-run", is_flag=True, help="Only say which months, how many events and how much space.")
def archive_months(before: datetime, out: Path, dry_run: bool) -> None:
    """Archive old months of the log: their events as files with proofs, and most of their rows taken out of lists.

    Events, proofs, replays, exports and checks stay as they are; the space of the rows is given back.
    """
    if not (due := archive.due(before.replace(tzinfo=UTC))):
        click.echo(f"No month that ended before {before:%Y-%m} is left to archive.")
    elif not dry_run:
        sequencing.sequence_and_sign()
    for month, rows in due:
        size = month.bytes * rows / (month.events - month.archived)
        words = (
            f"{month.name}: {month.events:,} events, {rows:,} rows out of lists, about {size / 1e6:,.1f} MB"
        )
        click.echo(words if dry_run else f"{words}: {archive.archive(COMMAND_LINE, month, out)}")


@activity.command("attach", epilog="Example: console activity attach 2026-03")
@click.argument("month")
@click.option(
    "--archive",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The archive of the month: it is checked, and has to be the one of which the log tells.",
)
def attach(month: str, file: Path | None) -> None:
    """Put the rows of an archived MONTH back into lists, made anew from its events."""
    known = {each.name: each for each in archive.archived()}
    if month not in known:
        words = f"archived are {', '.join(known)}" if known else "none is"
        raise click.UsageError(f"{month} is no archived month: {words}.")
    click.echo(f"{month}: {archive.attach(COMMAND_LINE, known[month], file):,} rows are in lists again.")


commands: list[click.Command] = [activity]
