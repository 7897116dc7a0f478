"""Files of other programs, told by their shape: whoever brings one is told what it is and what to do, and not which keys are unknown."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from console.core.documents.workflow import MAX_BYTES

LOOKED_AT = 4_000
"""So many bytes of a file that is no JSON tell what it is."""
XML = (("zeebe", "Camunda"), ("camunda", "Camunda"), ("bpmn", "a modeller of BPMN"), ("<definitions", "a modeller of BPMN"), ("dmn", "a modeller of DMN"), ("<mxfile", "draw.io"), ("<mxgraphmodel", "draw.io"))  # fmt: skip
"""Words of an XML file → who writes such files; the first that is in it counts."""
JSON: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("n8n", lambda file: "nodes" in file and "connections" in file),
    ("Zapier", lambda file: "zaps" in file or file.keys() >= {"zap"}),
    ("Make", lambda file: _holds(file.get("flow"), "module")),
    ("Retool", lambda file: bool(file.keys() & {"blockData", "triggerWebhooks", "templateData"}) or "appState" in _within(file, "page", "data")),
    ("Camunda", lambda file: "bpmn20Xml" in file or "executionPlatform" in file or "camunda" in str(file.get("$schema", "")).lower()),
    ("Windmill", lambda file: "modules" in _within(file, "value")),
    ("Tale", lambda file: "workflowConfig" in file or "stepsConfig" in file),
    ("AWS Step Functions", lambda file: "StartAt" in file and "States" in file),
    ("Power Automate", lambda file: "actions" in (_within(file, "definition") or _within(file, "properties", "definition"))),
    ("Tines", lambda file: "agents" in file and "links" in file),
    ("Activepieces", lambda file: "nextAction" in (_within(file, "trigger") or _within(file, "template", "trigger"))),
    ("Node-RED", lambda file: _holds(file.get("flows"), "wires")),
    ("a program whose workflows are nodes and edges", lambda file: any("nodes" in part and "edges" in part for part in (file, _within(file, "data"), _within(file, "graph")))),
    ("a program whose workflows are states", lambda file: "states" in file and ("specVersion" in file or "start" in file)),
)  # fmt: skip
"""Who writes such files, and how they are told."""


def reason(content: bytes | str | Mapping[str, Any]) -> str | None:
    """Why the file cannot be read in, where it is one of another program; None for ours, and for one that nobody knows."""
    program = _program(content)
    return program and (
        f"This is a file of {program}, whose steps work in another way, so it cannot be read in."
        " Say under New workflow in words what it should do, or begin with the nearest template."
    )


def _program(content: bytes | str | Mapping[str, Any]) -> str | None:
    if isinstance(content, Mapping):
        return _of_json(content)
    text = content if isinstance(content, str) else content.decode("utf-8-sig", "replace")
    begin = text[:LOOKED_AT].lstrip("\ufeff \t\r\n").lower()
    if begin.startswith("<"):
        return next((name for word, name in XML if word in begin), "another program (XML)")
    if len(text) > MAX_BYTES:
        return None
    try:
        file = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(file, list) and _holds(file, "wires"):
        return "Node-RED"
    first = file[0] if isinstance(file, list) and file else file  # n8n gives several out as a list
    return _of_json(first) if isinstance(first, Mapping) else None


def _of_json(file: Mapping[str, Any]) -> str | None:
    if "steps" in file:
        return None
    return next((name for name, fits in JSON if fits(file)), None)


def _holds(entries: Any, name: str) -> bool:
    """Whether it is a list of which an entry has this name; a flow of Node-RED begins with a tab that has no wires."""
    return isinstance(entries, list) and any(isinstance(each, Mapping) and name in each for each in entries)


def _within(file: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object below these names; an empty one where there is none."""
    found: Any = file
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
