-- What is kept of a request with an idempotency key: that it was answered, and the id of what it made. No words of the request, none of the answer.
-- Keys were kept as they were sent, and answers whole: both go. Whoever repeats a request of before this upgrade is a new request.
delete from console.idempotency;
delete from console.request_done;
alter table console.idempotency drop column body;
alter table console.idempotency add column made text;
