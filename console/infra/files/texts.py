"""What was read of documents, kept so that it is read once: below the data folder, under the key of whom the documents are about.

A reading is found by the subject, the bytes it was made of and how they were read. Erasing a subject takes the readings away with the key; one that
nobody asks for any more goes after some weeks. Losing one costs only the time to read it again, so no backup holds them.
"""

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from console.core.errors import Invalid
from console.core.papers.pages import Line, Read, Word
from console.infra import settings, subjects
from console.infra.files import file_store, page_pictures, text_recognition

FOLDER = "texts"
VERSION = 1
"""Grows with each change of how files are read, so that they are read again."""

UNASKED_S = 30 * 24 * 3600.0


def pages(
    subject: str | None, content: bytes, media_type: str, *, recognise: bool, until: float | None = None
) -> tuple[list[Read], bool]:
    """(the pages of a file with their lines, whether they were kept from before). A file that cannot be read is one page that says why.

    Raises TooMany while others are read.
    """
    digest = hashlib.sha256(content).hexdigest()
    if (known := kept_pages(subject, digest, recognise=recognise)) is not None:
        return known, True
    try:
        made = text_recognition.read(content, media_type, recognise=recognise, until=until)
    except Invalid as error:
        made = [Read(1, why=error.message)]
    if subject and not any(page.why == text_recognition.NO_TIME for page in made):
        _keep(subject, digest, recognise, made)
    return made, False


def kept_pages(subject: str | None, digest: str, *, recognise: bool) -> list[Read] | None:
    """The pages read earlier from the bytes with this SHA-256, None if they were not read; pages with recognised text serve for both."""
    for how in _ways(recognise):
        place = _place(subject, digest, how) if subject else None
        if place is None or not place.is_file():
            continue
        try:
            opened = subjects.unlock(subject or "", f"text|{place.name}", place.read_bytes())
        except (OSError, subjects.Unreadable):
            return None
        place.touch()
        return [_read(page) for page in orjson.loads(opened)]
    return None


def _ways(recognise: bool) -> Sequence[str]:
    recognised = "+".join(page_pictures.languages()) or "none"
    return (recognised,) if recognise else ("", recognised)


def _keep(subject: str, digest: str, recognise: bool, made: Sequence[Read]) -> None:
    place = _place(subject, digest, _ways(recognise)[0])
    try:
        file_store.write(
            place,
            subjects.lock(subject, f"text|{place.name}", orjson.dumps([_page_json(page) for page in made])),
        )
    except subjects.Unreadable:  # erased meanwhile
        return


def _page_json(page: Read) -> dict[str, Any]:
    lines = [[line.text, line.box, [[word.text, word.box] for word in line.words]] for line in page.lines]
    return {
        "number": page.number,
        "lines": lines,
        "origin": page.origin,
        "why": page.why,
        "zones": page.zones,
    }


def _read(page: dict[str, Any]) -> Read:
    lines = tuple(
        Line(text, tuple(box), tuple(Word(word, tuple(at)) for word, at in words))
        for text, box, words in page.pop("lines")
    )
    zones = tuple(tuple(zone) for zone in page.pop("zones"))
    return Read(lines=lines, zones=zones, **page)


def _folder(subject: str) -> Path:
    return settings.current().data_dir / FOLDER / hashlib.sha256(f"texts|{subject}".encode()).hexdigest()[:40]


def _place(subject: str, digest: str, how: str) -> Path:
    return _folder(subject) / hashlib.sha256(f"{subject}|{digest}|{VERSION}|{how}".encode()).hexdigest()


def forget(subject: str) -> None:
    """Delete what was read of the documents of a subject that was erased."""
    shutil.rmtree(_folder(subject), ignore_errors=True)


def sweep() -> int:
    """Delete what nobody has asked for in a month; how many readings went."""
    base, gone = settings.current().data_dir / FOLDER, 0
    for folder in sorted(base.iterdir()) if base.is_dir() else ():
        for file in [file for file in folder.iterdir() if file.stat().st_mtime < time.time() - UNASKED_S]:
            file.unlink(missing_ok=True)
            gone += 1
        if not any(folder.iterdir()):
            folder.rmdir()
    return gone
