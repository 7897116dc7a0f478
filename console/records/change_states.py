"""In which state a record is, as far as the columns say by which its changes are found."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from console.core.documents.collections import Collection


def change_state(collection: Collection, key: str, values: Mapping[str, Any]) -> str | None:
    """A fingerprint of the record's key and those columns: another one after each change. None where no column says so, or these values lack one."""
    changes = collection.changes
    names = (
        [name for name in (changes.column, changes.deleted) if name is not None]
        if changes is not None
        else []
    )
    if not names or any(name not in values for name in names):
        return None
    return hashlib.sha256(
        json.dumps([key, *(values[name] for name in names)], default=str).encode()
    ).hexdigest()[:20]
