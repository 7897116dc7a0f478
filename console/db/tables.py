"""The console's own tables, as the code speaks of them; their definition is in `migrations/sql/`."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(schema="console")
Moment = sa.DateTime(timezone=True)


def _table(name: str, /, **columns: object) -> sa.Table:
    return sa.Table(name, metadata, *(sa.Column(column, kind) for column, kind in columns.items()))  # type: ignore[arg-type]


event = _table("event", id=sa.BigInteger, run=sa.Text, run_seq=sa.Integer, leaf=sa.LargeBinary, body=sa.LargeBinary)
event_value = _table("event_value", event=sa.BigInteger, sub=sa.Text, kid=sa.Text, nonce=sa.LargeBinary, ct=sa.LargeBinary)
log_pending = _table("log_pending", id=sa.BigInteger, run=sa.Text, run_seq=sa.Integer)
activity = _table(
    "activity",
    pos=sa.BigInteger,
    event=sa.BigInteger,
    at=Moment,
    kind=sa.Text,
    actor=sa.Text,
    team=sa.Text,
    collection=sa.Text,
    record=sa.Text,
    run=sa.Text,
    workflow=sa.Text,
    origin=sa.Text,
    label=sa.Text,
)
tile = _table("tile", level=sa.Integer, index=sa.BigInteger, hashes=sa.LargeBinary)
checkpoint = _table("checkpoint", size=sa.BigInteger, note=sa.Text, key=sa.Text, at=Moment)
log_check = _table(
    "log_check",
    name=sa.Text,
    upto=sa.BigInteger,
    at=Moment,
    whole_at=Moment,
    problem=sa.Text,
    owed=JSONB,
    heads=sa.BigInteger,
    heads_before=sa.BigInteger,
    alarm=sa.Text,
)
delivery = _table(
    "delivery",
    place=sa.Text,
    size=sa.BigInteger,
    delivered_at=Moment,
    tried=sa.Integer,
    due_at=Moment,
    failing_since=Moment,
    error=sa.Text,
)
chain = _table("chain", id=sa.Text, seq=sa.Integer, head=sa.LargeBinary)
request_done = _table("request_done", key=sa.Text, chain=sa.Text, seq=sa.Integer, at=Moment)
idempotency = _table("idempotency", key=sa.Text, fingerprint=sa.LargeBinary, status=sa.Integer, made=sa.Text, at=Moment, writing=Moment)
subject = _table("subject", id=sa.Text, collection=sa.Text, record=sa.Text, kid=sa.Text, wrapped=sa.LargeBinary, created_at=Moment)

hold = _table("hold", subject=sa.Text, collection=sa.Text, record=sa.Text, reason=sa.Text, placed_at=Moment)
stale_run = _table("stale_run", run=sa.Text)

run = _table(
    "run",
    id=sa.Text,
    workflow=sa.Text,
    version=sa.Integer,
    status=sa.Text,
    revision=sa.Integer,
    run_seq=sa.Integer,
    head=sa.LargeBinary,
    collection=sa.Text,
    record=sa.Text,
    team=sa.Text,
    subject=sa.Text,
    current=sa.Integer,
    attempts=sa.Integer,
    visits=JSONB,
    holder=sa.Text,
    last_holder=sa.Text,
    active_at=Moment,
    started_by=sa.Text,
    waiting=JSONB,
    take_over=JSONB,
    automatic=sa.Integer,
    input=JSONB,
    reason=sa.Text,
    ending=sa.Text,
    exclusive_key=sa.Text,
    linked_to=sa.Text,
    created_at=Moment,
    ended_at=Moment,
    ticket=JSONB,
    label=sa.Text,
    put_down_at=Moment,
    trigger=sa.Text,
    worked_ms=sa.BigInteger,
)
attempt = _table(
    "attempt",
    run=sa.Text,
    n=sa.Integer,
    step=sa.Text,
    attempt=sa.Integer,
    status=sa.Text,
    entered_at=Moment,
    completed_at=Moment,
    by=sa.Text,
    outcome=sa.Text,
    values=JSONB,
    output=JSONB,
    handled_manually=sa.Boolean,
    replaces=sa.Integer,
    revised=sa.Boolean,
    defaults=JSONB,
    errors=JSONB,
    proposal=JSONB,
)
run_context = _table("run_context", run=sa.Text, step=sa.Text, output=JSONB)
effect = _table(
    "effect",
    id=sa.Text,
    run=sa.Text,
    n=sa.Integer,
    number=sa.Integer,
    kind=sa.Text,
    status=sa.Text,
    summary=sa.Text,
    request=JSONB,
    result=JSONB,
    requested_at=Moment,
    settled_at=Moment,
    compensates=sa.Text,
    keeps=sa.Text,
)
approval = _table(
    "approval",
    id=sa.Text,
    run=sa.Text,
    n=sa.Integer,
    step=sa.Text,
    attempt=sa.Integer,
    action=sa.Text,
    collection=sa.Text,
    record=sa.Text,
    team=sa.Text,
    status=sa.Text,
    requested_by=sa.Text,
    requested_at=Moment,
    values=JSONB,
    wishes=JSONB,
    decided=JSONB,
    needs=sa.Integer,
    roles=JSONB,
    not_by=JSONB,
    why=sa.Text,
    until=Moment,
    subject=sa.Text,
    shown=JSONB,
    decides=sa.Boolean,
    label=sa.Text,
)
ai_call = _table(
    "ai_call",
    id=sa.Text,
    at=Moment,
    run=sa.Text,
    n=sa.Integer,
    step=sa.Text,
    attempt=sa.Integer,
    workflow=sa.Text,
    version=sa.Integer,
    team=sa.Text,
    label=sa.Text,
    person=sa.Text,
    purpose=sa.Text,
    mode=sa.Text,
    deadline_at=Moment,
    status=sa.Text,
    code=sa.Text,
    provider=sa.Text,
    model=sa.Text,
    prompt_version=sa.Text,
    schema_mode=sa.Text,
    prompt_sha256=sa.Text,
    request_id=sa.Text,
    from_cache=sa.Boolean,
    input_tokens=sa.Integer,
    cached_tokens=sa.Integer,
    output_tokens=sa.Integer,
    ms=sa.Integer,
    cost=sa.Numeric,
    reserved=sa.Numeric,
    price_version=sa.Text,
    flags=sa.ARRAY(sa.Text),
    asked=sa.ARRAY(sa.Text),
    outcome=sa.Text,
    answered_at=Moment,
    shown_at=Moment,
    submitted_at=Moment,
    submitted_by=sa.Text,
    submitted_outcome=sa.Text,
    handled_manually=sa.Boolean,
    revised_at=Moment,
    seconds=sa.Numeric,
    opened=sa.Integer,
)
ai_field = _table(
    "ai_field",
    call=sa.Text,
    name=sa.Text,
    confidence=sa.Text,
    sources=sa.Integer,
    trusted=sa.Boolean,
    dropped=sa.Text,
    shown=sa.Boolean,
    outcome=sa.Text,
)
inbox = _table(
    "inbox",
    id=sa.Text,
    title=sa.Text,
    help=sa.Text,
    team=sa.Text,
    roles=JSONB,
    source=JSONB,
    position=sa.Integer,
    made_by=sa.Text,
    made_at=Moment,
    closed_at=Moment,
)
inbox_taken = _table("inbox_taken", run=sa.Text, inbox=sa.Text, at=Moment)
shown = _table("shown", run=sa.Text, n=sa.Integer, person=sa.Text, digest=sa.LargeBinary, screen=JSONB, run_seq=sa.Integer)
draft = _table("draft", run=sa.Text, n=sa.Integer, person=sa.Text, kid=sa.Text, nonce=sa.LargeBinary, ct=sa.LargeBinary, saved_at=Moment)

file = _table(
    "file",
    id=sa.Text,
    subject=sa.Text,
    run=sa.Text,
    request=sa.Text,
    slot=sa.Text,
    name=sa.Text,
    media_type=sa.Text,
    sha256=sa.Text,
    bytes=sa.BigInteger,
    pages=sa.Integer,
    scanned=sa.Boolean,
    by=sa.Text,
    sender=sa.Text,
    at=Moment,
    place=sa.Text,
)
document_request = _table(
    "document_request",
    id=sa.Text,
    run=sa.Text,
    n=sa.Integer,
    subject=sa.Text,
    team=sa.Text,
    status=sa.Text,
    round=sa.Integer,
    token=sa.LargeBinary,
    until=Moment,
    nonce=sa.LargeBinary,
    ct=sa.LargeBinary,
    form_nonce=sa.LargeBinary,
    form_ct=sa.LargeBinary,
    sent_at=Moment,
    mail=sa.Text,
    reminded=sa.Integer,
    remind_at=Moment,
    made_at=Moment,
    ended_at=Moment,
)

person = _table(
    "person",
    id=sa.Text,
    email=sa.Text,
    name=sa.Text,
    password_hash=sa.Text,
    tags=JSONB,
    locale=sa.Text,
    zone=sa.Text,
    theme=sa.Text,
    preferences=JSONB,
    disabled_at=Moment,
    created_at=Moment,
    removed_at=Moment,
)
team = _table("team", id=sa.Text, name=sa.Text, description=sa.Text, lead=sa.Text, archived_at=Moment, created_at=Moment)
person_team = _table("person_team", person=sa.Text, team=sa.Text)
invitation = _table(
    "invitation",
    id=sa.Text,
    person=sa.Text,
    email=sa.Text,
    roles=JSONB,
    teams=JSONB,
    token=sa.LargeBinary,
    invited_by=sa.Text,
    created_at=Moment,
    expires_at=Moment,
    mail=sa.Text,
)
session = _table(
    "session",
    id=sa.Text,
    token_hash=sa.LargeBinary,
    person=sa.Text,
    created_at=Moment,
    seen_at=Moment,
    ended_at=Moment,
    ip=sa.Text,
    agent=sa.Text,
)
api_key = _table(
    "api_key",
    id=sa.Text,
    name=sa.Text,
    person=sa.Text,
    secret_hash=sa.LargeBinary,
    created_at=Moment,
    expires_at=Moment,
    revoked_at=Moment,
    last_used_at=Moment,
    scopes=JSONB,
    networks=sa.ARRAY(sa.Text),
)
policy = _table(
    "policy", id=sa.BigInteger, ptype=sa.Text, sub=sa.Text, dom=sa.Text, obj=sa.Text, act=sa.Text, eft=sa.Text, expression=sa.Text
)
clearance = _table(
    "clearance",
    id=sa.Text,
    label=sa.Text,
    person=sa.Text,
    since=Moment,
    until=Moment,
    reason=sa.Text,
    asked_by=sa.Text,
    asked_at=Moment,
    answered_by=sa.Text,
    answered_at=Moment,
    status=sa.Text,
    revoked_by=sa.Text,
    revoked_at=Moment,
)
role = _table("role", id=sa.Text, title=sa.Text, about=sa.Text, changed_at=Moment)
policy_version = _table("policy_version", number=sa.BigInteger, at=Moment, by=sa.Text, note=sa.Text, added=JSONB, removed=JSONB)
policy_draft = _table("policy_draft", person=sa.Text, base=sa.BigInteger, added=JSONB, removed=JSONB, at=Moment)
version = _table("version", name=sa.Text, number=sa.BigInteger)
throttle = _table("throttle", key=sa.Text, count=sa.Integer, until=Moment)

data_source = _table(
    "data_source",
    id=sa.Text,
    name=sa.Text,
    url_sealed=sa.LargeBinary,
    dialect=sa.Text,
    created_at=Moment,
    settings=JSONB,
    server=sa.Text,
    paused_at=Moment,
    looked_at=Moment,
    checked_at=Moment,
    down_since=Moment,
)
collection = _table("collection", id=sa.Text, source=sa.Text, document=JSONB, structure=JSONB, position=sa.Integer)
collection_version = _table(
    "collection_version",
    collection=sa.Text,
    number=sa.Integer,
    document=sa.Text,
    hash=sa.Text,
    origin=sa.Text,
    made_by=sa.Text,
    made_at=Moment,
)
collection_draft = _table(
    "collection_draft", collection=sa.Text, document=sa.Text, former=JSONB, revision=sa.Integer, changed_by=sa.Text, changed_at=Moment
)
workflow = _table(
    "workflow",
    id=sa.Text,
    slug=sa.Text,
    title=sa.Text,
    description=sa.Text,
    status=sa.Text,
    team=sa.Text,
    collection=sa.Text,
    draft=JSONB,
    live_version=sa.Integer,
    label=sa.Text,
    created_at=Moment,
    updated_at=Moment,
)
workflow_version = _table(
    "workflow_version",
    workflow=sa.Text,
    number=sa.Integer,
    document=sa.LargeBinary,
    hash=sa.Text,
    published_at=Moment,
    published_by=sa.Text,
)
action = _table(
    "action",
    id=sa.Text,
    title=sa.Text,
    collection=sa.Text,
    team=sa.Text,
    document=sa.LargeBinary,
    hash=sa.Text,
    changed_at=Moment,
    changed_by=sa.Text,
)
bulk = _table("bulk", id=sa.Text, person=sa.Text, action=sa.Text, collection=sa.Text, values=JSONB, items=JSONB, created_at=Moment)
