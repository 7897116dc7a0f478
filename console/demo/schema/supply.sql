-- Fernwick Pay's second database: suppliers and contacts. Lists of allowed values are CHECKs; dates and moments are ISO text.
-- customer_no points into fernwick_core and has no foreign key.

create table supplier_request (
    id integer primary key,
    requester text not null,
    company_name text not null,
    country text not null check (length(country) = 2),
    category text not null check (category in ('it', 'logistics', 'marketing', 'facilities', 'professional', 'print')),
    est_annual_eur numeric(12, 2) not null check (est_annual_eur >= 0),
    critical boolean not null check (critical in (0, 1)),
    personal_data boolean not null check (personal_data in (0, 1)),
    website text,
    vat_id text,
    iban text,
    status text not null check (status in ('new', 'onboarding', 'done', 'refused')),
    supplier_id integer references supplier (id),
    created_at datetime not null
);

create table supplier (
    id integer primary key,
    legal_name text not null,
    trade_name text,
    register_no text,
    vat_id text,
    country text not null check (length(country) = 2),
    address json not null,
    website text,
    main_email text not null,
    main_phone text,
    tier text check (tier in ('A', 'B', 'C')),
    status text not null check (status in ('draft', 'onboarding', 'active', 'blocked', 'archived')),
    owner text not null,
    request_id integer unique references supplier_request (id),
    activated_at datetime,
    screening_status text not null check (screening_status in ('none', 'clear', 'hit')),
    insurance_expires_on date,
    proposed_accounts integer not null default 0,
    payable_accounts integer not null default 0
);

create table supplier_bank_account (
    supplier_id integer not null references supplier (id),
    iban text not null,
    holder text not null,
    bic text,
    status text not null check (status in ('proposed', 'confirmed', 'active', 'retired')),
    vop text check (vop in ('match', 'close', 'no_match', 'not_possible')),
    entered_by text not null,
    called_back_by text,
    activated_by text,
    first_payment_after date,
    created_at datetime not null,
    primary key (supplier_id, iban)
);

create table supplier_document (
    id integer primary key,
    supplier_id integer not null references supplier (id),
    kind text not null check (kind in ('register_extract', 'vat_certificate', 'insurance', 'bank_letter', 'dpa', 'code_of_conduct', 'contract_signed')),
    issued_on date,
    expires_on date,
    cover_eur integer check (cover_eur > 0),
    file_path text,
    sha256 text not null check (length(sha256) = 64),
    status text not null check (status in ('received', 'accepted', 'rejected', 'expired')),
    checks json not null
);

create table invoice (
    id text not null primary key,
    supplier_id integer not null references supplier (id),
    amount_minor integer not null check (amount_minor > 0),
    currency text not null check (length(currency) = 3),
    due_on date not null,
    status text not null check (status in ('open', 'approved', 'paid', 'held')),
    iban_on_invoice text
);

create table contract (
    id integer primary key,
    supplier_id integer not null references supplier (id),
    title text not null,
    starts_on date not null,
    ends_on date,
    value_eur numeric(12, 2) not null check (value_eur >= 0),
    auto_renew boolean not null check (auto_renew in (0, 1)),
    notice_days integer not null check (notice_days >= 0),
    status text not null check (status in ('draft', 'signing', 'signed', 'expired', 'terminated'))
);

create table contract_line (
    contract_id integer not null references contract (id),
    line_no integer not null,
    description text not null,
    unit text not null,
    price_minor integer not null,
    currency text not null check (length(currency) = 3),
    primary key (contract_id, line_no)
);

create table signature (
    id integer primary key,
    contract_id integer not null references contract (id),
    party text not null check (party in ('us', 'supplier')),
    signer_name text not null,
    signer_role text not null,
    method text not null check (method in ('wet_ink', 'simple', 'advanced', 'qualified')),
    document_sha256 text not null check (length(document_sha256) = 64),
    signed_at datetime not null,
    evidence json not null
);

create table contact (
    id text not null primary key check (length(id) = 36) default (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    name text not null,
    email text,
    phone text,
    country text not null check (length(country) = 2),
    time_zone text,
    language text not null default 'en' check (length(language) = 2),
    stage text not null default 'new' check (stage in ('new', 'contacted', 'engaged', 'qualified', 'customer', 'unresponsive', 'lost')),
    owner text,
    source text not null default 'import' check (source in ('web', 'event', 'referral', 'import')),
    customer_no text,
    last_inbound_at datetime,
    last_outbound_at datetime,
    created_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    consents integer not null default 0
);

create table consent (
    id integer primary key,
    contact_id text not null references contact (id),
    channel text not null check (channel in ('sms', 'email', 'call', 'ai_call')),
    state text not null check (state in ('given', 'withdrawn')),
    basis text not null check (basis in ('opt_in', 'existing_customer')),
    text_version text not null,
    source text not null,
    at datetime not null default (strftime('%Y-%m-%d %H:%M:%f000', 'now'))
);

create table tag (
    id integer primary key,
    name text not null unique
);

create table contact_tag (
    contact_id text not null references contact (id),
    tag_id integer not null references tag (id),
    primary key (contact_id, tag_id)
);

create table message (
    id integer primary key,
    contact_id text not null references contact (id),
    channel text not null check (channel in ('sms', 'email', 'call', 'ai_call')),
    direction text not null check (direction in ('in', 'out')),
    template text,
    body text not null,
    status text not null check (status in ('queued', 'sent', 'delivered', 'failed', 'skipped')),
    skip_reason text,
    run_id text,
    at datetime not null
);

create table call (
    id integer primary key,
    contact_id text not null references contact (id),
    script text not null,
    attempt integer not null check (attempt > 0),
    outcome text not null check (outcome in ('answered', 'no_answer', 'voicemail', 'busy', 'failed')),
    label text check (label in ('interested', 'not_interested', 'call_back', 'wrong_person', 'opt_out')),
    seconds integer not null check (seconds >= 0),
    transcript text,
    run_id text,
    at datetime not null
);

create table task (
    id integer primary key,
    contact_id text references contact (id),
    supplier_id integer references supplier (id),
    title text not null,
    due_on date not null,
    assignee text not null,
    status text not null check (status in ('open', 'done')),
    run_id text
);
