"""Nobody approves what they caused: every way in which a person makes a run begin, by hand and by key, and what the run says of it."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from console import browse, log, runs, workflows
from console.actions import record_changes
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import Scopes
from console.automation import enrolments, triggers as automation
from console.automation.enrolments import Question
from console.browse import tags
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from console.monitoring import alerts
from console.work import approvals
from tests.automation.triggers.test_triggers import due_at, house, shop
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_as_workers_do
from tests.messaging.messages.reached import founded
from tests.monitoring.test_alerts import known
from tests.runs.engine.test_hands_off import ROBOT
from tests.support.engine import step
from tests.support.four_eyes import waiting_for, whole
from tests.work.test_approvals import second_lead

__all__ = ["house", "shop"]

pytestmark = pytest.mark.lengthy
ADDRESS = "198.51.100.7"
ASK = step("ask", "approval", None, {"text": "May this go on?", "roles": ["lead"]}) | {
    "next": {"approved": "end", "rejected": "end"}
}
Pull = Callable[[Company, Actor], object]


def asking(
    slug: str = "asks",
    *triggers: Mapping[str, Any],
    collection: str | None = "contact",
    first: str = "ask",
    **more: Any,
) -> None:
    """A workflow without a holder that asks for approval at once."""
    steps = [step("start", "start", first), ASK, step("end", "end", None)]
    head = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "run_as": ROBOT,
        "collection": collection,
    }
    workflows.import_file(
        head | {"steps": steps, "settings": {"exclusive": False}, "triggers": list(triggers)} | more,
        publish=True,
    )


def doing(slug: str, kind: str, config: dict[str, Any], *triggers: Mapping[str, Any], **more: Any) -> None:
    """A workflow without a holder with one automatic step."""
    steps = [step("start", "start", "act"), step("act", kind, "end", config), step("end", "end", None)]
    asking(slug, *triggers, steps=steps, **more)


def on(event: str, **more: Any) -> dict[str, Any]:
    return {"id": "on", "kind": "event", "on": event, **more}


def started(slug: str = "asks") -> list[str]:
    """Runs of the workflow, the oldest first."""
    statement = "select r.id from /* every run */ console.run r join console.workflow w on w.id = r.workflow where w.slug = %s order by r.id"
    return [run_id for (run_id,) in fetch(statement, (slug,))]


def call_in(company: Company, actor: Actor) -> None:
    """By a key of the actor's: nobody calls a webhook by hand."""
    asking("asks", {"id": "in", "kind": "webhook", "enabled": True})
    [hook] = automation.list_triggers(company.mona, "asks")[1]
    text = accounts.create_key("hook", actor.id, scopes=Scopes(approves=True)).text
    answer = client().post(
        f"/hooks/{hook.address}", json={"record": "1"}, headers={"Authorization": f"Bearer {text}"}
    )
    assert answer.status_code == 202, answer.json


def client() -> FlaskClient:
    made = web_app().test_client()
    made.environ_base["REMOTE_ADDR"] = ADDRESS
    return made


def by_hand(company: Company, actor: Actor) -> None:
    asking()
    runs.start(actor, "asks", "contact", "1")


def by_tag(company: Company, actor: Actor) -> None:
    asking("asks", on("tag.added"))
    tags.put(actor, "contact", ["1"], "hot")


def by_tag_taken(company: Company, actor: Actor) -> None:
    tags.put(company.olivia, "contact", ["1"], "hot")
    sequencing.catch_up()
    asking("asks", on("tag.removed"))
    automation.synchronise()
    tags.take_away(actor, "contact", ["1"], "hot")


def by_change(company: Company, actor: Actor) -> None:
    asking("asks", on("record.updated"))
    browse.change(actor, "contact", "1", {"stage": "engaged"}, {"stage": "new"})


def by_stage(company: Company, actor: Actor) -> None:
    asking("asks", on("stage.changed"))
    browse.change(actor, "contact", "1", {"stage": "engaged"}, {"stage": "new"})


def by_new_record(company: Company, actor: Actor) -> None:
    asking("asks", on("record.created"))
    record_changes.create(actor, "contact", {"name": "Nia", "stage": "new"})


def by_deletion(company: Company, actor: Actor) -> None:
    asking("asks", on("record.deleted", collection="contact"), collection=None)
    record_changes.delete(actor, "contact", "6", {})


def by_enrolment(company: Company, actor: Actor) -> None:
    asking()
    enrolments.batches.begin(actor, "asks", Question(keys=["1"]))


def by_segment(company: Company, actor: Actor) -> None:
    asking()
    enrolments.batches.begin(actor, "asks", Question(segment="engaged"))


def by_lead(company: Company, actor: Actor) -> None:
    asking()
    enrolments.enrol_leads(actor, "asks", [{"record": "1"}])


def by_sub_workflow(company: Company, actor: Actor) -> None:
    asking()
    doing("outer", "sub_workflow", {"workflow": "asks"})
    runs.start(actor, "outer", "contact", "1")


def by_branch(company: Company, actor: Actor) -> None:
    steps = [
        step("start", "start", "both"),
        step(
            "both",
            "parallel",
            "end",
            {"branches": [{"id": name, "start": name} for name in ("ask", "read")], "until": "all"},
        ),
        ASK,
        step("read", "guidance", "end", {"text": "Read."}),
        step("end", "end", None),
    ]
    asking(steps=steps)
    runs.start(actor, "asks", "contact", "1")


def by_tag_of_a_run(company: Company, actor: Actor) -> None:
    asking("asks", on("tag.added"))
    doing("tags", "add_tag", {"tag": "hot"})
    runs.start(actor, "tags", "contact", "1")


def by_end_of_a_run(company: Company, actor: Actor) -> None:
    asking("asks", on("run.completed", filter='event.workflow == "tags"'), collection=None)
    doing("tags", "add_tag", {"tag": "hot"})
    runs.start(actor, "tags", "contact", "1")


def by_error(company: Company, actor: Actor) -> None:
    asking("asks", collection=None)
    doing("fails", "sub_workflow", {"workflow": "nowhere"}, settings={"exclusive": False, "on_error": "fail"})
    alerts.add(company.mona, known("fails"), kind="failed", starts="asks")
    runs.start(actor, "fails", "contact", "1")


def by_run_of_a_tag_of_a_run(company: Company, actor: Actor) -> None:
    asking()
    doing("outer", "sub_workflow", {"workflow": "asks"}, on("tag.added"))
    doing("tags", "add_tag", {"tag": "hot"}, on("record.updated"))
    browse.change(actor, "contact", "1", {"stage": "engaged"}, {"stage": "new"})


def by_import(company: Company, actor: Actor) -> None:
    asking("asks", on("tag.added"))
    file = io.BytesIO(b"name,email,stage,Tags\nNia,nia@post.example,new,hot\n")
    import_batches.send(actor, "contact", file, headings={}, match=None, change=False, same={}, preview=False)


WAYS: list[Pull] = [
    by_hand,
    by_tag,
    by_tag_taken,
    by_change,
    by_stage,
    by_new_record,
    by_deletion,
    by_enrolment,
    by_segment,
    by_lead,
    by_sub_workflow,
    by_branch,
    by_tag_of_a_run,
    by_end_of_a_run,
    by_error,
    by_run_of_a_tag_of_a_run,
    by_import,
    call_in,
]


@pytest.fixture
def office(house: Company) -> Company:
    """Contacts, a robot, and Mona and Lena who may approve."""
    founded(house)
    access.grant("operations_lead", "collection:contact", ["create", "delete"], team="operations")
    return house


def with_key(actor: Actor) -> Actor:
    made = accounts.actor_of_key(accounts.create_key("tests", actor.id, scopes=Scopes(approves=True)).text)
    assert made is not None
    return made


def refused(actor: Actor, approval: str) -> str:
    with pytest.raises(NotAllowed) as error:
        runs.approve(actor, approval)
    assert error.value.code == "separation_of_duties"
    return str(error.value.details[0]["reason"])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("key", [False, True], ids=["page", "key"])
def test_nobody_approves_what_they_caused(office: Company, way: Pull, key: bool) -> None:
    lena, who = second_lead(office), replace(with_key(office.mona) if key else office.mona, address=ADDRESS)
    way(office, who)
    work_as_workers_do()
    waiting = started()[-1]
    if way is by_branch:
        waiting = next(child.id for child in runs.children_of(started()[0]) if child.branch == "ask")
    told = runs.get(lena, waiting).json
    asked = waiting_for(waiting)
    people = [cause["person"] for cause in told["caused_by"] if cause["person"]]
    assert set(people) == {office.mona.id}
    assert approvals.get(lena, asked).line.approval.requested_by == people[0]
    assert any(cause["key"] for cause in told["caused_by"]) == (key or way is call_in)
    assert len(told["caused_by"]) <= 8
    first = log.events_of(waiting, limit=1)[0]
    assert [cause["person"] for cause in first.open["caused_by"] if "person" in cause] == people, (
        "the log says the same"
    )
    assert ADDRESS not in str(first.body), "an address is sealed"
    assert refused(office.mona, asked) == refused(with_key(office.mona), asked) == "requester"
    assert [line.approval.id for line in approvals.to_review(office.mona).lines] == []
    assert asked in [line.approval.id for line in approvals.to_review(lena).lines]
    runs.approve(lena, asked)
    whole(waiting)


def test_who_started_a_run_through_a_webhook_stands_in_its_first_event(office: Company) -> None:
    call_in(office, office.mona)
    [run_id] = started()
    key = fetch("select id from console.api_key where person = %s", (office.mona.id,))[0][0]
    [cause] = runs.get(office.ines, run_id).json["caused_by"]
    assert [each["address"] for each in runs.get(office.mona, run_id).json["caused_by"]] == [None], (
        "only who reads the log knows"
    )
    assert cause == {
        "kind": "delivery",
        "person": office.mona.id,
        "key": key,
        "trigger": "in",
        "event": None,
        "run": None,
        "address": ADDRESS,
        "signed": False,
    }
    first = log.events_of(run_id, limit=1)[0]
    assert first.open["caused_by"] == [
        {
            "kind": "delivery",
            "person": office.mona.id,
            "key": key,
            "trigger": "in",
            "signed": False,
            "workflow": workflows.live("asks").id,
        }
    ]
    assert first.values["addresses"] == {"0": ADDRESS}
    [told, *_], _ = runs.events(office.ines, run_id, limit=1)
    assert told["sentence"].endswith(f", caused by a delivery with a key of {office.mona.name}")


def test_a_schedule_is_caused_by_nobody_and_anyone_entitled_approves(office: Company) -> None:
    asking("asks", {"id": "night", "kind": "schedule", "cron": "* * * * *"}, collection=None)
    due_at("asks", "night", "clock_timestamp() - interval '1 minute'")
    work_as_workers_do()
    [run_id] = started()
    assert [
        (cause["kind"], cause["person"], cause["trigger"])
        for cause in runs.get(office.mona, run_id).json["caused_by"]
    ] == [("schedule", None, "night")]
    runs.approve(office.mona, waiting_for(run_id))


def found_in(office: Company) -> str:
    automation.look(only=frozenset({"order"}))
    work_as_workers_do()
    return started()[-1]


def test_a_change_in_a_watched_database_is_that_of_whoever_made_it_here_or_made_outside(
    office: Company, shop: psycopg.Connection[Any]
) -> None:
    shop.execute(
        "create function touch() returns trigger language plpgsql as 'begin new.updated_at = clock_timestamp(); return new; end'"
    )
    shop.execute("create trigger touch before update on orders for each row execute function touch()")
    shop.execute("insert into orders (title, total) values ('by none', 2)")
    asking("asks", on("record.updated"), collection="order")
    automation.synchronise()
    automation.look(only=frozenset({"order"}))
    lena = second_lead(office)
    browse.change(office.mona, "order", "1", {"title": "by hand"}, {"title": "old"})
    run_id = found_in(office)
    assert refused(office.mona, waiting_for(run_id)) == "requester"
    runs.approve(lena, waiting_for(run_id))

    shop.execute("update orders set total = 9 where id = 2")
    run_id = found_in(office)
    assert [cause["kind"] for cause in runs.get(lena, run_id).json["caused_by"]] == ["outside"]
    runs.approve(office.mona, waiting_for(run_id))


def test_who_does_a_run_again_is_behind_it_with_whoever_was_before(office: Company) -> None:
    lena = second_lead(office)
    by_tag(office, office.mona)
    work_as_workers_do()
    [run_id] = started()
    runs.take_out(runs.ENGINE, run_id, "Once more.")
    again = runs.rerun(lena, run_id, origin="start", version="current")
    work_as_workers_do()
    assert {cause["person"] for cause in runs.get(lena, again).json["caused_by"]} == {lena.id, office.mona.id}
    for who in (lena, office.mona):
        assert refused(who, waiting_for(again)) == "requester"
    runs.approve(second_lead(office, "mara"), waiting_for(again))


def test_a_step_that_led_on_is_that_of_who_did_it_however_late_the_log_is_read(office: Company) -> None:
    """And everybody who worked on the run before is behind what it led to; who comes after is not."""
    lena = second_lead(office)
    asking("asks", on("tag.added"))
    steps = [
        step("start", "start", "one"),
        step("one", "guidance", "act", {"text": "1"}),
        step("act", "add_tag", "two", {"tag": "hot"}),
        step("two", "guidance", "end", {"text": "2"}),
        step("end", "end", None),
    ]
    guided = {
        "format": 1,
        "slug": "guided",
        "title": "Guided",
        "team": "operations",
        "collection": "contact",
        "steps": steps,
    }
    workflows.import_file(guided, publish=True)
    run_id = runs.start(office.olivia, "guided", "contact", "1")
    runs.save(office.olivia, run_id, revision=None)
    runs.resume(office.mona, run_id, revision=None)
    office.answer(run_id, "mona")
    runs.save(office.mona, run_id, revision=None)
    runs.resume(lena, run_id, revision=None)
    told = runs.get(lena, run_id).json
    runs.complete(lena, run_id, runs.Submission(step="two", revision=told["revision"], values={}))
    work_as_workers_do()
    [asked] = started()
    assert {cause["person"] for cause in runs.get(lena, asked).json["caused_by"]} == {
        office.olivia.id,
        office.mona.id,
    }
    assert refused(office.mona, waiting_for(asked)) == "requester"
    runs.approve(lena, waiting_for(asked))


def test_who_lets_a_waiting_run_go_on_is_among_its_causes(office: Company) -> None:
    lena = second_lead(office)
    waits = step("wait", "wait", None, {"event": "tag.added"}) | {"next": {"event": "ask"}}
    asking(steps=[step("start", "start", "wait"), waits, ASK, step("end", "end", None)])
    run_id = runs.start(office.olivia, "asks", "contact", "1")
    work_as_workers_do()
    tags.put(office.mona, "contact", ["1"], "hot")
    work_as_workers_do()
    assert {cause["person"] for cause in runs.get(lena, run_id).json["caused_by"]} == {
        office.olivia.id,
        office.mona.id,
    }
    assert refused(office.mona, waiting_for(run_id)) == "requester"
    runs.approve(lena, waiting_for(run_id))
    whole(run_id)


def test_who_was_shown_the_secret_of_a_signed_webhook_does_not_approve_what_it_starts(
    office: Company,
) -> None:
    asking("asks", {"id": "in", "kind": "webhook", "enabled": True, "signed": True})
    made = automation.renew_secret(office.mona, "asks", "in")
    [hook] = automation.list_triggers(office.mona, "asks")[1]
    body, now = b'{"record": "1"}', log.now()
    signature = Webhook(str(made.secret)).sign("msg_1", now, body.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    answer = client().post(
        f"/hooks/{hook.address}", data=body, headers=headers, content_type="application/json"
    )
    assert answer.status_code == 202, answer.json
    work_as_workers_do()
    [run_id] = started()
    assert refused(office.mona, waiting_for(run_id)) == "requester"
    runs.approve(second_lead(office), waiting_for(run_id))


OLD = [by_hand, by_tag, by_change, by_enrolment, by_sub_workflow, by_tag_of_a_run, call_in]


@pytest.mark.parametrize("way", OLD, ids=lambda way: way.__name__)
def test_what_caused_an_old_run_is_found_in_the_log_and_else_nobody_who_may_have_approves(
    office: Company, way: Pull
) -> None:
    lena = second_lead(office)
    way(office, office.mona)
    work_as_workers_do()
    fetch("update console.run set caused_by = null returning 1")
    run_id = started()[-1]
    assert refused(office.mona, waiting_for(run_id)) == "requester"
    runs.approve(lena, waiting_for(run_id))
