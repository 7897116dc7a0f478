"""A workflow whose steps let something be proposed, on the small company; and answers as whoever was asked hands them in."""

from typing import Any

from console import log, runs, workflows
from console.core.run import fold
from console.infra.db.engine import fetch
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests.company import Company
from tests.support.engine import step

NOTE = [
    {"name": "note", "label": "Note", "type": "long_text"},
    {"name": "amount", "label": "Amount", "type": "decimal"},
    {"name": "shown", "label": "Shown", "readonly": True, "value": "record.display_name"},
    {"name": "paper", "label": "Paper", "type": "file"},
]
FLAGS = [
    {
        "name": "flags",
        "label": "Red flags",
        "type": "checklist",
        "options": [
            {"value": "pep", "label": "Exposed"},
            {"value": "expired", "label": "Expired"},
            {"value": "media", "label": "Media"},
        ],
    },
    {"name": "summary", "label": "Summary", "type": "long_text"},
]
OPTIONS = [
    {"value": "approve", "label": "Approve"},
    {"value": "reject", "label": "Reject", "fields": ["code"], "reason_required": True},
]
DECIDE = {
    "options": OPTIONS,
    "form": [
        {
            "name": "code",
            "label": "Code",
            "type": "enum",
            "options": [{"value": "x", "label": "X"}, {"value": "y", "label": "Y"}],
        }
    ],
}
PROMPT = "At most {{ variables.most }}. Look at {{ steps.note.note }}."


def document(llm: str = "manual", **settings: Any) -> dict[str, Any]:
    """The workflow: a note, a record's fields, a model, a choice."""
    steps = [
        step("start", "start", "note"),
        step("note", "update_data", "rate", {"form": NOTE}) | {"ai": {"instruction": "Be brief."}},
        step("rate", "update_data", "flags", {"fields": ["risk", "email"]})
        | {"ai": {"trusted_only": ["email"]}},
        step("flags", "llm", "decide", {"prompt": PROMPT, "output": FLAGS}) | {"completion": llm},
        step("decide", "decision", "end", DECIDE) | {"ai": {}},
        step("end", "end", None),
    ]
    return {
        "format": 1,
        "slug": "ai-review",
        "title": "AI review",
        "collection": "customer",
        "team": "operations",
        "settings": settings,
        "variables": {"most": 3},
        "steps": steps,
    }


def begun(
    company: Company, record: str = "1", *, llm: str = "manual", by: str = "olivia", **settings: Any
) -> str:
    """A run that stands at the note."""
    workflows.import_file(document(llm, **settings), publish=True)
    return runs.start(company.people[by], "ai-review", "customer", record, {})


def hand_in(
    company: Company, run_id: str, by: str = "olivia", outcome: str | None = None, **more: Any
) -> dict[str, Any]:
    """The open step handed in with these values; the run as it stands next."""
    told = company.told(run_id, by)
    given = {"values": more.pop("values", {}), "outcome": outcome, **more}
    runs.complete(
        company.people[by],
        run_id,
        runs.Submission(step=told["current"]["step"], revision=told["revision"], **given),
    )
    return company.told(run_id, by)


def at(company: Company, wanted: str, record: str = "1", *, llm: str = "manual", **settings: Any) -> str:
    """A run that stands at this step; what was proposed before it was never answered."""
    run_id = begun(company, record, llm=llm, **settings)
    while company.told(run_id)["current"]["step"] != wanted:
        hand_in(company, run_id)
    return run_id


def call_of(company: Company, run_id: str, by: str = "olivia") -> str:
    """The call that was last asked at the open step."""
    return str(company.told(run_id, by)["current"]["proposal"]["call"])


def source(name: str = "email", **more: Any) -> dict[str, Any]:
    """A source of the run's record."""
    common = {
        "id": "s1",
        "kind": "record",
        "title": "Customer",
        "collection": "customer",
        "record": "1",
        "field": name,
        "trusted": True,
    }
    return (
        common
        | {"step": None, "document": None, "page": None, "box": None, "quote": "as it stands there"}
        | more
    )


def value(name: str, proposed: Any, confidence: str = "high", *sources: dict[str, Any]) -> dict[str, Any]:
    """A proposed value."""
    return {
        "name": name,
        "value": proposed,
        "confidence": confidence,
        "reason": f"Why {name}.",
        "sources": list(sources or (source(),)),
    }


def made(
    call: str,
    *fields: dict[str, Any],
    outcome: str | None = None,
    confidence: str = "high",
    mode: str = "assist",
    **told: Any,
) -> None:
    """An answer comes in."""
    choice = None if outcome is None else {"confidence": confidence, "reason": "Why.", "sources": [source()]}
    names = [each["name"] for each in fields]
    open_ = {
        "origin": "rules",
        "provider": "rules",
        "model": "rules",
        "mode": mode,
        "fields": names,
        "outcome": outcome,
        "flags": [],
        "dropped": [],
        "ms": 12,
    }
    sealed = {"proposal": {"fields": list(fields), "choice": choice, "banner": told.pop("banner", None)}}
    runs.record_answer(call, "proposal_made", open_ | told, sealed)


def failed(
    call: str,
    code: str = "timeout",
    status: str = "failed",
    message: str = "The model did not answer in 8 s.",
) -> None:
    """No answer comes in."""
    runs.record_answer(
        call, "proposal_failed", {"status": status, "code": code, "mode": "assist"}, {"message": message}
    )


def row(call: str) -> dict[str, Any]:
    """The call's row."""
    return dict(fetch("select to_jsonb(c) from console.ai_call c where id = %s", (call,))[0][0])


def outcomes(call: str) -> dict[str, Any]:
    """What became of each value."""
    return dict(fetch("select name, outcome from console.ai_field where call = %s order by name", (call,)))


def kinds(run_id: str) -> list[str]:
    """The events of the run."""
    return [event.type for event in log.events_of(run_id)]


def holds(run_id: str) -> None:
    """The log tells the rows."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    told = fold(as_event(event) for event in log.events_of(run_id))
    assert {n: each.proposal for n, each in told.attempts.items()} == {
        n: each.proposal for n, each in loaded.run.attempts.items()
    }
    assert (told.revision, told.seq, told.status, told.context) == (
        *(loaded.run.revision, loaded.run.seq, loaded.run.status),
        loaded.run.context,
    )
    assert list(runs.rebuild(run_id, check=True)) == []
