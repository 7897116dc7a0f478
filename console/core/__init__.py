"""The pure rules: no Flask, no SQLAlchemy, no clock, no randomness, no network."""

OPEN_MODULES = frozenset(
    {
        "actor", "blocks", "contact_consents", "contact_rules", "contact_stages", "contacting", "counted_moments", "currencies", "document_letters", "documents", "drafting", "effect_kinds", "events",
        "events_of_workflows", "expressions", "filter_expressions", "filters", "former_documents", "forms", "json_equality", "list_addresses", "media", "merge_fields", "message_codes", "message_words",
        "moments", "origins", "outcome_words", "papers", "plain_words", "right_words", "policy", "record_links", "related_record", "run", "schedule", "schedule_words", "scopes", "seen_before",
        "signatures", "sms_gateway", "sms_text", "speaking", "spoken_times", "stakes", "stop_words", "tag_names", "translations", "working_time",
    }
)  # fmt: skip
