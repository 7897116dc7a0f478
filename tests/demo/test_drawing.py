"""Papers: what is printed on them, and that hash and pages in the row are those of the file."""

import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image

from console.demo import drawing, identity_papers, printed_papers, stories
from console.demo.world import World

IDENTITY = {
    "title": "PASSPORT",
    "issuer": "LT",
    "number": "CX1234567",
    "family": "Žukauskas",
    "given": "Rokas",
    "nationality": "LT",
    "birth": "1980-01-02",
    "place": "Kaunas",
    "issued": "2020-01-01",
    "expires": "2030-01-01",
    "zone": "P<LTUZUKAUSKAS<<ROKAS<<<<<<<<<<<<<<<<<<<<<<<\nCX12345676LTU8001020<3001017<<<<<<<<<<<<<<06",
}


def test_identity_paper_is_a_png_of_its_facts() -> None:
    made = identity_papers.identity(IDENTITY)
    image = Image.open(io.BytesIO(made))
    assert (image.format, image.size) == ("PNG", identity_papers.SIZE)
    assert made != identity_papers.identity(IDENTITY | {"number": "CX1234568"})
    assert made == identity_papers.identity(IDENTITY)


def test_paper_escapes_what_is_printed() -> None:
    page = printed_papers.page(
        {
            "title": "<b>",
            "issuer": "A & B",
            "lines": "Name: <script>",
            "table": "Head|<i>\n1|2",
            "text": "a\fb",
        }
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "A &amp; B" in page
    assert page.count('class="next"') == 1


def test_two_processes_draw_and_rows_get_hash_and_pages(world: World, tmp_path: Path) -> None:
    chosen = [
        paper for paper in world.papers if paper.row.get("customer_id") in {stories.HALCYON, stories.TORE}
    ]
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
