"""The single-file verifier and the files and archives that it is given: missing, huge, oddly named or packed."""

import hashlib
import re
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from console.log import verify
from tests.log.exports import WHOLE, Said


@pytest.mark.parametrize("name", ["events.jsonl", "values.jsonl", "checkpoint", "proofs.json"])
@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "archive"])
def test_a_missing_file_is_named(said: Said, name: str, zipped: bool) -> None:
    assert said(replace(WHOLE, without=frozenset({name})), zipped=zipped)[1].startswith(
        f"{name}: truncated: the file is not there"
    )


def test_the_key_may_be_missing_where_one_is_given(said: Said) -> None:
    assert said(replace(WHOLE, without=frozenset({"key", "leaves", "README.txt"})))[0] == 0
    assert said(replace(WHOLE, without=frozenset({"key"})), key=None)[1].startswith("key: truncated: ")


def archive(*files: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED, link: str = "") -> bytes:
    """An archive of these files in this order, names as they are."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", how) as made:
        for name, data in files:
            item = zipfile.ZipInfo(name)
            item.compress_type = how
            item.external_attr = 0o120777 << 16 if name == link else 0o600 << 16
            made.writestr(item, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../events.jsonl",
        "/etc/passwd",
        "a/b",
        "folder/",
        "EVENTS.JSONL",
        "events.jsonl ",
        "..",
        "x" * 300,
        "é",
        "c:\\x",
    ],
)
def test_archives_with_odd_names_are_refused(said: Said, name: str) -> None:
    assert said(archive(*WHOLE.files().items(), (name, b"x")))[1].startswith(
        "export.zip: inserted: by its name, size or form "
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_with_a_name_twice_are_refused(said: Said) -> None:
    for extra in (b"", WHOLE.files()["events.jsonl"]):
        assert said(archive(*WHOLE.files().items(), ("events.jsonl", extra)))[1].startswith(
            "export.zip: inserted: by its name"
        )


def test_archives_packed_in_a_way_of_their_own_are_refused(said: Said) -> None:
    assert said(archive(*WHOLE.files().items(), how=zipfile.ZIP_BZIP2))[1].startswith(
        "export.zip: inserted: "
    )
    assert said(archive(*WHOLE.files().items(), how=zipfile.ZIP_STORED))[0] == 0


@pytest.mark.slow
def test_huge_files_are_refused_without_being_read(said: Said) -> None:
    files = WHOLE.files()
    bomb = archive(*(files | {"values.jsonl": b"\x00" * (140 << 20)}).items())
    assert said(bomb)[1].startswith("export.zip: inserted: by its name, size or form 'values.jsonl'")
    long = archive(
        *(files | {"events.jsonl": hashlib.shake_256(b"x").digest(1 << 20).replace(b"\n", b"") * 66}).items(),
        how=zipfile.ZIP_STORED,
    )
    assert re.match(r"line 1: (inserted: longer than|edited)", said(long)[1])
    assert said(archive(*(files | {"checkpoint": b"x" * (3 << 20)}).items()))[1].startswith("checkpoint: ")


@pytest.mark.parametrize(
    "data", [b"x", b"not an archive", WHOLE.files()["events.jsonl"], b"\x1f\x8b\x08" + bytes(100)]
)
def test_what_is_no_export_is_said_to_be_none(said: Said, data: bytes) -> None:
    assert said(data)[1].startswith("export.zip: edited: this is no whole zip archive, and no folder")


def test_nothing_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().out
