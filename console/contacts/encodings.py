"""In which encoding a table of contacts seems to be, and what the encodings are called. It is a guess: whoever sends the file sees it and may choose."""

import codecs
from collections.abc import Mapping

ENCODINGS: Mapping[str, str] = {
    "utf-8-sig": "UTF-8", "cp1252": "Windows-1252 (Western European)", "cp1250": "Windows-1250 (Central European)",
    "cp1257": "Windows-1257 (Baltic)", "cp1251": "Windows-1251 (Cyrillic)", "utf-16": "UTF-16", "utf-16-le": "UTF-16 without a mark, little-endian",
    "utf-16-be": "UTF-16 without a mark, big-endian", "cp932": "Shift JIS (Japanese)", "gb18030": "GB 18030 (Chinese)",
    "cp949": "EUC-KR (Korean)",
}  # fmt: skip
"""Encodings that a file may have, as Python names them, with what people read."""
OLDER = ("cp1252", "cp1250", "cp1257", "cp1251", "cp932", "gb18030", "cp949")
"""Encodings that a spreadsheet writes where it does not write Unicode; of those that fit as well as each other the first one."""
NOWHERE = b"\x81\x8d\x8f\x90\x9d"
"""Bytes that are nothing in Windows-1252."""
LOOKED_AT = 64 << 10


def guess(first: bytes, *, utf8: bool) -> str | None:
    """The encoding of a file that begins like this, one of ENCODINGS; None where it is no text. `utf8`: the whole file is valid UTF-8."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = first[:LOOKED_AT]
    if sample.count(0) * 4 > len(sample):  # every other byte of Latin letters is 0
        return "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
    return "utf-8-sig" if utf8 else _older(sample)


def _older(sample: bytes) -> str | None:
    """The older encoding in which the letters look most like a language. A few bytes that no Western table has are damage: their lines are left out later."""
    import charset_normalizer  # of those who need it: most files are Unicode

    damaged = sum(map(sample.count, NOWHERE)) * 100 < sum(byte > 127 for byte in sample)
    fitting: dict[str, tuple[float, float]] = {}
    for text in (sample, sample.translate(None, NOWHERE)) if damaged else (sample,):
        for match in charset_normalizer.from_bytes(text, cp_isolation=list(OLDER)):
            for name in match.could_be_from_charset:
                fitting[name] = min(fitting.get(name, (1.0, 1.0)), (match.chaos, -match.coherence))
    return min((name for name in OLDER if name in fitting), key=lambda name: fitting[name], default=None)
