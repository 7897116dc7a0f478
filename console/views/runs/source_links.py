"""Sources of proposed values as links: their addresses and titles, and how to tell them apart."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from console import browse, records
from console.core.errors import ConsoleError
from console.views import formats, frame
from console.views.formats import Kind

NO_KINDS: Mapping[str, Kind] = MappingProxyType({})

OUTCOME = "outcome"
"""The name under which the choice of a decision is proposed."""

WARNED = "warned"
"""The name under which a source is opened because its text reads like instructions."""

_KINDS = {
    "record": ("the record", "{n} records"),
    "step": ("1 step", "{n} steps"),
    "input": ("1 step", "{n} steps"),
    "llm": ("1 step", "{n} steps"),
    "related": ("1 related record", "{n} related records"),
    "document": ("1 document", "{n} documents"),
    "note": ("1 note", "{n} notes"),
    "mcp": ("1 other system", "{n} other systems"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """A source as a link; it opens beside the form, with the value marked."""

    title: str
    href: str
    kind: str
    quote: str = ""
    opened: bool | None = None
    trusted: bool | None = None

    @property
    def says(self) -> str:
        """Return whether the source is a fact (by staff or the console) or a claim; empty if unknown."""
        return {True: "fact", False: "claim", None: ""}[self.trusted]


def source_ways(run_id: str, proposal: Mapping[str, Any], proposed: Mapping[str, Any]) -> list[Way]:
    """Return the sources of a proposed value as links."""
    return [
        Way(
            title_of(source),
            _href(run_id, str(proposal["call"]), str(proposed["name"]), source),
            str(source.get("kind") or ""),
            quote_words(source),
            trusted=source.get("trusted"),
        )
        for source in proposed.get("sources") or ()
    ]


def _href(run_id: str, call: str, of: str, source: Mapping[str, Any]) -> str:
    """Return the address of a source: beside the form, or a document at its page with the place framed."""
    query = {"source": source["id"], "of": of, "call": call}
    if not source.get("document"):
        return frame.run_url(run_id, **query)
    return document_url(run_id, source, **query)


def document_url(run_id: str, place: Mapping[str, Any], /, **query: str) -> str:
    """Return the address of a document beside the run, at its page with the place framed."""
    return frame.run_url(
        run_id, tab="documents", doc=place["document"], page=place.get("page"), box=_framed(place), **query
    )


def _framed(source: Mapping[str, Any]) -> str | None:
    """Return the place on the page that is framed, in thousandths, as the address says it."""
    return "-".join(str(round(float(side) * 1000)) for side in source["box"]) if source.get("box") else None


def title_of(source: Mapping[str, Any]) -> str:
    """Return the title of a source, with its page or field if it has one."""
    title, page, name = (
        str(source.get("title") or _named(source)),
        source.get("page"),
        str(source.get("label") or source.get("field") or ""),
    )
    if page:
        return title if re.search(rf"\bp(?:age|\.) {page}\b", title) else f"{title}, p. {page}"
    return (
        f"{title}, {name.replace('_', ' ')}"
        if name and source.get("kind") in ("record", "step", "related")
        else title
    )


def _named(source: Mapping[str, Any]) -> str:
    """Return what a source is called whose title the reader may not see: by the name that its record has for them."""
    reference = str(source.get("collection") or ""), str(source.get("record") or "")
    known = browse.names_of(frame.actor(), [reference]).get(reference) if all(reference) else None
    return known.title if known is not None and not known.absent else "Source"


def cited(run_id: str, kept: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> tuple[Markup, str]:
    """Return what a step's output keeps of the sources of a value, or of each tick of it, as HTML and as plain text to copy: each place once, with its quote."""
    sources = (
        [source for part in kept.values() for source in part] if isinstance(kept, Mapping) else list(kept)
    )
    lines: dict[str, Markup] = {}
    for source in sources:
        title, quote = title_of(source), quote_words(source)
        quoted = Markup("<q>{}</q> ").format(quote) if quote else Markup("")
        href = document_url(run_id, source) if source.get("document") else ""
        named = Markup('<a href="{}">{}</a>').format(href, title) if href else Markup("{}").format(title)
        lines.setdefault(f"“{quote}” {title}" if quote else title, quoted + named)
    return Markup("<br>").join(lines.values()), "\n".join(lines)


def source_of(proposal: Mapping[str, Any], of: str, source_id: str) -> Mapping[str, Any] | None:
    """Return the source with this id of this field's value."""
    every: list[tuple[str, Mapping[str, Any]]] = [
        (str(field["name"]), field) for field in proposal.get("fields") or ()
    ]
    every += [(OUTCOME, proposal["choice"])] if proposal.get("choice") else []
    every += [(WARNED, {"sources": proposal["warned"]})] if proposal.get("warned") else []
    matching = [
        (name, source)
        for name, proposed in every
        for source in proposed.get("sources") or ()
        if source["id"] == source_id
    ]
    return next((source for name, source in matching if name == of), matching[0][1] if matching else None)


def distinct(proposal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return every source of the proposal once: a page of a document, a record or a step."""
    sources = [
        source
        for proposed in (*(proposal.get("fields") or ()), proposal.get("choice") or {})
        for source in proposed.get("sources") or ()
    ]
    by_place: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for source in sources:
        by_place.setdefault(identity_of(source), source)
    return list(by_place.values())


def identity_of(source: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies a source."""
    kind = str(source.get("kind") or "")
    return (
        kind,
        source.get("collection"),
        source.get("record"),
        source.get("document") or source.get("step"),
        source.get("page"),
        source["id"] if kind in ("note", "mcp") else None,
    )


def quote_words(source: Mapping[str, Any], kinds: Mapping[str, Kind] = NO_KINDS) -> str:
    """The quoted words; where they are the code of a field, alone or after the field's label, its words: "Country of residence: Portugal".

    `kinds` describe the values by name, where the source is no record.
    """
    quote = str(source.get("quote") or "")
    if not quote:
        return ""
    known = (
        {each.name: each for each in kinds_of(str(source["collection"]))}
        if source.get("collection")
        else kinds
    )
    label, mark, code = quote.rpartition(": ")
    name = str(source.get("field") or "").rpartition(".")[2]
    kind = (
        known.get(name)
        if name in known
        else next((each for each in known.values() if mark and each.label == label), None)
    )
    if kind is None or not (kind.options or kind.widget in formats.CODED):
        return quote
    return f"{label}{mark}{formats.text(kind, code, frame.look())}"


def kinds_of(collection: str) -> list[Kind]:
    """How the fields of a collection are written; none of one that is gone."""
    try:
        known = records.collection(collection)
    except ConsoleError:
        return []
    return [formats.kind(each) for each in known.fields]


def count_by_kind(sources: Iterable[Mapping[str, Any]]) -> str:
    """Return the number of sources by kind: "3 documents, 2 steps"."""
    seen: dict[tuple[str, str], set[Any]] = {}
    for source in sources:
        words = _KINDS.get(str(source.get("kind")), ("1 other source", "{n} other sources"))
        seen.setdefault(words, set()).add(
            (source.get("collection"), source.get("record"), source.get("document"), source.get("step"))
        )
    return ", ".join(
        single if len(places) == 1 else many.format(n=len(places)) for (single, many), places in seen.items()
    )
