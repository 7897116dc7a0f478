"""The program that opens a file which we have not made: its argument is the question, its standard input the file. It runs under the limits of `confined`.

Of the questions `about` answers JSON with the number of pages; `page` a PNG; `words` JSON with the words of the pages and where
they stand; `recognise` becomes Tesseract, under the same limits. What cannot be opened is said as JSON with `wrong`. Imports nothing of the console.
"""

import ctypes
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

MOST_PAGES = 500
MOST_PIXELS = 60_000_000  # of a picture that is handed in: a page of A3 at 400 dpi is 31 million
LONGEST_SIDE = 14_400  # points, as PDF itself limits a page: 5 m
WIDEST = 2_400  # pixels of a picture that is shown
GRID = 10_000  # what a page is measured in, across and down
MOST_WORDS = 60_000  # of a file
LONGEST_WORD = 200
LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}


class Wrong(Exception):
    """The file cannot be used; the text is a sentence for whoever sent it."""


def _document(content: bytes) -> Any:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise Wrong("The PDF is locked with a password. Send it without one.") from None
        raise Wrong("The PDF is damaged: it cannot be opened. Make a new one and send that.") from None
    if not 1 <= count <= MOST_PAGES:
        raise Wrong(f"The PDF has {count} pages; at most {MOST_PAGES} are taken. Send it in parts.")
    return document


def _picture(content: bytes, kind: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # judged here, before a pixel is decoded
    try:
        picture = Image.open(io.BytesIO(content), formats=["PNG" if kind == "image/png" else "JPEG"])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise Wrong("The picture is damaged: it cannot be opened. Make a new one and send that.") from None
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Wrong(
            f"The picture has {width} × {height} pixels; at most {MOST_PIXELS // 1_000_000} million are taken. Send it smaller."
        )
    return picture


def describe(content: bytes, kind: str) -> dict[str, Any]:
    """`{"pages"}` of a file that can be shown. Raises Wrong."""
    if kind != "application/pdf":
        try:
            _picture(content, kind).load()
        except (OSError, ValueError, SyntaxError):
            raise Wrong(
                "The picture is damaged: it is not there to its end. Make a new one and send that."
            ) from None
        return {"pages": 1}
    document = _document(content)
    for number in range(len(document)):
        width, height = document.get_page_size(number)
        if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
            raise Wrong(
                f"Page {number + 1} of the PDF is {width:.0f} × {height:.0f} points large, which no page is. Make a new one and send that."
            )
    return {"pages": len(document)}


def words(content: bytes, kind: str, most_pages: int) -> dict[str, Any]:
    """`{"of", "pages"}`: how many pages the file has, and of the first of them the words `[text, left, top, right, bottom]` as they stand in the
    file, in parts of the page from its upper left corner as it is shown. A picture has none.
    """
    if kind != "application/pdf":
        describe(content, kind)
        return {"of": 1, "pages": [[]]}
    document = _document(content)
    left, pages = MOST_WORDS, []
    for number in range(min(len(document), most_pages)):
        found: list[list[Any]] = []
        for word in _words(document[number]):
            if len(found) == left:
                break
            found.append(word)
        left -= len(found)
        pages.append(found)
    return {"of": len(document), "pages": pages}


def _words(sheet: Any) -> Iterator[list[Any]]:
    """The words of a page in the order in which they stand in the file; what lies beside the page is left out."""
    from pypdfium2 import raw

    text = sheet.get_textpage()
    box, word, place = raw.FS_RECTF(), "", [0.0, 0.0, 0.0, 0.0]
    for at in range(text.count_chars() + 1):
        sign = _sign(raw.FPDFText_GetUnicode(text, at)) if at < text.count_chars() else " "
        if not sign.isspace() and raw.FPDFText_GetLooseCharBox(text, at, box):
            here = [box.left, box.bottom, box.right, box.top]
            place = [*map(min, place[:2], here[:2]), *map(max, place[2:], here[2:])] if word else here
            word += sign
        if word and (sign.isspace() or len(word) >= LONGEST_WORD):
            if found := _placed(raw, sheet, place):
                yield [word, *found]
            word = ""


def _sign(code: int) -> str:
    """The character, a blank for what is none."""
    sign = chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else " "
    return LIGATURES.get(sign, sign if sign.isprintable() else " ")


def _placed(raw: Any, sheet: Any, place: list[float]) -> list[float] | None:
    """The box in parts of the page as it is shown; None where its middle is not on the page."""
    across, down = ctypes.c_int(), ctypes.c_int()
    corners = []
    for x, y in ((place[0], place[1]), (place[2], place[3])):
        raw.FPDF_PageToDevice(sheet, 0, 0, GRID, GRID, 0, x, y, across, down)
        corners.append((across.value / GRID, down.value / GRID))
    (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(*corners, strict=True))
    if not (0 <= (x0 + x1) / 2 <= 1 and 0 <= (y0 + y1) / 2 <= 1):
        return None
    return [round(min(1.0, max(0.0, part)), 4) for part in (x0, y0, x1, y1)]


def page(
    content: bytes,
    kind: str,
    number: int,
    width: int,
    turn: int,
    *,
    enlarged: bool = False,
    part: list[float] | None = None,
) -> bytes:
    """The page (from 1) as a PNG of this width before it is turned clockwise by `turn` degrees; a smaller picture only where it is `enlarged`.

    `part` cuts that box out of it, in parts of the page.
    """
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
        if enlarged and drawn.width < width and drawn.height * width <= 2 * WIDEST * drawn.width:
            drawn = drawn.convert("L").resize(
                (width, round(drawn.height * width / drawn.width)), Image.Resampling.LANCZOS
            )
        drawn.thumbnail((width, 2 * WIDEST), Image.Resampling.LANCZOS)
        drawn = drawn.convert("RGB")
    if part is not None:
        drawn = drawn.crop((*(round(edge * side) for edge, side in zip(part, drawn.size * 2, strict=True)),))
    if turn % 360:
        drawn = drawn.rotate(-turn, expand=True)
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


def main(order: dict[str, Any], content: bytes) -> bytes:
    """The answer to one question, its first byte told apart: `j` JSON, `p` PNG."""
    try:
        if order["what"] == "about":
            return b"j" + json.dumps(describe(content, order["kind"])).encode()
        if order["what"] == "words":
            return b"j" + json.dumps(words(content, order["kind"], order["most_pages"])).encode()
        width, enlarged = min(WIDEST, order["width"]), bool(order.get("enlarged"))
        return b"p" + page(
            content,
            order["kind"],
            order["page"],
            width,
            order["turn"],
            enlarged=enlarged,
            part=order.get("part"),
        )
    except Wrong as wrong:
        return b"j" + json.dumps({"wrong": str(wrong)}).encode()
    except MemoryError:
        return (
            b"j"
            + json.dumps(
                {"wrong": "The file takes more memory than a file may. Make it simpler, or send it in parts."}
            ).encode()
        )


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if given["what"] == "recognise":  # the picture on standard input is one that `page` has drawn
        os.execve(  # noqa: S606 (the program is the one that is installed)
            given["program"],
            ["tesseract", "stdin", "stdout", *given["options"]],
            {"OMP_THREAD_LIMIT": "1", **given["environment"]},
        )
    sys.stdout.buffer.write(main(given, sys.stdin.buffer.read()))
