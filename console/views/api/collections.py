"""Collections and their records as JSON."""

import json
from typing import Any, Literal

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import actions, browse, log
from console.actions import record_changes
from console.browse import BrowseQuery, list_files
from console.browse.list_files import ListFile
from console.core.errors import Malformed, NotFound
from console.views import downloads
from console.views.api import idempotency, listing, spelled
from console.views.api.operation import Done, Example, Media, Paged, Sent, operation, parse_query, read
from console.views.api.shapes import Collection, CollectionHead, Export, Listed, Record, Records

blueprint = Blueprint("api_collections", __name__, url_prefix="/api/v1")

CUSTOMER = {"collection": "customer"}


class Wanted(Paged):
    """Filters and order of records."""

    segment: str | None = Field(None, description="Id of a segment of the collection")
    filter: str | None = Field(None, description="Conditions as JSON, or in the search syntax")
    q: str | None = Field(None, description="Words to look for")
    sort: str | None = Field(
        None, description="A field, with - before it for descending; several with commas"
    )
    inside: Literal["0", "1"] = Field(
        "0",
        description="1: look for `q` in every row, however large the table is, and not only through its indexes",
    )
    count: Literal["0", "1"] = Field("0", description="1: say how many there are, in `total`")


class NewRecord(Sent):
    """Values of a new record; the database's defaults for the others."""

    values: dict[str, Any]


class ExportedList(Sent):
    """Which records of a collection go into a file, and how."""

    filter: str | dict[str, Any] | None = Field(
        None, description="Conditions as JSON, or in the search syntax; none: all records"
    )
    segment: str | None = None
    q: str | None = None
    sort: str | None = None
    columns: list[str] | None = Field(None, description="Fields in order; none: those of the list")
    format: Literal["csv", "xlsx"] = "csv"


class GoneRecord(Sent):
    """Expected values of the record to delete."""

    expected: dict[str, Any] = Field(
        default_factory=dict,
        description="Field → what you saw; where it is something else now, nothing is deleted",
    )


class ChangedRecord(Sent):
    """New values, and the expected old ones."""

    values: dict[str, Any]
    expected: dict[str, Any] = Field(
        default_factory=dict,
        description="Field → what you saw; where it is something else now, nothing is written",
    )


@blueprint.get("/collections")
@operation("listCollections", "collection.browse", Listed[CollectionHead], query=Paged)
def collections() -> ResponseReturnValue:
    """Every collection that the caller may browse."""
    wanted = parse_query(Paged)
    readable = browse.collections(g.actor)
    start = (
        next((at + 1 for at, each in enumerate(readable) if each.id == wanted.after), None)
        if wanted.after
        else 0
    )
    if start is None:
        raise Malformed(
            "The cursor is not one of ours; begin at the first page.",
            at=("after", "Not a cursor of this list."),
        )
    page = readable[start : start + wanted.limit]
    return listing(
        [each.head() for each in page], page[-1].id if start + wanted.limit < len(readable) else None
    )


@blueprint.get("/collections/<collection>")
@operation("getCollection", "collection.browse", Collection, example=Example(CUSTOMER))
def collection(collection: str) -> ResponseReturnValue:
    """One collection: its fields, relations, segments and actions."""
    done = [{"id": action.id, "label": action.title} for action in actions.offered(g.actor, collection)]
    return browse.describe(g.actor, collection) | {"actions": done}


@blueprint.get("/collections/<collection>/records")
@operation(
    "findRecords",
    "collection.read",
    Records,
    query=Wanted,
    example=Example(CUSTOMER, {"sort": "-id", "limit": 10, "count": "1"}),
)
def records(collection: str) -> ResponseReturnValue:
    """A page of records in the caller's scope; with `count=1` also their number."""
    wanted = parse_query(Wanted)
    query = BrowseQuery(
        segment=wanted.segment or None,
        filter=wanted.filter or None,
        q=wanted.q or None,
        sort=wanted.sort or None,
        limit=wanted.limit,
        after=wanted.after or None,
        count="exact" if wanted.count == "1" else None,
        inside=wanted.inside == "1",
    )
    page = browse.page(g.actor, collection, query)
    more: dict[str, Any] = {} if page.total is None else {"total": page.total}
    if page.reach in ("beginnings", "exact"):
        more["searched"] = page.reach
    return listing([row.to_json() for row in page.rows], page.next, **more)


@blueprint.get("/collections/<collection>/records/<key>")
@operation("getRecord", "collection.read", Record, example=Example(CUSTOMER | {"key": "17"}))
def record(collection: str, key: str) -> ResponseReturnValue:
    """One record with the fields that the caller may read."""
    return browse.record(g.actor, collection, key).record.to_json()


def _added(done: Done) -> dict[str, Any] | None:
    """Return the new record as the caller may read it now. Raises WriteUnknown if it is unknown whether it was added."""
    if done.chain is None:
        return None
    [event] = log.events_of(done.chain, after=done.number - 1, limit=1, opened=False)
    return record_changes.added(g.actor, (request.view_args or {})["collection"], event).to_json()


@blueprint.post("/collections/<collection>/records")
@operation(
    "addRecord",
    "collection.create",
    {201: Record},
    body=NewRecord,
    again=_added,
    example=Example(
        CUSTOMER,
        body={
            "values": {"display_name": "Ana Petrauskė", "desk": "retail", "email": "ana@customers.example"}
        },
    ),
)
def add(collection: str) -> ResponseReturnValue:
    """Add a record in the caller's scope; 409 `exists` if the database has such a record."""
    read(NewRecord, Malformed)
    return record_changes.create(g.actor, collection, spelled("values")).to_json(), 201


@blueprint.delete("/collections/<collection>/records/<key>")
@operation(
    "deleteRecord",
    "collection.delete",
    {204: None},
    body=GoneRecord,
    refuses=(409,),
    example=Example(CUSTOMER | {"key": "17"}, body={"expected": {"desk": "retail"}}),
)
def delete(collection: str, key: str) -> ResponseReturnValue:
    """Delete a record if it still has the expected values; 409 `in_use` if other records refer to it."""
    read(GoneRecord, Malformed)
    record_changes.delete(g.actor, collection, key, spelled("expected"))
    return "", 204


@blueprint.patch("/collections/<collection>/records/<key>")
@operation(
    "changeRecord",
    "collection.update",
    Record,
    body=ChangedRecord,
    example=Example(
        CUSTOMER | {"key": "17"}, body={"values": {"email": "new@customers.example"}, "expected": {}}
    ),
)
def change(collection: str, key: str) -> ResponseReturnValue:
    """Set fields of a record if it still has the expected values; 409 with `theirs` for each field that changed."""
    read(ChangedRecord, Malformed)
    return browse.change(g.actor, collection, key, spelled("values"), spelled("expected")).to_json()


def _export(found: ListFile) -> dict[str, Any]:
    href = f"/api/v1/exports/{found.id}/file" if found.ready else None
    return found.progress_json() | {"href": href}


def _export_asked_for(done: Done) -> dict[str, Any] | None:
    """Return the file that was asked for, if it is still kept."""
    return _export(list_files.get(g.actor, done.made)) if done.made else None


@blueprint.post("/collections/<collection>/exports")
@operation(
    "exportRecords",
    "collection.export",
    {202: Export},
    body=ExportedList,
    again=_export_asked_for,
    example=Example(
        CUSTOMER,
        body={"filter": {"field": "desk", "op": "eq", "value": "retail"}, "format": "csv"},
    ),
)
def ask_export(collection: str) -> ResponseReturnValue:
    """Have records written into a file in the background; poll `getExport` until it is `done`. It is kept for a day."""
    wanted = read(ExportedList, Malformed)
    condition = json.dumps(wanted.filter) if isinstance(wanted.filter, dict) else wanted.filter
    description = browse.describe(g.actor, collection)
    known = {field["name"] for field in description["fields"]}
    if strange := [name for name in wanted.columns or () if name not in known]:
        reason = f"There is no field {strange[0]}."
        raise Malformed(reason, at="columns")
    usual = browse.browsed_collection(g.actor, collection)[0].columns
    query = BrowseQuery(
        segment=wanted.segment or None,
        filter=condition or None,
        q=wanted.q or None,
        sort=wanted.sort or None,
        fields=tuple(wanted.columns) if wanted.columns is not None else usual,
    )
    export_id = list_files.ask(g.actor, collection, query, wanted.format)
    idempotency.name_result(export_id)
    return _export(list_files.get(g.actor, export_id)), 202


@blueprint.get("/exports/<export_id>")
@operation("getExport", "collection.export", Export)
def get_export(export_id: str) -> ResponseReturnValue:
    """How far a file of the caller is, and where it can be fetched."""
    return _export(list_files.get(g.actor, export_id))


@blueprint.get("/exports/<export_id>/file")
@operation("getExportFile", "collection.export", Media("*/*", "The file itself"), refuses=(403,))
def export_file(export_id: str) -> Response:
    """The file, for the caller who asked for it; 404 until it is done, and after its day."""
    found = list_files.get(g.actor, export_id)
    if not found.ready:
        raise NotFound("This file is not ready.")
    return downloads.stream(found.name, list_files.parts(g.actor, export_id))
