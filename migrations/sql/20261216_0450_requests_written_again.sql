-- Somebody may stop waiting for documents and write again at the same attempt: only one request of an attempt is open, any number have ended.
alter table console.document_request drop constraint document_request_run_n_key;
create unique index document_request_open on console.document_request (run, n) where status in ('open', 'revoked');
create index document_request_run on console.document_request (run);
