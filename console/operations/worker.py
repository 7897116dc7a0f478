"""The background door: jobs are done as they come, by pools of threads; runs whose time has come, and those that a crash left behind, become jobs.

It also has regular duties. Each second, or sooner while few come, committed events get their place in the log. Each minute, idle runs are saved, a head of the log is signed if it
has grown, and the order of the log is checked. Each day, values past their time are deleted. `duties` is the table of all this. Each line runs in a thread of
its own while it has work, so that the order of the log waits neither for other systems nor for a duty that reads or changes much at once.

Any number of workers may run, on any number of machines: the database lets one at a time do each duty, and the others find nothing to do.
"""

import functools
import gc
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from console.core.errors import ConsoleError
from console.infra.db import fitness, presence, troubles
from console.infra.db.release import NewerData

if TYPE_CHECKING:
    from console.infra.jobs.job_threads import Pool

LOOK_S = 0.5
SOON_S = 0.25
SECOND_S = 1.0
FEW = 500
"""So many events at a time have their place soon after they are written, as somebody may wait for what follows from them; of more, those of a second are placed together."""
STUCK_S = 2.0
PRESENT_S = 2.0
LETTERS_S = 2.0
PUBLISH_S = 5.0
PATROL_S = 10.0
MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 24 * 3600.0
REST_S = 5.0
"""The longest pause of what looks for something that the log tells of: at rest it comes about by a crash alone."""
LEAVE_S = 3.0
THREADS = 4
CALLS = 128
"""How many proposals are waited for at once: they hold a thread each, and no connection to the database."""
CALL_CONNECTIONS = 4
FOLLOWERS = 2
"""How many changes are looked up at once that may still come to nothing; beside them others wait for those who are asked."""
CHANGERS = 2
"""How many changes of many records or runs are made at once: they take minutes, and no run waits behind them."""
READERS = 2
"""How many documents are read at once: a picture that has to be recognised takes seconds, and no run waits behind it."""
SENDERS = 8
"""How many messages of a channel are handed over at once: a provider may take seconds, and no run and no other channel waits behind it."""
ENROLLERS = 1
"""How many batches are enrolled at once, and how many are taken out: a million lines take minutes, and no run waits behind them."""
BEGINNERS = 2
"""In how many workflows the runs of those who wait are begun at once."""
WRITERS = 2
"""How many lists are written into files, large databases connected, at once: they take minutes, and no run waits behind them."""
DELIVERERS = 8
"""To how many outgoing webhooks events are sent at once: each address may take seconds, and nothing else waits behind it."""
STARTERS = 2
"""How many workflows start runs at once for what triggers have taken in: a flood of events waits in line with itself alone."""
WAKERS = 2
"""How many batches of runs are woken at once after changes of their records."""
LINES = 12
"""For how many lines of duties connections are kept: most look for a moment, and few at once."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Duty:
    """Something to do again and again: `do` every `every_s` seconds, next at `due` (monotonic seconds).

    While it finds nothing (it answers 0 or None) each pause is twice as long as the last one, up to `rest_s`; `stir` ends that.
    """

    name: str
    every_s: float
    do: Callable[[], object]
    rest_s: float = 0.0
    due: float = 0.0
    pause_s: float = 0.0

    def attempt(self, now: float) -> None:
        """Do it if it is due. A failure is written down and tried again the next time: the database may be restarting."""
        if now < self.due:
            return
        self.pause_s = max(self.every_s, min(2 * self.pause_s, self.rest_s))
        self.due = now + self.pause_s
        try:
            if self.do():
                self.stir()
        except ConsoleError as error:
            _log.error("alarm: %s failed: %s", self.name, error.message)
        except Exception as error:  # noqa: BLE001 (one duty's surprise must not end the others)
            if not troubles.passes(error):
                _log.exception("alarm: %s failed", self.name)
                return
            found = troubles.trouble_of(error) or troubles.DOWN
            said = "the database does not answer" if found is troubles.DOWN else found.message
            _log.warning("%s: %s: %s", self.name, said, type(getattr(error, "orig", error)).__name__)

    def stir(self) -> None:
        """There is something, or may be: the pause is `every_s` again, this one included."""
        self.due, self.pause_s = self.due - self.pause_s + self.every_s, self.every_s


def handlers(stopping: Callable[[], bool] = lambda: False) -> dict[str, Callable[[str], None]]:
    """What is done with each job: its name in `console.infra.jobs.JOBS` → a function that takes the job's text.

    Long jobs ask `stopping` and come back when it says so. Raises LookupError where a name has no function or a function no name.
    """
    from console import documents, runs
    from console.actions import bulk
    from console.ai import cases, proposals
    from console.authoring import builder, publication
    from console.automation import enrolments, triggers
    from console.automation.webhooks import outgoing
    from console.browse import list_files
    from console.infra import jobs as queue
    from console.messaging import messages
    from console.messaging.imports import import_batches
    from console.operations import wiring
    from console.sources import connecting
    from console.work import due_times

    wiring.connect()

    made: dict[str, Callable[[str], None]] = {
        queue.ADVANCE: functools.partial(runs.advance, stopping=stopping),
        queue.ADVANCE_HANDS_OFF: functools.partial(runs.advance, stopping=stopping),
        queue.EXPORT: functools.partial(list_files.advance, stopping=stopping),
        queue.CONNECT: functools.partial(connecting.advance, stopping=stopping),
        queue.BUILD: builder.build,
        queue.ASK: cases.answer,
        queue.BULK: functools.partial(bulk.advance, stopping=stopping),
        queue.BEGIN: functools.partial(enrolments.begin, stopping=stopping),
        queue.ENROL: queue.in_turns(queue.ENROL, enrolments.batches.advance, stopping),
        queue.TAKE_OUT: queue.in_turns(queue.TAKE_OUT, enrolments.leaving_many.advance, stopping),
        queue.IMPORT: queue.in_turns(queue.IMPORT, import_batches.advance, stopping),
        queue.FIRE: functools.partial(triggers.fire, stopping=stopping),
        queue.FOLLOW: runs.follow_effect,
        queue.MOVE: functools.partial(publication.run_moves.advance, stopping=stopping),
        queue.PROPOSE: proposals.propose,
        queue.READ: documents.read_ordered,
        queue.RECOUNT: functools.partial(due_times.RECOUNTS.advance, stopping=stopping, actor=runs.ENGINE),
        queue.TEND: runs.wake_parent,
        queue.WAKE: functools.partial(triggers.wake_batch, stopping=stopping),
        queue.SEND: messages.send,
        **dict.fromkeys(queue.SENDING.values(), messages.send),
        queue.DELIVER: functools.partial(outgoing.deliver, stopping=stopping),
    }
    if unmatched := queue.JOBS ^ set(made):
        raise LookupError(f"Jobs and functions do not match: {', '.join(sorted(unmatched))}")
    return made


def pools(made: Mapping[str, Callable[[str], None]], threads: int) -> "list[Pool]":
    """Which jobs share threads, and how many: no job waits behind those of another pool.

    Those of runs, and of what looks up what became of a change, are free again as soon as a job begins to wait for somebody outside: it has a thread beside them.
    """
    from console.infra import jobs as queue
    from console.infra.jobs.job_threads import Pool

    named = (
        (threads, queue.ADVANCE),
        (threads, queue.ADVANCE_HANDS_OFF, queue.TEND),
        (FOLLOWERS, queue.FOLLOW),
        (CHANGERS, queue.BULK, queue.MOVE),
        (CALLS, queue.PROPOSE, queue.BUILD, queue.ASK),  # all wait for a model
        (READERS, queue.READ),
        (WRITERS, queue.EXPORT, queue.CONNECT, queue.RECOUNT),
        (SENDERS, queue.SEND),
        (SENDERS, queue.SEND_SMS),
        (SENDERS, queue.BEGIN_CALL),
        (SENDERS, queue.SEND_CHAT),
        (ENROLLERS, queue.ENROL),
        (ENROLLERS, queue.TAKE_OUT),
        (ENROLLERS, queue.IMPORT),
        (BEGINNERS, queue.BEGIN),
        (STARTERS, queue.FIRE),
        (WAKERS, queue.WAKE),
        (DELIVERERS, queue.DELIVER),
    )
    return [
        Pool(
            {name: made[name] for name in names},
            count,
            queue.outside_places.MOST
            if not {queue.ADVANCE, queue.ADVANCE_HANDS_OFF, queue.FOLLOW}.isdisjoint(names)
            else 0,
        )
        for count, *names in named
    ]


def duties(worker: "Worker") -> dict[str, list[Duty]]:
    """What a worker does again and again, in lines: of a line one thing after the other, and no line waits for another."""
    from console import monitoring, runs, sources
    from console.actions import unfinished_changes
    from console.activity import checkpoint_delivery, integrity, sequencing
    from console.ai import proposals
    from console.ai.proposals import ladder
    from console.auth import accounts
    from console.automation import enrolments, triggers
    from console.automation.webhooks import outgoing
    from console.browse import list_files
    from console.documents import requests
    from console.infra import jobs as queue
    from console.infra.jobs import background
    from console.messaging import messages
    from console.messaging.messages import mail_polling
    from console.operations import lost_jobs, retention
    from console.work import agent_requests, due_times, notices, questions, substitutions, tasks

    stopping = worker.stopping.is_set
    return {
        "log": [
            Duty("sign of life", presence.SIGN_S, presence.sign),
            Duty("release", presence.SIGN_S, worker.end_under_newer),
            Duty("sequence", SOON_S, worker.sequence, SECOND_S),
            Duty("sweep", MINUTE_S, sequencing.sweep),
            Duty("seal", MINUTE_S, sequencing.keep_sealed),
            Duty("seal when asked", SECOND_S, sequencing.seal_if_asked),
            Duty("tidy", DAY_S, queue.tidy),
            Duty("month", HOUR_S, sequencing.begin_month),
        ],
        "thorough": [
            Duty("check of the log", MINUTE_S, integrity.look),
            Duty("expire", DAY_S, retention.expire),
            Duty("files of lists", MINUTE_S, list_files.sweep),
            Duty("lost jobs", MINUTE_S, lost_jobs.put_in_again),
            Duty("files of contacts", MINUTE_S, enrolments.batches.sweep),
        ],
        "timers": [Duty("due", LOOK_S, runs.wake, SECOND_S)],
        "moving": [
            Duty("stuck", STUCK_S, runs.pick_up, REST_S),
            Duty("cancelled workflows", STUCK_S, runs.end_cancelled, REST_S),
            Duty("failures", SECOND_S, monitoring.read_log, REST_S),
            Duty("alerts", STUCK_S, monitoring.alerts.raise_due, REST_S),
            Duty("runs of sources that answer again", MINUTE_S, runs.wake_for_sources),
            Duty("slow runs", MINUTE_S, monitoring.alerts.tell_slow),
            Duty("automations that cannot start", MINUTE_S, monitoring.unable_to_start.look),
            Duty("due times", PUBLISH_S, monitoring.due_times.look),
            Duty("order of work", PUBLISH_S, due_times.note_due),
            Duty("approvals that wait", PUBLISH_S, monitoring.approval_times.look),
            Duty("changes by hand", PUBLISH_S, unfinished_changes.settle_left),
            Duty("tasks", PUBLISH_S, tasks.pick_up),
            Duty("people who are away", STUCK_S, substitutions.pass_on, REST_S),
            Duty("answers", PUBLISH_S, questions.pick_up),
            Duty("requests that nobody answered", PUBLISH_S, agent_requests.end_silence),
            Duty("proposals", STUCK_S, runs.fail_overdue_proposals),
            Duty("ladder", MINUTE_S, ladder.look_back),
        ],
        "enrolled": [
            Duty("places", SECOND_S, enrolments.beginning.keep_in_step, REST_S),
            Duty("runs of who left", HOUR_S, enrolments.leaving.finish_left),
            Duty("places of ended workflows", STUCK_S, enrolments.leaving.leave_unbegun, REST_S),
            Duty("exits", STUCK_S, enrolments.exits.look, REST_S),
            Duty("exits of the quiet", PATROL_S, enrolments.exits.check_idle_leads),
            Duty("many that broke off", PATROL_S, background.end_given_up),
        ],
        "firing": [
            Duty("triggers of versions", LOOK_S, triggers.synchronise, REST_S),
            Duty("schedules", LOOK_S, triggers.fire_due, SECOND_S),
            Duty("firings", LOOK_S, triggers.pick_up, REST_S),
            Duty("firings of sources that answer again", MINUTE_S, triggers.wake_for_sources),
            Duty("runs to wake", STUCK_S, triggers.pick_up_waking, REST_S),
            Duty("old firings", DAY_S, triggers.forget),
        ],
        "following": [
            Duty("events", LOOK_S, functools.partial(triggers.follow_log, stopping), REST_S),
            Duty("awaited events", LOOK_S, functools.partial(triggers.wake_awaiting, stopping), REST_S),
            Duty("waits without a record", PATROL_S, triggers.VainWaits(stopping).look),
        ],
        "watching": [
            Duty("sources", SECOND_S, functools.partial(triggers.look, stopping), STUCK_S),
            Duty("changed sources", STUCK_S, sources.look_at_noticed),
            Duty("listeners", STUCK_S, triggers.Listeners(stopping).tend, REST_S),
        ],
        "outside": [
            Duty("publish", PUBLISH_S, checkpoint_delivery.deliver),
            Duty("mail", PUBLISH_S, notices.deliver),
        ],
        "mailbox": [Duty("mailbox", MINUTE_S, mail_polling.poll)],
        "messages": [
            Duty("messages", LOOK_S, messages.pick_up),
            Duty("messages under new rules", LOOK_S, messages.held_messages.look_again, REST_S),
            Duty("runs of messages", STUCK_S, messages.tell_left, REST_S),
            Duty("consent", STUCK_S, messages.opting_out.write_left, REST_S),
        ],
        "webhooks": [
            Duty("events for webhooks", LOOK_S, functools.partial(outgoing.take_in, stopping), REST_S),
            Duty("webhooks", LOOK_S, outgoing.pick_up, REST_S),
            Duty("old deliveries", DAY_S, outgoing.forget),
        ],
        "models": [Duty("model", DAY_S, proposals.make_ready)],
        "letters": [
            Duty("letters", LETTERS_S, requests.letters),
            Duty("new passwords", LETTERS_S, accounts.send_letters),
        ],
    }


class Worker:
    """The loop of one process. `stop()` from any thread or signal; what is being done is finished first."""

    def __init__(self, threads: int = THREADS) -> None:
        from console.infra import jobs as queue
        from console.infra.db import engine
        from console.infra.jobs.dispatch import Dispatcher

        self.stopping, self._woken = threading.Event(), threading.Event()
        self.duties = duties(self)
        made = pools(handlers(self.stopping.is_set), threads)
        # A job may hold two connections, a message three; those that wait for a model hold one for a moment.
        engine.make_room(
            LINES
            + SENDERS * (1 + len(queue.SENDING))
            + sum(CALL_CONNECTIONS if pool.threads == CALLS else 2 * pool.threads for pool in made)
        )
        self.dispatcher = Dispatcher(made)
        self._presence = presence.Held()
        self._newest: int | None = None
        self._hurries = False

    def run(self) -> bool:
        """Until stopped. What is under way in the other threads then gets a few seconds; broken off, it is done again or gone on with later. Whether nothing is."""
        from console.ai.proposals import stop_waiting

        jobs = threading.Thread(target=self.dispatcher.run, name="jobs", daemon=True)
        jobs.start()
        present = Duty("presence", PRESENT_S, self._presence.hold)
        threads = ThreadPoolExecutor(len(self.duties), "duty")
        lines: dict[str, Future[None]] = {}
        while not self.stopping.is_set():
            now = time.monotonic()
            present.attempt(now)
            for name, line in self.duties.items():
                if any(duty.due <= now for duty in line) and (name not in lines or lines[name].done()):
                    lines[name] = threads.submit(self._do, line, now)
            self._woken.wait(SOON_S if self._hurries else LOOK_S)
            self._woken.clear()
        self.dispatcher.stop()
        stop_waiting()
        self._presence.leave()
        until = time.monotonic() + LEAVE_S
        left = wait(lines.values(), LEAVE_S).not_done
        threads.shutdown(wait=False)
        jobs.join(max(0.0, until - time.monotonic()))
        return not left and not jobs.is_alive()

    def _do(self, line: Sequence[Duty], now: float) -> None:
        for duty in line:
            if not self.stopping.is_set():
                duty.attempt(now)

    def sequence(self) -> bool:
        """Put the log in order; where it has grown, by whomever, all duties that rest look at once. Whether to look again in a moment."""
        from console.activity import sequencing
        from console.log import event_lists

        self._hurries = 0 < sequencing.sequence() < FEW
        if (newest := event_lists.reached().pos) != self._newest:
            self._newest = newest
            for duty in itertools.chain(*self.duties.values()):
                if duty.rest_s:
                    duty.stir()
            self._woken.set()
        return self._hurries

    def end_under_newer(self) -> None:
        """A newer release may write what this one reads wrongly, so its tables are left to its own workers. Raises `NewerData`."""
        try:
            fitness.refuse_newer()
        except NewerData:
            self.stop()
            raise

    def stop(self) -> None:
        """Finish what is being done, then end. It is seen within `LOOK_S`: waking the loop takes a lock, which a signal may find taken."""
        self.stopping.set()


def main(threads: int = THREADS, *, with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or until a newer release changes the tables; `with_parent` also until the supervisor that holds the other end of
    standard input is gone. Of the jobs, `threads` are done at once. Raises `NewerData`.
    """
    from console import records
    from console.infra import diagnostics
    from console.infra.processes.parent import end_with_parent
    from console.infra.settings import data_folder
    from console.operations import copies

    data_folder.be_private()
    diagnostics.configure()
    try:
        fitness.refuse_newer()
        copies.look(note=True)
    except (sa.exc.DBAPIError, psycopg.OperationalError) as error:  # whoever started it tries again
        sys.exit(f"console: the database does not answer: {type(error).__name__}")
    records.connect.keep_all()
    worker = Worker(threads)
    gc.freeze()  # what was imported stays: it need not be looked through

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if with_parent:
        end_with_parent()
    if not worker.run():
        logging.shutdown()
        os._exit(0)  # else Python waits for threads that wait for somebody outside


if __name__ == "__main__":
    try:
        main(with_parent=True)
    except NewerData as newer:
        sys.exit(f"console: {newer.message}")
