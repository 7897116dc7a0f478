"""The policy in the database: filled, followed, kept when it cannot be read."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from console.auth import access
from console.auth.access import history, limits, policy_store
from console.auth.access.decisions import Decision
from console.auth.access.rows import Row
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.demo import staff
from console.infra.db import engine as db
from console.operations import doctor, status

MIGRATIONS = Path(__file__).parents[3] / "migrations" / "sql"
ANNA = Actor("user", "usr_anna", "Anna", "anna@example.com", session="ses_anna", tags={"desks": ["retail"]})
BORIS = replace(ANNA, id="usr_boris", name="Boris", tags={})


@pytest.fixture
def anna(clean: object) -> Actor:
    """An operator of Operations, in a database of her own."""
    access.assign(ANNA.id, [("operator", "operations")])
    return ANNA


def elsewhere(statement: str, **values: str) -> None:
    """What another process commits, with the version that moves with it."""
    with db.transaction() as connection:
        connection.execute(sa.text(statement), values)
        connection.execute(sa.text("update console.version set number = number + 1 where name = 'policy'"))


def test_an_empty_policy_is_filled_from_the_file_once(clean: object) -> None:
    shipped = access.parse(policy_store.ROLES.read_text(encoding="utf-8"))
    assert set(access.all_rows()) == set(shipped)
    assert access.current_version() == 1
    with db.transaction() as connection:
        assert policy_store.seed(connection) == 0


def test_two_processes_at_once_fill_it_once(clean: object) -> None:
    def fill() -> None:
        with db.transaction() as connection:
            filled.append(policy_store.seed(connection))

    elsewhere("delete from console.policy")
    filled: list[int] = []
    db.engine()
    threads = [threading.Thread(target=fill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(filled)[:3] == [0, 0, 0]
    assert sorted(filled)[3] == len(access.parse(policy_store.ROLES.read_text(encoding="utf-8")))


def test_a_change_by_another_process_is_followed(anna: Actor) -> None:
    assert access.can(anna, "operations", "workflow:kyc-review", "start")
    elsewhere("delete from console.policy where sub = :sub", sub="user:usr_anna")
    access.refresh()
    assert not access.can(anna, "operations", "workflow:kyc-review", "start")
    assert access.roles_of(anna.id) == frozenset()


def test_a_broken_row_keeps_the_policy_before_and_alarms(
    anna: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    before = access.current_version()
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act, expression) values ('p', 'role:operator', '*', 'workflow:*', 'see', 'record.a ==')"
    )
    with caplog.at_level(logging.ERROR):
        access.refresh()
    assert access.can(anna, "operations", "workflow:kyc-review", "start")
    assert access.current_version() == before
    assert "alarm: the policy in the database cannot be used" in caplog.text


def test_a_broken_policy_at_the_start_allows_nothing(clean: object) -> None:
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act) values ('p', 'role:operator', '*', 'workflow:*', 'strat')"
    )
    with pytest.raises(NotAllowed) as refused:
        access.can(ANNA, "operations", "workflow:kyc-review", "start")
    assert refused.value.code == "rights_unknown"


def test_an_upgrade_takes_away_rules_about_keys_which_did_nothing_and_notes_it(anna: Actor) -> None:
    script = (MIGRATIONS / "20261212_0100_rules_of_keys.sql").read_text()
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act, eft) values ('p', 'key:key_1', '*', 'collection:customer', 'read', 'deny')"
    )
    with db.transaction() as connection:
        connection.exec_driver_sql(script.replace("%", "%%"))
    access.refresh()
    assert access.can(anna, "operations", "workflow:kyc-review", "start")
    assert not [row for row in access.all_rows() if row.sub.startswith("key:")]
    [version] = [each for each in history.newest() if each.note.startswith("Rules about API keys")]
    assert [row.sub for row in version.change.removed] == ["key:key_1"]
    before = access.current_version()
    with db.transaction() as connection:
        connection.exec_driver_sql(script.replace("%", "%%"))
    access.refresh()
    assert access.current_version() == before


def test_an_unreachable_store_keeps_the_policy_for_thirty_seconds(
    anna: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    hide, show = "revoke select on console.version from console", "grant select on console.version to console"
    with _admin() as admin, caplog.at_level(logging.ERROR):
        admin.execute(hide)
        try:
            access.refresh()
            assert access.can(anna, "operations", "workflow:kyc-review", "start")
            assert "alarm: the policy cannot be compared" in caplog.text
            policy_store._Clock.sure -= policy_store.TRUSTED_S
            with pytest.raises(NotAllowed) as refused:
                access.can(anna, "operations", "workflow:kyc-review", "start")
            assert refused.value.code == "rights_unknown"
        finally:
            admin.execute(show)
    access.refresh()
    assert access.can(anna, "operations", "workflow:kyc-review", "start")


def test_grant_gives_a_right_at_once_and_tells_the_others(anna: Actor) -> None:
    with psycopg.connect(
        db.app_url().set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as listening:
        listening.execute("listen policy")
        number = access.grant("operator", "collection:erp.parts", ["browse", "read"], "record.price < 10")
        (told,) = listening.notifies(timeout=60, stop_after=1)
    assert told.payload == str(number)
    assert access.current_version() == number
    assert access.can(anna, None, "collection:erp.parts", "read", {"price": 3})
    assert not access.can(anna, None, "collection:erp.parts", "read", {"price": 30})
    assert not access.can(anna, None, "collection:erp.parts", "update", {"price": 3})


def test_grant_within_a_transaction_comes_and_goes_with_it(anna: Actor) -> None:
    before = access.current_version()
    with db.engine().connect() as connection:
        access.grant("operator", "source", ["manage"], connection=connection)
        connection.rollback()
    access.refresh()
    assert access.current_version() == before
    with db.transaction() as connection:
        access.grant("operator", "source", ["manage"], connection=connection)
    access.refresh()
    assert access.can(anna, None, "source", "manage")


def test_assign_replaces_the_roles(anna: Actor) -> None:
    staff.give_rights()
    access.assign(anna.id, [("buyer", "procurement"), ("auditor", "*")])
    assert access.roles_of(anna.id) == {("buyer", "procurement"), ("auditor", "*")}
    assert not access.can(anna, "operations", "workflow:kyc-review", "start")
    assert access.can(anna, "procurement", "workflow:supplier-onboarding", "start")
    assert access.holders("auditor") == {anna.id}


def test_a_refusal_names_the_right_and_who_can_grant_it(anna: Actor) -> None:
    with db.transaction() as connection:
        connection.execute(sa.text("insert into console.team values ('operations', 'Operations')"))
        connection.execute(
            sa.text(
                "insert into console.workflow (id, slug, title, team) values ('wf_1', 'kyc-review', 'KYC review', 'operations')"
            )
        )
    cases = [
        (
            BORIS,
            "operations",
            "workflow:kyc-review",
            "start",
            "Needs workflow.start on KYC review. An admin can grant it.",
            "You may not start KYC review. An admin can grant it.",
        ),
        (
            anna,
            "operations",
            "workflow:other-one",
            "cancel",
            "Needs workflow.cancel on Other one. An admin can grant it.",
            "You may not cancel Other one. An admin can grant it.",
        ),
        (
            anna,
            None,
            "collection:erp.bank_accounts",
            "read",
            "Needs collection.read on Bank accounts. An admin can grant it.",
            "You may not read Bank accounts. An admin can grant it.",
        ),
        (
            anna,
            None,
            "activity",
            "export",
            "Needs activity.export. An admin can grant it.",
            "You may not export the activity log. An admin can grant it.",
        ),
    ]
    for actor, team, obj, act, message, words in cases:
        with pytest.raises(NotAllowed) as refused:
            access.require(actor, team, obj, act)
        assert (refused.value.message, refused.value.words, refused.value.need, refused.value.status) == (
            message,
            words,
            (obj, act),
            403,
        )
        assert (decision(actor, team, obj, act).allowed, decision(actor, team, obj, act).row) == (False, None)
    access.grant("operations_lead", "user", ["manage"])  # who can grant it is read from the rights
    access.grant("admin", "policy", ["manage"])
    with pytest.raises(NotAllowed, match=r"An admin or an operations lead can grant it\."):
        access.require(BORIS, "operations", "workflow:kyc-review", "start")


def test_the_scope_of_a_collection(anna: Actor) -> None:
    staff.give_rights()
    scope = access.scope_for(anna, "customer")
    assert (scope.nothing, scope.everything, set(scope.hidden)) == (False, False, {"tax_id"})
    assert scope.allows({"desk": "retail"})
    assert not scope.allows({"desk": "corporate"})
    assert access.scope_for(anna, "charge").everything
    assert access.scope_for(anna, "supplier").nothing
    assert access.scope_for(anna, "charge", "update").nothing
    assert access.scope_for(BORIS, "customer").nothing
    access.require(anna, None, "collection:customer", "read")  # some of them: the scope says which
    with pytest.raises(NotAllowed):
        access.require(anna, None, "collection:customer", "read", {"desk": "corporate"})


def test_the_scopes_of_several_teams_add_up_and_a_deny_cuts_through_all(anna: Actor) -> None:
    staff.give_rights()
    access.grant("reviewer", "collection:customer", ["read"], 'record.desk == "corporate"', team="audit")
    access.assign(anna.id, [("operator", "operations"), ("reviewer", "audit")])
    assert all(access.scope_for(anna, "customer").allows({"desk": desk}) for desk in ("retail", "corporate"))
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act, eft, expression) values ('p', 'role:reviewer', '*', 'collection:customer', 'read', 'deny', :when)",
        when='record.restriction_code == "legal"',
    )
    access.refresh()
    scope = access.scope_for(anna, "customer")
    assert scope.allows({"desk": "retail", "restriction_code": "none"})
    assert not scope.allows({"desk": "retail", "restriction_code": "legal"})
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act, eft) values ('p', 'role:reviewer', '*', 'collection:customer', 'read', 'deny')"
    )
    access.refresh()
    assert access.scope_for(anna, "customer").nothing


def decision(
    actor: Actor, team: str | None, obj: str, act: str, run: Mapping[str, str] | None = None
) -> Decision:
    """As a page that explains it asks."""
    roots = access.roots_of(actor, run=run)
    return limits.decision_of(actor.id, team, obj, act, roots, some=obj.startswith("collection:"))


def test_why_names_the_row_that_decided(anna: Actor) -> None:
    access.grant("operator", "workflow:kyc-review", ["cancel"], "run.started_by == $currentUser.id")
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act, eft) values ('p', 'user:usr_anna', 't:operations', 'workflow:kyc-review', 'see', 'deny')"
    )
    access.refresh()
    started = decision(anna, "operations", "workflow:kyc-review", "start")
    assert (started.allowed, started.row) == (True, Row("p", "role:operator", "*", "workflow:*", "start"))
    own = decision(anna, "operations", "workflow:kyc-review", "cancel", {"started_by": anna.id})
    granted = Row(
        "p",
        "role:operator",
        "*",
        "workflow:kyc-review",
        "cancel",
        "allow",
        "run.started_by == $currentUser.id",
    )
    assert (own.allowed, own.row) == (True, granted)
    assert not decision(
        anna, "operations", "workflow:kyc-review", "cancel", {"started_by": "usr_other"}
    ).allowed
    seen = decision(anna, None, "workflow:kyc-review", "see")
    assert (seen.allowed, seen.row) == (
        False,
        Row("p", "user:usr_anna", "t:operations", "workflow:kyc-review", "see", "deny"),
    )


def test_why_agrees_with_the_answer_for_every_shipped_right(anna: Actor) -> None:
    access.assign(anna.id, [("finance_controller", "operations"), ("buyer", "procurement")])
    asked = sorted(
        {
            (row.obj, row.act)
            for row in access.all_rows()
            if row.ptype == "p" and not row.obj.startswith(("collection:c", "field:", "collection:s"))
        }
    )
    for obj, act in asked[::7]:
        assert decision(anna, None, obj, act).allowed is access.can(anna, None, obj, act), (obj, act)


def _admin() -> "psycopg.Connection[object]":
    url = db.migration_url()
    return psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    )


def test_lines_that_were_written_past_the_console_are_found(clean: object) -> None:
    """Whoever may write to the table gives themselves a right: judged it is like any other, so what says that it is there must not come from the table."""
    access.grant("admin", "collection:shop", ["browse"])
    with db.transaction() as connection:
        policy_store.write(
            connection,
            removed=[row for row in policy_store.rows_of(connection) if row.obj == "collection:shop"],
        )
    access.grant("admin", "collection:shop", ["browse", "read"])
    assert (history.untold(), doctor._rights().ok) == ([], True)
    elsewhere(
        "insert into console.policy (ptype, sub, dom, obj, act) values ('p', 'role:operator', '*', 'policy', 'manage')"
    )
    elsewhere("delete from console.policy where obj = 'collection:shop' and act = 'read'")
    assert [(row.obj, row.act, there) for row, there in history.untold()] == [
        ("policy", "manage", True),
        ("collection:shop", "read", False),
    ]
    told = doctor._rights()
    assert (
        told.ok,
        "2 of its lines were added to the table past the console: role:operator manage policy"
        in told.message,
    ) == (
        False,
        True,
    )
    assert b"handrail_rights_untold 2" in status.metrics()[0]
