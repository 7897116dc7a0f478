"""Relations that a database does not know of: offered by names and kinds, checked by a sample. Somebody accepts them; nothing happens by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from console import records
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, likely_relations
from console.core.errors import ConsoleError
from console.sources import source_store

MOST, FEWEST = 300, 3
NEARLY = 0.9
"""Columns of a source that are looked at, values that show something, and the part of a sample that has to be found there."""


@dataclass(frozen=True, slots=True)
class Likely:
    """A column, the collection that it seems to lead to, and how many of the sampled values are keys there."""

    collection: Collection
    field: Field
    target: Collection
    found: int
    sampled: int

    @property
    def sure(self) -> bool:
        """Whether the sample says enough to tick it beforehand."""
        return self.found == self.sampled >= FEWEST

    @property
    def name(self) -> str:
        """What stands for it in a form."""
        return f"{self.collection.id} {self.field.name}"


def likely(name: str, *, by: Actor, only: Sequence[str] | None = None) -> list[Likely]:
    """The likely relations of a source, by collection; `only`: those of these names are sampled. Raises NotAllowed, SourceDown."""
    source_store.require_manager(by)
    tables = [each for each in records.collections() if each.source == name and each.kind == "table"]
    targets = likely_relations.Targets(tables)
    guesses = [(own, *guess) for own in tables for guess in likely_relations.likely(own, targets)]
    wanted = [guess for guess in guesses[:MOST] if only is None or f"{guess[0].id} {guess[1].name}" in only]
    return [found for own, field, targets in wanted if (found := _first(own, field, targets)) is not None]


def _first(own: Collection, field: Field, targets: Sequence[Collection]) -> Likely | None:
    """The first of these targets that the values of the column lead to."""
    for target in targets[:3]:
        try:
            found, sampled = records.share_of_keys(own, field, target)
        except ConsoleError:  # too slow, or locked: not offered
            continue
        if sampled and found >= NEARLY * sampled:
            return Likely(own, field, target, found, sampled)
    return None
