"""Whose a workflow is: who sees a personal one, and how it changes hands; copies, and the order of the list."""

from typing import Any

import pytest
import sqlalchemy as sa

from console import log, monitoring, runs, workflows
from console.auth import access, accounts
from console.auth.access import limits
from console.automation import triggers as automation
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import transaction
from console.workflows import ownership
from tests.company import DOCUMENT, Company
from tests.support.engine import step
from tests.support.staff import hired

OWN = DOCUMENT | {"slug": "own-review", "title": "Own review"}
HOOKED: dict[str, Any] = {
    "format": 1,
    "slug": "hooked",
    "title": "Hooked",
    "run_as": "robot@fernwick.example",
    "team": "operations",
    "triggers": [
        {"id": "trg_1", "kind": "webhook", "enabled": True},
        {"id": "nightly", "kind": "schedule", "cron": "0 3 * * *"},
        {"id": "by_hand", "kind": "manual"},
    ],
    "steps": [step("start", "start", "end"), step("end", "end", None)],
}


def own(company: Company, document: dict[str, Any] = OWN) -> workflows.Known:
    """A live personal workflow of Mona."""
    known = workflows.import_file(document, publish=True, owner=company.mona.id)
    access.refresh()
    return known


def sees(actor: Actor, slug: str = "own-review") -> bool:
    return any(entry.slug == slug for entry in workflows.entries(actor)[0])


@pytest.fixture
def gita(company: Company) -> Actor:
    """Another lead of Mona's team."""
    return hired(("lead", "operations"), ("operations_lead", "operations"), name="Gita Rao")


def test_only_its_owner_may_do_anything_with_a_personal_workflow(company: Company, gita: Actor) -> None:
    made = own(company)
    assert workflows.entry(company.mona, made.id).owner == company.mona.id
    for act in ("see", "start", "resume", "edit", "publish", "activate", "assign", "cancel", "takeover"):
        assert access.can(company.mona, "operations", "workflow:own-review", act), act
        assert access.could(company.mona, "operations", "workflow:own-review", act), act
        for other in (gita, company.olivia, company.stan):
            assert not access.can(other, "operations", "workflow:own-review", act), (other.name, act)
            assert not access.could(other, "operations", "workflow:own-review", act), (other.name, act)
    for other in (gita, company.olivia, company.stan):
        with pytest.raises(NotFound):
            workflows.entry(other, made.id)
        with pytest.raises(NotFound):
            workflows.definition(other, "own-review")
        with pytest.raises(NotFound):
            workflows.pause(other, "own-review", "")
        with pytest.raises(NotFound):
            workflows.ownership.hand_over(other, "own-review", "organisation")
        with pytest.raises(NotFound):
            runs.start(other, "own-review", "customer", "2", {"why": "periodic"})
        assert not sees(other)
        assert all(card.known.slug != "own-review" for card in monitoring.cards(other, "UTC"))
        assert all(each.slug != "own-review" for each in workflows.startable(other, "customer"))
        assert "workflow:own-review" in access.hidden_from(other)
    assert gita.id not in dict(limits.people_able("operations", "workflow:own-review", "activate"))


def test_its_runs_are_found_by_its_owner_and_by_who_reads_the_log(company: Company, gita: Actor) -> None:
    own(company)
    run = runs.start(company.mona, "own-review", "customer", "2", {"why": "periodic"})
    assert run in {head.id for head in runs.on_record(company.mona, "customer", "2")}
    for other in (gita, company.olivia):
        assert run not in {head.id for head in runs.on_record(other, "customer", "2")}
    assert workflows.entry(company.ada, "own-review").title == "Own review", (
        "an auditor sees in the log what it did"
    )
    assert workflows.entry(company.ines, "own-review").title == "Own review", (
        "an admin must be able to hand it over"
    )
    for other in (gita, company.olivia):
        with pytest.raises(NotFound):
            runs.get(other, run)
    assert not access.can(company.ines, "operations", "workflow:own-review", "start")
    with pytest.raises(NotAllowed):
        workflows.pause(company.ines, "own-review", "")


def test_the_accounts_in_whose_name_its_runs_act_may_start_it_and_no_other(company: Company) -> None:
    for email in ("robot@fernwick.example", "other@fernwick.example"):
        accounts.create_service_account(email, [("operations_lead", "operations")])
    own(company, HOOKED)
    may = {}
    for email in ("robot@fernwick.example", "other@fernwick.example"):
        account = accounts.actor_of_person(accounts.person_of_email(email).id)
        may[email] = access.can(account, "operations", "workflow:hooked", "start")
    assert may == {"robot@fernwick.example": True, "other@fernwick.example": False}


def test_it_changes_hands_with_an_event_and_only_by_whom_it_is_or_who_manages_people(
    company: Company, gita: Actor
) -> None:
    made = own(company)
    with pytest.raises(NotFound):
        ownership.hand_over(gita, made.id, "personal")
    with pytest.raises(NotAllowed, match="Only an admin"):
        ownership.hand_over(company.mona, made.id, "personal", to=accounts.person(gita.id).email)
    with pytest.raises(Invalid, match="not handed over"):
        ownership.hand_over(company.ines, made.id, "personal", to="olivia@fernwick.example")
    assert (
        ownership.hand_over(company.ines, made.id, "personal", to=accounts.person(gita.id).email).owner
        == gita.id
    )
    assert sees(gita)
    assert not sees(company.mona)
    assert ownership.personal_of(company.ines, gita.id)[0].slug == "own-review"
    assert ownership.hand_over(gita, made.id, "organisation").owner is None
    assert sees(company.mona)
    with pytest.raises(NotAllowed):
        ownership.hand_over(
            company.ines, made.id, "personal"
        )  # an admin makes nothing of the organisation's theirs
    with pytest.raises(NotAllowed):
        ownership.hand_over(company.olivia, made.id, "personal")
    with pytest.raises(Invalid, match="whose the workflow is"):
        ownership.hand_over(company.mona, made.id, "nobody")
    assert ownership.hand_over(company.mona, made.id, "personal").owner == company.mona.id
    ownership.hand_over(company.mona, made.id, "personal")
    told = [
        (event.open["former_holder"], event.open["holder"])
        for event in log.events_of("sys:config")
        if event.type == "workflow_handed_over"
    ]
    assert told == [(company.mona.id, gita.id), (gita.id, None), (None, company.mona.id)], (
        "once more changes nothing"
    )


def test_its_owner_gone_an_admin_makes_it_the_organisations(company: Company, gita: Actor) -> None:
    made = workflows.create(gita, "Left behind", whose="personal")
    accounts.person_changes.disable_person(gita.id, by=company.ines)
    assert not sees(company.mona, made.slug)
    assert [known.slug for known in ownership.personal_of(company.ines, gita.id)] == [made.slug]
    assert ownership.personal_of(company.mona, gita.id) == []
    ownership.hand_over(company.ines, made.slug, "organisation")
    assert sees(company.mona, made.slug)


def test_it_becomes_personal_only_when_nobody_else_works_in_it(company: Company) -> None:
    run = runs.start(company.olivia, "care-review", "customer", "2", {"why": "periodic"})
    beginning = step("sub", "sub_workflow", "end", {"workflow": "care-review", "record": "record.id"})
    steps = [step("start", "start", "sub"), beginning, step("end", "end", None)]
    head = {"format": 1, "slug": "outer", "title": "Outer", "collection": "customer", "team": "operations"}
    workflows.import_file(head | {"steps": steps}, publish=True)
    with pytest.raises(Conflict, match="while others work in it") as refused:
        ownership.hand_over(company.mona, "care-review", "personal")
    reasons = [detail["reason"] for detail in refused.value.details]
    assert reasons == [
        "1 live run is in the hands of others, or for others to take.",
        "Outer begins runs of it.",
    ]
    assert refused.value.code == "others_at_work"
    runs.cancel(company.mona, run, revision=None, reason="Enough")
    workflows.archive(company.mona, "outer")
    assert ownership.others_at_work(workflows.entry(company.mona, "care-review"), company.mona.id) == []
    assert ownership.hand_over(company.mona, "care-review", "personal").owner == company.mona.id


def test_a_service_account_has_no_personal_workflow(company: Company) -> None:
    accounts.create_service_account("robot@fernwick.example", [("operations_lead", "operations")])
    robot = accounts.actor_of_person(accounts.person_of_email("robot@fernwick.example").id)
    with pytest.raises(Invalid, match="service account"):
        workflows.create(robot, "Mine", team="operations", whose="personal")
    with pytest.raises(Invalid, match="whose the workflow is"):
        workflows.create(company.mona, "Mine", whose="theirs")


def test_a_copy_has_triggers_of_its_own_that_are_off(company: Company) -> None:
    accounts.create_service_account("robot@fernwick.example", [("operations_lead", "operations")])
    made = own(company, HOOKED)
    copied = workflows.duplicate(company.mona, made.id)
    assert copied.owner == company.mona.id, "whose the original is"
    assert workflows.duplicate(company.mona, made.id, "organisation").owner is None
    triggers = workflows.definition(company.mona, copied.id)["triggers"]
    assert [(each["kind"], each.get("enabled")) for each in triggers] == [
        ("webhook", False),
        ("schedule", False),
        ("manual", None),
    ]
    assert not {"trg_1", "nightly", "by_hand"} & {each["id"] for each in triggers}
    workflows.activate(company.mona, copied.id)
    rows = {(row.workflow, row.kind): row for row in _triggers()}
    old, new = rows[made.id, "webhook"], rows[copied.id, "webhook"]
    assert (old.enabled, new.enabled, rows[copied.id, "schedule"].next_at) == (True, False, None)
    assert old.token != new.token


def _triggers() -> Any:
    automation.trigger_rows.synchronise()
    with transaction() as connection:
        return connection.execute(
            sa.text("select workflow, kind, enabled, token, next_at from console.trigger")
        ).all()


def test_it_is_not_offered_where_it_is_hidden(company: Company) -> None:
    workflows.configure(company.mona, "care-review", settings={"hidden_in": ["list", "search"]})
    found = {
        place: [each.slug for each in workflows.startable(company.olivia, "customer", place)]
        for place in ("record", "list", "search", "assistant", None)
    }
    assert found == {
        "record": ["care-review"],
        "list": [],
        "search": [],
        "assistant": ["care-review"],
        None: ["care-review"],
    }
    assert runs.start(company.olivia, "care-review", "customer", "2", {"why": "periodic"}), (
        "hiding it takes no right away"
    )
    with pytest.raises(Invalid):
        workflows.configure(company.mona, "care-review", settings={"hidden_in": ["moon"]})
