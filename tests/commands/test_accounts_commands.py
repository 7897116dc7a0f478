"""`console user`, `console apikey` and `console policy`, as somebody with the shell uses them."""

import re
from datetime import timedelta

import click
import pytest
from click.testing import CliRunner, Result

from console import access, accounts, log, settings
from console.commands import apikey, policy, team, user
from console.errors import ConsoleError
from tests.tables import cases


def run(command: click.Command, *args: str) -> Result:
    """One command; what it raises for people goes on to the test."""
    return CliRunner().invoke(command, args, catch_exceptions=False)


@pytest.fixture
def ana(clean: object) -> tuple[accounts.Person, str]:
    """A lead made on the command line, and her password."""
    told = run(user.user, "create", "Ana@Example.com", "--role", "lead", "--team", "Operations", "--name", "Ana Ilić")
    assert told.exit_code == 0
    made = re.fullmatch(r"ana@example\.com  (\S+)  Ana Ilić, lead, operations\n", told.output)
    assert made is not None
    return accounts.person_of_email("ana@example.com"), made[1]


def test_a_person_made_on_the_command_line_signs_in(ana: tuple[accounts.Person, str]) -> None:
    person, password = ana
    assert person.roles == {("lead", "operations")}
    assert accounts.sign_in(person.email, password, "127.0.0.1", "test")
    (created,) = (event for event in log.events_of("sys:config") if event.type == "person_created")
    assert created.body["actor"]["id"] == "sys_cli"
    assert password not in str(created.body) + str(created.values)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("create", "ana", "--role", "lead", "--team", "t"), "cannot be entered"),
        (("create", "bo@example.com", "--role", "chief", "--team", "t"), "cannot be entered"),
        (("create", "ana@example.com", "--role", "lead", "--team", "t"), "signs in as ana@example.com already"),
        (("disable", "bo@example.com"), "Nobody signs in as bo@example.com"),
    ],
)
@pytest.mark.usefixtures("ana")
def test_what_cannot_be_is_said_in_one_line(args: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConsoleError) as refused:
        run(user.user, *args)
    assert told in refused.value.message
    assert "\n" not in refused.value.message


def test_people_are_listed_and_accounts_closed(ana: tuple[accounts.Person, str]) -> None:
    run(user.user, "create", "ada@example.com", "--role", "auditor", "--team", "audit")
    assert run(user.user, "list").output == "ada@example.com  Ada  auditor\nana@example.com  Ana Ilić  lead in operations\n"
    assert run(user.user, "disable", "ANA@example.com").output == "ana@example.com can no longer sign in\n"
    assert "ana@example.com  Ana Ilić  lead in operations  closed\n" in run(user.user, "list").output
    assert accounts.sign_in("ana@example.com", ana[1], "127.0.0.1", "test") is None


def test_an_administrator_sets_a_new_password(ana: tuple[accounts.Person, str]) -> None:
    told = re.fullmatch(r"ana@example\.com  (\S+)\n", run(user.user, "password", "ana@example.com").output)
    assert told is not None
    assert accounts.sign_in("ana@example.com", ana[1], "127.0.0.1", "test") is None
    assert accounts.sign_in("ana@example.com", told[1], "127.0.0.1", "test")


def test_somebody_is_invited_by_a_link_that_is_printed_once(ana: tuple[accounts.Person, str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(user.user, "invite", "Bo@Example.com", "--role", "operator", "--role", "auditor", "--team", "operations")
    link = re.fullmatch(r"(/invitation/[\w-]{43})\n", told.stdout)
    assert link is not None
    assert "CONSOLE_BASE_URL is not set" in told.stderr
    person = accounts.accept(link[1].rpartition("/")[2], "127.0.0.1", name="Bo", password="seven tall herons wade", locale="en", zone="UTC")
    assert (person.email, person.roles) == ("bo@example.com", frozenset({("operator", "operations"), ("auditor", "*")}))
    monkeypatch.setenv("CONSOLE_BASE_URL", "https://console.example.com")
    settings.current.cache_clear()
    told = run(user.user, "invite", "cy@example.com", "--role", "operator", "--team", "operations")
    assert told.stdout.startswith("https://console.example.com/invitation/")
    assert told.stderr == ""
    assert run(user.user, "invite", "di@example.com", "--role", "operator", "--team", "a", "--team", "b").exit_code == 2
    with pytest.raises(ConsoleError, match="is invited already"):
        run(user.user, "invite", "cy@example.com", "--role", "operator", "--team", "operations")
    settings.current.cache_clear()


def test_accounts_are_opened_again_and_removed(ana: tuple[accounts.Person, str]) -> None:
    run(user.user, "disable", "ana@example.com")
    assert run(user.user, "enable", "Ana@example.com").output == "ana@example.com can sign in again\n"
    assert accounts.sign_in("ana@example.com", ana[1], "127.0.0.1", "test")
    with pytest.raises(ConsoleError, match="Type CONFIRM REMOVE"):
        run(user.user, "remove", "ana@example.com", "--confirm", "yes")
    assert run(user.user, "remove", "ana@example.com", "--confirm", "CONFIRM REMOVE").output == "ana@example.com is removed\n"
    assert run(user.user, "list").output == "–  Ana Ilić  no role  removed\n"
    with pytest.raises(ConsoleError, match="Nobody signs in as ana@example.com"):
        run(user.user, "enable", "ana@example.com")


def test_teams_are_made_renamed_listed_and_archived(ana: tuple[accounts.Person, str]) -> None:
    assert (
        run(team.team, "create", "Financial Crime", "--lead", "ana@example.com", "--description", "Second line").output
        == "financial_crime\n"
    )
    assert run(team.team, "rename", "financial_crime", "Crime").output == "financial_crime is called Crime\n"
    assert accounts.teams()[0] == accounts.Team("financial_crime", "Crime", "Second line", ana[0].id)
    with pytest.raises(ConsoleError, match=r"1 person \(Ana Ilić\)"):
        run(team.team, "archive", "operations")
    assert run(team.team, "archive", "financial_crime").output == "financial_crime is archived\n"
    assert run(team.team, "list").output == (
        "operations  Operations  1 member, 0 workflows, 0 inboxes\nfinancial_crime  Crime  0 members, 0 workflows, 0 inboxes  archived\n"
    )


def test_the_key_is_the_only_thing_on_stdout(ana: tuple[accounts.Person, str]) -> None:
    told = run(apikey.apikey, "create", "nightly", "--user", "Ana@example.com", "--expires", "12h")
    assert re.fullmatch(r"cns_[0-9a-z]+_[0-9a-f]+\n", told.stdout)
    assert told.stderr == ""
    actor = accounts.actor_of_key(told.stdout.strip())
    assert actor is not None
    assert actor.id == ana[0].id
    assert run(apikey.apikey, "revoke", str(actor.key_id)).output == f"{actor.key_id} opens nothing any more\n"
    assert accounts.actor_of_key(told.stdout.strip()) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [("90d", timedelta(days=90)), ("12h", timedelta(hours=12)), (" 8W ", timedelta(weeks=8)), ("365d", timedelta(days=365))],
)
def test_durations(text: str, time: timedelta) -> None:
    assert apikey.duration(text) == time


@cases("text", ["", "90", "d", "0d", "-1d", "1.5d", "90 d", "90m", "1y", "999999d", "٣d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter):
        apikey.duration(text)


@pytest.mark.usefixtures("ana")
def test_a_key_lasts_a_year_at_most() -> None:
    with pytest.raises(ConsoleError) as refused:
        run(apikey.apikey, "create", "nightly", "--user", "ana@example.com", "--expires", "366d")
    assert "a year at most" in refused.value.details[0]["reason"]
    assert run(apikey.apikey, "create", "nightly").exit_code == 2


def test_the_export_is_the_policy_in_use(ana: tuple[accounts.Person, str]) -> None:
    told = run(policy.policy, "export").output
    rows = access.parse(told)
    assert set(rows) == set(access.all_rows())
    assert f"g,user:{ana[0].id},role:lead,t:operations\n" in told


@cases("command", [command for group in (user.user, team.team, apikey.apikey, policy.policy) for command in group.commands.values()])
def test_every_command_has_help_with_an_example(command: click.Command) -> None:
    told = run(command, "--help")
    assert told.exit_code == 0
    assert "Example: console " in told.output
