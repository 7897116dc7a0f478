"""Operations at Fernwick Pay on one day: the demo's main database, its provider, its people, and what a refund needs of them."""

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console import actions, log, runs, sources, workflows
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.run import fold
from console.demo import filling, ledger, loading, provider as stand_in, staff
from console.demo.world import load as load_company
from console.infra import jobs, settings
from console.infra.db import engine as db
from console.infra.postgres import Embedded
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from console.work import approvals
from console.workflows import inboxes
from tests.company import PASSWORD
from tests.conftest import copied
from tests.jobs import RUNNING, work_until_idle

ROOT = Path(__file__).parents[2]
ACTIONS = ("charge.refund", "credit.grant", "credit.revoke", "ticket.close", "ticket.reopen")
PACE = 0.02
SIGN_IN = ("olivia", "mona")
CALM = """
select id from customer where desk = 'retail' and restriction_code = 'none' and id > 200
and not exists (select from charge join refund on refund.charge_id = charge.id where charge.customer_id = customer.id)
and not exists (select from ticket where ticket.customer_id = customer.id and ticket.status <> 'solved') order by id limit 1 offset %s
"""


@dataclass
class Desk:
    """The people as actors, the provider, and a few shorthands for walking a refund."""

    url: str
    provider: stand_in.Provider
    people: dict[str, Actor] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def sql(self, statement: str, *given: Any) -> list[tuple[Any, ...]]:
        """Behind the console's back, in the company's own database."""
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(statement, given or None)
            return cursor.fetchall() if cursor.description else []

    def told(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """The run as this person sees it."""
        return runs.get(self.people[by], run_id).json

    def start(self, charge: str, by: str = "olivia") -> str:
        """A refund of the charge."""
        return runs.start(self.people[by], "customer-refund", "charge", charge)

    def hand_in(
        self, run_id: str, outcome: str | None = None, by: str = "olivia", **values: Any
    ) -> dict[str, Any]:
        """The run after the step that it stands at was handed in."""
        told = self.told(run_id, by)
        here = told["current"]
        if outcome is None and here["outcomes"]:
            outcome = here["outcomes"][0]["value"]
        runs.complete(
            self.people[by],
            run_id,
            runs.Submission(step=here["step"], revision=told["revision"], values=values, outcome=outcome),
        )
        return self.told(run_id, by)

    def chosen(self, charge: str, option: str = "refund_full", by: str = "olivia", **values: Any) -> str:
        """A refund that stands behind the choice."""
        run_id = self.start(charge, by)
        if self.at(run_id, by) == "ticket":
            self.hand_in(run_id, by=by, key=self.tickets(charge)[0])
        self.hand_in(
            run_id,
            option,
            by,
            **{"why": "not_received", "why_because": "The parcel came back to us", **values},
        )
        return run_id

    def at(self, run_id: str, by: str = "olivia") -> str:
        """The step that the run stands at, or how it ended."""
        told = self.told(run_id, by)
        return str(told["current"]["step"] if told["current"] else self.end(run_id))

    def to_the_end(self, run_id: str, by: str = "olivia") -> str:
        """Tell the customer, close the tickets; the label of the end."""
        while (told := self.told(run_id, by))["current"] is not None:
            if told["status"] == "waiting_person":
                self.hand_in(run_id, by=by)
            else:
                assert work_until_idle(RUNNING), told["current"]
        return self.end(run_id)

    def end(self, run_id: str) -> str:
        """The label of the end that the run came to."""
        loaded = load(run_id)
        assert loaded is not None
        return str(loaded.run.ending or loaded.run.status)

    def tickets(self, charge: str, status: str = "open") -> list[str]:
        """Ids of the charge's tickets, in their order."""
        return [
            str(row[0])
            for row in self.sql(
                "select id from ticket where charge_id = %s and status = %s order by created_at",
                charge,
                status,
            )
        ]

    def calm(self) -> int:
        """A customer of the desk retail who never had money back and asks for nothing, and whose account is free; another one each time."""
        return int(self.sql(CALM, next(self.numbers))[0][0])

    def another(
        self,
        minor: int,
        currency: str = "EUR",
        *,
        days: float = 6,
        simulate: str = "ok",
        customer: int | None = None,
        **facts: Any,
    ) -> str:
        """A charge of its own, paid so many days ago, with a ticket that asks for the money back."""
        number = next(self.numbers)
        customer = customer or self.calm()
        told = {"item_kind": "dated_ticket", "balance": None, **facts}
        metadata = json.dumps(
            {"simulate": simulate, **({"simulate_balance": told["balance"]} if told["balance"] else {})}
        )
        charge = f"ch_Another{number}"
        self.sql(
            "insert into charge (id, customer_id, amount_minor, currency, status, captured_at, method, card_brand, card_last4, descriptor, item_kind, delivered_at, provider_ref,"
            " metadata, created_at) select %s, %s, %s, %s, 'succeeded', at, 'card', 'visa', '4242', 'FERNWICK*TEST', %s, case when %s then at end, %s, %s, at"
            " from (select now() - %s * interval '1 day' as at) as paid",
            *(
                charge,
                customer,
                minor,
                currency,
                told["item_kind"],
                told["item_kind"] == "goods",
                f"pi_another{number}",
                metadata,
                days,
            ),
        )
        self.ask(charge)
        return charge

    def ask(self, charge: str, author: str = "customer") -> int:
        """One more ticket of the charge; its first message is by `author`."""
        number = 90_000 + next(self.numbers)
        self.sql(
            "insert into ticket (id, customer_id, charge_id, kind, subject, channel, status, priority, created_at)"
            " select %s, customer_id, id, 'refund_request', 'Money back', 'email', 'open', 3, now() from charge where id = %s",
            number,
            charge,
        )
        self.sql(
            "insert into ticket_message (ticket_id, seq, author_kind, body, attachments, at) values (%s, 1, %s, 'Please.', '[]', now())",
            number,
            author,
        )
        return number

    def refunds(self, charge: str) -> list[tuple[Any, ...]]:
        """(amount, status, reason) of what stands in the company's own database, older first."""
        return self.sql(
            "select amount_minor, status::text, reason::text from refund where charge_id = %s order by created_at",
            charge,
        )

    def sent(self, charge: str) -> list[int]:
        """The amounts that the provider has paid out for the charge, newest first, those before today left out."""
        with ledger.opened(self.provider.data_dir) as connection:
            return [
                each["amount"] for each in ledger.refunds(connection, charge) if each["metadata"].get("key")
            ]

    def work(self) -> int:
        """What a worker does; how many jobs there were."""
        runs.pick_up()
        runs.wake()
        return work_until_idle(RUNNING - {jobs.FOLLOW})


def whole(run_id: str) -> None:
    """The log folds to the rows, and every moment of it can be shown again."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    events = log.events_of(run_id)
    then = fold(as_event(event) for event in events)
    assert (then.attempts, then.context, then.status) == (
        loaded.run.attempts,
        loaded.run.context,
        loaded.run.status,
    )
    assert list(runs.rebuild(run_id, check=True)) == []


@contextmanager
def opened(pg: Embedded, template: str, suite_folder: Path, folder: Path) -> Iterator[Desk]:
    """The desk while the block lasts, in databases of its own; the provider's slow answers are quick."""
    world = load_company(datetime.now(UTC).date())
    url = pg.create_database("refunding", "fernwick")
    filling.fill_postgresql(url, world.core, lambda: None)
    ledger.fill(folder, world.core, world.supply)
    with (
        copied(pg, "refunding_console", suite_folder, of=template),
        stand_in.Provider(folder, pace=PACE) as provider,
    ):
        serving = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        told = {
            "CONSOLE_HTTP_TARGETS": f"provider={provider.url}",
            "CONSOLE_HTTP_SECRETS": f"provider={stand_in.KEY}",
        }
        with settings_of(told):
            try:
                yield _furnished(Desk(url, provider))
            finally:
                provider.shutdown()
                serving.join()
    pg.drop_database("refunding")


@contextmanager
def settings_of(told: dict[str, str]) -> Iterator[None]:
    """The environment with these settings."""
    os.environ.update(told)
    settings.current.cache_clear()
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]
        settings.current.cache_clear()


def _furnished(desk: Desk) -> Desk:
    """People, source, actions, the workflow and its inboxes, as the demo has them."""
    staff.give_rights()
    with db.transaction() as connection:
        connection.execute(
            sa.text(
                'insert into console.sign_in (document) values (\'{"second_factor": "off", "step_up": false}\')'
            )
        )
    sources.add(loading.CORE, desk.url, documents=loading.documents(loading.CORE))
    for person in staff.listed():
        also = [(person["role"], team) for team in person.get("also", ())]
        found = accounts.create_person(
            person["email"],
            role=person["role"],
            team=person["team"],
            name=person["name"],
            also=also,
            tags=person.get("tags"),
            password=PASSWORD if person["first"] in SIGN_IN else None,
        ).person
        desk.people[person["first"]] = accounts.actor_of_person(found.id, f"ses_{person['first']}")
    for name in ACTIONS:
        actions.import_file(ROOT / "actions" / f"{name}.json")
    workflows.import_file(ROOT / "workflows" / "customer-refund.json", publish=True)
    inboxes.import_all(
        [entry for entry in _inboxes() if entry["id"] in ("refund-requests", "disputes", "compliance-desk")]
    )
    return desk


def _inboxes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        (Path(loading.__file__).parent / "inboxes.json").read_text(encoding="utf-8")
    )
    return found


def refused(act: Callable[[], Any]) -> str:
    """What is said of a step that is not taken: every reason, one after another."""
    with pytest.raises(ConsoleError) as caught:
        act()
    return " ".join(str(detail["reason"]) for detail in caught.value.details) or caught.value.message


def asked(run_id: str) -> str:
    """The approval that the run waits for."""
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.waiting is not None, (loaded.run.status, loaded.run.take_over)
    assert loaded.run.waiting["for"] == "approval"
    return str(loaded.run.waiting["key"])


def why(desk: Desk, run_id: str, by: str = "mona") -> str:
    """What the approver reads."""
    return str(approvals.get(desk.people[by], asked(run_id)).line.approval.why)


def notes(desk: Desk, run_id: str) -> dict[str, str]:
    """What is said before the refund is sent, by its label."""
    return {note["label"]: note["text"] for note in screen(desk, run_id).get("notes", ())}


def screen(desk: Desk, run_id: str, by: str = "olivia") -> dict[str, Any]:
    """What stands on the page of the open step."""
    found = runs.get(desk.people[by], run_id).screen
    assert found is not None
    return dict(found)
