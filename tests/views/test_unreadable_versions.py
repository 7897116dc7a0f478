"""A live version that this release cannot read: its own pages say so, and nothing that shows or does many things at once breaks over it."""

from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from console.automation import enrolments, triggers
from console.automation.enrolments import Question
from console.infra.db.engine import fetch
from tests.automation.enrolments.test_many_starts import RESTING
from tests.runs.engine.test_hands_off import document, robot

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

OF_MANY = (
    "/",
    "/operations",
    "/workflows",
    "/my-work",
    "/work",
    "/outbox",
    "/executions",
    "/incidents",
    "/activity",
    "/settings/ai",
    "/settings/alerts",
    "/settings/channels",
    "/c/customer",
    "/c/customer/1",
    "/workflows/nightly-check/enrolled",
)
OF_IT = ("/workflows/nightly-check", "/workflows/nightly-check/metrics", "/workflows/nightly-check/triggers")
_FOREIGN = """
insert into console.workflow_version (workflow, number, document, hash, published_at, published_by, note)
select w.id, v.number + 1, convert_to('{"format": 99}', 'UTF8'), 'of another release', v.published_at, v.published_by, v.note
from console.workflow w join console.workflow_version v on v.workflow = w.id and v.number = w.live_version where w.slug = %s returning 1
"""


@pytest.fixture(name="foreign")
def fixture_foreign(pages: "Pages") -> None:
    """Two wait to begin in a workflow of which another release has published the live version."""
    robot()
    workflows.import_file(document(RESTING), publish=True)
    enrolments.batches.begin(
        pages.company.mona, "nightly-check", Question(keys=["1", "2"], values={"level": "low"})
    )
    fetch(_FOREIGN, ("nightly-check",))
    fetch(
        "update console.workflow set live_version = live_version + 1 where slug = %s returning 1",
        ("nightly-check",),
    )
    workflows.queries.forget()


@pytest.mark.parametrize("person", ["ines", "mona", "olivia"])
def test_pages_of_many_things_answer(pages: "Pages", foreign: None, person: str) -> None:
    client = getattr(pages, person).client
    assert {
        path: status
        for path in OF_MANY
        if (status := client.get(path).status_code) not in (200, 302, 303, 403, 404)
    } == {}


def test_runs_of_such_a_version_stand_in_lists_and_say_what_they_are(pages: "Pages") -> None:
    company = pages.company
    held, saved = company.at("note", "1"), company.at("note", "2")
    runs.save(company.olivia, saved, revision=company.told(saved)["revision"])
    fetch(_FOREIGN, ("care-review",))
    fetch("update console.run set version = version + 1 where id = any(%s) returning id", ([held, saved],))
    workflows.queries.forget()
    for person in ("olivia", "mona", "ines"):
        client = getattr(pages, person).client
        paths = (*OF_MANY, "/workflows/care-review/executions", "/c/customer/1?tab=activity")
        assert {
            path: status
            for path in paths
            if (status := client.get(path).status_code) not in (200, 302, 303, 403, 404)
        } == {}
    assert "A step of another release" in pages.olivia.get("/").text
    assert "cannot be read here" in pages.olivia.get(f"/runs/{held}", status=409).text


def test_the_pace_is_unknown_and_the_own_pages_say_what_to_do(pages: "Pages", foreign: None) -> None:
    assert "Unknown: its version cannot be read here" in pages.ines.get("/operations").text
    for path in OF_IT:
        assert "Update the console, or publish the workflow again" in pages.mona.get(path, status=409).text
    assert pages.stan.get(OF_IT[0], status=404)


def test_the_duties_of_the_worker_go_on_for_all_others(pages: "Pages", foreign: None) -> None:
    assert triggers.synchronise() >= 1
    assert enrolments.exits.check_idle_leads() == 0
    assert enrolments.exits.look() == 0
