"""Changing how runs of a workflow behave, and its variables, without touching its steps: a new version for the runs that start next."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from console.auth import access
from console.core import drafting
from console.core.actor import Actor
from console.core.documents import json_shape
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.variables import Variable
from console.core.documents.workflow import Settings
from console.core.errors import Conflict, Invalid
from console.infra.db.engine import transaction
from console.workflows.definitions import Entry, entry_of
from console.workflows.draft_edits import store_draft, stored_document
from console.workflows.queries import forget
from console.workflows.store import OBJECT, locked_row
from console.workflows.versions import go_live, version

CONFIGURED = (
    "timeout_ms",
    "retries",
    "backoff_ms",
    "on_error",
    "visit_limit",
    "idle_save_minutes",
    "inbox",
    "parallel",
    "per_minute",
    "per_day",
    "hidden_in",
    "only_in",
)
"""The settings that this changes."""
RULE: TypeAdapter[Any] = TypeAdapter(Variable)
PARTS = {
    "triggers": "what starts it",
    "exits": "leaving early",
    "tests": "its tests",
    "report": "reporting",
    "notes": "a note",
}
"""Part of a document that uses a rule -> what people call it."""
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class VariableEdits:
    """What becomes of variables: first old name -> new name, then those that are removed, then name -> value."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    removed: Collection[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether it changes nothing."""
        return not (self.renamed or self.removed or self.values)


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody had before them who changes it: all settings, the usual ones too, and all variables; None: does not say."""

    settings: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] | None = None


def configure(
    actor: Actor,
    slug_or_id: str,
    *,
    settings: Mapping[str, Any] | None = None,
    variables: VariableEdits | None = None,
    seen: Seen | None = None,
) -> Entry:
    """Change settings (None: back to the usual) and variables, in the draft and, as a new version, in the live one; runs that have begun keep theirs.

    A rule that is renamed is renamed wherever it is named. What else the draft changes is not published with it. With `seen`, what others changed
    since then stays, unless both changed the same. Raises NotFound, NotAllowed, Conflict and Invalid with a detail per field (of a rule its name),
    also for a rule that is removed and used; DefinitionError.
    """
    given, edits = dict(settings or {}), variables or VariableEdits()
    _require_known(given)
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        now = stored_document(row.draft)
        if seen is not None:
            given = _beside_others(now, given, edits, seen)
        former = None
        if row.live_version is not None:
            access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "publish")
            former = version(row.id, row.live_version).document.to_json()
        _require_possible([now, *([former] if former is not None else [])], edits)
        fields = ["settings"] if given else ["variables"]
        after = store_draft(connection, actor, row, now, _changed(now, given, edits), fields)
        if former is not None:
            after = go_live(connection, actor, after, _changed(former, given, edits))
    forget()
    return entry_of(after)


def used_by(document: Mapping[str, Any], name: str) -> list[str]:
    """The places where a variable is used, as people call them, each once: titles of steps, and parts of the workflow."""
    titles = {
        str(step.get("id")): str(step.get("title") or step.get("id")) for step in document.get("steps") or ()
    }
    places = (
        titles.get(use.step, use.step)
        if use.step is not None
        else PARTS.get(use.field.partition(".")[0].partition("[")[0], "the workflow")
        for use in drafting.used_in(document, name)
    )
    return list(dict.fromkeys(places))


def _beside_others(
    draft: Mapping[str, Any], settings: Mapping[str, Any], edits: VariableEdits, seen: Seen
) -> dict[str, Any]:
    """Return the settings without those that only bring back what others changed since it was seen. Raises Conflict where both changed the same."""
    before = seen.settings or {}
    now = Settings.model_validate({}).model_dump(mode="json") | dict(draft.get("settings") or {})
    mine = {name: value for name, value in settings.items() if name not in before or value != before[name]}
    both = [
        name for name, value in mine.items() if name in before and now.get(name) not in (before[name], value)
    ]
    if seen.variables is not None:
        rules = draft.get("variables") or {}
        moved = {name for name in {*rules, *seen.variables} if not _same(rules, seen.variables, name)}
        changed = [name for name, value in edits.values.items() if not _same(rules, {name: value}, name)]
        both += [name for name in (*edits.renamed, *edits.removed, *changed) if name in moved]
    if both:
        reason = "Somebody else changed this meanwhile. Save again to have it as it stands here."
        raise Conflict(
            "It was not saved: it changed meanwhile.",
            details=[(name, reason) for name in both],
        )
    return mine


def _same(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    """Whether both have the same under the name, or neither has it; true is not 1."""
    return (name in one) == (name in other) and json.dumps(one.get(name), sort_keys=True) == json.dumps(
        other.get(name), sort_keys=True
    )


def _require_possible(documents: Sequence[Mapping[str, Any]], edits: VariableEdits) -> None:
    """Raise Invalid for a name that is none, is taken or is not there, a value that no rule can have, and a rule that is removed and used."""
    known = {name for document in documents for name in document.get("variables") or {}}
    kept = known - set(edits.renamed) - set(edits.removed)
    details = [
        (name, f"There is no rule {name}: it was renamed or removed meanwhile.")
        for name in (*edits.renamed, *edits.removed)
        if name not in known
    ]
    taken = list(edits.renamed.values())
    details += [
        (old, f"There is a rule {new} already.")
        for old, new in edits.renamed.items()
        if new in kept or taken.count(new) > 1
    ]
    for name in edits.removed:
        if places := list(
            dict.fromkeys(place for document in documents for place in used_by(document, name))
        ):
            details.append((name, f"It is used by {_listed(places)}: change that first, then remove it."))
    wrong_names = [
        name for name in (*edits.renamed.values(), *edits.values) if re.fullmatch(NAME_PATTERN, name) is None
    ]
    details += [
        (name, f"“{name[:60]}” is no name: begin with a letter, then letters, digits and _, at most 64.")
        for name in wrong_names
    ]
    for name, value in edits.values.items():
        try:
            RULE.validate_python(value)
            _require_plain(value)
        except ValidationError as wrong:
            details += [
                (name, str(each["msg"]).removeprefix("Value error, ").rstrip(".") + ".")
                for each in wrong.errors()
            ]
        except ValueError as wrong:
            details.append((name, str(wrong)))
    if details:
        raise Invalid(
            "The variables were not saved.",
            details=[(name, reason) for name, reason in details],
        )


def _require_plain(value: Any) -> None:
    """Raise ValueError for a decimal that is no text, and for a name that people and programs would read differently."""
    if isinstance(value, float):
        raise ValueError(f"Write a decimal as text: “{value}”.")  # noqa: TRY004 (a wrong value, said with others)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        _require_plain(each)


def _listed(words: Sequence[str]) -> str:
    named = [f"“{each}”" for each in words[:MOST_NAMED]] + (
        [f"{len(words) - MOST_NAMED} more"] if len(words) > MOST_NAMED else []
    )
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]


def _require_known(given: Mapping[str, Any]) -> None:
    """Raise Invalid for a setting that is none, or whose value it cannot have."""
    details = [
        {"field": name, "reason": f"Known: {', '.join(CONFIGURED)}."}
        for name in given
        if name not in CONFIGURED
    ]
    try:
        Settings.model_validate(
            {name: value for name, value in given.items() if value is not None and name in CONFIGURED}
        )
    except ValidationError as wrong:
        details += [
            {"field": str(each["loc"][0]), "reason": json_shape.reason(each, Settings)}
            for each in wrong.errors()
        ]
    if details:
        raise Invalid("The configuration was not saved.", details=details)


def _changed(
    document: Mapping[str, Any], settings: Mapping[str, Any], edits: VariableEdits
) -> dict[str, Any]:
    """The document of a draft with these settings and variables. The draft may be unfinished."""
    kept = {
        name: value
        for name, value in {**(document.get("settings") or {}), **settings}.items()
        if value is not None
    }
    changed = {**document, "settings": kept}
    apart = {
        old: f"x{number}__moving" for number, old in enumerate(edits.renamed)
    }  # two may change their names with each other
    for old, new in [*apart.items(), *((apart[old], new) for old, new in edits.renamed.items())]:
        changed = drafting.renamed_variable(changed, old, new)
    rules = {
        name: value for name, value in (changed.get("variables") or {}).items() if name not in edits.removed
    } | dict(edits.values)
    changed["variables"] = rules
    if not rules:
        changed.pop("variables")
    return changed
