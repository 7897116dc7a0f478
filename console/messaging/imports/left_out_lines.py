"""The lines of a file of contacts that were left out, as a file that can be mended and sent again."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from console.core.actor import Actor
from console.formats.spreadsheets import escape_formula
from console.messaging.imports import contact_files, import_batches, imports


def refused_file(actor: Actor, ident: str) -> Iterator[bytes]:
    """The refused lines as a CSV file that can be mended and sent again: their line and the reason before what they said. Raises NotFound, NotAllowed."""
    found = import_batches.get(actor, ident)
    lines = contact_files.rows(found.question.file, found.person)
    heading = next(lines).cells
    return _refused_lines(found.id, heading, lines)


def _refused_lines(ident: str, heading: list[str], lines: Iterator[contact_files.Row]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv([["Line", "Why not", *map(escape_formula, heading)]])
    after = 0
    while refused_lines := import_batches.refused(ident, after, limit=imports.AT_ONCE):
        wanted, after = dict(refused_lines), refused_lines[-1][0]
        out = []
        for row in lines:
            if row.number in wanted:
                out.append([row.number, *map(escape_formula, [" ".join(wanted[row.number]), *row.cells])])
            if row.number >= after:
                break
        yield _csv(out)


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")
