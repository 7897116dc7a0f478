"""What the button of a step will do, in words, derived from the step's own completion and not from its type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.views import formats, frame
from console.views.formats import Look
from console.workflows import inboxes

PLAIN = {
    "documents": "Writes to the address in the form and asks for the documents; the run waits for them.",
    "message": "Sends a message to somebody outside, when consent and the hours allow it; the run waits for it.",
    "question": "Asks other people; the run waits for their answer.",
    "ai": "Asks the AI; the run waits for its answer.",
    "notice": "Tells people in the console, and by mail where that is set up.",
    "time": "The run waits.",
}
EMPTY = "empty"
WAITS = "The run waits for something to happen outside."
BY_HAND_AGAIN = "Asks whether to keep what was done before, or to do it again."
BY_HAND = "Nothing is done by this: the run goes on as if the step had been done by hand."


@dataclass(frozen=True, slots=True)
class Change:
    """A field that will be written, with its value before (None: unknown) and after."""

    label: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that will be done and the fields that it writes; `later` lists fields whose values are only known then."""

    words: str
    changes: Sequence[Change] = ()
    later: str = ""

    def said(self, *, listed_above: bool) -> str:
        """The sentence; a colon at its end leads to the list of changes, a full stop stands where a block above has that."""
        return f"{self.words.removesuffix(':')}." if listed_above and self.changes else self.words


@dataclass(frozen=True, slots=True)
class Consequence:
    """What pressing the button causes."""

    deeds: Sequence[Deed] = ()
    after: str = ""
    warn: bool = False


@dataclass(frozen=True, slots=True)
class _Screen:
    """The part of a screen that the words are made of, besides the outcome itself."""

    record: Mapping[str, Any]
    by_hand: str
    look: Look
    item: str


def consequences(screen: Mapping[str, Any], look: Look, chosen: str | None = None) -> list[Consequence]:
    """Return what the button changes outside the run, once: for the chosen option, or where all options do the same."""
    ways = screen.get("ways") or ()
    by_hand = ""
    if screen.get("by_hand"):
        again = (screen.get("take_over") or {}).get("code") == "already_done"
        by_hand = BY_HAND_AGAIN if again else BY_HAND
    facts = _Screen(screen.get("record") or {}, by_hand, _naming(screen, look), _item_title(screen))
    if any(way["outcome"] == chosen for way in ways):
        ways = [way for way in ways if way["outcome"] == chosen]
    made = [_consequence(way, facts) for way in ways]
    if len({repr((way.deeds, way.after, way.warn)) for way in made}) != 1:
        return []
    return made[:1] if made[0].deeds or made[0].after else []


def _naming(screen: Mapping[str, Any], look: Look) -> Look:
    """Return the look with the run's record and those that the screen names, by their titles."""
    record = screen.get("record") or {}
    own = (
        {(str(record["collection"]), str(record["key"])): formats.Named(str(record["title"]))}
        if record.get("title")
        else {}
    )
    return frame.naming(own, frame.naming_of(screen, look))


def contradictions(foretold: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return what rules refuse of a form as it is typed so far, one detail for each field; what is merely empty is not told before Done."""
    return [detail for detail in (foretold or {}).get("wrong", ()) if detail.get("severity")]


def lacking(foretold: Mapping[str, Any] | None) -> set[str]:
    """Return the fields that what is typed so far asks for and that are still empty."""
    return {detail["field"] for detail in (foretold or {}).get("wrong", ()) if not detail.get("severity")}


def told_by(content: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a block above already lists what the step changes, field by field."""
    return any("trouble" not in data and data.get("foretold") for data in content)


def _item_title(screen: Mapping[str, Any]) -> str:
    """Return the title of the list item whose form is on the screen; empty where the step goes through no list."""
    progress = screen.get("progress") or {}
    return next(
        (str(item["title"]) for item in progress.get("items", ()) if item["key"] == progress.get("key")), ""
    )


def named_ways(screen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the step would change, for each of its choices with its label; amounts with the currency of the same record."""
    labels = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    record = dict((screen.get("record") or {}).get("values") or {})
    return [
        {
            **way,
            "label": labels.get(str(way["outcome"]), ""),
            "effects": [_with_currency(effect, record) for effect in way["effects"]],
        }
        for way in screen.get("ways") or ()
    ]


def _with_currency(effect: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    fields = effect.get("fields", ())
    around = {**record, **{field["name"]: field["new"] for field in fields if field.get("new") is not None}}
    codes = [around.get(field.get("currency"), field.get("currency")) for field in fields]
    return {
        **effect,
        "fields": [{**field, "currency": code} for field, code in zip(fields, codes, strict=True)],
    }


def _consequence(way: Mapping[str, Any], screen: _Screen) -> Consequence:
    if way["refused"]:
        return Consequence([Deed(f"It is refused as it stands: {way['refused']}")], warn=True)
    effects = [effect for effect in way["effects"] if not effect.get("left_out")]
    if way.get("unsettled"):
        effects = [effect for effect in effects if effect["kind"] != "sql_write" or "summary" in effect]
    first = any(effect["kind"] == "approval" and not effect["decides"] for effect in effects)
    deeds = [_deed(effect, screen, first=first) for effect in effects]
    if way.get("unsettled"):
        deeds.append(
            Deed(
                f"Writes {_listed(way['unsettled'])} of {screen.item or _title(screen)}, from what you enter."
            )
        )
    deeds += [Deed(screen.by_hand)] if screen.by_hand and not deeds else []
    return Consequence(deeds, _after(way))


def _deed(effect: Mapping[str, Any], screen: _Screen, *, first: bool) -> Deed:
    """Return the words for one effect. `first`: others must approve before it happens."""
    match effect["kind"]:
        case "approval":
            return Deed(_approval(effect))
        case "hand_over":
            return Deed(
                f"Hands the run on to the inbox “{inboxes.title_of(effect['inbox'])}”: it is not with you any more."
            )
        case "task":
            return Deed(
                f"Makes a task for others{'; the run waits until it is closed' if effect['waits'] else ''}."
            )
        case "tag":
            return Deed(
                f"{'Puts the tag' if effect['added'] else 'Takes the tag'} “{effect['tag']}” {'on' if effect['added'] else 'away from'} {_title(screen)}."
            )
        case kind if kind in PLAIN:
            return Deed(PLAIN[kind])
    changed = _changes(effect.get("fields", ()), screen)
    later = _listed([str(source["label"]) for source in effect.get("fields", ()) if source.get("later")])
    changes = [
        change for change in changed if change.after != (change.before or EMPTY)
    ]  # fields that already have the new value are not written
    if "summary" in effect:
        sometimes = f", only where {effect.get('where') or 'its condition holds'}" if effect.get("if") else ""
        lead = "After that: " if first else ""
        return Deed(
            f"{lead}{effect['summary'].rstrip('.')}{sometimes}{':' if changes else '.'}", changes, later
        )
    if "collection" not in effect:
        return Deed(WAITS)
    return Deed(f"Writes {_title(screen, effect)}:", changes)


def _approval(effect: Mapping[str, Any]) -> str:
    who = (
        _listed([formats.role_words(role) for role in effect["roles"]], "or") or "somebody who may approve it"
    )
    many = f"{effect['needs']} of " if effect["needs"] > 1 else ""
    if effect["decides"]:
        return f"Asks {many}{who} for a yes or no."
    return f"Asks {many}{who} for approval. Nothing is done before that."


def _changes(fields: Sequence[Mapping[str, Any]], screen: _Screen) -> list[Change]:
    """Return the fields with known values, amounts with the currency of the same record."""
    kinds = {str(source["name"]): formats.kind(source) for source in fields}
    known = {str(source["name"]): source for source in fields if not source.get("later")}
    around = dict(screen.record.get("values") or {}) | {
        name: entry.get("new") for name, entry in known.items()
    }
    made = []
    for name, entry in known.items():
        what = kinds[name]
        before, after = (
            formats.text(
                what,
                formats.with_currencies({**around, name: entry.get(key)}, {name: what.currency})[name],
                screen.look,
            )
            if what.currency in around
            else formats.text(what, entry.get(key), screen.look)
            for key in ("old", "new")
        )
        made.append(Change(what.label, _or_empty(before) if "old" in entry else None, _or_empty(after) or ""))
    return made


def _or_empty(shown: str | None) -> str | None:
    return EMPTY if shown == formats.EMPTY else shown


def _title(screen: _Screen, effect: Mapping[str, Any] | None = None) -> str:
    """Return the title of the record that is written."""
    if effect is not None and effect.get("title"):
        return str(effect["title"])
    of_run = effect is None or (effect.get("collection"), effect.get("record")) == (
        screen.record.get("collection"),
        screen.record.get("key"),
    )
    return str(screen.record.get("title") or "the record") if of_run else "another record"


def _after(way: Mapping[str, Any]) -> str:
    """Return which steps the run may take automatically afterwards."""
    titles, depends = [f"“{title}”" for title in way["after"]], way.get("after_by_rule")
    lead = (
        "By rule, the run may then go on by itself to" if depends else "The run may then go on by itself to"
    )
    parts = [f"{lead} {_listed(titles, 'or' if depends else 'and')}."] if titles else []
    parts += [f"The run ends: {way['ends']}."] if way.get("ends") else []
    return " ".join(parts)


def _listed(words: Sequence[str], joint: str = "and") -> str:
    return f" {joint} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
