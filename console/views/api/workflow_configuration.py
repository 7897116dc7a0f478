"""What is set on a workflow without touching its steps, as JSON: settings of its runs, and variables."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import workflows
from console.core import drafting
from console.views.api import spelled
from console.views.api.operation import Example, Sent, operation, read
from console.views.api.shapes import Anything, Shape
from console.workflows import CONFIGURED, VariableEdits

blueprint = Blueprint("api_workflow_configuration", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}


class VariableUse(Shape):
    """Where a variable is used."""

    step: str | None = Field(description="Id of the step; null: the document itself")
    field: str


class WorkflowVariable(Shape):
    """A variable."""

    name: str
    value: Anything = Field(description='Decimals and days as text; `{"dated": […]}` changes on a day')
    used_by: list[VariableUse]


class WorkflowConfiguration(Shape):
    """The configuration of the draft, and the live version."""

    version: int | None = Field(description="The live version; runs that start now have it")
    settings: dict[str, Anything] = Field(description="Those that are set; others are as usual")
    variables: list[WorkflowVariable]


class ChangedConfiguration(Sent):
    """Changes; what is left out stays as it is."""

    settings: dict[str, Anything] | None = Field(
        None, description=f"Of {', '.join(CONFIGURED)}; null: back to the usual"
    )
    variables: dict[str, Anything] | None = Field(
        None, description="Name to value of those that are added or changed"
    )
    renamed: dict[str, str] = Field(
        default_factory=dict, description="Old to new name; each place that names it follows"
    )
    removed: list[str] = Field(
        default_factory=list, description="Names; one that is used is refused, with where"
    )


@blueprint.get("/workflows/<workflow_id>/configuration")
@operation("getConfiguration", "workflow.see", WorkflowConfiguration, example=Example(ONE))
def show(workflow_id: str) -> ResponseReturnValue:
    """Settings of the runs, and variables with where each is used."""
    return _answer(workflow_id)


@blueprint.patch("/workflows/<workflow_id>/configuration")
@operation(
    "changeConfiguration",
    "workflow.edit",
    WorkflowConfiguration,
    body=ChangedConfiguration,
    example=Example(ONE, body={"settings": {"retries": 5}}),
)
def change(workflow_id: str) -> ResponseReturnValue:
    """Change settings and variables, in the draft and as a new version of what is live (which needs `workflow.publish`); runs that have begun keep theirs."""
    sent = read(ChangedConfiguration)
    edits = VariableEdits(
        sent.renamed, sent.removed, spelled("variables") if sent.variables is not None else {}
    )
    workflows.configure(g.actor, workflow_id, settings=sent.settings, variables=edits)
    return _answer(workflow_id)


def _answer(workflow_id: str) -> ResponseReturnValue:
    entry, document = workflows.entry(g.actor, workflow_id), workflows.definition(g.actor, workflow_id)
    given: dict[str, Any] = document.get("variables") or {}
    rules = [
        {"name": name, "value": value, "used_by": [use._asdict() for use in drafting.used_in(document, name)]}
        for name, value in sorted(given.items())
    ]
    kept = {
        name: value
        for name, value in (document.get("settings") or {}).items()
        if name in CONFIGURED and value is not None
    }
    return {"version": entry.live_version, "settings": kept, "variables": rules}
