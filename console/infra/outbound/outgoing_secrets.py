"""Secrets that are shown to other systems: sealed in the console's own table, or in the setting CONSOLE_HTTP_SECRETS.

A secret of the table goes only to the hosts that it names, one of the setting only to the addresses of CONSOLE_HTTP_TARGETS: who writes a workflow
cannot have it sent anywhere else. Nothing here tells a secret to a person.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from console.core.errors import IntegrationError
from console.infra import settings, subjects
from console.infra.db.engine import fetch

TO_HTTPS = 443


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A secret by its name, without its text. `hosts`: where it may go. `kept`: in the table; else in the settings, and it cannot be changed on a page."""

    name: str
    hosts: tuple[str, ...]
    kept: bool = True
    changed_by: str | None = None
    changed_at: datetime | None = None


def all_secrets() -> list[KnownSecret]:
    """Every secret by name. One of the table hides one of the same name in the settings."""
    rows = fetch("select name, hosts, changed_by, changed_at from console.outgoing_secret order by name")
    kept = {
        name: KnownSecret(name, tuple(hosts), changed_by=by, changed_at=at) for name, hosts, by, at in rows
    }
    configured = settings.current()
    places = tuple(sorted({urlsplit(url).netloc for url in configured.http_targets.values()}))
    named = {name: KnownSecret(name, places, kept=False) for name in configured.http_secrets}
    return [secret for _, secret in sorted((named | kept).items())]


def seal(name: str, text: str) -> bytes:
    """The secret, sealed for its row."""
    return subjects.wrap(text.encode(), _about(name))


def for_address(name: str, base: str) -> str:
    """The secret for a request to this address (scheme and host, perhaps with a path). Raises IntegrationError if there is none, or it may not go there."""
    rows = fetch("select sealed, hosts from console.outgoing_secret where name = %s", (name,))
    configured = settings.current()
    if rows:
        if not fits(base, rows[0][1]):
            raise IntegrationError(
                f"The secret {name} is not for {urlsplit(base).netloc}: Settings, Secrets says where it may go.",
                permanent=True,
                code="secret_elsewhere",
            )
        try:
            return subjects.unwrap(bytes(rows[0][0]), _about(name)).decode()
        except subjects.Unreadable:
            raise IntegrationError(
                f"The secret {name} was sealed under another master key: set it again under Settings, Secrets.",
                permanent=True,
                code="no_secret",
            ) from None
    text = configured.http_secrets.get(name)
    if text is None:
        raise IntegrationError(
            f"There is no secret {name}: somebody who may sets it under Settings, Secrets, or in CONSOLE_HTTP_SECRETS.",
            permanent=True,
            code="no_secret",
        )
    if not fits(base, [urlsplit(url).netloc for url in configured.http_targets.values()]):
        raise IntegrationError(
            f"The secret {name} of CONSOLE_HTTP_SECRETS is only for the addresses of CONSOLE_HTTP_TARGETS.",
            permanent=True,
            code="secret_elsewhere",
        )
    return text


def fits(base: str, hosts: Collection[str]) -> bool:
    """Whether the address is of one of the hosts (`api.bank.example`, or with a port)."""
    parts = urlsplit(base)
    usual = {"https": TO_HTTPS, "http": 80}.get(parts.scheme)
    host = str(parts.hostname).lower()
    return any(
        named.lower()
        in ({host, f"{host}:{usual}"} if parts.port in (None, usual) else {f"{host}:{parts.port}"})
        for named in hosts
    )


def _about(name: str) -> str:
    return f"outgoing_secret|sealed|{name}"
