"""What a file is, told by its bytes: those that are taken, and a sentence for each that is not."""

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from console.core import media
from console.infra.files import drawing_process, file_type, page_pictures
from tests.papers import archive, pdf, picture
from tests.tables import cases

pytestmark = pytest.mark.lengthy

ALL = tuple(media.MEDIA)
DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")


@cases(
    ("content", "name", "kept", "media_type", "pages"),
    [
        (picture(), "face.JPG", "face.JPG", "image/jpeg", 1),
        (picture("PNG"), "C:\\scans\\pass.png", "pass.png", "image/png", 1),
        (pdf(3), "terms.pdf", "terms.pdf", "application/pdf", 3),
        (pdf(), "terms", "terms.pdf", "application/pdf", 1),
        (pdf(), "../../etc/pass\u202ewd\x00.pdf", "pass wd.pdf", "application/pdf", 1),
        ("Prüfung\r\n".encode(), "note.txt", "note.txt", "text/plain", None),
        (b"\xef\xbb\xbfa,b\n1,2\n", "rows.csv", "rows.csv", "text/csv", None),
        (DOCX, "letter.docx", "letter.docx", media.MEDIA["docx"].media_type, None),
        (XLSX, "rows.xlsx", "rows.xlsx", media.MEDIA["xlsx"].media_type, None),
        (pdf() + b"<html><script>alert(1)</script>", "both.pdf", "both.pdf", "application/pdf", 1),
    ],
)
def test_what_is_taken(content: bytes, name: str, kept: str, media_type: str, pages: int | None) -> None:
    assert file_type.examine(content, file_type.name_of(name), ALL) == (kept, media_type, pages)


@cases(
    ("content", "name", "words"),
    [
        (b"", "a.pdf", "is empty"),
        (picture(), "a.pdf", "ends in .pdf, and its content is a JPEG picture"),
        (pdf(), "a.pdf.exe", "ends in .exe"),
        (b"<html><script>alert(1)</script>", "a.pdf", "web page or other markup"),
        (b"  \n<SVG xmlns='http://www.w3.org/2000/svg' onload='x()'>", "a.png", "web page or other markup"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><html/>", "a.txt", "web page or other markup"),
        (b"MZ\x90\x00" + b"\x00" * 200, "a.pdf", "which is not taken here"),
        (b"GIF89a" + b"\x00" * 40, "a.gif", "image/gif"),
        (archive("a.txt"), "a.zip", "which is not taken here"),
        (
            archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
            "a.docx",
            "which is not taken here",
        ),
        (
            archive("[Content_Types].xml", "word/document.xml", each=b"0" * 30_000_000),
            "bomb.docx",
            "unpacks to far more",
        ),
        (b"PK\x03\x04 cut off", "a.docx", "which is not taken here"),
        (b"%PDF-1.7 and nothing more", "a.pdf", "damaged"),
        (picture()[:300], "a.jpg", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 60, "a.png", "damaged"),
        (pdf(drawing_process.MOST_PAGES + 1), "long.pdf", "at most 500"),
        (pdf(1, (20_000, 20_000)), "wide.pdf", "which no page is"),
    ],
)
def test_what_is_refused_is_said(content: bytes, name: str, words: str) -> None:
    with pytest.raises(file_type.Refused, match=words) as refused:
        file_type.examine(content, name, ALL)
    assert "“" in refused.value.message
    assert refused.value.status == 422


def test_a_picture_of_too_many_points_is_refused_before_they_are_decoded() -> None:
    out = io.BytesIO()
    draw_size = (10_000, 10_000)
    from PIL import Image

    Image.new("1", draw_size).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(file_type.Refused, match="at most 60 million"):
        file_type.examine(out.getvalue(), "a.png", ALL)


def test_an_archive_of_very_many_members_is_refused_without_listing_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list of half a million took the web process 17 seconds and 200 MB."""
    content = archive(
        "[Content_Types].xml",
        "word/document.xml",
        *(f"{number:x}" for number in range(file_type.MOST_MEMBERS)),
        each=b"",
    )
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda _: pytest.fail("its members were listed"))
    with pytest.raises(file_type.Refused, match="unpacks to far more"):
        file_type.examine(content, "many.docx", ALL)


def test_a_kind_that_the_step_does_not_name_is_refused() -> None:
    with pytest.raises(
        file_type.Refused, match="is a PNG picture, which is not taken here. Send it as PDF or plain text"
    ):
        file_type.examine(picture("PNG"), "a.png", ("pdf", "text"))


def test_locked_files_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in ("[Content_Types].xml", "word/document.xml"):
            made.writestr(name, b"x")
    raw = bytearray(out.getvalue())
    place = raw.rfind(b"PK\x01\x02")
    raw[place + 8] |= 1
    with pytest.raises(file_type.Refused, match="password"):
        file_type.examine(bytes(raw), "a.docx", ALL)


@pytest.mark.parametrize(("turn", "size"), [(0, (800, 1200)), (90, (1200, 800)), (180, (800, 1200))])
def test_pages_are_drawn_as_png_and_turned(turn: int, size: tuple[int, int]) -> None:
    from PIL import Image

    drawn = page_pictures.page(pdf(2, (200, 300)), "application/pdf", 2, 800, turn)
    assert Image.open(io.BytesIO(drawn)).size == size
    assert drawn.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "child",
    ["import os; os._exit(11)", "while True: pass", "print('j{}', end='') or __import__('sys').exit(3)"],
)
def test_a_process_that_breaks_off_or_hangs_harms_nobody(
    child: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "child.py"
    file.write_text(child)
    monkeypatch.setattr(page_pictures, "_draw", replace(page_pictures._draw, program=file, seconds=0.5))
    monkeypatch.setattr(page_pictures, "_counted", {})
    with pytest.raises(Exception, match="too much to open"):
        page_pictures.pages(pdf(), "application/pdf")
