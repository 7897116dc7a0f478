"""The demo as a new user gets it: its people have worked in the past weeks, and what they did can be seen, proved and gone on with."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests import demo_folder
from tests.journeys.conftest import Demo, Program, Visitor, serving
from tests.journeys.test_reviewers_questions import Case

pytestmark = pytest.mark.slow


@pytest.fixture(name="lived", scope="module")
def fixture_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with its past, as `bin/demo` makes it."""
    with serving(demo_folder.with_past(tmp_path_factory, tmp_path_factory.mktemp("lived") / "data")) as demo:
        yield demo


def test_automations_have_failed_and_were_healed(lived: Demo) -> None:
    gita = Program(lived, "gita")
    failed = gita("GET", "/executions?workflow=welcome&status=failed")[1]["data"]
    assert len(failed) >= 3  # and whoever had a step due while the account was closed
    assert {run["status"] for run in failed} == {"failed"}
    for run in failed:
        assert (
            "The service account Growth automation is closed"
            in gita("GET", f"/runs/{run['id']}")[1]["reason"]
        )
        again = gita("GET", f"/executions?rerun_of={run['id']}")[1]["data"]
        assert [(other["record"], other["status"]) for other in again] == [(run["record"], "completed")]
    assert gita("GET", "/incidents")[1]["data"] == []


def test_each_workflow_with_people_shows_runs_of_several_kinds(lived: Demo) -> None:
    mona, stan = Program(lived, "mona"), Program(lived, "stan")
    kinds = {
        workflow: {
            run["status"] for run in program("GET", f"/executions?workflow={workflow}&limit=100")[1]["data"]
        }
        for program, workflow in (
            (mona, "kyc-review"),
            (mona, "customer-refund"),
            (stan, "supplier-onboarding"),
        )
    }
    assert {"completed", "saved"} <= kinds["kyc-review"]
    assert {"completed", "saved"} <= kinds["customer-refund"]
    assert len(kinds["supplier-onboarding"]) > 1
    assert not any("failed" in found for found in kinds.values())


def test_the_past_is_in_the_log_and_proved(lived: Demo) -> None:
    told = lived.command("verify")
    assert told.returncode == 0, told.stdout + told.stderr
    weeks_ago = (datetime.now(UTC) - timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert Program(lived, "ada")("GET", f"/activity-logs?limit=5&createdAt.lt={weeks_ago}")[1]["data"]
    assert lived.command("doctor").returncode == 0


@pytest.fixture(name="overruled", scope="module")
def fixture_overruled(lived: Demo) -> str:
    """The line of a report that names the one decision against what was proposed."""
    page = Visitor(lived, "ada").get("/reports/what-was-decided").text
    [line] = re.findall(
        r"<tr>(?:(?!</tr>).)*Changed what was proposed at “[^”]+”(?:(?!</tr>).)*</tr>", page, re.DOTALL
    )
    return str(line)


@pytest.fixture(name="watched", scope="module")
def fixture_watched(lived: Demo, overruled: str) -> Case:
    """Its case, as a reviewer comes to it from there."""
    replay = re.search(r'href="(/runs/\w+)/replay"', overruled)
    assert replay is not None
    return Case(Visitor(lived, "rosa"), replay[1])


def test_a_reviewer_sees_what_was_proposed_when_from_which_page_and_whether_that_was_opened(
    watched: Case,
) -> None:
    screen = watched.at("completed “Red flags”")
    assert re.search(
        r"Proposed by: [^|·]+ · There since: [^|·]+ · Decided by: [^|·]+ · Before them: [^|·]+ · Sources opened: \d+ of \d+",
        screen,
    )
    assert re.search(r"Proposed: “[^”]+” \| [^|]+ \| (?!Source,)[^|]+, p\. \d+ \| never opened", screen), (
        "each value with the page that it rests on"
    )


def test_4_an_auditor_finds_each_decision_against_the_ai_with_its_author_and_comes_to_its_replay(
    overruled: str, watched: Case
) -> None:
    assert re.search(r">Proposal overruled<.*>\w+ \w+<", overruled, re.DOTALL)
    assert "Edited" in watched.at("completed “Red flags”")
