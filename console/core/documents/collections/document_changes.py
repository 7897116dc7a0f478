"""Differences between two collection documents, and warnings about them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.core.documents.collections.model import Collection
from console.core.documents.collections.treatment import TREATMENTS

NAMED = {
    "segments": "id",
    "relations": "name",
    "sections": "label",
    "related": "relation",
    "options": "value",
}
"""Lists of objects → the key that identifies their entries."""

LOOSER = {
    "full": "a model gets its value as it is.",
    "masked": "a model gets a placeholder for it, and may propose it.",
    "hash": "a model gets a code for it, which tells equal from different.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A changed place of a document, as keys from the top, with former and present value; None if there is none."""

    place: tuple[str, ...]
    before: Any
    after: Any

    @property
    def path(self) -> str:
        """The place for people: `fields.email.label`."""
        return ".".join(self.place)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """All differences, in the order of the document; a new or removed entry is one change, also the first and the last of its kind."""
    return list(_changes((), before, after))


def _changes(place: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    key = NAMED.get(place[-1]) if place else None
    if place and (len(place) == 1 or (place[0] == "summary" and key)):
        before, after = (
            (_none_of(after) if before is None else before),
            (_none_of(before) if after is None else after),
        )
    ones, others = _by_name(key, before), _by_name(key, after)
    if ones is None or others is None:
        yield Change(place, before, after)
        return
    if key is not None and list(ones) != list(others) and sorted(ones) == sorted(others):
        yield Change((*place, "order"), list(ones), list(others))
    for name in [*others, *(name for name in ones if name not in others)]:
        if (name not in ones or name not in others) and place not in ((), ("summary",)):
            yield Change((*place, name), ones.get(name), others.get(name))
        else:
            yield from _changes((*place, name), ones.get(name), others.get(name))


def _none_of(said: Any) -> Any:
    """The empty object or list of what holds several parts; of anything else nothing."""
    return (
        {}
        if isinstance(said, Mapping)
        else []
        if isinstance(said, list) and any(isinstance(each, Mapping) for each in said)
        else None
    )


def _by_name(key: str | None, said: Any) -> dict[str, Any] | None:
    """The parts of an object, or of a list with named entries; None for anything else."""
    if isinstance(said, Mapping):
        return dict(said)
    if key is None or not isinstance(said, list):
        return None
    made = {str(entry.get(key)) if isinstance(entry, Mapping) else str(entry): entry for entry in said}
    return made if len(made) == len(said) else None


def worded(said: Any) -> str:
    """A part of a document as one line for people."""
    match said:
        case None:
            return "nothing"
        case bool():
            return "yes" if said else "no"
        case str():
            return said
        case list():
            return ", ".join(map(worded, said)) or "none"
        case Mapping():
            return "; ".join(f"{name.replace('_', ' ')}: {worded(each)}" for name, each in said.items())
    return json.dumps(said, ensure_ascii=False)


def warnings(before: Collection, after: Collection) -> list[str]:
    """Warnings before publishing: a required field that nobody could fill in, and changes of who may see what."""
    warnings_ = []
    for field in after.stored_fields:
        former = before.by_name.get(field.name)
        needed = field.required or not field.nullable
        if field.hidden and former is not None and not former.hidden:
            words = f"{field.label} is hidden from everybody, in lists, records, forms, the API and exports."
            if needed and not field.readonly:
                words = f"{field.label} must not be empty, and is hidden: whoever adds a record here cannot fill it in."
            warnings_.append(words)
        if (
            after.form is not None
            and field.name not in after.form
            and needed
            and (before.form is None or field.name in before.form)
            and not field.hidden
        ):
            warnings_.append(
                f"{field.label} must not be empty, and is no longer in the form: nobody can mend it on the page of a record."
            )
        if (
            after.new is not None
            and after.new != before.new
            and field.name not in after.new
            and needed
            and not (field.hidden or field.readonly)
        ):
            warnings_.append(
                f"{field.label} must not be empty, and is left out of the form of a new record: the database has to fill it in."
            )
        if former is not None and former.hidden and not field.hidden:
            warnings_.append(
                f"{field.label} was hidden and is shown to everybody who may read these records."
            )
        if former is not None and former.sensitive and not field.sensitive:
            warnings_.append(f"{field.label} is no longer marked as sensitive.")
        if former is not None and TREATMENTS.index(field.ai) < TREATMENTS.index(former.ai):
            warnings_.append(f"{field.label}: {LOOSER[field.ai]}")
        if former is not None and former.personal and not field.personal:
            warnings_.append(
                f"{field.label} no longer counts as personal data: it is left out when somebody is erased."
            )
    if before.subject != after.subject:
        warnings_.append(
            "Whose data these records hold is said differently: what is in the log already stays under the former person."
        )
    gone = sorted(
        {segment.label for segment in before.segments} - {segment.label for segment in after.segments}
    )
    if gone:
        warnings_.append(
            f"Inboxes and links that use a segment that is gone show nothing: {', '.join(gone)}."
        )
    return warnings_


def loosened(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Warning if records need another clearance, or none."""
    if before.get("clearance") == after.get("clearance"):
        return []
    label = (after.get("clearance") or {}).get("label")
    return [
        f"Only who is cleared for {label} knows of these records."
        if label
        else "These records need no clearance any more."
    ]
