"""Every setting once: its name, what it takes, its default and one sentence.

Settings come from the environment or from a `.env` file of the folder in which a command starts; the environment wins. Each also as `NAME_FILE`, the path
of a file that holds the value. What is unknown or ill-formed stops the start, all of it named at once. Standard library only: the supervisor and the
guard read settings too, and stay small.
"""

import base64
import contextlib
import functools
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console import setting_values
from console.errors import ConsoleError
from console.setting_names import KEPT, SETTINGS, Setting
from console.setting_values import AI, IllFormed, MailServer

PREFIX = "CONSOLE_"
KEYS_FOLDER = "keys"
DEMO_FILES = "demo-files"


class SettingsError(ConsoleError):
    """One or more settings cannot be used; the message names each of them and says what it takes."""

    default_code = "settings"


KEYS = ("secret_key", "master_key", "signing_key", "new_signing_key")
ASKED = ("ai_provider", "ai_model", "ai_api_key", "ai_base_url", "anthropic_api_key", "anthropic_base_url")
"""What `Settings.ai` is made of."""

OUTSIDE = frozenset({
    "oidc_issuer", "oidc_client_id", "oidc_client_secret", "smtp", "mail_from", "checkpoint_webhook_url", "checkpoint_webhook_secret", "checkpoint_s3_url", "checkpoint_s3_region",
    "checkpoint_s3_key_id", "checkpoint_s3_secret", "checkpoint_s3_retention_days", "file_mb", "request_mb", "clamd", "ai_seconds", "ai_breaker",
})  # fmt: skip
NEEDS = (
    ("database_migration_url", "database_url"),
    ("oidc_issuer", "oidc_client_id", "base_url"),
    ("checkpoint_webhook_url", "checkpoint_webhook_secret"),
    ("checkpoint_mail_to", "smtp", "mail_from"),
    ("checkpoint_s3_url", "checkpoint_s3_key_id", "checkpoint_s3_secret"),
)
"""A setting, and what has to stand beside it."""

NOT_VALUES = frozenset({"CONSOLE_ENV_FILE"})
"""Read before the settings themselves: where the `.env` file is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told, checked; paths are absolute, addresses without a slash at the end."""

    data_dir: Path
    database_url: str | None = field(repr=False)
    database_migration_url: str | None = field(repr=False)
    base_url: str | None
    trusted_proxies: int
    rate_limits: tuple[int, ...]
    idle_save_minutes: int
    demo: bool
    given: Mapping[str, Any] = field(repr=False)
    own_machine_limited: bool = True
    private_hosts: frozenset[str] = frozenset()
    http_targets: Mapping[str, str] = field(default_factory=dict)
    http_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)
    smtp: MailServer | None = None
    mail_from: str | None = None
    checkpoint_webhook_url: str | None = field(default=None, repr=False)
    checkpoint_webhook_secret: bytes | None = field(default=None, repr=False)
    checkpoint_mail_to: tuple[str, ...] = ()
    checkpoint_s3_url: str | None = None
    checkpoint_s3_region: str = "us-east-1"
    checkpoint_s3_key_id: str | None = None
    checkpoint_s3_secret: str | None = field(default=None, repr=False)
    checkpoint_s3_retention_days: int | None = None
    record_files: Path | None = None
    sqlite_folders: tuple[Path, ...] | None = None
    hooks: tuple[str, ...] = ()
    file_mb: int = 20
    request_mb: int = 100
    clamd: str | None = None
    ai: AI = setting_values.NOBODY
    ai_seconds: int = 8
    ai_breaker: bool = True
    keep_runs_days: int | None = None
    keep_screens_days: int | None = None
    keep_looks_days: int | None = None
    keep_changes_days: int | None = None
    keep_sign_ins_days: int | None = None
    ai_blind_percent: int | None = None

    @property
    def keep_days(self) -> Mapping[str, int | None]:
        """Category of values → after how many days they go, None: never."""
        return {name: getattr(self, f"keep_{name}_days") for name in KEPT}

    @property
    def embedded(self) -> bool:
        """Whether the console keeps its own PostgreSQL server in the data folder."""
        return self.database_url is None

    @property
    def secure_cookies(self) -> bool:
        """Cookies need https; plain http is for one's own machine, where no address or an http one was given."""
        return self.base_url is not None and self.base_url.startswith("https://")

    @property
    def secret_key(self) -> str:
        """What signs cookies and form tokens. Raises `SettingsError` where it is required and missing."""
        return _key_text(self, "CONSOLE_SECRET_KEY") if self.given["secret_key"] is None else str(self.given["secret_key"])

    @property
    def master_key(self) -> bytes:
        """The 32 bytes that wrap data keys. Raises `SettingsError` where they are required and missing."""
        key: bytes | None = self.given["master_key"]
        return setting_values.key(_key_text(self, "CONSOLE_MASTER_KEY")) if key is None else key

    @property
    def signing_key(self) -> bytes:
        """The 32 bytes (Ed25519 seed) that sign checkpoints, read when asked: the web process never is. Raises `SettingsError` as above."""
        key: bytes | None = self.given["signing_key"]
        return setting_values.key(_key_text(self, "CONSOLE_SIGNING_KEY")) if key is None else key

    @property
    def own_signing_key(self) -> Path | None:
        """The file of the data folder that holds the key of checkpoints; None where `CONSOLE_SIGNING_KEY` is given, or has to be."""
        given = self.given["signing_key"] is not None or not (self.embedded or self.demo)
        return None if given else self.data_dir / KEYS_FOLDER / "signing_key"

    @property
    def new_signing_key(self) -> bytes | None:
        """The 32 bytes that are to replace the signing key, where they are given."""
        key: bytes | None = self.given.get("new_signing_key")
        return key

    def check_keys(self) -> None:
        """For those who are about to serve: every key is there, or is made now. Raises `SettingsError` naming all that are missing."""
        missing = []
        for name in ("secret_key", "master_key", "signing_key"):
            try:
                getattr(self, name)
            except SettingsError as error:
                missing.append(error.message)
        if missing:
            raise SettingsError("\n".join(missing))


@functools.cache
def current() -> Settings:
    """The settings of this process, read at the first call. Raises `SettingsError`."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ` and the `.env` file that it names (`CONSOLE_ENV_FILE`, default `.env` of the current folder). Raises `SettingsError` naming every bad one."""
    file = Path(environ.get("CONSOLE_ENV_FILE", ".env"))
    told = {**(parse_env(_read_env(file), file.name) if file.is_file() else {}), **environ}
    problems: list[str] = []
    known = {setting.name for setting in SETTINGS} | NOT_VALUES
    problems += [
        f"{name} is not a setting of this console"
        for name in sorted(told)
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in known and name not in known
    ]
    given = {setting.field: _value(setting, told, problems) for setting in SETTINGS}
    problems += _alone(given)
    if problems:
        raise SettingsError("\n".join(problems))
    rate_limits = given["rate_limits"]
    return Settings(
        data_dir=given["data_dir"].absolute(),
        database_url=given["database_url"],
        database_migration_url=given["database_migration_url"],
        base_url=given["base_url"],
        trusted_proxies=given["trusted_proxies"],
        rate_limits=setting_values.rates("on") if rate_limits is None else rate_limits,
        own_machine_limited=rate_limits is not None or not given["demo"],
        ai_blind_percent=given["ai_blind_percent"],
        idle_save_minutes=given["idle_save_minutes"],
        demo=given["demo"],
        given={name: given[name] for name in (*KEYS, *ASKED)},
        private_hosts=given["private_hosts"] or frozenset(),
        http_targets=given["http_targets"] or {},
        http_secrets=given["http_secrets"] or {},
        checkpoint_mail_to=given["checkpoint_mail_to"] or (),
        record_files=_record_files(given),
        sqlite_folders=given["sqlite_folders"],
        hooks=given["hooks"] or (),
        ai=setting_values.ai(given)[0],
        **{name: value for name, value in given.items() if name in OUTSIDE},
        **{name: value for name, value in given.items() if name.startswith("keep_")},
    )


def _record_files(given: Mapping[str, Any]) -> Path | None:
    folder: Path | None = given["record_files"] or (given["data_dir"] / DEMO_FILES if given["demo"] else None)
    return None if folder is None else folder.absolute()


def _alone(given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with settings that are each well-formed: one that needs another, or plain http to a host that is not ours."""
    names = {setting.field: setting.name for setting in SETTINGS}
    for wanted, *needed in NEEDS:
        if given[wanted] and (missing := [names[other] for other in needed if given[other] is None]):
            yield f"{names[wanted]} needs {' and '.join(missing)} beside it"
    if problem := setting_values.ai(given)[1]:
        yield problem
    for url in ("oidc_issuer", "checkpoint_webhook_url", "checkpoint_s3_url"):
        parts = urlsplit(given[url] or "")
        if parts.scheme == "http" and str(parts.hostname).rstrip(".") not in (given["private_hosts"] or ()):
            yield f"{names[url]} takes https; plain http only for hosts that CONSOLE_PRIVATE_HOSTS names"


def _read_env(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(f"{file.name} cannot be read: {reason}") from None


def parse_env(text: str, name: str) -> dict[str, str]:
    """`NAME=value` a line, `#` comments, `export` and quotes allowed, nothing is expanded. Raises `SettingsError` with the line of what is none of these."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in stripped.partition("="))
        if not equals or not key.isidentifier():
            raise SettingsError(f"{name}, line {number}: takes NAME=value")
        if value[:1] in {"'", '"'} and value.find(value[0], 1) > 0:
            value = value[1 : value.index(value[0], 1)]
        else:
            value = value.partition(" #")[0].rstrip()
        values[key] = value
    return values


def _value(setting: Setting, told: Mapping[str, str], problems: list[str]) -> Any:
    """The value of one setting, its default where it is empty; what is wrong goes to `problems`, never with the value: it may be a secret."""
    text, file = told.get(setting.name, ""), told.get(setting.name + "_FILE", "")
    if text and file:
        problems.append(f"{setting.name} and {setting.name}_FILE are both set: give one")
        return setting.default
    try:
        text = Path(file).read_text(encoding="utf-8").strip() if file else text
        return setting.read(text) if text else setting.default
    except IllFormed as error:
        problems.append(f"{setting.name}{'_FILE' if file else ''} {error}")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{setting.name}_FILE cannot be read: {error.strerror if isinstance(error, OSError) else 'not UTF-8 text'}")
    return setting.default


def _key_text(settings: Settings, name: str) -> str:
    """The key that the data folder keeps under this name, drawn at the first use; outside the demo a server of the user's wants the user's key."""
    if not settings.embedded and not settings.demo:
        raise SettingsError(
            f"{name} is required with DATABASE_URL: python3 -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
        )
    return keep_secret(settings.data_dir / KEYS_FOLDER / name.removeprefix(PREFIX).lower())


def fresh_signing_key(settings: Settings) -> tuple[bytes, Path | None]:
    """The key that is to sign from now on, and the file in which it waits beside the data folder's own; None where keys are the user's to keep.

    Drawn unless CONSOLE_NEW_SIGNING_KEY gives it; a change that broke off finds the same one again. Raises `SettingsError` where it has to be given.
    """
    given, own = settings.new_signing_key, settings.own_signing_key
    if own is None:
        if given is None:
            raise SettingsError(
                "Give the new key as CONSOLE_NEW_SIGNING_KEY or …_FILE, 32 random bytes:"
                " python3 -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
            )
        return given, None
    waiting = own.with_name(f"{own.name}.new")
    if given is not None:
        waiting.unlink(missing_ok=True)
    text = None if given is None else base64.urlsafe_b64encode(given).decode().rstrip("=")
    return setting_values.key(keep_secret(waiting, text)), waiting


def keep_secret(file: Path, text: str | None = None) -> str:
    """The text of this file; where there is none it is made of `text`, else of 32 random bytes in base64 for URLs; mode 0600. Two processes at once get the same."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")  # made with mode 0600
        try:
            with open(descriptor, "w", encoding="ascii") as out:
                out.write(text or secrets.token_urlsafe(32))
                out.flush()
                os.fsync(out.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(part, file)  # the first one wins; a rename would let the last one
        finally:
            os.unlink(part)
    return file.read_text(encoding="ascii").strip()
