"""Whom the automations of the demo wrote to and called in the past weeks: campaigns, leads that came in, and one morning that went wrong."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from console import browse, log, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments, triggers
from console.browse import tags
from console.core import schedule
from console.messaging import messages
from console.monitoring import incidents, read_log
from console.work import tasks

if TYPE_CHECKING:
    from console.demo.past_weeks import Stage, Tale

CALLS = "answered/interested 4\nno_answer 7\nvoicemail 4\nbusy 2\nanswered/not_interested 3\nanswered/call_back 1\nfailed 1"
TEXTS = "delivered 14\nfailed 1"
"""How people answer what the sandbox does not really send, with how often."""
LEADS = '{"and": [{"field": "stage", "op": "eq", "value": "new"}, {"field": "consents", "op": "gt", "value": 2}, {"field": "phone", "op": "is_null", "value": false}]}'
"""New contacts with a phone number who agreed to more than two kinds of messages."""
FAILING = 3
TALKED = "Talked to them; they have what they need for now."
LEAD_DAYS, LEADS_A_DAY = 20, 2
"""For so many days leads have come in by their tag."""
CONTACTED = 12
"""How many are enrolled by hand in each workflow that writes to contacts."""
REMINDED_AGO = (5.4, 2.4, 0.4)
"""About so many days ago the reminder took in the refund requests that were open: without them all would be late at once when the demo begins."""
SHUT = timedelta(days=4)
"""No schedule of the demo is silent for longer: on Sunday night it last fired on Friday."""
BEFORE = '{{"field": "created_at", "op": "lt", "value": "{:%Y-%m-%dT%H:%M:%SZ}"}}'
"""What was there at this moment."""


def all_of(stage: "Stage", night: datetime) -> Iterator[tuple[timedelta, "Tale"]]:
    """Each tale with how long ago it begins; `night` is the last one, at two o'clock at Fernwick."""
    for at in fired("refund-sla", [stage.started - timedelta(days=days) for days in REMINDED_AGO]):
        yield stage.started - at, reminded(stage)
    for ago, workflow, chosen in (
        (timedelta(days=9.3), "re-engage", browse.BrowseQuery(segment="quiet", limit=CONTACTED)),
        (timedelta(days=8.4), "lead-nurture", browse.BrowseQuery(filter=LEADS, sort="name", limit=CONTACTED)),
        (timedelta(days=6.4), "lead-nurture", browse.BrowseQuery(segment="stories", limit=CONTACTED)),
        (timedelta(days=4.1), "welcome", browse.BrowseQuery(segment="no_zone", limit=CONTACTED)),
        (timedelta(days=3.3), "welcome", browse.BrowseQuery(filter=LEADS, sort="email", limit=FAILING)),
        (
            timedelta(days=2.3),
            "lead-nurture",
            browse.BrowseQuery(filter=LEADS, sort="-name", limit=CONTACTED),
        ),
    ):
        yield ago, campaign(stage, "gita", workflow, chosen)
    yield stage.started - night + timedelta(days=LEAD_DAYS) - timedelta(hours=8), leads_come_in(stage)
    yield timedelta(days=3.25), closed_by_mistake(stage)


def fired(workflow: str, moments: Sequence[datetime]) -> list[datetime]:
    """Return when the schedule of the workflow last fired before each of the moments, once each: it fires at no other time, on Saturdays never."""
    document = workflows.live(enrolments.find(workflow).id).document
    plan = next(trigger for trigger in document.triggers if trigger.kind == "schedule")
    return sorted({_last_time(plan.fields or "", plan.zone or "UTC", moment) for moment in moments})


def _last_time(cron: str, zone: str, moment: datetime) -> datetime:
    at = moment - SHUT
    while (coming := schedule.following(cron, zone, at, 1)[0]) <= moment:
        at = coming
    return at


def sandbox(stage: "Stage") -> None:
    """Say how people answer calls and messages that are not really sent."""
    for kind, script in (("call", CALLS), ("sms", TEXTS)):
        messages.channel_settings.save(stage.actor("admin"), kind, sandbox_on=True, script=script)


def campaign(stage: "Stage", by: str, workflow: str, chosen: browse.BrowseQuery) -> "Tale":
    """The records of this list are enrolled by hand, and their runs go on by themselves."""
    found = browse.page(stage.actor(by), enrolments.find(workflow).collection or "", chosen)
    yield from enrolled(stage, by, workflow, [record.key for record in found.rows if record.key is not None])


def reminded(stage: "Stage") -> "Tale":
    """The trigger of the refund reminder takes in the requests that have come by now."""
    asked = browse.BrowseQuery(
        segment="refund_requests", filter=BEFORE.format(log.now()), sort="created_at", limit=200
    )
    keys = [
        record.key
        for record in browse.page(stage.actor("mona"), "ticket", asked).rows
        if record.key is not None
    ]
    account = runs.account_of(workflows.live(enrolments.find("refund-sla").id))
    enrolments.batches.begin(account, "refund-sla", enrolments.Question(keys=keys, trigger="working_hours"))
    stage.settle()
    yield from ()


def enrolled(stage: "Stage", by: str, workflow: str, keys: Sequence[str], **values: Any) -> "Tale":
    """These records are enrolled by hand."""
    enrolments.batches.begin(stage.actor(by), workflow, enrolments.Question(keys=list(keys), values=values))
    stage.settle()
    yield from ()


def leads_come_in(stage: "Stage") -> "Tale":
    """On each working day the campaign manager does the tasks of the days before, and tags new contacts as leads; the trigger that waits for it enrols them."""
    gita = stage.actor("gita")
    agreed = LEADS.replace('"value": 2', '"value": 3')
    found = browse.page(
        gita, "contact", browse.BrowseQuery(filter=agreed, sort="phone", limit=LEAD_DAYS * LEADS_A_DAY)
    )
    keys = iter([record.key for record in found.rows if record.key is not None])
    triggers.synchronise(enrolments.find("lead-nurture").id)
    for _ in range(LEAD_DAYS):
        if log.now().weekday() < 5:
            for task in tasks.tasks_of(stage.actor("gita")):
                if log.now() - task.created_at > timedelta(days=1.5):
                    tasks.close(stage.actor("gita"), task.id, "done", TALKED)
            tags.put(stage.actor("gita"), "contact", list(islice(keys, LEADS_A_DAY)), "lead")
            sequencing.catch_up()
            triggers.follow_log()
            stage.settle()
        yield timedelta(days=1)


def closed_by_mistake(stage: "Stage") -> "Tale":
    """The account of an automation is closed: its runs fail when they are due, until it is open again and the campaign manager does them again."""
    account = accounts.person_of_email("growth-automation@fernwick.example").id
    accounts.disable_person(account, by=stage.actor("admin"))
    yield timedelta(hours=7)
    accounts.enable_person(stage.actor("admin"), account)
    sequencing.catch_up()
    read_log()
    gita = stage.actor("gita")
    for found in incidents.open_incidents(gita):
        incidents.retry_all(gita, found.workflow, found.cause, origin="failure", version="original")
    stage.settle()
