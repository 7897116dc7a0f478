"""The pages of a run: the guided panel, its panes, proposals and replay."""

OPEN_MODULES = frozenset(
    {
        "block_papers",
        "case_file",
        "effects",
        "form_boxes",
        "loaded_values",
        "notices",
        "page",
        "panes",
        "proposal",
        "replay",
        "source_links",
        "sources",
        "step_values",
        "steps_pane",
        "wait_words",
        "workspace_return",
    }
)
