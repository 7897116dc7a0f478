"""A workflow whose step writes only when others have approved, and one that asks for nothing but an answer.

The step type comes as a package outside this tree brings one: by the entry point.
"""

from datetime import datetime, timedelta
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from pydantic import Field

from console import log, runs, steps, workflows
from console.core.errors import Invalid
from console.core.forms import FormField, clean
from console.core.run import fold
from console.core.run.step_requests import ApprovalAsked
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    WriteRecord,
)
from console.work import approvals
from tests.company import Company


class ChargeConfig(StepConfig):
    """From which amount on how many have to approve."""

    needs: int = 1
    limit: int = Field(
        0, description="Below this amount nobody is asked; the record's balance counts against it"
    )
    roles: tuple[str, ...] = Field(("lead",), strict=False)
    not_by: tuple[str, ...] = Field(("requester",), strict=False)
    hours: int | None = None


class Charge(StepType):
    """Sets the record's balance to what is typed, with the yes of others. Never more than 5,000 may stand there."""

    name, title, family, icon = "charge", "Charge", "action", "bolt"
    Config: ClassVar[type[StepConfig]] = ChargeConfig

    def edits(self, step: StepView) -> tuple[str, ...]:
        return ("balance",)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        value = context.former.get("amount")
        return Prompt(
            fields=(
                FormField("amount", "Amount", "decimal", required=True, value=value, min="0", max="5000"),
            ),
            button="Charge",
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        values = clean(self.prepare(step, context).fields, submitted)
        record, config, now = context.roots["record"], step.config, context.roots["now"]
        if record["desk"] == "corporate":
            raise Invalid(
                "Corporate accounts are not charged.",
                details=[{"field": "amount", "reason": "Not for corporate accounts."}],
            )
        effect = WriteRecord({"balance": {"old": str(record["balance"]), "new": values["amount"]}})
        needs = config.needs + (1 if record["risk"] == "high" else 0)
        until: datetime | None = now + timedelta(hours=config.hours) if config.hours else None
        told = {"amount": values["amount"]}
        asked = ApprovalAsked(
            *(
                "",
                "customer.charge",
                None,
                None,
                told,
                needs,
                config.roles,
                config.not_by,
                "Every charge of 100 or more",
                until,
            )
        )
        return Completion(
            "default",
            values,
            effects=(effect,),
            approval=asked if int(float(values["amount"])) >= config.limit else None,
        )

    def outputs(self, config: ChargeConfig) -> frozenset[str]:
        return frozenset({"amount"})


def step(id: str, type: str, config: dict[str, Any] | None = None, **ways: str) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "title": id.replace("_", " ").capitalize(),
        "config": config or {},
        "next": ways,
    }


NOTE = {"form": [{"name": "note", "label": "Note", "type": "text", "required": True}]}


def publish(slug: str, *middle: dict[str, Any], **settings: Any) -> None:
    document = {
        "format": 1,
        "slug": slug,
        "title": slug.replace("-", " ").capitalize(),
        "collection": "customer",
        "team": "operations",
        "settings": settings,
        "steps": [
            step("start", "start", default="note"),
            step("note", "update_data", NOTE, default=middle[0]["id"]),
            *middle,
            step("end", "end", {"label": "Done"}),
        ],
    }
    workflows.import_file(document, publish=True)


def charging(**config: Any) -> None:
    """Note, charge (with approval), look, end."""
    publish(
        "charging",
        step("charge", "charge", config, default="look"),
        step("look", "guidance", {"text": "Look."}, default="end"),
    )


def asking(**config: Any) -> None:
    """Note, ask others, then a text for each answer."""
    told = {
        "text": "May **{{ record.display_name }}** go on with “{{ steps.note.note }}”?",
        "roles": ["lead"],
        **config,
    }
    ways = {"approved": "yes", "rejected": "no", **({"expired": "late"} if "hours" in told else {})}
    texts = [
        step(name, "guidance", {"text": name}, default="end")
        for name in ("yes", "no", *(["late"] if "hours" in told else []))
    ]
    publish("asking", step("ask", "approval", told, **ways), *texts)


@pytest.fixture
def bank(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """The company with the step type."""
    brought = EntryPoint("charge", f"{__name__}:Charge", steps.ENTRY_POINT)
    monkeypatch.setattr(steps, "entry_points", lambda group: [brought] if group == steps.ENTRY_POINT else [])
    steps.all_types.cache_clear()
    return company


def requested(
    company: Company, amount: str = "300", slug: str = "charging", record: str = "1", by: str = "olivia"
) -> tuple[str, str]:
    """(run, approval) of a run that waits for approval."""
    run_id = runs.start(company.people[by], slug, "customer", record)
    company.answer(run_id, by, note="All clear.")
    if slug == "charging":
        company.answer(run_id, by, amount=amount)
    return run_id, waiting_for(run_id)


def waiting_for(run_id: str) -> str:
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.waiting is not None, loaded.run.status
    assert loaded.run.waiting["for"] == "approval"
    return str(loaded.run.waiting["key"])


def status(company: Company, approval_id: str, by: str = "mona") -> str:
    return str(approvals.get(company.people[by], approval_id).line.approval.status)


def balance(company: Company, record: int = 1) -> str:
    return str(company.sql("select balance from customer where id = ?", record)[0][0])


def kinds(run_id: str) -> list[str]:
    return [event.type for event in log.events_of(run_id)]


def whole(run_id: str) -> None:
    """The log folds to the rows, and rebuilding finds nothing to mend."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    then = fold(as_event(event) for event in log.events_of(run_id))
    assert (then.attempts, then.context, then.waiting, then.status) == (
        loaded.run.attempts,
        loaded.run.context,
        loaded.run.waiting,
        loaded.run.status,
    )
    assert list(runs.rebuild(run_id, check=True)) == []
