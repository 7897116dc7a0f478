"""The parts of an event's sentence: who, the workflow, the step, the record, the reason; made of open values and of names."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.core import outcome_words
from console.core.plain_words import uncapitalised
from console.core.right_words import ALONE

LONGEST_NAME = 80
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
REASONS = {
    "password": "wrong password",
    "unknown": "unknown address",
    "closed": "the account is closed",
    "malformed": "no address",
    "asked": "",
    "entitled": "",
    "throttled": "too many attempts",
    "code": "wrong code",
    "no_passwords": "passwords are switched off",
    "provider": "the identity provider's answer did not fit",
    "no_role": "no group of theirs has a role here",
    "not_linked": "the account is not connected to the identity provider",
    "no_address": "the identity provider vouches for no address",
    "at_provider": "at the identity provider",
    "unlinked": "the company account that opened it was disconnected",
    "network": "from a network that is not let in",
    "too_many": "too many attempts",
    "idle": "nobody had worked on it for a while",
    "expired": "the time was up",
    "erased": "what was held about the person was erased",
    "parent": "the run that started it no longer waits for it",
    "workflow_cancelled": "the whole workflow was cancelled",
    "unenrolled": "they were taken out of the workflow",
    "record_gone": "the record is gone",
    "needs_person": "it needs a person",
}
"""Why something was refused or ended, by code."""
NO_PROPOSAL = {
    "not_configured": "AI is not set up",
    "no_key": "AI is not set up",
    "timeout": "the model did not answer in time",
    "rate_limited": "the model is asked too often",
    "overloaded": "the provider is overloaded",
    "auth": "the provider does not accept the key",
    "billing": "the account with the provider cannot pay",
    "bad_request": "the provider could not take the request",
    "model_not_found": "the provider does not know the model",
    "refused": "the model refused to answer",
    "truncated": "the answer was cut off",
    "malformed": "the answer could not be read",
    "not_in_form": "the answer did not fit the form",
    "nothing_supported": "nothing known here supports a value",
    "budget": "the budget for AI is used up",
    "breaker": "the model failed several times in a row",
    "connection": "the provider could not be reached",
    "internal_error": "something went wrong here",
}
"""Why there is no proposal, by code."""
SAID_ALREADY = ("", "default", "unchanged", "succeeded")
"""Outcomes that say nothing beside what was done: whether an action succeeded, its changes tell."""
WRITES = ("sql_write", "record_write")


@dataclass(frozen=True, slots=True)
class Names:
    """Names of ids that the reader may know. An id without a name appears as the id.

    `steps` is keyed by workflow id, version and step id, `records` by collection id and key, the others by id.
    `collections` holds the name of one record ("Customer"); `fields` are labels by collection id and field or relation, `segments` those of the collection's own segments. `loops` are the steps that go through a list,
    keyed as `steps`, and so are `offers`: type and settings of the steps, which name their outcomes; `items` says of their attempts, by step and number, which time the step was come to and at which item it stood.
    `versions` are titles by workflow and version; `titled` are titles by the id of an event or run, as its record was called then, or where it has none its workflow. `live` is the version that each workflow has today,
    `today` what everything is called today, where sentences note what is called otherwise.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    workflows: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[tuple[str, int, str], str] = field(default_factory=dict)
    collections: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    workspaces: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[tuple[str, str], str] = field(default_factory=dict)
    loops: Collection[tuple[str, int, str]] = ()
    offers: Mapping[tuple[str, int, str], Mapping[str, Any]] = field(default_factory=dict)
    items: Mapping[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    versions: Mapping[tuple[str, int], str] = field(default_factory=dict)
    titled: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)
    own: tuple[str, str] | None = None
    """Collection and key of the record on whose page the sentences stand: it is not named there again."""
    today: "Names | None" = None


NOBODY = Names()


def actor_name(actor: Mapping[str, Any], names: Names = NOBODY) -> str:
    """The name of the `actor` of an event: a person's name, "The engine", or the id where no name is known."""
    actor_id = str(actor.get("id") or "")
    known = one_line(names.people.get(actor_id, ""))
    match actor.get("kind"):
        case "system":
            return known or ("The engine" if actor_id in ("", "sys_engine") else "The system")
        case "webhook":
            return known or "A webhook"
        case _:
            return known or one_line(actor_id) or "Somebody"


def _short_key(key: str) -> str:
    """The key as it stands in a sentence: of a UUID its first eight digits, because nobody compares more by eye."""
    return f"{key[:8]}…" if _UUID.fullmatch(key) else key


def one_line(text: str) -> str:
    """`text` on one line, at most 80 characters, without control characters and reordering marks. Curly brackets stay as they are."""
    kept = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if char not in _REORDERING
    )
    line = " ".join(kept.split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"


class Said(str):
    """A part of a sentence. A template may lead it in, where it says something: `{person_holder: from }`."""

    __slots__ = ()

    def __format__(self, lead: str) -> str:
        """The part behind its lead; nothing for an empty one."""
        return after(lead, self)


class Parts(dict[str, str]):
    """The parts of a sentence, made when a template uses them: `{who}` is `_who()`, `{action}` is `action()`, `{text_format}` the open value of that name,
    as `{words_format}` is in words and `{person_holder}` a person.
    """

    def __init__(self, body: Mapping[str, Any], names: Names) -> None:
        super().__init__()
        self.body = body
        self.names = names
        data = body.get("data") or {}
        self.open: Mapping[str, Any] = data.get("open") or {}
        self.target: Mapping[str, Any] = body.get("target") or {}
        self.renamed: dict[str, str] = {}

    def __missing__(self, part: str) -> str:
        how, _, name = part.partition("_")
        if how in ("text", "words", "person"):
            return Said(getattr(self, how)(name))
        return Said((getattr(self, f"_{part}", None) or getattr(self, part))())

    def _name(self, of: str, key: Any, then: str = "") -> str:
        """What it was called `then`, else what the names of this kind say; "" where neither is known."""
        known = then or getattr(self.names, of).get(key, "")
        return self._noted(
            known, getattr(self.names.today, of).get(key, "") if self.names.today is not None else ""
        )

    def _noted(self, then: str, now: str) -> str:
        """The name of the time on one line; where it is another one today, both are kept in `renamed`."""
        then, now = one_line(then), one_line(now)
        if then and now and then != now:
            self.renamed[then.strip("“”")] = now.strip("“”")
        return then

    def text(self, *names: str) -> str:
        """The first of these open values that is a non-empty text or a number, on one line; else ""."""
        for name in names:
            value = self.open.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return one_line(str(value))
        return ""

    def words(self, *names: str) -> str:
        """The same with blanks in place of `_` and `-`."""
        return self.text(*names).replace("_", " ").replace("-", " ")

    def listed(self, *names: str) -> list[str]:
        """The first of these open values that is a non-empty list, as texts; else []."""
        for name in names:
            value = self.open.get(name)
            if isinstance(value, list) and value:
                return [one_line(str(item)) for item in value]
        return []

    def person(self, *names: str) -> str:
        """The name of the person whose id is the first of these open values; "" when there is none."""
        person_id = self.text(*names)
        return one_line(self.names.people.get(person_id, "")) or person_id

    def instead(self) -> str:
        """In whose place it was done, as an ending such as ` in place of Mona Stern`; nothing where nobody was away."""
        given = self.open.get("stands_in_for")
        people = [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]
        names = [one_line(self.names.people.get(each, "") or each) for each in people if each]
        return after(" in place of ", enumerate_words(names))

    def _assignee(self) -> str:
        return self.person("assignee", "team")

    def _somebody(self) -> str:
        return self.person("person") or "a person"

    def _form(self) -> str:
        return self.text("format").upper()

    def _revealed(self) -> str:
        return self.field(self.text("field")) if self.text("field") else ""

    def _own_kind(self) -> str:
        return self.kind(self.text("collection")) if self.text("collection") else ""

    def count(self, name: str, one: str, many: str) -> str:
        """`3 values` or `1 value` for an open value that is a number or a list; "" when it is not known."""
        value = self.open.get(name)
        value = len(value) if isinstance(value, list) else value
        if not isinstance(value, int) or isinstance(value, bool):
            return ""
        return f"{value:,} {one if value == 1 else many}"

    def _who(self) -> str:
        actor = self.body.get("actor") or {}
        name = actor_name(actor, self.names)
        return f"{name} (API key)" if actor.get("kind") == "key" else name

    def workspace(self) -> str:
        """The workspace's title, or the last part of its address; "" when there is none."""
        return self._name("workspaces", self.text("workspace")) or self.text("workspace")

    def workflow(self) -> str:
        """The workflow's title or slug; "" when neither is known."""
        workflow = self.body.get("wf") or {}
        workflow_id = str(workflow.get("id") or self.open.get("workflow") or "")
        version = workflow.get("version") or self.open.get("version")
        then = self.names.versions.get((workflow_id, version), "") if isinstance(version, int) else ""
        own = "" if self.target else self.names.titled.get(str(self.body.get("id")), "")
        return self._name("workflows", workflow_id, own or then) or self.text("slug")

    def _workflow(self) -> str:
        return self.workflow() or "the run"

    def _workflow_first(self) -> str:
        return self.workflow() or "The run"

    def _workflow_named(self) -> str:
        return self.workflow() or self.text("workflow") or "without a name"

    def _step(self) -> str:
        return self.step_title(str((self.body.get("step") or {}).get("id") or "")) or "a step"

    def _step_first(self) -> str:
        return self.step_title(str((self.body.get("step") or {}).get("id") or "")) or "A step"

    def step_title(self, step_id: str) -> str:
        """The step's title in quotation marks: that of the version that ran, else that in the event, else its id as words."""
        workflow, version, _ = self._version_and(step_id)
        known = self._noted(
            self.names.steps.get((workflow, version, step_id), ""),
            self.names.steps.get((workflow, self.names.live.get(workflow, version), step_id), ""),
        )
        own = (self.body.get("step") or {}).get("id") == step_id
        title = known or (self.text("title") if own else "") or one_line(step_id).replace("_", " ")
        return f"“{title}”" if title else ""

    def _version_and(self, step_id: str) -> tuple[str, int, str]:
        workflow = self.body.get("wf") or {}
        return str(workflow.get("id") or ""), int(workflow.get("version") or 0), step_id

    def _attempt(self) -> str:
        step_id, number = (
            str((self.body.get("step") or {}).get("id")),
            (self.body.get("step") or {}).get("attempt"),
        )
        item = 0
        if self._version_and(step_id) in self.names.loops:  # each item is an attempt of its own
            number, item = self.names.items.get((step_id, int(number or 0)), (1, 0))
        told = [f"attempt {number}"] if isinstance(number, int) and number > 1 else []
        told += [f"item {item}"] if item else []
        return f" ({', '.join(told)})" if told else ""

    def _record(self) -> str:
        collection, key = str(self.target.get("coll") or ""), self.target.get("key")
        if not collection:
            return ""
        if key is None:
            return self.kind(collection)
        if self._own():
            return f"this {self.kind(collection)}"
        return self._title() or f"{self.kind(collection)} {_short_key(one_line(str(key)))}".rstrip()

    def _title(self) -> str:
        """What the event's record was called; "" where that is not known."""
        then = self.names.titled.get(str(self.body.get("id"))) or self.names.titled.get(
            str(self.body.get("run")), ""
        )
        return self._name("records", (str(self.target.get("coll") or ""), str(self.target.get("key"))), then)

    def _kind_of_record(self) -> str:
        return self.kind(str(self.target.get("coll") or ""))

    def kind(self, collection: str) -> str:
        """What a record of the collection is called within a sentence."""
        label = self._name("collections", collection) or one_line(collection).replace("_", " ")
        return uncapitalised(label)

    def _own(self) -> bool:
        return self.names.own == (str(self.target.get("coll") or ""), str(self.target.get("key")))

    def _on_record(self) -> str:
        return "" if self._own() else after(" on ", self._record())

    def enrolled(self, *, first: bool = False) -> str:
        """Whom an enrolment is about, by the name of their record; empty where it is not told. `first`: it begins the sentence."""
        if self.target.get("key") is None:
            return ""
        said = self._record()
        named = not said.startswith((self._kind_of_record(), "this "))  # a name is written as it is
        return said if named or not first else said[:1].upper() + said[1:]

    def _of_record(self) -> str:
        return after(" of ", self._record())

    def _fields(self) -> str:
        return enumerate_words([self.field(name) for name in self.listed("fields")])

    def field(self, name: str) -> str:
        """The label of a field of the event's record, as it stands inside a sentence."""
        label = self._name("fields", (str(self.target.get("coll") or ""), name)) or in_words(name)
        return uncapitalised(label)

    def segment(self) -> str:
        """Which records of the list, by the label of the segment; "" for all of them, or where a person's own tab is gone."""
        named = self.text("segment")
        label = self._name("segments", (str(self.target.get("coll") or ""), named))
        return f" in the segment {f'“{label}”' if label else named.replace('_', ' ')}" if named else ""

    def action(self) -> str:
        """The title of the action, or of the step that asked; "" when there is none."""
        named = self.text("action")
        known = self._action_title(named)
        return f"“{known}”" if known else self.step_title(named) if named else ""

    def _action_title(self, named: str) -> str:
        """The title of the action of this id, or the id in words; "" for what is no id of an action."""
        known = self._name("actions", named)
        return known or (named.replace(".", " ").replace("_", " ").capitalize() if "." in named else "")

    def governed(self) -> str:
        """What a right is about, such as `action “Refund the charge”`, `collection Customer`, `every workflow` or `the activity log`."""
        kind, _, name = self.text("object").partition(":")
        if name in ("", "*"):
            return f"every {kind.replace('_', ' ')}" if name else ALONE.get(kind, kind.replace("_", " "))
        if kind == "collection" and (known := self._name("collections", name)):
            return f"collection {known}"
        if kind == "action" and (title := self._action_title(name)):
            return f"action “{title}”"
        return f"{kind} {name}".replace("_", " ").strip()

    def tag(self) -> str:
        """The tag of the event, in quotation marks."""
        return f"the tag “{self.text('tag', 'word')}”" if self.text("tag", "word") else "a tag"

    def _outcome(self) -> str:
        chosen = self.text("label", "outcome")
        if (
            self.body.get("type") == "step_submitted"
            and (self.body.get("actor") or {}).get("kind") == "system"
        ):
            return ""  # of what goes by itself it is the end that is expected; the real one stands in the event that completes the step
        return "" if chosen in SAID_ALREADY else f": {self.outcome_spoken(chosen)}"

    def outcome_spoken(self, outcome: str) -> str:
        """The outcome of the event's step within a sentence, by its label in the version that ran; the end of a run as its document calls it."""
        if self.body.get("type") in ("run_completed", "run_cancelled"):
            return in_words(outcome)
        workflow, version, step_id = self._version_and(str((self.body.get("step") or {}).get("id") or ""))
        then = outcome_words.spoken(self.names.offers.get((workflow, version, step_id), {}), outcome)
        today = self.names.offers.get((workflow, self.names.live.get(workflow, version), step_id))
        return self._noted(then, outcome_words.spoken(today, outcome) if today is not None else "")

    def _change(self) -> str:
        from console.core.effect_kinds import (
            KINDS,
        )  # loads pydantic, which a command that only says its help does without

        named = self.listed("fields") if self.target.get("coll") else []
        wish = (
            self._fields()
            if named and self.text("effect_kind") in ("", *WRITES)
            else in_words(self.text("summary"))
        )
        kind = KINDS.get(self.text("effect_kind"))
        deed = kind.deed if kind is not None else ""
        return f"{deed or 'change'}{f' ({wish})' if wish else ''}{after(' for ', self._record()) if deed else self._in_record()}"

    def _in_record(self) -> str:
        return after(" of " if self._title() else " in ", self._record())

    def _why(self) -> str:
        code = self.text("code", "reason_code", "reason")
        known = NO_PROPOSAL if self.body.get("type") == "proposal_failed" else REASONS
        return after(": ", known.get(code, in_words(code)))

    def _version(self) -> str:
        return after(", version ", self.text("version"))

    def _origin(self) -> str:
        origin = self.text("origin")
        return {"": "", "rules": " from the rules"}.get(origin, f" from {origin}")


_PROGRAM_WORD = re.compile(r"(?<![\w@./:-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w@/])")


def in_words(text: str) -> str:
    """The text with its words of programs as words of people: "Update cleared_by" is "Update cleared by"."""
    return _PROGRAM_WORD.sub(lambda found: found[0].replace("_", " "), text)


def in_brackets(text: str) -> str:
    """` (text)`; "" for an empty text."""
    return f" ({text})" if text else ""


def escape_braces(text: str) -> str:
    """`text` as a literal part of a template: a title may contain curly brackets."""
    return text.replace("{", "{{").replace("}", "}}")


def after(lead: str, text: str) -> str:
    """`lead` and the text; "" for an empty text."""
    return lead + text if text else ""


def enumerate_words(words: list[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 5 more`."""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
