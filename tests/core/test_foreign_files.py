"""A file of another program is named as such wherever a workflow is read; a file of ours, whatever is wrong with it, is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from console import workflows
from console.core.documents import foreign_files
from console.core.documents.workflow import MAX_BYTES

ROOT = Path(__file__).parents[2]
N8N = {"name": "Flow", "nodes": [{"parameters": {}, "type": "n8n-nodes-base.webhook"}], "connections": {}, "settings": {}}
JSON: dict[str, list[Any]] = {
    "n8n": [N8N, [N8N, N8N]],
    "Zapier": [{"metadata": {"version": "1.0"}, "zaps": [{"id": 1, "nodes": {"1": {"type_of": "read"}}}]}, {"zap": {"title": "x"}}],
    "Make": [{"name": "Integration", "flow": [{"id": 1, "module": "gateway:CustomWebHook"}], "metadata": {}}],
    "Retool": [
        {"uuid": "9f", "page": {"id": 1, "data": {"appState": "[]"}}, "modules": {}},
        {"name": "Refunds", "blockData": {"steps": []}, "triggerWebhooks": []},
    ],
    "Camunda": [
        {"components": [{"type": "textfield"}], "executionPlatform": "Camunda Cloud", "schemaVersion": 8},
        {"$schema": "https://unpkg.com/@camunda/element-templates-json-schema/resources/schema.json", "name": "x"},
        {"id": "p:1", "bpmn20Xml": "<?xml version='1.0'?>"},
    ],
    "Windmill": [{"summary": "x", "value": {"modules": []}, "schema": {}}],
    "Tale": [{"workflowConfig": {"name": "x"}, "stepsConfig": []}],
    "AWS Step Functions": [{"Comment": "x", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}],
    "Power Automate": [{"definition": {"triggers": {}, "actions": {}}}, {"name": "x", "properties": {"definition": {"actions": {}}}}],
    "Tines": [{"name": "x", "agents": [], "links": [], "diagram_notes": []}],
    "Activepieces": [{"template": {"trigger": {"name": "t", "nextAction": {}}}}],
    "Node-RED": [
        {"flows": [{"id": "1", "type": "inject", "wires": [[]]}]},
        [{"id": "t", "type": "tab", "label": "Flow 1"}, {"id": "1", "type": "inject", "wires": [[]]}],
    ],
    "a program whose workflows are nodes and edges": [
        {"nodes": [], "edges": [], "viewport": {}},
        {"data": {"nodes": [], "edges": []}, "name": "x"},
    ],
    "a program whose workflows are states": [{"id": "x", "specVersion": "0.8", "states": []}],
}
XML = {
    "a modeller of BPMN": b'<?xml version="1.0" encoding="UTF-8"?>\n<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
    "Camunda": b'\xef\xbb\xbf<?xml version="1.0"?><bpmn:definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn"/>',
    "a modeller of DMN": b'<dmn xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
    "draw.io": b'  <mxfile host="app.diagrams.net"><diagram/></mxfile>',
    "another program (XML)": b"<process name='x'/>",
}


@pytest.mark.parametrize("program", JSON)
def test_a_json_file_of_another_program_is_named(program: str) -> None:
    for file in JSON[program]:
        content = json.dumps(file).encode()
        told = foreign_files.reason(content)
        assert told is not None, file
        assert told.startswith(f"This is a file of {program}, whose steps work in another way")
        assert foreign_files.reason(b"\xef\xbb\xbf" + content) == told
        [problem] = workflows.check(content, None)
        assert (problem.step, problem.reason, problem.severity) == (None, told, "error")


@pytest.mark.parametrize("program", XML)
def test_an_xml_file_is_named(program: str) -> None:
    told = foreign_files.reason(XML[program])
    assert told is not None
    assert f"a file of {program}," in told
    assert [each.reason for each in workflows.check(XML[program], None)] == [told]


@pytest.mark.parametrize("folder", ["workflows", "actions"])
def test_no_file_of_ours_is_taken_for_one_of_others(folder: str) -> None:
    files = sorted((ROOT / folder).glob("*.json"))
    assert files
    for file in files:
        assert foreign_files.reason(file.read_bytes()) is None, file.name


OURS: dict[str, Any] = {
    "steps and nodes beside them": {"steps": [], "nodes": [], "connections": {}},
    "nothing known": {"title": "x"},
    "nothing": {},
    "a list of numbers": [1, 2],
    "an empty list": [],
    "a text": "n8n",
    "a flow of words": {"flow": ["a"]},
    "a value that is a text": {"value": "modules"},
    "states of a country": {"states": ["Bavaria"]},
}


@pytest.mark.parametrize("name", OURS)
def test_what_nobody_can_tell_is_checked_as_a_workflow(name: str) -> None:
    assert foreign_files.reason(json.dumps(OURS[name]).encode()) is None


@pytest.mark.parametrize("content", [b"", b"slug: yaml", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"nodes": ' + b" " * MAX_BYTES + b"0}"])
def test_what_cannot_be_read_is_left_to_who_reads(content: bytes) -> None:
    assert foreign_files.reason(content) is None
    assert workflows.check(content, None)
