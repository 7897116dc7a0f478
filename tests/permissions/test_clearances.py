"""Labels: one condition in every door. What a reader finds is what a cleared reader finds, less what they are not cleared for; and clearance for a time."""

import copy
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings as tries, strategies as st

from console import activity, browse, log, runs, workflows
from console.activity import exports, sequencing
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.auth.accounts import entry, entry_changes
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db.engine import fetch, transaction
from console.log.event_lists import LogFilter
from console.operations import doctor
from console.permissions import clearances
from console.work import notices, tickets
from console.workflows import inboxes
from tests import company as small
from tests.company import PASSWORD, Company

pytestmark = pytest.mark.lengthy

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
MARKS = (None, "amber", "blue")
SLUGS = {None: "care-review", "amber": "care-amber", "blue": "care-blue"}


def may_see(*people: tuple[Actor, set[str]]) -> None:
    """Make these the clearances of these people, and of nobody else."""
    with transaction() as connection:
        there = [
            row
            for row in policy_store.rows_of(connection)
            if row.obj.startswith("label:") and row.sub.startswith("user:")
        ]
        wanted = [
            Row("p", f"user:{who.id}", "*", f"label:{mark}", "see", "allow")
            for who, marks in people
            for mark in marks
        ]
        policy_store.write(connection, added=wanted, removed=there)
    access.refresh()


@pytest.fixture(scope="module")
def house(module_company: Company) -> Company:
    """The company with two workflows that carry a label each, and a role that is cleared for one of them."""
    for mark in ("amber", "blue"):
        made = copy.deepcopy(small.DOCUMENT) | {
            "slug": SLUGS[mark],
            "title": f"Care {mark}",
            "clearance": mark,
        }
        made["settings"] = {"visit_limit": 5, "exclusive": False}
        workflows.import_file(made, publish=True)
    workflows.import_file(
        copy.deepcopy(small.DOCUMENT) | {"settings": {"visit_limit": 5, "exclusive": False}}, publish=True
    )
    access.grant("keeper", "label:amber", ["see"])
    access.grant("keeper", "workflow:*", ["see", "start", "resume"], team="operations")
    access.grant("keeper", "collection:customer", ["browse", "read"], team="operations")
    access.grant("keeper", "collection:account", ["browse", "read"], team="operations")
    accounts.create_person(
        "kim@fernwick.example", role="keeper", team="operations", name="Kim", password=PASSWORD
    )
    module_company.people["kim"] = accounts.actor_of_person(
        accounts.person_of_email("kim@fernwick.example").id, "ses_kim"
    )
    access.refresh()
    return module_company


# -------------------------------------------------------------------------------------------------------------- the property


def found(who: Actor, auditor: Actor, record: str) -> dict[str, list[Any]]:
    """Everything that the reader finds, list by list, as pairs of a run's id and what is said of it."""
    heads, after = [], None
    while True:
        page, after = runs.find(who, {}, limit=7, after=after)
        heads += page
        if after is None:
            break
    rows, cursor = [], None
    while True:
        told = activity.page(auditor, LogFilter(), 50, cursor)
        rows += [(row.json["run"], row.json["id"]) for row in told.rows if row.json["run"]]
        if (cursor := told.next) is None:
            break
    exported = b"".join(
        exports.begin(auditor, exports.ExportQuery(), ready=sequencing.catch_up).parts()
    ).splitlines()
    bodies = [orjson.loads(line) for line in exported]
    return {
        "find": [(head.id, head.status) for head in heads],
        "on_record": [(head.id, head.step) for head in runs.on_record(who, "customer", record)],
        "live_on": [
            (head.id, key)
            for key, each in sorted(runs.live_on(who, "customer", ["1", "2", "3"]).items())
            for head in each
        ],
        "to_continue": [(head.id, head.status) for head in runs.to_continue(who)],
        "log": sorted(set(rows)),
        "export": [(body["run"], body["id"]) for body in bodies if body["run"].startswith("run_")],
        "counts": [
            (run, 1)
            for run, workflow in fetch("select id, workflow from console.run where ended_at is null")
            for _ in range(runs.live_counts(who).get(workflow, 0) > 0)
        ],
    }


@tries(max_examples=8, deadline=None)
@given(
    begun=st.lists(st.tuples(st.sampled_from(MARKS), st.sampled_from("123")), min_size=1, max_size=4),
    cleared=st.sets(st.sampled_from(["amber", "blue"])),
)
def test_a_reader_finds_what_a_cleared_reader_finds_less_what_they_are_not_cleared_for(
    house: Company, begun: list[tuple[str | None, str]], cleared: set[str]
) -> None:
    mona, ada, both = house.mona, house.ada, {"amber", "blue"}
    may_see((mona, both), (ada, both))
    for mark, record in begun:
        run_id = runs.start(mona, SLUGS[mark], "customer", record, {"why": "event"})
        if record == "2":
            runs.save(mona, run_id, revision=None)
    sequencing.catch_up()
    whole = found(mona, ada, begun[0][1])
    may_see((mona, cleared), (ada, cleared))
    part = found(mona, ada, begun[0][1])
    mark_of = dict(fetch("select id, label from console.run"))
    assert {each for mark, _ in begun for each in [mark]} <= set(mark_of.values())
    for name, each in whole.items():
        assert part[name] == [
            pair for pair in each if mark_of[pair[0]] is None or mark_of[pair[0]] in cleared
        ], name
    for run_id, mark in mark_of.items():
        if mark is None or mark in cleared:
            assert runs.get(mona, run_id).json["id"] == run_id
        else:
            for look in (runs.get, runs.replay, runs.events):
                with pytest.raises(NotFound):
                    look(mona, run_id)


def test_events_carry_the_label_in_their_bodies_and_the_projections_agree_with_the_log(
    house: Company,
) -> None:
    may_see((house.mona, {"amber"}))
    run_id = runs.start(house.mona, "care-amber", "customer", "1", {"why": "event"})
    sequencing.catch_up()
    assert {event.body["label"] for event in log.events_of(run_id)} == {"amber"}
    assert set(fetch("select label from console.activity where run = %s", (run_id,))) == {("amber",)}
    assert list(runs.rebuild(run_id, check=True)) == []
    plain = runs.start(house.mona, "care-review", "customer", "1", {"why": "event"})
    assert not any("label" in event.body for event in log.events_of(plain))


def test_runs_with_a_label_never_stand_in_the_way_of_others(house: Company) -> None:
    made = copy.deepcopy(small.DOCUMENT) | {"slug": "care-once", "title": "Care once", "clearance": "blue"}
    workflows.import_file(made, publish=True)
    may_see((house.mona, {"blue"}))
    hidden = runs.start(house.mona, "care-once", "customer", "3", {"why": "event"})
    workflows.import_file({name: value for name, value in made.items() if name != "clearance"}, publish=True)
    access.refresh()
    assert runs.start(house.olivia, "care-once", "customer", "3", {"why": "event"}) != hidden
    assert [
        head.slug for head in runs.on_record(house.olivia, "customer", "3") if head.slug == "care-once"
    ] == ["care-once"]


# ------------------------------------------------------------------------------------------------- labels of records, by rule


@pytest.fixture
def vip(house: Company) -> Iterator[None]:
    """Customers of the corporate desk are labelled."""
    told = '{"clearance": {"label": "blue", "when": "record.desk == \\"corporate\\""}}'
    fetch(
        "update console.collection set document = document || %s::jsonb where id = 'customer' returning id",
        (told,),
    )
    access.refresh()
    yield
    fetch(
        "update console.collection set document = document - 'clearance' where id = 'customer' returning id"
    )
    access.refresh()


def test_a_record_that_is_labelled_by_a_rule_is_not_there_and_its_runs_keep_the_label(
    house: Company, vip: None
) -> None:
    mona = house.mona
    may_see((mona, {"blue"}))
    assert browse.page(mona, "customer", BrowseQuery(count="exact")).total == 4
    run_id = runs.start(mona, "care-review", "customer", "3", {"why": "event"})
    assert fetch("select label from console.run where id = %s", (run_id,)) == [("blue",)]
    may_see()
    page = browse.page(mona, "customer", BrowseQuery(count="exact", q="Halcyon"))
    assert (page.total, page.rows) == (0, [])
    assert browse.page(mona, "customer", BrowseQuery(count="exact")).total == 3
    for look in (
        lambda: browse.record(mona, "customer", "3"),
        lambda: runs.get(mona, run_id),
        lambda: browse.related(mona, "customer", "3", "account"),
    ):
        with pytest.raises(NotFound):
            look()
    assert access.can(mona, None, "collection:customer", "read", {"desk": "retail"})
    assert not access.can(mona, None, "collection:customer", "read", {"desk": "corporate"})
    house.sql("update customer set desk = 'retail' where id = 3")
    assert browse.record(mona, "customer", "3").record.key == "3"
    with pytest.raises(NotFound):  # the run was begun as a confidential one
        runs.get(mona, run_id)
    house.sql("update customer set desk = 'corporate' where id = 3")


# -------------------------------------------------------------------------------------------------------- clearance for a time


def asked(
    house: Company,
    by: str = "ines",
    who: str = "ada",
    since: datetime = NOW - DAY,
    until: datetime = NOW + DAY,
    label: str = "amber",
) -> clearances.Grant:
    return clearances.ask(
        house.people[by], label, house.people[who].email, since, until, "Audit of the third quarter"
    )


def test_an_auditor_is_cleared_for_a_time_by_two_people_and_each_reading_is_an_event(house: Company) -> None:
    may_see()
    ada, kim = house.ada, house.kim
    run_id = runs.start(kim, "care-amber", "customer", "1", {"why": "event"})
    made = asked(house)
    assert made.state == "asked"
    with pytest.raises(NotFound):
        runs.get(ada, run_id)
    assert [told.text for told in notices.notices_of(kim)][:1] == [
        "Ines asks for your agreement to a clearance"
    ]
    with pytest.raises(NotAllowed, match="Another person"):
        clearances.answer(house.ines, made.id, agree=True)
    with pytest.raises(NotAllowed):
        clearances.answer(house.tom, made.id, agree=True)
    assert clearances.may_agree(kim, made)
    assert clearances.answer(kim, made.id, agree=True).state == "now"
    before = len(log.events_of(run_id))
    assert runs.get(ada, run_id).json["id"] == run_id
    assert runs.replay(ada, run_id).last == before + 2
    assert [(event.type, event.body["actor"]["id"]) for event in log.events_of(run_id)[before:]] == [
        ("run_read", ada.id)
    ] * 2
    assert accounts.actor_of_person(ada.id).clearance == {"amber"}
    told = log.events_of("sys:config")
    kinds = [
        event for event in told if event.type.startswith("clearance_") and event.open["clearance"] == made.id
    ]
    assert [(event.type, event.body["actor"]["id"]) for event in kinds] == [
        ("clearance_asked", house.ines.id),
        ("clearance_granted", kim.id),
    ]
    assert kinds[0].values["reason"] == "Audit of the third quarter"
    assert clearances.revoke(kim, made.id).state == "revoked"
    with pytest.raises(NotFound):
        runs.get(ada, run_id)
    with pytest.raises(Conflict):
        clearances.revoke(kim, made.id)
    with pytest.raises(Conflict):
        clearances.answer(kim, made.id, agree=True)


def test_it_begins_and_ends_by_itself(house: Company) -> None:
    may_see()
    run_id = runs.start(house.kim, "care-amber", "customer", "1", {"why": "event"})
    later = asked(house, since=NOW + DAY, until=NOW + 2 * DAY)
    clearances.answer(house.kim, later.id, agree=True)
    assert clearances.list_labels(house.ines)[0].grants[0].state == "later"
    with pytest.raises(NotFound):
        runs.get(house.ada, run_id)
    for seconds in (0.4, 4, 40):  # a busy machine may take longer to look than the shorter of them last
        soon, seen = datetime.now(UTC) + timedelta(seconds=seconds), None
        with suppress(Conflict, NotFound):
            brief = clearances.answer(house.kim, asked(house, until=soon).id, agree=True)
            seen = runs.get(house.ada, run_id).json["id"]
        if datetime.now(UTC) < soon:
            break
    assert seen == run_id
    while datetime.now(UTC) <= soon:
        time.sleep(0.05)
    with pytest.raises(NotFound):
        runs.get(house.ada, run_id)
    assert fetch(
        "select count(*) from console.policy where sub = %s and obj = 'label:amber'",
        (f"user:{house.ada.id}",),
    ) == [(2,)]
    clearances.revoke(house.ines, later.id)  # sweeps what is over
    assert fetch(
        "select count(*) from console.policy where sub = %s and obj = 'label:amber'",
        (f"user:{house.ada.id}",),
    ) == [(0,)]
    assert (
        next(grant for grant in clearances.list_labels(house.ines)[0].grants if grant.id == brief.id).state
        == "over"
    )


@pytest.mark.parametrize("who", ["stan", "tom", "mona", "rosa", "ada"])
def test_who_neither_manages_rights_nor_holds_a_label_has_no_part_in_it(house: Company, who: str) -> None:
    may_see()
    made, actor = asked(house, who="olivia"), house.people[who]
    for call in (
        lambda: clearances.list_labels(actor),
        lambda: clearances.ask(actor, "amber", "tom@fernwick.example", NOW, NOW + DAY, "x"),
        lambda: clearances.answer(actor, made.id, agree=True),
        lambda: clearances.answer(actor, made.id, agree=False),
        lambda: clearances.revoke(actor, made.id),
    ):
        with pytest.raises(NotAllowed):
            call()
    clearances.revoke(house.ines, made.id)


def test_an_admin_lists_labels_without_what_carries_them_and_a_holder_with_it(house: Company) -> None:
    amber, *others = clearances.list_labels(house.ines)
    assert (amber.id, amber.holds, list(amber.carried_by)) == ("amber", False, [])
    assert {"blue", "confidential"} <= {other.id for other in others}
    assert amber.roles == [("keeper", ["Kim"])]
    (own,) = clearances.list_labels(house.kim)
    assert (own.holds, list(own.carried_by)) == (True, ["workflow:care-amber"])


def test_no_group_of_the_provider_clears_anybody_without_the_agreement(house: Company) -> None:
    may_see()
    ines, kim = house.ines, house.kim
    gives = entry.GroupRole("keepers", "keeper", "operations")
    with pytest.raises(NotAllowed, match="without anybody's agreement") as refused:
        entry_changes.store(ines, replace(entry.current(), groups=(gives,)))
    assert refused.value.code == "needs_agreement"
    harmless = entry.GroupRole("makers", "developer", "*")
    entry_changes.store(ines, replace(entry.current(), groups=(harmless,)))
    with (
        pytest.raises(NotAllowed, match="without anybody's agreement"),
        transaction() as connection,
    ):  # a role that the group gives already
        policy_store.write(
            connection, added=[Row("p", "role:developer", "*", "label:amber", "see", "allow")], by=ines.id
        )
    entry_changes.store(kim, replace(entry.current(), groups=(harmless, gives)))
    entry_changes.store(ines, replace(entry.current(), groups=()))


def test_a_clearance_is_asked_for_and_agreed_to_by_who_has_just_shown_who_they_are(house: Company) -> None:
    made = asked(house, who="tom").id
    entry_changes.store(accounts.COMMAND_LINE, replace(entry.current(), step_up=True))
    with pytest.raises(NotAllowed, match="Show once more that it is you"):
        asked(house, who="tom")
    with pytest.raises(NotAllowed, match="Show once more that it is you"):
        clearances.answer(house.kim, made, agree=True)
    clearances.answer(house.kim, made, agree=False)  # to say no takes nothing
    entry_changes.store(accounts.COMMAND_LINE, replace(entry.current(), step_up=False))


def test_no_change_of_roles_clears_anybody_without_the_agreement(house: Company) -> None:
    ines, tom, kim = house.ines, house.tom, house.kim
    may_see()
    pairs = [("operator", "operations"), ("keeper", "operations")]
    with pytest.raises(NotAllowed, match="clear(ed| somebody) for amber") as refused:
        accounts.change_roles(ines, tom.id, pairs)
    assert refused.value.code == "needs_agreement"
    for sub, obj in (
        ("role:operator", "label:amber"),
        ("role:admin", "label:*"),
        (f"user:{ines.id}", "label:amber"),
    ):
        with pytest.raises(NotAllowed), transaction() as connection:
            policy_store.write(connection, added=[Row("p", sub, "*", obj, "see", "allow")], by=ines.id)
    with pytest.raises(NotAllowed), transaction() as connection:
        policy_store.write(connection, added=[Row("g", "role:reviewer", "*", "role:keeper")], by=ines.id)
    assert access.clearance(tom) == frozenset()
    made = clearances.answer(kim, asked(house, who="tom").id, agree=True)
    accounts.change_roles(ines, tom.id, pairs)
    access.refresh()
    assert access.cleared_for_good(tom.id, "amber")
    accounts.change_roles(ines, tom.id, [("operator", "operations")])
    clearances.revoke(ines, made.id)
    with transaction() as connection:  # nobody holds it yet: the first holder is appointed
        policy_store.write(
            connection,
            added=[Row("p", "role:lead", "t:operations", "label:green", "see", "allow")],
            by=ines.id,
        )
    access.refresh()
    assert access.clearance(house.mona) == {"green"}
    access.policy_store.refresh()


# ---------------------------------------------------------------------------------------------------------------- the doors


def test_whoever_loses_a_clearance_finds_their_own_notices_and_inboxes_without_it(house: Company) -> None:
    mona, olivia = house.mona, house.olivia
    may_see((mona, {"blue"}), (olivia, {"blue"}))
    before, waiting = notices.unread(olivia), tickets.count(olivia, inboxes.inboxes_of(olivia))["desk"].to_do
    run_id = runs.start(mona, "care-blue", "customer", "1", {"why": "event"})
    runs.assign(mona, run_id, revision=None, user=olivia.id)
    assert notices.unread(olivia) == before + 1
    assert run_id in {head.id for head in runs.held_by(olivia)}
    runs.escalate(olivia, run_id, revision=None, inbox="desk", reason="Look at this")
    assert tickets.count(olivia, inboxes.inboxes_of(olivia))["desk"].to_do == waiting + 1
    assert run_id in {ticket.id for ticket in tickets.to_do(olivia, "desk").tickets}
    told = next(each for each in notices.notices_of(olivia) if run_id in each.href)
    may_see((mona, {"blue"}))
    assert notices.unread(olivia) == before
    assert not [each for each in notices.notices_of(olivia) if each.id == told.id]
    assert tickets.count(olivia, inboxes.inboxes_of(olivia))["desk"].to_do == waiting
    assert run_id not in {ticket.id for ticket in tickets.to_do(olivia, "desk").tickets}
    with pytest.raises(NotFound):
        notices.read(olivia, told.id)


def test_reading_what_is_labelled_is_told_to_cleared_readers_alone_and_leaves_no_number_out(
    house: Company,
) -> None:
    ada, rosa = house.ada, SimpleNamespace(id=house.rosa.id)
    access.grant("auditor", "workflow:*", ["see"])
    may_see((ada, {"blue"}), (house.mona, {"blue"}))
    run_id = runs.start(house.mona, "care-blue", "customer", "1", {"why": "event"})
    sequencing.catch_up()
    own = len(log.events_of("ses_ada"))
    assert activity.page(ada, LogFilter(run=run_id)).rows
    assert len(log.events_of("ses_ada")) == own
    assert log.events_of("sys:blue")[-1].body["label"] == "blue"
    may_see()
    sequencing.catch_up()
    assert not [row for row in activity.page(ada, LogFilter(), 100).rows if run_id in str(row.json)]
    assert activity.label_of_run(ada, run_id) is None
    assert rosa.id != ada.id


def test_a_copy_of_a_labelled_workflow_and_what_is_noted_about_both_carry_the_label(house: Company) -> None:
    may_see((house.mona, {"amber"}))
    copied = workflows.duplicate(house.mona, "care-amber")
    access.refresh()
    assert fetch("select label from console.workflow where slug = %s", (copied.slug,)) == [("amber",)]
    assert log.events_of("sys:amber")[-1].open["slug"] == copied.slug
    assert not [
        event
        for event in log.events_of("sys:config")
        if event.open.get("slug") in ("care-amber", copied.slug)
    ]
    with pytest.raises(NotFound) as missing:
        workflows.redefine(house.tom, copied.slug, small.DOCUMENT)
    assert not missing.value.hidden


def test_a_clearance_that_was_taken_away_past_the_console_is_found(house: Company) -> None:
    assert doctor._clearances().ok
    fetch("update console.workflow set label = null where slug = %s returning 1", (SLUGS["amber"],))
    workflows.queries.forget()
    told = doctor._clearances()
    fetch("update console.workflow set label = 'amber' where slug = %s returning 1", (SLUGS["amber"],))
    workflows.queries.forget()
    access.refresh()
    assert (told.ok, SLUGS["amber"] in told.message, told.fix != "") == (False, True, True)
