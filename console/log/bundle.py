"""An archive of events that proves itself, made while it is sent: what stands beside the events and values of an export.

Nothing is held but the page at hand and, on disk, the places of a filtered export (8 bytes each).
The form is in docs/reference/log-format.md.
"""

import importlib.resources
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import orjson

from console.infra.db.engine import hot_engine
from console.log import tree_heads, verify

LEVEL = 1  # of deflate: the higher ones cost more than they save on the way
PAGE = 1000
README = """This archive holds {what} of the activity log, as far as the signed file `checkpoint` goes: {size} events. What came later is not in it.

    python3 verify.py THIS_ARCHIVE.zip --key 'THE KEY THAT YOU WERE GIVEN' [--since A_CHECKPOINT_YOU_KEPT]

verify.py needs Python 3.10 and nothing else. Better use a copy of it that you had before. Keep the file `checkpoint`: with it
you can tell next time that nothing was changed in between. The file `key` is for comparison only.

events.jsonl   the events as they were hashed, one a line, in the order of the log
values.jsonl   what they commit to, as far as the person who made this export may see it; what is missing says why
proofs.json    which places of the log these are, and what leads from each of them to the checkpoint
leaves         the hash of each line as it was signed: it helps to name a line that was changed
"""


def check(archive: Path, keys: Sequence[str], since: Path | None = None) -> tuple[int, str]:
    """(status, words) of the very file that outsiders run, as they run it; 0: all of it fits."""
    given = [part for key in keys for part in ("--key", key)] + (["--since", str(since)] if since else [])
    done = subprocess.run(
        [sys.executable, "-I", verify.__file__, str(archive), *given],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout or done.stderr).strip()


class Places:
    """Places of events in growing order, on disk: written once, read as often as wanted."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` ends it, and so does the process
        self.count = 0

    def add(self, packed: bytes) -> None:
        """Append places, 8 bytes each, the highest first."""
        self._file.seek(0, io.SEEK_END)
        self._file.write(packed)
        self.count += len(packed) // 8

    def pages(self) -> Iterator[Sequence[int]]:
        """All of them, some at a time."""
        for start in range(0, self.count * 8, PAGE * 8):
            self._file.seek(start)
            page = array("q", self._file.read(PAGE * 8))
            page.byteswap()
            yield page

    def close(self) -> None:
        """Let go of the disk."""
        self._file.close()


def zipped(members: Iterable[tuple[str, Iterable[bytes]]], at: datetime | None = None) -> Iterator[bytes]:
    """The archive of these files in their order, as it grows; each bears the time `at` (None: now). Where it breaks off, the end is missing that makes it an archive."""
    out, now = _Out(), at.utctimetuple()[:6] if at else time.gmtime()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, parts in members:
            about = zipfile.ZipInfo(name, now)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(about, "w", force_zip64=True) as member:
                for part in parts:
                    member.write(part)
                    yield out.taken()
            yield out.taken()
    yield out.taken()


class _Out(io.RawIOBase):
    """Takes what is written and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """The bytes since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def companion_files(
    size: int, note: str, key: str, places: Places | None, since: int | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The files beside events and values: `places` of a filtered export, None for a complete one; `since` adds a proof that the log only grew since that size.

    Raises IndexError where the log never had `since` events.
    """
    yield "proofs.json", _proofs(size, places, since)
    yield "leaves", tree_heads.leaves(size) if places is None else _leaves(size, places)
    yield "checkpoint", [note.encode()]
    yield "key", [f"{key}\n".encode()]
    yield "verify.py", [importlib.resources.files("console.log").joinpath("verify.py").read_bytes()]
    what = "every event" if places is None else f"{places.count} events"
    yield "README.txt", [README.format(what=what, size=size).encode()]


def _proofs(size: int, places: Places | None, since: int | None) -> Iterator[bytes]:
    head_of_proofs = {
        "size": size,
        "complete": places is None,
        "consistency": None if since is None else _grown(size, since),
    }
    yield orjson.dumps(head_of_proofs)[:-1]
    if places is None:
        yield b',"positions":null,"inclusion":null}\n'
        return
    comma = b',"positions":['
    for page in places.pages():
        yield comma + orjson.dumps(list(page))[1:-1]
        comma = b","
    yield (comma if not places.count else b"") + b'],"inclusion":['
    comma = b"\n"
    for page in places.pages():
        with hot_engine().connect() as connection:
            tree = tree_heads.Kept(connection, size)
            proofs = [[item.hex() for item in tree.inclusion(place - 1)] for place in page]
        yield comma + orjson.dumps(proofs)[1:-1].replace(b"],[", b"],\n[")
        comma = b",\n"
    yield b"]}\n"


def _grown(size: int, since: int) -> dict[str, object]:
    with hot_engine().connect() as connection:
        return {
            "from": since,
            "proof": [item.hex() for item in tree_heads.Kept(connection, size).consistency(since)],
        }


def _leaves(size: int, places: Places) -> Iterator[bytes]:
    """The leaves at these places as they were when they got them: from the tiles, not from the events."""
    for page in places.pages():
        with hot_engine().connect() as connection:
            tree = tree_heads.Kept(connection, size)
            yield b"".join(tree.subtree(place - 1, place) for place in page)
