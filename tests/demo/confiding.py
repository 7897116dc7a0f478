"""A report that was filed in confidence on the demo, and what everybody was answered before."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from console import actions, sources, workflows
from console.activity import sequencing
from console.ai.proposals import usage
from console.auth import accounts
from console.auth.accounts import teamwork
from console.core.actor import Actor
from console.core.errors import Conflict
from console.demo import loading, staff, stories
from console.infra.db.engine import fetch
from console.work import leavers
from console.workflows import inboxes
from tests.company import PASSWORD

ROOT = Path(__file__).parents[2]
TORE = str(stories.TORE)
FILED = {
    "who": "Tore himself",
    "what": "Needle-in-a-narrative",
    "why": "Needle-why",
    "indicators": ["structuring"],
}
TYPES = {"who": "text", "indicators": "multi_enum"}
OUTSIDE = ("olivia", "tom", "mona", "rosa", "ada", "ines")
SAID = "There is nothing here, or it is outside what you may see."


@dataclass
class House:
    """The people of the demo in a browser and with a key, and one report that Olivia has filed on story 3."""

    app: Flask
    people: dict[str, Actor]
    tokens: dict[str, str]
    keys: dict[str, str]
    receipt: str
    run: str
    before: dict[tuple[str, str], Any]

    def get(self, who: str, path: str, method: str = "GET", **sent: Any) -> TestResponse:
        """The answer to a person's browser, or to their program where the path is one of the API."""
        browser = self.app.test_client()
        if path.startswith("/api/"):
            return browser.open(
                path, method=method, headers={"Authorization": f"Bearer {self.keys[who]}"}, **sent
            )
        with browser.session_transaction() as session:
            session["csrf_token"], session["_user_id"] = "kept", self.tokens[who]
        form = sent.pop("data", {})
        csrf = URLSafeTimedSerializer(self.app.secret_key or "", salt="wtf-csrf-token").dumps("kept")
        data = {**form, "csrf_token": csrf} if method != "GET" else None
        return browser.open(path, method=method, data=data, headers={"Sec-Fetch-Site": "same-origin"}, **sent)


LISTS = (
    "/api/v1/runs",
    f"/api/v1/runs?collection=customer&record={TORE}",
    "/api/v1/runs?collection=sar_case",
    "/api/v1/runs?workflow=suspicion-report",
    "/api/v1/runs?status=saved",
    "/api/v1/approvals",
    "/api/v1/inboxes",
    "/api/v1/collections",
    "/api/v1/collections/customer",
    "/api/v1/collections/sar_case",
    "/api/v1/collections/sar_case/records",
    f"/api/v1/collections/customer/records/{TORE}",
    f"/api/v1/collections/customer/records/{TORE}/related/sar_case",
    f"/api/v1/collections/customer/records/{TORE}/runs",
    "/api/v1/collections/customer/records?q=Lindqvist&count=exact",
)
"""Every list that could tell of it: what it answers must be what it answered before, byte for byte."""


def filed(url: str) -> House:
    from console.views.app import create_app

    staff.give_rights()
    sources.add(loading.CORE, url, documents=loading.documents(loading.CORE))
    who = [person for person in staff.listed() if person["first"] in {*OUTSIDE, "malik", "admin", "stan"}]
    for person in who:
        also = [(person["role"], team) for team in person.get("also", ())]
        accounts.create_person(
            person["email"],
            role=person["role"],
            team=person["team"],
            name=person["name"],
            password=PASSWORD,
            also=also,
            tags=person.get("tags"),
        )
    actions.import_file(ROOT / "actions" / "account.restrict.json")
    actions.import_file(ROOT / "actions" / "account.release.json")
    workflows.import_file(ROOT / "workflows" / "suspicion-report.json", publish=True)
    inboxes.import_all([{"id": "desk", "title": "Desk", "team": "operations"}])
    named = {
        ("ines" if person["first"] == "admin" else person["first"]): accounts.person_of_email(person["email"])
        for person in who
    }
    app = create_app()
    app.testing = True
    made = House(
        app,
        {name: accounts.actor_of_person(person.id, f"ses_{name}") for name, person in named.items()},
        {
            name: str(accounts.sign_in(person.email, PASSWORD, "127.0.0.1", "test"))
            for name, person in named.items()
        },
        {name: accounts.create_key("tests", person.id).text for name, person in named.items()},
        *("", "", {}),
    )
    made.before = {(name, path): answered(made.get(name, path)) for name in OUTSIDE for path in LISTS}
    made.before |= {("ines", place): told for place, told in managed(made).items()}
    typed = {f"v.{key}": value for key, value in FILED.items()} | {
        f"t.{key}": TYPES.get(key, "long_text") for key in FILED
    }
    told = made.get("olivia", f"/c/customer/{TORE}/report/suspicion-report", "POST", data=typed)
    assert told.status_code == 201, re.findall(r"alert.*?</div>", told.text, re.DOTALL)
    found = re.search(r"R-[0-9A-Z]{5}-[0-9A-Z]{5}", told.text)
    assert found is not None
    made.receipt = found[0]
    made.run = fetch("select id from console.run where label = 'confidential'")[0][0]
    sequencing.catch_up()
    return made


def answered(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, re.sub(r'"request_id":\s*"[^"]*"', "", answer.text)


def managed(house: House) -> dict[str, Any]:
    """What is told to who manages people, teams and sources, of those where the case is: pages, refusals and previews."""
    malik, ines = house.people["malik"], house.people["ines"]
    pages = (
        f"/settings/people/{malik.id}",
        f"/settings/people/{malik.id}/close",
        "/settings/people",
        "/settings/teams",
        f"/settings/teams/{malik.teams[0]}",
        "/settings/sources",
        f"/settings/sources/{loading.CORE}",
        f"/settings/sources/{loading.CORE}/remove",
        "/settings/ai/costs",
        "/operations",
        "/settings/retention",
        "/settings/roles",
    )
    sequencing.catch_up()
    told: dict[str, Any] = {path: without_moments(house.get("ines", path)) for path in pages}
    with pytest.raises(Conflict) as refused:
        teamwork.archive(ines, malik.teams[0])
    told["archive"] = (str(refused.value), list(refused.value.details))
    told["remove"] = sources.consequences(loading.CORE, by=ines)
    told["held"] = leavers.runs_held(ines, malik.id)
    told["difference"] = sources.difference(loading.CORE, by=ines)
    told["costs"] = usage.today(ines)
    return told


def without_moments(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, re.sub(
        r"data-session-left=\S+|, never used|, last used <time.*?</time>|<time.*?</time>|csrf[^>]*>|\d\d:\d\d(:\d\d)?|nonce=.[^\"]*|req_\w+|Request [-0-9a-f]+",
        "",
        answer.text,
    )
