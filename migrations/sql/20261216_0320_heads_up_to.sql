-- Signed heads are counted up to a place, so that one that is gone is missed however many were signed since.
alter table console.log_check rename column heads_before to heads_upto;
update console.log_check set heads = 0, heads_upto = 0;
