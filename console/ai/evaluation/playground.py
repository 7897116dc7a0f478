"""Preview of what a model would get of a record or text, made by the code of prompts, with the value behind each placeholder. Nothing is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import browse
from console.ai.prompt import rendered
from console.ai.proposals import field_disclosure
from console.ai.proposals.context import parted
from console.ai.proposals.options import house_key
from console.ai.proposals.prompt_pieces import Piece
from console.ai.proposals.saving import require
from console.ai.safety.redaction import PLACEHOLDER, redacted
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Invalid
from console.core.proposal_types import Ask

MOST_TEXT = 20_000
_ASK = Ask(purpose="propose", step="step", title="", type="", instruction="")


@dataclass(frozen=True, slots=True)
class Seen:
    """The text in parts, each with whether it is a placeholder; what placeholders stand for; and fields with what a model gets of them."""

    parts: Sequence[tuple[str, bool]]
    placeholders: Mapping[str, Any]
    fields: Sequence[tuple[str, str, str]] = ()


def of_record(actor: Actor, collection_id: str, key: str) -> Seen:
    """A record as the source that a prompt would have, within what the actor may read of it. Raises NotAllowed, NotFound, SourceDown."""
    require(actor)
    shown_record = browse.record(actor, collection_id, key)
    about = Piece(
        "record",
        shown_record.collection.label_one,
        shown_record.record.title,
        {},
        collection=collection_id,
        record=key,
    )
    values = {item.name: shown_record.record.values.get(item.name) for item in shown_record.fields}
    pieces = list(parted(about, shown_record.collection, values))
    ask = Ask(
        **{name: getattr(_ASK, name) for name in ("purpose", "step", "title", "type", "instruction")},
        sources=tuple(piece.source(f"s{at}") for at, piece in enumerate(pieces, 1)),
    )
    prompt = rendered(ask, house_key())
    text = "\n".join(line for line in prompt.user.splitlines() if line.startswith("<source"))
    return Seen(
        marked(text),
        prompt.restore.placeholders,
        _fields(shown_record.collection, [item.name for item in shown_record.fields]),
    )


def of_text(actor: Actor, text: str, collection_id: str = "") -> Seen:
    """A text that was pasted: JSON, lines `name: value`, or prose, which is treated as a note about a person. Names are those of the collection's fields.

    Raises NotAllowed, NotFound, Invalid.
    """
    require(actor)
    if not text.strip() or len(text) > MOST_TEXT or "\x00" in text:
        raise Invalid("Nothing was looked at.", at=("text", f"Paste 1 to {MOST_TEXT:,} characters."))
    collection = browse.browsed_collection(actor, collection_id)[0] if collection_id else None
    items = (
        [item for item in (*collection.stored_fields, *collection.computed_fields) if not item.hidden]
        if collection
        else []
    )
    treatments = (
        {item.name: field_disclosure.of_field(collection, item.name) for item in items} if collection else {}
    )
    redacted_text = redacted(
        text, treatments, key=house_key(), labels={item.name: item.label for item in items}
    )
    return Seen(
        marked(redacted_text.text),
        redacted_text.placeholders,
        _fields(collection, list(treatments)) if collection else (),
    )


def marked(text: str) -> list[tuple[str, bool]]:
    """The text in parts, placeholders and codes apart."""
    parts, at = [], 0
    for match in PLACEHOLDER.finditer(text):
        parts += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [(part, is_one) for part, is_one in [*parts, (text[at:], False)] if part]


def _fields(collection: Collection, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """(name, label, treatment) of fields of which a model does not get all."""
    fields = [
        (name, of_collection.label, field_disclosure.of_field(collection, name))
        for name in names
        if (of_collection := collection.by_name.get(name) or collection.field(name))
    ]
    return [(name, label, how) for name, label, how in fields if how != "full"]
