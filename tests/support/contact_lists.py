"""Columns of files of contacts, chosen as a person chooses them on the page: none is taken for consent by itself."""

from collections.abc import Mapping
from dataclasses import replace

from console.core.actor import Actor
from console.messaging.imports import contact_files, import_batches
from console.messaging.imports.import_batches import Import

COLUMNS: Mapping[str, str] = {
    "sms consent": "consent:sms",
    "call consent": "consent:call",
    "call by an ai consent": "consent:ai_call",
    "e-mail consent": "consent:email",
    "unsubscribed": "optout:every",
    "unsubscribed at": "optout:every",
    "do not contact": "optout:every",
    "status": "optout:every",
    "bounced": "optout:email",
    "e-mail opt out": "optout:email",
    "sms opt out": "optout:sms",
}
"""Heading → what a person chooses for it."""
AGREEING = {"yes": "yes", "x": "yes", "no": "no", "opted out": "opted out", "unsubscribed": "opted out"}
REFUSING = {
    "yes": "opted out",
    "x": "opted out",
    "1": "opted out",
    "unsubscribed": "opted out",
    "no": "no",
    "0": "no",
    "active": "no",
}


def chosen(actor: Actor, found: Import, columns: Mapping[str, str] = COLUMNS) -> Import:
    """The file looked at again with these columns about consent and what their words mean; as it is where it has none of them."""
    named, _ = contact_files.sample(found.question.file, actor.id)
    picked = {
        str(number): columns[heading.casefold()]
        for number, heading in enumerate(named)
        if heading.casefold() in columns
    }
    if not picked:
        return found
    meanings = {
        number: AGREEING if name.startswith("consent:") else REFUSING for number, name in picked.items()
    }
    asked = replace(
        found.question,
        columns={**found.question.columns, **picked},
        meanings={**found.question.meanings, **meanings},
    )
    return import_batches.look_again(actor, found.id, asked)
