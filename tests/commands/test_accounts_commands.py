"""`console user`, `console apikey` and `console policy`, as somebody with the shell uses them."""

import re
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from console import log
from console.auth import accounts
from console.commands import apikey, user
from console.core.errors import ConsoleError
from console.infra import settings


def run(command: click.Command, *args: str) -> Result:
    """One command; what it raises for people goes on to the test."""
    return CliRunner().invoke(command, args, catch_exceptions=False)


@pytest.fixture
def ana(clean: object) -> tuple[accounts.Person, str]:
    """A lead made on the command line, and her password."""
    told = run(
        user.user, "create", "Ana@Example.com", "--role", "lead", "--team", "Operations", "--name", "Ana Ilić"
    )
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


def test_people_are_listed_and_accounts_closed(ana: tuple[accounts.Person, str]) -> None:
    run(user.user, "create", "ada@example.com", "--role", "auditor", "--team", "audit")
    assert (
        run(user.user, "list").output
        == "ada@example.com  Ada  auditor\nana@example.com  Ana Ilić  lead in operations\n"
    )
    assert run(user.user, "disable", "ANA@example.com").output == "ana@example.com can no longer sign in\n"
    assert "ana@example.com  Ana Ilić  lead in operations  closed\n" in run(user.user, "list").output
    assert accounts.sign_in("ana@example.com", ana[1], "127.0.0.1", "test") is None


def test_an_administrator_sets_a_new_password(ana: tuple[accounts.Person, str]) -> None:
    told = re.fullmatch(r"ana@example\.com  (\S+)\n", run(user.user, "password", "ana@example.com").output)
    assert told is not None
    assert accounts.sign_in("ana@example.com", ana[1], "127.0.0.1", "test") is None
    assert accounts.sign_in("ana@example.com", told[1], "127.0.0.1", "test")


def test_somebody_is_invited_by_a_link_that_is_printed_once(
    ana: tuple[accounts.Person, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run(
        user.user,
        "invite",
        "Bo@Example.com",
        "--role",
        "operator",
        "--role",
        "auditor",
        "--team",
        "operations",
    )
    link = re.fullmatch(r"(/invitation/[\w-]{43})\n", told.stdout)
    assert link is not None
    assert "CONSOLE_BASE_URL is not set" in told.stderr
    person = accounts.accept(
        link[1].rpartition("/")[2],
        "127.0.0.1",
        name="Bo",
        password="seven tall herons wade",
        locale="en",
        zone="UTC",
    )
    assert (person.email, person.roles) == (
        "bo@example.com",
        frozenset({("operator", "operations"), ("auditor", "*")}),
    )
    monkeypatch.setenv("CONSOLE_BASE_URL", "https://console.example.com")
    settings.current.cache_clear()
    told = run(user.user, "invite", "cy@example.com", "--role", "operator", "--team", "operations")
    assert told.stdout.startswith("https://console.example.com/invitation/")
    assert told.stderr == ""
    assert (
        run(
            user.user, "invite", "di@example.com", "--role", "operator", "--team", "a", "--team", "b"
        ).exit_code
        == 2
    )
    with pytest.raises(ConsoleError, match="is invited already"):
        run(user.user, "invite", "cy@example.com", "--role", "operator", "--team", "operations")
    settings.current.cache_clear()


def test_the_key_is_the_only_thing_on_stdout(ana: tuple[accounts.Person, str]) -> None:
    told = run(apikey.apikey, "create", "nightly", "--user", "Ana@example.com", "--expires", "12h")
    assert re.fullmatch(r"cns_[0-9a-z]+_[0-9a-f]+\n", told.stdout)
    assert told.stderr == ""
    actor = accounts.actor_of_key(told.stdout.strip())
    assert actor is not None
    assert actor.id == ana[0].id
    assert (
        run(apikey.apikey, "revoke", str(actor.key_id)).output == f"{actor.key_id} opens nothing any more\n"
    )
    assert accounts.actor_of_key(told.stdout.strip()) is None


@pytest.mark.usefixtures("ana")
def test_a_key_comes_with_a_first_call_at_the_address_of_the_console(
    given_settings: Callable[..., None],
) -> None:
    given_settings(CONSOLE_BASE_URL="https://console.example:8443")
    told = run(apikey.apikey, "create", "nightly", "--user", "ana@example.com")
    assert told.stdout.startswith("cns_")
    assert len(told.stdout.splitlines()) == 1
    assert "https://console.example:8443/api/v1/me" in told.stderr
    told = run(apikey.apikey, "create", "helper", "--user", "ana@example.com", "--scope", "mcp")
    assert told.stderr.endswith("https://console.example:8443/mcp\n")


@pytest.mark.usefixtures("ana")
def test_a_key_lasts_a_year_at_most() -> None:
    with pytest.raises(ConsoleError) as refused:
        run(apikey.apikey, "create", "nightly", "--user", "ana@example.com", "--expires", "366d")
    assert "a year at most" in refused.value.details[0]["reason"]
    assert run(apikey.apikey, "create", "nightly").exit_code == 2
