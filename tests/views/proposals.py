"""Runs that stand at a step with AI, and proposals that arrive at them as a worker delivers them."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from console import runs, workflows
from tests.company import DOCUMENT, Company

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

WITH_AI = ("note", "rate", "decide")


def published(**ai: Any) -> None:
    """The company's workflow with AI at the steps where a person fills something in; `ai` are the settings of each."""
    document = deepcopy(DOCUMENT)
    for step in document["steps"]:
        if step["id"] in WITH_AI:
            step["ai"] = dict(ai)
    workflows.import_file(document, publish=True)


def at(company: Company, step: str, by: str = "olivia", **ai: Any) -> str:
    """A run of this person's that stands at the step; a proposal for it was asked for and has not come."""
    published(**ai)
    return company.at(step, by=by)


def source(of: str = "s1", **more: Any) -> dict[str, Any]:
    """A source as a proposal names it: the customer's own record, unless told otherwise."""
    told = {
        "id": of,
        "kind": "record",
        "title": "Adaeze Okonkwo-Bell",
        "collection": "customer",
        "record": "1",
        "field": "desk",
        "quote": "retail",
        "trusted": True,
    }
    return {"step": None, "document": None, "page": None, "box": None} | told | more


def value(
    name: str,
    proposed: Any,
    confidence: str = "high",
    reason: str = "It stands in the record.",
    *sources: dict[str, Any],
) -> dict[str, Any]:
    """One proposed value."""
    return {
        "name": name,
        "value": proposed,
        "confidence": confidence,
        "reason": reason,
        "sources": list(sources) or [source()],
    }


def pending(company: Company, run_id: str, by: str = "olivia") -> dict[str, Any]:
    """The proposal that is asked for and has not come."""
    told: dict[str, Any] = company.told(run_id, by)["current"]["proposal"]
    assert told["status"] == "pending"
    return told


def arrives(
    company: Company,
    run_id: str,
    *fields: dict[str, Any],
    by: str = "olivia",
    origin: str = "a-model",
    **more: Any,
) -> None:
    """These values are proposed. `more` may be `outcome` with `choice`, `flags`, `banner`, `dropped`, `mode`, `suspicious`."""
    told = {"origin": origin, "provider": origin, "model": origin, "fields": [one["name"] for one in fields]}
    told |= {name: more[name] for name in ("outcome", "flags", "dropped", "mode") if name in more}
    sealed = {"fields": list(fields)} | {
        name: more[name] for name in ("choice", "banner", "suspicious", "warned") if name in more
    }
    runs.record_answer(pending(company, run_id, by)["call"], "proposal_made", told, {"proposal": sealed})


def fails(
    company: Company,
    run_id: str,
    code: str = "timeout",
    message: str = "The model did not answer in 8 s.",
    status: str = "failed",
    **more: Any,
) -> None:
    """No proposal comes, for this reason. `more` may be `dropped`."""
    runs.record_answer(
        pending(company, run_id)["call"],
        "proposal_failed",
        {"code": code, "status": status, **more},
        {"message": message},
    )


def fields(page: "Page") -> dict[str, Any]:
    return dict(page.form("/complete")["fields"])


def states(page: "Page") -> dict[str, str]:
    return {told["data-ai"]: told["data-ai-state"] for told in page.with_attribute("data-ai")}


def press(pages: "Pages", run: str, page: "Page", do: str, **changed: str) -> "Page":
    """A button of a proposal, as a browser without script sends it."""
    pages.olivia.post(f"/runs/{run}/complete", fields(page) | changed | {"do": do}, status=307)
    pages.olivia.post(pages.olivia.answer.headers["Location"], fields(page) | changed | {"do": do})
    return pages.olivia.follow()


def by_hand(pages: "Pages") -> str:
    """A run whose note was written by hand, so that the next step lacks it."""
    run = at(pages.company, "note")
    page = pages.olivia.get(f"/runs/{run}")
    pages.olivia.send(page, "/complete", v_note="Something.", handled_manually="true")
    return run
