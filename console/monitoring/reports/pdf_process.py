"""The program that draws a paper: a page and what is attached to it on its standard input, PDF on its standard output.

It runs under the limits of `console.infra.files.confined_process`. Nothing is fetched: no address, no file, only what stands in the page itself as data.
The PDF is tagged, as PDF/UA-1 asks, and archivable (PDF/A-3a). Imports nothing of the console.
"""

import base64
import gc
import hashlib
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

ACCESSIBLE = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema><pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 that the file follows</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""
"""Says PDF/UA-1 beside the PDF/A-3a that WeasyPrint says, and as PDF/A asks, what that property is."""

SCRIPTS = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""How scripts are called whose name in Unicode says something else."""


def mend_tags(_: Any, pdf: Any) -> None:
    """Mend the tags that WeasyPrint gives: a pair of a list of pairs is one item with its label, and what stands in the margins is no part of the text."""
    named: list[Any] = [each for each in pdf.objects if isinstance(each, dict)]
    elements = {each.reference: each for each in named if each.get("Type") == "/StructElem"}
    read, left = set[bytes](), [each.reference for each in elements.values() if each["S"] == "/Document"]
    while left:
        name = left.pop()
        read.add(name)
        left += _kids(elements, name)
        if elements[name]["S"] == "/L":
            for pair in (kid for kid in _kids(elements, name) if elements[kid]["S"] == "/Div"):
                parts = _parts(elements, pair)
                elements[pair]["S"], elements[pair]["K"][:] = "/LI", parts
                for part in parts:
                    elements[part]["P"] = pair
                    label = (
                        part == parts[0] and len(parts) > 1
                    )  # alone it is the rest of a pair, on the next page
                    elements[part]["S"] = "/Lbl" if label else "/LBody"
                    for body in _kids(elements, part):
                        elements[body]["S"] = "/NonStruct"
    [root] = [each for each in named if each.get("Type") == "/StructTreeRoot"]
    numbered = pdf.objects[_number(root["ParentTree"])]["Nums"]
    owners = dict(zip(numbered[::2], numbered[1::2], strict=True))
    for page in (each for each in named if each.get("Type") == "/Page"):
        stream, of_page = pdf.objects[_number(page["Contents"])].stream, owners[page["StructParents"]]
        for place, part in enumerate(stream):
            if isinstance(part, dict) and "MCID" in part and of_page[part["MCID"]] not in read:
                of_page[part["MCID"]] = "null"
                stream[place - 1 : place + 1] = "/Artifact", "<</Type /Pagination>>"


def _kids(elements: Mapping[bytes, Any], name: bytes) -> list[bytes]:
    return [kid for kid in elements[name]["K"] if kid in elements]


def _parts(elements: Mapping[bytes, Any], name: bytes) -> list[bytes]:
    """Return the items of a pair; one that is drawn as a table has boxes between."""
    return [
        part
        for kid in _kids(elements, name)
        for part in (_parts(elements, kid) if elements[kid]["S"] == "/Div" else [kid])
    ]


def _number(reference: bytes) -> int:
    return int(reference.split()[0])


def main(order: dict[str, Any]) -> bytes:
    """The PDF of `page`, with what is `attached` to it (name → base64); `at` is the moment that it bears."""
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    closed = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    at = datetime.fromisoformat(order["at"]).astimezone(UTC)
    os.environ["SOURCE_DATE_EPOCH"] = str(
        int(at.timestamp())
    )  # the time in the fonts, which would otherwise be that of today
    contents = {name: base64.b64decode(content) for name, content in order["attached"].items()}
    about: dict[str, Any] = {"created": at, "modified": at, "relationship": "Data"}
    attached = [
        Attachment(string=content, name=name, description=f"The events of this case: {name}", **about)
        for name, content in contents.items()
    ]
    unprinted = set[int]()

    def finished(document: Any, pdf: Any) -> None:
        unprinted.update(mark for font in document.fonts.values() for mark in font.missing)
        mend_tags(document, pdf)

    def drawn(page: str) -> bytes:
        made: bytes = HTML(string=page, url_fetcher=closed).write_pdf(
            pdf_variant="pdf/a-3a",
            pdf_identifier=hashlib.sha256(b"".join([page.encode(), *contents.values()])).digest()[:16],
            xmp_metadata=[io.BytesIO(ACCESSIBLE)],
            attachments=attached,
            finisher=finished,
        )
        return made

    made = drawn(order["page"])
    if not unprinted:
        return made
    head, end, rest = order["page"].partition("</header>")
    told = f'<p class="unprinted"><b>Not everything could be printed.</b> {escape(what_is_missing(unprinted))}</p>'
    return drawn(f"{head}{end}{told}{rest}" if end else order["page"].replace("<body>", f"<body>{told}", 1))


def what_is_missing(marks: Iterable[int]) -> str:
    """The sentence about characters that stand as boxes, since no font of this machine has them."""
    letters = {chr(mark) for mark in marks}
    named = {
        unicodedata.name(mark, "").partition(" ")[0] if unicodedata.category(mark)[0] in "LM" else ""
        for mark in letters
    }
    scripts = ", ".join(sorted({SCRIPTS.get(name, name.capitalize() or "other signs") for name in named}))
    one = len(letters) == 1
    return (
        f"{len(letters)} {'character' if one else 'different characters'} ({scripts}) {'is' if one else 'are'} in no font of the machine that drew"
        f" this paper, and {'stands' if one else 'stand'} here as boxes, so that it does not keep to PDF/A. The pages of the console show them, and the"
        " archive holds them. The fonts are in the packages fonts-noto-core and fonts-noto-cjk."
    )


if __name__ == "__main__":
    gc.disable()  # one paper and out: looking for what is no longer used takes a sixth of the time and frees 2 MB
    sys.stdout.buffer.write(main(json.load(sys.stdin.buffer)))
