-- What is not there in a run that was made anew from its events is null, and not the JSON value null: lists and counts passed such runs over.
update console.run
set waiting = nullif(waiting, 'null'), take_over = nullif(take_over, 'null'), ticket = nullif(ticket, 'null'), origin = nullif(origin, 'null'), fork = nullif(fork, 'null')
where 'null'::jsonb in (waiting, take_over, ticket, origin, fork);
update console.attempt set proposal = null where proposal = 'null';
