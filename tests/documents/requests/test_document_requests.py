"""Documents asked for from outside: the letter, the link, what comes and what does not, and everything that goes wrong in between."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from console import runs
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from console.documents import requests
from console.documents.requests import outside
from console.infra import files, settings
from console.infra.db import fetch
from console.operations import erasure
from tests import warm
from tests.company import Company
from tests.papers import asking, pdf, picture
from tests.servers import outside as servers

pytestmark = pytest.mark.lengthy

Told = dict[str, Any]
HERE = "192.0.2.1"
IBAN = {"iban": "LT459999900012345678"}


def token(company: Company, run_id: str) -> str:
    return requests.link(company.olivia, run_id, "https://console.example").rpartition("/")[2]


def page(company: Company, run_id: str) -> outside.Page:
    return requests.open_link(token(company, run_id), HERE)


def events(run_id: str, *kinds: str) -> list[Told]:
    told = fetch("select body from console.event where run = %s order by run_seq", (run_id,))
    bodies = [orjson.loads(bytes(row[0])) for row in told]
    return [body["data"]["open"] for body in bodies if body["type"] in kinds]


def at(company: Company, run_id: str) -> tuple[str, str | None]:
    told = company.told(run_id)
    return told["status"], told["current"] and told["current"]["step"]


def passed(run_id: str, days: int) -> None:
    """As if the request had been made so many days earlier."""
    by = timedelta(days=days)
    fetch(
        "update console.document_request set until = until - %s, made_at = made_at - %s, remind_at = remind_at - %s, sent_at = sent_at - %s where run = %s returning id",
        (by, by, by, by, run_id),
    )


@pytest.fixture
def post(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Mailbox]:
    """A mail server, and the settings that name it."""
    with servers.smtp() as box:
        for name, value in {
            "SMTP_URL": f"smtp://127.0.0.1:{box.port}?tls=off",
            "MAIL_FROM": "kyc@fernwick.example",
            "BASE_URL": "https://console.example",
        }.items():
            monkeypatch.setenv(f"CONSOLE_{name}", value)
        settings.current.cache_clear()
        yield box


def test_the_run_waits_and_the_asker_sees_what_is_missing(company: Company) -> None:
    run_id = asking(company)
    assert at(company, run_id) == ("waiting_event", "note")
    state = requests.state(company.olivia, run_id)
    assert state is not None
    assert [(item.id, item.missing) for item in state.items] == [("extract", True), ("photos", False)]
    assert (state.received, state.may, state.mails, state.request.mail) == (0, True, False, "due")
    assert [event["wanted"] for event in events(run_id, "document_requested")] == [["extract", "photos"]]
    requests.letters()
    state = requests.state(company.olivia, run_id)
    assert state is not None
    assert (state.request.mail, state.answered) == ("none", 0)
    ours = [replace(answer, here=True, ours=True) for answer in state.answers[:1]]
    assert replace(state, answers=[*ours, *state.answers[1:]]).answered == 1, "whoever filled it in"


def test_half_way_another_day_and_sent_off(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    requests.take(requests.open_link(link, HERE), "photos", "a.jpg", picture())
    requests.keep(requests.open_link(link, HERE), {"iban": "LT45", "unknown": "x"})
    passed(run_id, 10)
    again = requests.open_link(link, "198.51.100.7")  # from another machine, another day
    assert {field.name: field.value for field in again.fields} == {"iban": "LT45", "staff": None}
    with pytest.raises(Invalid) as refused:
        requests.submit(again, {"iban": "", "staff": "many"})
    assert sorted(str(detail["field"]) for detail in refused.value.details) == ["extract", "iban", "staff"]
    requests.take(again, "extract", "extract.pdf", pdf(2))
    requests.submit(again, {**IBAN, "staff": 12})
    assert at(company, run_id) == ("waiting_person", "rate")
    output = company.told(run_id)["context"]["note"]
    assert (output["received"], output["lacking"], output["iban"], output["staff"]) == (
        ["extract", "photos"],
        [],
        IBAN["iban"],
        12,
    )
    assert [entry["name"] for entry in output["documents"]["extract"]] == ["extract.pdf"]
    assert [(event["wanted"], event["pages"]) for event in events(run_id, "document_received")] == [
        ("extract", 2),
        ("photos", 1),
    ]
    assert requests.open_link(link, HERE).finished


def test_used_twice_says_that_it_is_finished_and_changes_nothing(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    mine, forwarded = requests.open_link(link, HERE), requests.open_link(link, "203.0.113.9")
    requests.take(mine, "extract", "a.pdf", pdf())
    requests.submit(mine, IBAN)
    before = company.told(run_id)
    late = requests.open_link(link, HERE)
    assert late.finished
    for act in (
        lambda: requests.submit(late, {"iban": "stolen"}),
        lambda: requests.submit(forwarded, {"iban": "stolen"}),
        lambda: requests.take(late, "photos", "a.jpg", picture()),
        lambda: requests.take_away(late, "fil_x"),
        lambda: requests.keep(late, {"iban": "x"}),
    ):
        with pytest.raises(Conflict, match="sent off already"):
            act()
    assert company.told(run_id)["context"]["note"] == before["context"]["note"]
    assert len(events(run_id, "event_arrived")) == 1


def test_two_who_send_off_at_once_do_it_once(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    requests.take(requests.open_link(link, HERE), "extract", "a.pdf", pdf())
    pages = [requests.open_link(link, HERE) for _ in range(4)]

    def send(one: outside.Page) -> None:
        try:
            requests.submit(one, IBAN)
        except Conflict:
            return

    threads = [threading.Thread(target=send, args=(one,)) for one in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (at(company, run_id), len(events(run_id, "event_arrived"))) == (("waiting_person", "rate"), 1)


def _tried(wrong: str) -> type[Exception] | None:
    try:
        requests.open_link(wrong, HERE)
    except (NotFound, TooMany) as refused:
        return type(refused)
    return None


def test_who_tries_many_links_has_to_wait(company: Company) -> None:
    link = token(company, asking(company))
    answers = [_tried(f"{number:043}") for number in range(60)]
    assert answers[:20] == [NotFound] * 20
    assert TooMany in answers
    assert not requests.open_link(link, "198.51.100.7").finished  # others do not wait for them


def test_expired_the_run_goes_on_with_what_came_half(company: Company) -> None:
    run_id = asking(company)
    page_of_then = requests.open_link(link := token(company, run_id), HERE)
    requests.take(page_of_then, "photos", "a.jpg", picture())
    requests.keep(page_of_then, {"iban": "LT45", "staff": ""})
    passed(run_id, 21)
    with pytest.raises(NotFound, match="not in use"):
        requests.open_link(link, HERE)
    requests.letters()
    assert at(company, run_id) == ("waiting_person", "decide")
    output = company.told(run_id)["context"]["note"]
    assert [output[name] for name in ("received", "lacking", "iban", "unsent")] == [
        ["photos"],
        ["extract"],
        None,
        {"iban": "LT45"},
    ]
    with pytest.raises(Conflict, match="or is over"):
        requests.take(page_of_then, "extract", "a.pdf", pdf())
    with pytest.raises(Conflict, match="or is over"):
        requests.submit(page_of_then, IBAN)
    assert at(company, run_id) == ("waiting_person", "decide")


def test_revoked_and_made_anew(company: Company) -> None:
    run_id = asking(company)
    first = token(company, run_id)
    with pytest.raises(Invalid):
        requests.revoke(company.olivia, run_id, " ")
    requests.take(requests.open_link(first, HERE), "photos", "a.jpg", picture())
    requests.revoke(company.olivia, run_id, "Went to the wrong address.")
    with pytest.raises(NotFound, match="not in use"):
        requests.open_link(first, HERE)
    for act in (requests.remind, lambda who, run: requests.link(who, run, "")):
        with pytest.raises(Conflict, match="taken back"):
            act(company.olivia, run_id)
    requests.renew(company.olivia, run_id)
    second = token(company, run_id)
    assert second != first
    former = requests.open_link(second, HERE)
    assert [len(item.files) for item in former.request.items] == [0, 1]
    requests.renew(company.olivia, run_id)
    with pytest.raises(Conflict, match="3 links were made"):
        requests.renew(company.olivia, run_id)
    with pytest.raises(NotFound):
        requests.open_link(second, HERE)
    with pytest.raises(Conflict):  # a page that was drawn by the former link
        requests.take(former, "photos", "b.jpg", picture(size=(5, 5)))
    assert [event["round"] for event in events(run_id, "document_requested")] == [1, 2, 3]
    assert len(events(run_id, "document_link_revoked")) == 1


def test_the_database_holds_no_token(company: Company) -> None:
    link = token(company, asking(company))
    for table in ("document_request", "event", "run", "attempt", "shown"):
        assert link not in str(fetch(f"select to_jsonb(t)::text from console.{table} t"))
    bodies = [bytes(row[0]) for row in fetch("select body from console.event")]
    assert all(link.encode() not in body for body in bodies)


def test_what_came_by_mail_is_entered_by_hand_with_its_sender(company: Company) -> None:
    run_id = asking(company)
    for given, field in (
        (("extract", "a.pdf", pdf(), " "), "sender"),
        (("other", "a.pdf", pdf(), "by mail"), "wanted"),
        (("extract", "a.pdf", b"", "by mail"), "file"),
        (("extract", "a.jpg", picture(), "by mail"), "extract"),
    ):
        with pytest.raises(Invalid) as refused:
            requests.by_hand(company.olivia, run_id, *given)
        assert [detail["field"] for detail in refused.value.details] == [field]
    with pytest.raises(Conflict, match="Still missing: Register extract"):
        requests.finish(company.olivia, run_id)
    entered = requests.by_hand(
        company.olivia, run_id, "extract", "a.pdf", pdf(), "by mail from  anna@example.org"
    )
    link = token(company, run_id)
    with pytest.raises(NotFound):  # who has the link takes nothing away that the asker entered
        requests.take_away(requests.open_link(link, HERE), entered.id)
    requests.keep(requests.open_link(link, HERE), {"iban": "LT45", "staff": "a few"})
    requests.finish(company.olivia, run_id)
    output = company.told(run_id)["context"]["note"]
    assert (output["sender"], output["received"]) == ("by mail from anna@example.org", ["extract"])
    assert (output["iban"], output["staff"]) == ("LT45", None)
    assert at(company, run_id) == ("waiting_person", "rate")


@pytest.mark.parametrize("who", ["stan", "tom", "rosa"])
def test_who_does_not_work_on_the_run_does_nothing(company: Company, who: str) -> None:
    company.sql(
        "update customer set email = 'office@halcyon.example' where id = 3"
    )  # corporate: Tom's desk is retail
    run_id, actor = asking(company, record="3"), company.people[who]
    acts: list[Callable[[], object]] = [
        lambda: requests.link(actor, run_id, ""),
        lambda: requests.remind(actor, run_id),
        lambda: requests.renew(actor, run_id),
        lambda: requests.revoke(actor, run_id, "Because."),
        lambda: requests.by_hand(actor, run_id, "extract", "a.pdf", pdf(), "x"),
        lambda: requests.finish(actor, run_id),
    ]
    for act in acts:
        with pytest.raises((NotFound, NotAllowed)):
            act()
    if who == "rosa":
        state = requests.state(actor, run_id)
        assert state is not None
        assert not state.may
    else:
        with pytest.raises(NotFound):
            requests.state(actor, run_id)


def test_handled_manually_and_what_comes_later_changes_nothing(company: Company) -> None:
    run_id = asking(company)
    late = page(company, run_id)
    link = token(company, run_id)
    requests.stop_waiting(
        company.olivia, run_id, revision=company.told(run_id)["revision"], reason="They called."
    )
    told = company.told(run_id)
    assert [option["value"] for option in told["current"]["outcomes"]] == ["write", "received", "expired"]
    with pytest.raises(Conflict):
        requests.take(late, "extract", "a.pdf", pdf())
    with pytest.raises(Conflict):
        requests.submit(late, IBAN)
    assert at(company, run_id) == ("waiting_person", "note")
    with pytest.raises(NotFound):
        requests.open_link(link, HERE)
    sent = runs.attachments.attach(
        company.olivia, run_id, step="note", field="extract", name="b.pdf", content=pdf(3)
    )
    values = {"extract": [sent.id], "sender": "in person", **IBAN}
    revision = company.told(run_id)["revision"]
    with pytest.raises(Invalid) as refused:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(
                step="note", revision=revision, values={**values, "sender": ""}, outcome="received"
            ),
        )
    assert [detail["field"] for detail in refused.value.details] == ["sender"]
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=revision, values=values, outcome="received"),
    )
    output = company.told(run_id)["context"]["note"]
    assert (output["sender"], output["received"], output["lacking"], output["iban"]) == (
        "in person",
        ["extract"],
        [],
        IBAN["iban"],
    )


def test_without_an_address_a_person_is_asked_and_writes(company: Company, post: servers.Mailbox) -> None:
    run_id = asking(company, record="3")  # has no address
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "no_address")
    with pytest.raises(Invalid) as refused:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="note", revision=told["revision"], values={"to": "nobody"}, outcome="write"),
        )
    assert [detail["field"] for detail in refused.value.details] == ["to"]
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(
            step="note", revision=told["revision"], values={"to": "office@halcyon.example"}, outcome="write"
        ),
    )
    assert at(company, run_id) == ("waiting_event", "note")
    requests.letters()
    assert [message["To"] for message in post.messages] == ["office@halcyon.example"]


def test_letters_and_reminders_go_out_each_once(company: Company, post: servers.Mailbox) -> None:
    run_id = asking(company, remind_after_days=[5, 12])
    for day, count in ((0, 1), (0, 1), (4, 1), (1, 2), (1, 2), (6, 3), (5, 3)):
        passed(run_id, day)
        requests.letters()
        assert len(post.messages) == count, day
    first, second, _third = post.messages
    assert first["Subject"] == "Papers of Adaeze Okonkwo-Bell"
    assert second["Subject"] == "Reminder: Papers of Adaeze Okonkwo-Bell"
    text = first.get_content()
    link = token(company, run_id)
    assert f"https://console.example/request/{link}" in text
    assert "Still missing:\n- Register extract" in second.get_content().replace("\r\n", "\n")
    assert "Dear Adaeze Okonkwo-Bell, please" in text
    assert f"/request/{link}" in second.get_content()
    state = requests.state(company.olivia, run_id)
    assert state is not None
    assert (state.request.mail, state.request.reminded) == ("sent", 2)
    requests.remind(company.olivia, run_id)
    requests.letters()
    assert len(post.messages) == 4
    with pytest.raises(Conflict, match="last ten minutes"):
        requests.remind(company.olivia, run_id)


def test_a_header_cannot_be_smuggled_into_a_letter(company: Company, post: servers.Mailbox) -> None:
    company.sql("update customer set display_name = ? where id = 1", "Eve\r\nBcc: all@fernwick.example")
    asking(company, text="Dear {{ record.display_name }}")
    requests.letters()
    (message,) = post.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "Papers of Eve Bcc: all@fernwick.example"


def test_a_mail_server_that_is_away_is_tried_again(
    company: Company, post: servers.Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = asking(company)
    monkeypatch.setenv("CONSOLE_SMTP_URL", "smtp://127.0.0.1:9?tls=off")
    settings.current.cache_clear()
    requests.letters()
    state = requests.state(company.olivia, run_id)
    assert state is not None
    assert (state.request.mail, state.again, "cannot be used" in state.trouble) == ("failed", True, True)
    monkeypatch.setenv("CONSOLE_SMTP_URL", f"smtp://127.0.0.1:{post.port}?tls=off")
    settings.current.cache_clear()
    fetch("update console.document_request set remind_at = now() where run = %s returning id", (run_id,))
    requests.letters()
    assert [message["Subject"] for message in post.messages] == ["Papers of Adaeze Okonkwo-Bell"]


CRASH = """
from console.documents import requests as document_requests
from console.infra import faults
page = document_requests.open_link({token!r}, "192.0.2.1")
document_requests.submit(page, {{"iban": "LT45"}})
"""


def test_killed_after_the_run_went_on_the_link_says_finished(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    requests.take(requests.open_link(link, HERE), "extract", "a.pdf", pdf())
    told = {**os.environ, "HANDRAIL_FAULT": "runs.write.after=kill", "PYTHONPATH": os.pathsep.join(sys.path)}
    code = CRASH.format(token=link)
    done = subprocess.run([warm.python(), "-c", code], env=told, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    company.work()
    assert at(company, run_id) == ("waiting_person", "rate")
    assert requests.open_link(link, HERE).finished
    assert fetch("select status from console.document_request where run = %s", (run_id,)) == [("received",)]


def test_killed_between_upload_and_sending_off_nothing_is_lost(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    requests.take(requests.open_link(link, HERE), "extract", "a.pdf", pdf())
    told = {**os.environ, "HANDRAIL_FAULT": "log.write.before=kill", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert (
        subprocess.run(
            [warm.python(), "-c", CRASH.format(token=link)], env=told, check=False, capture_output=True
        ).returncode
        == -9
    )
    again = requests.open_link(link, HERE)
    assert (again.finished, {field.name: field.value for field in again.fields}["iban"]) == (False, "LT45")
    requests.submit(again, IBAN)
    assert at(company, run_id) == ("waiting_person", "rate")


def test_erasure_closes_the_request_and_takes_its_files(company: Company) -> None:
    run_id = asking(company)
    link = token(company, run_id)
    stored = requests.take(requests.open_link(link, HERE), "extract", "a.pdf", pdf())
    runs.abort(company.olivia, run_id, revision=company.told(run_id)["revision"], reason="Enough.")
    with pytest.raises(NotFound):
        requests.open_link(link, HERE)
    erasure.erase(
        Actor("system", "sys_cli", "Command line", session="sys:cli"), "customer", "1", "She asked."
    )
    assert fetch("select count(*) from console.document_request") == [(0,)]
    with pytest.raises(NotFound):
        files.content(stored)
    assert "adaeze" not in str(company.told(run_id))
