"""Workflows as cards: who sees which, what they say of live runs and of those that ended, and how few statements that takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from console import monitoring, runs, workflows
from console.db.engine import hot_engine
from console.monitoring import Card
from tests.company import DOCUMENT, STEPS, Company
from tests.support.failing import failed


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that our database is asked meanwhile."""
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    sa.event.listen(hot_engine(), "before_cursor_execute", note)
    yield said
    sa.event.remove(hot_engine(), "before_cursor_execute", note)


def cards(company: Company, who: str = "olivia") -> dict[str, Card]:
    return {card.known.slug: card for card in monitoring.cards(company.people[who], "UTC")}


def test_a_card_says_what_a_workflow_is_and_what_came_of_its_runs(company: Company) -> None:
    company.started("1")
    company.finished("2")
    company.finished("4")
    short = [STEPS[0] | {"next": {"default": "end"}}, STEPS[-1]]
    workflows.import_file(DOCUMENT | {"slug": "draft-one", "title": "A draft", "collection": None, "steps": short})
    found = cards(company)
    assert [*found] == ["draft-one", "care-review"]
    draft, live = found.values()
    assert (draft.steps, draft.published_at, draft.live_runs, draft.collection, draft.success, len(draft.days)) == (2, None, 0, "", None, 7)
    assert (live.steps, live.team, live.collection, live.live_runs, live.success) == (len(STEPS), "Operations", "Customers", 1, 1.0)
    assert [day.all for day in live.days] == [0, 0, 0, 0, 0, 0, 2]
    assert live.published_at is not None
    assert ([*cards(company, "ada")], cards(company, "stan")) == (["draft-one", "care-review"], {})
    assert (cards(company, "mona")["care-review"].may_switch, live.may_switch) == (True, False)


def test_success_leaves_out_what_people_ended(company: Company) -> None:
    failed(company, "1")
    assert (cards(company)["reminding"].success, cards(company)["reminding"].days[-1].wrong) == (0.0, 1)
    runs.abort(company.olivia, company.started("1"), revision=None, reason="Wrong file")
    company.finished("2")
    card = cards(company)["care-review"]
    assert (card.success, card.days[-1].stopped) == (1.0, 1)


def test_who_sees_a_part_of_the_records_counts_that_part(company: Company) -> None:
    company.finished("1")
    company.finished("3")
    assert (cards(company, "olivia")["care-review"].days[-1].done, cards(company, "tom")["care-review"].days[-1].done) == (2, 1)


def test_cards_ask_the_database_alike_for_one_workflow_and_for_many(company: Company) -> None:
    def asked() -> int:
        workflows.versions._forget()
        with counted() as said:
            monitoring.cards(company.mona, "UTC")
        return len(said)

    few = min(asked() for _ in range(3))  # one of them may compare what is kept for a second
    for number in range(12):
        workflows.import_file(DOCUMENT | {"slug": f"care-{number}"}, publish=True)
    assert (min(asked() for _ in range(3)), few) == (few, 5)


def test_the_numbers_of_a_picture_are_two_statements_however_many_runs_there_are(company: Company) -> None:
    known = next(each for each in workflows.all_known() if each.slug == "care-review")
    for record in ("1", "2", "3"):
        company.finished(record)
        monitoring.endings.endings(company.mona, known, 30, "UTC")
        with counted() as said:
            came = monitoring.endings.endings(company.mona, known, 30, "UTC")
        assert (len(said), came.begun) == (2, int(record)), said
