"""The record that a sender names by another field than its key: an e-mail address, a telephone number, a number of the sender's own."""

from collections.abc import Mapping, Sequence

from console import formats, records
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, Invalid, SourceDown
from console.core.filters import ANY_CASE, Test
from console.core.plain_words import uncapitalised
from console.core.run.origin import RecordRef
from console.core.scopes import Scope
from console.messaging.messages import inbound

ENOUGH = 2


def find_record(actor: Actor, collection_id: str, scope: Scope, field_name: str, value: object) -> RecordRef:
    """The one record within this scope of which the field has the value. Raises Invalid where none has, or several have; SourceDown."""
    collection = records.collection(collection_id)
    field = collection.by_name.get(field_name)
    one, label = uncapitalised(collection.label_one), field.label if field is not None else field_name
    if isinstance(value, Mapping | list | bool):
        raise Invalid(
            f"The {label} was not sent as a text, but as {_named(value)}: nothing was started.",
            at=("record", f"{label} is sent as a text."),
        )
    text = "" if value is None else str(value).strip()
    if not text or "\x00" in text:
        raise Invalid(
            f"The {label} was not sent, by which the {one} is looked for.",
            at=("record", f"{label} is needed."),
        )
    readable = field is not None and not scope.nothing and field_name not in scope.hidden
    keys = _keys(actor, collection, scope, field_name, text) if readable else []
    if not keys:
        raise Invalid(
            f"No {one} has the {label} that was sent: nothing was started.",
            at=("record", f"No {one} has this {label}."),
        )
    if len(keys) > 1:
        several = f"More than one {one} has the {label} that was sent: nothing was started. Make it unique, or send the key."
        raise Invalid(several, at=("record", f"More than one {one} has this {label}."))
    return RecordRef(collection_id, keys[0])


def _named(value: object) -> str:
    """What kind of JSON this is."""
    if isinstance(value, bool):
        return "yes or no"
    return "a list" if isinstance(value, list) else "an object"


def _keys(actor: Actor, collection: Collection, scope: Scope, name: str, text: str) -> Sequence[str]:
    """The keys of at most two records with this value; addresses and numbers however they are written."""
    field, contact = collection.by_name[name], collection.contact
    kind = (
        "email"
        if contact is not None and name == contact.email
        else "sms"
        if contact is not None and name == contact.phone
        else None
    )
    try:
        if kind is not None:
            return inbound.keys_by_address(collection, name, kind, text, ENOUGH, scope)
        told = formats.typed(formats.kind(field), [text], formats.Look.of(actor))
        test = Test(name, ANY_CASE, [text.lower()]) if field.type == "email" else Test(name, "eq", told)
        return [str(row.key) for row in records.page(collection.id, scope, where=test, limit=ENOUGH).rows]
    except SourceDown:
        raise
    except ConsoleError:  # no value of such a field
        return []
