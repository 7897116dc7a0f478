"""Teams: made, changed, led, joined, archived, copied; by whom, and what the log says."""

import pytest

from console.auth import access, accounts
from console.auth.accounts import teamwork
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.permissions import team_copies
from console.workflows import inboxes
from tests.company import Company
from tests.support.staff import hired, noted, sql


@pytest.fixture(scope="module")
def company(module_company: Company) -> Company:
    """One company for the module; each test has a team of its own."""
    return module_company


def test_a_team_is_made_and_changed_and_keeps_its_id(company: Company) -> None:
    lead = hired(name="Lea Lead")
    made = teamwork.create(company.ines, " Fraud & Abuse ", "Looks into it.", lead.email.upper())
    assert teamwork.team(company.ines, made) == accounts.Team(
        "fraud_abuse", "Fraud & Abuse", "Looks into it.", lead.id
    )
    kind, opened, sealed = noted()[-1]
    assert (kind, opened) == ("team_changed", {"team": made, "fields": ["made"], "lead": lead.id})
    assert sealed == {"new": {"name": "Fraud & Abuse", "description": "Looks into it.", "lead": lead.id}}
    teamwork.change(company.ines, made, name="Fraud", description="Looks into it.", lead="")
    assert teamwork.team(company.ines, made) == accounts.Team("fraud_abuse", "Fraud", "Looks into it.")
    assert noted()[-1][1:] == (
        {"team": made, "fields": ["name", "lead"], "lead": None, "lead_before": lead.id},
        {"old": {"name": "Fraud & Abuse", "lead": lead.id}, "new": {"name": "Fraud", "lead": None}},
    )
    before = len(noted())
    teamwork.change(company.ines, made, name="Fraud")
    assert len(noted()) == before
    with pytest.raises(Conflict) as taken:
        teamwork.create(company.ines, "fraud ABUSE")
    assert taken.value.details[0]["field"] == "name"


def test_members_come_and_go_and_are_in_one_team_at_least(company: Company) -> None:
    made, tom = teamwork.create(company.ines, "Joining"), hired(("operator", "operations"))
    teamwork.add_member(company.ines, made, tom.email)
    assert accounts.person(tom.id).teams == ("joining", "operations")
    assert noted(tom.id)[-1][1] == {
        "person": tom.id,
        "fields": ["teams"],
        "teams": ["joining", "operations"],
        "teams_before": ["operations"],
    }
    teamwork.drop_member(company.ines, "operations", tom.id)
    assert (accounts.person(tom.id).teams, accounts.person(tom.id).roles) == (
        ("joining",),
        frozenset({("operator", "operations")}),
    )
    with pytest.raises(Invalid) as last:
        teamwork.drop_member(company.ines, made, tom.id)
    assert last.value.details[0]["field"] == "teams"
    with pytest.raises(Invalid) as nobody:
        teamwork.add_member(company.ines, made, "nobody@example.com")
    assert nobody.value.details[0]["field"] == "email"
    with pytest.raises(NotAllowed):
        teamwork.add_member(company.ines, made, company.ines.email)
    with pytest.raises(Invalid):
        teamwork.add_member(company.ines, "nowhere", tom.email)


def test_a_team_that_has_something_is_not_archived_and_says_what(company: Company) -> None:
    run = company.started("2")
    with pytest.raises(Conflict) as busy:
        teamwork.archive(company.ines, "operations")
    reasons = [detail["reason"] for detail in busy.value.details]
    assert [reason.partition(" (")[0].split(" ", 1)[1] for reason in reasons][-2:] == ["inbox", "people"]
    assert run in reasons[0]
    assert "Care review" in reasons[1]
    assert "Compliance desk" in reasons[2]
    made, tom = teamwork.create(company.ines, "Archived soon"), hired(("operator", "operations"))
    accounts.change_roles(company.ines, tom.id, [("operator", made)])
    with pytest.raises(Conflict, match="1 person"):  # a role there is something, too
        teamwork.archive(company.ines, made)
    accounts.change_roles(company.ines, tom.id, [])
    teamwork.archive(company.ines, made)
    assert teamwork.team(company.ines, made).archived
    assert noted()[-1][1] == {"team": made, "fields": ["archived"]}
    for refused in (
        lambda: teamwork.archive(company.ines, made),
        lambda: teamwork.change(company.ines, made, name="X"),
        lambda: team_copies.copy(company.ines, "operations", made),
    ):
        with pytest.raises(Conflict) as archived:
            refused()
        assert archived.value.code == "team_archived"
    with pytest.raises(Invalid):
        accounts.change_roles(company.ines, tom.id, [("operator", made)])
    teamwork.reopen(company.ines, made)
    teamwork.reopen(company.ines, made)
    accounts.change_roles(company.ines, tom.id, [("operator", made)])
    assert [opened["fields"] for kind, opened, _ in noted() if kind == "team_changed"][-1] == ["reopened"]


def test_a_copy_gives_what_roles_may_do_and_inboxes_and_nobody(company: Company) -> None:
    access.grant("lead", "inbox:desk", ["work"], team="operations")
    made = teamwork.create(company.ines, "Operations North")
    lead = hired(("lead", made), teams=(made,))
    assert not access.can(lead, made, "collection:customer", "read", {"desk": "retail"})
    told = team_copies.copied(company.ines, "operations", made)
    assert told.inboxes == ("Compliance desk",)
    assert f"p, role:lead, t:{made}, inbox:desk-operations-north, work, allow" in told.rules
    assert (
        access.can(lead, made, "collection:customer", "read", {"desk": "retail"}) is False
    )  # looking gives nothing
    people = sql("select count(*) from console.policy where sub like 'user:%'")
    assert team_copies.copy(company.ines, "operations", made) == told
    assert access.can(lead, made, "collection:customer", "read", {"desk": "retail"})
    assert {one.id for one in inboxes.used_by(made)} == {"desk-operations-north"}
    assert access.can(lead, made, "inbox:desk-operations-north", "work")
    assert sql("select count(*) from console.policy where sub like 'user:%'") == people
    opened, sealed = next(
        (opened, sealed) for kind, opened, sealed in reversed(noted()) if kind == "team_changed"
    )
    assert (opened["copied_from"], opened["added"], opened["inboxes"]) == (
        "operations",
        len(told.rules),
        ["desk-operations-north"],
    )
    assert tuple(sealed["new"]["rules"]) == told.rules
    again = team_copies.copy(company.ines, "operations", made)  # what is there already is not doubled
    assert (again.rules, again.inboxes) == ((), ())
    with pytest.raises(Invalid):
        team_copies.copied(company.ines, made, made)


def test_only_who_manages_people_sees_and_changes_teams(company: Company) -> None:
    access.grant("clerk", "user", ["manage"], team="operations")
    clerk = hired(("clerk", "operations"))
    for who in (company.stan, company.mona, company.ada):
        for act in (
            lambda who: teamwork.list_teams(who),  # noqa: PLW0108 (one shape for all)
            lambda who: teamwork.team(who, "operations"),
            lambda who: teamwork.create(who, "Mine"),
            lambda who: teamwork.change(who, "operations", name="Mine"),
            lambda who: teamwork.add_member(who, "operations", "olivia@fernwick.example"),
            lambda who: teamwork.drop_member(who, "operations", company.olivia.id),
            lambda who: teamwork.archive(who, "operations"),
            lambda who: teamwork.reopen(who, "operations"),
            lambda who: team_copies.copied(who, "operations", "procurement"),
            lambda who: team_copies.copy(who, "operations", "procurement"),
        ):
            with pytest.raises(NotAllowed) as refused:
                act(who)
            assert refused.value.need == ("user", "manage")
    for needs_policy in (team_copies.copied, team_copies.copy):
        with pytest.raises(NotAllowed) as missing:
            needs_policy(clerk, "operations", "procurement")
        assert missing.value.need == ("policy", "manage")
    unknown = (
        lambda: teamwork.team(company.ines, "nowhere"),
        lambda: teamwork.change(company.ines, "a\0b", name="X"),
        lambda: teamwork.archive(company.ines, "nowhere"),
        lambda: teamwork.reopen(company.ines, "nowhere"),
        lambda: team_copies.copy(company.ines, "nowhere", "operations"),
    )
    for gone in unknown:
        with pytest.raises(NotFound):
            gone()
