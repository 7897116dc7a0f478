"""Rights as admins edit, read and try them: roles and their rules, drafts and versions, the matrix, the simulator, and why somebody may not."""

from console.rights.drafts import Draft, Preview, discard, draft, preview, publish, put, undo, versions
from console.rights.roles import Role, create, delete, listed, one, rename

__all__ = [
    "Draft",
    "Preview",
    "Role",
    "create",
    "delete",
    "discard",
    "draft",
    "listed",
    "one",
    "preview",
    "publish",
    "put",
    "rename",
    "undo",
    "versions",
]
