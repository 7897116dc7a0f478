"""`/w/<slug>/preview`: the draft of a workspace as it would run, whole or one component beside its settings, as oneself or as a role."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import workspaces
from console.auth import access
from console.core.documents.json_shape import Spot
from console.core.documents.workspaces import INPUTS, KINDS, SELECTING, Workspace, check, edits
from console.core.errors import NotFound
from console.core.plain_words import uncapitalised
from console.views import formats, frame
from console.views.workspaces import component_form
from console.views.workspaces.page import changed_parts, drawer_of
from console.views.workspaces.parts import Drawer, RoleView

blueprint = Blueprint("workspace_preview", __name__, url_prefix="/w")


@blueprint.get("/<slug>/preview")
def preview(slug: str) -> Response:
    """Show the draft as it would run. With `as`, what that role may not see is left out; the records are those that the editor may see."""
    document = workspaces.open_workspace(frame.actor(), slug).document
    drawer, role = _drawer(document, request.args), request.args.get("as", "")
    if frame.wants_fragment() and frame.htmx.target == "desk-said":
        return changed_parts(document, drawer, whole=True)
    context = {
        "workspace": document,
        "parts": drawer.draw(document.components, whole=True),
        "charts": True,
        "may_edit": True,
        "preview": True,
        "roles": roles(),
        "role": role,
        "address": drawer.address(),
        "url": f"/w/{slug}/edit",
    }
    return frame.page("workspaces/preview.html", context)


@blueprint.get("/<slug>/preview/<part>")
def preview_component(slug: str, part: str) -> Response:
    """Show one component of the draft, with the first record where one has to be chosen; with `type` one that is still to be added."""
    document = workspaces.open_workspace(frame.actor(), slug).document
    kind, wrong = request.args.get("type", ""), ""
    if kind in KINDS:
        body = document.to_json()
        made = component_form.read_form(document, kind, request.args, edits.fresh(body, kind))
        part = str(made["id"])
        problems = check(body := edits.add(body, made, ""))
        wrong = _lacking(document, made, problems[0]) if problems else ""
        document = document if problems else workspaces.read(body)
    item = document.component(part)
    if item is None and not wrong:
        raise NotFound("There is no such component any more.")
    parts = []
    if item is not None:
        drawer = _drawer(
            document, {}
        )  # the boxes of the component's form are no values of the workspace, though they may be called so
        workspaces.choose_first(drawer.desk)
        drawn = drawer.one(item, whole=True)
        wrong = "Its condition does not hold now: nothing is shown." if drawn.hidden else ""
        parts = [replace(drawn, hidden=False)] if not drawn.hidden else []
    answer = make_response(
        frame.render("workspaces/shown_part.html", {"drawn": parts, "oob": False, "wrong": wrong})
    )
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def _lacking(document: Workspace, made: Mapping[str, Any], spot: Spot) -> str:
    """What is wrong with the component, after the box that it is in: "Records of: this is missing."."""
    last = spot.place[-1] if spot.place else ""
    label = next(
        (box.label for box in component_form.offered(frame.actor(), document, made)[0] if box.name == last),
        "",
    )
    return f"{label}: {uncapitalised(spot.reason)}" if label else spot.reason


def _drawer(document: Workspace, state: Mapping[str, str]) -> Drawer:
    role = request.args.get("as", "")
    drawer = drawer_of(document, state, f"/w/{document.id}/preview")
    drawer.role, drawer.kept = RoleView.of(role, document) if role else None, {"as": role} if role else {}
    return drawer


def fingerprint(document: Workspace, own: Mapping[str, Any]) -> str:
    """Another one whenever the component may look otherwise: by its settings, or by what is chosen and typed elsewhere."""
    others = [
        item.model_dump(mode="json", by_alias=True)
        for item in document.every
        if isinstance(item, (*INPUTS, *SELECTING))
    ]
    return hashlib.sha256(json.dumps([own, others], sort_keys=True, default=str).encode()).hexdigest()[:12]


def roles() -> Sequence[tuple[str, str]]:
    """(role, in words) of every role that is granted something."""
    known = sorted({row.sub.partition(":")[2] for row in access.all_rows() if row.sub.startswith("role:")})
    return [(role, formats.role_words(role)) for role in known]
