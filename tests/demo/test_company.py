"""The same day makes the same company; another day moves its dates."""

from datetime import date, timedelta

import pytest

from console.demo import company, stories
from console.demo.world import World

pytestmark = pytest.mark.rotating

TODAY = date(2026, 11, 20)


def test_same_day_makes_the_same_rows_and_papers(world: World) -> None:
    again = company.make(TODAY)
    assert again.core == world.core
    assert again.supply == world.supply
    assert again.papers == world.papers


@pytest.mark.parametrize("today", [date(2027, 3, 31), date(2028, 2, 29)])
def test_another_day_moves_dates_and_keeps_people(world: World, today: date) -> None:
    later = company.make(today)
    moved = today - TODAY
    assert {name: len(rows) for name, rows in later.core.items()} == {name: len(rows) for name, rows in world.core.items()}
    for before, after in zip(world.core["customer"], later.core["customer"], strict=True):
        assert before["display_name"] == after["display_name"]
        assert before["next_review_at"] is None or after["next_review_at"] - before["next_review_at"] == moved
    charges = {row["id"]: row for row in later.core["charge"]}
    assert all(charges[row["id"]]["created_at"] - row["created_at"] == moved for row in world.core["charge"])
    adaeze = next(row for row in later.core["kyc_document"] if row["customer_id"] == stories.ADAEZE and row["expires_on"])
    assert adaeze["expires_on"] == today - timedelta(days=45)


def test_live_papers_are_those_of_stories_open_reviews_and_onboarding(world: World) -> None:
    assert 600 <= len(world.papers) <= 750
    live = {row["id"] for row in world.core["kyc_document"] if row["storage"] == "live"}
    drawn = {paper.row["id"] for paper in world.papers if paper.path.startswith("kyc_document/")}
    assert live == drawn
    papers_of: dict[int, set[str]] = {}
    for paper in world.papers:
        if "customer_id" in paper.row:
            papers_of.setdefault(paper.row["customer_id"], set()).add(paper.row["storage"])
    due = [row["id"] for row in world.core["customer"] if row["next_review_at"] and row["next_review_at"] <= TODAY + timedelta(days=30)]
    assert set(due) | set(stories.KYC_RECORDS) <= papers_of.keys()
    onboarding = {row["id"] for row in world.supply["supplier"] if row["status"] == "onboarding"}
    drawn_for = {paper.row["supplier_id"] for paper in world.papers if "supplier_id" in paper.row}
    assert drawn_for <= onboarding
    assert len(onboarding - drawn_for) <= 3  # some have sent nothing yet
