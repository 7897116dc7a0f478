"""What may be changed of people, by whom; what the log says of it; and that it counts at once."""

from collections.abc import Callable
from typing import Any

import pytest

from console import runs
from console.auth import access, accounts
from console.auth.accounts import (
    abilities,
    authority,
    directory,
    factors,
    others_keys,
    person_changes,
    profile,
    sessions,
)
from console.auth.accounts.directory import Asked
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotAllowed, NotFound
from console.work import leavers
from tests.company import Company
from tests.support.staff import hired, noted, open_sessions, signed_in

CLERK = ("clerk", "operations")
Act = Callable[[Actor, str], object]


@pytest.fixture(scope="module")
def company(module_company: Company) -> Company:
    """One company for the module. `clerk` is a role of Operations that manages people and is no admin."""
    access.grant("clerk", "user", ["manage"], team="operations")
    return module_company


@pytest.fixture(scope="module")
def clerk(company: Company) -> Actor:
    """Who manages people, works as an operator and as nothing else."""
    return hired(CLERK, ("operator", "operations"), name="Cleo Clerk", tags={"desks": ["retail"]})


def refused(code: str, act: Callable[[], object]) -> ConsoleError:
    """What `act` is refused with, which must be this code; nothing is noted by it."""
    before = len(noted())
    with pytest.raises(ConsoleError) as error:
        act()
    assert (error.value.code, len(noted())) == (code, before)
    return error.value


# --- roles and teams ----------------------------------------------------------------------------------------------------------


def test_a_change_of_roles_counts_at_once_and_says_what_was_before(company: Company) -> None:
    tom = hired(("operator", "operations"))
    accounts.change_roles(
        company.ines,
        tom.id,
        [("lead", "operations"), ("auditor", "procurement")],
        ["operations", "procurement"],
    )
    now = accounts.actor_of_person(tom.id)
    assert (now.roles, now.teams) == (
        frozenset({("lead", "operations"), ("auditor", "*")}),
        ("operations", "procurement"),
    )
    assert access.can(
        tom, "operations", "workflow:care-review", "takeover"
    )  # the actor that is at it now, too
    kind, opened, sealed = noted(tom.id)[-1]
    assert (kind, sealed) == ("person_changed", {})
    assert opened == {
        "person": tom.id,
        "fields": ["roles", "teams"],
        "roles": ["auditor@*", "lead@operations"],
        "roles_before": ["operator@operations"],
        "teams": ["operations", "procurement"],
        "teams_before": ["operations"],
    }
    accounts.change_roles(company.ines, tom.id, [])
    assert not access.can(tom, "operations", "workflow:care-review", "see")
    assert accounts.person(tom.id).teams == ("operations", "procurement")
    assert noted(tom.id)[-1][1]["roles"] == []


BAD_PLACES: list[tuple[list[tuple[str, str]], list[str] | None, str, str]] = [
    ([("chief", "operations")], None, "roles", "no role 'chief'"),
    ([("lead", "nowhere")], None, "roles", "no open team 'nowhere'"),
    ([("lead", "")], None, "roles", "lead is held in a team: choose one"),
    ([("lead", "*")], None, "roles", "choose one"),
    ([("lead", "operations")], ["nowhere"], "teams", "no open team 'nowhere'"),
    ([("lead", "operations")], [], "teams", "at least one team"),
]


@pytest.mark.parametrize(("pairs", "teams", "field", "reason"), BAD_PLACES)
def test_roles_that_are_none_are_named(
    company: Company, pairs: Any, teams: Any, field: str, reason: str
) -> None:
    tom = hired(("operator", "operations"))
    error = refused("invalid", lambda: accounts.change_roles(company.ines, tom.id, pairs, teams))
    assert error.details[0]["field"] == field
    assert reason in error.details[0]["reason"]
    assert accounts.person(tom.id).roles == {("operator", "operations")}


ON_ONESELF: list[tuple[str, Act]] = [
    ("roles", lambda who, me: accounts.change_roles(who, me, [("admin", "*"), ("lead", "operations")])),
    ("fewer roles", lambda who, me: accounts.change_roles(who, me, [])),
    ("tags", lambda who, me: accounts.change_person(who, me, tags={"desks": ["corporate"]})),
    ("disable", lambda who, me: accounts.disable_person(me, by=who)),
    ("enable", accounts.enable_person),
    ("remove", lambda who, me: accounts.remove_person(who, me, person_changes.CONFIRM)),
]


@pytest.mark.parametrize(("what", "act"), ON_ONESELF, ids=[what for what, _ in ON_ONESELF])
def test_nobody_changes_what_they_may_do_themselves(
    company: Company, clerk: Actor, what: str, act: Act
) -> None:
    for who in (company.ines, clerk):
        assert refused("own_account", lambda who=who: act(who, who.id)).message.endswith("ask another admin.")  # type: ignore[misc]


def test_ones_own_name_is_ones_own_to_change(company: Company) -> None:
    accounts.change_person(company.ines, company.ines.id, name="Ines C.", zone="Europe/Vilnius")
    assert noted(company.ines.id)[-1][1:] == (
        {"person": company.ines.id, "fields": ["name", "zone"]},
        {"old": {"name": "Ines", "zone": "UTC"}, "new": {"name": "Ines C.", "zone": "Europe/Vilnius"}},
    )


ABOVE: list[tuple[str, list[tuple[str, str]], Act]] = [
    ("an admin made", [], lambda who, tom: accounts.change_roles(who, tom, [("admin", "*")])),
    ("a lead made", [], lambda who, tom: accounts.change_roles(who, tom, [("lead", "operations")])),
    (
        "an operator elsewhere",
        [],
        lambda who, tom: accounts.change_roles(who, tom, [("operator", "procurement")]),
    ),
    (
        "a team of others",
        [("operator", "operations")],
        lambda who, tom: accounts.change_roles(
            who, tom, [("operator", "operations")], ["operations", "procurement"]
        ),
    ),
    ("a role above taken", [("lead", "operations")], lambda who, tom: accounts.change_roles(who, tom, [])),
    (
        "a tag that they lack",
        [],
        lambda who, tom: accounts.change_person(who, tom, tags={"desks": ["retail", "corporate"]}),
    ),
    ("an admin disabled", [("admin", "*")], lambda who, tom: accounts.disable_person(tom, by=who)),
    (
        "a lead removed",
        [("lead", "operations")],
        lambda who, tom: accounts.remove_person(who, tom, person_changes.CONFIRM),
    ),
    ("a lead renamed", [("lead", "operations")], lambda who, tom: accounts.change_person(who, tom, name="X")),
    ("a lead's sessions", [("lead", "operations")], sessions.end_all),
    (
        "a lead's session",
        [("lead", "operations")],
        lambda who, tom: sessions.end_of_person(who, tom, signed_in(Actor("user", tom))),
    ),
    ("an auditor opened again", [("auditor", "*")], accounts.enable_person),
]


@pytest.mark.parametrize(("what", "has", "act"), ABOVE, ids=[what for what, _, _ in ABOVE])
def test_nobody_gives_or_takes_above_their_own_rights_but_admins(
    company: Company, clerk: Actor, what: str, has: Any, act: Act
) -> None:
    tom = hired(*has)
    assert "Ask an admin" in refused("above_own_rights", lambda: act(clerk, tom.id)).message
    act(company.ines, tom.id)


def test_nobody_gets_into_an_account_above_their_own(company: Company, clerk: Actor) -> None:
    tom = hired(("lead", "operations"))
    key = accounts.create_key("nightly", tom.id)
    for act in (
        profile.password_link,
        factors.reset_factor,
        lambda who, tom: others_keys.revoke_key(who, tom, key.id),
    ):
        refused("above_own_rights", lambda act=act: act(clerk, tom.id))  # type: ignore[misc]
    others_keys.revoke_key(company.ines, tom.id, key.id)


def test_what_one_has_one_may_give(company: Company, clerk: Actor) -> None:
    tom = hired()
    accounts.change_roles(clerk, tom.id, [("operator", "operations")], ["operations"])
    accounts.change_person(clerk, tom.id, tags={"desks": ["retail"]})
    accounts.disable_person(tom.id, by=clerk)
    assert (accounts.person(tom.id).roles, dict(accounts.person(tom.id).tags)) == (
        frozenset({("operator", "operations")}),
        {"desks": ["retail"]},
    )


NEEDS_THE_RIGHT: list[Act] = [
    lambda who, tom: accounts.change_roles(who, tom, []),
    lambda who, tom: accounts.change_person(who, tom, name="X"),
    lambda who, tom: accounts.disable_person(tom, by=who),
    accounts.enable_person,
    lambda who, tom: accounts.remove_person(who, tom, person_changes.CONFIRM),
    sessions.sessions_of_person,
    sessions.end_all,
    lambda who, tom: sessions.end_of_person(who, tom, "ses_x"),
    others_keys.api_keys,
    lambda who, tom: others_keys.revoke_key(who, tom, "key_x"),
    abilities.of_person,
    lambda who, tom: abilities.difference(who, tom, []),
    lambda who, _: directory.list_people(who, Asked()),
    lambda who, _: directory.every(who, Asked()),
    lambda who, _: directory.counts(who),
    leavers.runs_held,
    lambda who, tom: leavers.hand_on(who, tom, ["run_x"], "x@example.com"),
    lambda who, _: accounts.create_person("x@example.com", role="operator", team="operations", by=who),
]


def test_without_the_right_nothing_is_told_or_done(company: Company) -> None:
    tom = hired(("operator", "operations"))
    for who in (company.stan, company.mona, company.ada, company.olivia):
        for act in NEEDS_THE_RIGHT:
            error = refused("not_allowed", lambda who=who, act=act: act(who, tom.id))  # type: ignore[misc]
            assert isinstance(error, NotAllowed)
            assert error.need == ("user", "manage")


def test_who_was_closed_a_moment_ago_changes_nobody_any_more(company: Company) -> None:
    first, tom = hired(("admin", "*")), hired()
    accounts.disable_person(first.id, by=company.ines)
    refused("account_closed", lambda: accounts.change_roles(first, tom.id, [("admin", "*")]))


# --- particulars and tags -----------------------------------------------------------------------------------------------------


def test_tags_are_lists_of_words_and_count_in_scopes_at_once(company: Company) -> None:
    tom = hired(("operator", "operations"), tags={"desks": ["corporate"], "old": "x"})
    accounts.change_person(
        company.ines,
        tom.id,
        tags={"desks": [" retail ", "retail", "corporate"], "region": ["EU"]},
        locale="de-AT",
    )
    person = accounts.person(tom.id)
    assert (person.tags, person.locale) == ({"desks": ["retail", "corporate"], "region": ["EU"]}, "de-AT")
    assert noted(tom.id)[-1][1:] == (
        {"person": tom.id, "fields": ["tags", "locale"]},
        {
            "old": {"tags": {"desks": ["corporate"], "old": "x"}, "locale": "en"},
            "new": {"tags": person.tags, "locale": "de-AT"},
        },
    )
    accounts.change_person(company.ines, tom.id, tags={"desks": ["retail"]})
    assert access.scope_for(accounts.actor_of_person(tom.id), "customer").attributes["tags"] == {
        "desks": ["retail"]
    }


# --- closing, opening, removing -----------------------------------------------------------------------------------------------


def test_a_disabled_account_is_shut_and_opens_with_its_roles(company: Company) -> None:
    tom = hired(("operator", "operations"))
    signed_in(tom)
    key = accounts.create_key("report", tom.id)
    accounts.disable_person(tom.id, by=company.ines)
    assert (open_sessions(tom.id), accounts.actor_of_key(key.text)) == (0, None)
    assert accounts.person(tom.id).state == "disabled"
    accounts.enable_person(company.ines, tom.id)
    person = accounts.person(tom.id)
    assert (person.state, person.roles, person.teams) == (
        "active",
        frozenset({("operator", "operations")}),
        ("operations",),
    )
    assert (open_sessions(tom.id), accounts.actor_of_key(key.text)) == (0, None)
    assert [opened.get("disabled") for _, opened, _ in noted(tom.id)][-2:] == [True, False]


def test_a_removed_account_leaves_its_name_and_frees_its_address(company: Company) -> None:
    tom = hired(
        ("lead", "operations"),
        name="Tomasz Removed",
        teams=("operations", "procurement"),
        tags={"desks": ["retail"]},
    )
    signed_in(tom)
    key = accounts.create_key("report", tom.id)
    for typed in ("", "confirm remove", "REMOVE"):
        assert (
            refused(
                "invalid",
                lambda typed=typed: accounts.remove_person(company.ines, tom.id, typed),  # type: ignore[misc]
            ).details[0]["field"]
            == "confirm"
        )
    accounts.remove_person(company.ines, tom.id, " CONFIRM REMOVE ")
    person = accounts.person(tom.id)
    assert (person.state, person.email, person.name, person.roles, person.teams, person.tags) == (
        "removed",
        "",
        tom.name,
        frozenset(),
        (),
        {},
    )
    assert (open_sessions(tom.id), accounts.actor_of_key(key.text)) == (0, None)
    assert accounts.names([tom.id]) == {tom.id: "Tomasz Removed"}
    assert noted(tom.id)[-1] == (
        "person_removed",
        {
            "person": tom.id,
            "roles_before": ["lead@operations"],
            "teams_before": ["operations", "procurement"],
        },
        {"name": "Tomasz Removed", "email": tom.email},
    )
    for act in NEEDS_THE_RIGHT[:5]:
        with pytest.raises(Conflict) as gone:
            act(company.ines, tom.id)
        assert gone.value.code == "account_removed"
    again = accounts.create_person(
        tom.email, role="operator", team="operations", password="seven tall herons wade"
    ).person
    assert again.id != tom.id


def test_runs_stay_and_are_given_away_in_one_go(company: Company) -> None:
    tom = hired(("operator", "operations"), name="Tom Leaving", tags={"desks": ["retail", "corporate"]})
    heir = hired(("operator", "operations"), tags={"desks": ["retail"]})
    company.people["leaving"] = tom
    retail, corporate = company.started("2", "leaving"), company.started("3", "leaving")
    with pytest.raises(NotAllowed) as missing:
        runs.assign(company.ines, retail, revision=None, user=heir.id)
    assert missing.value.need == ("workflow:care-review", "assign")
    given = leavers.hand_on(company.ines, tom.id, [retail], heir.email)
    assert given[0].error.startswith("Needs workflow.assign")
    accounts.disable_person(tom.id, by=company.ines)
    held, all_held = leavers.runs_held(company.ines, tom.id)
    assert ({run.id for run in held}, all_held) == ({retail, corporate}, 2)
    done = {
        one.run.id: one.error
        for one in leavers.hand_on(
            company.ines, tom.id, [retail, corporate, "run_unknown"], heir.email, "Tom left"
        )
    }
    assert done[retail] == ""
    assert "may not see this run" in done[corporate]  # of another desk
    assert company.told(retail, "olivia")["holder"] == heir.id
    assert leavers.runs_held(company.ines, tom.id)[1] == 1
    for ids, email, field in (
        ([], heir.email, "run"),
        ([corporate], "nobody@example.com", "email"),
        ([corporate], "", "email"),
    ):
        with pytest.raises(Invalid) as wrong:
            leavers.hand_on(company.ines, tom.id, ids, email)
        assert wrong.value.details[0]["field"] == field
    accounts.remove_person(company.ines, tom.id, person_changes.CONFIRM)
    assert not leavers.hand_on(company.ines, tom.id, [corporate], company.olivia.email)[0].error


# --- what opens doors ---------------------------------------------------------------------------------------------------------


def test_sessions_and_keys_of_others_are_seen_and_ended(company: Company) -> None:
    tom, other = hired(("operator", "operations")), hired()
    first, second, foreign = signed_in(tom), signed_in(tom), signed_in(other)
    assert {(one.id, one.ip, one.agent) for one in sessions.sessions_of_person(company.ines, tom.id)} == {
        (ident, "203.0.113.7", "Browser") for ident in (first, second)
    }
    for unknown in (foreign, "", "a\0b"):
        with pytest.raises(NotFound):
            sessions.end_of_person(company.ines, tom.id, unknown)
    sessions.end_of_person(company.ines, tom.id, first)
    assert [one.id for one in sessions.sessions_of_person(company.ines, tom.id)] == [second]
    assert (sessions.end_all(company.ines, tom.id), open_sessions(tom.id), open_sessions(other.id)) == (
        1,
        0,
        1,
    )
    key, theirs = accounts.create_key("nightly", tom.id), accounts.create_key("other", other.id)
    assert [(one.id, one.name) for one in others_keys.api_keys(company.ines, tom.id)] == [(key.id, "nightly")]
    with pytest.raises(NotFound):
        others_keys.revoke_key(company.ines, tom.id, theirs.id)
    others_keys.revoke_key(company.ines, tom.id, key.id)
    assert (accounts.actor_of_key(key.text), others_keys.api_keys(company.ines, tom.id)) == (None, [])
    assert accounts.actor_of_key(theirs.text) is not None


# --- the list -----------------------------------------------------------------------------------------------------------------


def names(company: Company, **asked: Any) -> list[str]:
    return [entry.name for entry in directory.list_people(company.ines, Asked(**asked), limit=500)[0]]


def test_the_list_is_searched_filtered_and_told_by_state(company: Company) -> None:
    gone, closed = (
        hired(("lead", "procurement"), name="Zed Gone"),
        hired(("lead", "procurement"), name="Zed Closed", teams=("procurement",)),
    )
    hired(("reviewer", "procurement"), name="Zed 100% O'Neil_", teams=("operations",))
    accounts.remove_person(company.ines, gone.id, person_changes.CONFIRM)
    accounts.disable_person(closed.id, by=company.ines)
    accounts.invite(company.ines, "zed.invited@fernwick.example", [("reviewer", "procurement")])
    table: list[tuple[dict[str, str], list[str]]] = [
        ({"text": "zed"}, ["Zed 100% O'Neil_", "Zed Closed", "zed.invited@fernwick.example"]),
        ({"text": "ZED", "state": "removed"}, ["Zed Gone"]),
        ({"text": "zed", "state": "disabled"}, ["Zed Closed"]),
        ({"text": "zed", "state": "invited"}, ["zed.invited@fernwick.example"]),
        ({"text": "zed", "state": "active"}, ["Zed 100% O'Neil_"]),
        ({"text": "100%"}, ["Zed 100% O'Neil_"]),
        ({"text": "neil_"}, ["Zed 100% O'Neil_"]),
        ({"text": "%"}, ["Zed 100% O'Neil_"]),
        ({"text": "zed", "role": "lead"}, ["Zed Closed"]),
        ({"text": "zed", "role": "reviewer"}, ["Zed 100% O'Neil_", "zed.invited@fernwick.example"]),
        (
            {"text": "zed", "team": "procurement"},
            ["Zed 100% O'Neil_", "Zed Closed", "zed.invited@fernwick.example"],
        ),
        ({"text": "zed", "team": "operations"}, ["Zed 100% O'Neil_"]),
        ({"text": "zed", "team": "nowhere"}, []),
        ({"text": "a\0b'; drop table console.person --"}, []),
        ({"role": "role:admin"}, []),
        ({"role": "admin", "text": company.ines.email}, [accounts.person(company.ines.id).name]),
    ]
    for asked, wanted in table:
        assert names(company, **asked) == wanted, asked
    counts = directory.counts(company.ines)
    for state in directory.STATES:
        assert counts[state] == len(names(company, state=state))
    with pytest.raises(Malformed):
        names(company, state="sleeping")


# --- in words -----------------------------------------------------------------------------------------------------------------


def test_a_preview_tells_what_is_gained_and_lost(company: Company) -> None:
    tom = hired(("operator", "operations"))
    difference = abilities.difference(
        company.ines, tom.id, [("reviewer", "operations"), ("operator", "procurement")]
    )
    gains, losses = (
        [(one.place, one.text) for one in difference.gains],
        [(one.place, one.text) for one in difference.losses],
    )
    assert ("Procurement", "see, start and go on with every workflow") in gains
    assert ("Operations", "start and go on with every workflow") in losses
    assert not [one for one in losses if one[0] == "Procurement"]
    same = abilities.difference(company.ines, tom.id, [("operator", "operations")])
    assert same == abilities.Difference((), ())
    assert accounts.person(tom.id).roles == {("operator", "operations")}  # nothing was changed


def test_the_shell_is_trusted_and_still_guarded(company: Company) -> None:
    assert authority.unbounded(accounts.COMMAND_LINE)
    assert not authority.unbounded(company.mona)
    assert authority.may_give(company.mona, ("lead", "operations"))  # a level that her role is built from
    assert authority.may_give(company.ada, ("auditor", "*"))
    assert not authority.may_give(company.mona, ("lead", "procurement"))
    assert not authority.may_give(company.mona, ("lead", "*"))
