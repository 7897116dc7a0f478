"""The simulator, the matrix, and why somebody may not: the same answer as the door's, with its reasons, and nothing given away."""

import pytest

from console import log, runs, workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.errors import Invalid, NotAllowed, NotFound, TooMany
from console.infra.db.engine import transaction
from console.permissions import explained_rights, matrix, right_requests, simulator
from console.work import notices
from console.workflows import inboxes
from tests.company import Company
from tests.support.acting import RATE, imported

CUSTOMER = "collection:customer"


def rows(*added: Row, removed: tuple[Row, ...] = ()) -> None:
    """More rules, in force at once."""
    with transaction() as connection:
        policy_store.write(connection, added=added, removed=removed)
    access.refresh()


def deny(role: str, act: str, condition: str = "") -> Row:
    return Row("p", f"role:{role}", "t:operations", CUSTOMER, act, "deny", condition)


@pytest.mark.parametrize(
    ("who", "act", "key", "allowed", "said"),
    [
        ("olivia", "read", "1", True, "Olivia may read Customers."),
        ("olivia", "read", "", True, "Olivia may read Customers, some of the records."),
        ("tom", "read", "3", False, "Tom may not read Customers: no condition of a rule holds."),
        ("mona", "export", "1", True, "Mona may export Customers."),
        ("olivia", "export", "1", False, "Olivia may not export Customers: no rule allows it."),
        ("stan", "read", "1", False, "Stan may not read Customers: no rule allows it."),
    ],
)
def test_a_try_says_what_the_door_says(
    company: Company, who: str, act: str, key: str, allowed: bool, said: str
) -> None:
    found = simulator.attempt(company.ines, f"{who}@fernwick.example", act, CUSTOMER, key=key)
    assert (found.allowed, found.said) == (allowed, said)
    record = {"desk": company.sql("select desk from customer where id = ?", int(key))[0][0]} if key else None
    assert access.can(company.people[who], None, CUSTOMER, act, record) is allowed


def test_a_try_of_an_action_looks_at_what_would_be_typed_and_a_run_at_who_began_it(company: Company) -> None:
    imported(RATE)
    rows(
        Row(
            "p",
            "role:reviewer",
            "t:operations",
            "action:customer.rate",
            "execute",
            "allow",
            "input.risk == 'low'",
        )
    )
    for risk, allowed in (("low", True), ("high", False)):
        found = simulator.attempt(
            company.ines, company.rosa.id, "execute", "action:customer.rate", key="1", typed={"risk": risk}
        )
        assert (found.allowed, found.team) == (allowed, "operations")
    resume = Row("p", "role:operator", "*", "workflow:*", "resume")
    rows(
        Row("p", "role:operator", "*", "workflow:*", "resume", "allow", "run.started_by != $currentUser.id"),
        removed=(resume,),
    )
    run_id = company.started()
    for who, allowed in (("olivia", False), ("tom", True)):
        found = simulator.attempt(
            company.ines, company.people[who].id, "resume", "workflow:care-review", run=run_id
        )
        assert found.allowed is allowed


def test_a_try_gives_nothing_away(company: Company) -> None:
    ines, olivia = company.ines, company.olivia
    for actor in (company.mona, company.stan, company.ada, olivia):
        with pytest.raises(NotAllowed):
            simulator.attempt(actor, olivia.id, "read", CUSTOMER)
        with pytest.raises(NotAllowed):
            matrix.table(actor, "collection")
        with pytest.raises(NotAllowed):
            next(matrix.as_csv(actor))
    rows(Row("p", "role:admin", "*", "field:customer/desk", "read", "deny"))
    found = simulator.attempt(ines, company.tom.id, "read", CUSTOMER, key="3")
    assert dict(found.rules[0].values)["record.desk"] == simulator.HIDDEN
    rows(Row("p", "role:admin", "*", CUSTOMER, "read", "deny"))
    with pytest.raises(NotFound):
        simulator.attempt(ines, company.tom.id, "read", CUSTOMER, key="3")
    for bad in (
        {"key": "99"},
        {"person": "usr_nobody"},
        {"person": "nobody@example.com"},
        {"obj": "collection:nothing"},
        {"obj": "spaceship"},
        {"run": "run_x"},
    ):
        with pytest.raises(NotFound):
            simulator.attempt(ines, **{"person": olivia.id, "act": "read", "obj": CUSTOMER, **bad})  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        simulator.attempt(ines, olivia.id, "start", CUSTOMER)
    accounts.disable_person(company.stan.id)
    assert "closed" in simulator.attempt(ines, company.stan.id, "read", CUSTOMER).said


@pytest.mark.parametrize(
    ("who", "act", "rule"),
    [
        ("olivia", "export", "No rule allows it for Operator."),
        ("stan", "read", "No rule allows it for Buyer."),
        ("ada", "update", "No rule allows it for Auditor."),
        ("rosa", "read", "A rule for Reviewer in Operations denies it."),
        (
            "tom",
            "read",
            "Operator in Operations may read Customers only where Desk is one of the person's desks.",
        ),
        (
            "mona",
            "update",
            "Lead in Operations may update Customers only where something holds that you may not see.",
        ),
    ],
)
def test_a_refusal_tells_its_rule_and_who_could_give_the_right(
    company: Company, who: str, act: str, rule: str
) -> None:
    mona = [
        row
        for row in access.all_rows()
        if (row.sub, row.dom, row.obj, row.act) == ("role:lead", "t:operations", CUSTOMER, "update")
    ]
    rows(
        deny("reviewer", "read"),
        Row("p", "role:lead", "t:operations", CUSTOMER, "update", "allow", "record.tax_id == 'IE'"),
        Row("p", "role:lead", "t:operations", "field:customer/tax_id", "read", "deny"),
        removed=tuple(mona),
    )
    reason = right_requests.why_not(
        company.people[who], None, CUSTOMER, act, {"record": {"desk": "corporate"}}
    )
    assert reason is not None
    assert (reason.rule, reason.who) == (rule, ("Ines",))
    assert reason.to_json() == {"need": {"object": CUSTOMER, "act": act}, "rule": rule, "who": ["Ines"]}
    assert right_requests.why_not(company.people[who], None, CUSTOMER, "nonsense") is None


def test_asking_reaches_who_can_give_it_once_and_is_slowed_down(company: Company) -> None:
    olivia, ines = company.olivia, company.ines
    assert right_requests.ask(olivia, CUSTOMER, "export", None, "For the audit") == 1
    (told,) = notices.notices_of(ines)
    assert told.text == "Olivia asks: export Customers. “For the audit”"
    assert told.href == f"/settings/access/try?person={olivia.id}&object=collection%3Acustomer&act=export"
    right_requests.ask(olivia, CUSTOMER, "export", None)
    assert len(notices.notices_of(ines)) == 1
    events = [event for event in log.events_of(olivia.session) if event.type == "access_requested"]
    assert [event.open for event in events] == [{"object": CUSTOMER, "act": "export", "count": 1}] * 2
    with pytest.raises(Invalid):
        right_requests.ask(olivia, CUSTOMER, "export", None, "x" * 501)
    right_requests.ask(olivia, CUSTOMER, "delete", None)
    right_requests.ask(olivia, CUSTOMER, "delete", None)
    right_requests.ask(olivia, CUSTOMER, "delete", None)
    right_requests.ask(olivia, CUSTOMER, "delete", None)
    with pytest.raises(TooMany):
        right_requests.ask(olivia, CUSTOMER, "delete", None)


def test_the_matrix_says_what_the_door_says_for_everybody(company: Company) -> None:
    for who, person in company.people.items():
        found = matrix.table(company.ines, "collection", person=person.id)
        for line in found.lines:
            told = dict(line.cells[0].acts)
            for act in ("browse", "read", "update", "export", "delete"):
                assert (told.get(act, "no") in ("yes", "partly")) is access.can(
                    person, None, line.obj, act
                ), (who, line.obj, act)


def points(company: Company, who: str, run_id: str) -> dict[str, explained_rights.Point]:
    return {point.title: point for point in explained_rights.on_run(company.people[who], run_id)}


def test_the_reason_that_holds_is_given_before_a_missing_right(company: Company) -> None:
    run_id = company.at("note")
    olivia, tom = points(company, "olivia", run_id), points(company, "tom", run_id)
    assert olivia["Do the step that it stands at"].allowed
    assert (olivia["Take it over from who holds it"].note, olivia["Continue it"].note) == (
        "You hold it already.",
        "You hold it already.",
    )
    assert tom["Do the step that it stands at"].note == "Olivia holds it."
    assert tom["Take it over from who holds it"].reason is not None
    runs.escalate(company.olivia, run_id, revision=None, inbox="desk", reason="Please look")
    assert points(company, "olivia", run_id)["Do the step that it stands at"].note == (
        "Nobody holds it: take it first."
    )
    inboxes.import_all([{"id": "desk", "title": "Leads", "team": "operations", "roles": ["lead"]}])
    assert "waits in the inbox Leads" in points(company, "olivia", run_id)["Continue it"].note
    runs.cancel(company.mona, run_id, revision=None, reason="Not needed")
    assert {point.note for point in points(company, "olivia", run_id).values()} == {"The run has ended."}


def test_a_workflow_that_is_under_way_or_paused_is_not_said_to_be_startable(company: Company) -> None:
    def start() -> explained_rights.Point:
        _, listed = explained_rights.on_record(company.olivia, "customer", "1")
        return next(point for point in listed if point.title == "Start Care review")

    assert start().allowed
    run_id = company.started()
    assert (start().allowed, start().note) == (False, "It is under way on this record.")
    runs.cancel(company.mona, run_id, revision=None, reason="Not needed")
    workflows.pause(company.mona, "care-review", reason="For a while")
    assert (start().allowed, start().note) == (False, "It is paused.")
