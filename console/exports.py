"""The activity log as files: events as they were hashed, and an archive that an outsider checks without us.

Everything up to one signed head of the log. Memory stays flat: rows come in pages by their place, files go to disk as they grow.
"""

import importlib.resources
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from console import access, log, subjects
from console.core.actor import Actor
from console.db.engine import fetch
from console.errors import Conflict
from console.log import heads

PAGE = 5000
README = """This archive holds the activity log up to the checkpoint in it.

    python3 verify.py ARCHIVE.zip --key 'THE KEY THAT YOU WERE GIVEN' [--since A_CHECKPOINT_YOU_KEPT]

verify.py needs Python 3.10 and nothing else. Better use a copy of it that you had before. Keep the file `checkpoint`: with it
you can tell next time that nothing was changed in between. The file `key` is for comparison only.
"""

_ROWS = """
select a.pos, e.body, v.sub, v.nonce, v.ct from console.activity a join console.event e on e.id = a.event
left join console.event_value v on v.event = e.id where a.pos > %s and a.pos <= %s order by a.pos limit %s
"""


def archive(actor: Actor, out: Path) -> int:
    """Write the whole log, up to its newest signed head, as a zip archive with everything that proves it; how many events.

    Opens the values that can still be opened: for whoever has the shell. Raises NotAllowed, and Conflict before the first head.
    """
    if actor.kind != "system":
        access.require(actor, None, "activity", "export")
    head = heads.newest()
    if head is None:
        raise Conflict("The log has no signed head yet: run `console seal` first.", code="not_sealed")
    size, note, _ = head
    log.note(actor, "log_exported", open={"format": "zip", "size": size, "proofs": True})
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        count = _write(Path(folder), size)
        files = {
            "checkpoint": note.encode(),
            "proofs.json": orjson.dumps({"size": size, "complete": True, "positions": None, "inclusion": None, "consistency": None}),
            "key": f"{heads.verifier_key()}\n".encode(),
            "verify.py": importlib.resources.files("console.log").joinpath("verify.py").read_bytes(),
            "README.txt": README.encode(),
        }
        part = out.with_name(out.name + ".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made:
            for name in ("events.jsonl", "values.jsonl", "leaves"):
                with (Path(folder) / name).open("rb") as source, made.open(name, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            for name, content in files.items():
                made.writestr(name, content)
        part.replace(out)
    return count


def _write(folder: Path, size: int) -> int:
    count = 0
    with (folder / "events.jsonl").open("wb") as events, (folder / "values.jsonl").open("wb") as values:
        for rows in _pages(size):
            subjects.load({row[2] for row in rows if row[2]})
            for _, body, sub, nonce, ct in rows:
                count += 1
                events.write(bytes(body) + b"\n")
                for line in _values(bytes(body), sub, nonce, ct):
                    values.write(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n")
    with (folder / "leaves").open("wb") as leaves:
        for some in heads.leaves(size):
            leaves.write(some)
    return count


def _pages(size: int) -> Iterator[Sequence[Any]]:
    after = 0
    while rows := fetch(_ROWS, (after, size, PAGE), binary=True):
        yield rows
        after = rows[-1][0]


def _values(body: bytes, sub: str | None, nonce: bytes, ct: bytes) -> Iterator[dict[str, Any]]:
    """A line for each commitment of the event, in their order: opened, or with the reason why not."""
    told = orjson.loads(body)
    names = told["data"]["sealed"]
    if not names:
        return
    try:
        opened = subjects.unseal(sub, told["id"], nonce, ct) if sub and ct else {}
    except subjects.Unreadable:
        opened = {}
    for name in names:
        if name in opened:
            salt, value = opened[name]
            yield {"event": told["id"], "name": name, "salt": salt, "value": value}
        else:
            yield {"event": told["id"], "name": name, "missing": log.read.reason(sub)}


def lines(actor: Actor) -> Iterator[bytes]:
    """The bodies, a line each, exactly the hashed bytes, in the order of the log; noted before the first."""
    if actor.kind != "system":
        access.require(actor, None, "activity", "export")
    reached = fetch("select coalesce(max(pos), 0) from console.activity")[0][0]
    log.note(actor, "log_exported", open={"format": "jsonl", "size": reached, "proofs": False})
    for rows in _pages(reached):
        for row in rows:
            yield bytes(row[1]) + b"\n"
