"""The other ways in which a text can be read: digits written as words, letters set apart, encoded blocks. What is found in one of them stands in the text too.

Source: docs/explanation/what-a-model-gets.md.
"""

import base64
import contextlib
import html
import re
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

LONGEST_WORD = 100
DEEPEST = 2  # how often something may be encoded
Spans = list[tuple[int, int]]

_APART = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,300}")
_ESCAPED = re.compile(
    r"&(?:#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{2,8});|(?:%[0-9a-f]{2})+|(?:=[0-9A-F]{2})+|(?:\\x[0-9a-f]{2})+|\\u[0-9a-f]{4}|</?[a-z][^<>]{0,200}>|[*`~]{1,3}|=\r?\n",
    re.IGNORECASE,
)
_DISGUISED = re.compile(
    r"(?<![^\s,;:=])[^\s,;:=013457$!|@\x80-\U0010ffff]*+[013457$!|@\x80-\U0010ffff][^\s,;:=]*"
)
_LEET = str.maketrans("013457$!|", "oieastsil")
_HEX = re.compile(
    r"(?<![A-Za-z0-9])(?:0x|\\x)?[0-9a-f]{2}(?:[ :,\-]{0,2}(?:0x|\\x)?[0-9a-f]{2}){3,10000}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_CODES = re.compile(
    r"(?<![\w.])(?:[01]{8}(?: ?[01]{8}){3,10000}|\d{2,3}(?:[ ,;]{1,2}\d{2,3}){3,10000})(?!\w)", re.ASCII
)
_LINES = re.compile(
    r"(?<![A-Za-z0-9+/_\-])(?:[A-Za-z0-9+/]{60,76}\r?\n){0,200}[A-Za-z0-9+/_\-]{7,20000}={0,6}(?![A-Za-z0-9+/_\-=])"
)
_WORD = re.compile(r"(?<![!-~])(?=[A-Za-z0-9.,:\-]*[^\sA-Za-z0-9.,:\-])[!-~]{10,5000}(?![!-~])")
_STANDARD = str.maketrans("-_", "+/")
_DIGITS = {
    word: str(digit)
    for digit, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
} | {"oh": "0"}
_TIMES = {"double": 2, "triple": 3}
_DIGIT = rf"(?:(?:double|triple)[ \-])?(?:{'|'.join(_DIGITS)})"
_SPOKEN = re.compile(
    rf"(?<![^\W_]){_DIGIT}(?:[\s,.;/\-–]{{1,3}}(?:{_DIGIT}|\d)(?![^\W_])){{3,60}}", re.IGNORECASE
)
"""A number of which somebody wrote each digit as an English word: four digits in a row and more."""


class Reading(NamedTuple):
    """A text read in another way; `places`: for each of its signs where that begins and ends in the text. `block`: it stands for the text as a whole."""

    text: str
    places: Sequence[tuple[int, int]]
    kind: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where this stretch of the reading begins and ends in the text."""
        return self.places[start][0], self.places[end - 1][1]


def every(text: str, deep: int = DEEPEST) -> Iterator[Reading]:
    """All readings of the text, those of readings too."""
    for reading in _direct(text):
        yield reading
        for inner in every(reading.text, deep - 1) if deep > 1 else ():
            places = [reading.span(start, max(end, start + 1)) for start, end in inner.places]
            yield Reading(
                inner.text, places, "block" if "block" in (reading.kind, inner.kind) else inner.kind
            )


def _direct(text: str) -> Iterator[Reading]:
    for kind, pattern, read in (
        ("spoken", _SPOKEN, _in_digits),
        ("letters", _APART, _together),
        ("letters", _ESCAPED, _unescaped),
        ("disguised", _DISGUISED, undisguised),
    ):
        reading = _replaced(text, pattern, read)
        if reading[0] != text:
            yield Reading(*reading, kind)
    for start, end, inside in _blocks(text):
        yield Reading(inside, [(start, end)] * len(inside), "block")


def _replaced(text: str, pattern: re.Pattern[str], read: Callable[[str], str]) -> tuple[str, Spans]:
    """The text with each match read in this way, and the places of its signs."""
    written, places, at = list[str](), Spans(), 0
    for match in pattern.finditer(text):
        instead = read(match[0])
        if instead != match[0]:
            even = len(instead) == len(match[0])
            written += [text[at : match.start()], instead]
            places += ((place, place + 1) for place in range(at, match.start()))
            places += (
                ((place, place + 1) for place in range(*match.span()))
                if even
                else [match.span()] * len(instead)
            )
            at = match.end()
    if not at:
        return text, places
    places += ((place, place + 1) for place in range(at, len(text)))
    return "".join([*written, text[at:]]), places


def _in_digits(words: str) -> str:
    """Digits in the place of their words."""
    said = re.findall(rf"(double|triple)?[ \-]?({'|'.join(_DIGITS)}|\d)", words.casefold())
    return "".join(_DIGITS.get(word, word) * _TIMES.get(times, 1) for times, word in said)


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


def undisguised(word: str) -> str:
    """A word without accents, and with letters for the digits and signs that look like them."""
    plain = word if word.isascii() else "".join(unicodedata.normalize("NFKD", sign)[0] for sign in word)
    if len(plain) > LONGEST_WORD or sum(sign.isalpha() for sign in plain) * 3 <= len(plain):
        return plain
    return plain.translate(_LEET if "." in plain.partition("@")[2] else _LEET | {ord("@"): "a"})


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Blocks that stand for text, each with that text."""
    for pattern, decoders in _DECODERS.items():
        for match in pattern.finditer(text):
            ordinary = match[0].isalpha() and match[0][1:].islower()
            if not ordinary and (
                inside := next(filter(None, (_text_of(match[0], decode) for decode in decoders)), "")
            ):
                yield *match.span(), inside


def decoded(word: str) -> str:
    """The text that hexadecimal digits or base64 stand for; empty where they are no text."""
    return _text_of(word, _of_hex) or _text_of(word, _of_base64)


def _text_of(block: str, decode: Callable[[str], bytes]) -> str:
    with contextlib.suppress(ValueError):  # binascii.Error and UnicodeDecodeError are two
        inside = decode(block)
        text = inside.decode("utf-16-le" if inside[1::2].count(0) * 2 == len(inside) else "utf-8")
        return text if all(sign.isprintable() or sign in "\r\n\t" for sign in text) else ""
    return ""


def _of_hex(block: str) -> bytes:
    return bytes.fromhex(re.sub(r"0x|\\x|[:,\-]", "", block, flags=re.IGNORECASE))


def _of_numbers(block: str) -> bytes:
    """Signs by their numbers in two or ten digits of which each is one."""
    if re.fullmatch(r"[01 ]+", block):
        block = " ".join(str(int(eight, 2)) for eight in re.findall("[01]{8}", block))
    return bytes(int(number) for number in re.split(r"[ ,;]+", block))


def _of_base64(block: str) -> bytes:
    plain = "".join(block.split()).rstrip("=").translate(_STANDARD)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _of_base32(block: str) -> bytes:
    plain = "".join(block.split()).rstrip("=").upper()
    return base64.b32decode(plain + "=" * (-len(plain) % 8)) if plain.isalnum() else b""


_DECODERS = {
    _LINES: (_of_hex, _of_base64, _of_base32, lambda block: _of_base64(block[::-1])),
    _HEX: (_of_hex,),
    _CODES: (_of_numbers,),
    _WORD: (base64.b85decode,),
}
