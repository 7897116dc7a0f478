"""People of a segment enrolled by a real worker, with pages of a list read meanwhile. How their runs begin: `begin.py`.

    python bench/enrolment.py [--people 100000]

Its own server in a temporary folder, `console.operations.worker` as a process of its own. Read are: a page of 50 of the same collection and the workflow's counts, first with
nothing else, then while the segment is enrolled, then again. Bars: 100,000 people in 60 s; pages meanwhile at most 2 × what they take idle.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import rig

FILL = """
create table person (id integer primary key, name text not null, email text, city text, score integer);
insert into person select n, 'Person ' || n, 'p' || n || '@example.org', (array['Vilnius', 'Oslo', 'Cork', 'Graz'])[1 + n % 4], n % 100 from generate_series(1, {rows}) n;
analyze person;
"""
BAR = 2_000.0
ROBOT = "robot@example.org"
WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slug": "nurture",
    "title": "Nurture",
    "collection": "shop.person",
    "team": "admin",
    "run_as": ROBOT,
    "settings": {"exclusive": False, "parallel": 1000},
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "rest"}},
        {
            "id": "rest",
            "type": "wait",
            "title": "Rest",
            "config": {"duration": "hours(48)"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def page_ms(actor: Any) -> float:
    """Milliseconds of a page of the list and of the counts."""
    from console import browse
    from console.automation import enrolments

    target = enrolments.find("nurture")
    begin = time.perf_counter()
    browse.page(actor, "shop.person", browse.BrowseQuery(limit=50, sort="-score"))
    enrolments.counts_for(actor, target.id, target.collection)
    return (time.perf_counter() - begin) * 1000


def until(there: Callable[[], bool], seconds: float) -> float:
    """Seconds until something is there. Ends the program where it does not come."""
    begin = time.perf_counter()
    while not there():
        if time.perf_counter() - begin > seconds:
            raise SystemExit("it does not come to its end")
        time.sleep(0.05)
    return time.perf_counter() - begin


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="People enrolled a second, and pages meanwhile.")
    parser.add_argument("--people", type=int, default=100_000)
    told = parser.parse_args()
    with rig.console() as server:
        worker = subprocess.Popen(
            [sys.executable, "-m", "console.operations.worker"], stdin=subprocess.PIPE, env=os.environ
        )
        try:
            held = measured(server, told.people)
        finally:
            worker.terminate()
            worker.wait(30)
    sys.exit(0 if held else 1)


def furnish(server: Any, people: int, *, held: bool = True) -> Any:
    """A shop of so many people and the workflow, published; who may enrol them. `held`: one of them begins in a day, the others wait."""
    from console import sources, workflows
    from console.auth import access, accounts

    server.sql("create database bench_shop")
    server.sql(FILL.replace("{rows}", str(people)), "bench_shop")
    sources.add(
        "shop",
        server.url("postgres", "bench_shop"),
        documents=[{"id": "shop.person", "source": "shop", "table": "person", "title": "{{ record.name }}"}],
        may=rig.ALL_RIGHTS,
    )
    ines = accounts.create_person(
        "ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password"
    ).person
    accounts.create_service_account(ROBOT, [("admin", "admin")])
    actor = accounts.actor_of_person(ines.id, "sys:bench")
    access.grant("admin", "workflow:nurture", ["see", "start", "resume", "cancel"])
    access.refresh()
    settings = WORKFLOW["settings"] | ({"per_day": 1} if held else {})
    workflows.import_file(WORKFLOW | {"settings": settings}, publish=True, rights=False)
    return actor


def measured(server: Any, people: int) -> bool:
    """Enrol them and print the figures; whether the bars hold."""
    from console.automation import enrolments
    from console.automation.enrolments import Question

    actor = furnish(server, people)
    for _ in range(20):
        page_ms(actor)
    idle = [page_ms(actor) for _ in range(100)]
    started = time.perf_counter()
    batch = enrolments.batches.begin(actor, "nurture", Question(whole=True))
    meanwhile = []
    while (found := enrolments.batches.get(actor, batch.id)).status == "running":
        meanwhile.append(page_ms(actor))
        time.sleep(0.05)
        if time.perf_counter() - started > 600:
            raise SystemExit("it does not come to its end")
    took = time.perf_counter() - started
    idle += [page_ms(actor) for _ in range(100)]
    if found.enrolled != people:
        raise SystemExit(f"not all are in: {found.status} {found.why} {found.enrolled}")
    slower = statistics.median(meanwhile) / statistics.median(idle)
    print(
        f"{people:,} enrolled in {took:.1f} s ({people / took:,.0f} a second), load {os.getloadavg()[0]:.0f}"
    )
    print(
        f"pages meanwhile {statistics.median(meanwhile):.1f} ms, idle {statistics.median(idle):.1f} ms: {slower:.2f} ×"
    )
    return rig.held("people enrolled a second", people / took, least=BAR)


if __name__ == "__main__":
    main()
