"""In which older encoding a list of contacts was written, told by a few names."""

import random
import time

from babel import Locale

from console.messaging.imports.encodings import guess
from tests.tables import cases

WRITTEN = [
    ("de", "cp1252"),
    ("de", "mac_roman"),
    ("de", "cp850"),
    ("fr", "cp1252"),
    ("fr", "mac_roman"),
    ("es", "cp1252"),
    ("it", "cp1252"),
    ("pt", "cp1252"),
    ("sv", "cp1252"),
    ("sv", "mac_roman"),
    ("da", "cp1252"),
    ("fi", "cp1252"),
    ("nl", "cp1252"),
    ("is", "cp1252"),
    ("pl", "cp1250"),
    ("pl", "iso8859_2"),
    ("pl", "cp852"),
    ("cs", "cp1250"),
    ("sk", "cp1250"),
    ("hu", "cp1250"),
    ("sl", "cp1250"),
    ("hr", "cp1250"),
    ("lt", "cp1257"),
    ("lv", "cp1257"),
    ("et", "cp1257"),
    ("tr", "cp1254"),
    ("ru", "cp1251"),
    ("ru", "koi8_u"),
    ("ru", "cp866"),
    ("ru", "mac_cyrillic"),
    ("uk", "cp1251"),
    ("bg", "cp1251"),
    ("sr", "cp1251"),
    ("el", "cp1253"),
    ("he", "cp1255"),
    ("ar", "cp1256"),
    ("th", "cp874"),
    ("ja", "cp932"),
    ("ja", "euc_jp"),
    ("zh", "gb18030"),
    ("zh_Hant", "cp950"),
    ("ko", "cp949"),
]


@cases(("language", "encoding"), WRITTEN)
def test_a_list_in_any_language_keeps_its_letters(language: str, encoding: str) -> None:
    names = [str(name).encode(encoding, "ignore") for name in Locale.parse(language).territories.values()]
    names = [name for name in names if not name.isascii()]
    lines = [b"%s;p%d@post.example;new" % (name, number) for number, name in enumerate(names[:40])]
    text = b"\n".join([b"Name;E-mail;Stage", *lines])
    found = guess(text, utf8=False)
    assert found is not None
    assert text.decode(found, "replace") == text.decode(encoding), found


@cases(
    "first",
    [
        b"a" * 65_536,
        b"a" * 65_535 + b"\xe9",
        b"\xe9" * 65_536,
        b"a\xe9" * 32_768,
        b"\x8f\xa1" * 32_768,
        (b"a" * 999 + b"1") * 65,
        random.Random(3).randbytes(65_536),
        bytes(byte | 128 for byte in random.Random(3).randbytes(65_536)),
    ],
)
def test_a_look_at_a_file_takes_no_longer_for_who_made_it_to_take_long(first: bytes) -> None:
    usual = ("Jörg Müßig;Straße 5;80331 München;joerg@post.example\n" * 1_300).encode("cp1252")[:65_536]
    took = {}
    for name, each in (("usual", usual), ("made", first)):
        began = time.thread_time()
        guess(each, utf8=False)
        took[name] = time.thread_time() - began
    assert took["made"] < 100 * took["usual"], took
