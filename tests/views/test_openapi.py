"""The description of the API: made from the code, valid, and complete; what it promises of every call.

`python -m tests.views.test_openapi` writes the table of calls in the reference anew.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from console.views.api import openapi
from console.views.app import create_app
from console.views.identity import OPEN

pytestmark = pytest.mark.lengthy

PAGE = Path(__file__).parents[2] / "docs/reference/api.md"
MARK = "<!-- Below: made from the code by `python -m tests.views.test_openapi` -->"


@pytest.fixture(name="app", scope="module")
def fixture_app() -> Flask:
    """The application; nothing here asks a database."""
    return create_app()


@pytest.fixture(name="told", scope="module")
def fixture_told(app: Flask) -> dict[str, Any]:
    """The description."""
    return openapi.document(app)


def operations(told: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of every call."""
    return [
        (path, method, call) for path, methods in told["paths"].items() for method, call in methods.items()
    ]


def test_it_is_valid(told: dict[str, Any]) -> None:
    assert told["openapi"].startswith("3.1")
    validate(told)


def test_strangers_read_no_name_of_what_is_confidential_in_it(app: Flask) -> None:
    """It is public, also on the demo: its examples name neither a workflow that needs a clearance nor its collection."""
    shipped = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((PAGE.parents[2] / "workflows").glob("*.json"))
    ]
    secret = [
        document[name]
        for document in shipped
        if document.get("clearance")
        for name in ("slug", "title", "collection")
    ]
    assert secret
    client = app.test_client()
    for path in ("/api/openapi.json", "/api/docs", "/schema/workflow.json", "/schema/action.json"):
        public = client.get(path).get_data(as_text=True).casefold()
        assert [name for name in secret if name.casefold() in public] == [], path


def test_every_route_is_in_it_and_nothing_else(app: Flask, told: dict[str, Any]) -> None:
    there = {
        (
            rule.rule.removeprefix("/api/v1").replace("<int:", "{").replace("<", "{").replace(">", "}"),
            method.lower(),
        )
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == {(path, method) for path, method, _ in operations(told)}


def test_what_every_operation_has(told: dict[str, Any]) -> None:
    names = [call["operationId"] for _, _, call in operations(told)]
    assert len(names) == len(set(names))
    for path, method, call in operations(told):
        assert call["security"] == [{"key": []}], path
        assert call["x-permission"], path
        assert call["summary"], path
        assert {"400", "401", "429", "503"} <= call["responses"].keys(), path
        assert not [status for status in call["responses"] if status >= "500" and status != "503"], path
        if method not in ("get", "delete"):
            assert {"409", "413", "415", "422"} <= call["responses"].keys(), path
        if method == "post":
            assert {"$ref": "#/components/parameters/IdempotencyKey"} in call["parameters"], path


FILES = {"*/*", "application/*"}


def test_every_body_and_every_answer_has_an_example_that_fits(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    for path, method, call in operations(told):
        sent = call.get("requestBody", {}).get("content", {})
        answers = [response for status, response in call["responses"].items() if status < "400"]
        contents = [sent, *(answer.get("content", {}) for answer in answers)]
        shown_as_text = [each for kinds in contents for each in kinds.items() if each[0] not in FILES]
        for kind, content in shown_as_text:
            shown = content.get("example")
            for reference in references(content.get("examples", {})):
                shown = told["components"]["examples"][reference.rpartition("/")[2]]["value"]
            assert shown is not None, (method, path, kind)
            schema = {**content["schema"], "components": {"schemas": schemas}}
            faults = list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(shown))
            assert faults == [], (method, path, faults)


def references(part: Any) -> Iterator[str]:
    """Every reference in it."""
    for name, value in (
        part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    ):
        if name == "$ref":
            yield value
        else:
            yield from references(value)


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    for reference in set(references(told)):
        found: Any = told
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_paths_name_their_parameters_as_promised(told: dict[str, Any]) -> None:
    for path in (
        "/collections/{collection}/records/{key}",
        "/runs/{run_id}/complete",
        "/runs/{run_id}/replay",
    ):
        assert path in told["paths"]


def test_answers_allow_names_that_later_releases_add_and_bodies_do_not(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    calls = [call for _, _, call in operations(told)]

    def reached(contents: list[Any]) -> set[str]:
        names, left = set[str](), [each.rpartition("/")[2] for each in references(contents)]
        while left:
            if (name := left.pop()) in schemas and name not in names:
                names.add(name)
                left += [each.rpartition("/")[2] for each in references(schemas[name])]
        return names

    sent = reached([call.get("requestBody", {}) for call in calls])
    answered = reached(
        [response.get("content", {}) for call in calls for response in call["responses"].values()]
    )
    for name in answered - sent:
        assert schemas[name].get("additionalProperties") is not False, name
    for call in calls:
        for content in call.get("requestBody", {}).get("content", {}).values():
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            assert not name or "additionalProperties" in schemas[name], name
    assert not [name for name, schema in schemas.items() if "title" in schema]


@pytest.mark.usefixtures("module_company")
def test_it_is_open_and_kept(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (
        client.get("/api/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    )
    assert "/api/openapi.json" in OPEN


def test_a_route_without_a_declaration_is_no_route() -> None:
    app = create_app()
    app.add_url_rule("/api/v1/secret", "api_me.secret", lambda: "")
    with pytest.raises(LookupError, match="secret"):
        openapi.calls(app)


def table(told: dict[str, Any]) -> str:
    """The calls as a table of the reference."""
    rows = ["| call | needs | takes → what it does |", "| --- | --- | --- |"]
    for path, method, call in operations(told):
        takes = _takes(told, call)
        words = f"{call['summary']}." + (f" {call['description']}" if call.get("description") else "")
        rows.append(
            f"| `{method.upper()} {path}` | {call['x-permission']} | {takes + ' → ' if takes else ''}{words} |".replace(
                "|null", " or null"
            )
        )
    return "\n".join(rows) + "\n"


def _takes(told: dict[str, Any], call: dict[str, Any]) -> str:
    query = [
        one["name"] + ("" if one["required"] else "?")
        for one in call["parameters"]
        if one.get("in") == "query"
    ]
    content = next(iter(call.get("requestBody", {}).get("content", {}).values()), None)
    schema = told["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]] if content else {}
    body = [
        name + ("" if name in schema.get("required", ()) else "?") for name in schema.get("properties", {})
    ]
    return " and ".join(f"`{', '.join(names)}`" for names in (query, body) if names)


def test_the_reference_is_the_code(told: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(MARK)[2].strip() == table(told).strip(), (
        "write it anew: python -m tests.views.test_openapi"
    )


def write() -> None:
    """Replace what stands below the mark of the reference by the calls of today."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{head}{MARK}\n\n{table(openapi.document(create_app()))}", encoding="utf-8")


if __name__ == "__main__":
    write()
