"""The JSON Schema of workflow files, generated from the models, for editors that complete and check them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from console.core.blocks import KINDS
from console.core.documents.document_parts import NAME_PATTERN, schema_of
from console.core.documents.variables import DATED, Dated
from console.core.documents.workflow import Workflow
from console.core.documents.workflow_check import StepKind


def schema(step_types: Mapping[str, StepKind]) -> dict[str, Any]:
    """The schema of the newest format: of the model, and for each step type of its settings."""
    json_schema = schema_of(Workflow)
    shared: dict[str, Any] = json_schema.pop("$defs")
    json_schema["properties"]["variables"]["patternProperties"][NAME_PATTERN] = {
        "if": {"type": "object", "required": [DATED]},
        "then": {"$ref": f"#/$defs/{Dated.__name__}"},
    }
    step = shared["Step"]
    step["properties"]["type"] = {"enum": list(step_types), "description": "The step type"}
    step["allOf"] = [_by_type(name, kind.Config, shared) for name, kind in step_types.items()]
    made_of = [_block(kind, shared) for kind in KINDS.values()]
    step["properties"]["content"]["anyOf"][0]["items"] = {"oneOf": made_of}
    return {**json_schema, "$defs": dict(sorted(shared.items()))}


def _share(shared: dict[str, Any], models: Mapping[str, Any]) -> None:
    """Add the schemas of models by name. Raises ValueError for two different ones of one name: the file has one place for both."""
    for name, model in models.items():
        if shared.setdefault(name, model) != model:
            raise ValueError(f"two different models of workflow files are called {name}: rename one of them")


def _block(kind: type[BaseModel], shared: dict[str, Any]) -> dict[str, Any]:
    """The schema of a kind of block."""
    model = kind.model_json_schema(by_alias=True)
    _share(shared, {**model.pop("$defs", {}), kind.__name__: model})
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _by_type(name: str, config: type[BaseModel], shared: dict[str, Any]) -> dict[str, Any]:
    """The rule: if `type` has this value, `config` has that schema."""
    model = config.model_json_schema(by_alias=True)
    _share(shared, {**model.pop("$defs", {}), config.__name__: model})
    return {
        "if": {"properties": {"type": {"const": name}}},
        "then": {"properties": {"config": {"$ref": f"#/$defs/{config.__name__}"}}},
    }
