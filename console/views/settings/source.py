"""One data source: state, address, limits, tables, changes in its schema, and removing it."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, request

from console import access, collections, records, runs, sources
from console.core.documents.collections import likely_relations
from console.errors import Conflict, ConsoleError, Invalid, SourceDown
from console.sources import addresses
from console.views import errors, frame
from console.views.settings import area, source_zones
from console.views.settings.sources import KINDS, PARTS, named, reasons

blueprint = Blueprint("source", __name__, url_prefix="/settings/sources/<name>")
LIMITS = (
    ("pool", "Connections kept", "In each process."),
    ("overflow", "More under load", "In each process; closed again."),
    ("connect_s", "Seconds to connect", "After them it counts as not answering."),
    ("statement_s", "Seconds for a question", "After them the database itself stops it."),
)


@blueprint.get("")
def show(name: str) -> Response:
    """Show the source's state and what can be done."""
    return _page(name)


@blueprint.post("/test")
def test(name: str) -> Response:
    """Test the connection now."""
    head, _ = named(name)
    tested = sources.tried(sources.source_of(name).url, by=frame.actor(), source=head.name)
    return _page(name, {"tested": tested})


@blueprint.post("/<any(pause, resume):word>")
def switch(name: str, word: str) -> Response:
    """Disable or enable the source."""
    {"pause": sources.pause, "resume": sources.resume}[word](name, by=frame.actor())
    flash(f"{name} is {'paused' if word == 'pause' else 'in use again'}.")
    return frame.redirect_to(f"/settings/sources/{name}")


@blueprint.route("/address", methods=["GET", "POST"])
def address(name: str) -> Response:
    """Show the address and the user of the connection; a POST saves them. The password is never shown; an empty one keeps the stored one."""
    head, _ = named(name)
    former = sources.source_of(name).url
    if request.method != "POST":
        return _address(head, sources.fields_of(former))
    typed = {part: request.form.get(part, "").strip() for part in (*PARTS, "url")}
    try:
        url = sources.composed({**typed, "password": request.form.get("password", "")}, former)
        changed = sources.change(name, url=url, by=frame.actor())
    except Invalid as wrong:
        return _address(head, typed, wrong)
    flash("The address is changed." if changed else "Nothing was changed.")
    return frame.redirect_to(f"/settings/sources/{name}/again" if changed else f"/settings/sources/{name}")


@blueprint.route("/limits", methods=["GET", "POST"])
def limits(name: str) -> Response:
    """Show how heavily the console may use the database and whether it may write to it; a POST saves it."""
    head, _ = named(name)
    terms = sources.source_of(name).terms
    if request.method != "POST":
        return _limits(head, {field: str(getattr(terms, field)) for field, *_ in LIMITS} | {"zone": terms.zone}, terms.read_only)
    typed = {field: request.form.get(field, "").strip() for field in (*(field for field, *_ in LIMITS), "zone")}
    read_only = bool(request.form.get("read_only"))
    said = ((field, typed[field]) for field, *_ in LIMITS)
    numbers = {field: int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1 for field, text in said}
    new = sources.Terms(**numbers, read_only=read_only, zone=source_zones.read(typed["zone"]))
    try:
        changed = sources.change(name, terms=new, by=frame.actor())
    except Invalid as wrong:
        return _limits(head, typed, read_only, wrong)
    flash("It is changed, and holds from now on." if changed else "Nothing was changed.")
    return frame.redirect_to(f"/settings/sources/{name}")


@blueprint.route("/tables", methods=["GET", "POST"])
def tables(name: str) -> Response:
    """Show which tables and views become collections, and what that means, before it is saved."""
    head, collections = named(name)
    source = sources.source_of(name)
    tested = sources.attempt(source.url)
    if tested.trouble is not None and not tested.tables:
        raise SourceDown(f"The tables of {name} cannot be listed: {tested.trouble.words}")
    there = {table.place for table in tested.tables if any((one.schema, one.table) == (table.schema, table.name) for one in collections)}
    chosen = {table.place for table in tested.own} | there if source.chosen is None else set(source.chosen)
    if request.method != "POST":
        return _tables(head, tested, chosen, "all" if source.chosen is None else "some")
    picked = request.form.getlist("table") if request.form.get("which") == "some" else None
    try:
        if picked == []:
            raise addresses.field_error("table", "Choose at least one table.")
        changed = sources.change(name, chosen=picked, all_tables=picked is None, by=frame.actor())
    except Invalid as wrong:
        return _tables(head, tested, set(picked or ()), "some", wrong)
    return frame.redirect_to(f"/settings/sources/{name}/again" if changed else f"/settings/sources/{name}")


@blueprint.route("/again", methods=["GET", "POST"])
def again(name: str) -> Response:
    """Show what has changed in the database and what that breaks; a POST adopts it."""
    head, before = named(name)
    if request.method == "POST":
        try:
            made = sources.take(name, request.form.get("stamp", ""), by=frame.actor())
        except Conflict as moved:
            return _again(head, moved)
        unseen = " Nobody sees the new ones until a role may browse them: Who may do what." if len(made) > len(before) else ""
        flash(f"{name} was taken over: {len(made)} {'collection' if len(made) == 1 else 'collections'}.{unseen}")
        return frame.redirect_to(f"/settings/sources/{name}")
    return _again(head)


@blueprint.get("/indexes")
def indexes(name: str) -> Response:
    """Show the statements that would make searches fast, for whoever runs the database."""
    head, _ = named(name)
    advice = sources.advised(name, by=frame.actor())
    context = {
        "source": head,
        "large": [advice_line for advice_line in advice if advice_line.large],
        "small": [advice_line for advice_line in advice if not advice_line.large],
    }
    return area.page("settings/source_indexes.html", "sources", context)


@blueprint.route("/relations", methods=["GET", "POST"])
def relations(name: str) -> Response:
    """Show columns that seem to lead to another table of the source; a POST makes relations of those that are ticked."""
    head, _ = named(name)
    if request.method != "POST":
        return _likely(head)
    chosen = sources.likely(name, by=frame.actor(), only=request.form.getlist("relation"))
    said: dict[str, list[Mapping[str, str]]] = {}
    for line in chosen:
        so_far = said.setdefault(line.collection.id, [])
        taken = [relation.name for relation in line.collection.relations] + [relation["name"] for relation in so_far]
        so_far.append(likely_relations.document_of(line.field, line.target, taken))
    left = collections.relate(frame.actor(), said)
    if left or not chosen:
        wrong = (
            f"These have a draft: publish or discard it first. {', '.join(records.collection(each).label for each in left)}."
            if left
            else "Tick the relations that are to be added."
        )
        return _likely(head, wrong)
    flash(
        f"{len(chosen)} {'relation is' if len(chosen) == 1 else 'relations are'} there. Each stands on the page Relations of its collection."
    )
    return frame.redirect_to(f"/settings/sources/{name}/relations")


@blueprint.route("/remove", methods=["GET", "POST"])
def remove(name: str) -> Response:
    """Show what ends with the source; a POST with its name removes it."""
    head, _ = named(name)
    if request.method != "POST":
        return _remove(head)
    force = bool(request.form.get("force"))
    if request.form.get("word", "").strip() != name:
        return _remove(head, {"word": f"Type {name}, to say that you mean it."}, status=422)
    try:
        sources.remove(name, force=force, by=frame.actor())
    except Conflict as wrong:
        return _remove(head, {"force": wrong.message}, status=409)
    flash(f"{name} is no longer connected. Its database was not touched.")
    return frame.redirect_to("/settings/sources")


# -- what the pages draw


def _page(name: str, more: Mapping[str, object] | None = None) -> Response:
    head, collections = named(name)
    source = sources.source_of(name)
    seen = {row.obj for row in access.all_rows() if row.eft == "allow" and row.act in ("browse", "*")}
    unseen = [] if seen & {"*", "collection:*"} else [each for each in collections if f"collection:{each.id}" not in seen]
    context = {"source": head, "collections": collections, "terms": source.terms, "chosen": source.chosen, "limits": LIMITS, "tested": None}
    return area.page("settings/source.html", "sources", {**context, "unseen": unseen, **(more or {})})


def _address(head: sources.SourceHead, typed: Mapping[str, str], wrong: ConsoleError | None = None) -> Response:
    kinds = [pair for pair in KINDS if pair[0] == head.dialect]
    context = {"source": head, "typed": typed, "wrong": reasons(wrong), "kinds": kinds, "ports": addresses.PORTS, "tested": None}
    return area.page("settings/source_address.html", "sources", context, status=wrong.status if wrong else 200)


def _limits(head: sources.SourceHead, typed: Mapping[str, str], read_only: bool, wrong: ConsoleError | None = None) -> Response:
    context = {"source": head, "typed": typed, "read_only": read_only, "wrong": reasons(wrong), "limits": LIMITS, "bounds": sources.BOUNDS}
    context["zones"] = source_zones.choices(typed["zone"])
    return area.page("settings/source_limits.html", "sources", context, status=wrong.status if wrong else 200)


def _tables(head: sources.SourceHead, tested: sources.Tested, chosen: set[str], which: str, wrong: ConsoleError | None = None) -> Response:
    context = {"source": head, "tested": tested, "chosen": chosen, "typed": {"which": which}, "wrong": reasons(wrong)}
    return area.page("settings/source_tables.html", "sources", context, status=wrong.status if wrong else 200)


def _again(head: sources.SourceHead, moved: ConsoleError | None = None) -> Response:
    down, difference = None, None
    try:
        difference = sources.difference(head.name, by=frame.actor())
    except SourceDown as error:
        down = errors.error_message(error)
    context = {"source": head, "found": difference, "moved": moved, "down": down}
    return area.page("settings/source_again.html", "sources", context, status=moved.status if moved else 200)


def _likely(head: sources.SourceHead, wrong: str = "") -> Response:
    context = {"source": head, "likely": sources.likely(head.name, by=frame.actor()), "wrong": wrong}
    return area.page("settings/source_relations.html", "sources", context, status=422 if wrong else 200)


def _remove(head: sources.SourceHead, wrong: Mapping[str, str] | None = None, status: int = 200) -> Response:
    ends = sources.consequences(head.name, by=frame.actor())
    heads = {run: runs.head(frame.actor(), run) for run in ends.runs}
    context = {"source": head, "ends": ends, "heads": heads, "wrong": wrong or {}, "typed": request.form}
    return area.page("settings/source_remove.html", "sources", context, status=status)
