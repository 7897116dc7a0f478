"""Checks of the installation, with the way to fix each problem; for `console doctor`, and at start."""

import ctypes.util
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

import psutil
import psycopg
import sqlalchemy as sa

from console.core.errors import ConsoleError
from console.infra import files, settings, subjects
from console.infra.db import dump, engine, fitness, migrate, presence, release, replica, troubles
from console.infra.files import virus_scan
from console.infra.postgres import LEAST_FREE_BYTES, Embedded, PostgresError
from console.infra.processes import supervisor
from console.infra.settings import data_folder
from console.log import tree_heads
from console.operations import health, status

OLDEST_SERVER = 15
EVENTS_TABLE = "console.event"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `fix` is what to do about it, empty where all is well."""

    name: str
    ok: bool
    message: str
    fix: str = ""


Look: TypeAlias = Callable[[], Check | Iterable[Check]]


def examine() -> dict[str, Any]:
    """`{"ok", "checks": [{"name", "ok", "message", "fix"}], "database": {"app_url", "admin_url", "events_table"}, "processes": [{"kind", "pid"}]}`.

    The URLs hold passwords: whoever has the shell has them anyway. Raises `SettingsError` where there is nothing to examine.
    """
    configured = settings.current()
    looks: list[Callable[[settings.Settings], Check]] = [
        _data_folder,
        _user,
        _keys,
        _address,
        _pdf,
        _recognition,
        _scanner,
    ]
    checks = [look(configured) for look in looks]
    if configured.ai.told:
        from console.operations import doctor_model

        checks.append(doctor_model.examine(configured.ai, configured=True))
    checks.extend(_database(configured))
    return {
        "ok": all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
        "database": {**_addresses(), "events_table": EVENTS_TABLE},
        "processes": processes(configured),
    }


def _addresses() -> dict[str, str | None]:
    """None where there is no such address, or the embedded server cannot be started."""
    try:
        admin = engine.admin_url()
        return {
            "app_url": dump.libpq(engine.app_url()),
            "admin_url": None if admin is None else dump.libpq(admin),
        }
    except PostgresError:
        return {"app_url": None, "admin_url": None}


def processes(configured: settings.Settings) -> list[dict[str, Any]]:
    """`{"kind": "web" | "worker" | "postgres", "pid"}` of what serves from this data folder."""
    kinds = {"console.operations.worker": "worker", "console.views.server": "web"}
    notes = [
        {"kind": kinds[door], "pid": child.pid}
        for note in supervisor.serving(configured.data_dir)
        for child in _children(note["pid"])
        if (door := _door(child)) in kinds
    ]
    if configured.embedded and (server := Embedded(configured.data_dir).pid):
        notes.append({"kind": "postgres", "pid": server})
    return notes


def _data_folder(configured: settings.Settings) -> Check:
    folder = configured.data_dir
    if not folder.is_dir():
        return Check("data folder", ok=True, message=f"{folder} is made at the first start")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        trouble = troubles.trouble_of(error) or troubles.READ_ONLY_FOLDER
        return Check(
            "data folder",
            ok=False,
            message=f"nothing can be written in {folder}: {error.strerror}",
            fix=trouble.fix,
        )
    if folder.stat().st_mode & data_folder.PRIVATE:
        return Check(
            "data folder",
            ok=False,
            message=f"{folder} is open to other users of this machine",
            fix=f"chmod 700 {folder}",
        )
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        return Check(
            "data folder",
            ok=False,
            message=f"{folder} has {free // 2**20} MB free",
            fix=f"Make room: the database needs {LEAST_FREE_BYTES // 2**20} MB to start",
        )
    return Check("data folder", ok=True, message=f"{folder}, {free // 2**30} GB free")


def _user(configured: settings.Settings) -> Check:
    if os.getuid() == 0 and configured.embedded:
        return Check(
            "user",
            ok=True,
            message="runs as root; the database runs with less, on files that are root's",
            fix="Give the console a user of its own",
        )
    return Check("user", ok=True, message=f"runs as user {os.getuid()}")


def _keys(configured: settings.Settings) -> Check:
    try:
        configured.check_keys()
    except settings.SettingsError as error:
        return Check(
            "keys",
            ok=False,
            message=error.message.splitlines()[0].partition(":")[0],
            fix="Set what is named, from a secret store or as …_FILE",
        )
    own = [
        name for name in ("secret", "master", "signing") if getattr(configured, f"given_{name}_key") is None
    ]
    place = (
        f": {', '.join(own)} in {configured.data_dir / settings.KEYS_FOLDER}, keep a copy elsewhere"
        if own
        else ", all three from the settings"
    )
    return Check(
        "keys",
        ok=True,
        message=f"secret, master and signing key are there{place}",
    )


def _address(configured: settings.Settings) -> Check:
    if configured.base_url is None:
        return Check(
            "address",
            ok=True,
            message="CONSOLE_BASE_URL is not set: fine on your own machine",
            fix="Set it to the https address that people use",
        )
    if not configured.secure_cookies:
        return Check(
            "address",
            ok=False,
            message=f"{configured.base_url} is not https: cookies could be read on the way",
            fix="Put a proxy with https in front, and set CONSOLE_BASE_URL and CONSOLE_TRUSTED_PROXIES",
        )
    return Check("address", ok=True, message=configured.base_url)


def _pdf(_configured: settings.Settings) -> Check:
    if all(ctypes.util.find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")):
        return Check("pdf", ok=True, message="Pango is there")
    return Check(
        "pdf",
        ok=False,
        message="Pango is missing: no PDF can be made",
        fix="As root: apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core",
    )


def _recognition(_configured: settings.Settings) -> Check:
    if installed := files.languages():
        return Check("text recognition", ok=True, message=f"Tesseract reads {', '.join(installed)}")
    return Check(
        "text recognition",
        ok=True,
        message="Tesseract is not installed: documents that are pictures are not read",
        fix="As root: apt-get install --no-install-recommends tesseract-ocr",
    )


def _scanner(configured: settings.Settings) -> Check:
    if configured.clamd is None:
        return Check(
            "virus scanner",
            ok=True,
            message="CONSOLE_CLAMD is not set: files that people hand in are not scanned",
            fix="Set it to clamd's socket",
        )
    try:
        virus_scan.scan(b"Handrail asks whether the scanner answers.", "question.txt")
    except ConsoleError as error:
        return Check(
            "virus scanner",
            ok=False,
            message=error.message,
            fix="Start clamd, or mend CONSOLE_CLAMD: until then no file is taken",
        )
    return Check("virus scanner", ok=True, message=f"clamd answers at {configured.clamd}")


def _database(configured: settings.Settings) -> Iterator[Check]:
    try:
        with engine.hot_engine().connect() as connection:
            version = int(connection.execute(sa.text("show server_version_num")).scalar_one()) // 10_000
            superuser, owner = connection.execute(fitness.ROLE).one()
            present = migrate.applied(connection)
    except (sa.exc.SQLAlchemyError, ConsoleError) as error:
        reason = (
            error.message
            if isinstance(error, ConsoleError)
            else str(getattr(error, "orig", error)).strip().splitlines()[0]
        )
        found = troubles.trouble_of(error) or troubles.DOWN
        yield Check("database", ok=False, message=f"does not answer: {reason}", fix=found.fix)
        return
    yield Check(
        "database",
        ok=version >= OLDEST_SERVER,
        message=f"PostgreSQL {version}",
        fix="" if version >= OLDEST_SERVER else f"Use PostgreSQL {OLDEST_SERVER} or newer",
    )
    newest = release.newest()
    newer = present is not None and present not in release.known_revisions()
    yield Check(
        "tables",
        ok=present == newest,
        message=f"at {present or 'nothing'}"
        + ("" if present == newest else f", this release needs {newest}"),
        fix=""
        if present == newest
        else "Start the newer release, whose tables these are"
        if newer
        else "console migrate",
    )
    try:
        fitness.require()
        subjects.require_master_key()
    except fitness.Unfit as error:
        yield Check(
            "connection", ok=False, message=error.message, fix="Set what is said, and start the console again"
        )
        return
    except (release.NewerData, psycopg.errors.UndefinedTable):
        pass  # said above
    one_role = bool(superuser or owner)
    yield Check(
        "roles",
        ok=not superuser,
        message="single-role: the application's role could disable the log's triggers"
        if one_role
        else "two roles: the application can add to the log and change nothing in it",
        fix="console migrate --print-roles" if one_role else "",
    )
    if present == newest:
        from console.operations import doctor_model, doctor_outside

        looks: list[Look] = [
            _writing,
            partial(_worker, configured),
            _rights,
            _clearances,
            _governed_fields,
            _watched_changes,
            _signing_key,
            _log,
            *([_replica] if configured.database_replica_url else []),
        ]
        looks += [
            *doctor_outside.looks(one_role),
            _backup,
            *([] if configured.ai.told else [doctor_model.chosen_model]),
        ]
        for look in looks:
            yield from _take_look(look)


def _take_look(look: Look) -> Iterable[Check]:
    """What a look finds. One that the database or the disk does not let finish says why, and the next ones are taken all the same."""
    try:
        found = look()
        return [found] if isinstance(found, Check) else list(found)
    except (sa.exc.SQLAlchemyError, psycopg.Error, ConsoleError, OSError) as error:
        trouble = troubles.trouble_of(error) or troubles.DOWN
        name = (look.func if isinstance(look, partial) else look).__name__.strip("_").replace("_", " ")
        reason = error.message if isinstance(error, ConsoleError) else trouble.message
        return [Check(name, ok=False, message=f"could not be looked at: {reason}", fix=trouble.fix)]


def _watched_changes() -> Iterable[Check]:
    """Whether changes in the users' databases are noticed, or what stands in their way."""
    wrong = engine.read_rows(
        sa.text("select distinct collection, problem from console.source_watch where problem is not null")
    )
    for collection, problem in wrong:
        yield Check(
            "changes",
            ok=False,
            message=f"{collection}: {problem}",
            fix="Correct it in the database that the collection is in",
        )
    if not wrong:
        yield Check(
            "changes", ok=True, message="changes by other programs are noticed where triggers wait for them"
        )


def _governed_fields() -> Check:
    """Whether each field that workflows govern has one that writes it."""
    from console import actions, workflows
    from console.core.documents import governance

    rows = engine.read_rows(sa.text("select id, document from console.collection"))
    kept = [dict(document) | {"id": collection} for collection, document in rows]
    live = [
        workflows.version(known.id, known.live).document.to_json()
        for known in workflows.all_known()
        if known.live
    ]
    configured = [
        f"{collection}, {column}: {reason}"
        for collection, column, reason in governance.warnings(
            kept, live, [action.to_json() for action in actions.list_actions()]
        )
    ]
    fix = "Correct `governed` in the collection's document, or publish the workflow"
    return Check(
        "governed fields",
        ok=not configured,
        message="; ".join(configured) or "every one has a workflow that writes it",
        fix=fix if configured else "",
    )


def _rights() -> Check:
    """The policy that is in force, whether Casbin loads it and links its roles, and whether it ever answered otherwise than the index."""
    from console.auth import access
    from console.auth.access import casbin_agreement, history

    try:
        access.refresh()
        version = access.current_version()
    except ConsoleError as error:
        return Check(
            "rights",
            ok=False,
            message=error.message,
            fix="console policy check, then publish rights that can be read",
        )
    count, untold = casbin_agreement.disagreements(), history.untold()
    message = f"version {version}" + (
        f"; index and Casbin disagreed {count} times in seven days, each was refused" if count else ""
    )
    fixes = (
        [
            "Look for `rights_disagreed` in the activity log and report it: it is a fault of the console or of its Casbin"
        ]
        if count
        else []
    )
    if untold:
        row, there = untold[0]
        line = " ".join(
            part for part in (row.sub, row.eft if row.eft == "deny" else "", row.act, row.obj) if part
        )
        message += f"; {len(untold)} of its lines were {'added to' if there else 'taken from'} the table past the console: {line}"
        fixes.append(
            "Compare Settings, Permissions with its versions, put the lines right there, and find out who could write to the database"
        )
    return Check("rights", ok=not fixes, message=message, fix=". ".join(fixes))


def _clearances() -> Check:
    """Whether each workflow needs the clearance that its live version says: without it in the table everybody sees its runs."""
    from console import workflows

    live = [known for known in workflows.all_known() if known.live]
    changed = [
        known.slug
        for known in live
        if known.label != workflows.version(known.id, known.live).document.clearance
    ]
    fix = "Publish each of them once more, and find out who could write to the database"
    message = (
        f"changed past the console: {', '.join(changed)}"
        if changed
        else "every workflow has that of its live version"
    )
    return Check("clearances", ok=not changed, message=message, fix=fix if changed else "")


def _worker(configured: settings.Settings) -> Check:
    """A console that serves without a worker puts no event in order."""
    from console.activity import sequencing

    kinds = {process["kind"] for process in processes(configured)}
    state, lag = presence.state(), sequencing.lag()
    behind = f", {lag.pending} {'event' if lag.pending == 1 else 'events'} waiting for {'its' if lag.pending == 1 else 'their'} place{health.words_of_copy(state)}"
    if state == "none" and "web" not in kinds:
        return Check("worker", ok=True, message="nothing is serving from this folder now" + behind)
    if state != "ok":
        trouble = health.trouble_of_worker(state)
        reason = "none runs beside the pages served from this folder" if state == "none" else trouble.message
        return Check(
            "worker", ok=state == "paused", message=reason.rstrip(".") + behind, fix=trouble.fix
        )  # a pause is no fault, as /health says too
    fix = "Look for a transaction that stays open" if lag.alarming else ""
    return Check("worker", ok=not lag.alarming, message="at work" + behind, fix=fix)


def _writing() -> Check:
    """Whether anything can be written to the database now."""
    trouble = health.writing()
    if trouble is not None:
        return Check("writing", ok=False, message=trouble.message, fix=trouble.fix)
    return Check("writing", ok=True, message="the database takes what is written")


def _replica() -> Check:
    """Whether lists and figures can be read from the standby."""
    if not replica.usable():
        time.sleep(replica.ASKED_S)
    if replica.usable():
        return Check("replica", ok=True, message="the standby is read, and near enough")
    message = f"the standby of DATABASE_REPLICA_URL does not answer, is no standby or is more than {replica.BEHIND_S:g} seconds behind: the primary is read instead"
    return Check("replica", ok=False, message=message, fix="Look at pg_stat_replication on the primary")


def _signing_key() -> Check:
    """Whether the worker could sign the next checkpoint."""
    from console.activity import sequencing

    try:
        sequencing.check_key()
    except settings.SettingsError as error:
        return Check(
            "signing key",
            ok=False,
            message=error.message.partition(":")[0],
            fix="Set it, from a secret store or as …_FILE",
        )
    except ConsoleError as error:
        message, _, fix = error.message.partition(": nothing is signed. ")
        return Check("signing key", ok=False, message=f"{message}: nothing is signed", fix=fix)
    head = tree_heads.newest()
    return Check(
        "signing key",
        ok=True,
        message=f"signed {head[0]} events at {spoken_moment(head[2])}" if head else "has signed nothing yet",
    )


def _log() -> Check:
    """Whether the log is in order: what came since the last look and the next part of it is looked at now, at most some seconds' work."""
    from console.activity import integrity
    from console.log import recheck

    recheck.check()
    log_standing = integrity.log_state()
    if not log_standing.in_order:
        return Check("log", ok=False, message=f"not in order: {log_standing.words}", fix=log_standing.way_out)
    whole = (
        f", the whole of it last at {spoken_moment(log_standing.checked.whole_at)}"
        if log_standing.checked.whole_at
        else ""
    )
    return Check("log", ok=True, message=f"in order up to position {log_standing.checked.upto:,}{whole}")


def spoken_moment(at: datetime) -> str:
    """A moment as the doctor says it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _backup() -> Check:
    """Whether the log has a recent backup. Backups made by other tools are not in the log."""
    newest = status.last_backup()
    if newest is None:
        return Check(
            "backup",
            ok=True,
            message="the log tells of none",
            fix="console backup FILE, or know that the database is backed up otherwise",
        )
    days = (datetime.now(UTC) - datetime.fromisoformat(newest)).days
    return Check(
        "backup",
        ok=True,
        message=f"the last one is of {newest[:10]}, {days} {'day' if days == 1 else 'days'} ago",
    )


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _door(process: psutil.Process) -> str:
    """The module that a child of the supervisor runs, empty for what has just ended."""
    try:
        return next((word for word in process.cmdline() if word.startswith("console.")), "")
    except psutil.NoSuchProcess:
        return ""
