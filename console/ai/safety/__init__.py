"""What protects a model's prompt and its answer: redaction, injection scan, literal quotes, the guard."""

OPEN_MODULES = frozenset(
    {"contact_details", "guard", "injection_scan", "literal_quotes", "redaction", "written_values"}
)
