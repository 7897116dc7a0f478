"""The test panel: a dry run answered step by step on the page, kept as a test; for whoever may edit the workflow."""

from datetime import date
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.auth.accounts import teamwork
from console.core import drafting
from console.core.drafting import SetDocument
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.monitoring import outcomes
from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

URL = "/workflows/care-review/test"


def go(
    pages: Pages,
    page: Page,
    do: str = "run",
    status: int = 200,
    typed: dict[str, Any] | None = None,
    **more: Any,
) -> Page:
    """Press a button of the form."""
    return pages.mona.send(page, "/test", status=status, do=do, **(typed or {}), **more)


def test_a_dry_run_is_answered_on_the_page_and_kept_as_a_test(pages: Pages) -> None:
    page = go(pages, pages.mona.get(URL), typed={"v.record": "1", "v.input.why": "periodic"})
    assert "It stops at “Read this”." in page.text
    page = go(pages, page)
    assert "It stops at “Take a note”." in page.text
    refused = go(pages, page, typed={"v.answer.count": "many"})
    assert "It stops at “Take a note”." in refused.text
    assert "many" in str(refused.forms)
    page = go(pages, refused, typed={"v.answer.count": "2", "v.answer.note": "Fine."})
    page = go(pages, page, typed={"v.answer.risk": "high"})
    assert (
        "It stops at “Decide”." in page.text,
        "Update risk" in page.text,
        "empty → High" in page.text,
    ) == (True, True, True)
    failing = go(pages, page, "look", typed={"effect.rate": "failed"})
    assert "It stops at “Rate the risk”." in failing.text
    page = go(pages, failing, "look", typed={"effect.rate": "succeeded"})
    ended = go(pages, page, outcome="approve")
    assert "It ends as Approved." in ended.text
    back = go(pages, ended, "back")
    assert "It stops at “Decide”." in back.text
    assert "Give the test a name." in go(pages, ended, "keep", status=422).text
    go(pages, ended, "keep", status=303, name="High is approved")
    kept = workflows.open_draft(pages.company.mona, "care-review").document["tests"][0]
    assert (kept["name"], kept["expect"]["outcome"], kept["answers"]["rate"]) == (
        "High is approved",
        "Approved",
        {"values": {"email": "adaeze@customers.example", "risk": "high"}},
    )
    told = go(pages, pages.mona.follow(), "tests")
    assert "High is approved: holds" in told.text
    go(pages, told, "run", status=303, remove="High is approved")
    assert "Removed the test “High is approved”." in pages.mona.follow().text
    assert "tests" not in workflows.open_draft(pages.company.mona, "care-review").document
    assert fetch("select count(*) from console.run")[0][0] == 0


@pytest.mark.parametrize("who", ["olivia", "stan", "rosa", "ada"])
def test_nobody_else_gets_in(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    status = 404 if who == "stan" else 403
    browser.get(URL, status=status)
    browser.post(
        URL,
        {"csrf_token": browser.token, "do": "run", "v.record": "1", "t.record": "reference"},
        status=status,
    )


def test_publishing_asks_why_where_a_test_fails(pages: Pages) -> None:
    test = {
        "name": "Begins with the record",
        "expect": {"path": ["load"]},
        "record": "1",
        "input": {"why": "event"},
    }
    workflows.edit(pages.company.mona, "care-review", 0, [SetDocument(field="tests", value=[test])])
    page = pages.mona.get("/workflows/care-review/publish")
    stopped = pages.mona.send(page, "/publish", status=409, note="Tests.")
    assert (
        "Begins with the record: It begins with “Start”, and “Load the customer” was expected."
        in stopped.text
    )
    pages.mona.send(stopped, "/publish", note="Tests.", accept="Mended tomorrow.")
    assert workflows.live("care-review").number == 2


def test_what_is_executed_is_the_draft_and_nothing_of_it_is_published(pages: Pages) -> None:
    mona = pages.company.mona
    changes = [{"op": "set", "step": "read", "field": ["title"], "value": "Read this twice"}]
    workflows.edit(mona, "care-review", 0, drafting.read_changes(changes))
    begun = {"v.record": "1", "v.input.why": "periodic"}
    page = pages.mona.get(URL)
    go(pages, page, "execute", status=303, sure="yes", typed=begun)
    shown = pages.mona.follow()
    assert "Read this twice" in shown.text
    assert "Draft" in shown.text
    run, number = fetch("select id, version from console.run")[0]
    assert (number, pages.company.told(run, "mona")["test"], workflows.live("care-review").number) == (
        -1,
        True,
        1,
    )
    go(
        pages, pages.mona.get(URL), "execute", status=303, sure="yes", typed=begun
    )  # the same draft is kept once
    assert fetch("select count(*) from console.workflow_version where number < 0")[0][0] == 1
    assert [each.number for each in workflows.versions_of(mona, "care-review")[0]] == [1]
    assert "Draft" in pages.mona.get("/workflows/care-review/executions").text
    with pytest.raises(Conflict, match="tries a draft"):
        runs.move_run(mona, run, version=1, steps={}, reason="No.")
    runs.abort(mona, run, revision=None, reason="Seen.")
    assert outcomes.counted_days(mona, date(2000, 1, 1), "UTC") == {}
    with pytest.raises(Conflict, match="tried a draft"):
        runs.rerun(mona, run, origin="start", version="original")
    workflows.publish_draft(mona, "care-review")
    assert (
        workflows.live("care-review").number,
        workflows.newest_number(workflows.live("care-review").id),
    ) == (2, 2)
    [(other,)] = fetch("select id from console.run where id <> %s", (run,))
    assert "goes on with the draft as it was then" in pages.mona.get(f"/runs/{other}").text


def test_a_draft_is_executed_only_by_who_may_publish_it_and_not_past_a_second_person(pages: Pages) -> None:
    mona, olivia = pages.company.mona, pages.company.olivia
    workflows.edit(mona, "care-review", 0, [SetDocument(field="description", value="Another.")])
    with pytest.raises(NotAllowed):
        runs.execute_draft(olivia, "care-review", "1", {"why": "periodic"}, revision=1)
    with pytest.raises(NotFound):
        runs.execute_draft(pages.company.stan, "care-review", "1", {"why": "periodic"}, revision=1)
    access.grant("operator", "workflow:care-review", ["edit"], team="operations")
    assert "Execute" not in pages.olivia.get(URL).text
    pages.olivia.post(
        URL,
        pages.olivia.get(URL).form("/test")["fields"] | {"do": "execute", "sure": "yes", "v.record": "1"},
        status=403,
    )
    with pytest.raises(Conflict, match="changed in the meantime"):
        runs.execute_draft(mona, "care-review", "1", {"why": "periodic"}, revision=0)
    teamwork.change(pages.company.ines, "operations", second_person=True)
    with pytest.raises(Conflict, match="second person"):
        runs.execute_draft(mona, "care-review", "1", {"why": "periodic"}, revision=1)
    assert "ask for it to be published" in pages.mona.get(URL).text
    assert fetch("select count(*) from console.run")[0][0] == 0


def test_a_real_run_is_marked_as_a_test_and_begins_only_when_asked_twice(pages: Pages) -> None:
    live = pages.company.started("1")
    page = pages.mona.get(URL)
    begun = {"v.record": "1", "v.input.why": "periodic"}
    assert "Say that you know" in go(pages, page, "execute", status=422, typed=begun).text
    go(pages, page, "execute", status=303, sure="yes", typed=begun)
    rows = fetch("select id from console.run where id <> %s", (live,))
    told = pages.company.told(rows[0][0], "mona")
    assert (len(rows), told["test"], told["holder"]) == (1, True, pages.company.mona.id)
    assert "Test" in pages.mona.follow().text
