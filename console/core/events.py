"""All kinds of events in the log, each with a sentence that says when it is written.

A kind is permanent: its name is stored in the hashed body of events and is used by the log, the API and filters. `open` names are readable
in the body (identifiers, enumerations, counts, moments). `sealed` names are only commitments there; their values are stored beside the log
under the key of the person concerned. A kind may get optional names; another meaning needs a new kind.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from console.core.event_kind import Kind
from console.core.events_of_workflows import MOVED_VERSION
from console.core.events_outside import OUTSIDE

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "run": "Runs",
        "step": "Steps and decisions",
        "effect": "Effects",
        "approval": "Approvals",
        "proposal": "Proposals",
        "record": "Records",
        "access": "Access",
        "account": "People and keys",
        "configuration": "Configuration",
        "log": "The log itself",
    }
)

_CALL = (
    "provider",
    "model",
    "usage",
    "ms",
    "cost",
    "price_version",
    "prompt_version",
    "schema_mode",
    "prompt_sha256",
    "request_id",
    "from_cache",
    "tries",
)
"""The values of every call, answered or not."""

_RUN = (
    Kind(
        "run_started",
        "run",
        "A run of a workflow was started.",
        (
            "id",
            "workflow",
            "version",
            "team",
            "collection",
            "record",
            "exclusive",
            "started_by",
            "holder",
            "trigger",
            "linked_to",
            "label",
            "mode",
            "origin",
            "start_key",
            "test",
            "parent",
            "fork",
            "caused_by",
        ),
        ("input", "title", "titled", "loaded", "event", "context", "item", "addresses"),
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
    Kind(
        "run_resumed",
        "run",
        "A person took a saved run up again and holds it.",
        ("holder", "saved_for_seconds"),
        move=True,
    ),
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
        "The holder let the run go without saving it away; anybody entitled may take it. It has its former place in the inbox again, if it came from one.",
        ("former_holder", "inbox", "priority", "at", "by"),
        ("draft", "reason"),
        move=True,
    ),
    Kind(
        "run_assigned",
        "run",
        "A person was given the run.",
        ("holder", "former_holder", "stands_in_for"),
        ("draft", "reason"),
        move=True,
    ),
    MOVED_VERSION,
    Kind(
        "run_escalated",
        "run",
        "The run was put into an inbox; nobody holds it until somebody there takes it.",
        ("inbox", "priority", "former_holder", "at"),
        ("reason", "draft"),
        move=True,
    ),
    Kind(
        "run_snoozed",
        "run",
        "A ticket left the queue of its inbox until a moment, and comes back by itself; without a moment it is back.",
        ("until",),
        ("reason",),
        move=True,
    ),
    Kind(
        "run_completed",
        "run",
        "The run reached an end of its workflow, or left it by an exit.",
        ("label", "step"),
        ("output", "reason"),
        move=True,
    ),
    Kind(
        "run_aborted",
        "run",
        "A person broke the run off, with a reason.",
        ("former_holder",),
        ("reason", "draft"),
        move=True,
    ),
    Kind(
        "run_failed",
        "run",
        "The run ended because an automatic step could not be done.",
        ("code",),
        ("message",),
        move=True,
    ),
    Kind(
        "run_cancelled",
        "run",
        "The run was ended from outside: by its parent or by a person who may cancel.",
        ("former_holder", "reason_code", "parent"),
        ("reason",),
        move=True,
    ),
    Kind(
        "run_timed_out", "run", "The run ended because its time limit passed.", ("limit_seconds",), move=True
    ),
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
        ("screen", "loaded"),
    ),
    Kind(
        "source_opened",
        "step",
        "A person opened a source, a document page, a related list or a masked value from a step.",
        ("n", "source", "collection", "key", "relation", "page", "pages", "digest", "name"),
        ("what",),
    ),
    Kind(
        "checks_shown",
        "step",
        "A person was shown what rules tell of the documents of a step, for the first time or differently than before.",
        ("n", "item", "digest", "results"),
        ("checks",),
    ),
    Kind(
        "step_submitted",
        "step",
        "A step that changes something outside was handed in; it is done when its effects are.",
        (
            "n",
            "outcome",
            "type",
            "title",
            "entered",
            "automatic",
            "handled_manually",
            "proposal",
            "approval",
            "awaits",
        ),
        ("values", "output", "reason", "loaded"),
        move=True,
    ),
    Kind(
        "step_completed",
        "step",
        "A step was done; its outcome leads on.",
        (
            "n",
            "outcome",
            "came_to",
            "type",
            "title",
            "entered",
            "automatic",
            "handled_manually",
            "taken_from",
            "proposal",
        ),
        ("values", "output", "reason", "loaded"),
        move=True,
    ),
    Kind(
        "outcome_chosen",
        "step",
        "A person, a rule, or the AI where the step was promoted to that, chose one of the outcomes, or actions, that the step offered.",
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
        ("code", "type", "title", "retries", "outcome"),
        ("message", "loaded"),
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
    Kind(
        "timer_set",
        "step",
        "The run waits until a moment.",
        ("n", "until", "outcome", "entered"),
        ("output",),
        move=True,
    ),
    Kind(
        "timer_fired",
        "step",
        "The moment came that the run waited for; it goes on by itself.",
        ("n", "until"),
        move=True,
    ),
    Kind(
        "event_awaited",
        "step",
        "The step waits for something outside it: an approval, documents, an answer, a task.",
        ("n", "for", "key", "until", "outcome", "effect", "saw"),
        ("request",),
        move=True,
    ),
    Kind(
        "event_arrived",
        "step",
        "What the step waited for is there.",
        ("n", "key", "outcome", "early", "caused_by"),
        ("what", "values", "output"),
        move=True,
    ),
    Kind(
        "wait_left",
        "step",
        "The step waits no longer: its time passed, or a person does it by hand.",
        ("n", "code", "key"),
        ("message", "reason"),
        move=True,
    ),
    Kind(
        "retry_set",
        "step",
        "An automatic step could not be done for a reason that may pass; it is tried again by itself.",
        ("n", "code", "tries", "until", "effect", "unsure", "source"),
        ("message", "loaded"),
        move=True,
    ),
    Kind(
        "attempt_retried",
        "step",
        "The open step was begun again.",
        ("status", "reason_code"),
        ("reason",),
        move=True,
    ),
    Kind(
        "effect_requested",
        "effect",
        "A change outside the console was asked for; it is committed before it is attempted.",
        ("effect", "effect_kind", "number", "summary", "fields", "compensates", "action", "then"),
        ("request", "reason"),
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
        ("reason", "answer"),
        move=True,
    ),
    Kind(
        "effect_reported",
        "effect",
        "The result of a change came when the run no longer waited for it; it changes nothing in the run.",
        ("effect", "effect_kind", "result", "code"),
        ("message", "errors", "answer"),
    ),
    Kind(
        "effect_kept",
        "effect",
        "The step came to the same change again; a person chose to keep the earlier result, and nothing was done again.",
        ("effect", "of", "effect_kind"),
        ("reason",),
        move=True,
    ),
    Kind(
        "effect_checked",
        "effect",
        "The other side was asked whether an unknown change happened.",
        ("effect", "effect_kind", "result", "code"),
        ("message", "told"),
    ),
    Kind(
        "approval_requested",
        "approval",
        "A step asks others to approve before it does what was submitted.",
        (
            "approval",
            "action",
            "n",
            "requested_by",
            "collection",
            "record",
            "needs",
            "roles",
            "not_by",
            "until",
            "decides",
        ),
        ("values", "why", "wishes", "shown"),
        move=True,
    ),
    Kind(
        "approval_decided",
        "approval",
        "A person approved or rejected what a step asked for.",
        ("approval", "action", "decision", "standing", "status", "stands_in_for"),
        ("reason", "changed"),
        move=True,
    ),
    Kind(
        "approval_asked",
        "approval",
        "Somebody who is to decide about an approval asked the requester a question.",
        ("approval",),
        ("question",),
    ),
    Kind(
        "approval_replied",
        "approval",
        "The requester of an approval replied to a question about it.",
        ("approval",),
        ("answer",),
    ),
    Kind(
        "approval_voided",
        "approval",
        "An approval does not count any more: what it was given for was changed, or the run went elsewhere.",
        ("approval", "action", "reason_code"),
        ("reason",),
        move=True,
    ),
    Kind(
        "approval_expired",
        "approval",
        "Nobody decided about an approval in time.",
        ("approval", "action"),
        (),
        move=True,
    ),
    Kind(
        "document_requested",
        "step",
        "Documents were asked for from somebody outside.",
        ("request", "n", "until", "wanted", "round"),
        ("address", "text"),
    ),
    Kind(
        "document_received",
        "step",
        "A document was handed in from outside, or by hand in somebody's name.",
        ("request", "n", "wanted", "file", "digest", "bytes", "media_type", "pages"),
        ("name", "sender", "values"),
    ),
    Kind(
        "document_link_revoked",
        "step",
        "The link by which documents could be handed in was made useless.",
        ("request", "n"),
        ("reason",),
    ),
    Kind(
        "task_created",
        "step",
        "A task was made for a person or a team.",
        ("task", "n", "assignee", "team", "due", "effect"),
        ("title", "text", "of"),
    ),
    Kind(
        "message_asked",
        "step",
        "A step asked for a message to somebody outside: it leaves when consent, the hours and the caps allow it.",
        (
            "message_id",
            "n",
            "channel",
            "consent",
            "expires_s",
            "most",
            "again_s",
            "about",
            "outcomes",
            "effect",
            "entered",
        ),
        ("content",),
    ),
    Kind(
        "task_closed",
        "step",
        "A task was closed.",
        ("task", "n", "result", "effect", "compensates", "stands_in_for"),
        ("note",),
    ),
    Kind(
        "notice_sent",
        "step",
        "People were told of something, in the console and where it is set up by mail.",
        ("notice", "n", "to", "channels", "count", "effect"),
        ("text",),
    ),
    Kind(
        "proposal_requested",
        "proposal",
        "A proposal for a step was asked for.",
        ("call", "origin", "fields", "n", "for", "purpose", "deadline", "fill", "item", "of"),
    ),
    Kind(
        "proposal_made",
        "proposal",
        "A proposal for a step is there; a person decides.",
        ("call", "origin", "fields", "flags", "outcome", "n", "mode", "dropped", "suspicious", *_CALL),
        ("proposal",),
    ),
    Kind(
        "proposal_failed",
        "proposal",
        "There is no proposal for the step; a person fills it.",
        ("call", "origin", "code", "n", "status", "mode", "flags", "dropped", "suspicious", *_CALL),
        ("message", "banner", "warned"),
    ),
    Kind(
        "context_supplied",
        "step",
        "What a step that was handled manually did not find was supplied later.",
        ("n", "target", "target_step", "target_attempt", "fields"),
        ("values",),
        move=True,
    ),
)


def _registry() -> Mapping[str, Kind]:
    kinds: dict[str, Kind] = {}
    on_runs = (
        replace(kind, open=(*kind.open, "revision") if kind.move else kind.open, on_run=True) for kind in _RUN
    )
    for kind in (*on_runs, *OUTSIDE):
        if kind.name in kinds:
            raise ValueError(f"the kind of event {kind.name} stands in the registry twice")
        kinds[kind.name] = kind
    return MappingProxyType(kinds)


KINDS: Mapping[str, Kind] = _registry()
"""Name → kind, in the order of the reference."""

MOVES: frozenset[str] = frozenset(kind.name for kind in KINDS.values() if kind.move)
"""Kinds whose events belong to a move and have the run's new `revision`."""

ENDS: Mapping[str, str] = MappingProxyType(
    {
        "run_completed": "completed",
        "run_aborted": "aborted",
        "run_failed": "failed",
        "run_cancelled": "cancelled",
        "run_timed_out": "timed_out",
    }
)
"""Kinds that end a run → the run's status after that."""
