"""Workflows that go by themselves, and worker processes to kill."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from console import log, runs, workflows
from console.core.run import fold
from console.infra.db.engine import fetch
from console.infra.db.presence import PRESENCE
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests import warm
from tests.company import Company

PATIENCE_S = 60.0
PRESENT = """
select count(*) from pg_locks where locktype = 'advisory' and classid = %s and objid = %s and granted
and database = (select oid from pg_database where datname = current_database())
"""


def until(true: Callable[[], object]) -> bool:
    """Whether it became true while a slow machine would still be forgiven."""
    deadline = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(true())


def step(id: str, type: str, to: str | None, config: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "title": id,
        "config": config or {},
        "next": {"default": to} if to else {},
    }


def counting(rounds: int, slug: str = "counting", **settings: Any) -> None:
    """A workflow without a record or a person: so many automatic steps, then its end."""
    names = [f"s{number}" for number in range(rounds)]
    steps = [step("start", "start", "s0")]
    steps += [
        step(name, "output", after, {"values": {"n": "1 + 1"}})
        for name, after in zip(names, [*names[1:], "end"], strict=True)
    ]
    publish(slug, [*steps, step("end", "end", None)], max_automatic_steps=1000, **settings)


def waiting(config: dict[str, Any], slug: str = "waiting", **more: Any) -> None:
    """Read this, wait, read that."""
    text = {"text": "Read."}
    steps = [
        step("start", "start", "before"),
        step("before", "guidance", "pause", text),
        step("pause", "wait", "after", config),
        step("after", "guidance", "end", text),
        step("end", "end", None),
    ]
    publish(slug, steps, **more)


def publish(slug: str, steps: list[dict[str, Any]], collection: str | None = None, **settings: Any) -> None:
    document = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "settings": settings,
        "steps": steps,
    }
    workflows.import_file(document | ({"collection": collection} if collection else {}), publish=True)


def whole(run_id: str) -> None:
    """The log folds to the rows, and the numbers have no gap."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    events = log.events_of(run_id)
    then = fold(as_event(event) for event in events)
    kept = ("status", "seq", "revision", "current", "waiting", "automatic", "context", "attempts", "holder")
    assert {name: getattr(then, name) for name in kept} == {name: getattr(loaded.run, name) for name in kept}
    assert [event.n for event in events] == list(range(1, len(events) + 1))


def started(company: Company, slug: str) -> str:
    return runs.start(company.olivia, slug, None, None)


def kinds(run_id: str) -> list[str]:
    return [event.type for event in log.events_of(run_id)]


def jobs() -> list[tuple[str, str]]:
    """(status, key) of what is in the queue, in order."""
    return [
        (row[0], row[1]) for row in fetch("select status::text, dedupe_key from queue.pgqueuer order by id")
    ]


def overdue(run_id: str) -> None:
    """As if its moment had come a minute ago. The row alone is changed, as if the clock had been: the log keeps its word."""
    fetch(
        "update console.run set waiting = jsonb_set(waiting, '{until}', to_jsonb(to_char(now() at time zone 'UTC' - interval '1 minute',"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))) where id = %s and status in ('waiting_time', 'waiting_event') returning 1",
        (run_id,),
    )


def _not_present(made: list["subprocess.Popen[bytes]"]) -> str:
    """What is known where not so many workers are present as were started: how each stands, and what the connections of this database do."""
    doing = fetch(
        "select pid, application_name, state, wait_event_type, wait_event, left(query, 120) from pg_stat_activity where datname = current_database()"
    )
    lines = [
        f"{fetch(PRESENT, PRESENCE)[0][0]} present; ended with {[process.poll() for process in made]}",
        *map(str, doing),
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def workers(
    count: int = 1, *, stopped: bool = False, **environ: str
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Worker processes over the test's database, ended as a supervisor would. `stopped`: the test stops one by SIGSTOP."""
    python = sys.executable if stopped else warm.python()
    made = [
        subprocess.Popen(
            [python, "-P", "-m", "console", "worker"], env=os.environ | environ, stdin=subprocess.DEVNULL
        )
        for _ in range(count)
    ]
    try:
        dies = "HANDRAIL_FAULT" in environ  # maybe at its first job, before it is seen to be present
        assert until(
            lambda: fetch(PRESENT, PRESENCE)[0][0] == count or (dies and made[0].poll() is not None)
        ), _not_present(made)
        yield made
    finally:
        for process in made:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in made:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
