"""A key is the second person only if it was made to be: every kind of key at every door where an approval is given."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from console import runs
from console.auth import access, accounts
from console.auth.access import Scopes
from console.authoring import publication
from console.commands.apikey import apikey
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra.db.engine import fetch
from console.permissions import clearances
from tests.authoring.publication.test_publishing_reviews import (
    asked as asked_to_publish,
    second_lead,
    wants_second,
)
from tests.company import Company
from tests.support.four_eyes import NOTE, bank, charging, publish, requested, step
from tests.views.conftest import Pages

__all__ = ["bank"]

pytestmark = pytest.mark.lengthy
EVERY_ACT = frozenset(f"{kind}.{act}" for kind, acts in access.ACTS.items() for act in acts)
NEVER = {
    "without a word of it": Scopes(),
    "some acts": Scopes(acts=EVERY_ACT - {"action.approve"}),
    "some acts, and a word that counts for all of them": Scopes(
        acts=EVERY_ACT - {"action.approve"}, approves=True
    ),
    "an assistant's": Scopes(assistant=True),
    "an assistant's, made to": Scopes(approves=True, assistant=True),
}
MAY = {
    "made to": Scopes(approves=True),
    "names the act": Scopes(acts=EVERY_ACT),
}
Door = Callable[[Actor], object]


def by_key(person: Actor, scopes: Scopes | None) -> Actor:
    actor = accounts.actor_of_key(accounts.create_key("tests", person.id, scopes=scopes).text)
    assert actor is not None
    return actor


def apart(company: Company) -> str:
    """A run at a step that whoever did the one before may not do."""
    publish("apart", step("look", "update_data", NOTE, default="end") | {"not_by": ["step:note"]})
    run_id = runs.start(company.olivia, "apart", "customer", "2")
    company.answer(run_id, "olivia", note="Mine.")
    runs.assign(company.mona, run_id, revision=None, user=company.mona.id)
    return run_id


def cleared(company: Company) -> str:
    """A clearance that Mona asked for."""
    access.grant("admin", "label:amber", ["see"])
    access.grant("lead", "policy", ["manage"])
    access.refresh()
    since = datetime.now(UTC)
    return clearances.ask(
        company.mona, "amber", company.olivia.email, since, since + timedelta(days=1), "Stands in"
    ).id


def doors(company: Company) -> dict[str, tuple[Actor, Door]]:
    """Door → (who may, the act)."""
    charging()
    wants_second(company)
    tom = second_lead(company)
    charge, refused, run_apart, grant = (
        requested(company)[1],
        requested(company, record="2")[1],
        apart(company),
        cleared(company),
    )
    review = asked_to_publish(company)

    def look(who: Actor) -> None:
        told = runs.get(who, run_apart).json
        runs.complete(
            who, run_apart, runs.Submission(step="look", revision=told["revision"], values={"note": "Seen."})
        )

    return {
        "approve": (company.mona, lambda who: runs.approve(who, charge)),
        "reject": (company.mona, lambda who: runs.reject(who, refused, reason="No.")),
        "a step for somebody else": (company.mona, look),
        "publish": (tom, lambda who: publication.approve(who, review.id)),
        "clear": (company.ines, lambda who: clearances.answer(who, grant, agree=True)),
    }


@pytest.mark.parametrize("may", MAY)
def test_a_key_is_the_second_person_only_if_it_was_made_to_be(bank: Company, may: str) -> None:
    found = doors(bank)
    access.refresh()
    for door, (person, act) in found.items():
        for words, scopes in NEVER.items():
            with pytest.raises(ConsoleError) as refused:
                act(by_key(person, scopes))
            assert refused.value.status in (403, 404), (door, words)
        with pytest.raises(ConsoleError) as refused:
            act(by_key(person, None))
        assert (refused.value.code, "--approve" in refused.value.message) == ("not_in_key", True), door
    for person, act in found.values():
        act(by_key(person, MAY[may]))


def test_keys_made_before_keep_their_rights_and_stand_in_a_list(pages: Pages) -> None:
    olivia = pages.company.olivia
    names = {
        f"{kind} {number}": scopes
        for kind, made in (("may", MAY), ("never", NEVER))
        for number, scopes in enumerate(made.values())
    }
    for name, scopes in names.items():
        accounts.create_key(name, olivia.id, scopes=scopes)
    robot = accounts.create_service_account("robot@fernwick.test", [("operator", "operations")])
    accounts.create_key("of a robot", robot.id, scopes=Scopes(approves=True))
    listed = {key.name for key in accounts.every_key(pages.company.ines, approving=True)}
    assert listed == {name for name in names if name.startswith("may")}
    page = pages.ines.get("/settings/keys/all?may=approve")
    assert ("may 0" in page.text, "never 0" in page.text, "of a robot" in page.text) == (True, False, False)
    assert page.text.count("May approve") == len(listed)
    pages.ines.send(
        pages.ines.get(next(link for link in page.links if "/settings/keys/key_" in link)), "/revoke"
    )
    assert len(accounts.every_key(pages.company.ines, approving=True)) == len(listed) - 1
    pages.olivia.get("/settings/keys/all?may=approve", status=403)


def test_the_page_and_the_command_give_it_only_where_it_is_said(pages: Pages) -> None:
    person, form = pages.company.mona, pages.mona.get("/settings/keys/new")
    told: dict[str, dict[str, Any]] = {
        "page": {"what": "all"},
        "page, ticked": {"what": "all", "approves": "1"},
        "some": {"what": "some", "acts": "workflow.see"},
        "some, ticked": {"what": "some", "acts": "workflow.see", "approves": "1"},
        "assistant, ticked": {"what": "assistant", "approves": "1"},
    }
    for name, more in told.items():
        pages.mona.send(form, "/settings/keys/create", status=200, name=name, days="30", **more)
    for name, *words in (("command",), ("command, told", "--approve")):
        made = CliRunner().invoke(apikey, ["create", name, "--user", person.email, *words])
        assert made.exit_code == 0, made.output
    approving = {key.name for key in accounts.keys_of(person) if key.approves}
    assert approving == {"page, ticked", "some, ticked", "command, told"}
    accounts.create_service_account("robot@fernwick.test", [("operator", "operations")])
    for words in (["--user", person.email, "--scope", "mcp"], ["--user", "robot@fernwick.test"]):
        refused = CliRunner().invoke(apikey, ["create", "no", "--approve", *words])
        assert (refused.exit_code, "never approves" in refused.output) == (2, True)
    assert fetch("select count(*) from console.api_key where name = 'no'") == [(0,)]
