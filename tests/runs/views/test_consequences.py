"""What the screen says a button will do is what it does: for each step type and kind of settings, told before and compared with what the log has after."""

from collections.abc import Mapping
from typing import Any

import pytest

from console import log, runs, steps, workflows
from console.auth import access
from console.core.errors import Invalid
from tests.company import Company
from tests.steps.registered import handed_in, smallest
from tests.support.acting import RATE, imported
from tests.support.engine import step

pytestmark = pytest.mark.slow

NOTE = {"name": "note", "label": "Note"}
RISK = {"name": "risk", "label": "Risk here", "type": "text"}
ACCOUNTS = {"relation": "account", "fields": ["iban", "status"]}
WRITES = {"field": "risk", "value": "'high'"}
AFTER = {"kind": "sql_write", "name": "customer", "summary": "Rates by itself", "set": {"risk": "'low'"}}

VARIANTS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str | None]] = {
    "only set": ("update_data", {"set": [WRITES]}, {}, None),
    "set to what it is": ("update_data", {"set": [{"field": "risk", "value": "record.risk"}]}, {}, None),
    "set by what is typed": (
        "update_data",
        {
            "form": [NOTE],
            "set": [
                {
                    "field": "risk",
                    "value": [{"if": "steps.here.note == 'bad'", "value": "'high'"}, {"value": "'low'"}],
                }
            ],
        },
        {"note": "bad"},
        None,
    ),
    "set and noted, needed": (
        "update_data",
        {"form": [{**NOTE, "required": True}], "set": [WRITES]},
        {"note": "x"},
        None,
    ),
    "fields, untouched": ("update_data", {"fields": ["email", "risk"]}, {}, None),
    "fields, changed": (
        "update_data",
        {"fields": ["email", "risk"]},
        {"email": "new@customers.example"},
        None,
    ),
    "fields and set": (
        "update_data",
        {"fields": ["email"], "set": [WRITES]},
        {"email": "new@customers.example"},
        None,
    ),
    "noted under a column's name": ("update_data", {"form": [RISK]}, {"risk": "x"}, None),
    "noted": ("update_data", {"form": [NOTE]}, {"note": "x"}, None),
    "a choice": (
        "decision",
        {"options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]},
        {},
        "no",
    ),
    "read": ("guidance", {"text": "Read."}, {}, None),
    "loaded": ("get_data", {"fields": ["risk"]}, {}, None),
    "handed on": ("escalate", {"inbox": "desk", "text": "Look."}, {}, None),
    "an item noted": ("loop", {"items": ACCOUNTS, "form": [NOTE]}, {"note": "x"}, None),
    "an item set": ("loop", {"items": ACCOUNTS, "set": [{"field": "status", "value": "'closed'"}]}, {}, None),
    "an item edited": ("loop", {"items": ACCOUNTS, "edit": ["status"]}, {"status": "held"}, None),
    "an item done": (
        "loop",
        {"items": ACCOUNTS, "edit": ["status"], "on_failure": "continue"},
        {"status": "held"},
        "done",
    ),
    "an item given up": (
        "loop",
        {"items": ACCOUNTS, "set": [{"field": "status", "value": "'x'"}], "on_failure": "continue"},
        {"why_not": "gone"},
        "failed",
    ),
    "an action": ("trigger_action", {"action": "customer.rate", "values": {"risk": "'high'"}}, {}, None),
    "an action, typed": ("trigger_action", {"action": "customer.rate"}, {"risk": "medium"}, None),
    "an action that others approve": (
        "trigger_action",
        {"action": "customer.check"},
        {"risk": "medium"},
        None,
    ),
    "a choice among records": ("load_related", {"items": ACCOUNTS}, {"key": "LT459999900012345678"}, None),
    "by a model's form": ("llm", {"prompt": "What?", "output": [NOTE]}, {"note": "x"}, None),
    "an automatic step by hand": (
        "action",
        {"effect": {**AFTER, "if": "input.no == 1", "record": "'none'"}, "values": {"no": "1"}},
        {},
        None,
    ),
}
NOT_BY_A_BUTTON = {name for name, kind in steps.all_types().items() if kind.automatic} | {
    "start",
    "condition",
    "go_to",
    "wait",
    "end",
    "output",
    "notify",
    "create_task",
    "approval",
    "human_input",
    "request_documents",
    "ai_call",
    "chat_message",
    "email",
    "sms",
}
"""Types at whose form nobody stands without a wait or a failure before; those of them with a form are tested by their own files."""
for _name in steps.all_types():
    if _name not in NOT_BY_A_BUTTON | {kind for kind, *_ in VARIANTS.values()}:
        VARIANTS[_name] = (_name, smallest(_name), *handed_in(_name))


def begun(company: Company, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    access.grant("operator", "collection:account", ["update"], team="operations")
    imported(RATE, {**RATE, "id": "customer.check", "approval": [{"roles": ["lead"]}]})
    made = [step("start", "start", "here"), step("here", kind, "next", config)]
    made += [step("next", "guidance", "end", {"text": "Then."}), step("end", "end", None)]
    document = {
        "format": 1,
        "slug": "told",
        "title": "Told",
        "collection": "customer",
        "team": "operations",
        "steps": made,
    }
    workflows.import_file(document, publish=True)
    return company.told(runs.start(company.olivia, "told", "customer", "1", {}))


def way(screen: Mapping[str, Any], outcome: str | None) -> dict[str, Any]:
    (found,) = [one for one in screen["ways"] if one["outcome"] == outcome]
    return dict(found)


def told_changes(found: Mapping[str, Any]) -> list[dict[str, tuple[Any, Any]]]:
    return [
        {one["name"]: (one.get("old"), one.get("new")) for one in effect["fields"]}
        for effect in found["effects"]
        if effect.get("fields")
    ]


def done_changes(run_id: str) -> list[dict[str, tuple[Any, Any]]]:
    """Of each change that was asked for: field → (old, new), as the log has it; of an action what came of it."""
    made = []
    for event in log.events_of(run_id, limit=200):
        request = event.values.get("request") or {}
        if event.type == "effect_requested" and "changes" in request:
            made.append({name: (change["old"], change["new"]) for name, change in request["changes"].items()})
        if event.type == "effect_succeeded" and "new" in (
            (event.values.get("result") or {}).get("values") or {}
        ):
            values = event.values["result"]["values"]
            made.append({name: (values["old"][name], values["new"][name]) for name in values["new"]})
    return made


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_told_before_is_what_is_done(company: Company, name: str) -> None:
    kind, config, typed, outcome = VARIANTS[name]
    told = begun(company, kind, config)
    run_id, here = told["id"], told["current"]
    assert here["step"] == "here", told
    item = {"item": here["progress"]["key"]} if "progress" in here else {}
    screen = runs.preview_screen(company.olivia, run_id, {**typed, **item}, outcome)
    assert screen is not None
    before = way(screen, outcome)
    assert before["refused"] is None
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="here", revision=told["revision"], values={**typed, **item}, outcome=outcome),
    )
    waits = [effect["kind"] for effect in before["effects"]]
    after = company.told(run_id, "mona")
    assert ("approval" in waits) == ((after["current"] or {}).get("waiting") or {}).get("for", "").startswith(
        "approval"
    )
    assert ("hand_over" in waits) == bool(after["ticket"])
    if "approval" not in waits:
        assert told_changes(before) == done_changes(run_id)
    else:
        assert done_changes(run_id) == []
        assert told_changes(before) == [{"risk": (None, "medium")}]


def test_what_the_run_changes_by_itself_afterwards_is_told(company: Company) -> None:
    made = [
        step("start", "start", "here"),
        step(
            "here",
            "update_data",
            "chosen",
            {
                "form": [
                    {
                        "name": "lacking",
                        "label": "Lacking",
                        "type": "multi_enum",
                        "options": [{"value": "id", "label": "ID"}],
                    }
                ]
            },
        ),
        step(
            "chosen",
            "condition",
            "which",
            {"branches": [{"if": "steps.here.lacking == []", "outcome": "all_there"}]},
        ),
        step(
            "which",
            "condition",
            "change",
            {"branches": [{"if": "record.desk == 'retail'", "outcome": "retail"}]},
        ),
        step("change", "action", "known", {"effect": AFTER}),
        step("known", "condition", "never", {"branches": [{"if": "variables.on == true", "outcome": "on"}]}),
        step("never", "action", "end", {"effect": AFTER}),
        step("ask", "action", "end", {"effect": AFTER}),
        step("end", "end", None),
    ]
    made[2]["next"] = {"all_there": "which", "default": "ask"}
    made[3]["next"] = {"retail": "change", "default": "end"}
    made[5]["next"] = {
        "on": "never",
        "default": "end",
    }  # it looks at nothing that will change: what it will not take is not told
    document = {
        "format": 1,
        "slug": "told",
        "title": "Told",
        "collection": "customer",
        "team": "operations",
        "variables": {"on": False},
        "steps": made,
    }
    workflows.import_file(document, publish=True)
    run = company.told(runs.start(company.olivia, "told", "customer", "1", {}))
    for ticked, after in (
        ([], made[4]["title"]),
        (["id"], made[7]["title"]),
    ):  # what is ticked decides where it goes
        screen = runs.preview_screen(company.olivia, run["id"], {"lacking": ticked}, None)
        assert screen is not None
        (found,) = screen["ways"]
        assert (found["effects"], found["after"]) == ([], [after]), ticked


def test_who_may_not_read_a_field_is_not_told_what_it_becomes(company: Company) -> None:
    told = begun(company, "update_data", {"set": [{"field": "tax_id", "value": "'IE999'"}]})
    run_id = told["id"]
    shown = runs.get(company.rosa, run_id).json["current"]
    assert "IE123" not in str(shown)
    assert "IE999" not in str(shown)


@pytest.mark.parametrize("name", VARIANTS)
def test_an_option_that_is_not_offered_is_refused_by_name(company: Company, name: str) -> None:
    """Whatever the step: a choice that is not on the screen is not silently something else."""
    kind, config, typed, _ = VARIANTS[name]
    told = begun(company, kind, config)
    item = {"item": told["current"]["progress"]["key"]} if "progress" in told["current"] else {}
    with pytest.raises(Invalid) as caught:
        runs.complete(
            company.olivia,
            told["id"],
            runs.Submission(
                step="here", revision=told["revision"], values={**typed, **item}, outcome="not_there"
            ),
        )
    assert [
        detail
        for detail in caught.value.details
        if detail["field"] == "outcome" and "not_there" in detail["reason"]
    ]
    assert company.told(told["id"])["revision"] == told["revision"]
