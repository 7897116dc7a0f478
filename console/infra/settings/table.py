"""The table of settings: each is declared here once, with its name, reader, default and the sentence that documents it.

A new setting is a new line of `Table`, and its row in docs/reference/settings.md. Standard library only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from console.infra.settings import readers
from console.infra.settings.readers import MailBox, MailServer

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is documented: `name` in the environment, `field` of `Settings`, `read` turns its text into the value or raises `IllFormed`.

    `needs` names settings that must stand beside it. `https`: an address that takes plain http only for hosts of CONSOLE_PRIVATE_HOSTS.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    default: Any
    sentence: str
    needs: tuple[str, ...] = ()
    https: bool = False


def setting(
    name: str,
    read: Callable[[str], Value],
    default: Default,
    sentence: str,
    *,
    needs: tuple[str, ...] = (),
    https: bool = False,
    secret: bool = False,
) -> Value | Default:
    """A line of the table. `secret`: its value is left out of what is printed of the settings."""
    declared = {"setting": (name, read, default, sentence, needs, https)}
    value: Value | Default = field(default_factory=lambda: default, repr=not secret, metadata=declared)
    return value


@dataclass(frozen=True, slots=True)
class Table:
    """The settings as given. A field `given_…` is completed by the property of `Settings` with its name without `given_`."""

    database_url: str | None = setting(
        "DATABASE_URL",
        readers.postgresql,
        None,
        "The PostgreSQL database (15 or newer) that holds the console's own tables; unset: an embedded server in the data folder.",
        secret=True,
    )
    database_migration_url: str | None = setting(
        "DATABASE_MIGRATION_URL",
        readers.postgresql,
        None,
        "The same database as the role that may migrate; `console migrate --print-roles` prints what makes it.",
        needs=("DATABASE_URL",),
        secret=True,
    )
    database_replica_url: str | None = setting(
        "DATABASE_REPLICA_URL",
        readers.postgresql,
        None,
        "A standby of that database, from which the activity list, reports and figures are read while it is at most five seconds behind.",
        needs=("DATABASE_URL",),
        secret=True,
    )
    data_dir: Path = setting(
        "CONSOLE_DATA_DIR",
        readers.folder,
        Path("data"),
        "The folder of the embedded server, keys, files and logs.",
    )
    given_secret_key: str | None = setting(
        "CONSOLE_SECRET_KEY",
        readers.secret,
        None,
        "Signs cookies and form tokens; required with DATABASE_URL, made once in the data folder otherwise.",
        secret=True,
    )
    given_master_key: bytes | None = setting(
        "CONSOLE_MASTER_KEY",
        readers.key,
        None,
        "32 bytes in base64 that wrap every data key; required with DATABASE_URL, made once in the data folder otherwise.",
        secret=True,
    )
    given_signing_key: bytes | None = setting(
        "CONSOLE_SIGNING_KEY",
        readers.key,
        None,
        "32 bytes in base64 that sign the log's checkpoints; required by the worker with DATABASE_URL, made once in the data folder otherwise.",
        secret=True,
    )
    base_url: str | None = setting(
        "CONSOLE_BASE_URL",
        readers.address,
        None,
        "The address that people and other programs reach the console by, for links and for the check where a form comes from.",
    )
    trusted_proxies: int = setting(
        "CONSOLE_TRUSTED_PROXIES",
        readers.between(0, 9),
        0,
        "How many proxies in front of the console set X-Forwarded-For and -Proto.",
    )
    given_rate_limits: tuple[int, ...] | None = setting(
        "CONSOLE_RATE_LIMITS",
        readers.rates,
        None,
        "How many requests of one key the API answers: on (60/min, 1000/h and 10000/day), off, or figures such as 120/min,5000/h; unset: on, in the demo not for this machine itself.",
    )
    idle_save_minutes: int = setting(
        "CONSOLE_IDLE_SAVE_MINUTES",
        readers.between(1, 1440),
        30,
        "After how many idle minutes of its holder a run is saved.",
    )
    new_signing_key: bytes | None = setting(
        "CONSOLE_NEW_SIGNING_KEY",
        readers.key,
        None,
        "32 bytes in base64 that `console key change` puts in the place of CONSOLE_SIGNING_KEY; read by that command only.",
        secret=True,
    )
    private_hosts: frozenset[str] = setting(
        "CONSOLE_PRIVATE_HOSTS",
        readers.hosts,
        frozenset(),
        "Hosts of your own network that the console may send requests to, in plain http too; all others must be on the public internet.",
    )
    http_targets: Mapping[str, str] = setting(
        "CONSOLE_HTTP_TARGETS",
        readers.targets,
        {},
        "Other systems that actions may ask, as name=address with commas between; named here, a host of your own network or plain http is meant.",
    )
    http_secrets: Mapping[str, str] = setting(
        "CONSOLE_HTTP_SECRETS",
        readers.secrets_by_name,
        {},
        "What actions show to those systems, as name=secret with commas between; an action names the secret, never its text.",
        secret=True,
    )
    mcp_commands: Mapping[str, tuple[str, ...]] = setting(
        "CONSOLE_MCP_COMMANDS",
        readers.commands,
        {},
        "Programs that administrators may register as MCP servers, as name=program argument … with ; between; no other program is started.",
    )
    open_requests: int = setting(
        "CONSOLE_OPEN_REQUESTS",
        readers.between(1, 10_000),
        100,
        "How many questions of one API key may wait for people at once.",
    )
    oidc_issuer: str | None = setting(
        "CONSOLE_OIDC_ISSUER",
        readers.target,
        None,
        "The identity provider (OpenID Connect) that people may sign in through, by its issuer; one of your own network is named in CONSOLE_PRIVATE_HOSTS too.",
        needs=("CONSOLE_OIDC_CLIENT_ID", "CONSOLE_BASE_URL"),
        https=True,
    )
    oidc_client_id: str | None = setting(
        "CONSOLE_OIDC_CLIENT_ID",
        readers.line,
        None,
        "What the provider knows the console as; required with the issuer.",
    )
    oidc_client_secret: str | None = setting(
        "CONSOLE_OIDC_CLIENT_SECRET",
        readers.line,
        None,
        "The secret that the provider gave with it; unset where it gave none.",
        secret=True,
    )
    smtp: MailServer | None = setting(
        "CONSOLE_SMTP_URL", readers.mail_server, None, "The server that takes the console's mail."
    )
    mail_from: str | None = setting(
        "CONSOLE_MAIL_FROM",
        readers.mail_address,
        None,
        "The sender of the console's mail; required for sending any.",
    )
    publish_review: bool = setting(
        "CONSOLE_PUBLISH_REVIEW",
        readers.switch,
        False,
        "Publishing a workflow needs a second person in every team, not only in those that say so.",
    )
    dry_run_reads_only: frozenset[str] = setting(
        "CONSOLE_DRY_RUN_READS_ONLY",
        readers.names,
        frozenset(),
        "Data sources in which a dry run tries no change, not even one that it takes back.",
    )
    rights_review: bool = setting(
        "CONSOLE_RIGHTS_REVIEW",
        readers.switch,
        True,
        "Who gives a role of their own a new right on records needs a second administrator to confirm it, where there is one.",
    )
    mail_bounces: str | None = setting(
        "CONSOLE_MAIL_BOUNCES",
        readers.mail_address,
        None,
        "Where mail servers report that an e-mail to a contact did not arrive; without it, to the sender.",
    )
    imap: MailBox | None = setting(
        "CONSOLE_IMAP_URL",
        readers.mail_box,
        None,
        "The mailbox that answers of contacts and reports of mail servers come into; it is read every minute and nothing in it is changed.",
    )
    sandbox: bool = setting(
        "CONSOLE_SANDBOX",
        readers.switch,
        True,
        "Messages to people outside go into the outbox alone, which answers as their providers would, and connectors and tools of MCP servers only ask systems of the public internet and change nothing there; off: they really do.",
    )
    twilio_url: str = setting(
        "CONSOLE_TWILIO_URL",
        readers.target,
        "https://api.twilio.com",
        "The address of Twilio's API, for SMS.",
    )
    twilio_account_sid: str | None = setting(
        "CONSOLE_TWILIO_ACCOUNT_SID", readers.word, None, "The account at Twilio that SMS leave from."
    )
    twilio_auth_token: str | None = setting(
        "CONSOLE_TWILIO_AUTH_TOKEN",
        readers.word,
        None,
        "The secret of that account; it also proves that a callback is Twilio's.",
        needs=("CONSOLE_TWILIO_ACCOUNT_SID",),
        secret=True,
    )
    twilio_from: str | None = setting(
        "CONSOLE_TWILIO_FROM",
        readers.line,
        None,
        "The number that SMS come from, such as +37060000000, or the id of a messaging service.",
    )
    call_url: str | None = setting(
        "CONSOLE_CALL_URL",
        readers.target,
        None,
        "Where calls by an AI are asked for.",
        needs=("CONSOLE_CALL_SECRET",),
        secret=True,
    )
    call_secret: bytes | None = setting(
        "CONSOLE_CALL_SECRET",
        readers.webhook_secret,
        None,
        "Signs what the calls' provider is told and tells (Standard Webhooks).",
        secret=True,
    )
    call_from: str | None = setting(
        "CONSOLE_CALL_FROM", readers.line, None, "The number that calls come from."
    )
    chat_targets: Mapping[str, str] = setting(
        "CONSOLE_CHAT_TARGETS",
        readers.targets,
        {},
        "Chats that messages are posted to, as name=address of an incoming webhook (Slack's form) with commas between.",
        secret=True,
    )
    checkpoint_webhook_url: str | None = setting(
        "CONSOLE_CHECKPOINT_WEBHOOK_URL",
        readers.target,
        None,
        "Where each checkpoint of the log is posted to, as text.",
        needs=("CONSOLE_CHECKPOINT_WEBHOOK_SECRET",),
        https=True,
        secret=True,
    )
    checkpoint_webhook_secret: bytes | None = setting(
        "CONSOLE_CHECKPOINT_WEBHOOK_SECRET",
        readers.webhook_secret,
        None,
        "Signs these requests (Standard Webhooks), so that the receiver knows them for ours; required with the URL.",
        secret=True,
    )
    checkpoint_mail_to: tuple[str, ...] = setting(
        "CONSOLE_CHECKPOINT_MAIL_TO",
        readers.mail_addresses,
        (),
        "Auditors who get the newest checkpoint by mail, at most one an hour.",
        needs=("CONSOLE_SMTP_URL", "CONSOLE_MAIL_FROM"),
    )
    checkpoint_s3_url: str | None = setting(
        "CONSOLE_CHECKPOINT_S3_URL",
        readers.store,
        None,
        "The bucket, and folder in it, of an S3-compatible store where each checkpoint is put as an object.",
        needs=("CONSOLE_CHECKPOINT_S3_KEY_ID", "CONSOLE_CHECKPOINT_S3_SECRET"),
        https=True,
    )
    checkpoint_s3_region: str = setting(
        "CONSOLE_CHECKPOINT_S3_REGION",
        readers.word,
        "us-east-1",
        "The region that requests to the store are signed for.",
    )
    checkpoint_s3_key_id: str | None = setting(
        "CONSOLE_CHECKPOINT_S3_KEY_ID",
        readers.word,
        None,
        "Who puts the objects; may have the right to do so and no other.",
    )
    checkpoint_s3_secret: str | None = setting(
        "CONSOLE_CHECKPOINT_S3_SECRET", readers.word, None, "The secret key of that id.", secret=True
    )
    checkpoint_s3_retention_days: int | None = setting(
        "CONSOLE_CHECKPOINT_S3_RETENTION_DAYS",
        readers.between(1, 36500),
        None,
        "For how long nobody may delete such an object (Object Lock, compliance mode); unset: what the bucket says.",
    )
    sqlite_folders: tuple[Path, ...] | None = setting(
        "CONSOLE_SQLITE_FOLDERS",
        readers.folders,
        None,
        "The folders in which SQLite files that are connected may lie, with commas between them; unset: only the command line connects such files.",
    )
    given_record_files: Path | None = setting(
        "CONSOLE_RECORD_FILES",
        readers.folder,
        None,
        "The folder with a folder for each collection, in which the files lie that columns of its records name; the demo's own by default there.",
    )
    hooks: tuple[str, ...] = setting(
        "CONSOLE_HOOKS",
        readers.modules,
        (),
        "Python modules, separated by commas, with code of your own: computed fields, segments and actions.",
    )
    file_mb: int = setting(
        "CONSOLE_FILE_MB",
        readers.between(1, 200),
        20,
        "How large a file may be that somebody hands in, in megabytes.",
    )
    request_mb: int = setting(
        "CONSOLE_REQUEST_MB",
        readers.between(1, 1000),
        100,
        "How large all files together may be that come with one step, or for one request for documents, in megabytes.",
    )
    clamd: str | None = setting(
        "CONSOLE_CLAMD",
        readers.scanner,
        None,
        "Where the virus scanner clamd listens (the path of its socket, or host:port), which looks at each file before it is kept; unset: files are not scanned.",
    )
    ai_provider: str | None = setting(
        "CONSOLE_AI_PROVIDER",
        readers.provider,
        None,
        "Who fills forms in beforehand: anthropic, openai_compatible or rules; unset: anthropic where ANTHROPIC_API_KEY is set, else what is chosen in the console, else rules.",
    )
    ai_model: str | None = setting(
        "CONSOLE_AI_MODEL",
        readers.model,
        None,
        "The model that is asked, by its provider's name; for anthropic claude-haiku-5-5 where it is unset, required with openai_compatible.",
    )
    ai_seconds: int = setting(
        "CONSOLE_AI_SECONDS",
        readers.between(1, 60),
        8,
        "How long a proposal may take altogether, every try and wait included.",
    )
    ai_breaker: bool = setting(
        "CONSOLE_AI_BREAKER",
        readers.switch,
        True,
        "Whether a provider that fails again and again is left alone for a minute; off for tests.",
    )
    ai_api_key: str | None = setting(
        "CONSOLE_AI_API_KEY",
        readers.line,
        None,
        "The key that the provider wants; an OpenAI-compatible endpoint of your own may want none.",
        secret=True,
    )
    ai_base_url: str | None = setting(
        "CONSOLE_AI_BASE_URL",
        readers.base_url,
        None,
        "Where the provider's API lies: required with openai_compatible (up to and with /v1), with anthropic for a gateway; named here, a host of your own network or plain http is meant.",
    )
    anthropic_api_key: str | None = setting(
        "ANTHROPIC_API_KEY",
        readers.line,
        None,
        "The key for Anthropic; alone it is enough to have their model propose.",
        secret=True,
    )
    anthropic_base_url: str | None = setting(
        "ANTHROPIC_BASE_URL",
        readers.base_url,
        None,
        "Where Anthropic's API lies, where it is not at their own address; as CONSOLE_AI_BASE_URL, which wins.",
    )
    keep_runs_days: int | None = setting(
        "CONSOLE_KEEP_RUNS_DAYS",
        readers.between(30, 36_500),
        None,
        "After how many days what was typed, shown and decided in a run, counted from its end, is deleted; the events stay. Unset: never.",
    )
    keep_screens_days: int | None = setting(
        "CONSOLE_KEEP_SCREENS_DAYS",
        readers.between(30, 36_500),
        None,
        "After how many days what was on the screen in a run, counted from its end, is deleted; the events stay. Unset: never.",
    )
    keep_looks_days: int | None = setting(
        "CONSOLE_KEEP_LOOKS_DAYS",
        readers.between(30, 36_500),
        None,
        "After how many days what people looked at, searched for and were refused is deleted; the events stay. Unset: never.",
    )
    keep_changes_days: int | None = setting(
        "CONSOLE_KEEP_CHANGES_DAYS",
        readers.between(30, 36_500),
        None,
        "After how many days what a record held before and after a change by hand is deleted; the events stay. Unset: never.",
    )
    keep_sign_ins_days: int | None = setting(
        "CONSOLE_KEEP_SIGN_INS_DAYS",
        readers.between(30, 36_500),
        None,
        "After how many days where and with what somebody signed in is deleted; the events stay. Unset: never.",
    )
    ai_blind_percent: int | None = setting(
        "CONSOLE_AI_BLIND_PERCENT",
        readers.between(0, 50),
        None,
        "Of how many in a hundred proposals a person sees nothing before deciding, so that it can be told whether proposals help; 0: of none. Unset: what is chosen in the console, 5 at first.",
    )
    demo: bool = setting(
        "CONSOLE_DEMO",
        readers.switch,
        False,
        "Serves the demo company: says so on every page and prints who can sign in. `bin/demo` sets it.",
    )


def _declared() -> tuple[Setting, ...]:
    declared = []
    for entry in fields(Table):
        name, *rest = entry.metadata["setting"]
        declared.append(Setting(name, entry.name, *rest))
    return tuple(declared)


SETTINGS = _declared()
"""Every setting, in the order of docs/reference/settings.md."""
