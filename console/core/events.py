"""Every kind of event that the log may hold, each with the sentence that says when it is written.

A kind is for ever: its name is stored in the hashed body of an event and is the vocabulary of the log, the API and every
filter. `open` names what stands readable in the body (identifiers, enumerations, counts, moments); `sealed` names what
stands there as a commitment only, with its value kept beside the log under the key of the person it is about. A kind may
gain optional names; a change of meaning is a new kind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

Group = Literal["run", "step", "effect", "proposal", "record", "access", "account", "configuration", "log"]

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "run": "Runs",
        "step": "Steps and decisions",
        "effect": "Effects",
        "proposal": "Proposals",
        "record": "Records",
        "access": "Access",
        "account": "People and keys",
        "configuration": "Configuration",
        "log": "The log itself",
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    `when` is a whole sentence. `on_run` kinds stand on the chain of a run, the others on the chain of a session, a key, a
    process or `sys:config`. Events of a `move` are written when a command changes where a run stands, who holds it or what may
    be done to it; all of one move carry the same open `revision`, which is the run's from then on. The other events of a run
    advance only its `run_seq`, so that looking makes no form stale.
    """

    name: str
    group: Group
    when: str
    open: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    on_run: bool = False
    move: bool = False

    @property
    def label(self) -> str:
        """The kind as a filter shows it: `step_completed` is `Step completed`."""
        return self.name.replace("_", " ").capitalize()

    def unknown(self, opened: Iterable[str], sealed: Iterable[str] = ()) -> frozenset[str]:
        """Those of the open and sealed names that no event of this kind carries."""
        return frozenset({*opened} - {*self.open}) | frozenset({*sealed} - {*self.sealed})


_RUN = (
    Kind(
        "run_started",
        "run",
        "A run of a workflow was started.",
        ("id", "workflow", "version", "team", "collection", "record", "exclusive", "started_by", "holder", "trigger"),
        ("input", "title"),
        move=True,
    ),
    Kind(
        "run_saved",
        "run",
        "The run was put aside with what was typed so far; nobody holds it.",
        ("reason_code", "idle_minutes", "former_holder"),
        ("draft",),
        move=True,
    ),
    Kind("run_resumed", "run", "A person took a saved run up again and holds it.", ("holder", "saved_for_seconds"), move=True),
    Kind(
        "run_taken_over",
        "run",
        "A person became the holder of a run that another person, or nobody, held.",
        ("holder", "former_holder", "reason_code"),
        ("draft", "reason"),
        move=True,
    ),
    Kind(
        "run_released",
        "run",
        "The holder let the run go without saving it away; anybody entitled may take it.",
        ("former_holder",),
        ("draft", "reason"),
        move=True,
    ),
    Kind("run_assigned", "run", "The run was given to a person.", ("holder", "former_holder"), ("draft", "reason"), move=True),
    Kind("run_completed", "run", "The run reached an end of its workflow.", ("label", "step"), ("output",), move=True),
    Kind("run_aborted", "run", "A person broke the run off, with a reason.", ("former_holder",), ("reason", "draft"), move=True),
    Kind("run_failed", "run", "The run ended because an automatic step could not be done.", ("code",), ("message",), move=True),
    Kind(
        "run_cancelled",
        "run",
        "The run was ended from outside: by its parent or by a person who may cancel.",
        ("former_holder", "reason_code", "parent"),
        ("reason",),
        move=True,
    ),
    Kind("run_timed_out", "run", "The run ended because its time limit passed.", ("limit_seconds",), move=True),
    Kind(
        "step_entered",
        "step",
        "The run came to a step; a new attempt began.",
        ("n", "type", "title", "iteration", "replaces", "status"),
        ("defaults",),
        move=True,
    ),
    Kind(
        "step_shown",
        "step",
        "A step was shown to a person for the first time, or differently than before: what was on the screen.",
        ("n", "type", "title", "digest", "documents", "locale", "zone"),
        ("screen",),
    ),
    Kind(
        "source_opened",
        "step",
        "A person opened a source, a document page, a related list or a masked value from a step.",
        ("n", "source", "collection", "key", "relation", "page", "digest", "name"),
        ("what",),
    ),
    Kind(
        "step_submitted",
        "step",
        "A step that changes something outside was handed in; it is done when its effects are.",
        ("n", "outcome", "type", "title", "automatic", "handled_manually"),
        ("values", "output", "reason"),
        move=True,
    ),
    Kind(
        "step_completed",
        "step",
        "A step was done; its outcome leads on.",
        ("n", "outcome", "type", "title", "automatic", "handled_manually"),
        ("values", "output", "reason"),
        move=True,
    ),
    Kind(
        "outcome_chosen",
        "step",
        "A person, or a rule, chose one of the outcomes that the step offered.",
        ("outcome", "label", "maker", "rule", "offered", "proposed"),
        move=True,
    ),
    Kind(
        "handled_manually",
        "step",
        "A person filled the step without its proposal; later steps lack what it would have found.",
        ("outcome", "missing"),
        ("reason",),
        move=True,
    ),
    Kind(
        "step_reopened",
        "step",
        "A step that was handed in is open again, because its effect was refused or was settled as not done.",
        ("effect", "code", "fields"),
        ("values", "errors"),
        move=True,
    ),
    Kind(
        "step_failed",
        "step",
        "An automatic step could not be done; the run asks a person, or takes its way for errors.",
        ("code", "type", "title", "retries"),
        ("message",),
        move=True,
    ),
    Kind(
        "step_revised",
        "step",
        "The run was sent back to an earlier step; what came after it is cancelled.",
        ("n", "target_step", "target_attempt", "cancelled", "effects_done"),
        ("reason", "defaults"),
        move=True,
    ),
    Kind(
        "attempt_cancelled",
        "step",
        "An attempt was struck out because an earlier step was revised or the run ended; it stays in the log.",
        ("n", "status", "title"),
        move=True,
    ),
    Kind("timer_set", "step", "The run waits until a moment.", ("n", "until", "outcome"), ("output",), move=True),
    Kind("timer_fired", "step", "The moment came that the run waited for; it goes on by itself.", ("n", "until"), move=True),
    Kind(
        "retry_set",
        "step",
        "An automatic step could not be done for a reason that may pass; it is tried again by itself.",
        ("n", "code", "tries", "until"),
        ("message",),
        move=True,
    ),
    Kind("attempt_retried", "step", "The open step was begun anew.", ("status", "reason_code"), ("reason",), move=True),
    Kind(
        "effect_requested",
        "effect",
        "A change outside the console was asked for; it is committed before it is attempted.",
        ("effect", "effect_kind", "number", "summary", "fields"),
        ("request",),
        move=True,
    ),
    Kind(
        "effect_succeeded",
        "effect",
        "A change outside the console was made.",
        ("effect", "effect_kind", "code", "fields"),
        ("result", "message", "errors"),
        move=True,
    ),
    Kind(
        "effect_failed",
        "effect",
        "A change outside the console was refused; nothing was changed there.",
        ("effect", "effect_kind", "code", "fields"),
        ("message", "errors", "result"),
        move=True,
    ),
    Kind(
        "effect_unknown",
        "effect",
        "It cannot be told whether a change outside the console happened; a person has to look.",
        ("effect", "effect_kind", "code"),
        ("message", "errors", "result"),
        move=True,
    ),
    Kind(
        "effect_settled",
        "effect",
        "A person looked and stated whether an unknown change happened.",
        ("effect", "effect_kind", "result"),
        ("reason",),
        move=True,
    ),
    Kind(
        "effect_reported",
        "effect",
        "The result of a change came when the run no longer waited for it; it changes nothing in the run.",
        ("effect", "effect_kind", "result", "code"),
        ("message", "errors"),
    ),
    Kind("proposal_requested", "proposal", "A proposal for a step was asked for.", ("call", "origin", "fields")),
    Kind(
        "proposal_made",
        "proposal",
        "A proposal for a step is there; a person decides.",
        ("call", "origin", "fields", "flags", "outcome"),
        ("proposal",),
    ),
    Kind("proposal_failed", "proposal", "There is no proposal for the step; a person fills it.", ("call", "origin", "code"), ("message",)),
)

_OUTSIDE = (
    Kind("record_viewed", "record", "A person or key looked at a record.", ("tab", "relation", "run"), ("fields",)),
    Kind(
        "record_listed",
        "record",
        "A person or key looked at a list of records.",
        ("count", "segment", "sort", "fields", "more"),
        ("filter", "q", "keys"),
    ),
    Kind(
        "record_changed",
        "record",
        "A person or key changed a record outside a run.",
        ("fields", "effect", "result", "code"),
        ("old", "new", "changes"),
    ),
    Kind(
        "access_refused",
        "access",
        "Something was asked for that the asker may not do or see; nothing was shown.",
        ("object", "act", "reason", "method", "endpoint", "status", "run"),
        ("path",),
    ),
    Kind("signed_in", "account", "A person signed in.", ("person", "session", "method"), ("ip", "agent")),
    Kind(
        "sign_in_failed",
        "account",
        "Signing in was refused: a wrong password, an unknown address, a closed account or too many attempts.",
        ("person", "reason"),
        ("email", "ip", "agent"),
    ),
    Kind("signed_out", "account", "A person signed out, or their session ended.", ("person", "session", "reason")),
    Kind("key_created", "account", "A key of the API was made for a person.", ("key", "person", "expires_at"), ("name",)),
    Kind("key_revoked", "account", "A key of the API was made useless.", ("key", "person"), ("name",)),
    Kind("person_created", "account", "A person was entered who may sign in.", ("person", "roles", "teams"), ("name", "email")),
    Kind(
        "person_changed",
        "account",
        "A person's particulars, roles, teams or password were changed, or the account was closed.",
        ("person", "roles", "teams", "fields", "disabled"),
        ("old", "new"),
    ),
    Kind("policy_changed", "configuration", "The rights were changed.", ("version", "added", "removed"), ("rows",)),
    Kind("source_added", "configuration", "A data source was connected.", ("source", "name", "dialect", "collections", "role")),
    Kind("source_changed", "configuration", "A data source or a collection of it was changed.", ("source", "name", "collections")),
    Kind("workflow_imported", "configuration", "A version of a workflow was read in from a file.", ("workflow", "slug", "version", "hash")),
    Kind(
        "workflow_published",
        "configuration",
        "A version of a workflow went live; runs under way keep theirs.",
        ("workflow", "slug", "version", "hash", "former"),
    ),
    Kind("process_started", "configuration", "A process of the console started.", ("process", "version", "pid", "workers", "host", "mode")),
    Kind("engine_paused", "configuration", "Everything that goes by itself was paused; what people do by hand goes on.", (), ("reason",)),
    Kind("engine_resumed", "configuration", "What was paused goes by itself again.", (), ("reason",)),
    Kind("log_read", "log", "A person or key read the activity log.", ("count", "filters", "first", "last", "run", "kind"), ("filter",)),
    Kind("log_exported", "log", "A person or key exported the activity log.", ("format", "filters", "size", "proofs"), ("filter",)),
    Kind("values_expired", "log", "Values past their time limit were deleted; the events stay.", ("count", "category", "last")),
    Kind("hold_placed", "log", "What is held about a person may neither be erased nor expire from now on.", ("subject",), ("reason",)),
    Kind(
        "hold_released",
        "log",
        "A hold was lifted: what is held about the person may be erased and expires again.",
        ("subject",),
        ("reason",),
    ),
    Kind("backup_made", "log", "A backup of the console was written.", ("bytes", "size")),
    Kind(
        "log_restored",
        "log",
        "The console was restored from a backup; events that came after it and are not in it are counted as lost.",
        ("size", "lost", "made_at", "erased", "version"),
    ),
    Kind(
        "silence_noted",
        "log",
        "For an hour nothing was written; said so that there is a checkpoint of this hour too.",
        ("size", "since"),
    ),
    Kind(
        "signing_key_changed",
        "log",
        "The key that signs the log's checkpoints was changed; the next one is signed by both, unless the former key was lost.",
        ("former", "key", "signed_by"),
    ),
    Kind(
        "subject_erased",
        "log",
        "What the log held about a person was made unreadable; the events stay.",
        ("subject", "count", "runs", "request"),
        ("reason",),
    ),
)


def _registry() -> Mapping[str, Kind]:
    kinds: dict[str, Kind] = {}
    on_runs = (replace(kind, open=(*kind.open, "revision") if kind.move else kind.open, on_run=True) for kind in _RUN)
    for kind in (*on_runs, *_OUTSIDE):
        if kind.name in kinds:
            raise ValueError(f"the kind of event {kind.name} stands in the registry twice")
        kinds[kind.name] = kind
    return MappingProxyType(kinds)


KINDS: Mapping[str, Kind] = _registry()
"""Name → kind, in the order of the reference."""

MOVES: frozenset[str] = frozenset(kind.name for kind in KINDS.values() if kind.move)
"""Kinds whose events belong to a move and carry the `revision` that it gave the run."""

ENDS: Mapping[str, str] = MappingProxyType(
    {
        "run_completed": "completed",
        "run_aborted": "aborted",
        "run_failed": "failed",
        "run_cancelled": "cancelled",
        "run_timed_out": "timed_out",
    }
)
"""Kinds that end a run → the status it has then."""
