"""Workflows as diagrams: the list of workflows, the steps of one in words, and the path of a run through it."""

from console.diagrams.paths import Picture, Shown, listed, path, picture_of, show
from console.diagrams.step_nodes import Node

__all__ = ["Node", "Picture", "Shown", "listed", "path", "picture_of", "show"]
