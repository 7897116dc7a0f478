"""What caused a run, in words for people."""

from collections.abc import Mapping
from typing import Any

NOBODY_HERE = "A former colleague"


def cause_words(cause: Mapping[str, Any], people: Mapping[str, str]) -> str:
    """One link of `caused_by` of the API, without a full stop; `people` are names by id."""
    person = people.get(cause["person"], NOBODY_HERE) if cause["person"] else ""
    match cause["kind"]:
        case "person":
            words = person
        case "key":
            words = f"A key of {person}"
        case "delivery":
            sender = f"a key of {person}" if person else "a signature" if cause["signed"] else "no key"
            words = f"A delivery with {sender}"
        case "schedule":
            words = "A schedule"
        case "change" | "tag":
            what = "change" if cause["kind"] == "change" else "tag"
            words = f"A {what} {f'by {person}' if person else 'by a run' if cause['run'] else 'made outside'}"
        case "run":
            words = f"A run{f', taken on by {person}' if person else ''}"
        case _:
            words = "Made outside"
    return f"{words} from {cause['address']}" if cause["address"] else words
