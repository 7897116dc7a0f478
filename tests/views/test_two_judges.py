"""Dangerous acts over pages and by the command line where the index and Casbin disagree: refused in words, with an alarm, whichever of them refuses.

tests/views/test_api_narrowed.py does the same over the API.
"""

import threading
from typing import TYPE_CHECKING

import pytest

from console import actions
from console.auth import access, accounts
from console.auth.access import casbin_agreement
from console.auth.access.index import Index
from console.auth.access.judgement import DISAGREEMENT
from console.auth.accounts import authority
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotAllowed
from console.infra.db.engine import fetch
from tests.commands.test_company_commands import Shell, fixture_shell  # noqa: F401 (a fixture)
from tests.support.acting import RATE, imported

if TYPE_CHECKING:
    from tests.views.conftest import Pages

OVER_PAGES: dict[tuple[str, str], tuple[str, str, dict[str, str]]] = {
    ("policy", "manage"): ("ines", "/settings/roles", {"title": "Night shift", "level": "operator"}),
    ("user", "manage"): ("ines", "/settings/teams/new", {"name": "Night shift"}),
    ("key", "manage"): ("ines", "/settings/keys/all", {}),
    ("ai", "manage"): ("ines", "/settings/ai", {}),
    ("subject", "erase"): ("ines", "/c/customer/1/erase", {"reason": "Asked by letter"}),
    ("collection:customer", "reveal"): (
        "mona",
        "/c/customer/1/reveal/tax_id",
        {"reason": "The tax office asks"},
    ),
    ("collection:customer", "export"): ("mona", "/export/c/customer", {"as": "csv"}),
    ("action:customer.rate", "execute"): ("mona", "", {"risk": "high"}),
    ("account:hooks@fernwick.test", "use"): ("mona", "", {}),
}
"""Act → who does it, the page on which they do (several do what has none here), and what they send."""


def alarms_written() -> None:
    """Wait until each disagreement is written down."""
    for thread in threading.enumerate():
        if thread.name == "rights-alarm":
            thread.join(10)


def without_page(actor: Actor, obj: str, sent: dict[str, str]) -> None:
    """Do what many pages do: an action, or to let runs act as an account."""
    kind, _, name = obj.partition(":")
    if kind == "action":
        actions.perform(actor, "customer", "1", name, sent)
    else:
        accounts.require_use(actor, name)


def disagreements() -> int:
    """How many events say that the judges disagreed."""
    alarms_written()
    found = fetch(
        "select count(*) from console.event where convert_from(body, 'UTF8')::jsonb ->> 'type' = 'rights_disagreed'"
    )
    return int(found[0][0])


@pytest.fixture
def house(pages: "Pages") -> "Pages":
    """Everybody may do what they try: the judges agree, until one of them is exchanged."""
    imported(RATE)
    access.grant("operations_lead", "collection:customer", ["reveal", "export"])
    access.grant("operations_lead", "action:customer.rate", ["execute"], team="operations")
    access.grant("operations_lead", "account:hooks@fernwick.test", ["use"], team="operations")
    accounts.create_service_account("hooks@fernwick.test", [("operator", "operations")])
    access.refresh()
    for (obj, act), (who, _, _) in OVER_PAGES.items():
        assert access.can(pages.company.people[who], "operations" if ":" in obj else None, obj, act), (
            obj,
            act,
        )
    return pages


def only_index(monkeypatch: pytest.MonkeyPatch, obj: str, act: str) -> None:
    """A Casbin that refuses this act to everybody."""
    real = casbin_agreement.allowed
    monkeypatch.setattr(
        casbin_agreement,
        "allowed",
        lambda held, asked: (asked.obj, asked.act) != (obj, act) and real(held, asked),
    )


def test_what_casbin_refuses_is_refused_on_a_page(house: "Pages") -> None:
    for (obj, act), (who, address, sent) in OVER_PAGES.items():
        browser, before = getattr(house, who), disagreements()
        token = browser.token
        with pytest.MonkeyPatch.context() as judges:
            only_index(judges, obj, act)
            if not address:
                with pytest.raises(ConsoleError):
                    without_page(house.company.people[who], obj, sent)
            else:
                page = (
                    browser.post(address, sent | {"csrf_token": token}, status=403)
                    if sent
                    else browser.get(address, status=403)
                )
                assert "judges of rights disagree" in page.text, (obj, act)
            assert disagreements() > before, (obj, act)


def test_nor_for_the_command_line_in_the_name_of_a_person(
    house: "Pages", shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command line does in its own name takes no right: who has the shell of the machine has everything."""
    assert house.company.people
    only_index(monkeypatch, "workflow:care-review", "start")
    done = shell(
        "run",
        "start",
        "care-review",
        "customer",
        "1",
        "--user",
        "olivia@fernwick.example",
        "--input",
        "why=event",
    )
    assert (done.status, done.out) == (1, "")
    assert DISAGREEMENT in done.err
    assert (fetch("select count(*) from console.run")[0][0], disagreements()) == (0, 1)


def test_nobody_gives_a_role_that_only_the_index_finds_for_them(
    house: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mona manages people here and is no admin, whatever the index says."""
    mona = house.company.mona
    access.grant("operations_lead", "user", ["manage"])
    access.refresh()
    given = [("admin", "*")]
    with pytest.raises(NotAllowed, match="only what they have themselves"):
        authority.require_give(mona, given)
    monkeypatch.setattr(Index, "roles", lambda *_: frozenset(given))
    monkeypatch.setattr(Index, "held", lambda *_: frozenset({"admin"}))
    with pytest.raises(NotAllowed, match="only what they have themselves"):
        authority.require_give(mona, given)
    assert disagreements() == 1
