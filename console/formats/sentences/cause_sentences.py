"""What caused a run, in words for people."""

from collections.abc import Mapping
from typing import Any

NOBODY_HERE = "a former colleague"


def cause_words(cause: Mapping[str, Any], people: Mapping[str, str]) -> str:
    """One link of `caused_by` of the API, without a full stop; `people` are names by id."""
    person = people.get(str(cause["person"]), NOBODY_HERE) if cause["person"] else ""
    match cause["kind"]:
        case "person":
            words = person
        case "key":
            words = f"a key of {person}"
        case "delivery":
            words = f"a delivery with a key of {person}" if person else "a signed delivery"
        case "schedule":
            words = "a schedule"
        case "change" | "tag":
            what = "change" if cause["kind"] == "change" else "tag"
            words = f"a {what} by {person or 'a run'}" if person or cause["run"] else f"a {what} made outside"
        case "run":
            words = f"a run of {person}" if person else "a run"
        case _:
            words = "a change made outside"
    return f"{words} from {cause['address']}" if cause["address"] else words
