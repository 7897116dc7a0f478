"""Masking: leaves out of an event the values that its reader may not see, and lists their paths.

Pure. A masked value is `null`, and its path from the root of the answer is in a list (`data.values.tax_id`), so that a reader can
tell "masked" from "empty". Fields are found as a key of an object of values, as a form field `{"name": …, "value": …}`, in an error
`{"field": …, "theirs": …}`, and as a column of a table that was on the screen.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.core import record_links
from console.core.origins import ANY, FORM, HELP, KEY, LIMIT, SAID, SENT, TEXT, Closed, base_collection_id

TITLED = "titled"
"""Under which an event that tells the title of its record has the values that it is made of, by field."""
DOTS = "••••••"
"""What stands for a title that the reader may not see."""
Hidden = Callable[[str | None], frozenset[str]]
"""Collection id (None: of no collection) → names of the fields that may not be read there."""


@dataclass(frozen=True, slots=True)
class Within:
    """What is hidden from a reader in runs of one version of a workflow, where values of steps were computed from fields.

    `closed_in` finds what is hidden in a version, or in one run of it. `titled` gives the fields that make the titles of a collection's records.
    `closed` belongs to the present version, `step` is the step whose values are masked (None: any step). `instead` replaces a hidden value.
    """

    hidden: Hidden
    closed_in: Callable[[str, int, str | None], Closed]
    titled: Callable[[str], Collection[str]]
    closed: Closed | None = None
    step: str | None = None
    instead: Any = None

    def __call__(self, collection: str | None) -> frozenset[str]:
        """Names of the fields that may not be read there."""
        return self.hidden(collection)

    def titles(self, collection: str) -> bool:
        """Whether the titles of the collection's records contain a hidden field."""
        names = self.hidden(collection)
        return bool(names) and (KEY in names or not names.isdisjoint(self.titled(collection)))

    @property
    def any_row(self) -> bool:
        """Whether any row that the run has read is hidden."""
        return self.closed is None or any(KEY in self.hidden(place) for place in self.closed.version.loaded)

    @property
    def names(self) -> frozenset[str]:
        """Names of the step's values that were computed from something hidden."""
        return self.closed.names(self.step) if self.closed is not None else frozenset()


def hidden_of_run(
    hidden: Hidden, workflow: str | None, version: int | None, step: str | None = None, run: str | None = None
) -> Hidden:
    """What is hidden of the values of a run of this version of a workflow: of one step, or (None) of any."""
    if not isinstance(hidden, Within) or not workflow or not version:
        return hidden
    return at_version(hidden, workflow, version, step, run)


def at_version(hidden: Within, workflow: str, version: int, step: str | None, run: str | None) -> Within:
    """What is hidden of the values of this version, with the fields that are hidden only in this run."""
    closed = hidden.closed_in(workflow, version, run)
    return replace(hidden, hidden=closed.hidden, closed=closed, step=step)


def names_closed(hidden: Hidden) -> bool:
    """Whether any value of the present step was computed from something hidden, or this is not known."""
    return isinstance(hidden, Within) and (
        bool(hidden.names) or (hidden.closed is not None and not hidden.closed.version.read)
    )


def sent_hidden(hidden: Hidden) -> bool:
    """Whether what the present step sends outside was made of something hidden, or this is not known."""
    return (
        isinstance(hidden, Within)
        and hidden.closed is not None
        and (SENT in hidden.names or not hidden.closed.version.read)
    )


def at_step(hidden: Hidden, step: str | None) -> Hidden:
    """What is hidden of the values of this step, in the version that `hidden` is about."""
    return replace(hidden, step=step) if isinstance(hidden, Within) else hidden


VALUES_OF_FIELD = frozenset({"value", "now", "old", "new", "theirs", "quote"})
RESTS_ON = frozenset({"value", "reason", "sources", "ticks"})
"""Parts of a proposed value. They come from its sources, so they are hidden if one of the sources is hidden."""
TEXTS = frozenset({"text", "instruction", "not_offered", "notes", "checks"})
"""Keys of a screen that hold texts."""
WORDS = frozenset(
    {
        "text",
        "refused",
        "title",
        "question",
        "message",
        "why",
        "errors",
        "address",
        "not_offered",
        "notes",
        "checks",
        "help",
    }
)
"""Keys of an event or a run that hold texts made by a step."""
ANSWERS = frozenset({"sent", "result", "results", "answer", "told", "message", "errors"})
"""Keys that hold what was sent to another system and its answer."""
VALUES = frozenset({"values", "output", "draft", "defaults", "input", "record", "what"})
"""Keys that hold values by their field's name."""
LISTED = frozenset({"fields", "documents", "required"})
"""Keys that list what a form asks for."""
COMPARED_HERE = "compared"
CONTENT = "content"
"""Name under which a screen has the data of its blocks."""
ITEM_ROWS = "item"
"""The table on a screen that is the current item of a list."""
LIST_TABLES = {ITEM_ROWS: "items", "key": "items"}
"""Tables on a screen that show rows of a list, and the read of that list."""
ABOUT = frozenset({"record", "changes"})
"""Keys under which an effect names its record and changes."""
LOADED = "loaded"
"""The sealed value that names the rows which a step read. It is for verifying, and hidden from everybody who may not see all of the rows."""


def tree(sealed: Mapping[str, Any], missing: Collection[str], path: str) -> tuple[dict[str, Any], list[str]]:
    """The sealed values as a tree, with `null` for missing ones, and the paths of the missing ones.

    `sealed` is flat (`values/email`); `missing` names the values that could not be opened or may not be read.
    """
    whole: dict[str, Any] = {}
    masked = []
    for name in sorted({*sealed, *missing}):
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in name.split("/"))
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = sealed.get(name)
        if name in missing:
            masked.append(".".join((path, *parents, last)))
    return whole, masked


def closed(
    sealed: Mapping[str, Any], hidden: Hidden, collection: str | None, kind: str = "", opened: Any = None
) -> frozenset[str]:
    """Names of the flat values (`values/email`, `screen`) of an event of this kind that contain a hidden part.

    An export leaves such a value out as a whole, because its commitment covers all of it.
    """
    before, _ = tree(sealed, (), "")
    after, _ = event(before, "", hidden, collection, kind, opened)
    if LOADED in before:
        after[LOADED] = None if isinstance(hidden, Within) and hidden.any_row else before[LOADED]
    return frozenset(name for name in sealed if _value_at(before, name) != _value_at(after, name))


HANDED_ON = frozenset({"run_escalated", "run_released"})
"""Kinds of events whose reason may be a text of the step and not one that a person typed."""

HANDED_OUT = frozenset({"message_asked"})
"""Kinds of events whose content is what a step sends to somebody outside."""


def event(
    sealed: Mapping[str, Any],
    path: str,
    hidden: Hidden,
    collection: str | None,
    kind: str,
    opened: Any = None,
) -> tuple[dict[str, Any], list[str]]:
    """The sealed values of an event of this kind as a tree without hidden values, and the paths that were replaced by `null`.

    `opened`: the collection of the record whose document was opened.
    """
    screens = {name: value for name, value in sealed.items() if name == "screen"}
    others = {name: value for name, value in sealed.items() if name not in screens and name != LOADED}
    whole, masked = mask(others, path, hidden, collection, values=False)
    for name, value in screens.items():
        whole[name], masked_on_screen = mask(value, f"{path}.{name}", hidden, collection, screen=True)
        masked += masked_on_screen
    tells_title = kind == "run_started" or TITLED in sealed
    shut = (
        {"title"}
        if tells_title and isinstance(hidden, Within) and collection and hidden.titles(collection)
        else set()
    )
    if (
        kind in HANDED_ON
        and isinstance(hidden, Within)
        and hidden.closed is not None
        and SAID in hidden.closed.of_kind("escalate")
    ):
        shut.add("reason")
    if kind in HANDED_OUT and sent_hidden(hidden):
        shut.add(CONTENT)
    if kind in ("message_failed", "message_skipped") and hidden(
        collection
    ):  # a provider may repeat an address, or the text
        shut.add("said")
    if (
        kind == "source_opened"
        and isinstance(hidden, Within)
        and isinstance(opened, str)
        and hidden.titles(opened)
    ):
        shut.add("what")
    for name in shut & {name for name, value in whole.items() if value is not None}:
        whole[name] = None
        masked.append(f"{path}.{name}")
    return whole, masked


_GONE = object()


def _value_at(whole: Any, name: str) -> Any:
    """The value at a flat name in the tree; a marker that equals no value if its parent was masked as a whole."""
    for part in name.split("/"):
        if not isinstance(whole, dict):
            return _GONE
        whole = whole[part.replace("~1", "/").replace("~0", "~")]
    return whole


def mask(
    value: Any,
    path: str,
    hidden: Hidden,
    collection: str | None = None,
    *,
    screen: bool = False,
    values: bool = True,
) -> tuple[Any, list[str]]:
    """A copy of `value` without hidden values, and the paths that were replaced by `null`.

    `collection` owns the fields; an object that names its own `collection` holds fields of that one. Every key of an object counts as a
    field's name, except on a `screen`, where fields are below `values` and in forms. If any field of a screen is masked, its texts are masked
    too, because they may contain it, except the text of a step that is known not to. `values` False: this is not the values of a step but their container, such as the data of an event.
    """
    masked: list[str] = []
    left = _mask(
        value, path, hidden, _Place((collection,), screen=screen, values=values and not screen), masked
    )
    if screen and masked and not _is_open(SAID, hidden):
        left = _without_texts(left, path, masked)
        if isinstance(value, dict) and value.get("text") is not None and _is_open(TEXT, hidden):
            left["text"] = value["text"]
            masked.remove(f"{path}.text")
    return left, masked


def _is_open(texts: str, hidden: Hidden) -> bool:
    """Whether these texts (`SAID`, `TEXT`) of the present step are known to be made of nothing hidden."""
    return (
        isinstance(hidden, Within)
        and hidden.closed is not None
        and hidden.closed.version.read
        and texts not in hidden.names
    )


def _without_texts(value: Any, path: str, masked: list[str]) -> Any:
    """The screen without its own texts. Fields and rows are already masked by name."""
    if not isinstance(value, dict):
        return value
    gone = [
        key for key in value if key in TEXTS and value[key] is not None and not isinstance(value[key], bool)
    ]
    masked.extend(f"{path}.{key}" for key in gone)
    return value | dict.fromkeys(gone)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the masking is: the collections whose fields stand here, whether this is a screen, and whether these are values of a step."""

    collections: tuple[str | None, ...]
    screen: bool
    values: bool

    def inside(self, value: Mapping[str, Any], hidden: Hidden) -> "_Place":
        """The place within this object. On the screen `collection` says whose values follow; elsewhere it may be a mere field of
        that name, so the fields of both are hidden.
        """
        own = (_read_at(value, hidden) if isinstance(hidden, Within) else None) or value.get("collection")
        if not isinstance(own, str) or own in self.collections:
            return self
        return _Place((own,) if self.screen else (*self.collections, own), self.screen, self.values)

    def below(self, key: str, item: Any, hidden: Hidden) -> "_Place":
        """The place of what stands under this key."""
        if self.screen:
            return _Place(self.collections, screen=False, values=True) if key == "values" else self
        rows = (
            _rows_under(key, hidden) if isinstance(hidden, Within) and isinstance(item, list | dict) else ()
        )
        if rows or (key in VALUES and not self.values):
            return _Place((*self.collections, *rows), screen=False, values=True)
        return self


def _read_at(value: Mapping[str, Any], hidden: Within) -> str | None:
    """The read of other records that a table on a screen, or what an action asked for, shows; None if it is none."""
    step = hidden.closed.version.steps.get(hidden.step or "") if hidden.closed is not None else None
    if step is None or not step.places:
        return None
    if "rows" in value and "columns" in value:
        name = str(value.get("name")).removesuffix(".totals")
        return step.places.get(LIST_TABLES.get(name, name))
    if not ABOUT.isdisjoint(value):  # an effect, or a preview of one
        return next(
            (place for place in step.rows_acted_on if base_collection_id(place) == value.get("collection")),
            None,
        )
    return None


def _rows_under(key: str, hidden: Within) -> tuple[str, ...]:
    """The collections whose rows the present step (or any step) keeps under this name."""
    if hidden.closed is None:
        return ()
    version = hidden.closed.version
    step = version.steps.get(hidden.step or "")
    if step is not None and key in step.reads:
        return (step.reads[key].collection,)
    return version.rows.get(key, ())


def _mask(value: Any, path: str, hidden: Hidden, place: _Place, masked: list[str]) -> Any:
    if isinstance(value, list):
        return [_mask(item, f"{path}.{number}", hidden, place, masked) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    place = place.inside(value, hidden)
    visible = _visible_rows(value, hidden, place)
    if visible is not None and len(visible) < len(value["rows"]):
        masked.append(f"{path}.rows")
        value = {**value, "rows": visible, "more": False, "closed": True}
    if visible:
        place = _Place(
            tuple(each and base_collection_id(each) for each in place.collections), place.screen, place.values
        )
    names = frozenset[str]().union(*(hidden(collection) for collection in place.collections))
    closed = _hidden_keys(value, names, screen=place.screen) | _hidden_of_proposal(value, names, hidden)
    if isinstance(hidden, Within):
        closed |= _keys_from_hidden(value, hidden, place)
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in closed and item is not None:
            kept[key] = _replaced(item, hidden.instead) if isinstance(hidden, Within) else None
            masked.append(f"{path}.{key}")
        elif key == COMPARED_HERE and isinstance(item, dict) and isinstance(hidden, Within):
            kept[key] = _compared(item, f"{path}.{key}", hidden, place, masked)
        elif key == CONTENT and not place.values and _is_block_list(item):
            kept[key] = _mask_blocks(item, f"{path}.{key}", hidden, masked)
        elif key in LISTED and isinstance(item, list) and isinstance(hidden, Within) and FORM in hidden.names:
            kept[key] = _mask(_visible_form_fields(item, hidden), f"{path}.{key}", hidden, place, masked)
        else:
            kept[key] = _mask(item, f"{path}.{key}", hidden, place.below(key, item, hidden), masked)
    return kept


def _replaced(value: Any, instead: Any) -> Any:
    """The replacement for a hidden value. With `instead`, lists and objects keep their form, because expressions read their parts."""
    if instead is None or not isinstance(value, (list, dict)):
        return instead
    if isinstance(value, list):
        return [_replaced(item, instead) for item in value]
    return {key: _replaced(item, instead) for key, item in value.items()}


def _visible_rows(value: Mapping[str, Any], hidden: Hidden, place: _Place) -> list[Any] | None:
    """The visible rows of a table on a screen that has rows which the reader may not see; None for any other value."""
    if (
        "rows" not in value
        or "columns" not in value
        or not isinstance(hidden, Within)
        or hidden.closed is None
    ):
        return None
    seen = next(
        (hidden.closed.rows[each] for each in filter(None, place.collections) if each in hidden.closed.rows),
        None,
    )
    return None if seen is None else [row for row in value["rows"] if row["key"] in seen]


def place_name(place: str) -> str:
    """Name under which a version's origins have what a step's block computes at this place of its settings."""
    return f"<{place}>"


def _is_block_list(item: Any) -> bool:
    return isinstance(item, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("block"), str) and "at" in entry for entry in item
    )


def _mask_blocks(blocks: list[Any], path: str, hidden: Hidden, masked: list[str]) -> list[Any] | None:
    """The data of a screen's blocks without values computed from something hidden; None if this is not known."""
    if not isinstance(hidden, Within) or hidden.closed is None:
        masked.append(path)
        return None
    left = _mask_leaves(blocks, path, hidden, masked)
    return left if isinstance(left, list) else None


_LEFT_OUT = object()


def _mask_leaves(value: Any, path: str, hidden: Within, masked: list[str]) -> Any:
    """The same data with hidden leaves emptied and marked `hidden`. Parts that are shown only because of a hidden value are removed."""
    if isinstance(value, list):
        items = [_mask_leaves(item, f"{path}.{number}", hidden, masked) for number, item in enumerate(value)]
        return [item for item in items if item is not _LEFT_OUT]
    if not isinstance(value, dict):
        return value
    if _rests_on_hidden(value.get("rests_on"), hidden):
        masked.append(path)
        return _LEFT_OUT
    if "from" in value and _rests_on_hidden(value["from"], hidden):
        masked.append(path)
        return {"from": value["from"], "value": None, "hidden": True}
    if isinstance(look := value.get("look"), dict) and _currency_hidden(look, hidden):
        masked.append(f"{path}.look.currency")
        value = {**value, "look": {**look, "currency": None}}
    if (
        isinstance(look := value.get("look"), dict)
        and look.get("named")
        and hidden.titles(record_links.reference(str(look.get("references")), value.get("value"))[0])
    ):
        masked.append(f"{path}.look.named")
        value = {**value, "look": {**look, "named": None}}
    kept = {key: _mask_leaves(item, f"{path}.{key}", hidden, masked) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not _LEFT_OUT}


def _rests_on_hidden(places: Any, hidden: Within) -> bool:
    named = [places] if isinstance(places, str) else places if isinstance(places, list) else []
    return any(
        place_name(place) in hidden.names if isinstance(place, str) else _rests_on_hidden(place, hidden)
        for place in named
    )


def _currency_hidden(look: Mapping[str, Any], hidden: Within) -> bool:
    """Whether the currency of an amount was read from a field that is hidden, or computed from one."""
    collection, field = (look.get("currency_of") or (None, None))[:2]
    return (field is not None and field in hidden(collection)) or _rests_on_hidden(
        look.get("currency_from"), hidden
    )


def _visible_form_fields(fields: list[Any], hidden: Within) -> list[Any]:
    """The fields of a form (or their names) without those whose name itself was computed from something hidden."""
    step = hidden.closed.version.steps.get(hidden.step or "") if hidden.closed is not None else None
    visible = step.declared if step is not None else frozenset[str]()
    return [
        entry
        for entry in fields
        if (entry.get("name") or entry.get("id") if isinstance(entry, Mapping) else entry) in visible
    ]


def _hidden_keys(value: Mapping[str, Any], names: frozenset[str], *, screen: bool) -> frozenset[str]:
    """The keys of this object that hold a hidden field."""
    own_names = (value.get("name"), value.get("field"))
    of_field = (
        VALUES_OF_FIELD
        if any(isinstance(field, str) and field in names for field in own_names)
        else frozenset()
    )
    return of_field if screen else names | of_field


def _keys_from_hidden(value: Mapping[str, Any], hidden: Within, place: _Place) -> frozenset[str]:
    """The keys of this object whose value was computed from something hidden."""
    closed_keys: set[str] = set()
    titled = any(name in value for name in ("key", "record")) and isinstance(value.get("title"), str)
    if titled and any(hidden.titles(each) for each in place.collections[-1:] if each is not None):
        closed_keys.add("title")
    if any(KEY in hidden(each) for each in place.collections[-1:]):
        closed_keys |= {
            "key",
            "title",
            *(("record",) if isinstance(value.get("record"), str) else ()),
        } & value.keys()
    if hidden.closed is None:
        return frozenset(closed_keys)
    names = hidden.names
    if not hidden.closed.version.read and any(hidden(each) for each in place.collections):
        return frozenset(value)  # nobody can tell what it was made of
    if not names:
        return frozenset(closed_keys)
    if titled and ("collection" not in value or place.values):
        closed_keys |= names & {"key", "title"}
    if "key" in names and "total" in value:
        closed_keys |= {"key", "earlier", "later"} & value.keys()
    if place.screen and "title" in names and "rows" in value and value.get("name") == ITEM_ROWS:
        closed_keys.add("label")  # an entry of a list has no collection that it could be called by
    of_field = next(
        (field for field in (value.get("name"), value.get("field")) if isinstance(field, str)), None
    )
    if of_field is not None and (of_field in names or ANY in names):
        closed_keys |= VALUES_OF_FIELD | ({"options"} if place.screen and "key" in names else set())
    if of_field is not None and LIMIT + of_field in names:
        closed_keys.add("max")
    if place.values:
        return frozenset(
            closed_keys | (set(value) if ANY in names else names) | (ANSWERS if SENT in names else set())
        )
    words = (
        WORDS - ({"title"} if titled or "step" in value else frozenset()) if SAID in names else frozenset()
    )
    words -= {"help"} if place.screen and HELP not in names else frozenset()
    return frozenset(closed_keys | words | (ANSWERS if SENT in names else frozenset()))


def _compared(
    values: Mapping[str, Any], path: str, hidden: Within, place: _Place, masked: list[str]
) -> dict[str, Any]:
    """The values that a rule compared, by path, without those that lead to a hidden field. Other answers may be called so too: inside, they are masked as anywhere."""
    kept = dict(values)
    for way, item in values.items():
        if item is not None and hidden.closed is not None and hidden.closed.way(way, hidden.step):
            kept[way] = hidden.instead
            masked.append(f"{path}.{way}")
        elif isinstance(item, dict | list):
            kept[way] = _mask(item, f"{path}.{way}", hidden, place, masked)
    return kept


def _hidden_of_proposal(value: Mapping[str, Any], names: frozenset[str], hidden: Hidden) -> frozenset[str]:
    """The keys that are hidden of a proposed value: all parts if its field or one of its sources is hidden."""
    sources = value.get("sources")
    if "confidence" not in value or not isinstance(sources, list):
        return frozenset()
    shut = value.get("name") in names or any(
        _source_hidden(source, names, hidden) for source in sources if isinstance(source, Mapping)
    )
    return RESTS_ON if shut else frozenset()


def _source_hidden(source: Mapping[str, Any], names: frozenset[str], hidden: Hidden) -> bool:
    collection, field = source.get("collection"), source.get("field")
    closed = hidden(collection) if isinstance(collection, str) else names
    return isinstance(field, str) and field.rpartition(".")[2] in closed
