"""The process that opens a file which we have not made: `python -I draw.py about|page`, the file on its standard input.

It is started anew for each file, with no environment, and gives itself limits before it reads the first byte: memory, processor time, no files to
write and none to open. `about` answers JSON with the number of pages; `page` a PNG. What cannot be opened is said as JSON with `wrong`.
Imports nothing of the console.
"""

import io
import json
import resource
import sys
from typing import Any

MEMORY = 1 << 30
CPU_S = 20
MOST_PAGES = 500
MOST_PIXELS = 60_000_000  # of a picture that is handed in: a page of A3 at 400 dpi is 31 million
LONGEST_SIDE = 14_400  # points, as PDF itself limits a page: 5 m
WIDEST = 2_400  # pixels of a picture that is shown


class Wrong(Exception):
    """The file cannot be used; the text is a sentence for whoever sent it."""


def limit() -> None:
    """From here on: so much memory and time, no process, nothing written."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (allowed, allowed))
        except (ValueError, OSError):  # macOS knows no limit of the address space
            continue


def _document(content: bytes) -> Any:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise Wrong("The PDF is locked with a password. Send it without one.") from None
        raise Wrong("The PDF is damaged: it cannot be opened. Make it anew and send that.") from None
    if not 1 <= count <= MOST_PAGES:
        raise Wrong(f"The PDF has {count} pages; at most {MOST_PAGES} are taken. Send it in parts.")
    return document


def _picture(content: bytes, kind: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # judged here, before a pixel is decoded
    try:
        picture = Image.open(io.BytesIO(content), formats=["PNG" if kind == "image/png" else "JPEG"])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise Wrong("The picture is damaged: it cannot be opened. Make it anew and send that.") from None
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Wrong(f"The picture has {width} × {height} pixels; at most {MOST_PIXELS // 1_000_000} million are taken. Send it smaller.")
    return picture


def about(content: bytes, kind: str) -> dict[str, Any]:
    """`{"pages"}` of a file that can be shown. Raises Wrong."""
    if kind != "application/pdf":
        try:
            _picture(content, kind).load()
        except (OSError, ValueError, SyntaxError):
            raise Wrong("The picture is damaged: it is not there to its end. Make it anew and send that.") from None
        return {"pages": 1}
    document = _document(content)
    for number in range(len(document)):
        width, height = document.get_page_size(number)
        if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
            raise Wrong(
                f"Page {number + 1} of the PDF is {width:.0f} × {height:.0f} points large, which no page is. Make it anew and send that."
            )
    return {"pages": len(document)}


def page(content: bytes, kind: str, number: int, width: int, turn: int) -> bytes:
    """The page (from 1) as a PNG of this width before it is turned clockwise by `turn` degrees."""
    from PIL import Image, ImageOps

    if kind == "application/pdf":
        document = _document(content)
        if not 1 <= number <= len(document):
            raise Wrong("There is no such page.")
        sheet = document[number - 1]
        across, down = sheet.get_size()
        scale = min(width / across, 2 * WIDEST / down)
        drawn = sheet.render(scale=scale, rotation=0, may_draw_forms=False).to_pil().convert("RGB")
    else:
        drawn = ImageOps.exif_transpose(_picture(content, kind))
        drawn.thumbnail((width, 2 * WIDEST), Image.Resampling.LANCZOS)
        drawn = drawn.convert("RGB")
    if turn % 360:
        drawn = drawn.rotate(-turn, expand=True)
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


def main(asked: dict[str, Any], content: bytes) -> bytes:
    """The answer to one question, its first byte told apart: `j` JSON, `p` PNG."""
    try:
        if asked["what"] == "about":
            return b"j" + json.dumps(about(content, asked["kind"])).encode()
        return b"p" + page(content, asked["kind"], asked["page"], min(WIDEST, asked["width"]), asked["turn"])
    except Wrong as wrong:
        return b"j" + json.dumps({"wrong": str(wrong)}).encode()
    except MemoryError:
        return b"j" + json.dumps({"wrong": "The file takes more memory than a file may. Make it simpler, or send it in parts."}).encode()


if __name__ == "__main__":
    limit()
    given = json.loads(sys.argv[1])
    sys.stdout.buffer.write(main(given, sys.stdin.buffer.read()))
