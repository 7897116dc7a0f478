"""The table of settings: name, what it takes, default, and the sentence that documents it. Standard library only."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console import setting_values


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is documented: `name` in the environment, `field` of `Settings`, `read` turns its text into the value or raises `IllFormed`."""

    name: str
    field: str
    read: Callable[[str], Any]
    default: Any
    sentence: str


KEPT = {
    "runs": "what was typed, shown and decided in a run, counted from its end,",
    "screens": "what was on the screen in a run, counted from its end,",
    "looks": "what people looked at, searched for and were refused",
    "changes": "what a record held before and after a change by hand",
    "sign_ins": "where and with what somebody signed in",
}
"""The categories of values that may have a time limit, and what goes with each."""

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATABASE_URL",
        "database_url",
        setting_values.postgresql,
        None,
        "The PostgreSQL database (15 or newer) that holds the console's own tables; unset: an embedded server in the data folder.",
    ),
    Setting(
        "DATABASE_MIGRATION_URL",
        "database_migration_url",
        setting_values.postgresql,
        None,
        "The same database as the role that may migrate; `console migrate --print-roles` prints what makes it.",
    ),
    Setting(
        "CONSOLE_DATA_DIR", "data_dir", setting_values.folder, Path("data"), "The folder of the embedded server, keys, files and logs."
    ),
    Setting(
        "CONSOLE_SECRET_KEY",
        "secret_key",
        setting_values.secret,
        None,
        "Signs cookies and form tokens; required with DATABASE_URL, made once in the data folder otherwise.",
    ),
    Setting(
        "CONSOLE_MASTER_KEY",
        "master_key",
        setting_values.key,
        None,
        "32 bytes in base64 that wrap every data key; required with DATABASE_URL, made once in the data folder otherwise.",
    ),
    Setting(
        "CONSOLE_SIGNING_KEY",
        "signing_key",
        setting_values.key,
        None,
        "32 bytes in base64 that sign the log's checkpoints; required by the worker with DATABASE_URL, made once in the data folder otherwise.",
    ),
    Setting(
        "CONSOLE_BASE_URL",
        "base_url",
        setting_values.address,
        None,
        "The address that people and other programs reach the console by, for links and for the check where a form comes from.",
    ),
    Setting(
        "CONSOLE_TRUSTED_PROXIES",
        "trusted_proxies",
        setting_values.between(0, 9),
        0,
        "How many proxies in front of the console set X-Forwarded-For and -Proto.",
    ),
    Setting(
        "CONSOLE_RATE_LIMITS",
        "rate_limits",
        setting_values.rates,
        None,
        "How many requests of one key the API answers: on (60/min, 1000/h and 10000/day), off, or figures such as 120/min,5000/h; unset: on, in the demo not for this machine itself.",
    ),
    Setting(
        "CONSOLE_IDLE_SAVE_MINUTES",
        "idle_save_minutes",
        setting_values.between(1, 1440),
        30,
        "After how many idle minutes of its holder a run is saved.",
    ),
    Setting(
        "CONSOLE_NEW_SIGNING_KEY",
        "new_signing_key",
        setting_values.key,
        None,
        "32 bytes in base64 that `console key change` puts in the place of CONSOLE_SIGNING_KEY; read by that command only.",
    ),
    Setting(
        "CONSOLE_PRIVATE_HOSTS",
        "private_hosts",
        setting_values.hosts,
        None,
        "Hosts of your own network that the console may send requests to, in plain http too; all others must be on the public internet.",
    ),
    Setting(
        "CONSOLE_HTTP_TARGETS",
        "http_targets",
        setting_values.targets,
        None,
        "Other systems that actions may ask, as name=address with commas between; named here, a host of your own network or plain http is meant.",
    ),
    Setting(
        "CONSOLE_HTTP_SECRETS",
        "http_secrets",
        setting_values.secrets_by_name,
        None,
        "What actions show to those systems, as name=secret with commas between; an action names the secret, never its text.",
    ),
    Setting(
        "CONSOLE_OIDC_ISSUER",
        "oidc_issuer",
        setting_values.target,
        None,
        "The identity provider (OpenID Connect) that people may sign in through, by its issuer; one of your own network is named in CONSOLE_PRIVATE_HOSTS too.",
    ),
    Setting(
        "CONSOLE_OIDC_CLIENT_ID",
        "oidc_client_id",
        setting_values.line,
        None,
        "What the provider knows the console as; required with the issuer.",
    ),
    Setting(
        "CONSOLE_OIDC_CLIENT_SECRET",
        "oidc_client_secret",
        setting_values.line,
        None,
        "The secret that the provider gave with it; unset where it gave none.",
    ),
    Setting("CONSOLE_SMTP_URL", "smtp", setting_values.mail_server, None, "The server that takes the console's mail."),
    Setting(
        "CONSOLE_MAIL_FROM", "mail_from", setting_values.mail_address, None, "The sender of the console's mail; required for sending any."
    ),
    Setting(
        "CONSOLE_CHECKPOINT_WEBHOOK_URL",
        "checkpoint_webhook_url",
        setting_values.target,
        None,
        "Where each checkpoint of the log is posted to, as text.",
    ),
    Setting(
        "CONSOLE_CHECKPOINT_WEBHOOK_SECRET",
        "checkpoint_webhook_secret",
        setting_values.webhook_secret,
        None,
        "Signs these requests (Standard Webhooks), so that the receiver knows them for ours; required with the URL.",
    ),
    Setting(
        "CONSOLE_CHECKPOINT_MAIL_TO",
        "checkpoint_mail_to",
        setting_values.mail_addresses,
        None,
        "Auditors who get the newest checkpoint by mail, at most one an hour.",
    ),
    Setting(
        "CONSOLE_CHECKPOINT_S3_URL",
        "checkpoint_s3_url",
        setting_values.store,
        None,
        "The bucket, and folder in it, of an S3-compatible store where each checkpoint is put as an object.",
    ),
    Setting(
        "CONSOLE_CHECKPOINT_S3_REGION",
        "checkpoint_s3_region",
        setting_values.word,
        "us-east-1",
        "The region that requests to the store are signed for.",
    ),
    Setting(
        "CONSOLE_CHECKPOINT_S3_KEY_ID",
        "checkpoint_s3_key_id",
        setting_values.word,
        None,
        "Who puts the objects; may have the right to do so and no other.",
    ),
    Setting("CONSOLE_CHECKPOINT_S3_SECRET", "checkpoint_s3_secret", setting_values.word, None, "The secret key of that id."),
    Setting(
        "CONSOLE_CHECKPOINT_S3_RETENTION_DAYS",
        "checkpoint_s3_retention_days",
        setting_values.between(1, 36500),
        None,
        "For how long nobody may delete such an object (Object Lock, compliance mode); unset: what the bucket says.",
    ),
    Setting(
        "CONSOLE_SQLITE_FOLDERS",
        "sqlite_folders",
        setting_values.folders,
        None,
        "The folders in which SQLite files that are connected may lie, with commas between them; unset: only the command line connects such files.",
    ),
    Setting(
        "CONSOLE_RECORD_FILES",
        "record_files",
        setting_values.folder,
        None,
        "The folder with a folder for each collection, in which the files lie that columns of its records name; the demo's own by default there.",
    ),
    Setting(
        "CONSOLE_HOOKS",
        "hooks",
        setting_values.modules,
        None,
        "Python modules, separated by commas, with code of your own: computed fields, segments and actions.",
    ),
    Setting(
        "CONSOLE_FILE_MB", "file_mb", setting_values.between(1, 200), 20, "How large a file may be that somebody hands in, in megabytes."
    ),
    Setting(
        "CONSOLE_REQUEST_MB",
        "request_mb",
        setting_values.between(1, 1000),
        100,
        "How large all files together may be that come with one step, or for one request for documents, in megabytes.",
    ),
    Setting(
        "CONSOLE_CLAMD",
        "clamd",
        setting_values.scanner,
        None,
        "Where the virus scanner clamd listens (the path of its socket, or host:port), which looks at each file before it is kept; unset: files are not scanned.",
    ),
    Setting(
        "CONSOLE_AI_PROVIDER",
        "ai_provider",
        setting_values.provider,
        None,
        "Who fills forms in beforehand: anthropic, openai_compatible or rules; unset: anthropic where ANTHROPIC_API_KEY is set, else what is chosen in the console, else rules.",
    ),
    Setting(
        "CONSOLE_AI_MODEL",
        "ai_model",
        setting_values.model,
        None,
        "The model that is asked, by its provider's name; for anthropic claude-haiku-5-5 where it is unset, required with openai_compatible.",
    ),
    Setting(
        "CONSOLE_AI_SECONDS",
        "ai_seconds",
        setting_values.between(1, 60),
        8,
        "How long a proposal may take altogether, every try and wait included.",
    ),
    Setting(
        "CONSOLE_AI_BREAKER",
        "ai_breaker",
        setting_values.switch,
        True,
        "Whether a provider that fails again and again is left alone for a minute; off for tests.",
    ),
    Setting(
        "CONSOLE_AI_API_KEY",
        "ai_api_key",
        setting_values.line,
        None,
        "The key that the provider wants; an OpenAI-compatible endpoint of your own may want none.",
    ),
    Setting(
        "CONSOLE_AI_BASE_URL",
        "ai_base_url",
        setting_values.base_url,
        None,
        "Where the provider's API lies: required with openai_compatible (up to and with /v1), with anthropic for a gateway; named here, a host of your own network or plain http is meant.",
    ),
    Setting(
        "ANTHROPIC_API_KEY",
        "anthropic_api_key",
        setting_values.line,
        None,
        "The key for Anthropic; alone it is enough to have their model propose.",
    ),
    Setting(
        "ANTHROPIC_BASE_URL",
        "anthropic_base_url",
        setting_values.base_url,
        None,
        "Where Anthropic's API lies, where it is not at their own address; as CONSOLE_AI_BASE_URL, which wins.",
    ),
    *(
        Setting(
            f"CONSOLE_KEEP_{name.upper()}_DAYS",
            f"keep_{name}_days",
            setting_values.between(30, 36_500),
            None,
            f"After how many days {what} is deleted; the events stay. Unset: never.",
        )
        for name, what in KEPT.items()
    ),
    Setting(
        "CONSOLE_AI_BLIND_PERCENT",
        "ai_blind_percent",
        setting_values.between(0, 50),
        None,
        "Of how many in a hundred proposals a person sees nothing before deciding, so that it can be told whether proposals help; 0: of none. Unset: what is chosen in the console, 5 at first.",
    ),
    Setting(
        "CONSOLE_DEMO",
        "demo",
        setting_values.switch,
        False,
        "Serves the demo company: says so on every page and prints who can sign in. `bin/demo` sets it.",
    ),
)
"""Every setting, in the order of docs/reference/settings.md."""
