"""New identifiers: ordered in time, of one alphabet, of one length, each once."""

import os
import time
import uuid

import pytest

from console.infra.db import ids
from console.infra.db.ids import ALPHABET, new_id, uuid7, uuid7_text
from tests.tables import cases

KINDS = ("run", "evt", "usr", "ses", "key", "col", "a_b", "")
MOMENTS = [0, 1, 2**20, 1_700_000_000_000, 1_780_000_000_000, 2**47, 2**48 - 1]


def at(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> None:
    """The clock stands at this millisecond since 1970."""
    monkeypatch.setattr(time, "time_ns", lambda: milliseconds * 1_000_000)


def decoded(text: str) -> int:
    """The number that 26 characters are."""
    number = 0
    for char in text:
        number = number << 5 | ALPHABET.index(char)
    return number


def test_the_alphabet_is_in_order_and_leaves_out_what_is_misread() -> None:
    assert (len(ALPHABET), len(set(ALPHABET))) == (32, 32)
    assert list(ALPHABET) == sorted(ALPHABET)
    assert not set(ALPHABET) & set("ilou")
    assert ALPHABET.islower()


@cases("kind", KINDS)
def test_an_id_is_its_kind_and_26_characters(kind: str) -> None:
    text = new_id(kind)
    head, _, tail = text.rpartition("_")
    assert head == kind
    assert len(tail) == 26
    assert set(tail) <= set(ALPHABET)
    assert tail[0] <= "7"  # 128 bits in 130


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_uuid_begins_with_the_moment(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    at(monkeypatch, moment)
    made = uuid.UUID(uuid7_text())
    assert made.int >> 80 == moment
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_id_begins_with_the_moment(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    at(monkeypatch, moment)
    number = decoded(new_id("run").removeprefix("run_"))
    assert number >> 80 == moment
    assert uuid.UUID(int=number).version == 7


@pytest.mark.parametrize(
    "drawn", [bytes(10), b"\xff" * 10, b"\x0f\xff" + bytes(8), b"\xf0\x00" + b"\xff" * 8]
)
def test_random_bits_touch_neither_moment_nor_version(monkeypatch: pytest.MonkeyPatch, drawn: bytes) -> None:
    at(monkeypatch, 1234)
    monkeypatch.setattr(ids, "_random_ten", lambda: drawn)
    made, bits = uuid.UUID(int=uuid7()), int.from_bytes(drawn)
    assert (made.int >> 80, made.version, made.variant) == (1234, 7, uuid.RFC_4122)
    assert (made.int >> 64 & 0xFFF, made.int & (2**62 - 1)) == (bits >> 64 & 0xFFF, bits & (2**62 - 1))


def test_a_process_that_was_forked_draws_its_own_bits() -> None:
    new_id("run")
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, new_id("run")[-12:].encode())
        os._exit(0)
    os.waitpid(child, 0)
    mine = {new_id("run")[-12:] for _ in range(200)}
    assert os.read(reading, 12).decode() not in mine
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("milliseconds", MOMENTS)
@pytest.mark.parametrize("drawn", [b"\x00" * 10, b"\xff" * 10, bytes(range(10))])
def test_the_text_of_an_event_is_a_uuid_like_any_other(
    monkeypatch: pytest.MonkeyPatch, milliseconds: int, drawn: bytes
) -> None:
    at(monkeypatch, milliseconds)
    monkeypatch.setattr(ids, "_random_ten", lambda: drawn)
    text = uuid7_text()
    made = uuid.UUID(text)
    assert (str(made), made.version, made.variant, made.int >> 80) == (text, 7, uuid.RFC_4122, milliseconds)
    assert len({uuid7_text() for _ in range(3)}) == 1
    monkeypatch.undo()
    assert len({uuid7_text() for _ in range(1000)}) == 1000
