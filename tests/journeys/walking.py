"""A person's program that goes through a run by what its form asks for, knowing nothing of the workflow."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.journeys.conftest import Demo, Program

FINAL = {"completed", "aborted", "failed", "cancelled", "timed_out"}
GOOD = (
    "accept",
    "accepted",
    "approve",
    "false_positive",
    "refund_full",
    "received",
    "clear",
    "confirmed",
    "branch",
    "ask",
    "next",
    "pass",
)
APPROVERS = ("mona", "lena", "petra", "malik")
PATIENCE_S = 60.0


def value(asked: dict[str, Any]) -> Any:
    """Something that fits the field."""
    options = asked.get("options")
    kind = asked["type"]
    if isinstance(options, list) and options:
        values = [option["value"] for option in options]
        good = next((one for one in values if str(one) in GOOD), values[0])
        if asked["name"] == "compared":  # what the first reason for a hit is about
            return [one for one in values if one in ("id_number", "photo")]
        return values if kind == "checklist" else values[-2:] if kind == "multi_enum" else good
    day = date.today()  # noqa: DTZ011 (as people type it)
    if kind in ("date", "datetime"):
        latest = date.fromisoformat(str(asked.get("max") or "9999-12-31")[:10])
        day = min(date.fromisoformat(str(asked.get("min") or day)[:10]) + timedelta(days=1), latest)
    told: dict[str, Any] = {
        "boolean": True,
        "integer": int(asked.get("min") or 1),
        "decimal": str(asked.get("min") or "1"),
        "money": str(asked.get("min") or "1"),
        "date": day.isoformat(),
        "datetime": f"{day}T12:00:00Z",
        "time": "12:00",
        "email": "someone@people.example",
        "phone": "+49 30 23125 555",
        "url": "https://people.example",
        "json": {},
        "array": [],
        "multi_enum": [],
    }
    return told.get(kind, "Looked at it by hand")


@dataclass
class Walk:
    """A run with who holds it; `stands` yields it at each of its steps until it has ended."""

    demo: Demo
    by: str
    run: dict[str, Any] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    refused: Any = None

    def program(self, name: str) -> Program:
        """The program of this person."""
        if name not in self.programs:
            self.programs[name] = Program(self.demo, name)
        return self.programs[name]

    def start(self, workflow: str, collection: str, record: str, given: Mapping[str, Any]) -> None:
        """Begin a run of the workflow on the record, with what its first form asks for."""
        told = {"workflow": workflow, "collection": collection, "record": record, "input": dict(given)}
        status, self.run = self.program(self.by)("POST", "/runs", told)
        assert status == 201, self.run

    def stands(self, most: int = 60) -> Iterator[dict[str, Any]]:
        """The run at each step that waits for a person, for an approval, and at its end."""
        for _ in range(most):
            self.run = self._settled()
            yield self.run
            if self.run["status"] in FINAL or not self._go_on():
                return

    def _settled(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while True:
            status, run = self.program(self.by)("GET", f"/runs/{self.run['id']}")
            assert status == 200, run
            waiting = (run["current"] or {}).get("waiting") or {}
            if (
                run["status"] not in ("running", "waiting_event")
                or waiting.get("for") in ("approval", "documents")
                or time.monotonic() > until
            ):
                return dict(run)
            time.sleep(0.2)

    def _go_on(self) -> bool:
        run = self.run
        if ((run["current"] or {}).get("waiting") or {}).get("for") == "approval":
            said = [self._approve(name) for name in APPROVERS]  # more than one may be needed
            return any(said)
        if run["status"] != "waiting_person":
            return False
        if run["holder"] is None:
            for name in APPROVERS:
                if (
                    self.program(name)("POST", f"/runs/{run['id']}/resume", {"revision": run["revision"]})[0]
                    == 200
                ):
                    self.by = name
                    return True
            return False
        return self._hand_in()

    def _approve(self, name: str) -> bool:
        status, listed = self.program(name)("GET", f"/approvals?run={self.run['id']}")
        wanted = [one["id"] for one in listed["data"] if one["status"] == "open"] if status == 200 else []
        return any(
            self.program(name)("POST", f"/approvals/{one}/approve", {"reason": "Seen"})[0] == 200
            for one in wanted
        )

    def _hand_in(self) -> bool:
        run, current = self.run, self.run["current"]
        if current["type"] == "settle":
            unknown = [
                effect["id"]
                for attempt in run["attempts"]
                for effect in attempt["effects"]
                if effect["status"] == "unknown"
            ]
            settled = {
                "revision": run["revision"],
                "effect": unknown[-1],
                "result": "done",
                "reason": "Looked it up",
            }
            return self.program(self.by)("POST", f"/runs/{run['id']}/settle", settled)[0] == 200
        fields = {one["name"]: one for one in current["form"]["fields"] if not one["readonly"]}
        values = {
            name: value(one)
            for name, one in fields.items()
            if one["value"] in (None, "", []) and (one["required"] or one["type"] == "checklist")
        }
        body: dict[str, Any] = {"step": current["step"], "revision": run["revision"], "values": values}
        choices = [one["value"] for one in current["outcomes"]]
        if choices:
            used = [one["outcome"] for one in run["attempts"] if one["step"] == current["step"]]
            left = [one for one in choices if used.count(one) < 2] or choices
            body["outcome"] = next((one for one in left if one in GOOD), left[0])
        told: Any = None
        for _ in range(3):
            status, told = self.program(self.by)("POST", f"/runs/{run['id']}/complete", body)
            if status == 200:
                return True
            for wrong in told.get("details") or []:
                if wrong["field"] in fields:
                    values[wrong["field"]] = value(fields[wrong["field"]])
        self.refused = told
        return False
