"""Human input: what its settings take. With people: tests/work/test_answers.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.steps.human_input import HumanInputConfig

SMALLEST: dict[str, Any] = {"to": {"team": "operations"}, "question": "Right?"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"to": {}}, "nobody is meant"),
        ({"answers": [{"value": "a", "label": "A"}]}, "two different"),
        ({"otherwise": "x"}, "which one with within"),
        ({"needs": 0}, "greater than or equal"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        HumanInputConfig.model_validate({**SMALLEST, **settings})
