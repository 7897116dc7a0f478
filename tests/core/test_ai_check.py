"""What the check says of the settings of the AI in a document."""

from typing import Any

from console import steps
from console.core.documents.workflow_check import check
from tests.support.engine import step
from tests.tables import cases

NOTE = {
    "form": [
        {"name": "note", "label": "Note"},
        {"name": "made", "label": "Made", "readonly": True, "value": "1"},
    ]
}
YES = {"options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]}
LIST = {
    "items": {"relation": "account", "fields": ["iban"]},
    "form": [{"name": "verdict", "label": "Verdict"}],
}
FOUND = {"items": {"relation": "account", "fields": ["iban"]}}
ASKED = {"prompt": "What?", "output": [{"name": "answer", "label": "Answer"}]}
SEVERAL = {"action": "thing.mend", "actions": [{"action": "thing.sell"}]}
SOUND: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("update_data", NOTE, {}),
    ("update_data", NOTE, {"fields": ["note"], "trusted_only": ["note"]}),
    ("update_data", {"fields": ["email"]}, {"fields": ["email"], "mode": "shadow"}),
    ("decision", YES, {"outcome": True}),
    ("decision", YES, {"mode": "off"}),
    ("decision", YES, {"fields": []}),
    ("get_data", {"fields": ["email"]}, {"fields": ["matters"]}),
    ("load_related", FOUND, {"fields": ["key"]}),
    ("loop", LIST, {"fields": ["verdict"]}),
    ("llm", ASKED, {"fields": ["answer"]}),
    ("trigger_action", {"action": "thing.mend"}, {"fields": ["anything"]}),
    (
        "trigger_action",
        SEVERAL,
        {"fields": [], "supports": {"outcome": {"thing.sell": "record.desk == 'x'"}}},
    ),
    ("decision", YES | {"maker": "ai"}, {"mode": "shadow"}),
]
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("update_data", NOTE, {"fields": ["nota"]}, "ai.fields[0]", "is note meant?"),
    ("update_data", NOTE, {"fields": ["note", "made"]}, "ai.fields[1]", "no field made"),
    ("update_data", NOTE, {"trusted_only": ["amount"]}, "ai.trusted_only[0]", "no field amount"),
    ("decision", YES, {"fields": ["note"]}, "ai.fields[0]", "no field that a person fills in"),
    ("guidance", {"text": "Read."}, {}, "ai", "nothing to propose at a step of type guidance"),
    ("wait", {"days": 1}, {}, "ai", "nothing to propose"),
    ("escalate", {"inbox": "desk", "text": "Look."}, {}, "ai", "nothing to propose"),
    ("update_data", NOTE, {"mode": "auto"}, "ai.mode", "one of"),
    ("update_data", NOTE, {"fields": []}, "ai.fields", "Nothing is left to propose"),
    ("decision", YES, {"fields": [], "outcome": False}, "ai.fields", "Nothing is left to propose"),
    ("trigger_action", {"action": "thing.mend"}, {"fields": []}, "ai.fields", "Nothing is left to propose"),
    (
        "trigger_action",
        SEVERAL,
        {"supports": {"outcome": {"thing.buy": "true"}}},
        "ai.supports.outcome.thing.buy",
        "no choice thing.buy",
    ),
    ("update_data", NOTE, {"temperature": 1}, "ai.temperature", "no setting temperature"),
]


def said(kind: str, config: dict[str, Any], ai: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    here = step("here", kind, "end", config) | {"ai": ai} | more
    made = {
        "format": 1,
        "slug": "toggle",
        "title": "Toggle",
        "collection": "customer",
        "team": "operations",
        "steps": [step("start", "start", "here"), here, step("end", "end", None)],
    }
    return [
        (problem.field, problem.reason, problem.severity)
        for problem in check(made, steps.all_types())
        if problem.field.startswith("ai")
    ]


@cases(("kind", "config", "ai"), SOUND)
def test_sound_settings(kind: str, config: dict[str, Any], ai: dict[str, Any]) -> None:
    assert said(kind, config, ai) == []


@cases(("kind", "config", "ai", "field", "reason"), WRONG)
def test_what_is_wrong_is_said_with_its_place(
    kind: str, config: dict[str, Any], ai: dict[str, Any], field: str, reason: str
) -> None:
    found = said(kind, config, ai)
    assert [each[0] for each in found] == [field]
    assert reason in found[0][1]


@cases(
    ("kind", "config", "count"),
    [
        ("get_data", {"fields": ["email"]}, 1),
        ("llm", ASKED, 0),
        ("loop", LIST, 0),
        ("load_related", FOUND, 0),
        ("trigger_action", {"action": "thing.mend"}, 0),
    ],
)
def test_nobody_would_see_it(kind: str, config: dict[str, Any], count: int) -> None:
    assert len(said(kind, config, {}, completion="automatic")) == count
    assert said(kind, config, {"mode": "off"}, completion="automatic") == []


def test_a_field_that_must_be_trusted_and_is_not_proposed_is_a_warning() -> None:
    form = {"form": [{"name": "a", "label": "A"}, {"name": "b", "label": "B"}]}
    assert said("update_data", form, {"fields": ["a"], "trusted_only": ["b"]}) == [
        ("ai.trusted_only[0]", "b is not among the fields that are proposed.", "warning")
    ]


def test_what_is_only_recorded_is_nothing_to_go_on_with() -> None:
    assert [field for field, *_ in said("llm", ASKED, {"mode": "shadow"}, completion="automatic")] == [
        "ai.mode"
    ]
    assert said("llm", ASKED, {"mode": "shadow"}) == []
