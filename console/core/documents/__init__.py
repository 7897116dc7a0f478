"""Documents that configure the console: workflows, actions and collections, with their checks and schemas."""

OPEN_MODULES = frozenset(
    {
        "action_check",
        "action_document",
        "approval_check",
        "approval_rules",
        "collections",
        "condition_words",
        "document_parts",
        "draft_shape",
        "environment_check",
        "field_expressions",
        "fields",
        "findings",
        "governance",
        "graph",
        "json_shape",
        "names_check",
        "references",
        "saved_tests",
        "schedule_presets",
        "triggers",
        "triggers_check",
        "variables",
        "workflow",
        "workflow_check",
        "workflow_schema",
        "workflow_sketch",
        "workspaces",
    }
)
