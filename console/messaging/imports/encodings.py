"""In which encoding a table of contacts seems to be, and what the encodings are called. It is a guess: whoever sends the file sees it and may choose.

Each older encoding makes other letters of the same bytes. The one is taken in which they look most like the words of one language: which letters it has beyond ASCII, how often,
next to which others, in capitals or not. That is told for a table of a hundred names, where what guesses by whole sentences takes Polish for French.
"""

import codecs
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

ENCODINGS: Mapping[str, str] = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp874": "Windows-874 (Thai)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 without a mark, little-endian",
    "utf-16-be": "UTF-16 without a mark, big-endian",
    "cp932": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "cp950": "Big5 (Chinese)",
    "cp949": "EUC-KR (Korean)",
    "mac_roman": "Macintosh (Western European)",
    "mac_latin2": "Macintosh (Central European)",
    "mac_cyrillic": "Macintosh (Cyrillic)",
    "cp850": "MS-DOS 850 (Western European)",
    "cp852": "MS-DOS 852 (Central European)",
    "cp866": "MS-DOS 866 (Cyrillic)",
    "iso8859_2": "ISO 8859-2 (Central European)",
    "koi8_u": "KOI8 (Cyrillic)",
}
"""Encodings that a file may have, as Python names them, with what people read."""
_WEST, _MIDDLE, _CYRILLIC = (
    ("cp1252", "mac_roman", "cp850"),
    ("cp1250", "iso8859_2", "mac_latin2", "cp852"),
    ("cp1251", "mac_cyrillic", "cp866", "koi8_u"),
)
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_LATIN: tuple[tuple[tuple[str, ...], str], ...] = (
    (_WEST, "üäöß"),
    (_WEST, "éèçêàëîôïûâùœæ"),
    (_WEST, "áéíóñúü"),
    (_WEST, "àèìòùé"),
    (_WEST, "ãçáéíõóêâúôà"),
    (_WEST, "äöåé"),
    (_WEST, "øåæéö"),
    (_WEST, "ëéïüöáó"),
    (_WEST, "áóíðéöúþýæ"),
    (_WEST, "éèàíòóçúïü"),
    (_WEST, "ëç"),
    (_WEST[:1], "äõüöšž"),
    (_MIDDLE, "łóńśążęźć"),
    (_MIDDLE, "áíéřčšžýěůúňťďó"),
    (_MIDDLE, "áíčšžúýéľťôňäďóĺŕ"),
    (_MIDDLE, "áéóöőüíúű"),
    (_MIDDLE, "ăşîţâ"),
    (_MIDDLE, "ćčšžđ"),
    (_MIDDLE, "čšž"),
    (("cp1257",), "ėšžūčųįąę"),
    (("cp1257",), "āīņšēļčžūģķ"),
    (("cp1257",), "äõüöšž"),
    (("cp1254",), "ışğçüöâ"),
)
"""Encodings, with the letters beyond ASCII of a language that is written in them, the most frequent in names first."""
_OTHER: tuple[tuple[tuple[str, ...], str], ...] = (
    (_CYRILLIC, _RUSSIAN + "ё"),
    (_CYRILLIC, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    (_CYRILLIC[:2], "абвгдђежзијклљмнњопрстћуфхцчџш"),
    (("cp1251",), "абвгдеёжзійклмнопрстуўфхцчшыьэюя"),
    (("cp1253",), "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
    (("cp1255",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    (("cp1256",), "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىپچژگ"),
    (("cp874",), "".join(map(chr, [*range(0xE01, 0xE3B), *range(0xE40, 0xE4F)]))),
)
"""The same of languages that are written in letters of their own."""
_COMMON = {
    "cp932": ("shift_jis", range(0x88, 0x98)),
    "euc_jp": ("euc_jp", range(0xB0, 0xD0)),
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "cp950": ("big5", range(0xA4, 0xC7)),
    "cp949": ("euc_kr", range(0xB0, 0xC9)),
}
"""Encodings with two bytes for a letter → the older standard inside, and the first bytes of the letters that are frequent there."""
OLDER = (
    "cp1252",
    *dict.fromkeys(name for names, _ in (*_LATIN, *_OTHER) for name in names if name != "cp1252"),
    *_COMMON,
)
"""Encodings that a spreadsheet writes where it does not write Unicode; of those that fit as well as each other the first one."""
LATIN = frozenset(name for names, _ in _LATIN for name in names)
"""Encodings of Latin letters with a byte for each: hardly any line in one of them is valid UTF-8 by chance."""
_RARE = frozenset({*_WEST[1:], *_MIDDLE[1:], *_CYRILLIC[1:], "euc_jp"})
_QUOTES = frozenset("“”‘’„«»–—\N{NO-BREAK SPACE}®™°·")
_HALF_WIDTH = range(0xFF61, 0xFFA0)
_KANA = range(0x3041, 0x30FF)
_USUAL, _RARER, _MARK, _FOREIGN, _WRONG, _NO_TEXT = 1.0, -3.0, -5.0, -6.5, -9.0, -8.0
"""Natural logarithms of how likely it is: the most frequent encoding, a rare one; a quotation mark or dash; a letter of another language; a sign in a word; the average of what is no text."""
LOOKED_AT = 64 << 10
WORDS, MOST_LETTERS = 2_000, 40
MOST_BEYOND = 12_000
"""Bytes beyond ASCII that are looked at: as many as tell, in time that does not depend on who has made the file."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
_BEYOND = re.compile(rb"[\x80-\xff]")


def guess(first: bytes, *, utf8: bool) -> str | None:
    """The encoding of a file that begins like this, one of ENCODINGS; None where it is no text. `utf8`: the whole file is valid UTF-8."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = first[:LOOKED_AT]
    if sample.count(0) * 4 > len(sample):  # every other byte of Latin letters is 0
        return "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
    return "utf-8-sig" if utf8 else _older(sample)


def _older(sample: bytes) -> str | None:
    """The older encoding in which the letters look most like a language. A few bytes that are nothing there are damage: their lines are left out later."""
    beyond = [found.start() for found in _BEYOND.finditer(sample)]
    if len(beyond) > MOST_BEYOND:
        del beyond[MOST_BEYOND:]
        sample = sample[: beyond[-1]]
    words = Counter(word for word in _WORD.findall(sample) if not word.isascii()).most_common(WORDS)
    likely = {name: _likely(name, words) for name in OLDER if name not in _COMMON}
    likely |= {name: _likely_of_pairs(name, sample.rpartition(b"\n")[0] or sample) for name in _COMMON}
    best = max(
        OLDER,
        key=lambda name: likely[name] + (_RARER if name in _RARE else _USUAL if name == OLDER[0] else 0.0),
    )
    return best if likely[best] >= _NO_TEXT * len(beyond) else None


def _likely(name: str, words: Iterable[tuple[bytes, int]]) -> float:
    """How likely it is that somebody has written these words, as a natural logarithm: in the language of the encoding that fits best."""
    decoded = [(word.decode(name, errors="replace"), times) for word, times in words]
    known = "".join(letters for names, letters in (*_LATIN, *_OTHER) if name in names)
    union = frozenset(known + known.upper())
    found = [_in_latin(decoded, _ranks(letters), union) for names, letters in _LATIN if name in names]
    return max(
        [*found, *(_in_letters_of_its_own(decoded, letters) for names, letters in _OTHER if name in names)]
    )


@lru_cache(maxsize=64)
def _ranks(letters: str) -> Mapping[str, float]:
    """Letter, small and capital → how likely it is in a word: a tenth of the letters are beyond ASCII, each in four steps half as frequent as those before."""
    likely = {letter: math.log(0.1 * 0.25) + rank * math.log(0.84) for rank, letter in enumerate(letters)}
    return likely | {
        ("İ" if letter == "ı" else letter.upper()): value for letter, value in likely.items() if letter != "ß"
    }


def _in_latin(words: Iterable[tuple[str, int]], ranks: Mapping[str, float], union: frozenset[str]) -> float:
    total = 0.0
    for word, times in words:
        value, before = 0.0, ""
        for letter in word:
            if letter > "\x7f":
                value += ranks.get(letter) or (
                    _FOREIGN if letter in union else _MARK if letter in _QUOTES else _WRONG
                )
                value += _oddly(letter, before) - 1.5 * (before > "\x7f")
            before = letter
        total += value * times
    return total


def _in_letters_of_its_own(words: Iterable[tuple[str, int]], letters: str) -> float:
    own, each, total = frozenset(letters + letters.upper()), -math.log(min(len(letters), MOST_LETTERS)), 0.0
    for word, times in words:
        value, before = 0.0, ""
        for letter in word:
            if letter > "\x7f":
                value += each if letter in own else _MARK if letter in _QUOTES else _WRONG
            if before and (letter > "\x7f") != (before > "\x7f"):
                value += -4.0
            value += _oddly(letter, before)
            before = letter
        total += value * times
    return total


def _oddly(letter: str, before: str) -> float:
    """A capital that follows a small letter."""
    return -4.0 if letter > "\x7f" and letter.isupper() and before.islower() else 0.0


def _likely_of_pairs(name: str, sample: bytes) -> float:
    """The same of an encoding with two bytes for a letter: it has thousands, of which half are frequent."""
    inside, frequent = _COMMON[name]
    total = 0.0
    for letter, times in Counter(sample.decode(name, errors="replace")).items():
        if letter <= "\x7f":
            continue
        code = ord(letter)
        first = letter.encode(inside, errors="ignore")[:1]
        if letter == "\ufffd" or code in _HALF_WIDTH:
            value = 1.5 * _WRONG
        elif code in _KANA and name in ("cp932", "euc_jp"):
            value = -4.5
        else:
            value = (
                (-6.9 if name == "cp949" else -7.0)
                if first and first[0] in frequent
                else -6.0
                if 0x3000 <= code <= 0x3002 or 0xFF00 <= code < 0xFF61
                else -11.0
            )
        total += value * times
    return total
