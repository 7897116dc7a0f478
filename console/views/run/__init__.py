"""The pages of a run: the guided panel, its panes, proposals and replay."""

__all__ = ["notices", "page", "panes", "proposal", "replay", "source_links"]
