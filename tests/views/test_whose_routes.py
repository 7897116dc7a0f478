"""Every address of the application, asked by Mona about a personal workflow of Gita, another lead of her team: it is answered as what does not exist.

The addresses are those of the application, so that a new one is asked too.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from console import runs, workflows
from console.auth import accounts
from console.automation.triggers import trigger_rows
from tests.company import DOCUMENT
from tests.conftest import Companies, web_app
from tests.support.staff import hired
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
SLUG, TITLE, NOBODYS = "secret-errand", "Secret errand", "absent-errand"
REST = {
    "collection": "customer",
    "part": "2",
    "key": "2",
    "number": "1",
    "step": "note",
    "word": "retry",
    "do": "finish",
    "node_id": "note",
    "trigger_id": "night",
    "action": "rate",
    "cause": "none",
    "name": "desk",
    "lead_id": "lead_x",
    "alert_id": "alr_x",
    "edge_id": "edg_x",
    "batch_id": "enb_x",
    "move_id": "mov_x",
    "review_id": "rev_x",
    "turn_id": "trn_x",
    "call_id": "aic_x",
    "revision": "1",
    "version": "1",
}


@dataclass
class House:
    """The company with Gita's personal workflow and a run of it; `named` are parameters of addresses that name these."""

    pages: Pages
    key: str
    named: list[dict[str, str]]


@pytest.fixture(scope="module", name="house")
def fixture_house(companies: Companies) -> Iterator[House]:
    with companies.furnished("whose_routes") as company:
        gita = hired(("lead", "operations"), ("operations_lead", "operations"), name="Gita Rao")
        document = DOCUMENT | {
            "slug": SLUG,
            "title": TITLE,
            "triggers": [{"id": "night", "kind": "webhook", "enabled": True}],
        }
        made = workflows.import_file(document, publish=True, owner=gita.id)
        trigger_rows.synchronise()
        run = runs.start(gita, SLUG, "customer", "2", {"why": "periodic"})
        key = accounts.create_key("whose", company.mona.id).text
        yield House(
            Pages(company, web_app()),
            key,
            [{"slug": SLUG}, {"workflow_id": SLUG}, {"workflow_id": made.id}, {"run_id": run}],
        )


def _filled(rule: str, values: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda match: quote(values[match[1]], safe=""), rule)


def addresses(house: House) -> Iterator[tuple[str, str, str]]:
    """(method, address of what is Gita's, the same of what nobody has)."""
    for rule in sorted(house.pages.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for given in house.named:
            ((name, value),) = given.items()
            if name not in rule.arguments or rule.rule.startswith(
                ("/w/", "/d/", "/settings/")
            ):  # a slug of something else
                continue
            there = {each: REST.get(each, "x") for each in rule.arguments} | given
            for method in sorted((rule.methods or set()) & METHODS):
                yield (
                    method,
                    _filled(rule.rule, there),
                    _filled(
                        rule.rule,
                        there | {name: NOBODYS if value == SLUG else value[:4].strip("_") + "_nobody"},
                    ),
                )


def asked(house: House, method: str, address: str) -> TestResponse:
    if address.startswith("/api/"):
        body: Any = None if method == "GET" else {}
        return house.pages.app.test_client().open(
            address, method=method, json=body, headers={"Authorization": f"Bearer {house.key}"}
        )
    mona = house.pages.mona
    return mona.client.open(
        address, method=method, data={"csrf_token": mona.token} if method != "GET" else None
    )


def normal(answer: TestResponse, address: str) -> tuple[int, str]:
    """Status and text without what was asked for and what is new with every answer."""
    text = answer.text.replace(answer.headers.get("X-Request-Id") or "-", "")
    for name in sorted({address, *(part for part in address.split("/") if part)}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "·", text)
    return answer.status_code, re.sub(r"nonce=\S+|csrf[^>]{0,200}", "", text, flags=re.IGNORECASE)


def test_every_address_of_it_is_answered_as_one_of_nothing(house: House) -> None:
    wrong: list[object] = []
    count = 0
    for method, real, missing in addresses(house):
        one, other = asked(house, method, real), asked(house, method, missing)
        count += 1
        before, after = normal(one, real), normal(other, missing)
        if not 400 <= one.status_code < 500 or before != after or TITLE in one.text:
            lines = list(
                difflib.unified_diff(before[1].splitlines(), after[1].splitlines(), lineterm="", n=0)
            )[:8]
            wrong.append((method, real, one.status_code, other.status_code, *lines))
    assert not wrong, "\n".join(map(str, wrong))
    assert count > 150, count
    known = next(each for each in workflows.all_known() if each.slug == SLUG)
    assert (known.status, known.live, known.owner is not None) == ("active", 1, True), "it stays as it was"


def test_no_page_or_list_names_it_to_others(house: House) -> None:
    """Every address without parameters, and those of the record that it is about."""
    wrong, count = [], 0
    record = (
        "/c/customer",
        "/c/customer/2",
        "/c/customer/2/menu",
        "/search?q=errand",
        "/workflows/new?from=",
        f"/activity?workflow={SLUG}",
    )
    plain = [
        rule.rule
        for rule in house.pages.app.url_map.iter_rules()
        if not rule.arguments and "GET" in (rule.methods or ())
    ]
    for address in (*record, *plain):
        answer = asked(house, "GET", address)
        count += 1
        if (
            TITLE in answer.text
            or f"{SLUG}<" in answer.text
            or f'"{SLUG}"' in answer.text.replace(f'value="{SLUG}"', "")
        ):
            wrong.append((address, answer.status_code))
    assert not wrong, wrong
    assert count > 80, count
