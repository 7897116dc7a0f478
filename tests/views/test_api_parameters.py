"""Every parameter of every address of the API, given what is not there and what cannot be: answered as the description says, and never a fault.

The parameters are those of the description, so that a new one is tried without an entry here.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from console import runs
from console.auth import accounts
from tests.company import Company
from tests.conftest import web_app

pytestmark = pytest.mark.slow

CURSORS = ("nothing", "\x00", "AAAA", "-1", "9" * 30, "😀", "0~0~0", "eyJhIjoxfQ", "node_x", "x" * 600)
"""None of any list; those of tickets have a kind, a rank, a moment and a run."""
PLACES = ("handed~{rank}~{at}~run_x", "down~{rank}~{at}~run_x", "{rank}~{at}~run_x")
RANKS = ("-1", "9" * 30, "x")
ENDS = (
    "9999-12-31T23:59:59-01:00",
    "0001-01-01T00:00:00+01:00",
    "0001-01-01",
    "9999-12-31",
    "0001",
    "9999",
    "-0044-03-15",
    "infinity",
)
"""The ends of the calendar, and beyond."""
OTHER = ("nothing-of-this-name", "\x00", "x\x00y", "x" * 5000, "9" * 30, "-1", "İ", "")


@pytest.fixture(name="client", scope="module")
def fixture_client(module_company: Company) -> FlaskClient:
    """A lead's program, with an administrator's key for what she may not see."""
    module_company.finished("2", "tom")
    client = web_app().test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = (
        f"Bearer {accounts.create_key('parameters', module_company.mona.id).text}"
    )
    return client


def filled(path: str, named: dict[str, str]) -> str:
    """The address with these values."""
    return f"/api/v1{re.sub('{(.*?)}', lambda found: quote(named[found[1]], safe=''), path)}"


def addresses(document: dict[str, Any], there: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, operation) of everything that is read."""
    for path, methods in document["paths"].items():
        if "get" in methods:
            named = {
                each["name"]: str(each["example"])
                for each in methods["get"]["parameters"]
                if each.get("in") == "path"
            } | there
            yield filled(path, named), methods["get"]


def values(name: str) -> list[str]:
    """What the parameter is given."""
    if name == "after":
        return [*CURSORS, *(form.format(rank=rank, at=ENDS[0]) for form in PLACES for rank in RANKS)]
    return [*ENDS, *OTHER] if re.search(r"_at|At|started|ended|\.|filter|^q$", name) else list(OTHER)


def test_every_parameter_is_taken_or_refused_as_the_description_says(
    client: FlaskClient, module_company: Company
) -> None:
    there = {
        "collection": "customer",
        "key": "1",
        "workflow_id": "care-review",
        "name": "desk",
        "number": "1",
    }
    there["run_id"] = runs.find(module_company.mona)[0][0].id
    keys = [
        f"Bearer {accounts.create_key('parameters', module_company.people[who].id).text}"
        for who in ("mona", "ines", "ada")
    ]
    wrong, tried = list[str](), 0
    for address, operation in addresses(client.get("/api/openapi.json").get_json(), there):
        allowed = {
            "Authorization": next(
                (
                    key
                    for key in keys
                    if client.get(address, headers={"Authorization": key}).status_code == 200
                ),
                keys[0],
            )
        }
        for parameter in (each for each in operation["parameters"] if each.get("in") == "query"):
            name, field = parameter["name"], "created_at" if parameter["name"] in ("filter", "q") else ""
            for value in values(name):
                said = f"{field}:{value}" if field and value in ENDS else value
                answer = client.get(f"{address}?{quote(name)}={quote(said)}", headers=allowed)
                tried += 1
                taken = name == "after" and answer.status_code == 200
                if (
                    str(answer.status_code) not in operation["responses"]
                    or answer.status_code >= 500
                    or taken
                ):
                    wrong.append(f"{address}?{name}={said[:60]!r}: {answer.status_code} {answer.text[:200]}")
                answer.close()
    assert wrong == []
    assert tried > 1000


NAMES = ("nothing-of-this-name", "x\x01y", "a,b", "İ" * 300, "9" * 30, " ", "..")


def test_every_part_of_an_address_is_taken_or_refused_as_the_description_says(
    client: FlaskClient, module_company: Company
) -> None:
    there = {
        "collection": "customer",
        "key": "1",
        "workflow_id": "care-review",
        "name": "desk",
        "number": "1",
    }
    there["run_id"] = runs.find(module_company.mona)[0][0].id
    wrong, tried = list[str](), 0
    document = client.get("/api/openapi.json").get_json()
    for path, methods in document["paths"].items():
        parts = re.findall("{(.*?)}", path)
        for method, operation in methods.items():
            examples = {
                each["name"]: str(each["example"])
                for each in operation["parameters"]
                if each.get("in") == "path"
            } | there
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for part in parts:
                for name in NAMES if part != "number" else ("0", "9" * 30):
                    named = examples | {part: name}
                    address = filled(path, named)
                    sent = {"json": content.get("example", {})} if content else {}
                    answer = client.open(address, method=method.upper(), **sent)
                    tried += 1
                    if str(answer.status_code) not in operation["responses"]:
                        wrong.append(f"{method} {address[:120]}: {answer.status_code} {answer.text[:200]}")
                    answer.close()
    assert wrong == []
    assert tried > 1000
