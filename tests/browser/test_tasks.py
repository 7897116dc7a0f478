"""What a person is asked beside runs, by keyboard: a task, a question, a notice; and nothing that axe finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.company import Company
from tests.steps import test_related_records as test_runs_related
from tests.work import test_answers, test_tasks

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def test_a_task_is_closed_with_the_keyboard(screens: Callable[..., "Screen"], company: Company) -> None:
    run_id = test_tasks.begin(company, {"waits": True})
    mona = screens().sign_in("mona")
    page = mona.page
    page.wait_for_selector(".bell .count:has-text('1')")
    mona.press("g", "t")
    page.wait_for_url("**/tasks")
    page.focus("#note-1")
    mona.press("Tab", "Enter")
    page.wait_for_selector(".error:has-text('why it is not done')")
    page.focus("#note-1")
    page.keyboard.type("Nobody answered")
    mona.press("Tab", "Enter")
    page.wait_for_selector("text=No task waits for you.")
    assert company.told(run_id)["current"]["step"] == "sorry"


def test_a_question_is_answered_and_a_notice_read(screens: Callable[..., "Screen"], company: Company) -> None:
    run_id = test_answers.begin(company)
    tom = screens().sign_in("tom")
    tom.press("g", "n")
    page = tom.page
    page.wait_for_url("**/notices")
    tom.press("o")
    page.wait_for_url("**/answers/*")
    page.focus("#outcome")
    tom.press("Space", "Control+Enter")
    page.wait_for_selector(".error:has-text('How is needed')")
    assert page.is_checked("#outcome")
    page.fill("#f-how", "From school")
    tom.press("Control+Enter")
    page.wait_for_url("**/tasks")
    assert company.told(run_id)["current"]["step"] == "fine"


def test_the_pages_for_every_eye(screens: Callable[..., "Screen"], company: Company) -> None:
    test_tasks.begin(company, {"waits": True})
    told = test_runs_related.begin(company, test_runs_related.ACCOUNT, record="1")
    test_answers.begin(company)
    mona = screens().enter("mona")
    faults = []
    for path in ("/tasks", "/tasks?tab=team", "/tasks?tab=done", "/notices"):
        mona.go(path).wait_for_selector(".bell .count")
        faults += mona.faults()
    mona.go("/tasks").click("a:has-text('Answer')")
    mona.page.wait_for_selector("#step-form")
    faults += mona.faults()
    mona.go(f"/runs/{told['id']}").wait_for_selector(".picks, .badge")
    assert faults + mona.faults() == []
