-- When the request was about to write into a database of others. A key with this and without a note of what came of it is never taken over.
alter table console.idempotency add column writing timestamptz;
