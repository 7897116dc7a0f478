"""The shipped workflows speak of the demo company's collections by the names that these have."""

import json
from pathlib import Path
from typing import Any

import pytest

from console import steps
from console.core.documents.workflow import read

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "workflows").glob("*.json"))
COLLECTIONS = {file.stem: json.loads(file.read_bytes()) for file in (ROOT / "console" / "demo" / "collections").glob("*.json")}
BY_FOREIGN_KEY = {"sector", "currency"}  # relations that the source itself gives, named after their column


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_collections_segments_and_relations_are_there(file: Path) -> None:
    document = read(file.read_bytes())
    collection: dict[str, Any] = COLLECTIONS[document.collection] if document.collection is not None else {"segments": [], "fields": {}}
    assert set(document.segments) <= {segment["id"] for segment in collection["segments"]}
    named = {relation["name"] for relation in collection.get("relations", [])} | BY_FOREIGN_KEY
    for step in document.steps:
        uses = steps.get(step.type).uses(steps.view(step).config)
        assert {use.relation for use in uses if use.relation} <= named, step.id
        written = {use.column for use in uses if use.changed}
        assert not {name for name in written if collection["fields"].get(str(name), {}).get("readonly")}, step.id


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_end_says_something_else(file: Path) -> None:
    document = read(file.read_bytes())
    labels = [step.config["label"] for step in document.steps if step.type == "end"]
    assert len(set(labels)) == len(labels)
    assert labels


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_groups_hold_each_step_at_most_once(file: Path) -> None:
    grouped = [step for group in read(file.read_bytes()).groups for step in group.steps]
    assert len(set(grouped)) == len(grouped)
