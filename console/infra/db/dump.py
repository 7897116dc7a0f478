"""The console's tables as one stream of bytes and back, by the tools of PostgreSQL 18 that come with the console.

They reach a server of any version from 15 on. A URL becomes variables of their environment, so that no password stands in a list of
processes.
"""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

import psycopg
from sqlalchemy.engine import URL

from console.core.errors import ConsoleError
from console.infra.postgres import binaries, clean_environment

BLOCK = 1 << 20
FROM_17_ON = b"SET transaction_timeout = 0;\n"


class DumpError(ConsoleError):
    """A tool of PostgreSQL failed; the message is its own last line."""

    status = 503
    default_code = "dump"


def libpq(url: URL) -> str:
    """The URL as PostgreSQL's own programs read it: there a blank is `%20`, never `+` nor itself."""
    address, mark, query = (
        url.set(drivername="postgresql").render_as_string(hide_password=False).partition("?")
    )
    return address.replace(" ", "%20") + mark + query.replace("+", "%20")


def environment(url: URL) -> tuple[dict[str, str], list[str]]:
    """(variables, arguments) by which a tool reaches the database: arguments only for what has no variable, and never for a secret."""
    variables, rest = clean_environment(), []
    for option in psycopg.pq.Conninfo.parse(libpq(url).encode()):
        if option.val is None:
            continue
        if option.envvar:
            variables[option.envvar.decode()] = option.val.decode()
        elif option.dispchar != b"*":
            value = option.val.decode().replace("\\", "\\\\").replace("'", "\\'")
            rest.append(f"{option.keyword.decode()}='{value}'")
    return variables, [f"--dbname={' '.join(rest)}"] if rest else []


def dump(url: URL, write: Callable[[bytes], object]) -> None:
    """Dump the schemas `console` and `queue` (without jobs) in pg_dump's custom format; `write` gets it block by block. One snapshot, without locks.

    Raises DumpError with the tool's message, and whatever `write` raises.
    """
    variables, where = environment(url)
    schemas = [
        "--schema=console",
        "--schema=queue",
        "--exclude-table-data=queue.*",
    ]  # jobs say only "look at this": the sweep finds what to look at
    command = [str(binaries() / "pg_dump"), "--format=custom", *schemas, "--no-password", *where]
    with _tool(command, variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        output = cast("IO[bytes]", process.stdout)
        while block := output.read(BLOCK):
            write(block)


def load(url: URL, archive: IO[bytes], *, rights: bool) -> None:
    """Load a dump into an empty database, in one transaction. The role that connects owns everything.

    With `rights`, the grants of the application's role are loaded too. Raises DumpError with the tool's message.
    """
    variables, where = environment(url)
    read = [
        str(binaries() / "pg_restore"),
        "--file=-",
        "--no-owner",
        "--no-tablespaces",
        *([] if rights else ["--no-acl"]),
    ]
    run = [
        str(binaries() / "psql"),
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "--single-transaction",
        "--no-password",
        "--file=-",
        *where,
    ]
    with (
        _tool(read, clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader,
        _tool(
            run, variables, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as psql,  # the inner one: where both fail, it is the cause
    ):
        feeding = threading.Thread(target=_write_archive, args=(archive, reader.stdin), daemon=True)
        feeding.start()
        try:
            _copy_script(cast("IO[bytes]", reader.stdout), cast("IO[bytes]", psql.stdin))
        except BrokenPipeError:
            reader.kill()  # psql has left, and says why
        feeding.join()


def _write_archive(archive: IO[bytes], into: IO[bytes]) -> None:
    try:
        with into:
            shutil.copyfileobj(archive, into, BLOCK)
    except BrokenPipeError:
        return  # the reader has left, and says why


def _copy_script(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy the SQL script without the one setting at its start that servers before version 17 do not know."""
    with target:
        for line in source:
            if line != FROM_17_ON:
                target.write(line)
            if line.startswith((b"CREATE", b"COPY")):
                break
        shutil.copyfileobj(source, target, BLOCK)


@contextmanager
def _tool(
    command: list[str], variables: Mapping[str, str], **pipes: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the tool while the block lasts, and end it with the block. Raises DumpError if the tool fails."""
    with tempfile.TemporaryFile() as stderr_file:
        process = subprocess.Popen(command, env=dict(variables), stderr=stderr_file, cwd="/", **pipes)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    _close(pipe)
            status = process.wait()
        if status:
            stderr_file.seek(0)
            raise DumpError(_error_sentence(stderr_file.read().decode(errors="replace"), command[0]))


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _error_sentence(output: str, program: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    line_of_error = next(
        (line for line in lines if "error" in line.lower()), lines[-1] if lines else "it was ended"
    )
    return f"{program.rpartition('/')[2]} failed: {line_of_error.partition('error: ')[2] or line_of_error}"
