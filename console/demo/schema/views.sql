-- Views of fernwick_core, and the columns that its lists and rules filter by.

-- The customer that was screened, where it was one: what was found about them is for who may see them.
alter table screening_run
    add customer_id bigint generated always as (case when subject_kind = 'customer' then subject_ref::bigint end) stored references customer;
create index on screening_run (customer_id);
comment on column screening_run.customer_id is 'Customer screened';

create view customer_activity_12m as
select
    customer.id as customer_id,
    sum(turnover.in_minor)::bigint as in_minor,
    sum(turnover.out_minor)::bigint as out_minor,
    sum(turnover.payments)::int as n,
    array(
        select distinct country
        from account as visited
        join account_turnover as seen using (iban)
        cross join unnest(seen.countries) as country
        where visited.customer_id = customer.id and seen.month > current_date - interval '13 months'
        order by country
    )::char(2)[] as countries,
    round(sum(turnover.cash_minor)::numeric / nullif(sum(turnover.in_minor), 0), 3) as cash_share,
    round(sum(turnover.in_minor)::numeric / nullif(customer.expected_monthly_minor * count(distinct turnover.month), 0), 2) as ratio_to_expected
from customer
join account on account.customer_id = customer.id
join account_turnover as turnover on turnover.iban = account.iban and turnover.month > current_date - interval '13 months'
group by customer.id;
comment on view customer_activity_12m is 'Activity of twelve months';
comment on column customer_activity_12m.customer_id is 'Customer';
comment on column customer_activity_12m.in_minor is 'Paid in (euro cents)';
comment on column customer_activity_12m.out_minor is 'Paid out (euro cents)';
comment on column customer_activity_12m.n is 'Payments';
comment on column customer_activity_12m.countries is 'Countries';
comment on column customer_activity_12m.cash_share is 'Cash share';
comment on column customer_activity_12m.ratio_to_expected is 'Actual to expected';

-- What is left of a charge: pending and succeeded refunds and lost chargebacks are gone already. Euro by the newest rate.
create view charge_refundable as
select
    charge.id as charge_id,
    given.refunded_minor,
    charge.amount_minor - given.refunded_minor as remaining_minor,
    round(charge.amount_minor / power(10::numeric, currency.exponent) * rate.eur_per_unit, 2) as amount_eur,
    charge.currency
from charge
join currency on currency.code = charge.currency
cross join lateral (
    select
        coalesce((select sum(refund.amount_minor) from refund where refund.charge_id = charge.id and refund.status in ('pending', 'succeeded')), 0)::bigint
        + coalesce((select sum(dispute.amount_minor) from dispute where dispute.charge_id = charge.id and dispute.status = 'lost'), 0)::bigint
        as refunded_minor
) as given
cross join lateral (
    select fx_rate.eur_per_unit from fx_rate where fx_rate.currency = charge.currency and fx_rate.day <= current_date order by fx_rate.day desc limit 1
) as rate;
comment on view charge_refundable is 'What may be refunded';
comment on column charge_refundable.charge_id is 'Charge';
comment on column charge_refundable.refunded_minor is 'Already refunded (minor units)';
comment on column charge_refundable.remaining_minor is 'Remaining (minor units)';
comment on column charge_refundable.currency is 'Currency';
comment on column charge_refundable.amount_eur is 'Amount in euro today';

-- What a refund looks at before it goes out, a row for each charge: whether the account is on hold (not why), what its customer got back in 90 days,
-- and whether a request for it was opened by staff. A refund in another currency counts by today's rate.
create view refund_checks as
select
    charge.id as charge_id,
    customer.restriction_code <> 'none' as on_hold,
    recent.refunds as refunds_90d,
    recent.eur as refunded_90d_eur,
    exists (
        select from ticket
        join ticket_message as opening on opening.ticket_id = ticket.id and opening.seq = 1 and opening.author_kind = 'staff'
        where ticket.charge_id = charge.id and ticket.status <> 'solved'
    ) as opened_by_staff
from charge
join customer on customer.id = charge.customer_id
cross join lateral (
    select
        count(*)::int as refunds,
        coalesce(sum(round(refund.amount_minor / power(10::numeric, currency.exponent) * rate.eur_per_unit, 2)), 0)::numeric(14, 2) as eur
    from charge as other
    join refund on refund.charge_id = other.id and refund.status in ('pending', 'succeeded') and refund.created_at > now() - interval '90 days'
    join currency on currency.code = refund.currency
    cross join lateral (
        select fx_rate.eur_per_unit from fx_rate where fx_rate.currency = refund.currency and fx_rate.day <= current_date order by fx_rate.day desc limit 1
    ) as rate
    where other.customer_id = charge.customer_id
) as recent;
comment on view refund_checks is 'Checks before a refund';
comment on column refund_checks.charge_id is 'Charge';
comment on column refund_checks.on_hold is 'Account is being checked';
comment on column refund_checks.refunds_90d is 'Refunds of the customer in 90 days';
comment on column refund_checks.refunded_90d_eur is 'Refunded to the customer in 90 days (EUR)';
comment on column refund_checks.opened_by_staff is 'Request opened by staff';

-- Who owns a company customer in the end: products along each chain of shares, summed over the chains that end at the same holder.
-- A chain ends at a holder of whom no holding is known, after twenty holdings, or where it meets itself (cyclic).
create view ownership_effective as
with recursive chain (customer_id, party_id, percent, path, cyclic) as (
    select party.customer_id, holding.owner_id, holding.percent::numeric, array[holding.owned_id, holding.owner_id], false
    from party
    join ownership as holding on holding.owned_id = party.id and holding.kind = 'shares' and holding.until is null
    where party.customer_id is not null
    union all
    select chain.customer_id, holding.owner_id, chain.percent * holding.percent / 100, chain.path || holding.owner_id, holding.owner_id = any (chain.path)
    from chain
    join ownership as holding on holding.owned_id = chain.party_id and holding.kind = 'shares' and holding.until is null
    where not chain.cyclic and cardinality(chain.path) <= 20
)
-- summed before it is joined: else the whole chain is read once for each party
select effective.customer_id, effective.party_id, effective.percent, effective.layers, effective.cyclic, party.kind
from (
    select
        chain.customer_id,
        chain.party_id,
        round(sum(chain.percent), 4) as percent,
        max(cardinality(chain.path) - 2) as layers,
        bool_or(chain.cyclic) as cyclic
    from chain
    where
        chain.cyclic
        or cardinality(chain.path) > 20
        or not exists (select from ownership as further where further.owned_id = chain.party_id and further.kind = 'shares' and further.until is null)
    group by chain.customer_id, chain.party_id
) as effective
join party on party.id = effective.party_id;
comment on view ownership_effective is 'Effective ownership';
comment on column ownership_effective.customer_id is 'Customer';
comment on column ownership_effective.party_id is 'Owner';
comment on column ownership_effective.percent is 'Effective percent';
comment on column ownership_effective.layers is 'Companies between';
comment on column ownership_effective.cyclic is 'Circular holding';
comment on column ownership_effective.kind is 'Person or company';

-- Every holding through which a company customer is owned, layer by layer: what a picture of its owners is drawn from. A holding stands once, in a circle too.
create view ownership_chain as
with recursive holding as (
    select owned_id, owner_id, percent from ownership where kind = 'shares' and until is null
),
chain (customer_id, root_id, owned_id, owner_id, percent) as (
    select party.customer_id, party.id, holding.owned_id, holding.owner_id, holding.percent
    from party
    join holding on holding.owned_id = party.id
    where party.customer_id is not null
    union
    select chain.customer_id, chain.root_id, holding.owned_id, holding.owner_id, holding.percent
    from chain
    join holding on holding.owned_id = chain.owner_id
),
looked_up as (
    select
        run.subject_ref as party_ref,
        count(*) filter (where hit.status in ('open', 'needs_more')) as open_hits,
        bool_or(hit.status = 'true_match' and list.kind = 'pep') as exposed,
        bool_or(hit.status = 'true_match' and list.kind = 'sanctions') as sanctioned
    from screening_hit as hit
    join screening_run as run on run.id = hit.run_id and run.subject_kind = 'party'
    join watchlist_entry as entry on entry.id = hit.entry_id
    join watchlist as list on list.code = entry.list
    group by run.subject_ref
)
select
    chain.customer_id,
    chain.owned_id,
    chain.owner_id,
    chain.root_id,
    owner.name,
    owner.kind,
    owner.country,
    chain.percent,
    coalesce(looked_up.exposed, false) or exists (
        select from beneficial_owner as known
        where known.customer_id = chain.customer_id and known.party_id = chain.owner_id and known.pep_status <> 'none'
    ) as exposed,
    coalesce(looked_up.sanctioned, false) as sanctioned,
    coalesce(looked_up.open_hits, 0)::int as open_hits
from chain
join party as owner on owner.id = chain.owner_id
left join looked_up on looked_up.party_ref = chain.owner_id::text;
comment on view ownership_chain is 'Chains of holdings';
comment on column ownership_chain.customer_id is 'Customer';
comment on column ownership_chain.owned_id is 'Owned company';
comment on column ownership_chain.owner_id is 'Holder';
comment on column ownership_chain.root_id is 'Company of the customer';
comment on column ownership_chain.name is 'Name of the holder';
comment on column ownership_chain.kind is 'Person or company';
comment on column ownership_chain.country is 'Country of the holder';
comment on column ownership_chain.percent is 'Percent';
comment on column ownership_chain.exposed is 'Politically exposed';
comment on column ownership_chain.sanctioned is 'On a sanctions list';
comment on column ownership_chain.open_hits is 'Hits not decided';

-- Every hit that concerns a customer: its own, and those of its owners and officers.
create view customer_hit as
with concerned (customer_id, subject_kind, subject_ref, subject_name) as (
    select customer.id, 'customer'::subject_kind, customer.id::text, customer.display_name from customer
    union
    select owner.customer_id, 'party'::subject_kind, party.id::text, party.name from beneficial_owner as owner join party on party.id = owner.party_id
    union
    select effective.customer_id, 'party'::subject_kind, party.id::text, party.name from ownership_effective as effective join party on party.id = effective.party_id
    union
    select company.customer_id, 'party'::subject_kind, person.id::text, person.name
    from officer
    join party as company on company.id = officer.company_id
    join party as person on person.id = officer.person_id
    where company.customer_id is not null and officer.until is null
)
select
    hit.id as hit_id,
    concerned.customer_id,
    concerned.subject_kind,
    concerned.subject_name,
    entry.list,
    entry.name as entry_name,
    array(select alias.name from watchlist_alias as alias where alias.entry = entry.id order by alias.seq) as aliases,
    entry.birth_dates,
    entry.nationalities,
    hit.score,
    hit.matched_on,
    hit.status,
    hit.reason_code,
    run.at as screened_at
from concerned
join screening_run as run on run.subject_kind = concerned.subject_kind and run.subject_ref = concerned.subject_ref
join screening_hit as hit on hit.run_id = run.id
join watchlist_entry as entry on entry.id = hit.entry_id;
comment on view customer_hit is 'Hits of a customer';
comment on column customer_hit.hit_id is 'Hit';
comment on column customer_hit.customer_id is 'Customer';
comment on column customer_hit.subject_kind is 'Screened as';
comment on column customer_hit.subject_name is 'Name screened';
comment on column customer_hit.list is 'List';
comment on column customer_hit.entry_name is 'Name on the list';
comment on column customer_hit.aliases is 'Other names on the list';
comment on column customer_hit.birth_dates is 'Dates of birth on the list';
comment on column customer_hit.nationalities is 'Nationalities on the list';
comment on column customer_hit.score is 'Score';
comment on column customer_hit.matched_on is 'Matched on';
comment on column customer_hit.status is 'Status';
comment on column customer_hit.reason_code is 'Reason';
comment on column customer_hit.screened_at is 'Screened';

create function count_charge_tickets() returns trigger language plpgsql as $$
begin
    update charge set open_requests = (
        select count(*) from ticket where ticket.charge_id = charge.id and ticket.kind = 'refund_request' and ticket.status = 'open'
    ) where id in (old.charge_id, new.charge_id);
    update customer set open_kyc_tickets = (
        select count(*) from ticket where ticket.customer_id = customer.id and ticket.kind = 'kyc' and ticket.status = 'open'
    ) where id in (old.customer_id, new.customer_id);
    return null;
end $$;
create trigger ticket_counts after insert or delete or update of status, kind, charge_id, customer_id on ticket
    for each row execute function count_charge_tickets();

create function worked_hours(since timestamptz, until timestamptz) returns numeric language sql stable as $$
    select coalesce(sum(extract(epoch from least(until, closes) - greatest(since, opens))) / 3600, 0)
    from (
        select (day + interval '8 hours') at time zone 'Europe/Vilnius' as opens, (day + interval '18 hours') at time zone 'Europe/Vilnius' as closes
        from generate_series((since at time zone 'Europe/Vilnius')::date, (until at time zone 'Europe/Vilnius')::date, interval '1 day') as day
        where extract(isodow from day) < 6
    ) as worked
    where least(until, closes) > greatest(since, opens)
$$;
create function after_working_hours(begun timestamptz, wanted numeric) returns timestamptz language sql stable as $$
    select closes - (total - wanted) * interval '1 hour'
    from (
        select closes, sum(extract(epoch from closes - greatest(begun, opens)) / 3600) over (order by closes) as total
        from (
            select (day + interval '8 hours') at time zone 'Europe/Vilnius' as opens, (day + interval '18 hours') at time zone 'Europe/Vilnius' as closes
            from generate_series(
                (begun at time zone 'Europe/Vilnius')::date::timestamp, (begun at time zone 'Europe/Vilnius')::date + (10 + wanted) * interval '1 day', interval '1 day'
            ) as day
            where extract(isodow from day) < 6
        ) as worked
        where closes > begun
    ) as counted
    where total >= wanted
    order by closes limit 1
$$;
create function stop_ticket_clock() returns trigger language plpgsql as $$
begin
    if new.status = 'pending_customer' and (tg_op = 'INSERT' or old.status <> 'pending_customer') then
        new.pending_since = now();
        new.sla_due_at = null;
    elsif tg_op = 'UPDATE' and old.status = 'pending_customer' and new.status <> 'pending_customer' then
        new.pending_hours = old.pending_hours + worked_hours(coalesce(old.pending_since, now()), now());
        new.pending_since = null;
    end if;
    if new.status = 'open' and (tg_op = 'INSERT' or old.status <> 'open') then
        new.sla_due_at = after_working_hours(new.created_at, 16 + new.pending_hours);
    end if;
    return new;
end $$;
comment on function stop_ticket_clock() is 'An answer is due sixteen working hours after the ticket came, less those that it waits for its customer';
create trigger ticket_clock before insert or update of status on ticket for each row execute function stop_ticket_clock();

create function count_charge_disputes() returns trigger language plpgsql as $$
begin
    update charge set open_disputes = (
        select count(*) from dispute
        where dispute.charge_id = charge.id and dispute.status in ('warning_needs_response', 'needs_response', 'under_review')
    ) where id in (old.charge_id, new.charge_id);
    return null;
end $$;
create trigger dispute_counts after insert or delete or update of status, charge_id on dispute
    for each row execute function count_charge_disputes();

create function note_identity_expiry() returns trigger language plpgsql as $$
begin
    update customer set identity_expires_on = (
        select max(document.expires_on) from kyc_document as document
        where document.customer_id = customer.id and document.party_id is null
            and document.doc_type in ('passport', 'id_card', 'residence_permit') and document.status in ('received', 'accepted')
    ) where id in (old.customer_id, new.customer_id);
    return null;
end $$;
create trigger identity_expiry after insert or delete or update of status, doc_type, expires_on, customer_id on kyc_document
    for each row execute function note_identity_expiry();

update charge set open_requests = asked.n
from (select charge_id, count(*) as n from ticket where kind = 'refund_request' and status = 'open' and charge_id is not null group by charge_id) as asked
where asked.charge_id = charge.id;
update charge set open_disputes = asked.n
from (
    select charge_id, count(*) as n from dispute where status in ('warning_needs_response', 'needs_response', 'under_review') group by charge_id
) as asked
where asked.charge_id = charge.id;
update customer set open_kyc_tickets = asked.n
from (select customer_id, count(*) as n from ticket where kind = 'kyc' and status = 'open' and customer_id is not null group by customer_id) as asked
where asked.customer_id = customer.id;
update customer set identity_expires_on = shown.expires_on
from (
    select customer_id, max(expires_on) as expires_on from kyc_document
    where party_id is null and doc_type in ('passport', 'id_card', 'residence_permit') and status in ('received', 'accepted') group by customer_id
) as shown
where shown.customer_id = customer.id;

create function note_listed_names() returns trigger language plpgsql as $$
begin
    update customer set name_listed_at = new.imported_at
    from watchlist_entry as entry
    where entry.list = new.code and entry.delisted_on is null
        and (select string_agg(word, ' ' order by word) from regexp_split_to_table(lower(entry.name), '[ ,]+') as word)
        = (select string_agg(word, ' ' order by word) from regexp_split_to_table(lower(customer.display_name), '[ ,]+') as word)
        and (
            entry.birth_dates = '{}' or customer.birth_date is null
            or exists (select from unnest(entry.birth_dates) as born where left(born, 4) = to_char(customer.birth_date, 'YYYY'))
        );
    return null;
end $$;
create trigger listed_names after insert or update of imported_at on watchlist for each row execute function note_listed_names();
update watchlist set imported_at = imported_at;
