"""Roles and their rules as an admin edits them: draft, preview, publishing, two admins at once, going back."""

import pytest
import sqlalchemy as sa

from console import permissions
from console.auth import access, accounts
from console.auth.access.rows import Row
from console.core.actor import Actor
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db.engine import transaction
from console.permissions import role_rules
from console.permissions.role_rules import Rule
from tests.company import PASSWORD, Company

PLACE, CUSTOMER = "t:operations", "collection:customer"


@pytest.fixture
def iris(company: Company) -> Actor:
    """Another admin."""
    made = accounts.create_person(
        "iris@fernwick.example", role="admin", team="admin", name="Iris", password=PASSWORD
    )
    return accounts.actor_of_person(made.person.id, "ses_iris")


def published(by: Actor, note: str = "") -> int:
    """The actor's draft, looked at and published."""
    return permissions.publish(by, permissions.preview(by).version, note)


def test_a_draft_counts_when_it_is_published(company: Company) -> None:
    ines, tom = company.ines, company.tom
    assert access.can(tom, None, CUSTOMER, "update", {"desk": "retail"})
    role_rules.edit(
        ines,
        "operator",
        PLACE,
        CUSTOMER,
        [Rule("allow", ("browse", "read"), "record.desk in $currentUser.tags.desks")],
        {"email": "hidden", "risk": "read"},
    )
    assert access.can(tom, None, CUSTOMER, "update", {"desk": "retail"})
    told = permissions.preview(ines)
    lost = {(effect.obj, effect.act): set(effect.lost) for effect in told.effects}
    assert lost[CUSTOMER, "update"] == {company.olivia.id, tom.id}
    assert lost["field:customer/email", "read"] == {company.olivia.id, tom.id}
    assert told.touched == 2
    before = access.current_version()
    assert (
        permissions.publish(ines, told.version, "Fewer changes by hand")
        == before + 1
        == access.current_version()
    )
    assert not access.can(tom, None, CUSTOMER, "update", {"desk": "retail"})
    scope = access.scope_for(tom, "customer")
    assert (set(scope.hidden), set(scope.fixed)) == ({"email"}, {"email", "risk"})
    assert not permissions.draft(ines).change
    (version, *_) = permissions.versions(ines)
    assert (version.number, version.by, version.note) == (before + 1, ines.id, "Fewer changes by hand")
    assert (
        Row(
            "p", "role:operator", PLACE, CUSTOMER, "update", "allow", "record.desk in $currentUser.tags.desks"
        )
        in version.change.removed
    )


def test_going_back_brings_the_rules_and_leaves_the_people(company: Company) -> None:
    ines = company.ines
    before = set(access.all_rows())
    role_rules.edit(ines, "operator", PLACE, CUSTOMER, [Rule("deny", ("read",))], {})
    number = published(ines)
    assert not access.can(company.olivia, None, CUSTOMER, "read")
    access.assign(company.tom.id, [("reviewer", "operations")])
    permissions.undo(ines, number)
    assert published(ines, "back") == number + 2
    assert {row for row in access.all_rows() if row.ptype == "p"} == {
        row for row in before if row.ptype == "p"
    }
    assert access.roles_of(company.tom.id) == {("reviewer", "operations")}
    with pytest.raises(NotFound):
        permissions.undo(ines, 10_000)
    with transaction() as connection:
        connection.execute(sa.text("update console.version set number = number + 1 where name = 'policy'"))
    access.refresh()
    with pytest.raises(Conflict, match="past the console"):
        permissions.undo(ines, number)


def test_who_publishes_second_is_shown_what_the_first_did(company: Company, iris: Actor) -> None:
    ines = company.ines
    role_rules.edit(ines, "reviewer", PLACE, CUSTOMER, [Rule("allow", ("browse",))], {})
    role_rules.edit(iris, "reviewer", PLACE, "collection:account", [Rule("allow", ("export",))], {})
    seen = permissions.preview(ines).version
    published(iris, "Iris was first")
    with pytest.raises(Conflict) as refused:
        permissions.publish(ines, seen)
    assert refused.value.code == "policy_moved"
    assert any("export" in detail["reason"] for detail in refused.value.details)
    assert [one.note for one in permissions.draft(ines).theirs] == ["Iris was first"]
    assert published(ines) == access.current_version()
    assert ("role:reviewer", "collection:account", "export") in {
        (row.sub, row.obj, row.act) for row in access.all_rows()
    }
    assert not access.can(
        company.rosa, None, "collection:account", "export"
    )  # accounts follow their customers, who are not hers to read
    assert not access.can(company.rosa, None, CUSTOMER, "read")


def test_a_role_given_to_somebody_meanwhile_is_no_conflict(company: Company) -> None:
    role_rules.edit(company.ines, "reviewer", PLACE, CUSTOMER, [Rule("allow", ("browse",))], {})
    seen = permissions.preview(company.ines).version
    access.assign(company.stan.id, [("buyer", "procurement"), ("reviewer", "operations")])
    assert permissions.publish(company.ines, seen)


def test_own_roles_are_made_copied_renamed_and_taken_away(company: Company) -> None:
    ines = company.ines
    made = permissions.create(ines, "Night desk", level="operator", about="Works at night")
    assert made == "night_desk"
    access.assign(company.stan.id, [("night_desk", "operations")])
    assert access.can(company.stan, "operations", "workflow:care-review", "start")
    with pytest.raises(Conflict, match="held by Stan"):
        permissions.delete(ines, made)
    role_rules.edit(ines, made, PLACE, CUSTOMER, [Rule("allow", ("export",))], {"email": "hidden"})
    published(ines)
    other = permissions.create(ines, "Night desk two", copy=made)
    assert role_rules.rules_of(access.all_rows(), other, PLACE, CUSTOMER) == [Rule("allow", ("export",))]
    assert role_rules.fields_of(access.all_rows(), other, PLACE, "customer") == {"email": "hidden"}
    assert permissions.read_role(ines, other).built_from == (("operator", "*"),)
    permissions.rename(ines, other, "Late desk", "")
    assert permissions.read_role(ines, other).title == "Late desk"
    permissions.delete(ines, other)
    with pytest.raises(NotFound):
        permissions.read_role(ines, other)
    assert permissions.create(ines, "Night desk!", level="lead") == "night_desk_2"
    assert permissions.create(ines, "Draft", level="lead") == "role_draft"


def test_levels_keep_what_they_come_with(company: Company) -> None:
    ines = company.ines
    with pytest.raises(NotAllowed, match="shipped level"):
        permissions.rename(ines, "lead", "Boss", "")
    with pytest.raises(NotAllowed, match="shipped level"):
        permissions.delete(ines, "operator")
    role_rules.edit(ines, "operator", "*", "workflow:*", [Rule("allow", ("see",))], {})
    with pytest.raises(NotAllowed, match="comes with its level"):
        published(ines)
    permissions.discard(ines)
    role_rules.edit(ines, "admin", "*", "policy", [Rule("allow", ("manage",)), Rule("deny", ("manage",))], {})
    with pytest.raises(NotAllowed, match="nobody could change the rights") as last:
        published(ines)
    assert last.value.code == "last_admin"


@pytest.mark.parametrize("who", ["olivia", "mona", "stan", "ada", "rosa"])
def test_only_who_manages_the_rights_gets_near_them(company: Company, who: str) -> None:
    actor = company.people[who]
    for attempt in (
        lambda: permissions.list_roles(actor),
        lambda: permissions.create(actor, "X", level="lead"),
        lambda: permissions.rename(actor, "buyer", "X", ""),
        lambda: permissions.delete(actor, "buyer"),
        lambda: permissions.draft(actor),
        lambda: permissions.preview(actor),
        lambda: permissions.discard(actor),
        lambda: permissions.publish(actor, 1),
        lambda: permissions.versions(actor),
        lambda: permissions.undo(actor, 1),
        lambda: role_rules.edit(actor, "operator", PLACE, CUSTOMER, [], {}),
    ):
        with pytest.raises(NotAllowed):
            attempt()
