"""The nightly checks and re-reviews of the demo once more: a hundred thousand rows, a loop that a run would feed, and somebody who is away."""

import json
import resource
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console import browse, log, runs, workflows
from console.auth.accounts import absences
from console.automation import enrolments
from console.core.run.origin import StartedBy
from console.infra.db.engine import fetch
from console.log import event_view
from console.records import catalogue
from console.work import my_work, ticket_assignment, tickets
from tests.demo.test_nightly_automations import ROOT, House, filled, house, nights
from tests.jobs import work_as_workers_do
from tests.support.engine import step

__all__ = ["filled", "house", "nights"]
pytestmark = pytest.mark.slow
MANY = 100_000


def fill(supply: Path) -> None:
    """Many more contacts, all but the last three with a time zone."""
    with closing(sqlite3.connect(supply)) as connection:
        connection.execute("update contact set time_zone = 'Europe/Vilnius'")
        columns = [row[1] for row in connection.execute("pragma table_info(contact)")]
        given = {
            "id": "printf('%036d', n)",
            "name": "'Contact ' || n",
            "time_zone": f"case when n > {MANY} - 3 then null else 'Europe/Vilnius' end",
        }
        taken = ", ".join(given.get(name, f'c."{name}"') for name in columns)
        numbers = f"with recursive s(n) as (select 1 union all select n + 1 from s where n < {MANY})"
        one = "(select * from contact order by id limit 1) c"
        connection.execute(f"insert into contact {numbers} select {taken} from s cross join {one}")
        connection.commit()


def test_n5_a_hundred_thousand_rows_are_read_to_the_last_while_others_go_on_and_memory_stays(
    house: House,
) -> None:
    """Each row is read and judged by the condition that is asked after reading; the run of somebody else is worked on in between."""
    document = json.loads((ROOT / "workflows" / "nightly-contacts.json").read_text())
    [loop] = [each for each in document["steps"] if each["id"] == "zones"]
    loop["config"]["items"] |= {
        "where": "record.name != null",
        "only": "item.time_zone == null",
        "limit": 1000,
    }
    loop["config"]["items"]["fields"].append("time_zone")
    workflows.import_file(document, publish=True, rights=False)
    fill(house.supply)
    night = runs.start_hands_off(
        "nightly-contacts", by=StartedBy("every_night", "schedule"), record=None, values={}, key="n5"
    )
    runs.pick_up()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    house.work()
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    told = runs.get(house.people["ada"], night).json
    counts = told["context"]["counts"]
    assert (told["status"], counts["zones_found"], counts["zones"], counts["failed"]) == (
        "completed",
        3,
        3,
        0,
    )
    assert grown_mb < 150
    [[size]] = fetch(
        "select sum(length(c.output::text)) from console.run_context c where c.run = %s", (night,)
    )
    assert size < 10_000
    parts = [attempt["step"] for attempt in told["attempts"]].count("zones")
    jobs = fetch("select count(*) from console.event where run = %s", (night,))[0][0]
    assert jobs + parts > 20, "it came back to the queue after each part, so that others had their turn"


def keep_time(house: House) -> None:
    """The console's time is that of its database again, by which it is judged who is idle and since when a trigger is on."""
    house.move(datetime.now(UTC) - log.now())


def test_p6_the_review_of_an_operator_who_is_away_goes_to_who_stands_in(house: House) -> None:
    keep_time(house)
    house.due("overdue")
    olivia, tom, mona = (house.people[name] for name in ("olivia", "tom", "mona"))
    today = log.now().date()
    absences.plan(
        olivia, olivia.id, first=today, last=today + timedelta(days=3), substitute="tom@fernwick.example"
    )
    retail = {row[0] for row in house.core.execute("select id::text from customer where desk = 'retail'")}
    waiting = [
        ticket
        for ticket in tickets.to_do(mona, "kyc", limit=50).tickets
        if ticket.run is not None and ticket.record in retail
    ]
    [given] = ticket_assignment.assign(mona, "kyc", [waiting[0].id], olivia.id, "Yours")
    assert given.run is not None, given.reason
    work_as_workers_do()
    events = log.events_of(given.run)
    said = [
        event_view.sentence(event, event_view.names_of([event], described=catalogue.described))
        for event in events
        if event.type == "run_assigned"
    ]
    assert runs.get(mona, given.run).json["holder"] == tom.id
    assert given.run in [head.id for head in my_work.work_of(tom).in_hand]
    assert ["Tom" in line and "in place of Olivia" in line for line in said] == [True], said


def test_p8_a_review_that_changes_what_starts_reviews_starts_no_second_one(house: House) -> None:
    """An owner who is changed by a person begins a review; one whom a run changes, such as that review itself, does not."""
    keep_time(house)
    steps = [
        step("start", "start", "change"),
        step("change", "action", "end", {"operation": "update", "values": {"in_register": "'different'"}}),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": "tidy-owners",
        "title": "Tidy owners",
        "team": "operations",
        "collection": "beneficial_owner",
    }
    workflows.import_file(
        head | {"run_as": "operations-automation@fernwick.example", "steps": steps},
        publish=True,
        rights=False,
    )
    rows = house.core.execute(
        "select min(b.id)::text, b.customer_id::text from beneficial_owner b join customer c on c.id = b.customer_id"
        " where c.kyc_status = 'approved' and b.in_register = 'yes' group by 2 order by 2 limit 2"
    ).fetchall()
    (by_hand, first), (by_run, second) = rows
    work_as_workers_do()
    browse.change(
        house.people["mona"], "beneficial_owner", by_hand, {"in_register": "no"}, {"in_register": "yes"}
    )
    runs.start(house.people["mona"], "tidy-owners", "beneficial_owner", by_run, {})
    work_as_workers_do()
    assert house.core.execute(
        "select in_register::text from beneficial_owner where id::text = %s", (by_run,)
    ).fetchall() == [("different",)]
    reviewed = {
        row[0]
        for row in fetch(
            "select record from console.enrolment where workflow = %s", (enrolments.find("kyc-rereview").id,)
        )
    }
    assert (first in reviewed, second in reviewed) == (True, False)
    begun = [customer for customer, _ in house.reviews() if customer in (first, second)]
    assert begun == [first]
