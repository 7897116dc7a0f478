"""Pages and programs: whose a new workflow is, changing it, the order of the list, and where a workflow is offered."""

from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from console.activity import sequencing
from console.auth import accounts
from tests.company import DOCUMENT
from tests.support.engine import step
from tests.support.staff import hired
from tests.views.test_api_workflows import Program

if TYPE_CHECKING:
    from tests.views.conftest import Pages

CARE = "/workflows/care-review"


def test_it_is_chosen_where_a_workflow_is_made(pages: "Pages") -> None:
    mona = pages.mona
    page = mona.get("/workflows/new")
    mona.send(page, "/workflows/new", title="Errand", whose="personal", template="", do=None)
    mona.send(page, "/workflows/new", title="Ours", whose="", template="", do=None)
    mona.send(
        page,
        "/workflows/new",
        title="Small review",
        whose="personal",
        template="review",
        collection="customer",
        do=None,
    )
    assert {each.slug: each.owner for each in workflows.all_known() if each.live is None} == {
        "errand": pages.company.mona.id,
        "ours": None,
        "small-review": pages.company.mona.id,
    }
    mine = mona.get("/workflows?whose=mine")
    assert "All 2" in mine.text
    assert "/workflows/ours" not in mine.links
    assert "Personal · Operations" in mine.text
    assert "/workflows/errand" not in pages.olivia.get("/workflows").links
    assert "Personal, of Mona · Operations" in pages.ines.get("/workflows").text
    others = pages.ines.get("/workflows?whose=others")
    assert "All 2" in others.text
    assert "/workflows/ours" not in others.links
    assert "Personal ones of others" not in mine.text
    for each in ("errand", "small-review"):
        workflows.remove(pages.company.mona, each)
    assert "You have no personal workflow" in mona.get("/workflows?whose=mine").text


def test_the_question_says_what_it_does_and_who_may_not_is_told(pages: "Pages") -> None:
    mona, ines = pages.mona, pages.ines
    page = mona.get(CARE + "/whose")
    assert "Make Care review personal? Nobody else sees, edits, starts or enrols" in page.text
    pages.olivia.get(CARE + "/whose", status=403)
    pages.olivia.post(CARE + "/whose", {"csrf_token": pages.olivia.token, "whose": "personal"}, status=403)
    ines.get(CARE + "/whose", status=403)
    pages.stan.get(CARE + "/whose", status=404)
    run = pages.company.started()
    assert (
        "It cannot become yours while others work in it: 1 live run is in the hands of others"
        in mona.get(CARE + "/whose").text
    )
    mona.post(CARE + "/whose", {"csrf_token": mona.token, "whose": "personal"}, status=409)
    runs.cancel(pages.company.mona, run, revision=None, reason="Enough")
    mona.send(page, "/whose")
    assert mona.follow().text.count("Personal, of Mona") == 1
    for rest in ("", "/whose", "/configuration", "/executions"):
        pages.olivia.get(CARE + rest, status=404)
    gita = hired(("operations_lead", "operations"), name="Gita Rao")
    page = ines.get(CARE + "/whose")
    assert "It is personal, of Mona." in page.text
    refused = ines.post(
        CARE + "/whose", {"csrf_token": ines.token, "whose": "personal", "owner": ""}, status=422
    )
    assert "Choose whose it is to be." in refused.text
    address = accounts.person(gita.id).email
    ines.post(CARE + "/whose", {"csrf_token": ines.token, "whose": "personal", "owner": address})
    assert "Personal, of Gita Rao" in ines.follow().text
    assert "Personal workflows 1" in ines.get(f"/settings/people/{gita.id}").text
    mona.get(CARE + "/whose", status=404)
    ines.post(CARE + "/whose", {"csrf_token": ines.token, "whose": "organisation"})
    assert mona.get(CARE + "/configuration").text.count("The organisation's") == 1
    sequencing.catch_up()
    assert (
        "Ines made the workflow Care review the organisation's (before: Gita Rao)"
        in ines.get("/activity").text
    )


def test_it_is_hidden_place_by_place(pages: "Pages") -> None:
    mona, olivia = pages.mona, pages.olivia
    start = "/c/customer/2/start/care-review"
    assert start in olivia.get("/c/customer/2").links
    page = mona.get(CARE + "/configuration")
    form = page.form("/configuration")["fields"]
    mona.post(CARE + "/configuration", {**form, "offered": ["list", "search", "assistant"]})
    assert workflows.live("care-review").document.settings.hidden_in == ["record"]
    assert start not in olivia.get("/c/customer/2").links
    assert "Care review" in olivia.get(start).text, "who may start it still may"
    form = mona.get(CARE + "/configuration").form("/configuration")[
        "fields"
    ]  # sent from the page of before it would mean that nothing is changed
    mona.post(CARE + "/configuration", {**form, "offered": ["record", "list", "search", "assistant"]})
    assert start in olivia.get("/c/customer/2").links


@pytest.fixture
def program(pages: "Pages") -> Program:
    """A program of the lead."""
    return Program(pages.app, pages.company.mona.id)


def test_programs_choose_and_change_it(pages: "Pages", program: Program) -> None:
    made = program("POST", "/workflows", {"title": "Errand", "whose": "personal"}, 201)
    assert (made["whose"], made["owner"]) == ("personal", pages.company.mona.id)
    plain = program("POST", "/workflows", {"title": "Ours"}, 201)
    assert (plain["whose"], plain["owner"]) == ("organisation", None)
    program("POST", "/workflows", {"title": "Wrong", "whose": "nobody"}, 422)
    assert program("POST", "/workflows/errand/duplicate", {}, 201)["whose"] == "personal"
    assert (
        program("POST", "/workflows/errand/duplicate", {"whose": "organisation"}, 201)["whose"]
        == "organisation"
    )
    assert [each["slug"] for each in program("GET", "/workflows?whose=mine")["data"]] == [
        "copy-of-errand",
        "errand",
    ]
    olivia, ines = (Program(pages.app, pages.company.people[name].id) for name in ("olivia", "ines"))
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"whose": "organisation"}),
        ("GET", "/versions", None),
        ("GET", "/definition", None),
    ):
        assert olivia(method, f"/workflows/errand{path}", body, 404) == olivia(
            method, f"/workflows/nothing{path}", body, 404
        )
    assert (
        program("PATCH", "/workflows/errand", {"whose": "organisation", "title": "Errands"})["title"]
        == "Errands"
    )
    assert olivia("GET", "/workflows/errand")["whose"] == "organisation"
    olivia("PATCH", "/workflows/errand", {"whose": "personal"}, 403)
    assert program("PATCH", "/workflows/errand", {"whose": "personal"})["owner"] == pages.company.mona.id
    program("PATCH", "/workflows/errand", {"whose": "personal", "owner": "olivia@fernwick.example"}, 422)
    ines("PATCH", "/workflows/errand", {"whose": "personal", "owner": "olivia@fernwick.example"}, 422)
    assert ines("PATCH", "/workflows/errand", {"whose": "organisation"})["owner"] is None


def test_a_workflow_of_others_cannot_name_a_personal_one(pages: "Pages") -> None:
    company = pages.company
    workflows.import_file(DOCUMENT | {"slug": "own", "title": "Own"}, publish=True, owner=company.mona.id)
    begins = [
        step("start", "start", "sub"),
        step("sub", "sub_workflow", "end", {"workflow": "own"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "outer",
        "title": "Outer",
        "collection": "customer",
        "team": "operations",
        "steps": begins,
    }
    said = [
        problem.reason
        for problem in workflows.check(document, workflows.validation_context())
        if problem.field.endswith("workflow")
    ]
    assert any("There is no workflow own" in reason for reason in said), said
    workflows.import_file(document | {"slug": "inner"}, owner=company.mona.id)
    said = [
        problem.reason
        for problem in workflows.check(document | {"slug": "inner"}, workflows.validation_context())
    ]
    assert not any("There is no workflow own" in reason for reason in said), said
