"""What protects a model's prompt and its answer: redaction, injection scan, literal quotes, the guard."""

OPEN_MODULES = frozenset(
    {
        "comparable_words",
        "contact_details",
        "guard",
        "injection_scan",
        "literal_quotes",
        "redaction",
        "written_values",
    }
)
