"""Load related: what its settings take. With people and records: tests/steps/test_related_records.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.steps.load_related import LoadRelatedConfig

SMALLEST: dict[str, Any] = {"items": {"relation": "account", "fields": ["iban"]}, "none": "outcome"}

ITEMS: dict[str, Any] = {"relation": "account", "fields": ["iban"]}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"items": {"entries": "input.a"}}, "only records can be loaded"),
        ({"items": {**ITEMS, "limit": 101}}, "nobody chooses from more than 100"),
        ({"items": {}}, "one of the three"),
        ({"none": "ask"}, "'reason' or 'outcome'"),
        ({"take": "yes"}, "valid boolean"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LoadRelatedConfig.model_validate({"items": ITEMS, **settings})
