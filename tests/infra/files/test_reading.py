"""Words of files and where they stand: PDFs, scans, and files made to do harm."""

import contextlib
import io
import json
import zlib
from pathlib import Path

import pytest
from PIL import Image

from console.core.errors import Invalid
from console.demo import printed_papers
from console.infra.files import drawing_process, page_pictures, text_recognition
from tests.papers import pdf, picture
from tests.tables import cases

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
FACTS = {
    "title": "Register extract",
    "issuer": "Court of Vilnius",
    "lines": "Company: Halcyon Harbour Trading B.V.\nDate: 2026-10-20",
    "text": "One.\fTwo.",
}
needs_tesseract = pytest.mark.skipif(not page_pictures.languages(), reason="Tesseract is not installed")


def written(*contents: bytes, rotate: int = 0, box: str = "0 0 300 400", crop: str = "") -> bytes:
    """A PDF with one page for each content stream, in Helvetica, by hand."""
    count = len(contents)
    kids = " ".join(f"{number + 4} 0 R" for number in range(count))
    more = (f"/Rotate {rotate}" if rotate else "") + (f"/CropBox[{crop}]" if crop else "")
    parts: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number in range(count):
        told = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]{more}/Resources<</Font<</F 3 0 R>>>>/Contents {number + 4 + count} 0 R>>"
        parts.append(told.encode())
    parts += [b"<</Length %d>>stream\n%s\nendstream" % (len(content), content) for content in contents]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj%sendobj\n" % (number, part)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    tail = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(parts) + 1}/Root 1 0 R>>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + tail.encode()


def text_at(x: int, y: int, text: str, size: int = 12) -> bytes:
    return f"BT /F {size} Tf {x} {y} Td ({text}) Tj ET\n".encode()


def scan(content: bytes) -> bytes:
    """The first page as a picture of it, in a PDF without text."""
    page = Image.open(io.BytesIO(drawing_process.page(content, PDF, 1, 1600, 0)))
    out = io.BytesIO()
    page.convert("RGB").save(out, "PDF", resolution=190)
    return out.getvalue()


def test_pages_have_their_own_text_and_its_places() -> None:
    first, second = text_recognition.read(printed_papers.paper(FACTS)[0], PDF, recognise=False)
    assert (first.number, first.origin, second.number) == (1, "pdf", 2)
    assert "Company: Halcyon Harbour Trading B.V." in [line.text for line in first.lines]
    assert second.text == "Two."
    for line in first.lines:
        left, top, right, bottom = line.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
    tops = [line.box[1] for line in first.lines]
    assert tops == sorted(tops)


@cases(
    ("rotate", "wide", "high"),
    [(0, "left", "top"), (90, "right", "top"), (180, "right", "bottom"), (270, "left", "bottom")],
)
def test_places_are_those_of_the_page_as_it_is_shown(rotate: int, wide: str, high: str) -> None:
    (page,) = text_recognition.read(
        written(text_at(20, 370, "Corner words here"), rotate=rotate), PDF, recognise=False
    )
    left, top, right, bottom = page.lines[0].words[0].box
    assert ((left + right) / 2 < 0.5) == (wide == "left")
    assert ((top + bottom) / 2 < 0.5) == (high == "top")


@cases(
    ("content", "words"),
    [
        (b"%PDF-1.4\n", "damaged"),
        (b"%PDF-1.4\n" + b"\0" * 5000, "damaged"),
        (pdf(2)[:200], "damaged"),
        (pdf(501), "at most 500"),
        (b"not a pdf at all", "damaged"),
    ],
)
def test_a_broken_file_ends_with_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        text_recognition.read(content, PDF, recognise=True)


def test_a_page_of_a_million_words_is_cut() -> None:
    line = b"BT /F 1 Tf 1 0 0 1 10 10 Tm (" + b"word " * 20_000 + b") Tj ET\n"
    made = written(*[line] * 6, box="0 0 14000 14000")
    pages = text_recognition.read(made, PDF, recognise=False)
    assert sum(len(page.text) for page in pages) <= text_recognition.MOST_CHARACTERS
    assert sum(len(line.words) for page in pages for line in page.lines) <= drawing_process.MOST_WORDS


@pytest.mark.slow
def test_a_stream_that_unpacks_to_far_more_ends_within_the_limits() -> None:
    bomb = zlib.compress(b"0 0 m 1 1 l S " * 5_000_000, 9)
    body = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(bomb), bomb)
    made = written(b"x").replace(b"<</Length 1>>stream\nx\nendstream", body)
    with contextlib.suppress(Invalid):  # a sentence, where a limit ends it
        assert text_recognition.read(made, PDF, recognise=False)[0].lines == ()


def test_a_link_to_a_local_file_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the very secret words")
    made = written(text_at(20, 370, "A plain page")).replace(
        b"/Type/Catalog", b"/Type/Catalog/OpenAction<</S/Launch/F(%s)>>" % str(secret).encode()
    )
    assert "secret" not in text_recognition.read(made, PDF, recognise=False)[0].text


@needs_tesseract
def test_a_scan_is_recognised() -> None:
    made = scan(printed_papers.paper(FACTS)[0])
    assert json.loads(page_pictures._ask_child({"what": "words", "kind": PDF, "most_pages": 5}, made)) == {
        "of": 1,
        "pages": [[]],
    }
    (page,) = text_recognition.read(made, PDF, recognise=True)
    assert page.origin == "ocr"
    assert "Halcyon Harbour Trading" in page.text
    line = next(line for line in page.lines if "Halcyon" in line.text)
    plain = next(
        line
        for line in text_recognition.read(printed_papers.paper(FACTS)[0], PDF, recognise=False)[0].lines
        if "Halcyon" in line.text
    )
    assert all(abs(one - other) < 0.03 for one, other in zip(line.box, plain.box, strict=True))


@cases(
    ("media_type", "content"),
    [
        (PNG, b"\x89PNG\r\n\x1a\n" + b"x" * 100),
        (JPEG, b"\xff\xd8\xff" + b"x" * 100),
        (PNG, picture()),
        (PNG, b""),
    ],
)
def test_a_broken_picture_ends_with_a_sentence(media_type: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        text_recognition.read(content, media_type, recognise=True)
