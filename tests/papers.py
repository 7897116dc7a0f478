"""Files as people send them, good and bad, and a workflow of the small company that asks for some."""

import copy
import io
import socketserver
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from console import runs, workflows
from tests.company import DOCUMENT, Company

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), colour: str = "red") -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def pdf(pages: int = 1, size: tuple[int, int] = (200, 300), text: str = "") -> bytes:
    """A PDF of so many empty pages, written by hand; `text` makes one differ from another."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    parts = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>"]
    parts += [f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size[0]} {size[1]}]>>"] * pages
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += f"{number} 0 obj{part}endobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    tail = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(parts) + 1}/Root 1 0 R>>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + tail.encode() + f"%{text}\n".encode()


def archive(*names: str, each: bytes = b"x", **more: bytes) -> bytes:
    """A zip file that holds these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, each)
        for name, content in more.items():
            made.writestr(name, content)
    return out.getvalue()


def workflow(slug: str, step: dict[str, Any]) -> str:
    """The company's workflow with this step in the place of its note, live."""
    document = copy.deepcopy(DOCUMENT)
    document["slug"] = slug
    document["title"] = slug
    place = next(number for number, one in enumerate(document["steps"]) if one["id"] == "note")
    document["steps"][place] = {"id": "note", "title": "Note", **step}
    document["steps"][-2]["config"] = {"values": {"note": "steps.note"}}
    workflows.import_file(document, publish=True)
    return slug


def evidence(company: Company, slug: str = "evidence", record: str = "1", **field: Any) -> str:
    """A run that stands at a step which asks for files."""
    asked = {"name": "evidence", "label": "Evidence", "type": "files", "required": True, **field}
    workflow(slug, {"type": "update_data", "config": {"form": [asked]}, "next": {"default": "rate"}})
    return at_note(company, slug, record)


def at_note(company: Company, slug: str, record: str = "1", by: str = "olivia", until: str = "note") -> str:
    """A run of that workflow which has come to its note, or to the step named."""
    run_id = runs.start(company.people[by], slug, "customer", record, {"why": "periodic"})
    while (told := company.told(run_id, by))["current"]["step"] != until:
        company.answer(run_id, by, told)
    return run_id


CHECKS: list[dict[str, Any]] = [
    {"id": "name", "label": "Name as in the record", "find": "record.display_name"},
    {
        "id": "age",
        "label": "Not too old",
        "pass": "document.issued_on >= date('2026-01-01')",
        "at": ["issued_on"],
        "said": "Of {{ document.issued_on }}.",
    },
    {
        "id": "digits",
        "label": "Check digits",
        "if": "document.mrz.number != null",
        "pass": "document.mrz.valid",
        "at": ["mrz"],
    },
    {"id": "tax", "label": "A name is known", "about": "values", "pass": "record.display_name != null"},
]
TICKS = [{"value": "name", "label": "Name"}, {"value": "age", "label": "Age"}]
CHECKED: dict[str, Any] = {
    "type": "update_data",
    "config": {
        "form": [
            {"name": "evidence", "label": "Evidence", "type": "files"},
            {"name": "checked", "label": "Checked", "type": "checklist", "options": TICKS},
        ],
        "documents": "'evidence'",
        "checks": CHECKS,
    },
    "next": {"default": "rate"},
}
"""A step with a checklist of what is handed in."""

REQUEST: dict[str, Any] = {
    "documents": [
        {
            "id": "extract",
            "label": "Register extract",
            "types": ["pdf"],
            "help": "Not older than three months",
        },
        {"id": "photos", "label": "Photos", "required": False, "many": True, "types": ["jpeg", "png"]},
        {"id": "never", "label": "Never asked for", "if": "record.desk == 'nowhere'"},
    ],
    "form": [
        {"name": "iban", "label": "IBAN", "required": True},
        {"name": "staff", "label": "Staff", "type": "integer"},
    ],
    "to": "record.email",
    "name": "record.display_name",
    "subject": "Papers of {{ record.display_name }}",
    "text": "Dear **{{ record.display_name }}**, please send us these.",
}


def asking(
    company: Company, slug: str = "asking", record: str = "1", until: str = "note", **config: Any
) -> str:
    """A run that waits for documents."""
    step = {
        "type": "request_documents",
        "config": {**REQUEST, **config},
        "next": {"received": "rate", "expired": "decide"},
    }
    workflow(slug, step)
    return at_note(company, slug, record, until=until)


class _Scanner(socketserver.StreamRequestHandler):
    """clamd's side of INSTREAM."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while count := struct.unpack("!L", self.rfile.read(4))[0]:
            content += self.rfile.read(count)
        answer = getattr(self.server, "answer", None)
        if answer is None:
            answer = b"stream: Eicar-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
        self.wfile.write(answer)


@contextmanager
def scanner(place: Path | None = None, answer: bytes | None = None) -> Iterator[str]:
    """A virus scanner on a socket of this path, or on a port of this machine; where it listens. `answer` is what it says of everything."""
    made: Any = (
        socketserver.ThreadingUnixStreamServer(str(place), _Scanner)
        if place
        else socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Scanner)
    )
    made.daemon_threads, made.answer = True, answer
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield str(place) if place else f"127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()
    thread.join()


def text_of(content: bytes) -> str:
    """The text of all pages of a PDF."""
    return "\n".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content))
