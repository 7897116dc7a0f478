"""How the log names records: by their key or, where the key itself is personal (an IBAN), by a random name that an erasure takes away."""

from console.core.documents.collections import Collection
from console.core.errors import Conflict
from console.infra import subjects
from console.records import catalogue


def log_reference(collection: Collection, key: str) -> str:
    """How the log refers to the record: by key, or by a random reference if the key itself is personal."""
    return subjects.ref(collection.id, key) if collection.personal_key else key


def reference_in_log(collection_id: str | None, key: str | None) -> str | None:
    """How the log refers to a record, by the id of its collection. A record of a collection that is no longer connected gets a random reference: nobody knows what its key was."""
    if collection_id is None or key is None:
        return None
    found = catalogue.find(collection_id)
    return subjects.ref(collection_id, key) if found is None else log_reference(found, key)


def require_plain_key(collection_id: str) -> None:
    """Raise Conflict `not_possible` where the keys of the collection's records are personal: runs and enrolments name their record openly."""
    found = catalogue.find(collection_id)
    if found is not None and found.personal_key:
        raise Conflict(
            "Runs cannot be about these records: their key is itself personal. Start from the record that they belong to.",
            code="not_possible",
        )
