"""A workflow as a document: read, written, hashed, the same bytes for the same workflow."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from console import steps
from console.core.documents import document_parts, workflow_schema
from console.core.documents.workflow import read
from tests.tables import cases

FILES = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))


def document(**more: Any) -> dict[str, Any]:
    made = {
        "format": 1,
        "slug": "a-try",
        "title": "A try",
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "done"}},
            {"id": "done", "type": "end", "title": "Done", "config": {"label": "tried"}},
        ],
    }
    return made | more


def test_what_is_left_out_has_its_default() -> None:
    made = read(document())
    assert (made.collection, made.team, made.roles, made.groups) == (None, None, [], [])
    assert made.settings.model_dump() == {
        "visit_limit": 50,
        "idle_save_minutes": 30,
        "exclusive": True,
        "on_error": "ask",
        "max_automatic_steps": 50,
        "retries": 3,
        "backoff_ms": 1_000,
        "parallel": None,
        "per_minute": None,
        "per_day": None,
        "step_seconds": 300,
        "inbox": None,
        "timeout_ms": None,
        "hidden_in": [],
        "only_in": [],
        "questions_in_case_file": False,
    }
    assert made.steps[0].completion == "manual"
    assert made.time_limit_ms(hands_off=False) is None


def test_runs_that_nobody_holds_end_on_an_error_and_after_five_minutes_unless_the_document_says_otherwise() -> (
    None
):
    assert read(document(run_as="robot@fernwick.test")).settings.on_error == "fail"
    asks = read(document(run_as="robot@fernwick.test", settings={"on_error": "ask", "timeout_ms": 9_000}))
    assert (asks.settings.on_error, asks.time_limit_ms(hands_off=True)) == ("ask", 9_000)
    assert read(document(run_as="robot@fernwick.test")).time_limit_ms(hands_off=True) == 300_000
    assert read(asks.canonical()) == asks


def test_steps_are_found_by_id_and_the_way_on_by_outcome() -> None:
    made = read(document())
    assert made.start.id == "start"
    assert made.step("done").config == {"label": "tried"}
    assert made.target("start", "default") == "done"
    assert made.target("start", "anything else") == "done"
    assert made.target("done", "default") is None
    with pytest.raises(KeyError):
        made.step("nowhere")


@cases(
    "wrong",
    [
        {"extra": 1},
        {"format": 2},
        {"format": "1"},
        {"slug": "A try"},
        {"steps": []},
        {"settings": {"visit_limit": 0}},
        {"settings": {"colour": "red"}},
    ],
)
def test_what_the_model_does_not_know_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(document(**wrong))


def test_the_layout_of_a_file_does_not_matter_to_its_bytes_and_hash() -> None:
    tight = json.dumps(document(variables={"b": 1, "a": {"d": 2, "c": [3]}}, description=None))
    loose = json.dumps(
        dict(reversed(document(variables={"a": {"c": [3], "d": 2}, "b": 1}).items())), indent=8
    )
    assert read(tight).canonical() == read(loose.encode()).canonical()
    assert read(tight).hash == read(loose).hash
    assert read(tight).hash != read(document()).hash


NAMES = st.from_regex(document_parts.NAME_PATTERN, fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
TITLES = TEXTS.filter(bool)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
STEPS = st.fixed_dictionaries(
    {"id": NAMES, "type": NAMES, "title": TITLES},
    optional={
        "description": TEXTS,
        "button": TITLES,
        "completion": st.sampled_from(["manual", "automatic"]),
        "roles": st.lists(TEXTS, max_size=2),
        "config": st.dictionaries(TEXTS, JSON, max_size=3),
        "next": st.dictionaries(NAMES, NAMES, max_size=3),
        "at": st.lists(st.integers(-9999, 9999), min_size=2, max_size=2),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "slug": st.from_regex(document_parts.SLUG_PATTERN, fullmatch=True),
        "title": TITLES,
        "steps": st.lists(STEPS, min_size=1, max_size=4),
    },
    optional={
        "$schema": TEXTS,
        "description": TEXTS,
        "collection": TEXTS,
        "team": TEXTS,
        "roles": st.lists(TEXTS, max_size=2),
        "segments": st.lists(TEXTS, max_size=2),
        "settings": st.fixed_dictionaries(
            {}, optional={"visit_limit": st.integers(1, 100), "exclusive": st.booleans()}
        ),
        "variables": st.dictionaries(NAMES, JSON, max_size=3),
        "groups": st.lists(
            st.fixed_dictionaries({"title": TITLES, "steps": st.lists(NAMES, max_size=2)}), max_size=2
        ),
    },
)


@given(DOCUMENTS)
def test_reading_what_was_written_gives_the_same_workflow_and_the_same_bytes(made: dict[str, Any]) -> None:
    first = read(made)
    again = read(first.canonical())
    assert again == first
    assert again.canonical() == first.canonical()
    assert again.hash == first.hash
    shuffled = {key: made[key] for key in reversed(made)}
    assert read(shuffled).canonical() == first.canonical()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_file_is_in_canonical_form(file: Path) -> None:
    document = read(file.read_bytes())
    assert document.slug == file.stem, (
        f"workflows/{file.name} has the slug {document.slug}: call the file {document.slug}.json"
    )
    canonical = document.canonical() == file.read_bytes()
    assert canonical, f"workflows/{file.name} is not in canonical form: run bin/fix, which writes it so"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_takes_the_shipped_files_and_refuses_a_typing_error(file: Path) -> None:
    schema = workflow_schema.schema(steps.all_types())
    made = json.loads(file.read_bytes())
    validator = importlib.import_module("jsonschema").Draft202012Validator(schema)
    assert not list(validator.iter_errors(made))
    spoils: list[Callable[[Any], None]] = [
        lambda d: d.update(titel="x"),
        lambda d: d["steps"][1]["config"].update(feilds=[]),
        lambda d: d["steps"][0].update(type="strat"),
    ]
    for spoil in spoils:
        wrong = json.loads(file.read_bytes())
        spoil(wrong)
        assert list(validator.iter_errors(wrong))
