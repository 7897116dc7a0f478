"""Fields that workflows alone change, in words for one reader."""

from collections.abc import Iterable
from dataclasses import dataclass

from console import records
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.forms import refusal


@dataclass(frozen=True, slots=True)
class Governor:
    """The workflows that alone change a field: their titles for this reader in one text, and the slugs of those that they may see."""

    words: str
    slugs: tuple[str, ...] = ()


def governors(actor: Actor, fields: Iterable[Field]) -> dict[str, Governor]:
    """Field → the workflows that alone change it. One that the actor may not see is "a workflow" to them."""
    slugs = {item.name: item.governed for item in fields if item.governed}
    titles = records.governing.titles(slug for several in slugs.values() for slug in several)
    seen = {
        slug: title for slug, title in titles.items() if access.can(actor, None, f"workflow:{slug}", "see")
    }
    found = {}
    for name, several in slugs.items():
        known = tuple(slug for slug in several if slug in seen)
        named = [seen[slug] for slug in known] or ["a workflow"]
        found[name] = Governor(" or ".join(filter(None, [", ".join(named[:-1]), named[-1]])), known)
    return found


def require_ungoverned(actor: Actor, collection: Collection, names: Iterable[str]) -> None:
    """Raises Invalid with a detail for each of these fields that workflows alone change."""
    fields = [item for name in names if (item := collection.field(name)) is not None]
    governing = governors(actor, fields)
    details = [
        {"field": item.name, "reason": records.governing.reason(item, governing[item.name].words)}
        for item in fields
        if item.governed
    ]
    if details:
        raise refusal(details, fields)
