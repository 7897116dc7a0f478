"""Stop waiting for documents: what came and was typed outside until then stays with the run."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from console import runs
from console.core.errors import Conflict
from console.documents import requests
from console.infra.db.engine import fetch
from tests.company import Company
from tests.papers import asking, pdf, picture
from tests.runs.commands.test_midway import failing

Told = dict[str, Any]
IBAN = {"iban": "LT459999900012345678"}


def page(company: Company, run_id: str) -> requests.Page:
    """The page outside, by the link that Olivia has."""
    link = requests.link(company.olivia, run_id, "https://console.example")
    return requests.open_link(link.rpartition("/")[2], "192.0.2.1")


def half_done_and_stopped(company: Company) -> str:
    """A run that somebody stopped waiting in after a picture came and a field was half typed."""
    run_id = asking(company)
    half = page(company, run_id)
    requests.take(half, "photos", "a.jpg", picture())
    requests.keep(half, {"iban": "LT45", "staff": ""})
    requests.stop_waiting(company.olivia, run_id, revision=company.told(run_id)["revision"])
    return run_id


def chosen(company: Company, run_id: str, outcome: str, **values: Any) -> Told:
    told = company.told(run_id)
    filled = {
        field["name"]: field["value"]
        for field in told["current"]["form"]["fields"]
        if field["value"] is not None
    }
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=told["revision"], values=filled | values, outcome=outcome),
    )
    return company.told(run_id)


def test_who_stops_waiting_has_what_came_and_was_typed_until_then(company: Company) -> None:
    run_id = half_done_and_stopped(company)
    output = chosen(company, run_id, "expired", reason="They are late.")["context"]["note"]
    assert [output[name] for name in ("received", "lacking", "iban", "unsent")] == [
        ["photos"],
        ["extract"],
        None,
        {"iban": "LT45"},
    ]
    assert output["documents"]["photos"][0]["name"] == "a.jpg"


def test_what_came_before_somebody_stopped_waiting_is_handed_in_with_the_rest(company: Company) -> None:
    run_id = half_done_and_stopped(company)
    assert "photos" in str(company.told(run_id)["current"]["form"]["fields"])
    sent = runs.attachments.attach(
        company.olivia, run_id, step="note", field="extract", name="b.pdf", content=pdf(3)
    )
    output = chosen(company, run_id, "received", extract=[sent.id], iban=IBAN["iban"])["context"]["note"]
    assert (output["received"], output["iban"]) == (["extract", "photos"], IBAN["iban"])


def test_asked_again_and_again_they_find_their_own_words_as_theirs(company: Company) -> None:
    run_id = half_done_and_stopped(company)
    chosen(company, run_id, "write")
    assert {field.name: field.value for field in page(company, run_id).fields}["iban"] == "LT45"
    state = requests.state(company.olivia, run_id)
    assert state is not None
    assert [answer.ours for answer in state.answers if answer.here or answer.label == "IBAN"] == [False]
    requests.stop_waiting(company.olivia, run_id, revision=company.told(run_id)["revision"])
    assert chosen(company, run_id, "expired", reason="Late again.")["context"]["note"]["unsent"] == {
        "iban": "LT45"
    }


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "expired"])
def test_what_arrives_while_the_wait_ends_is_kept_or_refused_and_never_lost(
    company: Company, stopped: bool
) -> None:
    run_id = asking(company)
    half = page(company, run_id)
    revision = company.told(run_id)["revision"]

    def end() -> None:
        if stopped:
            requests.stop_waiting(company.olivia, run_id, revision=revision)
        else:
            fetch(
                "update console.document_request set until = now() + interval '1 second' where run = %s returning id",
                (run_id,),
            )
            time.sleep(1.05)
            requests.letters()

    taken: list[str] = []
    with failing("runs.write.before=sleep:1"), ThreadPoolExecutor() as threads:
        ending = threads.submit(end)
        while not ending.done():
            name = f"picture{len(taken)}.jpg"
            with suppress(Conflict):
                requests.take(half, "photos", name, picture(size=(60, 40 + len(taken))))
                taken.append(name)
            time.sleep(0.1)
        ending.result()
    assert company.told(run_id)["status"] != "waiting_event"
    kept = str(company.told(run_id))
    assert all(name in kept for name in taken), (taken, kept)
