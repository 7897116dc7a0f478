"""Lead nurture as it ships, done by what workers do: hours, other times, pauses, a provider that fails or tells twice, versions, and who asks for another time."""

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest

from console import workflows
from console.automation import enrolments
from console.browse import tags
from console.infra.db.engine import fetch
from console.messaging.messages.message_rows import read
from console.work import tasks
from tests.conftest import web_app
from tests.jobs import work_as_workers_do
from tests.messaging.messages import reached
from tests.messaging.messages.reached import SAM
from tests.messaging.messages.test_calls import ended
from tests.messaging.messages.test_shipped_automations import House, house
from tests.views.conftest import signed_in

__all__ = ["house"]
pytestmark = pytest.mark.slow
SLUG = "lead-nurture"


class Leads:
    """The house, its provider of calls, and Sam as a lead."""

    def __init__(self, house: House, server: reached.Calls) -> None:
        self.house, self.server, self.client = house, server, web_app().test_client()

    def later(self, **span: float) -> None:
        """Time passes, and workers work."""
        self.house.move(timedelta(**span))
        work_as_workers_do()

    def tagged(self) -> None:
        """Sam becomes a lead by the tag."""
        tags.put(self.house.company.olivia, "contact", [SAM], "lead")
        work_as_workers_do()

    def calls(self) -> list[Any]:
        """The calls of the workflow, oldest first."""
        return read("workflow = %s order by asked_at, id", (enrolments.find(SLUG).id,))

    def ends(self, **told: Any) -> int:
        """The provider says how the newest call ended; its status."""
        status = ended(self.client, self.calls()[-1].id, **told)
        work_as_workers_do()
        return status

    def scripts(self) -> list[str]:
        """What was said in the calls that the provider made."""
        return [call["asked"]["script"] for call in self.server.calls.values()]

    def at(self) -> str | None:
        """The step at which Sam stands."""
        return self.house.at(SLUG)


@pytest.fixture
def leads(house: House, given_settings: Callable[..., None]) -> Iterator[Leads]:
    with reached.provider_of_calls() as server:
        given_settings(**reached.by_calls(server))
        house.live(SLUG)
        work_as_workers_do()
        yield Leads(house, server)


def test_l1_three_calls_say_a_b_and_b_the_third_at_another_time_of_the_day(leads: Leads) -> None:
    leads.tagged()
    for step, hours in (("wait1", 0), ("wait2", 4)):
        assert leads.ends(outcome="no_answer") == 200
        assert leads.at() == step
        leads.later(days=2, hours=hours, minutes=5)
    assert leads.ends(outcome="voicemail") == 200
    first, second, third = leads.scripts()
    assert ("again" in first, "again" in second, third) == (False, True, second)
    called_at = [call.sent_at.astimezone(UTC).hour for call in leads.calls()]
    assert abs(called_at[2] - called_at[1]) >= 4
    assert leads.house.lead(SLUG).ending == "completed"
    assert tags.has("contact", SAM, "dormant")


def test_l3_a_call_that_is_due_at_half_past_eight_in_the_evening_is_made_at_eight_and_says_why(
    leads: Leads,
) -> None:
    leads.house.move(timedelta(hours=8, minutes=30))
    leads.tagged()
    [call] = leads.calls()
    page = signed_in(web_app(), "olivia").get("/outbox").text
    assert (call.status, leads.server.calls) == ("waiting", {})
    assert "08:00" in page
    leads.later(hours=11, minutes=25)
    assert not leads.server.calls
    leads.later(minutes=6)
    assert len(leads.server.calls) == 1


def test_l4_who_says_tuesday_at_three_is_called_then_and_no_attempt_is_used(leads: Leads) -> None:
    leads.tagged()
    leads.ends(outcome="answered", label="call_back", call_back="Tuesday 3", transcript="Call me Tuesday 3.")
    assert leads.at() == "back1"
    leads.later(days=7, hours=2, minutes=50)
    assert len(leads.calls()) == 1
    leads.later(minutes=15)
    assert [call.number for call in leads.calls()] == [1, 1]
    assert leads.at() == "call1", "it is call 1 that is made again"
    assert leads.scripts()[0] == leads.scripts()[1]


@pytest.mark.parametrize(
    ("said", "calls"), [("Tuesday 3", 4), (None, 1)], ids=["each time another one", "no time"]
)
def test_l4_who_asks_again_and_again_or_names_no_time_is_called_by_a_person(
    leads: Leads, said: str | None, calls: int
) -> None:
    leads.tagged()
    for hours in (3.5, 0, 0, 0, 0):  # the first call is at noon
        if leads.at() == "call1":
            leads.ends(
                outcome="answered",
                label="call_back",
                transcript="Later.",
                **({"call_back": said} if said else {}),
            )
            leads.later(days=7, hours=hours)
    left = leads.house.lead(SLUG)
    assert (len(leads.calls()), left.ending, leads.house.company.told(str(left.run))["ending"]) == (
        calls,
        "completed",
        "call_back",
    )
    assert [task.title for task in tasks.tasks_of(leads.house.company.olivia)] == ["Call Sam Whitfield back"]


def test_l5_after_three_days_of_pause_they_go_on_in_order_and_nobody_is_called_twice_in_a_day(
    leads: Leads,
) -> None:
    company = leads.house.company
    for key, number in (("3", "+12025550103"), ("4", "+12025550104")):
        leads.house.sql(
            "update contact set stage = 'new', phone = ?, country = 'US', time_zone = 'America/Denver' where id = ?",
            number,
            key,
        )
        leads.house.sql(reached.GIVEN, int(key), "phone", "given")
        leads.house.sql(reached.GIVEN, int(key), "call", "given")
    for key in ("4", SAM, "3"):
        tags.put(company.olivia, "contact", [key], "lead")
        work_as_workers_do()
        leads.ends(outcome="no_answer")
        leads.house.move(timedelta(minutes=10))
    leads.house.move(timedelta(days=1))
    workflows.pause(company.mona, SLUG)
    for _ in range(3):
        leads.later(days=1)
    assert len(leads.calls()) == 3, "nothing moves while it is paused"
    workflows.activate(company.mona, SLUG)
    work_as_workers_do()
    assert [call.record for call in leads.calls()[3:]] == ["4", SAM, "3"], (
        "in the order in which they were due"
    )
    for call in leads.calls()[3:]:
        ended(leads.client, call.id, outcome="no_answer")
    leads.later(hours=3)
    days: dict[tuple[str, str], int] = {}
    for call in leads.calls():
        if call.sent_at is not None:
            day = (str(call.record), f"{call.sent_at.astimezone(UTC):%F}")
            days[day] = days.get(day, 0) + 1
    assert set(days.values()) == {1}


def test_l6_what_the_provider_could_not_do_is_tried_again_and_is_no_attempt(leads: Leads) -> None:
    leads.server.fail = [500, 500, 500]
    leads.tagged()
    for _ in range(20):
        if not leads.server.calls:
            leads.later(minutes=3)
    assert (len(leads.server.asked), len(leads.server.calls)) == (4, 1)
    [call] = leads.calls()
    assert (call.number, call.status) == (1, "sent")
    assert leads.ends(outcome="failed") == 200, "the provider had taken it, and could not make it"
    leads.later(minutes=5)
    assert [call.number for call in leads.calls()] == [1, 1]
    assert leads.ends(outcome="no_answer") == 200
    run = leads.house.company.told(str(leads.house.lead(SLUG).run))
    assert (leads.at(), run["context"]["call1"]["attempts"]) == ("wait1", 1)


def test_l7_an_end_that_is_told_twice_is_one_way_on(leads: Leads) -> None:
    leads.tagged()
    [call] = leads.calls()
    told = {"outcome": "answered", "label": "interested", "transcript": "Yes please."}
    assert [ended(leads.client, call.id, **told) for _ in range(2)] == [200, 200]
    work_as_workers_do()
    assert ended(leads.client, call.id, outcome="no_answer") == 200, "and another end of it changes nothing"
    work_as_workers_do()
    told_run = leads.house.company.told(str(leads.house.lead(SLUG).run))
    assert [attempt["step"] for attempt in told_run["attempts"]] == [
        "start",
        "call1",
        "task",
        "engaged",
        "done",
    ]
    assert fetch("select count(*) from console.task")[0][0] == 1
    assert [kind for (kind,) in fetch("select kind from console.activity where kind = 'call_ended'")] == [
        "call_ended"
    ]
