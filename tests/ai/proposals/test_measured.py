"""Figures over runs that went the whole way: asked by a worker, answered over HTTP, shown, and handed in by a person."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anthropic  # noqa: F401 (its import takes a second of the first call's deadline)

from console import runs
from console.ai.evaluation import cases, measure
from console.ai.evaluation.cases import Wanted
from console.ai.evaluation.figures import Figures
from console.ai.evaluation.measure import Window

if TYPE_CHECKING:
    from tests.ai.proposals.conftest import House


def handed_in(
    house: "House", record: str, *, manual: bool = False, opened: bool = False, **changed: Any
) -> str:
    """A run whose form was proposed and then handed in: as proposed, but for what is changed."""
    run_id = house.at_judge(record)
    proposal = house.proposed(run_id)
    values = {each["name"]: each["value"] for each in proposal["fields"]}
    if opened:
        runs.source_opened(house.company.olivia, run_id, source="record", collection="customer", key=record)
    told = house.company.told(run_id)
    typed = values | changed
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(step="judge", revision=told["revision"], values=typed, handled_manually=manual),
    )
    return run_id


def total(house: "House") -> Figures:
    """What Mona is told of the last thirty days."""
    return measure.report(house.company.mona, Window(datetime.now(UTC) + timedelta(minutes=1))).total


def test_what_people_do_is_what_is_counted(house: "House") -> None:
    handed_in(house, "1")
    first = total(house)
    assert (first.asked, first.proposed, first.decided, first.shown) == (1, 1, 1, 1)
    assert first.values >= 1
    assert first.accepted == first.values
    assert first.whole == first.taken == 1
    assert (first.quick, first.unopened) == (1, 1)
    assert first.coverage is not None
    assert 0 < first.coverage <= 1
    assert first.p95_ms is not None
    handed_in(house, "2", display_name="Somebody else altogether")
    second = total(house)
    assert second.edited == 1
    assert second.precision is not None
    assert second.precision < 1
    page = cases.find_cases(
        house.company.mona, Window(datetime.now(UTC) + timedelta(minutes=1)), Wanted(became="edited")
    )
    assert [name for name, _, became in page.rows[0].values if became == "edited"] == ["display_name"]


def test_a_step_done_by_hand_and_a_provider_that_is_down(house: "House") -> None:
    handed_in(house, "1", manual=True)
    house.model.fault("http_529", times=None)
    run_id = house.at_judge("2")
    house.work()
    told = house.company.told(run_id)
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(
            step="judge",
            revision=told["revision"],
            values={"display_name": "T", "balance": "1", "verdict": "x"},
            outcome=None,
        ),
    )
    found = measure.report(house.company.mona, Window(datetime.now(UTC) + timedelta(minutes=1)))
    assert (found.total.by_hand, found.total.decided, found.total.proposed) == (1, 2, 1)
    assert found.total.ignored >= 1
    assert {group.key[0] for group in found.reasons} == {"chosen", "overloaded"}
