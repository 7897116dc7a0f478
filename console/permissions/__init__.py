"""Rights as admins edit, read and test them: roles and rules, drafts and versions, the matrix, the simulator, and explanations of refusals."""

from console.permissions.roles import Role, create, delete, list_roles, read_role, rename
from console.permissions.rule_drafts import ask_to_publish, discard, draft, preview, publish, undo, versions

OPEN_MODULES = frozenset(
    {
        "clearances",
        "explained_rights",
        "levels",
        "matrix",
        "right_requests",
        "role_rules",
        "rule_conditions",
        "rule_drafts",
        "second_admin",
        "simulator",
        "team_copies",
    }
)
