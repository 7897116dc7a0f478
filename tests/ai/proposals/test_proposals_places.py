"""Where something is proposed: for the items of a list, and at which kinds of steps."""

from typing import Any

import pytest

from console import runs, workflows
from tests.company import Company
from tests.support.engine import step
from tests.support.proposing_runs import hand_in, holds, kinds, made, outcomes, value

LIST = {
    "items": {"relation": "account", "fields": ["iban", "status"]},
    "form": [{"name": "verdict", "label": "Verdict"}],
    "edit": [],
}


def listing(company: Company) -> str:
    """A run of Olivia's at the first of two accounts."""
    steps = [
        step("start", "start", "each"),
        step("each", "loop", "end", LIST) | {"ai": {}},
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "ai-list",
        "title": "List",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    return runs.start(company.olivia, "ai-list", "customer", "1", {})


def test_a_proposal_is_for_the_item_whose_form_is_there(company: Company) -> None:
    run_id = listing(company)
    assert "proposal_requested" not in kinds(run_id), "before anybody looks it is not known for which item"
    told = company.told(run_id)
    first, second = (each["key"] for each in told["current"]["progress"]["items"])
    assert (told["current"]["proposal"]["status"], told["current"]["proposal"]["item"]) == ("pending", first)
    found = runs.proposal_context(told["current"]["proposal"]["call"])
    assert found is not None
    assert ([field.name for field in found.fields], found.prompt.progress.key) == (["verdict"], first)  # type: ignore[union-attr]
    turned = runs.get(company.olivia, run_id, second).json["current"]["proposal"]
    assert (turned["status"], turned["item"]) == ("pending", second)
    made(told["current"]["proposal"]["call"], value("verdict", "of the first"))
    assert runs.get(company.olivia, run_id, second).json["current"]["proposal"]["status"] == "pending"
    holds(run_id)


def test_what_was_proposed_for_one_item_is_not_compared_with_another(company: Company) -> None:
    run_id = listing(company)
    told = company.told(run_id)
    call = told["current"]["proposal"]["call"]
    first, second = (each["key"] for each in told["current"]["progress"]["items"])
    made(call, value("verdict", "fine"))
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="each", revision=told["revision"], values={"item": second, "verdict": "fine"}),
    )
    assert outcomes(call) == {"verdict": None}
    told = company.told(run_id)
    assert told["current"]["proposal"]["item"] == first
    made(told["current"]["proposal"]["call"], value("verdict", "fine"))
    hand_in(company, run_id, values={"item": first, "verdict": "Fine"})
    assert outcomes(told["current"]["proposal"]["call"]) == {"verdict": "accepted"}
    holds(run_id)


def test_the_next_item_is_asked_for_when_it_is_shown_with_the_answer(company: Company) -> None:
    run_id = listing(company)
    told = company.told(run_id)
    item = told["current"]["progress"]["key"]
    view = runs.complete_and_look(
        company.olivia,
        run_id,
        runs.Submission(step="each", revision=told["revision"], values={"item": item, "verdict": "fine"}),
    )
    proposal = view.json["current"]["proposal"]
    assert (proposal["status"], proposal["item"]) == ("pending", view.json["current"]["progress"]["key"])
    assert proposal["item"] != item
    runs.propose_again(company.olivia, run_id, revision=None)
    assert company.told(run_id)["current"]["proposal"]["call"] == proposal["call"]
    holds(run_id)


# ----------------------------------------------------------------------------------------------------------------------- kinds


OPTIONS = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
ASKED = {"prompt": "What?", "output": [{"name": "answer", "label": "Answer"}]}
RULED = {"maker": "rule", "rules": [{"if": "record.risk == 'high'", "option": "yes"}], "options": OPTIONS}
FIND = {"items": {"relation": "account", "fields": ["iban", "status"]}}
SHOW = {
    "fields": ["email", "risk"],
    "related": [
        {"name": "accounts", "relation": "account", "fields": ["iban"]},
        {"name": "unseen", "relation": "account", "fields": ["iban"], "hidden": True},
    ],
}


def alone(
    company: Company, kind: str, config: dict[str, Any], record: str = "1", **more: Any
) -> dict[str, Any]:
    """A run at a workflow's one step."""
    steps = [
        step("start", "start", "here"),
        step("here", kind, "end", config) | more,
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "ai-alone",
        "title": "Alone",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    return company.told(runs.start(company.olivia, "ai-alone", "customer", record, {}))


ASKED_AT: list[tuple[str, str, dict[str, Any], dict[str, Any], str | None, str | None]] = [
    ("a model that is not asked", "llm", ASKED, {"ai": {"mode": "off"}}, None, None),
    (
        "a model by itself that is not asked",
        "llm",
        ASKED,
        {"ai": {"mode": "off"}, "completion": "automatic"},
        None,
        "off",
    ),
    ("a model", "llm", ASKED, {}, "text", None),
    ("a choice", "decision", {"options": OPTIONS}, {"ai": {}}, "decide", None),
    ("a choice that no rule makes", "decision", RULED, {"ai": {}}, "decide", "no_rule"),
    ("a choice that is not asked for", "decision", {"options": OPTIONS}, {}, None, None),
    ("records to choose from", "load_related", FIND, {"ai": {}}, "propose", None),
    ("what is shown", "get_data", SHOW, {"ai": {}}, "propose", None),
    ("a form in shadow", "update_data", {"fields": ["email"]}, {"ai": {"mode": "shadow"}}, "propose", None),
    ("a form where it is off", "update_data", {"fields": ["email"]}, {"ai": {"mode": "off"}}, None, None),
]


@pytest.mark.parametrize(
    ("why", "kind", "config", "more", "purpose", "code"), ASKED_AT, ids=[case[0] for case in ASKED_AT]
)
def test_where_something_is_asked(
    company: Company,
    why: str,
    kind: str,
    config: dict[str, Any],
    more: dict[str, Any],
    purpose: str | None,
    code: str | None,
) -> None:
    assert why
    here = alone(company, kind, config, **more)["current"]
    assert (here["proposal"] or {}).get("purpose") == purpose
    assert (here["take_over"] or {}).get("code") == code
    assert here["form"] is not None


def test_one_of_the_records_is_chosen_by_a_name_that_tells_nothing(company: Company) -> None:
    told = alone(company, "load_related", FIND, ai={})
    found = runs.proposal_context(told["current"]["proposal"]["call"])
    assert found is not None
    (field,) = found.fields
    assert (field.name, field.opaque, len(field.options)) == ("key", True, 3)
    made(told["current"]["proposal"]["call"], value("key", field.options[0][0]))
    hand_in(company, told["id"], values={"key": field.options[0][0]})
    assert outcomes(told["current"]["proposal"]["call"]) == {"key": "accepted"}
