"""What a new workflow may begin from: a file of another console, shipped workflows and one's own, found by words. The copy uses names that exist in this console."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from console import actions, workflows
from console.auth import access
from console.authoring.builder.reachable_names import reachable, visible_collections
from console.core import drafting
from console.core.actor import Actor
from console.core.documents.json_shape import loaded, problems_of_values
from console.core.drafting import ChangeError, SetDocument
from console.core.errors import Invalid, NotFound
from console.core.plain_words import humanised
from console.workflows import OBJECT

UNTITLED = "Brought in from a file"
NO_STEPS = "It has no steps, so it is no workflow of this console. If another program wrote it, say under New workflow in words what it should do, or begin with the nearest template."
LONGEST_TITLE = 200
STEP = re.compile(r"^steps\[(\d+)\]")
OWN = "own:"
"""Before the name of a workflow of this console, where a beginning is named."""
NEAR = 0.2
"""Below this likeness the words that are shared are only those that most beginnings have."""
MOST_NEAR = 3
MOST_OWN = 60
NAMING = {
    "collection": "collections",
    "inbox": "inboxes",
    "team": "teams",
    "action": "actions",
    "compensation": "actions",
}
"""Settings that name something → the part of the names."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Something to begin from. `automatic`: runs begin by themselves. `own`: a workflow of this console, `draft`: of which nothing is published. `more`: what
    else is said of it. `lacks`: the kind of record that it is about or reads, where the console has none of it.
    """

    id: str
    title: str
    sentence: str
    steps: int
    automatic: bool
    own: bool
    more: str = ""
    draft: bool = False
    collection: str = ""
    lacks: str = ""


def beginnings(actor: Actor) -> list[Beginning]:
    """The shipped workflows and automations by title whose records are here, then those of this console that the actor may edit, then the other shipped ones."""
    here = {each.id: each.label for each in visible_collections(actor)}
    shipped = [
        each
        if alike(each.collection, here) in here
        else replace(each, lacks=humanised(each.collection.rpartition(".")[2]))
        for each in _shipped()
    ]
    return [
        *(each for each in shipped if not each.lacks),
        *_own(actor),
        *(each for each in shipped if each.lacks),
    ]


def nearest(offered: Sequence[Beginning], wanted: str) -> list[Beginning]:
    """Return the beginnings that share telling words with the description, the nearest first; drafts are left out.

    A word counts the more, the fewer beginnings have it, and twice in a title.
    """
    texts = {
        each.id: (words_of(each.title), words_of(f"{each.title} {each.sentence} {each.more}"))
        for each in offered
        if not each.draft
    }
    having = Counter(word for _, every in texts.values() for word in every)

    def likeness(each: Beginning) -> float:
        title, every = texts[each.id]
        return sum((2 if word in title else 1) / having[word] for word in words_of(wanted) & every)

    near = [each for each in offered if each.id in texts and likeness(each) >= NEAR]
    return sorted(near, key=likeness, reverse=True)[:MOST_NEAR]


def words_of(text: str) -> set[str]:
    """Return the words of a text in small letters and without the s of a plural."""
    return {word.removesuffix("s") for word in re.findall(r"[^\W\d_]{3,}", text.casefold())}


def begin(
    actor: Actor,
    title: str,
    *,
    description: str,
    team: str | None,
    beginning: str,
    document: Mapping[str, Any] | None = None,
    whose: str | None = None,
) -> tuple[workflows.Entry, list[tuple[str, str]]]:
    """Create a draft from a beginning; the workflow, and (name there, name here) of what was mapped. What is not here is a problem of the draft.

    `document` is the beginning's own, bound to another collection. Raises Invalid with the field, NotAllowed.
    """
    mapped, pairs = replace_unknown_names(document or document_of(actor, beginning), reachable(actor))
    made = workflows.without_starts(mapped) if beginning.startswith(OWN) else mapped
    return workflows.create(
        actor, title, description=description, team=team, document=made, whose=whose
    ), pairs


def replace_unknown_names(
    document: Mapping[str, Any],
    names: Mapping[str, Any],
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the document with names that are not here replaced by those that are nearly the same; and what was replaced by what."""
    known = {
        part: {
            str(each["id"]): str(each.get("label") or each.get("title") or each.get("name"))
            for each in names[part]
        }
        for part in set(NAMING.values())
    }
    known["roles"] = {role: role for role in names["roles"]}
    pairs: dict[str, str] = {}

    def named(part: str, name: str) -> str:
        here = alike(name, known[part])
        if here != name:
            pairs[name] = here
        return here

    return over_names(document, named), sorted(pairs.items())


def alike(name: str, known: Mapping[str, str]) -> str:
    """The name itself where it is known, else the one that has the same words as its id or label, if exactly one has; else the name."""
    words = _plain(name)
    same = [each for each, label in known.items() if words in (_plain(each), _plain(label))]
    return same[0] if name not in known and len(same) == 1 else name


def _plain(name: str) -> str:
    """The text in lower case, without signs and without the s of a plural."""
    return re.sub(r"[\W_]+", "", name).casefold().removesuffix("s")


def over_names(value: Any, named: Callable[[str, str], str], key: str = "") -> Any:
    """Return the value with each name of a collection, role, inbox, team or action as `named` says of its part and the name."""
    if isinstance(value, Mapping):
        return {
            name: entry if name in ("slug", "title", "id") else over_names(entry, named, name)
            for name, entry in value.items()
        }
    if isinstance(value, list):
        return [
            named("roles", each) if key == "roles" and isinstance(each, str) else over_names(each, named)
            for each in value
        ]
    return (
        named(NAMING[key], value) if key in NAMING and isinstance(value, str) and "{{" not in value else value
    )


def over_fields(value: Any, renamed: Callable[[str], str], collection: str, key: str = "") -> Any:
    """The value with each name of a column of the collection, in lists or expressions, as `renamed` says; what is about another collection stays."""
    if isinstance(value, Mapping):
        if value.get("collection", collection) != collection or value.get("relation"):
            return value
        return {name: over_fields(entry, renamed, collection, name) for name, entry in value.items()}
    if isinstance(value, list):
        named = key in ("fields", "required", "edit")
        return [
            renamed(each) if named and isinstance(each, str) else over_fields(each, renamed, collection)
            for each in value
        ]
    if isinstance(value, str) and key == "field":
        return renamed(value)
    if isinstance(value, str) and key not in ("slug", "id"):
        return re.sub(
            r"(?<![\w.])record\.([a-z][a-z0-9_]*)", lambda found: f"record.{renamed(found[1])}", value
        )
    return value


@functools.cache
def _shipped() -> tuple[Beginning, ...]:
    return tuple(
        beginning_of(each.id, workflows.template_document(each.id), own=False)
        for each in workflows.templates()
    )


def _own(actor: Actor) -> list[Beginning]:
    """The workflows that the actor may edit and that have more than a start, those that are published first."""
    made = actions.made_of_actions()
    editable = [
        known
        for known in workflows.all_known()
        if not known.archived
        and known.slug not in made
        and access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "edit")
    ]
    found = [
        (known, workflows.open_draft(actor, known.slug).document)
        for known in sorted(editable, key=_unpublished)[:MOST_OWN]
    ]
    return [
        replace(beginning_of(f"{OWN}{known.slug}", document, own=True), draft=_unpublished(known))
        for known, document in found
        if len(document["steps"]) > 1
    ]


def _unpublished(known: workflows.Known) -> bool:
    return known.live is None


def document_of(actor: Actor, beginning: str) -> dict[str, Any]:
    """Return the document of a beginning. Raises Invalid for one that is not there."""
    try:
        if beginning.startswith(OWN):
            return workflows.open_draft(actor, beginning.removeprefix(OWN)).document
        return workflows.template_document(beginning)
    except (KeyError, NotFound):
        raise Invalid("There is no such template.", at=("template", "Choose one of those shown.")) from None


def beginning_of(name: str, document: Mapping[str, Any], *, own: bool) -> Beginning:
    """Return the document as what a new workflow begins from."""
    sentence = str(document.get("description") or "").split(". ")[0].strip().rstrip(".")
    return Beginning(
        name,
        str(document.get("title") or document["slug"]),
        f"{sentence}." if sentence else "",
        len(document["steps"]),
        bool(document.get("triggers")),
        own,
        " ".join(
            [
                str(document.get("description") or ""),
                *(str(step.get("title") or "") for step in document["steps"]),
            ]
        ),
        collection=str(document.get("collection") or next(_collections(document["steps"]), "")),
    )


def _collections(value: Any) -> Iterator[str]:
    """The collections that steps name, in their order: an automation without a record of its own works on these."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            if name == "collection" and isinstance(entry, str) and "{{" not in entry:
                yield entry
            else:
                yield from _collections(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _collections(entry)


def bring_in(
    actor: Actor, content: bytes, name: str, *, team: str | None, whose: str | None = None
) -> workflows.Entry:
    """Create a draft from the content of a file called `name`, under the address that it says, or one of its title where that is taken, and in the team. Everything else of the file is kept.

    Raises Invalid with every reason why it cannot be opened, NotAllowed.
    """
    document = _opened(content)
    title = document.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > LONGEST_TITLE:
        title = (
            PurePath(name).stem.replace("-", " ").replace("_", " ").strip().capitalize()[:LONGEST_TITLE]
            or UNTITLED
        )
    named = document.get("slug")
    made = workflows.create(
        actor, title, team=team, slug=named if isinstance(named, str) else "", whose=whose
    )
    own = {"slug": made.slug, "team": made.team}
    workflows.edit(
        actor,
        made.slug,
        0,
        [SetDocument(value={**document, **own, **({} if document.get("title") else {"title": title})})],
    )
    return made


def _opened(content: bytes) -> Mapping[str, Any]:
    """The document in the file. Raises Invalid."""
    document, spots = loaded(content)
    if document is None or spots:
        raise _refused([(spot.path, spot.reason) for spot in spots])
    if "steps" not in document:
        raise _refused([("file", NO_STEPS)])
    if unkept := problems_of_values(document):
        raise _refused([(spot.path, spot.reason) for spot in unkept])
    try:
        drafting.require_shape(document)
    except ChangeError as error:
        raise _refused([(error.field, error.reason)]) from None
    return document


def _refused(reasons: list[tuple[str, str]]) -> Invalid:
    details = [
        {"field": STEP.sub(lambda found: f"step {int(found[1]) + 1}", field) or "file", "reason": reason}
        for field, reason in reasons
    ]
    return Invalid("This file cannot be opened as a workflow. Nothing was made of it.", details=details)
