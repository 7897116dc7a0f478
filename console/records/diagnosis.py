"""Why a database cannot be connected and what to do, from the driver's error, naming the form field at fault.

Drivers pass on the server's message as text, in the server's language. Unrecognised messages are shown as they are, without the password.
"""

import os
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

HIDDEN = "•••"
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the connection failed: a `code` for programs, what happened, what to do, and the form field."""

    code: str
    happened: str
    mend: str
    field: str = "url"

    @property
    def words(self) -> str:
        """What happened and what to do, in one line."""
        return f"{self.happened} {self.mend}".strip()


Row = tuple[str, str, str, str, str]
NETWORK: Sequence[Row] = (
    (
        r"resolve|name or service not known|nodename nor servname|temporary failure in name|getaddrinfo|no address associated",
        "wrong_host",
        "There is no host {host}.",
        "Look for a slip in the name of the host; from inside a container localhost is the container itself.",
        "host",
    ),
    (
        r"connection refused|errno 111|errno 61|no such file or directory",
        "refused",
        "Nobody listens at {place}.",
        "Look at host and port, whether the server runs, and whether it listens for connections from this machine.",
        "port",
    ),
    (
        r"time[d]?[ -]?out|timeout expired|errno 110",
        "timeout",
        "{place} did not answer in time.",
        "Most often a firewall lets nothing through: allow this machine to reach that port.",
        "host",
    ),
    (
        r"network is unreachable|no route to host|errno 113|errno 101",
        "unreachable",
        "There is no way from here to {host}.",
        "Look at the network of this machine, or take an address that it can reach.",
        "host",
    ),
)
TLS: Sequence[Row] = (
    (
        r"no pg_hba.conf entry.*(no encryption|ssl off)|insecure transport|require_secure_transport|ssl (connection )?is required|requires ssl",
        "tls_needed",
        "The server takes encrypted connections only.",
        "Add {tls} to the URL.",
        "url",
    ),
    (
        r"server does not support ssl|ssl.*not supported|ssl support not",
        "no_tls",
        "The server does not speak TLS.",
        "Take sslmode, or ssl, out of the URL, where the way there is safe.",
        "url",
    ),
    (
        r"certificate|ssl error|sslv3|tlsv1|wrong version number|ssl: |root\.crt",
        "tls_refused",
        "The encrypted connection could not be made: {said}",
        "Name the file of the authority that signed the server's certificate, with {ca}.",
        "url",
    ),
)
POSTGRESQL: Sequence[Row] = (
    (
        r"password authentication failed|no password supplied|28p01",
        "wrong_password",
        "The server refuses user or password.",
        "Type both again.",
        "password",
    ),
    (
        r'role "[^"]*" (does not exist|is not permitted to log in)',
        "wrong_user",
        "The server knows no such user who may sign in.",
        "Look at the user.",
        "user",
    ),
    (
        r'database "[^"]*" does not exist|3d000',
        "no_database",
        "The server has no database {database}.",
        "Look for a slip in its name; capitals count.",
        "database",
    ),
    (
        r"no pg_hba.conf entry|pg_hba",
        "not_let_in",
        "The server lets nobody in from this machine as {user}.",
        "Its administrator adds a line for this machine, user and database to pg_hba.conf.",
        "user",
    ),
    (
        r"permission denied for database|connect privilege",
        "no_right",
        "{user} may not connect to {database}.",
        "Its administrator runs: GRANT CONNECT ON DATABASE {database} TO {user};",
        "user",
    ),
    (
        r"too many (clients|connections)|remaining connection slots|53300",
        "full",
        "The server has no connection left.",
        "Try again later, or let its administrator raise the limit.",
        "url",
    ),
    (
        r"starting up|shutting down|57p03",
        "starting",
        "The server is starting or stopping.",
        "Try again in a moment.",
        "url",
    ),
    (
        r"invalid response to ssl negotiation|unsupported protocol|expected authentication request|lost synchronization|invalid protocol",
        "other_server",
        "What answers at {place} is no PostgreSQL.",
        "Look at the port, and at the kind of database.",
        "port",
    ),
    (
        r"server closed the connection unexpectedly",
        "other_server",
        "{place} hung up.",
        "Look at the port, and at the kind of database; the log of the server says more.",
        "port",
    ),
)
MYSQL: Sequence[Row] = (
    (
        r"access denied for user .* to database|\b1044\b",
        "no_right",
        "{user} may not use the database {database}.",
        "Its administrator grants it: GRANT SELECT ON {database}.* TO {user};",
        "database",
    ),
    (
        r"access denied|\b1045\b|\b1698\b",
        "wrong_password",
        "The server refuses user or password.",
        "Type both again.",
        "password",
    ),
    (
        r"unknown database|\b1049\b",
        "no_database",
        "The server has no database {database}.",
        "Look for a slip in its name; capitals count.",
        "database",
    ),
    (
        r"is not allowed to connect|\b1130\b",
        "not_let_in",
        "The server lets nobody in from this machine.",
        "Its administrator creates the user for this machine: '{user}'@'address'.",
        "user",
    ),
    (
        r"too many connections|\b1040\b|\b1203\b|\b1226\b",
        "full",
        "The server has no connection left.",
        "Try again later, or let its administrator raise the limit.",
        "url",
    ),
    (
        r"packet sequence number|unknown protocol|unpack|index out of range|\b2013\b.*timed out",
        "other_server",
        "What answers at {place} is no MySQL.",
        "Look at the port, and at the kind of database.",
        "port",
    ),
    (
        r"\b2013\b|lost connection",
        "other_server",
        "{place} hung up.",
        "Look at the port, and at the kind of database.",
        "port",
    ),
)
SQLITE: Sequence[Row] = (
    (
        r"not a database|malformed",
        "no_database",
        "{database} is no SQLite database, or it is encrypted.",
        "Look for a slip in the path.",
        "database",
    ),
    (
        r"locked|busy",
        "locked",
        "{database} is locked by another program.",
        "Try again in a moment.",
        "database",
    ),
)


def diagnose(error: BaseException, url: URL) -> Trouble:
    """Why `url` could not be connected, from the driver's exception."""
    kind = url.get_backend_name()
    if isinstance(error, sqlite3.Error) or kind == "sqlite":
        return _file(str(url.database), str(error), url)
    said = _plain(error, url)
    own = MYSQL if kind == "mysql" else POSTGRESQL
    for pattern, code, happened, mend, field in (*TLS[:2], *own[:-1], *NETWORK, *TLS[2:], own[-1]):
        if re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return _trouble_from((pattern, code, happened, mend, field), url, said)
    return Trouble(
        "other",
        f"The server refuses: {said}" if said else "The server refuses, and does not say why.",
        "Its log says more.",
    )


def _trouble_from(row: Row, url: URL, said: str) -> Trouble:
    _, code, happened, mend, field = row
    socket = url.query.get("unix_socket") or url.query.get("host")
    host = url.host or (socket if isinstance(socket, str) else "") or "localhost"
    mysql = url.get_backend_name() == "mysql"
    named = {
        "host": host,
        "place": host if host.startswith("/") else f"{host}:{url.port or (3306 if mysql else 5432)}",
        "database": url.database or "",
        "user": url.username or "this user",
        "said": said,
        "tls": "?ssl_ca=/path/of/ca.pem" if mysql else "?sslmode=require",
        "ca": "?ssl_ca=/path/of/ca.pem" if mysql else "?sslmode=verify-full&sslrootcert=/path/of/ca.pem",
    }
    return Trouble(code, happened.format(**named), mend.format(**named), field)


def _file(path: str, said: str, url: URL) -> Trouble:
    file = Path(path)
    try:
        if not file.exists():
            where = (
                "The folder is there, the file is not."
                if file.parent.is_dir()
                else f"There is no folder {file.parent}."
            )
            return Trouble(
                "no_file",
                f"There is no file {path}.",
                f"{where} The path is one of the machine that runs the console.",
                "database",
            )
        if file.is_dir():
            return Trouble("no_file", f"{path} is a folder.", "Name the file in it.", "database")
    except OSError:
        return Trouble(
            "no_right",
            f"The console may not look at {path}.",
            "Let its user read the folder and the file.",
            "database",
        )
    if not os.access(file, os.R_OK):
        return Trouble(
            "no_right", f"The console may not read {path}.", "Let its user read the file.", "database"
        )
    for row in SQLITE:
        if re.search(row[0], said, re.IGNORECASE):
            return _trouble_from(row, url, said)
    return Trouble(
        "no_right",
        f"{path} cannot be opened: {said[:LONGEST]}",
        "Let the console's user read the file and its folder.",
        "database",
    )


def _plain(error: BaseException, url: URL) -> str:
    """The driver's message in one line, without the password."""
    chain: BaseException | None = error
    said: list[str] = []
    while chain is not None and len(said) < 3:
        text = " ".join(str(part) for part in chain.args) if chain.args else str(chain)
        said.append(" ".join(text.split()) or type(chain).__name__)
        chain = chain.__cause__ if isinstance(chain.__cause__, OSError) else None
    text = " ".join(said)
    if url.password:
        text = text.replace(str(url.password), HIDDEN)
    return text[:LONGEST]
