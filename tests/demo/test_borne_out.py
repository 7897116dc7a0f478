"""The demo's stand-in for a model flags only what a source supports."""

import json
from typing import Any

import pytest

from console.demo import model

OVER, EXPOSED, PLAIN = (
    {"ratio_to_expected": "3.8"},
    {"pep_status": "pep"},
    {"ratio_to_expected": "0.68", "pep_status": "none"},
)


def variant(name: str, value: dict[str, Any]) -> dict[str, Any]:
    told = {
        "name": {"const": name},
        "value": value,
        "confidence": {"enum": ["high", "medium", "low"]},
        "sources": {"type": "array"},
    }
    return {"type": "object", "properties": told}


NAMES = {
    "flags.over_expected": {"type": "boolean"},
    "flags.pep": {"type": "boolean"},
    "evidence": {"type": "string"},
    "explanation": {"type": "string"},
}
SCHEMA = {
    "properties": {
        "decision": {"type": "string", "enum": ["propose", "decline"]},
        "fields": {
            "type": "array",
            "items": {"anyOf": [variant(name, value) for name, value in NAMES.items()]},
        },
    }
}


def proposed(*sources: dict[str, Any]) -> dict[str, Any]:
    """What it proposes before these sources."""
    prompt = "".join(
        f'<source id="s{number}">{json.dumps(source)}</source>' for number, source in enumerate(sources)
    )
    made = model.answer(prompt, SCHEMA)
    return (
        {field["name"]: field["value"] for field in made["fields"]} if made["decision"] == "propose" else {}
    )


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ([PLAIN], set()),
        ([{"note": "nothing of it"}], set()),
        ([OVER], {"flags.over_expected", "evidence", "explanation"}),
        ([EXPOSED], {"flags.pep", "evidence"}),
        ([OVER, EXPOSED], {"flags.over_expected", "flags.pep", "evidence", "explanation"}),
        ([{"pep_status": "former"}], set()),
        ([{"ratio_to_expected": None}], set()),
        ([{"ratio_to_expected": "1.5"}], set()),
    ],
)
def test_a_flag_is_proposed_only_where_a_source_bears_it_out(
    sources: list[dict[str, Any]], names: set[str]
) -> None:
    assert set(proposed(*sources)) == names
