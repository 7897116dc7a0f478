"""Writing many new runs of a version with one statement: all of them are there afterwards, or none is."""

from collections.abc import Sequence
from dataclasses import dataclass

from console import log
from console.core.run import Event, Run
from console.core.run.entry_events import with_told_entries
from console.infra import faults
from console.runs.store import side_rows
from console.runs.store.run_events import ENGINE
from console.runs.store.run_rows import changed_rows, links
from console.runs.store.run_store import next_job, numbered, with_consequences, write
from console.workflows import Definition


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is not stored yet: its events so far, with values in the log's form, the run after them, and the person whose values it holds."""

    events: Sequence[Event]
    after: Run
    subject: str


def write_new(definition: Definition, new: Sequence[NewRun]) -> None:
    """Commit the runs, each with its rows and the job that goes on with it. Raises UniqueViolation where the key of one is taken: then none is written.

    What the events of a run create in other tables is written with that run alone, in a transaction of its own, before the others; `write` says what that raises.
    """
    chains, jobs = [], []
    for each in new:
        entries = with_told_entries(each.events)
        events, after, _ = with_consequences(
            ENGINE, definition, Run(), entries, numbered(each.after, len(entries))
        )
        if side_rows.creates(events):
            write(ENGINE, definition, None, each.events, subject=each.subject, hand_on=True)
            continue
        made = links(ENGINE, definition, after, events, plain=True)
        chains.append(log.NewChain(after.id, made, each.subject, changed_rows(Run(), after, each.subject)))
        if (job := next_job(Run(), after, events, hand_on=True)) is not None:
            jobs.append(job)
    faults.point("runs.write.before")
    log.write_new(chains, jobs)
    faults.point("runs.write.after")
