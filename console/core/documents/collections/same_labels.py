"""Collections that are called alike, told apart by what stands beside their label."""

from collections.abc import Sequence
from dataclasses import replace

from console.core.documents.collections.labels import one_of
from console.core.documents.collections.model import Collection
from console.core.plain_words import humanised


def told_apart(made: dict[str, Collection]) -> dict[str, Collection]:
    """The collections. Where several sources have one of this label ("Customer", "Customers"), the source stands beside it; so do schema and table where needed."""
    alike: dict[str, list[Collection]] = {}
    for one in made.values():
        alike.setdefault(one_of(one.label).casefold(), []).append(one)
    for several in alike.values():
        for one in several if len(several) > 1 else ():
            if beside := _beside(one, several):
                made[one.id] = replace(one, label=f"{one.label} ({beside})", plain_label=one.label)
    return made


def _beside(one: Collection, alike: Sequence[Collection]) -> str:
    """What tells a collection from others that are called alike: its source, its schema, its table, as far as needed; "" where nothing is."""
    words = [humanised(one.source)] if any(other.source != one.source for other in alike) else []
    schemas = [
        other.schema
        for other in alike
        if other.source == one.source and other.label.casefold() == one.label.casefold()
    ]
    if one.schema and len(set(schemas)) > 1:
        words.append(humanised(one.schema))
    if schemas.count(one.schema) > 1:
        words.append(one.table)
    return ", ".join(words or [one.table] * (len(schemas) > 1))
