"""The same day makes the same company; another day moves its dates and nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest

from console.demo import company, payments, stories
from console.demo.world import World, dice, lognormal, spread

pytestmark = pytest.mark.slow

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


def test_every_row_of_a_table_has_the_same_columns_in_the_same_order(world: World) -> None:
    for name, rows in {**world.core, **world.supply}.items():
        assert {tuple(row) for row in rows} == {tuple(rows[0])}, name


def test_names_addresses_and_numbers_are_made_up(world: World) -> None:
    """Nothing leads to anybody: reserved domains, bank codes of no bank, numbers kept for fiction."""
    mails = [row["email"] for row in world.core["customer"] + world.supply["contact"]] + [
        row["main_email"] for row in world.supply["supplier"]
    ]
    assert all(mail is None or mail.endswith(".example") for mail in mails)
    ibans = [row["iban"] for row in world.core["account"]] + [row["iban"] for row in world.supply["supplier_bank_account"]]
    assert all(iban[4:9] == "99999" for iban in ibans)
    assert len(ibans) == len(set(ibans))
    phones = [row["phone"] for row in world.core["customer"] + world.supply["contact"] if row["phone"]]
    assert all(phone.startswith(("+44 20 7946 0", "+1 202 555 01", "+49 30 23125 ", "+46 70 174 06 ")) for phone in phones)


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


def test_paths_of_papers_are_distinct_and_stay_in_their_folder(world: World) -> None:
    paths = [paper.path for paper in world.papers]
    assert len(set(paths)) == len(paths)
    assert all(path == f"{path.split('/')[0]}/{paper.row['file_path']}" for path, paper in zip(paths, world.papers, strict=True))
    assert all(".." not in path and not path.startswith("/") for path in paths)


def test_story_charges_come_first_and_keep_their_ids(world: World) -> None:
    assert [row["id"] for row in world.core["charge"][: len(payments.STORY_IDS)]] == list(payments.STORY_IDS)


def test_spread_has_each_value_as_often_as_told() -> None:
    counts: dict[str, Any] = {"a": 3, "b": 0, "c": 5}
    drawn = spread(counts, dice("test"))
    assert {name: drawn.count(name) for name in counts} == counts


def test_lognormal_has_the_median_and_spread_asked_for() -> None:
    values = sorted(lognormal(1001, 42.0, 1.2, dice("test")))
    assert values[500] == pytest.approx(42.0)
    assert values[841] / 42.0 == pytest.approx(2.718281828**1.2, rel=0.01)
