"""The case file of a run: what stands in it, for whom, that its archive proves itself, and that a hostile value stays text."""

import hashlib
import importlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pypdfium2
import pytest

from console import runs
from console.activity import sequencing
from console.infra.db.engine import fetch
from console.log import tree_heads, verify
from console.monitoring.reports import pdf_process
from console.work import approvals
from tests.company import Company
from tests.conftest import web_app
from tests.papers import evidence, pdf, text_of
from tests.support.four_eyes import bank, charging, requested
from tests.views.conftest import Pages

__all__ = ["bank"]

pytestmark = pytest.mark.slow


@pytest.fixture
def pages(company: Company) -> Pages:
    return Pages(company, web_app())


def taken(pages: Pages, who: str, run_id: str, form: str) -> bytes:
    answer = getattr(pages, who).client.get(f"/runs/{run_id}/case-file?format={form}")
    assert answer.status_code == 200, answer.text
    content: bytes = answer.data
    return content


def unpacked(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        made.extractall(folder)
    return folder


def attached(content: bytes) -> dict[str, bytes]:
    """What is attached to a PDF, by name."""
    paper = pypdfium2.PdfDocument(content)
    found = [paper.get_attachment(number) for number in range(paper.count_attachments())]
    return {one.get_name(): bytes(one.get_data()) for one in found}


def test_an_outsider_checks_the_archive_of_one_case_alone(
    company: Company, pages: Pages, tmp_path: Path
) -> None:
    run_id = evidence(company)
    value = runs.attachments.attach(
        company.olivia, run_id, step="note", field="evidence", name="../../a/b:c.pdf", content=pdf()
    )
    company.answer(run_id, evidence=[value.value])
    sequencing.sequence_and_sign()
    content = taken(pages, "mona", run_id, "zip")
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        names = made.namelist()
        (document,) = [name for name in names if name.startswith("documents/")]
        assert re.fullmatch(r"documents/001-[^/\\:]*c\.pdf", document)
        assert {
            "case-file.pdf",
            "events.jsonl",
            "values.jsonl",
            "proofs.json",
            "checkpoint",
            "verify.py",
            "run.json",
        } <= set(names)
        assert json.loads(made.read("run.json"))["id"] == run_id
        lines = [json.loads(line) for line in made.read("events.jsonl").splitlines()]
        assert [line["run_seq"] for line in lines] == list(range(1, len(lines) + 1))
        (opened,) = json.loads(made.read("opened.json"))
        assert (opened["title"], opened["opened"], opened["never_opened"]) == ("b c.pdf", [], [1])
    (tmp_path / "case.zip").write_bytes(content)
    key = str(tree_heads.verifier_key())
    words = verify.verify(tmp_path / "case.zip", [key], None)
    assert f"verified {len(lines)} events" in words
    assert "no chain here has a gap" in words
    assert "documents: 1, 0 of them named by no event" in words
    assert "not proved: case-file.pdf, opened.json, run.json" in words
    events = fetch("select convert_from(body, 'UTF8')::jsonb from console.event")
    (noted,) = [event["data"]["open"] for (event,) in events if event["type"] == "case_file_made"]
    assert (noted["run"], noted["format"], noted["documents"]) == (run_id, "zip", 1)
    [about] = [event["target"] for (event,) in events if event["type"] == "case_file_made"]
    assert (about["coll"], str(about["key"])) == ("customer", runs.get(company.mona, run_id).json["record"])

    chain = "events.jsonl"
    forged: dict[str, dict[str, bytes | None]] = {
        "edited": {document: b"another"},
        "inserted": {"documents/x.pdf": b"one more"},
        "document gone": {document: None},
        "event gone": {
            chain: b"".join(
                (unpacked(content, tmp_path / "whole") / chain).read_bytes().splitlines(keepends=True)[:-1]
            )
        },
    }
    for kind, files in forged.items():
        folder = unpacked(content, tmp_path / kind)
        for name, changed in files.items():
            (folder / name).unlink(missing_ok=True)
            if changed is not None:
                (folder / name).write_bytes(changed)
        with pytest.raises(verify.Fault) as fault:
            verify.verify(folder, [key], None)
        assert " " in kind or fault.value.kind == kind


def test_the_paper_is_the_same_for_the_same_case_and_carries_its_proofs(
    company: Company, pages: Pages, tmp_path: Path
) -> None:
    run_id = company.at("rate", "3")
    sequencing.sequence_and_sign()
    first = taken(pages, "mona", run_id, "pdf")
    company.answer(company.at("note", "4"), note="Something else goes on")
    sequencing.sequence_and_sign()
    assert taken(pages, "mona", run_id, "pdf") == first
    (tmp_path / "proofs.zip").write_bytes(attached(first)["proofs.zip"])
    assert "verified" in verify.verify(tmp_path / "proofs.zip", [str(tree_heads.verifier_key())], None)
    text = text_of(first)
    assert "KYC" in text or "review" in text.lower()
    assert "Olivia" in text
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text), "a moment as a person reads it"


def test_the_first_page_says_what_was_decided_and_the_others_each_thing_once(
    company: Company, pages: Pages
) -> None:
    run_id = evidence(company)
    value = runs.attachments.attach(
        company.olivia, run_id, step="note", field="evidence", name="passport.pdf", content=pdf()
    )
    company.answer(run_id, evidence=[value.value])
    runs.revise(company.olivia, run_id, revision=None, step="note", attempt=None, reason="The wrong page")
    company.answer(run_id, evidence=[value.value])
    sequencing.sequence_and_sign()
    content = taken(pages, "olivia", run_id, "pdf")
    paper, text = pypdfium2.PdfDocument(content), " ".join(text_of(content).split())
    assert len(paper) <= 5
    first = " ".join(paper[0].get_textpage().get_text_range().split())
    for words in ("Decision None yet", "Open points Not ended", "passport.pdf: never opened"):
        assert words in first, words
    assert "Reason: The wrong page" in text
    assert hashlib.sha256(pdf()).hexdigest() in text.replace(" ", "")
    images = [each for page in paper for each in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])]
    assert len(images) == 1, "the document as a picture"
    assert "Olivia was shown" not in text
    assert "Olivia was shown" in attached(content)["events.csv"].decode()
    answer = pages.olivia.client.get(f"/runs/{run_id}/case-file")
    day = runs.events(company.olivia, run_id, limit=100)[0][-1]["createdAt"][:10]
    named = unquote(answer.headers["Content-Disposition"].partition("UTF-8''")[2])
    assert named == f"{paper.get_metadata_value('Title')} – {day}.pdf"


def test_approvals_have_their_reasons_and_addresses(bank: Company) -> None:
    charging()
    run_id, approval = requested(bank)
    approvals.reject(bank.mona, approval, reason="Too much for one month")
    mona = Pages(bank, web_app()).mona
    text = " ".join(text_of(mona.client.get(f"/runs/{run_id}/case-file").data).split())
    assert "Rejected by Mona" in text
    assert "Too much for one month" in text
    assert f"/approvals/{approval}" in text.replace(" ", "")


@pytest.mark.parametrize("who", ["stan", "tom"])
@pytest.mark.parametrize("form", ["pdf", "zip"])
def test_who_may_not_see_the_run_gets_no_case_file(
    company: Company, pages: Pages, who: str, form: str
) -> None:
    run_id = company.at("note", "3")
    browser = getattr(pages, who)
    browser.get(f"/runs/{run_id}/case-file?format={form}", status=404)
    assert run_id not in browser.answer.text.replace(f"/runs/{run_id}", "")


def test_without_a_session_it_leads_to_signing_in(company: Company) -> None:
    answer = web_app().test_client().get(f"/runs/{company.at('note')}/case-file")
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/sign-in")


def test_hostile_values_are_text_on_the_paper(company: Company, pages: Pages) -> None:
    run_id = company.at("note", "4")
    hostile = (
        '<img src="file:///etc/passwd"><script>x</script><link rel="attachment" href="file:///etc/passwd">'
    )
    company.answer(run_id, note=hostile)
    content = taken(pages, "olivia", run_id, "pdf")
    assert list(attached(content)) == ["events.csv"], "nothing signed yet, and nothing that the text names"
    assert '<img src="file:///etc/passwd">' in "".join(text_of(content).split("\r\n"))


def test_the_press_fetches_nothing() -> None:
    order: dict[str, Any] = {"attached": {}, "at": "2026-11-20T06:30:00Z"}
    page = '<body><link rel="attachment" href="file:///etc/hostname"><img src="http://127.0.0.1:9/x"><p>Here \ue000</p>'
    made = importlib.import_module("console.monitoring.reports.case_file")._press.ask(
        json.dumps(order | {"page": page}).encode()
    )
    assert made.startswith(b"%PDF")
    assert b"EmbeddedFile" not in made
    assert "Not everything could be printed. 1 character (other signs) is in no font" in " ".join(
        text_of(made).split()
    )
    assert "2 different characters (Chinese, Thai) are in no font" in pdf_process.what_is_missing(
        map(ord, "王ส")
    )


def test_a_run_that_is_too_long_is_told_the_way_out(
    company: Company, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = company.at("note")
    monkeypatch.setattr(importlib.import_module("console.monitoring.reports.case_file"), "MOST_LINES", 3)
    pages.mona.get(f"/runs/{run_id}/case-file", status=422)
    assert "archive" in pages.mona.answer.text
    with zipfile.ZipFile(io.BytesIO(taken(pages, "mona", run_id, "zip"))) as made:
        assert "case-file.pdf" not in made.namelist()
        assert "too long for a paper" in made.read("case-file.txt").decode()
