"""A restored backup and a copy send nothing, neither by themselves nor by hand, until somebody says that it goes on; then each thing leaves once."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from console import log, runs
from console.core.errors import NotAllowed
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging.messages import pick_up
from console.operations import copies, doctor, health, status
from tests.company import Company
from tests.conftest import Database
from tests.jobs import work_until_idle
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM, workflow
from tests.support.paying import Provider, at_pay, pay, paying, providing

pytestmark = pytest.mark.lengthy

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def test_only_what_worked_before_with_other_marks_is_a_copy(
    clean: Database, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_BASE_URL="https://console.example")
    assert not copies.look(note=False)
    assert (
        fetch("select 1 from console.installation_mark") == []
    )  # nobody has worked here yet: whoever does first is the original
    assert not copies.look(note=True)
    assert not copies.look(note=True)
    given_settings(CONSOLE_BASE_URL="")
    assert not copies.look(note=True)  # what is not known here is no difference
    given_settings(CONSOLE_BASE_URL="https://copy.example")
    assert copies.look(note=False)
    assert (jobs.paused_because(), health.examine().because) == ("copied", "copied")
    assert "example" not in str(fetch("select value from console.installation_mark"))
    status.switch(copies.ENGINE, on=True, reason="It moved")
    assert jobs.paused_because() is None
    assert not copies.look(note=True)  # it was said once
    fetch("delete from console.installation_mark where kind = 'database' returning 1")
    fetch(
        "insert into console.installation_mark (kind, value) values ('database', 'another cluster') returning 1"
    )
    assert copies.look(note=True)
    assert [event.type for event in log.events_of("sys:config")] == [
        "engine_paused",
        "engine_resumed",
        "engine_paused",
    ]


def test_a_copy_reaches_nobody_until_it_goes_on(
    company: Company, provider: Provider, given_settings: Callable[..., None]
) -> None:
    reached.founded(company)
    paying()
    held = at_pay(company)
    with reached.twilio() as server, reached.clock(NOON):
        given_settings(**reached.by_twilio(server))
        copies.hold_restored()
        jobs.forget()
        runs.start(company.olivia, workflow("hello", [dict(SMS)]), "contact", SAM, {})
        assert pick_up() == 0
        with pytest.raises(jobs.PutBack):
            work_until_idle()
        told = pay(company, held)  # by hand
        assert "restored backup or a copy" in str(told)
        assert (server.messages, provider.payments, company.told(held)["current"]["step"]) == ([], [], "pay")
        found = health.examine()
        assert (found.because, found.to_json()["paused_because"]) == ("restored", "restored")
        (check,) = [check for check in doctor.examine()["checks"] if check["name"] == "worker"]
        assert "sending begins paused" in check["message"]
        with pytest.raises(NotAllowed):
            status.resume(company.olivia, "Send it")
        status.resume(company.ines, "It is the only one")
        pay(company, held)
        fetch(
            "update queue.pgqueuer set execute_after = now(), status = 'queued' where entrypoint = 'send_sms' returning 1"
        )
        reached.work()
        assert (len(server.messages), provider.payments) == (1, [5])


def test_what_was_due_in_a_restored_backup_waits_for_the_word_of_somebody_and_what_waits_for_its_hour_leaves(
    company: Company, given_settings: Callable[..., None]
) -> None:
    """The console that the backup was made of may have sent the one since, and never the other."""
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        due, later = (
            runs.start(company.olivia, workflow(slug, [dict(SMS)]), "contact", SAM, {})
            for slug in ("due", "later")
        )
        fetch(
            "update console.message set due_at = due_at + interval '2 hours', code = 'quiet_hours' where run = %s returning 1",
            (later,),
        )
        copies.hold_restored()
        status.resume(company.ines, "It is the only one")
        reached.work()
        assert (
            server.messages,
            fetch("select status, code, outcome from console.message where run = %s", (due,)),
        ) == (
            [],
            [("unknown", "restored", "unknown")],
        )
        assert "not known whether it left before" in str(company.told(due)["current"])
        move(timedelta(hours=3))
        reached.work()
        assert [
            status for (status,) in fetch("select status from console.message where run = %s", (later,))
        ] == ["sent"]
    assert len(server.messages) == 1
