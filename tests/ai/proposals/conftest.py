"""A company whose workflow asks for proposals, a model's endpoint that answers over HTTP, and what a worker does with the jobs."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from console import records, runs, workflows
from console.auth import access
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.actor import Actor
from console.infra import jobs, settings
from console.infra.db.engine import fetch, transaction
from tests.company import Company
from tests.conftest import Companies
from tests.jobs import worked
from tests.servers.model import KEY, Server, serving

FORM: list[dict[str, Any]] = [
    {"name": "display_name", "label": "Name", "type": "text"},
    {"name": "balance", "label": "Balance", "type": "decimal"},
    {"name": "verdict", "label": "Verdict", "type": "text"},
]


def triage(
    ai: dict[str, Any] | None, *, slug: str = "triage", form: list[dict[str, Any]] | None = None, **more: Any
) -> None:
    """A workflow on a customer: data are read by itself, a person hears something, then fills in a form for which something may be proposed."""
    steps = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "load"}},
        {
            "id": "load",
            "type": "get_data",
            "title": "Load the customer",
            "completion": "automatic",
            "config": {
                "fields": ["display_name", "risk", "balance"],
                "related": [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}],
            },
            "next": {"default": "hear"},
        },
        {
            "id": "hear",
            "type": "update_data",
            "title": "Hear the customer",
            "config": {
                "form": [
                    {"name": "verdict", "label": "Verdict", "type": "text"},
                    {"name": "story", "label": "Story", "type": "long_text"},
                ]
            },
            "next": {"default": "judge"},
        },
        {
            "id": "judge",
            "type": "update_data",
            "title": "Judge",
            "config": {"form": form or FORM},
            "next": {"default": "end"},
            **({"ai": ai} if ai is not None else {}),
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ]
    document = {
        "format": 1,
        "slug": slug,
        "title": "Triage",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
        "steps": steps,
    }
    workflows.import_file(document | more, publish=True)


@dataclass
class House:
    """The company with the endpoint that its proposals come from."""

    company: Company
    model: Server

    def at_judge(self, record: str = "1", by: str = "olivia", slug: str = "triage", **heard: Any) -> str:
        """A run that stands at the form for which something is proposed; nothing was answered yet."""
        run_id = runs.start(self.company.people[by], slug, "customer", record)
        self.company.answer(run_id, by, **(heard or {"verdict": "clean"}))
        return run_id

    def work(self, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
        """What a worker does with the jobs that are there; the calls."""
        return worked({jobs.PROPOSE}, meanwhile)

    def proposal(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """What this person sees of it."""
        told = self.company.told(run_id, by)["current"]["proposal"]
        assert told is not None
        return dict(told)

    def proposed(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """The same after a worker was there."""
        self.work()
        return self.proposal(run_id, by)

    @property
    def sent(self) -> str:
        """Everything that went to the endpoint, as text."""
        return "\n".join(each.text for each in self.model.asked)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Server]:
    """One endpoint for all tests of a module. The SDK is there before anybody waits for an answer: on a busy machine it takes its time."""
    importlib.import_module("anthropic")
    with serving(keys={KEY}) as made:
        yield made


@pytest.fixture
def model(endpoint: Server) -> Server:
    """The endpoint, well and without a memory."""
    endpoint.well()
    endpoint.requests.clear()
    endpoint.seconds = 0.0
    return endpoint


@pytest.fixture(scope="module")
def furnished(companies: Companies) -> str:
    """The company with the workflow; its name to borrow it by."""
    with companies.furnished("proposals"):
        triage({})
    return "proposals"


@pytest.fixture
def asking_company(companies: Companies, furnished: str) -> Iterator[Company]:
    """The company with the workflow, for one test."""
    with companies.lent(furnished) as made:
        yield made


@pytest.fixture
def house(asking_company: Company, model: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The company, and a model with a key."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
    monkeypatch.setenv("CONSOLE_AI_BREAKER", "off")
    settings.current.cache_clear()
    yield House(asking_company, model)
    monkeypatch.undo()
    settings.current.cache_clear()


def said(collection: str, **document: Any) -> None:
    """Change the document of a collection, behind the page of its settings."""
    fetch(
        "update console.collection set document = document || %s::jsonb where id = %s returning 1",
        (orjson.dumps(document).decode(), collection),
    )
    records.forget()


def denied(person: Actor, obj: str, act: str, expression: str = "") -> None:
    """Keep something from a person."""
    with transaction() as connection:
        policy_store.write(
            connection, added=[Row("p", f"user:{person.id}", "*", obj, act, "deny", expression)]
        )
    access.refresh()
