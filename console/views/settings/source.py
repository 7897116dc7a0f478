"""One data source: state, address, limits, tables, changes in its schema, and removing it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from console import records, runs, sources
from console.auth import access
from console.core.documents.collections import likely_relations
from console.core.errors import Conflict, ConsoleError, SourceDown
from console.sources import addresses, collections
from console.views import errors, frame
from console.views.forms import Field, Form, Group
from console.views.settings import area, source_zones
from console.views.settings.sources import KINDS, PORTS, READ_ONLY, address_items, picker, source_by_name

blueprint = Blueprint("source", __name__, url_prefix="/settings/sources/<name>")
LIMITS = (
    ("pool", "Connections kept", "In each process."),
    ("overflow", "More under load", "In each process; closed again."),
    ("connect_s", "Seconds to connect", "After them it counts as not answering."),
    ("statement_s", "Seconds for a question", "After them the database itself stops it."),
)

LIKELY_HINT = (
    "The database has no foreign key for them. Found by names and types, and checked with a sample of values. Those that are ticked become "
    "relations: the field shows the title of the record it leads to, and the record lists what refers to it. The database is not changed."
)


@blueprint.get("")
def show(name: str) -> Response:
    """Show the source's state and what can be done."""
    return _page(name)


@blueprint.post("/test")
def test(name: str) -> Response:
    """Test the connection now."""
    head, _ = source_by_name(name)
    tested = sources.try_source(sources.source_of(name).url, by=frame.actor(), source=head.name)
    return _page(name, tested)


@blueprint.post("/<any(pause, resume):word>")
def switch(name: str, word: str) -> Response:
    """Disable or enable the source."""
    {"pause": sources.pause, "resume": sources.resume}[word](name, by=frame.actor())
    flash(f"{name} is {'paused' if word == 'pause' else 'in use again'}.")
    return frame.redirect_to(f"/settings/sources/{name}")


@blueprint.route("/address", methods=["GET", "POST"])
def address(name: str) -> Response:
    """Show the address and the user of the connection; a POST saves them. The password is never shown; an empty one keeps the stored one."""
    head, _ = source_by_name(name)
    former = sources.source_of(name).url
    form = Form(
        address_items(
            [pair for pair in KINDS if pair[0] == head.dialect],
            "kept, as it is",
            by_url=bool(request.form.get("url")),
        ),
        sources.fields_of(former),
        cancel=f"/settings/sources/{name}",
        intro="Without a password the present one is kept, as long as host, port and user stay as they are. "
        "The new address is tried before it counts; runs and rights stay.",
        working="Connecting; at most a few seconds…",
        css="form card pad source-form",
        more=PORTS,
    )

    def save(sent: dict[str, Any]) -> Response:
        changed = sources.change(name, url=sources.composed(sent, former), by=frame.actor())
        flash("The address is changed." if changed else "Nothing was changed.")
        return frame.redirect_to(
            f"/settings/sources/{name}/again" if changed else f"/settings/sources/{name}"
        )

    return form.submit_to(save) or _form_page(name, form, "Address")


def _form_page(name: str, form: Form, heading: str) -> Response:
    return area.form_page("sources", form, heading, _trail(name))


def _trail(name: str) -> list[tuple[str, str]]:
    return [(f"/settings/sources/{name}", name)]


@blueprint.route("/limits", methods=["GET", "POST"])
def limits(name: str) -> Response:
    """Show how heavily the console may use the database and whether it may write to it; a POST saves it."""
    source_by_name(name)
    terms = sources.source_of(name).terms
    bounded = [
        Field(
            field,
            label,
            hint=f"{hint} From {sources.BOUNDS[field][0]} to {sources.BOUNDS[field][1]}.",
            css="short",
            required=True,
        )
        for field, label, hint in LIMITS
    ]
    zone = request.form.get("zone", terms.zone)
    moves = "Changed, every such time moves at once, and what triggers watch is read from the end on."
    form = Form(
        [Group(bounded), source_zones.field(zone, moves), READ_ONLY],
        {field: getattr(terms, field) for field, *_ in LIMITS}
        | {"zone": terms.zone or "UTC", "read_only": terms.read_only},
        intro="So that the console never hurts your database. They hold from the next question on, in every process.",
        cancel=f"/settings/sources/{name}",
        css="form card pad source-form",
    )

    def save(sent: dict[str, Any]) -> Response:
        numbers = {field: _whole(sent[field]) for field, *_ in LIMITS}
        new = sources.Terms(**numbers, read_only=sent["read_only"], zone=source_zones.read(sent["zone"]))
        changed = sources.change(name, terms=new, by=frame.actor())
        flash("It is changed, and holds from now on." if changed else "Nothing was changed.")
        return frame.redirect_to(f"/settings/sources/{name}")

    return form.submit_to(save) or _form_page(name, form, "Limits and time zone")


def _whole(text: str) -> int:
    """Return the number; -1, which is refused, where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


@blueprint.route("/tables", methods=["GET", "POST"])
def tables(name: str) -> Response:
    """Show which tables and views become collections, and what that means, before it is saved."""
    _, collections = source_by_name(name)
    source = sources.source_of(name)
    tested = sources.attempt(source.url)
    if tested.trouble is not None and not tested.tables:
        raise SourceDown(f"The tables of {name} cannot be listed: {tested.trouble.words}")
    there = {
        table.place
        for table in tested.tables
        if any((one.schema, one.table) == (table.schema, table.name) for one in collections)
    }
    chosen = {table.place for table in tested.own} | there if source.chosen is None else set(source.chosen)
    which = "all" if source.chosen is None else "some"
    picked = request.form.getlist("table") if request.method == "POST" else chosen
    form = Form(
        [picker(tested, set(picked), request.form.get("which", which))],
        submit="Continue",
        aside="Next you see what comes and goes, and what refers to it. Nothing is taken over before that.",
        cancel=f"/settings/sources/{name}",
        working="Looking at the tables…",
        css="form card pad source-form",
    )

    def save(_: dict[str, Any]) -> Response:
        only = picked if request.form.get("which") == "some" else None
        if only is not None and not only:
            raise addresses.field_error("table", "Choose at least one table.")
        changed = sources.change(name, chosen=only, all_tables=only is None, by=frame.actor())
        return frame.redirect_to(
            f"/settings/sources/{name}/again" if changed else f"/settings/sources/{name}"
        )

    return form.submit_to(save) or _form_page(name, form, "Tables")


@blueprint.route("/again", methods=["GET", "POST"])
def again(name: str) -> Response:
    """Show what has changed in the database and what that breaks; a POST adopts it."""
    head, before = source_by_name(name)
    if request.method == "POST":
        try:
            made = sources.take(name, request.form.get("stamp", ""), by=frame.actor())
        except Conflict as moved:
            return _again(head, moved)
        unseen = (
            " Nobody sees the new ones until a role may browse them: Settings, Permissions."
            if len(made) > len(before)
            else ""
        )
        flash(
            f"{name} was taken over: {len(made)} {'collection' if len(made) == 1 else 'collections'}.{unseen}"
        )
        return frame.redirect_to(f"/settings/sources/{name}")
    return _again(head)


@blueprint.get("/indexes")
def indexes(name: str) -> Response:
    """Show the statements that would make searches fast, for whoever runs the database."""
    head, _ = source_by_name(name)
    advice = sources.advised(name, by=frame.actor())
    context = {
        "source": head,
        "large": [advice_line for advice_line in advice if advice_line.large],
        "small": [advice_line for advice_line in advice if not advice_line.large],
    }
    return area.page(
        "settings/source_indexes.html", "sources", context, heading="Indexes for search", trail=_trail(name)
    )


@blueprint.route("/relations", methods=["GET", "POST"])
def relations(name: str) -> Response:
    """Show columns that seem to lead to another table of the source; a POST makes relations of those that are ticked."""
    source_by_name(name)
    likely = sources.likely(name, by=frame.actor())
    form = Form(
        [
            Field(
                "relation",
                "Fields that look as if they lead to another collection",
                "checks",
                LIKELY_HINT,
                [_likely(line) for line in likely],
            )
        ],
        {"relation": [line.name for line in likely if line.sure]},
        "Add what is ticked",
        icon="route",
        cancel=f"/settings/sources/{name}",
        cancel_label="Not now",
        css="card pad sect",
    )

    def add(sent: dict[str, Any]) -> Response:
        chosen = sources.likely(name, by=frame.actor(), only=sent["relation"])
        if not chosen:
            raise addresses.field_error("relation", "Tick the relations that are to be added.")
        said: dict[str, list[Mapping[str, str]]] = {}
        for line in chosen:
            so_far = said.setdefault(line.collection.id, [])
            taken = [relation.name for relation in line.collection.relations] + [
                relation["name"] for relation in so_far
            ]
            so_far.append(likely_relations.document_of(line.field, line.target, taken))
        if left := collections.relate(frame.actor(), said):
            labels = ", ".join(records.collection(each).label for each in left)
            raise addresses.field_error(
                "relation", f"These have a draft: publish or discard it first. {labels}."
            )
        are = "relation is" if len(chosen) == 1 else "relations are"
        flash(f"{len(chosen)} {are} there. Each stands on the page Relations of its collection.")
        return frame.redirect_to(f"/settings/sources/{name}/relations")

    if made := form.submit_to(add):
        return made
    context = {"form": form if likely else None, "name": name}
    return area.page(
        "settings/source_relations.html",
        "sources",
        context,
        heading="Likely relations",
        trail=_trail(name),
        error=form.error,
    )


def _likely(line: Any) -> tuple[str, str, str]:
    """Return the choice of a likely relation: where it leads, and how many values of a sample are there."""
    source, target = (each.plain_label or each.label for each in (line.collection, line.target))
    found = f"{line.found} of {line.sampled} values are there"
    if line.found == line.sampled:
        found = "the one value is there" if line.sampled == 1 else f"all {line.sampled} values are there"
    return line.name, f"{source}: {line.field.label}", f"to {target}; in a sample {found}"


@blueprint.route("/remove", methods=["GET", "POST"])
def remove(name: str) -> Response:
    """Show what ends with the source; a POST with its name removes it."""
    head, _ = source_by_name(name)
    ends = sources.consequences(head.name, by=frame.actor())
    force = (
        [Field("force", "Remove it all the same: these runs stop", "check", sent="1")] if ends.live else []
    )
    form = Form(
        [*force, Field("word", f"Type {name}", required=True)],
        submit="Remove",
        icon="trash",
        tone="danger",
        cancel=f"/settings/sources/{name}",
        css="form",
    )

    def end(sent: dict[str, Any]) -> Response:
        if sent["word"] != name:
            raise addresses.field_error("word", f"Type {name}, to say that you mean it.")
        sources.remove(name, force=bool(sent.get("force")), by=frame.actor())
        flash(f"{name} is no longer connected. Its database was not touched.")
        return frame.redirect_to("/settings/sources")

    if made := form.submit_to(end):
        return made
    context = {
        "source": head,
        "ends": ends,
        "heads": {run: runs.head(frame.actor(), run) for run in ends.runs},
        "form": form,
    }
    return area.page(
        "settings/source_remove.html",
        "sources",
        context,
        heading="Remove",
        trail=_trail(name),
        error=form.error,
    )


# -- what the pages draw


def _page(name: str, tested: sources.Tested | None = None) -> Response:
    head, collections = source_by_name(name)
    source = sources.source_of(name)
    seen = {row.obj for row in access.all_rows() if row.eft == "allow" and row.act in ("browse", "*")}
    unseen = (
        []
        if seen & {"*", "collection:*"}
        else [each for each in collections if f"collection:{each.id}" not in seen]
    )
    context = {
        "source": head,
        "collections": collections,
        "terms": source.terms,
        "chosen": source.chosen,
        "tested": tested,
        "unseen": unseen,
    }
    return area.page("settings/source.html", "sources", context, heading=name)


def _again(head: sources.SourceHead, moved: ConsoleError | None = None) -> Response:
    down, difference = None, None
    try:
        difference = sources.difference(head.name, by=frame.actor())
    except SourceDown as error:
        down = errors.error_message(error)
    form = Form(
        [Field("stamp", kind="hidden")],
        {"stamp": difference.stamp if difference else ""},
        "Take it over",
        icon="check",
        cancel=f"/settings/sources/{head.name}",
        cancel_label="Leave it as it is",
        working="Looking at the tables…",
        css="form",
    )
    context = {"source": head, "found": difference, "moved": moved, "down": down, "form": form}
    return area.page(
        "settings/source_again.html",
        "sources",
        context,
        heading="What has changed",
        trail=_trail(head.name),
        error=moved,
    )
