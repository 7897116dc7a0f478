"""Nobody gives a role of their own a right on records alone, where there is a second administrator: every way to give one, and every way past the second."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from console import log, permissions, sources
from console.auth import access, accounts
from console.auth.access import Scopes, policy_store
from console.auth.access.own_rights import SecondAdminNeeded
from console.auth.access.rows import Row
from console.auth.accounts import entry, entry_changes, person_changes
from console.auth.accounts.entry import GroupRole
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.infra.db.engine import fetch, transaction
from console.permissions import rule_drafts, second_admin, team_copies
from console.sources import collections
from console.work import my_work, notices
from tests.company import PASSWORD, Company

pytestmark = pytest.mark.lengthy

EXPORTS = Row("p", "role:admin", "*", "collection:customer", "export")
NARROW = Row("p", "role:admin", "*", "collection:account", "read", "allow", "record.status == 'open'")
WIDE = Row("p", "role:admin", "*", "collection:account", "read")
HIDDEN = Row("p", "role:admin", "*", "field:customer/email", "read", "deny")
MASKED = Row("p", "role:admin", "*", "field:customer/tax_id", "read")


def second(company: Company, email: str = "bo@fernwick.example") -> Actor:
    """Another administrator."""
    made = accounts.create_person(email, role="admin", team="operations", name="Bo Berg", password=PASSWORD)
    access.refresh()
    return accounts.actor_of_person(made.person.id, "ses_bo")


def write_rows(*added: Row, removed: tuple[Row, ...] = ()) -> None:
    with transaction() as connection:
        policy_store.write(connection, added=added, removed=removed)
    access.refresh()


@pytest.fixture
def house(company: Company) -> Company:
    """The company, whose admins see customers but cannot export them, nor read everything of accounts."""
    with transaction() as connection:
        there = [
            row
            for row in policy_store.rows_of(connection, sub="role:admin")
            if row.obj.startswith("collection:")
        ]
        policy_store.write(
            connection,
            added=[replaced(row) for row in there if row.act in ("browse", "read")] + [HIDDEN],
            removed=there,
        )
    access.refresh()
    return company


def replaced(row: Row) -> Row:
    return NARROW if (row.obj, row.act) == (WIDE.obj, WIDE.act) else row


def put(who: Actor, *added: Row, removed: tuple[Row, ...] = ()) -> None:
    rule_drafts.put(who, removed, added)


def publish(who: Actor, *added: Row, removed: tuple[Row, ...] = ()) -> int:
    put(who, *added, removed=removed)
    return permissions.publish(who, access.current_version())


def asked(who: Actor, *added: Row, removed: tuple[Row, ...] = ()) -> second_admin.Request:
    put(who, *added, removed=removed)
    return permissions.ask_to_publish(who, access.current_version(), "For the audit")


def kinds() -> list[str]:
    return [event.type for event in log.events_of("sys:config") if event.type.startswith("own_rights")]


def robot_of(who: Actor) -> Actor:
    """A service account of which this person made a key."""
    robot = accounts.create_service_account("robot@fernwick.test", [("lead", "operations")])
    accounts.create_key_for(who, robot.id, "Mine", days=1)
    return accounts.actor_of_person(robot.id)


def test_every_way_to_give_oneself_a_right_on_records_needs_a_second_administrator(
    house: Company, tmp_path: Path
) -> None:
    ines = house.ines
    second(house)
    robot = robot_of(ines)
    team_rule = Row("p", "role:admin", "t:procurement", "collection:customer", "reveal")
    write_rows(team_rule)
    ways: dict[str, Callable[[], object]] = {
        "an act": lambda: publish(ines, EXPORTS),
        "every act": lambda: publish(ines, Row("p", "role:admin", "*", "collection:customer", "*")),
        "every collection": lambda: publish(ines, Row("p", "role:admin", "*", "collection:*", "export")),
        "a wider scope": lambda: publish(ines, WIDE, removed=(NARROW,)),
        "a field": lambda: publish(ines, removed=(HIDDEN,)),
        "a masked field": lambda: publish(ines, MASKED),
        "in one team": lambda: publish(
            ines, Row("p", "role:admin", "t:operations", "collection:customer", "export")
        ),
        "to oneself": lambda: publish(
            ines, Row("p", f"user:{ines.id}", "*", "collection:customer", "export")
        ),
        "a role built from another": lambda: publish(ines, Row("g", "role:admin", "*", "role:operator")),
        "a clearance": lambda: publish(ines, Row("p", "role:admin", "*", "label:amber", "see")),
        "an account's role": lambda: publish(
            ines, Row("p", "role:lead", "*", "collection:customer", "delete")
        ),
        "an account's roles": lambda: person_changes.change_roles(
            ines, robot.id, [("operator", "operations"), ("reviewer", "operations")]
        ),
        "a team's rules copied": lambda: team_copies.copy(ines, "procurement", "operations"),
    }
    access.grant("reviewer", "collection:account", ["delete"])
    access.refresh()
    before, wrong = set(access.all_rows()), list[str]()
    for way, give in ways.items():
        with suppress(SecondAdminNeeded):
            give()
            wrong.append(way)
        permissions.discard(ines)
        access.refresh()
        wrong += [way] if set(access.all_rows()) != before else []
        before = set(access.all_rows())
    assert wrong == []
    harmless = {
        "another's role": Row("p", "role:reviewer", "*", "collection:customer", "export"),
        "what is there": Row("p", "role:admin", "t:operations", "collection:customer", "read"),
        "less": Row("p", "role:admin", "*", "collection:customer", "export", "deny"),
        "no record": Row("p", "role:admin", "*", "workflow:*", "edit"),
    }
    for way, row in harmless.items():
        assert publish(ines, row), way
    assert kinds() == ["own_rights_given"], "of the key of an account with more rights, which the house made"


def test_a_new_source_gives_ones_own_role_nothing_before_the_second_says_so(
    house: Company, tmp_path: Path
) -> None:
    sqlite3.connect(tmp_path / "shop.db").executescript(
        "create table thing (id integer primary key, name text)"
    )
    other = second(house)
    may = {"admin": ["browse", "read", "export"], "operator": ["browse", "read"]}
    sources.add("shop", f"sqlite:///{tmp_path / 'shop.db'}", may=may, by=house.ines)
    access.refresh()
    assert access.can(house.olivia, None, "collection:shop.thing", "browse")
    assert not access.can(house.ines, None, "collection:shop.thing", "browse")
    [request] = second_admin.to_confirm(other)
    assert (request.about, {row.act for row in request.change.added}) == (
        "shop",
        {"browse", "read", "export"},
    )
    second_admin.confirm(other, request.id)
    assert access.can(house.ines, None, "collection:shop.thing", "export")


def test_a_second_administrator_sees_and_confirms_it(house: Company) -> None:
    ines, other = house.ines, second(house)
    request = asked(ines, EXPORTS)
    assert not access.can(ines, None, "collection:customer", "export")
    assert [each.id for each in my_work.work_of(other).rights] == [request.id]
    assert my_work.work_of(ines).rights == my_work.work_of(house.olivia).rights == []
    assert [each.href for each in notices.notices_of(other)] == [request.address]
    assert second_admin.confirm(other, request.id) == access.current_version()
    assert access.can(ines, None, "collection:customer", "export")
    assert kinds() == ["own_rights_asked", "own_rights_given", "own_rights_answered"]
    [given] = [event for event in log.events_of("sys:config") if event.type == "own_rights_given"]
    assert (given.open["person"], given.open["confirmed_by"], given.open["rights"]) == (
        ines.id,
        other.id,
        ["collection:customer export"],
    )
    assert not permissions.draft(ines).change
    assert second_admin.to_confirm(other) == []
    with pytest.raises(Conflict):
        second_admin.confirm(other, request.id)


def test_nobody_else_confirms_it(house: Company) -> None:
    ines, other, third = house.ines, second(house), second(house, "cy@fernwick.example")
    request = asked(ines, EXPORTS)
    keys = {
        who.id: accounts.create_key("tests", who.id, scopes=scopes).text
        for who, scopes in ((ines, Scopes(approves=True)), (other, None))
    }
    robot = robot_of(ines)
    write_rows(Row("g", f"user:{robot.id}", "*", "role:admin"))
    by_key = [accounts.actor_of_key(key) for key in keys.values()]
    for who in (ines, house.mona, house.ada, robot, *filter(None, by_key)):
        with pytest.raises(NotAllowed):
            second_admin.confirm(who, request.id)
        if who.id != ines.id:  # whoever asked may take it back
            with pytest.raises(NotAllowed):
                second_admin.refuse(who, request.id, "No")
        assert second_admin.to_confirm(who) == []
    assert second_admin.request_of(third, request.id).open


def test_who_made_the_key_of_an_account_that_asks_does_not_confirm_for_it(house: Company) -> None:
    ines, other = house.ines, second(house)
    robot = robot_of(other)
    write_rows(Row("g", f"user:{robot.id}", "*", "role:admin"))
    request = asked(accounts.actor_of_person(robot.id), EXPORTS)
    with pytest.raises(NotAllowed):
        second_admin.confirm(other, request.id)
    assert second_admin.confirm(ines, request.id)


def test_another_content_of_the_draft_is_another_request(house: Company) -> None:
    ines, other = house.ines, second(house)
    first = asked(ines, EXPORTS)
    put(ines, MASKED)
    with pytest.raises(Conflict) as void:
        second_admin.confirm(other, first.id)
    assert (void.value.code, second_admin.request_of(other, first.id).status) == ("already_decided", "void")
    again = asked(ines)
    newer = asked(ines)
    assert [each.id for each in second_admin.to_confirm(other)] == [newer.id]
    assert second_admin.request_of(other, again.id).status == "void"
    second_admin.confirm(other, newer.id)
    assert {EXPORTS, MASKED} <= set(access.all_rows())


def test_it_is_refused_with_a_reason_or_taken_back(house: Company) -> None:
    ines, other = house.ines, second(house)
    request = asked(ines, EXPORTS)
    with pytest.raises(Invalid):
        second_admin.refuse(other, request.id, " ")
    second_admin.refuse(other, request.id, "Ask the board first")
    assert (second_admin.request_of(ines, request.id).reason, permissions.draft(ines).change.added) == (
        "Ask the board first",
        frozenset({EXPORTS}),
    )
    back = asked(ines)
    second_admin.refuse(ines, back.id, "")
    assert second_admin.request_of(ines, back.id).status == "withdrawn"
    assert not access.can(ines, None, "collection:customer", "export")


def test_two_who_confirm_at_once_publish_it_once(house: Company) -> None:
    ines, others = house.ines, (second(house), second(house, "cy@fernwick.example"))
    request, before = asked(ines, EXPORTS), access.current_version()

    def answer(who: Actor) -> object:
        try:
            return second_admin.confirm(who, request.id)
        except ConsoleError as error:
            return error.status

    with ThreadPoolExecutor(2) as threads:
        answers = sorted(map(str, threads.map(answer, others)))
    access.refresh()
    assert answers == sorted([str(before + 1), "409"])
    assert kinds().count("own_rights_given") == 1


def test_alone_it_is_published_with_an_event_and_an_alert(
    house: Company, given_settings: Callable[..., None]
) -> None:
    ines = house.ines
    publish(ines, EXPORTS)
    assert access.can(ines, None, "collection:customer", "export")
    assert kinds() == ["own_rights_given"]
    assert any("right on records" in each.text for each in notices.notices_of(house.ada)), (
        "whoever verifies the log is told"
    )
    other = second(house)
    given_settings(CONSOLE_RIGHTS_REVIEW="off")
    publish(ines, MASKED)
    assert kinds() == ["own_rights_given"] * 2
    assert any("right on records" in each.text for each in notices.notices_of(other))


def test_where_the_second_goes_meanwhile_whoever_asked_is_not_locked_out(house: Company) -> None:
    ines, other = house.ines, second(house)
    request = asked(ines, EXPORTS)
    accounts.disable_person(other.id)
    access.refresh()
    assert second_admin.who_confirms(request) == []
    second_admin.confirm(ines, request.id)
    assert access.can(ines, None, "collection:customer", "export")
    assert "own_rights_given" in kinds()


def test_who_asked_and_left_gets_nothing(house: Company) -> None:
    ines, other = house.ines, second(house)
    request = asked(ines, EXPORTS)
    accounts.disable_person(ines.id, by=other)
    access.refresh()
    with pytest.raises(Conflict) as gone:
        second_admin.confirm(other, request.id)
    assert gone.value.code == "not_possible"
    assert EXPORTS not in access.all_rows()


def test_whoever_has_the_shell_is_trusted(house: Company) -> None:
    second(house)
    change = rule_drafts.compare(access.export([*access.all_rows(), EXPORTS]), "all.csv")
    assert rule_drafts.publish_file(accounts.COMMAND_LINE, change, "By the shell")
    assert log.events_of("sys:config")[-1].type == "policy_changed"
    assert fetch("select count(*) from console.rights_request") == [(0,)]


def test_a_document_that_opens_fields_and_a_group_that_gives_a_role_are_told(house: Company) -> None:
    ines = house.ines

    def publish_document(**more: Any) -> None:
        page = collections.open_collection(ines, "customer")
        document = {**page.document.to_json(), **more}
        collections.publish(
            ines, "customer", collections.save(ines, "customer", page.draft.revision, document)
        )

    publish_document(label="Clients")
    assert kinds() == []
    publish_document(fields={"tax_id": {"sensitive": False}})
    publish_document(fields={"tax_id": {"sensitive": True}})
    [given] = [event for event in log.events_of("sys:config") if event.type == "own_rights_given"]
    assert given.open["rights"] == ["field:customer/tax_id read"]
    groups = (GroupRole("ops", "operator", "operations"),)
    entry_changes.store(ines, replace(entry.current(), groups=groups))
    assert len(kinds()) == 1, "nobody signs in there"
    with transaction() as connection:
        connection.execute(
            sa.text(
                "insert into console.identity (person, issuer, subject) values (:id, 'https://id.example', '1')"
            ),
            {"id": ines.id},
        )
    entry_changes.store(
        ines, replace(entry.current(), groups=(*groups, GroupRole("all", "lead", "operations")))
    )
    assert len(kinds()) == 2
