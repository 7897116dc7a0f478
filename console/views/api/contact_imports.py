"""Contacts from a file as JSON: look at what each line would become, import it, and follow that."""

import io
from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.core.errors import NotFound
from console.infra.jobs.background import RUNNING
from console.messaging.imports import import_batches, imports
from console.views.api import idempotency, listing
from console.views.api.operation import Asked, Done, Example, Limit, Sent, Whole, operation, parse_query, read
from console.views.api.shapes import ContactImport, ImportCounts, LeftOut, Listed

blueprint = Blueprint("api_contact_imports", __name__, url_prefix="/api/v1")
STOPPING = "Somebody stopped it; the lines that were begun are still written."
PLACE = {"collection": "contact"}
ONE = PLACE | {"import_id": "imp_01jd0000000000000000000000"}


class SentContacts(Sent):
    """A CSV file of contacts, with a heading or without one; its columns are known by their names and labels, and by usual English words; none is taken for consent unless `columns` says so."""

    csv: str = Field(description="Up to the size of a request: send a larger file in several, or on the page")
    columns: dict[str, str] | None = Field(
        None,
        description="Heading → field, or `consent:email`, `optout:email`, `optout:every` and alike; an empty text: not used",
    )
    meanings: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Heading → a word in its cells → what it means: an option's value (an empty text: left empty); about consent yes, no, opted out. `*`: every other word",
    )
    match: str | None = Field(
        None,
        description="Field by which contacts that are there are found; without: the key, an e-mail address, a number",
    )
    change: bool = Field(
        False, description="Those who are there get what the file says; else their lines are left out"
    )
    values: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields that are the same for all who are added, where no column tells them or its cell is empty",
    )
    agreed: list[str] = Field(
        default_factory=list,
        description="Channels that everybody in the file agreed to: email, sms, call, ai_call, chat",
    )
    consent: dict[str, Any] = Field(
        default_factory=dict,
        description="What else is kept of the consents and stands in no column, such as source",
    )
    tags: list[str] = Field(
        default_factory=list,
        description="Tags that all in the file get, beside those of a column that is `console:tags`",
    )
    no_takes_back: bool = Field(
        False,
        description="A plain no in a column of consent takes back what they agreed to before; else it only gives no consent",
    )
    preview: bool = Field(False, description="Tell what would become of each line and change nothing")


class WantedLines(Asked):
    """Lines that were left out."""

    limit: Limit = 50
    after: Whole | None = Field(None, ge=0)


def _begun(done: Done) -> dict[str, Any] | None:
    """Return the import that the request began."""
    return _shown(import_batches.get(g.actor, done.made)) if done.made else None


def _shown(found: import_batches.Import) -> dict[str, Any]:
    unknown = [
        {"column": int(number) + 1, "word": word, "lines": lines}
        for number, words in found.unknown.items()
        for word, lines in words.items()
    ]
    unused, perhaps_consent = imports.unused_columns(found.question, g.actor.id)
    stopping = {"status": RUNNING, "why": STOPPING} if found.stopping else {}
    return (
        found.progress_json()
        | stopping
        | {
            "preview": found.preview,
            "counts": {name: getattr(found, name) for name in ImportCounts.model_fields},
            "columns": {str(int(number) + 1): name for number, name in found.question.columns.items()},
            "match": found.question.match,
            "unused": unused,
            "perhaps_consent": perhaps_consent,
            "unknown": unknown,
        }
    )


def _import_of(collection: str, import_id: str) -> import_batches.Import:
    found = import_batches.get(g.actor, import_id)
    if found.collection != collection:
        raise NotFound("There is no such import.")
    return found


@blueprint.post("/contacts/<collection>/imports")
@operation(
    "importContacts",
    "collection.create",
    {202: ContactImport},
    body=SentContacts,
    again=_begun,
    example=Example(
        PLACE,
        body={"csv": "Name,E-mail,Stage\nZoë Müller,zoe@post.example,new\n", "preview": True},
    ),
)
def import_contacts(collection: str) -> ResponseReturnValue:
    """Import a file of contacts in the background; each line is judged and logged as if typed. `preview` changes nothing."""
    sent = read(SentContacts)
    same = (
        sent.consent
        | {f"{imports.ALL}{name}": value for name, value in sent.values.items()}
        | {
            imports.EVERYONE: sent.agreed,
            imports.NO_TAKES_BACK: sent.no_takes_back,
            imports.TAGS: ",".join(sent.tags),
        }
    )
    file = io.BytesIO(sent.csv.encode("utf-8", "replace"))
    begun = import_batches.send(
        g.actor,
        collection,
        file,
        headings=sent.columns or {},
        match=sent.match,
        change=sent.change,
        same=same,
        preview=sent.preview,
        meanings=sent.meanings,
    )
    idempotency.name_result(begun.id)
    return _shown(begun), 202


@blueprint.get("/contacts/<collection>/imports/<import_id>")
@operation("getContactImport", "collection.create", ContactImport, example=Example(ONE))
def get_import(collection: str, import_id: str) -> ResponseReturnValue:
    """How far an import is, and what came of its lines so far. Only who sent the file sees it."""
    return _shown(_import_of(collection, import_id))


@blueprint.get("/contacts/<collection>/imports/<import_id>/rows")
@operation(
    "listContactImportRows", "collection.create", Listed[LeftOut], query=WantedLines, example=Example(ONE)
)
def rows(collection: str, import_id: str) -> ResponseReturnValue:
    """The lines that were left out, or would be, each with the reasons."""
    wanted = parse_query(WantedLines)
    told = import_batches.refused(
        _import_of(collection, import_id).id, wanted.after or 0, limit=wanted.limit + 1
    )
    page = [{"line": number, "reasons": reasons} for number, reasons in told[: wanted.limit]]
    return listing(page, str(page[-1]["line"]) if len(told) > wanted.limit else None)
