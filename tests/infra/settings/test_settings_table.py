"""Every setting, its good values, its bad ones with what is said, and the same through a file."""

import base64
import os
from pathlib import Path

import pytest

from console.infra import settings
from console.infra.settings import AI, SETTINGS, MailBox, MailServer, Settings, SettingsError
from tests.tables import cases

KEY = bytes(range(32))
B64, HEX = base64.b64encode(KEY).decode(), KEY.hex()
SERVER = "postgresql://console:hush@db:5432/console?sslmode=require"
KEPT = ("RUNS", "SCREENS", "LOOKS", "CHANGES", "SIGN_INS")
DEFAULTS: dict[str, object] = {
    "database_url": None,
    "database_migration_url": None,
    "database_replica_url": None,
    "base_url": None,
    "trusted_proxies": 0,
    "given_rate_limits": None,
    "idle_save_minutes": 30,
    "demo": False,
    **{f"keep_{name.lower()}_days": None for name in KEPT},
    "given_secret_key": None,
    "given_master_key": None,
    "given_signing_key": None,
    "data_dir": Path("data").absolute(),
    "new_signing_key": None,
    "private_hosts": frozenset(),
    "http_targets": {},
    "http_secrets": {},
    "oidc_issuer": None,
    "oidc_client_id": None,
    "oidc_client_secret": None,
    "smtp": None,
    "mail_from": None,
    "sandbox": True,
    "twilio_url": "https://api.twilio.com",
    "twilio_account_sid": None,
    "twilio_auth_token": None,
    "twilio_from": None,
    "call_url": None,
    "call_secret": None,
    "call_from": None,
    "chat_targets": {},
    "checkpoint_webhook_url": None,
    "checkpoint_webhook_secret": None,
    "checkpoint_mail_to": (),
    "checkpoint_s3_url": None,
    "checkpoint_s3_region": "us-east-1",
    "checkpoint_s3_key_id": None,
    "checkpoint_s3_secret": None,
    "checkpoint_s3_retention_days": None,
    "sqlite_folders": None,
    "given_record_files": None,
    "hooks": (),
    "file_mb": 20,
    "request_mb": 100,
    "clamd": None,
    "ai_provider": None,
    "ai_model": None,
    "ai_seconds": 8,
    "ai_breaker": True,
    "ai_blind_percent": None,
    "ai_api_key": None,
    "ai_base_url": None,
    "anthropic_api_key": None,
    "anthropic_base_url": None,
}
ON, OFF = ["on", "On", "TRUE", "true", "yes", "1"], ["off", "OFF", "false", "no", "0"]
GOOD: dict[str, list[tuple[str, object]]] = {
    "DATABASE_URL": [
        (SERVER, SERVER),
        ("postgres://db/c", "postgresql://db/c"),
        ("POSTGRES://db/c", "postgresql://db/c"),
        ("postgresql:///console?host=/run", "postgresql:///console?host=/run"),
    ],
    "DATABASE_MIGRATION_URL": [(SERVER, SERVER)],
    "DATABASE_REPLICA_URL": [(SERVER, SERVER)],
    "CONSOLE_DATA_DIR": [
        ("/srv/data", Path("/srv/data")),
        ("here", Path("here").absolute()),
        ("~/x", Path("~/x").expanduser()),
    ],
    "CONSOLE_SECRET_KEY": [("s" * 32, "s" * 32), ("ä" * 40, "ä" * 40)],
    "CONSOLE_MASTER_KEY": [(B64, KEY), (HEX, KEY), (HEX.upper(), KEY), (B64.rstrip("="), KEY)],
    "CONSOLE_SIGNING_KEY": [(B64, KEY), (base64.urlsafe_b64encode(b"\xfb" * 32).decode(), b"\xfb" * 32)],
    "CONSOLE_BASE_URL": [
        ("https://a.example", "https://a.example"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://a.example/ops//", "https://a.example/ops"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://A.example", "HTTPS://A.example"),
    ],
    "CONSOLE_TRUSTED_PROXIES": [("0", 0), ("9", 9), ("007", 7)],
    "CONSOLE_RATE_LIMITS": [
        *((text, (60, 1_000, 10_000)) for text in ON),
        *((text, ()) for text in OFF),
        ("5/h", (60, 5, 10_000)),
        ("1/min, 2/h,3/day", (1, 2, 3)),
    ],
    "CONSOLE_IDLE_SAVE_MINUTES": [("1", 1), ("1440", 1440)],
    "CONSOLE_NEW_SIGNING_KEY": [(B64, KEY)],
    "CONSOLE_PRIVATE_HOSTS": [
        ("a.example", frozenset({"a.example"})),
        ("Store.Internal., 10.0.0.7,[::1]", frozenset({"store.internal", "10.0.0.7", "::1"})),
    ],
    "CONSOLE_HTTP_TARGETS": [
        ("a=https://a.example/", {"a": "https://a.example"}),
        (
            " bank_2 = http://10.0.0.7:9/x , b=https://[::1]",
            {"bank_2": "http://10.0.0.7:9/x", "b": "https://[::1]"},
        ),
    ],
    "CONSOLE_HTTP_SECRETS": [
        ("a=sk_12345678", {"a": "sk_12345678"}),
        ("a=12345678==, b=87654321", {"a": "12345678==", "b": "87654321"}),
    ],
    "CONSOLE_MCP_COMMANDS": [
        ("a=/bin/a", {"a": ("/bin/a",)}),
        (
            " a = node '/x y/b.js' --c=d ; b_2=/bin/b",
            {"a": ("node", "/x y/b.js", "--c=d"), "b_2": ("/bin/b",)},
        ),
    ],
    "CONSOLE_OIDC_ISSUER": [
        ("https://id.example", "https://id.example"),
        ("https://id.example/realms/x/", "https://id.example/realms/x/"),
        ("http://inside.example/x", "http://inside.example/x"),
    ],
    "CONSOLE_OIDC_CLIENT_ID": [("handrail", "handrail"), ("0oa1-b2.c3~d4", "0oa1-b2.c3~d4")],
    "CONSOLE_OIDC_CLIENT_SECRET": [("s3cr3t!%&+/=", "s3cr3t!%&+/=")],
    "CONSOLE_IMAP_URL": [
        ("imaps://u%40x:p%3Aw@mail.example", MailBox("mail.example", 993, "at once", "u@x", "p:w")),
        (
            "imap://u:p@mail.example:1143/Answers%20here",
            MailBox("mail.example", 1143, "starttls", "u", "p", "Answers here"),
        ),
        ("imap://u:p@127.0.0.1?tls=off", MailBox("127.0.0.1", 143, "off", "u", "p")),
    ],
    "CONSOLE_SMTP_URL": [
        ("smtp://mail.example", MailServer("mail.example", 587, "starttls")),
        ("smtps://mail.example", MailServer("mail.example", 465, "at once")),
        ("smtp://u%40x:p%3Aw@mail.example:2525/", MailServer("mail.example", 2525, "starttls", "u@x", "p:w")),
        ("smtp://127.0.0.1?tls=off", MailServer("127.0.0.1", 25, "off")),
    ],
    "CONSOLE_MAIL_FROM": [("a@b.example", "a@b.example")],
    "CONSOLE_SANDBOX": [*((text, True) for text in ON), *((text, False) for text in OFF)],
    "CONSOLE_TWILIO_URL": [
        ("https://twilio.example", "https://twilio.example"),
        ("http://inside.example:8080", "http://inside.example:8080"),
    ],
    "CONSOLE_TWILIO_ACCOUNT_SID": [("AC123", "AC123")],
    "CONSOLE_TWILIO_AUTH_TOKEN": [("s3cret", "s3cret")],
    "CONSOLE_TWILIO_FROM": [("+37060000000", "+37060000000"), ("MG123", "MG123")],
    "CONSOLE_CALL_URL": [("https://calls.example/v1", "https://calls.example/v1")],
    "CONSOLE_CALL_SECRET": [("whsec_" + B64, KEY)],
    "CONSOLE_CALL_FROM": [("+37060000000", "+37060000000")],
    "CONSOLE_CHAT_TARGETS": [("sales=https://chat.example/hook", {"sales": "https://chat.example/hook"})],
    "CONSOLE_CHECKPOINT_WEBHOOK_URL": [
        (text, text)
        for text in ("https://a.example", "https://a.example:8443/x/y?z=1", "http://inside.example/x")
    ],
    "CONSOLE_CHECKPOINT_WEBHOOK_SECRET": [(f"whsec_{B64}", KEY), (B64, KEY)],
    "CONSOLE_CHECKPOINT_MAIL_TO": [
        ("a@b.example", ("a@b.example",)),
        ("a@b.example, c+d@e.example,a@b.example", ("a@b.example", "c+d@e.example")),
    ],
    "CONSOLE_CHECKPOINT_S3_URL": [
        ("https://s3.example/audit", "https://s3.example/audit"),
        ("https://audit.s3.example/", "https://audit.s3.example"),
        ("http://inside.example:9000/audit/x/", "http://inside.example:9000/audit/x"),
    ],
    "CONSOLE_CHECKPOINT_S3_REGION": [("eu-west-1", "eu-west-1")],
    "CONSOLE_CHECKPOINT_S3_KEY_ID": [("AKIA1", "AKIA1")],
    "CONSOLE_CHECKPOINT_S3_SECRET": [("a/b+c", "a/b+c")],
    "CONSOLE_CHECKPOINT_S3_RETENTION_DAYS": [("1", 1), ("36500", 36500)],
    "CONSOLE_SQLITE_FOLDERS": [("/srv/a b, /srv/c", (Path("/srv/a b"), Path("/srv/c")))],
    "CONSOLE_RECORD_FILES": [("/srv/scans", Path("/srv/scans")), ("here", Path("here").absolute())],
    "CONSOLE_DRY_RUN_READS_ONLY": [("shop, desk", frozenset({"shop", "desk"}))],
    "CONSOLE_HOOKS": [("acme.hooks", ("acme.hooks",)), (" a , b.c,", ("a", "b.c"))],
    "CONSOLE_FILE_MB": [("1", 1), ("200", 200)],
    "CONSOLE_REQUEST_MB": [("1", 1), ("1000", 1000)],
    "CONSOLE_CLAMD": [
        (text, text) for text in ("/run/clamav/clamd.ctl", "localhost:3310", "[::1]:3310", "10.0.0.7:3310")
    ],
    "CONSOLE_AI_PROVIDER": [
        ("anthropic", "anthropic"),
        ("OpenAI_compatible", "openai_compatible"),
        ("RULES", "rules"),
    ],
    "CONSOLE_AI_MODEL": [(text, text) for text in ("claude-haiku-5-5", "meta/llama-4:70b-q4", "a@b", "7b+")],
    "CONSOLE_AI_SECONDS": [("1", 1), ("60", 60), ("8", 8)],
    "CONSOLE_AI_BREAKER": [*((text, True) for text in ON), *((text, False) for text in OFF)],
    "CONSOLE_AI_API_KEY": [(text, text) for text in ("sk-ant-1", "k" * 200, "a/b+c=")],
    "CONSOLE_AI_BASE_URL": [
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"),
        ("https://gateway.example/openai/v1", "https://gateway.example/openai/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
    "ANTHROPIC_API_KEY": [("sk-ant-1", "sk-ant-1")],
    "ANTHROPIC_BASE_URL": [
        ("https://gateway.example/anthropic/", "https://gateway.example/anthropic"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
    **{f"CONSOLE_KEEP_{name}_DAYS": [("30", 30), ("36500", 36_500)] for name in KEPT},
    "CONSOLE_AI_BLIND_PERCENT": [("0", 0), ("50", 50)],
    "CONSOLE_DEMO": [*((text, True) for text in ON), *((text, False) for text in OFF)],
}
URL, ADDRESS, SWITCH = (
    "takes postgresql://user:password@host:port/database",
    "takes http(s)://host[:port][/path]",
    "takes on or off",
)
BASE_URL = "takes http(s)://host[:port][/path], without a user"
HOSTS = "takes names or addresses of hosts, without ports, with commas between them"
TARGETS = "takes name=https://host[:port][/path], with commas between several; a name is small letters, digits and _"
COMMANDS = "takes name=program argument …, with ; between several; a name is small letters, digits and _"
SECRETS = "takes name=secret, with commas between several; a secret is 8 or more characters without blanks"
SMTP = "takes smtp://[user:password@]host[:port] (STARTTLS), smtps://… (TLS at once), or smtp://host[:port]?tls=off without a password"
IMAP = "takes imaps://user:password@host[:port][/folder] (TLS at once) or imap://… (STARTTLS; on this machine also without, ?tls=off)"
BYTES = "takes 32 random bytes in base64 or as 64 hexadecimal digits"
BAD: dict[str, list[tuple[str, str]]] = {
    "DATABASE_URL": [
        (text, URL)
        for text in (
            "x",
            "mysql://db/c",
            "postgresql:db",
            "postgresql:/db",
            "postgresql",
            "postgresql+psycopg://db",
            "http://[x",
        )
    ],
    "DATABASE_MIGRATION_URL": [("sqlite:///x", URL)],
    "DATABASE_REPLICA_URL": [("sqlite:///x", URL)],
    "CONSOLE_DATA_DIR": [("~no-such-person-here/x", "takes a folder; there is no such person's home")],
    "CONSOLE_SECRET_KEY": [("s" * 31, "takes at least 32 characters, drawn at random")],
    "CONSOLE_MASTER_KEY": [
        (text, BYTES)
        for text in (
            "x",
            HEX[:-2],
            HEX[:-1] + "g",
            B64[:-4],
            B64 + "AAAA",
            "ä" * 43,
            " " * 64,
            B64[:20] + "\n" + B64[20:],
        )
    ],
    "CONSOLE_SIGNING_KEY": [(HEX + "00", BYTES), ("-" * 43 + "+", BYTES)],
    "CONSOLE_BASE_URL": [
        (text, ADDRESS)
        for text in (
            "a.example",
            "//a.example",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https://a.example?x=1",
            "https://a.example/#x",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:port",
            "https://user:pass@a.example",
            "https://user@a.example",
            "http://[::1",
            "javascript:alert(1)",
        )
    ],
    "CONSOLE_TRUSTED_PROXIES": [
        (text, "takes a whole number from 0 to 9")
        for text in ("-1", "10", "1.0", "²", "٣", "one", "1" * 5_000)
    ],
    "CONSOLE_RATE_LIMITS": [
        (text, "takes on, off, or how many requests, such as 120/min,5000/h,50000/day")
        for text in ("maybe", "2", "o n", "0/min", "5/s", "5/h,", "-1/h")
    ],
    "CONSOLE_IDLE_SAVE_MINUTES": [
        (text, "takes a whole number from 1 to 1440") for text in ("0", "1441", "30s")
    ],
    "CONSOLE_NEW_SIGNING_KEY": [("x", BYTES)],
    "CONSOLE_PRIVATE_HOSTS": [
        (text, HOSTS) for text in ("a b", "a,,b", "https://a.example", "a/24", "ä.example")
    ],
    "CONSOLE_HTTP_TARGETS": [
        (text, TARGETS)
        for text in (
            "https://a.example",
            "A=https://a.example",
            "a=ftp://a",
            "a=https://u:p@a.example",
            "a=https://a.example?x",
            "a=https://a,a=https://b",
            "a=",
        )
    ],
    "CONSOLE_HTTP_SECRETS": [
        (text, SECRETS)
        for text in ("a=short", "a=has blanks in", "12345678", "A=12345678", "a=12345678,a=12345678")
    ],
    "CONSOLE_MCP_COMMANDS": [
        (text, COMMANDS)
        for text in ("/bin/a", "A=/bin/a", "a=", "a='x", "a=/bin/a;a=/bin/b", "a=/bin/a;", ";")
    ],
    "CONSOLE_OIDC_ISSUER": [
        (text, "takes https://host[:port]/path, without a user")
        for text in ("id.example", "https://u:p@id.example", "https://", "ftp://id.example")
    ],
    "CONSOLE_OIDC_CLIENT_ID": [
        (text, "takes printable characters without spaces") for text in ("a b", "ä", "a\nb")
    ],
    "CONSOLE_OIDC_CLIENT_SECRET": [
        (text, "takes printable characters without spaces") for text in ("a b", "a\tb")
    ],
    "CONSOLE_SMTP_URL": [
        (text, SMTP)
        for text in (
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://u@mail.example",
            "smtp://:p@mail.example",
            "smtp://u:p@mail.example?tls=off",
            "smtps://mail.example?tls=off",
            "smtp://mail.example?tls=on",
            "smtp://mail.example/x",
            "smtp://mail.example:0",
            "smtp://mail example",
        )
    ],
    "CONSOLE_MAIL_FROM": [
        (text, "takes a mail address")
        for text in ("a", "a@", "@b", "a@b@c", "a b@c", "A <a@b.example>", "a@b.example\nBcc: x@y.example")
    ],
    "CONSOLE_DRY_RUN_READS_ONLY": [("a\x07b", "takes names of data sources, with commas between them")],
    "CONSOLE_IMAP_URL": [
        (text, IMAP)
        for text in (
            "imap://host",
            "imaps://user@host",
            "imap://u:p@mail.example?tls=off",
            "imaps://u:p@host?x=1",
            "pop://u:p@host",
            "imaps://u:p@host/a%0ab",
        )
    ],
    "CONSOLE_SANDBOX": [("maybe", SWITCH)],
    "CONSOLE_TWILIO_URL": [("twilio", "takes https://host[:port]/path, without a user")],
    "CONSOLE_TWILIO_ACCOUNT_SID": [("a b", "takes letters, digits and - . _ / + =, without spaces")],
    "CONSOLE_TWILIO_AUTH_TOKEN": [("a b", "takes letters, digits and - . _ / + =, without spaces")],
    "CONSOLE_TWILIO_FROM": [("a b", "takes printable characters without spaces")],
    "CONSOLE_CALL_URL": [("calls", "takes https://host[:port]/path, without a user")],
    "CONSOLE_CALL_SECRET": [("short", "takes whsec_ and 24 to 64 random bytes in base64")],
    "CONSOLE_CALL_FROM": [("a b", "takes printable characters without spaces")],
    "CONSOLE_CHAT_TARGETS": [
        (
            "chat",
            "takes name=https://host[:port][/path], with commas between several; a name is small letters, digits and _",
        )
    ],
    "CONSOLE_CHECKPOINT_WEBHOOK_URL": [
        (text, "takes https://host[:port]/path, without a user")
        for text in (
            "a.example",
            "ftp://a.example",
            "https://",
            "https://u:p@a.example/",
            "https://a.example/#x",
            "https://a.example/ä",
            "https://a.example/a b",
            "https://[::1",
        )
    ],
    "CONSOLE_CHECKPOINT_WEBHOOK_SECRET": [
        (text, "takes whsec_ and 24 to 64 random bytes in base64")
        for text in ("x", "whsec_", f"whsec_{B64[:24]}", "whsec_" + "A" * 88)
    ],
    "CONSOLE_CHECKPOINT_MAIL_TO": [
        (text, "takes mail addresses, with commas between them")
        for text in ("a", "a@b.example;c@d.example", "a@b.example,", ",")
    ],
    "CONSOLE_CHECKPOINT_S3_URL": [
        (text, "takes https://host[:port]/bucket[/folder]: the address under which objects are put")
        for text in (
            "s3://audit",
            "https://s3.example/a b",
            "https://s3.example/audit?x=1",
            "https://u:p@s3.example/audit",
            "https://s3.example/ä",
            "https://s3.example/a%20b",
        )
    ],
    "CONSOLE_CHECKPOINT_S3_REGION": [("eu west", "takes letters, digits and - . _ / + =, without spaces")],
    "CONSOLE_CHECKPOINT_S3_KEY_ID": [("a\nb", "takes letters, digits and - . _ / + =, without spaces")],
    "CONSOLE_CHECKPOINT_S3_SECRET": [("a b", "takes letters, digits and - . _ / + =, without spaces")],
    "CONSOLE_CHECKPOINT_S3_RETENTION_DAYS": [
        (text, "takes a whole number from 1 to 36500") for text in ("0", "36501", "forever")
    ],
    "CONSOLE_SQLITE_FOLDERS": [
        (text, "takes folders by their whole path, from / on, with commas between them")
        for text in ("srv/databases", ",", "/srv,data")
    ],
    "CONSOLE_RECORD_FILES": [("~no-such-person-here/x", "takes a folder; there is no such person's home")],
    "CONSOLE_HOOKS": [
        (text, "takes names of Python modules such as acme.console_hooks, separated by commas")
        for text in ("acme hooks", "a..b", "./a.py", "1a")
    ],
    "CONSOLE_FILE_MB": [(text, "takes a whole number from 1 to 200") for text in ("0", "201", "20MB")],
    "CONSOLE_REQUEST_MB": [(text, "takes a whole number from 1 to 1000") for text in ("0", "1001")],
    "CONSOLE_CLAMD": [
        (text, "takes the path of clamd's socket, such as /run/clamav/clamd.ctl, or host:port")
        for text in (
            "clamd",
            "clamd:",
            "clamd:0",
            "clamd:99999",
            ":3310",
            "a b:3310",
            "tcp://a:3310",
            "run/clamd.ctl",
        )
    ],
    "CONSOLE_AI_PROVIDER": [
        (text, "takes anthropic, openai_compatible or rules") for text in ("openai", "claude", "none", "off")
    ],
    "CONSOLE_AI_MODEL": [
        (text, "takes the name of a model, without spaces")
        for text in ("claude haiku", "-x", "a\nb", "ä", "x" * 201, "a;b")
    ],
    "CONSOLE_AI_SECONDS": [
        (text, "takes a whole number from 1 to 60") for text in ("0", "61", "8.5", "-1", "8s")
    ],
    "CONSOLE_AI_BREAKER": [("maybe", SWITCH)],
    "CONSOLE_AI_API_KEY": [
        (text, "takes printable characters without spaces") for text in ("a b", "ä", "a\nb")
    ],
    "CONSOLE_AI_BASE_URL": [
        (text, BASE_URL)
        for text in (
            "127.0.0.1:11434",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example?key=1",
            "https://a.example/#x",
            "https://",
            "https://a b",
        )
    ],
    "ANTHROPIC_API_KEY": [("a b", "takes printable characters without spaces")],
    "ANTHROPIC_BASE_URL": [(text, BASE_URL) for text in ("api.anthropic.com", "https://u@a.example")],
    **{
        f"CONSOLE_KEEP_{name}_DAYS": [
            (text, "takes a whole number from 30 to 36500") for text in ("29", "0", "36501", "1y")
        ]
        for name in KEPT
    },
    "CONSOLE_AI_BLIND_PERCENT": [(text, "takes a whole number from 0 to 50") for text in ("51", "5%", "-1")],
    "CONSOLE_DEMO": [("demo", SWITCH)],
}


def told(**environ: str) -> Settings:
    """Settings of an environment in which nothing else is set; what a migration needs stands beside it."""
    wanting = [setting for setting in SETTINGS if any(name.startswith(setting.name) for name in environ)]
    beside = {other: GOOD[other][0][0] for setting in wanting for other in setting.needs}
    if any(setting.https for setting in wanting):
        beside["CONSOLE_PRIVATE_HOSTS"] = "inside.example"
    if any(name.startswith("CONSOLE_AI_") for name in environ):
        beside |= {"CONSOLE_AI_PROVIDER": "anthropic", "ANTHROPIC_API_KEY": "sk-ant-beside"}
        beside = {name: text for name, text in beside.items() if f"{name}_FILE" not in environ}
    if "openai_compatible" in (
        environ.get("CONSOLE_AI_PROVIDER", "").lower(),
        _text(environ.get("CONSOLE_AI_PROVIDER_FILE")),
    ):
        beside |= {"CONSOLE_AI_MODEL": "m", "CONSOLE_AI_BASE_URL": "https://models.example/v1"}
    return settings.read({"CONSOLE_ENV_FILE": os.devnull} | beside | environ)


def _text(file: str | None) -> str:
    return Path(file).read_text(encoding="utf-8").strip().lower() if file and Path(file).is_file() else ""


FIELDS = {setting.name: setting.field for setting in SETTINGS}
DECLARED = {setting.name: setting.default for setting in SETTINGS}
GOOD_ROWS = [
    pytest.param(name, text, made, id=f"{name}-{n}")
    for name, rows in GOOD.items()
    for n, (text, made) in enumerate(rows)
]
BAD_ROWS = [
    pytest.param(name, text, said, id=f"{name}-{n}")
    for name, rows in BAD.items()
    for n, (text, said) in enumerate(rows)
]


def test_every_reader_of_a_setting_is_in_both_tables() -> None:
    """A setting whose reader others have too needs no line of its own."""
    readers = {setting.name: setting.read.__qualname__ for setting in SETTINGS}
    proved = {readers[name] for name in set(GOOD) & set(BAD)}
    lacking = {name: reader for name, reader in readers.items() if reader not in proved}
    assert not lacking, (
        f"give GOOD and BAD texts that {', '.join(lacking)} takes and refuses: its reader is read by no other setting"
    )
    assert set(GOOD) == set(BAD) <= set(FIELDS)


@pytest.mark.parametrize(("name", "text", "made"), GOOD_ROWS)
def test_a_good_value_by_its_name_and_by_a_file(name: str, text: str, made: object, tmp_path: Path) -> None:
    (tmp_path / "value").write_text(f"{text}\n", encoding="utf-8")
    assert getattr(told(**{name: text}), FIELDS[name]) == made
    assert getattr(told(**{f"{name}_FILE": str(tmp_path / "value")}), FIELDS[name]) == made


@pytest.mark.parametrize(("name", "text", "said"), BAD_ROWS)
def test_a_bad_value_is_told_with_its_name_and_what_is_taken_and_never_repeated(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as refused:
        told(**{name: text})
    assert refused.value.message == f"{name} {said}"
    (tmp_path / "value").write_text(text, encoding="utf-8")
    if text.strip():
        with pytest.raises(SettingsError) as refused:
            told(**{f"{name}_FILE": str(tmp_path / "value")})
        assert refused.value.message == f"{name}_FILE {said}"


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_not_set_or_empty_has_its_default(name: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("\n")
    for environ in ({}, {name: ""}, {f"{name}_FILE": ""}, {f"{name}_FILE": str(tmp_path / "value")}):
        assert getattr(told(**environ), FIELDS[name]) == DEFAULTS.get(FIELDS[name], DECLARED[name])


@pytest.mark.parametrize("name", GOOD)
def test_a_value_and_a_file_at_once_are_one_too_many(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        told(**{name: GOOD[name][0][0], f"{name}_FILE": str(tmp_path / "none")})
    assert f"{name} and {name}_FILE are both set: give one" in refused.value.message


@pytest.mark.parametrize("name", FIELDS)
def test_a_file_that_is_not_there_is_told_by_the_settings_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^{name}_FILE cannot be read: No such file") as refused:
        told(**{f"{name}_FILE": str(tmp_path / "secret-name")})
    assert "secret-name" not in refused.value.message


def test_all_that_is_wrong_is_told_at_once_line_by_line() -> None:
    wrong = {name: rows[0][0] for name, rows in BAD.items()}
    with pytest.raises(SettingsError) as refused:
        told(**wrong, CONSOLE_COLOUR="red")
    lines = refused.value.message.splitlines()
    assert [line.split()[0] for line in lines] == ["CONSOLE_COLOUR", *wrong]


@cases(
    ("name", "known"),
    [
        ("CONSOLE_", False),
        ("CONSOLE_FILE", False),
        ("CONSOLE_DEMO_FILE_FILE", False),
        ("console_demo", True),
        ("XCONSOLE_DEMO", True),
        ("CONSOLE_ENV", False),
        ("DATABASE_COLOUR", True),
        ("CONSOLE_DEMO ", False),
    ],
)
def test_only_names_that_look_like_ours_and_are_not_are_refused(name: str, known: bool) -> None:
    if known:
        assert told(**{name: "on"}).demo is False
        return
    with pytest.raises(SettingsError, match="is not a setting of this console"):
        told(**{name: "on"})


@cases(
    ("text", "values"),
    [
        ("", {}),
        ("# only words\n\n   # more\n", {}),
        ("A=1", {"A": "1"}),
        ("A=", {"A": ""}),
        (" A = 1 ", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("export   A=1", {"A": "1"}),
        ("A='1 # 2' # three", {"A": "1 # 2"}),
        ('A="x"y', {"A": "x"}),
        ('A="unfinished', {"A": '"unfinished'}),
        ("A=''", {"A": ""}),
        ("A=a#b", {"A": "a#b"}),
        ("A=a # b", {"A": "a"}),
        ("A=b=c", {"A": "b=c"}),
        ("A=$HOME `x` \\n", {"A": "$HOME `x` \\n"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=ä\u202e", {"A": "ä\u202e"}),
    ],
)
def test_lines_of_an_env_file(text: str, values: dict[str, str]) -> None:
    assert settings.parse_env(text, ".env") == values


@cases("line", ["A", "=1", "A B=1", "1A=1", "A-B=1", "export", "$A=1", "A\x00=1", "<A>=1"])
def test_a_line_that_sets_nothing_is_told_by_its_number(line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings.parse_env(f"# first\nB=2\n{line}\n", "my.env")
    assert refused.value.message == "my.env, line 3: takes NAME=value"


@pytest.mark.parametrize(("raw", "said"), [(b"\xff\xfeA=1", "not UTF-8 text"), (b"A=\xe4", "not UTF-8 text")])
def test_an_env_file_in_another_encoding_is_told_and_not_a_fault(
    raw: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "prod.env").write_bytes(raw)
    with pytest.raises(SettingsError) as refused:
        settings.read({"CONSOLE_ENV_FILE": str(tmp_path / "prod.env")})
    assert refused.value.message == f"prod.env cannot be read: {said}"


def test_a_byte_order_mark_before_the_first_name_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfCONSOLE_DEMO=on\n")
    assert settings.read({"CONSOLE_ENV_FILE": str(tmp_path / ".env")}).demo


def test_secrets_stand_in_no_text_of_the_settings() -> None:
    given = told(
        DATABASE_URL=SERVER, CONSOLE_SECRET_KEY="s3cret" * 6, CONSOLE_MASTER_KEY=B64, CONSOLE_SIGNING_KEY=HEX
    )
    for text in (repr(given), str(given)):
        assert not any(secret in text for secret in ("hush", "s3cret", B64, HEX, repr(KEY)))


def test_a_kept_secret_is_drawn_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "key"
    first = settings.keep_secret(file)
    assert settings.keep_secret(file) == first
    assert (len(base64.urlsafe_b64decode(first + "=")), file.stat().st_mode & 0o777) == (32, 0o600)
    assert [entry.name for entry in file.parent.iterdir()] == ["key"], "nothing half-written is left"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DATABASE_MIGRATION_URL": SERVER}, "DATABASE_MIGRATION_URL needs DATABASE_URL beside it"),
        ({"DATABASE_REPLICA_URL": SERVER}, "DATABASE_REPLICA_URL needs DATABASE_URL beside it"),
        (
            {"CONSOLE_CHECKPOINT_WEBHOOK_URL": "https://a.example"},
            "CONSOLE_CHECKPOINT_WEBHOOK_URL needs CONSOLE_CHECKPOINT_WEBHOOK_SECRET beside it",
        ),
        (
            {"CONSOLE_CHECKPOINT_MAIL_TO": "a@b.example"},
            "CONSOLE_CHECKPOINT_MAIL_TO needs CONSOLE_SMTP_URL and CONSOLE_MAIL_FROM beside it",
        ),
        (
            {"CONSOLE_CHECKPOINT_S3_URL": "https://s3.example/audit", "CONSOLE_CHECKPOINT_S3_KEY_ID": "A"},
            "CONSOLE_CHECKPOINT_S3_URL needs CONSOLE_CHECKPOINT_S3_SECRET beside it",
        ),
        (
            {
                "CONSOLE_CHECKPOINT_WEBHOOK_URL": "http://a.example",
                "CONSOLE_CHECKPOINT_WEBHOOK_SECRET": B64,
                "CONSOLE_PRIVATE_HOSTS": "b.example",
            },
            "CONSOLE_CHECKPOINT_WEBHOOK_URL takes https; plain http only for hosts that CONSOLE_PRIVATE_HOSTS names",
        ),
    ],
)
def test_what_needs_another_setting_says_which(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings.read({"CONSOLE_ENV_FILE": os.devnull} | environ)
    assert refused.value.message == said


ANTHROPIC, LOCAL, MODEL = "sk-ant-of-anthropic", "http://127.0.0.1:11434/v1", "llama-4"


@cases(
    ("environ", "made"),
    [
        ({}, AI()),
        ({"ANTHROPIC_BASE_URL": "https://gateway.example"}, AI()),
        ({"ANTHROPIC_API_KEY": ANTHROPIC}, AI("anthropic", None, ANTHROPIC, None, told=True)),
        (
            {"ANTHROPIC_API_KEY": ANTHROPIC, "ANTHROPIC_BASE_URL": "http://a"},
            AI("anthropic", None, ANTHROPIC, "http://a", told=True),
        ),
        (
            {"ANTHROPIC_API_KEY": ANTHROPIC, "CONSOLE_AI_MODEL": "claude-opus-5-5"},
            AI("anthropic", "claude-opus-5-5", ANTHROPIC, None, told=True),
        ),
        ({"ANTHROPIC_API_KEY": ANTHROPIC, "CONSOLE_AI_PROVIDER": "rules"}, AI(told=True)),
        ({"CONSOLE_AI_PROVIDER": "rules"}, AI(told=True)),
        (
            {"CONSOLE_AI_PROVIDER": "rules", "CONSOLE_AI_MODEL": MODEL, "CONSOLE_AI_API_KEY": "k"},
            AI(told=True),
        ),
        (
            {"CONSOLE_AI_PROVIDER": "anthropic", "CONSOLE_AI_API_KEY": "k"},
            AI("anthropic", None, "k", None, told=True),
        ),
        (
            {"CONSOLE_AI_PROVIDER": "anthropic", "CONSOLE_AI_API_KEY": "k", "ANTHROPIC_API_KEY": ANTHROPIC},
            AI("anthropic", None, "k", None, told=True),
        ),
        (
            {
                "CONSOLE_AI_PROVIDER": "anthropic",
                "ANTHROPIC_API_KEY": ANTHROPIC,
                "CONSOLE_AI_BASE_URL": "http://a",
                "ANTHROPIC_BASE_URL": "http://b",
            },
            AI("anthropic", None, ANTHROPIC, "http://a", told=True),
        ),
        (
            {
                "CONSOLE_AI_PROVIDER": "openai_compatible",
                "CONSOLE_AI_BASE_URL": LOCAL,
                "CONSOLE_AI_MODEL": MODEL,
            },
            AI("openai_compatible", MODEL, None, LOCAL, told=True),
        ),
        (
            {
                "CONSOLE_AI_PROVIDER": "openai_compatible",
                "CONSOLE_AI_BASE_URL": LOCAL,
                "CONSOLE_AI_MODEL": MODEL,
                "CONSOLE_AI_API_KEY": "k",
            },
            AI("openai_compatible", MODEL, "k", LOCAL, told=True),
        ),
        (
            {
                "CONSOLE_AI_PROVIDER": "openai_compatible",
                "CONSOLE_AI_BASE_URL": LOCAL,
                "CONSOLE_AI_MODEL": MODEL,
                "ANTHROPIC_API_KEY": ANTHROPIC,
                "ANTHROPIC_BASE_URL": "http://b",
            },
            AI("openai_compatible", MODEL, None, LOCAL, told=True),
        ),
        ({"CONSOLE_AI_SECONDS": "3", "CONSOLE_AI_BREAKER": "off"}, AI()),
    ],
)
def test_who_proposes(environ: dict[str, str], made: AI) -> None:
    assert settings.read({"CONSOLE_ENV_FILE": os.devnull} | environ).ai == made


@cases(
    ("environ", "said"),
    [
        ({"CONSOLE_AI_MODEL": MODEL}, "CONSOLE_AI_MODEL needs CONSOLE_AI_PROVIDER beside it"),
        ({"CONSOLE_AI_API_KEY": "k"}, "CONSOLE_AI_API_KEY needs CONSOLE_AI_PROVIDER beside it"),
        ({"CONSOLE_AI_BASE_URL": LOCAL}, "CONSOLE_AI_BASE_URL needs CONSOLE_AI_PROVIDER beside it"),
        (
            {"CONSOLE_AI_API_KEY": "k", "ANTHROPIC_API_KEY": ANTHROPIC},
            "CONSOLE_AI_API_KEY needs CONSOLE_AI_PROVIDER beside it",
        ),
        (
            {"CONSOLE_AI_PROVIDER": "anthropic"},
            "CONSOLE_AI_PROVIDER=anthropic needs ANTHROPIC_API_KEY or CONSOLE_AI_API_KEY beside it",
        ),
        (
            {"CONSOLE_AI_PROVIDER": "anthropic", "CONSOLE_AI_MODEL": MODEL},
            "CONSOLE_AI_PROVIDER=anthropic needs ANTHROPIC_API_KEY or CONSOLE_AI_API_KEY beside it",
        ),
        (
            {"CONSOLE_AI_PROVIDER": "openai_compatible"},
            "CONSOLE_AI_PROVIDER=openai_compatible needs CONSOLE_AI_BASE_URL and CONSOLE_AI_MODEL beside it",
        ),
        (
            {"CONSOLE_AI_PROVIDER": "openai_compatible", "CONSOLE_AI_MODEL": MODEL},
            "CONSOLE_AI_PROVIDER=openai_compatible needs CONSOLE_AI_BASE_URL beside it",
        ),
        (
            {"CONSOLE_AI_PROVIDER": "openai_compatible", "CONSOLE_AI_BASE_URL": LOCAL},
            "CONSOLE_AI_PROVIDER=openai_compatible needs CONSOLE_AI_MODEL beside it",
        ),
    ],
)
def test_half_of_a_provider_stops_the_start(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings.read({"CONSOLE_ENV_FILE": os.devnull} | environ)
    assert refused.value.message == said
