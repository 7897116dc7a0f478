"""Documents that configure the console: workflows, actions and collections, with their checks and schemas."""

__all__ = [
    "action_check",
    "action_document",
    "approval_rules",
    "collections",
    "field_expressions",
    "fields",
    "findings",
    "governance",
    "graph",
    "house_check",
    "json_shape",
    "references",
    "workflow",
    "workflow_check",
    "workspaces",
]
