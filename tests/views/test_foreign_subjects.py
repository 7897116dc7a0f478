"""Every address that names something, asked by Tom (retail) about a corporate customer: what leads there is answered as what does not exist.

The addresses are those of the application, so that a new one is asked too. The whole, on the demo with all its people: `bench/matrix.py`.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from console import log, runs, workflows
from console.actions import bulk
from console.auth import access, accounts
from console.infra import files, subjects
from tests.company import Company
from tests.conftest import Companies, web_app
from tests.papers import pdf
from tests.support.acting import RATE, imported
from tests.support.engine import step
from tests.support.four_eyes import asking, requested
from tests.views.conftest import Browser, Pages

pytestmark = pytest.mark.lengthy

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FOREIGN = "NL559999900012345670"
OURS = "LT459999900012345678"


@dataclass
class House:
    """The company with a run, a request for approval, a file and a bulk about customer 3 and its account; `there` are names of these by parameter."""

    pages: Pages
    key: str
    there: list[dict[str, str]]


@pytest.fixture(scope="module")
def house(companies: Companies) -> Iterator[House]:
    with companies.furnished("foreign_subjects") as company:
        yield furnished(Pages(company, web_app()))


def furnished(pages: Pages) -> House:
    """What is asked for, made by Mona, who sees every customer."""
    company = pages.company
    asking()
    _, approval = requested(company, slug="asking", record="3", by="mona")
    imported(RATE)
    run = company.at("rate", "3", "mona")
    steps = [
        step("start", "start", "note"),
        step("note", "update_data", "end", {"form": [{"name": "note", "label": "Note", "type": "text"}]}),
        step("end", "end", None),
    ]
    workflows.import_file(
        {
            "format": 1,
            "slug": "account-check",
            "title": "Account check",
            "collection": "account",
            "team": "operations",
            "steps": steps,
        },
        publish=True,
    )
    of_account = runs.start(company.mona, "account-check", "account", FOREIGN)
    paper = files.put(
        subjects.subject_of("customer", "3"), pdf(), "a.pdf", ["pdf"], run=run, slot="paper", now=log.now()
    )
    rate = next(action for action in bulk.offered(company.mona, "customer") if action.id == RATE["id"])
    many = bulk.begin(
        company.mona,
        "customer",
        rate,
        bulk.chosen(company.mona, "customer", rate, ["3"], None),
        {"risk": "low"},
    )
    key = accounts.create_key("matrix", company.tom.id).text
    return House(
        pages,
        key,
        [
            {"collection": "customer", "part": "3", "key": "3", "relation": "account"},
            {"collection": "account", "part": FOREIGN, "key": FOREIGN, "relation": "customer"},
            {"run_id": run},
            {"run_id": of_account},
            {"approval_id": approval, "file_id": paper.id, "ref": paper.id, "bulk_id": many},
        ],
    )


NOBODY = {
    "part": "NL000000000000000000",
    "key": "NL000000000000000000",
    "run_id": "run_nobody",
    "approval_id": "apr_nobody",
    "ref": "fil_nobody",
    "file_id": "fil_nobody",
    "bulk_id": "blk_nobody",
}
REST = {
    "name": "desk",
    "slug": "account-check",
    "action": RATE["id"],
    "number": "1",
    "step": "note",
    "word": "agree",
    "do": "finish",
    "relation": "account",
    "call_id": "aic_x",
    "question_id": "q",
    "id": "x",
}


def addresses(house: House) -> Iterator[tuple[str, str, str, str]]:
    """(method, rule, address of what is out of scope, the same of what nobody has)."""
    for rule in sorted(house.pages.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        named = set(rule.arguments)
        for given in house.there:
            asked = {name for name in named if name in given and name in NOBODY}
            if not asked or not named <= given.keys() | REST.keys():
                continue
            real = {name: given.get(name, REST.get(name, "")) for name in named}
            missing = {name: NOBODY[name] if name in asked else value for name, value in real.items()}
            for method in sorted((rule.methods or set()) & set(METHODS)):
                yield method, rule.rule, _filled(rule.rule, real), _filled(rule.rule, missing)


def _filled(rule: str, values: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda match: quote(values[match[1]], safe=""), rule)


def normal(answer: TestResponse, address: str, *names: str) -> tuple[int, str]:
    """Status and text without what was asked for and what is new with every answer."""
    text = (
        answer.text.replace(answer.headers.get("X-Request-Id") or "-", "")
        .replace(address, "·")
        .replace(quote(address), "·")
    )
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "·", text)
    text = re.sub(
        r'(name="token" value="[^".]*)[^"]*', r"\1", text
    )  # what it asks for stays, its second and signature go
    return answer.status_code, re.sub(r"nonce=\S+|csrf[^>]{0,200}", "", text, flags=re.IGNORECASE)


def asked(house: House, method: str, address: str) -> TestResponse:
    if address.startswith("/api/"):
        body: Any = (
            None
            if method == "GET"
            else {"values": {}, "expected": {}, "revision": 1, "step": "note", "reason": "x"}
        )
        return house.pages.app.test_client().open(
            address, method=method, json=body, headers={"Authorization": f"Bearer {house.key}"}
        )
    tom: Browser = house.pages.tom
    data = (
        {"csrf_token": tom.token, "revision": "1", "step": "note", "reason": "x"} if method != "GET" else None
    )
    return tom.client.open(address, method=method, data=data)


def test_what_leads_to_a_customer_out_of_scope_is_answered_as_what_does_not_exist(house: House) -> None:
    wrong: list[object] = []
    count = 0
    for method, rule, real, missing in addresses(house):
        one, other = asked(house, method, real), asked(house, method, missing)
        names = [value for given in (*house.there, NOBODY) for name, value in given.items() if name in NOBODY]
        count += 1
        if (
            one.status_code < 400
            or one.status_code >= 500
            or normal(one, real, *names) != normal(other, missing, *names)
        ):
            before, after = (
                normal(each, address, *names)[1].splitlines()
                for each, address in ((one, real), (other, missing))
            )
            wrong.append(
                (
                    method,
                    rule,
                    real,
                    one.status_code,
                    other.status_code,
                    [line[:300] for line in difflib.ndiff(before, after) if line[0] in "+-"][:8],
                )
            )
    assert wrong == []
    assert count > 80  # the addresses of records, runs, files and approvals


def test_lists_searches_and_titles_do_not_tell_of_it(house: House) -> None:
    client, headers = house.pages.app.test_client(), {"Authorization": f"Bearer {house.key}"}
    at = "/api/v1/collections/account/records"
    told = client.get(f"{at}?count=1", headers=headers).get_json()
    assert (told["total"], {row["key"] for row in told["data"]}) == (2, {OURS, "LT459999900012345679"})
    for query in (
        "q=NL5599999",
        'filter={"and":[{"field":"customer_id","op":"eq","value":3}]}',
        f'filter={{"and":[{{"field":"iban","op":"eq","value":"{FOREIGN}"}}]}}',
        'filter={"or":[{"field":"customer_id","op":"eq","value":3},{"field":"status","op":"eq","value":"none"}]}',
    ):
        told = client.get(f"{at}?count=1&{query}", headers=headers).get_json()
        assert (told["total"], told["data"]) == (0, []), query
    for sort in ("customer_id", "-customer_id", "iban", "-iban"):
        assert FOREIGN not in client.get(f"{at}?sort={sort}", headers=headers).text
    for path in (
        "/api/v1/runs?limit=100",
        "/api/v1/approvals",
        "/api/v1/files",
        "/more",
        "/c/account",
        "/c/customer",
        "/work",
        "/approvals?list=history",
    ):
        text = (
            client.get(path, headers=headers) if path.startswith("/api") else house.pages.tom.client.get(path)
        ).text
        assert FOREIGN not in text, path
        assert "Halcyon" not in text, path
        assert not any(given.get("run_id", "run_x") in text for given in house.there), path


def test_a_run_about_it_cannot_be_started(house: House) -> None:
    client, headers = house.pages.app.test_client(), {"Authorization": f"Bearer {house.key}"}
    answers = [
        client.post(
            "/api/v1/runs",
            json={"workflow": "account-check", "collection": "account", "record": record, "input": {}},
            headers=headers,
        )
        for record in (FOREIGN, "NL000000000000000000")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].get_json()["message"] == answers[1].get_json()["message"]


def test_who_sees_every_customer_sees_all_of_it(house: House) -> None:
    company: Company = house.pages.company
    assert not access.scope_for(company.tom, "account").unlimited
    assert access.scope_for(company.mona, "account").unlimited
    assert house.pages.mona.get(f"/c/account/{FOREIGN}").text
    assert house.pages.olivia.get(f"/c/account/{FOREIGN}").text
