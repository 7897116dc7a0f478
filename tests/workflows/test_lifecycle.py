"""The life of a workflow: what may follow what, what a pause holds back, and what ends with a cancellation."""

import pytest
import sqlalchemy as sa

from console import log, monitoring, runs, workflows
from console.auth import accounts
from console.automation import triggers
from console.core.documents.triggers import Trigger
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import transaction
from tests.company import Company
from tests.support.engine import step

WAITING = {
    "format": 1,
    "slug": "reminding",
    "title": "Reminding",
    "collection": "customer",
    "team": "operations",
    "settings": {"exclusive": False},
    "steps": [
        step("start", "start", "later"),
        step("later", "wait", "end", {"days": 3}),
        step("end", "end", None),
    ],
}


def kinds() -> list[str]:
    return [
        event.type.removeprefix("workflow_")
        for event in log.events_of("sys:config")
        if event.type.startswith("workflow_")
    ]


def due(*runs_due: str) -> None:
    """Let the timers of these runs come due, one second after another, all in the past."""
    with transaction() as connection:
        for second, run_id in enumerate(runs_due):
            set_until = "update console.run set waiting = jsonb_set(waiting, '{until}', to_jsonb(cast(:at as text))) where id = :id"
            connection.execute(
                sa.text(set_until), {"id": run_id, "at": f"2026-01-01T00:00:{second:02}.000000Z"}
            )


def test_what_may_follow_what(company: Company) -> None:
    mona, slug = company.mona, "care-review"
    with pytest.raises(Conflict, match="left its draft"):
        workflows.change(mona, slug, status="draft")
    assert workflows.pause(mona, slug, "Month's end").status_reason == "Month's end"
    for act in (
        workflows.activate,
        workflows.complete,
        workflows.activate,
        workflows.pause,
        workflows.complete,
    ):
        act(mona, slug)
    with pytest.raises(Conflict, match="Only a workflow that is active can be paused; this one is completed"):
        workflows.pause(mona, slug)
    with pytest.raises(Invalid, match="A reason is needed"):
        workflows.cancel(mona, slug, "  ")
    assert workflows.cancel(mona, slug, "The law has changed").status == "cancelled"
    assert workflows.archive(mona, slug).status == "cancelled", "an archived workflow keeps what became of it"
    assert workflows.change(mona, slug, status="running").archived_at is None
    assert kinds() == [
        *(
            "imported",
            "published",
            "paused",
            "resumed",
            "completed",
            "activated",
            "paused",
            "completed",
            "cancelled",
            "archived",
        ),
        "activated",
    ]


def test_what_another_process_has_just_activated_starts_at_once(company: Company) -> None:
    """Whoever knows the list of a moment ago would refuse, and who was enrolled waited half a minute for the next look."""
    definition = workflows.live("care-review")
    workflows.pause(company.mona, "care-review", "Month's end")
    assert workflows.may_start(definition) is not None
    with (
        transaction() as connection
    ):  # as it is for a worker: nothing tells this process that its list is old
        connection.execute(
            sa.text("update console.workflow set status = 'active' where id = :id"), {"id": definition.id}
        )
    assert workflows.may_start(definition) is None


def test_a_pause_holds_timers_back_and_they_go_on_in_their_order(company: Company) -> None:
    workflows.import_file(WAITING, publish=True)
    first, second = (runs.start(company.olivia, "reminding", "customer", key) for key in "12")
    workflows.pause(company.mona, "reminding")
    due(second, first)
    assert company.work() == 0
    preview = monitoring.activation(company.mona, "reminding")
    assert ([each[0] for each in preview.timers], preview.overdue, preview.due) == ([second, first], 2, 0)
    workflows.activate(company.mona, "reminding")
    company.work()
    ended = [company.told(run_id)["ended_at"] for run_id in (second, first)]
    assert ended == sorted(ended)
    assert None not in ended


def test_who_is_inside_finishes_when_the_workflow_is_completed(company: Company) -> None:
    inside = company.started()
    workflows.complete(company.mona, "care-review")
    runs.end_cancelled()
    company.answer(inside)
    with pytest.raises(Conflict, match="completed"):
        company.started("2")


def test_a_cancellation_says_who_ends_and_ends_them(company: Company) -> None:
    inside, ended = company.started("1"), company.finished("2")
    preview = monitoring.cancellation(company.mona, "care-review")
    assert (preview.live, dict(preview.statuses), preview.under_way) == (1, {"waiting_person": 1}, 0)
    assert [(head.id, head.record_title) for head in preview.runs] == [(inside, "Adaeze Okonkwo-Bell")]
    assert monitoring.cancellation(company.tom, "care-review").live == 1
    workflows.cancel(company.mona, "care-review", "The law has changed")
    assert (runs.end_cancelled(), runs.end_cancelled()) == (1, 0)
    told = company.told(inside)
    assert (told["status"], told["reason"]) == ("cancelled", "The law has changed")
    assert company.told(ended)["status"] == "completed"
    assert list(runs.rebuild(inside, check=True)) == []
    last = log.events_of(inside)[-1]
    assert (last.type, last.open["reason_code"], last.body["actor"]["kind"]) == (
        "run_cancelled",
        "workflow_cancelled",
        "system",
    )


@pytest.mark.parametrize(
    ("who", "error"), [("stan", NotFound), ("olivia", NotAllowed), ("ada", NotAllowed), ("rosa", NotAllowed)]
)
def test_who_may_not_is_told_why(company: Company, who: str, error: type[Exception]) -> None:
    actor = company.people[who]
    for act in (workflows.activate, workflows.pause, workflows.complete, workflows.archive):
        with pytest.raises(error) as refused:
            act(actor, "care-review")
        if error is NotAllowed:
            assert "workflow" in str(refused.value).lower()
    with pytest.raises(error):
        workflows.cancel(actor, "care-review", "Mine")
    if who == "stan":
        for preview in (monitoring.activation, monitoring.cancellation):
            with pytest.raises(NotFound):
                preview(actor, "care-review")


def test_activation_says_what_fires_and_the_card_when(company: Company) -> None:
    hourly = {"id": "hourly", "kind": "schedule", "cron": "0 * * * *"}
    steps = [step("start", "start", "end"), step("end", "end", None)]
    accounts.create_service_account("robot@fernwick.example", [("operator", "operations")])
    document = {
        "format": 1,
        "slug": "hourly",
        "title": "Hourly",
        "team": "operations",
        "run_as": "robot@fernwick.example",
        "triggers": [hourly],
        "steps": steps,
    }
    workflows.import_file(document)
    preview = monitoring.activation(company.mona, "hourly")
    assert (len(preview.firings), {name for name, _ in preview.firings}) == (20, {"hourly"})
    assert list(preview.triggers) == [triggers.trigger_words(Trigger.model_validate(hourly)).rstrip(".")], (
        "as on the page of triggers"
    )
    tagged = {
        "id": "vip",
        "kind": "event",
        "enabled": True,
        "on": "tag.added",
        "collection": "customer",
        "filter": "event.tag == 'welcomed-vip'",
    }
    workflows.import_file(document | {"slug": "tagged", "triggers": [hourly, tagged]})
    every_hour, of_tag = monitoring.activation(company.mona, "tagged").triggers
    assert (every_hour, of_tag.partition(":")[0]) == ("Every hour", "A tag was added")
    assert of_tag.endswith("“welcomed-vip”.")
    workflows.import_file(document, publish=True)
    triggers.synchronise(workflows.live("hourly").id)
    [card] = [card for card in monitoring.cards(company.ines, "UTC") if card.known.slug == "hourly"]
    assert card.next_at == preview.firings[0][1]
    workflows.pause(company.mona, "hourly")
    assert [
        card.next_at for card in monitoring.cards(company.ines, "UTC") if card.known.slug == "hourly"
    ] == [None]
