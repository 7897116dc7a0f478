"""Pages of workflows: the cards, and the tabs of one workflow."""

__all__ = ["switches", "tabs"]
