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

from console.errors import ConsoleError
from console.postgres import binaries, clean_environment

BLOCK = 1 << 20
FROM_17_ON = b"SET transaction_timeout = 0;\n"


class DumpError(ConsoleError):
    """A tool of PostgreSQL failed; the message is its own last line."""

    status = 503
    default_code = "dump"


def libpq(url: URL) -> str:
    """The URL as PostgreSQL's own programs read it: there a blank is `%20`, never `+` nor itself."""
    address, mark, query = url.set(drivername="postgresql").render_as_string(hide_password=False).partition("?")
    return address.replace(" ", "%20") + mark + query.replace("+", "%20")


def environment(url: URL) -> tuple[dict[str, str], list[str]]:
    """(variables, arguments) by which a tool reaches the database: arguments only for what has no variable, and never for a secret."""
    told, rest = clean_environment(), []
    for option in psycopg.pq.Conninfo.parse(libpq(url).encode()):
        if option.val is None:
            continue
        if option.envvar:
            told[option.envvar.decode()] = option.val.decode()
        elif option.dispchar != b"*":
            value = option.val.decode().replace("\\", "\\\\").replace("'", "\\'")
            rest.append(f"{option.keyword.decode()}='{value}'")
    return told, [f"--dbname={' '.join(rest)}"] if rest else []


def dump(url: URL, write: Callable[[bytes], object]) -> None:
    """The schema `console`, and `queue` without its jobs, in pg_dump's custom format, handed to `write` in blocks as it comes; one snapshot, nobody waits for it.

    Raises DumpError with the tool's words, and whatever `write` raises.
    """
    told, where = environment(url)
    schemas = [
        "--schema=console",
        "--schema=queue",
        "--exclude-table-data=queue.*",
    ]  # jobs say only "look at this": the sweep finds what to look at
    command = [str(binaries() / "pg_dump"), "--format=custom", *schemas, "--no-password", *where]
    with _running(command, told, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        made = cast("IO[bytes]", process.stdout)
        while block := made.read(BLOCK):
            write(block)


def load(url: URL, archive: IO[bytes], *, rights: bool) -> None:
    """Bring a dump into an empty database, the whole of it or nothing; what it makes belongs to the role that connects.

    With `rights` also what the application's role was granted. Raises DumpError with the tool's words.
    """
    told, where = environment(url)
    read = [str(binaries() / "pg_restore"), "--file=-", "--no-owner", "--no-tablespaces", *([] if rights else ["--no-acl"])]
    run = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "--no-password", "--file=-", *where]
    with (
        _running(read, clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader,
        _running(run, told, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as psql,  # the inner one: where both fail, it is the cause
    ):
        feeding = threading.Thread(target=_feed, args=(archive, reader.stdin), daemon=True)
        feeding.start()
        try:
            _script(cast("IO[bytes]", reader.stdout), cast("IO[bytes]", psql.stdin))
        except BrokenPipeError:
            reader.kill()  # psql has left, and says why
        feeding.join()


def _feed(archive: IO[bytes], into: IO[bytes]) -> None:
    try:
        with into:
            shutil.copyfileobj(archive, into, BLOCK)
    except BrokenPipeError:
        return  # the reader has left, and says why


def _script(source: IO[bytes], target: IO[bytes]) -> None:
    """The script, but for the one line of its head that servers before 17 do not understand; below the head nothing is looked at."""
    with target:
        for line in source:
            if line != FROM_17_ON:
                target.write(line)
            if line.startswith((b"CREATE", b"COPY")):
                break
        shutil.copyfileobj(source, target, BLOCK)


@contextmanager
def _running(command: list[str], told: Mapping[str, str], **pipes: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """The tool while the block lasts; gone with the block. Raises DumpError where it fails by itself."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=dict(told), stderr=said, cwd="/", **pipes)
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
            said.seek(0)
            raise DumpError(_words(said.read().decode(errors="replace"), command[0]))


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _words(said: str, program: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it was ended")
    return f"{program.rpartition('/')[2]} failed: {told.partition('error: ')[2] or told}"
