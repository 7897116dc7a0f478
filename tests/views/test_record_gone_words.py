"""What a run's page says is left to do where its record is gone."""

from collections.abc import Mapping
from typing import Any

from console.views.run import notices
from tests.tables import cases
from tests.views.test_run_words import ANA, LOOK, view


@cases(
    ("run", "can", "left"),
    [
        ({}, [], "The run can be saved or aborted."),
        ({}, ["complete"], "This step does without it."),
        ({"mode": "hands_off", "status": "waiting_event", "holder": None}, [], "leaves within minutes"),
        ({"status": "completed", "ended_at": "2026-11-20T10:07:00Z"}, [], "what you may see."),
    ],
)
def test_what_is_left_to_do_without_the_record(run: Mapping[str, Any], can: list[str], left: str) -> None:
    [note] = [
        each
        for each in notices.notices_of(view(frozenset(can), more={"gone": True}, **run), ANA, LOOK, None, [])
        if "no longer" in each.head
    ]
    assert left in note.text
    assert ("saved" in note.text) == (not run and not can)
