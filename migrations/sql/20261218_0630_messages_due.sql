-- What is due is read by channel, so that one with very many hides none of another: each is read from its own part of the index.
create index message_due_of_channel on console.message (channel, due_at) where due_at is not null;
drop index console.message_due;
