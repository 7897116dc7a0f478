"""The console's own tables, as the code speaks of them; their definition is in `migrations/sql/`."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(schema="console")
Moment = sa.DateTime(timezone=True)


KINDS: dict[str, Any] = {
    "text": sa.Text,
    "texts": sa.ARRAY(sa.Text),
    "int": sa.Integer,
    "bigint": sa.BigInteger,
    "numeric": sa.Numeric,
    "bool": sa.Boolean,
    "bytes": sa.LargeBinary,
    "json": JSONB(none_as_null=True),
    "moment": Moment,
}


def _table(name: str, columns: str) -> sa.Table:
    """A table with its columns in order, `name` or `name:kind`; without a kind they are text."""
    named = [column.partition(":") for column in columns.split()]
    return sa.Table(name, metadata, *(sa.Column(column, KINDS[kind or "text"]) for column, _, kind in named))


event = _table("event", "id:bigint run run_seq:int leaf:bytes body:bytes")
event_value = _table("event_value", "event:bigint sub kid nonce:bytes ct:bytes")
log_pending = _table("log_pending", "id:bigint run run_seq:int")
activity = _table(
    "activity",
    "pos:bigint event:bigint at:moment kind actor team collection record run workflow origin label",
)
tile = _table("tile", "level:int index:bigint hashes:bytes")
checkpoint = _table("checkpoint", "size:bigint note key at:moment")
log_check = _table(
    "log_check",
    "name upto:bigint at:moment whole_at:moment problem owed:json heads:bigint heads_upto:bigint alarm",
)
delivery = _table(
    "delivery", "place size:bigint delivered_at:moment tried:int due_at:moment failing_since:moment error"
)
chain = _table("chain", "id seq:int head:bytes")
request_done = _table("request_done", "key chain seq:int at:moment")
idempotency = _table("idempotency", "key fingerprint:bytes status:int made at:moment writing:moment")
subject = _table("subject", "id collection record kid wrapped:bytes created_at:moment")

hold = _table("hold", "subject collection record reason placed_at:moment")
stale_run = _table("stale_run", "run")

# `reason` is plain here, though it is sealed in the log: the row is a projection, and erasure and retention mark the run in `stale_run`, which makes it anew.
run = _table(
    "run",
    "id workflow version:int status revision:int run_seq:int head:bytes collection record team subject current:int "
    "attempts:int visits:json holder last_holder active_at:moment started_by waiting:json take_over:json "
    "automatic:int input:json reason ending exclusive_key linked_to created_at:moment ended_at:moment ticket:json "
    "label put_down_at:moment trigger worked_ms:bigint mode origin:json caused_by:json start_key test:bool parent branch fork:json "
    "due_at:moment due_known:bool",
)
attempt = _table(
    "attempt",
    "run n:int step attempt:int status entered_at:moment completed_at:moment by outcome values:json output:json "
    "handled_manually:bool replaces:int revised:bool defaults:json errors:json proposal:json",
)
run_context = _table("run_context", "run step output:json")
effect = _table(
    "effect",
    "id run n:int number:int kind status summary request:json result:json requested_at:moment settled_at:moment compensates keeps",
)
approval = _table(
    "approval",
    "id run n:int step attempt:int action collection record team status requested_by requested_at:moment "
    "values:json wishes:json decided:json needs:int roles:json not_by:json why until:moment subject shown:json "
    "decides:bool label",
)
ai_call = _table(
    "ai_call",
    "id at:moment run n:int step attempt:int workflow version:int team label person purpose mode deadline_at:moment "
    "status code provider model prompt_version schema_mode prompt_sha256 request_id from_cache:bool "
    "input_tokens:int cached_tokens:int output_tokens:int ms:int cost:numeric reserved:numeric price_version "
    "flags:texts asked:texts outcome answered_at:moment shown_at:moment submitted_at:moment submitted_by "
    "submitted_outcome handled_manually:bool revised_at:moment seconds:numeric opened:int",
)
builder_turn = _table(
    "builder_turn",
    "id workflow person at:moment deadline_at:moment status code revision:int rounds:int taken subject kid nonce:bytes ct:bytes "
    "answer_nonce:bytes answer_ct:bytes",
)
case_question = _table(
    "case_question",
    "id run collection record person key at:moment deadline_at:moment status subject kid nonce:bytes ct:bytes answer_nonce:bytes answer_ct:bytes",
)
agent_request = _table(
    "agent_request",
    "id run person key due:moment on_silence at:moment silent_at:moment delivered_at:moment",
)
ai_field = _table("ai_field", "call name confidence sources:int trusted:bool dropped shown:bool outcome")
inbox = _table(
    "inbox",
    "id title help team roles:json source:json position:int made_by made_at:moment closed_at:moment most:int own_tool_calls:bool",
)
inbox_version = _table("inbox_version", "inbox number:int document hash origin made_by made_at:moment")
pin = _table("pin", "person collection record segment at:moment")
inbox_taken = _table("inbox_taken", "run inbox at:moment")
shown = _table("shown", "run n:int person digest:bytes screen:json run_seq:int")
draft = _table("draft", "run n:int person kid nonce:bytes ct:bytes saved_at:moment")
run_read = _table("run_read", "run place key")
change_intent = _table(
    "change_intent",
    "id at:moment person actor_kind chain team collection effect request subject kid nonce:bytes ct:bytes",
)

file = _table(
    "file",
    "id subject run request slot name media_type sha256 bytes:bigint pages:int scanned:bool by sender at:moment place",
)
document_request = _table(
    "document_request",
    "id run n:int subject team status round:int token:bytes until:moment nonce:bytes ct:bytes form_nonce:bytes "
    "form_ct:bytes sent_at:moment mail reminded:int remind_at:moment made_at:moment ended_at:moment",
)

message = _table(
    "message",
    "id key run n:int step workflow version:int team label collection record channel direction status code consent outcome "
    "asked_at:moment due_at:moment at:moment sent_at:moment told_at:moment expires_s:int most:int again_s:int number:int tries:int looks:int "
    "failures:int outcomes:texts provider provider_id sandbox:bool address:bytes of subject kid nonce:bytes ct:bytes result_nonce:bytes result_ct:bytes about",
)
address_consent = _table(
    "address_consent", "id:bigint address channel given_at:moment source lead noted_at:moment noted_by"
)
consent_default = _table("consent_default", "workflow channel basis at:moment by")
opt_out = _table("opt_out", "id:bigint collection record channel at:moment source message written_at:moment")
channel = _table("channel", "kind sandbox:bool script gateway:json changed_by changed_at:moment")
contact_rules = _table("contact_rules", "version:int at:moment by document:json looked_to looked_at:moment")

person = _table(
    "person",
    "id email name password_hash tags:json locale zone theme preferences:json disabled_at:moment created_at:moment removed_at:moment kind",
)
team = _table("team", "id name description lead archived_at:moment created_at:moment second_person:bool")
person_team = _table("person_team", "person team by_group:bool")
invitation = _table(
    "invitation",
    "id person email roles:json teams:json token:bytes invited_by created_at:moment expires_at:moment mail",
)
session = _table(
    "session", "id token_hash:bytes person created_at:moment seen_at:moment ended_at:moment ip agent"
)
api_key = _table(
    "api_key",
    "id name person secret_hash:bytes created_at:moment expires_at:moment revoked_at:moment last_used_at:moment scopes:json networks:texts",
)
policy = _table("policy", "id:bigint ptype sub dom obj act eft expression")
role_source = _table("role_source", "policy:bigint source")
clearance = _table(
    "clearance",
    "id label person since:moment until:moment reason asked_by asked_at:moment answered_by answered_at:moment "
    "status revoked_by revoked_at:moment",
)
role = _table("role", "id title about changed_at:moment")
policy_version = _table("policy_version", "number:bigint at:moment by note added:json removed:json")
policy_draft = _table("policy_draft", "person base:bigint added:json removed:json at:moment")
rights_request = _table(
    "rights_request",
    "id base:bigint about added:json removed:json hash note status requested_by requested_at:moment decided_by decided_at:moment reason version:bigint",
)
version = _table("version", "name number:bigint")
list_view = _table(
    "list_view",
    "person collection columns:texts roomy:bool segment changed_at:moment page_size:int widths:json",
)
saved_segment = _table("saved_segment", "id collection label audience query:bytes made_by changed_at:moment")
list_export = _table(
    "list_export",
    "id person collection format subject kid nonce:bytes ct:bytes status why done:bigint total:bigint parts:int "
    "created_at:moment expires_at:moment",
)
tag = _table("tag", "id name created_by created_at:moment")
record_tag = _table("record_tag", "collection record tag subject by at:moment run")
record_note = _table(
    "record_note",
    "id collection record by at:moment mentions:texts subject kid nonce:bytes ct:bytes removed_at:moment",
)
throttle = _table("throttle", "key count:int until:moment")

data_source = _table(
    "data_source",
    "id name url_sealed:bytes dialect created_at:moment settings:json server paused_at:moment looked_at:moment "
    "checked_at:moment down_since:moment",
)
source_connecting = _table(
    "source_connecting", "id name person url_sealed:bytes request:json done:int total:int why"
)
due_recount = _table(
    "due_recount", "id workflow inbox person status why place total:bigint done:bigint ended_at:moment"
)
outgoing_secret = _table("outgoing_secret", "name sealed:bytes hosts:texts changed_by changed_at:moment")
connection = _table(
    "connection",
    "name kind address:json auth:json sealed:bytes offered tools problem checked_at:moment changed_by changed_at:moment",
)
collection = _table("collection", "id source document:json structure:json position:int")
collection_version = _table(
    "collection_version", "collection number:int document hash origin made_by made_at:moment"
)
collection_draft = _table(
    "collection_draft", "collection document former:json revision:int changed_by changed_at:moment"
)
workspace = _table("workspace", "id document version:int changed_at:moment")
workspace_version = _table(
    "workspace_version", "workspace number:int document hash origin made_by made_at:moment"
)
workspace_draft = _table(
    "workspace_draft", "workspace document former:json revision:int changed_by changed_at:moment"
)
workflow = _table(
    "workflow",
    "id slug title description status team collection draft:json draft_revision:int live_version:int label created_at:moment updated_at:moment "
    "status_at:moment status_reason archived_at:moment owner place:int",
)
failure = _table(
    "failure",
    "run pos:bigint workflow version:int step code cause at:moment team label retried_by closed_at:moment closed_by alerted_at:moment",
)
alert_rule = _table(
    "alert_rule",
    "id workflow kind minutes:int pattern people:texts mail:bool starts made_by made_at:moment last_at:moment held:int",
)
alert_told = _table("alert_told", "rule run")
workflow_version = _table(
    "workflow_version", "workflow number:int document:bytes hash published_at:moment published_by"
)
version_note = _table("version_note", "workflow number:int note")
workflow_review = _table(
    "workflow_review",
    "id workflow revision:int document:json hash base:int note status requested_by requested_at:moment decided_by decided_at:moment reason "
    "impact:json version:int",
)
run_move = _table(
    "run_move",
    "id workflow former_version:int version:int steps:json runs:texts person reason status done:int moved:int refused:json made_at:moment ended_at:moment",
)
workflow_edit = _table(
    "workflow_edit", "workflow revision:int at:moment by kind of:int undone:bool changes:json inverse:json"
)
trigger = _table(
    "trigger",
    "workflow id kind definition:json declared:bool enabled:bool added:bool version:int next_at:moment cursor:bigint token:bytes address:bytes "
    "secret:bytes matched:bigint passed:bigint left_out:bigint stopped:bigint problem problem_at:moment changed_at:moment",
)
firing = _table(
    "firing",
    "id workflow trigger kind key at:moment due_at:moment version:int collection record told:bytes status run why tries:int done_at:moment source sent:bytes exclusive_key",
)
trigger_sync = _table("trigger_sync", "workflow version:int status pos:bigint at:moment done:bool")
webhook = _table(
    "webhook",
    "id url:bytes events:texts filter enabled:bool stopped problem problem_at:moment secret:bytes former_secret:bytes former_until:moment made_by "
    "made_at:moment acts_for cursor:bigint last_pos:bigint refused:int",
)
webhook_delivery = _table(
    "webhook_delivery",
    "id number:bigint webhook pos:bigint prev_pos:bigint type label subject by_hand:bool status tries:int due_at:moment made_at:moment "
    "done_at:moment code:int error answer:bytes",
)
webhook_try = _table("webhook_try", "delivery number:bigint at:moment code:int error answer:bytes")
source_watch = _table(
    "source_watch",
    "collection column mark:json mark_at:moment highest:json seen:json looked_at:moment read_at:moment log_pos:bigint problem",
)
waking = _table("waking", "id:bigint batch run key kind found at:moment made_by caused_by:json")
action = _table("action", "id title collection team document:bytes hash changed_at:moment changed_by")
bulk = _table("bulk", "id person action collection values:json created_at:moment looking:bool query:json")
bulk_item = _table("bulk_item", "bulk number:int key state why run seen")

enrolment = _table(
    "enrolment",
    "id workflow who collection record subject kid nonce:bytes ct:bytes status run version:int step tries:int due_at:moment entered_by origin trigger "
    "key batch line:bigint at:moment begun_at:moment left_at:moment ending reason chain:json of_run:bool caused_by:json",
)
enrolment_count = _table("enrolment_count", "id:bigint workflow version:int step status n:bigint")
enrolment_batch = _table(
    "enrolment_batch",
    "id workflow person origin preview:bool subject kid nonce:bytes ct:bytes folder status why total:bigint done:bigint place:bytes "
    "enrolled:bigint already_enrolled:bigint refused:bigint created_at:moment ended_at:moment",
)
import_mapping = _table(
    "import_mapping", "person collection headings:bytes kid nonce:bytes ct:bytes at:moment"
)
import_record = _table("import_record", "batch added:bool line:bigint record seen")
enrolment_answer = _table("enrolment_answer", "batch line:bigint record status reasons:json")
