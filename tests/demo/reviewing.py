"""The demo with what a KYC review needs, its people, and a few shorthands for walking a review."""

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console import actions, log, runs, sources, workflows
from console.auth import accounts
from console.core.actor import Actor
from console.demo import filling, loading, staff, stories
from console.demo.world import load
from console.formats import Look
from console.infra import settings
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from console.views import blocks as drawn
from console.workflows import inboxes
from tests.company import PASSWORD
from tests.conftest import copied
from tests.demo.conftest import TODAY
from tests.jobs import RUNNING, work_until_idle

ROOT = Path(__file__).parents[2]
ACTIONS = (
    "screening.run",
    "screening.confirm",
    "risk.assess",
    "account.restrict",
    "account.release",
    "kyc.apply_decision",
    "kyc.restore",
    "customer.request_documents",
)
YURI = stories.JURIJ + 1
ANA, HALCYON, LEFT_ALONE = stories.PLAIN[0], stories.HALCYON, stories.PLAIN[3]
WALKED: dict[str, tuple[dict[str, Any], str | None]] = {
    "check_docs": (
        {
            "document_status": "accepted",
            "document_status_because": "Seen on paper",
            "because": None,
            "checked": ["issuer"],
        },
        None,
    ),
    "ownership": (
        {
            "owners": "confirmed",
            "layers": 3,
            "in_register": "different",
            "ownership_note": "It names Johanna only.",
        },
        None,
    ),
    "hits": (
        {"verdict": "false_positive", "because": "different_id", "compared": ["id_number", "photo"]},
        None,
    ),
    "pep": ({"pep_status": "none", "pep_status_because": "Nobody holds an office any more"}, None),
    "media": ({"sources": ["search_engine", "court_register"], "media_result": "none"}, None),
    "edd": (
        {
            "source_of_funds": "business_income",
            "source_of_wealth": "Shares",
            "why_acceptable": "Known for long",
        },
        None,
    ),
    "ask_customer": ({}, "stop"),
    "decide": ({}, "approve"),
}


@dataclass
class House:
    """The people of the demo before its own database."""

    people: dict[str, Actor]
    connection: "psycopg.Connection[tuple[Any, ...]]"

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Behind the console's back; what changes is committed."""
        done = self.connection.execute(query, values or None)
        return done.fetchall() if done.description else []

    def start(self, customer: int, by: str = "olivia", **given: Any) -> str:
        """A new review; one that another test left under way is aborted."""
        for left, holder in fetch(
            "select id, holder from console.run where record = %(record)s and ended_at is null",
            {"record": str(customer)},
        ):
            held = next((actor for actor in self.people.values() if actor.id == holder), None)
            if held is None:
                runs.take_over(self.people["malik"], left, revision=None)
            runs.abort(held or self.people["malik"], left, revision=None, reason="Begun anew")
        return runs.start(
            self.people[by], "kyc-review", "customer", str(customer), {"reason": "periodic", **given}
        )

    def told(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """The run as this person sees it, once nothing goes by itself any more."""
        runs.pick_up()
        work_until_idle(RUNNING)
        return runs.get(self.people[by], run_id).json

    def answer(
        self, run_id: str, by: str = "olivia", outcome: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """Hand in the step at hand with what is usual, else with what is given."""
        return self._hand_in(self.told(run_id, by), run_id, by, outcome, values)

    def _hand_in(
        self, told: dict[str, Any], run_id: str, by: str, outcome: str | None, values: dict[str, Any]
    ) -> dict[str, Any]:
        if "item" in values:
            told = runs.get(self.people[by], run_id, values["item"]).json
        step = told["current"]["step"]
        usual, way = WALKED.get(step, ({}, None))
        runs.complete(
            self.people[by],
            run_id,
            runs.Submission(
                step=step, revision=told["revision"], values=values or usual, outcome=outcome or way
            ),
        )
        return self.told(run_id, by)

    def walk(self, run_id: str, to: str | None, by: str = "olivia") -> dict[str, Any]:
        """Everything as usual until this step, or to the end."""
        told = self.told(run_id, by)
        for _ in range(60):
            if told["current"] is None or told["current"]["step"] == to or told["status"] != "waiting_person":
                return told
            told = self._hand_in(told, run_id, by, None, {})
        raise AssertionError(f"not at {to}: {told['current']['step']}")

    def decide(
        self, run_id: str, by: str, option: str = "approve", reason: str = "Looked at it"
    ) -> dict[str, Any]:
        """Say yes or no to what the run waits for."""
        key = runs.get(self.people["rosa"], run_id).json["current"]["waiting"]["key"]
        (runs.approve if option == "approve" else runs.reject)(self.people[by], key, reason=reason)
        return self.told(run_id, "rosa")

    def screen(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """What stands on the page: `text` without its escapes, and what each owner of its tree holds in all."""
        screen = runs.get(self.people[by], run_id).screen or {}
        trees = [
            drawn.with_words(block, Look())
            for block in screen.get("content") or ()
            if block["block"] == "tree"
        ]
        said = f"{screen.get('text') or ''} {json.dumps(screen.get('content'), ensure_ascii=False)}"
        return {
            "text": said.replace("\\", ""),
            "owners": {row["name"]: row["in_all"] for tree in trees for row in tree["rows"] if row["in_all"]},
        }

    def blocks(self, run_id: str, by: str = "olivia") -> list[dict[str, Any]]:
        """The blocks of the page, as they are recorded."""
        return list((runs.get(self.people[by], run_id).screen or {}).get("content") or ())

    def customer(self, number: int, *columns: str) -> tuple[Any, ...]:
        return self.sql(f"select {', '.join(columns)} from customer where id = %s", number)[0]

    def events(self, run_id: str) -> list[str]:
        return [event.type for event in log.events_of(run_id)]


@contextmanager
def opened(pg: Embedded, suite_folder: Path) -> Iterator[Callable[[], House]]:
    """The demo's main database with everything that the review needs, for as many houses as are asked for."""
    with pytest.MonkeyPatch.context() as patch, copied(pg, "kyc_house", suite_folder):
        patch.setenv("CONSOLE_DEMO", "on")
        settings.current.cache_clear()
        pg.drop_database("kyc_core")
        url = pg.create_database("kyc_core", "fernwick")
        filling.fill_postgresql(url, load(TODAY).core, lambda: None)
        staff.give_rights()
        sources.add(loading.CORE, url, documents=loading.documents(loading.CORE))
        for person in staff.listed():
            also = [(person["role"], team) for team in person.get("also", ())]
            accounts.create_person(
                person["email"],
                role=person["role"],
                team=person["team"],
                name=person["name"],
                also=also,
                tags=person.get("tags"),
                password=PASSWORD if person["first"] == "olivia" else None,
            )
        for name in ACTIONS:
            actions.import_file(ROOT / "actions" / f"{name}.json")
        workflows.import_file(ROOT / "workflows" / "kyc-review.json", publish=True)
        told = json.loads((ROOT / "console/demo/inboxes.json").read_text())
        inboxes.import_all([entry for entry in told if entry["id"] in ("kyc", "compliance-desk")])
        with psycopg.connect(url, autocommit=True) as connection:
            yield functools.partial(_house, connection)
    pg.drop_database("kyc_core")


def _house(connection: "psycopg.Connection[tuple[Any, ...]]") -> House:
    who = {person["first"]: accounts.person_of_email(person["email"]).id for person in staff.listed()}
    return House(
        {name: accounts.actor_of_person(person, f"ses_{name}") for name, person in who.items()}, connection
    )


@pytest.fixture(scope="module")
def loaded_house(pg: Embedded, template: str, suite_folder: Path) -> Iterator[Callable[[], House]]:
    """Made once for this module."""
    with opened(pg, suite_folder) as houses:
        yield houses


@pytest.fixture
def house(loaded_house: Callable[[], House]) -> House:
    return loaded_house()
