"""Which of the documents beside a run are meant: those of a record, or those that were handed in under a name."""

from collections.abc import Sequence
from typing import Any

from console import records
from console.auth import access
from console.core import media
from console.core.actor import Actor
from console.core.errors import NotFound
from console.documents.viewed_documents import Document, documents_of_run, of_records, title_for
from console.infra.files import Stored
from console.runs.commands import attachments
from console.runs.commands.run_rights import see
from console.steps.base import AtHand


def of_item(actor: Actor, run_id: str, item: AtHand) -> list[Document]:
    """The papers of one item of a list: those that its step names, else those of its record and of what belongs to that, or the files that stand in its values.

    Raises NotFound for a run that is not this actor's to see.
    """
    run = see(actor, run_id).run
    about = (run.collection, run.record)
    if item.documents is not None:
        return files_by_name(actor, run_id, about, item.documents)
    if item.collection is not None:
        own = of_record(actor, run_id, about, item.collection, item.key)
        refs = {document.ref for document in own}
        return [
            *own,
            *(record for record in of_records(actor, item.collection, item.key) if record.ref not in refs),
        ]
    return files_by_name(actor, run_id, about, _files_in(item.values))


def of_record(
    actor: Actor, run_id: str, about: tuple[str | None, str | None], collection: str, key: str
) -> list[Document]:
    """The files that this record names. `about` is what the run is about: (collection, key)."""
    listed = [
        paper
        for paper in documents_of_run(actor, run_id, *about)
        if (paper.collection, paper.record) == (collection, key)
    ]
    return listed or _of_record(actor, collection, key)


def files_by_name(
    actor: Actor, run_id: str, about: tuple[str | None, str | None], wanted: Any
) -> list[Document]:
    """Files, or what was handed in under these names: of a name the files of the newest request for it."""
    sent = _newest(attachments.files_of_draft(actor, run_id), _names(wanted))
    return [paper for paper in documents_of_run(actor, run_id, *about) if paper.ref in sent]


def _of_record(actor: Actor, collection_id: str, key: str) -> list[Document]:
    """Documents of a record that the list beside the run leaves out, because there are many."""
    if not access.can(actor, None, f"collection:{collection_id}", "read"):
        return []
    scope = access.scope_for(actor, collection_id, "read")
    collection = records.collection(collection_id)
    columns = [column for column in collection.readable(scope) if column.type == "file"]
    try:
        row = records.get(collection_id, key, scope) if columns else None
    except NotFound:
        return []
    return [
        Document(
            f"{collection_id}:{column.name}:{key}",
            title_for(actor, collection, row),
            "",
            collection=collection_id,
            record=key,
            column=column.name,
        )
        for column in columns
        if row is not None and row.values.get(column.name)
    ]


def _names(given: Any) -> set[str]:
    entries = given if isinstance(given, list) else [given]
    return {
        str(entry["file"]) if media.is_value(entry) else entry
        for entry in entries
        if media.is_value(entry) or isinstance(entry, str)
    }


def _newest(sent: Sequence[Stored], names: set[str]) -> set[str]:
    """Ids of the files that are meant: of those under a name the ones of the newest request for it."""
    last = {stored.slot: stored.request for stored in sent}
    return {
        paper.id
        for paper in sent
        if paper.id in names or (paper.slot in names and paper.request == last[paper.slot])
    }


def _files_in(value: Any) -> list[Any]:
    """Every file that stands in a value, as a file or by its id."""
    if media.is_value(value) or (isinstance(value, str) and value.startswith("fil_")):
        return [value]
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [file for entry in entries for file in _files_in(entry)]
