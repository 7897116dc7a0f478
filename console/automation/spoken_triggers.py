"""What triggers wait for, in words."""

from console import records
from console.core import schedule
from console.core.documents.triggers import Trigger
from console.core.documents.triggers_check import EVENTS
from console.errors import NotFound

ASKED = {
    "manual": "When somebody starts it by hand",
    "record": "When somebody starts it from a record",
    "api": "When a program asks, with a key",
    "mcp": "When an assistant asks, with a key",
}


def trigger_words(definition: Trigger) -> str:
    """What the trigger waits for, in words."""
    match definition.kind:
        case "schedule":
            return schedule.spoken(definition.cron or "") or "At the times of a schedule"
        case "event":
            return EVENTS.get(definition.on or "", "An event") + _of_collection(definition.collection)
        case "webhook":
            return "When another program calls an address"
    return ASKED[definition.kind]


def _of_collection(collection: str | None) -> str:
    if collection is None:
        return ""
    try:
        return f": {records.collection(collection).label}"
    except NotFound:
        return ""
