"""What people are told: by a step, and by what happens to their runs; only those who may see it, and nobody twice."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import log, runs, workflows
from console.auth import notify
from console.core.errors import NotFound
from console.infra import jobs, settings
from console.infra.db.engine import fetch
from console.infra.faults import Fault
from console.operations.status import switch
from console.runs.store.run_events import ENGINE
from console.work import notices
from tests.company import Company
from tests.servers.outside import Mailbox, smtp
from tests.support.engine import step, whole

NOTIFY: dict[str, Any] = {
    "text": "Look at {{ record.display_name }} <b>now</b>",
    "people": ["'tom@fernwick.example'", "run.holder", "'stan@fernwick.example'"],
}


def begin(company: Company, config: dict[str, Any] | None = None) -> str:
    steps = [
        step("start", "start", "tell"),
        step("tell", "notify", "fine", {**NOTIFY, **(config or {})}),
        step("fine", "guidance", "end", {"text": "Fine"}),
        step("end", "end", None),
    ]
    workflows.import_file(
        {
            "format": 1,
            "slug": "telling",
            "title": "Telling",
            "collection": "customer",
            "team": "operations",
            "steps": steps,
        },
        publish=True,
    )
    return runs.start(company.olivia, "telling", "customer", "1", {})


@pytest.fixture
def mailbox(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server of ours, and the console set up for it."""
    with smtp() as box:
        monkeypatch.setenv("CONSOLE_SMTP_URL", f"smtp://127.0.0.1:{box.port}?tls=off")
        monkeypatch.setenv("CONSOLE_MAIL_FROM", "handrail@fernwick.example")
        settings.current.cache_clear()
        yield box
    monkeypatch.undo()
    settings.current.cache_clear()


def test_those_who_are_meant_and_may_see_it_are_told_once(company: Company) -> None:
    run_id = begin(company)
    (told,) = notices.notices_of(company.tom)
    assert (told.text, told.about, told.href, told.read) == (
        "Look at Adaeze Okonkwo-Bell <b>now</b>",
        "Telling, Adaeze Okonkwo-Bell",
        f"/runs/{run_id}",
        False,
    )
    assert [len(notices.notices_of(company.people[who])) for who in ("olivia", "stan", "mona")] == [1, 0, 0]
    (event,) = [event for event in log.events_of(run_id) if event.type == "notice_sent"]
    assert (sorted(event.open["to"]), event.open["count"]) == (sorted([company.tom.id, company.olivia.id]), 2)
    runs.advance(run_id)
    assert notices.unread(company.tom) == 1
    whole(run_id)


def test_reading_one_and_all(company: Company) -> None:
    run_id = begin(company)
    (told,) = notices.notices_of(company.tom)
    with pytest.raises(NotFound):
        notices.read(company.stan, told.id)
    assert notices.read(company.tom, told.id) == f"/runs/{run_id}"
    assert (notices.unread(company.tom), notices.unread(company.olivia)) == (0, 1)
    notices.read_all(company.olivia)
    assert (notices.unread(company.olivia), notices.notices_of(company.olivia)[0].read) == (0, True)


def test_who_may_not_see_it_any_more_reads_nothing_of_it(company: Company) -> None:
    begin(company)
    company.sql("update customer set desk = 'corporate' where id = 1")
    (told,) = notices.notices_of(company.tom)
    assert (told.text, told.about, told.href) == ("About something that you may not see any more", "", "")


def test_a_run_that_is_given_or_taken_says_so(company: Company) -> None:
    run_id = company.started()
    runs.assign(company.mona, run_id, revision=None, user=company.tom.id)
    assert [one.text for one in notices.notices_of(company.tom)] == ["Mona gave you this run"]
    runs.take_over(company.mona, run_id, revision=None)
    assert [one.text for one in notices.notices_of(company.tom)] == [
        "Mona took over this run from you",
        "Mona gave you this run",
    ]
    assert notices.notices_of(company.mona) == []


def test_another_part_of_the_console_tells_once_by_its_key(company: Company) -> None:
    for _ in range(2):
        notify.notify(
            [company.mona.id], "approval_requested", "apr_1", run=company.started() if _ == 0 else None
        )
    assert [one.text for one in notices.notices_of(company.mona)] == ["Your approval is asked for"]


def test_by_mail_once_and_only_while_nothing_is_paused(company: Company, mailbox: Mailbox) -> None:
    run_id = begin(company)
    switch(ENGINE, on=False, reason="Maintenance")
    assert notices.deliver() == 0
    switch(ENGINE, on=True, reason="Done")
    jobs.forget()
    assert (notices.deliver(), notices.deliver()) == (2, 0)
    by_address = {message["To"]: message for message in mailbox.messages}
    assert set(by_address) == {"olivia@fernwick.example", "tom@fernwick.example"}
    mail = by_address["tom@fernwick.example"]
    assert mail["Subject"].startswith("Look at Adaeze Okonkwo-Bell")
    assert (mail["Auto-Submitted"], mail["Date"].datetime.tzinfo is not None) == ("auto-generated", True)
    text, about, when, _, link, *_ = mail.get_content().splitlines()
    assert (text, about, when.rpartition(", ")[2]) == (
        "Look at Adaeze Okonkwo-Bell <b>now</b>",
        "Telling, Adaeze Okonkwo-Bell",
        "UTC",
    )
    assert link == f"It stands in the console under /runs/{run_id}", "no address of the console is known"
    assert {row[0] for row in fetch("select mail from console.notice")} == {"sent"}


def test_who_may_not_see_it_at_that_moment_gets_no_mail(company: Company, mailbox: Mailbox) -> None:
    begin(company)
    company.sql("update customer set desk = 'corporate' where id = 1")
    assert notices.deliver() == 1
    assert [message["To"] for message in mailbox.messages] == ["olivia@fernwick.example"]


def test_a_process_that_dies_over_one_mail_keeps_no_other_from_leaving(
    company: Company, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(company)
    monkeypatch.setenv("HANDRAIL_FAULT", "notices.taken=raise")
    with pytest.raises(Fault):
        notices.deliver()
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert (notices.deliver(), len(mailbox.messages)) == (1, 1)
    assert {row[0] for row in fetch("select mail from console.notice")} == {"sending", "sent"}, (
        "the interrupted one may have left"
    )
