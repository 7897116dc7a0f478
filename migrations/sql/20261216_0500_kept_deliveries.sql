-- A delivery of a webhook is written down before its run begins: `run` is the id that its sender is told, `sent` stands for its body, so that another one
-- under the same key is known, and `exclusive_key` is the key that only one live run may have.
alter table console.firing add column sent bytea, add column exclusive_key text;
update console.firing set sent = told, told = null where kind = 'webhook' and status = 'started';
create unique index firing_exclusive on console.firing (exclusive_key) where status = 'waiting' and exclusive_key is not null;
create index firing_promised on console.firing (run) where status = 'waiting' and run is not null;
