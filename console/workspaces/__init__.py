"""Workspaces: pages that people of a team open every day, made of lists, records, charts and buttons; their documents, drafts and versions."""

from console.core.documents.workspaces import Workspace, read
from console.workspaces.builders import may_edit, own_teams
from console.workspaces.desk import Desk, own_names, state_of
from console.workspaces.known_names import unknown_names
from console.workspaces.parts import Listing, Shown, choose_first, failed, read_part
from console.workspaces.workspace_figures import NO_CURRENCY, OTHER, Figures, end_of
from console.workspaces.workspace_list import every, published, sees, workspace, workspaces_of
from console.workspaces.workspace_publication import (
    Editing,
    changed_since,
    create,
    delete,
    discard,
    export,
    follow_renamed_columns,
    free_id,
    import_file,
    open_workspace,
    opened_document,
    publish,
    restore,
    save,
    undo,
    versions,
)

OPEN_MODULES = frozenset({"inbox_rules"})
