"""The other ways in which a text can be read: letters set apart, escapes and marks of a page, encoded blocks. What is found in one of them stands in the text too.

Source: docs/explanation/what-a-model-gets.md.
"""

import base64
import contextlib
import html
import re
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

DEEPEST = 2  # how often something may be encoded
Spans = list[tuple[int, int]]

_APART = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,300}")
_ESCAPED = re.compile(
    r"&(?:#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{2,8});|(?:%[0-9a-f]{2})+|(?:=[0-9A-F]{2})+|(?:\\x[0-9a-f]{2})+|\\u[0-9a-f]{4}|</?[a-z][^<>]{0,200}>|[*`~]{1,3}|=\r?\n",
    re.IGNORECASE,
)
_HEX = re.compile(
    r"(?<![A-Za-z0-9])(?:0x|\\x)?[0-9a-f]{2}(?:[ :,\-]{0,2}(?:0x|\\x)?[0-9a-f]{2}){3,10000}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_LINES = re.compile(
    r"(?<![A-Za-z0-9+/_\-])(?:[A-Za-z0-9+/]{60,76}\r?\n){0,200}[A-Za-z0-9+/_\-]{7,20000}={0,6}(?![A-Za-z0-9+/_\-=])"
)
_STANDARD = str.maketrans("-_", "+/")


class Reading(NamedTuple):
    """A text read in another way; `places`: for each of its signs where that begins and ends in the text. `block`: it stands for the text as a whole."""

    text: str
    places: Sequence[tuple[int, int]]
    block: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where this stretch of the reading begins and ends in the text."""
        return self.places[start][0], self.places[end - 1][1]


def every(text: str, deep: int = DEEPEST) -> Iterator[Reading]:
    """All readings of the text, those of readings too."""
    for reading in _direct(text):
        yield reading
        for inner in every(reading.text, deep - 1) if deep > 1 else ():
            places = [reading.span(start, max(end, start + 1)) for start, end in inner.places]
            yield Reading(inner.text, places, reading.block or inner.block)


def _direct(text: str) -> Iterator[Reading]:
    for pattern, read in ((_APART, _together), (_ESCAPED, _unescaped)):
        reading = _replaced(text, pattern, read)
        if reading.text != text:
            yield reading
    for pattern, decoders in ((_LINES, (_of_hex, _of_base64)), (_HEX, (_of_hex,))):
        for match in pattern.finditer(text):
            ordinary = match[0].isalpha() and match[0][1:].islower()
            inside = "" if ordinary else _first_text(match[0], decoders)
            if inside:
                yield Reading(inside, [match.span()] * len(inside), block=True)


def _replaced(text: str, pattern: re.Pattern[str], read: Callable[[str], str]) -> Reading:
    """The text with each match read in this way, and the places of its signs."""
    written, places, at = list[str](), Spans(), 0
    for match in pattern.finditer(text):
        instead = read(match[0])
        if instead != match[0]:
            written += [text[at : match.start()], instead]
            places += ((place, place + 1) for place in range(at, match.start()))
            places += [match.span()] * len(instead)
            at = match.end()
    places += ((place, place + 1) for place in range(at, len(text)))
    return Reading("".join([*written, text[at:]]), places)


def _together(letters: str) -> str:
    """Letters that stand each for itself as words; where they stand wider than most, one ends."""
    between = re.findall(r"[\W_]+", letters)
    usual = Counter(map(len, between)).most_common(1)[0][0]
    signs = zip(re.findall(r"[^\W_]", letters), [*between, ""], strict=True)
    return "".join(sign + (" " if len(gap) > usual else "") for sign, gap in signs)


def _unescaped(escape: str) -> str:
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[:2].lower() == "\\u":
        return chr(int(escape[2:6], base=16))
    if escape[0] not in "%=\\" or not escape.strip("=\r\n"):
        return ""
    with contextlib.suppress(ValueError):
        return urllib.parse.unquote(re.sub(r"=|\\x", "%", escape, flags=re.IGNORECASE), errors="strict")
    return escape


def decoded(word: str) -> str:
    """The text that hexadecimal digits or base64 stand for; empty where they are no text."""
    return _first_text(word, (_of_hex, _of_base64))


def _first_text(block: str, decoders: Sequence[Callable[[str], bytes]]) -> str:
    for decode in decoders:
        with contextlib.suppress(ValueError):  # binascii.Error and UnicodeDecodeError are two
            text = decode(block).decode()
            if text and all(sign.isprintable() or sign in "\r\n\t" for sign in text):
                return text
    return ""


def _of_hex(block: str) -> bytes:
    return bytes.fromhex(re.sub(r"0x|\\x|[:,\-]", "", block, flags=re.IGNORECASE))


def _of_base64(block: str) -> bytes:
    plain = "".join(block.split()).rstrip("=").translate(_STANDARD)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
