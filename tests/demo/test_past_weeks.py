"""The demo's past weeks: the stand-in for a model, and the clock that only the demo moves."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import console
from console import log
from console.demo import model

ROOT = Path(console.__file__).parent


def test_a_stand_in_proposes_what_a_source_says_and_nothing_else() -> None:
    def variant(name: str, value: dict[str, Any]) -> dict[str, Any]:
        told = {
            "name": {"const": name},
            "value": value,
            "confidence": {"enum": ["high", "medium", "low"]},
            "sources": {"type": "array"},
        }
        return {"type": "object", "properties": told}

    schema = {
        "properties": {
            "decision": {"type": "string", "enum": ["propose", "decline"]},
            "flags": {"type": "array", "items": {"enum": ["stale_data"]}},
            "fields": {
                "type": "array",
                "items": {
                    "anyOf": [variant("city", {"type": "string"}), variant("colour", {"type": "string"})]
                },
            },
        }
    }
    prompt = '<source id="s1">{"city": "Kaunas"}</source><source id="s2">no JSON</source>'
    made = model.answer(prompt, schema)
    assert (made["decision"], made["flags"]) == ("propose", [])
    assert [(item["name"], item["value"], item["sources"]) for item in made["fields"]] == [
        ("city", "Kaunas", ["s1"])
    ]
    assert model.answer("", schema)["decision"] == "decline"


def test_the_clock_is_moved_by_the_demo_alone_and_put_back() -> None:
    log.move_clock(timedelta(days=-9))
    assert datetime.now(UTC) - log.now() > timedelta(days=8)
    log.move_clock(timedelta())
    assert abs(datetime.now(UTC) - log.now()) < timedelta(seconds=5)
    movers = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "move_clock"
    }
    assert movers == {"demo"}
