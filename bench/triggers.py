"""What starts runs: webhooks taken in a second, and how long after a change in the user's own database its run stands at the first step.

    python bench/triggers.py [--rows 1000000] [--changes 60]

Webhooks come signed as Standard Webhooks has it, to a web process with one worker, from four clients; the reference is a bare Flask route that puts one row into a table, served alike.
Both get the same deliveries, which were signed before the clock began: signing is the sender's work.
Changes are made one by one at odd moments in a table of so many rows, which is looked at each second (`changes.column`) or tells of them itself (`changes.listen`); a worker runs beside.
Bars: webhooks at least 0.5 × the bare route; 95th percentile of the changes at most 2 s where they are looked for, 0.3 s where they are told.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import enrolment
import list as lists
import psutil
import rig

ROUNDS, SECONDS, CLIENTS, MOST = 5, 2.0, 4, 4000
BODY = json.dumps({"why": "it rang"})
BAR, LATE_LOOKED_S, LATE_TOLD_S = 300.0, 2.0, 0.3
ROBOT = "robot@example.org"
FILL = """
create table looked (id integer primary key, title text not null, updated_at timestamptz not null default now());
create table told (id integer primary key, title text not null);
insert into looked select n, 'Row ' || n, now() - interval '1 day' from generate_series(1, %d) n;
insert into told select n, 'Row ' || n from generate_series(1, %d) n;
create index on looked (updated_at, id);
create table hook (id bigint generated always as identity primary key, body text not null);
analyze;
"""
FIELD = {"name": "why", "label": "Why", "type": "text"}
STEPS: list[dict[str, Any]] = [
    {
        "id": "start",
        "type": "start",
        "title": "Start",
        "config": {"fields": [FIELD]},
        "next": {"default": "read"},
    },
    {
        "id": "read",
        "type": "guidance",
        "title": "Read",
        "config": {"text": "Read."},
        "next": {"default": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
]


def create_peer() -> Any:
    """The bare route."""
    import flask
    import psycopg

    app, kept = flask.Flask("peer"), threading.local()

    @app.post("/")
    def hook() -> tuple[str, int]:
        if not hasattr(kept, "connection"):
            kept.connection = psycopg.connect(os.environ["PEER_URL"], autocommit=True)
        kept.connection.execute(
            "insert into hook (body) values (%s)", (flask.request.get_data(as_text=True),)
        )
        return "", 202

    return app


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Webhooks a second, and how late changes are seen.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.peer is not None:
        lists.serve_peer(told.peer, "triggers:create_peer")
        return
    with rig.console() as server:
        secret, path = furnish(server, told.rows)
        held = webhooks(server, secret, path) & changes(server, told.rows, told.changes)
    sys.exit(0 if held else 1)


def furnish(server: Any, rows: int) -> tuple[str, str]:
    """The tables and three workflows, live; the secret of the webhook and its address."""
    from console import sources, workflows
    from console.auth import access, accounts
    from console.automation import triggers

    server.sql("create database bench_shop")
    server.sql(FILL % (rows, rows), "bench_shop")
    documents = [
        {
            "id": "shop.looked",
            "source": "shop",
            "table": "looked",
            "changes": {"column": "updated_at", "every_s": 1},
        },
        {"id": "shop.told", "source": "shop", "table": "told", "changes": {"listen": True}},
    ]
    sources.add("shop", server.url("postgres", "bench_shop"), documents=documents, may=rig.ALL_RIGHTS)
    server.sql(triggers.install_sql("shop"), "bench_shop")
    ines = accounts.create_person(
        "ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password"
    ).person
    accounts.create_service_account(ROBOT, [("admin", "admin")])
    actor = accounts.actor_of_person(ines.id, "sys:bench")
    for slug, trigger in (
        ("by-hook", {"kind": "webhook", "signed": True, "enabled": True}),
        ("by-look", {"kind": "event", "on": "record.updated", "enabled": True}),
        ("by-word", {"kind": "event", "on": "record.updated", "enabled": True}),
    ):
        about = (
            {} if slug == "by-hook" else {"collection": "shop.looked" if slug == "by-look" else "shop.told"}
        )
        document = {
            "format": 1,
            "slug": slug,
            "title": slug,
            "team": "admin",
            "roles": ["admin"],
            "run_as": ROBOT,
            "steps": STEPS,
            "triggers": [{"id": "on"} | trigger],
        }
        access.grant("admin", f"workflow:{slug}", ["see", "start", "resume", "edit", "publish"])
        access.refresh()
        workflows.import_file(document | about, publish=True, rights=False)
    triggers.synchronise()
    made = triggers.managing.renew_secret(actor, "by-hook", "on")
    return str(made.secret), str(made.address)


def webhooks(server: Any, secret: str, path: str) -> bool:
    """Taken in a second against the bare route; whether the bar holds."""
    ours, theirs = lists.free_port(), lists.free_port()
    command = ["-m", "console.views.server", "--port", str(ours)]
    peer = [str(Path(__file__).resolve()), "--peer", str(theirs)]
    costs: dict[int, list[float]] = {ours: [], theirs: []}

    def taken(process: int, port: int, path: str) -> float:
        ready = [signed(secret, MOST) for _ in range(CLIENTS)]
        begin, spent = time.perf_counter(), processor_s(process)
        rate = per_second(port, path, ready)
        costs[port].append((processor_s(process) - spent) * 1000 / (rate * (time.perf_counter() - begin)))
        return rate

    with (
        lists.served(command, ours) as web,
        lists.served(peer, theirs, PEER_URL=server.url("postgres", "bench_shop")) as other,
    ):
        mine, bare = rig.in_turn(
            ROUNDS, lambda: taken(web, ours, f"/hooks/{path}"), lambda: taken(other, theirs, "/")
        )
    by, (cost, least) = rig.ratio(mine, bare), (statistics.median(costs[port]) for port in (ours, theirs))
    print(
        f"webhooks a second: {statistics.median(mine):.0f}; bare route: {statistics.median(bare):.0f}; ratio {by:.2f}"
    )
    print(f"processor for each: {cost:.2f} ms; bare route: {least:.2f} ms; load {os.getloadavg()[0]:.0f}")
    return rig.held("webhooks taken in a second", statistics.median(mine), least=BAR)


def processor_s(pid: int) -> float:
    """Seconds of processor that a server and its workers have taken."""
    root = psutil.Process(pid)
    times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def signed(secret: str, count: int) -> list[dict[str, str]]:
    """The headers of so many deliveries of `BODY`, each with its own id."""
    from standardwebhooks import Webhook

    signer, now, made = Webhook(secret), datetime.now(UTC), []
    for _ in range(count):
        ident = f"msg_{random.getrandbits(64):x}"
        named = {
            "webhook-id": ident,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(ident, now, BODY),
        }
        made.append({"Content-Type": "application/json"} | named)
    return made


def per_second(port: int, path: str, ready: list[list[dict[str, str]]]) -> float:
    """Deliveries a second of all clients, each of which sends its own; each starts a run."""
    until, begin = time.perf_counter() + SECONDS, time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        done = sum(clients.map(lambda headers: _deliver(port, path, headers, until), ready))
    return done / (time.perf_counter() - begin)


def _deliver(port: int, path: str, ready: list[dict[str, str]], until: float) -> int:
    browser = lists.Browser(port)
    for done, headers in enumerate(ready):
        if time.perf_counter() >= until:
            return done
        status, told = browser.ask("POST", path, BODY, **headers)
        if status != 202:
            raise SystemExit(f"{path} answered {status}: {told[:300]!r}")
    raise SystemExit(f"more than {MOST} deliveries of one client in {SECONDS} s")


def changes(server: Any, rows: int, count: int) -> bool:
    """How late the first step stands after a change; whether the bars hold."""
    import psycopg

    from console.infra.db.engine import fetch

    worker = subprocess.Popen(
        [sys.executable, "-m", "console.operations.worker"], stdin=subprocess.PIPE, env=os.environ
    )
    held = True
    try:
        with psycopg.connect(server.url("postgres", "bench_shop"), autocommit=True) as shop:
            listening = (
                "select 1 from pg_stat_activity where datname = 'bench_shop' and query ilike 'listen %'"
            )
            enrolment.until(
                lambda: bool(fetch("select 1 from console.source_watch where mark is not null")), 30
            )
            enrolment.until(lambda: shop.execute(listening).fetchone() is not None, 30)
            for slug, statement, bar in (
                (
                    "by-look",
                    "update looked set updated_at = clock_timestamp(), title = %s where id = %s",
                    LATE_LOOKED_S,
                ),
                ("by-word", "update told set title = %s where id = %s", LATE_TOLD_S),
            ):
                _late(shop, slug, statement, rows)
                late = sorted(_late(shop, slug, statement, random.randrange(1, rows)) for _ in range(count))
                worst = late[int(len(late) * 0.95)]
                print(
                    f"{slug}: first step after {statistics.median(late):.2f} s, 95th percentile {worst:.2f} s, bar {bar} s, of {count} in {rows:,} rows"
                )
                held &= rig.held(
                    f"{slug}: from a change to the first step, 95th percentile", worst, " s", most=bar
                )
    finally:
        worker.terminate()
        worker.wait(30)
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    return held


def _late(shop: Any, slug: str, statement: str, row: int) -> float:
    from console.infra.db.engine import fetch

    time.sleep(random.random())
    begin = time.perf_counter()
    shop.execute(statement, (f"changed {time.time()}", row))
    standing = (
        "select count(*) from console.attempt a join console.run r on r.id = a.run join console.workflow w on w.id = r.workflow"
        " where w.slug = %s and r.record = %s and a.step = 'read'"
    )
    before = fetch(standing, (slug, str(row)))[0][0]
    while fetch(standing, (slug, str(row)))[0][0] == before:
        if time.perf_counter() - begin > 60:
            raise SystemExit(
                f"{slug}: nothing was started: {fetch('select status, why, count(*) from console.firing group by 1, 2')}"
            )
        time.sleep(0.01)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
