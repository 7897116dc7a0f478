"""The ways out of the console: HTTP (`net` for requests, `connections` for libraries that bring their own) and mail."""

OPEN_MODULES = frozenset(
    {
        "authlib_session",
        "connections",
        "http_requests",
        "imap",
        "kept_channels",
        "mail",
        "net",
        "outgoing_secrets",
        "retry_after",
        "s3_signature",
    }
)
