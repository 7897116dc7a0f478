"""How the text of a setting becomes its value: one function for each form, which raises `IllFormed` with what it takes.

Standard library only, and the text itself is never part of what is said: it may be a secret.
"""

import base64
import binascii
import contextlib
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit


class IllFormed(ValueError):
    """Raised for a wrong value; the message says what the setting takes."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes mail: how the connection is encrypted, and who signs in to it (nobody where `user` is empty)."""

    host: str
    port: int
    tls: Literal["at once", "starttls", "off"]
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailBox:
    """A mailbox to read: its server, how the connection is encrypted, who signs in, and the folder."""

    host: str
    port: int
    tls: Literal["at once", "starttls", "off"]
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"


def word(text: str) -> str:
    """A word without spaces."""
    if not re.fullmatch(r"[A-Za-z0-9._/+=-]+", text):
        raise IllFormed("takes letters, digits and - . _ / + =, without spaces")
    return text


def line(text: str) -> str:
    """Printable ASCII without spaces."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise IllFormed("takes printable characters without spaces")
    return text


def folder(text: str) -> Path:
    """A folder, with `~` for one's own."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise IllFormed("takes a folder; there is no such person's home") from None


def folders(text: str) -> tuple[Path, ...]:
    """Folders by their whole path, separated by commas."""
    paths = tuple(folder(part.strip()) for part in text.split(",") if part.strip())
    if not paths or not all(path.is_absolute() for path in paths):
        raise IllFormed("takes folders by their whole path, from / on, with commas between them")
    return paths


def modules(text: str) -> tuple[str, ...]:
    """Dotted names of Python modules, separated by commas."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(all(part.isidentifier() for part in name.split(".")) for name in names):
        raise IllFormed("takes names of Python modules such as acme.console_hooks, separated by commas")
    return names


def names(text: str) -> frozenset[str]:
    """Names of data sources, separated by commas."""
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not all(name.isprintable() for name in found):
        raise IllFormed("takes names of data sources, with commas between them")
    return found


def switch(text: str) -> bool:
    """On or off."""
    match text.lower():
        case "on" | "true" | "yes" | "1":
            return True
        case "off" | "false" | "no" | "0":
            return False
    raise IllFormed("takes on or off")


RATES = {"min": 60, "h": 1_000, "day": 10_000}
"""How many requests of one key are answered in each of these windows, unless the setting says otherwise."""


def rates(text: str) -> tuple[int, ...]:
    """Requests a minute, an hour and a day of one key; nothing where they are not limited."""
    if text.lower() in ("off", "false", "no", "0"):
        return ()
    limits = dict(RATES)
    if text.lower() not in ("on", "true", "yes", "1"):
        for part in text.split(","):
            match = re.fullmatch(r"([1-9][0-9]{0,8})/(min|h|day)", part.strip())
            if match is None:
                raise IllFormed("takes on, off, or how many requests, such as 120/min,5000/h,50000/day")
            limits[match[2]] = int(match[1])
    return tuple(limits.values())


def postgresql(text: str) -> str:
    """The URL of a PostgreSQL database."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if scheme not in {"postgresql", "postgres"} or text[len(scheme) :][:3] != "://":
        raise IllFormed("takes postgresql://user:password@host:port/database")
    return "postgresql" + text[len(scheme) :]


def address(text: str) -> str:
    """The address of a web site: http or https, without a slash at the end."""
    try:
        parts = urlsplit(text)
        whole = parts.port != 0 and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        parts, whole = urlsplit(""), False
    if parts.scheme not in {"http", "https"} or not whole or parts.query or parts.fragment:
        raise IllFormed("takes http(s)://host[:port][/path]")
    return text.rstrip("/")


def _parts(text: str, schemes: frozenset[str], takes: str) -> SplitResult:
    """A URL with a host, of these schemes, all of it ASCII. Raises `IllFormed` with what it takes."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        parts, whole = urlsplit(""), False
    if not whole or not text.isascii() or not text.isprintable() or " " in text:
        raise IllFormed(takes)
    return parts


def target(text: str) -> str:
    """The URL that requests are sent to; its query may belong to it."""
    takes = "takes https://host[:port]/path, without a user"
    if "@" in _parts(text, frozenset({"https", "http"}), takes).netloc:
        raise IllFormed(takes)
    return text


def store(text: str) -> str:
    """The URL under which objects are put, without a slash at the end."""
    takes = "takes https://host[:port]/bucket[/folder]: the address under which objects are put"
    parts = _parts(text, frozenset({"https", "http"}), takes)
    if "@" in parts.netloc or "?" in text or not re.fullmatch(r"[A-Za-z0-9._/-]*", parts.path):
        raise IllFormed(takes)
    return text.rstrip("/")


def mail_server(text: str) -> MailServer:
    """A mail server, by a URL."""
    takes = "takes smtp://[user:password@]host[:port] (STARTTLS), smtps://… (TLS at once), or smtp://host[:port]?tls=off without a password"
    parts = _parts(text, frozenset({"smtp", "smtps"}), takes)
    plain = parts.query == "tls=off" and parts.scheme == "smtp"
    if (
        (parts.query and not plain)
        or parts.path not in {"", "/"}
        or (plain and parts.username)
        or bool(parts.username) != bool(parts.password)
    ):
        raise IllFormed(takes)
    tls: Literal["at once", "starttls", "off"] = (
        "off" if plain else "at once" if parts.scheme == "smtps" else "starttls"
    )
    port = parts.port or {"at once": 465, "starttls": 587, "off": 25}[tls]
    return MailServer(
        str(parts.hostname), port, tls, unquote(parts.username or ""), unquote(parts.password or "")
    )


def mail_box(text: str) -> MailBox:
    """A mailbox, by a URL."""
    takes = "takes imaps://user:password@host[:port][/folder] (TLS at once) or imap://… (STARTTLS; on this machine also without, ?tls=off)"
    parts = _parts(text, frozenset({"imap", "imaps"}), takes)
    plain = (
        parts.query == "tls=off"
        and parts.scheme == "imap"
        and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    )
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if (
        (parts.query and not plain)
        or not parts.username
        or not parts.password
        or not folder.isprintable()
        or not folder.isascii()
    ):
        raise IllFormed(takes)
    tls: Literal["at once", "starttls", "off"] = (
        "off" if plain else "at once" if parts.scheme == "imaps" else "starttls"
    )
    port = parts.port or (993 if tls == "at once" else 143)
    return MailBox(str(parts.hostname), port, tls, unquote(parts.username), unquote(parts.password), folder)


def mail_address(text: str) -> str:
    """One mail address."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,200}", text):
        raise IllFormed("takes a mail address")
    return text


def mail_addresses(text: str) -> tuple[str, ...]:
    """Mail addresses, each once."""
    try:
        return tuple(dict.fromkeys(mail_address(part.strip()) for part in text.split(",")))
    except IllFormed:
        raise IllFormed("takes mail addresses, with commas between them") from None


def hosts(text: str) -> frozenset[str]:
    """Names or addresses of hosts, in small letters."""
    hosts = frozenset(part.strip().lower().strip("[]").rstrip(".") for part in text.split(","))
    if not all(re.fullmatch(r"[a-z0-9_.:-]+", host) for host in hosts):
        raise IllFormed("takes names or addresses of hosts, without ports, with commas between them")
    return hosts


def targets(text: str) -> dict[str, str]:
    """Name → address of other systems, without a slash at the end."""
    takes = "takes name=https://host[:port][/path], with commas between several; a name is small letters, digits and _"
    by_name: dict[str, str] = {}
    for part in text.split(","):
        name, equals, url = (piece.strip() for piece in part.partition("="))
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or name in by_name:
            raise IllFormed(takes)
        parts = _parts(url, frozenset({"https", "http"}), takes)
        if "@" in parts.netloc or "?" in url:
            raise IllFormed(takes)
        by_name[name] = url.rstrip("/")
    return by_name


def commands(text: str) -> dict[str, tuple[str, ...]]:
    """Name → program with its arguments."""
    by_name: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        name, equals, words = (piece.strip() for piece in part.partition("="))
        try:
            command = tuple(shlex.split(words))
        except ValueError:
            command = ()
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or name in by_name or not command:
            raise IllFormed(
                "takes name=program argument …, with ; between several; a name is small letters, digits and _"
            )
        by_name[name] = command
    return by_name


def secrets_by_name(text: str) -> dict[str, str]:
    """Name → secret that a target takes."""
    by_name: dict[str, str] = {}
    for part in text.split(","):
        name, equals, secret_ = (piece.strip() for piece in part.partition("="))
        if (
            not equals
            or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name)
            or name in by_name
            or not re.fullmatch(r"[!-~]{8,4000}", secret_)
        ):
            raise IllFormed(
                "takes name=secret, with commas between several; a secret is 8 or more characters without blanks"
            )
        by_name[name] = secret_
    return by_name


def webhook_secret(text: str) -> bytes:
    """The secret of a webhook as Standard Webhooks writes it."""
    with contextlib.suppress(ValueError, binascii.Error):
        raw = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        if 24 <= len(raw) <= 64:
            return raw
    raise IllFormed("takes whsec_ and 24 to 64 random bytes in base64")


def between(least: int, most: int) -> Callable[[str], int]:
    """A reader for whole numbers in this range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise IllFormed(f"takes a whole number from {least} to {most}")
        return int(text)

    return read


def secret(text: str) -> str:
    """A secret of some length."""
    if len(text) < 32:
        raise IllFormed("takes at least 32 characters, drawn at random")
    return text


def key(text: str) -> bytes:
    """32 bytes as 64 hexadecimal digits or as base64, plain or for URLs, with or without padding."""
    with contextlib.suppress(ValueError, binascii.Error):
        raw = (
            bytes.fromhex(text)
            if len(text) == 64
            else base64.b64decode(
                text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4),
                altchars=b"-_" if set(text) & set("-_") else None,
                validate=True,
            )
        )
        if len(raw) == 32:
            return raw
    raise IllFormed("takes 32 random bytes in base64 or as 64 hexadecimal digits")


def scanner(text: str) -> str:
    """The address of clamd: the path of its socket, or host:port."""
    host, _, port = text.rpartition(":")
    if not (text.startswith("/") and text.isprintable()) and not (
        host and re.fullmatch(r"[A-Za-z0-9_.:\[\]-]+", host) and port.isdigit() and 0 < int(port) < 65536
    ):
        raise IllFormed("takes the path of clamd's socket, such as /run/clamav/clamd.ctl, or host:port")
    return text


PROVIDERS = ("anthropic", "openai_compatible", "rules")


def provider(text: str) -> str:
    """Who proposes."""
    if text.lower() not in PROVIDERS:
        raise IllFormed("takes anthropic, openai_compatible or rules")
    return text.lower()


def model(text: str) -> str:
    """The name of a model as its provider writes it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}", text):
        raise IllFormed("takes the name of a model, without spaces")
    return text


def base_url(text: str) -> str:
    """The address under which a model's API lies, without a slash at the end."""
    takes = "takes http(s)://host[:port][/path], without a user"
    parts = _parts(text, frozenset({"https", "http"}), takes)
    if "@" in parts.netloc or "?" in text:
        raise IllFormed(takes)
    return text.rstrip("/")


@dataclass(frozen=True, slots=True)
class AI:
    """Who proposes, as the environment says. `told`: the environment names it, so that it cannot be chosen in the console."""

    provider: str = "rules"
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    told: bool = False
