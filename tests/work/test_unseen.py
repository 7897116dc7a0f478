"""Who changes something under a confidential run that they may not know of is told nothing; who is cleared for it is told, once, by name."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from console import runs, sources, workflows
from console.auth import access, accounts
from console.auth.accounts import teamwork
from console.core.actor import Actor
from console.records import catalogue
from console.work import notices
from console.workflows import inboxes
from tests.company import DESK, DOCUMENT, Company

CHANGES: dict[str, Callable[[Company], Any]] = {
    "archived the team of this run": lambda at: teamwork.archive(at.people["ines"], "apart"),
    "closed the account of who holds this run": lambda at: accounts.disable_person(
        at.olivia.id, by=at.people["ines"]
    ),
    "removes": lambda at: accounts.remove_person(at.people["ines"], at.olivia.id, "CONFIRM REMOVE"),
    "paused the data source that this run works on": lambda at: sources.pause(source(), by=at.people["ines"]),
    "took away the data source that this run works on": lambda at: sources.remove(
        source(), by=at.people["ines"]
    ),
    "closed the inbox that this run waits in": lambda at: inboxes.close("apart-desk", by=at.people["ines"]),
}


def source() -> str:
    return catalogue.collection("customer").source


def confidential(company: Company, *cleared: Actor) -> str:
    """A run with a label in a team of its own, in Olivia's hands; only these are cleared for it."""
    teamwork.create(company.people["ines"], "Apart")
    access.grant("keeper", "workflow:*", ["see", "start", "resume"])
    access.grant("keeper", "collection:*", ["browse", "read", "update"])
    for who in cleared:
        person = who.id
        access.assign(person, {*pairs(person), ("keeper", "*")})
    access.grant("keeper", "label:secret", ["see"])
    access.refresh()
    workflows.import_file(
        copy.deepcopy(DOCUMENT)
        | {"slug": "care-secret", "title": "Secret", "clearance": "secret", "team": "apart"},
        publish=True,
    )
    return runs.start(
        accounts.actor_of_person(company.olivia.id, "ses_olivia"),
        "care-secret",
        "customer",
        "4",
        {"why": "event"},
    )


def pairs(person: str) -> set[tuple[str, str]]:
    return set(accounts.actor_of_person(person).roles)


def heard(actor: Actor) -> list[str]:
    return [notice.text for notice in notices.notices_of(accounts.actor_of_person(actor.id))]


@pytest.mark.parametrize("said", CHANGES)
def test_whoever_is_cleared_is_told_and_nobody_else(company: Company, said: str) -> None:
    run_id = confidential(company, company.olivia, company.mona)
    if "inbox" in said:
        inboxes.import_all([DESK | {"id": "apart-desk", "team": "apart"}])
        runs.escalate(
            accounts.actor_of_person(company.olivia.id, "ses_olivia"),
            run_id,
            revision=None,
            inbox="apart-desk",
            reason="Look",
        )
    before = {name: notices.unread(who) for name, who in company.people.items()}
    CHANGES[said](company)
    told = {name for name, who in company.people.items() if notices.unread(who) != before[name]}
    assert told - {"olivia"} == {"mona"}, (
        "the one in whose hands it is may be told too, unless it is their account"
    )
    expected = "closed the account of who holds this run" if said == "removes" else said
    assert [text for text in heard(company.mona) if expected in text] or "took away" in said
    assert heard(company.people["ines"]) == []


def test_what_the_actor_may_know_of_is_told_to_nobody(company: Company) -> None:
    """They see it themselves, in the refusal or the preview."""
    confidential(company, company.olivia, company.mona, company.people["ines"])
    sources.pause(source(), by=accounts.actor_of_person(company.people["ines"].id))
    assert heard(company.mona) == []
