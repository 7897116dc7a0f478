"""Contacts who may be reached, workflows that reach them, and the other side: a mail server, Twilio's API and a provider of calls on this machine."""

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson

from console import log, runs, workflows
from console.auth import access
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.messaging import messages
from console.messaging.messages import Line
from tests.company import Company
from tests.jobs import work_until_idle
from tests.servers import outside
from tests.support.contact_club import found_club

SECRET = base64.b64encode(bytes(range(32))).decode()
GIVEN = "insert into consent (contact_id, channel, state, source, text_version, at) values (?, ?, ?, 'web form', '2026-01', '2026-04-01T10:00:00Z')"
NOON = datetime.fromisoformat("2026-11-24T19:00:00+00:00")  # a Tuesday, noon in Denver
SAM, ANA, BRAM = "1", "2", "3"


def founded(company: Company) -> Path:
    """The club, where Sam agreed to everything and Bram to calls; and time stands at noon in Denver. Answers where its database is."""
    path = found_club(company)
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            GIVEN, [(1, "sms", "given"), (1, "phone", "given"), (1, "call", "given"), (3, "sms", "given")]
        )
        connection.commit()
    access.grant("operations_lead", "collection:contact", ["browse", "read", "update"], team="operations")
    return path


@contextmanager
def clock(at: datetime) -> Iterator[Callable[[timedelta], None]]:
    """The console's time goes on from this moment, until the block ends; the function moves it on."""
    before = log.now() - datetime.now(UTC)
    by = at - datetime.now(UTC)

    def move(further: timedelta) -> None:
        nonlocal by
        by += further
        log.move_clock(by)

    log.move_clock(by)
    try:
        yield move
    finally:
        log.move_clock(before if abs(before) > timedelta(seconds=5) else timedelta())


def workflow(slug: str, steps: list[dict[str, Any]], **settings: Any) -> str:
    """A workflow of these steps on contacts, live; where they say nothing else each leads to the next, and the last to `end`."""
    ends = [{"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}}]
    wanted = [{"id": "start", "type": "start", "title": "Start", "config": {}}, *steps, *ends]
    for number, step in enumerate(wanted[:-1]):
        step.setdefault("title", step["id"].capitalize())
        step.setdefault("next", {"default": wanted[number + 1]["id"]})
    document = {
        "format": 1,
        "slug": slug,
        "title": slug.replace("-", " ").capitalize(),
        "team": "operations",
        "collection": "contact",
        "steps": wanted,
    }
    document |= {"settings": settings} if settings else {}
    workflows.import_file(document, publish=True)
    return slug


def begin(company: Company, slug: str, contact: str = SAM) -> str:
    """A run of the workflow on the contact, as far as it goes by itself."""
    run_id = runs.start(company.olivia, slug, "contact", contact, {})
    work()
    return run_id


def work() -> None:
    """What the worker does: messages that are due, jobs, runs that were not told."""
    while messages.pick_up() + work_until_idle():
        pass


def settle() -> None:
    """The same, and what the worker does for runs that were not told."""
    work()
    messages.tell_left()
    work()


def line(company: Company, run_id: str, number: int = -1) -> Line:
    """A message of the run as Olivia sees it; the newest."""
    rows = fetch("select id from console.message where run = %s order by asked_at, id", (run_id,))
    return messages.by_id(company.olivia, rows[number][0])


def status(company: Company, run_id: str) -> tuple[str, str | None]:
    """(the run's status, the step at which it stands)."""
    told = company.told(run_id)
    return told["status"], told["current"] and told["current"]["step"]


@dataclass
class Twilio:
    """Twilio's API as it behaves: makes messages, lists them, and can answer wrongly or not at all."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    fail: list[int] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    code: int = 20500
    garbled: int = 0  # so many requests are answered by a page of whoever stands before it
    page: bytes = b"<html>Please sign in</html>"
    lost: int = 0  # so many messages are taken, and the answer is 500

    def answer(self, request: outside.Received) -> tuple[int, bytes, dict[str, str]]:
        """201 for a message, the list of messages, or what was told."""
        expected = "Basic " + base64.b64encode(b"ACtest:token").decode()
        if request.headers.get("authorization") != expected:
            return 401, b'{"code": 20003, "message": "Authenticate"}', {}
        path = request.path.partition("?")[0]
        if self.garbled:
            self.garbled -= 1
            return 200, self.page, {}
        if request.method == "POST" and path.endswith("/Messages.json"):
            if self.fail:
                return (
                    self.fail.pop(0),
                    orjson.dumps({"code": self.code, "message": "no", "status": 500}),
                    self.more,
                )
            told = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            made = {
                "sid": f"SM{len(self.messages):032d}",
                "to": told["To"],
                "from": told.get("From"),
                "body": told["Body"],
                "status": "queued",
            }
            made |= {
                "direction": "outbound-api",
                "date_sent": None,
                "callback": told.get("StatusCallback"),
                "error_code": None,
                "error_message": None,
            }
            self.messages.append(made)
            if self.lost:
                self.lost -= 1
                return 500, b"oops", {}
            return 201, orjson.dumps(made), {}
        query = parse_qs(request.path.partition("?")[2])
        by_day = any(name.startswith("DateSent") for name in query)  # what is queued has no such day
        listed = [
            one
            for one in self.messages
            if one["to"] == query.get("To", [""])[0] and (one["date_sent"] or not by_day)
        ]
        return 200, orjson.dumps({"messages": listed, "next_page_uri": None, "page": 0, "page_size": 50}), {}


@contextmanager
def twilio() -> Iterator[Twilio]:
    """Twilio's API while the block lasts."""
    with outside.http() as receiver:
        made = Twilio(receiver.url)
        receiver.answer = made.answer
        yield made


@dataclass
class Calls:
    """A provider of calls: each id once, looked up by it."""

    url: str = ""
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[outside.Received] = field(default_factory=list)
    receiver: Any = None
    fail: list[int] = field(default_factory=list)

    def answer(self, request: outside.Received) -> tuple[int, bytes, dict[str, str]]:
        """202 with its own id, or what was told; a look-up finds what was asked for."""
        if request.method == "GET":
            wanted = parse_qs(request.path.partition("?")[2]).get("id", [""])[0]
            return (200, orjson.dumps(self.calls[wanted]), {}) if wanted in self.calls else (404, b"{}", {})
        self.asked.append(request)
        if self.fail:
            return self.fail.pop(0), b"{}", {}
        told = orjson.loads(request.body)
        assert request.headers["idempotency-key"] == told["id"]
        made = self.calls.setdefault(
            told["id"], {"id": told["id"], "call": f"call-{len(self.calls) + 1}", "asked": told}
        )
        return 202, orjson.dumps({"id": made["call"]}), {}


@contextmanager
def provider_of_calls() -> Iterator[Calls]:
    """The provider while the block lasts."""
    with outside.http() as receiver:
        made = Calls(receiver.url, receiver=receiver)
        receiver.answer = made.answer
        yield made


def real(**more: str) -> dict[str, str]:
    """Settings with which messages really leave."""
    return {
        "CONSOLE_SANDBOX": "off",
        "CONSOLE_BASE_URL": "http://console.example",
        "CONSOLE_PRIVATE_HOSTS": "127.0.0.1",
        **more,
    }


def by_twilio(server: Twilio) -> dict[str, str]:
    """Settings that name this Twilio."""
    account = {
        "CONSOLE_TWILIO_ACCOUNT_SID": "ACtest",
        "CONSOLE_TWILIO_AUTH_TOKEN": "token",
        "CONSOLE_TWILIO_FROM": "+12025550100",
    }
    return real(CONSOLE_TWILIO_URL=server.url, **account)


def by_calls(server: Calls) -> dict[str, str]:
    """Settings that name this provider."""
    return real(
        CONSOLE_CALL_URL=server.url, CONSOLE_CALL_SECRET=f"whsec_{SECRET}", CONSOLE_CALL_FROM="+12025550100"
    )


def actor(company: Company) -> Actor:
    """Who manages channels."""
    return company.ines
