"""Pages and calls of requests to publish: asked on the Publish page, found under Approvals, decided by a second person alone."""

import re
from datetime import timedelta

from console import log, workflows
from console.auth import access, accounts
from console.auth.access import Scopes
from console.auth.accounts import absences, teamwork
from tests.authoring.publication.test_publishing_reviews import second_lead, titled
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import signed_in
from tests.views.test_api_workflows import Program
from tests.views.test_workflow_editor import CARE, TITLE, changed, post


def test_a_second_person_is_asked_and_approves_by_page(company: Company) -> None:
    teamwork.change(company.ines, "operations", second_person=True)
    alone = signed_in(web_app(), "mona")
    changed(alone, 0, TITLE)
    assert "Nobody else may approve it at the moment" in alone.get(f"{CARE}/publish").text
    access.grant("operator", "workflow:care-review", ["edit", "publish"], team="operations")
    access.refresh()
    mona, tom, stan = (signed_in(web_app(), name) for name in ("mona", "tom", "stan"))
    page = mona.get(f"{CARE}/publish").text
    assert "Ask for approval" in page
    assert "May approve it: Olivia; Tom." in page
    today = log.now().date()
    absences.plan(
        company.ines,
        company.tom.id,
        first=today,
        last=today + timedelta(days=2),
        substitute=company.olivia.email,
    )
    assert re.search(r"Tom \(away until \d+ \w+ \d{4}, Olivia stands in\)", mona.get(f"{CARE}/publish").text)
    refused = post(mona, f"{CARE}/publish", revision=1, note="Clearer")
    assert (refused.status_code, "needs a second person" in refused.text) == (409, True)
    page = post(mona, f"{CARE}/publish", revision=1, note="Clearer", do="ask").location
    assert page.startswith("/approvals/publishing/rev_")
    assert "Waiting for approval" in mona.get(f"{CARE}/publish").text
    for client, words in ((tom, "Clearer"), (mona, "Nothing waits for your decision")):
        assert words in client.get("/approvals").text
    assert "Clearer" in mona.get("/approvals?list=created").text
    home = tom.get("/?show=decide").text
    assert page in home
    assert "Publishing, asked by Mona" in home
    assert page not in mona.get("/").text
    assert "Approve and publish" not in mona.get(page).text
    shown = tom.get(page).text
    for words in ("Read this twice", "Approve and publish", "Mona asks to publish this", "2, in place of 1"):
        assert words in shown
    assert stan.get(page).status_code == 404
    assert post(stan, page, do="approve").status_code == 404
    own = post(mona, page, do="approve")
    assert own.status_code == 403
    assert post(tom, page, do="changes", reason="").status_code == 422
    assert post(tom, page, do="approve", reason="Good").status_code == 303
    assert workflows.live("care-review").number == 2
    after = tom.get(page).text
    for words in ("Good", "Version 2", "Read this twice"):
        assert words in after
    assert "Clearer" in tom.get("/approvals?list=history").text


def test_the_calls_say_who_must_not_decide(company: Company) -> None:
    access.grant("operator", "workflow:care-review", ["edit", "publish"], team="operations")
    access.refresh()
    mona, tom, stan, rosa = (
        Program(web_app(), company.people[name].id) for name in ("mona", "tom", "stan", "rosa")
    )
    approves = accounts.create_key("approves", company.people["tom"].id, scopes=Scopes(approves=True))
    tom.headers = {"Authorization": f"Bearer {approves.text}"}
    changed(signed_in(web_app(), "mona"), 0, TITLE)
    stan("POST", "/workflows/care-review/reviews", {"note": "x"}, 404)
    rosa("POST", "/workflows/care-review/reviews", {"note": "x"}, 403)
    made = mona("POST", "/workflows/care-review/reviews", {"note": "Clearer", "revision": 1}, 201)
    one = f"/workflow-reviews/{made['id']}"
    assert mona("POST", "/workflows/care-review/reviews", {"note": "Again"}, 409)["code"] == "review_open"
    assert mona("POST", f"{one}/approve", {}, 403)["code"] == "separation_of_duties"
    for act in ("approve", "request-changes", "withdraw"):
        stan("POST", f"{one}/{act}", {"reason": "No"}, 404)
    stan("GET", one, status=404)
    assert stan("GET", "/workflow-reviews")["data"] == []
    assert [each["id"] for each in tom("GET", "/workflow-reviews?waiting=me")["data"]] == [made["id"]]
    told = tom("GET", one)
    assert (told["differences"][0]["new"], told["impact"]["publishes"]) == ("Read this twice", 2)
    tom("POST", f"{one}/withdraw", {}, 403)
    done = tom("POST", f"{one}/approve", {"reason": "Good"})
    assert (done["status"], done["version"], tom("GET", one)["impact"]["publishes"]) == ("approved", 2, 2)


def test_who_publishes_what_was_changed_meanwhile_sees_what_differs(company: Company) -> None:
    second_lead(company)
    mona, tom = (signed_in(web_app(), name) for name in ("mona", "tom"))
    titled(company.mona, "Read this twice")
    titled(company.tom, "Read it slowly")
    page = post(mona, f"{CARE}/publish", revision=1, live=1, note="By Mona").text
    assert "Tom changed the draft. What you wrote as a note is kept below." in page
    assert "<del>Read this twice</del>" in page
    assert workflows.live("care-review").number == 1
    post(tom, f"{CARE}/publish", revision=2, live=1, note="By Tom")
    both = post(mona, f"{CARE}/publish", revision=1, live=1, note="By Mona").text
    assert re.search(r"Tom\s+published version 2", both)
    assert "By Mona</textarea>" in both
