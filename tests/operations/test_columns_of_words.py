"""Every column of the console's tables that could hold what somebody wrote: what becomes of it when that person, or whom it is about, is erased.

A new column fails here until it is said. Words belong under a person's key (`ct`), or into rows that are made again from the log; what stands in
plain beside them is named in `console/operations/personal_notes.py`, and goes with its writer.
"""

import re

import sqlalchemy as sa

from console.infra.db import fetch, tables
from console.operations import personal_notes

CODES = """
id person run collection subject status workflow kid team record key kind step by made_by owner hash origin changed_by outcome roles code place mode chain request source
mail trigger provider fingerprint people rule stands_in_for action requested_by head inbox zone batch closed_by segment channel created_by workspace substitute actor asked
flags model price_version prompt_sha256 prompt_version purpose request_id schema_mode submitted_by submitted_outcome thumb confidence dropped starts question networks
scopes not_by actor_kind effect answered_by asked_by revoked_by dialect compensates keeps entered_by who media_type sha256 slot sender made issuer invited_by teams
found format columns widths consent direction of outcomes provider_id link locale password_hash theme act dom eft obj ptype mentions tag branch exclusive_key fork holder last_holder
linked_to parent start_key started_by visits steps runs refused audience method column assignee closed_for run_team lead acts_for events stopped type webhook worker decided_by published_by
about basis address noted_by by call delivery on_silence label ending state sub taken folder retried_by former_hash bulk looked_to identity provider_session
"""
IDS_AND_CODES = frozenset(CODES.split())
"""Names of columns that hold ids, codes, names of fields and of files on the disk: nothing that anybody types as a sentence."""

FATES = {
    "goes with who wrote it": """
        ai_ladder.why ai_setting.note policy_version.note hold.reason clearance.reason version_note.note workflow_review.note workflow_review.reason rights_request.note rights_request.reason
        workflow.status_reason run_move.reason saved_segment.label session.agent session.ip list_view.columns
    """,
    "is made again from the log, which has it sealed": """
        run.reason run.input run.ticket run.waiting run.take_over run.origin run.caused_by attempt.values attempt.output attempt.defaults attempt.errors attempt.proposal
        run_context.output shown.screen effect.summary effect.result effect.request approval.why approval.shown approval.values approval.decided approval.wishes
        approval.roles firing.why enrolment.reason enrolment.chain enrolment.caused_by waking.caused_by
    """,
    "is emptied when the work is done, and for whom it is about": "bulk.values bulk.items bulk.query bulk_item.why enrolment_answer.reasons question.people",
    "is deleted with the person": "identity.roles identity.email identity.name person.name person.email person.tags person.preferences invitation.email invitation.mail opt_out.message",
    "is a tag's word, which goes with the last who has it": "tag.name",
    "is a sentence of the console's own": """
        checkpoint.note due_recount.why list_export.why source_connecting.why enrolment_batch.why log_check.problem log_check.alarm log_check.owed log_check.name mailbox.problem
        source_watch.problem trigger.problem webhook.problem delivery.error webhook_delivery.error webhook_try.error ai_ladder.told failure.cause version.name installation_mark.value
        write_probe.filler source_watch.mark source_watch.seen source_watch.highest bulk_item.seen import_record.seen workflow_version.note
    """,
    "is how the console is set up": """
        action.title inbox.title inbox.help inbox.source role.title role.about workflow.title workflow.description workflow.draft workflow.slug team.name team.description
        workflow_edit.changes workflow_edit.inverse workflow_review.document workflow_review.impact collection.document collection.structure collection_draft.document
        collection_draft.former collection_version.document inbox_version.document workspace.document workspace_draft.document workspace_draft.former workspace_version.document
        ai_setting.document contact_rules.document sign_in.document branding.document trigger.definition data_source.name source_connecting.name source_connecting.request data_source.server data_source.settings policy.expression policy_draft.added policy_draft.removed rights_request.added rights_request.removed rights_request.about
        policy_version.added policy_version.removed due_rule.stages due_rule.approvals alert_rule.pattern channel.script channel.gateway api_key.name api_key.scopes outgoing_secret.name outgoing_secret.hosts
        webhook.filter ai_breaker.state file.name ai_field.name connection.auth connection.address connection.name connection.offered connection.tools connection.problem
    """,
}
PLAIN = {column for columns in FATES.values() for column in columns.split()}


def columns() -> set[str]:
    """`table.column` of text and JSON in the console's own schema."""
    rows = fetch(
        "select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace = 'console'::regnamespace"
        " and c.relkind = 'r' and c.relname <> 'alembic_version' and a.attnum > 0 and not a.attisdropped"
        " and a.atttypid = any(array['text'::regtype, 'text[]'::regtype, 'jsonb'::regtype])"
    )
    return {row[0] for row in rows}


def test_it_is_said_of_each_column_of_text_what_becomes_of_it(database: object) -> None:
    assert database is not None
    there = columns()
    unsaid = {name for name in there if name not in PLAIN and name.rpartition(".")[2] not in IDS_AND_CODES}
    assert sorted(unsaid) == [], "say under FATES what becomes of it, or keep it under a person's key"
    assert sorted(PLAIN - there) == [], "no longer there"


def test_a_column_called_by_a_word_for_sentences_is_in_no_list_of_codes() -> None:
    """A reason, a note or a comment is never a code because of its name."""
    sentences = {
        name
        for name in IDS_AND_CODES
        if re.search(r"reason|note$|why|comment|message|words|description|text|title|help|summary", name)
    }
    assert sentences == set()


def test_what_goes_with_its_writer_is_what_erasing_empties() -> None:
    """The statements of erasure name each such table; one that is added here without a statement is found by its absence there."""
    emptied = " ".join(str(statement) for statement in personal_notes._EMPTIED)
    elsewhere = {
        "clearance",
        "rights_request",
        "version_note",
        "workflow_review",
        "workflow",
        "run_move",
        "saved_segment",
        "session",
        "list_view",
    }
    named = {column.partition(".")[0] for column in FATES["goes with who wrote it"].split()}
    assert {table for table in named if f"console.{table} " in emptied} == named - elsewhere


def test_sealed_columns_have_all_that_opens_them(database: object) -> None:
    """A ciphertext without its nonce, or without a key's id beside it, could never be read or erased."""
    assert database is not None
    wrong = []
    for table in tables.metadata.sorted_tables:
        names = set(table.columns.keys())
        for column in names:
            prefix = column.removesuffix("ct")
            if (
                column.endswith("ct")
                and (prefix == "" or prefix.endswith("_"))
                and isinstance(table.columns[column].type, sa.LargeBinary)
            ):
                wrong += (
                    [f"{table.name}.{column}"]
                    if f"{prefix}nonce" not in names or not names & {"kid", "subject", "sub"}
                    else []
                )
    assert wrong == []
