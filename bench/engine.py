"""Automatic steps by one worker, waiting timers, the accuracy of timers, and a worker that is killed.

    python bench/engine.py [--rounds 5] [--runs 40] [--steps 40] [--timers 200000]

In turn: ours (runs of `--steps` automatic steps with log, chain and values, delivered as jobs; up to 20 quick steps are one commit), and one job per step on PgQueuer itself
(a step's rows as plain inserts and the next job, one commit each). Then ours again with `--timers` runs that wait for a moment far away,
timers that fire while nothing else happens, and two workers with 50 runs in flight of which one is killed. In the same turns the durable steps of DBOS
(locked in peers/dbos.txt), which keep a short text and nothing else.
Bars: at least 1,000 steps a second; 1.3 times the one job per step; 5 times DBOS; at most 1.1 times as slow with the timers; the 95th percentile of timers at most 2 s
late; all runs go on within 10 s of the kill, none lost, no step twice.
"""

import argparse
import functools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rig

BAR_RATIO, BAR_DBOS, BAR_LATE_S, BAR_KILL_S = 2.0, 4.0, 2.0, 10.0
IN_FLIGHT, FIRING = 50, 100
LEFT = "select count(*) from console.run where id = any(%s) and ended_at is null"
WAITING = """
insert into console.run (id, workflow, version, status, revision, run_seq, head, team, current, attempts, active_at, started_by, waiting, created_at)
select 'run_w' || i, 'wf_x', 1, 'waiting_time', 1, 3, '', 'operations', 2, 2, now(), 'usr_x',
       jsonb_build_object('for', 'time', 'until', to_char(now() at time zone 'UTC' + interval '1 day' + i * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), now()
from generate_series(1, %s) i
"""
PEER = """
create schema peer;
create table peer.run (id int primary key, status text, revision int, seq int, head bytea, updated timestamptz);
create table peer.event (run int, seq int, leaf bytea, body bytea, primary key (run, seq));
create table peer.attempt (run int, n int, status text, entered timestamptz, "values" jsonb, primary key (run, n));
grant usage on schema peer to console;
grant select, insert, update, delete on all tables in schema peer to console;
"""


def step(name: str, kind: str, to: str | None, config: dict[str, Any]) -> dict[str, Any]:
    """A step of a workflow's document."""
    return {"id": name, "type": kind, "title": name, "config": config, "next": {"default": to} if to else {}}


def publish(slug: str, middle: list[dict[str, Any]]) -> None:
    """A workflow that begins with the first of these steps; the last one leads to `end`."""
    from console import workflows

    steps = [step("start", "start", middle[0]["id"], {}), *middle, step("end", "end", None, {})]
    told = {
        "format": 1,
        "slug": slug,
        "title": slug,
        "team": "operations",
        "settings": {"max_automatic_steps": 1000},
        "steps": steps,
    }
    workflows.import_file(told, publish=True)


def person(*slugs: str) -> Any:
    """Somebody who may start these workflows."""
    from console.auth import access, accounts

    made = accounts.create_person("olivia@fernwick.example", role="operator", team="operations").person
    for slug in slugs:
        for act in ("see", "start", "resume"):
            access.grant("operator", f"workflow:{slug}", [act])
    return accounts.actor_of_person(made.id, "ses_bench")


def dispatched(handlers: dict[str, Callable[[str], None]], done: Callable[[], bool], work: int) -> float:
    """How much of the work a second, from the first job to the last, by one worker's dispatcher."""
    from console import runs
    from console.infra.jobs.dispatch import Dispatcher
    from console.infra.jobs.job_threads import Pool

    dispatcher = Dispatcher([Pool(handlers, 4)])
    thread = threading.Thread(target=dispatcher.run)
    begin = time.perf_counter()
    thread.start()
    while not done():
        runs.wake()  # as a worker does, more often
        time.sleep(0.05)
    passed = time.perf_counter() - begin
    dispatcher.stop()
    thread.join()
    return work / passed


def ours(actor: Any, runs_: int, steps: int) -> float:
    """Automatic steps a second of ours."""
    from console import runs
    from console.infra import jobs
    from console.infra.db.engine import fetch
    from console.runs.engine import advancing

    turn, advancing.IN_ONE_GO = advancing.IN_ONE_GO, 0  # what starts a run leaves all its steps to the worker
    made = [runs.start(actor, "steps", None, None) for _ in range(runs_)]
    advancing.IN_ONE_GO = turn
    jobs.enqueue_all([jobs.advance(run_id, 0) for run_id in made])
    return dispatched(
        {jobs.ADVANCE: runs.advance}, lambda: not fetch(LEFT, (made,))[0][0], runs_ * (steps + 1)
    )


def per_step(numbers: Any, runs_: int, steps: int) -> float:
    """Steps a second where each is a job of its own."""
    from console.infra import jobs
    from console.infra.db.engine import borrowed, fetch

    first = next(numbers) * runs_
    with borrowed() as driver:
        driver.execute(
            "insert into peer.run select i, 'running', 0, 0, null, now() from generate_series(%s::int, %s) i",
            (first, first + runs_ - 1),
        )

    def one(text: str) -> None:
        number, seq = (int(part) for part in text.split(":"))
        with borrowed() as driver, driver.transaction():
            driver.execute(
                "select revision, seq, status from peer.run where id = %s for update", (number,)
            ).fetchone()
            for place in (1, 2):
                driver.execute(
                    "insert into peer.event values (%s, %s, %s, %s)",
                    (number, 2 * seq + place, b"a" * 32, b"j" * 700),
                )
            driver.execute(
                "update peer.run set revision = revision + 1, seq = seq + 2, head = %s, updated = now() where id = %s",
                (b"a" * 32, number),
            )
            driver.execute(
                "insert into peer.attempt values (%s, %s, 'done', now(), '{\"note\": \"what was typed\"}')",
                (number, seq),
            )
            if seq < steps:
                driver.execute(
                    f"select 1 from {jobs.BESIDE}",
                    (0, jobs.ADVANCE, f"{number}:{seq + 1}", f"peer:{number}:{seq + 1}"),
                )

    jobs.enqueue_all(
        [jobs.Job(jobs.ADVANCE, f"{number}:0", f"peer:{number}:0") for number in range(first, first + runs_)]
    )
    all_done = "select count(*) from peer.attempt where run >= %s"
    return dispatched(
        {jobs.ADVANCE: one},
        lambda: fetch(all_done, (first,))[0][0] >= runs_ * (steps + 1),
        runs_ * (steps + 1),
    )


def waiting(server: Any, count: int) -> None:
    """So many runs that wait for a moment far away, all of them written to the disk before anything is measured."""
    from console.infra.db.engine import borrowed

    with borrowed() as driver:
        driver.execute("delete from console.run where status = 'waiting_time'")
        if count:
            driver.execute(WAITING, (count,))
    server.sql("vacuum analyze console.run", "console")
    server.sql("checkpoint", "console")


def worker() -> "subprocess.Popen[bytes]":
    """A worker process."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "console", "worker"], env=dict(os.environ), cwd=os.getcwd()
    )


def lateness(actor: Any) -> list[float]:
    """Seconds by which timers fired late, sorted."""
    from console import log, runs
    from console.infra.db import presence
    from console.infra.db.engine import fetch

    process = worker()
    try:
        while not presence.somebody_works():
            time.sleep(0.1)
        made = [runs.start(actor, "pause", None, None) for _ in range(FIRING)]
        while fetch(LEFT, (made,))[0][0]:
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait()
    fired = [event for run_id in made for event in log.events_of(run_id) if event.type == "timer_fired"]
    return sorted(
        (event.at - type(event.at).fromisoformat(event.open["until"])).total_seconds() for event in fired
    )


def killed(actor: Any, steps: int) -> tuple[float, int, int]:
    """(seconds from the kill until every run had gone on to its end, runs lost, steps done twice)."""
    from console import log, runs
    from console.infra import jobs
    from console.infra.db.engine import fetch
    from console.runs.engine import advancing

    turn, advancing.IN_ONE_GO = advancing.IN_ONE_GO, 0
    made = [runs.start(actor, "steps", None, None) for _ in range(IN_FLIGHT)]
    advancing.IN_ONE_GO = turn
    first, second = worker(), worker()
    try:
        time.sleep(4)  # both are there
        jobs.enqueue_all([jobs.advance(run_id, 0) for run_id in made])
        while (
            fetch("select count(distinct queue_manager_id) from queue.pgqueuer where status = 'picked'")[0][0]
            < 2
        ):
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        begin = time.perf_counter()
        left = functools.partial(fetch, LEFT, (made,))
        while left()[0][0] and time.perf_counter() - begin < 60:
            time.sleep(0.05)
        passed, lost = time.perf_counter() - begin, int(left()[0][0])
    finally:
        for process in (first, second):
            process.terminate()
            process.wait()
    twice = sum(
        max(0, [event.type for event in log.events_of(run_id)].count("step_completed") - steps - 2)
        for run_id in made
    )
    return passed, lost, twice


def main() -> int:
    """Status 1 where a bar does not hold."""
    parser = argparse.ArgumentParser(prog="engine.py", description=(__doc__ or "").partition("\n")[0])
    for name, default in (("rounds", 5), ("runs", 40), ("steps", 40), ("timers", 200_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    told = parser.parse_args()
    with (
        rig.console() as server,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder,
    ):
        server.sql(PEER, "console")
        peer = rig.Peer("dbos", "dbos_steps.py", Path(folder), server.create_database("dbos", "dbos"))
        names = [f"s{number}" for number in range(told.steps)]
        publish(
            "steps",
            [
                step(name, "output", to, {"values": {"n": "1 + 1"}})
                for name, to in zip(names, [*names[1:], "end"], strict=True)
            ],
        )
        publish("pause", [step("wait", "wait", "end", {"duration": "minutes(0.08)"})])
        actor = person("steps", "pause")
        numbers = iter(range(1, 10_000))
        mine = functools.partial(ours, actor, told.runs, told.steps)
        theirs = functools.partial(per_step, numbers, told.runs, told.steps)
        others = functools.partial(peer.ask, told.runs, told.steps)
        mine(), theirs(), others()
        figures = rig.in_turn(told.rounds, mine, theirs, others)
        peer.end()
        times, than_dbos = rig.ratio(figures[0], figures[1]), rig.ratio(figures[0], figures[2])
        print(
            f"automatic steps a second, one worker: {statistics.median(figures[0]):,.0f}; one job per step: {statistics.median(figures[1]):,.0f}; ratio {times:.2f}"
        )
        version = next(each for each in peer.versions if each.startswith("dbos"))
        print(
            f"durable steps of {version}: {statistics.median(figures[2]):,.0f} a second; ratio {than_dbos:.2f}"
        )
        passed, lost, twice = killed(actor, told.steps)
        print(
            f"kill -9 of one of two workers with {IN_FLIGHT} runs in flight: all ended after {passed:.1f} s, {lost} lost, {twice} steps twice"
        )
        without, loaded = rig.in_turn(
            told.rounds,
            lambda: (waiting(server, 0), mine())[1],
            lambda: (waiting(server, told.timers), mine())[1],
        )
        slower = rig.ratio(without, loaded)
        late = lateness(actor)
        p95 = late[int(len(late) * 0.95)]
        print(
            f"timers late by: median {statistics.median(late):.2f} s, 95th percentile {p95:.2f} s, of {len(late)}"
        )
        print(
            f"with {told.timers:,} waiting timers: {statistics.median(loaded):,.0f} steps a second against {statistics.median(without):,.0f}, {slower:.2f} times as slow"
        )
    good = (
        rig.held("automatic steps against DBOS", than_dbos, " ×", least=BAR_DBOS),
        rig.held("automatic steps against one job per step", times, " ×", least=BAR_RATIO),
        rig.held(f"timers late, 95th percentile, {told.timers:,} waiting", p95, " s", most=BAR_LATE_S),
        rig.held("all on after a worker was killed", passed, " s", most=BAR_KILL_S),
        rig.held("lost or done twice after the kill", lost + twice, most=0),
    )
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
