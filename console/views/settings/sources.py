"""Data sources: the list with their states, and connecting one step by step."""

from collections import Counter
from collections.abc import Iterable, Mapping

from flask import Blueprint, Response, flash, request

from console import access, accounts, records, sources
from console.contacts import likely_contacts
from console.core.documents.collections import Collection
from console.core.documents.collections.recognising import MIDNIGHT
from console.errors import Conflict, ConsoleError, Invalid, NotFound
from console.rights import second_admin
from console.sources import Tested, addresses, connecting
from console.views import formats, frame
from console.views.settings import area, source_preview, source_zones

blueprint = Blueprint("sources", __name__, url_prefix="/settings/sources")
KINDS = (("postgresql", "PostgreSQL"), ("mysql", "MySQL or MariaDB"), ("sqlite", "SQLite file"))
PARTS = ("kind", "host", "port", "database", "user", "encrypted")
MOST_HIDDEN, MOST_LISTED = 40, 200
TYPED = ("url", *PARTS, "name", "which", "look", "zone")
ACTS = (("browse", "Browse"), ("update", "Change"), ("create", "Add"), ("delete", "Delete"), ("export", "Export"))
"""What a role may be given here, as rows of the policy and as words; `browse` includes reading single records."""


@blueprint.get("")
def show() -> Response:
    """Show every source; without one, the link to connect the first."""
    under_way = [(one, _followed(one.id, one.name)) for one in connecting.all_under_way(frame.actor())]
    return area.page("settings/sources.html", "sources", {"sources": sources.list_all(frame.actor()), "under_way": under_way})


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form for the database's address. `do=test` tests the connection and stays; otherwise a working connection leads to the tables."""
    sources.require_manager(frame.actor())
    if request.method != "POST":
        return _address_form({"kind": "postgresql", "host": "", "port": "", "encrypted": ""})
    typed = _typed()
    former = addresses.unseal(frame.actor().id, typed["kept"])["url"] if typed.get("kept") else ""
    try:
        url = sources.composed({**typed, "password": request.form.get("password", "")}, former)
        tested = sources.tried(url, by=frame.actor())
    except Invalid as wrong:
        return _address_form(typed, wrong=wrong)
    kept = addresses.seal(frame.actor().id, {"url": url})
    if not tested.ok or request.form.get("do") == "test":
        return _address_form({**typed, "kept": kept}, tested=tested, status=200 if tested.ok else 422)
    own = {role for role, _ in frame.actor().roles} & access.rights().roles
    return _choice(url, {"kept": kept, "name": _free_name(url), "which": "all"}, tested, may={role: {"browse"} for role in own})


@blueprint.post("/connect")
def connect() -> Response:
    """Show the tables, the name and who may use it; a POST connects the source."""
    actor = frame.actor()
    sources.require_manager(actor)
    typed = _typed()
    url = addresses.unseal(actor.id, typed.get("kept", ""))["url"]
    chosen = request.form.getlist("table") if typed.get("which") == "some" else None
    may = {role: acts for role in sorted(access.rights().roles) if (acts := set(request.form.getlist(f"may.{role}")))}
    if request.form.get("do") == "look":
        return _choice(url, typed, sources.attempt(url), chosen=chosen, may=may)
    try:
        if chosen == [] or (chosen is None and not sources.attempt(url).own):
            raise addresses.field_error("table", "Choose at least one table.")
        if not may:
            raise addresses.field_error("may", "Choose at least one role that may browse.")
        terms = sources.Terms(read_only=bool(request.form.get("read_only")), zone=source_zones.read(typed.get("zone", "")))
        name, many = typed.get("name", ""), len(sources.attempt(url).own) if chosen is None else len(chosen)
        if many > connecting.AT_ONCE:
            begun = connecting.ask(name, url, many, terms=terms, chosen=chosen, may=granted(may), by=actor)
            return frame.redirect_to(_followed(begun, name))
        made = sources.add(name, url, terms=terms, chosen=chosen, may=granted(may), by=actor)
    except (Invalid, Conflict) as wrong:
        return _choice(url, typed, sources.attempt(url), chosen=chosen, may=may, wrong=wrong)
    waiting = [each for each in second_admin.asked_by(actor) if each.about == typed["name"]]
    confirm = f" {' or '.join(second_admin.who_confirms(waiting[0])[:3])} has to confirm what roles of your own may do." if waiting else ""
    flash(f"{typed['name']} is connected: {len(made)} collections.{confirm}")
    return frame.redirect_to(f"/settings/sources/{typed['name']}/connected")


@blueprint.route("/new/<connecting_id>", methods=["GET", "POST"])
def follow(connecting_id: str) -> Response:
    """Show how far the connecting of a large database is; a POST stops it, or tries again. Polled by the page, it answers 204 while nothing changed."""
    actor, name = frame.actor(), request.args.get("name", "")
    if request.method == "POST":
        if request.form.get("do") == "again":
            connecting.again(connecting_id, by=actor)
        elif connecting.stop(connecting_id, by=actor):
            flash(f"{name} is not connected; nothing of it is kept.")
            return frame.redirect_to("/settings/sources")
        return frame.redirect_to(frame.present_address())
    one = connecting.find(connecting_id, by=actor)
    if one is None:
        records.forget()  # a worker has connected it, and this process may not know yet
        named(name)
        return frame.redirect_to(f"/settings/sources/{name}/connected")
    if (answer := frame.poll_answer(one)) is not None:
        return answer
    return area.page(
        "settings/source_connecting.html", "sources", {"one": one, "url": _followed(one.id, one.name)}, blocks={"*": "progress"}
    )


def _followed(connecting_id: str, name: str) -> str:
    """Return the address that tells how far it is; the name in it leads on once it is connected."""
    return frame.with_query(f"/settings/sources/new/{connecting_id}", {"name": name})


def granted(may: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the acts of the policy for what was ticked: whoever may do anything with records sees them."""
    return {role: ["browse", "read", *(act for act, _ in ACTS if act != "browse" and act in acts)] for role, acts in may.items()}


def _people(connected: Iterable[Collection]) -> list[Collection]:
    """Return the collections whose records are likely people who can be written to, and of which nobody has said so yet."""
    every = {each.id: each for each in records.collections()}
    return [each for each in connected if each.contact is None and likely_contacts.likely(each, every) is not None]


@blueprint.get("/<name>/connected")
def connected(name: str) -> Response:
    """Show what was connected, and offer a first workflow."""
    head, collections = named(name)
    usable = [each for each in collections if each.key and _may_browse(each.id)]
    teams = {team.id: team.name for team in accounts.teams()}
    own_teams = [team for team in frame.actor().teams if team in teams]
    context = {
        "source": head,
        "collections": collections,
        "role_words": formats.role_words,
        "hidden": [(collection, field) for collection in collections for field in sources.hidden_fields(collection)][:MOST_HIDDEN],
        "left_out": left_out(name, collections),
        "people": _people(collections)[:MOST_HIDDEN],
        "days": [(each, field) for each in collections for field in each.stored_fields if field.native == MIDNIGHT][:MOST_HIDDEN],
        "odd": [(each, field) for each in collections for field in each.fields if field.likely_empty][:MOST_HIDDEN],
        "rights": _rights(collections),
        "first": min(usable, key=lambda table: (table.kind != "table", sources.likelihood(table.table), -len(table.fields)), default=None),
        "usable": usable,
        "alike": {label for label, count in Counter(each.label for each in usable).items() if count > 1},
        "most_listed": MOST_LISTED,
        "teams": teams,
        "team": own_teams[0] if own_teams else next(iter(teams), None),
        "roles": sorted(access.rights().roles),
        "role": _role_with_grant(collections),
    }
    return area.page("settings/source_connected.html", "sources", context)


def left_out(name: str, collections: list[Collection]) -> list[tuple[str, str]]:
    """(table, why) of what the database offers and is no collection; nothing where it does not answer now."""
    chosen, there = sources.source_of(name).chosen, {(collection.schema, collection.table) for collection in collections}
    return [
        (
            table.place,
            "was not chosen"
            if chosen is not None and table.place not in chosen
            else f"{table.kept_by} keeps it for itself"
            if chosen is None and table.kept_by
            else "could not be read by the database itself when it was looked at, or came later",
        )
        for table in sources.attempt(sources.source_of(name).url).tables
        if (table.schema, table.name) not in there
    ]


@blueprint.post("/<name>/first")
def first(name: str) -> Response:
    """Make the first workflow and start it."""
    _, collections = named(name)
    chosen = next((collection for collection in collections if collection.id == request.form.get("collection")), None)
    if chosen is None or request.form.get("role") not in access.rights().roles:
        raise addresses.field_error("collection", "Choose a collection of this data source, and a role.")
    team = request.form.get("team")
    slug, run = sources.begin(
        frame.actor(), chosen.id, request.form["role"], team if team in {team.id for team in accounts.teams()} else None
    )
    if run is not None:
        return frame.redirect_to(frame.run_url(run))
    flash(f"The workflow {slug} is published. It is started from a record, by who has the role.")
    return frame.redirect_to(frame.collection_url(chosen.id) if _may_browse(chosen.id) else f"/workflows/{slug}")


def _may_browse(collection: str) -> bool:
    """Return whether the reader may open the list."""
    return access.can(frame.actor(), None, f"collection:{collection}", "browse")


def named(name: str) -> tuple[sources.SourceHead, list[Collection]]:
    """Return the source of that name and its collections. Raises NotFound, NotAllowed."""
    head = next((source for source in sources.list_all(frame.actor()) if source.name == name), None)
    if head is None:
        raise NotFound(f"There is no data source {name}.")
    return head, [collection for collection in records.collections() if collection.source == name]


def _role_with_grant(collections: list[Collection]) -> str:
    """Return the role that was granted the collections, according to the policy."""
    objects = {f"collection:{collection.id}" for collection in collections}
    given = [
        row.sub.removeprefix("role:") for row in access.all_rows() if row.obj in objects and row.act == "browse" and row.eft == "allow"
    ]
    return given[0] if given else "admin"


def _rights(collections: list[Collection]) -> list[tuple[str, list[str]]]:
    """Return what each role may do with the first collection, in words."""
    obj = f"collection:{collections[0].id}" if collections else ""
    held: dict[str, set[str]] = {}
    for row in access.all_rows():
        if row.obj == obj and row.eft == "allow":
            held.setdefault(row.sub.removeprefix("role:"), set()).add(row.act)
    return [(role, [words for act, words in ACTS if act in acts]) for role, acts in sorted(held.items())]


def _typed() -> dict[str, str]:
    """Return the form's content without the password."""
    return {name: request.form.get(name, "").strip() for name in (*TYPED, "kept") if name in request.form}


def _address_form(
    typed: Mapping[str, str], *, tested: Tested | None = None, wrong: ConsoleError | None = None, status: int | None = None
) -> Response:
    errors = reasons(wrong)
    if tested is not None and tested.trouble is not None:
        by_url = bool(typed.get("url"))
        errors["url" if by_url or tested.trouble.field == "url" else tested.trouble.field] = tested.trouble.happened
    context = {
        "typed": typed,
        "wrong": errors,
        "tested": tested,
        "kinds": KINDS,
        "ports": addresses.PORTS,
        "shop": sources.demo_shop(),
        "by_url": bool(typed.get("url")) or "url" in errors,
    }
    return area.page("settings/source_new.html", "sources", context, status=status or (422 if wrong else 200))


def _choice(
    url: str,
    typed: Mapping[str, str],
    tested: Tested,
    *,
    chosen: list[str] | None = None,
    may: Mapping[str, set[str]],
    wrong: ConsoleError | None = None,
) -> Response:
    place = typed.get("look") or sources.first_choice(tested.own or tested.tables)
    context = {
        "acts": ACTS,
        "role_words": formats.role_words,
        "may": may,
        "look": place,
        **(source_preview.context(url, place, source_zones.known(typed.get("zone", ""))) if tested.ok and place else {}),
        "zones": source_zones.choices(typed.get("zone", ""), tested.zone),
        "typed": typed,
        "wrong": reasons(wrong),
        "tested": tested,
        "chosen": None if chosen is None else set(chosen),
        "read_only": bool(request.form.get("read_only")) if wrong else tested.read_only,
        "roles": sorted(access.rights().roles),
    }
    status = wrong.status if wrong else 200
    return area.page("settings/source_choice.html", "sources", context, status=status)


def reasons(wrong: ConsoleError | None) -> dict[str, str]:
    """Return the errors by field for the boxes; the others are shown above the form."""
    if wrong is None:
        return {}
    return {
        str(detail.get("field", "")): wrong.message if detail.get("reason") == "taken" else str(detail["reason"])
        for detail in wrong.details
    }


def _free_name(url: str) -> str:
    """Return an unused name made from the database's name."""
    taken = {head.name for head in sources.list_all(frame.actor())}
    return sources.suggested(url, taken)
