"""The shipped automations of Growth, as they are, on the contacts of the club: each scenario to its end, with a moved clock."""

import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console import monitoring, runs, workflows
from console.actions import record_changes
from console.activity import sequencing
from console.auth import access, accounts
from console.automation import enrolments, triggers
from console.automation.enrolments import Lead, Question, Those
from console.browse import tags
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from console.messaging.messages import channel_settings, inbound, unsubscribing
from console.messaging.messages.message_rows import read
from console.messaging.messages.outside_addresses import unsubscribe_url
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, SAM
from tests.support import contact_club
from tests.views.conftest import signed_in

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
HERE = Path(workflows.__file__).parent.parent.parent / "workflows"
MORE = """
alter table contact add column source text;
alter table contact add column customer_no text;
"""
STAGES = "'new', 'contacted', 'engaged', 'unresponsive', 'lost'"


class House:
    """The company with the shipped automations, and its clock."""

    def __init__(self, company: Company, move: Callable[[timedelta], None]) -> None:
        self.company, self.move = company, move

    def sql(self, statement: str, *values: Any) -> None:
        """Change the club's own database."""
        with closing(sqlite3.connect(self.company.path.with_name("club.db"))) as connection:
            connection.execute(statement, values)
            connection.commit()

    def live(self, slug: str) -> None:
        """The shipped workflow, as this company's."""
        text = (
            (HERE / f"{slug}.json")
            .read_text(encoding="utf-8")
            .replace("gita@fernwick.example", "olivia@fernwick.example")
        )
        document = json.loads(text) | {"run_as": ROBOT, "team": "operations", "roles": ["operator"]}
        document["triggers"] = [each for each in document["triggers"] if each["kind"] == "event"]
        workflows.import_file(document, publish=True)

    def enrol(self, slug: str, key: str = SAM) -> str:
        """What became of the enrolment of a contact."""
        batch = enrolments.batches.begin(self.company.olivia, slug, Question(keys=[key]))
        self.work()
        told, _ = enrolments.batches.answers(self.company.olivia, batch.id)
        return (
            str(told[0].reasons[0]["reason"])
            if told and told[0].reasons
            else "already"
            if told
            else "enrolled"
        )

    def work(self) -> None:
        """What workers do, until nothing is left."""
        for _ in range(3):
            self.company.work()
            reached.settle()
            sequencing.sequence()
            triggers.synchronise()
            triggers.follow_log()
            triggers.pick_up()
            enrolments.exits.look()
            triggers.wake_awaiting()
            enrolments.beginning.keep_in_step()

    def later(self, **span: float) -> None:
        """Time passes, and workers work."""
        self.move(timedelta(**span))
        self.work()

    def lead(self, slug: str, key: str = SAM) -> Lead:
        """The newest place of the contact in the workflow."""
        target = enrolments.find(slug)
        rows = [
            *enrolments.places.page(self.company.mona, target).rows,
            *enrolments.places.page(self.company.mona, target, status="left").rows,
        ]
        return next(row for row in rows if row.record == key)

    def letters(self, slug: str) -> list[tuple[str, str, str | None]]:
        """(channel, status, code) of the messages of the workflow, oldest first."""
        rows = read("workflow = %s and direction = 'out' order by asked_at, id", (enrolments.find(slug).id,))
        return [(row.channel, row.status, row.code) for row in rows]

    def at(self, slug: str, key: str = SAM) -> str | None:
        """The step at which the contact stands."""
        told = runs.get(self.company.mona, str(self.lead(slug, key).run)).json
        return told["current"] and str(told["current"]["step"])


@pytest.fixture
def house(
    company: Company, monkeypatch: pytest.MonkeyPatch, given_settings: Callable[..., None]
) -> Iterator[House]:
    given_settings(CONSOLE_BASE_URL="http://console.example")
    monkeypatch.setattr(
        contact_club, "SQL", contact_club.SQL.replace("'new', 'engaged', 'lost'", STAGES) + MORE
    )
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    reached.founded(company)
    for role in ("operations_lead", "operator"):
        access.grant(role, "collection:contact", ["browse", "read", "update", "create"], team="operations")
        access.grant(role, "collection:consent", ["browse", "read"], team="operations")
    with reached.clock(NOON) as move:
        yield House(company, move)


def test_e1_without_consent_each_message_is_skipped_once_and_says_why(house: House) -> None:
    house.live("re-engage")
    assert house.enrol("re-engage", ANA) == "enrolled"
    assert [one[:2] for one in house.letters("re-engage")] == [
        ("email", "skipped"),
        ("sms", "skipped"),
        ("call", "skipped"),
    ]
    codes = {one[2] for one in house.letters("re-engage")}
    assert codes <= {"no_consent", "consent_withdrawn", "no_address"}, codes
    assert house.lead("re-engage", ANA).ending == "completed"
    assert tags.has("contact", ANA, "dormant")


def test_e2_who_answers_while_we_wait_gets_a_person_and_no_further_message(house: House) -> None:
    house.live("re-engage")
    house.enrol("re-engage")
    assert house.at("re-engage") == "wait1"
    house.later(days=1)
    inbound.receive("email", "smtp", sender="sam@post.example", text="I am still here.", provider_id="m1")
    house.work()
    assert house.lead("re-engage").ending == "completed"
    house.later(days=9)
    assert [one[0] for one in house.letters("re-engage")] == ["email"]
    assert fetch("select count(*) from console.task")[0][0] == 1


def test_e4_who_was_in_it_lately_is_not_enrolled_again(house: House) -> None:
    house.live("re-engage")
    house.enrol("re-engage", ANA)
    house.later(days=1)
    assert "180 days" in house.enrol("re-engage", ANA)


def test_e5_who_opts_out_by_the_link_leaves_at_once(house: House) -> None:
    house.live("re-engage")
    house.enrol("re-engage")
    [letter] = read("workflow = %s", (enrolments.find("re-engage").id,))
    link = unsubscribe_url(letter)
    assert link is not None
    token = link.rpartition("/")[2]
    assert {choice.channel for choice in unsubscribing.open_link(token, "1.2.3.4").choices} >= {
        "email",
        "sms",
        "call",
    }
    unsubscribing.end(token, "1.2.3.4", ["email", "sms"])
    house.work()
    left = house.lead("re-engage")
    assert (left.ending, left.reason) == ("exited", "exited: opted out")


def test_e8_who_is_taken_out_by_hand_is_written_to_no_more(house: House) -> None:
    house.live("re-engage")
    house.move(timedelta(hours=3))
    house.enrol("re-engage")
    house.later(days=3, hours=6)
    pending = [one for one in house.letters("re-engage") if one[1] == "waiting"]
    assert [one[0] for one in pending] == ["sms"], "it is night in Denver"
    enrolments.take_out(house.company.mona, "re-engage", Those(), "The wrong list.")
    house.later(days=1)
    assert [one[:2] for one in house.letters("re-engage")][1:] == [("sms", "cancelled")]
    assert house.lead("re-engage").reason == "The wrong list."


def test_w1_an_import_enrols_nobody_and_who_is_added_by_hand_is(house: House) -> None:
    house.live("welcome")
    triggers.synchronise()
    house.work()
    looked = import_batches.keep(
        house.company.olivia, "contact", io.BytesIO(b"name,email,stage\nIm Port,import@post.example,new\n")
    )
    assert import_batches.confirm(house.company.olivia, looked.id).new == 1
    made = record_changes.create(
        house.company.olivia, "contact", {"name": "By Hand", "stage": "new", "source": "web"}
    )
    house.work()
    rows = enrolments.places.page(house.company.mona, enrolments.find("welcome")).rows
    assert [row.record for row in rows] == [made.key]


def test_w2_who_has_no_telephone_gets_an_email(house: House) -> None:
    house.live("welcome")
    house.sql("update contact set phone = null where id = 1")
    house.enrol("welcome")
    house.later(minutes=6)
    assert [one[0] for one in house.letters("welcome") if one[1] != "skipped"] == ["email"]


def test_w3_a_contact_that_is_deleted_meanwhile_ends_the_run(house: House) -> None:
    house.live("welcome")
    house.enrol("welcome")
    house.sql("delete from consent where contact_id = 1")
    house.sql("delete from contact where id = 1")
    enrolments.exits.check_idle_leads()
    house.later(minutes=6)
    assert (house.lead("welcome").ending, house.letters("welcome")) == ("record_gone", [])


def test_w5_who_answers_at_once_gets_a_person_and_no_second_email(house: House) -> None:
    house.live("welcome")
    house.enrol("welcome")
    house.later(minutes=6)
    assert house.at("welcome") == "reply"
    inbound.receive("sms", "twilio", sender="+12025550147", text="Yes please!", provider_id="SM1")
    house.later(minutes=2)
    assert house.lead("welcome").ending == "completed"
    house.later(days=3)
    assert [one[0] for one in house.letters("welcome")] == ["sms"]


def test_l1_nobody_answers_three_times_and_they_are_left_in_peace_after_four_days(house: House) -> None:
    channel_settings.save(house.company.ines, "call", sandbox_on=True, script="no_answer")
    house.live("lead-nurture")
    triggers.synchronise()
    house.work()
    tags.put(house.company.olivia, "contact", [SAM], "lead")
    house.work()
    for step, hours in (("wait1", 0), ("wait2", 4)):
        assert house.at("lead-nurture") == step
        house.later(days=2, hours=hours, minutes=1)
    assert [one[:2] for one in house.letters("lead-nurture")] == [("call", "delivered")] * 3
    assert house.lead("lead-nurture").ending == "completed"
    assert tags.has("contact", SAM, "dormant")


@pytest.mark.parametrize(
    ("hour", "slug", "letters"),
    [
        (0, "lead-nurture", [("call", "delivered")]),
        (8, "lead-nurture", [("call", "cancelled")]),
        (0, "welcome", [("sms", "delivered")]),
        (0, "re-engage", [("email", "sent")]),
    ],
    ids=[
        "between two calls",
        "while a call waits for the morning",
        "after the welcome",
        "after the first e-mail",
    ],
)
def test_l2_who_says_stop_leaves_as_opted_out_and_what_waits_is_cancelled(
    house: House, hour: int, slug: str, letters: list[tuple[str, str]]
) -> None:
    channel_settings.save(house.company.ines, "call", sandbox_on=True, script="no_answer")
    house.live(slug)
    house.move(timedelta(hours=hour))
    house.enrol(slug)
    house.later(minutes=6)
    inbound.receive("sms", "twilio", sender="+12025550147", text="Stop pls", provider_id="SM1")
    sequencing.sequence()
    triggers.wake_awaiting()  # whichever duty of a worker comes first
    house.later(seconds=10)
    house.later(days=3)
    assert (house.lead(slug).ending, house.lead(slug).reason) == ("exited", "exited: opted out")
    assert [one[:2] for one in house.letters(slug)] == letters
    assert fetch("select count(*) from console.task")[0][0] == 0, "nobody is asked to answer them"


def test_e6_a_message_that_waited_longer_than_a_day_for_its_hour_does_not_leave(house: House) -> None:
    house.live("welcome")
    house.move(timedelta(hours=8))
    house.enrol("welcome")
    house.later(minutes=6)
    assert [one[1] for one in house.letters("welcome")] == ["waiting"], "it is night in Denver"
    house.later(hours=25)
    assert house.letters("welcome")[0][:2] == ("sms", "expired")


def test_e3_a_cap_that_another_workflow_has_used_up_names_it(house: House) -> None:
    channel_settings.save(house.company.ines, "call", sandbox_on=True, script="no_answer")
    house.live("lead-nurture")
    house.enrol("lead-nurture")
    reached.workflow(
        "another",
        [{"id": "call", "type": "ai_call", "config": {"script": "Hello."}, "next": {"default": "end"}}],
    )
    run_id = reached.begin(house.company, "another")
    told = reached.line(house.company, run_id)
    assert told.status == "waiting"
    assert "Lead nurture" in str(told.reason)


def test_w8_what_is_due_in_the_night_of_the_clock_change_leaves_at_eight_by_the_new_clock(
    house: House,
) -> None:
    house.live("welcome")
    with reached.clock(
        datetime.fromisoformat("2027-03-14T05:30:00+00:00")
    ) as move:  # 23:30 in Denver, two and a half hours before the clocks change
        house.move = move
        house.enrol("welcome")
        house.later(minutes=6)
        [letter] = read("workflow = %s", (enrolments.find("welcome").id,))
        assert letter.due_at is not None
        assert letter.due_at.astimezone(UTC) == datetime.fromisoformat("2027-03-14T14:00:00+00:00"), (
            "08:00 of the summer"
        )


def crowd(house: House, upto: int) -> None:
    """Contacts 10 to `upto` who agreed to everything, at addresses of their own."""
    with closing(sqlite3.connect(house.company.path.with_name("club.db"))) as connection:
        people = [
            (number, f"Contact {number}", f"c{number}@post.example", f"+1 202 555 {number:04}")
            for number in range(10, upto + 1)
        ]
        connection.executemany(
            "insert into contact (id, name, email, phone, country, time_zone, stage, news, news_at)"
            " values (?, ?, ?, ?, 'US', 'America/Denver', 'new', 'yes', '2026-02-01')",
            people,
        )
        given = [(person[0], channel, "given") for person in people for channel in ("sms", "phone", "call")]
        connection.executemany(reached.GIVEN, given)
        connection.commit()


def test_e7_before_anybody_is_enrolled_it_is_said_that_312_of_1000_are_over_the_cap(house: House) -> None:
    """Lead nurture called 312 of them today; nobody is called twice a day, by whatever workflow."""
    crowd(house, 1009)
    channel_settings.save(house.company.ines, "call", sandbox_on=True, script="no_answer")
    house.live("lead-nurture")
    house.enrol("lead-nurture", "10")
    columns = [
        row[0]
        for row in fetch(
            "select column_name from information_schema.columns where table_schema = 'console' and table_name = 'message'"
        )
    ]
    changed = {
        "id": "m.id || '-' || who",
        "key": "m.key || '-' || who",
        "record": "who::text",
        "run": "null",
        "provider_id": "null",
    }
    copied = ", ".join(changed.get(name, f"m.{name}") for name in columns)
    names = ", ".join(columns)
    statement = f"insert into console.message ({names}) select {copied} from console.message m, generate_series(11, 321) who where m.record = '10' and m.sent_at is not null returning 1"
    assert len(fetch(statement)) == 311
    call = [{"id": "call", "type": "ai_call", "config": {"script": "Hello."}, "next": {"default": "end"}}]
    reached.workflow("another", call)
    asked = Question(filter='{"field": "id", "op": "gte", "value": 10}')
    seen = enrolments.batches.begin(house.company.olivia, "another", asked, preview=True)
    house.work()
    told = enrolments.batches.get(house.company.olivia, seen.id)
    assert (told.status, told.enrolled) == ("done", 1000)
    [channel] = told.reach.channels.values()
    assert (told.reach.looked, channel.reached, channel.later, channel.over_cap) == (1000, 1000, 312, 312)
    told_before = monitoring.activation(house.company.olivia, "another").over_cap
    assert told_before is not None
    assert (told_before.looked, told_before.over, told_before.more) == (1000, 312, True), (
        "the question before it is switched on says it, too"
    )
    page = signed_in(web_app(), "olivia").get(f"/enrolments/{seen.id}").text
    assert "1,000 of 1,000" in page
    assert "312 of 1,000 over the cap" in page
    assert "not before the hours allow it" not in page


def test_w4_an_empty_merge_field_keeps_the_workflow_from_being_activated_and_is_named(house: House) -> None:
    house.sql("update contact set name = '' where id = 2")
    house.live("welcome")
    workflows.archive(house.company.mona, "welcome")
    client = web_app().test_client()
    key = {"Authorization": f"Bearer {accounts.create_key('test', house.company.mona.id).text}"}
    refused = client.post("/api/v1/workflows/welcome/activate", json={}, headers=key)
    told = refused.get_json()
    assert (refused.status_code, told["code"]) == (409, "merge_fields")
    assert {detail["field"] for detail in told["details"]} >= {"steps.sms", "steps.mail"}
    assert all("Name is empty for 1 of 6 contacts" in detail["reason"] for detail in told["details"])
    assert (
        client.post("/api/v1/workflows/welcome/activate", json={"leave_out": True}, headers=key).status_code
        == 200
    )


def test_w7_who_may_not_activate_is_told_what_is_missing_and_who_grants_it(house: House) -> None:
    house.live("welcome")
    client = web_app().test_client()
    key = {"Authorization": f"Bearer {accounts.create_key('test', house.company.olivia.id).text}"}
    refused = client.post("/api/v1/workflows/welcome/activate", json={}, headers=key)
    told = refused.get_json()
    assert (refused.status_code, told["code"]) == (403, "not_allowed")
    assert (told["need"]["act"], bool(told["rule"]), bool(told["message"])) == ("activate", True, True)
    stranger = {"Authorization": f"Bearer {accounts.create_key('test', house.company.stan.id).text}"}
    assert client.post("/api/v1/workflows/welcome/activate", json={}, headers=stranger).status_code == 404
