"""`/w`: the workspaces of a person, and one of them as it runs. What is chosen and typed is in the address."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, make_response, request

from console import workspaces
from console.core.documents.workspaces import Chart, Workspace
from console.core.errors import NotFound
from console.views import frame
from console.views.workspaces.parts import Drawer, dependants
from console.workspaces import Desk

blueprint = Blueprint("workspaces", __name__)


@blueprint.get("/w")
def every() -> Response:
    """Show the workspaces and dashboards that the reader sees; whoever may edit them also sees drafts."""
    who = frame.actor()
    seen = workspaces.workspaces_of(who)
    editor = workspaces.may_edit(who)
    known = {each.id for each in seen}
    drafts = (
        [head for head in workspaces.every(who) if head.drafted or head.id not in known] if editor else []
    )
    context = {
        "desks": [each for each in seen if not each.dashboard],
        "dashboards": [each for each in seen if each.dashboard],
        "drafts": drafts,
        "editor": editor,
        "editable": {each.id for each in seen if workspaces.may_edit(who, each)},
    }
    return frame.page("workspaces/list.html", context)


@blueprint.get("/d")
def dashboards() -> Response:
    """Lead to the list: a dashboard is a workspace of charts."""
    return frame.redirect_to("/w#dashboards")


@blueprint.get("/d/<slug>")
def dashboard(slug: str) -> Response:
    """Lead to the workspace."""
    return frame.redirect_to(f"/w/{workspaces.workspace(frame.actor(), slug).id}")


@blueprint.get("/w/<slug>")
def show(slug: str) -> Response:
    """Show the workspace. For htmx only what depends on the values that differ from the page it comes from."""
    document = workspaces.workspace(frame.actor(), slug)
    drawer = drawer_of(document, request.args, f"/w/{slug}")
    if frame.wants_fragment() and frame.htmx.target == "desk-said":
        return changed_parts(document, drawer)
    if not drawer.desk.state:
        workspaces.choose_first(drawer.desk)
    return frame.page("workspaces/page.html", page_context(document, drawer))


@blueprint.get("/w/<slug>/part/<part>")
def show_part(slug: str, part: str) -> Response:
    """Show one component: for htmx its content, else as a page of its own."""
    document = workspaces.workspace(frame.actor(), slug)
    item = document.component(part)
    if item is None:
        raise NotFound("There is no such part of this workspace.")
    drawer = drawer_of(document, request.args, f"/w/{slug}")
    drawn = drawer.one(item, whole=True)
    if frame.wants_fragment():
        return make_response(frame.render("workspaces/parts.html", {"drawn": [drawn], "oob": False}))
    return frame.page("workspaces/page.html", page_context(document, drawer) | {"parts": [drawn]})


def drawer_of(document: Workspace, given: Mapping[str, str], base: str) -> Drawer:
    """What draws the workspace for the reader with this address."""
    state = workspaces.state_of(document, given)
    return Drawer(Desk(frame.actor(), document, state, frame.look().now), base, frame.look())


def page_context(document: Workspace, drawer: Drawer) -> dict[str, object]:
    """What the page needs."""
    return {
        "workspace": document,
        "parts": drawer.draw(document.components),
        "charts": any(isinstance(item, Chart) for item in document.every),
        "may_edit": workspaces.may_edit(frame.actor(), document),
        "address": drawer.address(),
    }


def changed_parts(document: Workspace, drawer: Drawer, *, whole: bool = False) -> Response:
    """Only the components that depend on what changed since the page that is open. `whole`: figures too."""
    before = workspaces.state_of(
        document, dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query))
    )
    now = drawer.desk.state
    changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    drawn = [drawer.one(item, whole=whole) for item in dependants(drawer.desk, changed)]
    answer = make_response(frame.render("workspaces/parts.html", {"drawn": drawn, "oob": True}))
    answer.headers["Vary"] = "HX-Request, HX-Target, HX-Current-URL"
    return answer
