"""What holds somebody's data follows the scope of that somebody: read, written, referred to, explained; and the one word that says otherwise."""

from typing import Any

import pytest
import sqlalchemy as sa

from console import browse, records
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.actor import Actor
from console.core.errors import DefinitionError, Invalid, NotAllowed, NotFound
from console.core.scopes import unrestricted
from console.infra.db.engine import transaction
from console.permissions import right_requests, rule_conditions
from console.records import catalogue
from console.sources import collections
from tests.company import PASSWORD, Company

OURS, OTHER, FOREIGN = "LT459999900012345678", "LT459999900012345679", "NL559999900012345670"


def seen(actor: Actor, act: str = "read") -> set[str | None]:
    """Accounts that the actor may `act` on, by the database and by Python, which have to agree."""
    scope = access.scope_for(actor, "account", act)
    found = {row.key for row in records.page("account", scope).rows}
    every = records.page("account", unrestricted("account")).rows
    python = {row.key for row in every if access.can(actor, None, "collection:account", act, row.values)}
    assert found == python
    assert records.count("account", scope) == len(found)
    assert records.visible_keys("account", [OURS, OTHER, FOREIGN], scope) == found
    return found


def test_accounts_follow_their_customers(company: Company) -> None:
    assert seen(company.tom) == {OURS, OTHER}
    assert seen(company.olivia) == seen(company.mona) == {OURS, OTHER, FOREIGN}
    company.sql("update customer set desk = 'corporate' where id = 1")
    assert seen(company.tom) == set()


def test_what_belongs_to_nobody_is_for_who_sees_everybody(company: Company) -> None:
    company.sql("pragma foreign_keys = off")
    company.sql("update account set customer_id = 77 where iban = ?", OTHER)
    assert seen(company.tom) == {OURS}
    assert seen(company.mona) == {OURS, OTHER, FOREIGN}


def test_who_may_read_no_subject_sees_nothing_of_it(company: Company) -> None:
    access.grant("buyer", "collection:account", ["browse", "read"], team="procurement")
    assert seen(company.stan) == set()
    assert access.scope_for(company.stan, "account").nothing
    assert not access.can(company.stan, None, "collection:account", "browse")
    reason = right_requests.why_not(company.stan, None, "collection:account", "read")
    assert reason is not None
    assert reason.rule == "You may read only accounts of customers that you may see."
    access.grant("buyer", "collection:account", ["browse", "read"], "true", team="procurement")
    assert seen(company.stan) == {OURS, OTHER, FOREIGN}
    assert access.scope_for(company.stan, "account").unlimited


def test_a_condition_narrows_and_only_true_stands_alone(company: Company) -> None:
    access.grant("operator", "collection:account", ["update"], "record.status == 'open'", team="operations")
    assert seen(company.tom, "update") == {OURS}
    access.grant(
        "operator", "collection:account", ["update"], "true && record.status == 'closed'", team="operations"
    )
    assert seen(company.tom, "update") == {OURS, OTHER}
    access.grant(
        "operator",
        "collection:account",
        ["update"],
        "true && record.customer.desk == 'corporate'",
        team="operations",
    )
    assert seen(company.tom, "update") == {OURS, OTHER, FOREIGN}


def test_a_deny_follows_relations_and_wins(company: Company) -> None:
    row = Row(
        "p",
        "role:lead",
        "*",
        "collection:account",
        "read",
        "deny",
        "record.customer.risk == 'low' || record.customer.desk == 'corporate'",
    )
    with transaction() as connection:
        policy_store.write(connection, added=[row])
    access.refresh()
    company.sql("update customer set risk = 'high' where id = 1")
    assert seen(company.mona) == {OURS, OTHER}


def test_a_key_for_accounts_alone_follows_customers_too(company: Company) -> None:
    kept = accounts.create_own_key(
        company.tom, "narrow", days=1, scopes=access.Scopes(collections=frozenset({"account"}))
    )
    narrowed = Actor(
        "key",
        company.tom.id,
        tags=company.tom.tags,
        teams=company.tom.teams,
        roles=company.tom.roles,
        key_id=kept.id,
    )
    assert {row.key for row in records.page("account", access.scope_for(narrowed, "account")).rows} == {
        OURS,
        OTHER,
    }
    assert access.scope_for(narrowed, "customer").nothing


@pytest.fixture
def writing(company: Company) -> Company:
    access.grant("operator", "collection:account", ["update", "create"], team="operations")
    return company


def test_a_write_looks_at_the_subject_in_its_where(writing: Company) -> None:
    scope = access.scope_for(writing.tom, "account", "update")
    statements: list[str] = []
    engine = catalogue.engine_of(catalogue.collection("account"))
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert (
        records.write("account", OURS, {"status": {"old": "open", "new": "held"}}, scope).values["status"]
        == "held"
    )
    (update,) = [each for each in statements if each.startswith("UPDATE")]
    assert "EXISTS" in update
    with pytest.raises(NotFound):
        records.write("account", FOREIGN, {"status": {"old": "open", "new": "held"}}, scope)
    with pytest.raises(NotFound):
        browse.change(writing.tom, "account", FOREIGN, {"status": "held"}, {"status": "open"})
    assert browse.record(writing.tom, "account", OURS).may_update


def test_a_reference_out_of_scope_is_one_that_does_not_exist(writing: Company) -> None:
    update, create = (access.scope_for(writing.tom, "account", act) for act in ("update", "create"))
    told = []
    for customer in (3, 999):
        with pytest.raises(Invalid) as refused:
            records.write("account", OURS, {"customer_id": {"old": 1, "new": customer}}, update)
        told.append((refused.value.message, refused.value.details))
        with pytest.raises(Invalid) as refused:
            records.insert("account", {"iban": "LT00", "customer_id": customer, "status": "open"}, create)
        told.append((refused.value.message, refused.value.details))
    assert told[:2] == told[2:]
    assert told[0][1] == [{"field": "customer_id", "reason": "Customer: there is no such customer."}]
    assert (
        records.write("account", OURS, {"customer_id": {"old": 1, "new": 2}}, update).values["customer_id"]
        == 2
    )
    assert (
        records.insert("account", {"iban": "LT01", "customer_id": 1, "status": "open"}, create).key == "LT01"
    )
    assert writing.sql("select count(*) from account where customer_id = 3") == [(1,)]


def test_related_records_totals_and_titles_are_of_the_scope(company: Company) -> None:
    tom = access.scope_for(company.tom, "account")
    assert records.titles("account", [OURS, FOREIGN], tom).keys() == {OURS}
    assert records.totals("account", tom, [records.Figure("n", "count")]) == {"n": 2}
    with pytest.raises(NotFound):
        browse.related(company.tom, "account", FOREIGN, "customer")


def test_the_editor_offers_and_checks_relations(company: Company) -> None:
    offered = {one.path: one.label for one in rule_conditions.choices("collection:account")}
    assert offered["record.customer.desk"] == "Desk of the customer"
    made = rule_conditions.compose("collection:account", "record.customer.desk", "==", "retail")
    assert (
        rule_conditions.check("collection:account", ("read",), made).text
        == 'record.customer.desk == "retail"'
    )
    for text, said in (
        ("record.customer.colour == 'x'", "no field colour"),
        ("record.owner.desk == 'x'", "no relation owner"),
        ("record.customer == 1", "names no field"),
    ):
        with pytest.raises(DefinitionError, match=said):
            rule_conditions.check("collection:account", ("read",), text)
    with pytest.raises(DefinitionError, match="leads to many records"):
        rule_conditions.check("collection:customer", ("read",), "record.account.status == 'open'")
    assert "begins with customer_id" in rule_conditions.of_subject("collection:account")[0]
    company.sql("create index of_customer on account (customer_id)")
    assert rule_conditions.of_subject("collection:account") == []
    counted = rule_conditions.count_matching(
        company.ines, "collection:account", "record.status == 'open'", "operator", "t:operations"
    )
    assert dict(counted.people) == {"Olivia": 2, "Tom": 1}


def test_who_says_whose_data_it_is_manages_the_rights(company: Company) -> None:
    developer = accounts.create_person(
        "dev@fernwick.example", role="developer", team="operations", name="Dev", password=PASSWORD
    ).person
    dev = accounts.actor_of_person(developer.id)

    def publish(actor: Actor, **says: Any) -> None:
        editing = collections.open_collection(actor, "account")
        revision = collections.save(
            actor, "account", editing.draft.revision, {**editing.live.to_json(), **says}
        )
        collections.publish(actor, "account", revision)

    publish(dev, help="Where the money is")
    with pytest.raises(NotAllowed):
        publish(dev, subject=None)
    with pytest.raises(Invalid, match="no relation owner"):
        publish(company.ines, subject="owner")
    assert seen(company.tom) == {OURS, OTHER}
    publish(company.ines, subject=None)
    assert seen(company.tom) == {OURS, OTHER, FOREIGN}
