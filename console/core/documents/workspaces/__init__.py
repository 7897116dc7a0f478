"""Workspaces as documents: their components, the checks, and what each component depends on."""

from console.core.documents.workspaces.components import (
    INPUTS,
    KINDS,
    SELECTING,
    Action,
    Chart,
    CollectionList,
    Component,
    Date,
    Dropdown,
    Fields,
    Inbox,
    Input,
    Link,
    Metric,
    Related,
    Section,
    Tab,
    Tabs,
    Text,
    Toggle,
    WorkflowButtons,
)
from console.core.documents.workspaces.workspace_check import check, expressions_of, names_used, texts_of
from console.core.documents.workspaces.workspace_document import Workspace, read

OPEN_MODULES = frozenset({"components", "edits", "new_names", "workspace_document"})
