"""The sentence of each kind of event: a template, or a function that chooses one. A new kind is a line of `SENTENCES`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from console.core.events_of_workflows import SWITCHED
from console.formats.sentences.absence_sentences import ABSENCES
from console.formats.sentences.cause_sentences import cause_words
from console.formats.sentences.enrolment_sentences import ENROLMENTS
from console.formats.sentences.log_sentences import LOG
from console.formats.sentences.message_sentences import MESSAGES
from console.formats.sentences.publication_sentences import PUBLICATION
from console.formats.sentences.sentence_parts import (
    NOBODY,
    Names,
    Parts,
    after,
    enumerate_words,
    escape_braces,
    in_brackets,
    in_words,
    one_line,
)
from console.formats.sentences.webhook_sentences import WEBHOOKS


class Sentence(str):
    """A sentence with the names of its time. `renamed` are those in it that are others today, as (then, now)."""

    __slots__ = ("renamed",)
    renamed: tuple[tuple[str, str], ...]


def sentence(body: Mapping[str, Any], names: Names = NOBODY) -> Sentence:
    """The event with this body as one line of plain text, without a full stop.

    Text from people or records is cut to 80 characters, without line breaks and marks that reorder text.
    A kind that this release does not know is shown by its name, so that a log of a newer release can be read.
    """
    parts = Parts(body, names)
    how = SENTENCES.get(
        str(body.get("type", "")),
        f"{{who}}: {escape_braces(one_line(str(body.get('type', 'event'))).replace('_', ' '))}",
    )
    said = Sentence((how if isinstance(how, str) else how(parts)).format_map(parts))
    said.renamed = tuple(
        (then, now) for then, now in parts.renamed.items() if then.casefold() in said.casefold()
    )
    return said


def _source_opened(parts: Parts) -> str:
    name = parts.text("name")
    file = (
        name if "." in name or not parts.text("collection") else ""
    )  # else the column that holds it, which says less than whose it is
    what = parts.text("what") or file or parts.kind(parts.text("collection", "source")) or "a source"
    return "{who} opened " + escape_braces(what + after(", page ", parts.text("page"))) + " from {step}"


def _run_started(parts: Parts) -> str:
    caused, by_engine = parts.open.get("caused_by"), (parts.body.get("actor") or {}).get("kind") == "system"
    if not (by_engine and isinstance(caused, list) and caused and isinstance(caused[0], dict)):
        return "{who} started {workflow}{on_record}"
    known = {name: caused[0].get(name) for name in ("kind", "person", "run", "signed", "address")}
    return "{who} started {workflow}{on_record}, caused by " + escape_braces(
        one_line(cause_words(known, parts.names.people))
    )


def _step_completed(parts: Parts) -> str:
    return "{who} completed {step}{attempt}{outcome}" + (
        ", handled manually" if parts.open.get("handled_manually") is True else ""
    )


ASKS_PERSON = frozenset({"asks_person", "form_needed"})
AWAITED = {
    "answer": "an answer",
    "approval": "an approval",
    "documents": "documents",
    "event": "an event",
    "message": "what comes of its message",
    "proposal": "a proposal",
    "run": "another run",
    "task": "its task",
}
"""What a run waits for, by the kind of the wait."""


def _step_failed(parts: Parts) -> str:
    if parts.text("code") == "no_rule":
        return "No rule applied at {step}{attempt}, so a person is asked"
    return "{step_first}{attempt} " + (
        "asks a person" if parts.text("code") in ASKS_PERSON else "could not be done{why}"
    )


def _outcome_chosen(parts: Parts) -> str:
    spoken = parts.outcome_spoken(parts.text("outcome")).strip("“”")
    chosen = in_words(parts.text("label")) or spoken
    return (
        {"rule": "A rule", "ai": "The AI"}.get(parts.text("maker"), "{who}")
        + " chose "
        + (f"“{escape_braces(chosen)}”" if chosen else "an outcome")
        + " at {step}"
    )


def _step_revised(parts: Parts) -> str:
    target = parts.step_title(parts.text("target_step")) or parts["step"]
    return f"{{who}} revised {escape_braces(target)}" + after(
        ", which cancelled ", parts.count("cancelled", "attempt", "attempts")
    )


def _effect_settled(parts: Parts) -> str:
    if parts.text("result") == "left":
        return "{who} left what the {change} should have taken back as it is"
    result = {"done": ": it was made", "not_done": ": it was not made"}.get(parts.text("result"), "")
    return "{who} settled whether the {change} was made" + result


def _effect_failed(parts: Parts) -> str:
    begun = parts.text("code") != "not_begun"
    return (
        "The {change} was refused{why}"
        if begun
        else "The {change} was not begun, because the one before it was not made"
    )


def _effect_reported(parts: Parts) -> str:
    found = {"succeeded": "the {change} was made", "failed": "the {change} was not made{why}"}.get(
        parts.text("result"), ""
    )
    return (
        f"After the run had gone on it became known that {found}"
        if found
        else "After the run had gone on more was heard of the {change}{why}"
    )


def _effect_checked(parts: Parts) -> str:
    found = {"done": ": it was", "not_done": ": it was not", "unclear": "; it cannot be told"}.get(
        parts.text("result"), ""
    )
    return "{who} asked the other side whether the {change} was made" + found


def _record_viewed(parts: Parts) -> str:
    part = (
        parts.field(relation) if (relation := parts.text("relation")) else parts.text("tab").replace("_", " ")
    )
    return (
        "{who} viewed {record}" + escape_braces(f" ({part})" if part else "")
        if parts["record"]
        else "{who} viewed a record"
    )


def _record_listed(parts: Parts) -> str:
    kind = f"{parts['kind_of_record']} " if parts["record"] else ""
    number = parts.count("count", f"{kind}record", f"{kind}records") or f"{kind}records"
    return "{who} listed " + escape_braces(number + parts.segment())


def _records_exported(parts: Parts) -> str:
    kind = f"{parts['kind_of_record']} records" if parts["record"] else "records"
    return "{who} saved a list of " + escape_braces(kind + parts.segment()) + " to a file"


TO_DO = {"added": "to add", "deleted": "to delete", "changed": "to change"}


def _trigger_changed(parts: Parts) -> str:
    done = {
        "added": "added",
        "removed": "removed",
        "on": "switched on",
        "off": "switched off",
        "address": "gave a new address to",
        "secret": "gave a new secret to",
    }.get(parts.text("change"), "changed")
    if parts.text("change") == "again":
        many = parts.count("count", "firing", "firings") or "what waited"
        return "{who} had " + many + " tried again that could not start yet, of a trigger{text_trigger:: }"
    return f"{{who}} {done} a trigger{{text_trigger:: }}"


def _record_changed(parts: Parts) -> str:
    fields, record = parts["fields"], parts["record"]
    effect, result = parts.text("effect"), parts.text("result")
    deed = effect if effect in ("added", "deleted") else "changed"
    what = f"{fields} of {record or 'a record'}" if fields and deed == "changed" else record or "a record"
    if result == "unknown":
        return f"It is not known whether {{who}} {deed} " + escape_braces(what)
    if result == "not_done":
        return f"{{who}} wanted {TO_DO[deed]} " + escape_braces(what) + ", which was interrupted and not done"
    return f"{{who}} {deed} " + escape_braces(what)


def _stage_changed(parts: Parts) -> str:
    ways = after(" from ", in_words(parts.text("former"))) + after(" to ", in_words(parts.text("stage")))
    return "{who} moved " + escape_braces((parts["record"] or "a contact") + ways)


def _access_refused(parts: Parts) -> str:
    act, asked = parts.text("act").replace("_", " "), parts.governed()
    over = parts["record"] or asked
    if not act:
        return "{who} was refused access" + escape_braces(after(" to ", over))
    return "{who} was refused " + escape_braces(f"“{act}”{after(' on ', over)}")


def _access_requested(parts: Parts) -> str:
    act, asked = parts.text("act").replace("_", " "), parts.governed()
    return "{who} asked for " + (escape_braces(f"“{act}”{after(' on ', asked)}") if act else "a right")


_FACTOR = {
    "added": "set up the second factor",
    "replaced": "replaced the second factor",
    "removed": "removed the second factor",
    "reset": "reset the second factor",
    "codes_renewed": "made new recovery codes for the second factor",
}


def _factor_changed(parts: Parts) -> str:
    return "{who} " + _FACTOR.get(parts.text("change"), "changed the second factor") + "{person_person: of }"


def _counted(text: str, name: str, one: str, many: str) -> Callable[[Parts], str]:
    """The text with a number in brackets, where it is known."""
    return lambda parts: text + in_brackets(parts.count(name, one, many))


def _again(first: str, second: str) -> Callable[[Parts], str]:
    """The sentence of a first proposal, or that of a second look at it."""
    return lambda parts: second if parts.text("mode") == "second" else first


def _policy_changed(parts: Parts) -> str:
    counts = [
        parts.count("added", "row added", "rows added"),
        parts.count("removed", "row removed", "rows removed"),
    ]
    return "{who} changed the rights" + after(": ", enumerate_words([count for count in counts if count]))


def _own_rights_answered(parts: Parts) -> str:
    did = {
        "confirmed": "confirmed",
        "refused": "refused",
        "withdrawn": "took back",
        "void": "changed, so that it became void,",
    }
    words = did.get(parts.text("outcome"), "answered")
    return f"{{who}} {words} the request for a right on records{{person_requested_by: by }}"


def _own_rights_given(parts: Parts) -> str:
    return (
        "{who} confirmed a new right on records{person_person: for a role of }"
        if parts.text("confirmed_by")
        else "{who} gave a role of their own a new right on records, without a second administrator"
    )


def _workflow_handed_over(parts: Parts) -> str:
    whose = "personal, of {person_holder}" if parts.person("holder") else "the organisation's"
    before = " (before: {person_former_holder})" if parts.person("former_holder") else ""
    return f"{{who}} made the workflow {{workflow_named}} {whose}{before}"


def _workflow_changed(parts: Parts) -> str:
    fields = parts.listed("fields")
    if fields != ["status"]:
        return "{who} changed the workflow {workflow_named}" + escape_braces(
            after(": ", enumerate_words(fields))
        )
    verb = {"active": "activated", "paused": "paused"}.get(str(parts.open.get("status")), "archived")
    return f"{{who}} {verb} the workflow {{workflow_named}}"


def _ladder(verb: str) -> Callable[[Parts], str]:
    def template(parts: Parts) -> str:
        step = parts.step_title(parts.text("step")) or "a step"
        words = {
            "shadow": "recorded only",
            "assist": "shown",
            "auto": "done by themselves where all is certain",
        }
        now = words.get(str(parts.open.get("mode")), "")
        return (
            f"{{who}} {verb} how far proposals for {escape_braces(step)} of {{workflow_named}} are trusted"
            + after(": ", now)
        )

    return template


def _source(verb: str) -> Callable[[Parts], str]:
    def template(parts: Parts) -> str:
        named = parts.text("name", "source")
        return (
            f"{{who}} {verb} "
            + (f"the data source {escape_braces(named)}" if named else "a data source")
            + escape_braces(in_brackets(parts.count("collections", "collection", "collections")))
        )

    return template


def _source_tested(parts: Parts) -> str:
    named = parts.text("source", "place")
    return (
        "{who} tried a connection"
        + (f" to {escape_braces(named)}" if named else "")
        + ("" if parts.open.get("ok", True) else ": it does not work")
    )


def _approval_decided(parts: Parts) -> str:
    decision = {"approve": "approved", "reject": "rejected"}.get(parts.text("decision"), "decided about")
    return (
        f"{{who}} {decision} "
        + escape_braces(parts.action() or "what was asked for")
        + "{on_record}{instead}"
    )


SENTENCES: Mapping[str, str | Callable[[Parts], str]] = MappingProxyType(
    {
        "run_started": _run_started,
        "run_saved": "{who} saved {workflow}{on_record} for later{why}",
        "run_resumed": "{who} resumed {workflow}{on_record}",
        "run_taken_over": "{who} took over {workflow}{on_record}{person_former_holder: from }",
        "run_released": "{who} released {workflow}{on_record}",
        "run_assigned": "{who} assigned {workflow}{on_record}{person_holder: to }{instead}",
        "run_escalated": "{who} put {workflow}{on_record} into an inbox{text_inbox:: }",
        "run_snoozed": "{who} snoozed {workflow}{on_record}",
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
        "event_awaited": lambda parts: (
            "{workflow_first}{on_record} waits at {step} for "
            + AWAITED.get(parts.text("for"), "something outside")
        ),
        "event_arrived": "What {step} waited for is there{outcome}",
        "wait_left": "{step_first} waits no longer{why}",
        "retry_set": "{step_first}{attempt} could not be done{why}; it is tried again by itself",
        "attempt_retried": "{who} tried {step} again{why}",
        "effect_requested": "{who} asked for a {change}",
        "effect_succeeded": "The {change} was made",
        "effect_failed": _effect_failed,
        "effect_unknown": "It is not known whether the {change} was made{why}",
        "effect_settled": _effect_settled,
        "effect_reported": _effect_reported,
        "effect_kept": "{who} kept the result of the earlier {change}",
        "effect_checked": _effect_checked,
        "approval_requested": "{who} asked for approval{action: of }{on_record}",
        "approval_decided": _approval_decided,
        "approval_asked": "{who} asked a question about an approval{on_record}",
        "approval_replied": "{who} replied to a question about an approval{on_record}",
        "approval_voided": "An approval{action: of }{on_record} became void",
        "approval_expired": lambda parts: (
            "Nobody decided in time about "
            + ("{action}" if parts.action() else "an approval")
            + "{on_record}"
        ),
        "document_requested": "{who} asked for documents{on_record}",
        "document_received": "A document came in{text_wanted:: }{on_record}",
        "document_link_revoked": "{who} revoked the link for documents{on_record}",
        "task_created": "{who} made a task{assignee: for }{on_record}",
        "task_closed": "{who} closed a task{on_record}{instead}",
        "channel_changed": "{who} changed a channel",
        "contact_rules_changed": "{who} changed at which hours and how often people outside are reached",
        "consent_default_set": "{who} set on which legal basis a workflow reaches leads",
        "secret_changed": "{who} changed a secret for other systems",
        "secret_removed": "{who} removed a secret for other systems",
        "connection_changed": "{who} changed a connection",
        "connection_removed": "{who} removed a connection",
        "notice_sent": _counted("{who} sent a notice", "count", "person", "people"),
        "context_supplied": "{who} supplied what was missing{on_record}",
        "proposal_requested": lambda parts: (
            "A second look at the proposal for {step} was asked for"
            if parts.text("of")
            else "A proposal for {step} was asked for{origin}"
        ),
        "proposal_made": _again(
            "A proposal for {step} was made{origin}", "The proposal for {step} was looked at again{origin}"
        ),
        "proposal_failed": _again(
            "There is no proposal for {step}{why}", "There was no second look at the proposal for {step}{why}"
        ),
        "assistant_called": "{who} called a tool of the console{text_tool:: }",
        "case_asked": "{who} asked a question{on_record}",
        "case_answered": "A question{on_record} was answered{text_by: by }",
        "builder_asked": "{who} asked for a change of the draft of {workflow} in words",
        "builder_answered": "What was asked about the draft of {workflow} was answered{why}",
        "record_viewed": _record_viewed,
        "record_listed": _record_listed,
        "figures_viewed": "{who} looked at figures{workspace: of the workspace }",
        "records_exported": _records_exported,
        "record_changed": _record_changed,
        "access_refused": _access_refused,
        "rights_disagreed": "The two judges of rights disagreed{text_act:: }; {who} was refused",
        "clearance_asked": "{who} asked for a clearance for a time{person_person: for }",
        "clearance_granted": "{who} agreed to a clearance for a time{person_person: for }",
        "clearance_refused": "{who} refused a clearance for a time{person_person: for }",
        "clearance_revoked": "{who} took back a clearance for a time{person_person: for }",
        "note_added": "{who} wrote a note{on_record}",
        "note_removed": "{who} removed a note of theirs{on_record}",
        **ENROLMENTS,
        "tag_added": lambda parts: "{who} put {tag}" + ("{on_record}" if parts["record"] else " on the run"),
        "tag_removed": lambda parts: (
            "{who} took {tag} away from " + ("{record}" if parts["record"] else "the run")
        ),
        "stage_changed": _stage_changed,
        "segment_shared": "{who} saved the filter of a list as a tab for others",
        "segment_removed": "{who} removed a saved filter of a list that others had as a tab",
        "value_revealed": "{who} uncovered a masked value{revealed:: }{on_record}",
        "run_read": "{who} read this run under a clearance for a time",
        "access_requested": _access_requested,
        "signed_in": "{who} signed in",
        "sign_in_failed": "Signing in was refused{person_person: for }{why}",
        "signed_out": "{who} signed out{why}",
        "identity_confirmed": "{who} showed again who they are",
        "factor_changed": _factor_changed,
        "identity_linked": "{who} changed the way in through the identity provider{person_person: for }",
        "password_link_made": "{who} made a link for a new password{person_person: for }",
        "groups_withheld": "The identity provider did not tell the groups{person_person: of }",
        "sign_in_changed": "{who} changed how people sign in",
        "branding_changed": "{who} changed how the installation shows itself",
        "ai_changed": lambda parts: (
            "{who} changed the settings of the AI"
            + escape_braces(after(": ", ", ".join(part.replace("_", " ") for part in parts.listed("fields"))))
        ),
        "ai_tested": lambda parts: (
            "{who} tried the connection to a model, which "
            + ("answered" if parts.open.get("ok") is True else "did not work")
        ),
        "key_created": "{who} made an API key{person_person: for }",
        "key_revoked": "{who} revoked an API key{person_person: for }",
        "person_created": "{who} entered the account of {somebody}",
        "person_changed": "{who} changed the account of {somebody}",
        "person_removed": "{who} removed the account of {somebody}",
        "person_invited": lambda parts: (
            "{who} invited somebody" + (" again" if parts.open.get("again") is True else "")
        ),
        "invitation_ended": "{who} revoked an invitation",
        "team_changed": "{who} changed the team{words_team: }",
        "policy_changed": _policy_changed,
        "own_rights_asked": "{who} asked a second administrator to confirm a right on records for a role of their own",
        "own_rights_answered": _own_rights_answered,
        "own_rights_given": _own_rights_given,
        "source_added": _source("connected"),
        "source_changed": _source("changed"),
        "workflow_created": "{who} made the workflow {workflow_named}",
        "workflow_changed": _workflow_changed,
        "workflows_ordered": "{who} changed the order of the workflows",
        "workflow_handed_over": _workflow_handed_over,
        **{f"workflow_{did}": f"{{who}} {did} the workflow {{workflow_named}}{{why}}" for did in SWITCHED},
        "alert_changed": "{who} changed the alerts of the workflow {workflow_named}",
        "alert_raised": "An alert was raised for the workflow {workflow_named}",
        "work_assigned": "{who} assigned a task or approval{person_holder: to }",
        "work_moved": "{who} moved work",
        "due_time_changed": "{who} changed due times",
        "due_time_reached": "A part of a run's time was used up",
        "approval_waited": "An approval has waited long",
        "incident_closed": "{who} closed an incident of the workflow {workflow_named}{why}",
        "workflow_deleted": "{who} deleted the workflow {workflow_named}",
        "collection_changed": lambda parts: (
            "{who} changed how a collection is shown{own_kind:: }"
            + in_brackets(parts.count("changes", "change", "changes"))
        ),
        "workspace_changed": lambda parts: (
            "{who} "
            + ("deleted" if parts.open.get("deleted") is True else "changed")
            + " a workspace{workspace:: }"
            + in_brackets(parts.count("changes", "change", "changes"))
        ),
        "source_removed": _source("disconnected"),
        "source_tested": _source_tested,
        "trigger_changed": _trigger_changed,
        **WEBHOOKS,
        **ABSENCES,
        **MESSAGES,
        **PUBLICATION,
        "action_changed": "{who} changed what can be done to records{text_action:: }",
        "inbox_changed": "{who} changed an inbox{text_inbox:: }",
        "table_exported": lambda parts: (
            "{who} downloaded a table{words_table:: }" + in_brackets(parts.count("count", "line", "lines"))
        ),
        "ai_cases_exported": _counted("{who} wrote recorded proposals to a file", "count", "case", "cases"),
        "ai_promoted": _ladder("raised"),
        "ai_stepped_back": _ladder("lowered"),
        "engine_paused": "{who} paused everything that goes by itself",
        "job_retried": "{who} had a job tried again that was given up",
        "engine_resumed": "{who} let everything go by itself again",
        "ai_call_read": "{who} looked at what a model was sent and answered",
        "ai_feedback": lambda parts: (
            "{who} said that a proposal " + ("helped" if parts.text("thumb") == "up" else "did not help")
        ),
        "case_file_made": "{who} took the case file of a run{on_record}{form: as }",
        **LOG,
    }
)
"""Kind → template, or the function that makes one. Every kind of the registry has an entry."""
