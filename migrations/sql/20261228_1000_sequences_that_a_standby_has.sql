-- PostgreSQL writes nothing of an unlogged sequence to its standbys: after a promotion it was a file without content there, and no job could be queued ever again
-- ("bad magic number in sequence"). The tables stay unlogged: what a crash forgets of them is of no use afterwards, and an empty table is whole.
alter sequence queue.pgqueuer_log_id_seq set logged;
alter sequence queue.pgqueuer_statistics_id_seq set logged;
