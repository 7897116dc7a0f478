"""The draft as a graph: nodes and edges read, added, changed and removed one by one, as programs build a workflow piece by piece."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from console import steps
from console.core import drafting
from console.core.actor import Actor
from console.core.documents.document_parts import NAME_PATTERN, NodeType
from console.core.documents.json_shape import model_errors
from console.core.drafting import Change, graph_pieces
from console.core.drafting.graph_pieces import EDGE, NODE
from console.core.errors import Conflict, Invalid, NotFound
from console.core.expressions import ExpressionError
from console.core.plain_words import named_reason
from console.infra.db.engine import fetch
from console.log import body
from console.workflows.drafts import Draft, edit, open_draft

Made = TypeVar("Made")
_ADDED = """
select change -> 'step' ->> 'id', max(edit.at) from console.workflow_edit edit, jsonb_array_elements(edit.changes) change
where edit.workflow = %s and change ->> 'op' = 'add_step' group by 1
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A step as a node. `created_at` is None where the draft began with it."""

    step: str
    workflow: str
    type: str
    title: str
    config: Mapping[str, Any]
    created_at: datetime | None

    @property
    def id(self) -> str:
        """Its id, which is not that of its step."""
        return f"{NODE}{self.step}"

    def to_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {
            "id": self.id,
            "workflow_id": self.workflow,
            "type": self.type,
            "title": self.title,
            "name": self.title,
            "config": dict(self.config),
            "created_at": body.moment(self.created_at) if self.created_at else None,
        }


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a step to another. `label` None: every outcome that no other edge of the source is for."""

    source: str
    outcome: str
    target: str
    label: str | None

    @property
    def id(self) -> str:
        """Its id: no name of a step or an outcome has a hyphen."""
        return f"{EDGE}{self.source}-{self.outcome}"

    def to_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {
            "id": self.id,
            "source": f"{NODE}{self.source}",
            "target": f"{NODE}{self.target}",
            "label": self.label,
        }


def nodes(actor: Actor, slug_or_id: str) -> list[Node]:
    """The nodes of the draft, its start among them, in the order of its steps. Raises NotFound, NotAllowed."""
    return _nodes(open_draft(actor, slug_or_id))


def node(actor: Actor, slug_or_id: str, ident: str) -> Node:
    """One node of the draft. Raises NotFound, NotAllowed."""
    return _node(open_draft(actor, slug_or_id), ident)


def add_node(actor: Actor, slug_or_id: str, kind: str, title: str, config: Mapping[str, Any]) -> Node:
    """Add a node of any type to the draft. Raises Invalid with the field, NotFound, NotAllowed."""
    draft, kind = open_draft(actor, slug_or_id), _known_type(kind)
    if kind == "start" and any(step["type"] == "start" for step in draft.document["steps"]):
        raise _refused(("type", "The workflow has its start already."))
    step, changes = _in_words(kind, lambda: graph_pieces.add_node(draft.document, kind, title, config))
    return _node(_written(actor, draft, None, changes), f"{NODE}{step}")


def change_node(
    actor: Actor,
    slug_or_id: str,
    ident: str,
    *,
    kind: str | None,
    title: str | None,
    config: Mapping[str, Any] | None,
    revision: int | None,
) -> Node:
    """Change title or settings of a node; None leaves them. Raises Invalid with the field, NotFound, NotAllowed, and Conflict as `edit`."""
    draft = open_draft(actor, slug_or_id)
    step, told = _step(draft, ident), _node(draft, ident).type
    named = told if kind is None else _known_type(kind)
    if named not in (told, step["type"]):
        raise _refused(("type", f"It stays {told}: remove the node, and add one of the other type."))
    changes = _in_words(named, lambda: graph_pieces.change_node(draft.document, step, named, title, config))
    return _node(_written(actor, draft, revision, changes), ident)


def remove_node(actor: Actor, slug_or_id: str, ident: str, *, revision: int | None = None) -> None:
    """Remove a node as the editor does: what led to it leads to where it went on. Raises NotFound, NotAllowed, and Conflict as `edit`."""
    draft = open_draft(actor, slug_or_id)
    _written(actor, draft, revision, graph_pieces.remove_node(draft.document, _step(draft, ident)["id"]))


def edges(actor: Actor, slug_or_id: str) -> list[Edge]:
    """The edges of the draft, in the order of its steps. Raises NotFound, NotAllowed."""
    return _edges(open_draft(actor, slug_or_id))


def edge(actor: Actor, slug_or_id: str, ident: str) -> Edge:
    """One edge of the draft. Raises NotFound, NotAllowed."""
    return _edge(open_draft(actor, slug_or_id), ident)


def add_edge(actor: Actor, slug_or_id: str, source: str, target: str, label: str) -> Edge:
    """Add an edge between two nodes of the draft. Raises Invalid for an unknown node, Conflict for a second one like it, NotFound, NotAllowed."""
    draft = open_draft(actor, slug_or_id)
    outcome, changes = _connecting(draft.document, source, target, label)
    return _edge(_written(actor, draft, None, changes), Edge(_step_of(source), outcome, "", None).id)


def change_edge(
    actor: Actor,
    slug_or_id: str,
    ident: str,
    *,
    source: str | None,
    target: str | None,
    label: str | None,
    revision: int | None,
) -> Edge:
    """Let an edge begin or end elsewhere, or under another label (empty: every other outcome); None leaves it. Raises as `add_edge`, and Conflict as `edit`."""
    draft = open_draft(actor, slug_or_id)
    found = _edge(draft, ident)
    removed = graph_pieces.remove_edge(draft.document, found.source, found.outcome)[:1]
    after = drafting.apply(draft.document, removed)
    label = label if label is not None else found.label or ""
    outcome, changes = _connecting(
        after, source or f"{NODE}{found.source}", target or f"{NODE}{found.target}", label
    )
    return _edge(
        _written(actor, draft, revision, [*removed, *changes]),
        Edge(_step_of(source) if source else found.source, outcome, "", None).id,
    )


def remove_edge(actor: Actor, slug_or_id: str, ident: str, *, revision: int | None = None) -> None:
    """Remove an edge. Raises NotFound, NotAllowed, and Conflict as `edit`."""
    draft = open_draft(actor, slug_or_id)
    found = _edge(draft, ident)
    _written(actor, draft, revision, graph_pieces.remove_edge(draft.document, found.source, found.outcome))


# --------------------------------------------------------------------------------------------------------------- inside


def _nodes(draft: Draft) -> list[Node]:
    added = dict(fetch(_ADDED, (draft.id,)))
    told = [(step, *graph_pieces.node(step)) for step in draft.document["steps"]]
    return [
        Node(step["id"], draft.id, kind, step.get("title", ""), config, added.get(step["id"]))
        for step, kind, config in told
    ]


def _node(draft: Draft, ident: str) -> Node:
    found = next((each for each in _nodes(draft) if each.id == ident), None)
    if found is None:
        raise NotFound("There is no such node in the draft.")
    return found


def _step(draft: Draft, ident: str) -> Mapping[str, Any]:
    found = next((step for step in draft.document["steps"] if f"{NODE}{step['id']}" == ident), None)
    if found is None:
        raise NotFound("There is no such node in the draft.")
    return found  # type: ignore[no-any-return]


def _edges(draft: Draft) -> list[Edge]:
    by_id = {step["id"]: step for step in draft.document["steps"]}
    return [
        Edge(source, outcome, target, graph_pieces.label_of(by_id[source], outcome))
        for source, outcome, target in graph_pieces.edges(draft.document)
    ]


def _edge(draft: Draft, ident: str) -> Edge:
    found = next((each for each in _edges(draft) if each.id == ident), None)
    if found is None:
        raise NotFound("There is no such edge in the draft.")
    return found


def _known_type(given: str) -> str:
    kind = graph_pieces.type_of(given)
    if kind not in graph_pieces.CONFIGS and kind not in steps.all_types():
        raise _refused(("type", f"One of {', '.join([*get_args(NodeType), *steps.all_types()])}."))
    return kind


def _in_words(kind: str, make: Callable[[], Made]) -> Made:
    """What is made of the settings of a node. Raises Invalid with the field where the type does not take them."""
    try:
        return make()
    except ValidationError as error:
        spots = model_errors(error, graph_pieces.CONFIGS[kind])
        raise _refused(*((f"config.{spot.path}".rstrip("."), spot.reason) for spot in spots)) from None
    except ExpressionError as error:
        raise _refused(("config.expression", error.reason)) from None


def _connecting(
    document: Mapping[str, Any], source: str, target: str, label: str
) -> tuple[str, list[Change]]:
    """The outcome of an edge and the changes that add it. Raises Invalid with the field, Conflict where there is one like it."""
    by_id: dict[str, Mapping[str, Any]] = {step["id"]: step for step in document["steps"]}
    step, to = by_id.get(_step_of(source)), by_id.get(_step_of(target))
    if step is None or to is None:
        wrong = [name for name, node in (("source", step), ("target", to)) if node is None]
        raise _refused(*((name, "There is no such node.") for name in wrong))
    if source == target:
        raise _refused(("target", "A node cannot lead to itself."))
    if step["type"] == "end":
        raise _refused(("source", "Nothing follows a node of type CONVERTED or DROPPED."))
    if to["type"] == "start":
        raise _refused(("target", "Nothing leads to the start."))
    outcome = graph_pieces.outcome_of(step, graph_pieces.plain_label(label), _outcomes(step))
    if not re.fullmatch(NAME_PATTERN, outcome):
        raise _refused(("label", "A letter first, then letters, digits and _."))
    if outcome in step.get("next", {}):
        raise Conflict("There is an edge with this source and label already.", at=("label", "Taken."))
    return graph_pieces.add_edge(document, step["id"], _step_of(target), label, _outcomes(step))


def _refused(*wrong: tuple[str, str]) -> Invalid:
    """The error of these fields, each with its reason."""
    details = [{"field": field, "reason": reason} for field, reason in wrong]
    return Invalid(f"{wrong[0][0]}: {wrong[0][1]}", details=details)


def _step_of(node: str) -> str:
    return node.removeprefix(NODE) if node.startswith(NODE) else ""


def _outcomes(step: Mapping[str, Any]) -> set[str]:
    """The outcomes that the step can have, as far as its settings are there."""
    kind = steps.all_types().get(step["type"])
    if kind is None:
        return {"error"}
    try:
        config: BaseModel = kind.Config.model_validate(step.get("config") or {})
    except ValidationError:
        return {"error"}
    return {"error", *kind.outcomes(config), *kind.rare_outcomes(config)}


def _written(actor: Actor, draft: Draft, revision: int | None, changes: Sequence[Change]) -> Draft:
    """The draft after the changes. Raises Invalid with the field of the node in place of its place in the document, and as `edit`."""
    try:
        return edit(actor, draft.id, draft.revision if revision is None else revision, changes)
    except Invalid as error:
        for detail in error.details:
            detail["field"] = re.sub(r"^steps\[\d+\]\.", "", str(detail["field"]))
        first = error.details[0]
        raise Invalid(
            named_reason(first["field"], first["reason"]), code=error.code, details=error.details
        ) from None
