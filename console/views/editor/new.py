"""`/workflows/new`: a new workflow, from words, from a template, or empty. `/workflows/<slug>/start`: a run of a workflow without a record."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse, records, sources, workflows
from console.ai.proposals import options
from console.auth import accounts
from console.auth.access import can, who_grants
from console.authoring import builder
from console.authoring.builder import template_binding
from console.authoring.builder.template_binding import Binding, Role, Template
from console.automation import enrolments
from console.browse import RecordPage
from console.core.documents.collections import Collection, Field
from console.core.documents.fields import OWN_INPUT, fields_with_values
from console.core.documents.workflow import MAX_BYTES, Workflow
from console.core.drafting import SetDocument
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound, SourceDown
from console.core.policy import rules
from console.views import formats, frame, refusals
from console.views.editor import step_form
from console.views.runs import form_boxes
from console.views.start_words import about_start
from console.workflows import Definition

FROM_WORDS = "words"
"""What a workflow is begun from where a model is to build it; no template is named so."""
MOST_NAMED = 8
REVIEW = "review"
"""What a workflow is begun from that is a small review of a record of the chosen collection."""

blueprint = Blueprint("workflow_new", __name__, url_prefix="/workflows")


def places() -> list[tuple[str, str]]:
    """(id, name) of the reader's teams in which they may edit workflows."""
    names = {team.id: team.name for team in accounts.teams()}
    return [
        (team, names.get(team, team))
        for team in frame.actor().teams
        if can(frame.actor(), team, "workflow:*", "edit")
    ]


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Ask for a title and what to begin from; a POST creates the draft and opens the editor."""
    offered = places()
    if not offered:
        raise NotAllowed(
            f"Needs workflow.edit in a team of yours. {who_grants()} can grant it.",
            need=("workflow:*", "edit"),
            words=f"You may not edit workflows in any team. {who_grants()} can grant it.",
        )
    form = request.form
    begun, words = form.get("begin", ""), form.get("description", "").strip()
    every = [*template_binding.beginnings(), *builder.beginnings(frame.actor())]
    asks_model = not options.current().chosen("build").rules
    collections = step_form.collections_of(frame.actor())
    context: dict[str, Any] = {
        "title": form.get("title", ""),
        "description": form.get("description", ""),
        "template": begun or form.get("template", request.args.get("from", "")),
        "templates": every,
        "places": offered,
        "team": form.get("team", offered[0][0]),
        "whose": form.get("whose", ""),
        "wrong": None,
        "asks_model": asks_model,
        "nearest": None,
        "collections": [(each.id, each.label) for each in collections],
        "collection": form.get("collection", ""),
    }
    if request.method != "POST":
        return frame.page("editor/new.html", context | _first(collections))
    if form.get("do") == "find":
        return frame.page("editor/new.html", context | {"nearest": builder.nearest(every, words)})
    try:
        team, whose = form.get("team") or offered[0][0], form.get("whose") or None
        chosen = context["template"] if form.get("do") != "file" else ""
        template = (
            template_binding.template_of(frame.actor(), chosen, _collection())
            if chosen not in ("", REVIEW, FROM_WORDS)
            else None
        )
        if template is not None:
            return _from_template(template, team, whose)
        title = next((each.title for each in every if each.id == begun), form.get("title", "").strip())
        address = (
            _of_file(form.get("team") or None, whose)
            if form.get("do") == "file"
            else _made(title, words, form.get("team") or None, context["template"], _collection(), whose)
        )
    except Invalid as wrong:
        return frame.page("editor/new.html", context | {"wrong": wrong}, status=422)
    return frame.redirect_to(address)


def _from_template(template: Template, team: str, whose: str | None) -> Response:
    """Show which fields the workflow of a template works on, each with a sample; create it once that was seen and nothing is missing. Raises Invalid, NotAllowed."""
    form, actor = request.form, frame.actor()
    chosen = _collection()
    given = {name.removeprefix("field."): value for name, value in form.items() if name.startswith("field.")}
    collections = [each for each in step_form.collections_of(actor) if each.key]
    collection = next((each for each in collections if each.id == chosen), None)
    binding = (
        template_binding.match(actor, template, collection, given)
        if collection
        else template_binding.find_binding(actor, template)
    )
    if binding is not None:
        chosen = binding.collection
        collection = next((each for each in collections if each.id == chosen), None)
    approver = form.get("approver") or template_binding.approver_of(actor, team)
    roles, asks = dict(step_form.roles()), template_binding.asks_approver(template)
    seen = form.get("matched") == chosen and form.get("do") != "match"
    if seen and binding is not None and binding.sure and (approver in roles or not asks):
        return frame.redirect_to(
            _made(
                form.get("title", "").strip() or template.workflow["title"],
                str(template.workflow.get("description") or ""),
                team,
                template.id,
                None,
                whose,
                template_binding.bind(template, binding, approver),
            )
        )
    sample = None
    with suppress(SourceDown):
        sample = browse.sample(actor, collection) if collection else None
    context = {
        "template": template,
        "title": form.get("title", "").strip() or template.workflow["title"],
        "team": team,
        "whose": whose or "",
        "collections": [(each.id, each.label) for each in collections],
        "collection": chosen,
        "fields": [
            _field_box(role, binding, template_binding.choices_of(actor, collection, role), sample)
            for role in template.fields
        ]
        if collection and binding
        else [],
        "roles": roles.items() if asks else (),
        "approver": approver,
    }
    return frame.page("editor/match.html", context)


def _field_box(
    role: Role, binding: Binding, fields: Sequence[Field], sample: RecordPage | None
) -> dict[str, Any]:
    """Return what is asked of a role: the field with a sample, and which of its values represent the states that the template writes."""
    chosen = next((each for each in fields if each.name == binding.columns.get(role.name)), None)
    options = [(each.value, each.label) for each in chosen.options or ()] if chosen else []
    return {
        "role": role,
        "value": chosen.name if chosen else "",
        "sample": formats.text(formats.kind(chosen), sample.record.values.get(chosen.name), frame.look())
        if chosen and sample
        else "",
        "choices": [(each.name, each.label) for each in fields],
        "options": options,
        "written": [(name, title, binding.values.get(name, "")) for name, title in role.choices.items()]
        if chosen
        else [],
    }


def _first(collections: Sequence[Collection]) -> dict[str, str]:
    """What is chosen where no workflow is made yet: a review of the likeliest collection."""
    keyed = [each for each in collections if each.key]
    if not keyed or "from" in request.args or workflows.all_known():
        return {}
    likeliest = min(
        keyed, key=lambda each: (each.kind != "table", sources.likelihood(each.table), -len(each.fields))
    )
    return {"template": REVIEW, "collection": likeliest.id}


def _of_file(team: str | None, whose: str | None) -> str:
    """Create a workflow from the file that was sent; the address of its editor. Raises Invalid, NotAllowed."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("No file was chosen.", at=("file", "Choose a workflow file (JSON) from your computer."))
    made = builder.bring_in(
        frame.actor(), sent.stream.read(MAX_BYTES + 1), sent.filename, team=team, whose=whose
    )
    return f"/workflows/{made.slug}/edit"


def _collection() -> str | None:
    """The collection that was chosen, None for a workflow without records. Raises Invalid for one that the reader is not offered."""
    chosen = request.form.get("collection") or None
    if chosen is not None and chosen not in {each.id for each in step_form.collections_of(frame.actor())}:
        reason = "Choose one of the list."
        raise Invalid(reason, at="collection")
    return chosen


def _begun(
    title: str, words: str, team: str | None, collection: str | None, whose: str | None
) -> tuple[str, int]:
    """(slug, revision) of a new draft without steps."""
    actor = frame.actor()
    made = workflows.create(actor, title, description=words, team=team, whose=whose)
    if collection is None:
        return made.slug, 0
    return made.slug, workflows.edit(
        actor, made.slug, 0, [SetDocument(field="collection", value=collection)]
    ).revision


def _made(
    title: str,
    words: str,
    team: str | None,
    beginning: str,
    collection: str | None,
    whose: str | None,
    bound: Mapping[str, Any] | None = None,
) -> str:
    """Create the workflow; the address at which one goes on. `bound`: the document of a template. Raises Invalid with the field, NotAllowed."""
    actor = frame.actor()
    if beginning == FROM_WORDS:
        if not words:
            reason = "Say what it should do."
            raise Invalid(reason, at="description")
        slug, revision = _begun(title, words, team, collection, whose)
        builder.ask(actor, slug, words, revision)
        return f"/workflows/{slug}/ask"
    if beginning == REVIEW:
        if collection is None or not records.collection(collection).key:
            reason = "Choose whose records are reviewed: a collection whose records can be opened."
            raise Invalid(reason, at="collection")
        made = workflows.create(
            actor,
            title,
            description=words,
            team=team,
            document=sources.first_review(collection, team),
            whose=whose,
        )
        return f"/workflows/{made.slug}/edit"
    if not beginning:
        return f"/workflows/{_begun(title, words, team, collection, whose)[0]}/edit"
    made, pairs = builder.begin(
        actor, title, description=words, team=team, beginning=beginning, document=bound, whose=whose
    )
    if beginning.startswith(builder.OWN) and workflows.definition(actor, made.slug).get("triggers"):
        flash(
            "Its triggers are new, with addresses of their own, and off: switch on under Triggers what is to start it."
        )
    if pairs:
        flash(
            f"Names that are called otherwise here were replaced: {', '.join(f'{there} by {here}' for there, here in pairs[:MOST_NAMED])}."
        )
    return f"/workflows/{made.slug}/edit"


@blueprint.route("/<slug>/start", methods=["GET", "POST"])
def start(slug: str) -> Response:
    """Ask for what the workflow has to know, then start a run without a record."""
    definition = next((each for each in workflows.startable(frame.actor(), None) if each.slug == slug), None)
    if definition is None:
        raise NotFound("There is no such workflow to start without a record, or it is not yours to start.")
    if request.method != "POST":
        return _form(definition)
    typed = form_boxes.read_form(request.form, frame.look())
    try:
        run_id = enrolments.start(
            frame.actor(),
            slug,
            None,
            None,
            {name: value for name, value in typed.items() if value is not None},
        )
    except (Invalid, Conflict) as wrong:
        return _form(definition, typed=typed, wrong=wrong)
    return frame.redirect_to(frame.run_url(run_id))


def _form(
    definition: Definition, *, typed: Mapping[str, Any] | None = None, wrong: Invalid | Conflict | None = None
) -> Response:
    fields = start_fields(definition.document)
    details = refusals.plain_details(wrong)
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    context = {
        "workflow": definition,
        **about_start(definition.id, definition.document, alone=not fields),
        "boxes": form_boxes.boxes({"fields": fields}, frame.look(), typed=typed, errors=details),
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines(details, labels, refusals.head(wrong, labels)),
    }
    return frame.page("editor/start.html", context, error=wrong)


def start_fields(document: Workflow, given: Mapping[str, Any] | None = None) -> Sequence[Mapping[str, Any]]:
    """The fields of the start step as a person sees them, with the values given so far."""
    now = frame.look().now
    roots = {
        "record": None,
        "currentUser": frame.actor().attributes,
        "now": now,
        **rules(document, now).roots,
        "steps": {},
        OWN_INPUT: {},
    }
    return [
        field.to_json() for field in fields_with_values(document.start_fields, roots, given or {}, OWN_INPUT)
    ]
