"""A day in the life of contacts whom a workflow writes to and calls, in a clock that is moved on by this script; every message is accounted for.

    python bench/contact_day.py [--people 20000] [--workers 2]

Its own server in a temporary folder; the contacts lie in a database of their own there, in six time zones, a tenth of them with no consent to SMS and a tenth with none to calls by an AI.
At 04:00 UTC all of them are enrolled by their segment: an e-mail, two hours of rest, an SMS (held by the quiet hours of the contact's zone), five hours to answer it, a call for who did not,
a stage or a tag by what came of it. One in twelve answers the SMS within the day, every fourth of those with STOP. Messages go to the sandbox, where some fail and calls end as calls do.

The workers are `console.operations.worker`, each a process of its own, whose clock this script moves on as soon as nothing is left to do at the moment: to the next half hour in which something is due or
somebody answers, until the day is over (a worker looks for what is due once a second, so that each move costs up to a second in which nothing is done). Timers come late by half an hour at most. Bar: 20,000 contacts in 10 minutes on two cores.

Accounted for means: every run stands where its messages say, and each message that a step asked for has exactly one row, which has left, was skipped or has failed with a reason, or waits for a
moment after the day with one; nobody got the same step's message twice, nobody got one without consent, after STOP, or outside of the hours of their zone; and the log has one event for each.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import enrolment
import psutil
import rig

BAR_S, BAR_PEOPLE = 600.0, 20_000
STEP = timedelta(minutes=30)
ZONES = (
    "Europe/Vilnius",
    "Europe/London",
    "America/New_York",
    "America/Denver",
    "Asia/Tokyo",
    "Australia/Sydney",
)
FILL = f"""
create table contact (id integer primary key, name text not null, email text, phone text, time_zone text, country text, language text,
    stage text not null check (stage in ('new', 'engaged', 'lost')));
create table consent (id bigint generated always as identity primary key, contact_id integer not null references contact (id), channel text not null, state text not null,
    source text, text_version text, at timestamptz not null default now());
insert into contact select n, 'Person ' || n, 'p' || n || '@example.org', '+44' || (7400000000 + n)::text, (array{list(ZONES)!r})[1 + n % 6], 'GB', 'en', 'new' from generate_series(1, {{people}}) n;
insert into consent (contact_id, channel, state, source, text_version, at)
    select n, c, 'given', 'web form', '2026-01', '2026-01-10' from generate_series(1, {{people}}) n, unnest(array['email', 'sms', 'ai_call']) c
    where not (c = 'sms' and n % 10 = 3) and not (c = 'ai_call' and n % 10 = 7);
create index on consent (contact_id, channel, at);
create index on contact (phone);
create index on contact (email);
analyze;
"""
CONTACT: dict[str, Any] = {
    "id": "book.contact",
    "source": "book",
    "table": "contact",
    "label": "Contacts",
    "label_one": "Contact",
    "title": "{{ record.name }}",
    "subject": "self",
    "contact": {
        "name": "name",
        "email": "email",
        "phone": "phone",
        "zone": "time_zone",
        "country": "country",
        "language": "language",
        "stage": "stage",
        "consent": {channel: {"table": "book.consent"} for channel in ("email", "sms", "ai_call")},
    },
    "segments": [{"id": "new", "label": "New", "filter": "record.stage == 'new'"}],
}
CONSENT: dict[str, Any] = {
    "id": "book.consent",
    "source": "book",
    "table": "consent",
    "label": "Consents",
    "subject": "book.contact",
}


def _step(id: str, type: str, config: dict[str, Any], to: str | dict[str, str]) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "title": id.capitalize(),
        "config": config,
        "next": {"default": to} if isinstance(to, str) else to,
    }


WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slug": "day",
    "title": "A day",
    "collection": "book.contact",
    "team": "admin",
    "run_as": enrolment.ROBOT,
    "settings": {"on_error": "fail", "parallel": 1000},
    "exits": [{"if": 'event.on == "consent.withdrawn"', "reason": "opted out"}],
    "steps": [
        _step("start", "start", {}, "mail"),
        _step(
            "mail",
            "email",
            {"subject": "Good morning {{ record.name }}", "body": "Have a look at what is new."},
            "rest",
        ),
        _step("rest", "wait", {"duration": "hours(2)"}, "text"),
        _step(
            "text",
            "sms",
            {"text": "{{ record.name }}, shall we call you?"},
            {"sent": "answer", "default": "call"},
        ),
        _step(
            "answer",
            "wait",
            {"event": "message.received", "timeout": "PT5H"},
            {"event": "engaged", "timeout": "call"},
        ),
        _step(
            "call",
            "ai_call",
            {
                "script": "This is the digital assistant of a shop calling {{ record.name }}.",
                "answers": ["interested"],
                "max_attempts": 1,
            },
            {"interested": "engaged", "default": "tired"},
        ),
        _step("engaged", "change_stage", {"stage": "engaged"}, "won"),
        _step("won", "end", {"label": "engaged"}, {}),
        _step("tired", "add_tag", {"tag": "quiet"}, "over"),
        _step("over", "end", {"label": "quiet"}, {}),
    ],
}
SCRIPTS = {
    "email": "sent 97\nfailed 3",
    "sms": "delivered 95\nfailed 5",
    "call": "answered/interested 3\nno answer 4\nvoicemail 2\nbusy 1",
}
MORNING = datetime(2026, 11, 24, 4, tzinfo=UTC)  # a Tuesday
DUE = """
select exists (select from queue.pgqueuer where status in ('queued', 'picked') and execute_after <= now() + interval '10 seconds')
  or exists (select from console.log_pending) or exists (select from console.enrolment where status = 'waiting')
  or exists (select from console.message where due_at <= %(now)s)
  or exists (select from console.run where ended_at is null and (status = 'running' or (status = 'waiting_event' and waiting->>'for' = 'effect')))
  or exists (select from console.run where mode = 'hands_off' and status in ('waiting_time', 'waiting_event') and (waiting->>'until') collate "C" <= %(text)s)
"""
"""Each part finds what it looks for in an index: 20,000 runs were read at each look else, and the workers waited meanwhile."""
NEXT = """
select least(
  (select min(due_at) from console.message where due_at is not null),
  (select min((waiting->>'until') collate "C")::timestamptz from console.run where mode = 'hands_off' and status in ('waiting_time', 'waiting_event')))
"""


def worker(clock: Path) -> None:
    """A worker of the product whose time is what the file says: how many seconds it differs from the machine's."""
    from console import log
    from console.operations.worker import main as work

    def follow() -> None:
        seen = 0
        while True:
            with contextlib.suppress(OSError, ValueError):  # it is being written
                if (changed := clock.stat().st_mtime_ns) != seen:
                    seen = changed
                    log.move_clock(timedelta(seconds=float(clock.read_text())))
            time.sleep(0.05)

    log.move_clock(timedelta(seconds=float(clock.read_text())))
    threading.Thread(target=follow, daemon=True).start()
    work(with_parent=True)


class Day:
    """The clock of this process and of the workers, who answers, and when nothing is left to do."""

    def __init__(self, clock: Path, people: int) -> None:
        self.clock = clock
        self.now = MORNING
        self.random = random.Random(7)
        self.answers = {
            n: self.random.random() < 0.25 for n in range(1, people + 1) if self.random.random() < 1 / 12
        }
        self.stopped: dict[int, datetime] = {}
        self.set(MORNING)

    def set(self, at: datetime) -> None:
        """It is this moment now."""
        from console import log

        self.now, by = at, (at - datetime.now(UTC)).total_seconds()
        part = self.clock.with_suffix(".new")
        part.write_text(str(by))
        part.replace(self.clock)
        log.move_clock(timedelta(seconds=by))

    def quiet(self) -> bool:
        """Whether nothing is left to do at this moment."""
        from console import log
        from console.core.moments import moment_text
        from console.infra.db.engine import fetch

        now = log.now()
        return not fetch(DUE, {"now": now, "text": moment_text(now)})[0][0]

    def wait(self) -> None:
        """Until nothing is left to do, at two looks a little apart."""
        looks, begin = 0, time.perf_counter()
        while looks < 2:
            looked = time.perf_counter()
            looks = looks + 1 if self.quiet() else 0
            time.sleep(
                0.1 if looks else max(0.1, min(1.0, 30 * (time.perf_counter() - looked)))
            )  # to look must not be what slows them
            if time.perf_counter() - begin > 1800:
                raise SystemExit("it does not come to rest")

    def move(self) -> None:
        """On to the next half hour in which something is due or somebody may answer, or to the end."""
        from console.infra.db.engine import fetch

        due, end = fetch(NEXT)[0][0], MORNING + timedelta(hours=24)
        at = self.now + STEP
        while at < end and (due is None or due > at) and not self.asked(at):
            at += STEP
        self.set(at)

    def asked(self, at: datetime) -> list[int]:
        """Who has had the SMS within two hours before and will answer, and has not yet."""
        from console.infra.db.engine import fetch

        sent = "select record::integer from console.message where channel = 'sms' and direction = 'out' and status in ('sent', 'delivered') and sent_at > %s"
        return [who for (who,) in fetch(sent, (at - timedelta(hours=2),)) if who in self.answers]

    def answered(self) -> int:
        """Those who answer and have had the SMS do, a few at a time; how many did."""
        from console import log
        from console.messaging.messages import inbound

        number = 0
        for who in self.asked(self.now):
            if self.random.random() < 0.5:
                stop, number = self.answers.pop(who), number + 1
                inbound.receive(
                    "sms",
                    "sandbox",
                    sender=f"+44{7400000000 + who}",
                    text="STOP" if stop else "Yes please",
                    provider_id=f"in-{who}",
                )
                if stop:
                    self.stopped[who] = log.now()  # half an hour of many contacts takes minutes
        return number


def main() -> None:
    """Let a day pass."""
    parser = argparse.ArgumentParser(
        description="A day of contacts in a moved clock, every message accounted for."
    )
    parser.add_argument("--people", type=int, default=BAR_PEOPLE)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.worker is not None:
        worker(told.worker)
        return
    os.environ["CONSOLE_SANDBOX"] = "on"
    with rig.console() as server, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        actor = _furnish(server, told.people)
        day = Day(Path(folder) / "clock", told.people)
        program = [sys.executable, __file__, "--worker", str(day.clock)]
        workers = [
            subprocess.Popen(program, stdin=subprocess.PIPE, env=os.environ) for _ in range(told.workers)
        ]
        before = _processor_s([server.pid]), _processor_s(each.pid for each in workers)
        try:
            took = _passed(day, actor)
            after = _processor_s([server.pid]), _processor_s(each.pid for each in workers)
        finally:
            for each in workers:
                each.terminate()
            for each in workers:
                each.wait(30)
        wrong = _accounted(day, told.people)
    print(
        f"a day of {told.people:,} contacts in {took:.0f} s with {told.workers} workers; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )
    database, work = ((b - a) / told.people * 1000 for a, b in zip(before, after, strict=True))
    print(f"processor a contact: workers {work:.1f} ms, PostgreSQL {database:.1f} ms")
    for line in wrong:
        print("not accounted for:", line)
    held = rig.held(
        f"a day of {told.people:,} contacts with {told.workers} workers",
        took,
        " s",
        most=BAR_S * max(told.people, 1) / BAR_PEOPLE,
    )
    sys.exit(0 if held and not wrong else 1)


def _processor_s(pids: Iterable[int | None]) -> float:
    """Seconds of processor that these processes and those that they started have used, ended ones too."""
    total = 0.0
    for process in map(psutil.Process, pids):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
    return total


def _furnish(server: Any, people: int) -> Any:
    """The contacts, the workflow, live, and how the sandbox answers; who enrols."""
    from console import sources, workflows
    from console.auth import access, accounts
    from console.messaging.messages import channel_settings

    server.sql("create database bench_book")
    server.sql(FILL.replace("{people}", str(people)), "bench_book")
    sources.add(
        "book", server.url("postgres", "bench_book"), documents=[CONTACT, CONSENT], may=rig.ALL_RIGHTS
    )
    ines = accounts.create_person(
        "ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password"
    ).person
    accounts.create_service_account(enrolment.ROBOT, [("admin", "admin")])
    actor = accounts.actor_of_person(ines.id, "sys:bench")
    access.grant("admin", "workflow:day", ["see", "start", "resume", "cancel"])
    access.grant("admin", "collection:book.contact", ["browse", "read", "update"])
    access.grant("admin", "collection:book.consent", ["browse", "read", "create"])
    access.refresh()
    for kind, script in SCRIPTS.items():
        channel_settings.save(actor, kind, sandbox_on=True, script=script)
    workflows.import_file(WORKFLOW, publish=True, rights=False)
    return actor


def _passed(day: Day, actor: Any) -> float:
    """Seconds until the day is over."""
    from console.automation import enrolments

    begin = last = time.perf_counter()
    batch = enrolments.batches.begin(actor, "day", enrolments.Question(segment="new"))
    enrolment.until(lambda: enrolments.batches.get(actor, batch.id).status != "running", 600)
    while day.now <= MORNING + timedelta(hours=24):
        day.wait()
        if day.answered():
            day.wait()
        if (passed := time.perf_counter()) - last > 20:
            last = passed
            print(f"{day.now:%d %H:%M} after {passed - begin:.0f} s", flush=True)
        day.move()
    return time.perf_counter() - begin


MESSAGES = """
select record::integer, step, channel, status, code, result_ct is not null, sent_at, due_at, sandbox from console.message where direction = 'out'
"""
RUNS = """
select r.record::integer, r.status, r.ending, r.reason, a.step from console.run r left join console.attempt a on a.run = r.id and a.n = r.current
"""
ASKED = "select r.record::integer, a.step from console.attempt a join console.run r on r.id = a.run where a.step in ('mail', 'text', 'call')"
NOTED = """
select event_kind, count(*) from (select convert_from(body, 'UTF8')::jsonb->>'type' as event_kind from console.event) e
where event_kind in ('message_sent', 'message_skipped', 'message_failed', 'call_ended') group by 1
"""


def _accounted(day: Day, people: int) -> list[str]:
    """What cannot be accounted for."""
    from console.infra.db.engine import fetch

    messages, runs, asked = fetch(MESSAGES), fetch(RUNS), Counter(fetch(ASKED))
    print(
        "messages:",
        ", ".join(
            f"{n:,} {channel} {status}"
            for (channel, status), n in sorted(Counter((m[2], m[3]) for m in messages).items())
        ),
    )
    print(
        "runs:",
        ", ".join(
            f"{n:,} {status} {ending or step or ''}"
            for (status, ending, step), n in sorted(
                Counter((r[1], r[2], r[4]) for r in runs).items(), key=str
            )
        ),
    )
    wrong = [f"{len(runs)} runs of {people} contacts"] if len(runs) != people else []
    kept = Counter((m[0], m[1]) for m in messages)
    wrong += [
        f"{n} messages of step {step} to contact {who}, {asked[who, step]} asked for"
        for (who, step), n in kept.items()
        if n != asked[who, step]
    ]
    wrong += [
        f"the message of step {step} to contact {who} has no row"
        for who, step in asked
        if not kept[who, step]
    ]
    ended = {r[0]: r for r in runs}
    for who, step, channel, status, code, why, sent_at, due_at, sandbox in messages:
        name = f"{channel} of step {step} to contact {who}, {status}"
        if status in ("sent", "delivered", "failed") and sent_at is None:
            wrong.append(f"{name}: when did it leave?")
        if sent_at is not None and not sandbox:
            wrong.append(f"{name}: it really left")
        if sent_at is not None and (
            (channel == "sms" and who % 10 == 3) or (channel == "call" and who % 10 == 7)
        ):
            wrong.append(f"{name}: there was no consent")
        if (
            sent_at is not None
            and channel != "email"
            and who in day.stopped
            and sent_at > day.stopped[who] + timedelta(minutes=1)
        ):
            wrong.append(f"{name}: after STOP")
        if (
            sent_at is not None
            and channel != "email"
            and not 8 <= sent_at.astimezone(ZoneInfo(ZONES[who % 6])).hour < 20
        ):
            wrong.append(f"{name}: at {sent_at}, which is night there")
        if status in ("skipped", "expired") and not (code and why):
            wrong.append(f"{name}: without a reason")
        if status == "waiting" and (
            due_at is None or due_at <= day.now or not why or ended[who][1] != "waiting_event"
        ):
            wrong.append(f"{name}: until {due_at}, its run {ended[who][1]}")
        if status in ("sending", "unknown"):
            wrong.append(name)
    wrong += [
        f"run of contact {who}: {status} at {step}, {reason}"
        for who, status, _, reason, step in runs
        if status not in ("completed", "waiting_event", "waiting_time", "cancelled")
    ]
    wrong += [
        f"contact {who} said STOP, its run is {ended[who][1]}"
        for who in day.stopped
        if ended[who][1] not in ("completed", "cancelled")
    ]
    noted, states = dict(fetch(NOTED)), Counter("left" if m[6] is not None else m[3] for m in messages)
    for kind, count in (
        ("message_sent", states["left"]),
        ("message_skipped", states["skipped"] + states["expired"]),
    ):
        if noted.get(kind, 0) != count:
            wrong.append(f"the log has {noted.get(kind, 0)} {kind}, the messages say {count}")
    return wrong[:40] + ([f"and {len(wrong) - 40} more"] if len(wrong) > 40 else [])


if __name__ == "__main__":
    main()
