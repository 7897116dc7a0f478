"""Create task: what its settings take, and the task that it asks for. With people: tests/work/test_tasks.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.steps.create_task import CreateTaskConfig

SMALLEST: dict[str, Any] = {"title": "Look", "team": "operations"}
FURTHER: list[dict[str, Any]] = [{"once": "{{ record.id }}"}]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"team": None}, "for nobody"),
        ({"title": ""}, "at least 1 character"),
        ({"waits": "yes"}, "valid boolean"),
        ({"waits": True, "once": "it"}, "not waited for"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CreateTaskConfig.model_validate({**SMALLEST, **settings})
