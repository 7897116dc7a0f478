"""The statement that appends events: one call of the database's function, with the rows that change, and what else is written with it."""

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from console.infra import subjects
from console.infra.jobs import BESIDE, Job
from console.log.body import Link, canonical_value

FEW = 8
Part: TypeAlias = tuple[str, Sequence[Any]]
"""A statement with `%s` and `%b` as placeholders, and its values."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Rows that change with the events: the run's head (all columns), attempts (all columns), context by step (an empty one lets steps be forgotten), effects, what was shown."""

    run: Mapping[str, Any] | None = None
    attempts: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Any] | None = None
    effects: Sequence[Mapping[str, Any]] = ()
    shown: Mapping[str, Any] | None = None


NOTHING: Part = ("", ())


@functools.cache
def _transition(events: int) -> str:
    """The call for so many events, each value a parameter of its own, which is quickest for a few; 0: for any number, as arrays."""
    array = f"array[{','.join(['%b'] * events)}]::bytea[]" if events else "%b::bytea[]"
    return f"console.transition(%s, %s, %b, {array}, {array}, %s, %s, {array}, {array}, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s)"


def statement(
    called: Part, first: Part = NOTHING, then: Part = NOTHING, note: Part = NOTHING, job: Job | None = None
) -> Part:
    """The statement that appends by this call. `first`: an update that returns a row, without which nothing is written; `then`: an insert that selects `from moved
    where last > 0`; `note`: the call that appends to a chain outside runs.

    It answers the new last number, 0 where the chain has moved; no row where `first` found none. With `first` or a `note`, a chain that has moved is a division by zero.
    """
    jobs = (job.priority, job.entrypoint, job.payload, job.key) if job else ()
    return _composed(called[0], first[0], then[0], note[0], job=job is not None), (
        *first[1],
        *called[1],
        *then[1],
        *note[1],
        *jobs,
    )


@functools.cache
def _composed(call: str, first: str = "", then: str = "", note: str = "", *, job: bool) -> str:
    if not (first or then or note or job):
        return f"select {call}"
    parts = [f"moved as materialized (select {call} as last{' from changed' if first else ''})"]  # noqa: S608 (texts of ours)
    if first:
        parts.insert(0, f"changed as materialized ({first})")
    if then:
        parts.append(f"added as ({then})")
    if note:
        parts.append(f"noted as materialized (select {note} as last from moved where last > 0)")  # noqa: S608 (texts of ours)
    sure = (
        " / (last > 0)::integer" if first or note else ""
    )  # a chain that has moved takes the rest back by an error
    sure += " / ((select n.last from noted n) > 0)::integer" if note else ""
    jobs = f", case when last > 0 then (select count(*) from {BESIDE}) end" if job else ""  # noqa: S608 (texts of ours)
    return f"with {', '.join(parts)} select last{sure}{jobs} from moved"  # noqa: S608 (texts of ours)


def call(
    chain: str, seq: int, links: Sequence[Link], subject: str | None, rows: Projection, request: str | None
) -> tuple[str, tuple[Any, ...]]:
    """The call of the database's function that appends the links, and its parameters."""
    kid, nonces, ciphertexts = sealed_values(subject, links)
    few = len(links) if len(links) <= FEW else 0
    spread: Callable[..., Iterable[Any]] = itertools.chain if few else lambda *lists: lists
    return _transition(few), (
        *(chain, seq, links[0].previous),
        *spread([each.leaf for each in links], [each.body for each in links]),
        *(subject, kid),
        *spread(nonces, ciphertexts),
        *(
            column_json(rows.run),
            column_json(rows.attempts or None),
            column_json(rows.context),
            column_json(rows.effects or None),
            column_json(rows.shown),
        ),
        request,
    )


def sealed_values(
    subject: str | None, links: Sequence[Link]
) -> tuple[str | None, list[bytes | None], list[bytes | None]]:
    """(key id, nonces, ciphertexts) of the links' values under the subject's key; None for a link without values."""
    kid: str | None = None
    nonces: list[bytes | None] = []
    ciphertexts: list[bytes | None] = []
    for each in links:
        if not each.values:
            nonces.append(None)
            ciphertexts.append(None)
            continue
        if subject is None:
            raise ValueError("sealed values need a subject")
        kid, nonce, ciphertext = subjects.seal(
            subject, each.id, {name: _kept(each, name) for name in each.values}
        )
        nonces.append(nonce)
        ciphertexts.append(ciphertext)
    return kid, nonces, ciphertexts


def _kept(link: Link, name: str) -> Any:
    """Salt and value; what belongs to a person of the console is sealed once more, under their key, so that it goes with them."""
    salt, value = link.values[name]
    if name not in link.owners:
        return [salt.hex(), value]
    owner = subjects.of_person(link.owners[name])
    _, nonce, ciphertext = subjects.seal(owner, f"{link.id}|{name}", [salt.hex(), value])
    return {"subject": owner, "nonce": nonce.hex(), "ct": ciphertext.hex()}


def column_json(value: Any) -> str | None:
    """JSON that a column of the database holds: what the log keeps in another form (NUL, halves of characters) is in that form here too."""
    if value is None:
        return None
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        encoded = orjson.dumps(canonical_value(value))
    return (orjson.dumps(canonical_value(value)) if b"\\u0000" in encoded else encoded).decode()
