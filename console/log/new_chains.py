"""Many new chains, begun in one statement: all of them are in the log, with their rows and jobs, or none of them is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from console.infra import faults
from console.infra.db import request_writes
from console.infra.db.engine import borrowed
from console.infra.jobs import Job, columns_of
from console.log.append import arrived
from console.log.body import Link
from console.log.transition_statement import Projection, column_json, sealed_values

_BEGIN = """
with wanted as materialized (
    select * from unnest(%s::text[], %s::integer[], %s::integer[], %s::text[], %s::text[], %b::text[], %b::text[], %b::text[]) with ordinality
        as w (chain, first, last, sub, kid, run, attempts, context, n)
), begun as materialized (
    select console.transition(w.chain, 0, ''::bytea, (%b::bytea[])[w.first:w.last], (%b::bytea[])[w.first:w.last], w.sub, w.kid,
        (%b::bytea[])[w.first:w.last], (%b::bytea[])[w.first:w.last], w.run::jsonb, w.attempts::jsonb, w.context::jsonb, null, null, null) as last
    from wanted w order by w.n
)
select count(*), case when count(*) > 0 then (select count(*) from queue.enqueue(%s::integer[], %s::text[], %s::bytea[], %s::interval[], %s::text[], %s::jsonb[])) end
from begun
"""


@dataclass(frozen=True, slots=True)
class NewChain:
    """A chain with its first links and the rows that come with them: a run's head, attempts and context; no effects, and nothing that was shown."""

    chain: str
    links: Sequence[Link]
    subject: str | None
    rows: Projection


def write_new(chains: Sequence[NewChain], jobs: Sequence[Job] = ()) -> None:
    """Begin these chains and put in the jobs. One statement, which is its own transaction.

    Raises the database's error, UniqueViolation where a chain, or a key of its rows, is there already: then nothing was written.
    """
    if not chains:
        return
    if any(each.rows.effects or each.rows.shown for each in chains):
        raise ValueError("effects and screens are written by a transition of the run itself")
    parameters = _parameters(chains, jobs)
    faults.point("log.write.before")
    try:
        with borrowed() as driver:
            driver.execute(_BEGIN, parameters)
    except psycopg.OperationalError:
        first = chains[0]
        if not arrived(first.chain, len(first.links), first.links[-1].leaf):
            raise
    for each in chains:
        request_writes.written(each.chain, {link.type for link in each.links})
    faults.point("log.write.after")


def _parameters(chains: Sequence[NewChain], jobs: Sequence[Job]) -> tuple[Any, ...]:
    heads: list[tuple[Any, ...]] = []
    leaves: list[bytes] = []
    bodies: list[bytes] = []
    nonces: list[bytes | None] = []
    ciphertexts: list[bytes | None] = []
    for each in chains:
        kid, own_nonces, own_ciphertexts = sealed_values(each.subject, each.links)
        first = len(leaves) + 1
        leaves += [link.leaf for link in each.links]
        bodies += [link.body for link in each.links]
        nonces += own_nonces
        ciphertexts += own_ciphertexts
        rows = each.rows
        columns = (column_json(rows.run), column_json(rows.attempts or None), column_json(rows.context))
        heads.append((each.chain, first, len(leaves), each.subject, kid, *columns))
    return (
        *(list(column) for column in zip(*heads, strict=True)),
        leaves,
        bodies,
        nonces,
        ciphertexts,
        *columns_of(jobs),
    )
