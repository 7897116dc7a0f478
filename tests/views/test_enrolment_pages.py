"""Enrolling from a list, a segment and a file, who is where, and the same as JSON; who may not look is told of nobody."""

import io
import re
from typing import Any

import pytest

from console import runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments
from console.automation.enrolments import Question
from console.runs.views import record_reach
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.jobs import BEGINNING, work_until_idle
from tests.support.engine import step
from tests.views.conftest import Pages

WHY = {"why": "periodic"}
ROBOT = "robot@fernwick.example"
HERE, ENROL = "/workflows/care-review/enrolled", "/workflows/care-review/enrol"


@pytest.fixture(name="robot")
def fixture_robot(company: Company) -> None:
    """The workflow runs as an account that operates."""
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    assert company.people
    workflows.import_file(DOCUMENT | {"run_as": ROBOT}, publish=True)


def test_records_chosen_in_a_list_are_enrolled_after_a_preview(pages: Pages, robot: None) -> None:
    listed = pages.olivia.get("/c/customer")
    assert "Enrol in Care review" in listed.text
    assert "Start Care review" not in listed.text
    chosen = pages.olivia.get("/bulk/of/customer?action=enrol:care-review&key=1&key=2&key=99")
    assert "Enrol 3 records in Care review" in chosen.text
    missing = pages.olivia.send(chosen, ENROL, status=422, key="1")
    assert "Why" in missing.text
    pages.olivia.post(ENROL, chosen.form(ENROL)["fields"] | {"key": ["1", "2", "99"], "v.why": "periodic"})
    preview = pages.olivia.follow()
    assert "2 would be enrolled in Care review" in preview.text
    assert "There is no such record" in preview.text
    address = pages.olivia.answer.request.path
    pages.olivia.send(preview, address, do="enrol")
    assert "2 enrolled in Care review, finished" in pages.olivia.follow().text
    assert "Adaeze Okonkwo-Bell" in pages.olivia.get(HERE).text
    record = pages.olivia.get("/c/customer/3")
    assert f"{ENROL}?key=3" in record.links


def test_who_is_enrolled_is_listed_by_step_and_a_person_takes_somebody_out(pages: Pages, robot: None) -> None:
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["1", "3"], values=WHY))
    shown = pages.mona.get("/workflows/care-review")
    assert f"{HERE}?step=start" in shown.links
    assert "2 at Start now" in shown.text
    partly = pages.tom.get(f"{HERE}?step=start")
    assert "Adaeze" in partly.text
    assert "Halcyon" not in partly.text
    assert "you may not see" not in partly.text
    page = pages.mona.get(f"{HERE}?status=waiting")
    [href] = [
        link for link in page.links if "/enrolled/lead_" in link and "Halcyon" in pages.mona.get(link).text
    ]
    assert pages.tom.get(href, status=404)
    assert "Take out" not in pages.olivia.get(href).text
    lead = pages.mona.get(href)
    assert "Why *" in lead.text, "what must be said is marked before it is refused"
    form = {"csrf_token": pages.mona.token, "reason": " "}
    assert "Say why" in pages.mona.post(href, form, status=422).text or lead
    pages.mona.post(href, form | {"reason": "Asked us to stop."})
    assert "Asked us to stop." in pages.mona.follow().text
    assert "Halcyon" in pages.mona.get(f"{HERE}?status=left").text
    assert pages.stan.get(HERE, status=404)
    assert (
        "Runs as The holder of the run" in pages.mona.get("/workflows/care-review/edit").text
    )  # whom it acts as is chosen in the editor
    assert [len(accounts.usable(who)) for who in (pages.company.mona, pages.company.olivia)] == [1, 0]


def test_nothing_is_counted_about_records_that_the_reader_may_not_see(pages: Pages, robot: None) -> None:
    """Of three who are enrolled Tom sees one: pages and API tell him of one, as if there were no others, and of no batch that was for all three."""
    ask = step("ask", "guidance", "end", {"text": "Look"})
    steps = [step("start", "start", "ask"), ask, step("end", "end", None, {"label": "Done"})]
    workflows.import_file(DOCUMENT | {"run_as": ROBOT, "steps": steps}, publish=True)
    company = pages.company
    batch = enrolments.batches.begin(company.mona, "care-review", Question(keys=["1", "3", "4"]))
    work_until_idle(BEGINNING)
    company.work()
    [target] = [enrolments.find("care-review")]
    all_three = enrolments.counts_for(company.mona, target.id, target.collection)
    assert (all_three.enrolled, list(runs.live_counts(company.mona).values())) == (3, [3])
    seen = [lead.record for lead in enrolments.places.page(company.tom, target, limit=1).rows]
    assert len(seen) == 1, "a page is filled from the next ones"
    mine = len(enrolments.places.page(company.tom, target).rows)
    assert 0 < mine < 3
    assert enrolments.counts_for(company.tom, target.id, target.collection).to_json() == {
        "enrolled": mine,
        "waiting": 0,
        "active": mine,
        "steps": {"ask": mine},
        "versions": {str(target.number): mine},
    }
    assert (runs.live_counts(company.tom), runs.live_versions(company.tom, target.id)) == (
        {target.id: mine},
        [(target.number, mine, 0)],
    )
    for address in ("/workflows/care-review", HERE, "/workflows", HERE + "?status=active"):
        assert not re.search(
            r"\b3 (enrolled|here)|(Enrolled|Live runs|Active|Started) 3\b(?! steps)",
            pages.tom.get(address).text,
        ), address
    assert f"{ENROL}/{batch.id}" not in pages.tom.get(HERE).links
    assert any(batch.id in link for link in pages.mona.get(HERE).links)
    assert "Adaeze" not in pages.tom.get(f"{ENROL}/{batch.id}", status=404).text
    key = {"Authorization": f"Bearer {accounts.create_key('counts', company.tom.id).text}"}
    api = pages.app.test_client()
    assert api.get("/api/v1/workflows/care-review/counts", headers=key).get_json()["enrolled"] == mine
    assert api.get(f"/api/v1/workflows/care-review/enrolments/{batch.id}", headers=key).status_code == 404
    assert record_reach.held_by_colleagues(company.tom) == []


def test_a_file_is_read_as_its_columns_say_and_tells_of_every_line(pages: Pages, robot: None) -> None:
    content = "E-Mail;Why;Note\nadaeze@customers.example;periodic;a\nTORE@customers.example;event;b\nnobody@x.example;event;\n\n;event;\n"
    content += '"never;closed;\na;b;c;d\n"two\nlines;of";event;\n'
    page = pages.olivia.get(ENROL)
    token = page.form(ENROL)["fields"]["csrf_token"]
    file = (io.BytesIO(content.encode("cp1252") + b"caf\xe9@x.example;event;\n"), "contacts.csv")
    answer = pages.olivia.client.post(
        ENROL, data={"csrf_token": token, "way": "file", "file": file}, content_type="multipart/form-data"
    )
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    work_until_idle({"enrol"})
    preview = pages.olivia.get(address)
    assert "2 would be enrolled" in preview.text
    assert "No customer has the email on this line: café@x.example." in preview.text
    assert (
        "Line 6 Left out This line has no email, so it does not say which customer is meant." in preview.text
    )
    assert "Column “E-Mail” is" in preview.text
    assert "Match by" in preview.text
    assert pages.olivia.get(ENROL).html.count("btn primary") == 1, "one button is the first of the page"
    assert (
        "Line 7 Left out A quotation mark on this line is never closed, or has text behind its end."
        in preview.text
    )
    assert "Line 8 Left out It has 4 values and the heading 3." in preview.text
    assert (
        "Line 9 Left out Email goes over several lines: a quotation mark is missing, or one too many."
        in preview.text
    )
    form = preview.forms[-1]["fields"]
    assert (form["c.0"], form["c.1"], form["c.2"], form["match"], form["encoding"]) == (
        "email",
        "why",
        "",
        "email",
        "cp1252",
    )
    pages.olivia.post(address, form | {"do": "columns", "encoding": "utf-8-sig"})
    again = pages.olivia.answer.headers["Location"]
    work_until_idle({"enrol"})
    assert "This line cannot be read as UTF-8." in pages.olivia.get(again).text
    pages.olivia.send(pages.olivia.get(again), again.rpartition("/")[2], do="enrol")
    work_until_idle({"enrol"})
    assert "2 enrolled in Care review" in pages.olivia.follow().text
    empty = (io.BytesIO(b""), "contacts.csv")
    answer = pages.olivia.client.post(
        ENROL, data={"csrf_token": token, "way": "file", "file": empty}, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert "empty" in answer.text


def call(person: str, method: str, path: str, status: int, body: Any = None) -> Any:
    client = web_app().test_client()
    headers = {"Authorization": f"Bearer {accounts.create_key('tests', person).text}"}
    answer = client.open(f"/api/v1{path}", method=method, headers=headers, json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_programs_enrol_follow_and_take_out(pages: Pages, robot: None) -> None:
    olivia, mona, stan = (pages.company.people[name].id for name in ("olivia", "mona", "stan"))
    root = "/workflows/care-review"
    begun = call(olivia, "POST", f"{root}/enrolments", 202, {"records": ["1", "77"], "values": WHY})
    assert begun["counts"] == {"enrolled": 1, "already_enrolled": 0, "refused": 1}
    rows = call(olivia, "GET", f"{root}/enrolments/{begun['id']}/rows?status=refused", 200)["data"]
    assert [(row["row"], row["reasons"][0]["field"]) for row in rows] == [(2, "record")]
    segment = call(
        olivia, "POST", f"{root}/enrolments", 202, {"segment": "unrated", "values": WHY, "preview": True}
    )
    assert (segment["status"], segment["total"]) == ("running", 3)
    work_until_idle({"enrol"})
    told = call(olivia, "GET", f"{root}/enrolments/{segment['id']}", 200)
    assert (told["status"], told["counts"]["enrolled"], told["counts"]["already_enrolled"]) == ("done", 2, 1)
    lines = call(
        olivia, "POST", f"{root}/enrolments", 202, {"csv": "email,why\ntore@customers.example,event\n"}
    )
    work_until_idle({"enrol"})
    assert call(olivia, "GET", f"{root}/enrolments/{lines['id']}", 200)["counts"]["enrolled"] == 1
    assert call(olivia, "GET", f"{root}/counts", 200) == {
        "enrolled": 2,
        "waiting": 2,
        "active": 0,
        "steps": {"start": 2},
        "versions": {},
    }
    [first, second] = call(mona, "GET", f"{root}/leads", 200)["data"]
    assert (second["record"], second["status"], second["node_id"]) == ("1", "waiting", "node_start")
    left = call(mona, "POST", f"{root}/leads/{first['id']}/unenrol", 200, {"reason": "Not interested."})
    assert (left["status"], left["reason"]) == ("left", "Not interested.")
    assert (
        call(olivia, "POST", f"{root}/leads/{second['id']}/unenrol", 403, {"reason": "x"})["code"]
        == "not_allowed"
    )
    for method, path in (
        ("GET", "leads"),
        ("GET", "counts"),
        ("GET", f"enrolments/{begun['id']}"),
        ("GET", f"leads/{first['id']}"),
    ):
        call(stan, method, f"{root}/{path}", 404)
    call(stan, "POST", f"{root}/enrolments", 404, {"records": ["1"]})
    wrong = call(olivia, "POST", f"{root}/enrolments", 422, {"records": ["1"], "segment": "unrated"})
    assert wrong["details"][0]["field"] == "records"


def test_everybody_is_taken_out_after_a_preview_by_whoever_may(pages: Pages, robot: None) -> None:
    enrolments.batches.begin(pages.company.mona, "care-review", Question(keys=["1", "2", "3"], values=WHY))
    root = "/workflows/care-review/take-out"
    assert root in pages.mona.get(HERE).links
    assert f"{root}?status=waiting" in pages.mona.get(f"{HERE}?status=waiting").links
    assert root not in pages.olivia.get(HERE).links
    pages.olivia.get(root, status=403)
    pages.stan.get(root, status=404)
    page = pages.mona.get(root)
    assert "3 people leave Care review" in page.text
    assert "No message of theirs waits to leave" in page.text
    assert "Halcyon" in page.text
    assert "Say why" in pages.mona.send(page, root, status=422, reason=" ").text
    pages.mona.send(page, root, reason="The wrong list.")
    followed = pages.mona.follow()
    assert "3 taken out of Care review" in followed.text
    address = pages.mona.answer.request.path
    pages.olivia.get(address, status=403)
    pages.stan.get(address, status=404)
    assert "Nobody of these is in the workflow now." in pages.mona.get(root).text
    assert root not in pages.mona.get(HERE).links
    assert pages.mona.get("/workflows/care-review/take-out?version=x", status=400)
    sequencing.sequence()
    assert "took 3 out of Care review" in pages.ada.get("/activity").text


def test_programs_take_out_many_after_a_preview(pages: Pages, robot: None) -> None:
    olivia, mona, stan = (pages.company.people[name].id for name in ("olivia", "mona", "stan"))
    root = "/workflows/care-review/unenrolments"
    enrolments.batches.begin(pages.company.mona, "care-review", Question(keys=["1", "2"], values=WHY))
    seen = call(mona, "POST", root, 200, {"preview": True})
    assert seen == {
        "total": 2,
        "waiting": 2,
        "active": 0,
        "steps": {"start": 2},
        "pending": {},
        "partly": False,
    }
    assert call(mona, "POST", root, 422, {"reason": ""})["details"][0]["field"] == "reason"
    assert call(mona, "POST", root, 400, {"status": "left", "reason": "x"})["details"][0]["field"] == "status"
    call(olivia, "POST", root, 403, {"reason": "x"})
    call(stan, "POST", root, 404, {"reason": "x"})
    done = call(mona, "POST", root, 202, {"reason": "The wrong list."})
    assert (done["status"], done["total"], done["done"]) == ("done", 2, 2)
    assert call(mona, "GET", f"{root}/{done['id']}", 200) == done
    call(olivia, "GET", f"{root}/{done['id']}", 403)
    call(stan, "GET", f"{root}/{done['id']}", 404)
    assert call(mona, "POST", root, 409, {"reason": "Again."})["code"] == "not_possible"
    assert [
        lead["reason"] for lead in call(mona, "GET", "/workflows/care-review/leads?status=left", 200)["data"]
    ] == ["The wrong list."] * 2


def test_a_row_with_a_nul_character_is_left_out_with_the_reason_and_the_others_are_let_in(
    pages: Pages, robot: None
) -> None:
    olivia = {"Authorization": f"Bearer {accounts.create_key('test', pages.company.olivia.id).text}"}
    body = {"rows": [{"record": "1\x00"}, {"record": "2"}, {"rec\u0001ord": "x"}], "values": WHY}
    answer = (
        web_app().test_client().post("/api/v1/workflows/care-review/enrolments", json=body, headers=olivia)
    )
    assert (answer.status_code, answer.get_json()["counts"]) == (
        202,
        {"enrolled": 1, "already_enrolled": 0, "refused": 2},
    )
    told = (
        web_app()
        .test_client()
        .get(
            f"/api/v1/workflows/care-review/enrolments/{answer.get_json()['id']}/rows?status=refused",
            headers=olivia,
        )
    )
    assert "NUL character" in told.get_json()["data"][0]["reasons"][0]["reason"]
