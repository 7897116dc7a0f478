"""Questions about a run over the API: as beside its page, asked and read with a key, and answered within what the key reaches."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from console.ai import cases
from console.ai.cases import Place
from console.auth import accounts
from console.auth.access import Scopes
from console.infra import jobs
from tests.ai.proposals.conftest import House
from tests.ai.proposals.test_case_questions import STORY, said_by_model, sentence, source_of
from tests.conftest import web_app
from tests.jobs import worked

pytestmark = pytest.mark.lengthy


def caller(house: House, who: str = "olivia", scopes: Scopes | None = None) -> FlaskClient:
    """A program with a key of its own."""
    client = web_app().test_client()
    key = accounts.create_key("asking", house.company.people[who].id, scopes=scopes)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key.text}"
    return client


def asked(client: FlaskClient, run_id: str, question: str, **headers: str) -> Any:
    answer = client.post(f"/api/v1/runs/{run_id}/ask", json={"question": question}, headers=headers)
    told = answer.get_json()
    assert (answer.status_code, told.get("status")) in {(202, "pending"), (200, "ready")}, answer.text
    return told


def test_a_program_asks_waits_for_the_worker_and_reads_sentences_with_their_sources(house: House) -> None:
    run_id, client = house.at_judge(story=STORY), caller(house)
    house.model.obey(said_by_model())
    asked(client, run_id, "Who is the employer?")
    worked({jobs.ASK})
    heard = source_of(house, "Baltic Timber")
    house.model.obey(
        said_by_model(*sentence(1, "The employer is Baltic Timber.", "my employer is Baltic Timber", heard))
    )
    calls = len(house.model.asked)
    told = asked(client, run_id, "Who is the employer?", X_Idempotency_Key="once")
    assert asked(client, run_id, "Who is the employer?", X_Idempotency_Key="once")["id"] == told["id"]
    assert (told["status"], len(house.model.asked)) == ("pending", calls), "no web thread asks a model"
    address = f"/api/v1/runs/{run_id}/ask/{told['id']}"
    assert client.get(address).headers["Retry-After"] == "1"
    worked({jobs.ASK})
    answer = client.get(address)
    assert "Retry-After" not in answer.headers
    ready = answer.get_json()
    assert (ready["status"], ready["found"], ready["by"]) == ("ready", True, "model")
    [said] = ready["sentences"]
    assert said["text"] == "The employer is Baltic Timber."
    assert (said["sources"][0]["step"], said["sources"][0]["quote"]) == ("hear", STORY)
    listed = client.get(f"/api/v1/runs/{run_id}/ask").get_json()["data"]
    assert [each["id"] for each in listed][-1] == told["id"]


def test_what_is_asked_with_a_key_is_answered_from_what_the_key_reaches(house: House) -> None:
    run_id = house.at_judge(story=STORY)
    narrow = caller(house, scopes=Scopes(collections=frozenset({"customer"})))
    for client, reaches in ((narrow, False), (caller(house), True)):
        house.model.requests.clear()
        asked(client, run_id, "Which of the accounts is closed?")
        worked({jobs.ASK})
        assert ("closed" in house.sent.replace("accounts is closed?", "")) is reaches
    house.model.fault("http_529", times=None)
    searched = asked(narrow, run_id, "closed accounts")
    worked({jobs.ASK})
    ready = narrow.get(f"/api/v1/runs/{run_id}/ask/{searched['id']}").get_json()
    assert ready["by"] == "search"
    assert "closed" not in str(ready["sentences"])


def test_nobody_reads_what_others_or_other_keys_asked_and_who_may_not_see_the_run_is_told_of_none(
    house: House,
) -> None:
    run_id = house.at_judge(story=STORY)
    own = cases.ask(house.company.olivia, Place(run=run_id), "Who is the employer?")
    client = caller(house)
    told = asked(client, run_id, "Who is the employer?")
    address = f"/api/v1/runs/{run_id}/ask"
    assert [each["id"] for each in client.get(address).get_json()["data"]] == [told["id"]]
    beside = [each.id for each in cases.questions(house.company.olivia, Place(run=run_id))]
    assert beside == [own, told["id"]], "the person sees what her own keys asked"
    for other in (caller(house), caller(house, "mona")):
        assert other.get(address).get_json()["data"] == []
        assert other.get(f"{address}/{told['id']}").status_code == 404
    stranger = caller(house, "stan")
    refused = [
        stranger.get(address),
        stranger.get(f"{address}/{told['id']}"),
        stranger.post(address, json={"question": "Who?"}),
    ]
    nowhere = stranger.get("/api/v1/runs/run_01j0000000000000000000000a/ask")
    assert {answer.status_code for answer in refused} == {404}
    assert refused[0].get_json()["message"] == nowhere.get_json()["message"]
    wrong = client.post(address, json={"question": "x" * 501})
    assert (wrong.status_code, wrong.get_json()["details"][0]["field"]) == (422, "question")
    asked(client, run_id, "Who else?")
    many = client.post(address, json={"question": "And who else?"})
    assert (many.status_code, many.headers["Retry-After"]) == (429, "5")
