"""Files of others are opened by a process of their own (`draw.py`), which may fall over, run for ever or eat memory without harm to us."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from console.errors import Invalid, TooMany

SECONDS = 15.0
AT_ONCE = 2
WAIT_S = 10.0
TOO_MUCH = "The file is too much to open: it took too long, or broke off. Make it anew, simpler or in parts, and send that."

_places = threading.BoundedSemaphore(AT_ONCE)
_CHILD = Path(__file__).with_name("draw.py")


def pages(content: bytes, media_type: str) -> int:
    """How many pages the file has; a picture has one. Raises Invalid with a sentence for who sent it, TooMany while others are opened."""
    told = json.loads(_asked({"what": "about", "kind": media_type}, content))
    if "wrong" in told:
        raise Invalid(str(told["wrong"]), code="file_refused")
    return int(told["pages"])


def page(content: bytes, media_type: str, number: int, width: int, turn: int = 0) -> bytes:
    """Page `number` (from 1) as a PNG `width` pixels wide, turned clockwise by `turn` degrees (0, 90, 180, 270)."""
    asked = {"what": "page", "kind": media_type, "page": number, "width": width, "turn": turn}
    return _asked(asked, content, picture=True)


def _asked(question: dict[str, Any], content: bytes, *, picture: bool = False) -> bytes:
    if not _places.acquire(timeout=WAIT_S):
        raise TooMany("Other files are being opened. Try again in a moment.", retry_after=5)
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD), json.dumps(question)],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Invalid(TOO_MUCH, code="file_refused") from None
    finally:
        _places.release()
    if done.returncode or not done.stdout:
        raise Invalid(TOO_MUCH, code="file_refused")
    if picture and done.stdout[:1] != b"p":
        raise Invalid(str(json.loads(done.stdout[1:])["wrong"]), code="file_refused")
    return done.stdout[1:]
