"""`console activity export` and `console verify`: the log as files, and the check of it."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from console import exports, operations
from console.core.actor import Actor
from console.db.engine import fetch
from console.log import heads, verify as verifier

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
activity = click.Group("activity", help="The activity log.")


@activity.command("export", epilog="Example: console activity export --format zip --out log.zip")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "zip"]), default="zip", show_default=True, help="zip: with everything that proves it."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def export(form: str, out: Path) -> None:
    """Write the whole log to a file: jsonl is the hashed bytes of each event, a line each; zip an archive that `verify.py` checks anywhere."""
    operations.catch_up()
    if form == "zip":
        operations.seal()
        click.echo(f"{exports.archive(COMMAND_LINE, out)} events in {out}")
        return
    count = 0
    with out.open("wb") as file:
        for line in exports.lines(COMMAND_LINE):
            file.write(line)
            count += 1
    click.echo(f"{count} events in {out}")


@click.command("verify", epilog="Example: console verify log.zip --since checkpoint-of-october.txt")
@click.argument("archive", metavar="[EXPORT]", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--key", multiple=True, help="The verifier key that you were given; several after a change. Without: this log's own.")
@click.option("--since", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A checkpoint that you kept earlier.")
def verify(archive: Path | None, key: tuple[str, ...], since: Path | None) -> None:
    """Check an export, or without one the log as it is now: every event, every chain, the order, the signed head, and the values. Names the first bad place."""
    if archive is not None:
        code, told = _checked(archive, key, since)
        click.echo(told)
        sys.exit(code)
    operations.catch_up()
    operations.seal()
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        whole = Path(folder) / "log.zip"
        exports.archive(COMMAND_LINE, whole)
        code, told = _checked(whole, key or heads.verifier_keys(), since)
    click.echo(re.sub(r"^line (\d+)", _place, told))
    sys.exit(code)


def _checked(archive: Path, keys: Sequence[str], since: Path | None) -> tuple[int, str]:
    """(status, words) of the very file that outsiders run, as they run it."""
    command = [sys.executable, "-I", verifier.__file__, str(archive), *(part for key in keys for part in ("--key", key))]
    done = subprocess.run([*command, *(["--since", str(since)] if since else [])], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout or done.stderr).strip()


def _place(line: re.Match[str]) -> str:
    """The position, the run and the event in place of a line."""
    rows = fetch("select e.run, e.run_seq from console.activity a join console.event e on e.id = a.event where a.pos = %s", (int(line[1]),))
    return f"position {line[1]}" + (f", run {rows[0][0]} event {rows[0][1]}" if rows else "")


commands: list[click.Command] = [activity, verify]
