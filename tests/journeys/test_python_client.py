"""The Python client against the served application, with people who answer meanwhile; in a tool loop of the `anthropic` package too."""

import asyncio
import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import anthropic
import httpx2
import pytest
from anthropic import beta_tool
from handrail_client import (
    AsyncHandrail,
    DoesNotFit,
    Expired,
    Handrail,
    HandrailError,
    Rejected,
    claim,
    fact,
    verify,
)
from pydantic import BaseModel, Field

from console import runs
from console.activity import sequencing
from console.auth import accounts
from console.infra import files
from console.infra.db.engine import fetch
from console.log import verify as verifier
from console.work import agent_requests
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.journeys.conftest import Demo, Program
from tests.papers import pdf, picture
from tests.servers import model
from tests.views.test_hooks_odd_senders import served

README = Path(__file__).parents[2] / "clients/python/README.md"


class Refund(BaseModel):
    allow: bool
    amount: float = Field(gt=0)
    how: Literal["card", "voucher"]
    note: str | None = None


@pytest.fixture(name="port")
def fixture_port(company: Company) -> Iterator[int]:
    assert company.people
    inboxes.import_all([DESK])
    with served() as port:
        yield port


@pytest.fixture(name="client")
def fixture_client(company: Company, port: int) -> Iterator[Handrail]:
    with Handrail(f"http://127.0.0.1:{port}", accounts.create_key("agent", company.olivia.id).text) as client:
        yield client


def person(company: Company, outcome: str = "answered", **values: Any) -> Thread:
    """Tom, who takes the next request and answers it."""

    def work() -> None:
        for _ in range(400):
            found = fetch(
                "select r.id from console.agent_request q join /* every run */ console.run r on r.id = q.run where r.ended_at is null"
            )
            if found:
                runs.resume(company.tom, found[0][0], revision=None)
                runs.complete(company.tom, found[0][0], runs.Submission("answer", None, values, outcome))
                return
            time.sleep(0.05)

    thread = Thread(target=work)
    thread.start()
    return thread


def test_a_question_has_a_typed_answer(company: Company, client: Handrail) -> None:
    tom = person(company, allow=True, amount="42.5", how="card")
    wish: dict[str, Any] = {"inbox": "desk", "text": "Look.", "once": "4711"}
    wish["context"] = [fact("Paid", "42.50 EUR"), claim("Customer", "It never came")]
    wish["files"] = [("photo.jpg", picture()), ("terms.pdf", pdf(), "fact")]
    answer = client.ask(Refund, "Refund order 4711?", **wish)
    tom.join()
    assert answer == Refund(allow=True, amount=42.5, how="card")
    assert client.ask(Refund, "Refund order 4711?", **wish) == answer
    ((run_id,),) = fetch("select run from console.agent_request")
    kept = [(file.name, file.slot, files.content(file)) for file in files.of_run(run_id)]
    assert kept == [("photo.jpg", "context.claim", picture()), ("terms.pdf", "context.fact", pdf())]
    with pytest.raises(HandrailError, match=r"files\[0\]"):
        client.ask(Refund, "Refund?", inbox="desk", files=[("run.exe", b"MZ\x90\x00" + bytes(200))])


def test_the_same_without_waiting_for_it(company: Company, port: int) -> None:
    key = accounts.create_key("agent", company.olivia.id).text

    async def both() -> list[Refund]:
        async with AsyncHandrail(f"http://127.0.0.1:{port}", key) as client:
            waiting = asyncio.create_task(client.ask(Refund, "Refund?", inbox="desk"))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            tom = person(company, allow=False, amount="1", how="voucher", note="No")
            return [await waiting, Refund(allow=False, amount=1, how="voucher", note="No")] if tom else []

    first, second = asyncio.run(both())
    assert first == second


def test_what_people_reject_or_leave_or_cannot_know_is_raised(company: Company, client: Handrail) -> None:
    tom = person(company, "rejected", rejected_because="Paid before")
    with pytest.raises(Rejected, match="Paid before") as rejected:
        client.ask(Refund, "Refund?", inbox="desk")
    tom.join()
    assert rejected.value.request.answered_by == company.tom.id
    with pytest.raises(HandrailError, match="inbox") as refused:
        client.ask(Refund, "Refund?", inbox="nowhere")
    assert (refused.value.status, refused.value.details[0]["field"]) == (422, "inbox")

    class Code(BaseModel):
        code: str = Field(pattern="^[A-Z]{3}$")

    tom = person(company, code="x")
    with pytest.raises(DoesNotFit, match="code"):
        client.ask(Code, "Which code?", inbox="desk")
    tom.join()
    asked = client.request("Refund?", Refund.model_json_schema(), inbox="desk", due="2099-01-01T00:00:00Z")
    fetch("update console.agent_request set due = now() where id = %s returning 1", (asked.id,))
    with pytest.raises(Expired):
        client.wait(asked.id)


def test_it_waits_while_the_console_is_away_and_goes_on(company: Company, port: int) -> None:
    """The program starts before the console, and asks once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        other = free.getsockname()[1]
    key = accounts.create_key("agent", company.olivia.id).text
    answers: list[Refund] = []

    def program() -> None:
        with Handrail(f"http://127.0.0.1:{other}", key) as client:
            answers.append(client.ask(Refund, "Refund?", inbox="desk", once="one"))

    thread = Thread(target=program)
    thread.start()
    time.sleep(0.5)
    from werkzeug.serving import make_server

    from tests.conftest import web_app

    server = make_server("127.0.0.1", other, web_app(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    person(company, allow=True, amount="3", how="card").join()
    thread.join()
    server.shutdown()
    server.server_close()
    assert answers == [Refund(allow=True, amount=3, how="card")]
    assert fetch("select count(*) from console.agent_request") == [(1,)]


def test_a_function_is_called_with_what_a_person_approved(company: Company, client: Handrail) -> None:
    sent: list[tuple[str, float]] = []

    @client.needs_approval(inbox="desk", context=[claim("Customer", "It never came")])
    def send_refund(order: str, amount: float) -> str:
        """Send a refund."""
        sent.append((order, amount))
        return f"sent {amount}"

    tom = person(company, order="4711", amount="40")
    assert send_refund("4711", 42.5) == "sent 40.0"
    tom.join()
    tom = person(company, "rejected", rejected_because="No")
    with pytest.raises(Rejected):
        send_refund(order="4711", amount=42.5)
    tom.join()
    assert sent == [("4711", 40.0)]


def test_an_async_function_too(company: Company, port: int) -> None:
    key = accounts.create_key("agent", company.olivia.id).text

    async def once() -> int:
        async with AsyncHandrail(f"http://127.0.0.1:{port}", key) as client:

            @client.needs_approval(inbox="desk")
            async def double(number: int) -> int:
                return number * 2

            person(company, number=4)
            return await double(3)

    assert asyncio.run(once()) == 8


@pytest.mark.parametrize("outcome", ["answered", "rejected"])
def test_a_tool_loop_of_anthropic_calls_the_tool_only_once_a_person_approved(
    company: Company, client: Handrail, outcome: str
) -> None:
    sent: list[dict[str, Any]] = []

    @beta_tool
    @client.needs_approval(inbox="desk")
    def send_refund(order: str, amount: float) -> str:
        """Send a refund to the customer of an order."""
        sent.append({"order": order, "amount": amount})
        return "The refund was sent."

    reason = {"rejected_because": "Paid before"} if outcome == "rejected" else {}
    tom = person(company, outcome, **(reason or {"order": "4711", "amount": "40"}))
    with model.serving() as endpoint:
        loop = anthropic.Anthropic(api_key=model.KEY, base_url=endpoint.url)
        runner = loop.beta.messages.tool_runner(
            model=model.MODELS[0],
            max_tokens=500,
            messages=[{"role": "user", "content": "Refund order 4711, please: 42.50 EUR."}],
            tools=[send_refund],
            tool_choice={"type": "tool", "name": "send_refund"},
        )
        for _ in runner:
            runner.set_messages_params(lambda params: {**params, "tool_choice": {"type": "auto"}})
        told = [asked.text for asked in endpoint.asked]
    assert len(told) == 2
    tom.join()
    assert sent == ([{"order": "4711", "amount": 40.0}] if outcome == "answered" else [])
    assert ("The refund was sent." if outcome == "answered" else "Paid before") in told[-1]


def test_runs_are_started_followed_and_answered_and_the_log_is_proved(
    company: Company, client: Handrail, tmp_path: Path
) -> None:
    run = client.start("care-review", "1", collection="customer", why="periodic", once="k")
    assert client.start("care-review", "1", collection="customer", why="periodic", once="k").id == run.id
    assert run.current is not None
    moved = [run]
    while not moved[-1].ended:
        here = moved[-1].current or {}
        values = {"note": {"note": "Looked."}, "rate": {"risk": "low"}}.get(here["step"], {})
        outcome = here["outcomes"][0]["value"] if here["outcomes"] else None
        moved.append(client.answer(run.id, outcome, **values))
    assert [each.status for each in client.follow(run.id)] == ["completed"]
    company.work()
    sequencing.catch_up()
    sequencing.seal()
    with Handrail(
        client._calls.base.removesuffix("/api/v1"), accounts.create_key("a", company.ada.id).text
    ) as audit:
        archive = audit.export(tmp_path / "log.zip")
    said = verify(archive, verifier=verifier.__file__)
    assert re.match(r"verified \d+ events", said)
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(ValueError, match="."):
        verify(archive, verifier=verifier.__file__)


def test_the_readme_walks_a_refund_to_its_proof(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of Python in it, in its order, with the address of the served demo."""
    olivia, ada = Program(demo, "olivia"), Program(demo, "ada")
    _, charges = olivia("GET", "/collections/charge/records?filter=status:succeeded&limit=100")
    charge = [each["key"] for each in charges["data"] if not each["values"]["open_requests"]][-1]
    _, found = olivia("GET", "/collections/customer/records?filter=kyc_status:rejected&limit=2")
    shutil.copy(verifier.__file__, tmp_path / "verify.py")
    monkeypatch.chdir(tmp_path)
    given = {
        "key": olivia.key,
        "auditors_key": ada.key,
        "charge": charge,
        "customers": [each["key"] for each in found["data"]],
        "verifier_key": httpx2.get(
            f"{demo.url}/api/v1/checkpoint/key", headers={"Authorization": f"Bearer {ada.key}"}
        ).text.strip(),
    }
    blocks = re.findall("```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block.replace("https://console.example", demo.url), str(README), "exec"), given)
    counts, verified = capsys.readouterr().out.strip().splitlines()
    assert counts == "{'enrolled': 2, 'already_enrolled': 0, 'refused': 0}"
    assert re.match(r"verified \d+ events", verified)
    with Handrail(demo.url, olivia.key) as client:
        [run] = client.follow(given["run"].id)
    assert (run.status, (run.model_extra or {})["ending"]) == ("completed", "credited")


def test_a_key_that_may_not_is_told_why(company: Company, port: int) -> None:
    with Handrail(f"http://127.0.0.1:{port}", "cns_wrong") as client, pytest.raises(HandrailError) as refused:
        client.start("care-review")
    assert refused.value.status == 401
    assert agent_requests.end_silence() == 0
    assert httpx2.get(f"http://127.0.0.1:{port}/health").status_code in (200, 503)
