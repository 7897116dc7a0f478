"""Dialogs at their address: of what is over, of what is not allowed now, and of what a start or a switch does in truth."""

from typing import TYPE_CHECKING

import pytest

from console import accounts, runs, workflows
from tests.company import DOCUMENT, STEPS, Company
from tests.messages import reached
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

CARE = "/workflows/care-review"
ROBOT = "robot@fernwick.test"
SHORT = [STEPS[0] | {"next": {"default": "end"}}, STEPS[-1]]


@pytest.mark.parametrize("act", ["abort", "cancel", "escalate", "assign", "leave", "revise?step=note"])
def test_a_question_about_a_run_that_has_ended_says_so_and_offers_nothing(pages: "Pages", company: Company, act: str) -> None:
    run = company.started("1")
    runs.abort(company.olivia, run, revision=None, reason="Wrong file")
    answer = pages.mona.client.get(f"/runs/{run}/{act}")
    html = answer.get_data(as_text=True)
    if answer.status_code == 200:
        assert "This run has ended" in html
        assert f'action="/runs/{run}' not in html
    else:  # what it would ask of the run is refused before
        assert answer.status_code in (403, 404, 409)
        assert act not in ("abort", "cancel", "leave")


def test_a_switch_that_the_status_does_not_allow_offers_no_button(pages: "Pages") -> None:
    for to, words in (
        ("deleted", "It was published, so it stays with its runs"),
        ("active", "It is active now, so there is nothing to activate"),
    ):
        page = pages.mona.get(f"{CARE}/switch?to={to}")
        assert words in page.text
        assert "danger" not in page.html
        assert 'type="submit"' not in page.html.partition('<form class="dialog')[2].partition("</form>")[0]
    pages.mona.post(f"{CARE}/switch", {"csrf_token": pages.mona.token, "to": "deleted"}, status=409)


def test_the_dialog_says_that_people_are_written_to_or_called_only_where_a_step_does(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    company.started("1")
    page = pages.mona.get(f"{CARE}/switch?to=archived")
    assert "goes on to its end. To end" in page.text
    assert "written to" not in page.text
    with reached.clock(reached.NOON):
        wait = {"id": "wait", "type": "wait", "config": {"days": 2}}
        call = {
            "id": "call",
            "type": "ai_call",
            "config": {"script": "Hello", "answers": ["yes"]},
            "next": {"yes": "end", "default": "end"},
        }
        for slug, steps, words in (
            ("writes", [{"id": "sms", "type": "sms", "config": {"text": "Hello"}}], "and people are written to as before"),
            ("calls", [call], "and people are called as before"),
        ):
            reached.begin(company, reached.workflow(slug, [dict(wait), *steps]))
            assert words in pages.mona.get(f"/workflows/{slug}/switch?to=archived").text


def test_a_start_by_hand_says_in_whose_name_the_run_goes(pages: "Pages", company: Company) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {
        "format": 1,
        "team": "operations",
        "settings": {"exclusive": False},
        "steps": [step("start", "start", "end"), step("end", "end", None)],
    }
    workflows.import_file(head | {"slug": "by-robot", "title": "By robot", "run_as": ROBOT}, publish=True)
    workflows.import_file(DOCUMENT | {"slug": "on-record", "title": "On record", "run_as": ROBOT, "steps": SHORT}, publish=True)
    workflows.import_file(head | {"slug": "by-hand", "title": "By hand"}, publish=True)
    name = next(iter(accounts.names([accounts.service_accounts()[ROBOT]]).values()))
    for path in ("/workflows/by-robot/start", "/c/customer/1/start/on-record"):
        text = pages.mona.get(path).text
        assert f"in the name of {name}; you do not hold it" in text, path
        assert "and you hold it" not in text, path
    assert "The run begins at once, and you hold it." in pages.mona.get("/workflows/by-hand/start").text
