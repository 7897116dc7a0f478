"""Outgoing webhooks against a real server: order, what may be read, addresses that may not be asked, what is said to whom."""

from collections.abc import Callable

import pytest
from standardwebhooks import Webhook

from console import log, runs
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.automation import triggers
from console.automation.webhooks import outgoing as webhooks
from console.automation.webhooks.outgoing import Wanted
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch, transaction
from console.operations import erasure
from console.work import agent_requests, notices
from console.workflows import inboxes
from tests.automation.webhooks.outgoing.delivering import (
    added,
    answering,
    bodies,
    due_now,
    go_on,
    happens,
    statuses,
)
from tests.company import DESK, PASSWORD, Company
from tests.servers.outside import Receiver


def test_events_arrive_signed_in_order_and_say_what_came_before(company: Company, receiver: Receiver) -> None:
    happens(company, "before")
    sequencing.catch_up()
    ident, secret = added(company.ines, receiver, "tag.added", "run.completed")
    happens(company, "first", "second")
    run_id = company.finished("2")
    happens(company, "third")
    go_on()
    told = bodies(receiver)
    assert [one["type"] for one in told] == ["tag.added", "tag.added", "run.completed", "tag.added"]
    assert [one["data"]["values"].get("tag") for one in told] == ["first", "second", None, "third"]
    assert [one["prev_pos"] for one in told] == [None, *[one["pos"] for one in told[:-1]]]
    assert [one["pos"] for one in told] == sorted(one["pos"] for one in told)
    assert (told[2]["run"], told[2]["data"]["workflow"]) == (run_id, "care-review")
    assert told[2]["n"] == fetch("select max(run_seq) from console.event where run = %s", (run_id,))[0][0]
    for one in receiver.received:
        Webhook(secret).verify(one.body, one.headers)
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 4
    assert statuses(ident) == [("delivered", 1)] * 4


def test_an_answered_request_of_a_program_is_told_by_its_run(company: Company, receiver: Receiver) -> None:
    inboxes.import_all([DESK])
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    ask = agent_requests.Wish("Allowed?", schema, inbox="desk")
    ours = "event.workflow == 'agent-request-operations'"
    added(company.ines, receiver, "run.completed", "run.cancelled", filter=ours)
    asked = agent_requests.ask(company.olivia, ask)
    run_id = agent_requests.run_of(company.olivia, asked)
    runs.resume(company.tom, run_id, revision=None)
    runs.complete(company.tom, run_id, runs.Submission("answer", None, {"ok": True}, "answered"))
    company.finished("2")
    go_on()
    told = bodies(receiver)
    assert [(one["type"], one["run"]) for one in told] == [("run.completed", run_id)]
    assert "Allowed" not in str(told), "what was asked is read by its program alone"


CHANGED = {"fields": ["tax_id"], "effect": "changed", "result": "succeeded"}


def test_only_what_whom_it_acts_for_may_read_leaves(company: Company, receiver: Receiver) -> None:
    access.grant("operator", "activity", ["read"])
    access.grant("operator", "webhook", ["manage"])
    _, secret = added(company.tom, receiver, "*")
    added(company.tom, receiver, "record.updated", filter="event.values.new.tax_id != null")
    for record in ("1", "3"):
        log.note(
            company.olivia,
            "record_changed",
            open=CHANGED,
            sealed={"old": {"tax_id": "SECRET-OLD"}, "new": {"tax_id": "SECRET-NEW"}},
            collection="customer",
            record=record,
            subject=subjects.subject_of("customer", record),
            team="operations",
        )
    log.note(
        company.olivia,
        "tag_added",
        open={"tag": "x", "n": 1},
        collection="customer",
        record="1",
        team="operations",
        label="amber",
    )
    go_on()
    told = [one for one in bodies(receiver) if one["type"] == "record.updated"]
    assert [one["data"]["record"] for one in told] == ["1"], (
        "the corporate customer is out of scope, and the filter sees no hidden value"
    )
    assert {"values.old.tax_id", "values.new.tax_id"} <= set(told[0]["data"]["masked"])
    assert b"SECRET" not in b"".join(one.body for one in receiver.received)
    assert not [one for one in bodies(receiver) if one["type"] == "tag.added"], (
        "what needs a clearance is not sent"
    )
    assert secret not in str(fetch("select * from console.webhook"))


def cleared(who: Actor, *labels: str) -> None:
    with transaction() as connection:
        there = [
            row
            for row in policy_store.rows_of(connection, sub=f"user:{who.id}")
            if row.obj.startswith("label:")
        ]
        wanted = [Row("p", f"user:{who.id}", "*", f"label:{label}", "see", "allow") for label in labels]
        policy_store.write(connection, added=wanted, removed=there)
    access.refresh()


def test_rights_are_judged_when_it_is_sent(company: Company, receiver: Receiver) -> None:
    cleared(company.ines, "amber")
    ident, _ = added(company.ines, receiver)
    log.note(
        company.olivia,
        "tag_added",
        open={"tag": "x", "n": 1},
        collection="customer",
        record="1",
        team="operations",
        label="amber",
    )
    happens(company, "second")
    sequencing.catch_up()
    webhooks.take_in()
    cleared(company.ines)
    go_on()
    assert statuses(ident) == [("withheld", 0), ("delivered", 1)]
    [second], _ = webhooks.deliveries_of(accounts.actor_of_person(company.ines.id), ident)
    assert second.status == "delivered", "and it is not listed for who is not cleared"


def another_admin() -> Actor:
    accounts.create_person("gus@fernwick.test", role="admin", team="admin", name="Gus", password=PASSWORD)
    return accounts.actor_of_person(accounts.person_of_email("gus@fernwick.test").id, "ses_gus")


def test_a_right_that_is_gone_stops_it_and_says_so(company: Company, receiver: Receiver) -> None:
    gus = another_admin()
    ident, _ = added(gus, receiver)
    happens(company, "first")
    sequencing.catch_up()
    webhooks.take_in()
    access.assign(gus.id, [("reviewer", "operations")])
    access.refresh()
    go_on()
    happens(company, "second")
    go_on()
    stopped = webhooks.subscription(company.ines, ident)
    assert (receiver.received, stopped.stopped, statuses(ident)) == ([], "right", [("waiting", 0)])
    assert any("stopped" in notice.text for notice in notices.notices_of(company.ines)), (
        "whoever manages webhooks is told, as Gus may not look"
    )
    for act in (
        lambda: webhooks.send_test(company.ines, ident),
        lambda: webhooks.renew_secret(company.ines, ident),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert webhooks.change(company.ines, ident, {"enabled": True}).acts_for == company.ines.id
    go_on()
    assert [one["data"]["values"]["tag"] for one in bodies(receiver)] == ["first", "second"]


def test_who_may_not_manage_webhooks_gets_nowhere(company: Company, receiver: Receiver) -> None:
    ident, _ = added(company.ines, receiver)
    for who in (company.stan, company.mona, company.ada):
        for act in (
            lambda: webhooks.every(who),  # noqa: B023
            lambda: webhooks.subscription(who, ident),  # noqa: B023
            lambda: webhooks.add(who, Wanted(receiver.url, ["*"])),  # noqa: B023
            lambda: webhooks.change(who, ident, {"enabled": False}),  # noqa: B023
            lambda: webhooks.remove(who, ident),  # noqa: B023
            lambda: webhooks.deliveries_of(who, ident),  # noqa: B023
        ):
            with pytest.raises(NotAllowed):
                act()


def test_a_service_account_goes_on_when_who_made_it_has_left(company: Company, receiver: Receiver) -> None:
    robot = "robot@fernwick.test"
    accounts.create_service_account(robot, [("auditor", "*"), ("operator", "operations")])
    with pytest.raises(NotAllowed):
        webhooks.add(company.ines, Wanted(receiver.url, ["*"], run_as="nobody@fernwick.test"))
    gus = another_admin()
    ident, _ = added(gus, receiver, "channel.changed", run_as=robot)
    assert webhooks.run_as_of(webhooks.subscription(company.ines, ident)) == robot
    accounts.disable_person(gus.id)
    themselves = accounts.actor_of_person(webhooks.subscription(company.ines, ident).acts_for)
    with pytest.raises(NotAllowed):
        webhooks.change(themselves, ident, {"filter": "event.pos > 0"})
    log.note(company.ines, "channel_changed", open={"channel": "sms", "sandbox": True})
    go_on()
    assert statuses(ident) == [("delivered", 1)]
    accounts.disable_person(webhooks.subscription(company.ines, ident).acts_for)
    log.note(company.ines, "channel_changed", open={"channel": "sms", "sandbox": False})
    go_on()
    assert (len(receiver.received), webhooks.subscription(company.ines, ident).stopped) == (1, "right")


INSIDE = (
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://192.0.0.8/",
)


def test_an_inside_address_is_refused_when_it_is_saved_and_when_it_is_asked(
    company: Company, receiver: Receiver, given_settings: Callable[..., None]
) -> None:
    ident, _ = added(company.ines, receiver)
    given_settings(CONSOLE_PRIVATE_HOSTS="")
    for url in (
        *INSIDE,
        "http://example.com/",
        "ftp://example.com/",
        "https://user:word@example.com/",
        "https://",
        "nonsense",
        "https://example.com:99999/",
    ):
        with pytest.raises(Invalid) as refused:
            webhooks.add(company.ines, Wanted(url, ["*"]))
        assert [detail["field"] for detail in refused.value.details] == ["url"], url
        with pytest.raises(Invalid):
            webhooks.change(company.ines, ident, {"url": url})
    happens(company, "first")
    go_on()
    assert (receiver.received, webhooks.subscription(company.ines, ident).stopped) == ([], "address"), (
        "a name that leads elsewhere later is judged again"
    )


@pytest.mark.slow
def test_records_that_a_run_changes_are_told_of(company: Company, receiver: Receiver) -> None:
    added(company.ines, receiver, "record.updated")
    run_id = company.finished("1")
    company.work()
    go_on()
    known = [
        (event.on, event.record, dict(event.new or {}))
        for event in triggers.read_after(0, ["record.updated"]).events
    ]
    assert known == [("record.updated", "1", {"risk": "low"})], "triggers know it too"
    [told] = bodies(receiver)
    assert (told["type"], told["run"], told["data"]["changed"]) == (
        "record.updated",
        run_id,
        [{"type": "record.updated", "collection": "customer", "record": "1"}],
    )


@pytest.mark.slow
def test_tests_and_redelivery_by_hand(company: Company, receiver: Receiver) -> None:
    ident, secret = added(company.ines, receiver, enabled=False)
    webhooks.send_test(company.ines, ident)
    go_on()
    assert (bodies(receiver)[0]["type"], bodies(receiver)[0]["pos"]) == ("webhook.test", None)
    webhooks.change(company.ines, ident, {"enabled": True})
    happens(company, "first")
    go_on()
    [event, _test], _ = webhooks.deliveries_of(company.ines, ident)
    again = webhooks.redeliver(company.ines, ident, event.id)
    assert again.status == "waiting"
    answering(receiver, 500)
    go_on()
    assert webhooks.delivery(company.ines, ident, event.id).status == "failed"
    webhooks.redeliver(company.ines, ident, event.id)
    go_on()
    told = [one for one in receiver.received if one.headers["webhook-id"] == event.id]
    assert (len(told), len({one.body for one in told})) == (3, 1)
    _, fresh = webhooks.renew_secret(company.ines, ident)
    webhooks.send_test(company.ines, ident)
    go_on()
    for known in (secret, fresh):
        Webhook(known).verify(receiver.received[-1].body, receiver.received[-1].headers)
    for _ in range(5):
        webhooks.send_test(company.ines, ident)
    with pytest.raises(Conflict):
        webhooks.send_test(company.ines, ident)
    with pytest.raises(NotFound):
        webhooks.redeliver(company.ines, ident, "dlv_none")
    noted = [
        body["data"]["open"]
        for (body,) in fetch(
            "select convert_from(body, 'UTF8')::jsonb from console.event where body like '%%webhook_changed%%' order by id"
        )
    ]
    assert [(each["change"], each.get("delivery")) for each in noted] == [
        *(("added", None), ("tested", None), ("on", None)),
        *[("sent_again", event.id)] * 2,
        ("secret", None),
        *[("tested", None)] * 6,
    ]


@pytest.mark.slow
def test_deliveries_are_paged_by_a_cursor_and_go_after_a_month(company: Company, receiver: Receiver) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, *map(str, range(5)))
    go_on()
    seen, after = list[int](), None
    while True:
        page, after = webhooks.deliveries_of(company.ines, ident, limit=2, after=after)
        seen += [each.pos or 0 for each in page]
        if after is None:
            break
    assert (len(seen), seen) == (5, sorted(seen, reverse=True))
    fetch("update console.webhook_delivery set done_at = now() - interval '31 days' returning 1")
    assert webhooks.forget() == 5


def test_erasure_reaches_what_was_answered_and_what_waits(company: Company, receiver: Receiver) -> None:
    ident, _ = added(company.ines, receiver, "record.updated")
    receiver.answer = lambda sent: (500, b"echo " + sent.body[:900], {})
    sealed = {"old": {"display_name": "Adaeze"}, "new": {"display_name": "Renamed Person"}}
    log.note(
        company.olivia,
        "record_changed",
        open={**CHANGED, "fields": ["display_name"]},
        sealed=sealed,
        collection="customer",
        record="1",
        subject=subjects.subject_of("customer", "1"),
        team="operations",
    )
    go_on()
    assert b"Renamed Person" in receiver.received[0].body
    [kept], _ = webhooks.deliveries_of(company.ines, ident)
    assert "Renamed" in (kept.answer or "")
    assert "Renamed" in (kept.every_try[0].answer or "")
    assert b"Renamed" not in bytes(fetch("select answer from console.webhook_delivery")[0][0])
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    due_now()
    receiver.answer = lambda _: (200, b"", {})
    go_on()
    assert b"Renamed" not in receiver.received[-1].body
    assert fetch(
        "select count(*) from console.webhook_delivery where answer is not null and subject is not null and tries = 1"
    ) == [(0,)]
    assert fetch("select answer is null from console.webhook_try where code = 500") == [(True,)]
