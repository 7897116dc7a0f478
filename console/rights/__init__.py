"""Rights as admins edit, read and try them: roles and their rules, drafts and versions, the matrix, the simulator, and why somebody may not."""

from console.rights.roles import Role, create, delete, listed, one, rename
from console.rights.rule_drafts import Draft, Preview, discard, draft, preview, publish, put, undo, versions

__all__ = [
    "Draft",
    "Preview",
    "Role",
    "clearances",
    "create",
    "delete",
    "discard",
    "draft",
    "listed",
    "matrix",
    "one",
    "points",
    "preview",
    "publish",
    "put",
    "rename",
    "right_requests",
    "role_rules",
    "rule_conditions",
    "rule_drafts",
    "trying",
    "undo",
    "versions",
]
