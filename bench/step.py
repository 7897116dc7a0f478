"""A step completed in process against pgbench writing the same rows as seven prepared round trips.

    python bench/step.py [--rounds 5] [--seconds 2] [--flush 0]

Ours: `runs.complete` of a form of two fields, rights judged, two chained events with sealed values, run and attempt rows, context,
commit. Prints steps a second, the ratio for one client and for four (processes), and the number of SQL statements.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import rig

STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "one"}},
    *(
        {
            "id": name,
            "type": "update_data",
            "title": name,
            "config": {"form": [{"name": "note", "label": "Note", "type": "text"}, {"name": "level", "label": "Level", "type": "integer"}]},
            "next": {"default": other},
        }
        for name, other in (("one", "two"), ("two", "one"))
    ),
]
DOCUMENT = {
    "format": 1,
    "slug": "bench",
    "title": "Bench",
    "collection": None,
    "team": "operations",
    "settings": {"visit_limit": 100000},
    "steps": STEPS,
}


def prepare() -> str:
    """A person who may work, and a workflow that goes round for ever (no check would publish it); answers the person's id."""
    import orjson
    import sqlalchemy as sa

    from console import access, accounts
    from console.core.workflow import read
    from console.db import tables, transaction

    person = accounts.create_person("olivia@fernwick.example", role="operator", team="operations").person
    for act in ("see", "start", "resume"):
        access.grant("operator", "workflow:bench", [act])
    document = read(DOCUMENT)
    with transaction() as connection:
        connection.execute(
            sa.insert(tables.workflow).values(
                id="wf_bench", slug="bench", title="Bench", status="active", team="operations", live_version=1
            )
        )
        values = {"workflow": "wf_bench", "number": 1, "document": orjson.dumps(DOCUMENT), "hash": document.hash, "published_by": person.id}
        connection.execute(sa.insert(tables.workflow_version).values(**values))
    return person.id


class Walker:
    """Completes the steps of one run, one after another."""

    def __init__(self, person: str) -> None:
        from console import accounts, runs

        self.runs = runs
        self.actor = accounts.actor_of_person(person, "ses_bench")
        self.run_id = runs.start(self.actor, "bench", None, None, {})
        told = runs.get(self.actor, self.run_id).json
        self.revision, self.step = told["revision"], told["current"]["step"]

    def complete(self) -> None:
        """One step."""
        values = {"note": "what was typed into the form of this step", "level": 3}
        self.runs.complete(self.actor, self.run_id, step=self.step, revision=self.revision, values=values)
        self.revision += 1
        self.step = "two" if self.step == "one" else "one"


def _client(person: str, seconds: float, gate: Any, out: Any) -> None:
    walker = Walker(person)
    for _ in range(50):
        walker.complete()
    gate.wait()
    out.put(rig.per_second(walker.complete, seconds))


def together(person: str, clients: int, seconds: float) -> float:
    """Steps a second of so many processes at once, each on its own run."""
    context = multiprocessing.get_context("spawn")
    gate, out = context.Barrier(clients), context.Queue()
    processes = [context.Process(target=_client, args=(person, seconds, gate, out)) for _ in range(clients)]
    for process in processes:
        process.start()
    total = sum(out.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    return float(total)


def statements(walker: Walker) -> int:
    """Statements that one completed step sends to the console's database."""
    import psycopg

    from console.db import hot

    sent = []
    cursor_execute, scalar = psycopg.Cursor.execute, hot.scalar

    def counted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        sent.append(query)
        return cursor_execute(self, query, *given, **more)

    psycopg.Cursor.execute = counted  # type: ignore[method-assign,assignment]
    hot.scalar = lambda driver, query, given: (sent.append(query), scalar(driver, query, given))[1]
    try:
        walker.complete()
    finally:
        psycopg.Cursor.execute = cursor_execute  # type: ignore[method-assign]
        hot.scalar = scalar
    return len(sent)


def main() -> None:
    """Set up, measure in turn, print."""
    parser = argparse.ArgumentParser(description="A completed step against pgbench.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument(
        "--flush", type=int, default=0, metavar="MICROSECONDS", help="what a commit waits for the disk beyond what this one takes, for both"
    )
    told = parser.parse_args()
    with rig.console() as server, tempfile.TemporaryDirectory() as folder:
        server.sql(f"alter system set commit_delay = {told.flush}; ", "console")
        server.sql("alter system set commit_siblings = 0", "console")
        server.sql("select pg_reload_conf()", "console")
        pgbench = rig.PgBench(server, Path(folder))
        person = prepare()
        walker = Walker(person)
        for _ in range(200):
            walker.complete()
        print(f"{os.cpu_count()} cores, {told.rounds} rounds of {told.seconds:g} s, {statements(walker)} statements a step")
        for clients, ours in ((1, lambda: rig.per_second(walker.complete, told.seconds)), (4, lambda: together(person, 4, told.seconds))):
            mine, theirs = rig.in_turn(told.rounds, ours, lambda clients=clients: pgbench.per_second(clients, told.seconds))
            print(
                f"{clients} client(s): {statistics.median(mine):,.0f} steps/s, pgbench {statistics.median(theirs):,.0f}/s, ratio {rig.ratio(mine, theirs):.2f}"
            )


if __name__ == "__main__":
    main()
