"""Alerts on failed and slow runs: whom they tell, how often, what they start, and who may set them."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from console import log, monitoring, runs, workflows
from console.activity import sequencing
from console.auth import access, accounts
from console.core.errors import Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch, transaction
from console.monitoring import alerts
from console.operations import erasure, status
from console.work import notices
from console.workflows import Known
from tests.company import Company
from tests.support.engine import step
from tests.support.failing import REMINDING, failed

TOM = "tom@fernwick.example"


@pytest.fixture
def reminding(company: Company) -> Known:
    workflows.import_file(REMINDING, publish=True)
    return known("reminding")


def known(slug: str) -> Known:
    return next(one for one in workflows.all_known() if one.slug == slug)


def looked() -> int:
    """Failures are read from the log and judged."""
    sequencing.catch_up()
    monitoring.read_log()
    return alerts.raise_due()


def told(company: Company, who: str = "tom") -> list[str]:
    return [f"{notice.text} {notice.about}" for notice in notices.notices_of(company.people[who])]


def earlier(hours: int) -> None:
    """Everything that alerts said was said so many hours ago."""
    with transaction() as connection:
        connection.execute(
            sa.text("update console.alert_rule set last_at = last_at - make_interval(hours => :n)"),
            {"n": hours},
        )


def test_a_failure_is_told_once_an_hour_and_what_is_kept_back_is_counted(
    company: Company, reminding: Known
) -> None:
    rule = alerts.add(company.mona, reminding, kind="failed", people=[TOM])
    reason = company.told(failed(company, "1"))["reason"]
    failed(company, "2")
    assert (looked(), looked()) == (2, 0)
    assert told(company) == [
        f"“later” failed: {reason} 2 runs have failed like this. Reminding, Adaeze Okonkwo-Bell"
    ]
    assert [one.held for one in alerts.rules_of(reminding)] == [1]
    earlier(2)
    failed(company, "4")
    looked()
    assert len(told(company)) == 2
    assert "3 runs have failed like this. 1 failure was not told since the last alert." in told(company)[0]
    raised = [event.open for event in log.events_of("sys:config") if event.type == "alert_raised"]
    assert [(each["alert"], each["people"], each["held"]) for each in raised] == [
        (rule.id, [company.tom.id], 0),
        (rule.id, [company.tom.id], 1),
    ]


def test_of_somebody_who_was_erased_meanwhile_the_failure_is_told_without_its_words(
    company: Company, reminding: Known
) -> None:
    alerts.add(company.mona, reminding, kind="failed", people=[TOM])
    failed(company, "1")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    failed(company, "2")
    looked()
    earlier(2)
    failed(company, "4")
    assert looked() == 1, "and keeps nothing else from being told"
    assert ["“later” failed" in each for each in told(company)] == [True, False]


def test_a_slow_run_is_told_once(company: Company) -> None:
    care = known("care-review")
    alerts.add(company.mona, care, kind="slow", minutes=60, people=[TOM])
    run_id = company.started("1")
    assert alerts.tell_slow() == 0
    with transaction() as connection:
        connection.execute(
            sa.text("update console.run set created_at = :at where id = :id"),
            {"at": log.now() - timedelta(hours=2), "id": run_id},
        )
    assert (alerts.tell_slow(), alerts.tell_slow()) == (1, 0)
    assert told(company) == ["A run takes longer than it should Care review, Adaeze Okonkwo-Bell"]


def test_who_may_not_see_the_workflow_is_not_told(company: Company, reminding: Known) -> None:
    with pytest.raises(Invalid) as refused:
        alerts.add(company.mona, reminding, kind="failed", people=["stan@fernwick.example"])
    assert (
        refused.value.details[0]["reason"]
        == "Nobody who may see this workflow has the address stan@fernwick.example."
    )
    alerts.add(company.mona, reminding, kind="failed", people=[TOM])
    access.assign(company.tom.id, [("operator", "procurement")])
    failed(company)
    looked()
    assert notices.notices_of(accounts.actor_of_person(company.tom.id)) == []


def test_while_everything_is_paused_nobody_is_told_and_later_once(company: Company, reminding: Known) -> None:
    alerts.add(company.mona, reminding, kind="failed", people=[TOM])
    status.pause(company.ines, "Repairs")
    for record in "124":
        failed(company, record)
    assert looked() == 0
    status.resume(company.ines, "Repaired")
    assert (looked(), len(told(company))) == (3, 1)


def test_a_failure_starts_a_workflow_once_and_never_in_a_circle(company: Company, reminding: Known) -> None:
    accounts.create_service_account("robot@fernwick.example", [("operator", "operations")])
    fields = [
        {"name": name, "label": name, "type": "long_text"}
        for name in ("run", "code", "message", "error", "record", "workflow_title", "step_title", "link")
    ]
    fields.append({"name": "input", "label": "input", "type": "json"})
    healing: dict[str, Any] = {
        "format": 1,
        "slug": "healing",
        "title": "Healing",
        "team": "operations",
        "run_as": "robot@fernwick.example",
        "steps": [step("start", "start", "end", {"fields": fields}), step("end", "end", None)],
    }
    workflows.import_file(healing, publish=True)
    alerts.add(company.mona, reminding, kind="failed", starts="healing")
    run_id = failed(company)
    looked()
    (head,) = runs.find(company.mona, {"workflow": "healing"})[0]
    given = company.told(head.id, "mona")["attempts"][0]["values"]
    reason = company.told(run_id)["reason"]
    assert (given["run"], given["message"], given["error"], given["record"]) == (run_id, reason, reason, "1")
    assert (given["workflow_title"], given["step_title"], given["link"]) == (
        "Reminding",
        "later",
        f"/workflows/reminding/executions/{run_id}",
    )
    assert given["input"] == fetch("select input from console.run where id = %s", (run_id,))[0][0]
    assert alerts.raise_due() == 0
    for starts in ("reminding", "care-review", "nothing"):
        with pytest.raises(Invalid):
            alerts.add(company.mona, reminding, kind="failed", starts=starts)


def test_who_may_set_one_and_what_it_needs(company: Company, reminding: Known) -> None:
    rule = alerts.add(company.mona, reminding, kind="failed", people=[TOM])
    for who in ("olivia", "ada", "stan"):
        with pytest.raises(NotAllowed):
            alerts.add(company.people[who], reminding, kind="failed", people=[TOM])
        with pytest.raises(NotAllowed):
            alerts.remove(company.people[who], reminding, rule.id)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "odd", "people": [TOM]}, "kind"),
        ({"kind": "slow", "people": [TOM]}, "minutes"),
        ({"kind": "slow", "minutes": 0, "people": [TOM]}, "minutes"),
        ({"kind": "error", "pattern": " ", "people": [TOM]}, "pattern"),
        ({"kind": "failed"}, "people"),
    ]
    for given, field in wrong:
        with pytest.raises(Invalid) as refused:
            alerts.add(company.mona, reminding, **given)
        assert [detail["field"] for detail in refused.value.details] == [field]
    alerts.remove(company.mona, reminding, rule.id)
    with pytest.raises(NotFound):
        alerts.remove(company.mona, reminding, rule.id)
