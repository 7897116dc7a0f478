"""Pages of workflows: cards and filters, the switch, executions, incidents and figures."""

import re
from typing import TYPE_CHECKING

import pytest

from console import monitoring, runs, workflows
from console.activity import sequencing
from tests.company import DOCUMENT, STEPS
from tests.support.failing import failed, mend

if TYPE_CHECKING:
    from tests.views.conftest import Pages

CARE = "/workflows/care-review"


def tight(words: str) -> str:
    """Without blanks: between a term and its value there is none."""
    return words.replace(" ", "")


@pytest.fixture
def broken(pages: "Pages") -> "tuple[Pages, str]":
    """Pages of a company in which a run failed, and the run."""
    old = failed(pages.company)
    sequencing.catch_up()
    monitoring.read_log()
    return pages, old


def test_cards_are_filtered_by_status_and_team(pages: "Pages") -> None:
    short = [STEPS[0] | {"next": {"default": "end"}}, STEPS[-1]]
    workflows.import_file(
        DOCUMENT | {"slug": "draft-one", "title": "A draft", "collection": None, "steps": short}
    )
    page = pages.mona.get("/workflows")
    assert {
        "/workflows/care-review",
        "/workflows/draft-one",
        CARE + "/switch?to=paused",
        "/workflows/draft-one/switch?to=active",
    } <= {*page.links}
    assert "All 2Active 1Draft 1Paused 0" in page.text
    assert "/workflows/care-review" not in pages.mona.get("/workflows?status=draft").links
    assert CARE + "/switch?to=paused" not in pages.olivia.get("/workflows").links
    workflows.archive(pages.company.mona, "care-review")
    assert "/workflows/care-review" not in pages.mona.get("/workflows").links
    assert "/workflows/care-review" in pages.mona.get("/workflows?status=archived").links
    assert "No workflow is here" in pages.mona.get("/workflows?status=paused").text
    drop = "/workflows/draft-one/switch"  # a draft that was never published can be deleted
    assert f"{drop}?to=deleted" in pages.mona.get("/workflows/draft-one").links
    pages.olivia.post(drop, {"csrf_token": pages.olivia.token, "to": "deleted"}, status=403)
    pages.mona.post(drop, {"csrf_token": pages.mona.token, "to": "deleted"}, status=303)
    pages.mona.get("/workflows/draft-one", status=404)
    pages.mona.post(CARE + "/switch", {"csrf_token": pages.mona.token, "to": "deleted"}, status=409)


def test_the_switch_says_what_it_will_do_and_does_it(pages: "Pages") -> None:
    assert "No run that you may see is live now." in pages.mona.get(CARE + "/switch?to=paused").text
    mona, inside = pages.mona, pages.company.started()
    page = mona.get(CARE + "/switch?to=paused")
    assert "1 live run that you may see is kept: pausing ends none" in page.text
    assert "Runs that a person holds can be gone on with" in page.text
    assert ("activate it again" in page.text, "stays where it is" in page.text) == (False, False), (
        "it is resumed, and a person goes on"
    )
    for end in ("completed", "archived"):
        assert "1 live run that you may see goes on to its end" in mona.get(f"{CARE}/switch?to={end}").text, (
            end
        )
    mona.post(
        CARE + "/switch", {"csrf_token": mona.token, "to": "paused", "reason": "Month's end"}, status=303
    )
    assert "Paused" in mona.get(CARE).text
    sequencing.sequence()
    page = mona.get(CARE + "/switch?to=active")
    assert re.search(r"Mona .*paused it .*: Month's end", page.text), (
        "another lead's reason stands before it goes on"
    )
    for words in (
        "Resume Care review?",
        "Version 1, as it is",
        "By a person, from a record",
        "Records it may be about 4",
        "no channel",
        "nothing by itself",
    ):
        assert tight(words) in tight(page.text), words
    page = mona.post(
        CARE + "/switch", {"csrf_token": mona.token, "to": "cancelled", "reason": " "}, status=422
    )
    assert "Say why in at most 2,000 characters" in page.text
    assert "Adaeze Okonkwo-Bell" in page.text
    mona.post(
        CARE + "/switch",
        {"csrf_token": mona.token, "to": "cancelled", "reason": "The law has changed"},
        status=303,
    )
    runs.end_cancelled()
    assert pages.company.told(inside)["reason"] == "The law has changed"
    assert mona.get(CARE + "/switch?to=archived").text.count("Archive Care review?")
    mona.get(CARE + "/switch?to=draft", status=404)
    page = mona.post(CARE + "/switch", {"csrf_token": mona.token, "to": "paused"}, status=409)
    assert "Only a workflow that is active can be paused; this one is cancelled." in page.text


def test_who_may_not_switch_is_told_which_right_it_needs(pages: "Pages") -> None:
    page = pages.olivia.post(CARE + "/switch", {"csrf_token": pages.olivia.token, "to": "active"}, status=403)
    assert "You may not activate Care review. No rule allows it for Operator" in page.text
    assert (CARE in page.links, "Back to Care review" in page.text) == (True, True)
    assert workflows.entry(pages.company.mona, "care-review").status == "active"


def test_executions_are_filtered_in_the_address(broken: "tuple[Pages, str]") -> None:
    pages, old = broken
    olivia, place = pages.olivia, "/workflows/reminding/executions"
    detail = f"{place}/{old}"
    for query in (
        "",
        "?status=failed",
        "?version=1&trigger=record",
        f"?id={old}",
        "?from=2020-01-01&to=2100-01-01",
        "?live=0",
    ):
        assert detail in olivia.get(place + query).links, query
    for query in (
        "?status=completed",
        "?trigger=api",
        "?id=run_x",
        "?to=2020-01-01",
        "?live=1",
        "?version=2",
    ):
        page = olivia.get(place + query)
        assert detail not in page.links, query
        assert "No run that you may see is like this" in page.text
    for query, words in (
        ("?status=odd", "There is no status odd."),
        ("?from=soon", "soon is no day."),
        ("?version=x", "x is no version."),
    ):
        assert words in olivia.get(place + query, status=400).text
    assert detail in pages.tom.get(place).links


def test_a_run_is_a_journal_with_its_error_open_from_which_it_is_done_again(
    broken: "tuple[Pages, str]",
) -> None:
    pages, old = broken
    olivia, place = pages.olivia, f"/workflows/reminding/executions/{old}"
    page = olivia.get(place)
    assert [
        name for tag, told in page.attributes if tag == "details" and "open" in told for name in told
    ] == ["class", "open"]
    for words in ("Journal", "Failed", "Adaeze Okonkwo-Bell", str(pages.company.told(old)["reason"])):
        assert words in page.text
    pages.mona.get(f"{CARE}/executions/{old}", status=404)
    mend(pages.company, "1")
    form = {"csrf_token": olivia.token, "from": "failure", "version": "live"}
    assert "It was done again already" not in olivia.get(place + "/retry").text
    answer = olivia.post(place + "/retry", form, status=303)
    warned = olivia.get(place + "/retry")
    assert "It was done again already" in warned.text
    assert "Once more may send or change things a second time." in warned.text
    made = runs.find(pages.company.olivia, {"rerun_of": old})[0][0]
    assert made.status == "completed"
    assert f"/workflows/reminding/executions/{made.id}" in olivia.get(place).links
    assert place in olivia.get(f"/workflows/reminding/executions/{made.id}").links
    assert answer is not None
    assert (
        "has completed"
        in olivia.post(f"/workflows/reminding/executions/{made.id}/retry", form, status=409).text
    )


def test_incidents_are_retried_together_and_set_aside(broken: "tuple[Pages, str]") -> None:
    pages, old = broken
    mona, place = pages.mona, "/workflows/reminding/incidents"
    page = mona.get(place)
    assert "Incidents 1" in page.text
    assert "Adaeze Okonkwo-Bell · At later" in page.text, "whom it is about"
    retry = next(link for link in page.links if link.endswith("/retry"))
    assert "Retry 1 run of Reminding?" in mona.get(retry).text
    mona.post(retry, {"csrf_token": mona.token, "from": "start", "version": "live"}, status=303)
    assert runs.find(pages.company.mona, {"rerun_of": old})[0][0].status == "failed"
    sequencing.catch_up()
    monitoring.read_log()
    close = next(link for link in mona.get(place).links if link.endswith("/close"))
    assert "Say why in at most" in mona.post(close, {"csrf_token": mona.token}, status=422).text
    mona.post(close, {"csrf_token": mona.token, "reason": "Called them"}, status=303)
    healed = mona.get(place).text
    assert "No open incident" in healed
    executions = mona.get("/workflows/reminding/executions").text
    assert [executions.count(what) for what in ("done again", "set aside")] == [1, 1]
    assert not [link for link in pages.ada.get(place).links if link.endswith(("/retry", "/close"))]


def test_figures_are_chosen_by_their_days(broken: "tuple[Pages, str]") -> None:
    pages, _ = broken
    page = pages.olivia.get("/workflows/reminding/metrics?days=7")
    for words in (
        "Started 1",
        "Success 0%",
        "Failed 1",
        "By step",
        "In 7 days 1 was started; 0 completed, 1 failed.",
    ):
        assert words in page.text
    assert "1 open incident" in page.text
    company = pages.company
    mend(company, "1")
    (incident,) = monitoring.incidents.open_incidents(company.olivia)
    monitoring.incidents.retry_all(
        company.olivia, incident.workflow, incident.cause, origin="failure", version="current"
    )
    page = pages.olivia.get("/workflows/reminding/metrics?days=7")
    for words in (
        "Success 100%",
        "Failed 1",
        "1 done again since; no incident is open",
        "1 completed, 1 failed, 1 of them done again.",
    ):
        assert words in page.text
    (failures,) = [link for link in page.links if "status=failed" in link]
    assert "done again" in pages.olivia.get(failures).text, (
        "the number leads to those runs, not to incidents that are dealt with"
    )
    assert "No run of this workflow was started" in pages.olivia.get(CARE + "/metrics").text
    pages.olivia.get(CARE + "/metrics?days=8", status=400)
