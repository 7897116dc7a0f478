-- Keys, references and indexes of fernwick_core, made once the rows are in.

alter table currency add primary key (code);
alter table fx_rate add primary key (day, currency), add foreign key (currency) references currency;
alter table country_risk add primary key (code);
alter table sector add primary key (code);

alter table customer
    add primary key (id),
    add unique (customer_no),
    add foreign key (residence_country) references country_risk,
    add foreign key (sector) references sector;
alter table account
    add primary key (iban),
    add foreign key (customer_id) references customer,
    add foreign key (currency) references currency;
alter table account_turnover
    add primary key (iban, month),
    add foreign key (iban) references account;
alter table party
    add primary key (id),
    add unique (customer_id),
    add foreign key (customer_id) references customer;
alter table kyc_document
    add primary key (id),
    add foreign key (customer_id) references customer,
    add foreign key (party_id) references party;
alter table ownership
    add primary key (owned_id, owner_id, kind),
    add foreign key (owned_id) references party,
    add foreign key (owner_id) references party,
    add foreign key (source_document_id) references kyc_document;
alter table officer
    add primary key (company_id, person_id, role),
    add foreign key (company_id) references party,
    add foreign key (person_id) references party;
alter table beneficial_owner
    add primary key (id),
    add foreign key (customer_id) references customer,
    add foreign key (party_id) references party;

alter table watchlist add primary key (code);
alter table watchlist_entry
    add primary key (id),
    add unique (list, uid),
    add foreign key (list) references watchlist;
alter table watchlist_alias
    add primary key (entry, seq),
    add foreign key (entry) references watchlist_entry;
alter table screening_run
    add primary key (id),
    add unique (subject_kind, subject_ref, subject_hash, list_versions);
alter table screening_hit
    add primary key (id),
    add foreign key (run_id) references screening_run,
    add foreign key (entry_id) references watchlist_entry,
    add foreign key (carried_from_id) references screening_hit;
alter table risk_assessment
    add primary key (id),
    add foreign key (customer_id) references customer;

alter table charge
    add primary key (id),
    add unique (provider_ref),
    add foreign key (customer_id) references customer,
    add foreign key (currency) references currency;
alter table refund
    add primary key (id),
    add unique (idempotency_key),
    add foreign key (charge_id) references charge,
    add foreign key (currency) references currency;
alter table dispute
    add primary key (id),
    add foreign key (charge_id) references charge,
    add foreign key (currency) references currency;
alter table credit
    add primary key (id),
    add unique (idempotency_key),
    add foreign key (customer_id) references customer,
    add foreign key (charge_id) references charge,
    add foreign key (currency) references currency;
alter table ticket
    add primary key (id),
    add foreign key (customer_id) references customer,
    add foreign key (charge_id) references charge;
alter table ticket_message
    add primary key (ticket_id, seq),
    add foreign key (ticket_id) references ticket;
alter table fiu.sar_case
    add primary key (id),
    add foreign key (customer_id) references customer;

create index on fx_rate (currency, day desc);
create index on customer (desk, opened_at desc, id desc);
create index on customer (kyc_status, next_review_at);
create index on customer (display_name);
create index on account (customer_id);
create index on kyc_document (customer_id);
create index on kyc_document (party_id);
create index on ownership (owner_id);
create index on officer (person_id);
create index on beneficial_owner (customer_id);
create index on beneficial_owner (party_id);
create index on screening_hit (run_id);
create index on screening_hit (entry_id);
create index on screening_hit (status);
create index on risk_assessment (customer_id, at desc);
create index on charge (customer_id, created_at desc);
create index on charge (created_at desc, id desc);
create index on charge (id) where open_requests > 0;
create index on refund (charge_id);
create index on dispute (charge_id);
create index on credit (customer_id);
create index on ticket (customer_id);
create index on ticket (charge_id);
create index on ticket (status, kind);
create index on fiu.sar_case (customer_id);
