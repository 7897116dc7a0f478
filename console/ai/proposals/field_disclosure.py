"""How a field's value is given to a model, and whether our staff wrote it: as the collection says, else by type and name."""

from collections.abc import Mapping
from typing import Any

from console import records
from console.core.documents.collections import Collection
from console.core.documents.collections.treatment import least, secret, treatment_for, usual
from console.core.origins import ANY, base_collection_id
from console.core.proposal_types import Treatment
from console.core.run import Run
from console.runs.store import version_origins


def of_field(collection: Collection, name: str) -> Treatment:
    """How this field's value is given to a model."""
    of_collection = collection.by_name.get(name) or collection.field(name)
    if of_collection is None or of_collection.hidden:
        return "never"
    return treatment_for(of_collection.ai, "full", closed=secret(name, of_collection.stored))


def of_typed(name: str, kind: str) -> Treatment:
    """How a value is given to a model that was typed into a form and belongs to no field of a record."""
    return treatment_for(None, usual(name, kind), closed=secret(name))


def of_outputs(run: Run, step: str) -> Mapping[str, Treatment]:
    """How the values of a step are given to a model that were computed from fields of records it does not get as they are; `ANY` for all of them."""
    origins = version_origins.origins_of(run.workflow, run.version).made.get(step, {})
    known = {each.id: each for each in records.collections()}

    def of_origin(collection: Collection | None, name: str) -> Treatment:
        if collection is None:
            return "full"
        names = [each for each in collection.by_name if name in (each, ANY)]
        return least(of_field(collection, each) for each in names)

    return {
        name: least(
            of_origin(known.get(base_collection_id(collection)), field) for collection, field in found
        )
        for name, found in origins.items()
    }


def typed_fields(config: Any) -> Mapping[str, str]:
    """Fields of a step's own form: name → type."""
    entries = [entry for place in ("form", "fields") for entry in getattr(config, place, None) or ()]
    return {entry.name: entry.type for entry in entries if hasattr(entry, "name") and hasattr(entry, "type")}


def is_written_by_us(collection: Collection, name: str) -> bool:
    """Whether our staff or our code wrote what stands in this field, and not customers or other systems."""
    of_collection = collection.field(name)
    return of_collection is not None and of_collection.author != "customer"
