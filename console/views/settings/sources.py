"""Data sources: the list with their states, and connecting one step by step."""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from console import records, sources
from console.auth import access, accounts
from console.core.documents.collections import Collection
from console.core.documents.collections.field_guesses import MIDNIGHT
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.messaging.contacts import likely_contacts
from console.permissions import second_admin
from console.sources import Tested, addresses, connecting
from console.views import formats, frame
from console.views.forms import Button, Cell, Column, Field, Form, Group, Item, Lines, Table
from console.views.settings import area, source_preview, source_zones

blueprint = Blueprint("sources", __name__, url_prefix="/settings/sources")
KINDS = (("postgresql", "PostgreSQL"), ("mysql", "MySQL or MariaDB"), ("sqlite", "SQLite file"))
PORTS = {"data-ports": json.dumps(addresses.PORTS)}
MOST_HIDDEN, MOST_LISTED = 40, 200
CHOSEN = ("kept", "name", "which", "look", "zone")
URL_HINT = (
    "postgresql://user:password@host/database, mysql://…, sqlite:////path/file.db. It counts instead of the fields above; "
    "special characters of a password are percent-encoded."
)
NAME_HINT = "Its collections are called by it: name.table. Letters, digits, - and _; it stays."
MAY_HINT = "Browse lets a role see lists and records. Nothing is given that is not ticked; it can be changed later under Settings, Permissions."
READ_ONLY = Field("read_only", "Read-only: nothing can be changed in it from here", "check", sent="1")
COLUMNS = ("Collection", Column("Table", "mono"), "Key", Column("Fields", "r"), Column("Relations", "r"))
VIEW = frame.Badge("view")
ACTS = (
    ("browse", "Browse"),
    ("update", "Change"),
    ("create", "Add"),
    ("delete", "Delete"),
    ("export", "Export"),
)
"""What a role may be given here, as rows of the policy and as words; `browse` includes reading single records."""


@blueprint.get("")
def show() -> Response:
    """Show every source; without one, the link to connect the first."""
    under_way = [(one, _followed(one.id, one.name)) for one in connecting.all_under_way(frame.actor())]
    return area.page(
        "settings/sources.html",
        "sources",
        {"sources": sources.list_all(frame.actor()), "under_way": under_way},
    )


def address_items(kinds: Iterable[tuple[str, str]], kept: str = "", *, by_url: bool = False) -> list[Item]:
    """Return the fields of a database's address; `kept` stands in the box of a password that need not be entered."""
    place = [
        Field(
            "host",
            "Host",
            hint="Name or address of the machine, as this machine knows it.",
            required=True,
            placeholder="db.example.com",
        ),
        Field("port", "Port", hint="Empty: the usual one.", css="short"),
    ]
    user = [
        Field(
            "user",
            "User",
            hint="One of its own for the console, with no more rights than people are to have through it.",
            required=True,
        ),
        Field("password", "Password", "password", placeholder=kept, autocomplete="new-password"),
    ]
    served = {"data-not-for": "sqlite"}
    return [
        Field("kind", "Kind of database", "radios", choices=kinds),
        Group(place, more=served),
        Field(
            "database",
            "Database, or path of the file",
            hint="A SQLite file by its whole path on the machine that runs the console.",
            required=True,
        ),
        Group(user, more=served),
        Group(
            [Field("encrypted", "Encrypted connections only", "check", sent="1")],
            kind="only",
            more={"data-only-for": "postgresql"},
        ),
        Group([Field("url", "URL", hint=URL_HINT)], "Or give the whole URL", "fold", open=by_url),
    ]


def _address_form(*, by_url: bool = False, kept: bool = False) -> Form:
    return Form(
        [
            Field("kept", kind="hidden"),
            *address_items(KINDS, "kept, as you typed it" if kept else "", by_url=by_url),
        ],
        {"kind": "postgresql"},
        "Continue",
        do="next",
        buttons=[Button("Test the connection", "test", "plug")],
        working="Connecting; at most a few seconds…",
        css="form card pad source-form",
        more=PORTS,
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form for the database's address. `do=test` tests the connection and stays; otherwise a working connection leads to the tables."""
    actor = frame.actor()
    sources.require_manager(actor)
    form, sealed = _address_form(by_url=bool(request.form.get("url"))), request.form.get("kept", "")
    if request.method != "POST":
        return _address_page(form)
    sent = form.read()
    form.values = sent | {"password": ""}
    former = addresses.unseal(actor.id, sealed)["url"] if sealed else ""
    try:
        url = sources.composed(sent, former)
        tested = sources.try_source(url, by=actor)
    except Invalid as wrong:
        form.error = wrong
        return _address_page(form)
    kept = addresses.seal(actor.id, {"url": url})
    if tested.ok and request.form.get("do") != "test":
        own = {role for role, _ in actor.roles} & access.rights().roles
        return _choice(
            url,
            {"kept": kept, "name": _free_name(url), "which": "all"},
            tested,
            may={role: {"browse"} for role in own},
        )
    form = _address_form(by_url=bool(sent["url"]), kept=True)
    form.values = sent | {"password": "", "kept": kept}
    if tested.trouble is not None:
        form.error = addresses.field_error(
            "url" if sent["url"] else tested.trouble.field, tested.trouble.happened
        )
    return _address_page(form, tested)


def _address_page(form: Form, tested: Tested | None = None) -> Response:
    context = {"form": form, "tested": tested, "shop": sources.demo_shop(), "step": 1}
    return area.page(
        "settings/source_new.html", "sources", context, heading="Connect a database", error=form.error
    )


@blueprint.post("/connect")
def connect() -> Response:
    """Show the tables, the name and who may use it; a POST connects the source."""
    actor = frame.actor()
    sources.require_manager(actor)
    typed = {name: request.form.get(name, "").strip() for name in CHOSEN if name in request.form}
    url = addresses.unseal(actor.id, typed.get("kept", ""))["url"]
    chosen = request.form.getlist("table") if typed.get("which") == "some" else None
    may = read_may()
    if request.form.get("do") == "look":
        return _choice(url, typed, sources.attempt(url), chosen=chosen, may=may)
    try:
        if chosen == [] or (chosen is None and not sources.attempt(url).own):
            raise addresses.field_error("table", "Choose at least one table.")
        if not may:
            raise addresses.field_error("may", "Choose at least one role that may browse.")
        terms = sources.Terms(
            read_only=bool(request.form.get("read_only")), zone=source_zones.read(typed.get("zone", ""))
        )
        name, many = typed.get("name", ""), len(sources.attempt(url).own) if chosen is None else len(chosen)
        if many > connecting.AT_ONCE:
            begun = connecting.ask(name, url, many, terms=terms, chosen=chosen, may=granted(may), by=actor)
            return frame.redirect_to(_followed(begun, name))
        made = sources.add(name, url, terms=terms, chosen=chosen, may=granted(may), by=actor)
    except (Invalid, Conflict) as wrong:
        return _choice(url, typed, sources.attempt(url), chosen=chosen, may=may, wrong=wrong)
    waiting = [each for each in second_admin.asked_by(actor) if each.about == typed["name"]]
    confirm = (
        f" {' or '.join(second_admin.who_confirms(waiting[0])[:3])} has to confirm what roles of your own may do."
        if waiting
        else ""
    )
    flash(f"{typed['name']} is connected: {len(made)} collections.{confirm}")
    return frame.redirect_to(f"/settings/sources/{typed['name']}/connected")


def read_may() -> dict[str, set[str]]:
    """Return what was ticked for each role."""
    return {
        role: acts
        for role in sorted(access.rights().roles)
        if (acts := set(request.form.getlist(f"may.{role}")))
    }


def may_table(may: Mapping[str, set[str]], hint: str = "") -> Lines:
    """Return a tick for each act of each role."""
    roles = sorted(access.rights().roles)
    columns = [Field("may.{row}", words, "check", key=act, sent=act) for act, words in ACTS]
    rows = {role: dict.fromkeys(may.get(role, ()), True) for role in roles}
    titles = {role: (formats.role_words(role), "") for role in roles}
    return Lines("may", "Permissions", columns, rows, hint, "small", titles, "Role")


def picker(tested: Tested, chosen: Container[str] | None, which: str) -> Markup:
    """Return the part of a form in which tables are picked; `chosen` None are those that no tool keeps for itself."""
    context = {"tested": tested, "chosen": chosen, "which": which}
    return Markup(frame.render("settings/source_picker.html", context))  # noqa: S704 (a template of ours)


@blueprint.route("/new/<connecting_id>", methods=["GET", "POST"])
def follow(connecting_id: str) -> Response:
    """Show how far the connecting of a large database is; a POST stops it, or tries again. Polled by the page, it answers 204 while nothing changed."""
    actor, name = frame.actor(), request.args.get("name", "")
    if request.method == "POST":
        if request.form.get("do") == "again":
            connecting.retry(connecting_id, by=actor)
        elif connecting.stop(connecting_id, by=actor):
            flash(f"{name} is not connected; nothing of it is kept.")
            return frame.redirect_to("/settings/sources")
        return frame.redirect_to(frame.present_address())
    one = connecting.find(connecting_id, by=actor)
    if one is None:
        records.forget()  # a worker has connected it, and this process may not know yet
        source_by_name(name)
        return frame.redirect_to(f"/settings/sources/{name}/connected")
    if (answer := frame.poll_answer(one)) is not None:
        return answer
    context = {"one": one, "url": _followed(one.id, one.name), "step": 2}
    return area.page(
        "settings/source_connecting.html",
        "sources",
        context,
        heading="Connect a database",
        blocks={"*": "progress"},
    )


def _followed(connecting_id: str, name: str) -> str:
    """Return the address that tells how far it is; the name in it leads on once it is connected."""
    return frame.with_query(f"/settings/sources/new/{connecting_id}", {"name": name})


def granted(may: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the acts of the policy for what was ticked: whoever may do anything with records sees them."""
    return {
        role: ["browse", "read", *(act for act, _ in ACTS if act != "browse" and act in acts)]
        for role, acts in may.items()
    }


def _people(connected: Iterable[Collection]) -> list[Collection]:
    """Return the collections whose records are likely people who can be written to, and of which nobody has said so yet."""
    every = {each.id: each for each in records.collections()}
    return [
        each for each in connected if each.contact is None and likely_contacts.likely(each, every) is not None
    ]


@blueprint.get("/<name>/connected")
def connected(name: str) -> Response:
    """Show what was connected, and offer a first workflow."""
    head, collections = source_by_name(name)
    usable = [each for each in collections if each.key and _may_browse(each.id)]
    first = min(
        usable,
        key=lambda table: (table.kind != "table", sources.likelihood(table.table), -len(table.fields)),
        default=None,
    )
    context = {
        "source": head,
        "collections": collections,
        "listed": Table(
            "Collections", COLUMNS, [_cells(each) for each in collections[:MOST_LISTED]], "small flush cards"
        ),
        "role_words": formats.role_words,
        "hidden": [
            (collection, field) for collection in collections for field in sources.hidden_fields(collection)
        ][:MOST_HIDDEN],
        "left_out": left_out(name, collections),
        "people": _people(collections)[:MOST_HIDDEN],
        "days": [
            (each, field) for each in collections for field in each.stored_fields if field.native == MIDNIGHT
        ][:MOST_HIDDEN],
        "odd": [(each, field) for each in collections for field in each.fields if field.likely_empty][
            :MOST_HIDDEN
        ],
        "rights": _rights(collections),
        "first": first,
        "form": _first_form(name, first, usable, _role_with_grant(collections)) if first else None,
        "most_listed": MOST_LISTED,
        "step": 3,
    }
    return area.page(
        "settings/source_connected.html",
        "sources",
        context,
        heading="Connected",
        trail=[(f"/settings/sources/{name}", name)],
    )


def _first_form(name: str, first: Collection, usable: list[Collection], role: str) -> Form:
    teams = [(team.id, team.name) for team in accounts.teams()]
    own_teams = [team for team in frame.actor().teams if team in dict(teams)]
    alike = {label for label, count in Counter(each.label for each in usable).items() if count > 1}
    named = [
        (each.id, f"{each.label} ({_place(each)})" if each.label in alike else each.label) for each in usable
    ]
    roles = [(each, formats.role_words(each)) for each in sorted(access.rights().roles)]
    items: list[Item] = [
        Group(
            [
                Field("collection", "On the records of", "select", choices=named),
                Field("role", "Started by", "select", choices=roles),
            ]
        )
    ]
    if teams:
        items.append(Field("team", "Team", "select", choices=teams, css="short"))
    return Form(
        items,
        {
            "collection": first.id,
            "role": role,
            "team": own_teams[0] if own_teams else teams[0][0] if teams else "",
        },
        "Make it and start",
        icon="player-play",
        action=f"/settings/sources/{name}/first",
        cancel=frame.collection_url(first.id),
        cancel_label=f"Open the list of {first.label}",
        css="form",
    )


def _place(collection: Collection) -> str:
    return f"{collection.schema}.{collection.table}" if collection.schema else collection.table


def _cells(collection: Collection) -> tuple[Any, ...]:
    return (
        Cell(collection.label, frame.collection_url(collection.id)),
        Cell(_place(collection), badge=VIEW if collection.kind == "view" else None),
        ", ".join(collection.key) or "none: lists only",
        len(collection.fields),
        len(collection.relations),
    )


def left_out(name: str, collections: list[Collection]) -> list[tuple[str, str]]:
    """(table, why) of what the database offers and is no collection; nothing where it does not answer now."""
    chosen, there = (
        sources.source_of(name).chosen,
        {(collection.schema, collection.table) for collection in collections},
    )
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
    _, collections = source_by_name(name)
    chosen = next(
        (collection for collection in collections if collection.id == request.form.get("collection")), None
    )
    if chosen is None or request.form.get("role") not in access.rights().roles:
        raise addresses.field_error("collection", "Choose a collection of this data source, and a role.")
    team = request.form.get("team")
    slug, run, why_not = sources.begin(
        frame.actor(),
        chosen.id,
        request.form["role"],
        team if team in {team.id for team in accounts.teams()} else None,
    )
    if run is not None:
        return frame.redirect_to(frame.run_url(run))
    flash(f"The workflow {slug} is published, and not started: {why_not}")
    return frame.redirect_to(
        frame.collection_url(chosen.id) if _may_browse(chosen.id) else f"/workflows/{slug}"
    )


def _may_browse(collection: str) -> bool:
    """Return whether the reader may open the list."""
    return access.can(frame.actor(), None, f"collection:{collection}", "browse")


def source_by_name(name: str) -> tuple[sources.SourceHead, list[Collection]]:
    """Return the source of that name and its collections. Raises NotFound, NotAllowed."""
    head = next((source for source in sources.list_all(frame.actor()) if source.name == name), None)
    if head is None:
        raise NotFound(f"There is no data source {name}.")
    return head, [collection for collection in records.collections() if collection.source == name]


def _role_with_grant(collections: list[Collection]) -> str:
    """Return the role that was granted the collections, according to the policy."""
    objects = {f"collection:{collection.id}" for collection in collections}
    given = [
        row.sub.removeprefix("role:")
        for row in access.all_rows()
        if row.obj in objects and row.act == "browse" and row.eft == "allow"
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
    seen = (
        source_preview.context(url, place, source_zones.zone_name(typed.get("zone", "")))
        if tested.ok and place
        else {}
    )
    preview = Markup(frame.render("settings/source_preview.html", {"tested": tested, "look": place, **seen}))  # noqa: S704 (a template of ours)
    clock = (
        f"The clock of the server is in {formats.zone_words(tested.zone, frame.look())}. "
        if tested.zone
        else ""
    )
    zone = source_zones.field(
        typed.get("zone", ""), f"{clock}Show three records again to see them so.", tested.zone
    )
    form = Form(
        [
            Field("kept", kind="hidden"),
            Field("name", "Name", hint=NAME_HINT, required=True),
            preview,
            zone,
            may_table(may, MAY_HINT),
            READ_ONLY,
            picker(tested, chosen, typed.get("which", "all")),
        ],
        {
            "zone": "UTC",
            **typed,
            "read_only": bool(request.form.get("read_only")) if wrong else tested.read_only,
        },
        "Connect",
        icon="plug-connected",
        do="connect",
        action="/settings/sources/connect",
        cancel="/settings/sources/new",
        working=f"Looking at {len(tested.tables):,} tables…",
        css="form card pad source-form",
        error=wrong,
    )
    context = {"form": form, "tested": tested, "step": 2}
    return area.page(
        "settings/source_new.html", "sources", context, heading="Connect a database", error=wrong
    )


def _free_name(url: str) -> str:
    """Return an unused name made from the database's name."""
    taken = {head.name for head in sources.list_all(frame.actor())}
    return sources.suggested(url, taken)
