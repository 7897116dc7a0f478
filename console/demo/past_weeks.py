"""The demo's past weeks: runs that its people began, saved, revised, approved and finished, by the product's own commands in a moved clock.

Each tale is a person's work on one record: a generator that does one deed after the other and yields how long it waits until the next. The
deeds of all tales are done in the order of their moments, so that the log reads like one. A tale that a changed workflow no longer fits ends
where it stands: its run stays, half done.
"""

import contextlib
import functools
import heapq
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from console import documents, log, monitoring, runs
from console.auth import accounts
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid
from console.demo import model, past_runs, provider
from console.infra import jobs as queue, settings
from console.infra.db.engine import fetch
from console.messaging import messages
from console.operations.worker import handlers
from console.work import substitutions

_log = logging.getLogger(__name__)
_TAKE = """
with taken as (delete from queue.pgqueuer where status = 'queued' and entrypoint = any(%s) and execute_after <= now()
    returning id, entrypoint, convert_from(payload, 'UTF8') as payload)
select entrypoint, payload from taken order by id
"""
ROUNDS = 12
BEFORE = 20
"""Per cent of a load that are done by then."""
DEEDS_OF_A_TALE = 6
"""About so many; only how far the load has come is reckoned with it."""
Tale = Iterator[timedelta]


def live(data_dir: Path, people: Mapping[str, str], progress: Callable[[int, str], None]) -> int:
    """Let the people of the demo (address → password) have worked in the past weeks; how many tales were told. No worker may run meanwhile."""
    with _stand_ins(data_dir):
        stage = Stage(people)
        try:
            played = stage.play(progress)
        finally:
            log.move_clock(timedelta())
            stage.leave()
    return played


class Stage:
    """The people of the demo at work, and the clock."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self.passwords = dict(people)
        self.tokens: dict[str, str] = {}
        self.do = handlers() | {
            queue.BEGIN: functools.partial(enrolments.beginning.begin, wait_s=0)
        }  # nobody else works meanwhile
        self.started = datetime.now(UTC)
        self.steps = 0

    def play(self, progress: Callable[[int, str], None]) -> int:
        """All tales, deed by deed in the order of their moments."""
        now = self.started
        waiting: list[tuple[datetime, int, Tale]] = []
        for number, (ago, tale) in enumerate(past_runs.all_of(self)):
            heapq.heappush(waiting, (now - ago, number, tale))
        number = len(waiting)
        for done in itertools.count():
            if not waiting:
                break
            at, which, tale = heapq.heappop(waiting)
            log.move_clock(min(at, now) - datetime.now(UTC))
            share = done / (done + DEEDS_OF_A_TALE * (len(waiting) + 1))
            progress(
                BEFORE + int((100 - BEFORE) * share),
                f"Letting the past weeks pass: {number - len(waiting) - 1} of {number} done",
            )
            try:
                heapq.heappush(waiting, (at + next(tale), which, tale))
            except StopIteration:
                continue
            except ConsoleError as error:
                _log.info("tale %s ends early: %s %s", which, error.message, error.details)
        return number

    def leave(self) -> None:
        """End the sessions that were opened for this."""
        for token in self.tokens.values():
            accounts.sign_out(token)

    def actor(self, first: str) -> Actor:
        """The person, signed in."""
        email = next(address for address in self.passwords if address.startswith(f"{first}@"))
        if first not in self.tokens:
            token = accounts.sign_in(email, self.passwords[email], "127.0.0.1", "Demo")
            if token is None:
                raise ConsoleError(f"{email} cannot sign in.")
            self.tokens[first] = token
        standing = accounts.session_of(self.tokens[first])
        if standing is None:
            raise ConsoleError(f"The session of {email} has ended.")
        return standing.actor

    # ------------------------------------------------------------------------------------------------------ deeds

    def start(self, by: str, workflow: str, collection: str, record: str, **given: Any) -> str:
        """Begin a run; its id."""
        run = runs.start(self.actor(by), workflow, collection, record, given)
        self.settle()
        return run

    def see(self, by: str, run: str, item: str | None = None) -> dict[str, Any]:
        """The run as the person sees it."""
        return runs.get(self.actor(by), run, item).json

    def step(
        self,
        by: str,
        run: str,
        outcome: str | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        manually: bool = False,
    ) -> bool:
        """Hand in the step at hand, with these values where the form has such fields; False if the run does not wait for this person."""
        seen = self.see(by, run)
        if seen["status"] != "waiting_person" or seen["holder"] != self.actor(by).id:
            return False
        if (seen["current"].get("proposal") or {}).get("status") == "pending":
            self.settle()  # what is asked of the model when a step or an item is opened
            seen = self.see(by, run)
        current = seen["current"]
        offered = [option["value"] for option in current.get("outcomes") or ()]
        way = (
            outcome
            if outcome in offered
            else past_runs.usual_way(
                offered, used=[a["outcome"] for a in seen["attempts"] if a["step"] == current["step"]]
            )
        )
        self.steps += 1
        sent = past_runs.filled(
            current.get("form"),
            past_runs.taken_over(current.get("proposal"), self.steps) | dict(values or {}),
        )
        self.open_papers(by, seen)
        given = runs.Submission(
            step=current["step"],
            revision=seen["revision"],
            values=sent,
            outcome=way,
            handled_manually=manually,
        )
        try:
            runs.complete(self.actor(by), run, given)
        except Invalid as refused:
            asked_fields = [
                str(detail["field"])
                for detail in refused.details or ()
                if detail.get("severity") == "explain"
            ]
            if len(asked_fields) != len(refused.details or ()):
                raise
            said = past_runs.EXPLAINED_OF_CHARGE if seen["collection"] == "charge" else past_runs.EXPLAINED
            runs.complete(
                self.actor(by), run, replace(given, values=sent | dict.fromkeys(asked_fields, said))
            )
        self.settle()
        return True

    def open_papers(self, by: str, seen: Mapping[str, Any]) -> None:
        """Look at every page of the papers of the item at hand, as people do before they accept them; those in the archive stay unopened."""
        key = (seen["current"].get("progress") or {}).get("key")
        if key is None:
            return
        actor = self.actor(by)
        for paper in documents.documents_of_run(actor, seen["id"], seen["collection"], seen["record"]):
            if paper.record == key and not paper.why_not:
                for page in range(1, (documents.open_document(actor, paper.ref).pages or 0) + 1):
                    documents.page(actor, paper.ref, page, run_id=seen["id"])

    def waits_for(self, by: str, run: str) -> dict[str, Any]:
        """What the run waits for; empty where it does not wait."""
        return dict((self.see(by, run)["current"] or {}).get("waiting") or {})

    def pass_on(self) -> None:
        """Do what a worker does when time has passed: begin those who wait, wake runs, send what is due."""
        enrolments.beginning.pick_up()
        runs.wake()
        messages.pick_up()
        self.settle()
        monitoring.due_times.look()
        monitoring.approval_times.look()
        substitutions.pass_on()
        enrolments.beginning.keep_in_step()

    def settle(self) -> None:
        """Do what a worker would: automatic steps, changes, proposals, messages."""
        for _ in range(ROUNDS):
            jobs = fetch(_TAKE, (sorted(queue.JOBS),))
            if not jobs and not runs.pick_up() and not enrolments.beginning.pick_up():
                return
            for name, text in jobs:
                with contextlib.suppress(queue.PutBack):  # more waits than has its turn now
                    self.do[name](text)


class _stand_ins:  # noqa: N801 (used as a context manager only)
    """The stand-ins for the payment provider and for a model while the past is made, and the settings that name them."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __enter__(self) -> None:
        self.server, self.model = provider.Provider(self.data_dir), model.Model()
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        given = {
            "CONSOLE_HTTP_TARGETS": f"provider={self.server.url}",
            "CONSOLE_HTTP_SECRETS": f"provider={provider.KEY}",
            "CONSOLE_AI_PROVIDER": "openai_compatible",
            "CONSOLE_AI_MODEL": model.NAME,
            "CONSOLE_AI_BASE_URL": self.model.url,
        }
        self.before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        settings.current.cache_clear()

    def __exit__(self, *_: object) -> None:
        for server in (self.server, self.model):
            server.shutdown()
            server.server_close()
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        settings.current.cache_clear()
