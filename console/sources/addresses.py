"""Database addresses from form fields or a URL, and their sealed form while a form is being filled in."""

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import URL, make_url

from console.core.errors import Invalid
from console.infra import subjects
from console.records import connect

PORTS = {"postgresql": 5432, "mysql": 3306}
KEPT_S = 3600
PARTS = ("kind", "host", "port", "database", "user", "password")


def read(url: str) -> URL:
    """The address of one database. Raises Invalid as `connect.address` does, and for a server address without a database name."""
    address = connect.address(url)
    if (
        not address.database and address.get_backend_name() == "mysql"
    ):  # PostgreSQL uses the database named like the user
        raise field_error(
            "url", f"The URL names no database: {address.get_backend_name()}://user:password@host/database."
        )
    return address


def composed(given: Mapping[str, str], former: str = "") -> str:
    """The URL from the form: `url` if given, else the single fields. An empty password keeps the one of `former`.

    Raises Invalid with a detail per missing or invalid field.
    """
    text = given.get("url", "").strip()
    kind = given.get("kind", "")
    if text:
        address = read(text)
    elif kind == "sqlite":
        path = re.sub(r"^(?:sqlite|file)://(?=/)", "", given.get("database", "").strip().strip("\"'")).strip()
        path = path.removeprefix("/") if path.startswith("//") else path  # sqlite:////srv/shop.db
        if not path.startswith("/"):
            raise field_error(
                "database",
                "Give the whole path of the file, from / on: it is a file of the machine that runs the console.",
            )
        address = URL.create("sqlite", database=path)
    else:
        address = _of_fields(kind, given)
    if former and address.password is None and address.get_backend_name() != "sqlite":
        before = make_url(former)
        if (before.host, before.port, before.username) == (address.host, address.port, address.username):
            address = address.set(password=before.password)
    return connect.address(address.render_as_string(hide_password=False)).render_as_string(
        hide_password=False
    )


def _of_fields(kind: str, given: Mapping[str, str]) -> URL:
    reasons = {}
    if kind not in PORTS:
        reasons["kind"] = "Choose a kind of database."
    reasons |= {
        name: "This is needed." for name in ("host", "database", "user") if not given.get(name, "").strip()
    }
    port = given.get("port", "").strip() or str(PORTS.get(kind, ""))
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        reasons["port"] = "A port is a number from 1 to 65535."
    host = given.get("host", "").strip()
    if ("/" in host and not host.startswith("/")) or "@" in host:
        reasons["host"] = "Only the name or address of the machine belongs here."
    if reasons:
        raise Invalid(
            "The database cannot be found with that: " + next(iter(reasons.values())),
            details=[(name, reason) for name, reason in reasons.items()],
        )
    password = given.get("password", "") or None
    user, database = given["user"].strip(), given["database"].strip()
    if host.startswith("/"):  # a socket of this machine, which drivers take as options
        where = (
            {"unix_socket": host}
            if kind == "mysql"
            else {"host": re.sub(r"/\.s\.PGSQL\.\d+$|/+$", "", host), "port": port}
        )
        return URL.create(kind, user, password, None, None, database, where)
    encrypted = {"sslmode": "require"} if kind == "postgresql" and given.get("encrypted") else {}
    return URL.create(kind, user, password, host.strip("[]"), int(port), database, encrypted)


def fields_of(url: str) -> dict[str, str]:
    """The single fields of a URL, without the password."""
    address = make_url(url)
    kind = address.get_backend_name()
    host, port = (address.query.get(name) for name in ("unix_socket" if kind == "mysql" else "host", "port"))
    return {
        "kind": kind,
        "host": address.host or str(host or ""),
        "port": str(address.port or port or PORTS.get(kind) or ""),
        "database": address.database or "",
        "user": address.username or "",
        "encrypted": "1" if address.query.get("sslmode") == "require" else "",
    }


def seal(about: str, kept: Mapping[str, Any]) -> str:
    """The data of a form, sealed for an hour for this person."""
    packed = json.dumps({**kept, "until": time.time() + KEPT_S}).encode()
    return base64.urlsafe_b64encode(subjects.wrap(packed, f"source_form|{about}")).decode()


def unseal(about: str, text: str) -> dict[str, Any]:
    """The sealed data. Raises Invalid if it has expired or belongs to another person."""
    try:
        kept = json.loads(
            subjects.unwrap(base64.urlsafe_b64decode(text.encode("ascii", "replace")), f"source_form|{about}")
        )
    except (subjects.Unreadable, binascii.Error, ValueError):
        kept = {"until": 0}
    if kept["until"] < time.time():
        raise field_error("url", "This form is too old to go on with. Give the address once more.")
    return dict(kept)


def field_error(field: str, reason: str) -> Invalid:
    """An error about one field."""
    return Invalid(reason, at=field)
