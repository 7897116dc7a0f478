-- When an e-mail was opened first, where its step asks for that to be noticed.
alter table console.message add column opened_at timestamptz;
