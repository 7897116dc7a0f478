"""End: the run is over, with a label."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.steps.end import EndConfig
from tests.steps.walk import complete, context

SMALLEST: dict[str, Any] = {}


def test_the_label_says_how_it_went() -> None:
    assert complete("end", {"label": "approved"}, context(), next=()).ends == "approved"
    assert complete("end", {}, context(), next=()).ends == "completed"


def test_nothing_follows() -> None:
    assert steps.get("end").outcomes(EndConfig.model_validate({})) == ()


@pytest.mark.parametrize("label", ["", "x" * 81])
def test_a_label_is_short_and_says_something(label: str) -> None:
    with pytest.raises(ValidationError):
        EndConfig.model_validate({"label": label})
