"""Restoring a backup: beside the present state, verified there, and only then in its place.

Until the one step in which two databases exchange their names, the present state is untouched: whatever fails before, and a killed
process too, leaves it as it was, and the next try begins afresh.
"""

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from console import log
from console.activity import exports, sequencing
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError
from console.infra import faults, files as kept_files, settings
from console.infra.db import dump, engine, migrate, server, timelines
from console.infra.db.presence import PRESENCE
from console.infra.processes import supervisor
from console.log import bundle, checkpoint, tree, tree_heads, verify
from console.operations import backup, copies, erasure
from console.operations.backup import Archive, BackupError, Progress

LONGEST_NAME = 50  # of a database, that its companions can be named after it
LEAVING_S = 3.0
_NOTE = re.compile(r"[^\n]+\n\d+\n[A-Za-z0-9+/]+=*\n\n(?:— [^\n]+\n)+")

_OTHERS = """
select (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usesysid is not null
        and coalesce(backend_type, 'client backend') = 'client backend'),
       exists(select from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database()
              and l.locktype = 'advisory' and l.classid = %s and l.objid = %s)
"""
_FOREIGN = """
select string_agg(distinct n.nspname, ', ') from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'console', 'queue')
"""
_ERASED = """
select e.body from console.event e where e.id in (select event from console.activity where kind = 'subject_erased' union all select id from console.log_pending)
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a log goes: events with a place, events still without one, and the leaf of the first (None: there is none)."""

    placed: int
    pending: int
    first: bytes | None

    @property
    def total(self) -> int:
        """All its events."""
        return self.placed + self.pending


@dataclass(frozen=True, slots=True)
class Present:
    """What is there before: the database's name and owner, its log (None without tables), whom it says to be erased, and its holds
    as (collection, record, reason).
    """

    name: str
    owner: str
    log: Extent | None
    erased: frozenset[str] = frozenset()
    holds: tuple[tuple[str, str, str], ...] = ()

    @property
    def fresh(self) -> str:
        """The database that is restored into."""
        return f"{self.name}_restoring"

    @property
    def former(self) -> str:
        """The name of the present database during the exchange."""
        return f"{self.name}_replaced"


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored state: events in its log, size of its verified signed head, what is missing, and who was erased again."""

    size: int
    verified: int
    lost: int
    erased: int
    made_at: str


def restore(
    actor: Actor,
    file: Path,
    *,
    replace: bool = False,
    agree: Callable[[str], bool] = lambda _: False,
    erasures: Sequence[Path] = (),
    say: Progress = lambda _: None,
) -> Restored:
    """Put the state of the backup in the place of the present one. `agree` is asked where events are known that are not in it; `erasures` are further lists.

    Raises BackupError for a backup that cannot be used here, Conflict while the console serves, over a database that is not empty (unless
    `replace`), where nobody agreed to a loss, and where the last step is an administrator's: then what is left to do stands in its message.
    """
    with _alone(), backup.open_backup(file, say) as archive:
        engine.dispose()
        present = _present()
        _require_stopped(present.name)
        if present.log is not None and present.log.total and not replace:
            raise Conflict(
                f"The database {present.name} holds {present.log.total:,} events. `console restore --replace` puts the backup in its place.",
                code="not_empty",
            )
        backup.require(archive, rights=engine.app_url().username != present.owner)
        gone = erasure.subjects_in(archive.text(erasure.LIST)).union(present.erased, *map(_list_of, erasures))
        admin = server.administrator()
        _make_room(admin, present)
        try:
            with archive.dump() as dumped:
                say("loading the database")
                dump.load(
                    timelines.pinned(engine.migration_url().set(database=present.fresh)),
                    dumped,
                    rights=_has_application_role(),
                )
            with engine.elsewhere(present.fresh):
                done, diverged = _prepare(actor, archive, present, gone, agree, say)
            faults.point("restore.verified")
            _go_live(admin, present, lambda: _files(archive, gone, diverged=diverged))
        except BaseException:
            if admin is not None:
                with contextlib.suppress(ConsoleError):
                    server.drop(admin, present.fresh)  # after the exchange there is none of this name
            raise
        return done


@contextmanager
def _alone() -> Iterator[None]:
    """One restore at a time in a data folder. Raises Conflict."""
    folder = settings.current().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"Another restore is at work in {folder}.", code="restoring") from None
    finally:
        os.close(lock)


def _list_of(file: Path) -> frozenset[str]:
    try:
        return erasure.subjects_in(file.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise BackupError(f"The list of erasures {file} cannot be read: {error.strerror}.") from error


def _present() -> Present:
    """Raises BackupError where the database is not the console's alone."""
    url = engine.migration_url()
    name = str(url.database)
    if len(name) > LONGEST_NAME:
        raise BackupError(
            f"The name of the database {name} is too long: a restore needs room for a longer one beside it."
        )
    with server.connected(url) as connection:
        foreign = connection.execute(_FOREIGN).fetchone()
        if foreign and foreign[0]:
            raise BackupError(
                f"The database {name} holds other tables too (schema {foreign[0]}), which would be set aside with it. "
                "Give the console a database of its own as DATABASE_URL, and restore there."
            )
        has_log = connection.execute("select to_regclass('console.log_pending')").fetchone()
        if not has_log or has_log[0] is None:
            return Present(name, server.owner(), None)
        rows = connection.execute(_ERASED).fetchall()
        erased = erasure.subjects_in(
            "\n".join(bytes(row[0]).decode() for row in rows if b'"type":"subject_erased"' in bytes(row[0]))
        )
        (has_holds,) = connection.execute("select to_regclass('console.hold') is not null").fetchone() or (
            False,
        )
        holds = (
            connection.execute(
                "select collection, record, reason from console.hold order by placed_at"
            ).fetchall()
            if has_holds
            else []
        )
        return Present(name, server.owner(), _extent(connection.execute), erased, tuple(holds))


def _extent(execute: Callable[[str], Any]) -> Extent:
    """Of the database in which `execute` executes."""
    placed, pending = execute(
        "select (select coalesce(max(pos), 0) from console.activity), (select count(*) from console.log_pending)"
    ).fetchone()
    first = execute(
        "select e.leaf from console.activity a join console.event e on e.id = a.event where a.pos = 1"
    ).fetchone()
    return Extent(placed, pending, bytes(first[0]) if first else None)


def _require_stopped(name: str) -> None:
    """Raise Conflict while anybody works on the database: pages, workers, or somebody by hand."""
    for note in supervisor.serving(settings.current().data_dir):
        raise Conflict(
            f"The console serves from this data folder ({note['url']}): stop it first, with Ctrl-C where it runs or `kill {note['pid']}`.",
            code="serving",
        )
    until = time.monotonic() + LEAVING_S  # who has just left is seen for a moment
    while True:
        with server.connected(engine.migration_url()) as connection:
            others, worker = connection.execute(_OTHERS, PRESENCE).fetchone() or (0, False)
        if not others:
            return
        if worker or time.monotonic() > until:
            raise Conflict(
                f"{'A worker is' if worker else f'{others} others are'} connected to the database {name}: stop `console serve` and "
                "`console worker` on every machine, and whatever else uses it.",
                code="serving",
            )
        time.sleep(0.1)


def _has_application_role() -> bool:
    with server.connected(engine.migration_url()) as connection:
        return connection.execute("select 1 from pg_roles where rolname = 'console'").fetchone() is not None


def _make_room(admin: URL | None, present: Present) -> None:
    """An empty database to restore into; what an earlier try left there goes. Raises Conflict where an administrator has to make it."""
    if admin is not None:
        server.drop(admin, present.fresh)
        server.create(admin, present.fresh, present.owner)
        return
    if not server.exists(present.fresh):
        raise Conflict(
            f"The role that migrates may not make databases on this server. An administrator of it runs:\n"
            f"{server.spelled(server.statements(present.fresh, present.owner))}\nThen restore again.",
            code="no_right",
        )
    with server.connected(engine.migration_url().set(database=present.fresh)) as connection:
        connection.execute("drop schema if exists console, queue cascade")


def _prepare(
    actor: Actor,
    archive: Archive,
    present: Present,
    gone: frozenset[str],
    agree: Callable[[str], bool],
    say: Progress,
) -> tuple[Restored, bool]:
    """Bring the restored database to the form of this release, verify it, erase again; and whether signed heads are known that it does not reach."""
    faults.point("restore.loaded")
    migrate.upgrade(engine.migration_url())
    with server.connected(engine.migration_url()) as connection:
        connection.execute(
            "update console.log_pending set xid = '0'"
        )  # another server counts its transactions from the beginning
        extent = _extent(connection.execute)
    say("verifying the log")
    verified = _verify(actor, archive)
    signed, newest_known = _newest_known(extent, present)
    lost = max(0, newest_known - extent.total)
    if (lost or signed > extent.placed) and not agree(_describe_loss(extent, signed, lost)):
        raise Conflict(
            f"{_describe_loss(extent, signed, lost)} `--accept-loss` restores it all the same.",
            code="events_lost",
        )
    erased = erasure.apply_again(actor, gone)
    for (
        collection,
        record,
        reason,
    ) in present.holds:  # placed after the backup: what they keep must not expire now
        with contextlib.suppress(Conflict):
            erasure.hold_again(actor, collection, record, reason)
    made_at = str(archive.manifest["made_at"])
    preview = {
        "size": extent.total,
        "lost": lost,
        "made_at": made_at,
        "erased": erased,
        "version": archive.manifest["console"],
    }
    copies.hold_restored()
    log.note(actor, "log_restored", open=preview)
    return Restored(extent.total, verified, lost, erased, made_at), signed > extent.placed


def _describe_loss(extent: Extent, signed: int, lost: int) -> str:
    """A sentence about the part of the known log that the backup does not have."""
    if lost:
        return f"{lost:,} {'event' if lost == 1 else 'events'} after position {extent.total:,} {'is' if lost == 1 else 'are'} not in this backup."
    return f"The last {extent.pending:,} events of this backup had no place yet: heads that were signed for up to {signed:,} events will not fit."


def _verify(actor: Actor, archive: Archive) -> int:
    """Check the restored log with the file that outsiders use, and against the head in the manifest; the size of the newest signed head.

    Raises BackupError with the first bad place.
    """
    newest, stated = tree_heads.newest(), archive.manifest["checkpoint"]
    if newest is None:
        if stated is not None:
            raise BackupError(
                "The log in the backup does not hold: the signed head that its manifest tells is not in it."
            )
        return 0
    size, note, _ = newest
    key = str(
        checkpoint.verifier_key(checkpoint.parse(note).checkpoint.origin, settings.current().signing_key)
    )
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        whole = Path(folder) / "log.zip"
        exports.begin(actor, exports.ExportQuery(proofs=True), ready=lambda: None).save(whole)
        code, sentence = bundle.check(whole, [key])
    if code:
        raise BackupError(f"The log in the backup does not hold: {sentence}")
    _compare([stated] if stated else [], size, "the backup's manifest")
    file = settings.current().data_dir / sequencing.HEADS
    _compare(_NOTE.findall(_text(file)), size, str(file))
    return size


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _compare(notes: Iterable[str], size: int, where: str) -> None:
    """Raise BackupError for a head of at most `size` events, signed with our key, that the restored log does not lead to."""
    kept = sorted(
        (parsed.size, parsed.root, note)
        for note in notes
        if (parsed := _parsed(note)) is not None and parsed.size <= size
    )
    roots = _roots(sorted({number for number, _, _ in kept}), size)
    for number, root, note in kept:
        if roots.get(number) != root and _is_signed_by_us(note):
            raise BackupError(
                f"In {where} a head of {number:,} events is signed with this key, and the log in the backup does not lead to it: "
                "it is not what was signed then, or another log was begun here. If you know that it was, move that file away and restore again."
            )


def _parsed(note: str) -> checkpoint.Checkpoint | None:
    """None for what is no checkpoint: a crash may have cut one off."""
    with contextlib.suppress(checkpoint.Malformed):
        return checkpoint.parse(note).checkpoint
    return None


def _is_signed_by_us(note: str) -> bool:
    """Whether it is signed with our key, whatever the log was called then."""
    with contextlib.suppress(checkpoint.Malformed, checkpoint.Unsigned):
        origin = checkpoint.parse(note).checkpoint.origin
        checkpoint.verified(note, checkpoint.verifier_key(origin, settings.current().signing_key))
        return True
    return False


def _roots(sizes: Sequence[int], most: int) -> dict[int, bytes]:
    """Size → root over the first so many leaves, in one pass over them; `sizes` grow."""
    grown, roots, ahead = verify.Tree(), {}, list(reversed(sizes))
    for leaves in _leaves(most):
        rest = leaves
        while ahead and ahead[-1] <= grown.size + len(rest):
            size = ahead.pop()
            rest, some = rest[size - grown.size :], rest[: size - grown.size]
            grown.append(some)
            roots[size] = grown.root()
        grown.append(rest)
    return roots


def _leaves(size: int) -> Iterator[list[bytes]]:
    for block in tree_heads.leaves(size):
        yield [block[at : at + tree.HASH_BYTES] for at in range(0, len(block), tree.HASH_BYTES)]


def _newest_known(extent: Extent, present: Present) -> tuple[int, int]:
    """The size of the log as heads signed after the backup tell it (0: there are none), and as anything here knows it: they, or the
    present database where it holds the same log.
    """
    file = settings.current().data_dir / sequencing.HEADS
    further = sorted(
        (
            (parsed.size, note)
            for note in _NOTE.findall(_text(file))
            if (parsed := _parsed(note)) and parsed.size > extent.placed
        ),
        reverse=True,
    )
    signed = next((size for size, note in further if _is_signed_by_us(note)), 0)
    same = present.log is not None and present.log.first is not None and present.log.first == extent.first
    return signed, max(signed, present.log.total if present.log is not None and same else 0)


def _go_live(admin: URL | None, present: Present, files: Callable[[], None]) -> None:
    """Exchange the two databases, in one step; then what follows from it. Raises Conflict where an administrator has to do it."""
    engine.dispose()
    if admin is None:
        files()
        raise Conflict(
            f"Restored and verified as {present.fresh}, and not live yet: the role that migrates may not rename databases. "
            f"An administrator of the server runs:\n{server.spelled(server.renames(present.name, present.fresh, present.former))}\n"
            f"and, once all is well, drops {present.former}.",
            code="not_live",
        )
    server.drop(admin, present.former)
    server.swap(admin, present.name, present.fresh, present.former)
    faults.point("restore.swapped")
    files()
    sequencing.catch_up()
    sequencing.seal()
    server.drop(admin, present.former)


def _files(archive: Archive, gone: frozenset[str], *, diverged: bool) -> None:
    """Restore the files of the data folder: the list of erased people, uploaded files, signed heads. Heads of lost events are kept aside."""
    erasure.merge_erased(gone)
    for name, content in archive.blobs():
        kept_files.restore(name, content)
    file = settings.current().data_dir / sequencing.HEADS
    if diverged and file.exists():
        stamp = log.body.moment(log.now())[:19].replace(":", "").replace("-", "")
        file.rename(file.with_name(f"{file.stem}-until-{stamp}{file.suffix}"))
    if not file.exists() and (text := archive.text(sequencing.HEADS)):
        file.write_text(text, encoding="utf-8")
