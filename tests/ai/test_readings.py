"""A withheld value and a secret are found however somebody wrote them: each way of writing is one line here, tried with values of every kind."""

import base64
import codecs
from collections.abc import Callable

import pytest

from console.ai.prompt import rendered
from console.ai.safety import readings
from console.ai.safety.redaction import redacted
from console.core.proposal_types import Source
from tests.ai.asks import KEY, ask
from tests.tables import cases

VALUES = {
    "name": "Jonas Petrauskas",
    "email": "jonas.p@fern.example",
    "password": "Tr1cky-horse!",
    "code": "KX-99182-B",
}
WAYS: dict[str, Callable[[str], str]] = {
    "blanks": " ".join,
    "points": ".".join,
    "hyphens": "-".join,
    "low lines": "_".join,
    "a line break": lambda v: v[:4] + "\n" + v[4:],
    "no blanks": lambda v: v.replace(" ", ""),
    "in a word": lambda v: f"x{v.replace(' ', '')}y",
    "capitals": str.upper,
    "accents": lambda v: v.replace("a", "á").replace("o", "ö"),
    "digits for letters": lambda v: v.translate(str.maketrans("aose", "4053")),
    "backwards": lambda v: v[::-1],
    "rot13": lambda v: codecs.encode(v, "rot13"),
    "tags": lambda v: "<b>" + "</b><b>".join(v) + "</b>",
    "bold": lambda v: f"**{v[:3]}**{v[3:]}",
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 in an address": lambda v: (
        "https://x.example/?q=" + base64.urlsafe_b64encode(f"user {v}".encode()).decode()
    ),
    "base64 backwards": lambda v: base64.b64encode(v.encode()).decode()[::-1],
    "base64 twice": lambda v: base64.b64encode(base64.b64encode(v.encode())).decode(),
    "base32": lambda v: base64.b32encode(v.encode()).decode(),
    "base85": lambda v: base64.b85encode(v.encode()).decode(),
    "hexadecimal": lambda v: v.encode().hex(),
    "bytes": lambda v: v.encode().hex(" "),
    "0x": lambda v: " ".join(f"0x{b:02x}" for b in v.encode()),
    "numbers": lambda v: " ".join(str(b) for b in v.encode()),
    "bits": lambda v: " ".join(f"{b:08b}" for b in v.encode()),
    "percent": lambda v: "".join(f"%{b:02X}" for b in v.encode()),
    "quoted printable": lambda v: "".join(f"={b:02X}" for b in v.encode()),
    "references": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "byte escapes": lambda v: "".join(f"\\x{b:02x}" for b in v.encode()),
}
WORDS = [
    "legal",
    "winner",
    "thank",
    "year",
    "wave",
    "sausage",
    "worth",
    "useful",
    "legal",
    "winner",
    "thank",
    "yellow",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_withheld_value_is_found_however_it_is_written(way: str) -> None:
    record = Source("s1", "record", "", VALUES, trusted=True, treatments=dict.fromkeys(VALUES, "never"))
    for name, value in VALUES.items():
        written = WAYS[way](value)
        note = Source(
            "s2", "note", "", {"text": f"Please note that {written} , thanks a lot."}, trusted=False
        )
        sent = rendered(ask(sources=(record, note)), KEY).user
        assert "[REMOVED]" in sent, (name, written)
        assert written not in sent, (name, written)


@cases("written", ["J o n a s", "J.o.n.a.s", "J0n4s", "Sm9uYXM=", "&#74;onas", "4a 6f 6e 61 73"])
def test_a_word_of_a_masked_name_is_found_too(written: str) -> None:
    record = Source("s1", "record", "", {"name": VALUES["name"]}, trusted=True, treatments={"name": "masked"})
    note = Source("s2", "note", "", {"text": f"Ask {written} , please."}, trusted=False)
    assert written not in rendered(ask(sources=(record, note)), KEY).user


@cases(
    "text",
    [
        "p@ssw0rd: Hunter2xx",
        "P4SSWORD = Hunter2xx",
        "pa$$word is Hunter2xx",
        "p a s s w o r d : Hunter2xx",
        "pass-word: Hunter2xx",
        "pässwörd: Hunter2xx",
        "pswd: Hunter2xx",
        "t0ken: Hunter2xx",
        "aHunter2xxKq7Lm2Vp9",
        " ".join(WORDS),
        ", ".join(WORDS),
        " ".join(f"{at}. {word}" for at, word in enumerate(WORDS, 1)),
        "0x" + "4c0883a69102937d" * 4,
        "the key is " + "4c0883a69102937d" * 2,
        "4c0883a69102937d" * 4 + " is the secret",
        "Schlüssel: " + "JBSWY3DPEHPK3PXP" * 2,
        "JBSWY3DPEHPK3PXP" * 2,
        "Zugangsdaten: anna / Hunter2xx",
    ],
)
def test_a_secret_is_known_by_its_form(text: str) -> None:
    sent = redacted(f"Hello, {text} ok?", {}).text
    assert "[REMOVED]" in sent
    assert not [
        word for word in ("Hunter2xx", "sausage", "4c0883a69102937d", "JBSWY3DPEHPK3PXP") if word in sent
    ]


@cases(
    "text",
    [
        "We want to know which of these are open and when each of them will be paid, thanks.",
        "transaction 0x" + "4c0883a69102937d" * 4,
        "ch_Kx7GVC3yGabfzG",
        "Charge run_01JD7Q2M3N4P5R6S7T8V9W0XYZ is late",
        "In Q3-2026 the SLA-99.9% target",
        "https://shop.example/Orders/2026?Ref=A1b2",
        "d41d8cd98f00b204e9800998ecf8427e",
        "A B C D are the four classes",
        "call me at ten, eleven or twelve",
        "INV-2026-00412, ORD-7731-B",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redacted(text, {}).text == text


@cases(
    "text",
    [
        "",
        "a",
        "&#99999999999;",
        "%zz%4",
        "\\u12",
        "=\n=\n",
        "0x0x0x0x",
        "300 300 300 300",
        "11111111 11111111 11111111 11111111",
        "a " * 4000,
        "aA0" * 4000,
        "1" * 9000,
        "&#x110000;",
        "\\ud800" * 9,
    ],
)
def test_no_text_breaks_a_reading(text: str) -> None:
    for reading in readings.every(text):
        assert len(reading.text) == len(reading.places)
        assert all(0 <= start <= end <= len(text) for start, end in reading.places)
