"""Roles: the list, what each may do, its rules as a form, and the draft that is reviewed before publishing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from console import permissions, records
from console.auth import access, accounts
from console.auth.access import policy_words
from console.auth.access.index import Index
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_changes import Change, shipped
from console.auth.access.rows import EVERY, LEVELS, WHOLE, PolicyError, Row
from console.core.errors import Conflict, ConsoleError, DefinitionError, Invalid, NotAllowed
from console.permissions import levels, role_rules, rule_conditions, rule_drafts, second_admin
from console.steps.effects import action_cache
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import area, rule_form

blueprint = Blueprint("roles", __name__, url_prefix="/settings/roles")

TITLE = Field("title", "Title", required=True, max_length=60)
ABOUT = Field("about", "What it is for", max_length=300)
SHOWN_LINES = 400
SHOWN_OBJECTS = 200
"""Objects of one kind on the page of a role; the others are found by their names."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The state of a role for one act: `yes`, `partly`, `denied` or `no`, and whether a rule of this role in this place says so."""

    act: str
    standing: str
    own: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One object in the list of what a role may do, with a cell for each act; `said` are its conditions in words."""

    obj: str
    title: str
    href: str
    cells: tuple[Cell, ...]
    said: tuple[str, ...]
    changed: bool


# -- the list


@blueprint.route("", methods=["GET", "POST"])
def show() -> Response:
    """Show all roles, and the form for a new one."""
    listed, names = permissions.list_roles(frame.actor()), all_titles()
    copies = [(f"copy:{one.id}", one.title) for one in listed if not one.level]
    built_from = {
        "": [("", "Choose")],
        "A level, with all that it may": [(f"level:{level}", names.role(level)) for level in LEVELS],
        **({"A copy of a role, rule by rule": copies} if copies else {}),
    }
    form = Form(
        [
            TITLE,
            Field(
                "from",
                "Built from",
                "select",
                choices=built_from,
                required=True,
                refused_as=("level", "copy"),
            ),
            ABOUT,
        ],
        submit="Make the role",
        icon="plus",
        title="New role",
        css="card pad form narrow",
    )

    def make(sent: dict[str, Any]) -> Response:
        kind, _, name = sent["from"].partition(":")
        made = permissions.create(
            frame.actor(),
            sent["title"],
            about=sent["about"],
            **{"level" if kind == "level" else "copy": name},
        )
        flash("The role is there, and nobody has it yet.")
        return frame.redirect_to(f"/settings/roles/{made}")

    if answer := form.submit_to(make):
        return answer
    context = {"roles": listed, "names": names, "form": form, **_draft_bar()}
    return area.page("settings/roles.html", "roles", context, error=form.error)


@blueprint.get("/<role>")
def show_role(role: str) -> Response:
    """Show what the role may do in one place: `?place=` a team (`t:<id>`) or `*`, `?q=` part of an object's name."""
    return _role_page(role)


@blueprint.post("/<role>/title")
def rename(role: str) -> Response:
    """Change title and description."""
    form = _title_form(permissions.read_role(frame.actor(), role))

    def save(sent: dict[str, Any]) -> Response:
        permissions.rename(frame.actor(), role, sent["title"], sent["about"])
        flash("The role is called that now.")
        return frame.redirect_to(f"/settings/roles/{role}")

    return form.submit_to(save) or _role_page(role, form=form)


def _title_form(role: permissions.Role) -> Form:
    values = {"title": role.title, "about": role.about}
    return Form(
        [TITLE, ABOUT],
        values,
        title="Title",
        tone="",
        css="card pad form narrow",
        action=f"/settings/roles/{role.id}/title",
    )


@blueprint.post("/<role>/delete")
def delete(role: str) -> Response:
    """Delete the role."""
    try:
        permissions.delete(frame.actor(), role)
    except Conflict as held:
        return _role_page(role, held)
    flash("The role is gone. The version before brings it back.")
    return frame.redirect_to("/settings/roles")


def _role_page(role: str, wrong: ConsoleError | None = None, form: Form | None = None) -> Response:
    role_read, names, draft_now = (
        permissions.read_role(frame.actor(), role),
        all_titles(),
        permissions.draft(frame.actor()),
    )
    place, q = _place(), request.args.get("q", "").strip()
    rows = draft_now.rows()
    index = Index(rows)
    sections = [
        (title, kind, acts, *found)
        for title, kind, acts in _kinds(place)
        if (found := _lines(role_read.id, place, kind, rows, index, draft_now.change, names, q))[0]
    ]
    context = {
        "role": role_read,
        "names": names,
        "place": place,
        "places": [(EVERY, "Everywhere"), *((f"t:{team.id}", team.name) for team in accounts.teams())],
        "used": sorted({row.dom for row in rows if row.sub == f"role:{role}" and row.ptype == "p"}),
        "q": q,
        "sections": sections,
        "act_words": policy_words.act,
        "refused": wrong,
        "form": form or _title_form(role_read),
        **_draft_bar(draft_now),
    }
    error = wrong or (form.error if form else None)
    return area.page("settings/role.html", "roles", context, heading=role_read.title, error=error)


# -- the rules on one object


@blueprint.route("/<role>/on", methods=["GET", "POST"])
def on(role: str) -> Response:
    """Show the role's rules on `?object=` in `?place=`; a POST puts them into the draft."""
    role_read, place, obj = (
        permissions.read_role(frame.actor(), role),
        _place(),
        request.args.get("object", ""),
    )
    role_rules.require_object(frame.actor(), obj, place)
    draft_now = permissions.draft(frame.actor())
    rows = draft_now.rows()
    if request.method != "POST":
        boxes = rule_form.boxes_of_rules(role_rules.rules_of(rows, role, place, obj))
        return _rules_page(
            role_read,
            place,
            obj,
            boxes,
            role_rules.fields_of(rows, role, place, obj.partition(":")[2]),
            draft_now,
        )
    boxes, chosen = rule_form.boxes_of_form(request.form), rule_form.typed_fields(request.form)
    pending = [
        box.number
        for box in boxes
        if box.path and (box.value.strip() or box.comparison in ("empty", "filled"))
    ]
    if pending and not {"build", "add", "drop"} & set(
        request.form
    ):  # Enter was pressed in a box, or a finished condition was not added
        for number in pending:
            boxes = rule_form.with_conditions(obj, boxes, number)
    elif "build" in request.form:
        boxes = rule_form.with_conditions(
            obj, boxes, int(request.form["build"]) if request.form["build"].isdigit() else -1
        )
    elif "add" in request.form:
        boxes = [*boxes, rule_form.RuleBox(len(boxes))]
    elif "drop" not in request.form:
        try:
            role_rules.edit(
                frame.actor(), role, place, obj, [box.rule for box in boxes if not box.blank], chosen
            )
        except Invalid as wrong:
            return _rules_page(
                role_read,
                place,
                obj,
                rule_form.with_errors(boxes, wrong),
                chosen,
                draft_now,
                error=wrong.message,
            )
        except PolicyError as wrong:
            return _rules_page(role_read, place, obj, boxes, chosen, draft_now, error=wrong.message)
        flash("It is in your draft. It counts when you publish it.")
        return frame.redirect_to(f"/settings/roles/{role}?{urlencode({'place': place})}")
    status = 422 if any(box.errors for box in boxes) else 200
    return _rules_page(role_read, place, obj, boxes, chosen, draft_now, status=status)


@blueprint.post("/<role>/level")
def set_level(role: str) -> Response:
    """Put the acts of a level on `?object=` in `?place=` into the draft."""
    role_read, place, obj = (
        permissions.read_role(frame.actor(), role),
        _place(),
        request.args.get("object", ""),
    )
    role_rules.require_object(frame.actor(), obj, place)
    try:
        levels.set_level(frame.actor(), role, place, obj, request.form.get("level", ""))
    except (Invalid, PolicyError) as wrong:
        draft_now = permissions.draft(frame.actor())
        rows = draft_now.rows()
        boxes = rule_form.boxes_of_rules(role_rules.rules_of(rows, role, place, obj))
        chosen = role_rules.fields_of(rows, role, place, obj.partition(":")[2])
        return _rules_page(role_read, place, obj, boxes, chosen, draft_now, error=wrong.message)
    flash("It is in your draft. It counts when you publish it.")
    return frame.redirect_to(f"/settings/roles/{role}?{urlencode({'place': place})}")


@blueprint.post("/<role>/check")
def check(role: str) -> Response:
    """Show whether a condition is valid, and how many records it matches today."""
    permissions.read_role(frame.actor(), role)
    place, obj = _place(), request.args.get("object", "")
    number = next(
        (
            name.removesuffix(".condition")
            for name in request.form
            if name.endswith(".condition") and name.startswith("r")
        ),
        "r0",
    )
    number = request.args.get("rule", number)
    text = request.form.get(f"{number}.condition", "").strip()
    result: dict[str, Any] = {"text": text, "error": "", "counted": None, "said": ""}
    try:
        if text:
            rule_conditions.check(obj, request.form.getlist(f"{number}.acts"), text)
            words = policy_words.condition(text)
            result["said"] = words if words != text else ""
            if obj.startswith("collection:"):
                result["counted"] = rule_conditions.count_matching(frame.actor(), obj, text, role, place)
    except DefinitionError as error:
        result["error"] = error.message
    except NotAllowed:
        raise
    except ConsoleError as error:
        result["error"] = error.message
    return frame.page("settings/rule_check.html", result, blocks={"*": "result"})


def _rules_page(
    role: permissions.Role,
    place: str,
    obj: str,
    boxes: Sequence[rule_form.RuleBox],
    chosen: dict[str, role_rules.FieldRight],
    mine: rule_drafts.Draft,
    *,
    error: str = "",
    status: int = 0,
) -> Response:
    names = all_titles()
    others = [
        row
        for row in mine.rows()
        if row.ptype == "p"
        and row.sub in _counting(role)
        and row.obj in (obj, f"{obj.partition(':')[0]}:{EVERY}")
    ]
    subject_key = (f"role:{role.id}", place, obj)
    context = {
        "role": role,
        "names": names,
        "place": place,
        "obj": obj,
        "object_title": names.object(obj),
        "of_subject": names.of_subject(obj),
        "rules": boxes,
        "level": levels.level_of_rules(obj, [box.rule for box in boxes if not box.blank]),
        "levels": [
            (name, ", ".join([name, *map(policy_words.act, acts)]) if acts else name)
            for name, acts in levels.levels_of(obj.partition(":")[0]).items()
        ],
        "fields": rule_form.fields(obj, chosen),
        "else_said": sorted(
            {policy_words.rule(row, names) for row in others if (row.sub, row.dom, row.obj) != subject_key}
        ),
        "level_action": f"/settings/roles/{role.id}/level?{urlencode({'place': place, 'object': obj})}",
        "action": f"/settings/roles/{role.id}/on?{urlencode({'object': obj, 'place': place})}",
        "check": f"/settings/roles/{role.id}/check?{urlencode({'object': obj, 'place': place})}",
        "back": f"/settings/roles/{role.id}?{urlencode({'place': place})}",
        "error": error,
        "locked": sorted(
            policy_words.rule(row, names) for row in shipped() if (row.sub, row.dom, row.obj) == subject_key
        ),
        **rule_form.form_choices(obj),
    }
    heading, trail = names.object(obj)[:1].upper() + names.object(obj)[1:], [(context["back"], role.title)]
    return area.page(
        "settings/rules.html",
        "roles",
        context,
        heading=heading,
        trail=trail,
        status=status or (422 if error else 200),
    )


# -- the draft and the versions


@blueprint.route("/draft", methods=["GET", "POST"])
def draft() -> Response:
    """Show what the draft changes and for whom; a POST publishes it."""
    if request.method != "POST":
        return _draft_page()
    accounts.require_recent(frame.actor())
    version = request.form.get("version", "")
    base, note = int(version) if version.isdigit() else -1, request.form.get("note", "")
    try:
        if request.form.get("do") == "ask":
            made = permissions.ask_to_publish(frame.actor(), base, note)
            flash("It is asked for. Nothing changes before a second administrator confirms it.")
            return frame.redirect_to(made.address)
        number = permissions.publish(frame.actor(), base, note)
    except (Conflict, NotAllowed) as refused:
        return _draft_page(refused)
    flash(f"Published as version {number}. It counts everywhere within a second.")
    return frame.redirect_to("/settings/roles")


@blueprint.post("/draft/discard")
def discard() -> Response:
    """Discard the draft."""
    permissions.discard(frame.actor())
    flash("The draft is gone; nothing has changed.")
    return frame.redirect_to("/settings/roles")


@blueprint.get("/versions")
def versions() -> Response:
    """Show who changed the rights, when and how: newest first."""
    before = request.args.get("before", "")
    versions_listed = permissions.versions(
        frame.actor(), int(before) if before.isdigit() and len(before) < 18 else None
    )
    names = all_titles()
    context = {
        "versions": [
            (
                version,
                rule_drafts.lines(version.change, names)[:SHOWN_LINES],
                len(version.change.added) + len(version.change.removed),
            )
            for version in versions_listed
        ],
        "names": names,
        "said": policy_words.rule,
        "older": frame.present_address(before=versions_listed[-1].number)
        if len(versions_listed) == 50
        else None,
        "is_rules": lambda change: bool(change.of_rules),
        **_draft_bar(),
    }
    return area.page("settings/role_versions.html", "roles", context, heading="Versions")


@blueprint.post("/versions/<int:number>/undo")
def undo(number: int) -> Response:
    """Put the rules from before this version into the draft."""
    permissions.undo(frame.actor(), number)
    flash("Look at what going back comes to; it counts when you publish it.")
    return frame.redirect_to("/settings/roles/draft")


def _draft_page(wrong: ConsoleError | None = None) -> Response:
    draft_now, names = permissions.draft(frame.actor()), all_titles()
    preview = permissions.preview(frame.actor(), draft_now.change)
    context = {
        "draft": draft_now,
        "preview": preview,
        "names": names,
        "lines": [
            (sign, policy_words.rule(row, names), row)
            for sign, row in rule_drafts.lines(draft_now.change, names)
        ],
        "effects": [
            (policy_words.right(effect.obj, effect.act, names), effect) for effect in preview.effects
        ],
        "people": {person.id: person.name for person in accounts.people()},
        "theirs": [
            (
                rule,
                [
                    (sign, policy_words.rule(row, names))
                    for sign, row in rule_drafts.lines(rule.change.of_rules, names)
                ],
            )
            for rule in draft_now.theirs
        ],
        "refused": wrong,
        "note": request.form.get("note", ""),
        "warnings": _warnings(draft_now.change),
        "own": second_admin.needed(frame.actor(), draft_now.change) if draft_now.change else None,
        "waiting": next(
            (each for each in second_admin.asked_by(frame.actor()) if each.base is not None), None
        ),
    }
    return area.page("settings/role_draft.html", "roles", context, heading="Your draft", error=wrong)


# -- what the pages draw


def _draft_bar(draft_now: rule_drafts.Draft | None = None) -> dict[str, Any]:
    """Return how many rows the actor's draft changes."""
    draft_now = draft_now or permissions.draft(frame.actor())
    return {"draft_size": len(draft_now.change.added) + len(draft_now.change.removed)}


def _place() -> str:
    place = request.args.get("place", EVERY)
    return place if place == EVERY or any(place == f"t:{team.id}" for team in accounts.teams()) else EVERY


def _kinds(place: str) -> list[tuple[str, str, list[str]]]:
    """Return (heading, kind, its acts) of what rules can be about; kinds with a single object are granted everywhere."""
    kinds = [
        ("Collections", "collection"),
        ("Actions", "action"),
        ("Workflows", "workflow"),
        ("Inboxes", "inbox"),
        ("Service accounts", "account"),
        ("Confidential access", "label"),
    ]
    more = [("The console itself", kind) for kind in sorted(WHOLE)] if place == EVERY else []
    return [(title, kind, policy_words.offered(kind)) for title, kind in [*kinds, *more]]


def _objects(kind: str, rows: Sequence[Row], names: Names) -> list[str]:
    """Return the objects of the kind: existing ones, and those that some rule names."""
    if kind in WHOLE:
        return [kind]
    there: set[str] = {row.obj for row in rows if row.obj.startswith(f"{kind}:")}
    if kind == "collection":
        return [
            obj
            for collection in records.collections()
            if access.exists_for(frame.actor(), obj := f"collection:{collection.id}")
        ]
    there |= {
        f"{kind}:{ident}"
        for ident in (action_cache.every() if kind == "action" else names.titles.get(kind, {}))
    }
    if kind != "label":
        there.add(f"{kind}:{EVERY}")
    existing = (
        {f"workflow:{workflow.slug}" for workflow in action_cache.every().values()}
        if kind == "workflow"
        else set()
    )
    there = {obj for obj in there - existing if access.exists_for(frame.actor(), obj)}
    return sorted(there, key=lambda obj: (not obj.endswith(f":{EVERY}"), names.object(obj).lower()))


def _lines(
    role: str, place: str, kind: str, rows: Sequence[Row], index: Index, change: Change, names: Names, q: str
) -> tuple[list[Line], int]:
    """(the first objects of the kind whose name has `q`, how many more there are)."""
    made: list[Line] = []
    more = 0
    by_object: dict[str, list[Row]] = {}
    for row in rows:
        if row.ptype == "p" and row.sub == f"role:{role}" and row.dom == place:
            by_object.setdefault(row.obj, []).append(row)
    touched = {
        row.obj for row in change.added | change.removed if row.sub == f"role:{role}" and row.dom == place
    }
    for obj in _objects(kind, rows, names):
        title = names.object(obj)[:1].upper() + names.object(obj)[1:]
        if q and q.lower() not in title.lower() and q.lower() not in obj.lower():
            continue
        if len(made) == SHOWN_OBJECTS:
            more += 1
            continue
        own_rows = by_object.get(obj, [])
        acts = {row.act for row in own_rows}
        cells = tuple(
            Cell(act, role_rules.effective_right(index, role, place, obj, act), act in acts or EVERY in acts)
            for act in policy_words.offered(kind)
        )
        conditions = tuple(
            dict.fromkeys(policy_words.condition(row.expression) for row in own_rows if row.expression)
        )
        if (theirs := names.of_subject(obj)) and any(
            row.eft == "allow" and not policy_words.whosever(row.expression) for row in own_rows
        ):
            conditions = (f"Only those of {theirs}", *conditions)
        kept_back = [name for name, found in by_object.items() if any(row.eft == "deny" for row in found)]
        fields = [name for name in kept_back if name.startswith(f"field:{obj.partition(':')[2]}/")]
        if fields:
            conditions += (f"{len(fields)} {'field' if len(fields) == 1 else 'fields'} kept back",)
        changed = obj in touched or any(
            name.startswith(f"field:{obj.partition(':')[2]}/") for name in touched
        )
        made.append(
            Line(
                obj,
                title,
                f"/settings/roles/{role}/on?{urlencode({'object': obj, 'place': place})}",
                cells,
                conditions,
                changed,
            )
        )
    return made, more


def _counting(role: permissions.Role) -> set[str]:
    return {f"role:{role.id}", *(f"role:{inner}" for inner, _ in role.built_from)}


def _warnings(change: Change) -> list[str]:
    """Return which new conditions of the draft would be slow; a data source that does not answer is asked only once."""
    warnings: dict[str, None] = {}
    for obj, text in sorted(
        {
            (row.obj, row.expression)
            for row in change.added
            if row.expression and row.obj.startswith("collection:")
        }
    ):
        try:
            warnings |= dict.fromkeys(
                f"{all_titles().object(obj)}: {each}"
                for each in rule_conditions.warnings(obj, rule_conditions.check(obj, (), text))
            )
        except ConsoleError:
            continue
    for obj in sorted(
        {
            row.obj
            for row in change.added
            if row.obj.startswith("collection:") and row.eft == "allow" and not row.expression
        }
    ):
        try:
            warnings |= dict.fromkeys(
                f"{all_titles().object(obj)}: {each}" for each in rule_conditions.of_subject(obj)
            )
        except ConsoleError:
            continue
    return list(warnings)
