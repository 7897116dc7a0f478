"""Every setting of every step type: what it takes, what it refuses and where, and what the check hears of it.

The rows of a new type stand in its own test: SMALLEST, FURTHER and TEXTS (tests/steps/registered.py).
"""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from console import steps
from console.core.documents import workflow_check
from console.core.documents.json_shape import model_errors
from tests.steps.registered import further, smallest, texts
from tests.steps.test_masked_places import takes
from tests.steps.walk import complete, context, prepare, rows, view
from tests.tables import cases

RELATED = {"name": "docs", "relation": "document", "fields": ["type"]}
FIELD = {"name": "note", "label": "Note"}
OPTIONS = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
BASE: dict[str, dict[str, Any]] = {kind: smallest(kind) for kind in steps.all_types()}
LONG = "x" * 20_001
GOOD: list[tuple[str, dict[str, Any]]] = [
    (
        "llm",
        {
            "prompt": "x" * 8_000,
            "output": [{**FIELD, "name": f"f{number}"} for number in range(40)],
            "related": [RELATED],
            "text": "x",
        },
    ),
    (
        "llm",
        {
            "output": [
                {**FIELD, "type": "checklist", "options": OPTIONS},
                {"name": "shown", "label": "S", "readonly": True, "value": "1"},
            ]
        },
    ),
    ("start", {"fields": [FIELD]}),
    ("start", {"fields": [{**FIELD, "name": f"f{number}"} for number in range(50)]}),
    ("guidance", {"text": "x" * 20_000}),
    ("guidance", {"policy": {"title": "AML", "url": "https://a.example/x?y=1#z"}, "owner": "x" * 200}),
    ("get_data", {"fields": [], "related": [RELATED]}),
    ("get_data", {"fields": ["f"] * 100}),
    (
        "get_data",
        {
            "related": [
                {**RELATED, "where": "record.a == 1", "sort": "-a", "limit": 200, "one": True, "hidden": True}
            ]
        },
    ),
    ("get_data", {"related": [{**RELATED, "name": f"r{number}"} for number in range(12)], "text": "x"}),
    (
        "update_data",
        {
            "checks": [
                {
                    "id": "old",
                    "label": "Not too old",
                    "pass": "document.age < 90",
                    "unsure": "!document.read",
                    "at": ["issued_on"],
                    "said": "x",
                }
            ]
        },
    ),
    (
        "update_data",
        {
            "checks": [{"id": "named", "label": "Named", "find": "record.name", "if": "1 == 1"}],
            "documents": "record.name",
        },
    ),
    (
        "loop",
        {
            "checks": [{"id": "sum", "label": "Sum", "about": "values", "pass": "item.a == 1"}],
            "documents": "item.iban",
        },
    ),
    ("update_data", {"fields": ["a", "b"], "required": ["b"], "text": "x", "related": [RELATED]}),
    (
        "update_data",
        {"form": [], "set": [{"field": "a", "value": [{"if": "1 == 1", "value": "2"}, {"value": "3"}]}]},
    ),
    (
        "update_data",
        {
            "fields": ["a"],
            "must": [
                {
                    "field": "a",
                    "if": "1 == 1",
                    "message": "x",
                    "why": "y",
                    "severity": "explain",
                    "ask": "Why?",
                    "ways": [{"label": "b", "set": {"a": None}}],
                }
            ],
        },
    ),
    ("decision", {"opened": {"step": "papers", "if": "item.status == 'accepted'", "options": ["yes"]}}),
    ("decision", {"maker": "user", "text": "x", "related": [RELATED]}),
    (
        "decision",
        {
            "options": [
                {
                    **OPTIONS[0],
                    "if": "1 == 1",
                    "unless": "2 == 1",
                    "reason_required": True,
                    "fields": ["note"],
                },
                OPTIONS[1],
            ],
            "form": [FIELD],
        },
    ),
    ("decision", {"options": [{"value": f"o{number}", "label": "x" * 100} for number in range(12)]}),
    ("decision", {"maker": "rule", "rules": [{"if": "1 == 1", "option": "yes"}] * 50}),
    ("condition", {"branches": [{"if": "1 == 1", "outcome": "a"}] * 50}),
    ("output", {"values": {f"v{number}": "1" for number in range(100)}}),
    ("wait", {"minutes": 527_040, "hours": 8784, "days": 3660}),
    ("wait", {"days": None, "duration": "days(1)"}),
    ("wait", {"days": None, "event": "tag.added", "filter": "record.name == event.tag", "timeout": "PT1S"}),
    ("wait", {"days": None, "event": "message.received", "also": ["message.failed", "call.ended"]}),
    (
        "request_documents",
        {
            "documents": [],
            "also": "steps.a.list",
            "days": 366,
            "remind_after_days": [1, 2, 3, 4, 365],
            "rounds": 10,
        },
    ),
    (
        "request_documents",
        {
            "name": "record.name",
            "subject": "x" * 200,
            "language": "de",
            "translations": [{"language": "fr", "subject": "x" * 200, "text": "x" * 10_000}],
            "asks_first": True,
            "by_hand": "1 == 1",
            "without_if": "1 == 1",
            "why_not": "No",
        },
    ),
    (
        "request_documents",
        {
            "documents": [
                {
                    "id": "a",
                    "label": "A",
                    "if": "1 == 1",
                    "required_if": "1 == 1",
                    "types": ["docx"],
                    "many": True,
                }
            ],
            "form": [FIELD],
        },
    ),
    ("end", {"label": "x" * 80}),
    ("escalate", {"priority": "high", "form": [FIELD]}),
    (
        "approval",
        {
            "needs": 2,
            "not_by": ["requester"],
            "fields": ["name"],
            "values": {"a": "1"},
            "if": "1 == 1",
            "hours": 5,
        },
    ),
    ("action", {"values": {"a": "1"}, "outcomes": [{"if": "1 == 1", "outcome": "late"}]}),
    (
        "trigger_action",
        {
            "record": "record.id",
            "values": {"a": "1"},
            "locked": ["a"],
            "outcomes": ["pending"],
            "text": "x",
            "compensation": "thing.undo",
        },
    ),
    ("create_task", {"assignee": "run.holder", "due": "today()", "waits": True, "text": "x"}),
    ("notify", {"people": ["run.holder"], "roles": ["lead"], "mail": False}),
    (
        "human_input",
        {
            "text": "x",
            "form": [FIELD],
            "answers": OPTIONS,
            "needs": 2,
            "within": "days(1)",
            "otherwise": "no",
        },
    ),
    ("load_related", {"take": False, "text": "x"}),
    ("loop", {"items": {"entries": "input.a", "limit": 1000}, "second": {}, "on_failure": "continue"}),
    (
        "loop",
        {
            "edit": ["a"],
            "required": ["a"],
            "set": [{"field": "b", "value": "1"}],
            "title": "x",
            "text": "x",
            "gather": [{"name": "g"}],
            "branches": [{"if": "1 == 1", "outcome": "a"}],
        },
    ),
    *((kind, settings) for kind in BASE for settings in [{}, *further(kind)]),
]
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "start",
        {"fields": [{**FIELD, "type": "file"}]},
        "",
        "There is no run yet that files could be kept with",
    ),
    ("llm", {"prompt": "x" * 8_001}, "prompt", "at most 8000"),
    ("llm", {"output": []}, "output", "This may not be empty."),
    ("llm", {"output": [{**FIELD, "name": f"f{number}"} for number in range(41)]}, "output", "at most 40"),
    ("llm", {"output": [{**FIELD, "name": "origin"}]}, "", "A field cannot be named origin here"),
    ("llm", {"output": [{**FIELD, "type": "enum"}]}, "output[0]", "A field of type enum needs options."),
    ("llm", {"model": "best"}, "model", "There is no setting model here"),
    ("request_documents", {"documents": []}, "", "Nothing is asked for"),
    ("request_documents", {"days": 367}, "days", "at most 366"),
    ("request_documents", {"remind_after_days": [30]}, "", "would not come before"),
    ("request_documents", {"documents": [{"id": "A b", "label": "x"}]}, "documents[0].id", ""),
    ("start", {"fields": [FIELD, FIELD]}, "", "More than one field is named note."),
    ("start", {"fields": [{**FIELD, "name": f"f{number}"} for number in range(51)]}, "fields", "at most 50"),
    ("start", {"fields": "note"}, "fields", "This must be a list."),
    ("start", {"fields": [{"name": "a"}]}, "fields[0].label", "This is missing."),
    ("start", {"fields": [{**FIELD, "requried": True}]}, "fields[0].requried", "is required meant?"),
    ("start", {"fields": [{**FIELD, "type": "enum"}]}, "fields[0]", "A field of type enum needs options."),
    ("guidance", {"text": ""}, "text", "This may not be empty."),
    ("guidance", {"text": LONG}, "text", "at most 20000"),
    ("guidance", {"text": 5}, "text", "This must be text."),
    ("guidance", {"policy": {}}, "policy.title", "This is missing."),
    ("guidance", {"policy": {"title": ""}}, "policy.title", "This may not be empty."),
    *(
        (
            "guidance",
            {"policy": {"title": "P", "url": url}},
            "policy.url",
            "This does not have the form asked for",
        )
        for url in ("ftp://a", "javascript:alert(1)", "https://a b", "https://a)b", "https://<x>", "//a", "")
    ),
    ("guidance", {"owner": "x" * 201}, "owner", "at most 200"),
    ("get_data", {"fields": []}, "", "Nothing is read: name fields or related records."),
    ("get_data", {"fields": ["f"] * 101}, "fields", "at most 100"),
    ("get_data", {"fields": [1]}, "fields[0]", "This must be text."),
    (
        "get_data",
        {"related": [{**RELATED, "name": "record"}]},
        "",
        "Related reads and totals need names of their own",
    ),
    (
        "get_data",
        {"related": [{**RELATED, "name": "not_permitted"}]},
        "",
        "other than record and not_permitted",
    ),
    ("get_data", {"related": [RELATED, RELATED]}, "", "Related reads and totals need names of their own"),
    ("get_data", {"related": [{**RELATED, "name": "Docs"}]}, "related[0].name", "a small letter first"),
    ("get_data", {"related": [{**RELATED, "relation": ""}]}, "related[0].relation", "This may not be empty."),
    (
        "get_data",
        {"related": [{**RELATED, "fields": []}]},
        "related[0]",
        "Nothing is read: name fields or totals.",
    ),
    ("get_data", {"related": [{**RELATED, "fields": ["f"] * 41}]}, "related[0].fields", "at most 40"),
    ("get_data", {"related": [{**RELATED, "limit": 0}]}, "related[0].limit", "This is too low: at least 1."),
    (
        "get_data",
        {"related": [{**RELATED, "limit": 301}]},
        "related[0].limit",
        "This is too high: at most 300.",
    ),
    (
        "get_data",
        {"related": [{**RELATED, "limit": "20"}]},
        "related[0].limit",
        "This must be a whole number.",
    ),
    ("get_data", {"related": [{**RELATED, "one": "yes"}]}, "related[0].one", "This must be true or false."),
    ("get_data", {"related": [{**RELATED, "sort": "x" * 101}]}, "related[0].sort", "at most 100"),
    (
        "get_data",
        {"related": [{**RELATED, "name": f"r{number}"} for number in range(13)]},
        "related",
        "at most 12",
    ),
    ("get_data", {"text": LONG}, "text", "at most 20000"),
    ("update_data", {"form": []}, "", "Nothing is asked and nothing is set"),
    ("update_data", {"fields": ["note"]}, "", "More than one field is named note."),
    (
        "update_data",
        {"fields": ["a"], "set": [{"field": "a", "value": "1"}]},
        "",
        "More than one field is named a.",
    ),
    ("update_data", {"required": ["b", "a"]}, "", "Required names what is not among the fields: a, b."),
    (
        "update_data",
        {"must": [{"field": "b", "if": "1 == 1", "message": "x"}]},
        "",
        "Must names what is no field of the form: b.",
    ),
    (
        "loop",
        {"must": [{"field": "b", "if": "1 == 1", "message": "x"}]},
        "",
        "Must names what is no field of the form: b.",
    ),
    ("update_data", {"set": [{"field": "", "value": "1"}]}, "set[0].field", "This may not be empty."),
    ("update_data", {"set": [{"field": "a"}]}, "set[0].value", "This is missing."),
    ("update_data", {"set": [{"field": "a", "value": 5}]}, "set[0].value", "This must be text."),
    ("update_data", {"fields": [f"f{number}" for number in range(61)]}, "fields", "at most 60"),
    (
        "update_data",
        {"set": [{"field": f"f{number}", "value": "1"} for number in range(41)]},
        "set",
        "at most 40",
    ),
    ("decision", {"options": OPTIONS[:1]}, "options", "This is too short: at least 2."),
    (
        "decision",
        {"options": [{"value": f"o{number}", "label": "O"} for number in range(13)]},
        "options",
        "at most 12",
    ),
    ("decision", {"options": [OPTIONS[0], OPTIONS[0]]}, "", "Two options have the same value."),
    (
        "decision",
        {"options": [{**OPTIONS[0], "value": "Yes!"}, OPTIONS[1]]},
        "options[0].value",
        "a small letter first",
    ),
    (
        "decision",
        {"options": [{**OPTIONS[0], "label": ""}, OPTIONS[1]]},
        "options[0].label",
        "This may not be empty.",
    ),
    (
        "decision",
        {"options": [{**OPTIONS[0], "fields": ["nope"]}, OPTIONS[1]]},
        "",
        "Options name fields that the form does not have: nope.",
    ),
    (
        "decision",
        {"options": [{**entry, "if": "1 == 1"} for entry in OPTIONS]},
        "",
        "at least one must always be offered",
    ),
    (
        "decision",
        {"options": [{**OPTIONS[0], "if": "1 == 1"}, {**OPTIONS[1], "unless": "1 == 1"}]},
        "",
        "at least one must always be offered",
    ),
    ("decision", {"form": [FIELD, FIELD]}, "", "More than one field is named note."),
    ("decision", {"form": [{**FIELD, "name": "option"}]}, "", "A field cannot be named option"),
    ("decision", {"maker": "dice"}, "maker", "This must be one of 'user', 'rule', 'ai'."),
    (
        "decision",
        {"rules": [{"if": "1 == 1", "option": "yes"}]},
        "",
        "Rules decide only where the maker is rule.",
    ),
    (
        "decision",
        {"maker": "rule", "rules": [{"iff": "1 == 1", "option": "yes"}]},
        "rules[0].iff",
        "is if meant?",
    ),
    ("decision", {"options": [{**OPTIONS[0], "iff": "1"}, OPTIONS[1]]}, "options[0].iff", "is if meant?"),
    ("condition", {"branches": []}, "branches", "This may not be empty."),
    ("condition", {"branches": [{"if": "1 == 1", "outcome": "a"}] * 51}, "branches", "at most 50"),
    (
        "condition",
        {"branches": [{"if": "1 == 1", "outcome": "default"}]},
        "",
        "Default is taken when no branch holds",
    ),
    ("condition", {"branches": [{"if": "1 == 1"}]}, "branches[0].outcome", "This is missing."),
    ("condition", {"branches": [{"if": True, "outcome": "a"}]}, "branches[0].if", "This must be text."),
    ("go_to", {"target": "start"}, "target", "There is no setting target here: known are keep_answers."),
    ("output", {"values": {}}, "values", "This may not be empty."),
    ("output", {"values": {"a": 1}}, "values.a", "This must be text."),
    ("output", {"values": {f"v{number}": "1" for number in range(101)}}, "values", "at most 100"),
    ("wait", {"days": None}, "", "ay how long in one way"),
    ("wait", {"days": 1, "until": "now"}, "", "ay how long in one way"),
    ("wait", {"day": 1}, "day", "is days meant?"),
    ("end", {"label": ""}, "label", "This may not be empty."),
    ("end", {"label": "x" * 81}, "label", "at most 80"),
    ("end", {"lable": "x"}, "lable", "There is no setting lable here: is label meant?"),
]


def ids(table: list[Any]) -> list[str]:
    return [f"{row[0]}-{number}" for number, row in enumerate(table)]


@cases(("kind", "more"), GOOD, ids=ids(GOOD))
def test_settings_that_are_taken(kind: str, more: dict[str, Any]) -> None:
    config = steps.get(kind).Config.model_validate({**BASE[kind], **more})
    assert steps.get(kind).outcomes(config) is not None
    assert steps.get(kind).uses(config) is not None


@cases(("kind", "more", "place", "said"), BAD, ids=ids(BAD))
def test_settings_that_are_refused_are_told_with_their_place(
    kind: str, more: dict[str, Any], place: str, said: str
) -> None:
    model = steps.get(kind).Config
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**BASE[kind], **more})
    spots = model_errors(refused.value, model)
    assert place in [spot.path for spot in spots]
    assert any(said in spot.reason for spot in spots if spot.path == place), spots


def test_every_setting_of_every_type_stands_in_a_table() -> None:
    for kind, base in BASE.items():
        used = set(base).union(*(row[1] for row in [*GOOD, *HEARD, *BAD] if row[0] == kind))
        lacking = set(_aliases(kind)) - used
        assert not lacking, (
            f"{kind}: no row has {sorted(lacking)}: add settings with them to FURTHER of tests/steps/test_{kind}.py"
        )


def _aliases(kind: str) -> list[str]:
    return [field.alias or name for name, field in steps.get(kind).Config.model_fields.items()]


@pytest.mark.slow
@cases("kind", BASE)
@cases("value", [None, "", 0, 1.5, True, [], {}, [None], [[]], {"a": {}}, "\x00", "\ud800", "{{", 2**60])
def test_any_value_in_any_setting_is_refused_with_a_place_or_taken(kind: str, value: Any) -> None:
    for name in [*_aliases(kind), "__class__", "no_such"]:
        document = {
            "format": 1,
            "slug": "a-b",
            "title": "T",
            "collection": "customer",
            "steps": [
                {"id": "first", "type": "start", "title": "S", "next": {"default": "here"}},
                {
                    "id": "here",
                    "type": kind,
                    "title": "H",
                    "config": {**BASE[kind], name: value},
                    "next": {"default": "last"},
                },
                {"id": "last", "type": "end", "title": "E"},
            ],
        }
        problems = workflow_check.check(document, steps.all_types())
        assert all(problem.reason and problem.field is not None for problem in problems)
        if name in {"__class__", "no_such"}:
            assert [
                problem
                for problem in problems
                if problem.step == "here" and problem.field == f"config.{name}"
            ]


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "note", "1 +", "{{ x", "record.a", "date", "enum", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "label",
                    "type",
                    "if",
                    "value",
                    "min",
                    "max",
                    "default",
                    "options",
                    "fields",
                    "relation",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@given(st.sampled_from(list(BASE)), st.data())
def test_no_settings_make_the_check_fail(kind: str, data: st.DataObject) -> None:
    config = {
        **BASE[kind],
        **data.draw(st.dictionaries(st.sampled_from([*_aliases(kind), "other"]), junk, max_size=3)),
    }
    step = {"id": "here", "type": kind, "title": "H", "config": config, "next": data.draw(junk)}
    problems = workflow_check.check(
        {"format": 1, "slug": "a-b", "title": "T", "steps": [step]}, steps.all_types()
    )
    assert any(problem.step is None for problem in problems), "there is no start or no end"


@given(
    st.lists(junk, max_size=3),
    st.sampled_from(["date", "integer", "text", "enum", "multi_enum", "datetime", "decimal"]),
)
def test_no_field_of_a_form_makes_the_check_fail(values: list[Any], kind: str) -> None:
    names = ["default", "min", "max"]
    field = {
        "name": "x",
        "label": "X",
        "type": kind,
        "options": OPTIONS,
        **dict(zip(names, values, strict=False)),
    }
    step = {"id": "here", "type": "update_data", "title": "H", "config": {"form": [field]}}
    assert workflow_check.check(
        {"format": 1, "slug": "a-b", "title": "T", "steps": [step]}, steps.all_types()
    )


# ------------------------------------------------------------------------------------------------------- what is heard of texts

HEARD: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    (
        "llm",
        {
            "prompt": "{{ now }}",
            "text": "x",
            "output": [{**FIELD, "value": "1"}],
            "related": [{**RELATED, "where": "1 == 1"}],
        },
        ["output[0].value", "related[0].where"],
        ["prompt", "text"],
    ),
    (
        "start",
        {"fields": [{**FIELD, "required_if": "1 == 1", "value": "2", "at_most": "3"}]},
        ["fields[0].required_if", "fields[0].value", "fields[0].at_most"],
        [],
    ),
    ("guidance", {"text": "{{ now }}"}, [], ["text"]),
    (
        "get_data",
        {"text": "x", "related": [{**RELATED, "where": "1 == 1"}, {**RELATED, "name": "more"}]},
        ["related[0].where"],
        ["text"],
    ),
    (
        "update_data",
        {
            "text": "x",
            "form": [{**FIELD, "value": [{"if": "1 == 1", "value": "2"}, {"value": "3"}]}],
            "set": [{"field": "a", "value": "4"}, {"field": "b", "value": [{"value": "5"}]}],
            "related": [{**RELATED, "where": "6 == 6"}],
        },
        [
            "form[0].value[0].if",
            "form[0].value[0].value",
            "form[0].value[1].value",
            "set[0].value",
            "set[1].value[0].value",
            "related[0].where",
        ],
        ["text"],
    ),
    (
        "decision",
        {
            "text": "x",
            "options": [
                {**OPTIONS[0], "if": "1 == 1", "why_not": "y"},
                OPTIONS[1],
                {"value": "c", "label": "C", "unless": "2 == 2"},
            ],
            "maker": "rule",
            "rules": [{"if": "3 == 3", "option": "c"}],
        },
        ["options[0].if", "options[2].unless", "rules[0].if"],
        ["text", "options[0].why_not"],
    ),
    (
        "condition",
        {"branches": [{"if": "1 == 1", "outcome": "a"}, {"if": "2 == 2", "outcome": "b"}]},
        ["branches[0].if", "branches[1].if"],
        [],
    ),
    ("go_to", {}, [], []),
    ("output", {"values": {"a": "1", "b": "x {{ 2 }}", "c": "{{"}}, ["values.a"], ["values.b", "values.c"]),
    (
        "request_documents",
        {
            "documents": [{"id": "a", "label": "A", "if": "1 == 1", "required_if": "2 == 2"}],
            "also": "[]",
            "name": "record.n",
            "language": "record.l",
            "translations": [{"language": "fr", "subject": "x", "text": "x"}],
        },
        ["to", "name", "also", "documents[0].if", "documents[0].required_if", "language"],
        ["subject", "text", "translations[0].subject", "translations[0].text"],
    ),
    ("wait", {"days": None, "duration": "days(1)"}, ["duration"], []),
    ("wait", {"days": None, "until": "now"}, ["until"], []),
    ("end", {"label": "{{ not a template }}"}, [], []),
    (
        "create_task",
        {"assignee": "run.holder", "due": "today()", "text": "x"},
        ["assignee", "due"],
        ["title", "text"],
    ),
    ("notify", {"people": ["run.holder"]}, ["people[0]"], ["text"]),
    (
        "human_input",
        {"to": {"people": ["run.holder"]}, "text": "x", "within": "days(1)"},
        ["to.people[0]", "within"],
        ["question", "text"],
    ),
    (
        "load_related",
        {"items": {"collection": "a", "fields": ["b"], "where": "1 == 1"}, "text": "x"},
        ["items.where"],
        ["text"],
    ),
    (
        "loop",
        {"items": {"entries": "input.a", "where": "1 == 1"}, "text": "x"},
        ["items.entries", "items.where"],
        ["text"],
    ),
    ("escalate", {"form": [{**FIELD, "required_if": "1 == 1"}]}, ["form[0].required_if"], ["text"]),
    ("approval", {"if": "1 == 1", "values": {"a": "2"}}, ["if", "values.a"], ["text"]),
    ("action", {"values": {"a": "1"}}, ["values.a"], []),
    (
        "trigger_action",
        {"record": "record.id", "values": {"a": "1"}, "text": "x"},
        ["record", "values.a"],
        ["text"],
    ),
    *((kind, *row) for kind in BASE for row in texts(kind)),
]


@cases(("kind", "more", "expressions", "templates"), HEARD, ids=ids(HEARD))
def test_the_check_hears_of_every_expression_and_template(
    kind: str, more: dict[str, Any], expressions: list[str], templates: list[str]
) -> None:
    config = steps.get(kind).Config.model_validate({**BASE[kind], **more})
    assert [text.field for text in steps.get(kind).expressions(config)] == expressions
    assert [text.field for text in steps.get(kind).templates(config)] == templates


def test_every_type_is_heard() -> None:
    for kind in set(BASE) - {row[0] for row in HEARD}:
        places = sorted(".".join(path) for path in takes(steps.get(kind).Config))
        assert not places, (
            f"{kind}: {places} take expressions or templates: name them in its `expressions` or `templates`, and give tests/steps/test_{kind}.py"
            " TEXTS, a list of (settings with such texts, places of the expressions, places of the templates)"
        )


# ----------------------------------------------------------------------------------------------------- values in texts are data


@cases(
    ("value", "text"),
    [
        ("-12.50", "-12.50"),
        ("1.5", "1.5"),
        ("a-b", "a-b"),
        ("2026. 11. 20", "2026\\. 11. 20"),
        ("- x", "\\- x"),
        (" = ", " \\= "),
        ("a   b\t\nc", "a b c"),
        ("a\u00a0b", "a\u00a0b"),
        ("O'Neil (Ltd.)", "O'Neil \\(Ltd.\\)"),
        ("ana@b.example", "ana@b.example"),
        (12, "12"),
        (True, "true"),
        (["a", "*b*"], "a, \\*b\\*"),
        ({"a": 1}, ""),
        (None, ""),
    ],
)
def test_a_value_in_a_text_is_escaped_no_more_than_it_needs(value: Any, text: str) -> None:
    assert prepare("guidance", {"text": "{{ record.v }}"}, context(record={"v": value})).text == text


@pytest.mark.parametrize("kind", ["get_data", "update_data", "decision"])
def test_a_name_that_may_not_be_read_is_named_and_its_value_is_nowhere(kind: str) -> None:
    config = {**BASE[kind], "related": [RELATED]}
    reads = {"record": rows({}, denied=("tax_id",)), "docs": rows({"type": "passport"}, denied=("number",))}
    prompt = prepare(kind, config, context(reads))
    assert prompt.text is not None
    assert "`docs.number`" in prompt.text
    assert "`tax_id`" in prompt.text


@cases("name", ["text", "related"])
@cases("kind", ["get_data", "update_data", "decision"])
def test_hidden_reads_are_read_and_not_shown(kind: str, name: str) -> None:
    config = {**BASE[kind], "related": [{**RELATED, "hidden": True}, {**RELATED, "name": "open"}]}
    assert [read.name for read in steps.get(kind).reads(view(kind, config)) if read.relation] == [
        "docs",
        "open",
    ]
    assert [table for table in prepare(kind, config, context()).tables if table != "record"] == ["open"]


@pytest.mark.parametrize(
    ("found", "one", "output"),
    [
        ([], False, []),
        ([], True, None),
        ([{"type": "a"}, {"type": "b"}], False, [{"type": "a"}, {"type": "b"}]),
        ([{"type": "a"}, {"type": "b"}], True, {"type": "a"}),
    ],
)
def test_related_rows_are_a_list_or_the_first(found: list[dict[str, Any]], one: bool, output: Any) -> None:
    config = {"related": [{**RELATED, "one": one}]}
    assert complete("get_data", config, context({"docs": rows(*found)})).output == {"docs": output}
    assert complete("get_data", config, context({})).output == {"docs": None if one else []}
