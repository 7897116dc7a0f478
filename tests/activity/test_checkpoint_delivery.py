"""Checkpoints at places outside: real servers that take them, refuse them, or are not there when they come."""

import base64
import hmac
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from console import log
from console.activity import checkpoint_delivery, sequencing
from console.core.actor import Actor
from console.infra import settings
from console.infra.db import fetch
from console.infra.db.engine import alone, migration_url
from console.log import checkpoint, tree_heads
from console.operations import doctor
from tests import warm
from tests.conftest import Database
from tests.servers import outside

pytestmark = pytest.mark.lengthy

RAW = bytes(range(32))
TOKEN = f"whsec_{base64.b64encode(RAW).decode()}"
SOMEBODY = Actor("system", "sys_cli", "Command line", session="sys:tests")
Say = Callable[..., None]


@pytest.fixture(name="say")
def fixture_say(clean: Database, monkeypatch: pytest.MonkeyPatch) -> Say:
    """A function that sets settings over a fresh database; private hosts of the tests are allowed."""

    def set_them(**values: object) -> None:
        for name, value in {"PRIVATE_HOSTS": "127.0.0.1,localhost", **values}.items():
            monkeypatch.setenv(f"CONSOLE_{name}", str(value))
        settings.current.cache_clear()

    set_them()
    return set_them


def sealed(many: int = 1) -> list[str]:
    """So many checkpoints, each with one event more."""
    notes = []
    for _ in range(many):
        log.note(SOMEBODY, "process_started", open={"process": "test"})
        sequencing.catch_up()
        notes.append(str(sequencing.seal()))
    return notes


def webhook(url: str) -> dict[str, str]:
    return {"CHECKPOINT_WEBHOOK_URL": url, "CHECKPOINT_WEBHOOK_SECRET": TOKEN}


def store_of(made: outside.Store, **more: object) -> dict[str, object]:
    names = {
        "URL": made.url,
        "REGION": outside.REGION,
        "KEY_ID": outside.KEY_ID,
        "SECRET": outside.SECRET,
        **more,
    }
    return {f"CHECKPOINT_S3_{name}": value for name, value in names.items()}


def due_now() -> None:
    """As if the wait after a failure, and the hour between two mails, were over."""
    changed("due_at = now() - interval '1 s', delivered_at = delivered_at - interval '2 h'")


def changed(what: str) -> None:
    """Behind the console's back."""
    url = migration_url().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as owner:
        owner.execute(f"update console.delivery set {what}")


def only() -> checkpoint_delivery.Delivery:
    (one,) = checkpoint_delivery.state()
    return one


def test_without_a_place_nothing_leaves_and_doctor_says_what_that_means(say: Say) -> None:
    sealed()
    assert (checkpoint_delivery.deliver(), checkpoint_delivery.state()) == (0, [])
    (check,) = [each for each in doctor.examine()["checks"] if each["name"] == "outside"]
    assert check["ok"]
    assert "nobody could tell" in check["message"]
    assert "CONSOLE_CHECKPOINT_WEBHOOK_URL" in check["fix"]


def test_a_webhook_gets_the_note_signed_as_standard_webhooks_are(say: Say) -> None:
    with outside.http() as server:
        say(**webhook(f"{server.url}/hooks/token-that-is-secret?tenant=1"))
        (note,) = sealed()
        assert checkpoint_delivery.deliver() == 1
        assert checkpoint_delivery.deliver() == 0
        (told,) = server.received
    assert (told.method, told.path, told.body.decode()) == (
        "POST",
        "/hooks/token-that-is-secret?tenant=1",
        note,
    )
    head = checkpoint.verified(told.body.decode(), str(tree_heads.verifier_key()))
    name, moment = told.headers["webhook-id"], told.headers["webhook-timestamp"]
    made = hmac.digest(RAW, f"{name}.{moment}.".encode() + told.body, "sha256")
    assert told.headers["webhook-signature"] == f"v1,{base64.b64encode(made).decode()}"
    assert name.startswith(f"checkpoint-{head.size:012d}-")
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    one = only()
    assert (one.kind, one.target, one.size, one.error, one.failing) == (
        "webhook",
        server.url,
        head.size,
        None,
        False,
    )
    assert one.delivered_at is not None
    assert (
        "token-that-is-secret"
        not in f"{checkpoint_delivery.state()}{fetch('select place from console.delivery')}"
    )


def test_a_place_that_is_new_gets_the_newest_and_then_every_one_in_order(say: Say) -> None:
    with outside.http() as server:
        old = sealed(3)
        say(**webhook(server.url))
        assert checkpoint_delivery.deliver() == 1
        new = sealed(3)
        assert checkpoint_delivery.deliver() == 3
        assert [each.body.decode() for each in server.received] == [old[-1], *new]
        say(**webhook(f"{server.url}/another"))
        assert only().size is None
        assert checkpoint_delivery.deliver() == 1
        assert server.received[-1].body.decode() == new[-1]


def test_a_failure_waits_says_since_when_and_is_made_good(
    say: Say, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside.http() as server:
        say(**webhook(server.url))
        sealed()
        checkpoint_delivery.deliver()
        server.received.clear()
        server.answer = lambda _: (503, b"<html>secret words</html>", {})
        first = sealed()
        with caplog.at_level(logging.ERROR):
            assert checkpoint_delivery.deliver() == 0
            assert checkpoint_delivery.deliver() == 0  # not due yet
        assert len(server.received) == 1
        since = only().failing_since
        assert since is not None
        assert [record.getMessage() for record in caplog.records] == [
            f"alarm: since {since:%Y-%m-%dT%H:%M:%SZ} no checkpoint has reached the webhook {server.url}: it answered 503"
        ]
        waits = []
        for _ in range(8):
            due_now()
            checkpoint_delivery.deliver()
            waits.append(
                fetch("select round(extract(epoch from due_at - now())) from console.delivery")[0][0]
            )
        assert sorted(waits) == waits
        assert (waits[0], waits[-1]) == (30, 900)
        assert (only().tried, only().failing_since, only().error) == (9, since, "it answered 503")
        (check,) = [each for each in doctor.examine()["checks"] if each["name"].startswith("outside")]
        assert not check["ok"]
        assert "it answered 503" in check["message"]
        more = sealed(2)  # sealing goes on
        server.answer = lambda _: (200, b"", {})
        server.received.clear()
        due_now()
        assert checkpoint_delivery.deliver() == 3
        assert [each.body.decode() for each in server.received] == [*first, *more]
        assert (only().tried, only().failing, only().error) == (0, False, None)


def test_one_place_that_is_down_does_not_hold_up_another(say: Say) -> None:
    with outside.store() as store:
        say(**webhook("http://127.0.0.1:9/none"), **store_of(store))
        sealed()
        assert checkpoint_delivery.deliver() == 1
        down, up = checkpoint_delivery.state()
    assert (down.kind, down.size, down.error) == (
        "webhook",
        None,
        "127.0.0.1 cannot be reached: connection refused.",
    )
    assert (up.kind, up.failing) == ("s3", False)


def test_what_a_place_refuses_for_good_is_passed_over_when_it_takes_later_ones(
    say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    with outside.http() as server:
        say(**webhook(server.url))
        sealed()
        checkpoint_delivery.deliver()
        refused, _, newest = sealed(3)
        server.answer = lambda told: (409 if told.body.decode() == refused else 200, b"", {})
        server.received.clear()
        with caplog.at_level(logging.WARNING):
            checkpoint_delivery.deliver()
        assert [each.body.decode() for each in server.received][:2] == [refused, newest]
        assert "takes later ones" in caplog.text
        assert only().size == checkpoint.parse(newest).checkpoint.size
        server.answer = lambda _: (403, b"", {})
        sealed(2)
        checkpoint_delivery.deliver()
        assert only().error == "it answered 403"


def test_a_store_gets_an_object_named_by_size_signed_and_kept(say: Say) -> None:
    with outside.store() as store:
        say(**store_of(store, RETENTION_DAYS=400))
        notes = sealed(1)
        checkpoint_delivery.deliver()
        notes += sealed(2)
        assert checkpoint_delivery.deliver() == 2
        sizes = [checkpoint.parse(note).checkpoint.size for note in notes]
        assert list(store.objects) == [f"/audit/handrail/checkpoint-{size:012d}.txt" for size in sizes]
        for note, (told,) in zip(notes, store.objects.values(), strict=True):
            assert told.body.decode() == note
            assert told.headers["x-amz-object-lock-mode"] == "COMPLIANCE"
            until = datetime.fromisoformat(told.headers["x-amz-object-lock-retain-until-date"])
            assert abs(until - log.now() - timedelta(days=400)) <= timedelta(days=1)
            assert base64.b64decode(told.headers["content-md5"])
        assert only().target == store.url


def test_auditors_get_the_newest_by_mail_once_an_hour(say: Say) -> None:
    with outside.smtp() as box:
        say(
            SMTP_URL=f"smtp://127.0.0.1:{box.port}?tls=off",
            MAIL_FROM="handrail@fernwick.example",
            CHECKPOINT_MAIL_TO="ada@audit.example, board@fernwick.example",
        )
        (first,) = sealed()
        assert checkpoint_delivery.deliver() == 2
        sealed(2)
        assert checkpoint_delivery.deliver() == 0
        due_now()
        (newest,) = sealed()
        assert checkpoint_delivery.deliver() == 2
        assert [message["To"] for message in box.messages] == [
            "ada@audit.example",
            "board@fernwick.example",
        ] * 2
    for message, note in zip(box.messages, [first, first, newest, newest], strict=True):
        (attached,) = message.iter_attachments()
        size = checkpoint.parse(note).checkpoint.size
        assert attached.get_payload(decode=True) == note.encode()
        assert attached.get_filename() == f"checkpoint-{size:012d}.txt"
        assert message["Subject"] == f"Checkpoint of {sequencing.origin()}: {size} events"
        assert message["Message-ID"].startswith(f"<checkpoint-{size:012d}-")
        assert "verify.py" in message.get_body().get_content()  # type: ignore[union-attr]
    assert [each.target for each in checkpoint_delivery.state()] == [
        "ada@audit.example",
        "board@fernwick.example",
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_mail_goes_encrypted_and_signed_in(
    at_once: bool, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, file = outside.certificate(tmp_path, "localhost")
    scheme = "smtps" if at_once else "smtp"
    with outside.smtp(context, at_once=at_once, password="p@ss:word") as box:
        mail = {"MAIL_FROM": "handrail@fernwick.example", "CHECKPOINT_MAIL_TO": "ada@audit.example"}
        say(SMTP_URL=f"{scheme}://console:p%40ss%3Aword@localhost:{box.port}", **mail)
        sealed()
        checkpoint_delivery.deliver()
        assert "it vouches for itself" in str(only().error)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        due_now()
        assert checkpoint_delivery.deliver() == 1
        assert box.senders == ["console"]
        say(SMTP_URL=f"{scheme}://console:wrong@localhost:{box.port}", **mail)
        due_now()
        sealed()
        checkpoint_delivery.deliver()
        assert only().error == "The mail server localhost says: it refuses our password (535 5.7.8)."


def test_a_mail_server_that_refuses_or_lacks_starttls_is_told(say: Say) -> None:
    with outside.smtp() as box:
        mail = {"MAIL_FROM": "handrail@fernwick.example", "CHECKPOINT_MAIL_TO": "ada@audit.example"}
        say(SMTP_URL=f"smtp://localhost:{box.port}", **mail)
        sealed()
        checkpoint_delivery.deliver()
        assert only().error == "The mail server localhost cannot be used: it offers no encryption (STARTTLS)."
        box.reply = "452 full"
        say(SMTP_URL=f"smtp://localhost:{box.port}?tls=off", **mail)
        due_now()
        checkpoint_delivery.deliver()
        assert only().error == "The mail server localhost says: it asks to be tried again later (452)."
        assert box.messages == []


def test_one_process_at_a_time(say: Say) -> None:
    with outside.http() as server:
        say(**webhook(server.url))
        sealed()
        with alone("publishing") as mine:
            assert mine
            assert checkpoint_delivery.deliver() == 0
        assert checkpoint_delivery.deliver() == 1


WORK = "from console.activity import checkpoint_delivery; checkpoint_delivery.deliver()"


def test_a_worker_killed_after_sending_sends_the_same_again_under_the_same_name(say: Say) -> None:
    with outside.http() as server, outside.store() as store:
        say(**webhook(server.url), **store_of(store))
        (note,) = sealed()
        done = subprocess.run(
            [warm.python(), "-c", WORK],
            env={**os.environ, "HANDRAIL_FAULT": "publishing.sent=kill"},
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        assert only_of("webhook").size is None
        assert subprocess.run([warm.python(), "-c", WORK], env={**os.environ}, check=False).returncode == 0
        assert [each.body.decode() for each in server.received] == [note, note]
        assert len({each.headers["webhook-id"] for each in server.received}) == 1
        assert len(store.objects) == 1
    assert all(each.size and not each.failing for each in checkpoint_delivery.state())


def only_of(kind: str) -> checkpoint_delivery.Delivery:
    (one,) = [each for each in checkpoint_delivery.state() if each.kind == kind]
    return one


def test_a_worker_killed_between_sealing_and_delivery_leaves_it_to_the_next(say: Say) -> None:
    with outside.http() as server:
        say(**webhook(server.url))
        log.note(SOMEBODY, "process_started", open={"process": "test"})
        sealing = "import os, signal; from console.activity import sequencing as o; o.catch_up(); o.seal(); os.kill(os.getpid(), signal.SIGKILL)"
        assert (
            subprocess.run([warm.python(), "-c", sealing], env={**os.environ}, check=False).returncode
            == -signal.SIGKILL
        )
        assert server.received == []
        assert checkpoint_delivery.deliver() == 1
        head = tree_heads.newest()
        assert head is not None
        assert [each.body.decode() for each in server.received] == [head[1]]


def test_the_worker_signs_and_sends_by_itself_and_ends_when_told(say: Say) -> None:
    with outside.http() as server:
        say(**webhook(server.url))
        came = threading.Event()

        def take(_: outside.Received) -> tuple[int, bytes, dict[str, str]]:
            came.set()
            return 200, b"", {}

        server.answer = take
        log.note(SOMEBODY, "process_started", open={"process": "test"})
        sequencing.catch_up()
        worker = subprocess.Popen(
            [sys.executable, "-m", "console", "worker"], env={**os.environ}, cwd=Path(__file__).parents[2]
        )
        assert came.wait(60)
        worker.terminate()
        assert worker.wait(30) == 0
    head = tree_heads.newest()
    assert head is not None
    assert [each.body.decode() for each in server.received][:1] == [head[1]]
