"""Route × role × whose: every route of the URL map as every role of the demo's policy, on what is there and on what is not. Nothing leaks.

What is there belongs to the team Operations; the roles are held in the teams in which the demo gives them. What somebody may see is asked of the
policy, and compared with what the answers hold.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from console.activity import sequencing
from console.auth import access, accounts
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.views.identity import OPEN
from tests.company import PASSWORD
from tests.test_routes import METHODS, OWN, Caller
from tests.views.conftest import Pages
from tests.views.test_page_routes import House, furnished

pytestmark = pytest.mark.lengthy

MORE = {
    "lea": [("lead", "operations")],
    "oskar": [("operator", "procurement")],
    "dev": [("developer", "*")],
    "lena": [("procurement_lead", "procurement")],
    "gita": [("campaign_manager", "growth")],
    "petra": [("finance_controller", "finance")],
    "malik": [("mlro", "financial_crime")],
    "nobody": [],
}
"""Who is not in the small company, with the roles of the demo's policy that nobody there has."""

ABSENT = {
    "collection": "absent",
    "run_id": "run_absent",
    "approval_id": "apr_absent",
    "bulk_id": "blk_absent",
    "task_id": "tsk_absent",
    "question_id": "qst_absent",
    "notice_id": "ntc_absent",
    "slug": "absent",
    "workflow_id": "absent",
    "ref": "fil_absent",
    "file_id": "fil_absent",
    "subject": "sub_absent",
}
RECORD, WORKFLOW = ("Adaeze", "adaeze@"), ("Care review", "Rate the risk")
"""What gives a record away, and what gives a workflow away."""
SEES_ALL = "ada"
"""Of those who may see both, nothing can be told that they may not know: one of them is asked, who sees most pages."""
COMPARED = {"nobody", "gita"}
"""Whose answers about what is hidden are compared with those about what is not there."""


@dataclass
class Wing:
    """The furnished company, with callers for everybody and the values that stand in addresses."""

    house: House
    people: dict[str, Actor]
    callers: dict[str, Caller]
    own: dict[str, str]
    wrong: list[tuple[object, ...]] = field(default_factory=list)

    def sees(self, who: str) -> tuple[bool, bool]:
        """Whether the policy lets them see the record, and the workflow of runs on it."""
        actor = self.people[who]
        record = access.scope_for(actor, "customer").allows({"desk": "retail"})
        return record, access.can(actor, "operations", "workflow:care-review", "see")

    def paths(self, methods: set[str]) -> Iterator[tuple[Rule, str, str, str]]:
        """(rule, method, the address of what is there, of what is not) of every route that is neither open nor one's own."""
        for rule in sorted(self.house.pages.app.url_map.iter_rules(), key=str):
            if rule.rule not in OPEN | OWN:
                for method in sorted((rule.methods or set()) & methods):
                    yield rule, method, filled(rule, self.own), filled(rule, self.own | ABSENT)


def filled(rule: Rule, values: dict[str, str]) -> str:
    """The address with these values; where there is none for a name, one that is nothing."""
    known = {"name": "email" if "/edit/" in rule.rule else "desk"} | values
    return re.sub(
        r"<(?:(int|path):)?([^>]+)>",
        lambda found: known.get(found[2], "1" if found[1] == "int" else "unknown"),
        rule.rule,
    )


@pytest.fixture
def wing(pages: Pages) -> Wing:
    """Everything that a route can be about, and everybody who could ask for it."""
    house = furnished(pages)
    for name, given in MORE.items():
        role, team = given[0] if given else ("operator", "growth")
        made = accounts.create_person(
            f"{name}@fernwick.example",
            role=role,
            team=team if team != "*" else "it",
            name=name.title(),
            password=PASSWORD,
        )
        access.assign(made.person.id, given)
    people = {
        name: accounts.actor_of_person(accounts.person_of_email(f"{name}@fernwick.example").id, f"ses_{name}")
        for name in (*pages.company.people, *MORE)
    }
    callers = {name: Caller(pages.app, accounts.person(actor.id), PASSWORD) for name, actor in people.items()}
    own = {
        "collection": "customer",
        "part": "1",
        "key": "1",
        "run_id": house.run,
        "approval_id": house.approval,
        "bulk_id": house.bulk,
        "task_id": house.task,
        "question_id": house.question,
        "notice_id": house.notice,
        "slug": "care-review",
        "workflow_id": "care-review",
        "relation": "account",
        "action": "customer.rate",
        "ref": house.file,
        "file_id": house.file,
        "role": "operator",
        "word": "pause",
        "do": "finish",
        "number": "1",
    }
    return Wing(house, people, callers, own)


def test_every_role_of_the_policy_is_somebody(wing: Wing) -> None:
    held = {role for actor in wing.people.values() for role, _ in actor.roles}
    named = {row.sub.removeprefix("role:") for row in access.all_rows() if row.sub.startswith("role:")}
    assert named <= held


def test_no_answer_holds_what_the_policy_keeps_and_what_is_hidden_is_as_if_it_were_not(wing: Wing) -> None:
    asked = 0
    for who, caller in wing.callers.items():
        record, workflow = wing.sees(who)
        if record and workflow and who != SEES_ALL:
            continue
        for rule, method, there, absent in wing.paths({"GET"}):
            answer = caller(there, method)
            text = answer.get_data().decode("utf-8", "replace")
            leaks = [
                word
                for word in (*(RECORD if not record else ()), *(WORKFLOW if not workflow else ()))
                if word in text
            ]
            wing.wrong += [(who, rule.rule, leaks)] if leaks else []
            wing.wrong += [(who, rule.rule, answer.status_code)] if answer.status_code >= 500 else []
            asked += 1
            if who in COMPARED and there != absent and not record and not workflow:
                nothing = caller(absent, method)
                alike = same_words(answer, text) == same_words(
                    nothing, nothing.get_data().decode("utf-8", "replace")
                )
                wing.wrong += [] if alike else [(who, rule.rule, answer.status_code, nothing.status_code)]
                nothing.close()
            answer.close()
    assert wing.wrong == []
    assert asked > 300
    sequencing.catch_up()
    assert fetch("select count(*) from console.activity where kind = 'access_refused'")[0][0] > 30, (
        "refusals are events"
    )


def test_who_may_do_nothing_there_does_nothing(wing: Wing) -> None:
    for who, caller in wing.callers.items():
        if any(wing.sees(who)):
            continue
        for rule, method, there, _ in wing.paths(METHODS - {"GET"}):
            answer = caller(there, method)
            good = 400 <= answer.status_code < 500 or rule.rule in ("/notices/read", "/search", "/sign-out")
            wing.wrong += [] if good else [(who, method, rule.rule, answer.status_code)]
            answer.close()
    assert wing.wrong == []
    assert wing.house.untouched()


def same_words(answer: TestResponse, text: str) -> tuple[int, str]:
    """Status and words of the answer, without what differs from request to request: its number, and tokens of forms."""
    plain = text.replace(answer.headers.get("X-Request-Id") or "-", "")
    return answer.status_code, re.sub(r'(name="(?:csrf_)?token"\s+value=")[^"]*', r"\1", plain)
