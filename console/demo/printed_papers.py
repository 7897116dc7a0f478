"""Proofs of address, register extracts, articles and letters as PDF, from one small template."""

import functools
from html import escape
from typing import Any

# One face, one weight, few boxes: fonts are cut to size for each paper, and every box and page margin costs time in seven hundred papers.
TEMPLATE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
@page {{ size: A4; margin: 22mm }} body {{ font: 10.5pt/1.6 "DejaVu Sans", sans-serif }} h1 {{ font-size: 17pt; font-weight: normal; margin: 0 }}
p {{ white-space: pre-line }} .issuer {{ border-bottom: 1pt solid; padding-bottom: 4mm }} .next {{ break-before: page }}
table {{ border-collapse: collapse; width: 100% }} td, th {{ font-weight: normal; text-align: left; padding: 1.4mm 2mm; border-bottom: .5pt solid }}
</style></head><body><h1>{title}</h1><p class="issuer">{issuer}
SPECIMEN · made-up document</p>{body}</body></html>"""


def page(facts: dict[str, str]) -> str:
    """The HTML of a paper: `title`, `issuer`, then `lines` (label: value), `table` (cells by `|`, head first) and `text` (a form feed begins a page)."""
    parts = [_lines(facts.get("lines", "")), _table(facts.get("table", "")), _text(facts.get("text", ""))]
    return TEMPLATE.format(title=escape(facts["title"]), issuer=escape(facts["issuer"]), body="".join(parts))


def paper(facts: dict[str, str]) -> tuple[bytes, int]:
    """The PDF and the number of its pages. Raises OSError where WeasyPrint's libraries are missing."""
    from weasyprint import HTML

    document = HTML(string=page(facts)).render(font_config=_fonts())
    made: bytes = document.write_pdf()
    return made, len(document.pages)


@functools.cache
def _fonts() -> Any:
    """One set of fonts for all papers: looking them up takes a sixth of the time."""
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


@functools.cache
def available() -> bool:
    """Whether PDFs can be made here: WeasyPrint needs Pango."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return False
    return True


def _lines(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _table(text: str) -> str:
    rows = [[escape(cell) for cell in line.split("|")] for line in text.splitlines()]
    if not rows:
        return ""
    head, *rest = rows
    return (
        "<table><tr><th>"
        + "<th>".join(head)
        + "".join("<tr><td>" + "<td>".join(row) for row in rest)
        + "</table>"
    )


def _text(text: str) -> str:
    pages = text.split("\f") if text else []
    return "".join(
        f'<p class="{"next" if place else "first"}">{escape(part.strip())}</p>'
        for place, part in enumerate(pages)
    )
