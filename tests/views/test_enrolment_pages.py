"""Enrolling from a list, a segment and a file, who is where, and the same as JSON; who may not look is told of nobody."""

import contextlib
import dataclasses
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from console import accounts, enrolments, queue, runs, workflows
from console.activity import sequencing
from console.core.run.state import FINAL
from console.db.engine import fetch
from console.enrolments import Question
from console.runs.showing import record_reach
from console.views import enrolled
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.jobs import BEGINNING, work_until_idle
from tests.messages import reached
from tests.runs.showing.test_lists import counted
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


def test_those_who_wait_because_an_account_is_closed_are_not_only_waiting(pages: Pages) -> None:
    account = accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    workflows.import_file(DOCUMENT | {"run_as": ROBOT}, publish=True)
    accounts.disable_person(account.id)
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["1"], values=WHY))
    assert "do not begin now" not in pages.olivia.get(HERE).text
    [(of,)] = fetch("select id from console.workflow where slug = 'care-review'")
    with contextlib.suppress(queue.PutBack):
        enrolments.begin(of)
    shown = pages.olivia.get(HERE).text
    assert "Those who wait do not begin now" in shown
    assert "is closed. Open it again, or name another and publish." in shown
    accounts.enable_person(pages.company.ines, account.id)
    enrolments.begin(of)
    assert "do not begin now" not in pages.olivia.get(HERE).text


def test_who_is_enrolled_is_listed_by_step_and_a_person_takes_somebody_out(pages: Pages, robot: None) -> None:
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["1", "3"], values=WHY))
    shown = pages.mona.get("/workflows/care-review")
    assert f"{HERE}?step=start" in shown.links
    assert "2 here" in shown.text
    partly = pages.tom.get(f"{HERE}?step=start")
    assert "Adaeze" in partly.text
    assert "Halcyon" not in partly.text
    assert "you may not see" not in partly.text
    page = pages.mona.get(f"{HERE}?status=waiting")
    [href] = [link for link in page.links if "/enrolled/lead_" in link and "Halcyon" in pages.mona.get(link).text]
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
    assert "Acts as Whoever holds the run" in pages.mona.get("/workflows/care-review/edit").text  # whom it acts as is chosen in the editor
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
        "enrolled": mine, "waiting": 0, "active": mine, "steps": {"ask": mine}, "versions": {str(target.number): mine},
    }  # fmt: skip
    assert (runs.live_counts(company.tom), runs.live_versions(company.tom, target.id)) == ({target.id: mine}, [(target.number, mine, 0)])
    for address in ("/workflows/care-review", HERE, "/workflows", HERE + "?status=active"):
        assert not re.search(r"\b3 (enrolled|here)|(Enrolled|Live runs|In it|Begun) 3\b", pages.tom.get(address).text), address
    assert f"{ENROL}/{batch.id}" not in pages.tom.get(HERE).links
    assert any(batch.id in link for link in pages.mona.get(HERE).links)
    assert "Adaeze" not in pages.tom.get(f"{ENROL}/{batch.id}", status=404).text
    key = {"Authorization": f"Bearer {accounts.create_key('counts', company.tom.id).text}"}
    api = pages.app.test_client()
    assert api.get("/api/v1/workflows/care-review/counts", headers=key).get_json()["enrolled"] == mine
    assert api.get(f"/api/v1/workflows/care-review/enrolments/{batch.id}", headers=key).status_code == 404
    assert record_reach.held_by_colleagues(company.tom) == []


def test_home_and_the_picture_tell_of_automations_what_the_reader_may_know(pages: Pages, robot: None) -> None:
    """Home lists those that one may switch, apart from what people ended; beside the picture stands who is in it, what starts it, and what came of whom."""
    ask = step("ask", "guidance", "end", {"text": "Look"})
    steps = [step("start", "start", "ask"), ask, step("end", "end", None, {"label": "looked_at"}) | {"title": "Looked at"}]
    document = DOCUMENT | {"run_as": ROBOT, "steps": steps, "exits": [{"if": 'event.on == "consent.withdrawn"', "reason": "opted out"}]}
    workflows.import_file(document | {"triggers": [{"id": "added", "kind": "event", "on": "tag.added"}]}, publish=True)
    enrolments.batches.begin(pages.company.mona, "care-review", Question(keys=["1", "3"]))
    work_until_idle(BEGINNING)
    pages.company.work()
    assert "Care reviewActive2" in pages.mona.get("/").text
    assert "Automations" not in pages.olivia.get("/").text
    [first] = [run for run in runs.find(pages.company.mona, {})[0] if run.record == "3"]
    runs.abort(pages.company.mona, first.id, revision=None, reason="Not needed")
    home = pages.mona.get("/")
    assert "1 by itself, none by people yet" in home.text
    assert "Ended lately" not in home.text, "there stand those that people worked on"
    picture = pages.mona.get("/workflows/care-review")
    for said in (
        "Adaeze Okonkwo-Bell",
        "Waits for a person",
        "A tag was added",
        "Opted out",
        "Began2100%",
        "Ended by people150%",
        "Still in it150%",
    ):
        assert said in picture.text, said
    assert {told["data-step"]: told.get("data-passed") for told in picture.with_attribute("data-step")} == {
        "start": "2",
        "ask": "2",
        "end": None,
    }
    narrowed = pages.tom.get("/workflows/care-review").text
    assert "Began1100%" in narrowed
    assert "Halcyon" not in narrowed
    [last] = [run for run in runs.find(pages.company.mona, {})[0] if run.record == "1"]
    runs.take_out(pages.company.mona, last.id, "opted out", exited=True)
    assert "Left early150%" in pages.mona.get("/workflows/care-review").text


def test_a_record_says_what_its_automation_waits_for_and_a_list_how_others_ended(pages: Pages, robot: None) -> None:
    pause = step("pause", "wait", "end", {"event": "tag.added", "timeout": "P2D"}) | {"next": {"event": "end", "timeout": "end"}}
    again = step("again", "condition", None, {"branches": [{"if": "record.id == 1", "outcome": "out"}]})
    again["next"] = {"out": "end", "default": "pause"}
    steps = [step("start", "start", "again"), again, pause, step("end", "end", None, {"label": "left_alone"})]
    workflows.import_file(DOCUMENT | {"run_as": ROBOT, "steps": steps}, publish=True)
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["1", "3"]))
    work_until_idle(BEGINNING)
    pages.company.work()
    shown = pages.olivia.get("/c/customer/3")
    assert "Care review waits at “pause” until " in shown.text
    assert "or until a tag is added." in shown.text
    assert f"{ENROL}?key=3" not in shown.links
    assert "Left alone" in pages.mona.get("/workflows/care-review/executions").text


def test_who_stands_before_a_person_is_said_to_wait_for_one(pages: Pages, robot: None) -> None:
    ask = step("ask", "guidance", "end", {"text": "Look"})
    steps = [step("start", "start", "ask"), ask, step("end", "end", None, {"label": "Done"})]
    workflows.import_file(DOCUMENT | {"run_as": ROBOT, "steps": steps, "settings": {"per_day": 1}}, publish=True)
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["3", "1"]))
    with pytest.raises(queue.PutBack):
        work_until_idle(BEGINNING)
    pages.company.work()
    shown = pages.mona.get(HERE).text
    assert all(words in shown for words in ("for a person", "1 a day begins", "for another day"))


def test_a_file_is_read_as_its_columns_say_and_tells_of_every_line(pages: Pages, robot: None) -> None:
    content = "E-Mail;Why;Note\nadaeze@customers.example;periodic;a\nTORE@customers.example;event;b\nnobody@x.example;event;\n\n;event;\n"
    content += '"never;closed;\na;b;c;d\n"two\nlines;of";event;\n'
    page = pages.olivia.get(ENROL)
    token = page.form(ENROL)["fields"]["csrf_token"]
    file = (io.BytesIO(content.encode("cp1252") + b"caf\xe9@x.example;event;\n"), "contacts.csv")
    answer = pages.olivia.client.post(ENROL, data={"csrf_token": token, "way": "file", "file": file}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    work_until_idle({"enrol"})
    preview = pages.olivia.get(address)
    assert "2 would be enrolled" in preview.text
    assert "No customer has the email on this line: café@x.example." in preview.text
    assert "Line 6 Left out This line has no email, so it does not say which customer is meant." in preview.text
    assert "Column “E-Mail” is" in preview.text
    assert "Which customer a line means is told by its" in preview.text
    assert pages.olivia.get(ENROL).html.count("btn primary") == 1, "one button is the first of the page"
    assert "Line 7 Left out A quotation mark on this line is never closed, or has text behind its end." in preview.text
    assert "Line 8 Left out It has 4 values and the heading 3." in preview.text
    assert "Line 9 Left out Email goes over several lines: a quotation mark is missing, or one too many." in preview.text
    form = preview.forms[-1]["fields"]
    assert (form["c.0"], form["c.1"], form["c.2"], form["match"], form["encoding"]) == ("email", "why", "", "email", "cp1252")
    pages.olivia.post(address, form | {"do": "columns", "encoding": "utf-8-sig"})
    again = pages.olivia.answer.headers["Location"]
    work_until_idle({"enrol"})
    assert "This line cannot be read as UTF-8." in pages.olivia.get(again).text
    pages.olivia.send(pages.olivia.get(again), again.rpartition("/")[2], do="enrol")
    work_until_idle({"enrol"})
    assert "2 enrolled in Care review" in pages.olivia.follow().text
    empty = (io.BytesIO(b""), "contacts.csv")
    answer = pages.olivia.client.post(ENROL, data={"csrf_token": token, "way": "file", "file": empty}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "empty" in answer.text


def test_the_list_and_the_counts_take_the_same_few_statements_whoever_is_in(pages: Pages, robot: None) -> None:
    sent = []
    for keys in (["1"], ["2", "3", "4"]):
        enrolments.batches.begin(pages.company.mona, "care-review", Question(keys=keys, values=WHY))
        work_until_idle(BEGINNING)
        pages.mona.get(HERE)
        with counted() as (own, theirs):
            pages.mona.get(HERE)
        sent.append((len(own), len(theirs)))
    assert abs(sent[0][0] - sent[1][0]) <= 1, "the list of workflows is read anew once a second"
    assert max(own for own, _ in sent) <= 12
    assert [theirs for _, theirs in sent] == [1, 1]


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
    segment = call(olivia, "POST", f"{root}/enrolments", 202, {"segment": "unrated", "values": WHY, "preview": True})
    assert (segment["status"], segment["total"]) == ("running", 3)
    work_until_idle({"enrol"})
    told = call(olivia, "GET", f"{root}/enrolments/{segment['id']}", 200)
    assert (told["status"], told["counts"]["enrolled"], told["counts"]["already_enrolled"]) == ("done", 2, 1)
    lines = call(olivia, "POST", f"{root}/enrolments", 202, {"csv": "email,why\ntore@customers.example,event\n"})
    work_until_idle({"enrol"})
    assert call(olivia, "GET", f"{root}/enrolments/{lines['id']}", 200)["counts"]["enrolled"] == 1
    assert call(olivia, "GET", f"{root}/counts", 200) == {"enrolled": 2, "waiting": 2, "active": 0, "steps": {"start": 2}, "versions": {}}
    [first, second] = call(mona, "GET", f"{root}/leads", 200)["data"]
    assert (second["record"], second["status"], second["node_id"]) == ("1", "waiting", "node_start")
    left = call(mona, "POST", f"{root}/leads/{first['id']}/unenrol", 200, {"reason": "Not interested."})
    assert (left["status"], left["reason"]) == ("left", "Not interested.")
    assert call(olivia, "POST", f"{root}/leads/{second['id']}/unenrol", 403, {"reason": "x"})["code"] == "not_allowed"
    for method, path in (("GET", "leads"), ("GET", "counts"), ("GET", f"enrolments/{begun['id']}"), ("GET", f"leads/{first['id']}")):
        call(stan, method, f"{root}/{path}", 404)
    call(stan, "POST", f"{root}/enrolments", 404, {"records": ["1"]})
    wrong = call(olivia, "POST", f"{root}/enrolments", 422, {"records": ["1"], "segment": "unrated"})
    assert wrong["details"][0]["field"] == "records"


def test_a_list_of_who_is_in_says_until_when_each_waits_and_why(pages: Pages) -> None:
    company = pages.company
    reached.founded(company)
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    steps = [
        step("start", "start", "rest"),
        {**step("rest", "wait", "text", {"duration": "hours(9)"}), "title": "Rest"},
        {**step("text", "sms", "end", {"text": "Hello"}), "title": "A text"},
        step("end", "end", None),
    ]
    about = {"format": 1, "slug": "nurture", "title": "Nurture", "team": "operations", "collection": "contact", "run_as": ROBOT}
    workflows.import_file({**about, "steps": steps}, publish=True)
    with reached.clock(reached.NOON) as move:
        enrolments.batches.begin(company.olivia, "nurture", Question(keys=[reached.SAM]))
        work_until_idle(BEGINNING)
        for listed in ("enrolled", "executions"):
            assert "until 25 Nov 2026, 04:00" in pages.olivia.get(f"/workflows/nurture/{listed}").text
        move(timedelta(hours=9, minutes=1))  # 21:01 in Denver
        [lead] = enrolments.places.page(company.mona, enrolments.find("nurture")).rows
        runs.advance(str(lead.run))
        reached.work()
        page = pages.olivia.get("/workflows/nurture/enrolled")
        why = "until 25 Nov 2026, 15:00. Quiet hours in Denver. SMS leave from 08:00 on Wednesday, 25 November there."
        assert why in page.text
        [href] = [link for link in page.links if "/enrolled/lead_" in link]
        assert f"here now, waits {why}" in pages.olivia.get(href).text


def test_a_file_whose_heading_says_little_is_looked_at_by_its_cells(pages: Pages) -> None:
    company = pages.company
    reached.founded(company)
    target = dataclasses.replace(enrolments.find("care-review"), collection="contact")
    for headings, cells, columns in (
        (["Mail"], ["x"], {"0": "email"}),
        (["Shoe size", "Reach at"], ["38", "sam@post.example"], {"1": "email"}),
        (["What", "Which"], ["a", "b"], {"0": "record"}),
    ):
        assert enrolments.whom_to_enrol.columns_of(company.olivia, target, headings, [cells]) == columns


def test_a_start_that_asks_for_a_lead_takes_columns_by_usual_words(pages: Pages) -> None:
    ask = [{"name": "name", "label": "Name", "type": "text"}, {"name": "mail", "label": "E-mail", "type": "email"}, {"name": "phone", "label": "Phone", "type": "phone"}, {"name": "amount", "label": "Amount", "type": "integer"}]  # fmt: skip
    steps = [step("start", "start", "end", {"fields": ask}), step("end", "end", None)]
    document = {"format": 1, "slug": "leads", "title": "Leads", "team": "operations", "roles": ["operator"], "steps": steps}
    workflows.import_file(document, publish=True, rights=False)
    named = ["Name", "E-mail address", "Phone", "Amount"]
    found = enrolments.whom_to_enrol.columns_of(pages.company.olivia, enrolments.find("leads"), named)
    assert found == {"0": "name", "1": "mail", "2": "phone", "3": "amount"}


def test_the_pages_of_triggers_and_of_enrolling_say_the_rules(pages: Pages, robot: None) -> None:
    exits = [{"if": 'event.on == "message.received"', "reason": "they wrote to us"}]
    trigger = {"id": "tagged", "kind": "event", "on": "tag.added", "filter": 'event.tag == "lead"'}
    workflows.import_file(DOCUMENT | {"run_as": ROBOT, "exits": exits, "reenrol": {"days": 60}, "triggers": [trigger]}, publish=True)
    for address in ("/workflows/care-review/triggers", "/workflows/care-review/enrol"):
        page = pages.mona.get(address)
        assert "They wrote to us: when a message came in from them." in page.text
        assert "may be enrolled again 60 days later" in page.text
    assert "Only where the tag is “lead”." in pages.mona.get("/workflows/care-review/triggers").text
    assert "It has not fired yet." in pages.mona.get("/workflows/care-review/triggers").text
    assert "came in another way" not in pages.mona.get("/workflows/care-review/triggers").text
    enrolments.batches.begin(pages.company.mona, "care-review", Question(keys=["1"], values=WHY))
    assert "came in another way, such as by hand" in pages.mona.get("/workflows/care-review/triggers").text
    fetch("update console.trigger set matched = 1 returning 1")
    assert "Its last firings are more than 30 days ago." in pages.ines.get("/workflows/care-review/triggers").text
    assert "It has not fired for records that you may see." in pages.tom.get("/workflows/care-review/triggers").text
    workflows.cancel(pages.company.mona, "care-review", "Over")
    assert "The workflow is cancelled: triggers that are on begin" in pages.mona.get("/workflows/care-review/triggers").text


def test_nobody_who_left_is_shown_as_a_success_for_the_end_they_came_to_may_be_any() -> None:
    assert enrolled.ENDINGS.keys() >= FINAL
    assert [name for name, badge in enrolled.ENDINGS.items() if badge.icon == "check" or badge.tone == "good"] == []


def test_who_goes_on_with_an_older_version_is_said_with_the_way_to_move_them(pages: Pages, robot: None) -> None:
    enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=["1"], values=WHY))
    work_until_idle()
    sequencing.sequence()
    enrolments.beginning.keep_in_step()
    assert "/workflows/care-review/move" not in pages.mona.get(HERE).links
    workflows.import_file(DOCUMENT | {"run_as": ROBOT, "description": "Another text"}, publish=True)
    shown = pages.mona.get(HERE)
    assert "1 of them goes on with an older version." in shown.text
    assert "older version" not in pages.mona.get(f"{HERE}?status=left").text, "who has left does not go on"
    assert "/workflows/care-review/move" in shown.links
    assert "/workflows/care-review/move" not in pages.olivia.get(HERE).links


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
    assert seen == {"total": 2, "waiting": 2, "active": 0, "steps": {"start": 2}, "pending": {}, "partly": False}
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
    assert [lead["reason"] for lead in call(mona, "GET", "/workflows/care-review/leads?status=left", 200)["data"]] == [
        "The wrong list."
    ] * 2


def test_a_row_with_a_nul_character_is_left_out_with_the_reason_and_the_others_are_let_in(pages: Pages, robot: None) -> None:
    olivia = {"Authorization": f"Bearer {accounts.create_key('test', pages.company.olivia.id).text}"}
    body = {"rows": [{"record": "1\x00"}, {"record": "2"}, {"rec\u0001ord": "x"}], "values": WHY}
    answer = web_app().test_client().post("/api/v1/workflows/care-review/enrolments", json=body, headers=olivia)
    assert (answer.status_code, answer.get_json()["counts"]) == (202, {"enrolled": 1, "already_enrolled": 0, "refused": 2})
    told = (
        web_app()
        .test_client()
        .get(f"/api/v1/workflows/care-review/enrolments/{answer.get_json()['id']}/rows?status=refused", headers=olivia)
    )
    assert "NUL character" in told.get_json()["data"][0]["reasons"][0]["reason"]


def test_a_file_with_nul_characters_is_read_to_its_end(pages: Pages, robot: None) -> None:
    olivia = {"Authorization": f"Bearer {accounts.create_key('test', pages.company.olivia.id).text}"}
    body = {"csv": "record\n1\n2\x00\n\x00\n", "values": WHY}
    answer = web_app().test_client().post("/api/v1/workflows/care-review/enrolments", json=body, headers=olivia)
    work_until_idle()
    batch = enrolments.batches.get(pages.company.olivia, answer.get_json()["id"])
    assert (batch.status, batch.enrolled, batch.refused) == ("done", 1, 2)
