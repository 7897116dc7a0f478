"""Runs moved to another version by page and by call: what is shown, what a step without a target does, who must not get in."""

import re

import pytest

from console import workflows
from console.authoring import publication
from console.core import drafting
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import signed_in
from tests.views.test_api_workflows import Program
from tests.views.test_workflow_editor import CARE, post


def second_version(company: Company) -> None:
    workflows.edit(
        company.mona,
        "care-review",
        0,
        drafting.read_changes([{"op": "remove_step", "step": "read", "heal": True}]),
    )
    workflows.publish_draft(company.mona, "care-review", note="Shorter")


def test_runs_are_moved_by_page(company: Company) -> None:
    mona, olivia, stan = (signed_in(web_app(), name) for name in ("mona", "olivia", "stan"))
    assert "No run that you may see has another version" in mona.get(f"{CARE}/move").text
    run_id = company.started("1")
    second_version(company)
    page = mona.get(f"{CARE}/move").text
    for words in (
        "From version 1 to version 2",
        "Read this: 1 run, 1 can be moved",
        "choose where its runs go on",
        "0 of 1 run can be moved as chosen now; 1 more once",
    ):
        assert words in page
    assert "/care-review/move" in mona.get(f"{CARE}/publish").text
    form = {"from": 1, "to": 2, "step.read": "note"}
    looked = post(mona, f"{CARE}/move", **form, do="look").text
    assert "Adaeze Okonkwo-Bell, at Read this" in looked
    assert "1 of 1 run can be moved. They" in looked
    assert post(mona, f"{CARE}/move", **form, do="move", reason=" ").status_code == 422
    for client, status in ((olivia, 403), (stan, 404)):
        assert client.get(f"{CARE}/move").status_code == status
        assert post(client, f"{CARE}/move", **form, do="move", reason="Mine").status_code == status
    done = post(mona, f"{CARE}/move", **form, do="move", reason="Shorter")
    assert done.status_code == 303
    moved = mona.get(done.location).text
    assert "1 of 1 run was moved" in moved
    assert "every 1s" not in moved
    assert (olivia.get(done.location).status_code, stan.get(done.location).status_code) == (403, 404)
    told = company.told(run_id)
    assert (told["version"], told["current"]["step"]) == (2, "note")
    for path in (f"/runs/{run_id}", f"/runs/{run_id}/replay", f"/runs/{run_id}?tab=steps"):
        assert olivia.get(path).status_code in (200, 404)
    assert "Take a note" in olivia.get(f"/runs/{run_id}").text


def test_a_move_in_the_background_is_followed_by_its_page(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = signed_in(web_app(), "mona")
    monkeypatch.setattr(publication.run_moves, "AT_ONCE", 0)
    company.started("1")
    second_version(company)
    address = post(
        mona, f"{CARE}/move", **{"from": 1, "to": 2, "step.read": "note"}, do="move", reason="Shorter"
    ).location
    htmx = {"HX-Request": "true", "HX-Target": "progress"}
    polled = re.findall(r'hx-get="([^"]+)"', mona.get(address).text)[-1]
    assert polled.startswith(f"{address}?seen=")
    assert mona.get(polled, headers=htmx).status_code == 204
    company.work()
    after = mona.get(polled, headers=htmx).text
    assert "1 of 1 run was moved" in after
    assert "every 1s" not in after


def test_runs_are_moved_by_call(company: Company) -> None:
    mona, olivia, stan = (Program(web_app(), company.people[name].id) for name in ("mona", "olivia", "stan"))
    run_id = company.started("1")
    second_version(company)
    wanted = {"from": 1, "to": 2}
    olivia("POST", "/workflows/care-review/moves", wanted | {"preview": True}, 403)
    stan("POST", "/workflows/care-review/moves", wanted | {"reason": "x"}, 404)
    plan = mona("POST", "/workflows/care-review/moves", wanted | {"preview": True})
    assert (plan["total"], plan["movable"], plan["steps"][0]["target"]) == (1, 0, None)
    assert company.told(run_id)["version"] == 1
    mona("POST", "/workflows/care-review/moves", wanted | {"steps": {"read": "no"}, "reason": "x"}, 422)
    begun = mona(
        "POST",
        "/workflows/care-review/moves",
        wanted | {"steps": {"read": "note"}, "reason": "Shorter", "runs": [run_id]},
        202,
    )
    assert (begun["status"], begun["moved"], begun["refused"]) == ("done", 1, {})
    stan("GET", f"/workflows/care-review/moves/{begun['id']}", status=404)
    assert mona("GET", f"/workflows/care-review/moves/{begun['id']}")["total"] == 1
