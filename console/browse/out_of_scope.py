"""What the log says of a record that somebody asked for and that their scope hides. The answer is that of a record that does not exist."""

from typing import Any

from console import records
from console.auth import access
from console.core import scopes
from console.core.errors import ConsoleError
from console.infra import subjects


def target(collection_id: str, key: str) -> dict[str, Any] | None:
    """How an event names the record, with its label and the subject with whose data a personal key is erased; None if there is no such record."""
    try:
        collection = records.collection(collection_id)
        found = records.get(collection_id, key, scopes.unrestricted(collection_id))
        whose = records.subject(collection_id, key) if collection.personal_key else None
    except ConsoleError:
        return None
    return {
        "source": collection.source,
        "collection": collection_id,
        "record": records.log_reference(collection, key),
        "label": access.label_of(f"collection:{collection_id}", found.values),
        "subject": subjects.subject_of(*whose) if whose else None,
    }
