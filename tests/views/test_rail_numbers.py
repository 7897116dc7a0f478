"""The numbers of the rail: what waits for oneself, and whether some of it is late."""

from datetime import timedelta
from typing import TYPE_CHECKING

from console.db.engine import fetch
from console.work import questions, tasks
from tests.company import Company
from tests.work import test_answers
from tests.work.test_tasks import begin

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_the_rail_counts_ones_own_tasks_and_those_past_their_day(company: Company, pages: "Pages") -> None:
    for number, due in enumerate(("addDays(today(), 14)", "addDays(today(), 1)")):
        begin(company, {"due": due}, f"with-task-{number}")
    first, last = tasks.tasks_of(company.mona)
    assert first.due_on is not None
    assert last.due_on is not None
    assert first.due_on < last.due_on
    assert tasks.to_do(company.mona, first.due_on, ()) == (2, 0), "until its day has passed it is not late"
    assert tasks.to_do(company.mona, first.due_on + timedelta(days=1), ()) == (2, 1)
    assert tasks.to_do(company.olivia, last.due_on, ()) == (0, 0)
    assert "to decide2 to do" in pages.mona.get("/notices?shown=", htmx="bell").text
    tasks.close(company.mona, last.id, "done")
    fetch("update console.task set due_on = '2026-01-01' where status = 'open' returning 1")
    assert tasks.to_do(company.tom, last.due_on, [company.mona.id]) == (1, 1), "who stands in for her has it, too"
    assert "to decide1 overdue" in pages.mona.get("/notices?shown=", htmx="bell").text


def test_the_rail_counts_the_questions_that_one_has_not_answered(company: Company) -> None:
    test_answers.begin(company, {"needs": 2})
    people = ("tom", "mona", "stan", "olivia")

    def counted() -> list[int]:
        return [questions.to_answer(company.people[who], ()) for who in people]

    assert counted() == [len(questions.open_for(company.people[who])) for who in people] == [1, 1, 0, 0]
    questions.answer(company.tom, questions.open_for(company.tom)[0].id, {"how": "seen"}, "yes")
    assert counted() == [len(questions.open_for(company.people[who])) for who in people]
