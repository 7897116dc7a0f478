"""The page of the talk about a draft: who gets in, what is shown of a proposal, what is taken of it, what is said where there is none."""

import re

import pytest
from flask.testing import FlaskClient
from markupsafe import Markup

from console import workflows
from console.authoring import builder
from console.authoring.builder import builder_turns
from console.infra import jobs
from console.infra.db.engine import fetch
from console.views.editor import scheduling
from tests.authoring.builder.test_builder import ASK_WHY, RETITLE, answer, fixture_endpoint, fixture_model
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import worked
from tests.servers.model import Server
from tests.views.conftest import signed_in
from tests.views.test_workflow_editor import post

__all__ = ["fixture_endpoint", "fixture_model"]

pytestmark = pytest.mark.lengthy

ASK = "/workflows/care-review/ask"


@pytest.fixture(name="mona")
def fixture_mona(company: Company) -> FlaskClient:
    """The browser of the lead of Operations."""
    assert company.people
    return signed_in(web_app(), "mona")


@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("stan", 404), ("ada", 403)])
def test_who_may_not_edit_does_not_get_in(company: Company, name: str, status: int) -> None:
    turn = builder.ask(company.mona, "care-review", "One", 0)
    client = signed_in(web_app(), name)
    assert client.get(ASK).status_code == status
    assert client.get(f"{ASK}/{turn}/state").status_code == status
    for do in ("", "take", "leave", "stop"):
        assert post(client, ASK, do=do, turn=turn, message="x", all="yes").status_code == status


def test_a_proposal_is_shown_and_taken_in_part(company: Company, mona: FlaskClient, model: Server) -> None:
    model.obey(answer(ASK_WHY, RETITLE, {"op": "remove_step", "step": "read"}))
    assert post(mona, ASK, message="Ask why.").status_code == 303
    turn = re.search(r"/ask/(bld_\w+)/state", mona.get(ASK).text)
    assert turn
    assert mona.get(turn[0].join(["/workflows/care-review", ""])).status_code == 204
    asked = builder_turns.question(turn[1])
    assert asked is not None
    builder_turns.note_growing(asked, ["Added: Say <why>", "Removed: Read this"])
    for told in (mona.get(f"/workflows/care-review{turn[0]}").text, mona.get(ASK).text):
        assert "Say &lt;why&gt;" in told
        assert "Added: " in told
    worked({jobs.BUILD})
    assert mona.get(f"/workflows/care-review{turn[0]}").headers["HX-Refresh"] == "true"
    page = mona.get(ASK).text
    assert "<del>Rate the risk</del>" in page
    assert "<ins>Judge the risk</ins>" in page
    assert "Text: <ins>Say why you look again.</ins>" in page
    assert {"step:why", "step:rate", "step:read"} <= set(re.findall(r'name="part"\s+value="([^"]+)"', page))
    assert post(mona, ASK, do="take", turn=turn[1]).status_code == 422
    assert (
        post(mona, ASK, do="take", turn=turn[1], part=["step:rate", "step:why", "step:note"]).status_code
        == 303
    )
    after = {step["id"]: step for step in workflows.open_draft(company.mona, "care-review").document["steps"]}
    assert after["rate"]["title"] == "Judge the risk"
    assert after["note"]["next"] == {"default": "why"}
    assert after["load"]["next"] == {"default": "read"}
    assert after["read"]["next"] == {"default": "note"}
    assert "A part of it was taken." in mona.get(ASK).text
    ((call,),) = fetch("select id from console.ai_call")
    ada = signed_in(web_app(), "ada")
    for address in ("/settings/ai/calls", f"/settings/ai/calls/{call}"):
        audited = ada.get(address)
        assert audited.status_code == 200
        assert "Care review" in audited.text
        assert "wf_" not in Markup(audited.text).striptags()
    workflows.undo(company.mona, "care-review")
    assert "why" not in {
        step["id"] for step in workflows.open_draft(company.mona, "care-review").document["steps"]
    }


def test_what_others_changed_meanwhile_is_not_overwritten(
    company: Company, mona: FlaskClient, model: Server
) -> None:
    model.obey(answer(RETITLE))
    turn = builder.ask(company.mona, "care-review", "One", 0)
    worked({jobs.BUILD})
    post(
        mona,
        "/workflows/care-review/edit",
        do="change",
        revision=0,
        changes='[{"op": "set", "step": "rate", "field": "title", "value": "Theirs"}]',
    )
    assert post(mona, ASK, do="take", turn=turn, all="yes").status_code == 409
    assert post(mona, ASK, do="leave", turn=turn).status_code == 303
    assert "Nothing of it was taken." in mona.get(ASK).text


def test_a_new_workflow_from_words_or_from_the_nearest_template(
    company: Company, mona: FlaskClient, model: Server
) -> None:
    refused = signed_in(web_app(), "ada").get("/workflows/new")
    assert (refused.status_code, 'href="/workflows">Back to Workflows<' in refused.text) == (403, True)
    page = mona.get("/workflows/new").text
    assert "A model proposes the steps" in page
    assert "Care review" in page  # one of her own
    assert post(mona, "/workflows/new", title="Say why", template="words", description=" ").status_code == 422
    made = post(mona, "/workflows/new", title="Say why", template="words", description="Ask why, then end.")
    assert made.location == "/workflows/say-why/ask"
    end = {
        "op": "add_step",
        "step": {"id": "end", "type": "end", "title": "End", "config_json": "", "next": []},
        "after": "start",
        "outcome": "",
    }
    model.obey(answer(end))
    worked({jobs.BUILD})
    assert "step:end" in mona.get("/workflows/say-why/ask").text
    assert post(mona, "/workflows/new", title="X", template="own:nobody").status_code == 422


SCHEDULE = "/workflows/care-review/schedule"


@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("stan", 404), ("ada", 403)])
def test_who_may_not_edit_adds_no_schedule(company: Company, name: str, status: int) -> None:
    client = signed_in(web_app(), name)
    assert client.get(SCHEDULE).status_code == status
    assert post(client, SCHEDULE, do="add", words="hourly", zone="UTC").status_code == status


def test_a_schedule_in_words_is_shown_and_added_once_it_is_confirmed(
    company: Company, mona: FlaskClient
) -> None:
    [asked] = re.findall(r"<form[^>]+/schedule\".*?</form>", mona.get(SCHEDULE).text, re.DOTALL)
    assert "In words" in asked
    assert 'name="words"' not in asked.partition("</button>")[0], (
        "Enter presses the first button, which keeps what was typed"
    )
    assert all(
        post(mona, SCHEDULE, words=often, zone="UTC").text.count('<li><span class="num">') == 5
        for often in scheduling.OFTEN
    )
    shown = post(mona, SCHEDULE, words="every weekday at nine", zone="Europe/Vilnius").text
    assert "Monday to Friday at 09:00, Vilnius, " in shown
    assert shown.count('<li><span class="num">') == 5
    there = post(
        mona, SCHEDULE, words="30 1 1 11 *", zone="America/New_York"
    ).text  # by the clock that was typed, and by the reader's
    assert (
        len(
            re.findall(
                r"1 Nov \d{4}, 01:30 in New York <span class=\"muted\">\(<time[^>]*>1 Nov \d{4}, 0[4-9]:30</time> for you",
                there,
            )
        )
        == 5
    )
    forward = post(
        mona, SCHEDULE, words="30 3 * 3 L0", zone="Europe/Vilnius"
    ).text  # the night of the last Sunday of March
    assert (forward.count("the clocks go forward"), there.count("the clocks go forward")) == (5, 0)
    assert workflows.open_draft(company.mona, "care-review").revision == 0
    for words, zone in (("soon", "UTC"), ("hourly", "Atlantis")):
        assert post(mona, SCHEDULE, do="add", words=words, zone=zone).status_code == 422
    assert (
        post(mona, SCHEDULE, do="add", words="every weekday at nine", zone="Europe/Vilnius").status_code
        == 303
    )
    [trigger] = workflows.open_draft(company.mona, "care-review").document["triggers"]
    assert (trigger["preset"], trigger["zone"]) == ({"every": "weekday", "at": "09:00"}, "Europe/Vilnius")
    assert "Starts a run: Monday to Friday at 09:00." in mona.get("/workflows/care-review/edit").text
