"""What is under way in the background and has no job: a backup that was restored brings it without its jobs. It gets one again, and goes on."""

from dataclasses import dataclass
from typing import Final

from console.infra import jobs
from console.infra.db.engine import fetch, transaction


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Rows (`t`) of a table, as long as the condition holds, have the job `entrypoint` with one of the keys, expressions of SQL. Its text is their id."""

    entrypoint: str
    table: str
    condition: str
    keys: tuple[str, ...] = ("t.id",)

    @property
    def sql(self) -> str:
        """The ids of those that have no job, and whose job nobody has given up."""
        without = " and ".join(f"{jobs.no_job(key)} and not {jobs.given_up(key)}" for key in self.keys)
        return f"select t.id, {self.keys[0]} from {self.table} t where {self.condition} and {without}"  # noqa: S608 (texts of ours)


_MADE_BEFORE = "t.created_at < now() - interval '1 minute'"
UNDER_WAY: Final = (
    *(
        UnderWay(name, "console.enrolment_batch", f"t.status = 'running' and {_MADE_BEFORE} and {origin}")
        for name, origin in (
            (jobs.TAKE_OUT, "t.origin = 'leaving'"),
            (jobs.IMPORT, "t.origin = 'import'"),
            (jobs.ENROL, "t.origin not in ('leaving', 'import')"),
        )
    ),
    UnderWay(jobs.EXPORT, "console.list_export", f"t.status in ('waiting', 'running') and {_MADE_BEFORE}"),
    UnderWay(jobs.MOVE, "console.run_move", "t.status = 'running'", ("'move|' || t.id",)),
    UnderWay(jobs.RECOUNT, "console.due_recount", "t.status in ('waiting', 'running')"),
    UnderWay(jobs.CONNECT, "console.source_connecting", "t.why = ''"),
    UnderWay(
        jobs.BUILD, "console.builder_turn", "t.status = 'pending' and t.deadline_at > now()"
    ),  # later nobody waits for the answer
    UnderWay(jobs.ASK, "console.case_question", "t.status = 'pending' and t.deadline_at > now()"),
    UnderWay(
        jobs.BULK,
        "console.bulk",
        f"{_MADE_BEFORE} and (t.query is not null or exists (select from console.bulk_item i where i.bulk = t.id and i.state in ('waiting', 'begun')))",
        ("t.id", "t.id || ' do'"),
    ),
)
"""All of which nobody else sees that its job is gone: runs, messages, proposals, firings and deliveries are looked after where they are."""


def put_in_again() -> int:
    """Give a job to each that has lost its own; how many had."""
    number = 0
    for each in UNDER_WAY:
        for ident, key in fetch(each.sql):
            with transaction() as connection:
                number += jobs.enqueue(connection, each.entrypoint, ident, dedupe_key=key) is not None
    return number
