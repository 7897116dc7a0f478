"""Names in texts and shapes of documents: what the check says, word for word where an editor shows it."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console import steps
from console.core.documents import workflow, workflow_check
from console.core.documents.fields import Located
from console.core.documents.json_shape import loaded, problems_of_values
from console.core.documents.references import Known, wrong_references
from console.core.documents.workflow import MAX_BYTES, read, upgraded
from console.core.documents.workflow_check import Problem
from tests.tables import cases


class Thing:
    """Whatever has these names; the check asks for no more."""

    def __init__(self, **names: Any) -> None:
        vars(self).update(names)


def table(
    label: str,
    fields: str,
    relations: dict[str, str] | None = None,
    *,
    readonly: str = "",
    segments: str = "",
) -> Thing:
    return Thing(
        label=label,
        fields=[Thing(name=name, readonly=name in readonly.split()) for name in fields.split()],
        relations=[Thing(name=name, collection=collection) for name, collection in (relations or {}).items()],
        segments=[Thing(id=name) for name in segments.split()],
    )


COLLECTIONS = {
    "order": table(
        "Orders",
        "amount state made_at",
        {"line": "order_line", "buyer": "unknown_one"},
        readonly="made_at",
        segments="open late",
    ),
    "order_line": table("Lines", "title price"),
    "wide": table("Wide", " ".join(f"column_{number}" for number in range(20))),
}
KNOWN = Known(
    outputs={
        "load": frozenset({"record", "record.amount", "record.state", "lines"}),
        "later": frozenset({"x"}),
        "open": None,
        "here": frozenset({"note"}),
    },
    before=frozenset({"load", "open", "here"}),
    variables=frozenset({"limit", "rates"}),
    tables={"limits": (frozenset({"eur", "usd"}), 2), "broken": None},
    input=frozenset({"reason"}),
    collection="order",
    collections=COLLECTIONS,
)


# ------------------------------------------------------------------------------------------------------------------ references

NAMES: list[tuple[str, list[str]]] = [
    ("lookup(tables.limits.eur, 'lead', record.state)", []),
    ("lookup(tables.limits.eur, 'lead', 'open', 0) > 1", []),
    ("lookup(tables.broken.any, 1)", []),
    (
        "lookup(tables.limits.eur, 'lead')",
        ["The policy table limits has 2 keys: lookup takes as many, and a default if one is wanted."],
    ),
    (
        "lookup(tables.limits.eur, 1, 2, 3, 4)",
        ["The policy table limits has 2 keys: lookup takes as many, and a default if one is wanted."],
    ),
    (
        "lookup(tables.limits.eurs, 1, 2)",
        ["The policy table limits has no column eurs to look up: is eur meant?"],
    ),
    ("lookup(tables.limit.eur, 1, 2)", ["There is no policy table limit: is limits meant?"]),
    (
        "lookup(variables.rates, 'a', 1, 2)",
        ["lookup takes one key and a default to look in an object, not 3 values."],
    ),
    (
        "size(tables.limits.eur)",
        ["A policy table is read by lookup(tables.<table>.<column>, key) (at character 6)."],
    ),
    (
        "lookup(tables.limits, 'lead')",
        ["A policy table is read by lookup(tables.<table>.<column>, key) (at character 8)."],
    ),
    (
        "lookup(variables.rates, tables.limits.eur)",
        ["A policy table is read by lookup(tables.<table>.<column>, key) (at character 25)."],
    ),
    ("1 + 1", []),
    ("now > today()", []),
    ("run.id == 'x' && run.anything.at.all", []),
    ("record.amount > 1", []),
    ("record", []),
    ("record.amuont > 1", ["Orders has no field amuont: is amount meant?"]),
    ("record.zzz > 1", ["Orders has no field zzz."]),
    ('record["made_at"] > 1', []),
    ('record["made.at"] > 1', ["Orders has no field made.at: is made_at meant?"]),
    ("steps.load.record.amount > 1", []),
    ("steps.load.record", []),
    ("steps.load", []),
    ("steps.load.lines[0].title", []),
    ("steps.load.lines[0].nothing.known", []),
    ("steps.load.record.amoun", ["The step load reads no record.amoun: is amount meant?"]),
    ("steps.load.recrod", ["The step load gives no recrod: is record meant?"]),
    ("steps.load.zzz", ["The step load gives no zzz."]),
    ("steps.load.missing", []),
    ("steps.open.whatever.it.is", []),
    ("steps.later.x", ["The step later does not come before this one on any path."]),
    ("steps.laod.x", ["There is no step laod: is load meant?"]),
    ("steps.here.note", []),
    ("steps", []),
    ("input.reason", []),
    ("input.raeson", ["The start asks for no raeson: is reason meant?"]),
    ("input", []),
    ("variables.limit", []),
    ("variables.rates.LT[0]", []),
    ("variables.limits", ["There is no variable limits: is limit meant?"]),
    ("$currentUser.teams", []),
    ("$currentUser.tags.anything", []),
    ("$currentUser.password", ["$currentUser has no password."]),
    ("$currentUser", []),
    ("item.id", ["item is not known here: it stands only in loops and automations."]),
    ("lead.name", ["lead is not known here: it stands only in loops and automations."]),
    ("input.a || input.b", ["The start asks for no a.", "The start asks for no b."]),
    ("input.a || input.a", ["The start asks for no a."]),
    ("1 +", ["The expression ends too early: something is missing here (at character 4)."]),
    ("record.__class__", ["A name must not begin with an underscore (at character 8)."]),
    (
        "foo.bar",
        [
            "There is no 'foo'. A path begins with one of record, input, steps, variables, tables, item, run, lead, now, $currentUser, related, results, key, answer, document, found, entry, selected, me, former, event, approver (at character 1)."
        ],
    ),
]


@cases(("text", "reasons"), NAMES, ids=[row[0] for row in NAMES])
def test_names_in_an_expression_and_in_a_template(text: str, reasons: list[str]) -> None:
    assert wrong_references(Located("if", text), template=False, known=KNOWN) == reasons
    if "(at character" not in "".join(reasons):
        assert (
            wrong_references(
                Located("text", f"A {{{{ {text} }}}} and {{{{ {text} }}}}."), template=True, known=KNOWN
            )
            == reasons
        )


@cases(
    ("relation", "text", "reasons"),
    [
        ("line", "record.price > 1", []),
        ("line", "record.amount > 1", ["Lines has no field amount."]),
        ("line", "steps.load.record.amount > record.price", []),
        ("nowhere", "record.anything", []),
        ("buyer", "record.anything", []),
        (None, "record.price > 1", ["Orders has no field price."]),
    ],
)
def test_record_is_that_of_the_relation_in_its_condition(
    relation: str | None, text: str, reasons: list[str]
) -> None:
    assert wrong_references(Located("where", text, relation), template=False, known=KNOWN) == reasons


@cases(
    ("change", "text", "reasons"),
    [
        ({"collections": None}, "record.zzz", []),
        ({"collection": "gone"}, "record.zzz", []),
        ({"collection": None}, "record.amount", ["The workflow has no collection, so there is no record."]),
        ({"collection": None}, "record", ["The workflow has no collection, so there is no record."]),
        ({"input": None}, "input.zzz", []),
        ({"input": frozenset()}, "input.zzz", ["The start asks for no zzz."]),
    ],
)
def test_what_cannot_be_told_is_not_judged(change: dict[str, Any], text: str, reasons: list[str]) -> None:
    known = Known(**({name: getattr(KNOWN, name) for name in Known.__slots__} | change))
    assert wrong_references(Located("if", text), template=False, known=known) == reasons


# ----------------------------------------------------------------------------------------------------------------------- shape


@cases(
    ("text", "reasons"),
    [
        ("{}", []),
        (b"{}", []),
        ({"a": 1}, []),
        (
            "\ufeff{}",
            ["The file is no JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) in line 1, column 1."],
        ),
        (b"\xef\xbb\xbf{}", []),
        ("", ["The file is no JSON: Expecting value in line 1, column 1."]),
        (
            "{'a': 1}",
            ["The file is no JSON: Expecting property name enclosed in double quotes in line 1, column 2."],
        ),
        (
            '{"a": 1,}',
            ["The file is no JSON: Expecting property name enclosed in double quotes in line 1, column 9."],
        ),
        ("null", ["A workflow file holds one object, in braces."]),
        ("[]", ["A workflow file holds one object, in braces."]),
        ("{} {}", ["The file is no JSON: Extra data in line 1, column 4."]),
        ('{"a": Infinity}', ["The file is no JSON: Infinity is no number."]),
        ('{"a": -Infinity}', ["The file is no JSON: -Infinity is no number."]),
        (b'{"a": "\xe4"}', ["The file is not UTF-8 text: byte 8 cannot be read."]),
        ("[" * 200_000, ["The file is nested too deep."]),
        ('{"a": 1, "b": 2, "a": 3, "a": 4}', ["The key a stands twice in the same object: keep one."]),
        (
            '{"a": {"x": 1, "x": 2}, "b": {"x": 1, "x": 2}}',
            ["The key x stands twice in the same object: keep one."],
        ),
        (
            "x" * (MAX_BYTES + 1),
            [f"The file is too large: {MAX_BYTES + 1} bytes, at most {MAX_BYTES} are read."],
        ),
        (
            '"' + "ä" * (MAX_BYTES // 2) + '"',
            [f"The file is too large: {MAX_BYTES + 2} bytes, at most {MAX_BYTES} are read."],
        ),
    ],
    ids=range(19),
)
def test_what_is_said_of_a_text_that_is_no_document(text: Any, reasons: list[str]) -> None:
    found, spots = loaded(text)
    assert [spot.reason for spot in spots] == reasons
    assert (found is None) == bool(reasons and "stands twice" not in reasons[0])


DEEP: Any = "x"
for _ in range(60):
    DEEP = {"a": DEEP}


@cases(
    ("value", "spots"),
    [
        ({"a": [1, "x", None, True, {"b": -(2**53) + 1}]}, []),
        ({"a": 1.0}, [("a", 'Numbers with decimals are written as text: "1.0".')]),
        ({"a": [0, {"b": 1e300}]}, [("a[1].b", 'Numbers with decimals are written as text: "1e+300".')]),
        ({"a": 2**53}, [("a", "This number is too large to be kept exactly: write it as text.")]),
        ({"a": -(2**53)}, [("a", "This number is too large to be kept exactly: write it as text.")]),
        (
            {"a": "x\x00"},
            [("a", "There is a character in this text that cannot be stored (NUL or half of one).")],
        ),
        (
            {"a": ["\udfff"]},
            [("a[0]", "There is a character in this text that cannot be stored (NUL or half of one).")],
        ),
        ({"a": {"b\x00": 1}}, [("a", "The key 'b\\x00' cannot be stored.")]),
        ({"a": {1: "x"}}, [("a", "The key 1 cannot be stored.")]),
        ({"a": "\u202e😀"}, []),
        ({"a": DEEP}, [("a.a.a.a.a.a.a.a", "This is nested too deep: at most 40 levels.")]),
        ({"a": True, "b": False}, []),
    ],
    ids=range(12),
)
def test_values_that_cannot_be_kept_exactly(value: dict[str, Any], spots: list[tuple[str, str]]) -> None:
    assert [(spot.path, spot.reason) for spot in problems_of_values(value)] == spots


# ------------------------------------------------------------------------------------------------------------------- documents

GOOD: dict[str, Any] = {
    "format": 1,
    "slug": "order-check",
    "title": "Order check",
    "collection": "order",
    "variables": {"limit": 100},
    "steps": [
        {"id": "first", "type": "start", "title": "Start", "next": {"default": "load"}},
        {
            "id": "load",
            "type": "get_data",
            "title": "Load",
            "config": {"fields": ["amount"]},
            "next": {"default": "ask"},
        },
        {
            "id": "ask",
            "type": "decision",
            "title": "Ask",
            "config": {"options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]},
            "next": {"yes": "done", "no": "again"},
        },
        {"id": "again", "type": "go_to", "title": "Again", "next": {"default": "load"}},
        {"id": "done", "type": "end", "title": "Done"},
    ],
}
Change = Callable[[dict[str, Any], dict[str, Any]], Any]


def check(change: Change, collections: Any = None) -> list[Problem]:
    made = copy.deepcopy(GOOD)
    change({step["id"]: step for step in made["steps"]}, made)
    return workflow_check.check(made, steps.all_types(), collections)


def test_an_older_format_is_read_by_the_functions_that_lead_on(monkeypatch: pytest.MonkeyPatch) -> None:
    forward: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
        0: lambda raw: {"title": raw.pop("name"), **raw} | {"format": 1}
    }
    monkeypatch.setattr(workflow, "UPGRADES", forward)
    old = {**{key: value for key, value in GOOD.items() if key != "title"}, "format": 0, "name": "Old"}
    assert read(dict(old)).title == "Old"
    assert workflow_check.check(dict(old), steps.all_types()) == []
    assert upgraded({"format": 7}) == {"format": 7}
    assert upgraded({"format": "1"}) == {"format": "1"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "next", "config", "steps", "title", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "format",
                "slug",
                "title",
                "collection",
                "steps",
                "settings",
                "variables",
                "groups",
                "segments",
                "x",
            ]
        ),
        json_values,
    )
)
def test_no_document_makes_the_check_fail_and_none_of_these_is_a_workflow(document: dict[str, Any]) -> None:
    for form in (document, json.dumps(document)):
        problems = workflow_check.check(form, steps.all_types(), COLLECTIONS)
        assert problems
        assert all(problem.reason.endswith((".", "?")) for problem in problems)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_file_makes_the_check_fail(raw: bytes | str) -> None:
    assert workflow_check.check(raw, steps.all_types())
