"""Documents in their smallest form, their hash, and the registry of kinds."""

import hashlib
import json
from typing import Any

import pytest

from console import steps
from console.core.documents.workflow import read
from console.core.documents.workflow_schema import schema
from console.core.events import ENDS, KINDS, MOVES
from tests.tables import cases

# ------------------------------------------------------------------------------------------------------------------- documents

SMALLEST: dict[str, Any] = {
    "format": 1,
    "slug": "a-b",
    "title": "T",
    "steps": [{"id": "s", "type": "start", "title": "S"}],
}
CANONICAL = """{
  "format": 1,
  "slug": "a-b",
  "title": "T",
  "collection": null,
  "team": null,
  "roles": [],
  "settings": {
    "visit_limit": 50,
    "idle_save_minutes": 30,
    "exclusive": true,
    "on_error": "ask",
    "max_automatic_steps": 50
  },
  "variables": {},
  "steps": [
    {
      "id": "s",
      "type": "start",
      "title": "S",
      "config": {},
      "next": {}
    }
  ]
}
"""


def test_the_smallest_document_in_its_canonical_form_and_its_hash() -> None:
    same = [
        {"id": name, "type": "end", "title": title}
        for name, title in (("a", "Wait"), ("b", "Ask"), ("c", "Wait"))
    ]
    assert read({**SMALLEST, "steps": same}).step_names == {
        "a": "Wait (step 1)",
        "b": "Ask",
        "c": "Wait (step 3)",
    }
    made = read(SMALLEST)
    assert made.canonical().decode() == CANONICAL
    assert made.hash == hashlib.sha256(CANONICAL.encode()).hexdigest()


@cases(
    ("change", "same"),
    [
        ({"description": None}, True),
        ({"roles": []}, True),
        ({"groups": []}, True),
        ({"segments": []}, True),
        ({"settings": {"visit_limit": 50}}, True),
        ({"variables": {}}, True),
        (
            {
                "steps": [
                    {
                        "id": "s",
                        "type": "start",
                        "title": "S",
                        "completion": "manual",
                        "config": {},
                        "next": {},
                        "at": None,
                        "button": None,
                    }
                ]
            },
            True,
        ),
        ({"title": "T "}, False),
        ({"description": ""}, False),
        ({"settings": {"visit_limit": 51}}, False),
        ({"variables": {"a": None}}, False),
        ({"groups": [{"title": "G", "steps": []}]}, False),
        ({"steps": [{"id": "s", "type": "start", "title": "S", "completion": "automatic"}]}, False),
        ({"steps": [{"id": "s", "type": "start", "title": "S", "at": [0, 0]}]}, False),
        ({"steps": [{"id": "s", "type": "start", "title": "S", "roles": []}]}, False),
        ({"steps": [{"id": "s", "type": "start", "title": "S", "config": {"x": []}}]}, False),
        ({"$schema": "x.json"}, False),
    ],
    ids=range(17),
)
def test_what_equals_its_default_is_no_part_of_the_hash(change: dict[str, Any], same: bool) -> None:
    assert (read({**SMALLEST, **change}).hash == read(SMALLEST).hash) is same


@pytest.mark.parametrize(
    "made",
    [
        {"variables": {"b": {"d": 1, "c": [{"f": 1, "e": 2}]}, "a": 1}},
        {
            "steps": [
                {
                    "id": "s",
                    "type": "start",
                    "title": "S",
                    "config": {"b": {"d": 1, "c": 2}, "a": 1},
                    "next": {"b": "x", "a": "y"},
                }
            ]
        },
    ],
)
def test_keys_of_free_objects_are_in_the_order_of_their_names(made: dict[str, Any]) -> None:
    def ordered(value: Any) -> bool:
        if isinstance(value, dict):
            return list(value) == sorted(value) and all(map(ordered, value.values()))
        return all(map(ordered, value)) if isinstance(value, list) else True

    document = json.loads(read({**SMALLEST, **made}).canonical())
    assert ordered(document["variables"])
    assert all(ordered(step["config"]) and ordered(step["next"]) for step in document["steps"])


@cases("text", [b"", b"[]", b"null", b"{", '{"format": 1}', b"\xff"])
def test_reading_what_is_no_workflow_is_a_value_error(text: bytes | str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_the_schema_has_a_rule_for_every_step_type_and_no_reference_leads_nowhere() -> None:
    made = schema(steps.all_types())
    rules = made["$defs"]["Step"]["allOf"]
    assert [rule["if"]["properties"]["type"]["const"] for rule in rules] == list(steps.all_types())
    text = json.dumps(made)
    named = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert named <= set(made["$defs"])
    assert made["$defs"]["Step"]["properties"]["type"]["enum"] == list(steps.all_types())


# -------------------------------------------------------------------------------------------------------------------- registry


@cases("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_knows_its_names_and_no_others(kind: Any) -> None:
    assert kind.unknown(kind.open, kind.sealed) == frozenset()
    assert kind.unknown([*kind.open, "mood"], ["temper"]) == {"mood", "temper"}
    assert kind.unknown(kind.sealed, kind.open) == frozenset({*kind.open, *kind.sealed})
    assert ("revision" in kind.open) == (kind.name in MOVES) == kind.move
    assert kind.name not in ENDS or kind.on_run
