"""Signed checkpoints: published vectors, both verifiers, change of key, and whatever is almost a checkpoint."""

import base64
import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings, strategies as st

from console.log import checkpoint, verify
from console.log.checkpoint import Checkpoint, Malformed, Unsigned
from tests.tables import cases

ORIGIN = "fernwick.example/log"
SEED, OTHER = bytes(range(32)), bytes(range(32, 64))
ROOT = sha256(b"root").digest()
# From the documentation of the Go package golang.org/x/mod/sumdb/note, where notes of this kind come from.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
# The examples of C2SP tlog-checkpoint and tlog-cosignature: the second line there is by a witness, and of another length.
C2SP = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
NOTE = checkpoint.sign(ORIGIN, 1234, ROOT, [SEED])
VKEY = str(checkpoint.verifier_key(ORIGIN, SEED))

Head = tuple[int, bytes]
Reader = Callable[[str, str], Head]


def by_console(text: str, key: str) -> Head:
    found = checkpoint.verified(text, key)
    return found.size, found.root


def by_verifier(text: str, key: str) -> Head:
    return verify.checkpoint(text.encode("utf-8", "surrogatepass"), [verify.key_of(key)], "checkpoint")


READERS: list[Reader] = [by_console, by_verifier]
REFUSED = (Malformed, Unsigned, verify.Fault, ValueError)
both = pytest.mark.parametrize("read", READERS, ids=["console", "verifier"])


def test_the_key_of_the_reference_example() -> None:
    assert str(checkpoint.verifier_key("PeterNeumann", GO_SEED)) == GO_KEY
    key = checkpoint.parse_key(GO_KEY)
    assert (key.name, key.id.hex()) == ("PeterNeumann", "c74f20a3")
    assert verify.key_of(GO_KEY) == ("PeterNeumann", key.id, key.public)
    raw = base64.b64decode(GO_SIGNATURE)
    assert raw[:4] == key.id
    assert verify.signed(key.public, GO_TEXT.encode(), raw[4:])
    assert not verify.signed(key.public, GO_TEXT.replace("answer", "Answer").encode(), raw[4:])


def test_the_examples_of_the_specification_are_read() -> None:
    note = checkpoint.parse(C2SP)
    assert note.checkpoint == Checkpoint(
        "example.com/behind-the-sofa",
        20852163,
        bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"),
    )
    assert [(one.name, one.id.hex(), len(one.signature)) for one in note.signatures] == [
        ("example.com/behind-the-sofa", "033de0ae", 64),
        ("witness.example.com/w1", "8d66cf3f", 72),
    ]
    assert note.checkpoint.text == C2SP.split("\n\n", 1)[0] + "\n"


@pytest.mark.parametrize(  # RFC 8032, section 7.1
    ("public", "message", "signature"),
    [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_ed25519_vectors(public: str, message: str, signature: str) -> None:
    key, text, made = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify.signed(key, text, made)
    assert not verify.signed(key, text + b"x", made)
    assert not verify.signed(key, text, made[:-1])
    assert not verify.signed(key, text, made + b"\x00")
    for place in range(0, 64, 7):
        assert not verify.signed(key, text, made[:place] + bytes([made[place] ^ 1]) + made[place + 1 :])
    larger = (
        int.from_bytes(made[32:], "little") + verify.ORDER
    )  # the same point by another number: one signature, one spelling
    assert not verify.signed(key, text, made[:32] + larger.to_bytes(32, "little"))


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80))
def test_ed25519_agrees_with_the_library(seed: bytes, text: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert verify.signed(key.public_key().public_bytes_raw(), text, key.sign(text))


def test_what_is_no_point_of_the_curve_is_no_key() -> None:
    for public in (
        b"\xff" * 32,
        (2).to_bytes(32, "little"),
        (verify.P + 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),
    ):
        with pytest.raises(ValueError, match="no point of the curve"):
            verify.signed(public, b"", bytes(64))


@both
def test_what_was_signed_is_read_back(read: Reader) -> None:
    assert NOTE.startswith(f"{ORIGIN}\n1234\n{base64.b64encode(ROOT).decode()}\n\n— {ORIGIN} ")
    assert read(NOTE, VKEY) == (1234, ROOT)
    empty = checkpoint.sign(ORIGIN, 0, sha256().digest(), [SEED])
    assert read(empty, VKEY) == (0, sha256().digest())


@both
def test_a_change_of_key_is_signed_by_both(read: Reader) -> None:
    note = checkpoint.sign(ORIGIN, 7, ROOT, [SEED, OTHER])
    assert [one.name for one in checkpoint.parse(note).signatures] == [ORIGIN, ORIGIN]
    assert read(note, VKEY) == read(note, str(checkpoint.verifier_key(ORIGIN, OTHER))) == (7, ROOT)
    only_new = checkpoint.sign(ORIGIN, 8, ROOT, [OTHER])
    with pytest.raises(REFUSED):
        read(only_new, VKEY)


@both
def test_signatures_of_others_are_passed_over(read: Reader) -> None:
    head, witness = NOTE.split("\n\n"), C2SP.splitlines(keepends=True)[-1]
    assert read(f"{head[0]}\n\n{witness}{head[1]}{witness}", VKEY) == (1234, ROOT)


@both
@pytest.mark.parametrize(
    "what",
    [
        "key",
        "name of the key",
        "signature",
        "second signature",
        "size",
        "root",
        "origin",
        "origin of the key",
    ],
)
def test_what_the_key_has_not_signed_is_refused(read: Reader, what: str) -> None:
    head, line = NOTE.split("\n\n")
    turned = base64.b64encode(checkpoint.parse(NOTE).signatures[0].id + bytes(64)).decode()
    forged = {
        "key": checkpoint.sign(ORIGIN, 1234, ROOT, [OTHER]),
        "name of the key": f"{head}\n\n{line.replace(ORIGIN, 'other.example/log')}",
        "signature": f"{head}\n\n— {ORIGIN} {turned}\n",
        "second signature": f"{head}\n\n{line}— {ORIGIN} {turned}\n",
        "size": NOTE.replace("1234", "1235"),
        "root": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(bytes(32)).decode()),
        "origin": f"other.example/log\n{NOTE.split(chr(10), 1)[1]}",
        "origin of the key": checkpoint.sign("other.example/log", 1234, ROOT, [SEED]),
    }[what]
    with pytest.raises((Unsigned, verify.Fault)):
        read(forged, VKEY)


HEAD, LINE = NOTE.split("\n\n")
ALMOST = {
    "nothing": "",
    "no signature": HEAD + "\n\n",
    "no empty line": HEAD + "\n" + LINE,
    "two empty lines": HEAD + "\n\n\n" + LINE,
    "no end of the last line": NOTE[:-1],
    "a line more": NOTE + "\n",
    "an extension line": NOTE.replace("\n\n", "\nextension\n\n"),
    "leading zero": NOTE.replace("1234", "01234"),
    "plus sign before the size": NOTE.replace("1234", "+1234"),
    "negative": NOTE.replace("1234", "-1"),
    "size of other digits": NOTE.replace("1234", "١٢٣٤"),
    "size without end": NOTE.replace("1234", "9" * 5000),
    "no size": NOTE.replace("1234", ""),
    "hexadecimal size": NOTE.replace("1234", "0x4d2"),
    "space after the size": NOTE.replace("1234\n", "1234 \n"),
    "space after the origin": NOTE.replace(f"{ORIGIN}\n", f"{ORIGIN} \n"),
    "space after the signature": NOTE[:-1] + " \n",
    "hyphen": NOTE.replace("— ", "- "),
    "en dash": NOTE.replace("— ", "– "),
    "two dashes": NOTE.replace("— ", "-- "),
    "no space after the dash": NOTE.replace("— ", "—"),
    "two spaces": NOTE.replace("— ", "—  "),
    "windows line ends": NOTE.replace("\n", "\r\n"),
    "a carriage return": NOTE.replace("1234\n", "1234\r\n"),
    "root of 31 bytes": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT[:31]).decode()),
    "root of 33 bytes": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT + b"x").decode()),
    "root in hexadecimal": NOTE.replace(base64.b64encode(ROOT).decode(), ROOT.hex()),
    "root without its padding": NOTE.replace("=\n\n", "\n\n"),
    "signature that is no base64": f"{HEAD}\n\n— {ORIGIN} !!!!\n",
    "signature of nothing": f"{HEAD}\n\n— {ORIGIN} \n",
    "no name": f"{HEAD}\n\n—  {LINE.split(' ')[2]}",
    "plus in the name": f"{HEAD}\n\n{LINE}{LINE.replace(ORIGIN, 'a+b')}",
    "space of another kind in the name": f"{HEAD}\n\n{LINE}" + LINE.replace(ORIGIN, "a\u00a0b"),
    "empty origin": "\n" + NOTE.split("\n", 1)[1],
    "byte order mark": "\ufeff" + NOTE,
    "as JSON": json.dumps(NOTE),
}


@both
@pytest.mark.parametrize("what", ALMOST)
def test_what_is_almost_a_checkpoint_is_refused(read: Reader, what: str) -> None:
    with pytest.raises(REFUSED):
        read(ALMOST[what], VKEY)


@cases("what", [what for what in ALMOST if what != "byte order mark"])
def test_the_strict_reader_says_what_is_wrong(what: str) -> None:
    with pytest.raises(Malformed, match=r"."):
        checkpoint.parse(ALMOST[what])


@both
def test_a_note_cut_anywhere_is_refused(read: Reader) -> None:
    for length in range(len(NOTE)):
        with pytest.raises(REFUSED):
            read(NOTE[:length], VKEY)


@cases(
    "text",
    [
        "",
        "a",
        "a+b",
        VKEY.replace("+", " ", 1),
        VKEY[:-4],
        VKEY.replace(ORIGIN, "other.example/log"),
        VKEY.upper(),
        f"{ORIGIN}+00000000+{base64.b64encode(bytes([1] + [0] * 32)).decode()}",
        f"{ORIGIN}+00000000+{base64.b64encode(bytes([2] + [0] * 32)).decode()}",
        "+" + VKEY.split("+", 1)[1],
        VKEY + "=",
        "a b+" + VKEY.split("+", 1)[1],
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        checkpoint.parse_key(text)
    with pytest.raises(ValueError, match=r"."):
        verify.key_of(text)


def test_a_verifier_key_is_divided_at_its_first_two_plus_signs() -> None:
    for number in range(200):
        key = checkpoint.verifier_key(ORIGIN, sha256(str(number).encode()).digest())
        if str(key).count("+") > 2:
            assert checkpoint.parse_key(str(key)) == key
            assert verify.key_of(str(key) + "\n") == (key.name, key.id, key.public)
            return
    pytest.fail("no key with a plus sign in its base64")


@cases("origin", ["", "a b", "a+b", "a\nb", "a\tb", "a\u2003b", "a\x00b"])
def test_an_origin_that_no_note_can_hold_is_refused(origin: str) -> None:
    with pytest.raises(Malformed):
        checkpoint.sign(origin, 1, ROOT, [SEED])
    with pytest.raises(Malformed):
        checkpoint.verifier_key(origin, SEED)


@pytest.mark.parametrize(
    ("size", "root", "keys"),
    [(-1, ROOT, [SEED]), (1, ROOT[:31], [SEED]), (1, ROOT, []), (10**18, ROOT, [SEED])],
)
def test_no_checkpoint_of_what_is_no_tree(size: int, root: bytes, keys: list[bytes]) -> None:
    with pytest.raises(Malformed):
        checkpoint.sign(ORIGIN, size, root, keys)


def test_a_note_may_carry_many_signatures_but_not_without_end() -> None:
    assert checkpoint.verified(f"{HEAD}\n\n{LINE * 16}", VKEY).size == 1234
    with pytest.raises(Malformed, match="longer"):
        checkpoint.parse(f"{HEAD}\n\n{LINE * 5000}")
