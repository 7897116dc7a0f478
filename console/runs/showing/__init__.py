"""What people see of runs: the screen, lists, queues and replay."""

__all__ = ["candidates", "lists", "queues", "reader_reach", "reading", "replay", "screens", "step_stakes", "view"]
