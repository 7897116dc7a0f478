"""The background door: jobs are done as they come, by a pool of threads; runs whose time has come, and those that a crash left behind, become jobs.

Beside that, each second the events that were committed get their place, each minute idle runs are saved, a head of the log is signed where it has grown,
and it is looked whether the log is still in order; each day the values past their time go. Proposals have a pool of threads of their own, for most of the time
they wait for somebody outside, and so have documents, which take seconds to read. In threads of their own, because the order
of the log waits for none of it, heads are taken outside, and what reads or changes much of the log at once is done.

Any number of workers may run, on any number of machines: the database lets one at a time do each thing, the others find nothing to do.
"""

import functools
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

import psycopg
import sqlalchemy as sa

from console.db import fitness, presence, troubles
from console.db.presence import PRESENCE
from console.db.release import NewerData
from console.errors import ConsoleError

SEQUENCE_S = 1.0
DUE_S = 0.5
STUCK_S = 2.0
SWEEP_S = 60.0
SEAL_S = 60.0
ASKED_S = 1.0
PUBLISH_S = 5.0
LETTERS_S = 2.0
MESSAGES_S = 0.5
PATROL_S = 10.0
LEAVE_S = 3.0
EXPIRE_S = 24 * 3600.0
THREADS = 4
CALLS = 128
"""How many proposals are waited for at once: they hold a thread each, and no connection to the database."""
CALL_CONNECTIONS = 4
READERS = 2
"""How many documents are read at once: a picture that has to be recognised takes seconds, and no run waits behind it."""
SENDERS = 8
"""How many messages are handed over at once: a provider may take seconds, and no run waits behind it."""
ENROLLERS = 1
"""How many batches are enrolled at once: a million lines take minutes, and no run waits behind them."""
BEGINNERS = 2
"""In how many workflows the runs of those who wait are begun at once."""
WRITERS = 2
"""How many lists are written into files at once: a million records take minutes, and no run waits behind them."""
DELIVERERS = 8
"""To how many outgoing webhooks events are sent at once: each address may take seconds, and nothing else waits behind it."""
STARTERS = 2
"""How many workflows start runs at once for what triggers have taken in: a flood of events waits in line with itself alone."""
WATCHERS = 3
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Duty:
    """Something to do again and again: `do` every `every_s` seconds, next at `due` (monotonic seconds)."""

    name: str
    every_s: float
    do: Callable[[], object]
    due: float = 0.0

    def attempt(self, now: float) -> None:
        """Do it if it is due. A failure is written down and tried again the next time: the database may be restarting."""
        if now < self.due:
            return
        self.due = now + self.every_s
        try:
            self.do()
        except (sa.exc.DBAPIError, psycopg.OperationalError, OSError) as error:
            found = troubles.trouble_of(error) or troubles.DOWN
            said = "the database does not answer" if found is troubles.DOWN else found.message
            _log.warning("%s: %s: %s", self.name, said, type(getattr(error, "orig", error)).__name__)
        except ConsoleError as error:
            _log.error("alarm: %s failed: %s", self.name, error.message)
        except Exception:  # noqa: BLE001 (one duty's surprise must not end the others)
            _log.exception("alarm: %s failed", self.name)


def handlers(stopping: Callable[[], bool] = lambda: False) -> dict[str, Callable[[str], None]]:
    """What is done with each job: its name in `console.queue.JOBS` → a function that takes the job's text.

    Long jobs ask `stopping` and come back when it says so. Raises LookupError where a name has no function or a function no name.
    """
    from console import builder, channels, documents, enrolments, outgoing_webhooks, proposals, publication, queue, runs, triggers
    from console.actions import bulk
    from console.browse import list_files

    made: dict[str, Callable[[str], None]] = {
        queue.ADVANCE: functools.partial(runs.advance, stopping=stopping),
        queue.EXPORT: functools.partial(list_files.advance, stopping=stopping),
        queue.BUILD: builder.build,
        queue.BULK: functools.partial(bulk.advance, stopping=stopping),
        queue.BEGIN: functools.partial(enrolments.begin, stopping=stopping),
        queue.ENROL: functools.partial(enrolments.batches.advance, stopping=stopping),
        queue.FIRE: functools.partial(triggers.fire, stopping=stopping),
        queue.FOLLOW: runs.follow_effect,
        queue.MOVE: functools.partial(publication.run_moves.advance, stopping=stopping),
        queue.PROPOSE: proposals.propose,
        queue.READ: documents.read_ordered,
        queue.TEND: runs.tend,
        queue.SEND: channels.send,
        queue.DELIVER: functools.partial(outgoing_webhooks.deliver, stopping=stopping),
    }
    if unmatched := queue.JOBS ^ set(made):
        raise LookupError(f"Jobs and functions do not match: {', '.join(sorted(unmatched))}")
    return made


class Worker:
    """The loop of one process. `stop()` from any thread or signal; what is being done is finished first."""

    def __init__(self, threads: int = THREADS) -> None:
        from console import (
            accounts,
            channels,
            document_requests,
            enrolments,
            monitoring,
            outgoing_webhooks,
            proposals,
            queue,
            runs,
            triggers,
        )
        from console.actions import left_changes
        from console.activity import checkpoint_delivery, integrity, sequencing
        from console.browse import list_files
        from console.db import engine
        from console.proposals import ladder
        from console.queue.dispatch import Dispatcher
        from console.upkeep import retention
        from console.work import notices, questions, tasks

        engine.make_room(
            2 * threads + CALL_CONNECTIONS + READERS + WRITERS + ENROLLERS + BEGINNERS + STARTERS + WATCHERS + 3 * SENDERS + 2 * DELIVERERS
        )
        self.stopping = threading.Event()
        self.duties = [
            Duty("sign of life", presence.SIGN_S, presence.sign),
            Duty("release", presence.SIGN_S, self._end_under_newer),
            Duty("sequence", SEQUENCE_S, sequencing.sequence),
            Duty("sweep", SWEEP_S, sequencing.sweep),
            Duty("seal", SEAL_S, sequencing.keep_sealed),
            Duty("seal when asked", ASKED_S, sequencing.seal_if_asked),
            Duty("tidy", EXPIRE_S, queue.tidy),
        ]
        self.thorough = [Duty("check of the log", SEAL_S, integrity.look), Duty("expire", EXPIRE_S, retention.expire)]
        self.thorough += [Duty("files of lists", SWEEP_S, list_files.sweep), Duty("files of contacts", SWEEP_S, enrolments.batches.sweep)]
        self.moving = [
            Duty("due", DUE_S, runs.wake),
            Duty("stuck", STUCK_S, runs.pick_up),
            Duty("cancelled workflows", STUCK_S, runs.end_cancelled),
            Duty("failures", SEQUENCE_S, monitoring.read_log),
            Duty("alerts", STUCK_S, monitoring.alerts.raise_due),
            Duty("slow runs", SWEEP_S, monitoring.alerts.tell_slow),
            Duty("due times", PUBLISH_S, monitoring.due_times.look),
            Duty("changes by hand", PUBLISH_S, left_changes.settle_left),
            Duty("tasks", PUBLISH_S, tasks.pick_up),
            Duty("answers", PUBLISH_S, questions.pick_up),
            Duty("proposals", STUCK_S, runs.fail_overdue_proposals),
            Duty("ladder", SWEEP_S, ladder.look_back),
        ]
        self.enrolled = [
            Duty("places", SEQUENCE_S, enrolments.beginning.keep_in_step),
            Duty("places of cancelled workflows", STUCK_S, enrolments.leaving.leave_cancelled),
            Duty("exits", STUCK_S, enrolments.exits.look),
            Duty("exits of the quiet", PATROL_S, enrolments.exits.patrol),
        ]
        self.firing = [
            Duty("triggers of versions", DUE_S, triggers.synchronise),
            Duty("schedules", DUE_S, triggers.fire_due),
            Duty("firings", DUE_S, triggers.pick_up),
            Duty("old firings", EXPIRE_S, triggers.forget),
        ]
        self.following = [
            Duty("events", DUE_S, functools.partial(triggers.follow_log, self.stopping.is_set)),
            Duty("awaited events", DUE_S, functools.partial(triggers.wake_awaiting, self.stopping.is_set)),
        ]
        self.watching = [
            Duty("sources", ASKED_S, functools.partial(triggers.look, self.stopping.is_set)),
            Duty("listeners", STUCK_S, triggers.Listeners(self.stopping.is_set).tend),
        ]
        self.outside = [Duty("publish", PUBLISH_S, checkpoint_delivery.deliver), Duty("mail", PUBLISH_S, notices.deliver)]
        self.messages = [
            Duty("messages", MESSAGES_S, channels.pick_up),
            Duty("runs of messages", STUCK_S, channels.tell_left),
            Duty("consent", STUCK_S, channels.opting_out.write_left),
        ]
        self.hooked = [
            Duty("events for webhooks", DUE_S, functools.partial(outgoing_webhooks.take_in, self.stopping.is_set)),
            Duty("webhooks", DUE_S, outgoing_webhooks.pick_up),
            Duty("old deliveries", EXPIRE_S, outgoing_webhooks.forget),
        ]
        self.models = [Duty("model", EXPIRE_S, proposals.make_ready)]
        self.letters = [Duty("letters", LETTERS_S, document_requests.letters), Duty("new passwords", LETTERS_S, accounts.send_letters)]
        made = handlers(self.stopping.is_set)
        apart = {
            queue.PROPOSE: CALLS,
            queue.READ: READERS,
            queue.EXPORT: WRITERS,
            queue.SEND: SENDERS,
            queue.ENROL: ENROLLERS,
            queue.BEGIN: BEGINNERS,
            queue.FIRE: STARTERS,
            queue.DELIVER: DELIVERERS,
        }
        waiting = {queue.PROPOSE: [queue.BUILD]}  # both wait for a model: one pool
        pools = {name: [name, *waiting.get(name, ())] for name in apart}
        moved = {name: function for name, function in made.items() if not any(name in names for names in pools.values())}
        self.dispatchers = [
            Dispatcher(moved, threads),
            *(Dispatcher({each: made[each] for each in pools[name]}, count) for name, count in apart.items()),
        ]
        self._stop_waiting = proposals.stop_waiting
        self._presence: sa.Connection | None = None

    def run(self) -> None:
        """Until stopped. What is under way in the other threads then gets a few seconds; broken off, it is done again or gone on with later."""
        told = (
            ("outside", self.outside),
            ("thorough", self.thorough),
            ("moving", self.moving),
            ("enrolled", self.enrolled),
            ("firing", self.firing),
            ("following", self.following),
            ("watching", self.watching),
            ("letters", self.letters),
            ("messages", self.messages),
            ("webhooks", self.hooked),
            ("models", self.models),
        )
        others = [threading.Thread(target=self._do, args=(duties,), name=name, daemon=True) for name, duties in told if duties]
        others += [threading.Thread(target=one.run, name=" ".join(one.handlers), daemon=True) for one in self.dispatchers]
        for thread in others:
            thread.start()
        self._do(self.duties, before=self._be_present)
        for dispatcher in self.dispatchers:
            dispatcher.stop()
        self._stop_waiting()
        self._leave()
        until = time.monotonic() + LEAVE_S
        for thread in others:
            thread.join(max(0.0, until - time.monotonic()))

    def _do(self, duties: Sequence[Duty], before: Callable[[], None] = lambda: None) -> None:
        while not self.stopping.is_set():
            before()
            now = time.monotonic()
            for duty in duties:
                duty.attempt(now)
            self.stopping.wait(max(0.0, min(duty.due for duty in duties) - time.monotonic()))

    def _end_under_newer(self) -> None:
        """A newer release may write what this one reads wrongly, so its tables are left to its own workers. Raises `NewerData`."""
        try:
            fitness.refuse_newer()
        except NewerData:
            self.stop()
            raise

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self.stopping.set()

    def _be_present(self) -> None:
        """Hold the lock that says a worker is here; after a restart of the database, again."""
        from console.db.engine import app_url

        try:
            if self._presence is None:
                engine = sa.create_engine(app_url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
                self._presence = engine.connect()
                self._presence.execute(
                    sa.text("select pg_advisory_lock_shared(:first, :second)"), dict(zip(("first", "second"), PRESENCE, strict=True))
                )
            else:
                self._presence.execute(sa.text("select 1"))
        except sa.exc.DBAPIError:
            self._leave()

    def _leave(self) -> None:
        if self._presence is not None:
            self._presence.invalidate()
            self._presence.close()
            self._presence = None


def main(threads: int = THREADS, *, with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or until a newer release changes the tables; `with_parent` also until the supervisor that holds the other end of
    standard input is gone. Of the jobs, `threads` are done at once. Raises `NewerData`.
    """
    from console import diagnostics
    from console.processes.parent import end_with_parent
    from console.settings import data_folder
    from console.upkeep import copies

    data_folder.be_private()
    diagnostics.configure()
    try:
        fitness.refuse_newer()
        copies.look(note=True)
    except (sa.exc.DBAPIError, psycopg.OperationalError) as error:  # whoever started it tries again
        sys.exit(f"console: the database does not answer: {type(error).__name__}")
    worker = Worker(threads)

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if with_parent:
        end_with_parent()
    worker.run()


if __name__ == "__main__":
    try:
        main(with_parent=True)
    except NewerData as newer:
        sys.exit(f"console: {newer.message}")
