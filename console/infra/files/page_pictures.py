"""Files of others are opened by a process of their own (`drawing_process.py`), which may fall over, run for ever or eat memory without harm to us."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.core.errors import Invalid, TooMany
from console.infra.files.confined_process import Busy, Confined

SECONDS = 15.0
TOO_MUCH = "The file is too much to open: it took too long, or broke off. Make a new one, simpler or in parts, and send that."

MOST_COUNTED = 2_000
_counted: dict[tuple[bytes, str], int] = {}
"""Hash of a file and media type → its pages."""

_draw = Confined(
    Path(__file__).with_name("drawing_process.py"), memory=1 << 30, cpu_s=20, seconds=SECONDS, at_once=2
)


def pages(content: bytes, media_type: str) -> int:
    """How many pages the file has; a picture has one. Raises Invalid with a sentence for who sent it, TooMany while others are opened.

    What was counted is kept by the hash of the bytes: a process of its own costs half a second, and the page beside a step asks at every view.
    """
    known = (hashlib.sha256(content).digest(), media_type)
    if (counted := _counted.get(known)) is not None:
        return counted
    about = json.loads(_ask_child({"what": "about", "kind": media_type}, content))
    if "wrong" in about:
        raise Invalid(str(about["wrong"]), code="file_refused")
    if len(_counted) >= MOST_COUNTED:
        _counted.clear()
    _counted[known] = int(about["pages"])
    return _counted[known]


def page(content: bytes, media_type: str, number: int, width: int, turn: int = 0) -> bytes:
    """Page `number` (from 1) as a PNG `width` pixels wide, turned clockwise by `turn` degrees (0, 90, 180, 270)."""
    order = {"what": "page", "kind": media_type, "page": number, "width": width, "turn": turn}
    return _ask_child(order, content, picture=True)


def words(content: bytes, media_type: str, most_pages: int) -> dict[str, Any]:
    """`{"of", "pages"}`: how many pages the file has, and the words of the first of them with their places, as `draw.words` has them."""
    words_found: dict[str, Any] = json.loads(
        _ask_child({"what": "words", "kind": media_type, "most_pages": most_pages}, content)
    )
    if "wrong" in words_found:
        raise Invalid(str(words_found["wrong"]), code="file_refused")
    return words_found


def for_reading(
    content: bytes, media_type: str, number: int, width: int, part: Sequence[float] | None = None
) -> bytes:
    """Page `number`, or a `part` of it, as a PNG to be read by a machine: so wide, where need be enlarged."""
    order = {
        "what": "page",
        "kind": media_type,
        "page": number,
        "width": width,
        "turn": 0,
        "enlarged": True,
        "part": part,
    }
    return _ask_child(order, content, picture=True)


def recognised(picture: bytes, options: Sequence[str]) -> str | None:
    """What Tesseract answers to these options for a picture that `for_reading` has drawn; None where it is not installed, or gives up."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    given = {name: os.environ[name] for name in ("TESSDATA_PREFIX",) if name in os.environ}
    order = {"what": "recognise", "program": program, "options": list(options), "environment": given}
    try:
        return _answered(order, picture).decode("utf-8", "replace")
    except Invalid:
        return None


@functools.cache
def languages() -> tuple[str, ...]:
    """The languages that Tesseract can read here, English first; none where it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    listed = subprocess.run(
        [program, "--list-langs"], capture_output=True, text=True, timeout=SECONDS, check=False
    ).stdout
    found = [line.strip() for line in listed.splitlines()[1:] if line.strip().isalpha()]
    return tuple(sorted((name for name in found if name != "osd"), key=lambda name: (name != "eng", name)))


def _ask_child(question: dict[str, Any], content: bytes, *, picture: bool = False) -> bytes:
    answer = _answered(question, content)
    if picture and answer[:1] != b"p":
        raise Invalid(str(json.loads(answer[1:])["wrong"]), code="file_refused")
    return answer[1:]


def _answered(question: dict[str, Any], content: bytes) -> bytes:
    try:
        answer = _draw.ask(content, [json.dumps(question)])
    except Busy:
        raise TooMany("Other files are being opened. Try again in a moment.", retry_after=5) from None
    except TimeoutError:
        answer = b""
    if not answer:
        raise Invalid(TOO_MUCH, code="file_refused")
    return answer
