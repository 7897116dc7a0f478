"""What a person took over from a proposal is kept from whoever may not read what it rests on, in every answer, and what was made of it too."""

import pytest

from console import runs
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.views import proposals
from tests.views.test_masked_everywhere import Reader, of_run

pytestmark = pytest.mark.lengthy

MARK = "QZ7731MARK"
LATER = {
    "id": "told",
    "type": "guidance",
    "title": "Told",
    "config": {"text": "They noted {{ steps.note.note }}."},
    "next": {"default": "rate"},
}


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The company's workflow, with a step after the note that tells it."""
    steps = [dict(step) for step in DOCUMENT["steps"]]
    place = next(number for number, step in enumerate(steps) if step["id"] == "note")
    after = steps[place]["next"]["default"]
    steps[place]["next"] = {"default": "told"}
    steps.insert(place + 1, LATER | {"next": {"default": after}})
    monkeypatch.setattr(proposals, "DOCUMENT", DOCUMENT | {"steps": steps})


def walked(company: Company, typed: str, **source: str) -> str:
    """A run at the step that tells the note, which was proposed from this source and handed in so."""
    company.sql("update customer set tax_id = ? where id = 1", MARK)
    run = proposals.at(company, "note", by="mona")
    proposals.arrives(
        company,
        run,
        proposals.value("note", MARK, "high", "It stands there.", proposals.source(**source)),
        by="mona",
    )
    company.answer(run, "mona", note=typed)
    assert company.told(run, "mona")["current"]["step"] == "told"
    return run


HIDDEN = {"field": "tax_id", "quote": MARK}


def readers(company: Company) -> tuple[Reader, Reader]:
    app = web_app()
    return Reader(company, app, "olivia"), Reader(company, app, "mona")


def test_it_is_kept_from_who_may_not_read_the_source(company: Company, document: None) -> None:
    run = walked(company, MARK, **HIDDEN)
    last = company.told(run, "mona")["last_event"]
    blind, sees = readers(company)
    for address in (
        *of_run(run, last),
        "/api/v1/collections/customer/records/1",
        "/c/customer/1?tab=activity",
    ):
        assert not blind.leaks(address), address
    for address in (
        f"/api/v1/runs/{run}",
        f"/api/v1/runs/{run}/events?limit=100",
        f"/api/v1/runs/{run}/replay",
        f"/runs/{run}?tab=context",
    ):
        assert sees.leaks(address), address
    told = runs.replay(company.olivia, run).json
    assert (told["run"]["context"]["note"]["note"], "run.context.note.note" in told["masked"]) == (None, True)


def test_what_a_person_wrote_instead_is_theirs(company: Company, document: None) -> None:
    run = walked(company, "Something else entirely, in my own words", **HIDDEN)
    assert (
        company.told(run, "olivia")["context"]["note"]["note"] == "Something else entirely, in my own words"
    )


def test_what_rests_on_what_the_reader_may_read_stays(company: Company, document: None) -> None:
    run = walked(company, MARK, field="desk")
    assert company.told(run, "olivia")["context"]["note"]["note"] == MARK
