"""Texts and numbers that no column takes, in every place of every JSON body: refused in words, never a fault."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from console import runs
from console.auth import accounts
from tests.runs.engine.test_hands_off import robot
from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

UNSTORABLE = {
    "NUL": '"a\\u0000b@fernwick.test"',
    "half a character": '"a\\ud800b"',
    "digits": "9" * 400,
    "a number of 31 digits": "-1" + "0" * 30,
    "deep": "[" * 900 + "]" * 900,
    "name with NUL": '{"a\\u0000": "\\u0000"}',
}
HERE = "@@here@@"
FREE: dict[str, Any] = {"email": {"type": "string"}}
"""What stands in an object of any names, such as values of a record."""


def sample(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """Something of the shape; the first of several."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return sample(document, schema[several][0], depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    kind = schema.get("type")
    if depth > 4 or kind is None:
        return None
    if kind == "object":
        return {
            name: sample(document, part, depth + 1) for name, part in schema.get("properties", FREE).items()
        }
    if kind == "array":
        return [sample(document, schema.get("items", {}), depth + 1)]
    return {"string": "abc", "boolean": True}.get(kind if isinstance(kind, str) else "", 1)


def places(body: Any) -> Iterator[Any]:
    """The body with the mark at one place, for each place."""
    yield HERE
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, part in parts:
        for inner in places(part):
            if isinstance(body, dict):
                yield body | {name: inner}
            else:
                yield [inner if number == name else each for number, each in enumerate(body)]


def requests(document: dict[str, Any], there: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """(method, address, what is wrong, body), of every operation that takes JSON."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            taken = (
                operation.get("requestBody", {}).get("content", {}).get("application/json")
                if method != "parameters"
                else None
            )
            if taken is None:
                continue
            address = f"/api/v1{re.sub('{(.*?)}', lambda name: there.get(name[1], 'x'), path)}"
            for body in places(sample(document, taken["schema"])):
                for name, text in UNSTORABLE.items():
                    yield method, address, name, json.dumps(body).replace(json.dumps(HERE), text)


def test_what_no_column_takes_is_refused_at_every_place_of_every_body(pages: Pages) -> None:
    company, robot_there = pages.company, robot()
    client: FlaskClient = pages.app.test_client()
    keys = {
        who: {"Authorization": f"Bearer {accounts.create_key('bad', company.people[who].id).text}"}
        for who in ("mona", "ines")
    }
    run_id = company.at("note")
    made = client.post(
        "/api/v1/webhooks",
        json={"url": "https://example.com/", "events": ["run.completed"]},
        headers=keys["ines"],
    ).get_json()
    there = {
        "collection": "customer",
        "key": "1",
        "run_id": run_id,
        "workflow_id": "care-review",
        "name": "desk",
    }
    there |= {"webhook_id": made["id"], "person_id": robot_there.id, "secret": "key"}
    document = client.get("/api/openapi.json").get_json()
    faults, count = [], 0
    for method, address, name, body in list(requests(document, there)):
        who = "ines" if re.search("webhooks|secrets|people", address) else "mona"
        answer = client.open(
            address, method=method.upper(), data=body, headers=keys[who], content_type="application/json"
        )
        count += 1
        if answer.status_code >= 500:
            faults.append((method, address, name, answer.status_code, body[:200]))
    assert faults == []
    assert count > 200
    assert runs.get(company.olivia, run_id).json["id"] == run_id


NUMBERS = (2**53 + 1, 2**63, 2**64, 10**30, -(10**30), 10**400)


def test_a_whole_number_of_any_length_is_refused_or_kept_with_its_digits(pages: Pages) -> None:
    """In the values of a record, of a start and of an enrolment, where no schema says what stands there."""
    client = pages.app.test_client()
    key = {"Authorization": f"Bearer {accounts.create_key('numbers', pages.company.people['mona'].id).text}"}
    faults = []
    for value in (shape for number in NUMBERS for shape in (number, [number], {"deep": [number]})):
        for method, address, body in (
            ("PATCH", "/collections/customer/records/1", {"values": {"email": value}}),
            (
                "PATCH",
                "/collections/customer/records/1",
                {"values": {"email": "a@fernwick.test"}, "expected": {"email": value}},
            ),
            (
                "POST",
                "/runs",
                {
                    "workflow": "care-review",
                    "collection": "customer",
                    "record": "1",
                    "input": {"reason": value},
                },
            ),
            ("POST", "/workflows/care-review/leads", {"leads": [{"record": "1", "reason": value}]}),
            (
                "POST",
                "/workflows/care-review/enrolments",
                {"records": ["1"], "values": {"reason": value}, "preview": True},
            ),
            (
                "POST",
                "/workflows/care-review/enrolments",
                {"rows": [{"id": value, "reason": value}], "preview": True},
            ),
        ):
            answer = client.open(f"/api/v1{address}", method=method, json=body, headers=key)
            if answer.status_code >= 500 or answer.status_code == 429:
                faults.append((answer.status_code, address, str(body)[:120]))
    assert faults == []
