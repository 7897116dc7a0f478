"""Workflows: created and changed as drafts, checked, published as immutable versions, imported and exported as files."""

from console.workflows import graph_nodes, lifecycle, ownership
from console.workflows.configuring import CONFIGURED, Seen, VariableEdits, configure, used_by
from console.workflows.creation import create, duplicate, without_starts
from console.workflows.definitions import (
    Entry,
    Version,
    activate,
    archive,
    cancel,
    change,
    complete,
    definition,
    draft_document,
    entries,
    entry,
    pause,
    publish_draft,
    redefine,
    remove,
    version_of,
    versions_of,
)
from console.workflows.draft_edits import stored_document
from console.workflows.drafts import (
    Draft,
    Edit,
    as_published,
    draft_at,
    draft_before,
    edit,
    history,
    live_document,
    open_draft,
    problems,
    readable,
    redo,
    restore,
    undo,
    wrong_change,
)
from console.workflows.lifecycle import STATUSES, cancelled, may_start, paused, require_active
from console.workflows.queries import Known, all_known, find_known, forget, status_once_published
from console.workflows.reviews import (
    Review,
    approve_review,
    forget_words,
    listed_reviews,
    newest_review,
    pinned_draft,
    possible_reviewers,
    request_changes,
    request_review,
    review_of,
    to_decide,
    withdraw_review,
)
from console.workflows.saved_tests import ResultOfTest, TestsBefore, run_tests_by
from console.workflows.store import CHAIN, OBJECT, may, require
from console.workflows.templates import Template, template_document, templates, templates_folder
from console.workflows.versions import (
    Definition,
    NotReadable,
    acting_as,
    check,
    connected,
    export,
    import_file,
    keep_tried_draft,
    live,
    needs_second_person,
    newest,
    newest_number,
    publish,
    readable_version,
    refused,
    startable,
    validation_context,
    version,
)

OPEN_MODULES = frozenset(
    {"file_schemas", "graph_nodes", "inboxes", "lifecycle", "ownership", "starter_folder"}
)
