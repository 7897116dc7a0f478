"""The picture of an automation: how many took each way, and that it can be narrowed to those in one version."""

from typing import Any

from console import accounts, enrolments, runs, workflows
from console.activity import sequencing
from console.enrolments import Question
from tests.company import DOCUMENT
from tests.conftest import web_app
from tests.jobs import BEGINNING, work_until_idle
from tests.messages import reached
from tests.support.engine import step
from tests.views.conftest import Pages

ROBOT = "robot@fernwick.example"
HERE = "/workflows/care-review/enrolled"


def ways_by_call(pages: Pages) -> dict[str, dict[str, int]]:
    """Step → way → how many runs took it, as a program reads it."""
    key = {"Authorization": f"Bearer {accounts.create_key('figures', pages.company.mona.id).text}"}
    told = web_app().test_client().get("/api/v1/workflows/care-review/metrics", headers=key).get_json()["ways"]
    return {step: {each["way"]: each["runs"] for each in told if each["step"] == step} for step in {each["step"]: None for each in told}}


def test_the_picture_counts_who_took_a_way_and_is_narrowed_to_a_version(pages: Pages) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    pause = step("pause", "wait", "end", {"event": "tag.added", "timeout": "P2D"}) | {"next": {"event": "end", "timeout": "end"}}
    sort = step(
        "sort", "condition", None, {"branches": [{"if": "record.id == 1", "outcome": "out"}, {"if": "record.id == 4", "outcome": "other"}]}
    )
    sort["next"] = {"out": "end", "other": "end", "default": "pause"}
    document = DOCUMENT | {"run_as": ROBOT, "steps": [step("start", "start", "sort"), sort, pause, step("end", "end", None, {})]}
    workflows.import_file(document, publish=True)
    address, former = "/workflows/care-review", workflows.live("care-review").number

    def enrol(*keys: str) -> None:
        enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=keys))
        work_until_idle(BEGINNING)
        pages.company.work()
        sequencing.catch_up()
        enrolments.counts.follow()

    def here(page: Any) -> dict[str, str]:
        return {told["data-step"]: told["data-here"] for told in page.with_attribute("data-here")}

    enrol("1", "3", "4")
    first = pages.mona.get(address)
    took = {(told["data-to"], told["data-label"]): told["data-took"] for told in first.with_attribute("data-took")}
    assert took == {("end", "Out"): "2", ("end", "Other"): "2", ("pause", "Otherwise"): "1"} | {("sort", ""): "3"}
    assert ways_by_call(pages) == {
        "start": {"default": 3},
        "sort": {"out": 1, "other": 1, "default": 1},
        "pause": {"event": 0, "timeout": 0},
    }
    assert "Way n took this way" in first.text
    assert "Whom the picture counts" not in first.html, "everybody is in the same version"
    workflows.import_file(document | {"description": "Said better"}, publish=True)
    enrol("2")
    both = pages.mona.get(address)
    narrowed = f"{address}?people={former}"
    assert narrowed in both.links
    assert (here(both), here(pages.mona.get(narrowed)), here(pages.mona.get(f"{address}?people=999"))) == (
        {"pause": "2"},
        {"pause": "1"},
        {"pause": "2"},
    )
    assert f"{HERE}?step=pause&version={former}" in pages.mona.get(narrowed).links


def test_the_picture_of_guided_work_counts_who_took_a_way_too(pages: Pages) -> None:
    company, address = pages.company, "/workflows/care-review"
    assert "What the numbers mean" not in pages.mona.get(address).html
    company.finished("1")
    company.at("decide", "3")
    undone = company.at("decide", "2")
    told = company.told(undone)
    runs.complete(company.olivia, undone, runs.Submission(step="decide", revision=told["revision"], values={}, outcome="again"))
    told = company.told(undone)
    runs.revise(company.olivia, undone, step="decide", attempt=None, revision=told["revision"], reason="Wrong")
    page = pages.mona.get(address)
    took = {(told["data-to"], told["data-label"]): told["data-took"] for told in page.with_attribute("data-took")}
    assert took["result", "Approve"] == "1"
    assert ways_by_call(pages)["decide"]["approve"] == 1
    assert ("back", "Look again") not in took, "what was taken back is no way that was taken"
    passed = {told["data-step"]: told["data-passed"] for told in page.with_attribute("data-passed")}
    assert (passed["decide"], passed["result"]) == ("3", "1")
    assert "n came there in 30 days" in page.text
    assert "Way n took this way" in page.text
    assert 'id="glance"' not in page.html, "nobody is in guided work by itself"


def test_beside_the_picture_is_what_left_in_the_last_24_hours(pages: Pages) -> None:
    reached.founded(pages.company)
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    address = "/workflows/" + reached.workflow("hello", [{"id": "sms", "type": "sms", "config": {"text": "Hello"}}])
    workflows.import_file(workflows.live("hello").document.to_json() | {"run_as": ROBOT}, publish=True)
    with reached.clock(reached.NOON):
        assert "Last 24 hours" not in pages.mona.get(address).text
        enrolments.batches.begin(pages.company.olivia, "hello", Question(keys=(reached.SAM,)))
        work_until_idle(BEGINNING)
        reached.work()
        told = pages.mona.get(address)
    assert "Last 24 hours 1 sent or called" in told.text
    assert "put off" not in told.html
    assert "1 sent or called in the last 24 hours, most of them in the hour from 19:00 on." in told.html
