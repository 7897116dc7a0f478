"""`/api/docs`: the description of the API as a page, from the same document that programs read. It works without script."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Flask, Response, current_app, request
from markupsafe import Markup, escape

from console.views import frame
from console.views.api import openapi

blueprint = Blueprint("api_docs", __name__)

HEAD = len("#/components/schemas/")
NONE: tuple[str, dict[str, Any]] = ("", {})


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter or a property: its type and meaning. `links` are the shapes that its type names."""

    name: str
    kind: str
    about: str
    needed: bool
    links: tuple[str, ...] = ()
    place: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A response by status; `shape` is the name of its content, empty if it is not JSON."""

    status: str
    about: str
    shape: str
    media: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A call as the page shows it. `body` is its example as JSON, None if it takes none; `url` is the example's address."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    permission: str
    parameters: tuple[Part, ...]
    fields: tuple[Part, ...]
    body: str | None
    url: str
    good: tuple[Answered, ...]
    bad: tuple[Answered, ...]
    form: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Calls about one thing."""

    name: str
    about: str
    calls: list[Drawn] = field(default_factory=list)


@blueprint.get("/api/docs")
def show() -> Response:
    """Show the page. It contains nothing about this installation, so it needs no sign-in."""
    groups, shapes = drawn(current_app._get_current_object())  # type: ignore[attr-defined]
    context = {
        "marked": marked,
        "groups": groups,
        "shapes": shapes,
        "site": request.host_url.rstrip("/"),
        "base": openapi.BASE,
    }
    return frame.page("api/docs.html", context)


def marked(text: str) -> Markup:
    """Return the text with parts in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (it was escaped)


@functools.lru_cache(maxsize=4)
def drawn(app: Flask) -> tuple[list[Group], list[tuple[str, str, list[Part]]]]:
    """Return (calls by group, shapes as name, meaning and parts) of the application, made once."""
    document = openapi.document(app)
    groups = {tag["name"]: Group(tag["name"], tag["description"]) for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            groups[call["tags"][0]].calls.append(_drawn(document, path, method, call))
    shapes = [
        (name, schema.get("description", ""), list(_parts(schema)))
        for name, schema in document["components"]["schemas"].items()
    ]
    return list(groups.values()), shapes


def _drawn(document: Mapping[str, Any], path: str, method: str, call: Mapping[str, Any]) -> Drawn:
    parameters = tuple(_parameter(_resolve(document, each)) for each in call["parameters"])
    content = call.get("requestBody", {}).get("content", {})
    media, given = next(iter(content.items()), NONE)
    schema = document["components"]["schemas"][given["schema"]["$ref"][HEAD:]] if given else {}
    example = given.get("example", {} if media == "application/json" else None)
    answers = [_answered(document, status, each) for status, each in call["responses"].items()]
    return Drawn(
        call["operationId"],
        method.upper(),
        path,
        call["summary"],
        call.get("description", ""),
        call["x-permission"],
        parameters,
        tuple(_parts(schema)),
        json.dumps(example, indent=2, ensure_ascii=False) if media == "application/json" else None,
        _address(path, parameters),
        tuple(answer for answer in answers if answer.status < "400"),
        tuple(answer for answer in answers if answer.status >= "400"),
        media == "multipart/form-data",
    )


def _resolve(schema: Mapping[str, Any], each: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference points to, or the schema itself."""
    reference = each.get("$ref", "")
    for part in reference.split("/")[1:]:
        schema = schema[part]
    return schema if reference else each


def _parameter(each: Mapping[str, Any]) -> Part:
    kind, links = _type_words(each["schema"])
    example = each.get("example", "")
    shown = example[0] if isinstance(example, list) else example
    choices = tuple(str(choice) for choice in each["schema"].get("enum", ()))
    return Part(
        each["name"],
        kind,
        each.get("description", ""),
        each.get("required", False),
        links,
        each["in"],
        str(shown),
        choices,
    )


def _parts(schema: Mapping[str, Any]) -> Iterator[Part]:
    for name, each in schema.get("properties", {}).items():
        kind, links = _type_words(each)
        yield Part(name, kind, each.get("description", ""), name in schema.get("required", ()), links)


def _type_words(schema: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the type in words, and the shapes that it names."""
    if "$ref" in schema:
        name = schema["$ref"][HEAD:]
        return name, (name,)
    if "anyOf" in schema:
        kinds = [_type_words(each) for each in schema["anyOf"]]
        return " or ".join(kind for kind, _ in kinds), tuple(link for _, links in kinds for link in links)
    if "enum" in schema or "const" in schema:
        return " · ".join(str(choice) for choice in schema.get("enum", [schema.get("const")])), ()
    match schema.get("type"):
        case "array":
            kind, links = _type_words(schema.get("items", {}))
            return f"list of {kind}", links
        case "string":
            return {"date-time": "moment", "binary": "file"}.get(schema.get("format", ""), "text"), ()
        case "integer":
            return "whole number", ()
        case "boolean":
            return "true or false", ()
        case "null":
            return "null", ()
        case "object":
            return "object", ()
    return "anything", ()


def _answered(response: Mapping[str, Any], status: str, each: Mapping[str, Any]) -> Answered:
    answer = _resolve(response, each)
    media, content = next(iter(answer.get("content", {}).items()), NONE)
    return Answered(status, answer["description"], content.get("schema", {}).get("$ref", "")[HEAD:], media)


def _address(path: str, parameters: tuple[Part, ...]) -> str:
    """Return the example's address below `/api/v1`."""
    for part in parameters:
        if part.place == "path":
            path = path.replace(f"{{{part.name}}}", quote(part.example, safe=""))
    query = urlencode(
        [(part.name, part.example) for part in parameters if part.place == "query" and part.example]
    )
    return f"{path}?{query}" if query else path
