"""The demo's stand-in for a model says nothing that the sources before it speak against: what an examiner reads in an approval must not contradict itself."""

import json
from typing import Any

import pytest

from console.demo import model, past_runs

OVER, EXPOSED, PLAIN = {"ratio_to_expected": "3.8"}, {"pep_status": "pep"}, {"ratio_to_expected": "0.68", "pep_status": "none"}


def variant(name: str, value: dict[str, Any]) -> dict[str, Any]:
    told = {"name": {"const": name}, "value": value, "confidence": {"enum": ["high", "medium", "low"]}, "sources": {"type": "array"}}
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
        "fields": {"type": "array", "items": {"anyOf": [variant(name, value) for name, value in NAMES.items()]}},
    }
}


def proposed(*sources: dict[str, Any]) -> dict[str, Any]:
    """What it proposes before these sources."""
    prompt = "".join(f'<source id="s{number}">{json.dumps(source)}</source>' for number, source in enumerate(sources))
    made = model.answer(prompt, SCHEMA)
    return {field["name"]: field["value"] for field in made["fields"]} if made["decision"] == "propose" else {}


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
def test_a_flag_is_proposed_only_where_a_source_bears_it_out(sources: list[dict[str, Any]], names: set[str]) -> None:
    assert set(proposed(*sources)) == names


def test_the_evidence_comes_with_a_flag_or_not_at_all() -> None:
    for sources in ([PLAIN], [OVER], [EXPOSED]):
        made = proposed(*sources)
        assert ("evidence" in made) == any(name.startswith("flags.") for name in made)


def test_what_explains_a_turnover_does_not_call_it_as_expected() -> None:
    assert "fits what was expected" not in str(past_runs.SAID["explanation"])
    assert proposed(OVER)["explanation"] == past_runs.SAID["explanation"]


@pytest.mark.parametrize("name", ["why", "anything", "source_of_funds"])
def test_what_no_source_could_speak_against_is_always_borne_out(name: str) -> None:
    assert past_runs.borne_out(name, PLAIN)


def test_what_people_of_the_demo_name_as_different_is_not_what_agrees_by_nature() -> None:
    assert past_runs.TYPED["because"] == "dob_mismatch"
    assert set(past_runs.TYPED["compared"]) == {"birth_date", "id_number"}
