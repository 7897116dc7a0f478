"""An event as a sentence for people.

Pages, API, replay and mail all use the same sentence. It is made of what stands open in the event and of names that the
caller may see; sealed values (what was typed, reasons, addresses) are never part of it, so that a sentence stays true and
harmless when a value is masked or erased.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

LONGEST_NAME = 80
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REASONS = {
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
    "network": "from a network that is not let in",
    "too_many": "too many attempts",
    "idle": "nobody had worked on it for a while",
    "expired": "the time was up",
    "erased": "what was held about the person was erased",
}
WRITES = ("sql_write", "record_write")


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, as far as the reader may know it; what is missing appears as its id.

    `steps` is keyed by workflow id, version and step id, `records` by collection id and key, all others by id.
    `collections` holds the name of one record ("Customer").
    """

    people: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    workflows: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[tuple[str, int, str], str] = field(default_factory=dict)
    collections: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[tuple[str, str], str] = field(default_factory=dict)


NOBODY = Names()


def sentence(body: Mapping[str, Any], names: Names = NOBODY) -> str:
    """The event with this body as one line of plain text, without a full stop.

    Text that came from people or records is cut to 80 characters and freed of line breaks and of marks that reorder text.
    A kind that this release does not know reads as its name, so that a newer log can still be looked at.
    """
    told = _Told(body, names)
    how = SENTENCES.get(str(body.get("type", "")))
    if how is None:
        return f"{told['who']}: {plain(str(body.get('type', 'event'))).replace('_', ' ')}"
    return (how if isinstance(how, str) else how(told)).format_map(told)


def actor_name(actor: Mapping[str, Any], names: Names = NOBODY) -> str:
    """What to call the `actor` of an event: a person's name, "The engine", or the id where no name is known."""
    actor_id = str(actor.get("id") or "")
    known = plain(names.people.get(actor_id, ""))
    match actor.get("kind"):
        case "system":
            return known or ("The engine" if actor_id in ("", "sys_engine") else "The system")
        case "webhook":
            return known or "A webhook"
        case _:
            return known or plain(actor_id) or "Somebody"


def plain(text: str) -> str:
    """`text` on one line, at most 80 characters, without control and reordering marks; curly brackets survive as they are."""
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text if char not in _REORDERING)
    line = " ".join(kept.split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"


class _Told(dict[str, str]):
    """The parts of a sentence, made when they are asked for. Parts that begin with a space or comma are empty when unknown."""

    def __init__(self, body: Mapping[str, Any], names: Names) -> None:
        super().__init__()
        self.body = body
        self.names = names
        data = body.get("data") or {}
        self.open: Mapping[str, Any] = data.get("open") or {}
        self.target: Mapping[str, Any] = body.get("target") or {}

    def __missing__(self, part: str) -> str:
        return str(getattr(self, f"_{part}")())

    def text(self, *names: str) -> str:
        """The first of these open values that is a non-empty text or a number, in one line; else empty."""
        for name in names:
            value = self.open.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return plain(str(value))
        return ""

    def listed(self, *names: str) -> list[str]:
        """The first of these open values that is a list with something in it, as texts; else empty."""
        for name in names:
            value = self.open.get(name)
            if isinstance(value, list) and value:
                return [plain(str(one)) for one in value]
        return []

    def person(self, *names: str) -> str:
        """The name of the person whose id stands at the first of these open values; empty when there is none."""
        person_id = self.text(*names)
        return plain(self.names.people.get(person_id, "")) or person_id

    def count(self, name: str, one: str, many: str) -> str:
        """`3 values`, `1 value`, of a number or the length of a list; empty when it is not known."""
        value = self.open.get(name)
        value = len(value) if isinstance(value, list) else value
        if not isinstance(value, int) or isinstance(value, bool):
            return ""
        return f"{value:,} {one if value == 1 else many}"

    def _who(self) -> str:
        actor = self.body.get("actor") or {}
        name = actor_name(actor, self.names)
        return f"{name} (API key)" if actor.get("kind") == "key" else name

    def workflow(self) -> str:
        """The workflow's title; empty when it has none here."""
        workflow = self.body.get("wf") or {}
        workflow_id = str(workflow.get("id") or self.open.get("workflow") or "")
        return plain(self.names.workflows.get(workflow_id, "")) or self.text("slug")

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
        """The step's title in quotation marks: from the version that ran, else from the event, else its id as words."""
        workflow = self.body.get("wf") or {}
        known = self.names.steps.get((str(workflow.get("id") or ""), int(workflow.get("version") or 0), step_id), "")
        own = (self.body.get("step") or {}).get("id") == step_id
        title = plain(known) or (self.text("title") if own else "") or plain(step_id).replace("_", " ")
        return f"“{title}”" if title else ""

    def _attempt(self) -> str:
        number = (self.body.get("step") or {}).get("attempt")
        return f" (attempt {number})" if isinstance(number, int) and number > 1 else ""

    def _record(self) -> str:
        collection, key = str(self.target.get("coll") or ""), self.target.get("key")
        if not collection:
            return ""
        label = self._kind_of_record()
        if key is None:
            return label
        title = plain(self.names.records.get((collection, str(key)), ""))
        return title or f"{label} {plain(str(key))}".rstrip()

    def _kind_of_record(self) -> str:
        collection = str(self.target.get("coll") or "")
        label = plain(self.names.collections.get(collection, "")) or plain(collection).replace("_", " ")
        return label if label[:2].isupper() else label[:1].lower() + label[1:]

    def _on_record(self) -> str:
        return _after(" on ", self._record())

    def _of_record(self) -> str:
        return _after(" of ", self._record())

    def _fields(self) -> str:
        return _enumerate([name.replace("_", " ") for name in self.listed("fields")])

    def _outcome(self) -> str:
        chosen = self.text("label", "outcome")
        return "" if chosen in ("", "default") else f": {chosen.replace('_', ' ')}"

    def _change(self) -> str:
        kind, wish = self.text("effect_kind"), self.text("summary") or self._fields()
        act = "change" if kind in ("", *WRITES) else f"“{kind.replace('_', ' ')}”"
        return f"{act}{f' ({wish})' if wish else ''}{self._in_record()}"

    def _in_record(self) -> str:
        return _after(" in ", self._record())

    def _why(self) -> str:
        code = self.text("code", "reason_code", "reason")
        return _after(": ", _REASONS.get(code, code.replace("_", " ")))

    def _version(self) -> str:
        return _after(", version ", self.text("version"))

    def _origin(self) -> str:
        origin = self.text("origin")
        return {"": "", "rules": " from the rules"}.get(origin, f" from {origin}")


def _source_opened(told: _Told) -> str:
    what = told.text("what", "name", "source", "collection") or "a source"
    return "{who} opened " + _braced(what + _after(", page ", told.text("page"))) + " from {step}"


def _run_taken_over(told: _Told) -> str:
    return "{who} took over {workflow}{on_record}" + _braced(_after(" from ", told.person("former_holder")))


def _run_assigned(told: _Told) -> str:
    return "{who} assigned {workflow}{on_record}" + _braced(_after(" to ", told.person("holder")))


def _step_completed(told: _Told) -> str:
    return "{who} completed {step}{attempt}{outcome}" + (", handled manually" if told.open.get("handled_manually") is True else "")


def _step_failed(told: _Told) -> str:
    if told.text("code") == "no_rule":
        return "No rule applied at {step}{attempt}, so a person is asked"
    return "{step_first}{attempt} " + ("asks a person" if told.text("code") == "asks_person" else "could not be done{why}")


def _outcome_chosen(told: _Told) -> str:
    chosen = told.text("label", "outcome").replace("_", " ")
    return (
        ("A rule" if told.text("maker") == "rule" else "{who}")
        + " chose "
        + (f"“{_braced(chosen)}”" if chosen else "an outcome")
        + " at {step}"
    )


def _step_revised(told: _Told) -> str:
    target = told.step_title(told.text("target_step")) or told["step"]
    return f"{{who}} revised {_braced(target)}" + _after(", which cancelled ", told.count("cancelled", "attempt", "attempts"))


def _effect_settled(told: _Told) -> str:
    if told.text("result") == "left":
        return "{who} left what the {change} should have taken back as it is"
    result = {"done": ": it was made", "not_done": ": it was not made"}.get(told.text("result"), "")
    return "{who} settled whether the {change} was made" + result


def _effect_failed(told: _Told) -> str:
    begun = told.text("code") != "not_begun"
    return "The {change} was refused{why}" if begun else "The {change} was not begun, because the one before it was not made"


def _effect_checked(told: _Told) -> str:
    found = {"done": ": it was", "not_done": ": it was not", "unclear": "; it cannot be told"}.get(told.text("result"), "")
    return "{who} asked the other side whether the {change} was made" + found


def _record_viewed(told: _Told) -> str:
    part = told.text("relation", "tab").replace("_", " ")
    return "{who} viewed {record}" + _braced(f" ({part})" if part else "") if told["record"] else "{who} viewed a record"


def _record_listed(told: _Told) -> str:
    kind = f"{told['kind_of_record']} records" if told["record"] else "records"
    number = told.count("count", "", "").strip()
    segment = _after(" in the segment ", told.text("segment").replace("_", " "))
    return "{who} listed " + _braced(f"{number} {kind}".strip() + segment)


def _record_changed(told: _Told) -> str:
    fields, record = told["fields"], told["record"]
    if (effect := told.text("effect")) in ("added", "deleted"):
        return f"{{who}} {effect} " + _braced(record or "a record")
    return "{who} changed " + _braced(f"{fields} of {record or 'a record'}" if fields else record or "a record")


def _access_refused(told: _Told) -> str:
    act, asked = told.text("act").replace("_", " "), told.text("object").replace(":", " ")
    over = told["record"] or asked
    if not act:
        return "{who} was refused access" + _braced(_after(" to ", over))
    return "{who} was refused " + _braced(f"“{act}”{_after(' on ', over)}")


def _access_requested(told: _Told) -> str:
    act, asked = told.text("act").replace("_", " "), told.text("object").replace(":", " ")
    return "{who} asked for " + (_braced(f"“{act}”{_after(' on ', asked)}") if act else "a right")


def _sign_in_failed(told: _Told) -> str:
    return "Signing in was refused" + _braced(_after(" for ", told.person("person"))) + "{why}"


_FACTOR = {
    "added": "set up the second factor",
    "replaced": "replaced the second factor",
    "removed": "removed the second factor",
    "reset": "reset the second factor",
    "codes_renewed": "made new recovery codes for the second factor",
}


def _factor_changed(told: _Told) -> str:
    return "{who} " + _FACTOR.get(told.text("change"), "changed the second factor") + _braced(_after(" of ", told.person("person")))


def _again(first: str, second: str) -> Callable[[_Told], str]:
    """The one sentence of a first proposal, the other of a second look at it."""
    return lambda told: second if told.text("mode") == "second" else first


def _of_person(verb: str) -> Callable[[_Told], str]:
    return lambda told: f"{{who}} {verb}" + _braced(_after(" for ", told.person("person")))


def _person(verb: str, fallback: str) -> Callable[[_Told], str]:
    return lambda told: f"{{who}} {verb} {_braced(told.person('person') or fallback)}"


def _policy_changed(told: _Told) -> str:
    counts = [told.count("added", "row added", "rows added"), told.count("removed", "row removed", "rows removed")]
    return "{who} changed the rights" + _after(": ", _enumerate([count for count in counts if count]))


def _workflow_changed(told: _Told) -> str:
    fields = told.listed("fields")
    if fields != ["status"]:
        return "{who} changed the workflow {workflow_named}" + _braced(_after(": ", _enumerate(fields)))
    verb = {"active": "activated", "paused": "paused"}.get(str(told.open.get("status")), "archived")
    return f"{{who}} {verb} the workflow {{workflow_named}}"


def _ladder(verb: str) -> Callable[[_Told], str]:
    def told_of(told: _Told) -> str:
        step = told.step_title(told.text("step")) or "a step"
        words = {"shadow": "recorded only", "assist": "shown", "auto": "done by themselves where all is certain"}
        now = words.get(str(told.open.get("mode")), "")
        return f"{{who}} {verb} how far proposals for {_braced(step)} of {{workflow_named}} are trusted" + _after(": ", now)

    return told_of


def _source(verb: str) -> Callable[[_Told], str]:
    def told_of(told: _Told) -> str:
        named = told.text("name", "source")
        return (
            f"{{who}} {verb} "
            + (f"the data source {_braced(named)}" if named else "a data source")
            + _braced(_counted(told.count("collections", "collection", "collections")))
        )

    return told_of


def _source_tested(told: _Told) -> str:
    named = told.text("source", "place")
    return (
        "{who} tried a connection"
        + (f" to {_braced(named)}" if named else "")
        + ("" if told.open.get("ok", True) else ": it does not work")
    )


def _process_started(told: _Told) -> str:
    process = told.text("process", "mode")
    return f"A {_braced(process)} process started" + "{version}" if process else "A process started{version}"


def _log_read(told: _Told) -> str:
    return "{who} read the activity log" + _counted(told.count("count", "event", "events"))


def _log_exported(told: _Told) -> str:
    return (
        "{who} exported the activity log" + _braced(_after(" as ", told.text("format"))) + _counted(told.count("size", "event", "events"))
    )


def _values_expired(told: _Told) -> str:
    values = told.count("count", "value", "values") or "Values"
    return f"{values} past the time limit" + _braced(_after(" for ", told.text("category").replace("_", " "))) + " were deleted"


def _subject_erased(told: _Told) -> str:
    return "{who} erased what the log held about a person" + _counted(told.count("count", "value", "values"))


def _log_restored(told: _Told) -> str:
    lost = told.count("lost", "event", "events")
    return "{who} restored the console from a backup" + _counted(f"{lost} lost" if told.text("lost") not in {"", "0"} else "")


def _counted(text: str) -> str:
    return f" ({text})" if text else ""


def _braced(text: str) -> str:
    """`text` as a literal part of a template: a title may hold curly brackets."""
    return text.replace("{", "{{").replace("}", "}}")


def _after(lead: str, text: str) -> str:
    return lead + text if text else ""


def _enumerate(words: list[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 5 more`."""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""


def _approval_decided(told: _Told) -> str:
    decision = {"approve": "approved", "reject": "rejected"}.get(told.text("decision"), "decided about")
    return f"{{who}} {decision} " + _braced(told.text("action") or "what was asked for") + "{on_record}"


SENTENCES: Mapping[str, str | Callable[[_Told], str]] = MappingProxyType(
    {
        "run_started": "{who} started {workflow}{on_record}",
        "run_saved": "{who} saved {workflow}{on_record} for later{why}",
        "run_resumed": "{who} resumed {workflow}{on_record}",
        "run_taken_over": _run_taken_over,
        "run_released": "{who} released {workflow}{on_record}",
        "run_assigned": _run_assigned,
        "run_escalated": lambda told: "{who} put {workflow}{on_record} into an inbox" + _braced(_after(": ", told.text("inbox"))),
        "run_completed": "{who} completed {workflow}{on_record}{outcome}",
        "run_aborted": "{who} aborted {workflow}{on_record}",
        "run_failed": "{workflow_first}{on_record} failed{why}",
        "run_cancelled": "{who} cancelled {workflow}{on_record}{why}",
        "run_timed_out": "{workflow_first}{on_record} ran out of time",
        "step_entered": "{workflow_first}{on_record} came to {step}{attempt}",
        "step_shown": "{who} was shown {step}{attempt}",
        "source_opened": _source_opened,
        "checks_shown": "{who} was shown what rules tell of the documents of {step}",
        "step_submitted": "{who} handed in {step}{attempt}{outcome}",
        "step_completed": _step_completed,
        "outcome_chosen": _outcome_chosen,
        "handled_manually": "{who} handled {step} manually",
        "step_reopened": "{step_first}{attempt} is open again{why}",
        "step_failed": _step_failed,
        "step_revised": _step_revised,
        "attempt_cancelled": "{step_first}{attempt} was cancelled",
        "timer_set": "{workflow_first}{on_record} waits at {step}",
        "timer_fired": "{workflow_first}{on_record} went on from {step} by itself",
        "event_awaited": lambda told: "{workflow_first}{on_record} waits at {step}" + _braced(_after(" for: ", told.text("for"))),
        "event_arrived": "What {step} waited for is there{outcome}",
        "wait_left": "{step_first} waits no longer{why}",
        "retry_set": "{step_first}{attempt} could not be done{why}; it is tried again by itself",
        "attempt_retried": "{who} tried {step} again{why}",
        "effect_requested": "{who} asked for a {change}",
        "effect_succeeded": "The {change} was made",
        "effect_failed": _effect_failed,
        "effect_unknown": "It is not known whether the {change} was made{why}",
        "effect_settled": _effect_settled,
        "effect_reported": "News of the {change} came when the run no longer waited for it{why}",
        "effect_kept": "{who} kept the result of the earlier {change}",
        "effect_checked": _effect_checked,
        "approval_requested": lambda told: "{who} asked for approval" + _braced(_after(" of ", told.text("action"))) + "{on_record}",
        "approval_decided": _approval_decided,
        "approval_voided": lambda told: "An approval" + _braced(_after(" of ", told.text("action"))) + "{on_record} became void",
        "approval_expired": lambda told: (
            "Nobody decided in time about" + _braced(" " + (told.text("action") or "an approval")) + "{on_record}"
        ),
        "document_requested": "{who} asked for documents{on_record}",
        "document_received": lambda told: "A document came in" + _braced(_after(": ", told.text("wanted"))) + "{on_record}",
        "document_link_revoked": "{who} revoked the link for documents{on_record}",
        "task_created": lambda told: "{who} made a task" + _braced(_after(" for ", told.person("assignee", "team"))) + "{on_record}",
        "task_closed": "{who} closed a task{on_record}",
        "notice_sent": lambda told: "{who} sent a notice" + _counted(told.count("count", "person", "people")),
        "context_supplied": "{who} supplied what was missing{on_record}",
        "proposal_requested": lambda told: (
            "A second look at the proposal for {step} was asked for" if told.text("of") else "A proposal for {step} was asked for{origin}"
        ),
        "proposal_made": _again("A proposal for {step} was made{origin}", "The proposal for {step} was looked at again{origin}"),
        "proposal_failed": _again("There is no proposal for {step}{why}", "There was no second look at the proposal for {step}{why}"),
        "record_viewed": _record_viewed,
        "record_listed": _record_listed,
        "record_changed": _record_changed,
        "access_refused": _access_refused,
        "rights_disagreed": lambda told: (
            "The two judges of rights disagreed" + _braced(_after(": ", told.text("act"))) + "; {who} was refused"
        ),
        "clearance_asked": _of_person("asked for a clearance for a time"),
        "clearance_granted": _of_person("agreed to a clearance for a time"),
        "clearance_refused": _of_person("refused a clearance for a time"),
        "clearance_revoked": _of_person("took back a clearance for a time"),
        "value_revealed": lambda told: "{who} uncovered a masked value" + _braced(_after(": ", told.text("field"))) + "{on_record}",
        "run_read": "{who} read this run under a clearance for a time",
        "access_requested": _access_requested,
        "signed_in": "{who} signed in",
        "sign_in_failed": _sign_in_failed,
        "signed_out": "{who} signed out{why}",
        "identity_confirmed": "{who} showed again who they are",
        "factor_changed": _factor_changed,
        "identity_linked": _of_person("changed the way in through the identity provider"),
        "password_link_made": _of_person("made a link for a new password"),
        "sign_in_changed": "{who} changed how people sign in",
        "ai_changed": lambda told: (
            "{who} changed the settings of the AI"
            + _braced(_after(": ", ", ".join(part.replace("_", " ") for part in told.listed("fields"))))
        ),
        "ai_tested": lambda told: (
            "{who} tried the connection to a model, which " + ("answered" if told.open.get("ok") is True else "did not work")
        ),
        "key_created": _of_person("made an API key"),
        "key_revoked": _of_person("revoked an API key"),
        "person_created": _person("entered the account of", "a person"),
        "person_changed": _person("changed the account of", "a person"),
        "person_removed": _person("removed the account of", "a person"),
        "person_invited": lambda told: "{who} invited somebody" + (" again" if told.open.get("again") is True else ""),
        "invitation_ended": "{who} revoked an invitation",
        "team_changed": lambda told: "{who} changed the team" + _braced(_after(" ", told.text("team").replace("_", " "))),
        "policy_changed": _policy_changed,
        "source_added": _source("connected"),
        "source_changed": _source("changed"),
        "workflow_created": "{who} made the workflow {workflow_named}",
        "workflow_changed": _workflow_changed,
        "workflow_deleted": "{who} deleted the workflow {workflow_named}",
        "collection_changed": lambda told: (
            "{who} changed how a collection is shown"
            + _braced(_after(": ", told.text("collection")))
            + _counted(told.count("changes", "change", "changes"))
        ),
        "source_removed": _source("disconnected"),
        "source_tested": _source_tested,
        "workflow_imported": "{who} imported the workflow {workflow_named}{version}",
        "workflow_published": "{who} published the workflow {workflow_named}{version}",
        "action_changed": lambda told: "{who} changed what can be done to records" + _braced(_after(": ", told.text("action"))),
        "inbox_changed": lambda told: "{who} changed an inbox" + _braced(_after(": ", told.text("inbox"))),
        "ai_cases_exported": lambda told: "{who} wrote recorded proposals to a file" + _counted(told.count("count", "case", "cases")),
        "ai_promoted": _ladder("raised"),
        "ai_stepped_back": _ladder("lowered"),
        "engine_paused": "{who} paused everything that goes by itself",
        "engine_resumed": "{who} let everything go by itself again",
        "process_started": _process_started,
        "log_read": _log_read,
        "log_exported": _log_exported,
        "ai_call_read": "{who} looked at what a model was sent and answered",
        "ai_feedback": lambda told: "{who} said that a proposal " + ("helped" if told.text("thumb") == "up" else "did not help"),
        "case_file_made": lambda told: "{who} took the case file of a run" + _braced(_after(" as ", told.text("format"))),
        "values_expired": _values_expired,
        "silence_noted": lambda told: (
            "Nothing had been written for an hour" + _braced(_after(" after ", told.count("size", "event", "events")))
        ),
        "signing_key_changed": "{who} changed the key that signs checkpoints",
        "subject_erased": _subject_erased,
        "hold_placed": "{who} placed a hold on what is held about a person",
        "hold_released": "{who} lifted a hold on what is held about a person",
        "log_damaged": lambda told: (
            "{who} found that the activity log is not in order" + _braced(_after(", first at place ", told.text("position")))
        ),
        "log_rebuilt": lambda told: (
            "{who} made the " + ("list of events" if told.text("part") == "list" else "tree of the log") + " anew from the events"
        ),
        "backup_made": "{who} made a backup",
        "log_restored": _log_restored,
    }
)
"""Kind → template, or what makes one. Every kind of the registry has an entry."""
