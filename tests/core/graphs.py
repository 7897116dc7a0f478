"""Random workflows and random people for the properties of runs: any graph that the check would let pass, any order of commands."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError
from console.core.run import Event, Run, commands, evolve
from console.core.run.commands import Plan
from console.core.run.decisions import decide

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PEOPLE = ("usr_olivia", "usr_tom", "usr_mona")


def document(steps: list[dict[str, Any]], **settings: Any) -> Workflow:
    """A document around these steps."""
    return Workflow.model_validate(
        {
            "format": 1,
            "slug": "any-review",
            "title": "Any review",
            "collection": "customer",
            "team": "operations",
            "settings": settings,
            "steps": steps,
        }
    )


def step(step_id: str, kind: str, **ways: str) -> dict[str, Any]:
    """A step with its ways on."""
    return {"id": step_id, "type": kind, "title": step_id.capitalize(), "config": {}, "next": ways}


def plan(steps: list[dict[str, Any]], *automatic: str, **settings: Any) -> Plan:
    """The plan of a document, with the steps that go on by themselves."""
    kinds = {each["id"] for each in steps if each["type"] in ("condition", "go_to", "end")}
    return Plan(document(steps, **settings), frozenset({*automatic, *kinds}))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A start, two to seven steps of people or by themselves, forks forward, ways back by go_to, an end."""
    count = draw(st.integers(2, 7))
    names = [f"s{number}" for number in range(count)]
    steps = [step("start", "start", default=names[0])]
    for number, name in enumerate(names):
        later = [*names[number + 1 :], "end"]
        kind = draw(
            st.sampled_from(
                ["guidance", "guidance", "decision", "condition", "go_to"] if number else ["guidance"]
            )
        )
        if kind == "go_to":
            steps.append(step(name, kind, default=draw(st.sampled_from([*names[:number], *later]))))
        elif kind in ("decision", "condition"):
            steps.append(
                step(name, kind, yes=draw(st.sampled_from(later)), default=draw(st.sampled_from(later)))
            )
        else:
            steps.append(step(name, kind, default=later[0]))
    steps.append(step("end", "end"))
    return plan(steps, visit_limit=6)


@dataclass
class Walk:
    """A run under test: its state by evolving, and every event so far."""

    plan: Plan
    run: Run = field(default_factory=Run)
    events: list[Event] = field(default_factory=list)
    clock: datetime = NOW

    def give(self, command: Any) -> list[Event]:
        """Decide and evolve; raises what `decide` raises, and then nothing has changed."""
        self.clock += timedelta(seconds=7)
        made = decide(self.plan, self.run, command, self.clock)
        for event in made:
            self.run = evolve(self.run, event)
        self.events += made
        return made

    def start(self, by: str = PEOPLE[0]) -> "Walk":
        """Begin, and take the automatic steps."""
        self.give(
            commands.Start(
                by,
                "run_1",
                "operations",
                1,
                "wf_1",
                "customer",
                "17",
                "wf_1|customer|17",
                {"reason": "new"},
                {"reason": "new"},
            )
        )
        return self.by_itself()

    def by_itself(self) -> "Walk":
        """Automatic steps, as the engine takes them: always the first way; what cannot go on becomes a take-over."""
        for _ in range(40):
            here = self.run.attempt
            if self.run.status != "running" or here is None:
                break
            ways = self.plan.workflow.step(here.step).next
            outcome = max(ways) if ways else "default"
            ends = "done" if not ways else None
            try:
                self.give(
                    commands.Complete(
                        None, here.step, self.run.revision, outcome, {}, {"branch": outcome}, ends=ends
                    )
                )
            except ConsoleError as error:  # the limit of visits
                self.give(commands.Fail(here.step, error.code, str(error)))
        return self

    def answer(self, value: str, outcome: str | None = None, by: str | None = None, **more: Any) -> "Walk":
        """The holder hands in the step with this value."""
        here = self.run.attempt
        assert here is not None
        ways = self.plan.workflow.step(here.step).next
        chosen = outcome or ("default" if "default" in ways else next(iter(ways), "default"))
        ends = None if ways else "done"
        self.give(
            commands.Complete(
                by or self.run.holder,
                here.step,
                self.run.revision,
                chosen,
                {"note": value},
                None,
                ends=ends,
                **more,
            )
        )
        return self.by_itself()
