"""Files handed in with a step: who may send them, what stands in the run, who may read them, and that they end with the person."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console import documents, runs
from console.activity import sequencing
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, IntegrationError, Invalid, NotFound
from console.infra import files, settings
from console.infra.db import fetch
from console.infra.files import file_store, virus_scan
from console.operations import backup, erasure, retention
from console.runs.commands import attachments
from tests.company import Company
from tests.papers import EICAR, evidence, pdf, picture, scanner

pytestmark = pytest.mark.slow

Told = dict[str, Any]


def send(
    company: Company,
    run_id: str,
    content: bytes = b"",
    name: str = "pass.jpg",
    by: str = "olivia",
    **more: Any,
) -> files.Stored:
    told = {"step": "note", "field": "evidence"} | more
    return attachments.attach(company.people[by], run_id, name=name, content=content or picture(), **told)


def hand_in(company: Company, run_id: str, value: Any) -> Told:
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=company.told(run_id)["revision"], values={"evidence": value}),
    )
    return company.told(run_id)


def blobs() -> list[Path]:
    return [file for file in (settings.current().data_dir / file_store.FOLDER).rglob("*") if file.is_file()]


def fetch_events(run_id: str) -> list[Told]:
    told = fetch("select body from console.event where run = %s order by run_seq", (run_id,))
    return [
        {"kind": body["type"], **body["data"]["open"]}
        for body in (orjson.loads(bytes(row[0])) for row in told)
    ]


def test_a_file_is_kept_encrypted_and_stands_in_the_run_with_its_hash(company: Company) -> None:
    run_id, content = evidence(company), picture(size=(90, 70))
    sent = send(company, run_id, content, "../Pass  of A.jpg")
    told = hand_in(company, run_id, [sent.id])
    value = {
        "file": sent.id,
        "name": "Pass of A.jpg",
        "media_type": "image/jpeg",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    assert told["context"]["note"]["evidence"] == [value]
    assert files.content(sent) == content
    assert all(content[:20] not in file.read_bytes() and file.stat().st_mode & 0o77 == 0 for file in blobs())
    assert [one.id for one in attachments.files_of_draft(company.mona, run_id)] == [sent.id]


@pytest.mark.parametrize(
    "value",
    [
        "fil_00000000000000000000000000",
        {
            "file": "fil_00000000000000000000000000",
            "name": "a.pdf",
            "media_type": "application/pdf",
            "sha256": "0" * 64,
            "bytes": 1,
        },
        [{"file": "x"}],
        ["a.pdf"],
        [None],
        [],
        {"file": ["fil_00000000000000000000000000"]},
    ],
)
def test_what_was_not_sent_with_this_run_is_no_value(company: Company, value: Any) -> None:
    run_id = evidence(company)
    with pytest.raises(Invalid) as refused:
        hand_in(company, run_id, value if isinstance(value, list) else [value])
    assert [detail["field"] for detail in refused.value.details] == ["evidence"]


def test_the_value_of_another_run_is_no_value_here(company: Company) -> None:
    other = send(company, evidence(company, "first"))
    run_id = evidence(company, "second", record="2")
    with pytest.raises(Invalid, match="evidence"):
        hand_in(company, run_id, [other.value])
    with pytest.raises(NotFound):
        attachments.visible_file(company.olivia, run_id, other.id)


@pytest.mark.parametrize(
    ("content", "name", "more", "reason"),
    [
        (b"<html>hello</html>", "a.pdf", {}, "markup"),
        (picture("PNG"), "a.jpg", {}, "PNG picture"),
        (pdf(), "a.pdf", {}, "not taken here"),
        (picture(), "a.jpg", {"field": "other"}, "no such field"),
        (b"\xff\xd8\xff" + b"0" * 1_100_000, "big.jpg", {}, "at most 1 MB"),
    ],
)
def test_what_is_refused_names_the_field(
    company: Company, monkeypatch: pytest.MonkeyPatch, content: bytes, name: str, more: Told, reason: str
) -> None:
    run_id = evidence(company, types=["jpeg"])
    monkeypatch.setenv("CONSOLE_FILE_MB", "1")
    settings.current.cache_clear()
    with pytest.raises(Invalid) as refused:
        send(company, run_id, content, name, **more)
    assert [detail["field"] for detail in refused.value.details] == [more.get("field", "evidence")]
    assert reason in str(refused.value.details[0]["reason"])
    assert attachments.files_of_draft(company.olivia, run_id) == []


def test_all_files_of_a_step_have_a_limit_together(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = evidence(company)
    monkeypatch.setenv("CONSOLE_REQUEST_MB", "1")
    settings.current.cache_clear()
    noise = b"".join(hashlib.sha256(bytes([n, m])).digest() for n in range(256) for m in range(80))
    send(company, run_id, pdf(text=noise.hex()[:600_000]), "a.pdf")
    with pytest.raises(Invalid, match="larger than 1 MB"):
        send(company, run_id, pdf(text=noise.hex()[1:600_000]), "b.pdf")


@pytest.mark.parametrize(("who", "error"), [("stan", NotFound), ("rosa", ConsoleError), ("mona", Conflict)])
def test_only_the_holder_sends(company: Company, who: str, error: type[Exception]) -> None:
    run_id = evidence(company)
    with pytest.raises(error):
        send(company, run_id, by=who)
    assert blobs() == [] or attachments.files_of_draft(company.olivia, run_id) == []


def test_who_may_not_see_the_run_finds_no_file(company: Company) -> None:
    run_id = evidence(company, record="3")  # a corporate customer: Tom's desk is retail
    sent = send(company, run_id)
    for who in (company.stan, company.tom):
        for look in (
            lambda who=who: documents.open_document(who, sent.id),
            lambda who=who: documents.page(who, sent.id, 1),
            lambda who=who: documents.download(who, sent.id),
            lambda who=who: attachments.visible_in_any_run(who, sent.id),
            lambda who=who: attachments.take_away(who, run_id, sent.id),
        ):
            with pytest.raises(NotFound):
                look()
    assert documents.page(company.rosa, sent.id, 1).startswith(b"\x89PNG")


def test_opening_a_page_is_an_event_and_turning_it_is_none(company: Company) -> None:
    run_id = evidence(company)
    sent = send(company, run_id, pdf(3), "terms.pdf")
    documents.page(company.olivia, sent.id, 2)
    documents.page(company.olivia, sent.id, 2, zoom=2)
    documents.page(company.olivia, sent.id, 2, turn=90)
    opened = [event for event in fetch_events(run_id) if event["kind"] == "source_opened"]
    assert [(event["source"], event["key"], event["page"], event["digest"]) for event in opened] == [
        ("document", sent.id, 2, sent.sha256)
    ]
    with pytest.raises(NotFound):
        documents.page(company.olivia, sent.id, 4)


def test_two_at_once_of_the_same_file_are_one(company: Company) -> None:
    run_id, content = evidence(company), picture()
    made: list[files.Stored] = []
    threads = [threading.Thread(target=lambda: made.append(send(company, run_id, content))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in made}) == 1
    assert len(blobs()) == 1


def test_erasure_makes_files_unreadable(company: Company) -> None:
    run_id = evidence(company)
    sent = send(company, run_id)
    told = hand_in(company, run_id, [sent.id])
    kept = {file: file.read_bytes() for file in blobs()}
    runs.abort(company.olivia, run_id, revision=told["revision"], reason="Enough.")
    erasure.erase(
        Actor("system", "sys_cli", "Command line", session="sys:cli"), "customer", "1", "She asked."
    )
    assert blobs() == []
    with pytest.raises(NotFound):
        files.find(sent.id)
    assert sent.sha256 not in str(company.told(run_id))
    for file, content in kept.items():  # as it lies in an old copy of the disk
        file.write_bytes(content)
    with pytest.raises(NotFound, match="erased"):
        files.content(sent)


def test_files_go_with_their_run_when_its_time_is_over(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = evidence(company)
    sent = send(company, run_id)
    told = hand_in(company, run_id, [sent.id])
    runs.abort(company.olivia, run_id, revision=told["revision"], reason="Enough.")
    monkeypatch.setenv("CONSOLE_KEEP_RUNS_DAYS", "30")
    settings.current.cache_clear()
    retention.expire(datetime.now(UTC) + timedelta(days=20))
    assert len(blobs()) == 1
    sequencing.catch_up()
    retention.expire(datetime.now(UTC) + timedelta(days=31))
    assert blobs() == []


def test_what_nobody_handed_in_is_swept_away_a_day_after_the_end(company: Company) -> None:
    run_id = evidence(company)
    left, used = send(company, run_id), send(company, run_id, picture(colour="blue"))
    told = hand_in(company, run_id, [used.id])
    runs.abort(company.olivia, run_id, revision=told["revision"], reason="Enough.")
    assert files.sweep() == 0
    fetch(
        "update console.run set ended_at = ended_at - interval '2 days' where id = %s returning id", (run_id,)
    )
    assert files.sweep() == 1
    with pytest.raises(NotFound):
        files.find(left.id)
    assert files.content(used) == picture(colour="blue")


def test_bytes_that_a_crash_left_without_a_row_are_swept_away_when_they_are_old(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(company, evidence(company))
    (orphan,) = blobs()
    lost = orphan.with_name("0" * file_store.REST)
    lost.write_bytes(b"lost")
    orphan.with_name(f"{orphan.name}.part_x").write_bytes(b"half")
    assert files.sweep() == 0
    monkeypatch.setattr(file_store, "YOUNG_S", -5)
    files.sweep()
    assert [file for file in blobs() if "part" not in file.name] == [orphan]


def test_the_scanner_is_asked_where_one_is_set(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = evidence(company)
    assert not send(company, run_id).scanned
    for place in (tmp_path / "s", None):
        with scanner(place) as listens:
            monkeypatch.setenv("CONSOLE_CLAMD", listens)
            settings.current.cache_clear()
            assert send(company, run_id, pdf(text=str(place)), "clean.pdf").scanned
            with pytest.raises(Invalid) as refused:
                send(company, run_id, pdf() + EICAR, "bad.pdf")
            assert (refused.value.code, "Eicar-Signature" in str(refused.value.details)) == (
                "file_infected",
                True,
            )
    with pytest.raises(IntegrationError, match="does not answer"):
        send(company, run_id, picture(colour="green"))
    with scanner(answer=b"INSTREAM size limit exceeded. ERROR\0") as listens:
        monkeypatch.setenv("CONSOLE_CLAMD", listens)
        settings.current.cache_clear()
        with pytest.raises(IntegrationError, match="size limit"):
            virus_scan.scan(b"x", "a")


def test_a_backup_holds_the_files_and_a_restore_brings_them_back(company: Company, tmp_path: Path) -> None:
    sent = send(company, evidence(company))
    backup.write(Actor("system", "sys_cli", "Command line", session="sys:cli"), tmp_path / "b.zip")
    (file,) = blobs()
    file.unlink()
    with pytest.raises(NotFound):
        files.content(sent)
    with backup.open_backup(tmp_path / "b.zip") as archive:
        for name, content in archive.blobs():
            files.restore(name, content)
    assert files.content(sent) == picture()
