"""Papers: what is printed on them, and that hash and pages in the row are those of the file."""

import hashlib
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.demo import drawing, identity_papers, printed_papers, stories
from console.demo.world import Paper, World

IDENTITY = {
    "title": "PASSPORT", "issuer": "LT", "number": "CX1234567", "family": "Žukauskas", "given": "Rokas", "nationality": "LT", "birth": "1980-01-02", "place": "Kaunas",
    "issued": "2020-01-01", "expires": "2030-01-01", "zone": "P<LTUZUKAUSKAS<<ROKAS<<<<<<<<<<<<<<<<<<<<<<<\nCX12345676LTU8001020<3001017<<<<<<<<<<<<<<06",
}  # fmt: skip


def opened(pdf: bytes) -> bytes:
    """The streams of a PDF, unpacked, one after the other."""
    return b"\n".join(_inflated(stream) for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL))


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_identity_paper_is_a_png_of_its_facts() -> None:
    made = identity_papers.identity(IDENTITY)
    image = Image.open(io.BytesIO(made))
    assert (image.format, image.size) == ("PNG", identity_papers.SIZE)
    assert made != identity_papers.identity(IDENTITY | {"number": "CX1234568"})
    assert made == identity_papers.identity(IDENTITY)


def test_zone_of_three_lines_fits_on_the_card() -> None:
    lines = "I<LTUCX12345676<<<<<<<<<<<<<<<\n8001020<3001017LTU<<<<<<<<<<<6\nZUKAUSKAS<<ROKAS<<<<<<<<<<<<<<"
    image = Image.open(io.BytesIO(identity_papers.identity(IDENTITY | {"zone": lines}))).convert("L")
    margin = image.crop((identity_papers.SIZE[0] - 40, 430, identity_papers.SIZE[0] - 12, identity_papers.SIZE[1] - 12))
    assert min(margin.tobytes()) > 200, "the zone runs over the edge"


def test_paper_escapes_what_is_printed() -> None:
    page = printed_papers.page({"title": "<b>", "issuer": "A & B", "lines": "Name: <script>", "table": "Head|<i>\n1|2", "text": "a\fb"})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "A &amp; B" in page
    assert page.count('class="next"') == 1


@pytest.mark.parametrize(("text", "pages"), [("", 1), ("One page.", 1), ("First\n\fSecond", 2), ("1\f2\f3", 3)])
def test_paper_counts_its_pages(text: str, pages: int) -> None:
    made, found = printed_papers.paper({"title": "Articles", "issuer": "Somebody", "lines": "Name: Somebody", "text": text})
    assert found == pages
    assert made.startswith(b"%PDF-")
    plain = opened(made)
    assert len(re.findall(rb"/Type /Page\b", plain)) == pages
    assert len(re.findall(rb"\bT[jJ]\b", plain)) >= 3


def test_two_processes_draw_and_rows_get_hash_and_pages(world: World, tmp_path: Path) -> None:
    chosen = [paper for paper in world.papers if paper.row.get("customer_id") in {stories.HALCYON, stories.TORE}]
    chosen += [paper for paper in world.papers if "supplier_id" in paper.row][:4]
    before = [dict(paper.row) for paper in chosen]
    told: list[tuple[int, int]] = []
    with drawing.Drawing(tmp_path, chosen) as drawn:
        assert drawn.finish(lambda done, of: told.append((done, of))) == 0
    assert told == [(number, len(chosen)) for number in range(1, len(chosen) + 1)]
    for paper in chosen:
        content = (tmp_path / paper.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == paper.row["sha256"]
        assert paper.row.get("pages", 1) == (2 if paper.form == "articles" else 1)
        assert content.startswith(b"\x89PNG" if paper.form in drawing.PICTURES else b"%PDF-")
    for paper, row in zip(chosen, before, strict=True):
        paper.row.update(row)


def test_paper_that_cannot_be_drawn_goes_to_the_archive() -> None:
    row: dict[str, Any] = {"file_path": "x.pdf", "storage": "live", "sha256": "0" * 64, "pages": 2}
    assert drawing._enter(row, "-", 0)
    assert row == {"file_path": None, "storage": "archive", "sha256": "0" * 64, "pages": 2}
    supplier: dict[str, Any] = {"file_path": "x.pdf", "sha256": "0" * 64}
    assert drawing._enter(supplier, "-", 0)
    assert supplier == {"file_path": None, "sha256": "0" * 64}


def test_a_process_that_fails_is_noticed(tmp_path: Path) -> None:
    broken = Paper("a/b.png", "passport", {"title": "no zone"}, {})
    with drawing.Drawing(tmp_path, [broken], processes=1) as drawn, pytest.raises(RuntimeError, match="only 0 of 1 papers"):
        drawn.finish(lambda *_: None)
    assert all(worker.poll() is not None for worker in drawn.workers)


def test_leaving_early_ends_the_processes(world: World, tmp_path: Path) -> None:
    with pytest.raises(KeyError), drawing.Drawing(tmp_path, world.papers[:50]) as drawn:
        raise KeyError
    assert all(worker.poll() is not None for worker in drawn.workers)


def test_process_answers_a_line_for_each_order(tmp_path: Path) -> None:
    orders = io.StringIO("".join(json.dumps([number, f"p/{number}.png", "passport", IDENTITY]) + "\n" for number in (4, 9)))
    answers = io.StringIO()
    drawing.main(tmp_path, orders, answers)
    digest = hashlib.sha256((tmp_path / "p/4.png").read_bytes()).hexdigest()
    assert answers.getvalue() == f"4 {digest} 1\n9 {digest} 1\n"
