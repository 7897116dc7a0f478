"""The case file of a run: what stands in it, for whom, and that a hostile value stays text."""

import io
import json
import re
import zipfile

import pytest

from console import log, reports, runs
from console.errors import Invalid, NotFound
from console.reports import press
from tests.company import Company
from tests.papers import evidence, pdf


def test_the_archive_holds_the_run_its_events_and_documents(company: Company) -> None:
    run_id = evidence(company)
    runs.attachments.attach(company.olivia, run_id, step="note", field="evidence", name="../../a/b:c.pdf", content=pdf())
    case = reports.case_file(company.mona, run_id, "zip")
    with zipfile.ZipFile(io.BytesIO(reports.archive(case))) as made:
        assert made.namelist()[:2] == ["run.json", "events.jsonl"]
        assert re.fullmatch(r"documents/001-[^/\\\\:]*c\.pdf", made.namelist()[2])
        assert json.loads(made.read("run.json"))["id"] == run_id
        lines = [json.loads(line) for line in made.read("events.jsonl").splitlines()]
        assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
        assert made.read(made.namelist()[2])[:4] == b"%PDF"
        (told,) = json.loads(made.read("opened.json"))
        assert (told["title"], told["opened"], told["never_opened"]) == ("b c.pdf", [], [1])
    event = next(event for event in reversed(log.events_of(company.mona.session, limit=100)) if event.type == "case_file_made")
    assert (event.open["run"], event.open["format"], event.open["documents"]) == (run_id, "zip", 1)


def test_who_may_not_see_the_run_gets_no_case_file(company: Company) -> None:
    run_id = company.at("note", "3")
    for who in ("stan", "tom"):
        with pytest.raises(NotFound):
            reports.case_file(company.people[who], run_id, "zip")


def test_the_paper_is_drawn_and_hostile_values_are_text(company: Company) -> None:
    run_id = company.at("note", "4")
    hostile = '<img src="file:///etc/passwd"><script>x</script><link rel="attachment" href="file:///etc/passwd">'
    company.answer(run_id, note=hostile)
    case = reports.case_file(company.olivia, run_id, "pdf", with_documents=False)
    assert reports.paper(case).startswith(b"%PDF")


def test_the_press_fetches_nothing() -> None:
    told = press.main('<link rel="attachment" href="file:///etc/hostname"><img src="http://127.0.0.1:9/x"><p>Here</p>')
    assert told.startswith(b"%PDF")
    assert b"EmbeddedFile" not in told


def test_a_run_that_is_too_long_is_told_the_way_out(company: Company) -> None:
    case = reports.case_file(company.olivia, company.at("note"), "pdf", with_documents=False)
    long = reports.CaseFile(case.run, [case.events[0]] * 1_001, ())
    with pytest.raises(Invalid, match="format=zip"):
        reports.paper(long)
