"""The pure rules: no Flask, no SQLAlchemy, no clock, no randomness, no network."""

__all__ = [
    "actor",
    "document_letters",
    "documents",
    "effect_kinds",
    "events",
    "expressions",
    "filters",
    "forms",
    "media",
    "moments",
    "origins",
    "papers",
    "policy",
    "related_record",
    "run",
    "scopes",
    "stakes",
]
