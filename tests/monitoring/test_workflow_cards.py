"""Workflows as cards: what they say of runs, and as far as each reader may see."""

from console import monitoring, workflows
from console.monitoring import Card
from tests.company import DOCUMENT, STEPS, Company


def cards(company: Company, who: str = "olivia") -> dict[str, Card]:
    return {card.known.slug: card for card in monitoring.cards(company.people[who], "UTC")}


def test_a_card_says_what_a_workflow_is_and_what_came_of_its_runs(company: Company) -> None:
    company.started("1")
    company.finished("2")
    company.finished("4")
    short = [STEPS[0] | {"next": {"default": "end"}}, STEPS[-1]]
    workflows.import_file(
        DOCUMENT | {"slug": "draft-one", "title": "A draft", "collection": None, "steps": short}
    )
    found = cards(company)
    assert [*found] == ["draft-one", "care-review"]
    draft, live = found.values()
    assert (
        draft.steps,
        draft.published_at,
        draft.live_runs,
        draft.collection,
        draft.success,
        len(draft.days),
    ) == (2, None, 0, "", None, 7)
    assert (live.steps, live.team, live.collection, live.live_runs, live.success) == (
        len(STEPS),
        "Operations",
        "Customers",
        1,
        1.0,
    )
    assert [day.all for day in live.days] == [0, 0, 0, 0, 0, 0, 2]
    assert live.published_at is not None
    assert ([*cards(company, "ada")], cards(company, "stan")) == (["draft-one", "care-review"], {})
    assert (cards(company, "mona")["care-review"].may_switch, live.may_switch) == (True, False)


def test_who_sees_a_part_of_the_records_counts_that_part(company: Company) -> None:
    company.finished("1")
    company.finished("3")
    assert (
        cards(company, "olivia")["care-review"].days[-1].done,
        cards(company, "tom")["care-review"].days[-1].done,
    ) == (2, 1)
