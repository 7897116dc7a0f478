"""In which encoding a table of contacts seems to be, and what the encodings are called. It is a guess: whoever sends the file sees it and may choose."""

import codecs
from collections.abc import Mapping

ENCODINGS: Mapping[str, str] = {
    "utf-8-sig": "UTF-8", "cp1252": "Windows-1252 (Western European)", "cp1250": "Windows-1250 (Central European)",
    "cp1257": "Windows-1257 (Baltic)", "cp1251": "Windows-1251 (Cyrillic)", "utf-16": "UTF-16", "utf-16-le": "UTF-16 without a mark, little-endian",
    "utf-16-be": "UTF-16 without a mark, big-endian", "shift_jis": "Shift JIS (Japanese)", "gb18030": "GB 18030 (Chinese)",
    "euc_kr": "EUC-KR (Korean)",
}  # fmt: skip
"""Encodings that a file may have, as Python names them, with what people read."""
OLDER = ("cp1252", "cp1250", "cp1257", "cp1251", "shift_jis", "gb18030", "euc_kr")
"""Encodings that a spreadsheet writes where it does not write Unicode; of those that fit as well as each other the first one."""
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
    """The older encoding in which the letters look most like a language."""
    import charset_normalizer  # of those who need it: most files are Unicode

    found = charset_normalizer.from_bytes(sample, cp_isolation=list(OLDER))
    fitting = {name: match for match in found for name in match.could_be_from_charset if name in OLDER}
    if not fitting:
        return None
    return min(OLDER, key=lambda name: (fitting[name].chaos, -fitting[name].coherence) if name in fitting else (1.0, 1.0))
