"""The pages of a run: the guided panel, its panes, proposals and replay."""

__all__ = [
    "block_papers",
    "case_file",
    "form_boxes",
    "notices",
    "page",
    "panes",
    "proposal",
    "replay",
    "source_links",
    "step_values",
    "wait_words",
]
