-- Indexes of fernwick_supply, and the columns that its lists filter by, kept by triggers.

create index supplier_by_status on supplier (status);
create index supplier_document_by_supplier on supplier_document (supplier_id);
create index supplier_request_by_supplier on supplier_request (supplier_id);
create index invoice_by_supplier on invoice (supplier_id);
create index contract_by_supplier on contract (supplier_id);
create index signature_by_contract on signature (contract_id);
create index contact_by_created on contact (created_at, id);
create index consent_by_contact on consent (contact_id, channel, at);
create index contact_tag_by_tag on contact_tag (tag_id);
create index message_by_contact on message (contact_id, at);
create index call_by_contact on call (contact_id, at);
create index task_by_contact on task (contact_id);
create index task_by_supplier on task (supplier_id);

create trigger document_put after insert on supplier_document begin
    update supplier set insurance_expires_on = (
        select max(expires_on) from supplier_document where supplier_id = new.supplier_id and kind = 'insurance' and status in ('accepted', 'expired')
    ) where id = new.supplier_id;
end;
create trigger document_changed after update of status, expires_on, kind on supplier_document begin
    update supplier set insurance_expires_on = (
        select max(expires_on) from supplier_document where supplier_id = new.supplier_id and kind = 'insurance' and status in ('accepted', 'expired')
    ) where id = new.supplier_id;
end;
create trigger account_put after insert on supplier_bank_account begin
    update supplier set proposed_accounts = (
        select count(*) from supplier_bank_account where supplier_id = new.supplier_id and status in ('proposed', 'confirmed')
    ), payable_accounts = (
        select count(*) from supplier_bank_account where supplier_id = new.supplier_id and status in ('confirmed', 'active')
    ) where id = new.supplier_id;
end;
create trigger account_changed after update of status on supplier_bank_account begin
    update supplier set proposed_accounts = (
        select count(*) from supplier_bank_account where supplier_id = new.supplier_id and status in ('proposed', 'confirmed')
    ), payable_accounts = (
        select count(*) from supplier_bank_account where supplier_id = new.supplier_id and status in ('confirmed', 'active')
    ) where id = new.supplier_id;
end;
create trigger consent_put after insert on consent begin
    update contact set consents = (
        select count(*) from consent as newest where newest.contact_id = new.contact_id and newest.state = 'given' and not exists (
            select 1 from consent as later
            where later.contact_id = newest.contact_id and later.channel = newest.channel and (later.at, later.id) > (newest.at, newest.id)
        )
    ) where id = new.contact_id;
end;
create trigger consent_never_changes before update on consent begin
    select raise(abort, 'consents are only added');
end;

update supplier set insurance_expires_on = (
    select max(expires_on) from supplier_document where supplier_id = supplier.id and kind = 'insurance' and status in ('accepted', 'expired')
);
update supplier set proposed_accounts = (
    select count(*) from supplier_bank_account where supplier_id = supplier.id and status in ('proposed', 'confirmed')
), payable_accounts = (
    select count(*) from supplier_bank_account where supplier_id = supplier.id and status in ('confirmed', 'active')
);
update contact set consents = (
    select count(*) from consent as newest where newest.contact_id = contact.id and newest.state = 'given' and not exists (
        select 1 from consent as later
        where later.contact_id = newest.contact_id and later.channel = newest.channel and (later.at, later.id) > (newest.at, newest.id)
    )
);
analyze;
