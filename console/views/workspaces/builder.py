"""`/w/<slug>/edit`: a workspace is built by page. Every change is a draft at once; it counts for others when it is published."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from console import workspaces
from console.auth import access, accounts
from console.core.documents.workspaces import KINDS, Workspace, edits
from console.core.documents.workspaces.components import Part
from console.core.documents.workspaces.new_names import with_name
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.plain_words import slug as slug_of
from console.views import frame
from console.views.workspaces import (
    change_words,
    chosen_paths,
    component_form,
    condition_boxes,
    condition_lines,
    workspace_preview,
)
from console.workspaces import Editing

blueprint = Blueprint("workspace_builder", __name__, url_prefix="/w")

ICONS = (
    "layout-grid",
    "list",
    "users",
    "user",
    "credit-card",
    "receipt",
    "coin",
    "shield-check",
    "chart-bar",
    "chart-line",
    "inbox",
    "mail",
    "phone",
    "package",
    "scale",
    "calendar",
    "flag",
    "world",
)
ORIGINS = {"page": "By page", "file": "From a file"}
TEXTS = ("title", "help", "icon")


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Ask for the name of a new workspace; a POST makes it as a draft."""
    if not workspaces.may_edit(frame.actor()):
        access.require(frame.actor(), None, "source", "manage")
    if request.method != "POST":
        return frame.page("workspaces/new.html", {"title": "", "slug": "", "wrong": None})
    title = request.form.get("title", "").strip()
    slug = request.form.get("id", "").strip()
    free = slug or workspaces.free_id(slug_of(title)[:60] or (title and "workspace"))
    try:
        if free == "new":
            raise Invalid(
                "new is the address of this form: choose another name.", at=("id", "Choose another name.")
            )
        teams = (
            []
            if access.can(frame.actor(), None, "source", "manage")
            else sorted(workspaces.own_teams(frame.actor()))
        )
        made = workspaces.create(
            frame.actor(), {"format": 1, "id": free, "title": title, "teams": teams, "components": []}
        )
    except Invalid as wrong:
        return frame.page("workspaces/new.html", {"title": title, "slug": slug, "wrong": wrong}, status=422)
    return frame.redirect_to(_url(made))


@blueprint.get("/<slug>/edit")
def edit(slug: str) -> Response:
    """Show the builder; `?part=` is the component whose settings stand at the right."""
    return _builder(workspaces.open_workspace(frame.actor(), slug))


@blueprint.post("/<slug>/edit")
def change(slug: str) -> Response:
    """Change where components stand: `do` is up, down, wider, narrower, move, copy or remove; or what the workspace is called."""
    editing = workspaces.open_workspace(frame.actor(), slug)
    form, document = request.form, editing.document.to_json()
    part, do = form.get("part", ""), form.get("do", "")
    if do != "texts" and edits.component(document, part) is None:
        if edits.component(_seen(editing), part) is None:
            raise NotFound("There is no such component any more.")
        return _removed(editing, part)
    width = int((edits.component(document, part) or {}).get("width", 12))
    changes: Mapping[str, Callable[[], dict[str, Any]]] = {
        "up": lambda: edits.step(document, part, -1),
        "down": lambda: edits.step(document, part, 1),
        "wider": lambda: edits.resize(document, part, width + 1),
        "narrower": lambda: edits.resize(document, part, width - 1),
        "move": lambda: edits.move(document, part, form.get("place", ""), form.get("number", 999, int)),
        "copy": lambda: edits.duplicate(document, part),
        "remove": lambda: edits.remove(document, part),
        "texts": lambda: texts,
    }
    if do not in changes:
        raise NotFound
    before = _seen(editing)
    texts, both = edits.merged(before, _texts(before), document) if do == "texts" else (document, [])
    mine = not both if do == "texts" else _by_another(editing)
    mine = mine and (do != "remove" or edits.component(before, part) == edits.component(document, part))
    return _saved(
        editing,
        changes[do](),
        part="" if do == "remove" else part,
        said=_spoken_change(do, part, editing.document),
        beside=mine,
    )


@blueprint.route("/<slug>/edit/add", methods=["GET", "POST"])
def add(slug: str) -> Response:
    """Show the form of a new component (`type`, `place`); a POST adds it."""
    editing = workspaces.open_workspace(frame.actor(), slug)
    kind = request.values.get("type", "")
    if kind not in KINDS:
        raise NotFound("There is no such kind of component.")
    document = editing.document.to_json()
    made, place = edits.fresh(document, kind), request.values.get("place", "")
    if request.method != "POST":
        if kind in ("divider", "section"):
            return _builder(editing, adding=kind, given=made)
        return _builder(
            editing,
            adding=kind,
            given=_typed(editing.document, kind, made) if "width" in request.args else made,
        )
    given = component_form.read_form(editing.document, kind, request.form, made)
    if "do" in request.form:
        return _builder(editing, adding=kind, given=given)
    return _saved(
        editing,
        edits.add(document, given, place),
        part=str(given["id"]),
        adding=kind,
        given=given,
        said=f"{KINDS[kind].kind_label} added.",
        beside=_by_another(editing),
    )


@blueprint.route("/<slug>/edit/<part>", methods=["GET", "POST"])
def component(slug: str, part: str) -> Response:
    """Show the settings of a component as the form has them (`again`); a POST saves them in the draft."""
    editing = workspaces.open_workspace(frame.actor(), slug)
    document = editing.document.to_json()
    present = edits.component(document, part)
    if request.method != "POST":
        if present is None:
            raise NotFound("There is no such component any more.")
        kind, typed_so_far = str(present["type"]), "width" in request.args
        return _builder(
            editing, part=part, given=_typed(editing.document, kind, present) if typed_so_far else present
        )
    before = edits.component(_seen(editing), part) or present
    if before is None:
        raise NotFound("There is no such component any more.")
    typed = component_form.read_form(editing.document, str(before["type"]), request.form, before)
    if present is None:
        return _removed(editing, part, typed)
    given, both = edits.merged(before, typed, present)
    if "do" in request.form:
        return _builder(editing, part=part, given=given)
    made = edits.replace(document, part, given)
    for setting, root in (("name", "input"), ("select", "selected")):
        former, new = present.get(setting), given.get(setting)
        shared = any(
            each.id != part and getattr(each, setting, None) == former for each in editing.document.every
        )
        if former and new and new != former and not shared:
            made = with_name(made, root, former, str(new))
    return _saved(editing, made, part=part, given=given, said="Saved in the draft.", beside=not both)


@blueprint.route("/<slug>/changes", methods=["GET", "POST"])
def changes(slug: str) -> Response:
    """Show what the draft changes; a POST publishes it, discards it, or undoes its last change."""
    editing = workspaces.open_workspace(frame.actor(), slug)
    if request.method != "POST":
        return _changes(editing)
    actor, revision, do = frame.actor(), _revision(), request.form.get("do", "")
    try:
        match do:
            case "publish":
                number = workspaces.publish(actor, slug, revision, request.form.get("live"))
                flash(f"Version {number} is published.")
                return frame.redirect_to(f"/w/{slug}")
            case "undo":
                workspaces.undo(actor, slug, revision)
                flash("The last change is undone.")
                return frame.redirect_to(_url(slug))
            case "discard":
                there = workspaces.discard(actor, slug, revision)
                flash("The draft is discarded.")
                return frame.redirect_to(_url(slug) if there else "/w")
            case "delete":
                workspaces.delete(actor, slug, revision)
                flash(f"{editing.document.title} is deleted.")
                return frame.redirect_to("/w")
    except (Conflict, Invalid) as wrong:
        return _changes(workspaces.open_workspace(actor, slug), wrong)
    raise NotFound


@blueprint.route("/<slug>/versions", methods=["GET", "POST"])
def versions(slug: str) -> Response:
    """Show the published versions; a POST makes an earlier one the draft."""
    actor = frame.actor()
    editing = workspaces.open_workspace(actor, slug)
    if request.method != "POST":
        return _versions(editing)
    try:
        made = workspaces.restore(actor, slug, number := request.form.get("number", 0, int), _revision())
    except (Conflict, Invalid) as wrong:
        return _versions(editing, wrong)
    if made == editing.draft.revision:
        flash(
            f"Nothing changes by that: {'the draft' if editing.draft.document else 'what counts'} is version {number} already."
        )
    else:
        flash("The former version is the draft now. Look at what changes, then publish it.")
    return frame.redirect_to(f"/w/{slug}/changes")


# -- what the pages draw


def _saved(
    editing: Editing,
    document: Mapping[str, Any],
    *,
    part: str,
    said: str,
    adding: str = "",
    given: Mapping[str, Any] | None = None,
    beside: bool = False,
) -> Response:
    """Save the document as the draft and show the builder. Where somebody else was quicker, nothing typed is lost: both are shown.

    `beside`: the document has what others changed meanwhile too, which is said.
    """
    actor = frame.actor()
    try:
        if given is not None:
            condition_boxes.check(str(given["id"]), editing.document, request.form)
        workspaces.save(actor, editing.id, editing.draft.revision if beside else _revision(), document)
    except (Conflict, Invalid) as wrong:
        present = workspaces.open_workspace(actor, editing.id) if isinstance(wrong, Conflict) else editing
        texts = _texts(_seen(editing)) if request.form.get("do") == "texts" else None
        return _builder(
            present, part="" if adding else part, adding=adding, given=given, wrong=wrong, texts=texts
        )
    address = f"{_url(editing.id)}?part={part}" if part else _url(editing.id)
    if not frame.wants_fragment():
        return frame.redirect_to(address)
    answer = _builder(workspaces.open_workspace(actor, editing.id), part=part, said=said, others=editing)
    answer.headers["HX-Replace-Url"] = (
        address  # where the form of a new component was, reloading would show it again
    )
    return answer


def _removed(editing: Editing, part: str, typed: Mapping[str, Any] | None = None) -> Response:
    """Say that somebody else removed the component; what was typed can be added again."""
    before = edits.component(_seen(editing), part)
    kind = KINDS[str(before["type"])].kind_label if before else "This component"
    words = f"{kind} was removed by somebody else in the meantime."
    if typed is None:
        return _builder(editing, part="", wrong=Conflict(words, by=editing.draft.changed_by))
    wrong = Conflict(
        f"{words} What you typed stands in the form: Add puts it in again.", by=editing.draft.changed_by
    )
    return _builder(editing, adding=str(typed["type"]), given=typed, wrong=wrong)


def _seen(editing: Editing) -> dict[str, Any]:
    """The document that the editor had before them when they sent the form."""
    return (workspaces.opened_document(editing, _revision()) or editing.document).to_json()


def _by_another(editing: Editing) -> bool:
    """Whether the last change is another person's: one's own click may have been sent twice."""
    return editing.draft.changed_by not in ("", frame.actor().id)


def _builder(
    editing: Editing,
    *,
    part: str | None = None,
    adding: str = "",
    given: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
    said: str = "",
    others: Editing | None = None,
    texts: Mapping[str, Any] | None = None,
) -> Response:
    document = editing.document
    body = document.to_json()
    chosen = request.args.get("part", "") if part is None and not adding else part or ""
    own = given if given is not None else edits.component(body, chosen)
    kind = adding or (str(own["type"]) if own else "")
    errors = _errors(wrong, str(own["id"]) if own else "")
    context: dict[str, Any] = {
        "editing": editing,
        "workspace": document,
        "url": _url(editing.id),
        "tree": [_node(item, document) for item in document.components],
        "kinds": list(KINDS.items()),
        "chosen": chosen if own and not adding else "",
        "adding": adding,
        "kind": KINDS.get(kind),
        "form": _form(document, kind, own, errors, sent=given is not None) if own else [],
        "names": chosen_paths.completions(document, own) if own else [],
        "own": own,
        "places": edits.places(body),
        "place": request.values.get("place", "")
        if adding
        else (edits.place_of(body, chosen) or ("", 0, 0))[0],
        "icons": ICONS,
        "teams": _teams(),
        "problems": _problems(document),
        "people": _people(editing, wrong, others),
        "wrong": wrong,
        "theirs": change_words.theirs(wrong, editing.document),
        "details": [each for each in wrong.details if "theirs" not in each] if wrong else [],
        "said": said,
        "charts": True,
        "roles": workspace_preview.roles(),
        "print": workspace_preview.fingerprint(document, own) if own else "",
        "about": document if texts is None else {"help": "", "icon": "", "teams": [], **texts},
        "others": change_words.meanwhile(others, _revision()) if others else [],
        "other": others.draft.changed_by if others else "",
    }
    named = [f"{box.label}: {box.error}" for box in context["form"] if box.error]
    context["named"] = named
    context["refusal"] = f"Not saved. {' '.join(named)}" if named else wrong.message if wrong else ""
    context["broken"] = broken = {} if named else _broken(wrong, document)
    if broken:
        count = len({part for parts in broken.values() for part, _ in parts})
        done = "removed" if request.form.get("do") == "remove" else "saved"
        context["refusal"] = (
            f"Not {done}: {count} {'component' if count == 1 else 'components'} would not work any more."
        )
    status = wrong.status if wrong else 200
    if frame.wants_fragment():
        answer = make_response(frame.render("workspaces/builder.html", context, "builder"), status)
        answer.headers["Vary"] = "HX-Request, HX-Target"
        return answer
    return frame.page("workspaces/builder.html", context, status=status)


def _form(
    document: Workspace, kind: str, own: Mapping[str, Any], errors: Mapping[str, str], *, sent: bool
) -> list[component_form.Box]:
    """The boxes of the component, conditions as rows; as the request has them where it `sent` them."""
    sources = condition_lines.sources_of(chosen_paths.completions(document, own))
    form = request.values if sent else None
    found = component_form.boxes(frame.actor(), document, kind, own, errors)
    for number, box in enumerate(found):
        if box.control == "conditions":
            rows = condition_boxes.box_rows(box.name, document, own, form, sources, refused=bool(box.error))
            found[number] = replace(box, rows=rows)
        elif box.control == "stages":
            found[number] = replace(
                box, stages=condition_boxes.stages(own, form, sources, refused=bool(box.error))
            )
    return found


def _node(item: Part, document: Workspace) -> dict[str, Any]:
    """A component as a card of the builder, with those in it."""
    node: dict[str, Any] = {
        "id": item.id,
        "item": item,
        "label": item.kind_label,
        "icon": item.icon,
        "words": _gist(item, document),
        "lists": [],
    }
    if hasattr(item, "components"):
        node["lists"] = [
            {"place": item.id, "title": "", "nodes": [_node(each, document) for each in item.components]}
        ]
    if hasattr(item, "tabs"):
        node["lists"] = [
            {
                "place": f"{item.id}.{tab.id}",
                "title": tab.title,
                "nodes": [_node(each, document) for each in tab.components],
            }
            for tab in item.tabs
        ]
    return node


def _gist(item: Part, document: Workspace) -> str:
    """What the component is about, in a few words."""
    about = item.title or getattr(item, "label", None) or getattr(item, "text", None)
    words = [about, *component_form.subject_words(item, document, frame.actor())]
    return ", ".join(dict.fromkeys(str(each)[:60] for each in words if each))


def _errors(wrong: ConsoleError | None, part: str) -> dict[str, str]:
    """Box → what is wrong, of the component whose form is shown."""
    found: dict[str, str] = {}
    for detail in wrong.details if wrong else ():
        first, *rest = str(detail.get("field") or "").replace("[", ".").replace("]", "").split(".")
        if "theirs" not in detail and first in (part, "components"):
            name = next((each for each in rest if not each.isdigit() and each != "components"), "")
            found.setdefault(name, str(detail["reason"]))
    return found


def _broken(wrong: ConsoleError | None, document: Workspace) -> dict[str, list[tuple[str, str]]]:
    """What would be wrong → (id, how it is called) of the components that a refused change takes something from."""
    found: dict[str, list[tuple[str, str]]] = {}
    for detail in wrong.details if wrong else ():
        item = document.component(str(detail.get("field") or "").partition(".")[0])
        if item is not None and "theirs" not in detail:
            called = (item.id, f"{item.kind_label} {_gist(item, document)}".strip())
            parts = found.setdefault(str(detail["reason"]), [])
            parts += [called] if called not in parts else []
    return found


def _typed(document: Workspace, kind: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """The component as the form has it now, unsaved, from the address."""
    return component_form.read_form(document, kind, request.args, before)


def _texts(document: dict[str, Any]) -> dict[str, Any]:
    form, ticked = request.form, dict.fromkeys(request.form.getlist("teams"))
    teams = [
        team for team in document.get("teams", ()) if team in ticked
    ]  # in their order: what nobody changed is no change
    teams += [team for team in ticked if team not in teams]
    made = {**document, **{name: form.get(name, "").strip() for name in TEXTS}, "teams": teams}
    return {name: value for name, value in made.items() if value or name in ("title", "components")}


def _spoken_change(do: str, part: str, document: Workspace) -> str:
    item = document.component(part)
    what = (_gist(item, document) or item.kind_label) if item else document.title
    return {
        "up": f"{what}: moved up.",
        "down": f"{what}: moved down.",
        "wider": f"{what}: wider.",
        "narrower": f"{what}: narrower.",
        "move": f"{what}: moved.",
        "copy": f"{what}: copied.",
        "remove": f"{what}: removed.",
        "texts": "Saved in the draft.",
    }[do]


def _teams() -> list[accounts.Team]:
    """The teams that the editor may build workspaces for."""
    every = accounts.teams()
    if access.can(frame.actor(), None, "source", "manage"):
        return every
    own = workspaces.own_teams(frame.actor())
    return [team for team in every if team.id in own]


def _people(editing: Editing, wrong: ConsoleError | None, others: Editing | None) -> Mapping[str, str]:
    who = {
        editing.draft.changed_by,
        *editing.draft.changers,
        others.draft.changed_by if others else "",
        str(wrong.extra.get("by")) if wrong else "",
    }
    return accounts.names(who - {"", "None"})


def _problems(document: Workspace) -> list[tuple[str, str, str]]:
    """Return for each name that is not there: its component, what that is called, and what is missing."""
    return [
        (
            str(spot.place[0]),
            change_words.place_words(document, None, f"components.{spot.place[0]}"),
            spot.reason,
        )
        for spot in workspaces.unknown_names(document)
    ]


def _changes(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    context = {
        "editing": editing,
        "workspace": editing.document,
        "url": _url(editing.id),
        "changes": change_words.changed(editing),
        "wrong": wrong,
        "theirs": change_words.theirs(wrong, editing.document),
        "problems": _problems(editing.document),
        "people": _people(editing, wrong, None),
        "live": editing.live.hash if editing.live else "",
    }
    return frame.page("workspaces/changes.html", context, error=wrong)


def _versions(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    known = workspaces.versions(frame.actor(), editing.id)
    context = {
        "editing": editing,
        "workspace": editing.document,
        "url": _url(editing.id),
        "versions": known,
        "origins": ORIGINS,
        "wrong": wrong,
        "theirs": change_words.theirs(wrong, editing.document),
        "people": accounts.names({each.made_by for each in known}),
    }
    return frame.page("workspaces/versions.html", context, error=wrong)


def _revision() -> int:
    return request.form.get("revision", -1, int)


def _url(slug: str) -> str:
    return f"/w/{slug}/edit"
