"""`console verify`: the check of an export, or of the log as it is now."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from console import __path__ as rooms

VERIFIER = Path(rooms[0], "log", "verify.py")
"""Standard library alone: an export is checked without the rest of the console."""


@click.command("verify", epilog="Example: console verify log.zip --since checkpoint-of-october.txt")
@click.argument("archive", metavar="[EXPORT]", required=False, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--key",
    multiple=True,
    help="The verifier key that you were given; several after a change. Without: this log's own.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that you kept earlier.",
)
def verify(archive: Path | None, key: tuple[str, ...], since: Path | None) -> None:
    """Check an export, or without one the log as it is now: every event, every chain, the order, the signed heads, the values, and the list that people read. Names the first bad place."""
    if archive is not None:
        code, sentence = _checked(archive, key, since)
        click.echo(sentence)
        sys.exit(code)
    from console.activity import exports  # what follows needs the database; an export is checked without it
    from console.commands.activity import write
    from console.log import read, recheck, tree_heads

    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        whole, code, sentence = Path(folder) / "log.zip", 0, read.UNREADABLE
        with suppress(read.Damaged):  # named below
            write(exports.ExportQuery(proofs=True), whole)
            code, sentence = _checked(whole, key or tree_heads.verifier_keys(), since)
    sentence = re.sub(r"^line (\d+)", _place, sentence)
    if code == 0 and (
        problem := recheck.first_problem()
    ):  # what no export holds: the list, the tree as it is kept, earlier heads
        code, sentence = 1, problem
    click.echo(sentence)
    sys.exit(code)


def _checked(archive: Path, keys: Sequence[str], since: Path | None) -> tuple[int, str]:
    """(status, words) of the very file that outsiders run, as they run it."""
    command = [
        sys.executable,
        "-I",
        str(VERIFIER),
        str(archive),
        *(part for key in keys for part in ("--key", key)),
    ]
    done = subprocess.run(
        [*command, *(["--since", str(since)] if since else [])], capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout or done.stderr).strip()


def _place(line: re.Match[str]) -> str:
    """The position, the run and the event in place of a line."""
    from console.infra.db.engine import fetch

    rows = fetch(
        "select e.run, e.run_seq from console.places(%(pos)s, %(pos)s) a join console.event e on e.id = a.event",
        {"pos": int(line[1])},
    )
    return f"position {line[1]}" + (f", run {rows[0][0]} event {rows[0][1]}" if rows else "")


commands: list[click.Command] = [verify]
