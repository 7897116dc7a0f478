"""E-mail addresses, links, bank accounts, payment cards and phone numbers where they stand in a text, and what of a text can be seen."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from console.core.papers import iban

Stretch = TypeVar("Stretch", bound=tuple[Any, ...])
FoundKind = Literal["email", "url", "iban", "card", "phone", "id", "tax", "mrz", "date", "secret"]

EMAIL = re.compile(r"(?<![\w.+%\-])[^\W_][\w.+%'\-]{0,63}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_][\w\-]{1,62}")
_DOT = r"(?:\.|(?-i:\sDOT\s)|\s?[\[({]\s?(?:dot|punkt|point)\s?[\])}]\s?)"
_SAID_EMAIL = re.compile(
    rf"(?<![\w.+%\-])([^\W_](?:[\w+%'\-]|{_DOT}){{0,63}}?)(?:(?-i:\sAT\s)|\s?[\[({{]\s?(?:at|ät|@|arroba)\s?[\])}}]\s?)((?:[\w\-]{{1,63}}{_DOT}){{1,8}}[^\W\d_][\w\-]{{1,62}})",
    re.IGNORECASE,
)
"""An address as it is written to be hidden from programs: `anna [at] example (dot) com`."""
URL = re.compile(r"(?:https?|ftp|javascript|data|file)\s?:\s?/{0,2}[^\s<>\"'`\])}]{2,2000}", re.IGNORECASE)
DOMAINS = (
    "com|net|org|info|biz|io|ai|app|dev|co|eu|de|at|ch|fr|es|it|pl|lt|lv|ee|nl|be|uk|ie|pt|se|dk|fi|no|cz|sk|ru|ua|us|ca|cn|xyz|top|site|online|shop|"
    "link|click|live|me|tk|ml|cc|tv|ly|gle|test|example|invalid"
)
BARE = re.compile(
    rf"(?<![\w@.\-/])(?:[a-z0-9](?:[a-z0-9\-]{{0,61}}[a-z0-9])?\.){{1,8}}(?:{DOMAINS})(?![\w\-])(?:[/?#][^\s<>\"'\])}}]{{0,2000}})?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?<![\w.,/-])(?:https?://)?(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?/[^\s<>]{1,2000}", re.ASCII
)
_APART = r"[\s\u00a0\u2000-\u200a\u202f.\-–—_/·|*`]{0,3}"
_IBAN = re.compile(
    rf"(?<![A-Za-z0-9])[A-Z]{_APART}[A-Z]{_APART}\d{_APART}\d(?:{_APART}[A-Z0-9]){{11,30}}",
    re.IGNORECASE | re.ASCII,
)
_GAP = r"[\s\u00a0\u2000-\u200a\u202f.\-–—_/·|*`]{1,3}"
_CARD = re.compile(
    rf"(?<![\w.,\-])(?:[2-6]\d{{12,18}}|[2-6]\d{{3}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,3}})?|[2-6]\d{{3}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}|[2-6](?:{_GAP}\d){{12,18}}"
    r"|[2-6]\d{3}(?:[ \-\u00a0]?\d){9,15})(?!\w)",
    re.ASCII,
)
_PHONE = re.compile(
    r"(?<![\w.,/\-+])(?:\+|00)\d(?:[ \u00a0().\-/]{0,3}\d){2,7}[ \t]?\n[ \t]?\d(?:[ \u00a0().\-/]{0,3}\d){3,9}(?![\d])"
    r"|(?<![\w.,/\-+])(?:\+|00)\d(?:[ \u00a0().\-/]{0,3}\d){6,14}(?![\d])"
    r"|(?<![\w.,/\-+])\(?0\d{1,5}\)?(?:[ \u00a0.\-/]{1,3}\d{2,8}){1,4}(?![\w.\-/]\d)"
    r"|(?<![\w.,/\-+])0\d{8,11}(?!\w)"
    r"|(?<![\w.,/\-+])\(\d{2,5}\)[ \u00a0\-]?\d{2,4}[ \u00a0\-]?\d{2,8}(?!\w)"
    r"|(?<![\w.,/\-+])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w\-])",
    re.ASCII,
)
_DIGITS = re.compile(r"[+(0-9][0-9 \t\n\u00a0().\-/]{6,60}", re.ASCII)
_MANY_DIGITS = re.compile(rf"\d(?:{_APART}\d){{12}}", re.ASCII)
_SOME_DIGITS = re.compile(r"\d(?:[^\d]{0,6}\d){9}", re.ASCII)
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WITHIN_WORDS = re.compile(
    "(?<=[A-Za-z0-9])[\u200c\u200d\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f]+(?=[A-Za-z0-9]|$|[^\\w])"
)
"""Marks that join or cover letters where nothing is to be joined."""
SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")


class Found(NamedTuple):
    """A stretch of a text and what it is."""

    start: int
    end: int
    kind: FoundKind
    text: str


def visible(text: str) -> str:
    """A text as a person sees it: composed characters, without marks that change direction or take no room, and without halves of characters."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", SURROGATE.sub("\ufffd", text))
    return _CONTROL.sub(" ", _WITHIN_WORDS.sub("", INVISIBLE.sub("", text)))


def readable(text: str) -> str:
    """The text sign by sign with plain letters and digits in place of those that only look different: full width, circled, Arabic digits. As long as it was."""
    return text if text.isascii() else "".join(_plain(sign) for sign in text)


@functools.lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if (digit := unicodedata.digit(sign, None)) is not None:
        return str(digit)
    if (kind := unicodedata.category(sign)) in {"Zs", "Pd"}:
        return " " if kind == "Zs" else "-"
    normal = unicodedata.normalize("NFKC", sign)
    return (
        normal if len(normal) == 1 and normal.isascii() and (normal.isalnum() or normal in "<+-@./") else sign
    )


def compact(text: str) -> str:
    """Letters and digits alone, in small letters: how numbers are compared that people write with blanks, points and hyphens."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses in small letters, also those written `anna (at) example (dot) com`."""
    if "@" in text:
        yield from (
            Found(match.start(), match.end(), "email", match[0].casefold()) for match in EMAIL.finditer(text)
        )
    for match in _SAID_EMAIL.finditer(text):
        plain = re.sub(_DOT, ".", f"{match[1]}@{match[2]}", flags=re.IGNORECASE)
        yield Found(match.start(), match.end(), "email", plain.casefold())


def links(text: str) -> Iterator[Found]:
    """Web addresses with or without https://, in the form of `link`."""
    stretches: list[Found] = []
    for pattern in (URL, _ADDRESS, BARE):
        for match in pattern.finditer(text):
            end = match.start() + len(match[0].rstrip(".,;:!?…*_"))
            end += "(" in text[match.start() : end] and text[end : end + 1] == ")"
            stretches.append(Found(match.start(), end, "url", text[match.start() : end]))
    for stretch in apart(stretches):
        yield stretch._replace(text=link(stretch.text))


def link(text: str) -> str:
    """A web address as it is compared: host in small letters, no slash at the end, blanks of an obscured one left out."""
    text = re.sub(r"\s", "", text)
    try:
        parts = urlsplit(text)
        host = (parts.netloc or "").lower()
    except ValueError:
        return text.lower()
    if not host:
        head, slash, rest = text.partition("/")
        return (head.lower() + slash + rest).rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.scheme.lower()}://{host}{parts.path.rstrip('/')}{query}{fragment}"


def accounts(text: str) -> Iterator[Found]:
    """Bank accounts whose check digits hold, however they are broken up."""
    if _SOME_DIGITS.search(text) is None:
        return
    at = 0
    while (match := _IBAN.search(text, at)) is not None:
        account = _account(text, match.start(), match.end())
        at = account.end if account else match.start() + 2
        if account:
            yield account


def _account(text: str, start: int, end: int) -> Found | None:
    """The account that begins here: a word that follows it is no part of it."""
    signs = [place for place in range(start, end) if text[place].isalnum()]
    length = iban.length_of(text[signs[0]].upper() + text[signs[1]].upper())
    if length is None or length > len(signs):
        return None
    stop = signs[length - 1] + 1
    whole = stop >= len(text) or not text[stop].isalnum()
    return (
        Found(start, stop, "iban", compact(text[start:stop]))
        if whole and iban.holds(text[start:stop])
        else None
    )


def cards(text: str) -> Iterator[Found]:
    """Numbers of payment cards: 13 to 19 digits of which the last checks the others (ISO/IEC 7812, Luhn)."""
    if _MANY_DIGITS.search(text) is None:
        return
    from stdnum import luhn

    for match in _CARD.finditer(text):
        places = [place for place in range(match.start(), match.end()) if text[place].isdigit()]
        for length in dict.fromkeys((len(places), 16, 15, 14, 13, 19)):
            digits = "".join(text[place] for place in places[:length])
            end = places[length - 1] + 1 if length <= len(places) else 0
            if (
                13 <= length <= min(19, len(places))
                and not text[end : end + 1].isdigit()
                and luhn.is_valid(digits)
            ):
                yield Found(match.start(), end, "card", digits)
                break


def phones(text: str) -> Iterator[Found]:
    """Phone numbers: with a country code, a leading zero and groups, or brackets. Dates and amounts are not."""
    at = 0
    for run in _DIGITS.finditer(text):
        while (
            run.end() > at
            and (match := _PHONE.search(text, max(at, run.start()), min(len(text), run.end() + 2)))
            is not None
        ):
            at, digits = match.end(), compact(match[0])
            if 7 <= len(digits) <= 15 and not re.fullmatch(r"\d\d[./-]\d\d[./-]\d{2,4}", match[0]):
                yield Found(match.start(), match.end(), "phone", digits)


def personal(text: str) -> list[Found]:
    """E-mails, accounts, cards and phone numbers in order; what lies within another is left out."""
    return apart([*emails(text), *accounts(text), *cards(text), *phones(text)])


def apart(stretches: Sequence[Stretch]) -> list[Stretch]:
    """These stretches in the order of the text, without those that share a letter with one named before them."""
    taken = bytearray(max((stretch[1] for stretch in stretches), default=0))
    kept = []
    for stretch in stretches:
        if not any(taken[stretch[0] : stretch[1]]):
            taken[stretch[0] : stretch[1]] = b"\x01" * (stretch[1] - stretch[0])
            kept.append(stretch)
    return sorted(kept, key=lambda stretch: stretch[0])
