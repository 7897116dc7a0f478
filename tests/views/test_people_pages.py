"""Settings, People and Teams, as an admin uses them: lists, forms that keep what was typed, and what is refused in words."""

import csv
import io
import re

import pytest

from console.auth import accounts
from console.auth.accounts import teamwork
from tests.company import Company
from tests.conftest import web_app
from tests.support.staff import hired, open_sessions, signed_in
from tests.views.conftest import Page, Pages
from tests.work import test_tasks

GOOD = "seven tall herons wade"


@pytest.fixture(scope="module")
def pages(module_company: Company) -> Pages:
    """The pages of one company for the module; each test has people and teams of its own."""
    return Pages(module_company, web_app())


def reasons(page: Page) -> list[str]:
    """What stands beside boxes that are wrong."""
    return re.findall(r'class="error"[^>]*>.*?<span>(.*?)</span>', page.html, re.DOTALL)


# --- the list -----------------------------------------------------------------------------------------------------------------


def test_the_table_for_spreadsheets_holds_what_the_list_shows_and_no_formula(pages: Pages) -> None:
    tom = hired(("lead", "operations"), name='=cmd|"calc"', teams=("operations", "procurement"))
    pages.ines.get("/settings/people/people.csv?q=calc")
    rows = list(csv.DictReader(io.StringIO(pages.ines.answer.text)))
    assert rows == [
        {
            "name": '\'=cmd|"calc"',
            "email": tom.email,
            "kind": "person",
            "state": "active",
            "roles": "Operations: Lead",
            "teams": "Operations, Procurement",
            "second_factor": "no",
            "last_seen": "",
            "id": tom.id,
        }
    ]
    assert pages.ines.answer.headers["Content-Disposition"] == 'attachment; filename="people.csv"'


# --- one person ---------------------------------------------------------------------------------------------------------------


def test_roles_are_looked_at_before_they_are_saved(pages: Pages) -> None:
    tom = hired(("lead", "operations"), name="Preview Tom")
    form = pages.ines.get(f"/settings/people/{tom.id}/roles")
    page = pages.ines.send(
        form,
        "/roles",
        status=200,
        **{"pair": None, "role.1": "reviewer", "team.1": "operations", "do": "preview"},
    )
    assert "Preview Tom can no longer" in page.text
    assert "Approve every action" in page.text or "approve every action" in page.text
    assert "Preview Tom can now" not in page.text
    assert accounts.person(tom.id).roles == {("lead", "operations")}
    assert page.form("/roles")["fields"]["pair"] == "reviewer@operations"  # nothing typed is lost
    pages.ines.send(page, "/roles", do="save", join="procurement")
    assert accounts.person(tom.id).roles == {("reviewer", "operations")}
    assert accounts.person(tom.id).teams == ("operations", "procurement")
    assert "The roles of Preview Tom are changed" in pages.ines.follow().html


def test_roles_that_cannot_be_given_are_said_beside_the_box(pages: Pages) -> None:
    tom = hired(("operator", "operations"))
    form = pages.ines.get(f"/settings/people/{tom.id}/roles")
    page = pages.ines.send(form, "/roles", status=422, **{"role.1": "lead", "team.1": "", "do": "save"})
    assert reasons(page)[0] == "lead is held in a team: choose one"
    assert (page.form("/roles")["fields"]["pair"], page.form("/roles")["fields"]["role.1"]) == (
        "operator@operations",
        "lead",
    ), "chosen still"
    page = pages.ines.send(form, "/roles", status=422, joined=None, do="save")
    assert reasons(page) == ["takes at least one team"]
    own = pages.ines.get(f"/settings/people/{pages.company.ines.id}/roles")
    assert "Nobody changes their own" in own.text
    page = pages.ines.send(
        own, "/roles", status=403, **{"role.1": "lead", "team.1": "operations", "do": "save"}
    )
    assert "Nobody changes their own roles: ask another admin." in page.text


def test_disabling_enabling_and_removing_say_what_happens(pages: Pages) -> None:
    tom = hired(("operator", "operations"), name="Leaving Tom", tags={"desks": ["retail"]})
    signed_in(tom)
    test_tasks.begin(
        pages.company, {"assignee": f"'{accounts.person(tom.id).email}'"}, slug="task-of-who-leaves"
    )
    form = pages.ines.get(f"/settings/people/{tom.id}/close")
    assert "1 session ends at once" in form.text
    assert form.text.count("1 open task goes back to the team.") == 2
    assert "Close the account of Leaving Tom" in form.text
    assert "Remove Leaving Tom" in form.text
    pages.ines.post(f"/settings/people/{tom.id}/close", form.forms[0]["fields"] | {"do": "disable"})
    page = pages.ines.follow()
    assert "The account is closed" in page.text
    assert "1 open task" not in page.text
    assert "Waiting for Ines" not in pages.ines.get(f"/settings/people/{pages.company.ines.id}").text
    assert open_sessions(tom.id) == 0
    pages.ines.send(page, "/enable")
    assert accounts.person(tom.id).state == "active"
    form = pages.ines.get(f"/settings/people/{tom.id}/close")
    page = pages.ines.post(
        f"/settings/people/{tom.id}/close",
        form.forms[1]["fields"] | {"do": "remove", "confirm": "yes"},
        status=422,
    )
    assert "takes CONFIRM REMOVE" in reasons(page)[0]
    assert 'value="yes"' in page.html
    pages.ines.post(
        f"/settings/people/{tom.id}/close",
        form.forms[1]["fields"] | {"do": "remove", "confirm": "CONFIRM REMOVE"},
    )
    page = pages.ines.follow()
    assert "Removed" in page.text
    assert [form["action"] for form in page.forms if "people" in form["action"]] == []
    page = pages.ines.post(f"/settings/people/{tom.id}/enable", {"csrf_token": pages.ines.token}, status=409)
    assert "This account was removed" in page.text
    own = pages.ines.post(
        f"/settings/people/{pages.company.ines.id}/close",
        {"csrf_token": pages.ines.token, "do": "disable"},
        status=403,
    )
    assert "ask another admin" in own.text


def test_sessions_keys_and_runs_are_ended_revoked_and_given_away(pages: Pages) -> None:
    company = pages.company
    tom, heir = (
        hired(("operator", "operations"), name="Held Tom", tags={"desks": ["retail"]}),
        hired(("operator", "operations"), tags={"desks": ["retail"]}),
    )
    company.people["held"] = tom
    run = company.started("1", "held")
    first, _ = signed_in(tom), signed_in(tom)
    key = accounts.create_key("nightly", tom.id)
    page = pages.ines.get(f"/settings/people/{tom.id}")
    token = {"csrf_token": pages.ines.token}
    path = f"/settings/people/{tom.id}"
    assert "nightly" in page.text
    pages.ines.post(f"{path}/sessions", token | {"session": first})
    assert open_sessions(tom.id) == 1
    pages.ines.post(f"{path}/sessions", token | {"session": first}, status=404)
    pages.ines.post(f"{path}/sessions", token)
    assert open_sessions(tom.id) == 0
    pages.ines.post(f"{path}/keys", token | {"key": key.id})
    assert accounts.actor_of_key(key.text) is None
    accounts.disable_person(tom.id, by=company.ines)
    page = pages.ines.get(path)
    assert "Care review of" in page.text
    page = pages.ines.send(page, "/runs", status=422, email="nobody@example.com", reason="Gone")
    assert "Nobody signs in as nobody@example.com" in reasons(page)[0]
    assert 'value="Gone"' in page.html
    page = pages.ines.send(page, "/runs", status=200, email="stan@fernwick.example")
    assert "may not see this run" in page.text
    pages.ines.send(page, "/runs", email=heir.email)
    assert company.told(run)["holder"] == heir.id


# --- teams --------------------------------------------------------------------------------------------------------------------


def test_a_team_is_made_changed_joined_and_archived_by_page(pages: Pages) -> None:
    company = pages.company
    form = pages.ines.get("/settings/teams/new")
    page = pages.ines.send(form, "/new", status=422, name="", description="Kept.", lead="nobody@example.com")
    assert reasons(page) == ["takes 1 to 60 printable characters"]
    assert "Kept." in page.html
    page = pages.ines.send(form, "/new", status=422, name="Page Team", lead="nobody@example.com")
    assert "somebody who may sign in" in reasons(page)[0]
    pages.ines.send(form, "/new", name="Page Team", description="By page.", lead="olivia@fernwick.example")
    page = pages.ines.follow()
    assert page.form("/page_team")["fields"]["lead"] == "olivia@fernwick.example"
    page = pages.ines.send(form, "/new", status=409, name="page team")
    assert "there is a team" in reasons(page)[0]
    team = pages.ines.get("/settings/teams/page_team")
    pages.ines.send(team, "/page_team", name="Page People")
    assert teamwork.team(company.ines, "page_team").name == "Page People"
    tom = hired(name="Joining Tom")
    page = pages.ines.send(team, "/members", status=422, email="nobody@example.com")
    assert "Nobody signs in" in reasons(page)[0]
    pages.ines.send(team, "/members", email=tom.email)
    assert "Joining Tom" in pages.ines.follow().text
    page = pages.ines.send(team, "/archive", status=409)
    assert "1 person (Joining Tom)" in page.text
    pages.ines.post("/settings/teams/page_team/members", {"csrf_token": pages.ines.token, "drop": tom.id})
    pages.ines.send(team, "/archive")
    page = pages.ines.follow()
    assert "The team is archived" in page.text
    pages.ines.send(page, "/archive", do="reopen")
    assert "Page People" in pages.ines.get("/settings/teams").text
    pages.ines.get("/settings/teams/nowhere", status=404)
    pages.ines.get("/settings/teams/nowhere/copy", status=404)
