"""A run under commands drawn at random, on a real database, beside a small model of what it should be.

Four people and a stranger give commands, right and wrong ones, while somebody changes the record behind the console's back and the process
dies between asking for a change and making it. After each command the run is where the model is, offers what the model offers, and its log
folds to its rows; nothing that was refused left a trace.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from console import log, runs, workflows
from console.core.errors import ConsoleError, NotFound
from console.core.run import Run, fold
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine
from console.infra.faults import Fault
from console.runs.commands.run_rights import holder_idle_s, possible_commands, see
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests.company import DOCUMENT, Company
from tests.runs.commands.run_model import EMAILS, WORKERS, Model, Step, complete
from tests.support import proposing_runs as proposals

PEOPLE = (*WORKERS, "rosa")
WITH_AI = frozenset({"note", "rate", "decide"})
BY_HAND = ("read", "note", "rate", "decide")
RISKS = ("low", "medium", "high")
ENGINE_ONLY = frozenset(
    {"active_at", "screens", "context", "attempts", "loaded"}
)  # `loaded` is a table of its own

person = st.sampled_from(
    ("holder",) * 6 + PEOPLE
)  # whoever holds it most of the time, else hardly anything happens
stale = st.sampled_from((False,) * 6 + (True,))
reason = st.sampled_from(("I looked.",) * 4 + ("",))
numbers = itertools.count(100)


class Machine(RuleBasedStateMachine):
    """Commands on one run; a record of its own for each example."""

    company: ClassVar[Company]
    run_id: str
    key: str

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.states: dict[int, tuple[str, str | None]] = {}
        self.revision = 0

    @initialize(far=st.sampled_from(["read", "note", "rate", "rate", "decide"]))
    def begin(self, far: str) -> None:
        """A customer of its own, and a run on it that has come this far."""
        self.key = str(next(numbers))
        self.company.sql(
            "insert into customer (id, display_name, email, desk) values (?, ?, ?, 'retail')",
            self.key,
            f"C {self.key}",
            EMAILS[0],
        )
        self.run_id = self.company.started(self.key)
        while self.model.path[-1].step != far:
            match self.model.path[-1].step:
                case "read" | "note":
                    self.hand_in("olivia", "Seen.", stale=False, again=False)
                case "rate":
                    self.rate("olivia", "low", EMAILS[0], stale=False, crash=False)

    # ------------------------------------------------------------------------------------------------------------ asking

    def who(self, drawn: str) -> str:
        """The person drawn; the holder's part is played by Olivia where nobody holds the run."""
        return (self.model.holder or "olivia") if drawn == "holder" else drawn

    def ask(
        self, who: str, command: Callable[..., object], *, allowed: bool, stale: bool = False, **more: Any
    ) -> bool:
        """Give a command; True where it was accepted, which must be where the model allows it and the form is fresh."""
        before = load(self.run_id, whole=True)
        assert before is not None
        revision = before.run.revision - 1 if stale else before.run.revision
        refused: ConsoleError | None = None
        try:
            command(self.company.people[who], self.run_id, revision=revision, **more)
        except ConsoleError as error:
            refused = error
        told = (who, command.__name__, refused and (refused.code, refused.message), self.model)
        if refused is None:
            assert allowed, told
            assert not stale, told
            return True
        assert not allowed or stale, told
        assert load(self.run_id, whole=True) == before, "what was refused left a trace"
        return False

    @rule(who=person)
    def look(self, who: str) -> None:
        """Open the run: who works on it is shown the record as it is now."""
        who = self.who(who)
        told = runs.get(self.company.people[who], self.run_id)
        assert told.can == self.model.may(who)
        if who in WORKERS and self.model.status in ("waiting_person", "saved"):
            self.model.seen[len(self.model.path), who] = dict(self.model.record)
        draft = (told.json["current"] or {}).get("draft")
        shown = self.model.draft if self.model.holder in (who, None) else None
        assert (draft["values"] if draft else None) == shown
        if not self.model.ended:
            assert told.screen is None or told.screen["step"] == self.model.path[-1].step

    @rule(
        command=st.sampled_from(
            [
                "get",
                "complete",
                "save",
                "resume",
                "take_over",
                "release",
                "abort",
                "cancel",
                "revise",
                "settle",
            ]
        )
    )
    def stranger(self, command: str) -> None:
        """Somebody of another team finds no run, whatever they ask."""
        more: dict[str, dict[str, Any]] = {
            "complete": {"step": "note", "values": {}},
            "abort": {"reason": "x"},
            "cancel": {"reason": "x"},
            "revise": {"step": "note", "attempt": None, "reason": "x"},
            "settle": {"effect": "eff_x", "done": True, "reason": "x"},
        }
        try:
            given = {} if command == "get" else {"revision": self.revision, **more.get(command, {})}
            (complete if command == "complete" else getattr(runs, command))(
                self.company.stan, self.run_id, **given
            )
        except NotFound:
            return
        raise AssertionError(command)

    # ---------------------------------------------------------------------------------------------------------- handing in

    @rule(
        who=person,
        note=st.sampled_from(["Seen.", "Two\nlines ✓", "Seen.", ""]),
        stale=stale,
        again=st.booleans(),
    )
    @precondition(lambda self: self.model.here is None or self.model.path[-1].step != "rate")
    def hand_in(self, who: str, note: str, stale: bool, again: bool) -> None:
        """Complete a step that changes no record."""
        who = self.who(who)
        step = self.model.path[-1].step if self.model.here else "decide"
        values = {"note": {"note": note}}.get(step, {})
        outcome = ("again" if again else "approve") if step == "decide" else None
        right = "complete" in self.model.may(who) and (step != "note" or bool(note))
        if not self.ask(who, complete, allowed=right, stale=stale, step=step, values=values, outcome=outcome):
            return
        match step:
            case "read":
                self.model.on("note")
            case "note":
                self.model.on("rate")
            case "decide" if again:
                self.model.by_itself("back", "note")
            case "decide":
                self.model.by_itself("result", "end")
                self.model.path[-1].status = "done"
                self.model.end("completed")

    @rule(
        who=person,
        risk=st.sampled_from(RISKS),
        email=st.sampled_from(EMAILS),
        stale=stale,
        crash=st.booleans(),
    )
    @precondition(lambda self: self.model.here is not None and self.model.path[-1].step == "rate")
    def rate(self, who: str, risk: str, email: str, stale: bool, crash: bool) -> None:
        """Complete the step that changes the record; the process may die before the change is made."""
        who = self.who(who)
        values: dict[str, Any] = {"risk": risk, "email": email}
        right = "complete" in self.model.may(who)
        with failing("effects.perform.before=raise" if crash else ""):
            try:
                if not self.ask(who, complete, allowed=right, stale=stale, step="rate", values=values):
                    return
            except Fault:
                assert right
                assert not stale
        self.model.draft = None
        changed = self.model.changed(who, values)
        if not changed:
            self.model.rated()
            return
        self.model.wish, self.model.path[-1].status, self.model.status = (
            changed,
            "performing",
            "waiting_event",
        )
        if not crash:
            self.model.perform()

    @rule(name=st.sampled_from(["risk", "email"]), risk=st.sampled_from(RISKS), email=st.sampled_from(EMAILS))
    def somebody_else(self, name: str, risk: str, email: str) -> None:
        """The record changes underneath."""
        value = {"risk": risk, "email": email}[name]
        self.company.sql(f"update customer set {name} = ? where id = ?", value, self.key)
        self.model.record[name] = value

    @rule()
    def advance(self) -> None:
        """The sweep comes by: what a crash left is looked at; nothing else moves."""
        runs.advance(self.run_id)
        if self.model.status == "waiting_event":
            if self.model.holds(1):
                self.model.rated()
            elif self.model.holds(0):
                self.model.perform()
            else:
                self.model.status, self.model.unknown = "waiting_person", True

    @rule(who=person, done=st.booleans(), reason=reason)
    @precondition(lambda self: self.model.wish is not None)
    def settle(self, who: str, done: bool, reason: str) -> None:
        """Say what became of a change."""
        who = self.who(who)
        effect = self.run().attempts[len(self.model.path)].effects[-1].id
        allowed = "settle" in self.model.may(who) and bool(reason)
        if self.ask(who, runs.settle, allowed=allowed, effect=effect, done=done, reason=reason):
            if done:
                self.model.rated()
            else:
                self.model.perform()

    # -------------------------------------------------------------------------------------------------------- whose it is

    @rule(who=person, text=st.sampled_from(["half", "a sent"]))
    def type_something(self, who: str, text: str) -> None:
        """A draft changes neither revision nor log."""
        who = self.who(who)
        step = self.model.path[-1].step
        allowed = bool(
            {"draft", "settle"} & self.model.may(who)
        )  # what is typed while nobody knows is kept, too
        if self.ask(who, runs.draft, allowed=allowed, step=step, values={"note": text}):
            self.model.draft = {"note": text}

    @rule(who=person, stale=stale, verb=st.sampled_from(["save", "release"]))
    def let_go(self, who: str, stale: bool, verb: str) -> None:
        """Save or release."""
        who = self.who(who)
        if self.ask(who, getattr(runs, verb), allowed=verb in self.model.may(who), stale=stale):
            self.model.holder = None
            self.model.status = "saved" if verb == "save" else "waiting_person"

    @rule(who=person, stale=stale, reason=reason)
    def hand_on(self, who: str, stale: bool, reason: str) -> None:
        """Put the run into an inbox."""
        who = self.who(who)
        allowed = "escalate" in self.model.may(who) and bool(reason)
        if self.ask(who, runs.escalate, allowed=allowed, stale=stale, inbox="desk", reason=reason):
            self.model.holder = None

    @rule(who=person, to=st.sampled_from(["olivia", "tom", "mona", "stan"]), stale=stale)
    def give_to(self, who: str, to: str, stale: bool) -> None:
        """Give the run to somebody."""
        who = self.who(who)
        allowed = "assign" in self.model.may(who) and to in WORKERS and to != self.model.holder
        if self.ask(who, runs.assign, allowed=allowed, stale=stale, user=self.company.people[to].id):
            self.model.holder, self.model.status = to, "waiting_person"

    @rule(who=person, stale=stale, verb=st.sampled_from(["resume", "take_over"]))
    def take(self, who: str, stale: bool, verb: str) -> None:
        """Resume a saved run, or take it over."""
        who = self.who(who)
        if self.ask(who, getattr(runs, verb), allowed=verb in self.model.may(who), stale=stale):
            self.model.holder, self.model.status = who, "waiting_person"

    @rule(who=person, step=st.sampled_from(BY_HAND), stale=stale, reason=reason)
    def revise(self, who: str, step: str, stale: bool, reason: str) -> None:
        """Go back to a completed step."""
        who = self.who(who)
        standing = [n for n, each in enumerate(self.model.path[:-1]) if each.step == step and each.stands]
        allowed = "revise" in self.model.may(who) and bool(standing) and bool(reason)
        if self.ask(who, runs.revise, allowed=allowed, stale=stale, step=step, attempt=None, reason=reason):
            for each in self.model.path[standing[-1] + 1 :]:
                each.status = "cancelled"
            self.model.path[standing[-1]].revised = True
            self.model.path.append(Step(step))
            self.model.draft = None

    @rule(who=person, verb=st.sampled_from(["abort", "cancel"]), sure=st.integers(0, 4), reason=reason)
    def break_off(self, who: str, verb: str, sure: int, reason: str) -> None:
        """Abort or cancel; most examples go on without."""
        who = self.who(who)
        if sure:
            return
        may = self.model.may(who)
        allowed = verb in may or (
            self.model.holder is None and "cancel" in may
        )  # what nobody holds, who may cancel it may abort
        if self.ask(who, getattr(runs, verb), allowed=allowed and bool(reason), reason=reason):
            self.model.end(f"{verb}ed" if verb == "abort" else "cancelled")

    # --------------------------------------------------------------------------------------------------------- proposals

    def calls(self) -> list[tuple[str, int, str, str]]:
        """(id, place of the attempt, for whom, status) of everything that was asked, oldest first."""
        return fetch(
            "select id, n, person, status from console.ai_call where run = %s order by at, id", (self.run_id,)
        )

    @rule(
        which=st.integers(0, 9),
        back=st.sampled_from([0, 0, 0, 1]),
        came=st.sampled_from(["made", "made", "made", "failed"]),
        mode=st.sampled_from(["assist", "assist", "blind", "auto"]),
    )
    def answered(self, which: int, back: int, came: str, mode: str) -> None:
        """An answer comes in: to the newest call or an earlier one, in time or late, for whoever holds the run now or held it, once or twice."""
        calls, model = self.calls(), self.model
        if not calls:
            return
        call, n, person, status = calls[-1] if not back else calls[which % len(calls)]
        before = load(self.run_id, whole=True)
        assert before is not None
        here = model.here
        holder = self.company.people[model.holder].id if model.holder else None
        current = call == calls[-1][0] and status == "pending" and n == len(model.path) and person == holder
        done = (
            current
            and here is not None
            and here.step == "decide"
            and here.status == "open"
            and model.status == "waiting_person"
        )
        if came == "failed":
            proposals.failed(call)
        else:
            proposals.made(call, outcome="approve", mode=mode)
        after = load(self.run_id, whole=True)
        assert after is not None
        if done and not model.unknown and model.draft is None and (came, mode) == ("made", "auto"):
            model.by_itself("result", "end")
            model.path[-1].status = "done"
            model.end("completed")
            return
        assert after.run.revision == before.run.revision
        assert after.run.seq == before.run.seq + (status == "pending")
        assert (after.run.status, after.run.holder, after.run.take_over) == (
            before.run.status,
            before.run.holder,
            before.run.take_over,
        )
        assert {place: each.proposal for place, each in after.run.attempts.items() if place != n} == {
            place: each.proposal for place, each in before.run.attempts.items() if place != n
        }
        if not current:
            assert after.run.current == before.run.current

    @rule(who=person, stale=stale)
    def ask_again(self, who: str, stale: bool) -> None:
        """Ask for a proposal once more; that makes no form stale."""
        who = self.who(who)
        before = self.run()
        allowed = (
            "complete" in self.model.may(who)
            and self.model.here is not None
            and self.model.here.step in WITH_AI
        )
        if self.ask(who, runs.propose_again, allowed=allowed, stale=stale):
            assert self.run().revision == before.revision

    @invariant()
    def whoever_has_a_form_before_them_has_a_proposal_of_their_own(self) -> None:
        """Asked for them, and for nobody before them; each call has one row and at most one answer."""
        run = self.run()
        here = run.attempt
        if (
            run.status == "waiting_person"
            and run.holder is not None
            and here is not None
            and here.step in WITH_AI
            and run.take_over is None
        ):
            assert here.proposal is not None
            assert here.proposal["for"] == run.holder
        asked = [
            event.open["call"] for event in log.events_of(self.run_id) if event.type == "proposal_requested"
        ]
        given = [
            event.open["call"]
            for event in log.events_of(self.run_id)
            if event.type in ("proposal_made", "proposal_failed")
        ]
        assert sorted(asked) == sorted(call for call, *_ in self.calls())
        assert len(given) == len(set(given))
        assert set(given) <= set(asked)

    # ----------------------------------------------------------------------------------------------------------- always

    def run(self) -> Run:
        """The run as its rows tell it."""
        loaded = load(self.run_id, whole=True)
        assert loaded is not None
        return loaded.run

    @invariant()
    def is_where_the_model_is(self) -> None:
        """Status, holder, path, context and record are those of the model; the revision never goes back."""
        run, model = self.run(), self.model
        names = {each.id: name for name, each in self.company.people.items()}
        assert (run.status, names.get(run.holder or "")) == (model.status, model.holder)
        assert [(each.step, each.status, each.revised) for _, each in sorted(run.attempts.items())] == [
            (each.step, each.status, each.revised) for each in model.path
        ]
        assert sorted(run.attempts) == list(range(1, len(model.path) + 1))
        assert set(run.context) == {each.step for each in model.path if each.stands}
        assert run.revision >= self.revision
        self.revision = run.revision
        self.states[run.seq] = (run.status, model.here.step if model.here else None)
        assert self.company.sql("select risk, email from customer where id = ?", self.key) == [
            (model.record["risk"], model.record["email"])
        ]

    @invariant()
    def offers_what_the_model_offers(self) -> None:
        """To everybody."""
        for who in PEOPLE:
            seen = see(self.company.people[who], self.run_id, whole=True)
            assert possible_commands(
                self.company.people[who], seen, holder_idle_s(seen.run)
            ) == self.model.may(who), who

    @invariant()
    def folds_to_its_rows(self) -> None:
        """The log alone gives the same run; its events are numbered without a gap."""
        events = log.events_of(self.run_id)
        assert [event.n for event in events] == list(range(1, len(events) + 1))
        then, live = fold(as_event(event) for event in events), self.run()
        for name in set(Run.__dataclass_fields__) - ENGINE_ONLY:
            assert getattr(then, name) == getattr(live, name), name
        assert (then.context, then.attempts) == (live.context, live.attempts)

    def teardown(self) -> None:
        """What was seen on the way is what replay shows, and each event names the hash of the one before."""
        if not hasattr(self, "run_id"):
            return
        for at in sorted(self.states)[-4:]:
            told = runs.replay(self.company.rosa, self.run_id, at).json["run"]
            assert (told["status"], told["current"] and told["current"]["step"]) == self.states[at]
        chained(self.run_id)
        assert list(runs.rebuild(self.run_id, check=True)) == []


@contextmanager
def failing(fault: str) -> Iterator[None]:
    """The process fails at this point meanwhile."""
    os.environ["HANDRAIL_FAULT"] = fault
    try:
        yield
    finally:
        del os.environ["HANDRAIL_FAULT"]


def chained(run_id: str) -> None:
    """Each event is hashed as RFC 6962 says, and names the hash of the one before."""
    event = tables.event.c
    with hot_engine().connect() as connection:
        rows = connection.execute(
            sa.select(event.leaf, event.body).where(event.run == run_id).order_by(event.run_seq)
        ).all()
    previous = ""
    for row in rows:
        assert hashlib.sha256(b"\x00" + bytes(row.body)).digest() == bytes(row.leaf)
        assert orjson.loads(bytes(row.body))["prev"] == previous
        previous = bytes(row.leaf).hex()


@pytest.mark.slow
def test_a_run_is_what_its_model_is_whoever_does_what(company: Company) -> None:
    steps = [{**each, "ai": {}} if each["id"] in WITH_AI else each for each in DOCUMENT["steps"]]
    workflows.import_file({**DOCUMENT, "settings": {"visit_limit": 1000}, "steps": steps}, publish=True)
    Machine.company = company
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            phases=[Phase.generate],
            print_blob=True,  # what fails is printed as it was drawn: making it small takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
