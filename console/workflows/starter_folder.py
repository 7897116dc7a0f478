"""A folder for workflows as files: schemas, examples, and what an AI-powered editor has to know of step types, triggers and expressions."""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from console import steps
from console.core.documents.triggers import Trigger
from console.core.errors import Conflict
from console.core.expressions.functions import FUNCTIONS, METHODS, Function
from console.workflows.file_schemas import schema_file
from console.workflows.templates import templates_folder

TEXT = Path(__file__).parent / "starter" / "AGENTS.md"
EXAMPLES = ("leave-request", "invoice-approval", "complaint")
SCHEMA = "../schemas/workflow.schema.json"


def write(folder: Path) -> list[Path]:
    """Write the folder, and return its files. Raises Conflict where one of them is there already: nothing is written then."""
    files = {folder / name: content for name, content in _files()}
    if there := [str(path) for path in files if path.exists()]:
        raise Conflict(f"Nothing was written: {', '.join(there[:3])} is there already. Name another folder.")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(files)


def _files() -> Iterator[tuple[str, bytes]]:
    yield "AGENTS.md", agents_text().encode()
    for name in ("workflow", "action"):
        yield f"schemas/{name}.schema.json", schema_file(name)
    for name in EXAMPLES:
        document = {
            "$schema": SCHEMA,
            **json.loads((templates_folder() / "templates" / f"{name}.json").read_bytes())["workflow"],
        }
        yield f"workflows/{name}.json", f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def agents_text() -> str:
    """What `AGENTS.md` says, made of the step types, triggers and functions that there are."""
    made = {
        "{steps}": _steps(),
        "{triggers}": _settings(Trigger.model_json_schema()),
        "{functions}": _functions(),
    }
    text = TEXT.read_text(encoding="utf-8")
    for place, content in made.items():
        text = text.replace(place, content)
    return text


def _steps() -> str:
    parts = []
    for name, kind in sorted(steps.all_types().items()):
        by = "by itself" if kind.automatic or kind.waits else "by a person"
        schema = kind.Config.model_json_schema()
        parts.append(f"### `{name}`\n\n{kind.gist or kind.title} ({by}).\n\n{_settings(schema)}")
    return "\n\n".join(parts)


def _settings(schema: Mapping[str, Any]) -> str:
    """The settings of a model as a list: name, whether it is needed, and what its description says."""
    needed = schema.get("required", ())
    lines = [
        f"- `{name}`{' (required)' if name in needed else ''}: {' '.join(str(rule.get('description') or _kind(rule)).split())}"
        for name, rule in schema.get("properties", {}).items()
    ]
    return "\n".join(lines) or "No settings."


def _kind(rule: Mapping[str, Any]) -> str:
    return (
        " or ".join(map(str, rule["enum"])) if "enum" in rule else str(rule.get("type") or "see the schema")
    )


def _functions() -> str:
    lines = ["| function | gives |", "| --- | --- |"]
    lines += [_function(name, found) for name, found in FUNCTIONS.items()]
    lines += [_function(f"text.{name}", found) for name, found in METHODS.items()]
    return "\n".join(lines)


def _function(name: str, found: Function) -> str:
    many = "…" if found.most is None else str(found.most)
    count = str(found.least) if found.least == found.most else f"{found.least} to {many}"
    words = (inspect.getdoc(found.call) or "").partition("\n")[0].replace("|", "\\|")
    return f"| `{name}` ({count} values) | {words} |"
