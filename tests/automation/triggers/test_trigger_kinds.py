"""The kinds of triggers and of what starts runs are one list each: pages, the API, its description and the documentation have them all."""

import json
from pathlib import Path
from typing import get_args

from console.automation import triggers as automation
from console.core.documents.triggers import Trigger, TriggerKind
from console.core.drafting import difference_labels
from console.core.run.origin import StartKind
from console.runs.views import run_filters
from console.views.api import openapi
from console.views.app import create_app
from console.views.editor import values_in_words
from console.views.workflows import executions

KINDS, STARTS = set(get_args(TriggerKind)), set(get_args(StartKind))
DOCS = Path(__file__).parents[3] / "docs" / "reference"


def test_each_kind_of_trigger_may_start_runs_and_has_its_words_everywhere() -> None:
    assert KINDS < STARTS
    assert set(values_in_words.TRIGGERS) == set(difference_labels.TRIGGERS) == KINDS
    assert set(executions.TRIGGER_WORDS) == set(run_filters.TRIGGERS) == STARTS
    assert len(
        {automation.trigger_words(Trigger.model_validate({"id": "one", "kind": kind})) for kind in KINDS}
    ) == len(KINDS)


def test_each_kind_is_documented() -> None:
    triggers, runs = ((DOCS / name).read_text() for name in ("triggers.md", "shapes-of-runs.md"))
    assert {kind for kind in STARTS if f"`{kind}`" not in triggers} == set()
    assert {kind for kind in STARTS if f"`{kind}`" not in runs} == set()


def test_the_description_of_the_api_names_each_kind() -> None:
    described = json.loads(json.dumps(openapi.document(create_app())))["components"]["schemas"]
    assert (
        set(described["CreatedTrigger"]["properties"]["kind"]["enum"])
        == set(described["TriggerListed"]["properties"]["kind"]["enum"])
        == KINDS
    )
    assert set(described["Trigger"]["properties"]["kind"]["enum"]) == STARTS
