"""What was decided: the report of a period for auditors, as a page, as CSV and on paper; nothing in it that its reader may not see."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from console import activity, log, runs
from console.activity import sequencing
from console.core.errors import NotAllowed
from console.log.event_lists import LogFilter
from console.monitoring.reports import tables
from tests.company import Company
from tests.conftest import web_app
from tests.papers import text_of
from tests.support.four_eyes import publish, step
from tests.views.conftest import Pages
from tests.views.test_block_pages import hide

pytestmark = pytest.mark.lengthy

PATH = "/reports/what-was-decided"


@pytest.fixture
def pages(company: Company) -> Pages:
    return Pages(company, web_app())


def lines(
    company: Company, by: str = "ada", since: datetime | None = None, until: datetime | None = None
) -> list[tuple[Any, ...]]:
    report = tables.get(company.people[by], "what-was-decided")
    assert isinstance(report, tables.PeriodReport)
    sequencing.catch_up(5)
    now = log.now()
    rows = report.between(
        company.people[by], since or now - timedelta(days=1), until or now + timedelta(seconds=1)
    )
    return [tuple(row) for row in rows]


def matters(company: Company) -> list[tuple[str, str]]:
    return [(line[1], line[2]) for line in lines(company)]


def test_a_run_that_was_given_up_is_an_exception_with_its_reason_and_leads_to_its_replay(
    company: Company,
) -> None:
    run_id = company.started("1")
    runs.abort(company.olivia, run_id, revision=None, reason="Begun twice.")
    [(_, matter, _, case, what, why)] = lines(company)
    assert (matter, why) == ("Exception", "Begun twice.")
    assert case.href.startswith(f"/runs/{run_id}/replay?at=")
    assert "aborted Care review" in what


def test_a_decision_is_there_with_who_made_it(company: Company, pages: Pages) -> None:
    run = company.started("1")
    page = pages.olivia.get(f"/runs/{run}")
    handed_in: list[dict[str, Any]] = [{}, {"v_note": "x"}, {}, {"outcome": "approve"}]
    for values in handed_in:
        pages.olivia.send(page, "/complete", **values)
        page = pages.olivia.follow()
    [decision] = [line for line in lines(company) if line[1] == "Decision"]
    assert company.olivia.id not in decision
    assert decision[2].startswith("Olivia")


def test_the_period_takes_in_its_first_moment_and_leaves_out_its_last(company: Company) -> None:
    runs.abort(company.olivia, company.started("1"), revision=None, reason="No.")
    [(at, *_)] = lines(company)
    assert len(lines(company, since=at)) == 1
    assert lines(company, until=at) == []
    assert lines(company, since=at + timedelta(microseconds=1)) == []


def test_page_file_and_paper_say_the_same_and_each_download_is_an_export(
    company: Company, pages: Pages
) -> None:
    runs.abort(company.olivia, company.started("1"), revision=None, reason="Begun <b>twice</b>, =1+1.")
    sequencing.catch_up(5)
    page = pages.ada.get(PATH)
    assert "Begun <b>twice</b>, =1+1." in page.text
    assert "Approval without an answer" in page.text, "what never happened is said too"
    [file, paper] = [link for link in page.links if link.startswith(PATH + ".")]
    head, line = csv.reader(io.StringIO(pages.ada.client.get(file).text))
    assert head[0] == "When (UTC)"
    assert line[-1] == "Begun <b>twice</b>, =1+1."
    answer = pages.ada.client.get(paper)
    assert answer.mimetype == "application/pdf"
    assert "Begun <b>twice</b>" in " ".join(text_of(answer.data).split())
    assert [matter for matter, _ in matters(company)] == ["Export", "Export", "Exception"]


def test_the_log_says_which_period_was_taken_away(company: Company, pages: Pages) -> None:
    asked = {"since": "2020-01-01", "until": "2020-01-31"}
    for form in (".csv", ".pdf"):
        pages.ada.client.get(f"{PATH}{form}?since={asked['since']}&until={asked['until']}")
    sequencing.catch_up()
    page = activity.page(company.people["ada"], LogFilter(kinds=("table_exported",)))
    noted = [("days" in row.event.body["data"]["open"], dict(row.event.sealed)) for row in page.rows]
    assert (
        noted
        == [(False, {"client_ip": "127.0.0.1", "filter/since": "2020-01-01", "filter/until": "2020-01-31"})]
        * 2
    )


@pytest.mark.parametrize("who", ["olivia", "stan", "mona"])
def test_who_does_not_read_the_log_reads_no_report_of_it(company: Company, pages: Pages, who: str) -> None:
    for form in ("", ".csv", ".pdf"):
        getattr(pages, who).get(PATH + form, status=404)
    report = tables.all_reports()["what-was-decided"]
    with pytest.raises(NotAllowed):
        list(report.rows(company.people[who], 7))


def test_who_reads_the_log_and_may_not_export_it_takes_no_file_of_it_away(
    company: Company, pages: Pages
) -> None:
    company.started("1")
    runs.abort(company.olivia, company.started("2"), revision=None, reason="Begun twice.")
    sequencing.catch_up(5)
    page = pages.ines.get(PATH)
    assert "Begun twice." in page.text
    assert not [link for link in page.links if link.startswith((f"{PATH}.csv", f"{PATH}.pdf"))]
    for form in ("csv", "pdf"):
        pages.ines.get(f"{PATH}.{form}", status=403)
    assert [link for link in pages.ada.get(PATH).links if link.startswith(f"{PATH}.csv")]


def test_reading_the_report_is_one_event(company: Company) -> None:
    runs.abort(company.olivia, company.started("1"), revision=None, reason="No.")
    lines(company)
    sequencing.catch_up(5)
    assert len(activity.page(company.people["ada"], LogFilter(kinds=("log_read",))).rows) == 1


CHOICE = step(
    "choose",
    "decision",
    {
        "form": [
            {"name": "amount", "label": "Credit", "type": "decimal", "currency": "steps.priced.code"},
            {
                "name": "why",
                "label": "Why not",
                "type": "enum",
                "options": [
                    {"value": "not_as_described", "label": "Not as described"},
                    {"value": "late", "label": "Late"},
                ],
            },
            {"name": "tax_id", "label": "Tax number", "type": "text", "value": "record.tax_id"},
            {"name": "band", "label": "Band", "type": "text", "readonly": True, "value": "record.desk"},
            {"name": "other", "label": "Other account", "type": "reference", "collection": "customer"},
        ],
        "options": [
            {"value": "yes", "label": "Give it", "fields": ["amount"], "optional": ["tax_id", "other"]},
            {"value": "no", "label": "Refuse", "fields": ["why"], "reason_required": True},
        ],
    },
    yes="end",
    no="end",
)
PRICED = step(
    "priced",
    "update_data",
    {"form": [{"name": "code", "label": "Currency", "type": "text"}]},
    default="choose",
)


def chosen(company: Company, record: str, outcome: str, **values: Any) -> str:
    run_id = runs.start(company.olivia, "with-why", "customer", record)
    company.answer(run_id, note="Looked at.")
    company.answer(run_id, code="JPY")
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="choose", revision=told["revision"], values=values, outcome=outcome),
    )
    return run_id


def test_a_decision_says_why_in_words_as_far_as_its_reader_may_see_on_the_page_in_the_file_and_on_paper(
    company: Company, pages: Pages
) -> None:
    hide("customer/tax_id", "auditor")
    publish("with-why", PRICED, CHOICE)
    chosen(company, "1", "no", why="not_as_described", reason="The parcel held stones.")
    chosen(company, "2", "yes", amount="1500", tax_id="SE987", other="1")
    sequencing.catch_up(5)
    page = pages.ada.get(PATH)
    said = [
        "The parcel held stones.; Why not: Not as described",
        "Credit: ¥1,500; Tax number: ••••••; Other account: Adaeze Okonkwo-Bell",
    ]
    [file, paper] = [link for link in page.links if link.startswith(PATH + ".")]
    table = list(csv.reader(io.StringIO(pages.ada.client.get(file).text)))
    assert [line[-1] for line in table if line[1] == "Decision"] == said[::-1]
    drawn = " ".join(text_of(pages.ada.client.get(paper).data).split())
    for words in ("The parcel held stones.", "Not as described", "Credit: ¥1,500", "Other account: Adaeze"):
        assert words in page.text, words
        assert words in drawn, words
    for raw in ("not_as_described", "SE987", "retail"):
        assert raw not in page.text
        assert raw not in drawn
