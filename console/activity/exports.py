"""The activity log as files: events as they were hashed, a table for people, and an archive that an outsider checks without us.

Everything that was committed when the export began, within what the reader may find, with the values that they may read. Memory
stays flat: rows come in pages by their place, and whoever sends the parts takes one at a time.
"""

import csv
import io
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
import psycopg
import sqlalchemy as sa

from console import log
from console.activity import event_list
from console.activity.event_list import Reader
from console.activity.filters import LABELS
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Conflict, Malformed
from console.formats.spreadsheets import escape_formula
from console.infra import subjects
from console.log import bundle, event_lists, masking, tree_heads
from console.log.event_lists import LogFilter, Row

T = TypeVar("T")
ANYTHING = LogFilter()
FORMS = ("jsonl", "csv")
TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8", "zip": "application/zip"}
PAGE, TABLE_PAGE = 4000, 500
JUDGED_EVERY_S = 1.0  # rights are followed within a second, in an export as elsewhere
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # a database that restarts is waited for
LONGEST_SINCE = 18
MASKED = "masked"
NOTES = {"erased": "subject_erased", "expired": "values_expired"}
"""Why a value is gone → the kind of event that tells so."""

COLUMNS = (
    "pos",
    "id",
    "createdAt",
    "kind",
    "run",
    "n",
    "step",
    "attempt",
    "actor_id",
    "actor_name",
    "team",
    "collection",
    "record",
    "sentence",
    "data",
    "masked",
)


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """The parameters of an export: `form` is `jsonl` or `csv`; with `proofs` it is an archive; `since` is the size of an older checkpoint.

    `after`: only places above this one. `values` False: no value is in it, whoever makes it.
    """

    where: LogFilter = ANYTHING
    form: str = "jsonl"
    proofs: bool = False
    since: int | None = None
    after: int = 0
    values: bool = True

    @property
    def kind(self) -> str:
        """The file's ending: `jsonl`, `csv` or `zip`."""
        return "zip" if self.proofs else self.form


def parse_query(arguments: Iterable[tuple[str, str]]) -> ExportQuery:
    """Parse the parameters of a URL: the filters of the log, and `format`, `proofs`, `since`.

    Raises Malformed with one detail for every parameter that is unknown, repeated or cannot be read.
    """
    parameters = event_list.QueryParameters(arguments, (*LABELS, "format", "proofs", "since"))
    form, proofs, since = (
        parameters.value_of("format", FORMS[0]),
        parameters.value_of("proofs", "0"),
        parameters.value_of("since", ""),
    )
    if form not in FORMS:
        parameters.wrong("format", "This must be jsonl or csv.")
    if proofs not in ("0", "1"):
        parameters.wrong("proofs", "This must be 1 (an archive with proofs) or 0.")
    if "since" in parameters.given and not (
        since.isascii() and since.isdigit() and len(since) <= LONGEST_SINCE
    ):
        parameters.wrong("since", "This must be the size of a checkpoint, its second line: a whole number.")
    elif since and proofs != "1":
        parameters.wrong(
            "since",
            "Only an archive proves anything since then: ask with proofs=1, `--format zip` of the command.",
        )
    where = parameters.filter()
    parameters.check("Nothing was exported")
    return ExportQuery(where, form, proofs == "1", int(since) if since else None)


class Export:
    """An export that is allowed and recorded. `parts` gives its bytes, once. `upto` is the position of its last event."""

    def __init__(
        self,
        query: ExportQuery,
        reader: Reader,
        upto: int,
        head: tuple[int, str, str] | None,
        judge: Callable[[], Reader],
    ) -> None:
        self.query, self.reader, self.upto, self.head, self._judge = query, reader, upto, head, judge
        self.begun_at = datetime.now(UTC)
        self.count, self.share = 0, 0.0  # events sent, and how much of the work is done (0 to 1)
        self._policy, self._reach, self._judged = access.current_version(), reader.reach(), time.monotonic()

    @property
    def name(self) -> str:
        """A name for the file."""
        return f"activity-{self.begun_at:%Y%m%dT%H%M%SZ}.{self.query.kind}"

    @property
    def type(self) -> str:
        """Its media type."""
        return TYPES[self.query.kind]

    def parts(self) -> Iterator[bytes]:
        """The bytes of the file."""
        if self.query.proofs:
            yield from filter(None, self._archive())
        elif self.query.form == "csv":
            yield from self._table()
        else:
            for lines, _ in self._events(1.0):
                yield lines

    def save(self, out: Path, parts: Iterable[bytes] | None = None) -> None:
        """Write the whole file, or none. `parts`: the export's own parts, if the caller counts them."""
        part = out.with_name(f"{out.name}.part")
        try:
            with part.open("wb") as file:
                file.writelines(self.parts() if parts is None else parts)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    def _events(self, work: float) -> Iterator[tuple[bytes, bytes]]:
        """(lines, their packed positions) page by page. Rows are checked one by one here only if the database cannot do it."""
        after, all_of_them = self.query.after, self.reader.finds_all
        while after < self.upto:
            self._still_allowed()
            if all_of_them:
                block = patiently(
                    lambda: event_lists.block(
                        self.query.where,
                        self.reader.within,
                        after=after,  # noqa: B023
                        upto=self.upto,
                        limit=PAGE,
                    )
                )
                if block is None:
                    break
                after, lines, places = block.last, block.lines, block.places
                self.count += block.events
            else:
                rows = self._rows(after, PAGE)
                if not rows:
                    break
                kept, after = [row for row, _ in self.reader.find(rows)], rows[-1].pos
                lines = b"".join(row.body + b"\n" for row in kept if row.body is not None)
                places = struct.pack(f">{len(kept)}q", *(row.pos for row in kept))
                self.count += len(kept)
            self.share = work * after / self.upto
            yield lines, places
        self.share = work

    def _still_allowed(self) -> None:
        """Raises NotAllowed if the reader lost the right or the account, Conflict if their rights now give other events."""
        actor = self.reader.actor
        if self.reader.trusted or time.monotonic() - self._judged < JUDGED_EVERY_S:
            return
        self._judged = time.monotonic()
        accounts.actor_of_person(actor.id)
        if access.current_version() == self._policy:
            return
        if self._judge().reach() != self._reach:
            raise Conflict(
                "The rights of who exports were changed meanwhile: begin again.", code="rights_changed"
            )
        self._policy = access.current_version()

    def _rows(self, after: int, limit: int) -> list[Row]:
        return patiently(
            lambda: event_lists.forward(
                self.query.where, self.reader.within, after=after, upto=self.upto, limit=limit
            )
        )

    def _table(self) -> Iterator[bytes]:
        after = 0
        yield _csv([COLUMNS])
        while rows := self._rows(after, TABLE_PAGE):
            self._still_allowed()
            after = rows[-1].pos
            readable = [row for row in rows if row.body is not None]
            cells = [
                _cells(row.json) for row in event_list.mask_rows(self.reader, self.reader.find(readable))
            ]
            self.count, self.share = self.count + len(cells), after / self.upto
            yield _csv(cells)

    def _archive(self) -> Iterator[bytes]:
        yield from bundle.zipped(self.files())

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The files of the archive by name. Each has to be read before the next one is query for."""
        size, note, key = self.head or (0, "", "")
        places = bundle.Places()
        try:
            yield "events.jsonl", self._noting(places)
            complete = (
                self.query.where == ANYTHING
                and (self.query.after, self.upto) == (0, size)
                and self.reader.finds_all
                and not event_lists.left_out(self.reader.within, size)
            )
            yield "values.jsonl", self._values(places)
            yield from bundle.companion_files(size, note, key, None if complete else places, self.query.since)
        finally:
            places.close()

    def _noting(self, places: bundle.Places) -> Iterator[bytes]:
        for lines, packed in self._events(0.3):
            places.add(packed)
            yield lines

    def _values(self, places: bundle.Places) -> Iterator[bytes]:
        masks = self.reader.masks
        for page in places.pages():
            self._still_allowed()
            rows = patiently(lambda: event_lists.at(page))  # noqa: B023
            subjects.load({row.sub for row in rows if row.sub})
            opened = [
                line
                for row in rows
                for line in _opened(row, self.reader, masks=masks, values=self.query.values)
            ]
            gone = {line["missing"] for line in opened if line.get("missing") in NOTES}
            since = {
                reason
                for reason in gone
                if patiently(lambda: event_lists.later(NOTES[reason], self.upto))  # noqa: B023
            }
            # What was taken away after the checkpoint has no event in this export that tells so. Which values those are, nothing says:
            # from then on none is called by that reason, for the events here account for so many and no more.
            lines = [
                log.body.encoded(line | {"missing": MASKED} if line.get("missing") in since else line)
                for line in opened
            ]
            self.share = 0.3 + 0.6 * page[-1] / self.upto
            yield b"".join(line + b"\n" for line in lines)


def begin(actor: Actor, query: ExportQuery, *, ready: Callable[[], object]) -> Export:
    """The export, noted as an event before its first byte.

    `ready` is called once the reader was judged; it brings the order of the log, and with proofs its newest signed head, up to
    what is committed. Raises NotAllowed, Malformed where the log was never as long as `since`, and Conflict before the first head.
    """
    reader = event_list.reader_of_log(actor, "export", "read")
    ready()
    head = tree_heads.newest() if query.proofs else None
    if query.proofs and head is None:
        raise Conflict(
            "The log has no signed head yet: start a worker, or run `console seal` first.", code="not_sealed"
        )
    upto = head[0] if head else event_lists.reached().pos
    if query.since is not None and query.since > upto:
        reason = f"The log has {upto} events up to its newest checkpoint, and never had {query.since}."
        raise Malformed("Nothing was exported: please look at since.", at=("since", reason))
    noted = {
        "format": query.kind,
        "size": upto,
        "proofs": query.proofs,
        "filters": event_list.used_of(query.where),
    }
    log.note(
        actor,
        "log_exported",
        open=noted,
        sealed=event_list.filter_of(query.where),
        label=event_list.label_of_run(actor, query.where.run),
    )
    signed = (*head[:2], str(tree_heads.verifier_key())) if head else None
    return Export(query, reader, upto, signed, lambda: event_list.reader_of_log(actor, "export", "read"))


def of_run(
    actor: Actor, run_id: str, last: int, *, ready: Callable[[], object]
) -> tuple[Export, datetime] | None:
    """(the events of a run with their proofs, when the head that they lead to was signed), for who may see the run; None while no signed head has all of it.

    `last` is the run's newest event. The head is the oldest that has it, so that the same run gives the same bytes. The caller notes that it was made.
    Raises NotFound.
    """
    reader = event_list.reader_of_run(actor, run_id)
    place = _place(run_id, last)
    if place is None or tree_heads.covering(place) is None:
        ready()
        place = _place(run_id, last)
    head = tree_heads.covering(place) if place is not None else None
    if head is None:
        return None
    query = ExportQuery(LogFilter(run=run_id), proofs=True)
    return Export(query, reader, head[0], head[:3], lambda: event_list.reader_of_run(actor, run_id)), head[3]


def of_places(actor: Actor, first: int, last: int) -> Export:
    """The events at these places with their proofs, and no value of theirs. The caller notes that it was made. Raises Conflict while no signed head has all of them."""
    head = tree_heads.newest()
    if head is None or head[0] < last:
        raise Conflict(f"No signed head of the log covers position {last:,} yet.", code="not_sealed")
    query = ExportQuery(proofs=True, after=first - 1, values=False)
    reader = event_list.reader_of_log(actor, "export", "read")
    signed = (*head[:2], str(tree_heads.verifier_key()))
    return Export(query, reader, last, signed, lambda: event_list.reader_of_log(actor, "export", "read"))


def _place(run_id: str, n: int) -> int | None:
    """The place in the log of a run's event; None while it has none."""
    (event,) = log.events_of(run_id, after=n - 1, limit=1, opened=False)
    return event.pos


def patiently(ask: Callable[[], T]) -> T:
    """The result of `ask`, called again for some seconds while the database does not answer: a long export survives a restart."""
    for pause_s in PAUSES_S:
        try:
            return ask()
        except (sa.exc.OperationalError, psycopg.OperationalError):
            time.sleep(pause_s)
    return ask()


def _opened(row: Row, reader: Reader, *, masks: bool, values: bool) -> Iterator[dict[str, Any]]:
    """A line for each sealed value of the event, in order: the value, or the reason why it is missing."""
    body = row.body or b""
    at = body.rfind(b'"sealed":{') + len(b'"sealed":{')
    if body[at : at + 1] in (b"}", b""):
        return
    try:
        event = log.read.parsed(body)
    except log.read.Damaged:
        return  # whoever verifies is told of the line itself
    if not values:
        yield from (
            {"event": event["id"], "name": name, "missing": MASKED} for name in event["data"]["sealed"]
        )
        return
    try:
        opened = (
            log.read.unsealed(event["id"], row.sub, row.nonce or b"", row.ct) if row.sub and row.ct else {}
        )
    except subjects.Unreadable:
        opened = {}
    closed: frozenset[str] = frozenset()
    if masks:
        readable = {name: value for name, (_, value) in opened.items()} if reader.opens(row) else {}
        version, step = (
            event.get("wf") or {},
            (event.get("step") or {}).get("id") or event["data"]["open"].get("target_step"),
        )
        run = event["run"] if str(event["run"]).startswith("run_") else None
        readable_within = masking.hidden_of_run(
            reader.values, version.get("id"), version.get("version"), step, run
        )
        closed = masking.closed(
            readable, readable_within, row.collection, event["type"], event["data"]["open"].get("collection")
        ) | (opened.keys() - readable.keys())
    for name in event["data"]["sealed"]:
        if name in closed:
            yield {"event": event["id"], "name": name, "missing": MASKED}
        elif name in opened:
            salt, value = opened[name]
            yield {"event": event["id"], "name": name, "salt": salt, "value": value}
        else:
            yield {"event": event["id"], "name": name, "missing": log.read.reason(row.sub)}


def _cells(event: Any) -> list[Any]:
    actor = event["actor"]
    plain = event | {
        "actor_id": actor["id"],
        "actor_name": actor["name"],
        "data": orjson.dumps(event["data"]).decode(),
        "masked": " ".join(event["masked"]),
    }
    return [escape_formula(plain[column]) for column in COLUMNS]


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    """Lines of RFC 4180, every text quoted."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
