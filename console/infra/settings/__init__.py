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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console.core.errors import ConsoleError
from console.infra.settings import readers
from console.infra.settings.readers import AI, IllFormed, MailBox, MailServer
from console.infra.settings.table import SETTINGS, Setting, Table

OPEN_MODULES = frozenset({"data_folder"})
PREFIX = "CONSOLE_"
KEYS_FOLDER = "keys"
DEMO_FILES = "demo-files"
NOT_VALUES = frozenset({"CONSOLE_ENV_FILE"})
"""Read before the settings themselves: where the `.env` file is."""


class SettingsError(ConsoleError):
    """One or more settings cannot be used; the message names each of them and says what it takes."""

    default_code = "settings"


@dataclass(frozen=True, slots=True)
class Settings(Table):
    """The checked settings of this process; paths are absolute, addresses without a slash at the end."""

    def __post_init__(self) -> None:
        """A folder that is not given from `/` on lies in the folder where the process started."""
        object.__setattr__(self, "data_dir", self.data_dir.absolute())
        if self.given_record_files is not None:
            object.__setattr__(self, "given_record_files", self.given_record_files.absolute())

    @property
    def keep_days(self) -> Mapping[str, int | None]:
        """Category of values → after how many days they go, None: never."""
        kept = [setting.field for setting in SETTINGS if setting.field.startswith("keep_")]
        return {name.removeprefix("keep_").removesuffix("_days"): getattr(self, name) for name in kept}

    @property
    def rate_limits(self) -> tuple[int, ...]:
        """Requests a minute, an hour and a day of one key; nothing where they are not limited."""
        return readers.rates("on") if self.given_rate_limits is None else self.given_rate_limits

    @property
    def own_machine_limited(self) -> bool:
        """Whether requests from this machine itself are limited too."""
        return self.given_rate_limits is not None or not self.demo

    @property
    def record_files(self) -> Path | None:
        """The folder with a folder of files for each collection."""
        return self.given_record_files or (self.data_dir / DEMO_FILES if self.demo else None)

    @property
    def ai(self) -> AI:
        """Who proposes, as the settings say."""
        return self._ai()[0]

    @property
    def ai_problem(self) -> str:
        """The problem with the AI provider's settings; empty if there is none."""
        return self._ai()[1]

    def _ai(self) -> tuple[AI, str]:
        """A key of Anthropic alone is enough; it is never sent to anybody else."""
        name, key = self.ai_provider, self.ai_api_key
        if name is None and self.anthropic_api_key and not key:
            name = "anthropic"
        match name:
            case None:
                alone = [
                    setting for setting in ("ai_model", "ai_api_key", "ai_base_url") if getattr(self, setting)
                ]
                return (
                    AI(),
                    f"CONSOLE_{alone[0].upper()} needs CONSOLE_AI_PROVIDER beside it" if alone else "",
                )
            case "anthropic":
                key = key or self.anthropic_api_key
                ai = AI(name, self.ai_model, key, self.ai_base_url or self.anthropic_base_url, told=True)
                return (
                    ai,
                    ""
                    if key
                    else "CONSOLE_AI_PROVIDER=anthropic needs ANTHROPIC_API_KEY or CONSOLE_AI_API_KEY beside it",
                )
            case "openai_compatible":
                ai = AI(name, self.ai_model, key, self.ai_base_url, told=True)
                missing = [
                    f"CONSOLE_{setting.upper()}"
                    for setting in ("ai_base_url", "ai_model")
                    if not getattr(self, setting)
                ]
                return (
                    ai,
                    f"CONSOLE_AI_PROVIDER=openai_compatible needs {' and '.join(missing)} beside it"
                    if missing
                    else "",
                )
            case _:
                return AI(told=True), ""

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
        """The key that signs cookies and form tokens. Raises `SettingsError` if it is required and missing."""
        return (
            _key_text(self, "CONSOLE_SECRET_KEY") if self.given_secret_key is None else self.given_secret_key
        )

    @property
    def master_key(self) -> bytes:
        """The 32 bytes that wrap data keys. Raises `SettingsError` where they are required and missing."""
        return (
            readers.key(_key_text(self, "CONSOLE_MASTER_KEY"))
            if self.given_master_key is None
            else self.given_master_key
        )

    @property
    def signing_key(self) -> bytes:
        """The 32 bytes (Ed25519 seed) that sign checkpoints, read when asked: the web process never is. Raises `SettingsError` as above."""
        return (
            readers.key(_key_text(self, "CONSOLE_SIGNING_KEY"))
            if self.given_signing_key is None
            else self.given_signing_key
        )

    @property
    def own_signing_key(self) -> Path | None:
        """The file of the data folder that holds the key of checkpoints; None where `CONSOLE_SIGNING_KEY` is given, or has to be."""
        given = self.given_signing_key is not None or not (self.embedded or self.demo)
        return None if given else self.data_dir / KEYS_FOLDER / "signing_key"

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
    variables = {**(parse_env(_read_env(file), file.name) if file.is_file() else {}), **environ}
    problems: list[str] = []
    names = {setting.name for setting in SETTINGS} | NOT_VALUES
    problems += [
        f"{name} is not a setting of this console"
        for name in sorted(variables)
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in names and name not in names
    ]
    given = Settings(**{setting.field: _value(setting, variables, problems) for setting in SETTINGS})
    problems += _alone(given)
    if problems:
        raise SettingsError("\n".join(problems))
    return given


def _alone(given: Settings) -> Iterator[str]:
    """Problems between settings: one needs another, or plain http to a host that is not ours."""
    values = {setting.name: getattr(given, setting.field) for setting in SETTINGS}
    for setting in SETTINGS:
        if values[setting.name] and (missing := [other for other in setting.needs if values[other] is None]):
            yield f"{setting.name} needs {' and '.join(missing)} beside it"
    if given.ai_problem:
        yield given.ai_problem
    for setting in SETTINGS:
        parts = urlsplit((values[setting.name] or "") if setting.https else "")
        if parts.scheme == "http" and str(parts.hostname).rstrip(".") not in given.private_hosts:
            yield f"{setting.name} takes https; plain http only for hosts that CONSOLE_PRIVATE_HOSTS names"


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


def _value(setting: Setting, variables: Mapping[str, str], problems: list[str]) -> Any:
    """The value of one setting, its default where it is empty; what is wrong goes to `problems`, never with the value: it may be a secret."""
    text, file = variables.get(setting.name, ""), variables.get(setting.name + "_FILE", "")
    if text and file:
        problems.append(f"{setting.name} and {setting.name}_FILE are both set: give one")
        return setting.default
    try:
        text = Path(file).read_text(encoding="utf-8").strip() if file else text
        return setting.read(text) if text else setting.default
    except IllFormed as error:
        problems.append(f"{setting.name}{'_FILE' if file else ''} {error}")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(
            f"{setting.name}_FILE cannot be read: {error.strerror if isinstance(error, OSError) else 'not UTF-8 text'}"
        )
    return setting.default


def _key_text(settings: Settings, name: str) -> str:
    """The key that the data folder keeps under this name, drawn at the first use; outside the demo a server of the user's wants the user's key."""
    if not settings.embedded and not settings.demo:
        raise SettingsError(
            f"{name} is required with DATABASE_URL: python3 -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
        )
    file = _key_file(settings.data_dir, name)
    try:
        seen = os.stat(file)
    except FileNotFoundError:
        return keep_secret(Path(file))
    return _kept(file, seen.st_ino, seen.st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _key_file(data_dir: Path, name: str) -> str:
    return str(data_dir / KEYS_FOLDER / name.removeprefix(PREFIX).lower())


@functools.lru_cache(maxsize=8)
def _kept(file: str, _inode: int, _written_ns: int) -> str:
    """The key in a file as it stands; whatever is sealed asks for it."""
    return keep_secret(Path(file))


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
    return readers.key(keep_secret(waiting, text)), waiting


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
