"""The checks of the night and the re-reviews of the morning as they ship, over both databases of the demo: each scenario of the house to its end."""

import contextlib
import functools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console import actions, monitoring, runs, sources, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.run.origin import StartedBy
from console.demo import filling, loading, staff
from console.demo.world import World
from console.infra import jobs as queue, settings
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from console.monitoring import alerts
from console.operations.worker import handlers
from console.work import notices, tasks, tickets
from console.workflows import inboxes
from tests.conftest import lent, told
from tests.databases import Server
from tests.jobs import RUNNING, taken, worked
from tests.messaging.messages.reached import clock

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
CHECKS = ("nightly-check", "nightly-suppliers", "nightly-contacts")
ZONELESS = 30
"""Contacts that the nightly check finds without a time zone."""
NIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


@dataclass
class House:
    """The people of the demo, both databases, and the clock."""

    people: dict[str, Actor]
    core: "psycopg.Connection[tuple[Any, ...]]"
    supply: Path
    move: Callable[[timedelta], None]

    def night(self, slug: str) -> dict[str, Any]:
        """What a night's run of the check left."""
        self.move(timedelta(days=1))
        key = f"night:{fetch('select count(*) from console.run')[0][0]}"
        run_id = runs.start_hands_off(
            slug, by=StartedBy("every_night", "schedule"), record=None, values={}, key=key
        )
        self.work()
        told = runs.get(self.people["ada"], run_id).json
        assert told["status"] == "completed", told["current"]
        return {"id": run_id, **told["context"]["counts"]}

    def work(self) -> None:
        """What workers do, until nothing is left."""
        does = handlers() | {queue.BEGIN: functools.partial(enrolments.beginning.begin, wait_s=0)}
        idle = 0
        while idle < 3:
            runs.pick_up()
            runs.wake()
            jobs = taken(RUNNING)
            idle = 0 if any(name != queue.BEGIN for name, _ in jobs) else idle + 1
            for name, text in jobs:
                with contextlib.suppress(queue.PutBack):
                    does[name](text)
            enrolments.beginning.keep_in_step()

    def supplied(self, statement: str, *values: Any) -> None:
        """Behind the console's back, in the database of suppliers and contacts."""
        with closing(sqlite3.connect(self.supply)) as connection:
            connection.execute(statement, values)
            connection.commit()

    def heard(self, who: str) -> list[str]:
        """The notices of a person."""
        return [notice.text for notice in notices.notices_of(self.people[who])]

    def look_at_alerts(self) -> None:
        """What the worker does about runs that failed."""
        sequencing.catch_up()
        monitoring.read_log()
        alerts.raise_due()

    def due(self, segment: str) -> None:
        """Enrol a segment as its schedule does."""
        [trigger] = [each for each in enrolments.find("kyc-rereview").document.triggers if each.id == segment]  # type: ignore[union-attr]
        values = {name: json.loads(text) for name, text in trigger.input.items()}
        question = enrolments.Question(segment=trigger.segment, sort=trigger.sort, values=values)
        enrolments.batches.begin(
            runs.account_of(workflows.live(enrolments.find("kyc-rereview").id)), "kyc-rereview", question
        )
        self.work()

    def reviews(self) -> list[tuple[str, str]]:
        """(customer, inbox) of the reviews that wait, in the order in which they began."""
        wanted = "select r.record, r.ticket ->> 'inbox' from console.run r join console.workflow w on w.id = r.workflow where w.slug = 'kyc-review' and r.ended_at is null order by r.created_at, r.id"
        return [(row[0], row[1]) for row in fetch(wanted)]

    def customers(self, condition: str) -> int:
        """How many who can be reviewed again fulfil this."""
        return int(
            self.core.execute(
                f"select count(*) from customer where kyc_status in ('approved', 'expired') and {condition}"
            ).fetchall()[0][0]
        )

    def places(self, status: str) -> int:
        """How many stand so in the re-review."""
        return int(
            fetch(
                "select count(*) from console.enrolment where workflow = %s and status = %s",
                (enrolments.find("kyc-rereview").id, status),
            )[0][0]
        )


@pytest.fixture(scope="module")
def filled(
    pg: Embedded, world: World, supply_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    pg.drop_database("nightly_core")
    url = pg.create_database("nightly_core", "fernwick")
    filling.fill_postgresql(url, world.core, lambda: None)
    supply = tmp_path_factory.mktemp("supplied") / "fernwick_supply.db"
    shutil.copyfile(supply_file, supply)
    with closing(sqlite3.connect(supply)) as connection:  # a child run each: 30 prove what 300 do
        zoneless = f"select id from contact where time_zone is null order by id limit {ZONELESS}"
        connection.execute(f"update contact set time_zone = 'Europe/Vilnius' where id not in ({zoneless})")
        connection.commit()
    yield url, supply
    pg.drop_database("nightly_core")


@pytest.fixture(scope="module")
def nights(
    pg: Embedded,
    server: Server,
    template: str,
    suite_folder: Path,
    filled: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """The console of all nights as the template `nightly`, made once; where its database of suppliers is, which each test gets anew."""
    file = tmp_path_factory.mktemp("nightly") / "fernwick_supply.db"
    shutil.copyfile(filled[1], file)
    server.copy("nightly", template)
    with told(pg, "nightly", suite_folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_DEMO", "on")
        settings.current.cache_clear()
        staff.give_rights()
        sources.add(loading.CORE, filled[0], documents=loading.documents(loading.CORE))
        sources.add(loading.SUPPLY, f"sqlite:///{file}", documents=loading.documents(loading.SUPPLY))
        for person in staff.listed():
            also = [(person["role"], team) for team in person.get("also", ())]
            accounts.create_person(
                person["email"],
                role=person["role"],
                team=person["team"],
                name=person["name"],
                also=also,
                tags=person.get("tags"),
            )
        staff.create_service_accounts()
        for action in (ROOT / "actions").glob("*.json"):
            if action.name.split(".")[0] in ("screening", "risk", "account", "kyc", "customer"):
                actions.import_file(action)
        for slug in ("kyc-review", "kyc-rereview", *CHECKS):
            workflows.import_file(ROOT / "workflows" / f"{slug}.json", publish=True)
        listed = json.loads((ROOT / "console/demo/inboxes.json").read_text())
        inboxes.import_all([entry for entry in listed if entry["id"] in ("kyc", "compliance-desk")])
    yield file
    server.leave()
    server.drop("nightly")


@pytest.fixture
def house(
    pg: Embedded,
    server: Server,
    suite_folder: Path,
    filled: tuple[str, Path],
    nights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    url, supply = filled
    shutil.copyfile(supply, nights)
    with lent(pg, server, "nightly_house", suite_folder, of="nightly"):
        monkeypatch.setenv("CONSOLE_DEMO", "on")
        settings.current.cache_clear()
        who = {person["first"]: accounts.person_of_email(person["email"]).id for person in staff.listed()}
        people = {name: accounts.actor_of_person(person, f"ses_{name}") for name, person in who.items()}
        with psycopg.connect(url) as core, clock(NIGHT - timedelta(days=1)) as move:
            yield House(people, core, nights, move)
    settings.current.cache_clear()


def test_n1_each_finding_is_one_task_and_the_next_night_makes_none(house: House) -> None:
    papers, insurances = house.night("nightly-check"), house.night("nightly-suppliers")
    assert (papers["papers"], insurances["insurances"]) == (41, 17)
    assert len(tasks.of_teams(house.people["mona"])) == papers["new"]
    again = house.night("nightly-check")
    assert again["failed"] == 0
    assert again["papers"] < 5, "only what came within thirty days since"
    assert again["papers_found"] >= 35, "they are found again, and known"


def test_n6_the_leads_hear_of_it_once_and_of_nothing_nothing(house: House) -> None:
    told = house.night("nightly-contacts")
    assert [text for text in house.heard("gita") if f"{told['new']} new tasks" in text]
    house.supplied("update contact set time_zone = 'Europe/Vilnius'")
    told = house.night("nightly-contacts")
    assert (told["new"], told["zones_found"]) == (0, 0)
    assert len([text for text in house.heard("gita") if "new tasks" in text]) == 1


def test_n8_replay_shows_what_was_found_as_it_was_then(house: House) -> None:
    house.supplied(
        "update contact set time_zone = 'Europe/Vilnius' where id <> (select min(id) from contact where time_zone is null)"
    )
    night = house.night("nightly-contacts")
    [child] = runs.children_of(night["id"])
    [was] = [task.title for task in tasks.of_teams(house.people["gita"])]
    house.supplied("update contact set name = 'Somebody Else'")
    assert was.removesuffix(" has no time zone") in json.dumps(
        runs.get(house.people["ada"], child.id).json["context"]
    )


def test_n7_cancelled_half_way_what_was_made_stays(house: House) -> None:
    run_id = runs.start_hands_off(
        "nightly-contacts", by=StartedBy("every_night", "schedule"), record=None, values={}, key="half"
    )
    runs.pick_up()
    while not fetch("select 1 from console.task"):
        runs.pick_up()
        worked(RUNNING)
    runs.cancel(house.people["gita"], run_id, revision=None, reason="Not tonight.")
    house.work()
    told = {child.status for child in runs.children_of(run_id)}
    assert "completed" in told
    assert told <= {"completed", "cancelled"}
    made = fetch("select count(*) from console.task")[0][0]
    assert 0 < made < ZONELESS
    assert house.night("nightly-contacts")["zones"] == ZONELESS - made


@contextlib.contextmanager
def away(file: Path) -> Iterator[None]:
    """The database of suppliers and contacts is not there meanwhile."""
    hidden = file.with_suffix(".away")
    file.rename(hidden)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        hidden.rename(file)


def test_n2_a_source_that_is_down_at_midnight_fails_the_night_is_told_once_and_the_work_is_done_once_later(
    house: House,
) -> None:
    known = next(one for one in workflows.all_known() if one.slug == "nightly-suppliers")
    lena = house.people["lena"]
    alerts.add(lena, known, kind="failed", people=["lena@fernwick.example"])
    with away(house.supply):
        run_id = runs.start_hands_off(
            "nightly-suppliers",
            by=StartedBy("every_night", "schedule"),
            record=None,
            values={},
            key="down at midnight",
        )
        for _ in range(30):  # it is tried for three hours
            house.work()
            house.move(timedelta(minutes=10))
            house.look_at_alerts()
        told = runs.get(house.people["ada"], run_id).json
        assert told["status"] == "failed", told["current"]
        assert fetch("select count(*) from console.task") == [(0,)]
    assert len([text for text in house.heard("lena") if "failed" in text]) == 1
    again = runs.rerun(lena, run_id, origin="failure", version="original")
    house.work()
    counts = runs.get(house.people["ada"], again).json["context"]["counts"]
    assert (counts["insurances"], counts["failed"]) == (17, 0)
    assert house.night("nightly-suppliers")["insurances"] < 5, (
        "the next night finds them again, and knows them"
    )
    house.look_at_alerts()
    assert len([text for text in house.heard("lena") if "failed" in text]) == 1


def test_n3_one_finding_that_cannot_be_noted_keeps_no_other_from_it_and_is_counted(house: House) -> None:
    """The check has come to ask for a day that cannot be told of a contact without a name."""
    document = json.loads((ROOT / "workflows" / "nightly-contacts.json").read_text())
    task = next(step for step in document["steps"] if step["id"] == "zones_task")
    task["config"]["due"] = "addDays(today(), 0 / size(item.name))"
    workflows.import_file(document, publish=True, rights=False)
    house.supplied(
        "update contact set name = '' where id = (select min(id) from contact where time_zone is null)"
    )
    told = house.night("nightly-contacts")
    assert (told["zones_found"], told["zones"], told["failed"]) == (ZONELESS, ZONELESS - 1, 1)
    [failed] = [child for child in runs.children_of(told["id"]) if child.status != "completed"]
    assert (failed.status, bool(failed.reason)) == ("failed", True)
    assert any("Not finished: 1." in text for text in house.heard("gita"))
    house.supplied("update contact set name = 'Somebody' where name = ''")
    assert house.night("nightly-contacts")["zones"] == 1, "the one that was left over"


def test_p1_all_are_queued_and_the_overdue_of_high_risk_begin_first(house: House) -> None:
    house.due("overdue")
    house.due("due")
    assert house.places("waiting") + house.places("active") == house.customers(
        "next_review_at <= current_date + 30"
    )
    began = house.reviews()
    assert {inbox for _, inbox in began} == {"kyc"}
    bands = dict(house.core.execute("select id::text, risk_band::text from customer").fetchall())
    high = house.customers("next_review_at < current_date and risk_band = 'high'")
    assert high >= 31
    assert {bands[customer] for customer, _ in began[: min(high, 40)]} == {"high"}
    assert any("is high" in text for text in house.heard("mona"))


def test_p4_the_forty_first_of_the_day_waits_and_is_seen_to(house: House) -> None:
    house.due("overdue")
    assert (len(house.reviews()), house.places("waiting")) == (
        40,
        house.customers("next_review_at < current_date") - 40,
    )
    house.move(timedelta(hours=20))
    house.work()
    assert len(house.reviews()) == 40
    house.move(timedelta(hours=5))
    house.work()
    assert len(house.reviews()) == 80


def test_p2_a_review_that_is_under_way_is_not_begun_twice_and_it_is_said(house: House) -> None:
    customer = str(
        house.core.execute(
            "select min(id) from customer where next_review_at < '2026-11-20' and kyc_status = 'approved' and desk = 'retail' and risk_band = 'high'"
        ).fetchall()[0][0]
    )
    mine = runs.start(house.people["olivia"], "kyc-review", "customer", customer, {"reason": "periodic"})
    enrolments.batches.begin(
        house.people["mona"],
        "kyc-rereview",
        enrolments.Question(keys=[customer], values={"reason": "periodic"}),
    )
    house.work()
    [run_id] = [row[0] for row in fetch("select run from console.enrolment where record = %s", (customer,))]
    told = runs.get(house.people["mona"], run_id).json
    assert (told["status"], told["attempts"][-1]["step"]) == ("completed", "left")
    assert [record for record, _ in house.reviews()] == [customer]
    assert runs.get(house.people["olivia"], mine).json["holder"] == house.people["olivia"].id


def test_what_waits_is_taken_from_the_inbox_and_is_then_the_one_review_of_the_customer(house: House) -> None:
    house.due("overdue")
    [first, *_] = [
        ticket
        for ticket in tickets.to_do(house.people["mona"], "kyc", limit=50).tickets
        if ticket.run is not None
    ]
    assert first.record in dict(house.reviews())
    with pytest.raises(Conflict, match="already ongoing"):
        runs.start(house.people["mona"], "kyc-review", "customer", str(first.record), {"reason": "periodic"})


def test_p5_a_customer_who_is_rejected_while_the_review_waits_is_left_out(house: House) -> None:
    customer = str(
        house.core.execute("select min(id) from customer where kyc_status = 'rejected'").fetchall()[0][0]
    )
    enrolments.batches.begin(
        house.people["mona"],
        "kyc-rereview",
        enrolments.Question(keys=[customer], values={"reason": "periodic"}),
    )
    house.work()
    [run_id] = [row[0] for row in fetch("select run from console.enrolment where record = %s", (customer,))]
    told = runs.get(house.people["mona"], run_id).json
    assert (told["status"], told["attempts"][-1]["step"], house.reviews()) == ("completed", "closed", [])


def test_p3_p5_what_happened_begins_a_review_of_those_who_have_one_and_of_nobody_else(house: House) -> None:
    """A ticket, a turnover of five times what was expected, a name that a new list has brought, written as lists write it; a rejected customer, a first
    review and who was born in another year are left out.

    The last one: it changes the database that these tests share.
    """
    calm = "kyc_status = 'approved' and open_kyc_tickets = 0 and coalesce(identity_expires_on, '2999-01-01') > current_date and restriction_code::text = 'none'"
    persons = f"select id::text, display_name, to_char(birth_date, 'YYYY') from customer where {calm} and birth_date is not null"
    chosen = house.core.execute(f"{persons} order by id limit 5").fetchall()
    closed, first, busy, named, untouched = [key for key, *_ in chosen]
    house.core.execute(
        "update customer set kyc_status = 'rejected', open_kyc_tickets = 1 where id::text = %s", (closed,)
    )
    house.core.execute(
        "update customer set kyc_status = 'in_review', open_kyc_tickets = 1 where id::text = %s", (first,)
    )
    house.core.execute(
        "update customer set expected_monthly_minor = 1, last_reviewed_at = now() - interval '1 year' where id::text = %s",
        (busy,),
    )
    house.core.execute(
        "update customer set last_reviewed_at = now() where id::text = any(%s)", ([named, untouched],)
    )
    for place, born in ((3, chosen[3][2]), (4, "1899")):
        given, _, family = chosen[place][1].rpartition(" ")
        entry = "(select id from watchlist_entry where delisted_on is null order by id offset %s limit 1)"
        values = (f"{family.upper()} {given}", [f"{born}-05-01"], place)
        house.core.execute(
            f"update watchlist_entry set name = %s, birth_dates = %s where id = {entry}", values
        )
    house.core.execute("update watchlist set imported_at = now()")
    house.core.commit()
    house.due("happened")
    taken_in = {row[0] for row in fetch("select record from console.enrolment")}
    assert {busy, named} <= taken_in
    assert not {closed, first, untouched} & taken_in
