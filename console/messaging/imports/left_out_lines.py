"""The lines of a file of contacts that were left out, as a file that can be mended and sent again."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from console.core.actor import Actor
from console.messaging.imports import contact_files, import_batches, imports


def refused_file(actor: Actor, ident: str, harmless: Callable[[Any], Any]) -> Iterator[bytes]:
    """The refused lines as a CSV file that can be mended and sent again: their line and the reason before what they said. Raises NotFound, NotAllowed."""
    found = import_batches.get(actor, ident)
    lines = contact_files.rows(found.question.file, found.person)
    heading = next(lines).cells
    return _refused_lines(found.id, heading, lines, harmless)


def _refused_lines(
    ident: str, heading: list[str], lines: Iterator[contact_files.Row], harmless: Callable[[Any], Any]
) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv([["Line", "Why not", *map(harmless, heading)]])
    after = 0
    while refused_lines := import_batches.refused(ident, after, limit=imports.AT_ONCE):
        wanted, after = dict(refused_lines), refused_lines[-1][0]
        out = []
        for row in lines:
            if row.number in wanted:
                out.append([row.number, *map(harmless, [" ".join(wanted[row.number]), *row.cells])])
            if row.number >= after:
                break
        yield _csv(out)


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")
